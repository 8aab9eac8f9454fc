/**
 * The options of a server.
 *
 * Owns their shapes, and finding mistakes in them when the server is made rather than when it runs.
 *
 * @module
 */
import type { AppFailureKind, AppStyle, ErrorPage } from '../app/index.ts';
import { ConfigurationError, parseEndpoint, resolveLimits } from '../common/index.ts';
import type { Endpoint, Logger, ServerTlsConfig } from '../common/index.ts';
import type { ConnectionLimitOptions, HttpOverTcpListenerOptions } from '../connections/index.ts';
import { serverLimits, serverTimeouts } from './limits.ts';
import type { ServerLimitOptions, ServerTimeoutOptions } from './limits.ts';

/** What a server listens by. */
export type ServerNetworking = HttpOverTcpListenerOptions['networking'];
/** Makes server engines over TCP. */
export type ServerProtocolFactory = HttpOverTcpListenerOptions['factory'];
/** One version of HTTP in {@link AppServerOptions.protocol}. */
export type ServerProtocolName = 'http1' | 'http2' | 'http3';
/** Which versions are spoken: all, those over TCP, or a list. */
export type ServerProtocols = 'all' | 'tcp' | readonly ServerProtocolName[];

/** What became of a request, for access logs. */
export interface RequestRecord {
  readonly requestId: string;
  /** The address of the connection's other end, without its port; empty for unix sockets. */
  readonly clientAddress: string;
  readonly method: string;
  /** As received, with the query. Authority for CONNECT. */
  readonly path: string;
  /** `1.1` */
  readonly httpVersion: string;
  /** 0 when no head was sent. */
  readonly status: number;
  /** Content, without framing. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Milliseconds from the request's head to the end of the exchange. */
  readonly duration: number;
  /** Why it was not finished, or `undefined`. */
  readonly aborted: string | undefined;
}

/** Where an app failed. */
export interface AppErrorDetails {
  readonly kind: AppFailureKind;
  /** `undefined` outside requests. */
  readonly requestId: string | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
}

/** What an error page is about. */
export interface ErrorPageDetails {
  readonly requestId: string;
  /** What was thrown, or `undefined`. Not for the eyes of clients. */
  readonly error: unknown;
  readonly dev: boolean;
}

/** What an endpoint may have of its own. */
export interface EndpointOptions {
  /** TLS of the endpoint. */
  readonly tls?: ServerTlsConfig | undefined;
  /** See {@link AppServerOptions.protocol}. */
  readonly protocol?: ServerProtocols | undefined;
  /** Makes the HTTP/1 engines. Its limits are its own. */
  readonly http1Factory?: ServerProtocolFactory | undefined;
}

/** One endpoint with what differs there from the server's options. */
export interface EndpointEntry extends EndpointOptions {
  readonly endpoint: string | URL | Endpoint;
}

/** An endpoint in any form: `https://localhost:5443`, `unix:/path`, a URL, the parsed form, or with options. */
export type EndpointInit = string | URL | Endpoint | EndpointEntry;

/** How a server works. Everything has a default. */
export interface AppServerOptions extends EndpointOptions {
  /** What listens: sockets (the default) or a simulation. */
  readonly networking?: ServerNetworking | undefined;
  /** See {@link serverLimits}. */
  readonly limits?: ServerLimitOptions | undefined;
  /** In milliseconds; see {@link serverTimeouts}. */
  readonly timeouts?: ServerTimeoutOptions | undefined;
  /** Limits of each connection's end. */
  readonly connectionLimits?: ConnectionLimitOptions | undefined;
  /** Overrides what the app looks like. */
  readonly appStyle?: AppStyle | undefined;
  /** Shows stack traces in responses and refuses foreign host names (see `allowedHosts`). Default false. */
  readonly dev?: boolean | undefined;
  /**
   * Names that requests may be addressed to; others get 421 (RFC 9110 section 15.5.20). `*.example.com` stands for
   * the names below. Addresses always pass. Keeps pages of other sites from reaching a server on this machine by
   * rebinding their name. Default: any name; with `dev` localhost, the names below it, and those of the endpoints.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Takes messages. Default: warnings and errors go to standard error. */
  readonly logger?: Logger | undefined;
  /** Told of what the app throws, instead of the logger. */
  readonly onError?: ((error: unknown, details: AppErrorDetails) => void) | undefined;
  /** Told of every request when it is over. */
  readonly onRequest?: ((record: RequestRecord) => void) | undefined;
  /** Makes the bodies of 400, 500 and their kin; `undefined`: the plain one. */
  readonly errorPage?: ((status: number, details: ErrorPageDetails) => ErrorPage | undefined) | undefined;
  /** The Server field of responses (RFC 9110 section 10.2.4). Default: none. */
  readonly serverName?: string | undefined;
  /** Length of the system's queue of connections that wait to be accepted. Default 511. */
  readonly backlog?: number | undefined;
  /** Several processes share the port. Default false. */
  readonly reusePort?: boolean | undefined;
}

