/**
 * {@link ByteStream} over a Node socket: TCP, a unix socket, or TLS upon either.
 *
 * Owns the socket from its construction to `closed`. Chunks pass through uncopied both ways. Pausing is lazy: a pause
 * that is lifted before anything came (each request of a kept-alive connection) costs no call into the socket; only
 * when a chunk comes meanwhile is it kept, one at most, and the socket told to stop.
 *
 * Invariants:
 * - The socket has an error listener from the first moment on.
 * - At most one chunk is held here; the socket itself holds at most its own high-water mark more.
 * - A socket that was accepted without TLS reads into memory that all of them share (read-memory.ts).
 * - With TLS, `raw` is the TCP socket below: a reset goes to it, since a TLSSocket cannot reset.
 *
 * @module
 */
import type { OnReadOpts, Socket } from 'node:net';
import { toHfaceError } from '../common/index.ts';
import type { HfaceError, SocketAddress, TlsFacts } from '../common/index.ts';
import type { ByteStream, ByteStreamHandler } from './byte-stream.ts';
import { endIsReset } from './platform.ts';
import { bufferAfterRead, chunkOfRead, sharedReadBuffer } from './read-memory.ts';
import type { SocketReader } from './socket-reader.ts';
import { socketError } from './system-errors.ts';
import { isTlsError, tlsError } from './tls-errors.ts';

/** Above this many unsent bytes `write` returns false. */
export const WRITE_QUEUE_LIMIT = 0x40000;

/** The stream of a socket, on the socket itself: its listeners are the same for all. */
const STREAM: unique symbol = Symbol('stream');
/** On a socket that reads by {@link SocketStream.onread}: the chunk that came before anybody took one. */
const EARLY: unique symbol = Symbol('early');
interface StreamSocket extends Socket {
  [STREAM]?: SocketStream | undefined;
  [EARLY]?: Uint8Array | undefined;
}

/** What the next read of the socket at hand goes into: asked for right behind the callback of the read before. */
let nextBuffer: Uint8Array | undefined;

/** What is known of a socket when it becomes a stream. */
export interface SocketStreamFacts {
  /** The peer's address. */
  readonly remoteAddress: SocketAddress;
  readonly localAddress: SocketAddress;
  readonly tls: TlsFacts | undefined;
}

/** A stream over a connected socket. */
export class SocketStream implements ByteStream {
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  readonly tls: TlsFacts | undefined;
  readonly #socket: Socket;
  readonly #raw: Socket;
  readonly #reader: SocketReader | undefined;
  #handler: ByteStreamHandler | undefined;
  #paused: boolean;
  /** A chunk that came while paused; it stopped the socket. */
  #held: Uint8Array | undefined;
  #stopped: boolean;
  /** The peer's end came while paused. */
  #endHeld: boolean;
  #releasing: boolean;
  #wantsDrain: boolean;
  #ended: boolean;
  #aborted: boolean;
  #error: HfaceError | undefined;
  #gone: boolean;
  #told: boolean;
  #bytesRead: number;
  #bytesWritten: number;

