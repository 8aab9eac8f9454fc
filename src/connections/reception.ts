/**
 * How a connection's events reach whoever uses it: by pulling, by a callback, or by an attached handler.
 *
 * Owns the choice, made once; the queue behind pulling and its pause of reading; and which streams are open, so that
 * who waits for room on one is told when it ends.
 *
 * While events wait to be pulled nothing more is read, where a connection has one stream at a time. Where it has many,
 * reading goes on: what opens the windows of streams that send stands among the input, and nobody need pull for them.
 * What gathers meanwhile is bounded, content by this side's windows, everything else by {@link MOST_NOTICES}.
 *
 * Invariants: an event goes one way only; nothing is pulled in callback mode; `finished` is called once.
 *
 * @module
 */
import { HfaceError, LocalProtocolError, StreamResetError } from '../common/index.ts';
import type { HttpEvent } from '../protocols/index.ts';
import { EventQueue } from './event-queue.ts';
import type { HttpConnection } from './http-connection.ts';
import type { HttpDriver, HttpDriverHandler } from './http-driver.ts';
import { RoomWaiters } from './room-waiters.ts';

/** So many events that are no content may wait on a connection of many streams. */
const MOST_NOTICES = 1024;

const NOTHING = { length: 0, notices: 0 };

/** Takes a driver's events and passes them on. */
export class Reception implements HttpDriverHandler {
  readonly #driver: HttpDriver;
  readonly #connection: HttpConnection;
  readonly #finished: (connection: HttpConnection, error: HfaceError | undefined) => void;
  /** Made for pulling only, like the next two: an attached handler needs none of them. */
  #events: EventQueue | undefined;
  #room: RoomWaiters | undefined;
  /** Streams that have begun and not ended. */
  #open: Set<number> | undefined;
  #mode: 'none' | 'pull' | 'callback' | 'attached';
  #callback: ((event: HttpEvent) => void) | undefined;
  #attached: HttpDriverHandler | undefined;

  /** @param finished - called once with the connection, when the driver's last call has come */
  constructor(
    driver: HttpDriver,
    connection: HttpConnection,
    finished: (connection: HttpConnection, error: HfaceError | undefined) => void,
  ) {
    this.#driver = driver;
    this.#connection = connection;
    this.#finished = finished;
    this.#events = undefined;
    this.#room = undefined;
    this.#open = undefined;
    this.#mode = 'none';
    this.#callback = undefined;
    this.#attached = undefined;
  }

  /** Starts the driver, for pulling unless another way was chosen. */
  begin(): void {
    if (this.#mode === 'none') this.#begin('pull');
  }

  /** From now on by a callback. @throws LocalProtocolError when another way was chosen */
  useCallback(callback: (event: HttpEvent) => void): void {
    this.#choose('callback');
    this.#callback = callback;
    this.#begin('callback');
  }

  /** From now on by a handler. @throws LocalProtocolError when another way was chosen */
  useHandler(handler: HttpDriverHandler): void {
    this.#choose('attached');
    this.#attached = handler;
    this.#begin('attached');
  }

  /** The next event; `undefined` after the last. */
  pull(signal: AbortSignal | undefined): Promise<HttpEvent | undefined> {
    try {
      this.#choose('pull');
    } catch (error) {
      return Promise.reject(error);
    }
    this.#begin('pull');
    this.#events ??= new EventQueue();
    const event = this.#events.shift();
    if (event !== undefined) {
      this.#handedOut(event);
      return Promise.resolve(event);
    }
    this.#driver.holdInput(false);
    return this.#events.wait(signal);
  }

  /** A stream of this side has begun. */
  opened(streamId: number): void {
    if (this.#mode === 'attached') return;
    this.#open ??= new Set();
    this.#open.add(streamId);
  }

  /** Resolves when the stream takes data again. */
  room(streamId: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#open?.has(streamId) !== true) return Promise.reject(streamOver());
    this.#room ??= new RoomWaiters();
    return this.#room.wait(streamId, signal);
  }

  /** Takes the content that waits to be pulled. */
  takeContent(): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    for (let event = this.#events?.shift(); event !== undefined; event = this.#events?.shift()) {
      if (event.type === 'DataReceived' && event.data.length > 0) pieces.push(event.data);
    }
    return pieces;
  }

  /** Nothing comes any more, although the driver has not said so: the stream was given away. */
  end(): void {
    this.ended(undefined);
  }

  /** The driver's call. */
  eventReceived(event: HttpEvent): void {
    if (this.#mode === 'attached') {
      this.#attached?.eventReceived(event);
      return;
    }
    this.#follow(event);
    if (this.#mode === 'callback') {
      this.#callback?.(event);
      return;
    }
    this.#events ??= new EventQueue();
    if (this.#events.push(event)) this.#handedOut(event);
    else this.#holdInput();
  }

  /** The driver's last call. */
  ended(error: HfaceError | undefined): void {
    try {
      this.#attached?.ended(error);
    } finally {
      this.#attached = undefined;
      this.#open?.clear();
      this.#events ??= new EventQueue();
      this.#events.end();
      this.#room?.failAll(error ?? connectionOver());
      this.#finished(this.#connection, error);
    }
  }

  #choose(mode: 'pull' | 'callback' | 'attached'): void {
    if (this.#mode === 'none' || this.#mode === mode) return;
    throw new LocalProtocolError(`the events of this connection are taken in another way already (${this.#mode})`);
  }

  #begin(mode: 'pull' | 'callback' | 'attached'): void {
    if (this.#mode === mode) return;
    this.#mode = mode;
    this.#driver.start(this);
  }

  /** Keeps the open streams, and wakes those who wait for one. */
  #follow(event: HttpEvent): void {
    switch (event.type) {
      case 'HeadersReceived':
        this.opened(event.streamId);
        return;
      case 'StreamWritable':
        this.#room?.release(event.streamId);
        return;
      case 'StreamResetReceived':
      case 'StreamResetSent':
        this.#streamEnded(event.streamId, () => event.error);
        return;
      case 'StreamClosed':
        this.#streamEnded(event.streamId, streamOver);
        return;
      case 'ConnectionTerminated':
        this.#open?.clear();
        this.#room?.failAll(event.error ?? connectionOver());
        return;
      default:
        return;
    }
  }

  /** An event went to who pulls: its content is consumed, and reading goes on when nothing waits any more. */
  #handedOut(event: HttpEvent): void {
    if (event.type === 'DataReceived') {
      this.#driver.protocol.dataConsumed(event.streamId, event.flowControlledLength);
      this.#driver.wake();
    }
    this.#holdInput();
  }

  /** Reading pauses while as much waits as may. */
  #holdInput(): void {
    const { length, notices } = this.#events ?? NOTHING;
    this.#driver.holdInput(this.#driver.protocol.multiplexed ? notices >= MOST_NOTICES : length > 0);
  }

  /** @param error - made only where somebody waits: an error costs more than a request */
  #streamEnded(streamId: number, error: () => HfaceError): void {
    if (this.#open?.delete(streamId) !== true) return;
    if (this.#room?.waitsFor(streamId) === true) this.#room.fail(streamId, error());
  }
}

function streamOver(): HfaceError {
  return new StreamResetError('the stream is over', { errorCode: 0, initiator: 'engine' });
}

function connectionOver(): HfaceError {
  return new HfaceError('the connection is over', { code: 'ERR_CONNECTION_CLOSED', initiator: 'network' });
}
