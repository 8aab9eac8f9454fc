/**
 * What both sides of a connection on a session of node:http2 have in common.
 *
 * Theory of operation. What the driver brings is pushed into a Duplex, which Node takes for a socket; what Node writes
 * waits there to be taken, and until it is Node writes no more, so that windows and nghttp2's scheduling act late. Node
 * tells everything in later turns: events are queued when they come and announced.
 *
 * A reader who does not consume has its stream paused, which keeps the stream's window closed. The connection's window
 * is given back by Node on receipt; what all slow readers hold together is bounded by streams × initial window.
 *
 * The connection ends when Node's session has closed, or when the network is gone. Node sets no timer for a Duplex: the
 * deadlines are the engine's own, on the driver's clock.
 *
 * @module
 */
import type { Http2Session, Http2Stream } from 'node:http2';
import type { ErrorCodes, HeaderList, HfaceError } from '../../common/index.ts';
import {
  LocalProtocolError,
  NetworkError,
  RemoteProtocolError,
  StreamResetError,
  TimeoutError,
  unsupported,
} from '../../common/index.ts';
import type { Capabilities, EndStream, HttpVersion, Processed } from '../../protocols/index.ts';
import {
  connectionTerminated,
  dataReceived,
  goawayReceived,
  streamClosed,
  streamResetReceived,
  streamResetSent,
  streamWritable,
  trailersReceived,
} from '../../protocols/index.ts';
import { Deadlines } from '../deadlines.ts';
import type { SocketOwner } from '../engine-socket.ts';
import { EngineSocket, Outbox } from '../engine-socket.ts';
import { NodeEngine } from '../node-engine.ts';
import { sessionCapabilities } from './capabilities.ts';
import { ContentClock } from './content-clock.ts';
import { http2ErrorCodes as errorCodes } from '../../protocols/semantics/index.ts';
import type { NodeHttp2Limits } from './limits.ts';
import { fromNodeHeaders } from './node-headers.ts';
import type { SessionStream } from './session-stream.ts';

const EMPTY: Uint8Array = new Uint8Array(0);
/** What may wait in front of Node before reading pauses. */
const READ_AHEAD = 0x40000;

/** The common part of server and client. */
export abstract class SessionEngine extends NodeEngine {
  readonly httpVersion: HttpVersion = '2';
  readonly multiplexed: boolean = true;
  readonly errorCodes: ErrorCodes = errorCodes;
  readonly capabilities: Capabilities = sessionCapabilities;

  protected readonly socket: EngineSocket;
  protected readonly limits: NodeHttp2Limits;
  protected readonly streams: Map<number, SessionStream>;
  /** No further request is opened or accepted. */
  protected windingDown: boolean;
  protected lastId: number;
  /** The last event was queued. */
  protected terminated: boolean;
  /** How often output was taken. */
  protected takes: number;
  readonly #output: Outbox;
  readonly #deadlines: Deadlines;
  readonly #clock: ContentClock;
  readonly #firstTimeout: number;
  /** Streams whose last bytes are on their way out. */
  #ending: SessionStream[];
  #session: Http2Session | undefined;
  readonly #resetIds: Set<number>;
  #now: number;
  #inputEnded: boolean;
  #cutOff: boolean;
  #closeCode: number;
  #closeReason: string;
  #error: HfaceError | undefined;

