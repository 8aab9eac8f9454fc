/**
 * What both sides of an HTTP/1 connection have in common: queues, timers, the way in and out, and the end.
 *
 * Theory of operation. A connection ends in stages, and only here:
 *
 *     open --finish()--> closing --(peer's end, or linger)--> terminated
 *     open or closing --abort()--> terminated
 *
 * - `open`: messages pass. What comes in is read by the side's own `receive()`.
 * - `closing`: the last byte of this side has been written. Output still leaves, then `wantsEof` tells the driver to
 *   half-close; what comes in is counted and dropped, so that the peer can read the last response before a reset could
 *   destroy it (RFC 9112 section 9.6). Bounded in bytes and time.
 * - `terminated`: `ConnectionTerminated` was queued; input is dropped. `wantsEof` says how the driver is to close:
 *   true, when pending output has left, properly; false, by a reset, since something was cut off and a proper end would
 *   let a close-delimited message look whole.
 *
 * What `receive()` throws is the peer's fault and is caught at the one boundary, {@link Http1Engine.process}; so for
 * any input `bytesReceived` returns. An error that is none of ours is a defect of the engine: it ends the connection
 * and nothing else.
 *
 * @module
 */
import type { ErrorCodes, HfaceError } from '../../common/index.ts';
import { TimeoutError, toHfaceError } from '../../common/index.ts';
import { ReceiveBuffer, RingQueue } from '../../wire/index.ts';
import type { Capabilities } from '../capabilities.ts';
import type { HttpEvent, HttpVersion, Processed } from '../events.ts';
import { connectionTerminated } from '../events.ts';
import { http1Capabilities } from './capabilities.ts';
import { http1ErrorCodes } from '../semantics/index.ts';
import { SendQueue } from './send-queue.ts';
import type { PhaseKind, TimerDurations } from './timers.ts';
import { Phase, Timers } from './timers.ts';
import { UncoveredMembers } from '../uncovered-members.ts';

/** How far the connection's end has come. */
type Stage = 'open' | 'closing' | 'terminated';

/** The common part of server and client. */
export abstract class Http1Engine extends UncoveredMembers {
  readonly httpVersion: HttpVersion = '1.1';
  readonly multiplexed: boolean = false;
  readonly errorCodes: ErrorCodes = http1ErrorCodes;
  readonly capabilities: Capabilities = http1Capabilities;
  onOutput: (() => void) | undefined;

  protected readonly events: RingQueue<HttpEvent>;
  protected readonly input: ReceiveBuffer;
  protected readonly output: SendQueue;
  protected readonly timers: Timers;
  /** The peer has ended its sending side. */
  protected inputEnded: boolean;
  readonly #maxDrain: number;
  #stage: Stage;
  #drained: number;
  #cutOff: boolean;
  #closeCode: number;
  #closeReason: string;
  #closeError: HfaceError | undefined;

  constructor(durations: TimerDurations, maxDrain: number, now: number) {
    super();
    this.onOutput = undefined;
    this.events = new RingQueue<HttpEvent>();
    this.input = new ReceiveBuffer();
    this.output = new SendQueue();
    this.timers = new Timers(durations, now);
    this.inputEnded = false;
    this.#maxDrain = maxDrain;
    this.#stage = 'open';
    this.#drained = 0;
    this.#cutOff = false;
    this.#closeCode = http1ErrorCodes.noError;
    this.#closeReason = '';
    this.#closeError = undefined;
    this.timers.update(Phase.first, false, false, now);
  }

  nextEvent(): HttpEvent | undefined {
    return this.events.shift();
  }

  nextTimeout(): number | undefined {
    return this.timers.next();
  }

