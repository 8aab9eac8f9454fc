/**
 * Telling HTTP/2 with prior knowledge from HTTP/1 by a connection's first bytes.
 *
 * Theory of operation. The HTTP/2 connection preface has 24 octets (RFC 9113 section 3.4). The protocol holds what
 * comes until one octet differs from it, which makes the connection HTTP/1, or all of them are there, which makes it
 * HTTP/2. Then it creates that engine, hands it every byte (and the peer's end) and tells the driver by
 * `ProtocolReplaced`; its own work is over. It holds less than 24 octets at any time and waits no longer than its
 * deadline. A peer that ends its side in the middle of the preface is HTTP/1's to refuse.
 *
 * @module
 */
import type { ErrorCodes, HfaceError } from '../common/index.ts';
import { TimeoutError } from '../common/index.ts';
import type { Capabilities } from './capabilities.ts';
import type { HttpEvent, HttpVersion } from './events.ts';
import { connectionTerminated, protocolReplaced } from './events.ts';
import type { HttpOverTcpFactory, ProtocolContext } from './factories.ts';
import type { HttpOverTcpProtocol } from './http-protocol.ts';
import { UnopenedProtocol } from './unopened-protocol.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

const codes: ErrorCodes = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  messageError: 1,
  cancelled: 3,
  requestRejected: 4,
  connectError: 5,
  excessiveLoad: 6,
  versionFallback: 7,
  name: (code) => String(code),
};

const NOTHING: Capabilities = new Set();

/** A server's protocol until the first bytes have told which it is. */
export class DetectingProtocol extends UnopenedProtocol implements HttpOverTcpProtocol {
  readonly role = 'server' as const;
  readonly httpVersion: HttpVersion = '1.1';
  readonly multiplexed: boolean = false;
  readonly errorCodes: ErrorCodes = codes;
  readonly capabilities: Capabilities = NOTHING;
  onOutput: (() => void) | undefined;
  readonly #http1: HttpOverTcpFactory;
  readonly #http2: HttpOverTcpFactory;
  readonly #context: ProtocolContext;
  readonly #timeout: number;
  readonly #deadline: number;
  #held: Uint8Array[];
  /** How many octets of the preface have come. */
  #matched: number;
  #event: HttpEvent | undefined;
  #over: boolean;
  /** How the driver closes behind `ConnectionTerminated`. */
  #wantsEof: boolean;
  /** The engine, once it is known. */
  #engine: HttpOverTcpProtocol | undefined;

  constructor(
    http1: HttpOverTcpFactory,
    http2: HttpOverTcpFactory,
    context: ProtocolContext,
    timeout: number,
    now: number,
  ) {
    super();
    this.onOutput = undefined;
    this.#http1 = http1;
    this.#http2 = http2;
    this.#context = context;
    this.#timeout = timeout;
    this.#deadline = now + timeout;
    this.#held = [];
    this.#matched = 0;
    this.#event = undefined;
    this.#over = false;
    this.#wantsEof = false;
    this.#engine = undefined;
  }

  /** At most one: the protocol's replacement, or the connection's end. */
  nextEvent(): HttpEvent | undefined {
    const event = this.#event;
    this.#event = undefined;
    return event;
  }

  /** The deadline of the first bytes. */
  nextTimeout(): number | undefined {
    return this.#over || this.#deadline === Infinity ? undefined : this.#deadline;
  }

  /** Ends the connection at the deadline: without a word if nothing came. */
  handleTimeout(now: number): void {
    if (this.#over || now < this.#deadline) return;
    if (this.#matched === 0) this.#terminate(codes.noError, 'the connection was idle', undefined, true);
    else {
      const error = new TimeoutError('detectionTimeout', this.#timeout);
      this.#terminate(codes.cancelled, error.message, error, true);
    }
  }

  /** Compares, and decides at the first octet that differs or with the last of the preface. */
  bytesReceived(chunk: Uint8Array, now: number): void {
    if (this.#engine !== undefined) {
      this.#engine.bytesReceived(chunk, now);
      return;
    }
    if (this.#over || chunk.length === 0) return;
    this.#held.push(chunk);
    const end = Math.min(chunk.length, PREFACE.length - this.#matched);
    for (let index = 0; index < end; index += 1) {
      if (chunk[index] !== PREFACE.charCodeAt(this.#matched)) {
        this.#decide(this.#http1, now);
        return;
      }
      this.#matched += 1;
    }
    if (this.#matched === PREFACE.length) this.#decide(this.#http2, now);
  }

  /** The peer ended its side. */
  eofReceived(now: number): void {
    if (this.#engine !== undefined) {
      this.#engine.eofReceived(now);
      return;
    }
    if (this.#over) return;
    if (this.#matched === 0) {
      this.#terminate(codes.noError, 'the client sent nothing', undefined, true);
      return;
    }
    this.#decide(this.#http1, now).eofReceived(now);
  }

  /** The connection is gone. */
  connectionLost(now: number, error?: HfaceError): void {
    if (this.#engine !== undefined) this.#engine.connectionLost(now, error);
    else if (!this.#over) {
      const code = error === undefined ? codes.noError : codes.cancelled;
      this.#terminate(code, error?.message ?? 'the connection was closed', error, false);
    }
  }

  /** Nothing is ever sent. */
  bytesToSend(_now: number): Uint8Array[] | undefined {
    return undefined;
  }

  /** Whether requests may still come. */
  isAvailable(): boolean {
    return !this.#over;
  }

  /** Whether none can. */
  hasExpired(): boolean {
    return this.#over;
  }

  /** No request has come: ends now. */
  submitShutdown(): void {
    if (!this.#over) this.#terminate(codes.noError, 'shutdown', undefined, true);
  }

  /** Ends now. */
  submitClose(errorCode: number, reason = 'the application closed the connection'): void {
    if (!this.#over) this.#terminate(errorCode, reason, undefined, errorCode === codes.noError);
  }

  get wantsEof(): boolean {
    return this.#wantsEof;
  }

  get wantsInput(): boolean {
    return !this.#over;
  }

  #decide(factory: HttpOverTcpFactory, now: number): HttpOverTcpProtocol {
    const engine = factory.create(this.#context, now);
    const held = this.#held;
    this.#held = [];
    this.#over = true;
    this.#engine = engine;
    for (const chunk of held) engine.bytesReceived(chunk, now);
    this.#event = protocolReplaced(engine);
    return engine;
  }

  #terminate(errorCode: number, reason: string, error: HfaceError | undefined, wantsEof: boolean): void {
    this.#over = true;
    this.#held = [];
    this.#wantsEof = wantsEof;
    this.#event = connectionTerminated(errorCode, reason, 'maybe', error);
  }
}
