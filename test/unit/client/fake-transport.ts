/**
 * A transport without connections, and a clock moved by hand, for tests of the client's rules.
 *
 * @module
 */
import type { Clock, HeaderList, HfaceError, Random, ScheduledCallback } from '../../../src/common/index.ts';
import { resolveLimits } from '../../../src/common/index.ts';
import type {
  ClientExchange,
  ClientExchangeRequest,
  ConnectionFacts,
  PoolRequestHandler,
} from '../../../src/connections/index.ts';
import { ClientSession } from '../../../src/client/client-session.ts';
import { clientLimits, clientTimeouts } from '../../../src/client/limits.ts';
import type { ClientLimitOptions, ClientTimeoutOptions } from '../../../src/client/limits.ts';
import type { RequestTransport, TransportOptions, TransportTicket } from '../../../src/client/transport.ts';

/** A clock that stands still until it is moved. */
export class ManualClock implements Clock {
  #now = 1000;
  #sequence = 0;
  readonly #waiting = new Map<number, { at: number; callback: () => void }>();

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now + 1_700_000_000_000;
  }

  schedule(at: number, callback: () => void): ScheduledCallback {
    const id = (this.#sequence += 1);
    this.#waiting.set(id, { at, callback });
    return { cancel: () => void this.#waiting.delete(id) };
  }

  /** How many callbacks wait. */
  get pending(): number {
    return this.#waiting.size;
  }

  /** Lets time pass, and everything that is due in it happen in order. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      let next: { id: number; at: number; callback: () => void } | undefined;
      for (const [id, { at, callback }] of this.#waiting) {
        if (at <= end && (next === undefined || at < next.at)) next = { id, at, callback };
      }
      if (next === undefined) break;
      this.#waiting.delete(next.id);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settle();
    }
    this.#now = end;
    await settle();
  }
}

/** Lets every pending microtask, and what they start, run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Counts up. */
export const countingRandom: Random = {
  fill(target) {
    for (let index = 0; index < target.length; index += 1) target[index] = index;
    return target;
  },
};

const facts: ConnectionFacts = {
  connectionId: 7,
  httpVersion: '1.1',
  localAddress: { family: 'ipv4', host: '127.0.0.1', port: 4000 },
  remoteAddress: { family: 'ipv4', host: '127.0.0.1', port: 80 },
  tls: undefined,
};

/** A request that was handed over, and the far end of it. */
export class FakeRequest implements ClientExchange, TransportTicket {
  readonly request: ClientExchangeRequest;
  readonly handler: PoolRequestHandler;
  readonly options: TransportOptions;
  readonly origin: string;
  readonly connection: ConnectionFacts = facts;
  readonly streamId = 1;
  readonly sent: Uint8Array[] = [];
  /** How many more pieces are taken before `sendData` answers false. */
  room = 1_000_000;
  bytesSent = 0;
  bytesReceived = 0;
  consumed = 0;
  ended = false;
  trailers: HeaderList | undefined;
  priority: [number, boolean] | undefined;
  wasReset = false;
  cancelledWith: HfaceError | undefined;

  constructor(origin: string, request: ClientExchangeRequest, handler: PoolRequestHandler, options: TransportOptions) {
    this.origin = origin;
    this.request = request;
    this.handler = handler;
    this.options = options;
  }

  get body(): string {
    return Buffer.concat(this.sent).toString('latin1');
  }

  /** A field of the request. */
  field(name: string): string | undefined {
    const index = this.request.headers.findIndex((text, at) => at % 2 === 0 && text === name);
    return index < 0 ? undefined : this.request.headers[index + 1];
  }

  sendData(data: Uint8Array, endStream: boolean): boolean {
    if (this.ended) throw new Error('sent after the end');
    this.sent.push(data);
    this.bytesSent += data.byteLength;
    this.ended = endStream;
    this.room -= 1;
    return this.room > 0;
  }

  sendTrailers(headers: HeaderList): void {
    if (this.ended) throw new Error('sent after the end');
    this.trailers = headers;
    this.ended = true;
  }

  dataConsumed(length: number): void {
    this.consumed += length;
  }

  setPriority(urgency: number, incremental: boolean): void {
    this.priority = [urgency, incremental];
  }

  reset(): void {
    this.wasReset = true;
  }

  cancel(reason: HfaceError): void {
    this.cancelledWith = reason;
  }

  // The far end.

  start(reused = false, shared = false, early = false): void {
    const connect = reused ? undefined : { started: 1000, resolved: 1001, connected: 1002, secured: undefined };
    this.handler.started({
      exchange: this,
      reused,
      shared,
      early,
      timings: { queued: 1000, sent: 1000, firstByte: undefined, ended: undefined, connect },
    });
  }

  informational(status: number, headers: HeaderList = []): void {
    this.handler.informationalReceived(status, headers, undefined);
  }

  head(status: number, headers: HeaderList = [], endStream = false): void {
    this.handler.headersReceived(status, headers, undefined, '1.1', endStream);
    if (endStream) this.handler.closed();
  }

  data(text: string | Uint8Array, endStream = false, closeDelimited = false): void {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    this.bytesReceived += bytes.byteLength;
    this.handler.dataReceived(new Uint8Array(bytes), bytes.byteLength, endStream, closeDelimited);
    if (endStream) this.handler.closed();
  }

  endWithTrailers(headers: HeaderList): void {
    this.handler.trailersReceived(headers, undefined);
    this.handler.closed();
  }

  /** A whole response. */
  respond(status: number, headers: HeaderList = [], body: string | Uint8Array = ''): void {
    this.head(status, headers);
    this.data(body, true);
  }

  fail(error: HfaceError, processed: 'no' | 'maybe'): void {
    this.handler.failed(error, processed);
    this.handler.closed();
  }
}

/** Keeps what is handed over. */
export class FakeTransport implements RequestTransport {
  readonly requests: FakeRequest[] = [];
  /** Called with each request, a microtask after it was handed over. */
  onRequest: ((request: FakeRequest) => void) | undefined;
  closed = false;

  request(
    origin: { scheme: string; host: string; port: number },
    request: ClientExchangeRequest,
    handler: PoolRequestHandler,
    options: TransportOptions,
  ): TransportTicket {
    const text = `${origin.scheme}://${origin.host}:${String(origin.port)}`;
    const fake = new FakeRequest(text, request, handler, options);
    this.requests.push(fake);
    queueMicrotask(() => this.onRequest?.(fake));
    return fake;
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  /** The request handed over last. */
  get last(): FakeRequest {
    return this.requests.at(-1)!;
  }
}

export interface FakeSession {
  readonly session: ClientSession;
  readonly transport: FakeTransport;
  readonly clock: ManualClock;
}

/** A session over a {@link FakeTransport}. */
export function fakeSession(
  options: { timeouts?: ClientTimeoutOptions; limits?: ClientLimitOptions; retry?: boolean } = {},
): FakeSession {
  const transport = new FakeTransport();
  const clock = new ManualClock();
  const session = new ClientSession({
    transport,
    clock,
    random: countingRandom,
    timeouts: resolveLimits('client', clientTimeouts, options.timeouts),
    limits: resolveLimits('client', clientLimits, options.limits),
    userAgent: 'test/1',
    retry: options.retry ?? true,
    timeoutsOf: (overrides) => resolveLimits('client', clientTimeouts, { ...options.timeouts, ...overrides }),
  });
  return { session, transport, clock };
}
