/**
 * Mistakes in a server's options, found when the server is made rather than when it runs.
 *
 * Owns the checks, and the reading of endpoints in all their forms.
 *
 * @module
 */
import { ConfigurationError, parseEndpoint } from '../common/index.ts';
import type { Endpoint } from '../common/index.ts';
import type {
  AppServerOptions,
  EndpointEntry,
  EndpointInit,
  EndpointOptions,
  ResolvedEndpoint,
} from './server-options.ts';
import { endpointFactories } from './endpoint-factories.ts';

/** Finds mistakes in options. @throws ConfigurationError */
export function checkServerOptions(options: AppServerOptions): void {
  for (const name of Object.keys(options)) {
    if (!OPTION_NAMES.has(name)) {
      throw new ConfigurationError(`AppServer has no option named ${name}`, {
        hint: `options: ${[...OPTION_NAMES].join(', ')}`,
      });
    }
  }
  if (options.serverName !== undefined && !/^[\x21-\x7e][\x20-\x7e]*$/.test(options.serverName)) {
    throw new ConfigurationError('serverName must be printable ASCII');
  }
  endpointFactories({}, options, undefined, undefined);
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
  const tls = own.tls ?? options.tls;
  if (endpoint.scheme === 'https' && tls === undefined) {
    throw new ConfigurationError('an https endpoint needs a certificate', {
      code: 'ERR_TLS_MISSING',
      hint: 'tls: { cert, key }, or tls: await developmentTls() from hface-ts/certificates',
    });
  }
  const quic = { ...options.quic, ...own.quic };
  return { endpoint, tls, ...endpointFactories(own, options, endpoint, tls), quic };
}

/** An endpoint in any form, without options. @throws ConfigurationError */
export function endpointOf(endpoint: string | URL | Endpoint): Endpoint {
  if (typeof endpoint === 'string') return parseEndpoint(endpoint);
  if (!(endpoint instanceof URL)) return endpoint;
  if (endpoint.pathname !== '/' || endpoint.search !== '' || endpoint.hash !== '') {
    throw new ConfigurationError(`${endpoint.href} is no endpoint: it has a path`, { code: 'ERR_ENDPOINT' });
  }
  return parseEndpoint(endpoint.origin);
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
  'http1Implementation',
  'http2Factory',
  'http2Implementation',
  'http2Limits',
  'http3Factory',
  'http3Implementation',
  'http3Limits',
  'quic',
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
