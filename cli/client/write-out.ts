/**
 * `-w`: a line after each transfer, from curl's format with curl's variables.
 *
 * Owns the format's syntax and the names. Unknown variables are refused, not printed empty.
 *
 * @module
 */
import { ConfigurationError } from '../../src/common/index.ts';
import { suggest } from '../suggest.ts';

/** What a transfer has to say when it ended. Times are in seconds from its start. */
export interface TransferFacts {
  readonly url: string;
  readonly effectiveUrl: string;
  readonly method: string;
  readonly status: number;
  readonly httpVersion: string;
  readonly contentType: string;
  readonly redirects: number;
  readonly redirectUrl: string;
  readonly bytesDownloaded: number;
  readonly bytesUploaded: number;
  readonly headerCount: number;
  readonly connections: number;
  readonly localAddress: string;
  readonly localPort: string;
  readonly remoteAddress: string;
  readonly remotePort: string;
  readonly timeResolved: number;
  readonly timeConnected: number;
  readonly timeSecured: number;
  readonly timeRequestSent: number;
  readonly timeFirstByte: number;
  readonly timeTotal: number;
  readonly exitCode: number;
  readonly error: string;
  readonly outputFile: string;
  readonly headers: ReadonlyMap<string, string>;
}

const variables: Readonly<Record<string, (facts: TransferFacts) => string>> = {
  content_type: (facts) => facts.contentType,
  errormsg: (facts) => facts.error,
  exitcode: (facts) => String(facts.exitCode),
  filename_effective: (facts) => facts.outputFile,
  http_code: (facts) => String(facts.status).padStart(3, '0'),
  http_version: (facts) => facts.httpVersion,
  local_ip: (facts) => facts.localAddress,
  local_port: (facts) => facts.localPort,
  method: (facts) => facts.method,
  num_connects: (facts) => String(facts.connections),
  num_headers: (facts) => String(facts.headerCount),
  num_redirects: (facts) => String(facts.redirects),
  redirect_url: (facts) => facts.redirectUrl,
  remote_ip: (facts) => facts.remoteAddress,
  remote_port: (facts) => facts.remotePort,
  response_code: (facts) => String(facts.status).padStart(3, '0'),
  scheme: (facts) => facts.effectiveUrl.slice(0, facts.effectiveUrl.indexOf(':')),
  size_download: (facts) => String(facts.bytesDownloaded),
  size_upload: (facts) => String(facts.bytesUploaded),
  speed_download: (facts) => String(Math.round(facts.bytesDownloaded / Math.max(facts.timeTotal, 1e-6))),
  speed_upload: (facts) => String(Math.round(facts.bytesUploaded / Math.max(facts.timeTotal, 1e-6))),
  time_appconnect: (facts) => facts.timeSecured.toFixed(6),
  time_connect: (facts) => facts.timeConnected.toFixed(6),
  time_namelookup: (facts) => facts.timeResolved.toFixed(6),
  time_pretransfer: (facts) => facts.timeRequestSent.toFixed(6),
  time_starttransfer: (facts) => facts.timeFirstByte.toFixed(6),
  time_total: (facts) => facts.timeTotal.toFixed(6),
  url: (facts) => facts.url,
  url_effective: (facts) => facts.effectiveUrl,
};

/** The names in alphabetical order, for help and documentation. */
export const writeOutVariables: readonly string[] = Object.keys(variables);

/** A format, read once and printed for each transfer. */
export type WriteOut = (facts: TransferFacts) => string;

/**
 * Reads a format: `%{name}`, `%header{name}`, `%%`, and the escapes `\n`, `\r`, `\t`.
 *
 * @throws ConfigurationError for a variable that there is not
 */
export function parseWriteOut(format: string): WriteOut {
  const parts: ((facts: TransferFacts) => string)[] = [];
  for (const match of format.matchAll(/%header\{([^}]*)\}|%\{([^}]*)\}|%%|\\([nrt\\])|[^%\\]+|[%\\]/g)) {
    const [whole, header, name, escape] = match;
    if (header !== undefined) parts.push((facts) => facts.headers.get(header.toLowerCase()) ?? '');
    else if (name !== undefined) parts.push(variable(name));
    else if (escape !== undefined) parts.push(() => ({ n: '\n', r: '\r', t: '\t' })[escape] ?? '\\');
    else parts.push(() => (whole === '%%' ? '%' : whole));
  }
  return (facts) => parts.map((part) => part(facts)).join('');
}

function variable(name: string): (facts: TransferFacts) => string {
  const known = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (known !== undefined) return known;
  const near = suggest(name, writeOutVariables);
  throw new ConfigurationError(`-w has no variable %{${name}}`, {
    code: 'ERR_USAGE',
    hint: near === undefined ? `variables: ${writeOutVariables.join(', ')}` : `did you mean %{${near}}?`,
  });
}
