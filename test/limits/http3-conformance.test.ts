/**
 * A listening server against a client that breaks one rule of HTTP/3 or QPACK at a time, as outside conformance suites
 * do: the code on the wire, for the connection or for the stream, and somebody else who is served meanwhile.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/common/index.ts';
import { Http3ErrorCode } from '../../src/protocols/http3/index.ts';
import type { TransportParameters } from '../../src/protocols/quic/transport-parameters.ts';
import type { QuicRogue } from '../support/attack/quic-rogue.ts';
import { QuicStage } from '../support/attack/quic-stage.ts';
import {
  concat,
  data,
  fields,
  frame,
  headers,
  octets,
  parseFrames,
  settings,
  Type,
  varints,
} from '../support/http3-frames.ts';
import { request } from '../support/http3-peer.ts';
import { frame as quicFrame, streamFrame } from '../support/quic/raw-frames.ts';

const NOTHING = new Uint8Array(0);
const CONTROL = 2;
const ENCODER = 6;
const DECODER = 10;
const OTHER = 14;
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));

type CodeName = keyof typeof Http3ErrorCode;
/** What is sent: bytes of a stream, with its end or without. */
type Piece = readonly [streamId: number, bytes: Uint8Array, fin?: boolean];

let stage: QuicStage;

beforeAll(async () => {
  stage = await QuicStage.start();
});

afterAll(async () => {
  await stage.stop();
});

/** A client that has sent its control stream with SETTINGS and both QPACK streams, unless it is not to. */
async function greeted(...besides: readonly Piece[]): Promise<QuicRogue> {
  const rogue = await stage.connected();
  say(rogue, [CONTROL, GREETING], [ENCODER, varints(2)], [DECODER, varints(3)], ...besides);
  return rogue;
}

const GREETING = concat(varints(0), settings([0x33, 1]));
const lengths: Readonly<Record<number, number>> = { [CONTROL]: GREETING.length, [ENCODER]: 1, [DECODER]: 1 };

/** Sends pieces in one packet. */
function say(rogue: QuicRogue, ...pieces: readonly Piece[]): void {
  rogue.raw.send('oneRtt', Buffer.concat(pieces.map(([id, bytes, fin]) => streamFrame(id, bytes, fin))));
}

/** Sends what follows on streams that {@link greeted} has opened. */
function go(rogue: QuicRogue, ...pieces: readonly Piece[]): void {
  const frames = pieces.map(([id, bytes, fin]) => streamFrame(id, bytes, fin, lengths[id] ?? 0));
  rogue.raw.send('oneRtt', Buffer.concat(frames));
}

