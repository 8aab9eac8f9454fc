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
 * - `attach(handler)`: the driver's own seam, for facades; `sendData` does not wait there.
 *
 * Who sends before choosing has chosen the first.
 *
 * Invariants: `closed` resolves exactly once and never rejects; after it nothing of the connection is left.
 *
 * @module
 */
import { resolveLimits } from '../common/index.ts';
import type { Clock, HeaderList, HfaceError } from '../common/index.ts';
import { raceAbort } from '../concurrency/index.ts';
import type { ByteStream } from '../networking/index.ts';
import type {
  EndStream,
  HttpEvent,
  HttpOverTcpProtocol,
  HttpProtocol,
  SubmitHeadersOptions,
} from '../protocols/index.ts';
import type { ConnectionFacts } from './exchange.ts';
import type { DetachedStream, HttpDriver, HttpDriverHandler } from './http-driver.ts';
import { connectionLimits } from './limits.ts';
import type { ConnectionLimitOptions, ConnectionLimits } from './limits.ts';
import { OverTcpDriver } from './over-tcp-driver.ts';
import { Reception } from './reception.ts';

/** How data is sent. */
export interface SendDataOptions extends EndStream {
  /** Ends the wait for room; what was taken already stays sent. */
  readonly signal?: AbortSignal | undefined;
}

/** How a head is sent. */
export type SendHeadersOptions = SubmitHeadersOptions;

type ClosedCallback = (connection: HttpConnection) => void;

let readPlace: (connection: HttpConnection) => number;
let writePlace: (connection: HttpConnection, place: number) => void;

/** An HTTP connection. */
export class HttpConnection implements AsyncIterable<HttpEvent>, AsyncDisposable {
  readonly #driver: HttpDriver;
  readonly #reception: Reception;
  #error: HfaceError | undefined;
  #isClosed: boolean;
  #closing: boolean;
  #closed: Promise<void> | undefined;
  /** Who waits to send on a stream, the last one of each. */
  #senders: Map<number, Promise<void>> | undefined;
  /** One, mostly. */
  #onClosed: ClosedCallback | ClosedCallback[] | undefined;
  /** Where it stands among the connections of whoever made it. */
  #place: number;

  static {
    readPlace = (connection) => connection.#place;
    writePlace = (connection, place) => {
      connection.#place = place;
    };
  }

