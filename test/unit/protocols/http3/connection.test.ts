/**
 * The connection's life: winding down by GOAWAY (RFC 9114 section 5.2), ends (5.1, 5.3, 5.4), early data (7.2.4.2), and
 * what passes through from the handshake.
 */
import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../../../src/common/index.ts';
import { Http3ErrorCode, Http3ServerFactory } from '../../../../src/protocols/http3/index.ts';
import { certificateReceived, clientHelloReceived, ticketOffered } from '../../../../src/protocols/index.ts';
import { FakeQuic } from '../../../support/fake-quic.ts';
import { concat, frame, headers, octets, settings, Type, varints } from '../../../support/http3-frames.ts';
import { context, Http3Peer, request } from '../../../support/http3-peer.ts';

const EVERY_REQUEST = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfc);
const goaway = (id: number): Uint8Array => frame(Type.GOAWAY, varints(id));
const goaways = (peer: Http3Peer): Uint8Array[] =>
  peer
    .controlFrames()
    .filter(({ type }) => type === Type.GOAWAY)
    .map(({ payload }) => payload);
const controlOf = (peer: Http3Peer): ReturnType<FakeQuic['stream']> =>
  peer.quic.stream(peer.quic.role === 'client' ? 2 : 3);

const respond = (peer: Http3Peer, streamId: number): void => {
  peer.engine.submitHeaders(streamId, [':status', '200'], { endStream: true });
  peer.engine.submitHandlerEnd(streamId);
};

describe('a server that winds down (5.2)', () => {
  it('first takes every request, then says from which id on it takes none, then ends when all is acknowledged', () => {
    const peer = Http3Peer.ofServer().send(0, headers(request()), true).clear();
    peer.quic.acknowledges = false;
    peer.engine.submitShutdown();
    peer.engine.submitShutdown();
    expect(goaways(peer)).toEqual([EVERY_REQUEST]);
    expect(peer.engine.isAvailable()).toBe(false);
    // On its way before the client has heard of it.
    peer.send(4, headers(request()), true);
    expect(peer.only('HeadersReceived').streamId).toBe(4);
    controlOf(peer).acknowledged = true;
    peer.pull();
    expect(goaways(peer)).toEqual([EVERY_REQUEST, Uint8Array.of(8)]);
    controlOf(peer).acknowledged = false;
    peer.send(8, headers(request()), true);
    expect(peer.quic.stream(8)).toMatchObject({ reset: 0x10b, stopped: 0x10b });
    respond(peer, 0);
    respond(peer, 4);
    peer.over(0).over(4);
    expect(peer.terminated).toBe(false);
    controlOf(peer).acknowledged = true;
    peer.pull();
    expect(peer.only('ConnectionTerminated')).toMatchObject({ errorCode: 0x100, error: undefined });
    expect(peer.quic.closed?.errorCode).toBe(Http3ErrorCode.H3_NO_ERROR);
    expect(peer.types).not.toContain('StreamResetSent');
  });

  it('waits for each acknowledgement no longer than shutdownTimeout', () => {
    const peer = Http3Peer.ofServer({ shutdownTimeout: 500 });
    peer.quic.acknowledges = false;
    peer.engine.submitShutdown();
    peer.advance(0).advance(499);
    expect(goaways(peer)).toHaveLength(1);
    peer.advance(1);
    expect(goaways(peer)).toHaveLength(2);
    peer.advance(499).expectAlive();
    peer.advance(1);
    expect(peer.only('ConnectionTerminated').error).toBeUndefined();
  });

  it('before its handshake is over ends at once', () => {
    const quic = new FakeQuic('server');
    const engine = new Http3ServerFactory().create(quic, context, 0);
    engine.submitShutdown();
    expect(engine.nextEvent()).toMatchObject({ type: 'ConnectionTerminated', errorCode: 0x100, error: undefined });
    expect(quic.closed?.errorCode).toBe(0x100);
  });
});

