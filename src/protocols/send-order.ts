/**
 * Which stream sends next, among those that can.
 *
 * Theory of operation. Streams stand by urgency (RFC 9218 section 4.1): the least number goes first, and a later one
 * waits until no earlier one is there. Within an urgency those that are not incremental go one after the other in the
 * order of their ids, each until it has nothing more (section 10); the incremental ones take turns frame by frame
 * (section 4.2). Where an urgency has both kinds, a frame of the one follows a frame of the other, so that neither
 * starves.
 *
 * Owns: the order, in fields that each stream lends it. Whether a stream is in it is its owner's to say, by
 * {@link SendOrder.add} and {@link SendOrder.remove}. Choosing costs constant time, adding and removing the logarithm of
 * how many wait at that urgency.
 *
 * @module
 */

/** RFC 9218 section 4.1. */
export const DEFAULT_URGENCY = 3;

const URGENCIES = 8;
/** A bit behind those of all urgencies, so that the first bit is always there. */
const NOBODY = 1 << URGENCIES;

/** A stream as the order sees it. In one order at a time; it changes only `urgency` and `incremental`, while in none. */
export interface Ordered<S> {
  readonly id: number;
  readonly urgency: number;
  readonly incremental: boolean;
  /** The place in the heap, or -1. The order's, as are those below. */
  heapIndex: number;
  /** In the ring. */
  next: S | undefined;
  previous: S | undefined;
}

/** The streams of one urgency. */
class Bucket<S extends Ordered<S>> {
  /** A heap by id: those that are not incremental. */
  readonly heap: S[];
  /** The next of the incremental ones, which are a ring. */
  turn: S | undefined;
  /** The ring is next. */
  ringNext: boolean;

  constructor() {
    this.heap = [];
    this.turn = undefined;
    this.ringNext = false;
  }
}

/** Nothing is ever put into it. */
const NO_BUCKETS: undefined[] = [];

/** The streams that may send. */
export class SendOrder<S extends Ordered<S>> {
  /** By urgency; empty at first. */
  #buckets: (Bucket<S> | undefined)[];
  /** A bit for each urgency that has streams, and {@link NOBODY}. */
  #occupied: number;

  constructor() {
    this.#buckets = NO_BUCKETS;
    this.#occupied = NOBODY;
  }

  /** Whether nobody may send. */
  get empty(): boolean {
    return this.#occupied === NOBODY;
  }

  /** The first urgency that has streams; 8 while there is none. */
  get urgency(): number {
    return 31 - Math.clz32(this.#occupied & -this.#occupied);
  }

  /** Whether a stream is in it. */
  has(stream: S): boolean {
    return stream.heapIndex >= 0 || stream.next !== undefined;
  }

  /** Adds a stream, at its present urgency; it stays until it is removed. */
  add(stream: S): void {
    if (this.has(stream)) return;
    if (this.#buckets === NO_BUCKETS) this.#buckets = new Array<Bucket<S> | undefined>(URGENCIES).fill(undefined);
    const bucket = (this.#buckets[stream.urgency] ??= new Bucket());
    this.#occupied |= 1 << stream.urgency;
    if (stream.incremental) addToRing(bucket, stream);
    else addToHeap(bucket.heap, stream);
  }

  /** Removes a stream, if it is there. To be called before its urgency changes. */
  remove(stream: S): void {
    if (!this.has(stream)) return;
    const bucket = this.#buckets[stream.urgency] as Bucket<S>;
    if (stream.heapIndex >= 0) removeFromHeap(bucket.heap, stream);
    else removeFromRing(bucket, stream);
    if (bucket.heap.length === 0 && bucket.turn === undefined) this.#occupied &= ~(1 << stream.urgency);
  }

  /** Lets go of what is empty. */
  rest(): void {
    if (this.empty) this.#buckets = NO_BUCKETS;
  }

  /** Who sends next. */
  peek(): S | undefined {
    if (this.empty) return undefined;
    const bucket = this.#buckets[this.urgency] as Bucket<S>;
    if (bucket.turn === undefined) return bucket.heap[0];
    return bucket.ringNext || bucket.heap.length === 0 ? bucket.turn : bucket.heap[0];
  }

  /** The stream has sent a frame and stays for now: the next one has its turn. */
  sent(stream: S): void {
    const bucket = this.#buckets[stream.urgency] as Bucket<S>;
    if (bucket.turn === stream) bucket.turn = stream.next;
    bucket.ringNext = stream.heapIndex >= 0;
  }
}

function addToRing<S extends Ordered<S>>(bucket: Bucket<S>, stream: S): void {
  const { turn } = bucket;
  if (turn === undefined) {
    stream.next = stream;
    stream.previous = stream;
    bucket.turn = stream;
    return;
  }
  // Behind all others: in front of whose turn it is.
  const last = turn.previous as S;
  stream.next = turn;
  stream.previous = last;
  last.next = stream;
  turn.previous = stream;
}

function removeFromRing<S extends Ordered<S>>(bucket: Bucket<S>, stream: S): void {
  const next = stream.next as S;
  const previous = stream.previous as S;
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

function addToHeap<S extends Ordered<S>>(heap: S[], stream: S): void {
  heap.push(stream);
  siftUp(heap, stream, heap.length - 1);
}

function removeFromHeap<S extends Ordered<S>>(heap: S[], stream: S): void {
  const index = stream.heapIndex;
  const last = heap.pop() as S;
  stream.heapIndex = -1;
  if (last === stream) return;
  siftUp(heap, last, index);
  siftDown(heap, last, last.heapIndex);
}

function siftUp<S extends Ordered<S>>(heap: S[], stream: S, from: number): void {
  let index = from;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex] as S;
    if (parent.id < stream.id) break;
    heap[index] = parent;
    parent.heapIndex = index;
    index = parentIndex;
  }
  heap[index] = stream;
  stream.heapIndex = index;
}

function siftDown<S extends Ordered<S>>(heap: S[], stream: S, from: number): void {
  let index = from;
  for (;;) {
    let childIndex = 2 * index + 1;
    if (childIndex >= heap.length) break;
    if (childIndex + 1 < heap.length && heap[childIndex + 1]!.id < heap[childIndex]!.id) childIndex += 1;
    const child = heap[childIndex] as S;
    if (stream.id < child.id) break;
    heap[index] = child;
    child.heapIndex = index;
    index = childIndex;
  }
  heap[index] = stream;
  stream.heapIndex = index;
}