describe('the control stream (RFC 9114 sections 6.2.1 and 7.2)', () => {
  const first: readonly (readonly [string, Uint8Array, CodeName])[] = [
    ['that begins with DATA (6.2.1)', frame(Type.DATA), 'H3_MISSING_SETTINGS'],
    ['that begins with HEADERS (6.2.1)', headers(request()), 'H3_MISSING_SETTINGS'],
    ['that begins with GOAWAY (6.2.1)', frame(Type.GOAWAY, varints(0)), 'H3_MISSING_SETTINGS'],
    ['that begins with a reserved frame (6.2.1)', frame(Type.RESERVED, 'x'), 'H3_MISSING_SETTINGS'],
    ['with ENABLE_PUSH of HTTP/2 (7.2.4.1)', settings([0x02, 0]), 'H3_SETTINGS_ERROR'],
    ['with MAX_CONCURRENT_STREAMS of HTTP/2 (7.2.4.1)', settings([0x03, 1]), 'H3_SETTINGS_ERROR'],
    ['with INITIAL_WINDOW_SIZE of HTTP/2 (7.2.4.1)', settings([0x04, 1]), 'H3_SETTINGS_ERROR'],
    ['with MAX_FRAME_SIZE of HTTP/2 (7.2.4.1)', settings([0x05, 1]), 'H3_SETTINGS_ERROR'],
    ['with a setting twice (7.2.4)', settings([0x06, 1], [0x06, 1]), 'H3_SETTINGS_ERROR'],
    ['with a large setting twice (7.2.4)', settings([0x40, 0], [0x40, 0]), 'H3_SETTINGS_ERROR'],
    ['with a setting of HTTP/2 behind a reserved one (7.2.4.1)', settings([0x21, 0], [0x02, 0]), 'H3_SETTINGS_ERROR'],
    ['with H3_DATAGRAM of 2 (RFC 9297 section 2.1.1)', settings([0x33, 2]), 'H3_SETTINGS_ERROR'],
    ['with ENABLE_CONNECT_PROTOCOL of 2 (RFC 9220 section 3)', settings([0x08, 2]), 'H3_SETTINGS_ERROR'],
    ['with SETTINGS cut within a pair (7.1)', frame(Type.SETTINGS, varints(0x06)), 'H3_FRAME_ERROR'],
  ];

  it.each(first)('%s: %s', async (_name, bytes, code) => {
    const rogue = await stage.connected();
    say(rogue, [CONTROL, concat(varints(0), bytes)]);
    await stage.expectSentAway(rogue, { application: true, errorCode: Http3ErrorCode[code] });
  });

  const later: readonly (readonly [string, Uint8Array, CodeName])[] = [
    ['SETTINGS again (7.2.4)', settings(), 'H3_FRAME_UNEXPECTED'],
    ['DATA (7.2.1)', data('x'), 'H3_FRAME_UNEXPECTED'],
    ['HEADERS (7.2.2)', headers(request()), 'H3_FRAME_UNEXPECTED'],
    ['PUSH_PROMISE (7.2.5)', frame(Type.PUSH_PROMISE, varints(0)), 'H3_FRAME_UNEXPECTED'],
    ['PRIORITY of HTTP/2 (7.2.8)', frame(0x02, 'xxxxx'), 'H3_FRAME_UNEXPECTED'],
    ['PING of HTTP/2 (7.2.8)', frame(0x06, 'xxxxxxxx'), 'H3_FRAME_UNEXPECTED'],
    ['WINDOW_UPDATE of HTTP/2 (7.2.8)', frame(0x08, 'xxxx'), 'H3_FRAME_UNEXPECTED'],
    ['CONTINUATION of HTTP/2 (7.2.8)', frame(0x09), 'H3_FRAME_UNEXPECTED'],
    ['CANCEL_PUSH of what was not promised (7.2.3)', frame(Type.CANCEL_PUSH, varints(1)), 'H3_ID_ERROR'],
    ['CANCEL_PUSH of nothing (7.1)', frame(Type.CANCEL_PUSH), 'H3_FRAME_ERROR'],
    ['GOAWAY that says it is a GiB long (7.1, 10.5)', hex('07c000000040000000'), 'H3_EXCESSIVE_LOAD'],
    ['GOAWAY with more than its id (7.1)', frame(Type.GOAWAY, varints(0, 0)), 'H3_FRAME_ERROR'],
    [
      'GOAWAY with a larger id than before (5.2)',
      concat(frame(Type.GOAWAY, varints(1)), frame(Type.GOAWAY, varints(2))),
      'H3_ID_ERROR',
    ],
    [
      'MAX_PUSH_ID that falls (7.2.7)',
      concat(frame(Type.MAX_PUSH_ID, varints(7)), frame(Type.MAX_PUSH_ID, varints(6))),
      'H3_ID_ERROR',
    ],
    [
      'PRIORITY_UPDATE for what is no request (RFC 9218 section 7.2)',
      frame(Type.PRIORITY_UPDATE, concat(varints(2), octets('u=1'))),
      'H3_ID_ERROR',
    ],
    [
      'PRIORITY_UPDATE for a push that was not promised (RFC 9218 section 7.2)',
      frame(Type.PRIORITY_UPDATE_PUSH, concat(varints(0), octets('u=1'))),
      'H3_ID_ERROR',
    ],
    ['PRIORITY_UPDATE without an id (RFC 9218 section 7.2)', frame(Type.PRIORITY_UPDATE), 'H3_FRAME_ERROR'],
  ];

  it.each(later)('with %s: %s', async (_name, bytes, code) => {
    const rogue = await greeted();
    go(rogue, [CONTROL, bytes]);
    await stage.expectSentAway(rogue, { application: true, errorCode: Http3ErrorCode[code] });
  });
});

