/**
 * The connection as a whole: settings, winding down, its end, liveness, extensions. RFC 9113 sections 5.4, 6.5, 6.7, 6.8
 * and 9.1, RFC 7838, RFC 8336.
 */
import { describe, expect, it } from 'vitest';
import { HfaceError } from '../../../../src/common/index.ts';
import {
  ACK,
  concat,
  data,
  END_STREAM,
  frame,
  goaway,
  latin1,
  number32,
  numbers,
  ping,
  rstStream,
  settings,
  Type,
} from '../../../support/http2-frames.ts';
import type { CodeName } from '../../../support/http2-peer.ts';
import { Http2Peer, request } from '../../../support/http2-peer.ts';

describe('SETTINGS (section 6.5)', () => {
  it.each<readonly [string, CodeName, readonly (readonly [number, number])[]]>([
    ['6.5.2: ENABLE_PUSH of 2', 'PROTOCOL_ERROR', [[2, 2]]],
    ['6.5.2: MAX_FRAME_SIZE below 2^14', 'PROTOCOL_ERROR', [[5, 16_383]]],
    ['6.5.2: MAX_FRAME_SIZE above 2^24-1', 'PROTOCOL_ERROR', [[5, 16_777_216]]],
    ['6.5.2: INITIAL_WINDOW_SIZE above 2^31-1', 'FLOW_CONTROL_ERROR', [[4, 0x8000_0000]]],
    ['RFC 8441 3: ENABLE_CONNECT_PROTOCOL of 2', 'PROTOCOL_ERROR', [[8, 2]]],
    [
      'RFC 8441 3: ENABLE_CONNECT_PROTOCOL taken back',
      'PROTOCOL_ERROR',
      [
        [8, 1],
        [8, 0],
      ],
    ],
    ['RFC 9218 2.1: NO_RFC7540_PRIORITIES of 2', 'PROTOCOL_ERROR', [[9, 2]]],
    ['RFC 9218 2.1: NO_RFC7540_PRIORITIES changed', 'PROTOCOL_ERROR', [[9, 1]]],
  ])('section %s: %s', (_what, code, pairs) => {
    for (const peer of [Http2Peer.ofServer(), Http2Peer.ofClient()]) {
      peer.send(settings(...pairs));
      peer.expectConnectionError(code);
    }
  });

  it('ENABLE_PUSH of 1 from a server ends the connection: PROTOCOL_ERROR (section 6.5.2)', () => {
    const client = Http2Peer.ofClient();
    client.send(settings([2, 1]));
    client.expectConnectionError('PROTOCOL_ERROR');
    const server = Http2Peer.ofServer();
    server.send(settings([2, 1]));
    server.expectAlive();
  });

  it('are told, and acknowledged in order, the last of a repeated identifier in force', () => {
    const peer = Http2Peer.ofServer();
    peer.send(settings([4, 5], [4, 7], [0xabcd, 1]));
    expect([...peer.only('SettingsReceived').settings]).toEqual([
      [4, 7],
      [0xabcd, 1],
    ]);
    expect(peer.frames).toMatchObject([{ type: Type.SETTINGS, flags: ACK }]);
  });

  it('the peer’s HEADER_TABLE_SIZE is kept to: the next block begins with the update (RFC 7541 section 4.2)', () => {
    const peer = Http2Peer.ofServer();
    peer.decoder.setMaxTableSize(0);
    peer.send(settings([1, 0]), peer.headers(1, request()), peer.headers(3, request()));
    for (const id of [1, 3]) peer.engine.submitHeaders(id, [':status', '200', 'x', 'y'], { endStream: true });
    peer.collect();
    for (const one of peer.sent(Type.HEADERS)) expect(peer.fields(one)).toEqual([':status', '200', 'x', 'y']);
    expect(peer.decoder.tableSize).toBe(0);
  });

  it('our own HEADER_TABLE_SIZE holds once it was acknowledged (section 6.5.3)', () => {
    const peer = Http2Peer.ofServer({ headerTableSize: 0 }, false);
    peer.collect();
    expect([...peer.frames[0]!.payload].slice(0, 6)).toEqual([0, 1, 0, 0, 0, 0]);
    peer.greet();
    // A block that does not begin by shrinking the table is wrong now (RFC 7541 section 4.2).
    peer.send(peer.headers(1, request()));
    peer.expectConnectionError('COMPRESSION_ERROR');
  });
});

