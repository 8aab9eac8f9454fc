import { readFileSync } from 'node:fs';
import * as zlib from 'node:zlib';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { resolveLimits } from '../../../src/common/index.ts';
import type { ByteReader } from '../../../src/client/byte-reader.ts';
import { acceptEncoding, contentCodings, decodedReader } from '../../../src/client/content-decoding.ts';
import type { ContentCoding } from '../../../src/client/content-decoding.ts';
import { clientLimits } from '../../../src/client/limits.ts';
import type { ClientLimitOptions } from '../../../src/client/limits.ts';
import { createZstdDecoder } from '../../../src/client/platform-features.ts';

function limits(overrides: ClientLimitOptions = {}) {
  return resolveLimits('client', clientLimits, overrides);
}

/** Gives pieces, and counts how many were asked for. */
class PiecesReader implements ByteReader {
  readonly #pieces: readonly Uint8Array[];
  asked = 0;
  cancelledWith: unknown;

  constructor(...pieces: Uint8Array[]) {
    this.#pieces = pieces;
  }

  read(): Promise<Uint8Array | undefined> {
    const piece = this.#pieces[this.asked];
    this.asked += 1;
    return Promise.resolve(piece);
  }

  cancel(reason?: unknown): void {
    this.cancelledWith = reason ?? 'cancelled';
  }
}

async function all(reader: ByteReader): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
    expect(piece.byteLength).toBeGreaterThan(0);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

async function length(reader: ByteReader): Promise<number> {
  let bytes = 0;
  for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) bytes += piece.byteLength;
  return bytes;
}

function decode(coding: ContentCoding, ...pieces: Uint8Array[]): ByteReader {
  return decodedReader(new PiecesReader(...pieces), [coding], limits());
}

const text = Buffer.from('a page of text '.repeat(1000));

describe('which codings are undone (RFC 9110 section 8.4)', () => {
  const table: [field: string[], codings: string[]][] = [
    [[], []],
    [['gzip'], ['gzip']],
    [['X-GZip'], ['gzip']],
    [['deflate, br'], ['br', 'deflate']],
    [
      ['deflate', 'br'],
      ['br', 'deflate'],
    ],
    [['identity'], []],
    [[' , gzip ,'], ['gzip']],
    [['gzip, unknown'], []],
    [['compress'], []],
    [[''], []],
  ];
  it.each(table)('%j gives %j', (field, codings) => {
    const headers = field.flatMap((value) => ['content-encoding', value]);
    expect(contentCodings(headers, limits())).toEqual(codings);
  });

  it('bounds how many there are, known or not (CVE-2026-22036)', () => {
    for (const coding of ['gzip', 'unknown']) {
      const headers = ['content-encoding', Array(5000).fill(coding).join(', ')];
      expect(() => contentCodings(headers, limits())).toThrow(
        expect.objectContaining({ code: 'ERR_LIMIT', limit: 'maxContentCodings', value: 2 }),
      );
    }
    expect(contentCodings(['content-encoding', 'gzip,gzip,gzip'], limits({ maxContentCodings: 3 })).length).toBe(3);
  });

  it('offers what it undoes', () => {
    expect(acceptEncoding(false)).toBe('gzip, deflate');
    expect(acceptEncoding(true)).toBe(`gzip, deflate, br${createZstdDecoder === undefined ? '' : ', zstd'}`);
  });
});

/** Where Node has it. */
const { zstdCompressSync } = zlib as unknown as { readonly zstdCompressSync?: (bytes: Uint8Array) => Buffer };
const zstd: [string, ContentCoding, Buffer][] =
  zstdCompressSync === undefined ? [] : [['zstd', 'zstd', zstdCompressSync(text)]];

