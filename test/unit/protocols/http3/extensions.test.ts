/**
 * Tunnels (RFC 9114 section 4.4, RFC 9220), datagrams (RFC 9297), priorities (RFC 9218), and streams that are lent.
 */
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../../src/common/index.ts';
import { Http3ClientFactory, Http3ServerFactory } from '../../../../src/protocols/http3/index.ts';
import { concat, data, frame, headers, octets, parseFrames, Type, varints } from '../../../support/http3-frames.ts';
import { extended, Http3Peer, request } from '../../../support/http3-peer.ts';

const connect = [':method', 'CONNECT', ':authority', 'db.example:5432'];

describe('tunnels', () => {
  const open = (): Http3Peer => {
    const peer = Http3Peer.ofServer().send(0, headers(connect));
    peer.engine.submitHeaders(0, [':status', '200'], { endStream: false });
    return peer.pull().clear();
  };

  it('keep what comes before they are accepted, and tell it then', () => {
    const peer = Http3Peer.ofServer().send(0, concat(headers(connect), data('early')), true);
    expect(peer.types).toEqual(['HeadersReceived']);
    expect(peer.only('HeadersReceived').endStream).toBe(false);
    peer.engine.submitHeaders(0, [':status', '200'], { endStream: false });
    expect(peer.pull().types).toEqual(['HeadersReceived', 'DataReceived']);
    expect(peer.only('DataReceived')).toMatchObject({ endStream: true, flowControlledLength: 5 });
  });

  it('drop it when they are refused, and give its window back', () => {
    const bytes = concat(headers(connect), data('early'));
    const peer = Http3Peer.ofServer().send(0, bytes);
    peer.engine.submitHeaders(0, [':status', '403'], { endStream: true });
    expect(peer.quic.stream(0).consumed).toBe(bytes.length);
    expect(peer.pull().types).toEqual(['HeadersReceived']);
  });

  it('end one direction at a time', () => {
    const peer = open().send(0, data('x'), true);
    expect(peer.only('DataReceived').endStream).toBe(true);
    peer.engine.submitData(0, octets('y'), { endStream: true });
    expect(parseFrames(peer.quic.stream(0).written).map(({ type }) => type)).toEqual([Type.HEADERS, Type.DATA]);
    expect(peer.over(0).types.at(-1)).toBe('StreamClosed');
  });

  it('are over for both directions when the peer resets, or reads no more (4.4)', () => {
    expect(open().reset(0, 'H3_CONNECT_ERROR').only('StreamResetReceived').errorCode).toBe(0x10f);
    const stopped = open().stop(0, 'H3_CONNECT_ERROR');
    expect(stopped.types).toEqual(['StreamResetReceived', 'StreamClosed']);
    expect(stopped.quic.stream(0).stopped).toBe(0x10c);
    const client = Http3Peer.ofClient();
    client.engine.submitHeaders(0, connect, { endStream: false });
    client
      .send(0, headers([':status', '200']))
      .clear()
      .stop(0, 'H3_CONNECT_ERROR');
    expect(client.types).toEqual(['StreamResetReceived', 'StreamClosed']);
  });

  it('carry nothing before a client has been answered (RFC 9931)', () => {
    const peer = Http3Peer.ofClient();
    peer.engine.submitHeaders(0, connect, { endStream: true });
    expect(peer.engine.sendCapacity(0)).toBe(0);
    expect(() => {
      peer.engine.submitData(0, octets('x'), { endStream: false });
    }).toThrow(/accepted/);
    expect(peer.quic.stream(0).fin).toBe(false);
    peer.send(0, concat(headers([':status', '200']), data('hi')));
    expect(peer.content(0)).toBe('hi');
    expect(peer.engine.sendCapacity(0)).toBeGreaterThan(0);
  });

  it('by extended CONNECT need the server’s setting (RFC 9220 section 3)', () => {
    const peer = Http3Peer.ofClient({}, false);
    expect(() => {
      peer.engine.submitHeaders(0, extended(), { endStream: false });
    }).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }));
    peer.greet();
    peer.engine.submitHeaders(0, extended(), { endStream: false });
  });
});

