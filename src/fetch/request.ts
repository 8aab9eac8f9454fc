/**
 * A `Request` that is made when it is looked at.
 *
 * Owns the interface of the Fetch standard (section 5.4) over two things: a request that a server received, of which
 * nothing is made before an app asks for it, or the platform's own object, for requests that somebody constructs.
 *
 * @module
 */
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import { Body } from './body.ts';
import type { BodyInput } from './body.ts';
import { headersOfList } from './headers.ts';
import type { HeadersInput } from './headers.ts';
import { defineInspect, markUncloneable, natives, standBefore } from './platform.ts';
import type { RequestSource } from './request-source.ts';

/** What a request is made of besides its URL. A request of either kind will do. */
export interface RequestInit extends Omit<globalThis.RequestInit, 'body' | 'headers' | 'method' | 'signal'> {
  readonly method?: string | undefined;
  readonly headers?: HeadersInput | undefined;
  readonly body?: BodyInput | null | undefined;
  readonly signal?: AbortSignal | null | undefined;
}

type NativeRequest = globalThis.Request;
type NativeInit = ConstructorParameters<typeof globalThis.Request>[1];

let linked = false;
let isOwn: (value: object) => value is Request;
/** Given in place of a URL: what follows is a source. */
const FROM_SOURCE = Symbol('source');

/** A request. */
export class Request implements globalThis.Request {
  /** What it shows, unless it was constructed. */
  readonly #source: RequestSource | undefined;
  #native: NativeRequest | undefined;
  #url: string | undefined;
  #headers: globalThis.Headers | undefined;
  #body: Body | undefined;
  #bodyMade: boolean;

  /** @throws TypeError as the platform's constructor */
  constructor(input: string | URL | globalThis.Request, init?: RequestInit) {
    if (!linked) link();
    markUncloneable(this);
    const given: unknown = input;
    const source = given === FROM_SOURCE ? (init as unknown as RequestSource) : undefined;
    this.#source = source;
    this.#native = source === undefined ? construct(input, init) : undefined;
    this.#url = undefined;
    this.#headers = undefined;
    this.#body = undefined;
    this.#bodyMade = source === undefined;
  }

  static {
    isOwn = (value): value is Request => #source in value;
  }

  /** Whether a value is one of these, or one of the platform's. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== Request) return Function.prototype[Symbol.hasInstance].call(this, value);
    return isOwnRequest(value) || value instanceof natives().Request;
  }

  /** As it was sent: in capitals where the standard spells it so. */
  get method(): string {
    return this.#source === undefined ? this.native().method : this.#source.method;
  }

