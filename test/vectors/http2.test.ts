/**
 * HTTP/2 as others recorded it: http2-frame-test-case, the connections that h2spec and nghttp made (nghttp2's corpus) and
 * h2o's fuzz corpus. A case with one right answer gets it; any other ends in an answer or in nothing, thrown is nothing,
 * and what is told does not depend on how the octets were cut.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { http2ErrorCodes } from '../../src/protocols/http2/index.ts';
import { FrameReader } from '../../src/protocols/http2/frame-reader.ts';
import { FrameWriter } from '../../src/protocols/http2/frame-writer.ts';
import { h2specAnswers } from './support/h2spec-answers.ts';
import { cutAtFrames, frameBytes, framesOf, PREFACE } from './support/http2-frames.ts';
import type { Seen } from './support/http2-messages.ts';
import { readRequests, readResponses } from './support/http2-messages.ts';

interface FrameCase {
  readonly description: string;
  readonly wire: string;
  readonly error: readonly number[] | null;
  readonly frame: {
    readonly type: number;
    readonly flags: number;
    readonly stream_identifier: number;
    readonly length: number;
    readonly frame_payload: Readonly<Record<string, unknown>>;
  } | null;
}

interface Recorded {
  readonly id: string;
  readonly bytes: Uint8Array;
}

const frameCases = readFrameCases();
const SETTINGS = frameBytes(4, 0, 0, new Uint8Array(0));
/** `:method: POST`, `:scheme: https`, `:path: /`, `:authority: a` on stream 1, which stays open. */
const OPEN_STREAM = frameBytes(1, 4, 1, Uint8Array.of(0x83, 0x87, 0x84, 0x01, 0x01, 0x61));

describe('http2-frame-test-case', () => {
  it('is there', () => {
    expect(frameCases.filter(({ error }) => error === null).length).toBe(12);
    expect(frameCases.filter(({ error }) => error !== null).length).toBe(22);
  });

  for (const { description, wire, frame, error, name } of frameCases) {
    if (frame === null) {
      it(`${name}: ${description}`, () => {
        const seen = refusalOf(octets(wire), name);
        const codes = (error ?? []).map((code) => http2ErrorCodes.name(code));
        expect(codes.some((code) => seen.sent.some((sent) => says(sent, code)))).toBe(true);
      });
      continue;
    }
    it(`${name}: ${description}, read`, () => {
      expect(read(octets(wire))).toEqual({
        type: frame.type,
        flags: frame.flags,
        streamId: frame.stream_identifier,
        content: contentOf(frame.type, frame.frame_payload),
      });
    });
  }

  it.each(frameCases.filter(({ frame }) => frame !== null && [3, 4, 6, 7, 8].includes(frame.type)))(
    '$name: written',
    ({ wire, frame }) => {
      expect(written(frame as NonNullable<FrameCase['frame']>)).toBe(wire.toLowerCase());
    },
  );
});

describe('connections of h2spec', () => {
  const cases = readRecorded('nghttp2/h2spec.jsonl');

  it('are there, each with an answer', () => {
    expect(cases.length).toBe(133);
    const answered = Object.values(h2specAnswers).flat().sort();
    expect(answered).toEqual(cases.map(({ id }) => id.slice(0, 8)).sort());
  });

  it.each(Object.entries(h2specAnswers))('get the right answer: %s', (answer, ids) => {
    for (const { id, bytes } of cases.filter((each) => ids.includes(each.id.slice(0, 8)))) {
      // Frame by frame, and each answered at once, as it was recorded.
      expect({ id, answer: inWords(readRequests(cutAtFrames(bytes), 'at once', false)) }).toEqual({ id, answer });
    }
  });

  it('are told alike for any cut', () => {
    for (const { id, bytes } of cases) alike(id, bytes);
  });
});

