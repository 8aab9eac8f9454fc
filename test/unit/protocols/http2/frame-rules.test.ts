/**
 * What a frame may be, whatever the streams' states: sizes, stream ids, flags, padding, unknown types, the preface.
 * RFC 9113 sections 3.4, 4, 5.5 and 6. Each row is a MUST about the peer's error, with its code and scope.
 */
import { describe, expect, it } from 'vitest';
import {
  ACK,
  concat,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  goaway,
  latin1,
  number32,
  numbers,
  paddedData,
  PADDED,
  ping,
  preface,
  PRIORITY,
  priority,
  priorityUpdate,
  rstStream,
  settings,
  settingsAck,
  Type,
  windowUpdate,
} from '../../../support/http2-frames.ts';
import type { CodeName } from '../../../support/http2-peer.ts';
import { Http2Peer, request } from '../../../support/http2-peer.ts';

const zeros = (length: number): Uint8Array => new Uint8Array(length);

type Rows = readonly (readonly [what: string, code: CodeName, make: (peer: Http2Peer) => Uint8Array])[];

/** Each ends the connection of a server that has stream 1 open, its request not ended. */
const connectionErrors: Rows = [
  ['4.2: DATA above MAX_FRAME_SIZE', 'FRAME_SIZE_ERROR', () => data(1, zeros(16_385))],
  ['4.2: HEADERS above MAX_FRAME_SIZE', 'FRAME_SIZE_ERROR', () => frame(Type.HEADERS, END_HEADERS, 3, zeros(16_385))],
  ['4.2: an unknown frame above MAX_FRAME_SIZE', 'FRAME_SIZE_ERROR', () => frame(0xee, 0, 0, zeros(16_385))],
  ['4.3: a block that is no HPACK', 'COMPRESSION_ERROR', () => frame(Type.HEADERS, 5, 3, Uint8Array.of(0xff, 0xff))],
  ['4.3: index 0', 'COMPRESSION_ERROR', () => frame(Type.HEADERS, 5, 3, Uint8Array.of(0x80))],
  ['4.3: trailers that are no HPACK', 'COMPRESSION_ERROR', () => frame(Type.HEADERS, 5, 1, Uint8Array.of(0xbf, 0x80))],
  [
    '4.3: a block for a stream that is gone is decoded all the same',
    'COMPRESSION_ERROR',
    () => concat(rstStream(1), frame(Type.HEADERS, 5, 1, Uint8Array.of(0x80))),
  ],
  ['6.1: DATA on stream 0', 'PROTOCOL_ERROR', () => data(0, 'x')],
  ['6.1: DATA with padding beyond its payload', 'PROTOCOL_ERROR', () => frame(0, PADDED, 1, Uint8Array.of(5, 1, 2))],
  ['6.1: DATA with padding of just its payload', 'PROTOCOL_ERROR', () => frame(0, PADDED, 1, Uint8Array.of(3, 1, 2))],
  ['6.1: padded DATA without a pad length', 'FRAME_SIZE_ERROR', () => frame(0, PADDED, 1)],
  ['6.2: HEADERS on stream 0', 'PROTOCOL_ERROR', (peer) => peer.headers(0, request())],
  [
    '6.2: HEADERS with padding beyond its payload',
    'PROTOCOL_ERROR',
    (peer) => frame(Type.HEADERS, PADDED | 5, 3, concat(Uint8Array.of(255), peer.block(request()))),
  ],
  ['6.2: padded HEADERS without a pad length', 'FRAME_SIZE_ERROR', () => frame(Type.HEADERS, PADDED | 5, 3)],
  ['6.2: HEADERS too short for its priority', 'FRAME_SIZE_ERROR', () => frame(1, PRIORITY | 5, 3, zeros(4))],
  ['6.3: PRIORITY on stream 0', 'PROTOCOL_ERROR', () => priority(0, 1)],
  ['6.4: RST_STREAM on stream 0', 'PROTOCOL_ERROR', () => rstStream(0)],
  ['6.4: RST_STREAM on an idle stream', 'PROTOCOL_ERROR', () => rstStream(3)],
  ['6.4: RST_STREAM of three octets', 'FRAME_SIZE_ERROR', () => frame(Type.RST_STREAM, 0, 1, zeros(3))],
  ['6.4: RST_STREAM of five octets', 'FRAME_SIZE_ERROR', () => frame(Type.RST_STREAM, 0, 1, zeros(5))],
  ['6.5: SETTINGS on a stream', 'PROTOCOL_ERROR', () => frame(Type.SETTINGS, 0, 1)],
  ['6.5: SETTINGS of five octets', 'FRAME_SIZE_ERROR', () => frame(Type.SETTINGS, 0, 0, zeros(5))],
  ['6.5: an acknowledgement with a payload', 'FRAME_SIZE_ERROR', () => frame(Type.SETTINGS, ACK, 0, zeros(6))],
  ['6.5: an acknowledgement on a stream', 'PROTOCOL_ERROR', () => frame(Type.SETTINGS, ACK, 1)],
  ['6.6: PUSH_PROMISE from a client', 'PROTOCOL_ERROR', () => frame(Type.PUSH_PROMISE, END_HEADERS, 1, zeros(8))],
  ['6.6: PUSH_PROMISE on stream 0', 'PROTOCOL_ERROR', () => frame(Type.PUSH_PROMISE, END_HEADERS, 0, zeros(8))],
  ['6.7: PING on a stream', 'PROTOCOL_ERROR', () => frame(Type.PING, 0, 1, zeros(8))],
  ['6.7: PING of seven octets', 'FRAME_SIZE_ERROR', () => frame(Type.PING, 0, 0, zeros(7))],
  ['6.7: an answer to PING of nine octets', 'FRAME_SIZE_ERROR', () => frame(Type.PING, ACK, 0, zeros(9))],
  ['6.8: GOAWAY on a stream', 'PROTOCOL_ERROR', () => frame(Type.GOAWAY, 0, 1, zeros(8))],
  ['6.8: GOAWAY of seven octets', 'FRAME_SIZE_ERROR', () => frame(Type.GOAWAY, 0, 0, zeros(7))],
  ['6.9: WINDOW_UPDATE of three octets', 'FRAME_SIZE_ERROR', () => frame(Type.WINDOW_UPDATE, 0, 0, zeros(3))],
  ['6.9: WINDOW_UPDATE of five octets', 'FRAME_SIZE_ERROR', () => frame(Type.WINDOW_UPDATE, 0, 1, zeros(5))],
  ['6.9: WINDOW_UPDATE of 0 for the connection', 'PROTOCOL_ERROR', () => windowUpdate(0, 0)],
  ['6.9: WINDOW_UPDATE on an idle stream', 'PROTOCOL_ERROR', () => windowUpdate(3, 1)],
  ['6.9.1: a window of the connection above 2^31-1', 'FLOW_CONTROL_ERROR', () => windowUpdate(0, 0x7fff_ffff)],
  ['6.10: CONTINUATION without HEADERS', 'PROTOCOL_ERROR', () => frame(Type.CONTINUATION, END_HEADERS, 1)],
  ['6.10: CONTINUATION on stream 0', 'PROTOCOL_ERROR', () => frame(Type.CONTINUATION, END_HEADERS, 0)],
  [
    '6.10: CONTINUATION behind END_HEADERS',
    'PROTOCOL_ERROR',
    (peer) => concat(peer.headers(3, request()), frame(Type.CONTINUATION, END_HEADERS, 3)),
  ],
  [
    '6.10: CONTINUATION behind DATA',
    'PROTOCOL_ERROR',
    () => concat(data(1, 'x'), frame(Type.CONTINUATION, END_HEADERS, 1)),
  ],
  [
    '6.10: CONTINUATION of another stream',
    'PROTOCOL_ERROR',
    (peer) => concat(frame(Type.HEADERS, END_STREAM, 3, peer.block(request())), frame(Type.CONTINUATION, 4, 5)),
  ],
  ...[
    ['DATA', data(1, 'x')],
    ['HEADERS', frame(Type.HEADERS, 5, 3)],
    ['PRIORITY', priority(1)],
    ['RST_STREAM', rstStream(1)],
    ['SETTINGS', settings()],
    ['PING', ping()],
    ['GOAWAY', goaway(0)],
    ['WINDOW_UPDATE', windowUpdate(0, 1)],
    ['an unknown frame', frame(0xee, 0, 0)],
  ].map(
    ([name, bytes]) =>
      [
        `6.10 and 5.5: ${String(name)} inside a header block`,
        'PROTOCOL_ERROR',
        (peer: Http2Peer): Uint8Array => concat(frame(Type.HEADERS, 0, 3, peer.block(request())), bytes as Uint8Array),
      ] as const,
  ),
  ['5.1.1: HEADERS on an even stream', 'PROTOCOL_ERROR', (peer) => peer.headers(2, request())],
  ['RFC 9218 7.1: PRIORITY_UPDATE on a stream', 'PROTOCOL_ERROR', () => frame(0x10, 0, 1, zeros(5))],
  ['RFC 9218 7.1: PRIORITY_UPDATE for stream 0', 'PROTOCOL_ERROR', () => priorityUpdate(0, 'u=1')],
  ['RFC 9218 7.1: PRIORITY_UPDATE for a push', 'PROTOCOL_ERROR', () => priorityUpdate(2, 'u=1')],
  ['RFC 9218 7.1: PRIORITY_UPDATE of three octets', 'FRAME_SIZE_ERROR', () => frame(0x10, 0, 0, zeros(3))],
];

