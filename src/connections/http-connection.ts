/**
 * One HTTP connection of any version, as people build on it.
 *
 * Owns the public surface: sending with promises where one must wait, receiving by `receiveEvent`, `for await` or a
 * synchronous callback, the graceful and the hard end. The loop below is the driver's.
 *
 * Three ways to receive, chosen once:
 * - `receiveEvent()` or `for await (const event of connection)`. While events wait and nobody takes them, reading is
 *   paused. The content of a `DataReceived` counts as consumed when the event is handed out.
 * - `setEventHandler(callback)`: one synchronous call per event, no promise. The callback gives content back itself,
 *   by `dataConsumed`. What it throws ends the connection with the version's internal error.
 * - `attach(handler)`: the driver's own seam, for facades; the promises of this class are not served then.
 *
 * Invariants: `closed` resolves exactly once and never rejects; after it nothing of the connection is left.
 *
 * @module
 */
import { HfaceError, LocalProtocolError, StreamResetError } from '../common/index.ts';
import type { Clock, HeaderList } from '../common/index.ts';
import type { ByteStream } from '../networking/index.ts';
import type {
  EndStream,
  HttpEvent,
  HttpOverTcpProtocol,
  HttpProtocol,
  SubmitHeadersOptions,
} from '../protocols/index.ts';
import { resolveLimits } from '../common/index.ts';
import type { ConnectionFacts } from './exchange.ts';
import { EventQueue } from './event-queue.ts';
import type { DetachedStream, HttpDriver, HttpDriverHandler } from './http-driver.ts';
import { connectionLimits } from './limits.ts';
import type { ConnectionLimitOptions } from './limits.ts';
import { OverTcpDriver } from './over-tcp-driver.ts';
import { RoomWaiters } from './room-waiters.ts';

/** How data is sent. */
export interface SendDataOptions extends EndStream {
  /** Ends the wait for room; what was taken already stays sent. */
  readonly signal?: AbortSignal | undefined;
}

/** How a head is sent. */
export type SendHeadersOptions = SubmitHeadersOptions;

/** An HTTP connection. */
export class HttpConnection implements AsyncIterable<HttpEvent> {
  readonly #driver: HttpDriver;
  readonly #events: EventQueue;
  readonly #room: RoomWaiters;
  #callback: ((event: HttpEvent) => void) | undefined;
  #mode: 'none' | 'pull' | 'callback' | 'attached';
  /** Streams that have begun and not ended, for those who wait for room. */
  readonly #open: Set<number>;
  #error: HfaceError | undefined;
  #isClosed: boolean;
  #closed: Promise<void> | undefined;
  #resolveClosed: (() => void) | undefined;
  #onClosed: (() => void) | undefined;

  /** @param driver - what runs the engine; see {@link HttpConnection.overStream} for byte streams */
  constructor(driver: HttpDriver) {
    this.#driver = driver;
    this.#events = new EventQueue();
    this.#room = new RoomWaiters();
    this.#callback = undefined;
    this.#mode = 'none';
    this.#open = new Set();
    this.#error = undefined;
    this.#isClosed = false;
    this.#closed = undefined;
    this.#resolveClosed = undefined;
    this.#onClosed = undefined;
  }

  /** A connection of an engine over a byte stream that was not started. */
  static overStream(
    protocol: HttpOverTcpProtocol,
    stream: ByteStream,
    clock: Clock,
    limits: ConnectionLimitOptions = {},
  ): HttpConnection {
    return new HttpConnection(
      new OverTcpDriver(protocol, stream, clock, resolveLimits('connection', connectionLimits, limits)),
    );
  }

  /** The engine. What is submitted to it directly needs {@link HttpConnection.wake} afterwards. */
  get protocol(): HttpProtocol {
    return this.#driver.protocol;
  }

  /** Id, version, addresses, TLS. */
  get facts(): ConnectionFacts {
    return this.#driver.facts;
  }

  /** The networking's clock. */
  get clock(): Clock {
    return this.#driver.clock;
  }

  /** Bytes taken from and given to the network. */
  get traffic(): { readonly bytesRead: number; readonly bytesWritten: number } {
    return this.#driver;
  }

  /** Why the connection ended, when it did not end gracefully. */
  get error(): HfaceError | undefined {
    return this.#error;
  }