describe('unidirectional streams (RFC 9114 section 6.2, RFC 9204 section 4.2)', () => {
  const cases: readonly (readonly [string, Piece, CodeName])[] = [
    ['a second control stream (6.2.1)', [OTHER, GREETING], 'H3_STREAM_CREATION_ERROR'],
    ['a second encoder stream (9204 4.2)', [OTHER, varints(2)], 'H3_STREAM_CREATION_ERROR'],
    ['a second decoder stream (9204 4.2)', [OTHER, varints(3)], 'H3_STREAM_CREATION_ERROR'],
    ['a push stream of a client (6.2.2)', [OTHER, varints(1, 0)], 'H3_STREAM_CREATION_ERROR'],
    ['the end of the control stream (6.2.1)', [CONTROL, NOTHING, true], 'H3_CLOSED_CRITICAL_STREAM'],
    ['the end of the encoder stream (9204 4.2)', [ENCODER, NOTHING, true], 'H3_CLOSED_CRITICAL_STREAM'],
    ['the end of the decoder stream (9204 4.2)', [DECODER, NOTHING, true], 'H3_CLOSED_CRITICAL_STREAM'],
    ['a capacity above what was allowed (9204 4.1.3)', [ENCODER, hex('3fe11f')], 'QPACK_ENCODER_STREAM_ERROR'],
    ['a capacity beyond 32 bits (9204 4.1.3)', [ENCODER, hex('3fe1c7afa025')], 'QPACK_ENCODER_STREAM_ERROR'],
    [
      'an encoder stream that ends in an instruction (9204 4.2)',
      [ENCODER, hex('3f'), true],
      'H3_CLOSED_CRITICAL_STREAM',
    ],
    ['an insertion where there is no table (9204 3.2.2)', [ENCODER, hex('41610162')], 'QPACK_ENCODER_STREAM_ERROR'],
    ['a name of an entry that there is not (9204 4.3.2)', [ENCODER, hex('8000')], 'QPACK_ENCODER_STREAM_ERROR'],
    ['a copy of an entry that there is not (9204 4.3.4)', [ENCODER, hex('00')], 'QPACK_ENCODER_STREAM_ERROR'],
    ['Insert Count Increment of 0 (9204 4.4.3)', [DECODER, hex('00')], 'QPACK_DECODER_STREAM_ERROR'],
    ['Insert Count Increment above what was sent (9204 4.4.3)', [DECODER, hex('01')], 'QPACK_DECODER_STREAM_ERROR'],
    ['acknowledgement of a section that was not sent (9204 4.4.1)', [DECODER, hex('80')], 'QPACK_DECODER_STREAM_ERROR'],
  ];

  it.each(cases)('%s: %s', async (_name, piece, code) => {
    const rogue = await greeted();
    go(rogue, piece);
    await stage.expectSentAway(rogue, { application: true, errorCode: Http3ErrorCode[code] });
  });

  it.each([
    ['control', CONTROL],
    ['encoder', ENCODER],
    ['decoder', DECODER],
  ])('a reset of the %s stream: H3_CLOSED_CRITICAL_STREAM (6.2.1, 9204 4.2)', async (_name, streamId) => {
    const rogue = await greeted();
    rogue.raw.send('oneRtt', quicFrame(0x04, streamId, 0x100, lengths[streamId] ?? 0));
    await stage.expectSentAway(rogue, { application: true, errorCode: Http3ErrorCode.H3_CLOSED_CRITICAL_STREAM });
  });

  it("STOP_SENDING for the server's control stream: H3_CLOSED_CRITICAL_STREAM (6.2.1)", async () => {
    const rogue = await greeted();
    await rogue.until(() => rogue.raw.streams.has(CONTROL + 1));
    rogue.raw.send('oneRtt', quicFrame(0x05, CONTROL + 1, 0x100));
    await stage.expectSentAway(rogue, { application: true, errorCode: Http3ErrorCode.H3_CLOSED_CRITICAL_STREAM });
  });

  it('the server opens no QPACK streams, since it would say nothing on them (9204 4.2)', async () => {
    const rogue = await greeted();
    await expectAnswer(rogue, 0);
    expect([...rogue.raw.streams.keys()].filter((id) => id % 4 === 3)).toEqual([CONTROL + 1]);
  });

  it('a stream of a type that nobody knows is read no further, and no error (6.2.3)', async () => {
    const rogue = await greeted([OTHER, concat(varints(0x21), octets('anything'))]);
    await rogue.until(() => rogue.raw.stops.has(OTHER));
    expect(rogue.raw.stops.get(OTHER)).toBe(Http3ErrorCode.H3_STREAM_CREATION_ERROR);
    await expectAnswer(rogue, 0);
  });
});