  /** The whole URL, as the URL standard writes it. */
  get url(): string {
    return (this.#url ??= this.#source === undefined ? this.native().url : this.#source.url());
  }

  /** The fields, Host among them. They can be changed. */
  get headers(): globalThis.Headers {
    return (this.#headers ??=
      this.#source === undefined ? this.native().headers : headersOfList(this.#source.fields()));
  }

  /** Aborted when nobody waits for the answer any more. */
  get signal(): AbortSignal {
    return this.#source === undefined ? this.native().signal : this.#source.signal;
  }

  /** The content as a byte stream, made at the first call; `null` without content. */
  get body(): WebReadableStream<Uint8Array> | null {
    if (this.#source === undefined) return this.native().body as WebReadableStream<Uint8Array> | null;
    return this.#content()?.stream ?? null;
  }

  /** Whether anything of the content was read. */
  get bodyUsed(): boolean {
    return this.#source === undefined ? this.native().bodyUsed : this.#body?.used === true;
  }

  /** `default`, unless it was constructed otherwise; so are the next. */
  get cache(): NativeRequest['cache'] {
    return this.#native?.cache ?? 'default';
  }

  /** `same-origin`. */
  get credentials(): NativeRequest['credentials'] {
    return this.#native?.credentials ?? 'same-origin';
  }

  /** Empty. */
  get destination(): NativeRequest['destination'] {
    return this.#native?.destination ?? '';
  }

  /** Empty. */
  get integrity(): string {
    return this.#native?.integrity ?? '';
  }

  /** False. */
  get keepalive(): boolean {
    return this.#native?.keepalive ?? false;
  }

  /** `cors`. */
  get mode(): NativeRequest['mode'] {
    return this.#native?.mode ?? 'cors';
  }

  /** `follow`. */
  get redirect(): NativeRequest['redirect'] {
    return this.#native?.redirect ?? 'follow';
  }

  /** `about:client`. */
  get referrer(): string {
    return this.#native?.referrer ?? 'about:client';
  }

  /** Empty. */
  get referrerPolicy(): NativeRequest['referrerPolicy'] {
    return this.#native?.referrerPolicy ?? '';
  }

  /** `half`: the content ends before the response begins, as far as `fetch` is concerned. */
  get duplex(): NativeRequest['duplex'] {
    return 'half';
  }

  /** The content. The promise rejects with a TypeError when it was read before. */
  arrayBuffer(): Promise<ArrayBuffer> {
    if (this.#source === undefined) return this.native().arrayBuffer();
    return this.#content()?.arrayBuffer() ?? Promise.resolve(new ArrayBuffer(0));
  }

  /** {@inheritDoc Request.arrayBuffer} */
  bytes(): Promise<Uint8Array> {
    if (this.#source === undefined)
      return this.native()
        .arrayBuffer()
        .then((buffer) => new Uint8Array(buffer));
    return this.#content()?.bytes() ?? Promise.resolve(new Uint8Array(0));
  }

  /** {@inheritDoc Request.arrayBuffer} */
  blob(): Promise<Blob> {
    if (this.#source === undefined) return this.native().blob();
    return (this.#content() ?? new Body('')).special('blob', this.headers.get('content-type'));
  }

  /** {@inheritDoc Request.arrayBuffer} */
  formData(): Promise<globalThis.FormData> {
    if (this.#source === undefined) return this.native().formData();
    return (this.#content() ?? new Body('')).special('formData', this.headers.get('content-type'));
  }

  /** {@inheritDoc Request.arrayBuffer} */
  json(): Promise<unknown> {
    if (this.#source === undefined) return this.native().json();
    return (this.#content() ?? new Body('')).json();
  }

  /** {@inheritDoc Request.arrayBuffer} */
  text(): Promise<string> {
    if (this.#source === undefined) return this.native().text();
    return this.#content()?.text() ?? Promise.resolve('');
  }

  /** A second request with the same content. @throws TypeError when it was read */
  clone(): globalThis.Request {
    const body = this.#source === undefined ? undefined : this.#content();
    if (body === undefined) return this.native().clone();
    return makeNative(this, body.clone().stream);
  }

  /**
   * The platform's request: what the platform's own `fetch` and `Request` take. Content is read through it from then
   * on. The same at each call.
   */
  native(): NativeRequest {
    return (this.#native ??= makeNative(this, this.#nativeBody()));
  }

  static {
    defineInspect(this.prototype, ({ method, url, headers, bodyUsed }) => ({ method, url, headers, bodyUsed }));
  }

  #content(): Body | undefined {
    if (this.#bodyMade) return this.#body;
    this.#bodyMade = true;
    const feed = this.#source?.feed;
    if (feed !== undefined) this.#body = new Body(feed);
    return this.#body;
  }

  #nativeBody(): WebReadableStream<Uint8Array> | undefined {
    const body = this.#content();
    if (body?.unusable === true) throw new TypeError('Body is unusable: it was read before');
    return body?.stream;
  }
}

/** Whether a value is a `Request` of this module. */
export function isOwnRequest(value: unknown): value is Request {
  return typeof value === 'object' && value !== null && isOwn(value);
}

/** The platform's object for a request of either kind; anything else as it is. */
export function nativeInput<Input>(input: Input): Input | NativeRequest {
  return isOwnRequest(input) ? input.native() : input;
}

/** The request that a server received. */
export function requestOf(source: RequestSource): Request {
  return new Request(FROM_SOURCE as unknown as string, source);
}

function construct(input: string | URL | NativeRequest, init: RequestInit | undefined): NativeRequest {
  const { Request: Native } = natives();
  return new Native(nativeInput(input), init as NativeInit);
}

function makeNative(request: Request, body: WebReadableStream<Uint8Array> | undefined): NativeRequest {
  const { Request: Native } = natives();
  const { method, signal } = request;
  const headers = [...request.headers] as [string, string][];
  if (body === undefined) return new Native(request.url, { method, headers, signal });
  return new Native(request.url, { method, headers, signal, body, duplex: 'half' });
}

function link(): void {
  linked = true;
  const { Request: Native } = natives();
  standBefore(Request, Native, new Native('http://localhost/'), (request) => (request as Request).native());
}
