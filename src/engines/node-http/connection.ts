/**
 * What both sides of a connection on node:http have in common: the way in and out, deadlines, and the end.
 *
 * Theory of operation. What the driver brings is fed to Node through a Duplex, in pieces, as long as the side says that
 * it may be; what Node writes waits to be taken. Node parses and writes, this engine decides. A connection ends in
 * stages, and only here:
 *
 *     open --finish()--> closing --(the peer's end, or linger)--> terminated
 *     open or closing --abort()--> terminated
 *
 * In `closing` what comes in is counted and dropped (RFC 9112 section 9.6). `ConnectionTerminated` waits until Node has
 * written its last byte, since Node writes some of them in a later turn.
 *
 * Node sets no timer for a Duplex: the deadlines are the engine's own, on the driver's clock. After
 * `ConnectionTerminated` nothing that Node tells is listened to.
 *
 * @module
 */
import type { ErrorCodes, HfaceError } from '../../common/index.ts';
import { LocalProtocolError, NetworkError, TimeoutError } from '../../common/index.ts';
import type { Capabilities, HttpVersion, Processed } from '../../protocols/index.ts';
import { connectionTerminated } from '../../protocols/index.ts';
import type { Waiting } from '../deadlines.ts';
import { Deadlines, NOTHING } from '../deadlines.ts';
import type { SocketOwner } from '../engine-socket.ts';
import { EngineSocket, Outbox } from '../engine-socket.ts';
import { NodeEngine } from '../node-engine.ts';
import { nodeHttpCapabilities } from './capabilities.ts';
import { http1ErrorCodes as errorCodes } from '../../protocols/semantics/index.ts';

/** Node is fed so much at once, so that requests that it parses ahead stay few. */
const PORTION = 0x2000;

/** The common part of server and client. */
export abstract class NodeHttpConnection extends NodeEngine implements SocketOwner {
  readonly httpVersion: HttpVersion = '1.1';
  readonly multiplexed: boolean = false;
  readonly errorCodes: ErrorCodes = errorCodes;
  readonly capabilities: Capabilities = nodeHttpCapabilities;

  /** What Node reads from and writes to at present. */
  protected socket: EngineSocket;
  protected readonly output: Outbox;
  /** The peer has ended its side. */
  protected inputEnded: boolean;
  /** The stream carries raw bytes: they go past Node. */
  protected tunnel: boolean;
  readonly #lingerTimeout: number;
  readonly #maxDrain: number;
  readonly #deadlines: Deadlines;
  #input: Uint8Array[];
  #held: number;
  #endTold: boolean;
  #stage: 'open' | 'closing' | 'terminated';
  #drained: number;
  #cutOff: boolean;
  /** The last event is due when Node has written its last byte. */
  #terminationDue: boolean;
  #closeCode: number;
  #closeReason: string;
  #closeError: HfaceError | undefined;

  constructor(writeTimeout: number, lingerTimeout: number, maxDrain: number) {
    super();
    this.output = new Outbox();
    this.inputEnded = false;
    this.tunnel = false;
    this.#lingerTimeout = lingerTimeout;
    this.#maxDrain = maxDrain;
    this.#deadlines = new Deadlines(writeTimeout);
    this.#input = [];
    this.#held = 0;
    this.#endTold = false;
    this.#stage = 'open';
    this.#drained = 0;
    this.#cutOff = false;
    this.#terminationDue = false;
    this.#closeCode = errorCodes.noError;
    this.#closeReason = '';
    this.#closeError = undefined;
    this.socket = new EngineSocket(this);
  }

  nextTimeout(): number | undefined {
    return this.#deadlines.next();
  }

