/**
 * Which stream sends next.
 *
 * Theory of operation. A stream that has something to send is in one of two lanes: `again` when it has what flow control
 * does not count (lost bytes, or an end without bytes), `fresh` when it has new bytes and a window of its own for them.
 * Without credit of the connection only the first lane sends. Within a lane streams stand by urgency (RFC 9218 section
 * 4.1): the least number goes first. Within an urgency those that are not incremental go one after the other in the order
 * of their ids, each until it has nothing more (section 10); the incremental ones take turns frame by frame (section 4.2).
 * Where an urgency has both kinds, a frame of the one follows a frame of the other, so that neither starves.
 *
 * Owns: the order. Choosing costs constant time, adding and removing the logarithm of how many wait at that urgency.
 *
 * @module
 */
import type { Stream } from './stream-state.ts';

/** Where a stream waits. */
export const Lane = { none: 0, again: 1, fresh: 2 } as const;
/** One of {@link Lane}. */
export type LaneKind = (typeof Lane)[keyof typeof Lane];

const URGENCIES = 8;

/** The streams that may send. */
export class StreamScheduler {
  readonly #again: Queue;
  readonly #fresh: Queue;

  constructor() {
    this.#again = new Queue();
    this.#fresh = new Queue();
  }

  /** Whether anybody waits in the lane that needs credit. */
  get hasFresh(): boolean {
    return this.#fresh.first !== URGENCIES;
  }

  /** Whether anybody may send. @param credit - the connection has credit */
  canSend(credit: boolean): boolean {
    return this.#again.first !== URGENCIES || (credit && this.hasFresh);
  }

  /** Puts a stream where it belongs; it stays where it is already. */
  place(stream: Stream, lane: LaneKind): void {
    if (stream.lane === lane) return;
    if (stream.lane !== Lane.none) this.#queue(stream.lane).remove(stream);
    stream.lane = lane;
    if (lane !== Lane.none) this.#queue(lane).add(stream);
  }

  /** Who sends next. @param credit - the connection has credit */
  next(credit: boolean): Stream | undefined {
    if (credit && this.#fresh.first < this.#again.first) return this.#fresh.peek();
    return this.#again.peek();
  }

  /** The stream has sent a frame: the next one has its turn. To be called before the stream is placed anew. */
  sent(stream: Stream): void {
    this.#queue(stream.lane).sent(stream);
  }

  #queue(lane: number): Queue {
    return lane === Lane.again ? this.#again : this.#fresh;
  }
}

/** The streams of one urgency. */
class Bucket {
  /** A heap by id: those that are not incremental. */
  readonly heap: Stream[];
  /** The next of the incremental ones, which are a ring. */
  turn: Stream | undefined;
  /** The ring is next. */
  ringNext: boolean;

  constructor() {
    this.heap = [];
    this.turn = undefined;
    this.ringNext = false;
  }
}

/** The streams of one lane. */
class Queue {
  readonly #buckets: (Bucket | undefined)[];
  /** A bit for each urgency that has streams, and one behind them all. */
  #occupied: number;

  constructor() {
    this.#buckets = new Array<Bucket | undefined>(URGENCIES).fill(undefined);
    this.#occupied = 1 << URGENCIES;
  }

  /** The first urgency that has streams; 8 for none. */
  get first(): number {
    return 31 - Math.clz32(this.#occupied & -this.#occupied);
  }

  add(stream: Stream): void {
    const bucket = (this.#buckets[stream.urgency] ??= new Bucket());
    this.#occupied |= 1 << stream.urgency;
    if (stream.incremental) addToRing(bucket, stream);
    else addToHeap(bucket.heap, stream);
  }

  remove(stream: Stream): void {
    const bucket = this.#buckets[stream.urgency] as Bucket;
    if (stream.heapIndex >= 0) removeFromHeap(bucket.heap, stream);
    else removeFromRing(bucket, stream);
    if (bucket.heap.length === 0 && bucket.turn === undefined) this.#occupied &= ~(1 << stream.urgency);
  }

  peek(): Stream | undefined {
    const bucket = this.#buckets[this.first];
    if (bucket?.turn === undefined) return bucket?.heap[0];
    return bucket.ringNext || bucket.heap.length === 0 ? bucket.turn : bucket.heap[0];
  }

  sent(stream: Stream): void {
    const bucket = this.#buckets[stream.urgency] as Bucket;
    if (bucket.turn === stream) bucket.turn = stream.next;
    bucket.ringNext = stream.heapIndex >= 0;
  }
}

function addToRing(bucket: Bucket, stream: Stream): void {
  const { turn } = bucket;
  if (turn === undefined) {
    stream.next = stream;
    stream.previous = stream;
    bucket.turn = stream;
    return;
  }
  // Behind all others: in front of whose turn it is.
  const last = turn.previous as Stream;
  stream.next = turn;
  stream.previous = last;
  last.next = stream;
  turn.previous = stream;
}

function removeFromRing(bucket: Bucket, stream: Stream): void {
  const next = stream.next as Stream;
  const previous = stream.previous as Stream;
  if (next === stream) {
    bucket.turn = undefined;
  } else {
    previous.next = next;
    next.previous = previous;
    if (bucket.turn === stream) bucket.turn = next;
  }
  stream.next = undefined;
  stream.previous = undefined;
}

function addToHeap(heap: Stream[], stream: Stream): void {
  heap.push(stream);
  siftUp(heap, stream, heap.length - 1);
}

function removeFromHeap(heap: Stream[], stream: Stream): void {
  const index = stream.heapIndex;
  const last = heap.pop() as Stream;
  stream.heapIndex = -1;
  if (last === stream) return;
  siftUp(heap, last, index);
  siftDown(heap, last, last.heapIndex);
}

function siftUp(heap: Stream[], stream: Stream, from: number): void {
  let index = from;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex] as Stream;
    if (parent.id < stream.id) break;
    heap[index] = parent;
    parent.heapIndex = index;
    index = parentIndex;
  }
  heap[index] = stream;
  stream.heapIndex = index;
}

function siftDown(heap: Stream[], stream: Stream, from: number): void {
  let index = from;
  for (;;) {
    let childIndex = 2 * index + 1;
    const other = heap[childIndex + 1];
    if (other !== undefined && other.id < (heap[childIndex] as Stream).id) childIndex += 1;
    const child = heap[childIndex];
    if (child === undefined || stream.id < child.id) break;
    heap[index] = child;
    child.heapIndex = index;
    index = childIndex;
  }
  heap[index] = stream;
  stream.heapIndex = index;
}
