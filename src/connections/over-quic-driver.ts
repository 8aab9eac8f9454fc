/**
 * An HTTP engine on one QUIC connection of an endpoint.
 *
 * Owns the events of that connection: what belongs to the handshake is answered by {@link QuicHandshakeAnswers} and
 * goes no further, the rest is given to the handler. Sockets, time and sending are the endpoint's, whose driver calls
 * `advance` whenever something happened here, with one reading of the clock for all connections that had something.
 *
 * Nobody can take a connection before its handshake is done, or before its first request has come in 0-RTT data; until
 * then events stay in the engine once those of the handshake have been taken.
 *
 * Invariants:
 * - `settled` is called once: with nothing when the connection is ready, with an error when it never will be.
 * - The handler gets `ConnectionTerminated` exactly once and `ended` exactly once after it; nothing it or the engine
 *   throws goes further than this file.
 * - After `ended` no timer is armed and the engine is not called.
 *
 * @module
 */
import { HfaceError, LocalProtocolError, toHfaceError } from '../common/index.ts';
import type { Clock } from '../common/index.ts';
import type { Timer } from '../concurrency/index.ts';
import { connectionTerminated } from '../protocols/index.ts';
import type { ConnectionTerminated, HttpEvent, HttpOverQuicProtocol } from '../protocols/index.ts';
import type { DetachedStream, HttpDriver, HttpDriverHandler } from './http-driver.ts';
import type { QuicFacts } from './quic-facts.ts';
import type { QuicHandshakeAnswers } from './quic-handshake-answers.ts';
import { timerOn } from './timers.ts';

/** The driver of the endpoint, as one connection sees it. */
export interface QuicDriverOwner {
  readonly clock: Clock;
  /** The connection has something to be seen to: `advance` is called in this turn. */
  wake(driver: OverQuicDriver): void;
  /** Its last call has been made. */
  ended(driver: OverQuicDriver): void;
}

/** What a driver is made of. */
export interface OverQuicDriverParts {
  readonly protocol: HttpOverQuicProtocol;
  readonly facts: QuicFacts;
  readonly answers: QuicHandshakeAnswers;
  /** Told once: the connection can be used, or why it cannot. */
  readonly settled: (driver: OverQuicDriver, error: HfaceError | undefined) => void;
  /** Sees to what the connection tells besides events: sessions, tokens, lines of the key log. Must not throw. */
  readonly notices?: (() => void) | undefined;
  /** Told once, when nothing of it is left. Must not throw. */
  readonly released?: (() => void) | undefined;
  /** What an end before the handshake is complete is called. */
  readonly explain?: ((error: HfaceError) => HfaceError) | undefined;
  /** A client's: goes on from another port. Never rejects. */
  readonly migrate?: (() => Promise<boolean>) | undefined;
}

/** {@link HttpDriver} over QUIC. */
export class OverQuicDriver implements HttpDriver {
  readonly clock: Clock;
  readonly protocol: HttpOverQuicProtocol;
  readonly facts: QuicFacts;
  /** The owner's note: it is to be seen to in this turn. */
  touched: boolean;
  /** The owner's note: where it stands among its connections. */
  place: number;
  readonly #owner: QuicDriverOwner;
  readonly #answers: QuicHandshakeAnswers;
  readonly #notices: (() => void) | undefined;
  readonly #released: (() => void) | undefined;
  readonly #explain: OverQuicDriverParts['explain'];
  readonly #migrate: (() => Promise<boolean>) | undefined;
  readonly #timer: Timer;
  /** The handshake is not complete. */
  #early: boolean;
  #settled: OverQuicDriverParts['settled'] | undefined;
  #handler: HttpDriverHandler | undefined;
  /** An event that came before anybody could take it. */
  #held: HttpEvent | undefined;
  #busy: boolean;
  #time: number;
  /** Something was submitted while busy. */
  #submitted: boolean;
  #broken: boolean;
  #aborted: boolean;
  #terminated: ConnectionTerminated | undefined;
  /** What the handler threw, or what ended the connection from this side. */
  #failure: HfaceError | undefined;
  #over: boolean;

