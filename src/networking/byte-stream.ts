/**
 * A connected, reliable stream of bytes, whatever carries it: a socket, TLS, a tunnel through a proxy, a simulation.
 *
 * Owns the interface, which is callback-shaped: a chunk is a call, not a promise. The async-iterable and the
 * `node:stream` views on it are in byte-stream-views.ts. An implementation over `net.Socket` copies nothing.
 *
 * Invariants:
 * - No handler member is called before `start`, from inside `start`, or after `closed`.
 * - `closed` is called exactly once, last, for every way a stream can end, with no handle left behind.
 * - Nothing a handler throws reaches the event loop: the stream is aborted with the error instead.
 *
 * @module
 */
import type { HfaceError, SocketAddress, TlsFacts } from '../common/index.ts';

/** Who is told what happens on a stream. */
export interface ByteStreamHandler {
  /** Bytes came; `chunk` is the receiver's for good. Not called while paused. */
  dataReceived(chunk: Uint8Array): void;
  /** The peer has ended its sending side. This side may still send. */
  endReceived(): void;
  /** After `write` returned false: there is room again. */
  drained(): void;
  /** It is over in both directions; `error` unless both sides ended properly or this side aborted without one. */
  closed(error: HfaceError | undefined): void;
}

/** A connected stream of bytes. */
export interface ByteStream {
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  /** `undefined` without TLS. */
  readonly tls: TlsFacts | undefined;
  /** Bytes that were written and that the system has not taken yet. */
  readonly bufferedBytes: number;
  /** Bytes read and written so far, for logs and metrics. */
  readonly bytesRead: number;
  readonly bytesWritten: number;

  /** Names the handler and lets events come. Once only; a later call replaces the handler (`detach`, upgrades). */
  start(handler: ByteStreamHandler): void;
  /** Stops `dataReceived` before this call returns. Idempotent. */
  pause(): void;
  /** Lets `dataReceived` come again, never from inside this call. Idempotent. */
  resume(): void;
  /**
   * Writes; the chunks are the stream's for good unless `onFlushed` is given, in which case they are when it is called.
   * Always takes everything. False: enough is queued (256 KiB), wait for `drained`. Ignored after `end` or `abort`.
   */
  write(chunks: Uint8Array | readonly Uint8Array[], onFlushed?: () => void): boolean;
  /** Ends the sending side once all that was written is gone (FIN, with TLS close_notify). Idempotent. */
  end(): void;
  /** Ends both sides at once and drops what is queued; TCP sends a reset. `closed` follows. Idempotent. */
  abort(error?: HfaceError): void;
  /**
   * Lets go without a reset: what the system has taken is still delivered, slowly perhaps; what is queued here is
   * dropped, and so is what the peer sends from now on (to which TCP answers with a reset). For the end of a peer that
   * never ends its side: a reset would destroy the last bytes on their way to it. `closed` follows. Idempotent.
   */
  close(): void;
}
