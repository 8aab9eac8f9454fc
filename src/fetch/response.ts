/**
 * A `Response` whose parts are what they were given as.
 *
 * Owns the interface of the Fetch standard (section 5.5) upon a flat header list and a body that need not be a stream.
 * A server takes both as they are: no stream is made, no `Headers`. The platform's object is made when somebody asks
 * for it by `native()`.
 *
 * Differences to the platform's: bytes that are given as a body are not copied, so they must not be changed before the
 * response was sent. Everything else is the standard's, the errors too.
 *
 * @module
 */
import type { ReadableStream as WebReadableStream } from 'node:stream/web';
import type { HeaderList } from '../common/index.ts';
import { Body, extractBody } from './body.ts';
import type { BodyFeed, BodyInput } from './body.ts';
import { fieldsOf, headerListOf, headersOfList, isOwnHeaders, joinedValue } from './headers.ts';
import type { HeadersInput } from './headers.ts';
import { defineInspect, markUncloneable, natives, standBefore } from './platform.ts';

/** What a response says besides its body. A response of either kind will do. */
export interface ResponseInit {
  /** 200 to 599; 200 by default. */
  readonly status?: number | undefined;
  /** Not sent on any version of HTTP by this library. */
  readonly statusText?: string | undefined;
  readonly headers?: HeadersInput | undefined;
}

/** A response as a server takes it: its stream untouched where there is none. */
export interface ResponseParts {
  readonly status: number;
  /** Flat, names in lowercase; not to be changed. */
  readonly fields: HeaderList;
  readonly body: Body | undefined;
}

/** A response as a client received it. */
export interface ReceivedResponse {
  /** Any that servers send. */
  readonly status: number;
  /** Flat, names in lowercase; not to be changed. */
  readonly fields: HeaderList;
  /** The content; `undefined` where the standard has a null body. */
  readonly feed: BodyFeed | undefined;
  /** Of the last request, without its fragment. */
  readonly url: string;
  readonly redirected: boolean;
}

let linked = false;
let isOwn: (value: object) => value is Response;
let partsOf: (response: Response) => ResponseParts;
let ofReceived: (received: ReceivedResponse) => Response;

/** The answer to a request. */
export class Response implements globalThis.Response {
  #status: number;
  #statusText: string;
  #type: 'default' | 'error';
  /** The fields, until #headers was asked for. */
  #fields: HeaderList;
  #headers: globalThis.Headers | undefined;
  #body: Body | undefined;
  #native: globalThis.Response | undefined;
  /** Where it was fetched from; `undefined` if it was not. */
  #received: ReceivedResponse | undefined;

  /**
   * @throws RangeError for a status that no response has
   * @throws TypeError for a field that is none, a stream that was used, or a body where the status allows none
   */
  constructor(body?: BodyInput | null, init?: ResponseInit) {
    if (!linked) link();
    markUncloneable(this);
    this.#status = 200;
    this.#statusText = '';
    this.#type = 'default';
    this.#fields = NO_FIELDS;
    this.#headers = undefined;
    this.#body = undefined;
    this.#native = undefined;
    this.#received = undefined;
    if (init !== undefined && (init as unknown) !== null) this.#initialize(init);
    if (body !== undefined && body !== null) this.#setBody(body);
  }

  static {
    isOwn = (value): value is Response => #body in value;
    partsOf = (response) => response.#parts();
    ofReceived = (received) => {
      const response = new Response();
      response.#status = received.status;
      response.#fields = received.fields;
      response.#received = received;
      if (received.feed !== undefined) response.#body = new Body(received.feed);
      return response;
    };
  }

  /** Whether a value is one of these, or one of the platform's. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== Response) return Function.prototype[Symbol.hasInstance].call(this, value);
    return isOwnResponse(value) || value instanceof natives().Response;
  }

  /** A response of type `error`. */
  static error(): Response {
    const response = new Response();
    response.#status = 0;
    response.#type = 'error';
    response.#headers = headersOfList(NO_FIELDS, true);
    return response;
  }

