/**
 * The client: `fetch`, `dispatch` and a callback core over pooled connections.
 *
 * @module
 */
export type { RequestBody } from './body-source.ts';
export type { ByteReader } from './byte-reader.ts';
export { Client } from './client.ts';
export type { ClientOptions, ClientProtocolFactory, ClientQuicFactory, QuicClientOptions } from './client.ts';
export type { BasicCredentials, ClientRequest, InformationalResponse, RequestPriority } from './client-request.ts';
export { ClientResponse } from './client-response.ts';
export { acceptEncoding } from './content-decoding.ts';
export { ClientSession } from './client-session.ts';
export type { SessionFetch } from './client-session.ts';
export type { FetchOptions, FollowedRedirect } from './fetch.ts';
export type { HeaderInput } from './header-input.ts';
export { clientLimits, clientTimeouts } from './limits.ts';
export type { ClientLimitOptions, ClientTimeoutOptions } from './limits.ts';
export { isRedirectStatus, redirectStep } from './redirect.ts';
export type { RedirectedRequest, RedirectStep } from './redirect.ts';
export type {
  ClientRequestHandle,
  ClientRequestHandler,
  RequestConnection,
  RequestTimings,
} from './request-handler.ts';
export { ResponseBody } from './response-body.ts';
export type { ClientNetworking, ConnectTo, UdpNetworking } from './steered-networking.ts';
export { packageVersion } from './version.ts';
