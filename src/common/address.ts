/**
 * Addresses: where a socket is, what an endpoint listens on, what an origin is.
 *
 * Owns the types and their parsing and printing. Resolving names is networking's work. RFC 3986 section 3.2.2,
 * RFC 6454 section 4.
 *
 * @module
 */
import { ConfigurationError } from './errors.ts';

/** One end of a socket. */
export type SocketAddress = IpAddress | UnixAddress;

/** An IP address and a port. */
export interface IpAddress {
  readonly family: 'ipv4' | 'ipv6';
  /** The literal without brackets; a zone identifier may follow `%`. */
  readonly host: string;
  readonly port: number;
}

/** A unix domain socket, or a named pipe on Windows. */
export interface UnixAddress {
  readonly family: 'unix';
  /** The file's path; empty for an unnamed peer. */
  readonly path: string;
}

/** A host as a user writes it, and a port. */
export interface HostPort {
  /** A name or a literal without brackets. */
  readonly host: string;
  readonly port: number;
}

/** One path of datagrams between two sockets. */
export interface NetworkPath {
  /** `host:port` of this side, or what the driver uses to find its socket again. */
  readonly local: string;
  /** `host:port` of the peer. */
  readonly remote: string;
}

/** What a server listens on. */
export interface Endpoint {
  readonly scheme: 'http' | 'https';
  /** A name, a literal without brackets, or empty for a unix socket. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The path of a unix socket, or `undefined`. */
  readonly unixPath: string | undefined;
}

/** Scheme, host and port (RFC 6454). */
export interface Origin {
  readonly scheme: 'http' | 'https';
  /** Lowercase; a literal without brackets. */
  readonly host: string;
  readonly port: number;
}

/** The port that a scheme implies. */
export function defaultPort(scheme: 'http' | 'https'): number {
  return scheme === 'https' ? 443 : 80;
}

/** The host as it stands in a URL: an IPv6 literal gets brackets. */
export function bracketHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** `host:port`, with brackets where needed; the path for a unix socket. */
export function formatSocketAddress(address: SocketAddress): string {
  if (address.family === 'unix') return `unix:${address.path}`;
  return `${bracketHost(address.host)}:${String(address.port)}`;
}

/** `https://localhost:5443` */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.unixPath !== undefined) return `${endpoint.scheme}+unix:${endpoint.unixPath}`;
  return `${endpoint.scheme}://${bracketHost(endpoint.host)}:${String(endpoint.port)}`;
}

/** The origin as RFC 6454 section 6.2 prints it: a default port is left out. */
export function formatOrigin(origin: Origin): string {
  const suffix = origin.port === defaultPort(origin.scheme) ? '' : `:${String(origin.port)}`;
  return `${origin.scheme}://${bracketHost(origin.host)}${suffix}`;
}

/** The origin of an http or https URL. */
export function originOf(url: URL): Origin {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new ConfigurationError(`${url.protocol} is no scheme of HTTP`, { hint: 'use http: or https:' });
  }
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  return { scheme, host, port: url.port === '' ? defaultPort(scheme) : Number(url.port) };
}

/** What {@link parseEndpoint} assumes where the text is silent. */
export interface EndpointDefaults {
  readonly scheme: 'http' | 'https';
  readonly host: string;
}

/**
 * Reads `https://localhost:5443`, `localhost:5443`, `5080`, `:5080`, `[::1]:5080`, `unix:/path`, `https+unix:/path`.
 *
 * @throws ConfigurationError for anything else, with the forms that would do
 */
export function parseEndpoint(
  text: string,
  defaults: EndpointDefaults = { scheme: 'http', host: 'localhost' },
): Endpoint {
  const unix = /^(?:(https?)\+)?unix:(.+)$/s.exec(text);
  if (unix !== null) {
    return {
      scheme: schemeOr(unix[1], defaults.scheme),
      host: '',
      port: 0,
      unixPath: (unix[2] as string).replace(/^\/\/(?=\/)/, ''),
    };
  }
  const match = /^(?:(https?):\/\/)?(?:\[([0-9a-fA-F:.%\w-]+)\]|([^\s:/?#[\]@]*))(?::(\d{1,5}))?\/?$/.exec(text);
  const bare = /^\d{1,5}$/.exec(text);
  if (match === null || text === '') throw badEndpoint(text);
  const scheme = schemeOr(match[1], defaults.scheme);
  const portText = bare === null ? match[4] : text;
  const host = bare === null ? (match[2] ?? match[3] ?? '') : '';
  if (portText === undefined && match[1] === undefined) throw badEndpoint(text);
  const port = portText === undefined ? defaultPort(scheme) : Number(portText);
  if (port > 65535) throw badEndpoint(text);
  return { scheme, host: host === '' ? defaults.host : host, port, unixPath: undefined };
}

function schemeOr(text: string | undefined, otherwise: 'http' | 'https'): 'http' | 'https' {
  return text === 'http' || text === 'https' ? text : otherwise;
}

function badEndpoint(text: string): ConfigurationError {
  return new ConfigurationError(`"${text}" is no endpoint`, {
    code: 'ERR_ENDPOINT',
    hint: 'write https://localhost:5443, localhost:5080, 5080, :5080 or unix:/path',
  });
}