  handleTimeout(now: number): void {
    this.#wait(now, false);
    if (this.#stage === 'terminated') return;
    if (this.#deadlines.writeExpired(now)) {
      const { writeTimeout } = this.#deadlines;
      this.lost(new TimeoutError('writeTimeout', writeTimeout), 'output was not taken in time');
      return;
    }
    const phase = this.#deadlines.expired(now);
    if (phase === 'linger') this.#terminate();
    else if (phase !== undefined) this.expired(phase.replace(/:.*/, ''));
    this.#wait(now, false);
  }

  bytesReceived(chunk: Uint8Array, now: number): void {
    if (this.#stage === 'open') {
      this.#input.push(chunk);
      this.#held += chunk.length;
      this.received(now);
      this.feed();
    } else if (this.#stage === 'closing') {
      this.#drained += chunk.length;
      if (this.#drained > this.#maxDrain) this.abort(this.#closeCode, this.#closeReason, this.#closeError);
    }
    this.#wait(now, false);
  }

  eofReceived(now: number): void {
    if (this.#stage === 'terminated' || this.inputEnded) return;
    this.inputEnded = true;
    if (this.#stage === 'closing') this.#terminateSoon();
    else this.feed();
    this.#wait(now, false);
  }

  connectionLost(_now: number, error?: HfaceError): void {
    if (this.#stage === 'terminated') return;
    this.inputEnded = true;
    if (this.#stage === 'closing' && this.output.size === 0 && this.socket.sentEnd) this.#terminate();
    else this.lost(error, error === undefined ? 'the connection was closed' : error.message);
    this.output.clear();
    this.socket.destroy();
  }

  bytesToSend(now: number): Uint8Array[] | undefined {
    if (this.#stage === 'open') this.beforeTake();
    const chunks = this.output.take();
    if (chunks !== undefined) this.outputTaken();
    if (this.#stage === 'open') this.feed();
    this.#wait(now, chunks !== undefined);
    return chunks;
  }

  /** See `HttpOverTcpProtocol`. */
  get wantsEof(): boolean {
    const ended = this.#stage !== 'open' || this.tunnel;
    return ended && !this.#cutOff && this.socket.sentEnd && this.output.size === 0;
  }

  /** False: the driver pauses reading. */
  get wantsInput(): boolean {
    if (this.#stage !== 'open') return this.#stage !== 'terminated';
    return this.#held === 0 && this.mayFeed();
  }

  /** Ends the engine and returns what was not delivered of a tunnel's bytes. */
  override detach(): Uint8Array[] {
    if (!this.open || !this.tunnel || this.output.size > 0) {
      throw new LocalProtocolError('detach needs an open tunnel whose output was taken');
    }
    const views = this.withdrawEvents().flatMap((event) =>
      event.type === 'DataReceived' && event.data.length > 0 ? [event.data] : [],
    );
    views.push(...this.#input);
    this.#input = [];
    this.#stage = 'terminated';
    this.#deadlines.stop();
    this.socket.destroy();
    return views;
  }

  /** See {@link SocketOwner}. */
  socketWrote(chunk: Uint8Array): void {
    if (this.#cutOff) return;
    this.output.push(chunk);
    this.announce();
  }

  /** See {@link SocketOwner}. */
  socketEnded(socket: EngineSocket): void {
    if (socket !== this.socket) return;
    if (this.#terminationDue) this.#terminate();
    this.announce();
  }

  /** See {@link SocketOwner}. */
  socketClosed(socket: EngineSocket, error: Error | undefined): void {
    if (socket !== this.socket || this.#stage !== 'open' || this.tunnel) return;
    const cause = error === undefined ? {} : { cause: error };
    this.gaveUp(new NetworkError('node:http gave the connection up', { phase: 'read', ...cause }));
  }

  /** Node has destroyed its socket while messages still passed. */
  protected gaveUp(error: HfaceError): void {
    this.refuse(error);
  }

  /** Whether messages still pass. */
  protected get open(): boolean {
    return this.#stage === 'open';
  }

  /** Whether the last event was queued. */
  protected get terminated(): boolean {
    return this.#stage === 'terminated';
  }

  /** Whether bytes wait that were not fed. */
  protected get holdsInput(): boolean {
    return this.#held > 0;
  }

  /** Puts bytes back before all others. */
  protected unfeed(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#input.unshift(chunk);
    this.#held += chunk.length;
  }

  /** Gives Node, or the tunnel, what it may have. */
  protected feed(): void {
    while (this.#held > 0 && this.#stage === 'open' && this.mayFeed()) {
      const chunk = this.#input.shift() as Uint8Array;
      const portion = this.tunnel ? chunk : chunk.subarray(0, PORTION);
      if (portion.length < chunk.length) this.#input.unshift(chunk.subarray(portion.length));
      this.#held -= portion.length;
      if (this.tunnel) this.tunnelReceived(portion);
      else this.push(portion);
    }
    if (!this.inputEnded || this.#held > 0 || this.#endTold || this.#stage !== 'open' || !this.mayFeed()) return;
    this.#endTold = true;
    this.inputEnds();
  }

  /** The last byte of this side has been submitted. */
  protected finish(errorCode: number, reason: string, error: HfaceError | undefined): void {
    if (this.#stage !== 'open') return;
    this.#stage = 'closing';
    this.#closeCode = errorCode;
    this.#closeReason = reason;
    this.#closeError = error;
    this.#drained = this.#held;
    this.#input = [];
    this.#held = 0;
    this.endSocket();
    if (this.inputEnded) this.#terminateSoon();
    this.announce();
  }

  /** Ends in good order, without waiting for the peer. */
  protected finishAtOnce(errorCode: number, reason: string): void {
    this.finish(errorCode, reason, undefined);
    this.#terminateSoon();
  }

  /** Ends at once; the peer is to see that something is missing. */
  protected abort(errorCode: number, reason: string, error: HfaceError | undefined): void {
    if (this.#stage === 'terminated') return;
    if (this.#stage === 'open' || this.#closeError === undefined) {
      this.#closeCode = errorCode;
      this.#closeReason = reason;
      this.#closeError = error;
    }
    this.#cutOff = true;
    this.output.clear();
    this.#terminate();
    this.socket.destroy();
  }

  /** Something that is waited for has come. */
  protected progress(): void {
    this.#deadlines.restart();
  }

  #terminateSoon(): void {
    if (this.socket.sentEnd) this.#terminate();
    else this.#terminationDue = true;
  }

  #terminate(): void {
    if (this.#stage === 'terminated') return;
    this.#stage = 'terminated';
    this.#input = [];
    this.#held = 0;
    this.#deadlines.stop();
    this.tell(connectionTerminated(this.#closeCode, this.#closeReason, this.processed(), this.#closeError));
  }

  #wait(now: number, taken: boolean): void {
    if (this.#stage === 'terminated') return;
    const pending = this.output.size > 0;
    this.#deadlines.output(pending, taken, now);
    const lingering = pending ? NOTHING : { phase: 'linger', duration: this.#lingerTimeout };
    this.#deadlines.wait(this.#stage === 'closing' ? lingering : this.waiting(), now);
  }

  /** What is waited for. Names may carry a number behind a colon, which tells one wait from the next. */
  protected abstract waiting(): Waiting;
  /** A wait lasted too long. */
  protected abstract expired(phase: string): void;
  /** Bytes came. */
  protected abstract received(now: number): void;
  /** Whether Node, or the tunnel, may have more. */
  protected abstract mayFeed(): boolean;
  /** Gives Node bytes. */
  protected abstract push(portion: Uint8Array): void;
  /** The tunnel's bytes. */
  protected abstract tunnelReceived(chunk: Uint8Array): void;
  /** The peer has ended, and all before that was fed. */
  protected abstract inputEnds(): void;
  /** Lets Node's side of the socket end, now or when what it still writes is out. */
  protected abstract endSocket(): void;
  /** Output is about to be taken. */
  protected abstract beforeTake(): void;
  /** Output was taken. */
  protected abstract outputTaken(): void;
  /** The peer broke a rule or reached a limit. */
  protected abstract refuse(error: HfaceError): void;
  /** The connection is gone: ends all streams, then aborts. */
  protected abstract lost(error: HfaceError | undefined, reason: string): void;
  /** Of the requests that were open at the end. */
  protected abstract processed(): Processed;
}
