/**
 * A request as the user describes it to `dispatch` and to the callback core.
 *
 * Owns the shape. Its reading is prepared-request.ts, its sending request-operation.ts.
 *
 * @module
 */
import type { ClientTlsConfig, HeaderList } from '../common/index.ts';
import type { RequestBody } from './body-source.ts';
import type { HeaderInput } from './header-input.ts';
import type { ClientTimeoutOptions } from './limits.ts';

/** Who the user is, for Basic authentication (RFC 7617). */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

/** A request for {@link ClientSession.dispatch} and {@link ClientSession.request}. */
export interface ClientRequest {
  /** An absolute http or https URL without user name and password; its fragment is not sent. */
  readonly url: string | URL;
  /** As written: methods are case-sensitive (RFC 9110 section 9.1). Default `GET`. */
  readonly method?: string | undefined;
  /**
   * Fields to send; on HTTP/1 in the spelling given. `host` names the authority, `content-length` must be the body's
   * own. Fields that belong to the connection (`connection`, `transfer-encoding`, `upgrade` …) are refused.
   */
  readonly headers?: HeaderInput | undefined;
  /** The content. Without a length it is sent chunked (HTTP/1.1) or ends with the stream. */
  readonly body?: RequestBody | null | undefined;
  /** Fields to send after the body (RFC 9110 section 6.5); a function is asked when the body is complete. */
  readonly trailers?: HeaderInput | (() => HeaderInput | Promise<HeaderInput>) | undefined;
  /** The authority to ask for (Host), when it is not the URL's. For CONNECT: `host:port` of the target. */
  readonly authority?: string | undefined;
  /** The request target, when it is not the URL's path and query: `*` for OPTIONS (RFC 9112 section 3.2). */
  readonly target?: string | undefined;
  /** Sent as Authorization: Basic. */
  readonly auth?: BasicCredentials | undefined;
  /** Ends the request; it fails with the signal's reason. */
  readonly signal?: AbortSignal | null | undefined;
  /** Overrides of the session's timeouts. `connect` and `tls` are the session's alone: connections are shared. */
  readonly timeouts?: ClientTimeoutOptions | undefined;
  /** TLS in place of the session's. Requests with one object share connections, so give the same one each time. */
  readonly tls?: ClientTlsConfig | undefined;
  /** A unix socket to connect to, in place of the URL's host. */
  readonly unixSocket?: string | undefined;
  /** Whether it may be sent twice, when the method does not tell (RFC 9110 section 9.2.2). */
  readonly idempotent?: boolean | undefined;
  /** Whether a request that failed without an answer may be sent again at all. Default: the client's `retry`. */
  readonly retry?: boolean | undefined;
  /** Send `Expect: 100-continue` and wait with the body. The same as giving that field. Ignored without a body. */
  readonly expectContinue?: boolean | undefined;
  /** HTTP/1: the token to offer in Upgrade. After 101 body and response body are the new protocol's bytes. */
  readonly upgrade?: string | undefined;
  /** Extended CONNECT (RFC 8441, RFC 9220): the `:protocol`. */
  readonly protocol?: string | undefined;
  /** RFC 9218; ignored where the version has no priorities. */
  readonly priority?: RequestPriority | undefined;
  /** Told of each interim response as it comes. What it throws fails the request. */
  readonly onInformational?: ((response: InformationalResponse) => void) | undefined;
}

/** How urgent a request is (RFC 9218). */
export interface RequestPriority {
  /** 0 (first) to 7. */
  readonly urgency: number;
  /** Whether the response is of use before it is complete. */
  readonly incremental: boolean;
}

/** An interim (1xx) response (RFC 9110 section 15.2). */
export interface InformationalResponse {
  readonly status: number;
  readonly headers: HeaderList;
  /** The names as received, on HTTP/1. */
  readonly rawNames: readonly string[] | undefined;
}
