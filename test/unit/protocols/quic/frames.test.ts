import { describe, expect, it } from 'vitest';
import { QuicError, QuicFault } from '../../../../src/protocols/quic/error-codes.ts';
import { parseFrames } from '../../../../src/protocols/quic/frame-parser.ts';
import { FrameType, isAckEliciting, isProbing, mayCarry } from '../../../../src/protocols/quic/frame-types.ts';
import type { PacketKind } from '../../../../src/protocols/quic/frame-types.ts';
import { FrameWriter } from '../../../../src/protocols/quic/frame-writer.ts';
import { recordFrames } from './recorder.ts';
import type { RecordedFrame } from './recorder.ts';

function parse(bytes: Uint8Array, kind: PacketKind = 'oneRtt'): RecordedFrame[] {
  const { handler, frames } = recordFrames();
  parseFrames(bytes, kind, handler);
  return frames;
}

function fault(bytes: Uint8Array, kind: PacketKind = 'oneRtt'): number | undefined {
  try {
    parse(bytes, kind);
    return undefined;
  } catch (error) {
    if (error instanceof QuicFault) return error.code;
    throw error;
  }
}

function written(write: (writer: FrameWriter) => void): Uint8Array {
  const bytes = new Uint8Array(2_000);
  const writer = new FrameWriter(bytes, 0, bytes.length);
  write(writer);
  return bytes.subarray(0, writer.position);
}

const numbers = (...values: number[]): Uint8Array => written((writer) => writer.numbers(...values));
const id = Buffer.from('0102030405', 'hex');
const token = Buffer.alloc(16, 7);
const BIG = 2 ** 53 - 1;

/** Every frame, written and as it is told. */
const all: [string, Uint8Array, RecordedFrame[]][] = [
  ['19.1 PADDING', Buffer.alloc(5), []],
  ['19.2 PING', numbers(FrameType.ping), []],
  ['19.3 ACK', written((writer) => writer.ack([10, 10], 5)), [['ackReceived', [10, 10], 5, undefined]]],
  [
    '19.3.1 ACK of several ranges',
    written((writer) => writer.ack([100, 90, 80, 80, 70, 0], 0)),
    [['ackReceived', [100, 90, 80, 80, 70, 0], 0, undefined]],
  ],
  [
    '19.3.2 ACK with ECN counts',
    numbers(FrameType.ackEcn, 3, 0, 0, 3, 1, 2, 9),
    [['ackReceived', [3, 0], 0, { ect0: 1, ect1: 2, ce: 9 }]],
  ],
  ['19.4 RESET_STREAM', numbers(FrameType.resetStream, 4, 7, 1_000), [['resetStreamReceived', 4, 7, 1_000]]],
  ['19.5 STOP_SENDING', numbers(FrameType.stopSending, 4, 7), [['stopSendingReceived', 4, 7]]],
  ['19.6 CRYPTO', written((writer) => writer.crypto(300, id)), [['cryptoReceived', 300, '0102030405']]],
  [
    '19.7 NEW_TOKEN',
    written((writer) => writer.tryBytes(id, FrameType.newToken, 5)),
    [['newTokenReceived', '0102030405']],
  ],
  ['19.8 STREAM', written((writer) => writer.stream(8, 0, id, false)), [['streamReceived', 8, 0, '0102030405', false]]],
  [
    '19.8 STREAM with an offset and an end',
    written((writer) => writer.stream(8, BIG, id, true)),
    [['streamReceived', 8, BIG, '0102030405', true]],
  ],
  ['19.8 STREAM to the end of the packet', Buffer.from([0x08, 4, 1, 2]), [['streamReceived', 4, 0, '0102', false]]],
  ['19.9 MAX_DATA', numbers(FrameType.maxData, BIG), [['maxDataReceived', BIG]]],
  ['19.10 MAX_STREAM_DATA', numbers(FrameType.maxStreamData, 3, 70_000), [['maxStreamDataReceived', 3, 70_000]]],
  ['19.11 MAX_STREAMS', numbers(FrameType.maxStreamsBidi, 9), [['maxStreamsReceived', true, 9]]],
  ['19.11 MAX_STREAMS of one direction', numbers(FrameType.maxStreamsUni, 9), [['maxStreamsReceived', false, 9]]],
  ['19.12 DATA_BLOCKED', numbers(FrameType.dataBlocked, 9), [['dataBlockedReceived', 9]]],
  ['19.13 STREAM_DATA_BLOCKED', numbers(FrameType.streamDataBlocked, 4, 9), [['streamDataBlockedReceived', 4, 9]]],
  ['19.14 STREAMS_BLOCKED', numbers(FrameType.streamsBlockedBidi, 9), [['streamsBlockedReceived', true, 9]]],
  [
    '19.14 STREAMS_BLOCKED, one direction',
    numbers(FrameType.streamsBlockedUni, 9),
    [['streamsBlockedReceived', false, 9]],
  ],
  [
    '19.15 NEW_CONNECTION_ID',
    Buffer.concat([numbers(FrameType.newConnectionId, 2, 1), Buffer.of(5), id, token]),
    [['newConnectionIdReceived', 2, 1, '0102030405', token.toString('hex')]],
  ],
  ['19.16 RETIRE_CONNECTION_ID', numbers(FrameType.retireConnectionId, 2), [['retireConnectionIdReceived', 2]]],
  [
    '19.17 PATH_CHALLENGE',
    written((writer) => writer.tryBytes(token.subarray(8), FrameType.pathChallenge)),
    [['pathChallengeReceived', '07'.repeat(8)]],
  ],
  [
    '19.18 PATH_RESPONSE',
    written((writer) => writer.tryBytes(token.subarray(8), FrameType.pathResponse)),
    [['pathResponseReceived', '07'.repeat(8)]],
  ],
  [
    '19.19 CONNECTION_CLOSE',
    written((writer) => writer.tryBytes(id, FrameType.connectionClose, 10, 6, 5)),
    [['connectionCloseReceived', 10, 6, '0102030405']],
  ],
  [
    '19.19 CONNECTION_CLOSE of the application',
    written((writer) => writer.tryBytes(id, FrameType.applicationClose, 256, 5)),
    [['connectionCloseReceived', 256, undefined, '0102030405']],
  ],
  ['19.20 HANDSHAKE_DONE', numbers(FrameType.handshakeDone), [['handshakeDoneReceived']]],
  ['RFC 9221 DATAGRAM', Buffer.from([0x31, 2, 1, 2]), [['datagramReceived', '0102']]],
  ['RFC 9221 DATAGRAM to the end', Buffer.from([0x30, 1, 2]), [['datagramReceived', '0102']]],
];

