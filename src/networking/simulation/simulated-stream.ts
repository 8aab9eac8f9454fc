/**
 * {@link ByteStream} over two simulated flows.
 *
 * Owns what has arrived and was not yet delivered, and the rules of delivery, which are those of sockets: nothing
 * before `start`, nothing while paused, `closed` once and last. Every call of a handler is an event of the clock.
 *
 * @module
 */
import { NetworkError, toHfaceError } from '../../common/index.ts';
import type { Clock, HfaceError, SocketAddress, TlsFacts } from '../../common/index.ts';
import type { ByteStream, ByteStreamHandler } from '../byte-stream.ts';
import type { EventDigest } from './event-digest.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { FlowReceiver, FlowSender, SimulatedFlow } from './simulated-flow.ts';

/** Above this many bytes in the queue `write` returns false. */
const WRITE_QUEUE_LIMIT = 0x40000;

/** What a stream is made of. */
export interface SimulatedStreamParts {
  readonly name: string;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly digest: EventDigest;
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  /** Told once, when the stream is over. */
  readonly onOver: (stream: SimulatedStream) => void;
}

/** One end of a simulated connection. */
export class SimulatedStream implements ByteStream, FlowReceiver, FlowSender {
  readonly name: string;
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
  /** Set when a simulated handshake has ended. */
  tls: TlsFacts | undefined;
  readonly #parts: SimulatedStreamParts;
  #out: SimulatedFlow | undefined;
  #in: SimulatedFlow | undefined;
  #handler: ByteStreamHandler | undefined;
  #paused: boolean;
  #inbox: Uint8Array[];
  /** Bytes that an earlier handler gave back; they come first. */
  #givenBack: Uint8Array | undefined;
  #deliveryScheduled: boolean;
  #endArrived: boolean;
  #endDelivered: boolean;
  #writeEnded: boolean;
  #endDeparted: boolean;
  #wantsDrain: boolean;
  #over: boolean;
  /** Over by `close`. */
  #letGo: boolean;
  #error: HfaceError | undefined;
  #told: boolean;
  #bytesRead: number;
  #bytesWritten: number;

  constructor(parts: SimulatedStreamParts) {
    this.name = parts.name;
    this.localAddress = parts.localAddress;
    this.remoteAddress = parts.remoteAddress;
    this.tls = undefined;
    this.#parts = parts;
    this.#out = undefined;
    this.#in = undefined;
    this.#handler = undefined;
    this.#paused = false;
    this.#inbox = [];
    this.#givenBack = undefined;
    this.#deliveryScheduled = false;
    this.#endArrived = false;
    this.#endDelivered = false;
    this.#writeEnded = false;
    this.#endDeparted = false;
    this.#wantsDrain = false;
    this.#over = false;
    this.#letGo = false;
    this.#error = undefined;
    this.#told = false;
    this.#bytesRead = 0;
    this.#bytesWritten = 0;
  }

  /** Bytes in the queue. */
  get bufferedBytes(): number {
    return this.#over ? 0 : (this.#out?.queuedBytes ?? 0);
  }

  /** Bytes delivered. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Bytes written. */
  get bytesWritten(): number {
    return this.#bytesWritten;
  }

  /** Gives the stream its two directions, before anything else. */
  attach(out: SimulatedFlow, into: SimulatedFlow): void {
    this.#out = out;
    this.#in = into;
  }

  /**
   * Makes the stream as it was before `start`, with bytes that come first when it is started: a handshake that is done
   * leaves the stream to others. Counting begins anew.
   */
  park(givenBack: Uint8Array): void {
    this.#handler = undefined;
    this.#paused = false;
    this.#givenBack = givenBack.length === 0 ? undefined : givenBack;
    this.#bytesRead = 0;
    this.#bytesWritten = 0;
  }