describe('decoding', () => {
  const kinds: [string, ContentCoding, Buffer][] = [
    ['gzip', 'gzip', gzipSync(text)],
    ['deflate in zlib form', 'deflate', deflateSync(text)],
    ['deflate in raw form', 'deflate', deflateRawSync(text)],
    ['br', 'br', brotliCompressSync(text)],
    [
      'gzip of two members (RFC 1952 section 2.2)',
      'gzip',
      Buffer.concat([gzipSync(text.subarray(0, 99)), gzipSync(text.subarray(99))]),
    ],
  ];
  it.each([...kinds, ...zstd])('undoes %s, whole and byte by byte', async (_name, coding, coded) => {
    expect(await all(decode(coding, coded))).toEqual(text);
    expect(await all(decode(coding, ...Array.from(coded, (byte) => new Uint8Array([byte]))))).toEqual(text);
  });

  it('undoes two in their order', async () => {
    const coded = brotliCompressSync(gzipSync(text));
    const codings = contentCodings(['content-encoding', 'gzip, br'], limits());
    expect(await all(decodedReader(new PiecesReader(coded), codings, limits()))).toEqual(text);
  });

  it('passes a body without codings as it is', () => {
    const reader = new PiecesReader();
    expect(decodedReader(reader, [], limits())).toBe(reader);
  });

  it.each(['gzip', 'deflate', 'br'] as const)('takes no bytes at all for no body (%s)', async (coding) => {
    expect(await all(decode(coding))).toEqual(Buffer.alloc(0));
  });

  it.each([...kinds.slice(0, 4), ...zstd])(
    'fails a truncated %s, after what came before',
    async (_name, coding, coded) => {
      for (const cut of [1, Math.floor(coded.length / 2), coded.length - 1]) {
        const source = new PiecesReader(coded.subarray(0, cut));
        const reader = decodedReader(source, [coding], limits());
        await expect(all(reader)).rejects.toMatchObject({ code: 'ERR_CONTENT_DECODING', initiator: 'peer' });
        expect(source.cancelledWith).toMatchObject({ code: 'ERR_CONTENT_DECODING' });
      }
    },
  );

  it.each(['gzip', 'deflate', 'br'] as const)('fails bytes that are no %s', async (coding) => {
    await expect(all(decode(coding, Buffer.from('this is no coded body at all')))).rejects.toMatchObject({
      code: 'ERR_CONTENT_DECODING',
    });
  });

  it('fails a body with a wrong checksum', async () => {
    const coded = gzipSync(text);
    coded[coded.length - 6]! ^= 1;
    await expect(all(decode('gzip', coded))).rejects.toMatchObject({ code: 'ERR_CONTENT_DECODING' });
  });

  it('passes on what failed below', async () => {
    const lost = new Error('lost');
    const pieces = [gzipSync(text).subarray(0, 20)];
    const source: ByteReader = {
      read: () => (pieces.length > 0 ? Promise.resolve(pieces.shift()) : Promise.reject(lost)),
      cancel: () => {},
    };
    await expect(all(decodedReader(source, ['gzip'], limits()))).rejects.toBe(lost);
  });

  it('asks for input only when output was asked for, and stops at cancel', async () => {
    const big = Buffer.alloc(10_000_000);
    const coded = gzipSync(big);
    const pieces = Array.from({ length: 10 }, (_, index) => {
      const size = Math.ceil(coded.length / 10);
      return coded.subarray(index * size, (index + 1) * size);
    });
    const source = new PiecesReader(...pieces);
    const reader = decodedReader(source, ['gzip'], limits());
    expect(source.asked).toBe(0);
    await reader.read();
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(source.asked).toBe(1);
    reader.cancel('enough');
    expect(source.cancelledWith).toBe('enough');
    expect(await reader.read()).toBeUndefined();
  });

  it('lets go of a reader that waits when it is cancelled', async () => {
    let release: ((piece: Uint8Array | undefined) => void) | undefined;
    const source: ByteReader = {
      read: () => new Promise((resolve) => (release = resolve)),
      cancel: () => release?.(undefined),
    };
    const reader = decodedReader(source, ['gzip'], limits());
    const pending = reader.read();
    reader.cancel();
    expect(await pending).toBeUndefined();
  });
});

describe('decompression bombs', () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));

  it('stops at the ratio once the size matters', async () => {
    const source = new PiecesReader(bomb);
    const reader = decodedReader(source, ['gzip'], limits({ decodedRatioFrom: 1_000_000 }));
    let bytes = 0;
    await expect(
      (async () => {
        for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) bytes += piece.length;
      })(),
    ).rejects.toMatchObject({ code: 'ERR_LIMIT', limit: 'maxDecodedRatio', value: 200 });
    expect(bytes).toBeLessThanOrEqual(200 * bomb.length);
    expect(source.cancelledWith).toMatchObject({ limit: 'maxDecodedRatio' });
  });

  it('stops at the absolute size', async () => {
    const reader = decodedReader(new PiecesReader(bomb), ['gzip'], limits({ maxDecodedBytes: 5_000_000 }));
    await expect(length(reader)).rejects.toMatchObject({ code: 'ERR_LIMIT', limit: 'maxDecodedBytes' });
  });

  it('counts a bomb in a bomb by the bytes on the wire', async () => {
    const nested = gzipSync(gzipSync(Buffer.alloc(50_000_000)));
    const reader = decodedReader(new PiecesReader(nested), ['gzip', 'gzip'], limits({ decodedRatioFrom: 1_000_000 }));
    await expect(length(reader)).rejects.toMatchObject({ limit: 'maxDecodedRatio' });
  });

  it('lets small pages of any ratio pass', async () => {
    expect(await length(decode('br', brotliCompressSync(Buffer.alloc(1_000_000))))).toBe(1_000_000);
  });
});

describe('the Web Platform Tests of content-encoding', () => {
  const folder = new URL('../../vectors/wpt-content-encoding/', import.meta.url);
  const codings = (['gzip', 'br', 'zstd'] as const).filter(
    (coding) => coding !== 'zstd' || createZstdDecoder !== undefined,
  );
  const suffix = { gzip: 'gz', br: 'br', zstd: 'zst' };

  function resource(coding: 'gzip' | 'br' | 'zstd', name: string): ByteReader {
    const path = `${coding}/resources/${name}.${suffix[coding]}`;
    const headers = readFileSync(new URL(`${path}.headers`, folder), 'latin1')
      .trim()
      .split(/\r?\n/)
      .flatMap((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]);
    const found = contentCodings(headers, limits());
    expect(found).toEqual([coding]);
    return decodedReader(new PiecesReader(readFileSync(new URL(path, folder))), found, limits());
  }

  it.each(codings)('%s: small bodies of every type', async (coding) => {
    const foo = 'foo'.repeat(3500);
    expect((await all(resource(coding, 'foo.octetstream'))).toString() === foo).toBe(true);
    expect((await all(resource(coding, 'foo.text'))).toString() === foo).toBe(true);
    expect((await all(resource(coding, 'hello.html'))).toString().trim()).toBe('Hello world');
  });

  it.each(codings)('%s: a body of 27,000,000 octets', async (coding) => {
    expect(await length(resource(coding, 'big.text'))).toBe(27_000_000);
  });

  it.each(codings.filter((coding) => coding === 'zstd'))(
    '%s: a window above 8 MiB is refused (RFC 9659)',
    async (coding) => {
      await expect(length(resource(coding, 'big.window'))).rejects.toMatchObject({ code: 'ERR_CONTENT_DECODING' });
    },
  );
});