/** Each resets stream 1, whose request has not ended, and nothing more. */
const streamErrors: Rows = [
  ['6.3: PRIORITY of four octets', 'FRAME_SIZE_ERROR', () => frame(Type.PRIORITY, 0, 1, zeros(4))],
  ['6.3: PRIORITY of six octets', 'FRAME_SIZE_ERROR', () => frame(Type.PRIORITY, 0, 1, zeros(6))],
  ['5.3.1 of RFC 7540: PRIORITY that depends on itself', 'PROTOCOL_ERROR', () => priority(1, 1)],
  ['6.9: WINDOW_UPDATE of 0', 'PROTOCOL_ERROR', () => windowUpdate(1, 0)],
  ['6.9.1: a window above 2^31-1', 'FLOW_CONTROL_ERROR', () => windowUpdate(1, 0x7fff_ffff)],
];

/** Each changes nothing. */
const ignored: Rows = [
  ['4.1: an unknown type on the connection', 'NO_ERROR', () => frame(0xee, 0xff, 0, latin1('whatever'))],
  ['4.1: an unknown type on a stream', 'NO_ERROR', () => frame(0xee, 0xff, 1, latin1('whatever'))],
  ['4.1: an unknown type on an idle stream', 'NO_ERROR', () => frame(0xee, 0, 77)],
  ['4.1: flags that PING does not have', 'NO_ERROR', () => frame(Type.PING, 0xfe, 0, zeros(8))],
  ['4.1: the reserved bit of a stream id', 'NO_ERROR', () => data(0x8000_0001, 'x')],
  ['6.3: PRIORITY', 'NO_ERROR', () => priority(1, 0)],
  ['5.1: PRIORITY on an idle stream', 'NO_ERROR', () => priority(9, 7)],
  ['6.5: a setting that nobody knows', 'NO_ERROR', () => settings([0xabcd, 5])],
  ['6.5: an acknowledgement that nobody waits for', 'NO_ERROR', () => settingsAck],
  ['6.7: an answer to a PING that was not sent', 'NO_ERROR', () => ping('unasked!', ACK)],
  ['6.9: the reserved bit of an increment', 'NO_ERROR', () => windowUpdate(1, 0x8000_0001)],
  ['RFC 7838 4: ALTSVC from a client', 'NO_ERROR', () => frame(Type.ALTSVC, 0, 1, concat(zeros(2), latin1('h3=":1"')))],
  ['RFC 8336 2.1: ORIGIN from a client', 'NO_ERROR', () => frame(Type.ORIGIN, 0, 0, numbers([1, 2], [0x78, 1]))],
];

