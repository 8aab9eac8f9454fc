/**
 * Bodies of requests and responses under any cutting and any pace.
 */
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bytesSource, iterableSource } from '../../src/client/body-source.ts';
import { BodySender } from '../../src/client/body-sender.ts';
import type { ByteReader } from '../../src/client/byte-reader.ts';
import { decodedReader } from '../../src/client/content-decoding.ts';
import type { ContentCoding } from '../../src/client/content-decoding.ts';
import { clientLimits } from '../../src/client/limits.ts';
import { ResponseBody } from '../../src/client/response-body.ts';
import { resolveLimits } from '../../src/common/index.ts';
import { settle } from '../unit/client/fake-transport.ts';

const limits = resolveLimits('client', clientLimits, { bodyBuffer: 500 });

/** Bytes, and a way to cut them. */
const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 });

function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const cuts: Uint8Array[] = [];
  let at = 0;
  for (let index = 0; at < bytes.length; index += 1) {
    const size = sizes.length === 0 ? bytes.length : (sizes[index % sizes.length] as number);
    cuts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return cuts;
}

async function all(reader: ByteReader): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) read.push(piece);
  return Buffer.concat(read);
}

describe('content codings', () => {
  const encoders: Record<'gzip' | 'deflate' | 'raw' | 'br', (bytes: Uint8Array) => Buffer> = {
    gzip: gzipSync,
    deflate: deflateSync,
    raw: deflateRawSync,
    br: brotliCompressSync,
  };

  it('are undone whatever they are, in any number and any cutting', async () => {
    const codings = fc.array(fc.constantFrom('gzip' as const, 'deflate' as const, 'raw' as const, 'br' as const), {
      maxLength: 2,
    });
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), codings, sizes, async (bytes, applied, cutting) => {
        let coded: Uint8Array = bytes;
        for (const name of applied) coded = encoders[name](coded);
        const waiting = cut(coded, cutting);
        const source: ByteReader = { read: () => Promise.resolve(waiting.shift()), cancel: () => {} };
        const undo = applied.map((name): ContentCoding => (name === 'raw' ? 'deflate' : name)).reverse();
        expect(await all(decodedReader(source, undo, limits))).toEqual(Buffer.from(bytes));
      }),
      { numRuns: 150 },
    );
  });

  it('never throw anything but their own error for any bytes, and always end', async () => {
    const coding = fc.constantFrom<ContentCoding>('gzip', 'deflate', 'br');
    await fc.assert(
      fc.asyncProperty(pieces, coding, fc.boolean(), async (given, name, valid) => {
        const prefix = valid ? [gzipSync('begin').subarray(0, 12)] : [];
        const waiting = [...prefix, ...given].filter((piece) => piece.byteLength > 0);
        const source: ByteReader = { read: () => Promise.resolve(waiting.shift()), cancel: () => {} };
        try {
          await all(decodedReader(source, [name], limits));
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_CONTENT_DECODING' });
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('a response body', () => {
  it('gives every byte once, in order, and gives back what it was given', async () => {
    const schedule = fc.array(fc.oneof(fc.constant('read' as const), fc.uint8Array({ maxLength: 400 })), {
      maxLength: 30,
    });
    await fc.assert(
      fc.asyncProperty(schedule, fc.boolean(), async (steps, fails) => {
        let consumed = 0;
        const body = new ResponseBody({ dataConsumed: (length) => (consumed += length), abort: () => {} }, limits);
        const pushed: Uint8Array[] = [];
        const read: Promise<Uint8Array | undefined>[] = [];
        let given = 0;
        let waiting = 0;
        for (const step of steps) {
          if (step !== 'read') {
            body.push(step, step.byteLength);
            pushed.push(step);
            given += step.byteLength;
            if (step.byteLength > 0 && waiting > 0) waiting -= 1;
          } else if (waiting === 0) {
            if (body.queuedBytes === 0) waiting += 1;
            read.push(body.read());
          }
          // What is not given back is waiting to be read, and what is given back is bounded.
          expect(given - consumed === 0 || body.queuedBytes > 0).toBe(true);
          expect(body.queuedBytes - (given - consumed)).toBeLessThanOrEqual(limits.bodyBuffer);
        }
        const error = new Error('cut');
        if (fails) body.fail(error);
        else body.end();
        const got: Uint8Array[] = [];
        let failure: unknown;
        const rest = async (): Promise<Uint8Array | undefined> => body.read();
        try {
          for (const one of read) {
            const piece = await one;
            if (piece !== undefined) got.push(piece);
          }
          for (let piece = await rest(); piece !== undefined; piece = await rest()) got.push(piece);
        } catch (thrown) {
          failure = thrown;
        }
        expect(failure).toBe(fails ? error : undefined);
        expect(Buffer.concat(got)).toEqual(Buffer.concat(pushed));
        if (!fails) expect(consumed).toBe(given);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a request body', () => {
  it('is sent whole, in order, ended once, and only while there is room', async () => {
    const kinds = fc.constantFrom('bytes' as const, 'stream' as const, 'known' as const);
    await fc.assert(
      fc.asyncProperty(
        pieces,
        kinds,
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 }),
        fc.boolean(),
        async (given, kind, rooms, withTrailers) => {
          const whole = Buffer.concat(given);
          const sent: Uint8Array[] = [];
          const calls: string[] = [];
          let room = Infinity;
          let ends = 0;
          async function* iterate(): AsyncGenerator<Uint8Array> {
            yield* given;
          }
          const sender = new BodySender(
            {
              body: kind === 'bytes' ? bytesSource(whole, undefined) : iterableSource(iterate()),
              contentLength: kind === 'known' && !withTrailers ? whole.length : undefined,
              trailers: withTrailers ? ['x-t', '1'] : undefined,
            },
            {
              sendData: (data, endStream) => {
                expect(room > 0 || data.byteLength === 0).toBe(true);
                sent.push(data);
                room -= 1;
                if (endStream) ends += 1;
                return room > 0;
              },
              sendTrailers: () => {
                ends += 1;
              },
            },
            {
              bodyBlocked: () => calls.push('blocked'),
              bodyUnblocked: () => calls.push('unblocked'),
              bodySent: () => calls.push('sent'),
              bodyFailed: () => calls.push('failed'),
            },
          );
          room = rooms.shift() ?? Infinity;
          sender.start();
          for (let turn = 0; turn < 40 && !sender.complete; turn += 1) {
            await settle();
            if (calls.at(-1) === 'blocked') {
              room = rooms.shift() ?? Infinity;
              sender.writable();
            }
          }
          await settle();
          expect(Buffer.concat(sent)).toEqual(whole);
          expect([ends, sender.complete]).toEqual([1, true]);
          expect(calls.filter((call) => call === 'sent').length).toBe(1);
          expect(calls).not.toContain('failed');
          expect(calls.filter((call) => call === 'blocked').length).toBe(
            calls.filter((call) => call === 'unblocked').length,
          );
        },
      ),
      { numRuns: 150 },
    );
  });
});