  /** @param driver - what runs the engine; see {@link connectionOverStream} for byte streams */
  constructor(driver: HttpDriver) {
    this.#driver = driver;
    this.#reception = new Reception(driver, this, HttpConnection.#finish);
    this.#error = undefined;
    this.#isClosed = false;
    this.#closing = false;
    this.#closed = undefined;
    this.#senders = undefined;
    this.#onClosed = undefined;
    this.#place = 0;
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

  /** The time of what is being told at present; otherwise the clock's. Cheaper than asking the clock for each event. */
  time(): number {
    return this.#driver.time();
  }

  /**
   * Whether its handshake is not complete. What a client sends meanwhile somebody may send to the server again (RFC 8446
   * section 8, RFC 8470): only requests that are safe to repeat belong there. Over QUIC alone, and where it was asked for.
   */
  get early(): boolean {
    return this.#driver.early ?? false;
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
    this.#closed ??= new Promise((resolve) => this.onClosed(() => resolve()));
    return this.#closed;
  }

  /** Calls back when the connection is closed, at once if it is. The callback must not throw. */
  onClosed(callback: (connection: HttpConnection) => void): void {
    if (this.#isClosed) callback(this);
    else if (this.#onClosed === undefined) this.#onClosed = callback;
    else if (typeof this.#onClosed === 'function') this.#onClosed = [this.#onClosed, callback];
    else this.#onClosed.push(callback);
  }

  /** Takes every event by a synchronous call from now on. @throws LocalProtocolError when another way was chosen */
  setEventHandler(callback: (event: HttpEvent) => void): void {
    this.#reception.useCallback(callback);
  }

  /** Takes the driver's calls oneself. A later call replaces the handler. @throws LocalProtocolError as above */
  attach(handler: HttpDriverHandler): void {
    this.#reception.useHandler(handler);
  }

  /**
   * The next event; `undefined` when the connection is over, which `ConnectionTerminated` has told before.
   *
   * @param signal - ends the wait: the promise rejects with its reason, no event is lost
   */
  receiveEvent(signal?: AbortSignal): Promise<HttpEvent | undefined> {
    return this.#reception.pull(signal);
  }

  /** All events up to and with `ConnectionTerminated`. Leaving the loop leaves the connection as it is. */
  async *[Symbol.asyncIterator](): AsyncGenerator<HttpEvent, void, undefined> {
    for (let event = await this.receiveEvent(); event !== undefined; event = await this.receiveEvent()) yield event;
  }

  /** Client: the id for the next request. @throws LocalProtocolError when none can be opened now */
  getAvailableStreamId(): number {
    return this.#driver.protocol.getAvailableStreamId();
  }

  /**
   * Opens a request or answers one, pseudo-header fields first. CONNECT, Upgrade and their acceptance are heads too.
   *
   * @throws LocalProtocolError
   */
  sendHeaders(streamId: number, headers: HeaderList, options: SendHeadersOptions): void {
    const protocol = this.#driver.protocol;
    protocol.submitHeaders(streamId, headers, options);
    if (protocol.role === 'client') this.#reception.opened(streamId);
    this.wake();
  }

  /**
   * Server: answers with a whole response; the length is told, text is sent as UTF-8. The cheapest way to answer.
   *
   * @param headers - regular fields, without `:status`
   * @throws LocalProtocolError
   */
  sendResponse(streamId: number, status: number, headers: HeaderList, body: Uint8Array | string): void {
    const protocol = this.#driver.protocol;
    if (protocol.submitResponse?.(streamId, status, headers, body) !== true) {
      const data = typeof body === 'string' ? Buffer.from(body) : body;
      const list = [':status', String(status), ...headers];
      protocol.submitHeaders(streamId, list, { endStream: data.length === 0 });
      if (data.length > 0) protocol.submitData(streamId, data, { endStream: true });
    }
    this.wake();
  }

  /** Sends a 1xx response other than 101. @throws LocalProtocolError */
  sendInformational(streamId: number, headers: HeaderList): void {
    this.#driver.protocol.submitInformational(streamId, headers);
    this.wake();
  }

  /**
   * Sends content or tunnel bytes and resolves when the stream takes more. Several calls at once keep their order.
   * Rejects with LocalProtocolError for misuse, with the reset's error when the stream ends first, or with the
   * signal's reason. Who does not await it need not handle that: the stream's own events tell the same.
   */
  sendData(streamId: number, data: Uint8Array, options: SendDataOptions): Promise<void> {
    const sending = this.#send(streamId, data, options);
    sending.catch(ignore);
    return sending;
  }

  /** Sends the trailer section, which ends the stream's sending side. @throws LocalProtocolError */
  sendTrailers(streamId: number, headers: HeaderList): void {
    this.#driver.protocol.submitTrailers(streamId, headers);
    this.wake();
  }

  /** Gives a stream up, as no longer wanted when no code is given. On HTTP/1 the connection ends. */
  sendStreamReset(streamId: number, errorCode: number = this.#driver.protocol.errorCodes.cancelled): void {
    this.#driver.protocol.submitStreamReset(streamId, errorCode);
    this.wake();
  }

  /** Callback mode: a piece of content was taken. */
  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.#driver.protocol.dataConsumed(streamId, flowControlledLength);
    this.wake();
  }

  /** Server: the application is done with the stream. Owed once for each request. */
  handlerEnded(streamId: number): void {
    this.#driver.protocol.submitHandlerEnd(streamId);
    this.wake();
  }

  /** What was submitted is seen to at the end of the turn. Needed only after calls on the engine itself. */
  wake(): void {
    this.#reception.begin();
    this.#driver.wake();
  }

  /** Winds down: no further request, what runs is finished. Resolves when the connection is closed. */
  shutdown(): Promise<void> {
    this.#driver.protocol.submitShutdown();
    this.wake();
    return this.closed;
  }

  /** Ends it now; open streams get their reset. Pending output still goes out, within a bound. Resolves when closed. */
  close(errorCode: number = this.#driver.protocol.errorCodes.noError, reason?: string): Promise<void> {
    // Whoever closes it again, a pool behind its origin, waits for the same end.
    if (!this.#closing) this.#driver.protocol.submitClose(errorCode, reason);
    this.#closing = true;
    this.wake();
    return this.closed;
  }

  /** Ends the transport at once, without a word. */
  abort(error?: HfaceError): void {
    this.#reception.begin();
    this.#driver.abort(error);
  }

  /**
   * HTTP/3, client: goes on from another local port, after the network has changed, or so that what is sent from now on
   * is not linked to what was sent before (RFC 9000 section 9). Requests go on all the while. Resolves with true when
   * the server answers there; with false when the connection stays where it is: another version, a server that forbids
   * it or is not heard there. Never rejects.
   */
  migrate(): Promise<boolean> {
    return this.#driver.migrate?.() ?? Promise.resolve(false);
  }

  /**
   * HTTP/1 in tunnel state: gives the stream away with what was not yet delivered; the connection is over.
   *
   * @throws LocalProtocolError while output is pending or no tunnel is there
   */
  detach(): DetachedStream {
    const { stream, unread, ended } = this.#driver.detach();
    const waiting = this.#reception.takeContent();
    this.#reception.end();
    return { stream, unread: waiting.length === 0 ? unread : [...waiting, ...unread], ended };
  }

  /** {@link HttpConnection.close}, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #send(streamId: number, data: Uint8Array, options: SendDataOptions): Promise<void> {
    const protocol = this.#driver.protocol;
    const before = this.#senders?.get(streamId);
    if (before !== undefined || (data.length > 0 && protocol.sendCapacity(streamId) === 0)) {
      await this.#awaitTurn(streamId, data.length > 0, before, options.signal);
    }
    protocol.submitData(streamId, data, options);
    this.wake();
    if (options.endStream || protocol.sendCapacity(streamId) > 0) return;
    await this.#reception.room(streamId, options.signal);
  }

  /** Resolves when all that was to be sent before has been submitted and the stream has room. */
  async #awaitTurn(
    streamId: number,
    needsRoom: boolean,
    before: Promise<void> | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const turn = (async () => {
      // Whoever was before and has given up is no hindrance.
      if (before !== undefined) await raceAbort(before.catch(ignore), signal);
      while (needsRoom && this.#driver.protocol.sendCapacity(streamId) === 0) {
        await this.#reception.room(streamId, signal);
      }
    })();
    this.#senders ??= new Map();
    this.#senders.set(streamId, turn);
    try {
      await turn;
    } finally {
      if (this.#senders.get(streamId) === turn) this.#senders.delete(streamId);
    }
  }

  /** For the reception: one function for all connections. */
  static readonly #finish = (connection: HttpConnection, error: HfaceError | undefined): void => {
    connection.#finished(error);
  };

  #finished(error: HfaceError | undefined): void {
    if (this.#isClosed) return;
    this.#error = error;
    this.#isClosed = true;
    const callbacks = this.#onClosed;
    this.#onClosed = undefined;
    if (typeof callbacks === 'function') callbacks(this);
    else for (const callback of callbacks ?? []) callback(this);
  }
}

/** What the set that a connection is in has noted of it; see connection-set.ts. */
export function placeOf(connection: HttpConnection): number {
  return readPlace(connection);
}

/** See {@link placeOf}. */
export function setPlace(connection: HttpConnection, place: number): void {
  writePlace(connection, place);
}

function ignore(): void {
  // Whoever awaits the promise is told.
}

const DEFAULTS: ConnectionLimitOptions = {};
/** Most connections are opened with the same options. */
const resolved = new WeakMap<ConnectionLimitOptions, ConnectionLimits>();

/** A connection of an engine over a byte stream that was not started. @throws ConfigurationError */
export function connectionOverStream(
  protocol: HttpOverTcpProtocol,
  stream: ByteStream,
  clock: Clock,
  limits: ConnectionLimitOptions = DEFAULTS,
): HttpConnection {
  let values = resolved.get(limits);
  if (values === undefined) {
    values = resolveLimits('connection', connectionLimits, limits);
    resolved.set(limits, values);
  }
  return new HttpConnection(new OverTcpDriver(protocol, stream, clock, values));
}