  handleTimeout(now: number): void {
    if (this.#stage === 'terminated') return;
    // What was submitted since the last call with a time may have ended the phase whose deadline has passed.
    this.updateTimers(now, false);
    if (this.timers.writeExpired(now)) {
      this.lost(new TimeoutError('writeTimeout', this.timers.durations.writeTimeout), 'output was not taken in time');
      return;
    }
    const phase = this.timers.expired(now);
    if (phase === Phase.linger) this.terminate();
    else if (phase !== Phase.none) this.expired(phase);
    this.updateTimers(now, false);
  }

  bytesReceived(chunk: Uint8Array, now: number): void {
    if (this.#stage === 'open') {
      if (this.receiveKnown(chunk)) {
        this.updateTimers(now, false);
        return;
      }
      this.timers.earn(chunk.length, now);
      this.input.append(chunk);
      this.process();
    } else if (this.#stage === 'closing') {
      this.#drained += chunk.length;
      if (this.#drained > this.#maxDrain) this.terminate();
    }
    this.updateTimers(now, false);
  }

  eofReceived(now: number): void {
    if (this.#stage === 'terminated' || this.inputEnded) return;
    this.inputEnded = true;
    if (this.#stage === 'closing') this.terminate();
    else this.process();
    this.updateTimers(now, false);
  }

  connectionLost(now: number, error?: HfaceError): void {
    if (this.#stage === 'terminated') return;
    this.inputEnded = true;
    if (this.#stage === 'closing' && this.output.pending === 0) this.terminate();
    else this.lost(error, error === undefined ? 'the connection was closed' : error.message);
    this.output.clear();
    this.updateTimers(now, false);
  }

  bytesToSend(now: number): Uint8Array[] | undefined {
    if (this.#stage === 'open') this.beforeTake();
    const portion = this.output.take(now);
    if (portion !== undefined) this.afterTake();
    this.updateTimers(now, portion !== undefined);
    return portion;
  }

  /** See the theory of operation: also how the driver is to close after `ConnectionTerminated`. */
  get wantsEof(): boolean {
    return (this.#stage !== 'open' || this.sendingEnded()) && !this.#cutOff && this.output.pending === 0;
  }

  /** Whether nothing waits to be told or sent, and the connection goes on. */
  protected get quiet(): boolean {
    return this.#stage === 'open' && !this.inputEnded && this.events.length === 0 && this.output.pending === 0;
  }

  /** Whether messages still pass. */
  protected get open(): boolean {
    return this.#stage === 'open';
  }

  /** Whether the last event was queued. */
  protected get terminated(): boolean {
    return this.#stage === 'terminated';
  }

  /** Reads what the input holds and turns what goes wrong into the connection's end. */
  protected process(): void {
    try {
      this.receive();
    } catch (error) {
      this.refuse(toHfaceError(error, 'engine'));
    }
  }

  /** The last byte of this side has been written. */
  protected finish(errorCode: number, reason: string, error: HfaceError | undefined): void {
    if (this.#stage !== 'open') return;
    this.#stage = 'closing';
    this.#closeCode = errorCode;
    this.#closeReason = reason;
    this.#closeError = error;
    this.#drained = this.input.size;
    this.input.clear();
    if (this.inputEnded) this.terminate();
  }

  /** Ends at once; what was not taken is dropped and the peer is to see that something is missing. */
  protected abort(errorCode: number, reason: string, error: HfaceError | undefined): void {
    if (this.#stage === 'terminated') return;
    // An end in good order that is cut off is one no more.
    if (this.#stage === 'open' || this.#closeError === undefined) {
      this.#closeCode = errorCode;
      this.#closeReason = reason;
      this.#closeError = error;
    }
    this.#cutOff = true;
    this.output.clear();
    this.terminate();
  }

  /** Ends without an event and returns the tunnel's bytes that no event has delivered yet. */
  protected release(): Uint8Array[] {
    const views: Uint8Array[] = [];
    for (let event = this.events.shift(); event !== undefined; event = this.events.shift()) {
      if (event.type === 'DataReceived' && event.data.length > 0) views.push(event.data);
    }
    views.push(...this.input.takeAll());
    this.#stage = 'terminated';
    this.timers.stop();
    return views;
  }

  /** Queues the last event. */
  protected terminate(): void {
    if (this.#stage === 'terminated') return;
    this.#stage = 'terminated';
    this.input.clear();
    this.timers.stop();
    this.events.push(connectionTerminated(this.#closeCode, this.#closeReason, this.processed(), this.#closeError));
  }

  protected updateTimers(now: number, progress: boolean): void {
    if (this.#stage === 'terminated') return;
    const phase = this.#stage === 'closing' ? this.#closingPhase() : this.phase();
    this.timers.update(phase, this.output.pending > 0, progress, now);
  }

  /** Lingering begins when the output has left. */
  #closingPhase(): PhaseKind {
    return this.output.pending > 0 ? Phase.none : Phase.linger;
  }

  /** Takes a chunk without reading it, where it is known what it says. */
  protected receiveKnown(_chunk: Uint8Array): boolean {
    return false;
  }

  /** Reads messages off the input. May throw the peer's fault. */
  protected abstract receive(): void;
  /** The peer broke a rule or reached a limit: ends the connection as its state allows. */
  protected abstract refuse(error: HfaceError): void;
  /** The connection is gone: ends all streams, then aborts. */
  protected abstract lost(error: HfaceError | undefined, reason: string): void;
  /** A phase lasted too long. */
  protected abstract expired(phase: PhaseKind): void;
  /** What is waited for. */
  protected abstract phase(): PhaseKind;
  /** Output is about to be taken: writes what was held back. */
  protected abstract beforeTake(): void;
  /** Output was taken. */
  protected abstract afterTake(): void;
  /** Whether this side of a tunnel has ended. */
  protected abstract sendingEnded(): boolean;
  /** Of the requests that were open at the end. */
  protected abstract processed(): Processed;
}
