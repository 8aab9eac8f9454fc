/**
 * The variables of `-w`, and what they are taken from.
 *
 * Owns names, spelling and the kinds of values: `%{json}` prints numbers as numbers, and null for what is empty, as curl
 * does.
 *
 * @module
 */

/** What a transfer has to say when it ended. Times are in seconds from its start. */
export interface TransferFacts {
  readonly url: string;
  /** The place among all URLs, from 0. */
  readonly index: number;
  readonly effectiveUrl: string;
  readonly referer: string;
  readonly method: string;
  readonly status: number;
  readonly httpVersion: string;
  readonly contentType: string;
  readonly redirects: number;
  readonly redirectUrl: string;
  readonly bytesDownloaded: number;
  readonly bytesUploaded: number;
  readonly headerCount: number;
  /** Octets of all heads, as `-i` prints them. */
  readonly headBytes: number;
  /** Octets of all request heads, as HTTP/1.1 has them. */
  readonly requestBytes: number;
  readonly connections: number;
  readonly connectionId: number;
  readonly retries: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly certificateRefused: boolean;
  readonly timeResolved: number;
  readonly timeConnected: number;
  readonly timeSecured: number;
  readonly timeRequestSent: number;
  readonly timeFirstByte: number;
  /** Until the request that the last redirect led to. */
  readonly timeRedirect: number;
  readonly timeTotal: number;
  readonly exitCode: number;
  readonly error: string;
  readonly outputFile: string;
  /** The first value of each field. */
  readonly headers: ReadonlyMap<string, string>;
  /** All values of each field. */
  readonly allHeaders: ReadonlyMap<string, readonly string[]>;
}

/** A variable: how its value is found, and how it is written. */
type Variable =
  | readonly [kind: 'text', value: (facts: TransferFacts) => string]
  | readonly [kind: 'count' | 'status' | 'time', value: (facts: TransferFacts) => number];

const variables: Readonly<Record<string, Variable>> = {
  conn_id: ['count', (facts) => facts.connectionId],
  content_type: ['text', (facts) => facts.contentType],
  errormsg: ['text', (facts) => facts.error],
  exitcode: ['count', (facts) => facts.exitCode],
  filename_effective: ['text', (facts) => facts.outputFile],
  http_code: ['status', (facts) => facts.status],
  http_connect: ['status', () => 0],
  http_version: ['text', (facts) => facts.httpVersion],
  local_ip: ['text', (facts) => facts.localAddress],
  local_port: ['count', (facts) => facts.localPort],
  method: ['text', (facts) => facts.method],
  num_connects: ['count', (facts) => facts.connections],
  num_headers: ['count', (facts) => facts.headerCount],
  num_redirects: ['count', (facts) => facts.redirects],
  num_retries: ['count', (facts) => facts.retries],
  redirect_url: ['text', (facts) => facts.redirectUrl],
  referer: ['text', (facts) => facts.referer],
  remote_ip: ['text', (facts) => facts.remoteAddress],
  remote_port: ['count', (facts) => facts.remotePort],
  response_code: ['status', (facts) => facts.status],
  scheme: ['text', (facts) => facts.effectiveUrl.slice(0, facts.effectiveUrl.indexOf(':'))],
  size_download: ['count', (facts) => facts.bytesDownloaded],
  size_header: ['count', (facts) => facts.headBytes],
  size_request: ['count', (facts) => facts.requestBytes],
  size_upload: ['count', (facts) => facts.bytesUploaded],
  speed_download: ['count', (facts) => speed(facts.bytesDownloaded, facts)],
  speed_upload: ['count', (facts) => speed(facts.bytesUploaded, facts)],
  ssl_verify_result: ['count', (facts) => (facts.certificateRefused ? 1 : 0)],
  time_appconnect: ['time', (facts) => facts.timeSecured],
  time_connect: ['time', (facts) => facts.timeConnected],
  time_namelookup: ['time', (facts) => facts.timeResolved],
  time_pretransfer: ['time', (facts) => facts.timeRequestSent],
  time_redirect: ['time', (facts) => facts.timeRedirect],
  time_starttransfer: ['time', (facts) => facts.timeFirstByte],
  time_total: ['time', (facts) => facts.timeTotal],
  url: ['text', (facts) => facts.url],
  url_effective: ['text', (facts) => facts.effectiveUrl],
  urlnum: ['count', (facts) => facts.index],
};

/** The names that have a value of their own, and `json` for all of them; in alphabetical order. */
export const writeOutVariables: readonly string[] = [...Object.keys(variables), 'json'].sort();

/** What a variable prints, or `undefined` when there is none of that name. */
export function variableText(name: string): ((facts: TransferFacts) => string) | undefined {
  if (name === 'json') return allAsJson;
  const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
  if (variable === undefined) return undefined;
  return (facts) => {
    const [kind, value] = variable;
    if (kind === 'text') return value(facts);
    if (kind === 'status') return String(value(facts)).padStart(3, '0');
    return kind === 'time' ? value(facts).toFixed(6) : String(value(facts));
  };
}

/** `%{header_json}`: all fields, each a list. */
export function headerJson(facts: TransferFacts): string {
  // Not by an object: a field may be called __proto__.
  const members = [...facts.allHeaders].map(([name, values]) => `${JSON.stringify(name)}:${JSON.stringify(values)}`);
  return `{${members.join(',\n')}\n}`;
}

function allAsJson(facts: TransferFacts): string {
  const members = Object.entries(variables).map(([name, [kind, value]]) => {
    const found = value(facts);
    const text = kind === 'time' ? Number(found).toFixed(6) : found === '' ? 'null' : JSON.stringify(found);
    return `${JSON.stringify(name)}:${text}`;
  });
  return `{${members.join(',')}}`;
}

function speed(bytes: number, facts: TransferFacts): number {
  return Math.round(bytes / Math.max(facts.timeTotal, 1e-6));
}