  constructor(owner: QuicDriverOwner, parts: OverQuicDriverParts) {
    this.clock = owner.clock;
    this.protocol = parts.protocol;
    this.facts = parts.facts;
    this.touched = false;
    this.place = 0;
    this.#owner = owner;
    this.#answers = parts.answers;
    this.#notices = parts.notices;
    this.#released = parts.released;
    this.#explain = parts.explain;
    this.#migrate = parts.migrate;
    this.#early = true;
    this.#timer = timerOn(this.clock, () => this.#owner.wake(this));
    this.#settled = parts.settled;
    this.#handler = undefined;
    this.#held = undefined;
    this.#busy = false;
    this.#time = 0;
    this.#submitted = false;
    this.#broken = false;
    this.#aborted = false;
    this.#terminated = undefined;
    this.#failure = undefined;
    this.#over = false;
    // Not in one statement: a function that is assigned where it is written goes to the old generation at once, and with it
    // all that it reaches survives until the next full collection.
    const wake = (): void => this.wake();
    parts.protocol.onOutput = wake;
  }

  /** See {@link HttpDriver.early}. */
  get early(): boolean {
    return this.#early;
  }

  /** Whether its last call has been made. */
  get isOver(): boolean {
    return this.#over;
  }

  /** See {@link HttpDriver.time}. */
  time(): number {
    return this.#busy ? this.#time : this.clock.now();
  }

  /** See {@link HttpDriver.start}. */
  start(handler: HttpDriverHandler): void {
    const first = this.#handler === undefined;
    this.#handler = handler;
    if (first) this.wake();
  }

