/**
 * An engine on a byte stream.
 *
 * Owns the loop. Each thing that happens (a chunk, an end, room, a timer, the application's calls of one turn) is one
 * batch: it is handed to the engine with one reading of the clock, then events are pulled and given to the handler,
 * then output is asked for and written as long as the stream has room, then reading is paused or resumed and the
 * engine's next timer is armed. What the application does inside a handler is part of the batch; what it does outside
 * is gathered and seen to in one tick (turns.ts). There is no promise and no Node timer per connection here.
 *
 * While the stream has no room, `bytesToSend` is not called, so that the engine sees its output pending;
 * `handleTimeout` takes its place and tells the time, so that the write-progress timer starts.
 *
 * Invariants:
 * - The handler gets `ConnectionTerminated` exactly once and `ended` exactly once after it, whatever engine, peer,
 *   network or handler do; nothing they throw goes further than this file.
 * - After `ended` or `detach` no timer is armed and the engine is not called.
 *
 * How a terminated connection is closed is in closing.ts. RFC 9112 section 9.6.
 *
 * @module
 */
import { HfaceError, LocalProtocolError, toHfaceError } from '../common/index.ts';
import type { Clock } from '../common/index.ts';
import type { Timer, TimerTarget } from '../concurrency/index.ts';
import type { ByteStream, ByteStreamHandler } from '../networking/index.ts';
import { connectionTerminated } from '../protocols/index.ts';
import type { ConnectionTerminated, HttpOverTcpProtocol } from '../protocols/index.ts';
import { StreamClosing } from './closing.ts';
import { nextConnectionId, StreamFacts } from './connection-facts.ts';
import type { ConnectionFacts } from './exchange.ts';
import type { DetachedStream, HttpDriver, HttpDriverHandler } from './http-driver.ts';
import type { ConnectionLimits } from './limits.ts';
import { timerOn } from './timers.ts';
import { awaitTurn } from './turns.ts';
import type { TurnTaker } from './turns.ts';

/**
 * After this many writes without the event loop having come in between the others get their turn. A body that is made
 * as fast as it is asked for, to a socket that takes it all, would otherwise go on in microtasks alone, for ever where
 * the peer has left: that it did would never be told.
 */
const WRITES_PER_TURN = 16;
/**
 * A stream without room tells of room when its queue is empty. To a slow peer that takes long, and the engine would see
 * no progress although there is some; so the queue is looked at meanwhile, and below this size it takes output again.
 */
const ROOM_BELOW = 0x30000;
/** How often it is looked at, in milliseconds. */
const LOOK_EVERY = 5_000;

/** {@link HttpDriver} over TCP, TLS or whatever else is a {@link ByteStream}. */
export class OverTcpDriver implements HttpDriver, ByteStreamHandler, TimerTarget, TurnTaker {
  readonly clock: Clock;
  readonly #stream: ByteStream;
  readonly #limits: ConnectionLimits;
  readonly #timer: Timer;
  readonly #connectionId: number;
  #protocol: HttpOverTcpProtocol;
  #handler: HttpDriverHandler | undefined;
  /** A batch is being worked on. */
  #busy: boolean;
  /** When that batch began. */
  #time: number;
  /** Counts what was submitted while busy. */
  #submissions: number;
  /** A turn is on its way. */
  #woken: boolean;
  /** Output goes on in a later turn, so that others have theirs. */
  #yielding: boolean;
  /** Since the event loop has brought something. */
  #writes: number;
  /** The engine threw: it is not called any more. */
  #broken: boolean;
  /** The stream takes output. */
  #room: boolean;
  #paused: boolean;
  #inputEnded: boolean;
  #held: boolean;
  #endSent: boolean;
  #terminated: ConnectionTerminated | undefined;
  #closing: StreamClosing | undefined;
  /** What the handler threw. */
  #failure: HfaceError | undefined;
  /** Ended or detached. */
  #over: boolean;

  /** The stream must not have been started. */
  constructor(protocol: HttpOverTcpProtocol, stream: ByteStream, clock: Clock, limits: ConnectionLimits) {
    this.clock = clock;
    this.#stream = stream;
    this.#limits = limits;
    this.#timer = timerOn(clock, this);
    this.#connectionId = nextConnectionId();
    this.#protocol = protocol;
    this.#handler = undefined;
    this.#busy = false;
    this.#time = 0;
    this.#submissions = 0;
    this.#woken = false;
    this.#yielding = false;
    this.#writes = 0;
    this.#broken = false;
    this.#room = true;
    this.#paused = false;
    this.#inputEnded = false;
    this.#held = false;
    this.#endSent = false;
    this.#terminated = undefined;
    this.#closing = undefined;
    this.#failure = undefined;
    this.#over = false;
    this.#listen(protocol);
  }

  /** The engine. */
  get protocol(): HttpOverTcpProtocol {
    return this.#protocol;
  }

