import type { Clock, HeaderList, HfaceError, ScheduledCallback } from '../../../src/common/index.ts';
import { LocalProtocolError, StreamResetError } from '../../../src/common/index.ts';
import type { AppFailureKind, AppHost, ErrorPage } from '../../../src/app/app-host.ts';
import { plainErrorPage } from '../../../src/app/error-pages.ts';
import type { ConnectionFacts, ServerExchange, ServerExchangeHandler } from '../../../src/connections/index.ts';

/** A clock that stands still. */
export const stillClock: Clock = {
  now: () => 1000,
  wallTime: () => Date.UTC(2030, 0, 2, 3, 4, 5),
  schedule: (): ScheduledCallback => ({ cancel: () => undefined }),
};

/** What a fake exchange is made of. */
export interface FakeRequest {
  readonly method?: string;
  readonly scheme?: string;
  readonly authority?: string;
  readonly path?: string;
  readonly protocol?: string;
  readonly headers?: HeaderList;
  readonly endStream?: boolean;
  readonly httpVersion?: '1.0' | '1.1' | '2';
  /** Room of the send buffer in bytes. */
  readonly room?: number;
}

/** An exchange in memory: what is sent is kept as a log and as bytes; the room is given back by `drain`. */
export class FakeExchange implements ServerExchange {
  readonly connection: ConnectionFacts;
  readonly clock: Clock = stillClock;
  readonly streamId = 1;
  readonly requestId = 'c-1';
  readonly httpVersion: '1.0' | '1.1' | '2';
  readonly method: string;
  readonly scheme: string;
  readonly authority: string;
  readonly path: string;
  readonly protocol: string | undefined;
  readonly upgrade: readonly string[] = [];
  readonly headers: HeaderList;
  readonly rawNames: readonly string[] | undefined = undefined;
  readonly endStream: boolean;
  early = false;
  readonly priorityUpdate = undefined;
  headersSent = false;
  responseEnded = false;
  abortedWith: HfaceError | undefined = undefined;
  bytesSent = 0;
  bytesReceived = 0;

  /** What was called, in order: `headers 200`, `data 5`, `respond 200`, `trailers`, `reset`, `1xx 103` … */
  readonly log: string[] = [];
  status = 0;
  sentHeaders: HeaderList = [];
  readonly informational: [status: number, headers: HeaderList][] = [];
  readonly chunks: Uint8Array[] = [];
  sentTrailers: HeaderList | undefined = undefined;
  consumed = 0;
  handlersEnded = 0;
  priority: [urgency: number, incremental: boolean] | undefined = undefined;
  handler: ServerExchangeHandler | undefined = undefined;
  queued = 0;
  /** The most that was ever queued. */
  peak = 0;
  readonly #room: number;

  constructor(request: FakeRequest = {}) {
    this.connection = {
      connectionId: 7,
      httpVersion: request.httpVersion ?? '1.1',
      localAddress: { family: 'ipv4', host: '127.0.0.1', port: 8080 },
      remoteAddress: { family: 'ipv4', host: '192.0.2.9', port: 40000 },
      tls: undefined,
    };
    this.httpVersion = request.httpVersion ?? '1.1';
    this.method = request.method ?? 'GET';
    this.scheme = request.scheme ?? 'http';
    this.authority = request.authority ?? 'example.com';
    this.path = request.path ?? '/';
    this.protocol = request.protocol;
    this.headers = request.headers ?? [];
    this.endStream = request.endStream ?? true;
    this.#room = request.room ?? Infinity;
  }

  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get text(): string {
    return this.body.toString();
  }

  field(name: string): string | undefined {
    const index = this.sentHeaders.findIndex((entry, at) => at % 2 === 0 && entry === name);
    return index === -1 ? undefined : this.sentHeaders[index + 1];
  }

  start(handler: ServerExchangeHandler): void {
    this.handler = handler;
  }

  sendInformational(status: number, headers: HeaderList): void {
    this.log.push(`1xx ${String(status)}`);
    this.informational.push([status, headers]);
  }

  sendHeaders(status: number, headers: HeaderList, endStream: boolean): void {
    if (this.abortedWith !== undefined) return;
    this.#head(status, headers);
    this.log.push(`headers ${String(status)}${endStream ? ' end' : ''}`);
    if (endStream) this.#ended();
  }