  /** A value as JSON. @throws TypeError for what JSON cannot say */
  static json(data: unknown, init?: ResponseInit): Response {
    const text = JSON.stringify(data) as string | undefined;
    if (text === undefined) throw new TypeError('the value cannot be said in JSON');
    const response = new Response(undefined, init);
    if (joinedValue(response.#fields, 'content-type') === null) {
      response.#fields = [...response.#fields, 'content-type', 'application/json'];
    }
    response.#setBody(text);
    return response;
  }

  /** A redirection. @throws TypeError for a URL that is none, RangeError for a status that redirects nowhere */
  static redirect(url: string | URL, status = 302): Response {
    const target = new URL(String(url));
    if (!REDIRECTING.has(status)) throw new RangeError(`${String(status)} is no status of a redirection`);
    const response = new Response(undefined, { status });
    response.#headers = headersOfList(['location', target.href], true);
    return response;
  }

  /** `basic` for one that was fetched: there is no CORS, so nothing is ever filtered. */
  get type(): 'default' | 'error' | 'basic' {
    return this.#received === undefined ? this.#type : 'basic';
  }

  /** Where it was fetched from, without a fragment; empty for one that was made. */
  get url(): string {
    return this.#received?.url ?? '';
  }

  /** Whether it is the answer to a request that a redirect led to. */
  get redirected(): boolean {
    return this.#received?.redirected === true;
  }

  /** 200 to 599; 0 of a response of type `error`. */
  get status(): number {
    return this.#status;
  }

  /** Whether the status is 2xx. */
  get ok(): boolean {
    return this.#status >= 200 && this.#status <= 299;
  }

  /** What it was told. */
  get statusText(): string {
    return this.#statusText;
  }

  /** The fields. What is changed in them is sent. */
  get headers(): globalThis.Headers {
    return (this.#headers ??= headersOfList(this.#fields));
  }

  /** The content as a byte stream, made at the first call; `null` without content. */
  get body(): WebReadableStream<Uint8Array> | null {
    return this.#body === undefined ? null : this.#body.stream;
  }

  /** Whether anything of the content was read. */
  get bodyUsed(): boolean {
    return this.#body?.used === true;
  }

  /** The content. The promise rejects with a TypeError when it was read before. */
  arrayBuffer(): Promise<ArrayBuffer> {
    return this.#body === undefined ? Promise.resolve(new ArrayBuffer(0)) : this.#body.arrayBuffer();
  }

  /** {@inheritDoc Response.arrayBuffer} */
  bytes(): Promise<Uint8Array> {
    return this.#body === undefined ? Promise.resolve(new Uint8Array(0)) : this.#body.bytes();
  }

  /** {@inheritDoc Response.arrayBuffer} */
  blob(): Promise<Blob> {
    return (this.#body ?? emptyBody()).special('blob', this.#contentType());
  }

  /** {@inheritDoc Response.arrayBuffer} */
  formData(): Promise<globalThis.FormData> {
    return (this.#body ?? emptyBody()).special('formData', this.#contentType());
  }

  /** {@inheritDoc Response.arrayBuffer} */
  json(): Promise<unknown> {
    return (this.#body ?? emptyBody()).json();
  }

  /** {@inheritDoc Response.arrayBuffer} */
  text(): Promise<string> {
    return this.#body === undefined ? Promise.resolve('') : this.#body.text();
  }

  /** A second response with the same content. @throws TypeError when it was read */
  clone(): Response {
    const body = this.#body?.clone();
    const copy = new Response();
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#type = this.#type;
    copy.#fields = this.#list().slice();
    copy.#received = this.#received;
    copy.#body = body;
    return copy;
  }

  /** The platform's response of the same content, which is read through it from then on. The same at each call. */
  native(): globalThis.Response {
    return (this.#native ??= this.#makeNative());
  }

  static {
    defineInspect(this.prototype, ({ status, statusText, headers, bodyUsed, ok, type, url, redirected }) => ({
      status,
      statusText,
      headers,
      bodyUsed,
      ok,
      redirected,
      type,
      url,
    }));
  }

  #initialize(init: ResponseInit): void {
    const { status, statusText, headers } = init;
    if (status !== undefined) {
      const code = Math.trunc(Number(status));
      if (!(code >= 200 && code <= 599)) {
        throw new RangeError('init["status"] must be in the range of 200 to 599, inclusive.');
      }
      this.#status = code;
    }
    if (statusText !== undefined) {
      const text = String(statusText);
      if (NO_REASON.test(text)) throw new TypeError('Invalid statusText');
      this.#statusText = text;
    }
    if (headers !== undefined) this.#fields = fieldsOf(headers);
  }

  #setBody(input: BodyInput): void {
    if (this.#status === 204 || this.#status === 205 || this.#status === 304) {
      throw new TypeError(`Response with null body status cannot have body`);
    }
    const { body, type } = extractBody(input);
    this.#body = body;
    if (type !== undefined && !hasField(this.#fields, 'content-type')) {
      this.#fields = [...this.#fields, 'content-type', type];
    }
  }

  #list(): HeaderList {
    const headers = this.#headers;
    return isOwnHeaders(headers) ? headerListOf(headers) : this.#fields;
  }

  #parts(): ResponseParts {
    return { status: this.#status, fields: this.#list(), body: this.#body };
  }

  #contentType(): string | null {
    return joinedValue(this.#list(), 'content-type');
  }

  #makeNative(): globalThis.Response {
    const { Response: Native } = natives();
    if (this.#type === 'error') return Native.error();
    const headers = [...this.headers] as [string, string][];
    // The constructor takes no others, but servers send them.
    const isUsual = this.#status >= 200 && this.#status <= 599;
    const init = { status: isUsual ? this.#status : 200, statusText: this.#statusText, headers };
    if (this.#body?.unusable === true) throw new TypeError('Body is unusable: it was read before');
    const native = new Native(this.#body === undefined ? null : this.#body.stream, init);
    if (this.#received !== undefined) {
      const { url, redirected, type } = this;
      Object.defineProperties(native, {
        url: { value: url },
        redirected: { value: redirected },
        type: { value: type },
      });
    }
    if (!isUsual) Object.defineProperties(native, { status: { value: this.#status }, ok: { value: false } });
    return native;
  }
}

/** Whether a value is a `Response` of this module. */
export function isOwnResponse(value: unknown): value is Response {
  return typeof value === 'object' && value !== null && isOwn(value);
}

/** The response that a client has received. */
export function receivedResponse(received: ReceivedResponse): Response {
  return ofReceived(received);
}

/** What a response of this module is made of. */
export function responseParts(response: Response): ResponseParts {
  return partsOf(response);
}

function hasField(list: HeaderList, name: string): boolean {
  for (let index = 0; index < list.length; index += 2) if (list[index] === name) return true;
  return false;
}

function emptyBody(): Body {
  return extractBody(new Uint8Array(0)).body;
}

function link(): void {
  linked = true;
  const { Response: Native } = natives();
  standBefore(Response, Native, new Native(), (response) => (response as Response).native());
}

const NO_FIELDS: HeaderList = [];
const REDIRECTING: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
/** Anything but tab, space, visible ASCII and octets above (RFC 9112 section 4). */
const NO_REASON = /[^\t\x20-\x7e\x80-\xff]/;