describe('a client that hears of it (5.2)', () => {
  const asked = (count: number): Http3Peer => {
    const peer = Http3Peer.ofClient();
    for (let index = 0; index < count; index += 1) peer.engine.submitHeaders(4 * index, request(), { endStream: true });
    return peer;
  };

  it('opens no more, and learns that requests from the id on were not processed', () => {
    const peer = asked(3);
    peer.send(peer.control, frame(Type.GOAWAY, EVERY_REQUEST));
    expect(peer.types).toEqual(['GoawayReceived']);
    expect(peer.engine.isAvailable()).toBe(false);
    expect(peer.engine.hasExpired()).toBe(true);
    peer.clear().send(peer.control, goaway(8));
    expect(peer.only('GoawayReceived')).toMatchObject({ lastStreamId: 4, errorCode: 0x100 });
    expect(peer.only('StreamResetReceived')).toMatchObject({ streamId: 8, processed: 'no', errorCode: 0x10b });
    expect(peer.quic.stream(8)).toMatchObject({ stopped: 0x10c });
    peer.clear().send(peer.control, goaway(0));
    expect(peer.all('GoawayReceived')).toMatchObject([{ lastStreamId: -1 }]);
    expect(peer.all('StreamResetReceived').map(({ streamId, processed }) => [streamId, processed])).toEqual([
      [0, 'no'],
      [4, 'no'],
    ]);
    // Nothing is left: the client closes.
    expect(peer.only('ConnectionTerminated')).toMatchObject({ errorCode: 0x100, error: undefined });
  });

  it('finishes what runs, and closes with H3_NO_ERROR', () => {
    const peer = asked(1);
    peer.send(peer.control, goaway(4)).expectAlive();
    peer.send(0, headers([':status', '200']), true);
    expect(peer.types.slice(-2)).toEqual(['StreamClosed', 'ConnectionTerminated']);
    expect(peer.quic.closed?.errorCode).toBe(0x100);
  });

  it.each([1, 2, 3, 5, 2 ** 50 + 2])('GOAWAY of %i, which is no request of a client, is H3_ID_ERROR (7.2.6)', (id) => {
    const peer = asked(1);
    peer.send(peer.control, goaway(id)).expectConnectionError('H3_ID_ERROR');
  });

  it('GOAWAY of 2^62-1 is H3_ID_ERROR too (7.2.6)', () => {
    const peer = asked(1);
    peer.send(peer.control, frame(Type.GOAWAY, new Uint8Array(8).fill(0xff))).expectConnectionError('H3_ID_ERROR');
  });

  it('ids only fall: a larger one is H3_ID_ERROR (5.2)', () => {
    const client = asked(3);
    client.send(client.control, concat(goaway(8), goaway(8))).expectAlive();
    client.send(client.control, goaway(12)).expectConnectionError('H3_ID_ERROR');
    const server = Http3Peer.ofServer();
    server.send(server.control, concat(goaway(7), goaway(3))).expectAlive();
    server.send(server.control, goaway(4)).expectConnectionError('H3_ID_ERROR');
  });
});

describe('a client that winds down (5.2)', () => {
  it('says that it takes no push, finishes what runs, and closes', () => {
    const peer = Http3Peer.ofClient();
    peer.engine.submitHeaders(0, request(), { endStream: true });
    peer.engine.submitShutdown();
    expect(goaways(peer)).toEqual([Uint8Array.of(0)]);
    expect(peer.engine.isAvailable()).toBe(false);
    peer.pull().expectAlive();
    peer.send(0, headers([':status', '200']), true);
    expect(peer.only('ConnectionTerminated').error).toBeUndefined();
  });
});

describe('push is never allowed (4.6, 7.2.7)', () => {
  it('MAX_PUSH_ID may rise and not fall: H3_ID_ERROR', () => {
    const peer = Http3Peer.ofServer();
    peer
      .send(peer.control, concat(frame(Type.MAX_PUSH_ID, varints(5)), frame(Type.MAX_PUSH_ID, varints(5))))
      .expectAlive();
    peer.send(peer.control, frame(Type.MAX_PUSH_ID, varints(4))).expectConnectionError('H3_ID_ERROR');
  });

  it('this side never sends it', () => {
    const types = Http3Peer.ofClient()
      .controlFrames()
      .map(({ type }) => type);
    expect(types).not.toContain(Type.MAX_PUSH_ID);
  });
});

