/**
 * Where `hface-ts server` listens.
 *
 * Owns what the words, `-p`, `--host` and the PORT variable mean together, and what is meant when nothing is said. The
 * form of one endpoint is common/'s.
 *
 * @module
 */
import { isIPv6 } from 'node:net';
import type { Endpoint } from '../../src/common/index.ts';
import { ConfigurationError, formatEndpoint, parseEndpoint } from '../../src/common/index.ts';
import { isHttp3Only } from '../engine-modules.ts';
import type { OptionValues } from '../option-values.ts';
import { usageError } from '../report.ts';

/** Cleartext, when nothing is said. */
export const DEFAULT_HTTP_PORT = 5080;
/** TLS, when nothing is said. */
export const DEFAULT_HTTPS_PORT = 5443;

/**
 * The endpoints: those that are named; with `-p` that port as well; else the PORT variable's port; else the defaults.
 *
 * @param words - the endpoints on the command line
 * @throws ConfigurationError, CommandError (usage)
 */
export function chooseEndpoints(
  words: readonly string[],
  values: OptionValues,
  environment: Readonly<Record<string, string | undefined>>,
): Endpoint[] {
  const host = readHost(values.text('host'));
  const endpoints = words.map((word) => parseEndpoint(word, { scheme: 'http', host }));
  const port = values.integer('port', 0, MAX_PORT) ?? (words.length === 0 ? portVariable(environment) : undefined);
  if (port !== undefined) endpoints.unshift(cleartext(host, port));
  const http3Only = isHttp3Only(values);
  if (endpoints.length === 0) {
    if (!http3Only) endpoints.push(cleartext(host, DEFAULT_HTTP_PORT));
    endpoints.push({ ...cleartext(host, DEFAULT_HTTPS_PORT), scheme: 'https' });
  }
  const unfit = endpoints.find((endpoint) => endpoint.scheme === 'http' || endpoint.unixPath !== undefined);
  if (http3Only && unfit !== undefined) {
    throw usageError(`there is no HTTP/3 at ${formatEndpoint(unfit)}`, 'https://localhost:5443, or --http2 besides');
  }
  refuseTwice(endpoints);
  return endpoints;
}

function cleartext(host: string, port: number): Endpoint {
  return { scheme: 'http', host, port, unixPath: undefined };
}

function readHost(given: string | undefined): string {
  if (given === undefined) return 'localhost';
  const bare = given.startsWith('[') && given.endsWith(']') ? given.slice(1, -1) : given;
  if (isIPv6(bare) || /^[\w.-]+$/.test(bare)) return bare;
  throw usageError(`option --host cannot be "${given}"`, '--host 127.0.0.1, --host :: or a name; the port is -p');
}

function portVariable(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = environment['PORT'];
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,5}$/.test(text) && Number(text) <= MAX_PORT) return Number(text);
  throw new ConfigurationError(`the variable PORT is "${text}", which is no port`, {
    code: 'ERR_USAGE',
    hint: 'unset PORT, or -p PORT',
  });
}

function refuseTwice(endpoints: readonly Endpoint[]): void {
  const seen = new Set<string>();
  for (const endpoint of endpoints) {
    const place = endpoint.unixPath ?? `${endpoint.host}:${String(endpoint.port)}`;
    if (seen.has(place) && (endpoint.port !== 0 || endpoint.unixPath !== undefined)) {
      throw usageError(`the endpoint ${formatEndpoint(endpoint)} is already taken by another one`, 'another port');
    }
    seen.add(place);
  }
}

const MAX_PORT = 65_535;
