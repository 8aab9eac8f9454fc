/**
 * The content of a request or response.
 *
 * Owns the ways to read it once. Content that is at hand (text, bytes) or that its owner gathers (a server's request)
 * is read without a stream; a stream is made when somebody asks for one, and from then on everything goes through it.
 * Fetch standard, sections 2.2.4 and 5.3.
 *
 * Bytes are not copied when a body is made: they are given away.
 *
 * @module
 */
import { ReadableStream as WebReadableStream } from 'node:stream/web';
import { isDisturbed, natives } from './platform.ts';

/** Content that its owner gathers or streams, whichever is asked for. */
export interface BodyFeed {
  /** Gathers all of it and answers once, perhaps at once. The bytes are the receiver's. */
  collect(whole: (bytes: Uint8Array) => void, failed: (error: unknown) => void): void;
  /** All of it as a byte stream. */
  stream(): WebReadableStream<Uint8Array>;
}

/** What a body is made of. */
export type BodyInput =
  | string
  | ArrayBuffer
  | NodeJS.ArrayBufferView
  | Blob
  | URLSearchParams
  | globalThis.FormData
  | WebReadableStream
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>;

/** Content at hand, or on its way. */
export type BodyContent = string | Uint8Array | BodyFeed;

/** One body: of a message, or of several that share it in turn. */
export class Body {
  /** Until it is read or a stream was made of it. */
  #content: BodyContent | undefined;
  #stream: WebReadableStream<Uint8Array> | undefined;
  #used: boolean;

  constructor(content: BodyContent | undefined, stream?: WebReadableStream<Uint8Array>) {
    this.#content = content;
    this.#stream = stream;
    this.#used = false;
  }

  /** Whether anything was read of it. */
  get used(): boolean {
    return this.#used || (this.#stream !== undefined && isDisturbed(this.#stream));
  }

  /** Whether nobody can read it any more: it was used, or somebody holds its stream. */
  get unusable(): boolean {
    return this.#used || (this.#stream !== undefined && (this.#stream.locked || isDisturbed(this.#stream)));
  }

  /** The stream, made at the first call. */
  get stream(): WebReadableStream<Uint8Array> {
    return (this.#stream ??= this.#makeStream());
  }

  /** The content where it is at hand and nobody has begun to read it; it counts as used from then on. */
  take(): string | Uint8Array | undefined {
    const content = this.#content;
    if (typeof content !== 'string' && !(content instanceof Uint8Array)) return undefined;
    this.#content = undefined;
    this.#used = true;
    return content;
  }

  /** A second body with the same content. @throws TypeError when it was used */
  clone(): Body {
    if (this.unusable) throw new TypeError('Body is unusable: it cannot be cloned after it was read');
    const content = this.#content;
    if (typeof content === 'string' || content instanceof Uint8Array) return new Body(content);
    const [one, other] = this.stream.tee();
    this.#stream = one;
    return new Body(undefined, other);
  }

  /** All bytes, for the caller alone. */
  bytes(): Promise<Uint8Array> {
    return this.#read(exactBytes);
  }

  /** All bytes, in memory of their own. */
  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#read(exactBuffer);
  }

  /** Decoded as UTF-8. */
  text(): Promise<string> {
    return this.#read(decode);
  }

  /** Parsed as JSON. */
  json(): Promise<unknown> {
    return this.#read(parse);
  }

  /** As a Blob or a form, which the platform makes. `type`: the Content-Type. */
  async special(kind: 'blob', type: string | null): Promise<Blob>;
  async special(kind: 'formData', type: string | null): Promise<globalThis.FormData>;
  async special(kind: 'blob' | 'formData', type: string | null): Promise<Blob | globalThis.FormData> {
    const bytes = await this.bytes();
    const native = new (natives().Response)(bytes, type === null ? {} : { headers: { 'content-type': type } });
    return kind === 'blob' ? native.blob() : native.formData();
  }

