/**
 * What a transfer has to say when it is over: the facts behind `-w`.
 *
 * @module
 */
import type { ClientResponse, RequestTimings } from '../../src/client/index.ts';
import type { SocketAddress } from '../../src/common/index.ts';
import type { TransferFacts } from './write-out.ts';

/** Gathers the facts while a transfer goes on. */
export class TransferRecord {
  bytesDownloaded: number;
  redirects: number;
  /** Where a redirect that was not followed leads. */
  redirectUrl: string;
  readonly #url: string;
  readonly #start: number;
  readonly #outputFile: string;
  #response: ClientResponse | undefined;
  #method: string;
  #bytesUploaded: number;
  #connections: number;
  #end: number;

  /** @param start - on the clock's monotonic scale */
  constructor(url: string, start: number, outputFile: string) {
    this.bytesDownloaded = 0;
    this.redirects = 0;
    this.redirectUrl = '';
    this.#url = url;
    this.#start = start;
    this.#outputFile = outputFile;
    this.#response = undefined;
    this.#method = '';
    this.#bytesUploaded = 0;
    this.#connections = 0;
    this.#end = start;
  }

  /** Whether the head of a response has come. */
  get responseBegun(): boolean {
    return this.#response !== undefined;
  }

  /** The head of a response has come. */
  responded(response: ClientResponse, method: string, bytesUploaded: number): void {
    this.#response = response;
    this.#method = method;
    this.#bytesUploaded += bytesUploaded;
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
    return {
      url: this.#url,
      effectiveUrl: response?.url.href ?? this.#url,
      method: this.#method,
      status: response?.status ?? 0,
      httpVersion: response?.httpVersion ?? '0',
      contentType: textOf(response?.header('content-type') ?? ''),
      redirects: this.redirects,
      redirectUrl: this.redirectUrl,
      bytesDownloaded: this.bytesDownloaded,
      bytesUploaded: this.#bytesUploaded,
      headerCount: (response?.headers.length ?? 0) / 2,
      connections: this.#connections,
      localAddress: hostOf(connection?.localAddress),
      localPort: portOf(connection?.localAddress),
      remoteAddress: hostOf(connection?.remoteAddress),
      remotePort: portOf(connection?.remoteAddress),
      timeResolved: this.#seconds(timings, 'resolved'),
      timeConnected: this.#seconds(timings, 'connected'),
      timeSecured: this.#seconds(timings, 'secured'),
      timeRequestSent: this.#seconds(timings, 'started'),
      timeFirstByte: this.#seconds(timings, 'firstByte'),
      timeTotal: (this.#end - this.#start) / 1000,
      exitCode: failure?.exitCode ?? 0,
      error: failure?.message ?? '',
      outputFile: this.#outputFile,
      headers: new Map(headerPairs(response)),
    };
  }

  /** From the start of the transfer; 0 for what did not happen, as curl has it. */
  #seconds(timings: Readonly<RequestTimings> | undefined, name: keyof RequestTimings): number {
    const at = timings?.[name];
    return at === undefined ? 0 : Math.max(0, at - this.#start) / 1000;
  }
}

function hostOf(address: SocketAddress | undefined): string {
  return address === undefined || address.family === 'unix' ? '' : address.host;
}

function portOf(address: SocketAddress | undefined): string {
  return address === undefined || address.family === 'unix' ? '0' : String(address.port);
}

/** Values are octets; what is not ASCII is mostly UTF-8. */
function textOf(value: string): string {
  return Buffer.from(value, 'latin1').toString('utf8');
}

/** The first value of each field. */
function* headerPairs(response: ClientResponse | undefined): IterableIterator<readonly [string, string]> {
  const { headers } = response ?? { headers: [] };
  for (let index = headers.length - 2; index >= 0; index -= 2) {
    yield [headers[index] as string, textOf(headers[index + 1] as string)];
  }
}
