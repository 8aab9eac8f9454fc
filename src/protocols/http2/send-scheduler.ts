/**
 * Which stream sends next.
 *
 * Theory of operation. Streams that have something to send and a window of their own are in the scheduler, by urgency
 * (RFC 9218 section 4.1): the least number goes first, and a later one waits until no earlier one has anything. Within
 * an urgency those that are not incremental go one after the other in the order of their ids, each until it has nothing
 * more (section 10); the incremental ones take turns frame by frame (section 4.2). Where an urgency has both kinds, a
 * frame of the one follows a frame of the other, so that neither starves.
 *
 * Owns: the order. Whether a stream is in it is its owner's: {@link SendScheduler.add} and {@link SendScheduler.remove}.
 * Choosing costs constant time, adding and removing the logarithm of how many wait at that urgency.
 *
 * @module
 */
import type { Stream } from './stream.ts';

const URGENCIES = 8;

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

/** Nothing is ever put into it. */
const NO_BUCKETS: (Bucket | undefined)[] = [];

/** The streams that may send. */
export class SendScheduler {
  /** By urgency; empty at first. */
  #buckets: (Bucket | undefined)[];
  /** A bit for each urgency that has streams. */
  #occupied: number;

  constructor() {
    this.#buckets = NO_BUCKETS;
    this.#occupied = 0;
  }

  /** Whether nobody may send. */
  get empty(): boolean {
    return this.#occupied === 0;
  }

  /** Whether a stream is in it. */
  has(stream: Stream): boolean {
    return stream.heapIndex >= 0 || stream.next !== undefined;
  }

  /** Adds a stream, at its present urgency; it stays until it is removed. */
  add(stream: Stream): void {
    if (this.has(stream)) return;
    const { urgency } = stream;
    if (this.#buckets === NO_BUCKETS) this.#buckets = new Array<Bucket | undefined>(URGENCIES).fill(undefined);
    const bucket = (this.#buckets[urgency] ??= new Bucket());
    this.#occupied |= 1 << urgency;
    if (stream.incremental) addToRing(bucket, stream);
    else addToHeap(bucket.heap, stream);
  }

  /** Removes a stream, if it is there. To be called before its urgency changes. */
  remove(stream: Stream): void {
    if (!this.has(stream)) return;
    const bucket = this.#buckets[stream.urgency] as Bucket;
    if (stream.heapIndex >= 0) removeFromHeap(bucket.heap, stream);
    else removeFromRing(bucket, stream);
    if (bucket.heap.length === 0 && bucket.turn === undefined) this.#occupied &= ~(1 << stream.urgency);
  }

  /** Lets go of what is empty. */
  rest(): void {
    if (this.#occupied === 0) this.#buckets = NO_BUCKETS;
  }

  /** Who sends next. */
  peek(): Stream | undefined {
    if (this.#occupied === 0) return undefined;
    // The lowest bit that is set.
    const urgency = 31 - Math.clz32(this.#occupied & -this.#occupied);
    const bucket = this.#buckets[urgency] as Bucket;
    if (bucket.turn === undefined) return bucket.heap[0];
    return bucket.ringNext || bucket.heap.length === 0 ? bucket.turn : bucket.heap[0];
  }

  /** The stream has sent a frame and stays: the next one has its turn. */
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
    if (childIndex >= heap.length) break;
    if (childIndex + 1 < heap.length && heap[childIndex + 1]!.id < heap[childIndex]!.id) childIndex += 1;
    const child = heap[childIndex] as Stream;
    if (stream.id < child.id) break;
    heap[index] = child;
    child.heapIndex = index;
    index = childIndex;
  }
  heap[index] = stream;
  stream.heapIndex = index;
}
