/**
 * Content codings undone while they stream (RFC 9110 section 8.4): gzip, deflate, br, and zstd where Node has it.
 *
 * Owns which codings are undone and in what order, and the bounds: at most `maxContentCodings` of them
 * (CVE-2026-22036), an absolute cap and a cap on the ratio, checked on every stage. A body with a coding that is not
 * known is passed as it came. Decoding is node:zlib's.
 *
 * Invariants: a stage holds at most one piece of input and one buffer of output; input is asked for only when output
 * was; a truncated body fails; a decoder is destroyed on every way out.
 *
 * @module
 */
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';
import { combinedHeaderValue, HfaceError, LimitError } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ClientLimits } from './limits.ts';
import { createZstdDecoder } from './platform-features.ts';
import { ZstdFrames } from './zstd-frames.ts';

/** A coding that can be undone. */
export type ContentCoding = 'gzip' | 'deflate' | 'br' | 'zstd';

/** What to send as Accept-Encoding. Over cleartext only what middleboxes have known for ever, as browsers do. */
export function acceptEncoding(secure: boolean): string {
  if (!secure) return 'gzip, deflate';
  return createZstdDecoder === undefined ? 'gzip, deflate, br' : 'gzip, deflate, br, zstd';
}

/**
 * The codings of a body in the order in which they are to be undone; empty when there is nothing to undo, or one that
 * is unknown.
 *
 * @throws LimitError `maxContentCodings`
 */
export function contentCodings(headers: HeaderList, limits: ClientLimits): ContentCoding[] {
  const field = combinedHeaderValue(headers, 'content-encoding');
  if (field === undefined) return [];
  const codings: ContentCoding[] = [];
  let known = true;
  let count = 0;
  for (const token of field.toLowerCase().split(',')) {
    const name = token.trim();
    if (name === '' || name === 'identity') continue;
    count += 1;
    if (count > limits.maxContentCodings) {
      const message = `the body has more than ${limits.maxContentCodings} content codings`;
      throw new LimitError(message, { limit: 'maxContentCodings', value: limits.maxContentCodings });
    }
    const coding = knownCoding(name);
    if (coding === undefined) known = false;
    else codings.push(coding);
  }
  return known ? codings.reverse() : [];
}

function knownCoding(name: string): ContentCoding | undefined {
  switch (name) {
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
    case 'br':
      return name;
    case 'zstd':
      return createZstdDecoder === undefined ? undefined : 'zstd';
    default:
      return undefined;
  }
}

/** The body with its codings undone. */
export function decodedReader(reader: ByteReader, codings: readonly ContentCoding[], limits: ClientLimits): ByteReader {
  if (codings.length === 0) return reader;
  const counted = new CountingReader(reader);
  let decoded: ByteReader = counted;
  for (const coding of codings) decoded = new DecodingReader(decoded, coding, counted, limits);
  return decoded;
}

/** Passes a body on and counts it. */
class CountingReader implements ByteReader {
  readonly #source: ByteReader;
  #bytes: number;

  constructor(source: ByteReader) {
    this.#source = source;
    this.#bytes = 0;
  }

  /** Coded bytes so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async read(): Promise<Uint8Array | undefined> {
    const piece = await this.#source.read();
    if (piece !== undefined) this.#bytes += piece.byteLength;
    return piece;
  }

  cancel(reason?: unknown): void {
    this.#source.cancel(reason);
  }
}

/** One coding undone. */
class DecodingReader implements ByteReader {
  readonly #source: ByteReader;
  readonly #coding: ContentCoding;
  readonly #coded: CountingReader;
  readonly #limits: ClientLimits;
  readonly #frames: ZstdFrames | undefined;
  #decoder: Transform | undefined;
  #output: number;
  /** The decoder is at work on a piece. */
  #busy: boolean;
  #inputEnded: boolean;
  #outputEnded: boolean;
  /** Cancelled or failed: the decoder is destroyed. */
  #released: boolean;
  #error: Error | undefined;
  #wake: (() => void) | undefined;

