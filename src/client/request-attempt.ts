/**
 * One try at sending a request: from the hand-over to the pool until the response is complete or the try has failed.
 *
 * Owns the order of things on one connection: when the body may go (RFC 9110 section 10.1.1 for 100-continue, RFC 9931
 * for tunnels: not a byte before the server has agreed), what an early final response does to it (RFC 9112 section
 * 9.5), and which timer runs in which phase. Whether to try again is request-operation.ts's decision.
 *
 * Invariants: after `abandon` or the owner's `attemptDone` nothing reaches the owner any more, whatever the transport
 * still calls; an exchange whose request was not sent whole is reset.
 *
 * @module
 */
import { headerValue, HfaceError } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';
import type { ClientExchange, PoolAssignment, PoolRequestHandler } from '../connections/index.ts';
import { BodySender } from './body-sender.ts';
import type { BodySenderObserver } from './body-sender.ts';
import type { PreparedRequest } from './prepared-request.ts';
import type { HttpVersion } from './request-handler.ts';
import type { RequestTimers } from './request-timers.ts';
import type { TransportTicket } from './transport.ts';

/** Whether the server may have acted on a request. */
export type Processed = 'no' | 'maybe';

/** Who made the attempt. */
export interface AttemptOwner {
  readonly timers: RequestTimers;
  attemptStarted(assignment: PoolAssignment): void;
  /** All of the request is with the connection; at this time, if it is known. */
  requestSent(now?: number): void;
  informationalReceived(status: number, headers: HeaderList, rawNames: readonly string[] | undefined): void;
  headersReceived(
    status: number,
    headers: HeaderList,
    rawNames: readonly string[] | undefined,
    httpVersion: HttpVersion,
    endStream: boolean,
  ): void;
  dataReceived(data: Uint8Array, length: number, endStream: boolean, closeDelimited: boolean): void;
  trailersReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void;
  /** 417 (Expectation Failed), and the body has not been touched. */
  expectationFailed(): void;
  /**
   * The server answers that it is to be asked in another way, and the body can be sent again: 421 (Misdirected Request)
   * where it had said that it answers for the origin, 425 (Too Early) to what was sent before the handshake was complete
   * (RFC 8470 section 5.2).
   */
  sentBack(status: 421 | 425): void;
  /** The response is complete and nothing is left to send. */
  attemptDone(): void;
  attemptFailed(error: HfaceError, processed: Processed): void;
}

/** One try. */
export class RequestAttempt implements PoolRequestHandler, BodySenderObserver {
  readonly #owner: AttemptOwner;
  readonly #request: PreparedRequest;
  #ticket: TransportTicket | undefined;
  #exchange: ClientExchange | undefined;
  #timings: PoolAssignment['timings'] | undefined;
  #sender: BodySender | undefined;
  /** The body waits for 100, or for the tunnel to be accepted. */
  #gated: boolean;
  #blocked: boolean;
  /** The connection was opened for another origin. */
  #shared: boolean;
  /** It went out before the handshake was complete. */
  #early: boolean;
  #tunnelOpen: boolean;
  #headersReceived: boolean;
  #responseBegun: boolean;
  #responseEnded: boolean;
  #unconsumed: number;
  #over: boolean;
  /** The exchange was reset: what was delivered has been given back. */
  #abandoned: boolean;

  constructor(owner: AttemptOwner, request: PreparedRequest) {
    this.#owner = owner;
    this.#request = request;
    this.#ticket = undefined;
    this.#exchange = undefined;
    this.#timings = undefined;
    this.#sender = undefined;
    this.#gated = false;
    this.#blocked = false;
    this.#shared = false;
    this.#early = false;
    this.#tunnelOpen = false;
    this.#headersReceived = false;
    this.#responseBegun = false;
    this.#responseEnded = false;
    this.#unconsumed = 0;
    this.#over = false;
    this.#abandoned = false;
  }

  /** Whether a connection took the request. */
  get onConnection(): boolean {
    return this.#exchange !== undefined;
  }

  /** Whether the request went out before the handshake was complete. */
  get early(): boolean {
    return this.#early;
  }

  /** Whether anything of a response has come. */
  get responseBegun(): boolean {
    return this.#responseBegun;
  }

  /** Whether the body's source was read from. */
  get bodyBegun(): boolean {
    return this.#sender?.begun ?? false;
  }

  /** Names what takes the request back while it waits. */
  set ticket(ticket: TransportTicket) {
    this.#ticket = ticket;
  }