describe('request streams (RFC 9114 sections 4.1 and 7): the connection ends', () => {
  const head = headers(request('POST'));
  const cases: readonly (readonly [string, Piece, CodeName])[] = [
    ['DATA before HEADERS (4.1)', [0, data('x')], 'H3_FRAME_UNEXPECTED'],
    ['DATA behind trailers (4.1)', [0, concat(head, headers(['x', 'y']), data('x'))], 'H3_FRAME_UNEXPECTED'],
    [
      'HEADERS behind trailers (4.1)',
      [0, concat(head, headers(['x', 'y']), headers(['x', 'y']))],
      'H3_FRAME_UNEXPECTED',
    ],
    ['SETTINGS (7.2.4)', [0, settings()], 'H3_FRAME_UNEXPECTED'],
    ['CANCEL_PUSH (7.2.3)', [0, frame(Type.CANCEL_PUSH, varints(0))], 'H3_FRAME_UNEXPECTED'],
    ['GOAWAY (7.2.6)', [0, frame(Type.GOAWAY, varints(0))], 'H3_FRAME_UNEXPECTED'],
    ['MAX_PUSH_ID (7.2.7)', [0, frame(Type.MAX_PUSH_ID, varints(0))], 'H3_FRAME_UNEXPECTED'],
    ['PUSH_PROMISE of a client (7.2.5)', [0, frame(Type.PUSH_PROMISE, varints(0))], 'H3_FRAME_UNEXPECTED'],
    ['PRIORITY_UPDATE (RFC 9218 section 7.2)', [0, frame(Type.PRIORITY_UPDATE, varints(0))], 'H3_FRAME_UNEXPECTED'],
    ['a frame of HTTP/2 (7.2.8)', [0, frame(0x06, 'xxxxxxxx')], 'H3_FRAME_UNEXPECTED'],
    ['an end within a frame (7.1)', [0, concat(head, varints(0, 5), octets('x')), true], 'H3_FRAME_ERROR'],
    ['an end within the head of a frame (7.1)', [0, concat(head, varints(0)), true], 'H3_FRAME_ERROR'],
    ['an entry beyond the static table (9204 3.1)', [0, frame(1, hex('0000ff25'))], 'QPACK_DECOMPRESSION_FAILED'],
    ['an entry of no dynamic table (9204 2.2.3)', [0, frame(1, hex('000080'))], 'QPACK_DECOMPRESSION_FAILED'],
    ['a Required Insert Count (9204 4.5.1.1)', [0, frame(1, hex('0200d1'))], 'QPACK_DECOMPRESSION_FAILED'],
    ['a name behind the base of no table (9204 4.5.5)', [0, frame(1, hex('00000000'))], 'QPACK_DECOMPRESSION_FAILED'],
    ['a field section that is cut (9204 4.5)', [0, frame(1, hex('0000d1508a'))], 'QPACK_DECOMPRESSION_FAILED'],
    ['an empty field section (9204 4.5.1)', [0, frame(1, '')], 'QPACK_DECOMPRESSION_FAILED'],
    ['padding of a code that is too long (7541 5.2)', [0, frame(1, hex('00005181ff'))], 'QPACK_DECOMPRESSION_FAILED'],
  ];

  it.each(cases)('%s: %s', async (_name, [streamId, bytes, fin], code) => {
    const rogue = await greeted();
    say(rogue, fin === undefined ? [streamId, bytes] : [streamId, bytes, fin]);
    await stage.expectSentAway(rogue, { application: true, errorCode: Http3ErrorCode[code] });
  });
});