describe('a server winds down in two steps (section 6.8)', () => {
  it('accepts what was on its way, then names the last stream, finishes, and closes', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request())).clear();
    peer.engine.submitShutdown();
    peer.engine.submitShutdown();
    peer.collect();
    expect(peer.frames.map(({ type }) => type)).toEqual([Type.GOAWAY, Type.PING]);
    expect(number32(peer.frames[0]!.payload)).toBe(0x7fff_ffff);
    const { payload } = peer.frames[1]!;
    peer.send(peer.headers(3, request('POST'), 0));
    expect(peer.only('HeadersReceived').streamId).toBe(3);
    peer.frames = [];
    peer.now += 25;
    peer.send(frame(Type.PING, ACK, 0, payload));
    expect(peer.only('PingAcknowledged').roundTripTime).toBe(25);
    expect(peer.frames.map((one) => [one.type, number32(one.payload), number32(one.payload, 4)])).toEqual([
      [Type.GOAWAY, 3, 0],
    ]);
    // A stream beyond is not processed, nor told of; its frames are dropped.
    peer.send(peer.headers(5, request('POST'), 0), data(5, 'x', END_STREAM));
    expect(peer.all('HeadersReceived')).toHaveLength(1);
    peer.frames = [];
    for (const id of [1, 3]) peer.engine.submitHeaders(id, [':status', '200'], { endStream: true });
    peer.collect();
    expect(peer.types).not.toContain('ConnectionTerminated');
    peer.send(data(3, 'end', END_STREAM));
    expect(peer.only('ConnectionTerminated')).toMatchObject({ errorCode: 0, error: undefined });
    expect(peer.engine.wantsEof).toBe(true);
  });

  it('does not wait for ever for the answer to its PING: shutdownTimeout', () => {
    const peer = Http2Peer.ofServer({ shutdownTimeout: 500 });
    peer.send(peer.headers(1, request()));
    peer.engine.submitShutdown();
    peer.collect().advance(499);
    expect(peer.sent(Type.GOAWAY)).toHaveLength(1);
    peer.advance(1);
    expect(peer.sent(Type.GOAWAY).map(({ payload }) => number32(payload))).toEqual([0x7fff_ffff, 1]);
  });

  it('with no client yet, ends at once', () => {
    const peer = Http2Peer.ofServer({}, false);
    peer.engine.submitShutdown();
    peer.collect();
    expect(peer.types).toEqual(['ConnectionTerminated']);
  });
});

describe('GOAWAY from a server (section 6.8)', () => {
  const withThree = (): Http2Peer => {
    const peer = Http2Peer.ofClient();
    for (const id of [1, 3, 5]) peer.engine.submitHeaders(id, request('POST'), { endStream: id !== 5 });
    return peer.collect().clear();
  };

  it('streams above its last id were not processed; the others are finished, then the connection ends', () => {
    const peer = withThree();
    peer.send(goaway(3, 0, 'why'));
    expect(peer.only('GoawayReceived')).toMatchObject({ lastStreamId: 3, errorCode: 0, debugData: latin1('why') });
    expect(peer.only('StreamResetReceived')).toMatchObject({ streamId: 5, processed: 'no' });
    expect(peer.engine.isAvailable()).toBe(false);
    expect(peer.engine.hasExpired()).toBe(true);
    expect(() => peer.engine.getAvailableStreamId()).toThrow(/no request/);
    // A later one may lower the id, and one that raises it changes nothing.
    peer.send(goaway(1), goaway(77));
    expect(peer.all('StreamResetReceived').map(({ streamId }) => streamId)).toEqual([5, 3]);
    peer.send(peer.headers(1, [':status', '200']));
    expect(peer.types.slice(-2)).toEqual(['StreamClosed', 'ConnectionTerminated']);
    expect(peer.only('ConnectionTerminated').error).toBeUndefined();
  });

  it('submits for what was not processed are ignored', () => {
    const peer = withThree();
    peer.send(goaway(3));
    peer.engine.submitData(5, latin1('x'), { endStream: true });
    peer.collect();
    expect(peer.content(5)).toHaveLength(0);
  });

  it('REFUSED_STREAM says that a request was not processed, other codes do not (section 8.7)', () => {
    const peer = withThree();
    peer.send(rstStream(1, 7), rstStream(3, 2));
    expect(peer.all('StreamResetReceived').map(({ processed }) => processed)).toEqual(['no', 'maybe']);
    expect(peer.all('StreamResetReceived')[1]!.error.message).toMatch(/INTERNAL_ERROR/);
  });
});