describe('RFC 9000 section 19', () => {
  it.each(all)('%s', (_name, bytes, frames) => {
    expect(parse(bytes)).toEqual(frames);
  });

  it('frames stand behind each other', () => {
    const joined = all.filter(([name]) => !name.includes('to the end')).map(([, bytes]) => bytes);
    const told = all.filter(([name]) => !name.includes('to the end')).flatMap(([, , frames]) => frames);
    expect(parse(Buffer.concat(joined))).toEqual(told);
  });

  it.each(all.filter(([name]) => !name.includes('to the end') && !/PADDING|PING|DONE/.test(name)))(
    '%s cut short anywhere is FRAME_ENCODING_ERROR',
    (_name, bytes) => {
      for (let length = 1; length < bytes.length; length += 1) {
        expect(fault(bytes.subarray(0, length))).toBe(QuicError.frameEncodingError);
      }
    },
  );
});

describe('what is refused', () => {
  const long = Buffer.from([0x40, FrameType.ping]);
  const rows: [string, Uint8Array, number][] = [
    ['12.4: no frame at all', new Uint8Array(0), QuicError.protocolViolation],
    ['12.4: an unknown type', numbers(0x1f), QuicError.frameEncodingError],
    ['12.4: a type in a long encoding', long, QuicError.protocolViolation],
    ['19.3.1: a range below 0', numbers(FrameType.ack, 3, 0, 0, 4), QuicError.frameEncodingError],
    ['19.3.1: a gap below 0', numbers(FrameType.ack, 3, 0, 1, 1, 1, 0), QuicError.frameEncodingError],
    ['19.7: an empty token', numbers(FrameType.newToken, 0), QuicError.frameEncodingError],
    [
      '19.11: more than 2^60 streams',
      Buffer.concat([numbers(FrameType.maxStreamsBidi), Buffer.from('d000000000000001', 'hex')]),
      QuicError.frameEncodingError,
    ],
    [
      '19.14: blocked at more than 2^60 streams',
      Buffer.concat([numbers(FrameType.streamsBlockedUni), Buffer.from('ffffffffffffffff', 'hex')]),
      QuicError.frameEncodingError,
    ],
    [
      '19.15: an id without bytes',
      Buffer.concat([numbers(FrameType.newConnectionId, 2, 1), Buffer.of(0), token]),
      QuicError.frameEncodingError,
    ],
    [
      '19.15: an id of 21 bytes',
      Buffer.concat([numbers(FrameType.newConnectionId, 2, 1), Buffer.of(21), Buffer.alloc(21), token]),
      QuicError.frameEncodingError,
    ],
    [
      '19.15: to retire what is not yet there',
      Buffer.concat([numbers(FrameType.newConnectionId, 2, 3), Buffer.of(5), id, token]),
      QuicError.frameEncodingError,
    ],
  ];

  it.each(rows)('%s', (_name, bytes, code) => expect(fault(bytes)).toBe(code));

  it('19.11: exactly 2^60 streams are taken', () => {
    const bytes = Buffer.concat([numbers(FrameType.maxStreamsBidi), Buffer.from('d000000000000000', 'hex')]);
    expect(parse(bytes)).toEqual([['maxStreamsReceived', true, 2 ** 53]]);
  });

  it('12.4: frames in packets where they may not stand', () => {
    const allowed: Record<Exclude<PacketKind, 'oneRtt'>, number[]> = {
      initial: [0x00, 0x01, 0x02, 0x03, 0x06, 0x1c],
      handshake: [0x00, 0x01, 0x02, 0x03, 0x06, 0x1c],
      zeroRtt: Array.from({ length: 0x1f }, (_, type) => type)
        .concat(0x30, 0x31)
        .filter((type) => ![0x02, 0x03, 0x06, 0x07, 0x19, 0x1b, 0x1e].includes(type)),
    };
    for (const kind of ['initial', 'handshake', 'zeroRtt'] as const) {
      for (const [name, bytes] of all) {
        const type = bytes[0] as number;
        expect(mayCarry(kind, type)).toBe(allowed[kind].includes(type));
        if (!mayCarry(kind, type)) expect(fault(bytes, kind), `${name} in ${kind}`).toBe(QuicError.protocolViolation);
      }
    }
  });
});

