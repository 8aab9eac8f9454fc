/**
 * Request bodies: whatever the user gives, as one thing that knows its length, its type and whether it can be read
 * twice.
 *
 * Owns the reading of the kinds of body that a request takes; the Content-Type that each implies is the Fetch
 * standard's (section "Bodies", "extract a body"). Sending is body-sender.ts's work.
 *
 * Invariant: nothing of the user's body is touched before `open` is called.
 *
 * @module
 */
import { ConfigurationError, type Random } from '../common/index.ts';
import type { BodySource } from './body-content.ts';
import { multipartSource } from './multipart.ts';

/** What may be the content of a request. A buffer belongs to the client until the request has ended. */
export type RequestBody =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | URLSearchParams
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

/** A body in memory. */
export function bytesSource(bytes: Uint8Array, contentType: string | undefined): BodySource {
  return {
    length: bytes.byteLength,
    contentType,
    replayable: true,
    bytes,
    open: () => singleChunk(bytes),
  };
}

/** A body that comes piece by piece, once. */
export function iterableSource(body: AsyncIterable<Uint8Array>): BodySource {
  return {
    length: undefined,
    contentType: undefined,
    replayable: false,
    bytes: undefined,
    open: () => body[Symbol.asyncIterator](),
  };
}

/**
 * The source of a request body.
 *
 * @param random - for the boundary of multipart/form-data
 * @throws ConfigurationError for what is no body
 */
export function bodySource(body: RequestBody, random: Random): BodySource {
  if (typeof body === 'string') return bytesSource(Buffer.from(body, 'utf8'), 'text/plain;charset=UTF-8');
  if (body instanceof Uint8Array) return bytesSource(body, undefined);
  if (body instanceof ArrayBuffer) return bytesSource(new Uint8Array(body), undefined);
  if (ArrayBuffer.isView(body)) {
    return bytesSource(new Uint8Array(body.buffer, body.byteOffset, body.byteLength), undefined);
  }
  if (body instanceof URLSearchParams) {
    const type = 'application/x-www-form-urlencoded;charset=UTF-8';
    return bytesSource(Buffer.from(body.toString(), 'utf8'), type);
  }
  if (body instanceof Blob) return blobSource(body);
  if (body instanceof ReadableStream || isAsyncIterable(body)) return iterableSource(body);
  // Last, since Node loads all of its fetch when somebody first asks for FormData.
  if ((body as unknown) instanceof FormData) return multipartSource(body, random);
  throw new ConfigurationError('the body of a request cannot be sent', {
    code: 'ERR_REQUEST_BODY',
    hint: 'give a string, bytes, Blob, FormData, URLSearchParams, ReadableStream or an async iterable of Uint8Array',
  });
}

/** Whether something can be iterated with `for await`. */
export function isAsyncIterable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function blobSource(blob: Blob): BodySource {
  return {
    length: blob.size,
    contentType: blob.type === '' ? undefined : blob.type,
    replayable: true,
    bytes: undefined,
    open: () => (blob.stream() as ReadableStream<Uint8Array>)[Symbol.asyncIterator](),
  };
}

async function* singleChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
