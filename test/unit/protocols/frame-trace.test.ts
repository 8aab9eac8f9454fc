import { describe, expect, it } from 'vitest';
import { FrameScanner } from '../../../src/protocols/frame-trace.ts';
import type { FrameTrace } from '../../../src/protocols/frame-trace.ts';
import { headersReceived, protocolReplaced, TracedProtocol } from '../../../src/protocols/index.ts';
import type { TraceHandler } from '../../../src/protocols/index.ts';
import { encode, FakeEngine } from '../connections/fakes.ts';

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

function frame(type: number, flags: number, streamId: number, payload: Uint8Array): Uint8Array {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return new Uint8Array(Buffer.concat([header, payload]));
}

function line({ type, streamId, length, flags, detail }: FrameTrace): string {
  return [type, String(streamId), String(length), flags.join('|'), detail].join(' ');
}

const PREFACE = encode('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

/** One of each, and what is told of it. */
const frames: readonly (readonly [Uint8Array, string])[] = [
  [frame(0x0, 0x9, 1, bytes('00 616263')), 'DATA 1 4 END_STREAM|PADDED '],
  [frame(0x0, 0, 1, new Uint8Array(0)), 'DATA 1 0  '],
  [frame(0x1, 0x25, 3, bytes('00000000 0f 82')), 'HEADERS 3 6 END_STREAM|END_HEADERS|PRIORITY '],
  [frame(0x2, 0, 3, bytes('80000001 ff')), 'PRIORITY 3 5  depends on 1, weight 256'],
  [frame(0x3, 0, 3, bytes('00000008')), 'RST_STREAM 3 4  CANCEL'],
  [frame(0x3, 0, 3, bytes('0000beef')), 'RST_STREAM 3 4  0xbeef'],
  [
    frame(0x4, 0, 0, bytes('0003 00000064 0004 ffffffff 002a 00000001')),
    'SETTINGS 0 18  MAX_CONCURRENT_STREAMS=100, INITIAL_WINDOW_SIZE=4294967295, 0x2a=1',
  ],
  [frame(0x4, 1, 0, new Uint8Array(0)), 'SETTINGS 0 0 ACK '],
  [frame(0x5, 4, 1, bytes('00000002 82')), 'PUSH_PROMISE 1 5 END_HEADERS '],
  [frame(0x6, 1, 0, bytes('0102030405060708')), 'PING 0 8 ACK 0102030405060708'],
  [
    frame(0x7, 0, 0, new Uint8Array([...bytes('80000005 00000000'), ...encode('bye')])),
    'GOAWAY 0 11  last stream 5, NO_ERROR, "bye"',
  ],
  [frame(0x8, 0, 7, bytes('00010000')), 'WINDOW_UPDATE 7 4  +65536'],
  [frame(0x9, 4, 3, bytes('82')), 'CONTINUATION 3 1 END_HEADERS '],
  [frame(0xa, 0, 0, new Uint8Array([0, 9, ...encode('https://ah3=":443"')])), 'ALTSVC 0 20  https://a: h3=":443"'],
  [
    frame(0xc, 0, 0, new Uint8Array([0, 9, ...encode('https://a'), 0, 9, ...encode('https://b')])),
    'ORIGIN 0 22  https://a https://b',
  ],
  [
    frame(0x10, 0, 0, new Uint8Array([...bytes('00000003'), ...encode('u=1, i')])),
    'PRIORITY_UPDATE 0 10  stream 3: u=1, i',
  ],
  [frame(0x2a, 0xff, 0, bytes('00')), '0x2a 0 1  '],
];

function scan(chunks: readonly Uint8Array[], preface = false): string[] {
  const lines: string[] = [];
  const scanner = new FrameScanner(preface, (told) => lines.push(line(told)));
  for (const chunk of chunks) scanner.scan(chunk);
  return lines;
}

describe('frames as they pass (RFC 9113 section 6)', () => {
  const all = new Uint8Array(Buffer.concat(frames.map(([octets]) => octets)));
  const expected = frames.map(([, text]) => text);

  it('are told in one piece and octet by octet', () => {
    expect(scan([all])).toEqual(expected);
    expect(scan([...all].map((octet) => new Uint8Array([octet])))).toEqual(expected);
  });

  it('follow the preface (section 3.4)', () => {
    const withPreface = new Uint8Array([...PREFACE, ...all]);
    expect(scan([withPreface], true)).toEqual(['PREFACE 0 24  ', ...expected]);
    expect(scan([PREFACE.subarray(0, 5), withPreface.subarray(5)], true)).toEqual(['PREFACE 0 24  ', ...expected]);
  });

  it('that are short of their fields are told all the same', () => {
    const short = [0x2, 0x3, 0x4, 0x5, 0x6, 0x7, 0x8, 0xa, 0xc, 0x10].map((type) => frame(type, 0, 1, bytes('01')));
    expect(scan(short)).toHaveLength(short.length);
  });

  it('are not held, however long they say they are', () => {
    const lines = scan([frame(0x7, 0, 0, new Uint8Array(1 << 20).fill(0x61)), frame(0x6, 0, 0, new Uint8Array(8))]);
    expect(lines[0]!.length).toBeLessThan(700);
    expect(lines[1]).toBe('PING 0 8  0000000000000000');
  });
});

describe('a traced protocol', () => {
  class Told implements TraceHandler {
    readonly lines: string[] = [];
    submitted(trace: { readonly type: string }): void {
      this.lines.push(`> ${trace.type}`);
    }
    event(event: { readonly type: string }): void {
      this.lines.push(`< ${event.type}`);
    }
    frame(direction: string, told: FrameTrace): void {
      this.lines.push(`${direction} ${told.type}`);
    }
  }

  class Http2Engine extends FakeEngine {
    override readonly httpVersion = '2' as '1.1';
  }

  it('tells frames in the order in which they pass', () => {
    const told = new Told();
    const inner = new Http2Engine('client', true);
    const traced = new TracedProtocol(inner, told);
    traced.submitHeaders(1, [':method', 'GET'], { endStream: true });
    inner.output.push([PREFACE, frame(4, 0, 0, new Uint8Array(0))], [frame(1, 5, 1, bytes('82'))]);
    traced.bytesToSend(0);
    traced.bytesToSend(0);
    traced.bytesToSend(0);
    inner.events.push(headersReceived(1, [':status', '200'], undefined, true, [], '2', false));
    traced.bytesReceived(frame(1, 5, 1, bytes('88')), 0);
    traced.nextEvent();
    expect(told.lines).toEqual([
      '> Headers',
      'sent PREFACE',
      'sent SETTINGS',
      'sent HEADERS',
      'received HEADERS',
      '< HeadersReceived',
    ]);
  });

  it('has no frames where the version has none', () => {
    const told = new Told();
    const traced = new TracedProtocol(new FakeEngine('server'), told);
    traced.bytesReceived(frame(6, 0, 0, new Uint8Array(8)), 0);
    expect(told.lines).toEqual([]);
  });

  it('tells of the frames that came before the protocol was known', () => {
    const told = new Told();
    const detecting = new FakeEngine('server');
    Object.assign(detecting, { capabilities: new Set() });
    const traced = new TracedProtocol(detecting, told);
    traced.bytesReceived(PREFACE.subarray(0, 10), 0);
    traced.bytesReceived(new Uint8Array([...PREFACE.subarray(10), ...frame(4, 0, 0, new Uint8Array(0))]), 0);
    detecting.events.push(protocolReplaced(new Http2Engine('server', true)));
    const event = traced.nextEvent();
    expect(told.lines).toEqual(['< ProtocolReplaced', 'received PREFACE', 'received SETTINGS']);
    if (event?.type !== 'ProtocolReplaced') throw new Error('not replaced');
    event.protocol.bytesReceived(frame(8, 0, 0, bytes('00000001')), 0);
    expect(told.lines.at(-1)).toBe('received WINDOW_UPDATE');
  });
});