  /** Id, version, addresses, TLS: made when asked for, and not kept, since most who ask do so once. */
  get facts(): ConnectionFacts {
    return new StreamFacts(this.#stream, this.#protocol.httpVersion, this.#connectionId);
  }

  /** See {@link HttpDriver.time}. */
  time(): number {
    return this.#busy ? this.#time : this.clock.now();
  }

  /** See {@link HttpDriver.start}. */
  start(handler: HttpDriverHandler): void {
    const first = this.#handler === undefined;
    this.#handler = handler;
    if (!first) return;
    this.#stream.start(this);
    this.wake();
  }

  /** See {@link HttpDriver.wake}. */
  wake(): void {
    if (this.#busy) {
      this.#submissions += 1;
      return;
    }
    if (this.#woken || this.#yielding || this.#over || this.#handler === undefined) return;
    this.#woken = true;
    awaitTurn(this);
  }

  /** See {@link HttpDriver.holdInput}. */
  holdInput(hold: boolean): void {
    if (this.#held === hold) return;
    this.#held = hold;
    if (!this.#busy && !this.#over && this.#handler !== undefined) this.#setPaused();
  }

  /** See {@link HttpDriver.abort}. */
  abort(error?: HfaceError): void {
    this.#stream.abort(error);
  }

  /** See {@link HttpDriver.detach}. */
  detach(): DetachedStream {
    if (this.#over) throw new LocalProtocolError('the connection is over');
    if (!this.#room) throw new LocalProtocolError('output is still pending');
    // What was submitted in this turn goes first: an engine detaches only when all of its output was taken.
    const chunks = this.#protocol.bytesToSend(this.clock.now());
    if (chunks !== undefined) this.#stream.write(chunks);
    const unread = this.#protocol.detach();
    this.#finish();
    this.#stream.pause();
    return { stream: this.#stream, unread, ended: this.#inputEnded };
  }

  /** The stream's input. */
  dataReceived(chunk: Uint8Array): void {
    if (this.#closing !== undefined) {
      const time = this.clock.now();
      this.#closing.discard(chunk.length, time);
      this.#armTimer(time);
      return;
    }
    const now = this.clock.now();
    this.#busy = true;
    this.#time = now;
    this.#writes = 0;
    try {
      if (this.#terminated === undefined) this.#protocol.bytesReceived(chunk, now);
    } catch (error) {
      this.#engineFailed(error);
    }
    this.#finishBatch(now);
  }

  /** The stream's input has ended. */
  endReceived(): void {
    this.#inputEnded = true;
    if (this.#closing !== undefined || this.#over) return;
    const now = this.clock.now();
    this.#busy = true;
    this.#time = now;
    try {
      if (this.#terminated === undefined) this.#protocol.eofReceived(now);
    } catch (error) {
      this.#engineFailed(error);
    }
    this.#finishBatch(now);
  }

  /** The stream has room again. */
  drained(): void {
    this.#room = true;
    this.#writes = 0;
    this.takeTurn();
  }

  /** The stream is gone. */
  closed(error: HfaceError | undefined): void {
    if (this.#over) return;
    this.#busy = true;
    this.#time = this.clock.now();
    if (this.#terminated === undefined) {
      try {
        this.#protocol.connectionLost(this.#time, error);
        this.#pump();
      } catch (failure) {
        this.#engineFailed(failure);
      }
    }
    if (this.#terminated === undefined) this.#terminate(error ?? lost());
    const cause = this.#failure ?? this.#terminated?.error ?? error;
    const handler = this.#handler;
    this.#finish();
    try {
      handler?.ended(cause);
    } catch {
      // The connection is gone and the handler with it: there is nobody left to tell.
    }
  }

  /** The end of the turn in which it was woken. */
  takeTurn(): void {
    this.#woken = false;
    if (this.#over || this.#busy || this.#yielding) return;
    this.#busy = true;
    this.#time = this.clock.now();
    this.#finishBatch(this.#time);
  }

  #takeLaterTurn(): void {
    this.#yielding = false;
    this.#writes = 0;
    this.takeTurn();
  }

  /** The engine's timer, or the closing's. */
  timedOut(now: number): void {
    if (this.#over) return;
    if (this.#closing !== undefined) {
      this.#closing.timedOut(now);
      this.#armTimer(now);
      return;
    }
    this.#busy = true;
    this.#time = now;
    if (!this.#room && this.#stream.bufferedBytes < ROOM_BELOW) {
      // Output is asked for first: a timer of the engine that waits for that may be due by now.
      this.#room = true;
    } else {
      try {
        if (this.#terminated === undefined) this.#protocol.handleTimeout(now);
      } catch (error) {
        this.#engineFailed(error);
      }
    }
    this.#finishBatch(now);
  }

  /** Events, output, and what follows from both. Clears `busy`. */
  #finishBatch(now: number): void {
    try {
      if (!this.#broken) this.#pump();
      if (!this.#broken) this.#flush(now);
    } catch (error) {
      this.#engineFailed(error);
    }
    this.#busy = false;
    if (this.#over || this.#broken) return;
    if (this.#terminated !== undefined) this.#close(now);
    else {
      if (this.#protocol.wantsEof && !this.#endSent) {
        this.#endSent = true;
        this.#stream.end();
      }
      this.#setPaused();
    }
    this.#armTimer(now);
  }

  /** Gives the handler all events there are. */
  #pump(): void {
    const handler = this.#handler as HttpDriverHandler;
    for (;;) {
      const event = this.#protocol.nextEvent();
      if (event === undefined || this.#over) return;
      if (event.type === 'ProtocolReplaced') {
        this.#replace(event.protocol);
        continue;
      }
      if (event.type === 'ConnectionTerminated') {
        if (this.#terminated !== undefined) return;
        this.#terminated = event;
      }
      try {
        handler.eventReceived(event);
      } catch (error) {
        this.#handlerFailed(error);
      }
    }
  }

  /** Writes what there is while there is room. */
  #flush(now: number): void {
    if (!this.#room) {
      if (this.#terminated === undefined) this.#protocol.handleTimeout(now);
      this.#pump();
    }
    while (this.#room && !this.#over) {
      const submissions = this.#submissions;
      const chunks = this.#protocol.bytesToSend(now);
      if (chunks !== undefined) {
        this.#room = this.#stream.write(chunks);
        this.#writes += 1;
      }
      // Room in the engine's buffers may be told now, and a handler may use it at once.
      this.#pump();
      if (chunks === undefined && this.#submissions === submissions) return;
      if (this.#writes >= WRITES_PER_TURN) {
        if (!this.#yielding) this.clock.schedule(now, () => this.#takeLaterTurn());
        this.#yielding = true;
        return;
      }
    }
  }

  #setPaused(): void {
    const pause = this.#held || !this.#protocol.wantsInput;
    if (pause === this.#paused) return;
    this.#paused = pause;
    if (pause) this.#stream.pause();
    else this.#stream.resume();
  }

  #armTimer(now: number): void {
    if (this.#over) return;
    const at = this.#closing === undefined ? this.#protocol.nextTimeout() : this.#closing.nextTimeout();
    this.#timer.set(this.#room ? at : Math.min(at ?? Infinity, now + LOOK_EVERY));
  }

  #replace(protocol: HttpOverTcpProtocol): void {
    this.#protocol.onOutput = undefined;
    this.#protocol = protocol;
    this.#listen(protocol);
  }

  #listen(protocol: HttpOverTcpProtocol): void {
    // Not assigned where it is written: V8 would put it, and so the connection, into the old generation.
    const wake = (): void => this.wake();
    protocol.onOutput = wake;
  }

  /** The engine has told its end: its last output, then the stream's end. */
  #close(now: number): void {
    const terminated = this.#terminated as ConnectionTerminated;
    this.#closing ??= new StreamClosing(this.#stream, this.#limits, now);
    // With no room the output waits for `drained`, and the closing's deadline bounds that.
    if (!this.#room || this.#yielding) return;
    if (this.#paused) {
      this.#paused = false;
      this.#stream.resume();
    }
    this.#closing.outputDone(this.#protocol.wantsEof || this.#endSent, terminated.error, now);
  }

  /** A handler threw: that is the application's failure, and ends this connection only. */
  #handlerFailed(error: unknown): void {
    if (this.#terminated !== undefined) return;
    this.#failure ??= toHfaceError(error);
    this.#protocol.submitClose(this.#protocol.errorCodes.internalError, 'internal error');
  }

  /** The engine threw, which none may: nothing that it says can be sent. */
  #engineFailed(error: unknown): void {
    const failure = new HfaceError('the protocol implementation failed', {
      code: 'ERR_ENGINE',
      initiator: 'engine',
      cause: error,
    });
    if (this.#broken) return;
    this.#broken = true;
    this.#timer.cancel();
    this.#terminate(failure);
    this.#stream.abort(failure);
  }

  /** Tells the handler of the end in the engine's place. */
  #terminate(error: HfaceError): void {
    if (this.#terminated !== undefined) return;
    const event = connectionTerminated(this.#protocol.errorCodes.internalError, error.message, 'maybe', error);
    this.#terminated = event;
    try {
      this.#handler?.eventReceived(event);
    } catch {
      // The connection ends already.
    }
  }

  #finish(): void {
    this.#over = true;
    this.#timer.cancel();
    this.#protocol.onOutput = undefined;
  }
}

function lost(): HfaceError {
  return new HfaceError('the connection was closed', { code: 'ERR_CONNECTION_CLOSED', initiator: 'network' });
}