describe('the end', () => {
  it('of the peer’s sending: a server still answers what has come whole', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request()), peer.headers(3, request('POST'), 0)).clear();
    peer.engine.eofReceived(peer.now);
    peer.collect();
    expect(peer.types).toEqual(['StreamResetReceived', 'StreamClosed']);
    expect(peer.only('StreamResetReceived').streamId).toBe(3);
    peer.engine.submitHeaders(1, [':status', '200'], { endStream: true });
    peer.collect();
    expect(peer.sent(Type.HEADERS)).toHaveLength(1);
    expect(peer.only('ConnectionTerminated').error).toBeUndefined();
    expect(peer.engine.wantsEof).toBe(true);
  });

  it('of a server’s sending: requests that run fail, those that were not sent were not processed', () => {
    const peer = Http2Peer.ofClient();
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.collect().clear();
    peer.engine.submitHeaders(3, request(), { endStream: true });
    peer.engine.eofReceived(peer.now);
    peer.pull();
    expect(peer.all('StreamResetReceived').map(({ processed }) => processed)).toEqual(['maybe', 'no']);
    for (const { error } of peer.all('StreamResetReceived')) expect(error).toBeInstanceOf(HfaceError);
    expect(peer.terminated).toBe(true);
  });

  it('by submitClose: GOAWAY with the code, streams reset', () => {
    const peer = Http2Peer.ofServer();
    peer.send(peer.headers(1, request())).clear();
    peer.engine.submitClose(0xb, 'enough');
    peer.collect();
    expect(peer.types).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(peer.only('ConnectionTerminated')).toMatchObject({ errorCode: 0xb, reason: 'enough', error: undefined });
    expect(peer.frames.map((one) => [one.type, number32(one.payload), number32(one.payload, 4)])).toEqual([
      [Type.GOAWAY, 1, 0xb],
    ]);
  });

  it('by an error inside the engine is INTERNAL_ERROR, and no throw', () => {
    const peer = Http2Peer.ofServer();
    const broken = new Proxy(new Uint8Array(9), {
      get: (target, key) => {
        if (key === 'length') return 9;
        throw new Error(`no ${String(key)} of ${String(target.length)}`);
      },
    });
    peer.engine.bytesReceived(broken, peer.now);
    peer.collect();
    peer.expectConnectionError('INTERNAL_ERROR');
  });
});

describe('extensions that a client reads', () => {
  const asked = (): Http2Peer => {
    const peer = Http2Peer.ofClient();
    peer.engine.submitHeaders(1, request(), { endStream: true });
    return peer.collect().clear();
  };
  const altSvc = (streamId: number, origin: string, value: string): Uint8Array =>
    frame(Type.ALTSVC, 0, streamId, concat(numbers([origin.length, 2]), latin1(origin + value)));

  it('ALTSVC: on stream 0 with an origin, on a stream without (RFC 7838 section 4)', () => {
    const peer = asked();
    peer.send(
      altSvc(0, 'https://a.example', 'h3=":443"'),
      altSvc(1, '', 'h3=":8443"; ma=60'),
      altSvc(0, '', 'ignored'),
      altSvc(1, 'https://a.example', 'ignored'),
      altSvc(99, '', 'ignored'),
      frame(Type.ALTSVC, 0, 0, Uint8Array.of(0, 99, 1)),
      frame(Type.ALTSVC, 0, 0, Uint8Array.of(0)),
    );
    expect(peer.all('AltSvcReceived').map(({ origin, streamId, value }) => [origin, streamId, value])).toEqual([
      ['https://a.example', 0, 'h3=":443"'],
      ['', 1, 'h3=":8443"; ma=60'],
    ]);
    peer.expectAlive();
  });

  it('ORIGIN: on stream 0 (RFC 8336 section 2)', () => {
    const peer = asked();
    const entry = (origin: string): Uint8Array => concat(numbers([origin.length, 2]), latin1(origin));
    const origins = concat(entry('https://a.example'), entry('https://b.example:8443'));
    peer.send(
      frame(Type.ORIGIN, 0, 0, origins),
      frame(Type.ORIGIN, 0, 1, origins),
      frame(Type.ORIGIN, 0, 0, origins.slice(0, 20)),
    );
    expect(peer.only('OriginReceived').origins).toEqual(['https://a.example', 'https://b.example:8443']);
    peer.expectAlive();
  });

  it('PRIORITY_UPDATE from a server ends the connection (RFC 9218 section 7.1)', () => {
    const peer = asked();
    peer.send(frame(Type.PRIORITY_UPDATE, 0, 0, numbers([1, 4])));
    peer.expectConnectionError('PROTOCOL_ERROR');
  });

  it('PUSH_PROMISE ends the connection, since pushes were refused (section 8.4)', () => {
    const peer = asked();
    peer.send(frame(Type.PUSH_PROMISE, 4, 1, concat(numbers([2, 4]), peer.block(request()))));
    peer.expectConnectionError('PROTOCOL_ERROR');
  });

  it('a server’s own stream ends the connection (section 5.1.1)', () => {
    const peer = asked();
    peer.send(peer.headers(2, [':status', '200']));
    peer.expectConnectionError('PROTOCOL_ERROR');
  });
});

