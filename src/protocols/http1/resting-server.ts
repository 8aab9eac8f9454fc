/**
 * A server's connection, with an engine while there is something to do and without one while it waits for a request.
 *
 * Theory of operation. What an engine needs for a request (parser, queues, writer, the exchange's state) is ten times
 * what a waiting connection has to remember: the id of its last request and when it is to be closed. Most connections of
 * a server wait. So an engine is borrowed from the factory's pool when the first octet of a request comes, or anything
 * else that is not of every day; and given back as soon as it has nothing of the connection in hand: both messages are
 * done, all events told, all output taken, the handler ended. Fewer engines than connections are also a matter of time:
 * what every request touches stays in the processor's cache.
 *
 * Owns the borrowing, and what is answered without an engine. Everything else is the engine's (server.ts).
 *
 * Invariants:
 * - An engine is given back only while {@link Http1Server.atRest}; one whose connection has ended is dropped.
 * - Nobody but this holds the engine, so that no late call on one connection can reach another.
 *
 * @module
 */
import type { ErrorCodes, HeaderList, HfaceError } from '../../common/index.ts';
import type { Capabilities } from '../capabilities.ts';
import type { HttpEvent, HttpVersion } from '../events.ts';
import type { ProtocolContext } from '../factories.ts';
import type { EndStream, HttpOverTcpProtocol, SubmitHeadersOptions } from '../http-protocol.ts';
import type { PortionSize } from '../portion-size.ts';
import { http1ErrorCodes } from '../semantics/index.ts';
import { http1Capabilities } from './capabilities.ts';
import type { Http1ServerParts } from './server.ts';
import { Http1Server } from './server.ts';
import { UncoveredMembers } from '../uncovered-members.ts';

/** Idle engines beyond this are left to the collector: it bounds what a burst leaves behind. */
const MAX_KEPT = 64;

// Answered by the class: fields of each object would be a third of what one at rest holds.
const VERSION: HttpVersion = '1.1';
const ROLE = 'server' as const;
const MULTIPLEXED = false;

/** The engines of a factory. */
export class ServerPool {
  readonly #parts: Http1ServerParts;
  /** The one given back last is taken first: its memory is warm. */
  readonly #idle: Http1Server[];

  constructor(parts: Http1ServerParts) {
    this.#parts = parts;
    this.#idle = [];
  }

  /** How long a connection may be silent before its first request, in milliseconds. */
  get firstTimeout(): number {
    return this.#parts.limits.headTimeout;
  }

  /** An engine, to be resumed. */
  take(): Http1Server {
    return this.#idle.pop() ?? new Http1Server(this.#parts);
  }

  /** An engine at rest. */
  give(engine: Http1Server): void {
    if (this.#idle.length < MAX_KEPT) this.#idle.push(engine);
  }
}

/** The server engine of one connection. Made by `Http1ServerFactory`. */
export class RestingServer extends UncoveredMembers implements HttpOverTcpProtocol {
  /** Kept for whoever set it, and never called: nothing happens here but in a call. */
  onOutput: (() => void) | undefined;
  readonly #pool: ServerPool;
  readonly #context: ProtocolContext;
  #engine: Http1Server | undefined;
  /** While there is no engine: the id of the last request, 0 for none. */
  #streamId: number;
  /** While there is no engine: until when the connection waits. */
  #deadline: number;
  #portion: PortionSize | undefined;

  constructor(pool: ServerPool, context: ProtocolContext, now: number) {
    super();
    this.onOutput = undefined;
    this.#pool = pool;
    this.#context = context;
    this.#engine = undefined;
    this.#streamId = 0;
    this.#deadline = now + pool.firstTimeout;
    this.#portion = undefined;
  }

  get httpVersion(): HttpVersion {
    return VERSION;
  }

  get role(): typeof ROLE {
    return ROLE;
  }

  get multiplexed(): boolean {
    return MULTIPLEXED;
  }