/** A server with a request on stream 1 whose content is still to come. */
function withOpenStream(): Http2Peer {
  const peer = Http2Peer.ofServer();
  return peer.send(peer.headers(1, request('POST'), 0)).clear();
}

describe('frames that no client may send', () => {
  it.each(connectionErrors)('section %s ends the connection: %s', (_what, code, make) => {
    const peer = withOpenStream();
    peer.send(make(peer));
    peer.expectConnectionError(code);
    // The open stream was told of before.
    expect(peer.types.slice(-2)).toEqual(['StreamClosed', 'ConnectionTerminated']);
    // Nothing is read behind the fault.
    peer.frames = [];
    peer.send(ping());
    expect(peer.frames).toEqual([]);
  });

  it.each(connectionErrors)('section %s is seen octet by octet as well: %s', (_what, code, make) => {
    const peer = withOpenStream();
    for (const octet of make(peer)) peer.send(Uint8Array.of(octet));
    peer.expectConnectionError(code);
  });

  it.each(streamErrors)('section %s resets the stream: %s', (_what, code, make) => {
    const peer = withOpenStream();
    peer.send(make(peer));
    expect(peer.types).toEqual(['StreamResetSent', 'StreamClosed']);
    peer.expectStreamError(1, code);
  });

  it.each(ignored)('section %s is ignored', (_what, _code, make) => {
    const peer = withOpenStream();
    peer.send(make(peer));
    expect(peer.types.filter((type) => type !== 'SettingsReceived' && type !== 'DataReceived')).toEqual([]);
    peer.frames = [];
    peer.expectAlive();
  });

  it('section 5.4.2: a stream error on an idle stream is one of the connection, since RST_STREAM may not be sent', () => {
    for (const bytes of [priority(5, 5), frame(Type.PRIORITY, 0, 5, zeros(4))]) {
      const peer = withOpenStream();
      peer.send(bytes);
      expect(peer.sent(Type.RST_STREAM)).toEqual([]);
      expect(peer.sent(Type.GOAWAY)).toHaveLength(1);
    }
  });
});