  /** Gives it up, wherever it is. */
  abandon(reason: HfaceError): void {
    if (this.#over) return;
    this.#over = true;
    this.#sender?.stop();
    if (this.#exchange === undefined) this.#ticket?.cancel(reason);
    else this.#reset(this.#exchange);
  }

  /** The reader took so many bytes. */
  dataConsumed(length: number): void {
    if (this.#abandoned || length <= 0) return;
    this.#unconsumed -= length;
    this.#exchange?.dataConsumed(length);
    this.#watch();
  }

  /** The server keeps silent about the expectation: the body goes all the same. */
  continueAnyway(): void {
    this.#openGate();
  }

  started(assignment: PoolAssignment): void {
    const { exchange } = assignment;
    if (this.#over) {
      exchange.reset();
      return;
    }
    this.#exchange = exchange;
    this.#timings = assignment.timings;
    this.#shared = assignment.shared;
    this.#early = assignment.early;
    const { head, body, trailers, expectContinue, tunnel, priority } = this.#request;
    this.#owner.attemptStarted(assignment);
    if (priority !== undefined) exchange.setPriority(priority.urgency, priority.incremental);
    if (head.endStream) {
      const { sent } = assignment.timings;
      this.#owner.requestSent(sent);
      this.#watch(sent);
      return;
    }
    const length = tunnel ? undefined : headerValue(head.headers, 'content-length');
    const contentLength = length === undefined ? undefined : Number(length);
    this.#sender = new BodySender({ body, contentLength, trailers }, exchange, this);
    this.#gated = expectContinue || tunnel;
    if (!this.#gated) this.#sender.start();
    else if (expectContinue) this.#owner.timers.enter('continue');
    if (!expectContinue) this.#watch();
  }

  informationalReceived(status: number, headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (this.#over) return;
    this.#responseBegun = true;
    this.#owner.informationalReceived(status, headers, rawNames);
    if (status === 100 && this.#request.expectContinue) this.#openGate();
    else if (!this.#gated || this.#request.tunnel) this.#watch();
  }

  headersReceived(
    status: number,
    headers: HeaderList,
    rawNames: readonly string[] | undefined,
    httpVersion: HttpVersion,
    endStream: boolean,
  ): void {
    if (this.#over) return;
    if (status === 417 && this.#gated && this.#request.expectContinue) {
      this.#owner.expectationFailed();
      return;
    }
    if (status === 421 && this.#shared && this.#canRepeat()) {
      this.#owner.sentBack(status);
      return;
    }
    if (status === 425 && this.#early) {
      this.#owner.sentBack(status);
      return;
    }
    // Told just now, unless an interim response was the first.
    const now = this.#responseBegun ? undefined : this.#timings?.firstByte;
    this.#responseBegun = true;
    this.#headersReceived = true;
    if (this.#gated) this.#settleGate(status);
    this.#owner.headersReceived(status, headers, rawNames, httpVersion, endStream);
    if (endStream) this.#ended();
    else this.#watch(now);
  }

  dataReceived(data: Uint8Array, flowControlledLength: number, endStream: boolean, closeDelimited: boolean): void {
    if (this.#over) return;
    this.#unconsumed += flowControlledLength;
    // Known before the owner is told: what it does then need not be watched any more.
    if (endStream) this.#responseEnded = true;
    this.#owner.dataReceived(data, flowControlledLength, endStream, closeDelimited);
    if (endStream) this.#ended();
    else this.#watch();
  }

  trailersReceived(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (this.#over) return;
    this.#owner.trailersReceived(headers, rawNames);
    this.#ended();
  }

  writable(): void {
    if (!this.#over) this.#sender?.writable();
  }

  failed(error: HfaceError, processed: Processed): void {
    if (this.#over) return;
    this.#over = true;
    this.#sender?.stop();
    this.#owner.attemptFailed(error, processed);
  }

  closed(): void {
    if (this.#over) return;
    if (this.#responseEnded) {
      this.#finish();
      return;
    }
    this.failed(
      new HfaceError('the connection ended before the response did', {
        code: 'ERR_CONNECTION_CLOSED',
        initiator: 'network',
      }),
      'maybe',
    );
  }

  bodyBlocked(): void {
    this.#blocked = true;
    this.#watch();
  }

  bodyUnblocked(): void {
    this.#blocked = false;
    this.#watch();
  }

  bodySent(): void {
    if (this.#over) return;
    this.#owner.requestSent();
    if (this.#responseEnded) this.#finish();
    else this.#watch();
  }

  bodyFailed(error: HfaceError): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#exchange !== undefined) this.#reset(this.#exchange);
    this.#owner.attemptFailed(error, 'maybe');
  }

  /** Gives the exchange up, with what was delivered and never taken. */
  #reset(exchange: ClientExchange): void {
    this.#abandoned = true;
    if (this.#unconsumed > 0) exchange.dataConsumed(this.#unconsumed);
    exchange.reset();
  }

  #openGate(): void {
    if (!this.#gated || this.#over) return;
    this.#gated = false;
    this.#sender?.start();
    this.#watch();
  }

  /** A final response while the body waits: it accepts the tunnel, or it means that the body is not wanted. */
  #settleGate(status: number): void {
    const isConnect = this.#request.head.method === 'CONNECT';
    const accepted = isConnect ? status >= 200 && status < 300 : status === 101;
    this.#gated = false;
    if (this.#request.tunnel && accepted) {
      this.#tunnelOpen = true;
      this.#sender?.start();
    } else if (this.#request.tunnel && !isConnect) {
      // An Upgrade that was not taken up: the request itself had no content.
      this.#sender?.stop();
      this.#sender = undefined;
    } else {
      this.#sender?.stop();
    }
  }

  /** The response has ended. */
  #ended(): void {
    if (this.#over) return;
    this.#responseEnded = true;
    this.#owner.timers.leave();
    if (this.#isSending() && this.#tunnelOpen) return;
    this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    if (this.#isSending()) {
      // Nobody waits for the rest of the request (RFC 9112 section 9.5); HTTP/1 cannot go on after half of one.
      this.#exchange?.reset();
    }
    this.#sender?.stop();
    this.#owner.attemptDone();
  }

  #canRepeat(): boolean {
    const { body } = this.#request;
    return body === undefined || body.replayable || !this.bodyBegun;
  }

  #isSending(): boolean {
    return this.#sender !== undefined && !this.#sender.complete;
  }

  /** Sets the timer of what is waited for now; none while only this side is slow. */
  #watch(now?: number): void {
    if (this.#over || this.#exchange === undefined) return;
    const { timers } = this.#owner;
    if (this.#tunnelOpen || this.#responseEnded) timers.leave();
    else if (this.#blocked) timers.enter('bodyIdle');
    else if (this.#headersReceived) {
      if (this.#unconsumed > 0) timers.leave();
      else timers.enter('bodyIdle', now);
    } else if (this.#isSending() && !this.#gated) timers.leave();
    else timers.enter('headers', now);
  }
}
