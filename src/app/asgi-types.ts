/**
 * ASGI-style apps: ASGI 3.0 as it looks in JavaScript.
 *
 * Owns the public types. Where the Python specification says bytes, field names, field values, `raw_path` and
 * `query_string` are strings of octets (latin1) here; bodies are `Uint8Array`. What an app sends may spell fields
 * either way, as strings or as `Uint8Array`. `undefined` or a missing key stands for the specification's default.
 *
 * Scopes `http` and `lifespan` are served. `websocket` and `webtransport` are declared so that apps can be written
 * against them; no app is called with them yet: a WebSocket handshake over HTTP/1.1 arrives as the plain `http`
 * request that it also is (RFC 9110 section 7.8 lets a server ignore Upgrade).
 *
 * @module
 */

/** A field name or value: a string of octets, or the octets. */
export type AsgiOctets = string | Uint8Array;

/** Fields as an app sends them. */
export type AsgiHeaders = Iterable<readonly [name: AsgiOctets, value: AsgiOctets]>;

/** The version of ASGI and of the part that a scope belongs to. */
export interface AsgiVersion {
  readonly version: '3.0';
  readonly spec_version: string;
}

/** What all scopes of requests share. */
export interface AsgiConnectionScope {
  readonly asgi: AsgiVersion;
  readonly http_version: string;
  readonly scheme: string;
  /** Percent-decoded as UTF-8, with replacement characters for what is none. */
  readonly path: string;
  /** As received, without the query. */
  readonly raw_path: string;
  /** As received, without the question mark. */
  readonly query_string: string;
  /** Always empty: nothing is mounted below a path here. */
  readonly root_path: string;
  /** Names in lowercase, in the order received; `host` first. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Host and port of the other end; `null` for unix sockets. */
  readonly client: readonly [host: string, port: number] | null;
  /** Host and port of this end; the path and `null` for unix sockets. */
  readonly server: readonly [host: string, port: number | null];
  /** What the app's lifespan put into its state: a shallow copy for this request. */
  readonly state: Record<string, unknown>;
  /**
   * The extensions that are there, by name. `hface.early_data` is there when the request came in 0-RTT data, before the
   * handshake was complete: it may be one that somebody has recorded and sends again. What it must not do twice is answered
   * with 425 (Too Early); the client sends it anew then (RFC 8470).
   */
  readonly extensions: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A request. */
export interface AsgiHttpScope extends AsgiConnectionScope {
  readonly type: 'http';
  readonly method: string;
}

/** A WebSocket connection. Not served yet. */
export interface AsgiWebSocketScope extends AsgiConnectionScope {
  readonly type: 'websocket';
  readonly subprotocols: readonly string[];
}

/** A WebTransport session. Not served yet. */
export interface AsgiWebTransportScope extends AsgiConnectionScope {
  readonly type: 'webtransport';
}

/** The life of the app, from before the first request to after the last. */
export interface AsgiLifespanScope {
  readonly type: 'lifespan';
  readonly asgi: AsgiVersion;
  /** What the app puts here its requests find in their scope's `state`. */
  readonly state: Record<string, unknown>;
}

/** Everything that an app may be called with. */
export type AsgiScope = AsgiHttpScope | AsgiWebSocketScope | AsgiWebTransportScope | AsgiLifespanScope;

/** A piece of the request's body. */
export interface AsgiHttpRequest {
  readonly type: 'http.request';
  readonly body: Uint8Array;
  readonly more_body: boolean;
}

/** The client has left, or the response is complete. */
export interface AsgiHttpDisconnect {
  readonly type: 'http.disconnect';
}

/** The app shall start, or stop. */
export interface AsgiLifespanRequest {
  readonly type: 'lifespan.startup' | 'lifespan.shutdown';
}

/** Everything that `receive` may answer. */
export type AsgiReceiveEvent = AsgiHttpRequest | AsgiHttpDisconnect | AsgiLifespanRequest;

/** The response's status and fields; they leave with the first piece of the body. */
export interface AsgiHttpResponseStart {
  readonly type: 'http.response.start';
  readonly status: number;
  readonly headers?: AsgiHeaders | undefined;
  /** Whether `http.response.trailers` follows the body. Default false. */
  readonly trailers?: boolean | undefined;
}

/** A piece of the response's body. */
export interface AsgiHttpResponseBody {
  readonly type: 'http.response.body';
  /** Default empty. It is the server's for good. */
  readonly body?: Uint8Array | undefined;
  /** Default false. */
  readonly more_body?: boolean | undefined;
}

/** Trailer fields (extension `http.response.trailers`). */
export interface AsgiHttpResponseTrailers {
  readonly type: 'http.response.trailers';
  readonly headers?: AsgiHeaders | undefined;
  /** Default false. */
  readonly more_trailers?: boolean | undefined;
}

/** A 103 response with one Link field per entry (extension `http.response.early_hint`). */
export interface AsgiHttpResponseEarlyHint {
  readonly type: 'http.response.early_hint';
  readonly links?: Iterable<AsgiOctets> | undefined;
}

/** A file as the whole body, in place of `http.response.body` (extension `http.response.pathsend`). */
export interface AsgiHttpResponsePathsend {
  readonly type: 'http.response.pathsend';
  /** Absolute. */
  readonly path: string;
}

/** The app has started or stopped, or cannot. */
export interface AsgiLifespanReply {
  readonly type:
    'lifespan.startup.complete' | 'lifespan.startup.failed' | 'lifespan.shutdown.complete' | 'lifespan.shutdown.failed';
  /** Why, for the two failures. */
  readonly message?: string | undefined;
}

/** Everything that `send` takes. */
export type AsgiSendEvent =
  | AsgiHttpResponseStart
  | AsgiHttpResponseBody
  | AsgiHttpResponseTrailers
  | AsgiHttpResponseEarlyHint
  | AsgiHttpResponsePathsend
  | AsgiLifespanReply;

/** The next event. After the body it waits for `http.disconnect`. One call at a time. */
export type AsgiReceive = () => Promise<AsgiReceiveEvent>;

/**
 * Sends. Resolves when there is room for more. Rejects with an `AppError`: for an event out of order or misspelt
 * (`ERR_APP_ORDER`, `ERR_APP_EVENT`), and with code `ERR_CLIENT_DISCONNECTED` when nobody waits any more (the OSError
 * of the specification's version 2.4); an app may let that one pass through, it is not reported.
 */
export type AsgiSend = (event: AsgiSendEvent) => Promise<void>;

/** An ASGI-style app. */
export type AsgiApp = (scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) => PromiseLike<void>;
