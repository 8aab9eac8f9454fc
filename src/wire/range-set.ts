/**
 * Sets of whole numbers that are mostly runs: packet numbers received (RFC 9000 section 13.2), octets of a stream that
 * have come or were acknowledged.
 *
 * Owns: the ranges. Does not own a bound on how many there are: a peer makes as many as it sends gaps, so the engine
 * looks at {@link RangeSet.length} and calls {@link RangeSet.dropFirst}.
 *
 * Invariants: a range runs from its start up to, not including, its end, and is not empty; ranges ascend and neither
 * overlap nor touch. Numbers are 0 to 2^53-1. Adding behind or within the last range takes constant time, any other
 * change a search and the moving of what stands behind it.
 *
 * @module
 */

/** Numbers from `start` up to, not including, `end`. */
export interface NumberRange {
  /** The first number. */
  readonly start: number;
  /** The first number behind the last. */
  readonly end: number;
}

/**
 * A set of numbers as ascending ranges.
 */
export class RangeSet {
  readonly #starts: number[];
  readonly #ends: number[];

  constructor() {
    this.#starts = [];
    this.#ends = [];
  }

  /** How many ranges there are. */
  get length(): number {
    return this.#starts.length;
  }

  /** How many numbers are in the set. */
  get size(): number {
    let size = 0;
    for (let index = 0; index < this.#starts.length; index += 1) size += this.#ends[index]! - this.#starts[index]!;
    return size;
  }

  /** The smallest number, -1 if there is none. */
  get min(): number {
    return this.#starts[0] ?? -1;
  }

  /** The greatest number, -1 if there is none. */
  get max(): number {
    const count = this.#ends.length;
    return count === 0 ? -1 : this.#ends[count - 1]! - 1;
  }

  /** The first number of a range, counted from 0, lowest first; -1 if there is no such range. */
  start(index: number): number {
    return this.#starts[index] ?? -1;
  }

  /** The first number behind a range; -1 if there is no such range. */
  end(index: number): number {
    return this.#ends[index] ?? -1;
  }

  /** Adds a number, or those from `start` up to, not including, `end`. An empty range adds nothing. */
  add(start: number, end: number = start + 1): void {
    if (start >= end) return;
    const count = this.#starts.length;
    const lastEnd = count === 0 ? -1 : this.#ends[count - 1]!;
    if (start > lastEnd) {
      this.#starts.push(start);
      this.#ends.push(end);
      return;
    }
    // The ranges from `first` up to, not including, `behind` overlap or touch the new one.
    const first = this.#firstEndingAt(start);
    let behind = first;
    while (behind < count && this.#starts[behind]! <= end) behind += 1;
    if (first === behind) {
      this.#insert(first, start, end);
      return;
    }
    this.#starts[first] = Math.min(start, this.#starts[first]!);
    this.#ends[first] = Math.max(end, this.#ends[behind - 1]!);
    this.#cut(first + 1, behind);
  }

  /** Takes a number out, or those from `start` up to, not including, `end`. */
  remove(start: number, end: number = start + 1): void {
    if (start >= end) return;
    const count = this.#starts.length;
    const first = this.#firstEndingAt(start + 1);
    let behind = first;
    while (behind < count && this.#starts[behind]! < end) behind += 1;
    if (first === behind) return;
    const firstStart = this.#starts[first]!;
    const lastEnd = this.#ends[behind - 1]!;
    this.#cut(first, behind);
    if (lastEnd > end) this.#insert(first, end, lastEnd);
    if (firstStart < start) this.#insert(first, firstStart, start);
  }

  /** Whether a number is in the set. */
  has(value: number): boolean {
    const index = this.#firstEndingAt(value + 1);
    return index < this.#starts.length && this.#starts[index]! <= value;
  }

  /** Whether every number from `start` up to, not including, `end` is in the set; an empty range is. */
  covers(start: number, end: number): boolean {
    if (start >= end) return true;
    const index = this.#firstEndingAt(end);
    return index < this.#starts.length && this.#starts[index]! <= start;
  }

  /** Takes the lowest range out, and answers it. */
  shift(): NumberRange | undefined {
    const start = this.#starts.shift();
    const end = this.#ends.shift();
    return start === undefined || end === undefined ? undefined : { start, end };
  }

  /** Takes out the lowest ranges, so that at most `count` are left. */
  dropFirst(count: number): void {
    const excess = this.#starts.length - Math.max(0, count);
    if (excess > 0) this.#cut(0, excess);
  }

  /** Takes everything out. */
  clear(): void {
    this.#starts.length = 0;
    this.#ends.length = 0;
  }

  /** The ranges, lowest first. */
  toArray(): NumberRange[] {
    return this.#starts.map((start, index) => ({ start, end: this.#ends[index]! }));
  }

  /** The index of the first range that ends at `value` or behind it; the number of ranges if none does. */
  #firstEndingAt(value: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(index: number, start: number, end: number): void {
    this.#starts.splice(index, 0, start);
    this.#ends.splice(index, 0, end);
  }

  #cut(from: number, to: number): void {
    if (from >= to) return;
    this.#starts.splice(from, to - from);
    this.#ends.splice(from, to - from);
  }
}