describe('liveness (section 6.7)', () => {
  it('a silent peer is asked while streams are open, and lost when it does not answer', () => {
    const peer = Http2Peer.ofServer({ pingInterval: 1000, pingTimeout: 300 });
    peer.send(peer.headers(1, request())).clear();
    peer.advance(999);
    expect(peer.frames).toEqual([]);
    peer.advance(1);
    const asked = peer.sent(Type.PING);
    expect(asked).toHaveLength(1);
    peer.now += 10;
    peer.send(frame(Type.PING, ACK, 0, asked[0]!.payload));
    expect(peer.only('PingAcknowledged').roundTripTime).toBe(10);
    peer.advance(1299);
    expect(peer.types).not.toContain('ConnectionTerminated');
    peer.advance(1);
    expect(peer.types.slice(-3)).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(peer.only('ConnectionTerminated').error).toMatchObject({ name: 'TimeoutError', timer: 'pingTimeout' });
    expect(peer.engine.wantsEof).toBe(false);
  });

  it('without streams nobody is asked; any octet shows life', () => {
    const peer = Http2Peer.ofServer({ pingInterval: 1000, keepAliveTimeout: 1e9 });
    peer.advance(10_000);
    expect(peer.frames).toEqual([]);
    peer.send(peer.headers(1, request()));
    for (let count = 0; count < 10; count += 1) peer.advance(900).send(ping());
    expect(peer.sent(Type.PING).filter(({ flags }) => flags === 0)).toEqual([]);
  });
});

describe('rest', () => {
  const fields = ['user-agent', 'resting/1.0', 'x-long-lived', 'a value that both tables keep'];
  const answer = [':status', '200', 'server', 'some server', 'x-long-lived', 'another that both tables keep'];
  const exchange = (peer: Http2Peer, streamId: number): void => {
    peer.clear().send(peer.headers(streamId, request('GET', fields)));
    const told = peer.all('HeadersReceived').find((event) => event.streamId === streamId);
    expect(told?.headers).toEqual(request('GET', fields));
    peer.engine.submitHeaders(streamId, answer, { endStream: true });
    peer.engine.submitHandlerEnd(streamId);
    peer.collect();
    const [head] = peer.sent(Type.HEADERS);
    expect(head === undefined ? undefined : peer.fields(head)).toEqual(answer);
  };

  it('follows a moment without streams, and what both tables hold stays (RFC 7541 section 2.2)', () => {
    const peer = Http2Peer.ofServer({ keepAliveTimeout: 1e9 });
    for (const streamId of [1, 3, 5]) exchange(peer, streamId);
    const short = peer.headers(7, request('GET', fields)).length;
    peer.advance(60_000);
    expect(peer.engine.nextTimeout()).toBeGreaterThan(1e8);
    for (const streamId of [9, 11]) exchange(peer, streamId);
    expect(peer.headers(13, request('GET', fields)).length).toBe(short);
    peer.expectAlive();
  });

  it('does not come while a stream is open or a handler works', () => {
    const peer = Http2Peer.ofServer({ keepAliveTimeout: 1e9, pingInterval: 1e9 });
    exchange(peer, 1);
    peer.send(peer.headers(3, request(), 0)).send(rstStream(3));
    peer.advance(60_000);
    // Behind the reset of a stream whose handler works DATA is still known for what it is (RFC 9113 section 5.1).
    peer.clear().send(data(3, 'late'));
    expect(peer.sent(Type.RST_STREAM)).toHaveLength(1);
    peer.engine.submitHandlerEnd(3);
    peer.advance(60_000);
    // Forgotten, and no more harmful.
    peer.clear().send(rstStream(1));
    peer.expectAlive();
  });
});