describe('ends', () => {
  const busy = (): Http3Peer => {
    const peer = Http3Peer.ofClient();
    peer.engine.submitHeaders(0, request(), { endStream: true });
    return peer;
  };

  it('of the peer with H3_NO_ERROR leave no error', () => {
    const peer = busy();
    peer.tell({
      type: 'QuicConnectionClosed',
      application: true,
      errorCode: 0x100,
      initiator: 'peer',
      reason: 'bye',
      error: new NetworkError('x', { phase: 'read' }),
    });
    expect(peer.types).toEqual(['StreamResetReceived', 'StreamClosed', 'ConnectionTerminated']);
    expect(peer.only('ConnectionTerminated')).toMatchObject({ errorCode: 0x100, reason: 'bye', error: undefined });
    expect(peer.only('StreamResetReceived').processed).toBe('maybe');
  });

  it('of the peer with a code of HTTP are told by name', () => {
    const peer = busy();
    peer.tell({
      type: 'QuicConnectionClosed',
      application: true,
      errorCode: 0x107,
      initiator: 'peer',
      reason: 'enough',
      error: undefined,
    });
    const { error, errorCode } = peer.only('ConnectionTerminated');
    expect(errorCode).toBe(0x107);
    expect(error).toMatchObject({ name: 'RemoteProtocolError', wireCode: 0x107 });
    expect(error!.message).toMatch(/H3_EXCESSIVE_LOAD.*enough/);
  });

  it('of QUIC keep their code in the error, which is not HTTP’s', () => {
    const error = new NetworkError('a transport error', { phase: 'read' });
    const peer = busy();
    peer.tell({
      type: 'QuicConnectionClosed',
      application: false,
      errorCode: 0x0a,
      initiator: 'peer',
      reason: 'r',
      error,
    });
    expect(peer.only('ConnectionTerminated')).toMatchObject({ errorCode: 0x102, error });
    expect(peer.only('StreamResetReceived').error).toBe(error);
  });

  it('by silence are no error where nothing was open (5.1)', () => {
    const error = new NetworkError('silence', { phase: 'read' });
    const closed = {
      type: 'QuicConnectionClosed',
      application: false,
      errorCode: 0,
      initiator: 'network',
      reason: 'idle',
      error,
    } as const;
    const idle = Http3Peer.ofClient();
    expect(idle.tell(closed).only('ConnectionTerminated')).toMatchObject({ errorCode: 0x100, error: undefined });
    expect(busy().tell(closed).only('ConnectionTerminated')).toMatchObject({ errorCode: 0x10c, error });
  });

  it('leave a request of which nothing was sent unprocessed (5.4)', () => {
    const peer = busy();
    peer.quic.stream(0).window = 0;
    peer.tell({
      type: 'QuicConnectionClosed',
      application: false,
      errorCode: 0,
      initiator: 'network',
      reason: 'idle',
      error: undefined,
    });
    expect(peer.only('StreamResetReceived').processed).toBe('no');
    expect(peer.only('ConnectionTerminated').processed).toBe('no');
  });

  it('of the application tell the peer its code, and every stream', () => {
    const peer = busy();
    peer.engine.submitClose(0x102, 'a reason');
    peer.engine.submitClose(0x100);
    expect(peer.pull().types).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(peer.quic.closed).toEqual({ errorCode: 0x102, reason: 'a reason' });
    // Nothing is heard any more.
    peer.send(0, headers([':status', '200'])).send(3, octets('junk'));
    expect(peer.types).toHaveLength(3);
    peer.engine.submitHeaders(4, request(), { endStream: true });
    expect(peer.engine.submitDatagram(0, octets('x'))).toBe(false);
    expect(peer.engine.nextTimeout()).toBeUndefined();
  });

  it('keep a response that the client has not acknowledged from looking whole, unless the client ended in good order', () => {
    const answered = (): Http3Peer => {
      const peer = Http3Peer.ofServer().send(0, headers(request()), true).clear();
      respond(peer, 0);
      return peer;
    };
    const closed = {
      type: 'QuicConnectionClosed',
      application: true,
      initiator: 'peer',
      reason: '',
      error: undefined,
    } as const;
    expect(answered().tell({ ...closed, errorCode: 0x100 }).types).toEqual(['StreamClosed', 'ConnectionTerminated']);
    expect(answered().tell({ ...closed, errorCode: 0x102 }).types).toEqual([
      'StreamResetReceived',
      'StreamClosed',
      'ConnectionTerminated',
    ]);
  });

  it('come of themselves when there was no stream for keepAliveTimeout, by GOAWAY (3.3)', () => {
    const server = Http3Peer.ofServer({ keepAliveTimeout: 1000 }).send(0, headers(request()), true);
    server.advance(5000).expectAlive();
    respond(server, 0);
    server.over(0).advance(999).expectAlive();
    server.advance(1);
    expect(goaways(server)).toHaveLength(2);
    expect(server.only('ConnectionTerminated')).toMatchObject({ errorCode: 0x100, error: undefined });
    const client = Http3Peer.ofClient({ keepAliveTimeout: 1000 }).advance(1000);
    expect(client.only('ConnectionTerminated').error).toBeUndefined();
  });
});

