/**
 * A first-in first-out queue on a ring that doubles.
 *
 * Owns: order, growth, and forgetting what was taken out. Does not own limits: whoever keeps one counts.
 *
 * Invariants: the capacity is zero or a power of two; every slot outside the live range holds `undefined`, so that
 * nothing taken out is kept alive; no operation but growth and {@link RingQueue.clear} costs more than constant time.
 *
 * @module
 */

const FIRST_CAPACITY = 8;
/** An emptied ring above this capacity is given back, so that one burst is not paid for as long as the queue lives. */
const KEPT_CAPACITY = 256;

/**
 * A queue whose `shift` never moves the elements behind it. It allocates nothing until the first `push`.
 */
export class RingQueue<T> {
  #slots: (T | undefined)[];
  #head: number;
  #length: number;

  constructor() {
    this.#slots = [];
    this.#head = 0;
    this.#length = 0;
  }

  /** How many elements wait. */
  get length(): number {
    return this.#length;
  }

  /** Puts an element at the end. */
  push(value: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = value;
    this.#length += 1;
  }

  /** Puts an element in front of all others. */
  unshift(value: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#head = (this.#head - 1) & (this.#slots.length - 1);
    this.#slots[this.#head] = value;
    this.#length += 1;
  }

  /** Takes the first element, `undefined` when there is none. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const value = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) & (this.#slots.length - 1);
    this.#length -= 1;
    if (this.#length === 0) this.#emptied();
    return value;
  }

  /** Takes the last element, `undefined` when there is none. */
  pop(): T | undefined {
    if (this.#length === 0) return undefined;
    const index = (this.#head + this.#length - 1) & (this.#slots.length - 1);
    const value = this.#slots[index];
    this.#slots[index] = undefined;
    this.#length -= 1;
    if (this.#length === 0) this.#emptied();
    return value;
  }

  /** The first element, left in place. */
  peek(): T | undefined {
    return this.#slots[this.#head];
  }

  /** The last element, left in place. */
  peekLast(): T | undefined {
    return this.at(this.#length - 1);
  }

  /** The element that `index` others precede; `undefined` outside the queue. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.#length) return undefined;
    return this.#slots[(this.#head + index) & (this.#slots.length - 1)];
  }

  /** Forgets every element, and the memory that held them. */
  clear(): void {
    this.#slots = [];
    this.#head = 0;
    this.#length = 0;
  }

  /** The elements from first to last, in an array of their own. */
  toArray(): T[] {
    const elements: T[] = [];
    for (let index = 0; index < this.#length; index += 1) elements.push(this.at(index) as T);
    return elements;
  }

  #emptied(): void {
    this.#head = 0;
    if (this.#slots.length > KEPT_CAPACITY) this.#slots = [];
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Array<T | undefined>(old.length === 0 ? FIRST_CAPACITY : old.length * 2).fill(undefined);
    for (let index = 0; index < this.#length; index += 1) {
      slots[index] = old[(this.#head + index) & (old.length - 1)];
    }
    this.#slots = slots;
    this.#head = 0;
  }
}