  /**
   * @param socket - what is read and written: `raw` itself, or the TLS socket on it
   * @param raw - the socket that carries the bytes
   * @param reader - what reads the socket, if it has no `data` events
   */
  constructor(socket: Socket, raw: Socket, facts: SocketStreamFacts, reader?: SocketReader) {
    this.localAddress = facts.localAddress;
    this.remoteAddress = facts.remoteAddress;
    this.tls = facts.tls;
    this.#socket = socket;
    this.#raw = raw;
    this.#reader = reader;
    this.#handler = undefined;
    this.#paused = false;
    this.#held = undefined;
    this.#stopped = false;
    this.#endHeld = false;
    this.#releasing = false;
    this.#wantsDrain = false;
    this.#ended = false;
    this.#aborted = false;
    this.#error = undefined;
    this.#gone = false;
    this.#told = false;
    this.#bytesRead = 0;
    this.#bytesWritten = 0;
    SocketStream.watch(socket, this);
    socket.on('close', SocketStream.#onClose);
    // Node tells an end that comes at once even to a socket that nobody reads yet.
    socket.on('end', SocketStream.#onEnd);
    socket.on('drain', SocketStream.#onDrain);
    if (raw !== socket) SocketStream.watch(raw, this);
    // What happened between the connection's being ready and this moment.
    if (socket.errored !== null) this.#failed(socket.errored);
    this.#gone = socket.closed;
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  get bytesRead(): number {
    return this.#bytesRead;
  }

  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  start(handler: ByteStreamHandler): void {
    const first = this.#handler === undefined;
    this.#handler = handler;
    if (!first) return;
    if (this.#gone) {
      queueMicrotask(() => this.#tellClosed());
      return;
    }
    this.#read();
    if (!this.#endHeld && !this.#wantsDrain && this.#held === undefined) return;
    this.#releasing = true;
    queueMicrotask(() => {
      if (this.#socket.writableLength === 0) this.#drained();
      this.#release();
    });
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#releasing || (!this.#stopped && !this.#endHeld)) return;
    this.#releasing = true;
    queueMicrotask(() => this.#release());
  }

  write(chunks: Uint8Array | readonly Uint8Array[], onFlushed?: () => void): boolean {
    if (this.#ended || this.#aborted || this.#gone) {
      if (onFlushed !== undefined) queueMicrotask(() => this.#flushed(onFlushed));
      return true;
    }
    const socket = this.#socket;
    if (chunks instanceof Uint8Array) this.#writeOne(chunks, onFlushed);
    else if (chunks.length === 1) this.#writeOne(chunks[0] as Uint8Array, onFlushed);
    else this.#writeMany(chunks, onFlushed);
    if (socket.writableLength < WRITE_QUEUE_LIMIT) return true;
    this.#wantsDrain = true;
    return false;
  }

  end(): void {
    if (this.#ended || this.#aborted || this.#gone) return;
    this.#ended = true;
    this.#socket.end();
  }

  abort(error?: HfaceError): void {
    if (this.#aborted || this.#gone) return;
    this.#aborted = true;
    this.#error = error;
    this.#held = undefined;
    this.#endHeld = false;
    resetSocket(this.#raw, this.#socket);
  }

  close(): void {
    if (this.#aborted || this.#gone) return;
    this.#aborted = true;
    this.#held = undefined;
    this.#endHeld = false;
    this.#socket.destroy();
    // Of TLS too the system keeps what it has taken; the socket below goes with the one above.
    this.#raw.destroy();
  }

  #writeOne(chunk: Uint8Array, onFlushed: (() => void) | undefined): void {
    this.#bytesWritten += chunk.length;
    if (onFlushed === undefined) this.#socket.write(chunk);
    else this.#socket.write(chunk, () => this.#flushed(onFlushed));
  }

  #writeMany(chunks: readonly Uint8Array[], onFlushed: (() => void) | undefined): void {
    const last = chunks.length - 1;
    if (last < 0) {
      this.#writeOne(EMPTY, onFlushed);
      return;
    }
    const socket = this.#socket;
    socket.cork();
    for (let index = 0; index < last; index += 1) {
      const chunk = chunks[index] as Uint8Array;
      this.#bytesWritten += chunk.length;
      socket.write(chunk);
    }
    this.#writeOne(chunks[last] as Uint8Array, onFlushed);
    socket.uncork();
  }

  /** Begins to read. */
  #read(): void {
    const socket: StreamSocket = this.#socket;
    let early: Uint8Array | undefined;
    if (EARLY in socket) {
      early = socket[EARLY];
      socket[EARLY] = undefined;
    } else if (this.#reader === undefined) {
      socket.on('data', SocketStream.#onData);
    } else {
      early = this.#reader.start((chunk) => this.#received(chunk));
    }
    if (early === undefined) return;
    // The reader has stopped the socket.
    this.#bytesRead += early.length;
    this.#held = early;
    this.#stopped = true;
  }

  // One listener of each kind for all sockets: closures of each would be a good part of what an idle connection holds.

  /** Sees to it that an error of a socket ends nothing but its stream, or nothing at all while it has none. */
  static watch(socket: Socket, stream?: SocketStream): void {
    const watched = STREAM in socket;
    (socket as StreamSocket)[STREAM] = stream;
    if (!watched) socket.on('error', SocketStream.#onError);
  }

  /** For a socket that is made with it, and told by {@link SocketStream.readsShared}: all read into the same memory. */
  static readonly onread: OnReadOpts = {
    buffer: () => {
      const buffer = nextBuffer ?? sharedReadBuffer();
      nextBuffer = undefined;
      return buffer;
    },
    callback(this: StreamSocket, bytes: number, buffer: Uint8Array): boolean {
      const chunk = chunkOfRead(bytes, buffer);
      const stream = this[STREAM];
      const taken = stream !== undefined && stream.#handler !== undefined;
      if (taken) stream.#received(chunk);
      else this[EARLY] = chunk;
      nextBuffer = bufferAfterRead(bytes);
      return taken;
    },
  };

  /** The socket was made with {@link SocketStream.onread}: it has no `data` events. */
  static readsShared(socket: Socket): void {
    (socket as StreamSocket)[EARLY] = undefined;
  }

  static readonly #onError = function (this: Socket, error: unknown): void {
    const stream = (this as StreamSocket)[STREAM];
    if (stream !== undefined) stream.#failed(error);
  };

  static readonly #onData = function (this: Socket, chunk: Uint8Array): void {
    const stream = (this as StreamSocket)[STREAM];
    if (stream !== undefined) stream.#received(chunk);
  };

  static readonly #onEnd = function (this: Socket): void {
    const stream = (this as StreamSocket)[STREAM];
    if (stream !== undefined) stream.#peerEnded();
  };

  static readonly #onDrain = function (this: Socket): void {
    const stream = (this as StreamSocket)[STREAM];
    if (stream !== undefined) stream.#drained();
  };

  static readonly #onClose = function (this: Socket): void {
    const stream = (this as StreamSocket)[STREAM];
    if (stream !== undefined) stream.#socketClosed();
  };

  #received(chunk: Uint8Array): void {
    this.#bytesRead += chunk.length;
    if (this.#aborted) return;
    if (this.#paused) {
      this.#held = chunk;
      this.#stopped = true;
      this.#socket.pause();
      return;
    }
    this.#deliver(chunk);
  }

  #deliver(chunk: Uint8Array): void {
    try {
      (this.#handler as ByteStreamHandler).dataReceived(chunk);
    } catch (error) {
      this.abort(toHfaceError(error));
    }
  }

  #peerEnded(): void {
    if (this.#aborted) return;
    if (!this.#ended && endIsReset(this.#raw)) {
      this.abort(socketError({ code: 'ECONNRESET', syscall: 'read' }));
      return;
    }
    if (this.#paused || this.#handler === undefined) {
      this.#endHeld = true;
      return;
    }
    try {
      this.#handler.endReceived();
    } catch (error) {
      this.abort(toHfaceError(error));
    }
  }

  /** Gives out what was held while paused, and lets the socket flow again. */
  #release(): void {
    this.#releasing = false;
    if (this.#silent()) return;
    const chunk = this.#held;
    if (chunk !== undefined) {
      this.#held = undefined;
      this.#deliver(chunk);
      if (this.#silent()) return;
    }
    if (this.#stopped) {
      this.#stopped = false;
      this.#socket.resume();
    }
    // The socket tells an end only once it has given out all data, even while it is stopped.
    if (!this.#endHeld) return;
    this.#endHeld = false;
    this.#peerEnded();
  }

  /** Whether nothing may be delivered now. */
  #silent(): boolean {
    return this.#paused || this.#aborted || this.#gone;
  }

  #drained(): void {
    if (!this.#wantsDrain || this.#aborted || this.#gone || this.#handler === undefined) return;
    this.#wantsDrain = false;
    try {
      this.#handler.drained();
    } catch (error) {
      this.abort(toHfaceError(error));
    }
  }

  #flushed(onFlushed: () => void): void {
    try {
      onFlushed();
    } catch (error) {
      this.abort(toHfaceError(error));
    }
  }

  #failed(error: unknown): void {
    if (this.#aborted || this.#error !== undefined) return;
    this.#error = isTlsError(error) ? tlsError('connection lost', error) : socketError(error);
    // After the handshake Node tells a TLS error and leaves the socket as it is.
    if (!this.#socket.destroyed) resetSocket(this.#raw, this.#socket);
  }

  #socketClosed(): void {
    if (this.#gone) return;
    this.#gone = true;
    if (this.#handler !== undefined) this.#tellClosed();
  }

  #tellClosed(): void {
    const handler = this.#handler;
    if (this.#told || handler === undefined) return;
    this.#told = true;
    this.#held = undefined;
    try {
      // Both sides have ended while the peer's end was waiting for `resume`.
      if (this.#endHeld && this.#error === undefined) handler.endReceived();
    } catch (error) {
      this.#error ??= toHfaceError(error);
    }
    try {
      handler.closed(this.#error);
    } catch {
      // The stream is over and its handler with it: there is nobody left to tell.
    }
  }
}

/**
 * Closes a socket at once; a TCP peer sees a reset. A unix socket has none: it is closed.
 *
 * @param raw - the socket that carries the bytes
 * @param socket - the TLS socket on it. It follows by itself and must not be destroyed in the same turn: Node 20 to 26
 *   crash when that happens while a handshake is being completed.
 */
export function resetSocket(raw: Socket, socket: Socket = raw): void {
  if (raw.destroyed) return;
  // While it connects there is nobody to reset, and Node would wait for the connection first. While a FIN is on its way
  // libuv refuses to reset, and Node would then lose the handle for good; by then all that was written is gone.
  const ending = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
  if (raw.connecting || ending) {
    raw.destroy();
    return;
  }
  try {
    raw.resetAndDestroy();
  } catch {
    raw.destroy();
  }
}

const EMPTY = new Uint8Array(0);