  get errorCodes(): ErrorCodes {
    return http1ErrorCodes;
  }

  get capabilities(): Capabilities {
    return http1Capabilities;
  }

  /** While it waits there is none. */
  nextEvent(): HttpEvent | undefined {
    return this.#engine?.nextEvent();
  }

  /** While it waits: when it ends. */
  nextTimeout(): number | undefined {
    if (this.#engine !== undefined) return this.#engine.nextTimeout();
    return this.#deadline === Infinity ? undefined : this.#deadline;
  }

  handleTimeout(now: number): void {
    if (this.#engine !== undefined || now >= this.#deadline) this.#borrow(now).handleTimeout(now);
  }

  bytesReceived(chunk: Uint8Array, now: number): void {
    (this.#engine ?? this.#borrow(now)).bytesReceived(chunk, now);
  }

  eofReceived(now: number): void {
    this.#borrow(now).eofReceived(now);
  }

  connectionLost(now: number, error?: HfaceError): void {
    this.#borrow(now).connectionLost(now, error);
  }

  /** Gives the engine back when it has nothing left to send and nothing else in hand. */
  bytesToSend(now: number): Uint8Array[] | undefined {
    const engine = this.#engine;
    if (engine === undefined) return undefined;
    const portion = engine.bytesToSend(now);
    if (portion === undefined && engine.atRest) this.#rest(engine);
    return portion;
  }

  get wantsEof(): boolean {
    return this.#engine?.wantsEof ?? false;
  }

  get wantsInput(): boolean {
    return this.#engine?.wantsInput ?? true;
  }

  isAvailable(): boolean {
    return this.#engine?.isAvailable() ?? true;
  }

  hasExpired(): boolean {
    return !this.isAvailable();
  }

  /** Servers open no requests. */
  getAvailableStreamId(): number {
    return this.#borrow().getAvailableStreamId();
  }

  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    this.#borrow().submitHeaders(streamId, headers, options);
  }

  submitInformational(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    this.#borrow().submitInformational(streamId, headers, rawNames);
  }

  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    this.#borrow().submitData(streamId, data, options);
  }

  submitResponse(streamId: number, status: number, headers: HeaderList, body: Uint8Array | string): boolean {
    return this.#borrow().submitResponse(streamId, status, headers, body);
  }

  submitTrailers(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    this.#borrow().submitTrailers(streamId, headers, rawNames);
  }

  submitStreamReset(streamId: number, errorCode: number): void {
    this.#borrow().submitStreamReset(streamId, errorCode);
  }

  /** While it waits every handler has ended. */
  submitHandlerEnd(streamId: number): void {
    this.#engine?.submitHandlerEnd(streamId);
  }

  submitShutdown(): void {
    this.#borrow().submitShutdown();
  }

  submitClose(errorCode: number, reason?: string): void {
    this.#borrow().submitClose(errorCode, reason);
  }

  sendCapacity(streamId: number): number {
    return this.#engine?.sendCapacity(streamId) ?? 0;
  }

  /** While it waits everything was consumed. */
  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.#engine?.dataConsumed(streamId, flowControlledLength);
  }

  override detach(): Uint8Array[] {
    return this.#borrow().detach();
  }

  /**
   * The engine at hand, or one of the pool.
   *
   * @param now - 0 in a call that brings no time
   */
  #borrow(now = 0): Http1Server {
    if (this.#engine !== undefined) return this.#engine;
    const engine = this.#pool.take();
    engine.resume(this.#context, this.#streamId, this.#deadline, this.#portion, now);
    this.#engine = engine;
    return engine;
  }

  #rest(engine: Http1Server): void {
    this.#streamId = engine.lastStreamId;
    this.#deadline = engine.nextTimeout() ?? Infinity;
    this.#portion = engine.portion;
    this.#engine = undefined;
    this.#pool.give(engine);
  }
}