  start(handler: ByteStreamHandler): void {
    this.#handler = handler;
    if (this.#over) this.#soon(() => this.#tellClosed());
    else this.#scheduleDelivery();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#scheduleDelivery();
  }

  write(chunks: Uint8Array | readonly Uint8Array[], onFlushed?: () => void): boolean {
    const flushed = onFlushed === undefined ? undefined : (): void => this.#guard(onFlushed);
    const out = this.#out;
    if (this.#writeEnded || this.#over || out === undefined) {
      if (flushed !== undefined) this.#soon(flushed);
      return true;
    }
    const list: readonly Uint8Array[] = chunks instanceof Uint8Array ? [chunks] : chunks;
    const last = list.length - 1;
    list.forEach((chunk, index) => {
      this.#bytesWritten += chunk.length;
      out.send(chunk, index === last ? flushed : undefined);
    });
    if (last < 0 && flushed !== undefined) out.send(EMPTY, flushed);
    if (out.queuedBytes < WRITE_QUEUE_LIMIT) return true;
    this.#wantsDrain = true;
    return false;
  }

  end(): void {
    if (this.#writeEnded || this.#over) return;
    this.#writeEnded = true;
    this.#record('end');
    this.#out?.end();
  }

  abort(error?: HfaceError): void {
    if (this.#over) return;
    this.#record(error === undefined ? 'abort' : `abort ${error.code}`);
    this.#out?.reset();
    this.#finish(error);
  }

  close(): void {
    if (this.#over) return;
    this.#record('close');
    this.#letGo = true;
    this.#out?.finish();
    this.#finish(undefined);
  }

  /** The connection is cut from outside, as by a box on the way. Whether the peer is told is its own stream's matter. */
  cut(): void {
    if (this.#over) return;
    this.#out?.reset(true);
    this.#finish(connectionReset());
  }

  arrived(segment: Uint8Array): void {
    // Nobody is there for it any more: TCP answers with a reset.
    if (this.#letGo) this.#out?.reset();
    if (this.#over) return;
    this.#inbox.push(segment);
    this.#deliver();
  }

  endArrived(): void {
    this.#endArrived = true;
    this.#deliver();
  }

  resetArrived(): void {
    if (this.#over) return;
    this.#out?.reset(true);
    this.#finish(connectionReset());
  }

  queueEmptied(): void {
    if (!this.#wantsDrain || this.#over || this.#handler === undefined || (this.#out?.queuedBytes ?? 0) > 0) return;
    this.#wantsDrain = false;
    this.#record('drained');
    this.#guard(() => this.#handler?.drained());
  }

  endDeparted(): void {
    this.#endDeparted = true;
    this.#closeWhenEnded();
  }

  #scheduleDelivery(): void {
    if (this.#deliveryScheduled || this.#over) return;
    this.#deliveryScheduled = true;
    this.#soon(() => {
      this.#deliveryScheduled = false;
      if (this.#wantsDrain) this.queueEmptied();
      this.#deliver();
    });
  }

  /** Gives out what has arrived; what waits in several pieces may be given out as one, as sockets do. */
  #deliver(): void {
    if (this.#givenBack !== undefined && !this.#silent()) {
      const first = this.#givenBack;
      this.#givenBack = undefined;
      this.#bytesRead += first.length;
      this.#record('data', first);
      this.#guard(() => this.#handler?.dataReceived(first));
    }
    while (this.#inbox.length > 0) {
      if (this.#silent()) return;
      const count = this.#parts.random.integer(1, this.#inbox.length);
      const chunk = count === 1 ? (this.#inbox.shift() as Uint8Array) : Buffer.concat(this.#inbox.splice(0, count));
      this.#bytesRead += chunk.length;
      this.#record('data', chunk);
      this.#in?.consumed(chunk.length);
      this.#guard(() => this.#handler?.dataReceived(chunk));
    }
    if (!this.#endArrived || this.#endDelivered || this.#silent()) return;
    this.#endDelivered = true;
    this.#record('end received');
    this.#guard(() => this.#handler?.endReceived());
    this.#closeWhenEnded();
  }

  /** Whether nothing may be delivered now. */
  #silent(): boolean {
    return this.#handler === undefined || this.#paused || this.#over;
  }

  #closeWhenEnded(): void {
    if (this.#endDelivered && this.#endDeparted && !this.#over) this.#finish(undefined);
  }

  #finish(error: HfaceError | undefined): void {
    this.#over = true;
    this.#error = error;
    this.#inbox = [];
    this.#parts.onOver(this);
    // Memory that was lent comes back first.
    this.#soon(() => this.#tellClosed());
  }

  #tellClosed(): void {
    const handler = this.#handler;
    if (this.#told || handler === undefined) return;
    this.#told = true;
    this.#record(this.#error === undefined ? 'closed' : `closed ${this.#error.code}`);
    try {
      handler.closed(this.#error);
    } catch {
      // The stream is over and its handler with it.
    }
  }

  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.abort(toHfaceError(error));
    }
  }

  #soon(callback: () => void): void {
    this.#parts.clock.schedule(this.#parts.clock.now(), callback);
  }

  #record(event: string, bytes?: Uint8Array): void {
    this.#parts.digest.record(this.name, event, bytes);
  }
}

function connectionReset(): NetworkError {
  return new NetworkError('connection lost: reset by the peer', { code: 'ERR_CONNECTION_RESET', phase: 'read' });
}

const EMPTY = new Uint8Array(0);
