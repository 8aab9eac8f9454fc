/**
 * What `dispatch` answers: a response as it came, its body still on the way.
 *
 * Owns the response object and the handler that fills it. Nothing is decoded, followed or remembered.
 *
 * Invariants: the promise of a response settles once, by its head or by what failed before it; a failure after the
 * head goes to whoever reads the body or the trailers, and to nobody else.
 *
 * @module
 */
import { headerValue, headerValues } from '../common/index.ts';
import type { HeaderList, HfaceError } from '../common/index.ts';
import type { ByteReader } from './byte-reader.ts';
import type { InformationalResponse } from './client-request.ts';
import { contentCodings, decodedReader } from './content-decoding.ts';
import type { ClientLimits } from './limits.ts';
import type {
  ClientRequestHandle,
  ClientRequestHandler,
  HttpVersion,
  RequestConnection,
  RequestTimings,
} from './request-handler.ts';
import type { RequestUrl } from './request-url.ts';
import { ResponseBody } from './response-body.ts';

/** What a response has in common with the request that it answers. */
export interface ResponseSource {
  readonly url: RequestUrl;
  readonly informational: readonly InformationalResponse[];
  readonly handle: ClientRequestHandle;
  readonly limits: ClientLimits;
  trailers(): Promise<HeaderList>;
}

/** The response to a {@link ClientRequest}. Read its body, or cancel it: until then it holds its connection. */
export class ClientResponse implements AsyncDisposable {
  readonly status: number;
  /** The regular fields in wire order, lowercase. */
  readonly headers: HeaderList;
  /** Their names as received, on HTTP/1. */
  readonly rawNames: readonly string[] | undefined;
  /** The version of this very message. */
  readonly httpVersion: HttpVersion;
  /** The body, as an async iterable. After 101 or an accepted CONNECT: what the other side sends. */
  readonly body: ResponseBody;
  readonly #source: ResponseSource;

  /**
   * Made by the session.
   *
   * @hidden
   */
  constructor(
    source: ResponseSource,
    status: number,
    headers: HeaderList,
    rawNames: readonly string[] | undefined,
    httpVersion: HttpVersion,
    body: ResponseBody,
  ) {
    this.status = status;
    this.headers = headers;
    this.rawNames = rawNames;
    this.httpVersion = httpVersion;
    this.body = body;
    this.#source = source;
  }

  /** What was asked for. */
  get url(): URL {
    return this.#source.url.url;
  }

  /** The interim responses that came before, in order. */
  get informational(): readonly InformationalResponse[] {
    return this.#source.informational;
  }

  /** Whether the status is 200 to 299. */
  get ok(): boolean {
    return this.status >= 200 && this.status < 300;
  }

  /** When what happened; later steps appear as they come. */
  get timings(): Readonly<RequestTimings> {
    return this.#source.handle.timings;
  }

  /** What carried it. */
  get connection(): Readonly<RequestConnection> {
    return this.#source.handle.connection as RequestConnection;
  }

  /**
   * The trailer section, empty without one, once the body has ended. The body must be read for that. Rejects when the
   * body fails.
   */
  get trailers(): Promise<HeaderList> {
    return this.#source.trailers();
  }

  /** The first value of a field, or `undefined`. `name` in any case. */
  header(name: string): string | undefined {
    return headerValue(this.headers, name.toLowerCase());
  }

  /** All values of a field in order. `name` in any case. */
  headerValues(name: string): string[] {
    return headerValues(this.headers, name.toLowerCase());
  }

  /** The body as a platform stream. */
  stream(): ReadableStream<Uint8Array> {
    return this.body.stream();
  }

  /**
   * The body with its content codings undone, as fetch does it and within the same bounds (RFC 9110 section 8.4); as it
   * came where a coding is not known. Leaving the loop early gives up the rest.
   *
   * @param onRead - told of each piece's bytes before anything is undone
   * @throws LimitError, HfaceError `ERR_CONTENT_DECODING`
   */
  async *decoded(onRead?: (bytes: number) => void): AsyncGenerator<Uint8Array, void> {
    if (this.body.used) throw new TypeError('the body has been read already');
    const { limits } = this.#source;
    const body = onRead === undefined ? this.body : observed(this.body, onRead);
    const reader = decodedReader(body, contentCodings(this.headers, limits), limits);
    let ended = false;
    try {
      for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) yield piece;
      ended = true;
    } finally {
      if (!ended) reader.cancel();
    }
  }

  /** The whole body. @throws LimitError above `most` bytes (default: the limit `maxBodyBytes`) */
  bytes(most?: number): Promise<Uint8Array> {
    return this.body.bytes(most);
  }

  /** The whole body as UTF-8 text. @throws LimitError */
  text(most?: number): Promise<string> {
    return this.body.text(most);
  }

  /** The whole body as JSON. @throws LimitError, SyntaxError */
  json(most?: number): Promise<unknown> {
    return this.body.json(most);
  }

  /** Gives up what has not come yet. */
  abort(reason?: unknown): void {
    this.#source.handle.abort(reason);
  }

  /** Gives up what has not come yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.body.cancel();
  }
}

/** A reader that tells how much was read. */
function observed(reader: ByteReader, onRead: (bytes: number) => void): ByteReader {
  return {
    async read() {
      const piece = await reader.read();
      if (piece !== undefined) onRead(piece.byteLength);
      return piece;
    },
    cancel: (reason) => reader.cancel(reason),
  };
}

