/**
 * What a transfer has to say when it is over: the facts behind `-w`.
 *
 * @module
 */
import type { ClientResponse, RequestTimings } from '../../src/client/index.ts';
import type { SocketAddress } from '../../src/common/index.ts';
import { exitCode } from './exit-codes.ts';
import type { ProgressCount } from './progress.ts';
import type { TransferFacts } from './write-out-variables.ts';

/** Gathers the facts while a transfer goes on. */
export class TransferRecord implements ProgressCount {
  bytesDownloaded: number;
  bytesUploaded: number;
  downloadLength: number | undefined;
  uploadLength: number | undefined;
  redirects: number;
  retries: number;
  /** Where a redirect that was not followed leads. */
  redirectUrl: string;
  readonly #target: { readonly text: string; readonly index: number };
  readonly #start: number;
  readonly #outputFile: () => string;
  #response: ClientResponse | undefined;
  #url: URL | undefined;
  #method: string;
  #referer: string;
  #headBytes: number;
  #requestBytes: number;
  #connections: number;
  #lastQueued: number;
  #end: number;

  /**
   * @param target - what is asked for: as written, and its place among all
   * @param start - on the clock's monotonic scale
   * @param outputFile - the file's name, once it is known
   */
  constructor(target: { readonly text: string; readonly index: number }, start: number, outputFile: () => string) {
    this.bytesDownloaded = 0;
    this.bytesUploaded = 0;
    this.downloadLength = undefined;
    this.uploadLength = undefined;
    this.redirects = 0;
    this.retries = 0;
    this.redirectUrl = '';
    this.#target = target;
    this.#start = start;
    this.#outputFile = outputFile;
    this.#response = undefined;
    this.#url = undefined;
    this.#method = '';
    this.#referer = '';
    this.#headBytes = 0;
    this.#requestBytes = 0;
    this.#connections = 0;
    this.#lastQueued = start;
    this.#end = start;
  }

  /** Whether the head of a response has come. */
  get responseBegun(): boolean {
    return this.#response !== undefined;
  }

  /** A request begins. `headers`: names and values, those of ours included. */
  requested(url: URL, method: string, headers: readonly string[], now: number): void {
    this.#url = url;
    this.#method = method;
    this.#lastQueued = now;
    this.#referer = '';
    for (let index = 0; index < headers.length; index += 2) {
      if (headers[index]?.toLowerCase() === 'referer') this.#referer = headers[index + 1] as string;
    }
    this.#requestBytes += requestLength(url, method, headers);
  }

  /** The head of a response has come. `text`: it as `-i` prints it. */
  responded(response: ClientResponse, text: string): void {
    this.#response = response;
    this.#headBytes += text.length;
    if (!response.connection.reused) this.#connections += 1;
  }

  /** It is over, well or not. */
  ended(now: number): void {
    this.#end = now;
  }

  /** All facts, once it is over. `failure`: what went wrong, and the exit code. */
  facts(failure: { readonly message: string; readonly exitCode: number } | undefined): TransferFacts {
    const response = this.#response;
    const connection = response?.connection;
    const timings = response?.timings;
    const allHeaders = headerLists(response);
    return {
      url: this.#target.text,
      index: this.#target.index,
      effectiveUrl: this.#url?.href ?? this.#target.text,
      referer: textOf(this.#referer),
      method: this.#method,
      status: response?.status ?? 0,
      httpVersion: response?.httpVersion ?? '0',
      contentType: textOf(response?.header('content-type') ?? ''),
      redirects: this.redirects,
      redirectUrl: this.redirectUrl,
      bytesDownloaded: this.bytesDownloaded,
      bytesUploaded: this.bytesUploaded,
      headerCount: (response?.headers.length ?? 0) / 2,
      headBytes: this.#headBytes,
      requestBytes: this.#requestBytes,
      connections: this.#connections,
      connectionId: connection?.id ?? -1,
      retries: this.retries,
      localAddress: hostOf(connection?.localAddress),
      localPort: portOf(connection?.localAddress),
      remoteAddress: hostOf(connection?.remoteAddress),
      remotePort: portOf(connection?.remoteAddress),
      certificateRefused: connection?.tls?.authorized === false || failure?.exitCode === exitCode.certificate,
      timeResolved: this.#seconds(timings, 'resolved'),
      timeConnected: this.#seconds(timings, 'connected'),
      timeSecured: this.#seconds(timings, 'secured'),
      timeRequestSent: this.#seconds(timings, 'started'),
      timeFirstByte: this.#seconds(timings, 'firstByte'),
      timeRedirect: this.redirects === 0 ? 0 : (this.#lastQueued - this.#start) / 1000,
      timeTotal: (this.#end - this.#start) / 1000,
      exitCode: failure?.exitCode ?? 0,
      error: failure?.message ?? '',
      outputFile: this.#outputFile(),
      headers: new Map([...allHeaders].map(([name, values]) => [name, values[0] ?? ''])),
      allHeaders,
    };
  }

  /** From the start of the transfer; 0 for what did not happen, as curl has it. */
  #seconds(timings: Readonly<RequestTimings> | undefined, name: keyof RequestTimings): number {
    const at = timings?.[name];
    return at === undefined ? 0 : Math.max(0, at - this.#start) / 1000;
  }
}

/** Octets of a request's head on HTTP/1.1, Host included. */
function requestLength(url: URL, method: string, headers: readonly string[]): number {
  const line = `${method} ${url.pathname}${url.search} HTTP/1.1\r\n`.length;
  const host = headers.some((entry, index) => index % 2 === 0 && entry.toLowerCase() === 'host');
  const fields = headers.reduce((sum, entry) => sum + entry.length + 2, 0);
  return line + (host ? 0 : `host: ${url.host}\r\n`.length) + fields + 2;
}

function hostOf(address: SocketAddress | undefined): string {
  return address === undefined || address.family === 'unix' ? '' : address.host;
}

function portOf(address: SocketAddress | undefined): number {
  return address === undefined || address.family === 'unix' ? 0 : address.port;
}

/** Values are octets; what is not ASCII is mostly UTF-8. */
function textOf(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

/** All values of each field, in order. */
function headerLists(response: ClientResponse | undefined): ReadonlyMap<string, readonly string[]> {
  const { headers } = response ?? { headers: [] };
  const lists = new Map<string, string[]>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = headers[index] as string;
    const value = textOf(headers[index + 1] as string);
    const list = lists.get(name);
    if (list === undefined) lists.set(name, [value]);
    else list.push(value);
  }
  return lists;
}