describe('connections of nghttp', () => {
  it('are served', () => {
    const served = readRecorded('nghttp2/nghttp.jsonl').map(({ id, bytes }) => {
      const { sent, ended, told } = readRequests(cutAtFrames(bytes), 'at once', false);
      const whole = told.filter((line) => line.startsWith('HeadersReceived')).length;
      alike(id, bytes);
      return { whole, answers: sent.filter((line) => line.includes(':status=200')).length, ended };
    });
    expect(served).toEqual([
      { whole: 1, answers: 1, ended: undefined },
      { whole: 100, answers: 100, ended: undefined },
      { whole: 1, answers: 1, ended: undefined },
    ]);
  });
});

describe("h2o's HTTP/2 corpus", () => {
  const cases = readRecorded('h2o/http2.jsonl');

  it('is there', () => {
    expect(cases.length).toBe(1245);
  });

  it('as requests: ends in an answer or in nothing, alike for any cut', () => {
    const codes = new Set<string>();
    for (const { id, bytes } of cases) codes.add(alike(id, bytes).ended ?? 'open');
    // One has closed its windows: its answer waits until a timer ends the connection.
    expect([...codes].sort()).toEqual([
      ...['COMPRESSION_ERROR', 'FLOW_CONTROL_ERROR', 'FRAME_SIZE_ERROR', 'NO_ERROR', 'PROTOCOL_ERROR', 'open'],
    ]);
  });

  it('as responses: nothing is thrown, alike for any cut', () => {
    for (const { id, bytes } of cases) {
      const input = bytes.subarray(PREFACE.length);
      const whole = told(readResponses([input]));
      expect({ id, ended: whole.ended !== undefined }).toEqual({ id, ended: true });
      for (const size of [1, 5])
        expect({ id, size, ...told(readResponses(pieces(input, size))) }).toEqual({ id, size, ...whole });
    }
  });
});

/** What a server tells of the input when it answers nothing before the end, which must be the same for all cuts. */
function alike(id: string, bytes: Uint8Array): ReturnType<typeof told> {
  const whole = told(readRequests([bytes], 'at the end'));
  for (const size of [1, 5]) {
    const cut = told(readRequests(pieces(bytes, size), 'at the end'));
    expect({ id, size, ...cut }).toEqual({ id, size, ...whole });
  }
  return whole;
}

function told({ told: lines, ended, reason }: Seen): {
  told: readonly string[];
  ended: string | undefined;
  reason: string | undefined;
} {
  return { told: lines, ended, reason };
}

function pieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size),
  );
}

/** The frames behind our SETTINGS, in the form of support/h2spec-answers.ts. */
function inWords({ sent }: Seen): string {
  const frames = sent.slice(1).filter((word) => word !== 'WINDOW_UPDATE' && word !== 'SETTINGS ACK');
  if (frames.length <= 6) return frames.join(', ');
  return `${frames.slice(0, 2).join(', ')}, … ${String(frames.length)} frames`;
}

/** Gives a broken frame to the side that could meet it. */
function refusalOf(wire: Uint8Array, name: string): Seen {
  if (name.includes('push_promise')) return readResponses([SETTINGS, wire], false);
  // Its own frame opens the stream of HEADERS; DATA and the others find it open.
  const before = name.includes('headers') ? [] : [OPEN_STREAM];
  return readRequests([PREFACE, SETTINGS, ...before, wire], 'at the end', false);
}

function says(sent: string, code: string): boolean {
  return (sent.startsWith('GOAWAY') || sent.startsWith('RST_STREAM')) && sent.includes(` ${code}`);
}

