/**
 * What `hface-ts server` prints when it listens: URLs and command lines that can be copied.
 *
 * @module
 */
import type { Endpoint } from '../../src/common/index.ts';
import { bracketHost, defaultPort, formatEndpoint } from '../../src/common/index.ts';
import { shellWord } from '../shell-word.ts';

/** What the text is made from. */
export interface StartFacts {
  /** `hello.js, a Fetch-style app` */
  readonly title: string;
  /** Where the server listens, with the ports it really has. */
  readonly endpoints: readonly Endpoint[];
  /** Those of them that speak HTTP/3. */
  readonly http3Endpoints: readonly Endpoint[];
  /** Whether these speak nothing else. */
  readonly http3Only: boolean;
  /** What a client must trust, or `undefined`. */
  readonly caFile: string | undefined;
  /** Whether clients must show a certificate. */
  readonly clientCertificate: boolean;
  readonly remark: string | undefined;
}

/** The lines. */
export function startLines(facts: StartFacts): string[] {
  const lines = [`serving ${facts.title}`];
  for (const endpoint of facts.endpoints) lines.push(`  ${endpointText(endpoint, facts)}`);
  const commands = facts.endpoints.flatMap((endpoint) => commandFor(endpoint, facts));
  for (const command of new Set(commands)) lines.push(`  ${command}`);
  if (facts.remark !== undefined) lines.push(`  (${facts.remark})`);
  return lines;
}

/** A URL that can be opened, or the path of a socket. */
function endpointText(endpoint: Endpoint, facts: StartFacts): string {
  if (endpoint.unixPath !== undefined) return `${endpoint.scheme}+unix:${endpoint.unixPath}`;
  const remarks = isWildcard(endpoint.host) ? ['on every address'] : [];
  if (speaksHttp3(endpoint, facts)) remarks.push(facts.http3Only ? 'HTTP/3 only' : 'HTTP/3 too');
  return remarks.length === 0 ? urlOf(endpoint) : `${urlOf(endpoint)}  (${remarks.join(', ')})`;
}

function commandFor(endpoint: Endpoint, facts: StartFacts): string[] {
  const words = ['curl'];
  // The usual curl has no HTTP/3.
  if (facts.http3Only && speaksHttp3(endpoint, facts)) {
    return [['hface-ts', 'client', '--http3-only', urlOf(endpoint)].map(shellWord).join(' ')];
  }
  if (endpoint.scheme === 'https' && facts.caFile !== undefined) words.push('--cacert', facts.caFile);
  if (endpoint.scheme === 'https' && facts.clientCertificate) words.push('--cert', 'FILE', '--key', 'FILE');
  if (endpoint.unixPath !== undefined) words.push('--unix-socket', endpoint.unixPath);
  if (words.length === 1) return [];
  return [[...words, urlOf(endpoint)].map(shellWord).join(' ')];
}

function speaksHttp3(endpoint: Endpoint, facts: StartFacts): boolean {
  const text = formatEndpoint(endpoint);
  return facts.http3Endpoints.some((other) => formatEndpoint(other) === text);
}

function urlOf(endpoint: Endpoint): string {
  if (endpoint.unixPath !== undefined) return `${endpoint.scheme}://localhost/`;
  const host = isWildcard(endpoint.host) ? 'localhost' : bracketHost(endpoint.host);
  const port = endpoint.port === defaultPort(endpoint.scheme) ? '' : `:${String(endpoint.port)}`;
  return `${endpoint.scheme}://${host}${port}/`;
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}