describe('malformed requests (RFC 9114 sections 4.1.2, 4.2 and 4.3): the stream ends, the connection goes on', () => {
  const head = request();
  const cases: readonly (readonly [string, HeaderList])[] = [
    ['a pseudo-header field twice (4.3)', [':method', 'GET', ...head]],
    ['no :method (4.3.1)', head.slice(2)],
    ['no :scheme (4.3.1)', [...head.slice(0, 2), ...head.slice(4)]],
    ['no :path (4.3.1)', head.slice(0, 6)],
    ['no authority (4.3.1)', [...head.slice(0, 4), ...head.slice(6)]],
    ['an empty :path (4.3.1)', [...head.slice(0, 7), '']],
    [':status (4.3)', [...head, ':status', '200']],
    ['a pseudo-header field that nobody knows (4.3)', [...head, ':foo', 'bar']],
    ['a pseudo-header field behind a field (4.3)', [...head.slice(0, 6), 'x', 'y', ...head.slice(6)]],
    ['an uppercase name (4.2)', [...head, 'X-Name', 'y']],
    ['Connection (4.2)', [...head, 'connection', 'close']],
    ['Keep-Alive (4.2)', [...head, 'keep-alive', 'timeout=5']],
    ['Proxy-Connection (4.2)', [...head, 'proxy-connection', 'keep-alive']],
    ['Upgrade (4.2)', [...head, 'upgrade', 'websocket']],
    ['TE other than trailers (4.2)', [...head, 'te', 'gzip']],
    ['Transfer-Encoding (4.1)', [...head, 'transfer-encoding', 'chunked']],
    ['LF in a value (10.3)', [...head, 'x', 'a\nb']],
    ['Host that contradicts :authority (4.3.1)', [...head, 'host', 'b.example']],
    ['CONNECT with :path (4.4)', [':method', 'CONNECT', ':authority', 'a.example:1', ':path', '/']],
  ];

  it.each(cases)('%s: H3_MESSAGE_ERROR', async (_name, list) => {
    const rogue = await greeted([0, headers(list), true]);
    await expectStreamError(rogue, 0, 'H3_MESSAGE_ERROR');
  });

  const contents: readonly (readonly [string, Uint8Array, CodeName])[] = [
    [
      'less content than content-length says (4.1.2)',
      concat(headers(request('POST', ['content-length', '9'])), data('four')),
      'H3_MESSAGE_ERROR',
    ],
    [
      'more content than content-length says (4.1.2)',
      concat(headers(request('POST', ['content-length', '1'])), data('four')),
      'H3_MESSAGE_ERROR',
    ],
    [
      'a pseudo-header field in trailers (4.3)',
      concat(headers(request('POST')), headers([':path', '/'])),
      'H3_MESSAGE_ERROR',
    ],
    [
      'Connection in trailers (4.2)',
      concat(headers(request('POST')), data('hello'), headers(['connection', 'close'])),
      'H3_MESSAGE_ERROR',
    ],
    ['an end before the head (4.1)', NOTHING, 'H3_REQUEST_INCOMPLETE'],
    ['an end behind unknown frames alone (4.1)', frame(Type.RESERVED, 'x'), 'H3_REQUEST_INCOMPLETE'],
  ];

  it.each(contents)('%s: %s', async (_name, bytes, code) => {
    const rogue = await greeted([0, bytes, true]);
    await expectStreamError(rogue, 0, code);
  });

  it('TE with trailers is none (4.2)', async () => {
    await expectAnswer(await greeted(), 0, [...head, 'te', 'trailers']);
  });

  it('a datagram for a request that knows none: H3_DATAGRAM_ERROR (RFC 9297 section 2)', async () => {
    const rogue = await greeted([0, headers([...request('POST').slice(0, 7), '/read'])]);
    rogue.raw.send('oneRtt', quicFrame(0x31, 1, '\x00'));
    await expectStreamError(rogue, 0, 'H3_DATAGRAM_ERROR');
  });

  /** That stream was reset, and the next request is answered. */
  async function expectStreamError(rogue: QuicRogue, streamId: number, code: CodeName): Promise<void> {
    await rogue.until(() => rogue.raw.resets.has(streamId) || rogue.raw.closed !== undefined);
    expect(rogue.raw.closed).toBeUndefined();
    expect(rogue.raw.resets.get(streamId)).toBe(Http3ErrorCode[code]);
    await expectAnswer(rogue, streamId + 4);
  }
});