  sendData(data: Uint8Array, endStream: boolean): boolean {
    if (this.abortedWith !== undefined) return false;
    if (!this.headersSent || this.responseEnded) throw new LocalProtocolError('no data here');
    if (data.length > 0 && this.queued >= this.#room) throw new LocalProtocolError('there is no room');
    this.log.push(`data ${String(data.length)}${endStream ? ' end' : ''}`);
    this.#take(data);
    if (endStream) this.#ended();
    return this.queued < this.#room;
  }

  sendTrailers(headers: HeaderList): void {
    if (this.abortedWith !== undefined) return;
    if (!this.headersSent || this.responseEnded) throw new LocalProtocolError('no trailers here');
    this.log.push('trailers');
    this.sentTrailers = headers;
    this.#ended();
  }

  respond(status: number, headers: HeaderList, content: Uint8Array | string | undefined): void {
    if (this.abortedWith !== undefined) return;
    const body = typeof content === 'string' ? Buffer.from(content) : content;
    this.#head(status, [...headers, 'content-length', String(body?.length ?? 0)]);
    this.log.push(`respond ${String(status)}`);
    if (body !== undefined) this.#take(body);
    this.#ended();
  }

  acceptTunnel(): void {
    throw new LocalProtocolError('no tunnel here');
  }

  dataConsumed(flowControlledLength: number): void {
    this.consumed += flowControlledLength;
  }

  setPriority(urgency: number, incremental: boolean): void {
    this.priority = [urgency, incremental];
  }

  reset(): void {
    if (this.abortedWith !== undefined) return;
    this.log.push('reset');
    this.abortedWith = new StreamResetError('given up', { errorCode: 1, initiator: 'application' });
    this.handler?.closed();
  }

  handlerEnded(): void {
    this.handlersEnded += 1;
  }

  /** The client sends a piece of the body. */
  receive(text: string | Uint8Array, endStream = false): void {
    const data = typeof text === 'string' ? Buffer.from(text) : text;
    this.bytesReceived += data.length;
    this.handler?.dataReceived(data, data.length, endStream);
  }

  /** The client leaves. */
  leave(message = 'the client left'): HfaceError {
    const error = new StreamResetError(message, { errorCode: 8, initiator: 'peer' });
    this.abortedWith = error;
    this.handler?.aborted(error);
    this.handler?.closed();
    return error;
  }

  /** The network takes what is queued. */
  drain(): void {
    const full = this.queued >= this.#room;
    this.queued = 0;
    if (full && !this.responseEnded && this.abortedWith === undefined) this.handler?.writable();
  }

  #head(status: number, headers: HeaderList): void {
    if (this.headersSent) throw new LocalProtocolError('a head was sent before');
    for (const entry of headers) {
      // eslint's control-character rule does not hold here: these are the ones that split a response.
      if (/[\r\n\0]/.test(entry)) throw new LocalProtocolError('a field has a character that no field may hold');
    }
    this.headersSent = true;
    this.status = status;
    this.sentHeaders = headers;
  }

  #take(data: Uint8Array): void {
    this.chunks.push(Buffer.from(data));
    this.bytesSent += data.length;
    this.queued += data.length;
    this.peak = Math.max(this.peak, this.queued);
  }

  #ended(): void {
    this.responseEnded = true;
    if (this.endStream) this.handler?.closed();
  }
}

/** A host that remembers what it was told. */
export class FakeHost implements AppHost {
  readonly dev: boolean;
  readonly reports: [error: unknown, kind: AppFailureKind][] = [];
  readonly waiting: PromiseLike<unknown>[] = [];
  readonly ended: number[] = [];
  fields: HeaderList = [];

  constructor(dev = false) {
    this.dev = dev;
  }

  responseFields(): HeaderList {
    return this.fields;
  }

  errorPage(status: number, error: unknown, exchange: ServerExchange): ErrorPage {
    return plainErrorPage(status, exchange.requestId, error, this.dev);
  }

  report(error: unknown, kind: AppFailureKind): void {
    this.reports.push([error, kind]);
  }

  waitUntil(promise: PromiseLike<unknown>): void {
    this.waiting.push(promise);
  }

  exchangeEnded(_exchange: ServerExchange, status: number): void {
    this.ended.push(status);
  }
}

/** Lets promises, streams and immediates run. */
export async function settle(turns = 3): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}