describe('kinds of frames', () => {
  it('RFC 9002 section 2: ACK, PADDING and CONNECTION_CLOSE elicit nothing', () => {
    const silent = Array.from({ length: 0x20 }, (_, type) => type).filter((type) => !isAckEliciting(type));
    expect(silent).toEqual([0x00, 0x02, 0x03, 0x1c, 0x1d]);
  });

  it('9.1: probing frames', () => {
    const probing = Array.from({ length: 0x32 }, (_, type) => type).filter(isProbing);
    expect(probing).toEqual([0x00, 0x18, 0x1a, 0x1b]);
  });
});

describe('a packet that is full', () => {
  it('takes what fits and nothing more', () => {
    const bytes = new Uint8Array(40);
    const writer = new FrameWriter(bytes, 0, 20);
    expect(writer.tryNumbers(FrameType.maxData, 5)).toBe(true);
    expect(writer.tryBytes(Buffer.alloc(20), FrameType.newToken, 20)).toBe(false);
    expect(writer.crypto(0, Buffer.alloc(100, 1))).toBe(14);
    expect(writer.room).toBe(0);
    expect(writer.crypto(0, Buffer.alloc(1))).toBe(0);
    expect(writer.ack([1, 0], 0)).toBe(false);
    expect(bytes.subarray(20).every((byte) => byte === 0)).toBe(true);
  });

  it('acknowledges the greatest ranges when not all fit', () => {
    const ranges = Array.from({ length: 50 }, (_, index) => [1_000 - index * 4, 999 - index * 4]).flat();
    const bytes = new Uint8Array(60);
    const writer = new FrameWriter(bytes, 0, 30);
    expect(writer.ack(ranges, 0)).toBe(true);
    const [frame] = parse(bytes.subarray(0, writer.position));
    const told = (frame as RecordedFrame)[1] as number[];
    expect(told.length).toBeGreaterThan(4);
    expect(told).toEqual(ranges.slice(0, told.length));
  });
});