/** Trailers that may be asked for before or after they have come. */
export class TrailersSlot {
  #headers: HeaderList | undefined;
  #error: HfaceError | undefined;
  #promise: Promise<HeaderList> | undefined;
  #resolve: ((headers: HeaderList) => void) | undefined;
  #reject: ((error: unknown) => void) | undefined;

  constructor() {
    this.#headers = undefined;
    this.#error = undefined;
    this.#promise = undefined;
    this.#resolve = undefined;
    this.#reject = undefined;
  }

  /** The promise, made when it is first asked for. Its rejection is never an unhandled one. */
  promise(): Promise<HeaderList> {
    this.#promise ??= new Promise<HeaderList>((resolve, reject) => {
      if (this.#headers !== undefined) resolve(this.#headers);
      else if (this.#error !== undefined) reject(reasonOf(this.#error));
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#promise.catch(() => {});
    return this.#promise;
  }

  /** They have come, or there are none. */
  set(headers: HeaderList): void {
    this.#headers = headers;
    this.#resolve?.(headers);
  }

  /** They will not come. */
  fail(error: HfaceError): void {
    if (this.#headers !== undefined) return;
    this.#error = error;
    this.#reject?.(reasonOf(error));
  }
}

/** Turns the callbacks of one request into a {@link ClientResponse}. */
export class ResponseReceiver implements ClientRequestHandler, ResponseSource {
  readonly url: RequestUrl;
  readonly limits: ClientLimits;
  readonly #resolve: (response: ClientResponse) => void;
  readonly #reject: (error: unknown) => void;
  #informational: InformationalResponse[] | undefined;
  /** Made when somebody asks for the trailers. */
  #slot: TrailersSlot | undefined;
  #trailers: HeaderList | undefined;
  #error: HfaceError | undefined;
  #body: ResponseBody | undefined;
  #handle: ClientRequestHandle | undefined;

  constructor(
    url: RequestUrl,
    limits: ClientLimits,
    resolve: (response: ClientResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.url = url;
    this.limits = limits;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#informational = undefined;
    this.#slot = undefined;
    this.#trailers = undefined;
    this.#error = undefined;
    this.#body = undefined;
    this.#handle = undefined;
  }

  /** The request, named before anything can come. */
  get handle(): ClientRequestHandle {
    return this.#handle as ClientRequestHandle;
  }

  set handle(handle: ClientRequestHandle) {
    this.#handle = handle;
  }

  get informational(): readonly InformationalResponse[] {
    return this.#informational ?? NONE;
  }

  trailers(): Promise<HeaderList> {
    if (this.#slot === undefined) {
      this.#slot = new TrailersSlot();
      if (this.#trailers !== undefined) this.#slot.set(this.#trailers);
      else if (this.#error !== undefined) this.#slot.fail(this.#error);
    }
    return this.#slot.promise();
  }

  informationalReceived(status: number, headers: HeaderList, rawNames: readonly string[] | undefined): void {
    (this.#informational ??= []).push({ status, headers, rawNames });
  }

  headersReceived(
    status: number,
    headers: HeaderList,
    rawNames: readonly string[] | undefined,
    httpVersion: HttpVersion,
    endStream: boolean,
  ): void {
    const body = new ResponseBody(this.handle, this.limits);
    this.#body = body;
    if (endStream) this.#ended(NONE);
    this.#resolve(new ClientResponse(this, status, headers, rawNames, httpVersion, body));
  }

  dataReceived(data: Uint8Array, length: number, endStream: boolean): void {
    this.#body?.push(data, length);
    if (endStream) this.#ended(NONE);
  }

  trailersReceived(headers: HeaderList, _rawNames: readonly string[] | undefined): void {
    this.#ended(headers);
  }

  failed(error: HfaceError): void {
    if (this.#trailers === undefined) {
      this.#error = error;
      this.#slot?.fail(error);
    }
    if (this.#body === undefined) this.#reject(reasonOf(error));
    else this.#body.fail(reasonOf(error));
  }

  closed(): void {
    // Everything was settled by the call before.
  }

  #ended(trailers: HeaderList): void {
    this.#trailers = trailers;
    this.#slot?.set(trailers);
    this.#body?.end();
  }
}

/** Never changed. */
const NONE: readonly never[] = [];

/** What a caller is told: the abort's own reason where there is one, as platform APIs do. */
export function reasonOf(error: HfaceError): unknown {
  return error.code === 'ERR_ABORTED' && error.cause !== undefined ? error.cause : error;
}