/** An endpoint as it is opened. */
export interface ResolvedEndpoint {
  readonly endpoint: Endpoint;
  readonly tls: ServerTlsConfig | undefined;
  readonly http1Factory: ServerProtocolFactory | undefined;
}

/** Finds mistakes in options. @throws ConfigurationError */
export function checkServerOptions(options: AppServerOptions): void {
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.has(name)) {
      throw new ConfigurationError(`AppServer has no option named ${name}`, {
        hint: `options: ${[...OPTION_NAMES].join(', ')}`,
      });
    }
  }
  checkProtocols(options.protocol);
  resolveLimits('server', serverLimits, options.limits);
  resolveLimits('server timeouts', serverTimeouts, options.timeouts);
  if (options.serverName !== undefined && !/^[\x21-\x7e][\x20-\x7e]*$/.test(options.serverName)) {
    throw new ConfigurationError('serverName must be printable ASCII');
  }
}

/** Endpoints in any form as they are opened. @throws ConfigurationError */
export function resolveEndpoints(
  endpoints: EndpointInit | readonly EndpointInit[],
  options: AppServerOptions,
): ResolvedEndpoint[] {
  const list: readonly EndpointInit[] = isList(endpoints) ? endpoints : [endpoints];
  if (list.length === 0) {
    throw new ConfigurationError('there is no endpoint to listen on', { hint: "listen('http://localhost:5080')" });
  }
  return list.map((entry) => resolveEndpoint(entry, options));
}

function resolveEndpoint(entry: EndpointInit, options: AppServerOptions): ResolvedEndpoint {
  const own: EndpointOptions = isEntry(entry) ? entry : {};
  const endpoint = endpointOf(isEntry(entry) ? entry.endpoint : entry);
  checkProtocols(own.protocol);
  const tls = own.tls ?? options.tls;
  if (endpoint.scheme === 'https' && tls === undefined) {
    throw new ConfigurationError('an https endpoint needs a certificate', {
      code: 'ERR_TLS_MISSING',
      hint: 'tls: { cert, key }, or tls: await developmentTls() from hface-ts/certificates',
    });
  }
  return { endpoint, tls, http1Factory: own.http1Factory ?? options.http1Factory };
}

function endpointOf(endpoint: string | URL | Endpoint): Endpoint {
  if (typeof endpoint === 'string') return parseEndpoint(endpoint);
  if (!(endpoint instanceof URL)) return endpoint;
  if (endpoint.pathname !== '/' || endpoint.search !== '' || endpoint.hash !== '') {
    throw new ConfigurationError(`${endpoint.href} is no endpoint: it has a path`, { code: 'ERR_ENDPOINT' });
  }
  return parseEndpoint(endpoint.origin);
}

function checkProtocols(protocol: ServerProtocols | undefined): void {
  if (protocol === undefined || protocol === 'all' || protocol === 'tcp') return;
  if (!Array.isArray(protocol) || protocol.length === 0) {
    throw new ConfigurationError('protocol is all, tcp, or a list of http1, http2, http3');
  }
  for (const name of protocol as readonly string[]) {
    if (name === 'http1') continue;
    const known = name === 'http2' || name === 'http3';
    throw new ConfigurationError(
      known ? `${name} is not served yet` : `${JSON.stringify(name)} is no version of HTTP`,
      {
        code: 'ERR_PROTOCOL_UNAVAILABLE',
        hint: "protocol: ['http1']",
      },
    );
  }
}

function isList(endpoints: EndpointInit | readonly EndpointInit[]): endpoints is readonly EndpointInit[] {
  return Array.isArray(endpoints);
}

function isEntry(entry: EndpointInit): entry is EndpointEntry {
  return typeof entry === 'object' && 'endpoint' in entry;
}

const OPTION_NAMES: ReadonlySet<string> = new Set([
  'tls',
  'protocol',
  'http1Factory',
  'networking',
  'limits',
  'timeouts',
  'connectionLimits',
  'appStyle',
  'dev',
  'allowedHosts',
  'logger',
  'onError',
  'onRequest',
  'errorPage',
  'serverName',
  'backlog',
  'reusePort',
]);
