/**
 * One direction of a simulated connection: from the writer's queue over the link to the reader.
 *
 * Theory of operation. The writer's chunks wait in a queue. As long as the window has room, the "system" takes bytes
 * from it, cut at random into segments; a segment departs when the line is free (bandwidth) and arrives after latency
 * and jitter, never before the one ahead of it. The reader says what it has consumed; a latency later the window has
 * that much room again. An end travels as the last segment, a reset overtakes nothing but drops what has not departed.
 *
 * Invariants: bytes arrive in order, none is lost unless the flow is reset or silenced; the memory in flight is at most
 * the window; nothing is called from inside `send`, `end` or `reset`.
 *
 * @module
 */
import type { Clock } from '../../common/index.ts';
import type { LinkConditions } from './link-conditions.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Who is told what arrives. */
export interface FlowReceiver {
  arrived(segment: Uint8Array): void;
  endArrived(): void;
  resetArrived(): void;
}

/** Who is told that the system has taken what was written. */
export interface FlowSender {
  /** The queue is empty; not called for every chunk, but whenever it becomes so. */
  queueEmptied(): void;
  /** The end has departed. */
  endDeparted(): void;
}

/** A chunk that waits. */
interface Waiting {
  readonly chunk: Uint8Array;
  readonly onTaken: (() => void) | undefined;
}

/** How much later a lost segment comes, in milliseconds: a least retransmission timeout (RFC 6298 section 2.4). */
const RETRANSMISSION = 200;

/** One direction of a connection. */
export class SimulatedFlow {
  readonly #clock: Clock;
  readonly #conditions: LinkConditions;
  readonly #random: SeededRandom;
  readonly #sender: FlowSender;
  readonly #receiver: FlowReceiver;
  #queue: Waiting[];
  /** Where in the queue the first chunk that waits stands. */
  #head: number;
  /** How far the first chunk of the queue has been taken. */
  #offset: number;
  #queuedBytes: number;
  /** Departed, and not yet reported as consumed. */
  #outstanding: number;
  /** Consumed, with the report of it on its way. */
  #unreported: number;
  #lineFree: number;
  #lastArrival: number;
  #ending: boolean;
  #endDeparted: boolean;
  #stopped: boolean;

  constructor(
    clock: Clock,
    conditions: LinkConditions,
    random: SeededRandom,
    sender: FlowSender,
    receiver: FlowReceiver,
  ) {
    this.#clock = clock;
    this.#conditions = conditions;
    this.#random = random;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#queue = [];
    this.#head = 0;
    this.#offset = 0;
    this.#queuedBytes = 0;
    this.#outstanding = 0;
    this.#unreported = 0;
    this.#lineFree = clock.now();
    this.#lastArrival = clock.now();
    this.#ending = false;
    this.#endDeparted = false;
    this.#stopped = false;
  }

  /** Bytes that the system has not taken. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** Puts a chunk into the queue. */
  send(chunk: Uint8Array, onTaken: (() => void) | undefined): void {
    this.#queue.push({ chunk, onTaken });
    this.#queuedBytes += chunk.length;
    this.#pump();
  }

  /** Lets the end follow what is queued. */
  end(): void {
    this.#ending = true;
    this.#pump();
  }

  /** Drops what has not departed and lets the end follow what has. */
  finish(): void {
    this.#dropQueue();
    this.end();
  }

  /** Drops what has not departed and lets a reset follow what has; with `silently` nothing follows. */
  reset(silently = false): void {
    this.#dropQueue();
    if (this.#stopped) return;
    this.#stopped = true;
    if (!silently) this.#arrive(this.#arrivalOf(0), () => this.#receiver.resetArrived());
  }

  /** From now on nothing departs nor arrives. What is queued stays where it is. */
  silence(): void {
    this.#stopped = true;
    this.#lastArrival = Infinity;
  }

  /** The reader has taken so many bytes. */
  consumed(count: number): void {
    this.#unreported += count;
    // One report for all that is taken until it departs; more would cut the window into ever smaller pieces.
    if (this.#unreported > count) return;
    this.#clock.schedule(this.#clock.now() + this.#conditions.latency, () => {
      this.#outstanding -= this.#unreported;
      this.#unreported = 0;
      this.#pump();
    });
  }

  #pump(): void {
    if (this.#stopped) return;
    const hadBytes = this.#queue.length > 0;
    for (let first = this.#queue[this.#head]; first !== undefined; first = this.#queue[this.#head]) {
      if (!this.#takeFrom(first)) return;
      this.#head += 1;
      this.#offset = 0;
      if (first.onTaken !== undefined) this.#soon(first.onTaken);
    }
    this.#queue = [];
    this.#head = 0;
    if (hadBytes) this.#soon(() => this.#sender.queueEmptied());
    if (!this.#ending || this.#endDeparted) return;
    this.#endDeparted = true;
    this.#arrive(this.#arrivalOf(0), () => this.#receiver.endArrived());
    this.#soon(() => this.#sender.endDeparted());
  }

  /** Takes what the window lets through of a chunk; whether that was all of it. */
  #takeFrom(waiting: Waiting): boolean {
    const { chunk } = waiting;
    const { window, segmentSize } = this.#conditions;
    while (this.#offset < chunk.length) {
      const room = window - this.#outstanding;
      const wanted = Math.min(segmentSize, chunk.length - this.#offset);
      // RFC 9293 section 3.8.6.2: no small segments because the window is nearly full.
      if (room < Math.min(wanted, Math.ceil(window / 2))) return false;
      const most = Math.min(wanted, room);
      const size = this.#random.chance(0.5) ? most : this.#random.integer(1, most);
      // A copy, as the system makes one: the writer's memory is its own again once it was taken.
      const segment = new Uint8Array(chunk.subarray(this.#offset, this.#offset + size));
      this.#offset += size;
      this.#queuedBytes -= size;
      this.#outstanding += size;
      this.#arrive(this.#arrivalOf(size), () => this.#receiver.arrived(segment));
    }
    return true;
  }

  #dropQueue(): void {
    const dropped = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    this.#queuedBytes = 0;
    for (const { onTaken } of dropped) if (onTaken !== undefined) this.#soon(onTaken);
  }

  #arrivalOf(size: number): number {
    const { latency, jitter, bandwidth, loss } = this.#conditions;
    this.#lineFree = Math.max(this.#lineFree, this.#clock.now()) + (size / bandwidth) * 1_000;
    const late = size > 0 && this.#random.chance(loss) ? RETRANSMISSION + 2 * latency : 0;
    this.#lastArrival = Math.max(this.#lastArrival, this.#lineFree + latency + jitter * this.#random.fraction() + late);
    return this.#lastArrival;
  }

  #arrive(at: number, callback: () => void): void {
    this.#clock.schedule(at, () => {
      if (this.#lastArrival !== Infinity) callback();
    });
  }

  #soon(callback: () => void): void {
    this.#clock.schedule(this.#clock.now(), callback);
  }
}