/** What the reader hands over. */
function read(wire: Uint8Array): { type: number; flags: number; streamId: number; content: string } {
  const seen = { type: -1, flags: framesOf(wire)[0]?.flags ?? 0, streamId: -1, content: '' };
  const reader = new FrameReader(
    {
      frameReceived(type, flags, streamId, bytes, start, end) {
        if (type === 4 && end === start) return;
        Object.assign(seen, { type, flags, streamId, content: Buffer.from(bytes.slice(start, end)).toString('hex') });
      },
      dataBegins(streamId) {
        Object.assign(seen, { type: 0, streamId, content: '' });
      },
      dataPiece(bytes, start, end) {
        seen.content += Buffer.from(bytes.slice(start, end)).toString('hex');
      },
      dataEnds: () => undefined,
    },
    false,
  );
  reader.read(SETTINGS);
  reader.read(wire);
  return seen;
}

/** What the payload is by the case's fields, in hex; of DATA its content alone. */
function contentOf(type: number, fields: Readonly<Record<string, unknown>>): string {
  const number = (name: string, bytes: number): string =>
    (fields[name] as number).toString(16).padStart(2 * bytes, '0');
  const text = (name: string): string => Buffer.from((fields[name] as string | null) ?? '', 'latin1').toString('hex');
  const padLength = typeof fields['padding_length'] === 'number' ? number('padding_length', 1) : '';
  switch (type) {
    case 0:
      return text('data');
    case 1:
      return padLength + priority(fields) + text('header_block_fragment') + text('padding');
    case 2:
      return priority(fields);
    case 3:
      return number('error_code', 4);
    case 4:
      return settings(fields)
        .map(([id, value]) => hex(id, 2) + hex(value, 4))
        .join('');
    case 5:
      return padLength + number('promised_stream_id', 4) + text('header_block_fragment') + text('padding');
    case 6:
      return text('opaque_data');
    case 7:
      return number('last_stream_id', 4) + number('error_code', 4) + text('additional_debug_data');
    case 8:
      return number('window_size_increment', 4);
    default:
      return text('header_block_fragment');
  }
}

/** What our writer makes of the case's fields, in hex. */
function written({
  type,
  stream_identifier: streamId,
  frame_payload: fields,
}: NonNullable<FrameCase['frame']>): string {
  const writer = new FrameWriter();
  const payload = Uint8Array.from(Buffer.from(contentOf(type, fields), 'hex'));
  if (type === 3) writer.writeNumber(type, streamId, fields['error_code'] as number);
  else if (type === 8) writer.writeNumber(type, streamId, fields['window_size_increment'] as number);
  else if (type === 6) writer.writePing(false, payload, 0);
  else {
    writer.writeHeader(payload.length, type, 0, streamId);
    writer.writePayload(payload);
  }
  return Buffer.concat(writer.take() ?? []).toString('hex');
}

function priority(fields: Readonly<Record<string, unknown>>): string {
  if (typeof fields['stream_dependency'] !== 'number') return '';
  const exclusive = fields['exclusive'] === true ? 0x8000_0000 : 0;
  return hex(fields['stream_dependency'] + exclusive, 4) + hex((fields['weight'] as number) - 1, 1);
}

function settings(fields: Readonly<Record<string, unknown>>): [number, number][] {
  return fields['settings'] as [number, number][];
}

function hex(value: number, bytes: number): string {
  return value.toString(16).padStart(2 * bytes, '0');
}

function octets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

function readFrameCases(): (FrameCase & { readonly name: string })[] {
  const folder = new URL('./http2-frame-test-case/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
  return files.sort().map((file) => ({
    name: file.replaceAll('\\', '/').replace('.json', ''),
    ...(JSON.parse(readFileSync(new URL(file.replaceAll('\\', '/'), folder), 'utf8')) as FrameCase),
  }));
}

function readRecorded(file: string): Recorded[] {
  const lines = readFileSync(new URL(file, import.meta.url), 'utf8').split('\n');
  return lines
    .filter((line) => line !== '')
    .map((line) => {
      const { id, hex: text, base64 } = JSON.parse(line) as { id: string; hex?: string; base64?: string };
      const bytes = text === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(text, 'hex');
      return { id, bytes: Uint8Array.from(bytes) };
    });
}
