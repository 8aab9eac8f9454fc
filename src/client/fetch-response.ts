/**
 * The platform Response that fetch answers, with what only a fetched one has: url, redirected, type.
 *
 * Owns the class and the making of one from a {@link ClientResponse}. Its headers are not write-protected as a
 * browser's are; content-encoding and content-length stay as they were received although the body is decoded, as in
 * Node's own fetch.
 *
 * @module
 */
import type { HeaderList } from '../common/index.ts';
import { readableStream } from './byte-reader.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ClientResponse } from './client-response.ts';
import { contentCodings, decodedReader } from './content-decoding.ts';
import type { ClientLimits } from './limits.ts';

/** What a fetched response knows of itself. */
interface FetchedFacts {
  readonly url: string;
  readonly redirected: boolean;
  readonly status: number;
  /** There is no CORS, so nothing is ever filtered. */
  readonly type: 'basic';
}

/** The platform's Response, without the members that a fetched one answers itself. */
interface BareResponse {
  clone(): Response;
}
type BareResponseClass = new (
  body: ReadableStream<Uint8Array> | null,
  init: { readonly status: number; readonly headers: Headers },
) => BareResponse;

type FetchedResponseClass = new (
  body: ReadableStream<Uint8Array> | null,
  headers: Headers,
  facts: FetchedFacts,
) => BareResponse;

let fetchedResponseClass: FetchedResponseClass | undefined;

/**
 * A Response that came over the network, with its own clone. The class is made at the first fetch: Node loads all of
 * its fetch when somebody first asks for Response, and a program that only imports this package shall not pay for that.
 */
function made(body: ReadableStream<Uint8Array> | null, headers: Headers, facts: FetchedFacts): Response {
  fetchedResponseClass ??= fetchedResponseOf(Response);
  return new fetchedResponseClass(body, headers, facts) as unknown as Response;
}

function fetchedResponseOf(Bare: BareResponseClass): FetchedResponseClass {
  return class FetchedResponse extends Bare {
    readonly #facts: FetchedFacts;

    constructor(body: ReadableStream<Uint8Array> | null, headers: Headers, facts: FetchedFacts) {
      const { status } = facts;
      const isUsual = status >= 200 && status <= 599;
      super(body, { status: isUsual ? status : 200, headers });
      this.#facts = facts;
      // The constructor takes no others, but servers send them.
      if (!isUsual) Object.defineProperties(this, { status: { value: status }, ok: { value: false } });
    }

    get url(): string {
      return this.#facts.url;
    }

    get redirected(): boolean {
      return this.#facts.redirected;
    }

    get type(): string {
      return this.#facts.type;
    }

    override clone(): Response {
      const copy = super.clone();
      return made(copy.body as ReadableStream<Uint8Array> | null, copy.headers, this.#facts);
    }
  };
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
  method: string,
  redirected: boolean,
  signal: AbortSignal | undefined,
  limits: ClientLimits,
): Response {
  const { status } = response;
  const url = new URL(response.url);
  url.hash = '';
  const facts: FetchedFacts = { url: url.href, redirected, status, type: 'basic' };
  const headers = headersOf(response.headers);
  if (method === 'HEAD' || hasNullBody(status)) {
    void response.body.discard();
    return made(null, headers, facts);
  }
  const decoded = decodedReader(response.body, contentCodings(response.headers, limits), limits);
  const reader = signal === undefined ? decoded : new AbortableReader(decoded, signal);
  return made(
    readableStream(reader, (error) => bodyError(error, signal)),
    headers,
    facts,
  );
}

function headersOf(list: HeaderList): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < list.length; index += 2) {
    headers.append(list[index] as string, list[index + 1] as string);
  }
  return headers;
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
