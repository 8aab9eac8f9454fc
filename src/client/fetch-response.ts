/**
 * The Response that fetch answers: ours, which is an instance of the platform's class and makes no stream before
 * somebody asks for one.
 *
 * Owns the making of one from a {@link ClientResponse}, and its body: whole at once when all of it has come. Its headers
 * are not write-protected as a browser's are; content-encoding and content-length stay as they were received although
 * the body is decoded, as in Node's own fetch.
 *
 * Invariant: a response that nobody holds any more gives up the connection that waits for its reader.
 *
 * @module
 */
import type { BodyFeed } from '../fetch/body.ts';
import { joinBytes } from '../fetch/body.ts';
import type { Response as OwnResponse } from '../fetch/response.ts';
import { receivedResponse } from '../fetch/response.ts';
import type { ByteReader } from './byte-reader.ts';
import { readableStream } from './byte-reader.ts';
import type { ClientResponse } from './client-response.ts';
import type { ContentCoding } from './content-decoding.ts';
import { contentCodings, decodedReader } from './content-decoding.ts';
import type { ClientLimits } from './limits.ts';
import type { RequestUrl } from './request-url.ts';

/** What was asked for. */
export interface FetchedRequest {
  readonly url: RequestUrl;
  readonly method: string;
  readonly signal: AbortSignal | undefined;
}

/** The standard's null body statuses: whatever follows the head is no body. */
function hasNullBody(status: number): boolean {
  return status === 101 || status === 103 || status === 204 || status === 205 || status === 304;
}

/**
 * The Response to a request of fetch.
 *
 * @throws LimitError for more content codings than the limit
 */
export function fetchedResponse(
  response: ClientResponse,
  request: FetchedRequest,
  redirected: boolean,
  limits: ClientLimits,
): OwnResponse {
  const { status, headers, body } = response;
  const facts = { status, fields: headers, url: request.url.hrefWithoutHash, redirected };
  if (request.method === 'HEAD' || hasNullBody(status)) {
    void body.discard();
    return receivedResponse({ ...facts, feed: undefined });
  }
  const feed = new FetchedBody(response, contentCodings(headers, limits), request.signal, limits);
  const fetched = receivedResponse({ ...facts, feed });
  if (!body.complete) forgotten.register(fetched, body, feed);
  return fetched;
}

/** Bodies whose response nobody holds any more are given up, so that a forgotten response blocks no connection. */
const forgotten = new FinalizationRegistry<ByteReader>((reader) => reader.cancel());

/** The content of a fetched response, its codings undone. */
class FetchedBody implements BodyFeed {
  readonly #response: ClientResponse;
  readonly #codings: readonly ContentCoding[];
  readonly #signal: AbortSignal | undefined;
  readonly #limits: ClientLimits;

  constructor(
    response: ClientResponse,
    codings: readonly ContentCoding[],
    signal: AbortSignal | undefined,
    limits: ClientLimits,
  ) {
    this.#response = response;
    this.#codings = codings;
    this.#signal = signal;
    this.#limits = limits;
  }

  collect(whole: (bytes: Uint8Array) => void, failed: (error: unknown) => void): void {
    forgotten.unregister(this);
    const { body } = this.#response;
    const atHand = this.#codings.length === 0 && this.#signal?.aborted !== true ? body.take() : undefined;
    if (atHand !== undefined) whole(atHand);
    else gather(this.#reader()).then(whole, (error: unknown) => failed(bodyError(error, this.#signal)));
  }

  stream(): ReadableStream<Uint8Array> {
    forgotten.unregister(this);
    return readableStream(this.#reader(), (error) => bodyError(error, this.#signal));
  }

  #reader(): ByteReader {
    const decoded = decodedReader(this.#response.body, this.#codings, this.#limits);
    return this.#signal === undefined ? decoded : new AbortableReader(decoded, this.#signal);
  }
}

async function gather(reader: ByteReader): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) pieces.push(piece);
  return joinBytes(pieces);
}

/** Undici's words, which other code looks for; the cause tells more. */
function bodyError(error: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  return new TypeError('terminated', { cause: error });
}

/** A body that cannot be read any more after an abort, even if all of it had come. */
class AbortableReader implements ByteReader {
  readonly #source: ByteReader;
  readonly #signal: AbortSignal;

  constructor(source: ByteReader, signal: AbortSignal) {
    this.#source = source;
    this.#signal = signal;
  }

  read(): Promise<Uint8Array | undefined> {
    if (!this.#signal.aborted) return this.#source.read();
    this.#source.cancel(this.#signal.reason);
    return Promise.reject(this.#signal.reason as Error);
  }

  cancel(reason?: unknown): void {
    this.#source.cancel(reason);
  }
}