  constructor(source: ByteReader, coding: ContentCoding, coded: CountingReader, limits: ClientLimits) {
    this.#source = source;
    this.#coding = coding;
    this.#coded = coded;
    this.#limits = limits;
    this.#frames = coding === 'zstd' ? new ZstdFrames() : undefined;
    this.#decoder = undefined;
    this.#output = 0;
    this.#busy = false;
    this.#inputEnded = false;
    this.#outputEnded = false;
    this.#released = false;
    this.#error = undefined;
    this.#wake = undefined;
  }

  async read(): Promise<Uint8Array | undefined> {
    try {
      for (;;) {
        if (this.#released) return undefined;
        const piece = this.#decoder?.read() as Buffer | null | undefined;
        if (piece !== null && piece !== undefined) return this.#counted(piece);
        if (this.#error !== undefined) throw this.#error;
        if (this.#outputEnded) {
          this.#checkEnd();
          return undefined;
        }
        if (this.#busy || this.#inputEnded) await this.#change();
        else await this.#feed();
      }
    } catch (error) {
      this.#release();
      this.#source.cancel(error);
      throw error;
    }
  }

  cancel(reason?: unknown): void {
    this.#release();
    this.#source.cancel(reason);
    this.#signal();
  }

  /** Gives the decoder the next piece, or the end. */
  async #feed(): Promise<void> {
    const piece = await this.#source.read();
    if (this.#released) return;
    if (piece === undefined) {
      this.#inputEnded = true;
      // No bytes at all are no body, whatever Content-Encoding says.
      if (this.#decoder === undefined) this.#outputEnded = true;
      else this.#decoder.end();
      return;
    }
    this.#frames?.push(piece);
    this.#decoder ??= this.#open(piece);
    this.#busy = true;
    this.#decoder.write(piece, () => {
      this.#busy = false;
      this.#signal();
    });
  }

  #open(first: Uint8Array): Transform {
    let decoder: Transform;
    try {
      decoder = createDecoder(this.#coding, first);
    } catch (error) {
      throw this.#failure(error);
    }
    decoder.on('readable', () => this.#signal());
    decoder.on('end', () => {
      this.#outputEnded = true;
      this.#signal();
    });
    decoder.on('error', (error) => {
      this.#error = this.#failure(error);
      this.#busy = false;
      this.#signal();
    });
    return decoder;
  }

  /** The decoder has ended; whether the body had, it does not always tell. */
  #checkEnd(): void {
    if (this.#frames === undefined || this.#decoder === undefined || this.#frames.complete) return;
    throw this.#failure(new Error('unexpected end of file'));
  }

  #counted(piece: Buffer): Uint8Array {
    this.#output += piece.byteLength;
    const { maxDecodedBytes, maxDecodedRatio, decodedRatioFrom } = this.#limits;
    if (this.#output > maxDecodedBytes) {
      const message = `the decoded body is larger than ${maxDecodedBytes} bytes`;
      throw new LimitError(message, { limit: 'maxDecodedBytes', value: maxDecodedBytes });
    }
    if (this.#output > decodedRatioFrom && this.#output > maxDecodedRatio * this.#coded.bytes) {
      const message = `the decoded body is more than ${maxDecodedRatio} times as large as the coded one`;
      throw new LimitError(message, { limit: 'maxDecodedRatio', value: maxDecodedRatio });
    }
    return piece;
  }

  #failure(cause: unknown): HfaceError {
    return new HfaceError(`the body is no proper ${this.#coding}: ${cause instanceof Error ? cause.message : ''}`, {
      code: 'ERR_CONTENT_DECODING',
      initiator: 'peer',
      cause,
    });
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #release(): void {
    this.#released = true;
    this.#decoder?.destroy();
  }
}

function createDecoder(coding: ContentCoding, first: Uint8Array): Transform {
  switch (coding) {
    case 'gzip':
      return createGunzip();
    case 'br':
      return createBrotliDecompress();
    case 'zstd':
      return (createZstdDecoder as () => Transform)();
    case 'deflate':
      // RFC 9110 section 8.4.1.2: zlib data, but some senders leave the wrapper out. The first octet of the wrapper
      // tells method 8 and a window of at most 32 KiB (RFC 1950); no useful raw data begins like that.
      return ((first[0] ?? 0) & 0x0f) === 8 && (first[0] ?? 0) >> 4 <= 7 ? createInflate() : createInflateRaw();
  }
}