describe('the handshake', () => {
  it('passes its events through, and its answers to the transport', () => {
    const peer = Http3Peer.ofServer({}, false);
    const events = [
      clientHelloReceived('a.example', ['h3'], [0x0403]),
      certificateReceived([new Uint8Array(3)], '', undefined),
      ticketOffered(new Uint8Array(2), true),
    ];
    expect(peer.tell(...events).events).toEqual(events);
    const identity = { cert: 'c', key: 'k' };
    peer.engine.submitServerIdentity(identity);
    peer.engine.submitCertificateVerdict({ ok: true });
    peer.engine.submitTicketVerdict(false);
    expect(peer.quic.verdicts).toEqual([identity, { ok: true }, false]);
  });

  it('passes packets and timers to the transport, its timers only when they are due', () => {
    const { engine, quic } = Http3Peer.ofServer();
    engine.datagramReceived(octets('packet'), { local: 'a', remote: 'b' }, 2000);
    expect(quic.received).toEqual([octets('packet')]);
    expect(engine.datagramsToSend(2000, 10)).toEqual([]);
    quic.timer = 3000;
    expect(engine.nextTimeout()).toBe(3000);
    engine.handleTimeout(2999);
    expect(quic.fired).toEqual([]);
    engine.handleTimeout(3000);
    expect(quic.fired).toEqual([3000]);
  });

  it('lets a client open requests as the transport allows, and tells of more', () => {
    const peer = Http3Peer.ofClient({ maxConcurrentStreams: 2 });
    expect(peer.engine.getAvailableStreamId()).toBe(0);
    peer.quic.room.bidirectional = 0;
    expect(peer.engine.isAvailable()).toBe(false);
    expect(() => peer.engine.getAvailableStreamId()).toThrow();
    peer.quic.room.bidirectional = 5;
    peer.tell({ type: 'QuicStreamsAvailable', bidirectional: true, count: 5 });
    expect(peer.only('StreamsAvailable').count).toBe(5);
    peer.engine.submitHeaders(0, request(), { endStream: true });
    peer.engine.submitHeaders(4, request(), { endStream: true });
    expect(peer.engine.isAvailable()).toBe(false);
  });
});