  /** Whether {@link HttpConnection.closed} has resolved. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Resolves when nothing of the connection is left; see {@link HttpConnection.error}. Never rejects. */
  get closed(): Promise<void> {
    this.#closed ??= this.#isClosed
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#resolveClosed = resolve;
        });
    return this.#closed;
  }

  /** Takes every event by a synchronous call from now on. Before any event was taken in another way. */
  setEventHandler(callback: (event: HttpEvent) => void): void {
    if (this.#mode !== 'none' && this.#mode !== 'callback') throw received(this.#mode);
    this.#callback = callback;
    this.#begin('callback');
  }

  /** Takes the driver's calls oneself. Before any event was taken in another way; a later call replaces the handler. */
  attach(handler: HttpDriverHandler): void {
    if (this.#mode !== 'none' && this.#mode !== 'attached') throw received(this.#mode);
    this.#mode = 'attached';
    this.#driver.start({
      eventReceived: (event) => handler.eventReceived(event),
      ended: (error) => {
        try {
          handler.ended(error);
        } finally {
          this.#finish(error);
        }
      },
    });
  }

  /** Whoever listed the connection is told of its end, before `closed` resolves. For listeners and pools. */
  onClosed(callback: () => void): void {
    const before = this.#onClosed;
    this.#onClosed =
      before === undefined
        ? callback
        : (): void => {
            before();
            callback();
          };
    if (this.#isClosed) callback();
  }

  /**
   * The next event; `undefined` when the connection is over, which `ConnectionTerminated` has told before.
   *
   * @param signal - ends the wait: the promise rejects with its reason, no event is lost
   */
  receiveEvent(signal?: AbortSignal): Promise<HttpEvent | undefined> {
    if (this.#mode !== 'none' && this.#mode !== 'pull') return Promise.reject(received(this.#mode));
    this.#begin('pull');
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#handedOut(event);
      return Promise.resolve(event);
    }
    this.#driver.holdInput(false);
    return this.#events.wait(signal);
  }

  /** All events up to and with `ConnectionTerminated`. Leaving the loop leaves the connection as it is. */
  async *[Symbol.asyncIterator](): AsyncGenerator<HttpEvent, void, undefined> {
    for (;;) {
      const event = await this.receiveEvent();
      if (event === undefined) return;
      yield event;
    }
  }

  /** Client: the id for the next request. @throws LocalProtocolError when none can be opened now */
  getAvailableStreamId(): number {
    return this.#driver.protocol.getAvailableStreamId();
  }

  /** Opens a request or answers one. Pseudo-header fields first. @throws LocalProtocolError */
  sendHeaders(streamId: number, headers: HeaderList, options: SendHeadersOptions): void {
    this.#driver.protocol.submitHeaders(streamId, headers, options);
    if (this.#driver.protocol.role === 'client') this.#open.add(streamId);
    this.#wakeUp();
  }

  /** Sends a 1xx response other than 101. @throws LocalProtocolError */
  sendInformational(streamId: number, headers: HeaderList): void {
    this.#driver.protocol.submitInformational(streamId, headers);
    this.#wakeUp();
  }

  /**
   * Sends content or tunnel bytes and resolves when the stream takes more. Several calls at once keep their order.
   * Rejects with LocalProtocolError for misuse, with the reset's error when the stream ends first, or with the
   * signal's reason.
   */
  async sendData(streamId: number, data: Uint8Array, options: SendDataOptions): Promise<void> {
    const protocol = this.#driver.protocol;
    while (data.length > 0 && protocol.sendCapacity(streamId) === 0) await this.#waitForRoom(streamId, options.signal);
    protocol.submitData(streamId, data, { endStream: options.endStream });
    this.#wakeUp();
    if (options.endStream || protocol.sendCapacity(streamId) > 0) return;
    await this.#waitForRoom(streamId, options.signal);
  }

  /** Sends the trailer section, which ends the stream's sending side. @throws LocalProtocolError */
  sendTrailers(streamId: number, headers: HeaderList): void {
    this.#driver.protocol.submitTrailers(streamId, headers);
    this.#wakeUp();
  }

  /** Gives a stream up, as no longer wanted when no code is given. On HTTP/1 the connection ends. */
  sendStreamReset(streamId: number, errorCode: number = this.#driver.protocol.errorCodes.cancelled): void {
    this.#driver.protocol.submitStreamReset(streamId, errorCode);
    this.#wakeUp();
  }

  /** Callback mode: a piece of content was taken. */
  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.#driver.protocol.dataConsumed(streamId, flowControlledLength);
    this.#wakeUp();
  }

  /** Server: the application is done with the stream. Owed once for each request. */
  handlerEnded(streamId: number): void {
    this.#driver.protocol.submitHandlerEnd(streamId);
    this.#wakeUp();
  }

  /** What was submitted to the engine directly is seen to at the end of the turn. */
  wake(): void {
    this.#wakeUp();
  }

  /** Winds down: no further request, what runs is finished. Resolves when the connection is closed. */
  shutdown(): Promise<void> {
    this.#driver.protocol.submitShutdown();
    this.#wakeUp();
    return this.closed;
  }

  /** Ends it now; open streams get their reset. Pending output still goes out, within a bound. Resolves when closed. */
  close(errorCode: number = this.#driver.protocol.errorCodes.noError, reason?: string): Promise<void> {
    this.#driver.protocol.submitClose(errorCode, reason);
    this.#wakeUp();
    return this.closed;
  }

  /** Ends the transport at once, without a word. */
  abort(error?: HfaceError): void {
    if (this.#mode === 'none') this.#begin('callback');
    this.#driver.abort(error);
  }

  /** HTTP/1 in tunnel state: gives the stream and what was not yet delivered away; the connection is over. */
  detach(): DetachedStream {
    const detached = this.#driver.detach();
    this.#events.end();
    this.#finish(undefined);
    return detached;
  }

  /** {@link HttpConnection.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #wakeUp(): void {
    // Whoever sends before receiving will receive by pulling; events gather meanwhile, bounded by the pause.
    if (this.#mode === 'none') this.#begin('pull');
    this.#driver.wake();
  }

  #begin(mode: 'pull' | 'callback'): void {
    if (this.#mode !== 'none') return;
    this.#mode = mode;
    this.#driver.start({
      eventReceived: (event) => this.#eventReceived(event),
      ended: (error) => {
        this.#events.end();
        this.#finish(error);
      },
    });
  }

  #eventReceived(event: HttpEvent): void {
    switch (event.type) {
      case 'HeadersReceived':
        this.#open.add(event.streamId);
        break;
      case 'StreamWritable':
        this.#room.release(event.streamId);
        break;
      case 'StreamResetReceived':
      case 'StreamResetSent':
        this.#streamEnded(event.streamId, event.error);
        break;
      case 'StreamClosed':
        this.#streamEnded(event.streamId, undefined);
        break;
      case 'ConnectionTerminated':
        this.#open.clear();
        this.#room.failAll(event.error ?? over());
        break;
    }
    if (this.#mode === 'callback') {
      this.#callback?.(event);
      return;
    }
    if (this.#events.push(event)) this.#handedOut(event);
    else this.#driver.holdInput(true);
  }

  /** An event went to who pulls: its content is consumed, and reading goes on when nothing waits any more. */
  #handedOut(event: HttpEvent): void {
    if (event.type === 'DataReceived') {
      this.#driver.protocol.dataConsumed(event.streamId, event.flowControlledLength);
      this.#driver.wake();
    }
    if (this.#events.length === 0) this.#driver.holdInput(false);
  }

  #waitForRoom(streamId: number, signal: AbortSignal | undefined): Promise<void> {
    if (!this.#open.has(streamId)) return Promise.reject(this.#error ?? over());
    this.#wakeUp();
    return this.#room.wait(streamId, signal);
  }

  #streamEnded(streamId: number, error: HfaceError | undefined): void {
    if (!this.#open.delete(streamId)) return;
    const initiator = error?.initiator ?? 'engine';
    this.#room.fail(
      streamId,
      error ?? new StreamResetError('the stream was closed', { errorCode: 0, initiator, processed: 'maybe' }),
    );
  }

  #finish(error: HfaceError | undefined): void {
    if (this.#isClosed) return;
    this.#error = error;
    this.#isClosed = true;
    this.#open.clear();
    this.#room.failAll(error ?? over());
    try {
      this.#onClosed?.();
    } finally {
      this.#resolveClosed?.();
    }
  }
}

function received(mode: string): LocalProtocolError {
  return new LocalProtocolError(`the events of this connection are taken in another way already (${mode})`);
}

function over(): HfaceError {
  return new HfaceError('the connection is over', { code: 'ERR_CONNECTION_CLOSED', initiator: 'network' });
}