  /** See {@link HttpDriver.wake}. */
  wake(): void {
    if (this.#over) return;
    this.#submitted = true;
    if (!this.#busy) this.#owner.wake(this);
  }

  /** Datagrams cannot be left unread: windows that are not given back bound what a peer may send. */
  holdInput(): void {}

  /** Ends the connection with one packet that says so, and waits for nothing. */
  abort(error?: HfaceError): void {
    // One that has ended already, or was lost, has nothing more to say.
    if (this.#over || this.#aborted || this.#terminated !== undefined) return;
    this.#aborted = true;
    this.#failure ??= error;
    this.#close(error?.message ?? 'aborted');
    this.wake();
  }

  /** See {@link HttpDriver.migrate}. */
  migrate(): Promise<boolean> {
    if (this.#over || this.#migrate === undefined) return Promise.resolve(false);
    return this.#migrate();
  }

  /** QUIC connections have no stream to give away. @throws LocalProtocolError */
  detach(): DetachedStream {
    throw new LocalProtocolError('a QUIC connection cannot be detached', 'ERR_UNSUPPORTED');
  }

  /**
   * Lets the engine see the time and gives the handler all events there are.
   *
   * @returns whether something was submitted meanwhile, so that there may be more to send
   */
  advance(now: number): boolean {
    if (this.#over || this.#busy) return false;
    this.#busy = true;
    this.#time = now;
    this.#submitted = false;
    let worked = false;
    try {
      if (!this.#broken) this.protocol.handleTimeout(now);
      this.#pump();
      // What was submitted starts timers at this very time.
      while (this.#takeSubmitted()) {
        worked = true;
        this.protocol.handleTimeout(now);
        this.#pump();
      }
    } catch (error) {
      this.#engineFailed(error);
    }
    this.#notices?.();
    this.#busy = false;
    return worked;
  }

  #takeSubmitted(): boolean {
    const submitted = this.#submitted && !this.#broken;
    this.#submitted = false;
    return submitted;
  }

  /** What there was to send has been sent, as far as it could: ends what is over, arms the timer of what goes on. */
  finishTurn(): void {
    if (this.#over) return;
    if (this.#aborted && this.#terminated === undefined) {
      this.#terminate(this.#failure ?? new HfaceError('aborted', { code: 'ERR_ABORTED', initiator: 'application' }));
    }
    if (this.#terminated !== undefined) this.#end();
    else this.#timer.set(this.protocol.nextTimeout());
  }

  /** The socket is gone, or the endpoint: the connection ends without a word to the peer. */
  lost(error: HfaceError): void {
    if (this.#over) return;
    this.#failure ??= error;
    this.#terminate(error);
    this.#end();
  }

  /** Gives away all events there are, as far as there is somebody to take them. */
  #pump(): void {
    for (;;) {
      const event = this.#held ?? this.protocol.nextEvent();
      if (event === undefined || this.#over) return;
      this.#held = undefined;
      if (this.#answered(event)) continue;
      if (event.type === 'ConnectionTerminated') {
        if (this.#terminated !== undefined) return;
        this.#terminated = this.#explained(event);
        if (this.#settled !== undefined) this.#settle(this.#failure ?? event.error ?? closedEarly(event));
        this.#give(this.#terminated);
        continue;
      }
      this.#settle(undefined);
      if (this.#handler === undefined) {
        // Whoever has it now has not said yet how to take events.
        this.#held = event;
        return;
      }
      this.#give(event);
    }
  }

  /** Whoever has the connection already is told why there is none, as one who waited for the handshake would be. */
  #explained(event: ConnectionTerminated): ConnectionTerminated {
    const error = this.#failure ?? event.error;
    if (!this.#early || this.#explain === undefined || error === undefined) return event;
    return connectionTerminated(event.errorCode, event.reason, event.processed, this.#explain(error));
  }

  /** Sees to what concerns the handshake alone. */
  #answered(event: HttpEvent): boolean {
    switch (event.type) {
      case 'CertificateReceived':
        this.#answers.certificateReceived(event, this);
        return true;
      case 'ClientHelloReceived':
        this.#answers.clientHelloReceived(event, this);
        return true;
      case 'TicketOffered':
        this.#answers.ticketOffered(event, this);
        return true;
      case 'HandshakeCompleted':
        this.#early = false;
        this.facts.handshakeCompleted(event, this.#answers);
        this.#settle(undefined);
        return false;
      case 'HeadersReceived':
        if (event.early) this.facts.earlyDataReceived(this.#answers.serverName);
        return false;
      default:
        return false;
    }
  }

  #give(event: HttpEvent): void {
    try {
      this.#handler?.eventReceived(event);
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  #settle(error: HfaceError | undefined): void {
    const settled = this.#settled;
    this.#settled = undefined;
    try {
      settled?.(this, error);
    } catch (failure) {
      this.#handlerFailed(failure);
    }
  }

  /** A handler threw: that is the application's failure, and ends this connection only. */
  #handlerFailed(error: unknown): void {
    if (this.#terminated !== undefined) return;
    this.#failure ??= toHfaceError(error);
    this.#close('internal error');
  }

  #close(reason: string): void {
    if (this.#broken) return;
    try {
      this.protocol.submitClose(this.protocol.errorCodes.internalError, reason);
      this.#submitted = true;
    } catch (error) {
      this.#engineFailed(error);
    }
  }

  /** The engine threw, which none may: nothing that it says can be sent. */
  #engineFailed(error: unknown): void {
    if (this.#broken) return;
    this.#broken = true;
    const failure = new HfaceError('the protocol implementation failed', {
      code: 'ERR_ENGINE',
      initiator: 'engine',
      cause: error,
    });
    this.#failure ??= failure;
    this.#terminate(failure);
  }

  /** Tells of the end in the engine's place. */
  #terminate(error: HfaceError): void {
    if (this.#terminated !== undefined) return;
    const event = connectionTerminated(this.protocol.errorCodes.internalError, error.message, 'maybe', error);
    this.#terminated = event;
    this.#settle(error);
    this.#give(event);
  }

  #end(): void {
    this.#over = true;
    this.#timer.cancel();
    this.protocol.onOutput = undefined;
    const cause = this.#failure ?? this.#terminated?.error;
    try {
      this.#handler?.ended(cause);
    } catch {
      // The connection is gone and the handler with it: there is nobody left to tell.
    }
    this.#owner.ended(this);
    this.#released?.();
  }
}

function closedEarly(event: ConnectionTerminated): HfaceError {
  return new HfaceError(`the connection was closed: ${event.reason}`, {
    code: 'ERR_CONNECTION_CLOSED',
    initiator: 'peer',
  });
}