describe('datagrams (RFC 9297 section 2.1)', () => {
  const served = (): Http3Peer => {
    const peer = Http3Peer.ofServer().send(0, headers(request())).send(4, headers(extended()));
    peer.engine.submitHeaders(4, [':status', '200'], { endStream: false });
    return peer.pull().clear();
  };
  const datagram = (bytes: Uint8Array) => ({ type: 'QuicDatagramReceived', data: bytes }) as const;

  it('pass both ways on a request that was made by extended CONNECT', () => {
    const peer = served().tell(datagram(concat(varints(1), octets('in'))), datagram(varints(1)));
    expect(peer.all('DatagramReceived')).toMatchObject([
      { streamId: 4, data: octets('in') },
      { streamId: 4, data: new Uint8Array(0) },
    ]);
    expect(peer.engine.submitDatagram(4, octets('out'))).toBe(true);
    expect(peer.quic.datagrams).toEqual([concat(varints(1), octets('out'))]);
  });

  it('are not sent where they were not agreed on, do not fit, or have no meaning', () => {
    const peer = served();
    expect(peer.engine.submitDatagram(0, octets('x'))).toBe(false);
    expect(peer.engine.submitDatagram(8, octets('x'))).toBe(false);
    expect(peer.engine.submitDatagram(4, new Uint8Array(1200))).toBe(false);
    peer.engine.submitData(4, new Uint8Array(0), { endStream: true });
    expect(peer.engine.submitDatagram(4, octets('x'))).toBe(false);
    const silent = Http3Peer.ofServer({}, false).send(4, headers(extended()));
    silent.engine.submitHeaders(4, [':status', '200'], { endStream: false });
    expect(silent.engine.submitDatagram(4, octets('x'))).toBe(false);
    const unwilling = Http3Peer.ofServer({}, true, { datagrams: false }).send(4, headers(extended()));
    unwilling.engine.submitHeaders(4, [':status', '200'], { endStream: false });
    expect(unwilling.engine.submitDatagram(4, octets('x'))).toBe(false);
  });

  it.each([
    ['empty', ''],
    ['cut within its number', '40'],
    ['for a stream above 2^62 (a quarter above 2^60)', 'd000000000000000'],
    ['for the largest number', 'ffffffffffffffff'],
  ])('%s is H3_DATAGRAM_ERROR of the connection', (_what, hex) => {
    served()
      .tell(datagram(new Uint8Array(Buffer.from(hex, 'hex'))))
      .expectConnectionError('H3_DATAGRAM_ERROR');
  });

  it('for a request that knows none is H3_DATAGRAM_ERROR of the stream (2)', () => {
    const peer = served().tell(datagram(varints(0)));
    peer.expectStreamError(0, 'H3_DATAGRAM_ERROR');
    expect(peer.types).toEqual(['StreamResetSent', 'StreamClosed']);
  });

  it('for a stream that is not there yet, or whose receiving side is over, is dropped', () => {
    const peer = served().tell(datagram(varints(2)), datagram(new Uint8Array(Buffer.from('cfffffffffffffff', 'hex'))));
    peer.send(4, new Uint8Array(0), true).tell(datagram(varints(1)));
    expect(peer.types).toEqual(['DataReceived']);
    peer.expectAlive();
  });
});

describe('priorities (RFC 9218)', () => {
  const update = (streamId: number, value: string): Uint8Array =>
    frame(Type.PRIORITY_UPDATE, concat(varints(streamId), octets(value)));

  it('of the field go to the transport (5)', () => {
    const peer = Http3Peer.ofServer().send(0, headers(request('GET', ['priority', 'u=1, i'])), true);
    expect(peer.quic.stream(0).priority).toEqual([1, true]);
    const client = Http3Peer.ofClient();
    client.engine.submitHeaders(0, request('GET', ['priority', 'u=6']), { endStream: true });
    expect(client.quic.stream(0).priority).toEqual([6, false]);
  });

  it('of PRIORITY_UPDATE change a request, and wait for one that has not come (7.2)', () => {
    const peer = Http3Peer.ofServer().send(0, headers(request()), true).clear();
    peer.send(peer.control, concat(update(0, 'u=0'), update(4, 'u=7, i')));
    expect(peer.only('PriorityUpdated')).toMatchObject({ streamId: 0, urgency: 0, incremental: false });
    expect(peer.quic.stream(0).priority).toEqual([0, false]);
    peer.send(4, headers(request('GET', ['priority', 'u=1'])), true);
    expect(peer.quic.stream(4).priority).toEqual([7, true]);
  });

  it('that cannot be read count as none (7.2)', () => {
    const peer = Http3Peer.ofServer().send(0, headers(request()), true).clear();
    peer.send(peer.control, update(0, 'u=99;;;\u0000'));
    expect(peer.only('PriorityUpdated')).toMatchObject({ urgency: 3, incremental: false });
  });

  it('of streams that are no requests are H3_ID_ERROR (7.2)', () => {
    for (const id of [1, 2, 3, 2 ** 40 + 1]) {
      const peer = Http3Peer.ofServer();
      peer.send(peer.control, update(id, 'u=1')).expectConnectionError('H3_ID_ERROR');
    }
  });

  it('are told to the server by PRIORITY_UPDATE, and used here', () => {
    const peer = Http3Peer.ofClient();
    peer.engine.submitHeaders(0, request(), { endStream: true });
    peer.engine.submitPriority(0, 1, true);
    expect(peer.controlFrames().at(-1)).toEqual({
      type: Type.PRIORITY_UPDATE,
      payload: concat(varints(0), octets('u=1, i')),
    });
    expect(peer.quic.stream(0).priority).toEqual([1, true]);
    for (const urgency of [-1, 8, 1.5]) {
      expect(() => {
        peer.engine.submitPriority(0, urgency, false);
      }).toThrow(/urgency/);
    }
    const server = Http3Peer.ofServer().send(0, headers(request()), true);
    server.engine.submitPriority(0, 5, false);
    expect(server.quic.stream(0).priority).toEqual([5, false]);
  });
});