  #read<Result>(convert: (bytes: Uint8Array) => Result): Promise<Result> {
    if (this.unusable) return Promise.reject(unusable());
    const content = this.#content;
    this.#used = true;
    this.#content = undefined;
    if (content === undefined) return gather(this.stream).then(convert);
    return new Promise((resolve, reject) => {
      const whole = (bytes: Uint8Array): void => {
        try {
          resolve(convert(bytes));
        } catch (error) {
          reject(error);
        }
      };
      if (typeof content === 'string') whole(Buffer.from(content));
      else if (content instanceof Uint8Array) whole(content);
      else content.collect(whole, reject);
    });
  }

  #makeStream(): WebReadableStream<Uint8Array> {
    const content = this.#content;
    this.#content = undefined;
    if (content === undefined) {
      // It was read without a stream: what is left of it is an end.
      const spent = streamOf(new Uint8Array(0));
      void spent.cancel();
      return spent;
    }
    if (typeof content === 'string') return streamOf(new TextEncoder().encode(content));
    return content instanceof Uint8Array ? streamOf(new Uint8Array(content)) : content.stream();
  }
}

/** What a body says of its content besides: a Content-Type, where it knows one. */
export interface ExtractedBody {
  readonly body: Body;
  readonly type: string | undefined;
}

/** Fetch standard, "extract a body". @throws TypeError for a stream that was used */
export function extractBody(input: BodyInput): ExtractedBody {
  if (typeof input === 'string') return { body: new Body(input), type: TEXT };
  if (input instanceof Uint8Array) return { body: new Body(input), type: undefined };
  if (input instanceof ArrayBuffer) return { body: new Body(new Uint8Array(input)), type: undefined };
  if (ArrayBuffer.isView(input)) {
    const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
    return { body: new Body(bytes), type: undefined };
  }
  if (input instanceof WebReadableStream) {
    if (input.locked || isDisturbed(input)) throw new TypeError('the stream of a body must not be used or locked');
    return { body: new Body(undefined, input as WebReadableStream<Uint8Array>), type: undefined };
  }
  if (input instanceof URLSearchParams) return { body: new Body(input.toString()), type: FORM };
  if (input instanceof Blob) return { body: new Body(feedOf(input)), type: input.type === '' ? undefined : input.type };
  return extractForeign(input);
}

/** Forms, iterables, and what is neither: the platform knows. */
function extractForeign(input: BodyInput): ExtractedBody {
  const native = new (natives().Response)(input);
  return {
    body: new Body(undefined, native.body as WebReadableStream<Uint8Array>),
    type: native.headers.get('content-type') ?? undefined,
  };
}

function feedOf(blob: Blob): BodyFeed {
  return {
    collect(whole, failed) {
      blob.arrayBuffer().then((buffer) => whole(new Uint8Array(buffer)), failed);
    },
    stream: () => blob.stream() as WebReadableStream<Uint8Array>,
  };
}

function streamOf(bytes: Uint8Array): WebReadableStream<Uint8Array> {
  return new WebReadableStream({
    type: 'bytes',
    pull(controller) {
      if (bytes.byteLength > 0) controller.enqueue(bytes);
      controller.close();
      (controller.byobRequest as { respond(bytes: number): void } | null | undefined)?.respond(0);
    },
  });
}

async function gather(stream: WebReadableStream<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const reader = stream.getReader();
  for (let result = await reader.read(); !result.done; result = await reader.read()) {
    const piece: unknown = result.value;
    if (!(piece instanceof Uint8Array)) {
      const error = new TypeError('a body stream must yield Uint8Array');
      reader.cancel(error).catch(() => undefined);
      throw error;
    }
    pieces.push(piece);
  }
  return joinBytes(pieces);
}

/** Pieces as one, in memory of its own. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.byteLength;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

function exactBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function exactBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  return buffer instanceof ArrayBuffer
    ? buffer.slice(byteOffset, byteOffset + byteLength)
    : new Uint8Array(bytes).buffer;
}

/** As UTF-8, without a byte order mark (Encoding standard, "UTF-8 decode"). */
function decode(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function parse(bytes: Uint8Array): unknown {
  return JSON.parse(decode(bytes)) as unknown;
}

/** What reading a second time rejects with. */
export function unusable(): TypeError {
  return new TypeError('Body is unusable: Body has already been read');
}

const TEXT = 'text/plain;charset=UTF-8';
const FORM = 'application/x-www-form-urlencoded;charset=UTF-8';