describe('datagrams (RFC 9297 section 2.1)', () => {
  it.each([
    ['that is empty', ''],
    ['whose stream id is cut', '40'],
    ['for a stream that no id names', 'ffffffffffffffff'],
  ])('%s: H3_DATAGRAM_ERROR', async (_name, bytes) => {
    const rogue = await greeted();
    rogue.raw.send('oneRtt', quicFrame(0x31, bytes.length / 2, hex(bytes)));
    await stage.expectSentAway(rogue, { application: true, errorCode: Http3ErrorCode.H3_DATAGRAM_ERROR });
  });
});

describe('a client that allows little at first (RFC 9114 section 6.2, RFC 9000 section 4.1)', () => {
  const whole = ({ raw }: QuicRogue): boolean => raw.ended.has(0) && raw.streams.has(CONTROL + 1);

  it.each([
    ['no byte', { initialMaxData: 0 }, 0x14, quicFrame(0x10, 100_000)],
    ['no byte of an answer', { initialMaxStreamDataBidiLocal: 0 }, 0x15, quicFrame(0x11, 0, 100_000)],
  ])('%s: is told so, and gets everything when it allows it', async (_name, parameters, blocked, later) => {
    const rogue = await asking(parameters);
    await rogue.until(() => rogue.raw.frameTypes.includes(blocked));
    rogue.raw.send('oneRtt', later);
    await expectWhole(rogue);
  });

  it('no unidirectional stream: gets an answer, and SETTINGS when it allows one', async () => {
    const rogue = await asking({ initialMaxStreamsUni: 0 });
    await rogue.until(() => rogue.raw.ended.has(0));
    expect(whole(rogue)).toBe(false);
    rogue.raw.send('oneRtt', quicFrame(0x13, 3));
    await expectWhole(rogue);
  });

  async function asking(parameters: Partial<TransportParameters>): Promise<QuicRogue> {
    const rogue = await stage.connected({ parameters });
    say(rogue, [CONTROL, GREETING], [0, headers(request()), true]);
    return rogue;
  }

  async function expectWhole(rogue: QuicRogue): Promise<void> {
    await rogue.until(() => whole(rogue));
    const streams = [rogue.raw.streams.get(0) ?? NOTHING, rogue.raw.streams.get(CONTROL + 1) ?? NOTHING];
    expect(fields(parseFrames(streams[0]!)[0]!).slice(0, 2)).toEqual([':status', '200']);
    expect(parseFrames(streams[1]!.subarray(1))[0]?.type).toBe(Type.SETTINGS);
    rogue.raw.send('oneRtt', quicFrame(0x1d, Http3ErrorCode.H3_NO_ERROR, 0));
    await stage.expectAlone();
    await rogue.leave();
  }
});

/** The connection is as good as before: a request is answered. */
async function expectAnswer(rogue: QuicRogue, streamId: number, head = request()): Promise<void> {
  say(rogue, [streamId, headers(head), true]);
  await rogue.until(() => rogue.raw.ended.has(streamId) || rogue.raw.closed !== undefined);
  const frames = parseFrames(rogue.raw.streams.get(streamId) ?? NOTHING);
  expect(fields(frames[0]!).slice(0, 2)).toEqual([':status', '200']);
  expect(rogue.raw.closed).toBeUndefined();
  await stage.expectServed();
  rogue.raw.send('oneRtt', quicFrame(0x1d, Http3ErrorCode.H3_NO_ERROR, 0));
  await stage.expectAlone();
  await rogue.leave();
}