describe('streams that are lent (claimStream)', () => {
  interface Told {
    readonly pieces: (readonly [streamId: number, text: string, end: boolean])[];
    readonly resets: (readonly [streamId: number, code: number])[];
  }
  const claim = (peer: Http3Peer, type: number): Told => {
    const told: Told = { pieces: [], resets: [] };
    peer.engine.claimStream(type, {
      streamDataReceived: (id, bytes, end) => told.pieces.push([id, Buffer.from(bytes).toString('latin1'), end]),
      streamResetReceived: (id, code) => told.resets.push([id, code]),
    });
    return told;
  };

  it('are unidirectional ones of a type, or bidirectional ones that begin with a number', () => {
    const peer = Http3Peer.ofServer();
    const uni = claim(peer, 0x54);
    const bidi = claim(peer, 0x41);
    peer.send(14, concat(varints(0x54), octets('one'))).send(14, octets('two'), true);
    peer
      .send(0, concat(varints(0x41), octets('three')))
      .send(0, octets('four'))
      .send(0, new Uint8Array(0), true);
    peer.send(4, Uint8Array.of(0x40)).send(4, Uint8Array.of(0x41)).send(4, octets('x')).reset(4);
    expect(uni.pieces).toEqual([
      [14, 'one', false],
      [14, 'two', true],
    ]);
    expect(bidi.pieces).toEqual([
      [0, 'three', false],
      [0, 'four', false],
      [0, '', true],
      [4, 'x', false],
    ]);
    expect(bidi.resets).toEqual([[4, 0x10c]]);
    expect(peer.types).toEqual([]);
    // Credit of content is the handler's to give back.
    expect(peer.quic.stream(0).consumed).toBe(2);
    peer.engine.dataConsumed(0, 9);
    expect(peer.quic.stream(0).consumed).toBe(11);
    peer.over(0).over(4).over(14).send(8, headers(request()), true);
    expect(peer.types).toEqual(['HeadersReceived']);
  });

  it('of a server pass to a client that has claimed them', () => {
    const peer = Http3Peer.ofClient();
    const bidi = claim(peer, 0x41);
    peer.send(1, concat(varints(0x41), octets('hello')));
    expect(bidi.pieces).toEqual([[1, 'hello', false]]);
    peer.send(5, concat(varints(0x42), octets('hello'))).expectConnectionError('H3_STREAM_CREATION_ERROR');
  });

  it('wait until they are claimed, where they may be', () => {
    const peer = Http3Peer.ofServer({}, true, { claimableTypes: [0x54, 0x41] });
    peer
      .send(14, concat(varints(0x54), octets('one')))
      .send(14, octets('two'), true)
      .over(14);
    peer
      .send(0, concat(varints(0x41), octets('three')))
      .send(4, varints(0x41))
      .reset(4);
    expect(peer.quic.stream(14).consumed).toBe(2);
    expect(claim(peer, 0x54).pieces).toEqual([
      [14, 'one', false],
      [14, 'two', false],
      [14, '', true],
    ]);
    const bidi = claim(peer, 0x41);
    expect(bidi).toEqual({ pieces: [[0, 'three', false]], resets: [] });
    expect(peer.send(0, octets('four')).types).toEqual([]);
    expect(bidi.pieces).toHaveLength(2);
  });

  it('are no business of a server that nobody claimed them of: a number is an unknown frame, a type is stopped', () => {
    const peer = Http3Peer.ofServer().send(14, varints(0x54));
    expect(peer.quic.stream(14).stopped).toBe(0x103);
    peer.send(0, concat(frame(0x41, 'x'), headers(request())), true);
    expect(peer.types).toEqual(['HeadersReceived']);
  });
});

describe('options', () => {
  it('send settings of extensions', () => {
    const peer = Http3Peer.ofServer({}, true, { settings: [[0x2b60_3742, 1]], datagrams: false });
    const { payload } = peer.controlFrames()[0]!;
    expect(Buffer.from(payload).includes(Buffer.from(varints(0x2b60_3742, 1)))).toBe(true);
    expect(Buffer.from(payload).includes(Buffer.from(varints(0x33, 1)))).toBe(false);
  });

  it('are refused where they cannot be', () => {
    for (const settings of [
      [[0x02, 1]],
      [[0x33, 1]],
      [[0x1234, -1]],
      [[0.5, 1]],
      [
        [0x1234, 1],
        [0x1234, 2],
      ],
    ] as const) {
      expect(() => new Http3ServerFactory({ settings })).toThrow(ConfigurationError);
      expect(() => new Http3ClientFactory({ settings })).toThrow(ConfigurationError);
    }
    expect(() => new Http3ServerFactory({ errorResponseHeaders: ['date', 'x'] })).toThrow(ConfigurationError);
    expect(() => new Http3ServerFactory({ limits: { maxHeaderBytes: -1 } })).toThrow(ConfigurationError);
  });
});