describe('early data (7.2.4.2, RFC 8470)', () => {
  const early = (remembered: Uint8Array = varints(0x06, 1000, 0x08, 1, 0x33, 1)): Http3Peer => {
    const quic = new FakeQuic('client');
    quic.earlyDataAvailable = true;
    quic.rememberedApplicationData = remembered;
    return Http3Peer.ofClientOn(quic);
  };
  const connect = [':method', 'CONNECT', ':scheme', 'https', ':authority', 'a', ':path', '/', ':protocol', 'websocket'];

  it('a server keeps its settings with tickets, a client those of the server', () => {
    const server = Http3Peer.ofServer();
    expect(server.quic.ticketData).toEqual(varints(0x06, 32_768, 0x08, 1, 0x33, 1));
    const client = Http3Peer.ofClient();
    expect(client.quic.ticketData).toEqual(varints(0x33, 1, 0x08, 1));
  });

  it('a server marks the requests whose head came early', () => {
    const peer = Http3Peer.ofServer();
    const bytes = headers(request());
    peer.send(0, bytes, true, true).send(4, bytes.subarray(0, 4), false, true).send(4, bytes.subarray(4), true);
    peer.send(8, bytes, true);
    expect(peer.all('HeadersReceived').map((event) => event.early)).toEqual([true, false, false]);
  });

  it('a client uses the settings that it remembers', () => {
    const peer = early();
    peer.engine.submitHeaders(0, connect, { endStream: false });
    expect(peer.quic.stream(0).written.length).toBeGreaterThan(0);
    expect(() => {
      peer.engine.submitHeaders(4, request('GET', ['x', 'y'.repeat(1000)]), { endStream: true });
    }).toThrow();
    const none = early(Uint8Array.of(0x40));
    expect(() => {
      none.engine.submitHeaders(0, connect, { endStream: false });
    }).toThrow();
  });

  it.each([
    ['less room for fields', settings([0x06, 999], [0x08, 1], [0x33, 1])],
    ['a limit that is left out', settings([0x08, 1], [0x33, 1])],
    ['no extended CONNECT', settings([0x06, 1000], [0x33, 1])],
    ['no datagrams (RFC 9297 section 2.1.1)', settings([0x06, 1000], [0x08, 1], [0x33, 0])],
  ])('settings that take back what was remembered are H3_SETTINGS_ERROR: %s', (_name, bytes) => {
    const peer = early();
    peer.pull().shakeHands();
    peer.send(3, concat(varints(0), bytes)).expectConnectionError('H3_SETTINGS_ERROR');
  });

  const allowed = [
    [0x06, 1000],
    [0x08, 1],
    [0x33, 1],
  ] as const;

  it.each([
    ['another one', settings([0x01, 4097], ...allowed)],
    ['none', settings(...allowed)],
  ])('another table capacity than remembered is QPACK_DECODER_STREAM_ERROR (9204 3.2.3): %s', (_name, bytes) => {
    const peer = early(varints(0x01, 4096, 0x06, 1000, 0x08, 1, 0x33, 1));
    peer.pull().shakeHands();
    peer.send(3, concat(varints(0), bytes)).expectConnectionError('QPACK_DECODER_STREAM_ERROR');
  });

  it('settings that give more are fine', () => {
    const peer = early();
    peer.pull().shakeHands();
    const more = settings([0x01, 4096], [0x06, 2000], [0x08, 1], [0x33, 1]);
    peer.send(3, concat(varints(0), more)).expectAlive();
    const same = early(varints(0x01, 4096, 0x06, 1000, 0x08, 1, 0x33, 1));
    same.pull().shakeHands();
    same.send(3, concat(varints(0), more)).expectAlive();
  });

  it('that is rejected was not processed, and its ids begin anew', () => {
    const peer = early();
    peer.engine.submitHeaders(0, request('POST'), { endStream: false });
    peer.engine.submitHeaders(4, request(), { endStream: true });
    peer.engine.submitStreamReset(4, 0x10c);
    peer.pull().clear();
    peer.quic.restart();
    peer.quic.room.unidirectional = 3;
    peer.quic.earlyDataAvailable = false;
    peer.tell({ type: 'QuicEarlyDataRejected' }).shakeHands();
    expect(peer.controlFrames()[0]!.type).toBe(Type.SETTINGS);
    expect(peer.engine.getAvailableStreamId()).toBe(0);
    expect(() => {
      peer.engine.submitHeaders(0, connect, { endStream: false });
    }).toThrow();
    peer.engine.submitHeaders(0, request(), { endStream: true });
    peer.send(0, headers([':status', '200']), true);
    expect(peer.types).toEqual(['HeadersReceived', 'StreamClosed']);
    // What was remembered does not bind the server any more.
    peer.send(3, concat(varints(0), settings())).expectAlive();
  });

  it('that is rejected is told of each open request', () => {
    const peer = early();
    peer.engine.submitHeaders(0, request(), { endStream: true });
    peer.quic.restart();
    peer.tell({ type: 'QuicEarlyDataRejected' });
    expect(peer.types).toEqual(['StreamResetReceived', 'StreamClosed']);
    expect(peer.only('StreamResetReceived')).toMatchObject({ streamId: 0, processed: 'no' });
  });
});