  /** `firstTimeout`: how long the first request may take to come. */
  constructor(limits: NodeHttp2Limits, firstTimeout: number, now: number) {
    super();
    this.limits = limits;
    this.streams = new Map();
    this.windingDown = false;
    this.lastId = 0;
    this.takes = 0;
    this.#output = new Outbox();
    this.#deadlines = new Deadlines(limits.writeTimeout);
    this.#clock = new ContentClock(limits.bodyTimeout);
    this.#firstTimeout = firstTimeout;
    this.#ending = [];
    this.#session = undefined;
    this.#resetIds = new Set();
    this.#now = now;
    this.#inputEnded = false;
    this.terminated = false;
    this.#cutOff = false;
    this.#closeCode = errorCodes.noError;
    this.#closeReason = 'the connection was closed';
    this.#error = undefined;
    const owner: SocketOwner = {
      socketWrote: (chunk) => {
        if (this.#cutOff) return;
        this.#output.push(chunk);
        this.announce();
      },
      socketEnded: () => this.announce(),
      // The session tells of it.
      socketClosed: () => undefined,
    };
    this.socket = new EngineSocket(owner, true);
  }

  nextTimeout(): number | undefined {
    return this.#deadlines.next();
  }

  handleTimeout(now: number): void {
    this.#wait(now, false);
    if (this.terminated) return;
    if (this.#deadlines.writeExpired(now)) {
      this.#lose(new TimeoutError('writeTimeout', this.limits.writeTimeout), 'output was not taken in time');
      return;
    }
    const phase = this.#deadlines.expired(now);
    if (phase === 'linger') this.#sessionClosed();
    else if (phase === 'idle') this.submitClose(errorCodes.noError, 'the connection was idle');
    else if (phase === 'head') this.submitClose(errorCodes.noError, 'no request came');
    else if (phase !== undefined) {
      const { bodyTimeout } = this.limits;
      for (const stream of this.#clock.late(now)) {
        this.giveUp(stream, errorCodes.cancelled, new TimeoutError('bodyTimeout', bodyTimeout));
      }
    }
    this.#wait(now, false);
  }

  bytesReceived(chunk: Uint8Array, now: number): void {
    if (this.terminated) return;
    this.#now = now;
    this.socket.push(chunk);
    this.#wait(now, false);
  }

  eofReceived(_now: number): void {
    if (this.terminated || this.#inputEnded) return;
    this.#inputEnded = true;
    this.socket.push(null);
  }

  connectionLost(_now: number, error?: HfaceError): void {
    this.#lose(error, error === undefined ? 'the connection was closed' : error.message);
  }

  bytesToSend(now: number): Uint8Array[] | undefined {
    this.#now = now;
    const chunks = this.#output.take();
    if (chunks !== undefined) {
      this.takes += 1;
      this.socket.release();
    } else if (this.#ending.length > 0 && this.socket.writableLength === 0) {
      const ended = this.#ending;
      this.#ending = [];
      for (const stream of ended) {
        stream.flushed = true;
        this.advanced(stream);
      }
    }
    this.#wait(now, chunks !== undefined);
    return chunks;
  }

  /** See `HttpOverTcpProtocol`. */
  get wantsEof(): boolean {
    return (this.terminated || this.socket.sentEnd) && !this.#cutOff && this.#output.size === 0;
  }

  /** False: the driver pauses reading. */
  get wantsInput(): boolean {
    return !this.terminated && this.socket.readableLength < READ_AHEAD;
  }

  /** Not covered: a connection of many streams is nobody's. */
  override detach(): Uint8Array[] {
    throw unsupported('detach');
  }

  /** See `HttpProtocol`. */
  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    const stream = this.reached(streamId);
    if (stream === undefined) return;
    stream.send(data, options.endStream, stream.capacity(this.limits.sendBufferBytes));
    if (!options.endStream && stream.capacity(this.limits.sendBufferBytes) === 0) stream.blocked = true;
    this.advanced(stream);
  }

  /** See `HttpProtocol`. */
  submitTrailers(streamId: number, headers: HeaderList, _rawNames?: readonly string[]): void {
    const stream = this.reached(streamId);
    if (stream === undefined) return;
    stream.sendTrailers(headers);
    this.advanced(stream);
  }

  /** See `HttpProtocol`. */
  submitStreamReset(streamId: number, errorCode: number): void {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) {
      const reason = 'the application reset the stream';
      this.giveUp(stream, errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }));
    } else if (!this.used(streamId)) {
      throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
    }
  }

  /** No further requests; the connection ends when those that run have ended. */
  submitShutdown(): void {
    if (this.terminated || this.windingDown) return;
    this.windingDown = true;
    this.#session?.close();
  }

  /** Ends the connection now. */
  submitClose(errorCode: number, reason = 'the application closed the connection'): void {
    if (this.terminated || this.#session === undefined || this.#session.destroyed) return;
    this.windingDown = true;
    this.#closeCode = errorCode;
    this.#closeReason = reason;
    for (const stream of [...this.streams.values()]) {
      this.#endedBySelf(stream, errorCode, new StreamResetError(reason, { errorCode, initiator: 'application' }));
    }
    this.#session.destroy(undefined, errorCode);
  }

  /** See `HttpProtocol`. */
  sendCapacity(streamId: number): number {
    return this.streams.get(streamId)?.capacity(this.limits.sendBufferBytes) ?? 0;
  }

  /** See `HttpProtocol`. */
  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.streams.get(streamId)?.consumed(flowControlledLength, this.limits.initialStreamWindow);
  }

  /** Listens to a session. */
  protected watch(session: Http2Session): void {
    this.#session = session;
    session.on('error', (error: NodeJS.ErrnoException) => {
      this.#error ??= new RemoteProtocolError(error.message, {
        scope: 'connection',
        wireCode: errorCodes.protocolError,
        cause: error,
      });
      if (this.#closeCode === errorCodes.noError) this.#closeCode = errorCodes.protocolError;
    });
    session.on('goaway', (code: number, lastStreamId: number, data?: Uint8Array) => {
      if (this.terminated) return;
      this.windingDown = true;
      if (code !== errorCodes.noError) this.#closeCode = code;
      this.tell(goawayReceived(lastStreamId, code, data ?? EMPTY));
    });
    session.on('close', () => this.#sessionClosed());
    this.handleTimeout(this.#now);
  }

  /** Listens to what a stream tells in both roles. */
  protected watchStream(stream: SessionStream, node: Http2Stream): void {
    stream.node = node;
    node.on('error', ignore);
    node.on('wantTrailers', () => {
      stream.trailersWanted();
      // Node writes the end in a turn of its own; what follows from it waits until that was taken.
      setImmediate(() => {
        this.#ending.push(stream);
        this.announce();
      });
    });
    node.on('drain', () => {
      if (!stream.blocked || !this.#lives(stream)) return;
      stream.blocked = false;
      this.tell(streamWritable(stream.id));
    });
    node.on('close', () => this.#streamEnded(stream, node.rstCode));
  }

  /** Reads the content of a message whose head has come. */
  protected readContent(stream: SessionStream, node: Http2Stream): void {
    let trailers: readonly string[] | undefined;
    if (stream.tunnel === 'no') this.#clock.begin(stream, this.#now);
    node.on('trailers', (_headers: unknown, _flags: unknown, raw?: readonly string[]) => {
      trailers = fromNodeHeaders(raw ?? []);
    });
    node.on('data', (chunk: Buffer) => {
      if (!this.#lives(stream)) return;
      stream.gave(chunk.length, this.limits.initialStreamWindow);
      if (stream.tunnel !== 'no' || stream.unconsumed >= this.limits.initialStreamWindow) this.#clock.end(stream);
      else this.#clock.begin(stream, this.#now);
      if (stream.contentBytes > this.limits.maxBodyBytes) this.tooLarge(stream);
      else this.tell(dataReceived(stream.id, chunk, chunk.length, false, false));
    });
    node.on('end', () => {
      if (!this.#lives(stream) || stream.received) return;
      // An end without END_STREAM is a reset's: its event follows.
      if (!this.endedWell(stream, node)) return;
      stream.received = true;
      this.#clock.end(stream);
      if (trailers !== undefined && trailers.length > 0) this.tell(trailersReceived(stream.id, trailers, undefined));
      else this.tell(dataReceived(stream.id, EMPTY, 0, true, false));
      this.advanced(stream);
    });
  }

  /** Whether the end that Node tells is the message's: Node tells that of a reset alike. */
  protected endedWell(_stream: SessionStream, node: Http2Stream): boolean {
    return !node.aborted && !node.rstCode;
  }

  /** Gives a stream up. */
  protected giveUp(stream: SessionStream, errorCode: number, error: HfaceError): void {
    const { node } = stream;
    this.#endedBySelf(stream, errorCode, error);
    if (node === undefined || node.destroyed) return;
    node.close(errorCode);
    node.resume();
  }

  /** The stream that a submit concerns; `undefined`: it was reset. @throws LocalProtocolError */
  protected reached(streamId: number): SessionStream | undefined {
    const stream = this.streams.get(streamId);
    if (stream !== undefined) return stream;
    if (this.#resetIds.has(streamId)) return undefined;
    const was = this.used(streamId);
    throw new LocalProtocolError(
      was ? `stream ${String(streamId)} has ended` : `there is no stream ${String(streamId)}`,
    );
  }

  /** Whether a stream of that id was ever open. */
  protected used(streamId: number): boolean {
    return streamId >= 1 && streamId <= this.lastId && streamId % 2 === 1;
  }

  /** Whether the stream is open and the connection as well. */
  #lives(stream: SessionStream): boolean {
    return !this.terminated && this.streams.get(stream.id) === stream;
  }

  /** Node has closed the stream. */
  #streamEnded(stream: SessionStream, code: number): void {
    if (!this.#lives(stream)) return;
    const whole = (stream.sent || stream.silent) && stream.received && code === errorCodes.noError;
    // What is still submitted behind a head that ended the message is taken and dropped.
    if (whole && !stream.sent) this.#ignore(stream.id);
    if (!whole) {
      const processed = this.processedBy(stream, code);
      const error = new StreamResetError(`the peer reset the stream: ${errorCodes.name(code)}`, {
        errorCode: code,
        initiator: 'peer',
        processed,
      });
      this.#ignore(stream.id);
      this.tell(streamResetReceived(stream.id, code, processed, error));
    }
    this.#forget(stream);
  }

  /** Later submits to the stream are ignored; of the last thousand streams that is remembered. */
  #ignore(streamId: number): void {
    this.#resetIds.add(streamId);
    const [oldest] = this.#resetIds;
    if (this.#resetIds.size > 1000 && oldest !== undefined) this.#resetIds.delete(oldest);
  }

  #endedBySelf(stream: SessionStream, errorCode: number, error: HfaceError): void {
    stream.reset = true;
    this.#ignore(stream.id);
    this.tell(streamResetSent(stream.id, errorCode, error));
    this.#forget(stream);
  }

  #forget(stream: SessionStream): void {
    this.streams.delete(stream.id);
    this.#clock.end(stream);
    this.tell(streamClosed(stream.id));
    this.streamForgotten();
  }

  #sessionClosed(): void {
    if (this.terminated) return;
    for (const stream of [...this.streams.values()])
      this.#streamEnded(stream, stream.node?.rstCode ?? errorCodes.cancelled);
    // Node has written its last byte.
    this.#terminate();
  }

  #lose(error: HfaceError | undefined, reason: string): void {
    if (this.terminated) return;
    const failure = error ?? new NetworkError(reason, { phase: 'read' });
    const open = this.streams.size > 0;
    for (const stream of [...this.streams.values()]) {
      const processed = this.processedBy(stream, errorCodes.cancelled);
      this.#ignore(stream.id);
      this.tell(streamResetReceived(stream.id, errorCodes.cancelled, processed, failure));
      this.#forget(stream);
    }
    this.#cutOff = true;
    this.#output.clear();
    if (open || error !== undefined) this.#closeCode = errorCodes.cancelled;
    this.#closeReason = reason;
    this.#error ??= error;
    this.#terminate();
    this.#session?.destroy();
    this.socket.destroy();
  }

  #terminate(): void {
    this.terminated = true;
    this.#deadlines.stop();
    this.tell(connectionTerminated(this.#closeCode, this.#closeReason, this.processed(), this.#error));
  }

  #wait(now: number, taken: boolean): void {
    if (this.terminated) return;
    this.#deadlines.output(this.#output.size > 0, taken, now);
    if (this.socket.sentEnd) {
      this.#deadlines.wait({ phase: 'linger', duration: this.limits.lingerTimeout }, now);
      return;
    }
    if (this.streams.size > 0) {
      const { waiting, since } = this.#clock.waiting(now);
      this.#deadlines.wait(waiting, since);
      return;
    }
    const duration = this.lastId === 0 ? this.#firstTimeout : this.limits.keepAliveTimeout;
    const phase = this.lastId === 0 ? 'head' : `idle`;
    this.#deadlines.wait({ phase, duration }, now);
  }

  /** Something was submitted or has come: what follows from it. */
  protected abstract advanced(stream: SessionStream): void;
  /** More content came than is taken. */
  protected abstract tooLarge(stream: SessionStream): void;
  /** A stream has ended. */
  protected abstract streamForgotten(): void;
  /** Whether the peer may have acted on a stream that ended with a code. */
  protected abstract processedBy(stream: SessionStream, code: number): Processed;
  /** Of the requests that were open at the end. */
  protected abstract processed(): Processed;
}

function ignore(): void {
  // Told by the stream's end.
}