describe('the connection preface (section 3.4)', () => {
  it.each([
    ['other text', latin1('INVALID CONNECTION PREFACE\r\n\r\n')],
    ['a preface with one octet changed', concat(preface.slice(0, 23), latin1('\r'))],
    ['another first frame', concat(preface, ping())],
    ['an acknowledgement first', concat(preface, settingsAck)],
    ['HEADERS first', concat(preface, frame(Type.HEADERS, 5, 1))],
    ['DATA first', concat(preface, data(1, ''))],
  ])('%s ends the connection: PROTOCOL_ERROR', (_what, bytes) => {
    for (const cut of [bytes.length, 1]) {
      const peer = Http2Peer.ofServer({}, false);
      for (let at = 0; at < bytes.length; at += cut) peer.send(bytes.slice(at, at + cut));
      peer.expectConnectionError('PROTOCOL_ERROR');
      expect(peer.frames[0]?.type).toBe(Type.SETTINGS);
    }
  });

  it('is answered: SETTINGS first, without waiting, then the acknowledgement', () => {
    const peer = Http2Peer.ofServer({}, false).collect();
    expect(peer.frames.map(({ type, flags }) => [type, flags]).slice(0, 1)).toEqual([[Type.SETTINGS, 0]]);
    peer.send(preface, settings());
    expect(peer.sent(Type.SETTINGS).map(({ flags }) => flags)).toEqual([0, ACK]);
    expect(peer.types).toEqual(['SettingsReceived']);
  });

  it('is sent by a client before anything is known of the server, and requests with it', () => {
    const peer = Http2Peer.ofClient({}, false);
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.collect();
    expect(peer.frames.slice(0, 2).map(({ type }) => type)).toEqual([Type.SETTINGS, Type.WINDOW_UPDATE]);
    expect(peer.frames.at(-1)).toMatchObject({ type: Type.HEADERS, streamId: 1, flags: 5 });
    // Section 6.5.2: it refuses pushes.
    expect([...peer.frames[0]!.payload].slice(0, 6)).toEqual([0, 2, 0, 0, 0, 0]);
  });

  it.each([
    ['no SETTINGS', ping()],
    ['HTTP/1', latin1('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('a server that begins with %s is refused', (_what, bytes) => {
    const peer = Http2Peer.ofClient({}, false);
    peer.engine.submitHeaders(1, request(), { endStream: true });
    peer.send(bytes);
    expect(peer.types).toEqual(['StreamResetSent', 'StreamClosed', 'ConnectionTerminated']);
    expect(peer.sent(Type.GOAWAY)).toHaveLength(1);
  });
});

describe('padding (sections 6.1 and 6.2)', () => {
  it('of DATA counts for flow control and is not content', () => {
    const peer = withOpenStream();
    peer.send(paddedData(1, 'hello', 200));
    expect(peer.only('DataReceived')).toMatchObject({ flowControlledLength: 206, endStream: false });
    expect(peer.only('DataReceived').data).toEqual(latin1('hello'));
  });

  it('of DATA may be all there is, with the end or without', () => {
    const peer = withOpenStream();
    peer.send(paddedData(1, '', 255), paddedData(1, '', 0));
    expect(peer.types).toEqual([]);
    peer.send(paddedData(1, '', 10, END_STREAM));
    expect(peer.only('DataReceived')).toMatchObject({ endStream: true, flowControlledLength: 0 });
  });

  it('of HEADERS, with the deprecated priority, is taken off', () => {
    const peer = Http2Peer.ofServer();
    const block = peer.block(request());
    const payload = concat(Uint8Array.of(7), numbers([0x8000_0003, 4], [200, 1]), block, zeros(7));
    peer.send(frame(Type.HEADERS, PADDED | PRIORITY | END_HEADERS | END_STREAM, 1, payload));
    expect(peer.only('HeadersReceived')).toMatchObject({ streamId: 1, endStream: true, headers: request() });
  });

  it('of HEADERS that continue is taken off the first frame', () => {
    const peer = Http2Peer.ofServer();
    const block = peer.block(request('GET', ['x', 'y'.repeat(300)]));
    peer.send(
      frame(Type.HEADERS, PADDED | END_STREAM, 1, concat(Uint8Array.of(9), block.slice(0, 50), zeros(9))),
      frame(Type.CONTINUATION, 0, 1, block.slice(50, 51)),
      frame(Type.CONTINUATION, 0, 1),
      frame(Type.CONTINUATION, END_HEADERS, 1, block.slice(51)),
    );
    expect(peer.only('HeadersReceived')).toMatchObject({ endStream: true });
    expect(peer.only('HeadersReceived').headers.at(-1)).toHaveLength(300);
  });
});

describe('what the engine sends', () => {
  it('keeps the peer’s MAX_FRAME_SIZE: a long block goes on in CONTINUATION (section 6.10)', () => {
    const peer = withOpenStream();
    const long = Array.from({ length: 40 }, (_, index) => [`x-${String(index)}`, '~'.repeat(1000)]).flat();
    peer.engine.submitHeaders(1, [':status', '200', ...long], { endStream: true });
    peer.collect();
    expect(peer.frames.map(({ type, flags }) => [type, flags])).toEqual([
      [Type.HEADERS, END_STREAM],
      [Type.CONTINUATION, 0],
      [Type.CONTINUATION, END_HEADERS],
    ]);
    expect(Math.max(...peer.frames.map(({ payload }) => payload.length))).toBe(16_384);
    const whole = { ...peer.frames[0]!, payload: concat(...peer.frames.map(({ payload }) => payload)) };
    expect(peer.fields(whole)).toEqual([':status', '200', ...long]);
  });

  it('answers PING with its octets, before any content (section 6.7)', () => {
    const peer = withOpenStream();
    peer.engine.submitHeaders(1, [':status', '200'], { endStream: false });
    peer.engine.submitData(1, zeros(30_000), { endStream: false });
    peer.send(ping('abcdefgh'));
    expect(peer.frames.map(({ type }) => type)).toEqual([Type.HEADERS, Type.PING, Type.DATA, Type.DATA]);
    expect(peer.sent(Type.PING)[0]).toMatchObject({ flags: ACK, payload: latin1('abcdefgh') });
  });

  it('names the last stream that it took in GOAWAY (section 6.8)', () => {
    const peer = withOpenStream();
    peer.send(peer.headers(7, request()), data(0, 'x'));
    expect(number32(peer.sent(Type.GOAWAY)[0]!.payload)).toBe(7);
  });
});
