/**
 * The earliest of many deadlines.
 *
 * Owns a binary heap whose entries know their place, so that setting, moving and clearing one of them costs as much as
 * the heap is deep. Entries with the same deadline have no order among them that lasts.
 *
 * @module
 */

/** Something with a deadline. Both fields belong to the heap it is in. */
export interface HeapEntry {
  /** Milliseconds; {@link DeadlineHeap.set} writes it. */
  deadline: number;
  /** Its place in the heap, -1 outside. */
  heapIndex: number;
}

/** Entries by deadline. */
export class DeadlineHeap<Entry extends HeapEntry> {
  readonly #entries: Entry[];

  constructor() {
    this.#entries = [];
  }

  get size(): number {
    return this.#entries.length;
  }

  /** The entry whose deadline comes first. */
  get first(): Entry | undefined {
    return this.#entries[0];
  }

  /** Gives an entry a deadline; `undefined` takes it out. */
  set(entry: Entry, deadline: number | undefined): void {
    if (deadline === undefined || deadline === Number.POSITIVE_INFINITY) {
      this.#remove(entry);
      return;
    }
    const before = entry.deadline;
    entry.deadline = deadline;
    if (entry.heapIndex < 0) {
      entry.heapIndex = this.#entries.length;
      this.#entries.push(entry);
      this.#up(entry);
    } else if (deadline < before) this.#up(entry);
    else if (deadline > before) this.#down(entry);
  }

  /** Takes out everything that is due, in the order of its deadlines. */
  takeDue(now: number): Entry[] {
    const due: Entry[] = [];
    for (let first = this.first; first !== undefined && first.deadline <= now; first = this.first) {
      this.#remove(first);
      due.push(first);
    }
    return due;
  }

  #remove(entry: Entry): void {
    const index = entry.heapIndex;
    if (index < 0) return;
    entry.heapIndex = -1;
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    this.#entries[index] = last;
    last.heapIndex = index;
    this.#up(last);
    this.#down(last);
  }

  #up(entry: Entry): void {
    let index = entry.heapIndex;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#entries[above] as Entry;
      if (parent.deadline <= entry.deadline) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(entry, index);
  }

  #down(entry: Entry): void {
    let index = entry.heapIndex;
    for (;;) {
      const left = 2 * index + 1;
      const one = this.#entries[left];
      if (one === undefined) break;
      const other = this.#entries[left + 1];
      const child = other !== undefined && other.deadline < one.deadline ? other : one;
      if (child.deadline >= entry.deadline) break;
      const below = child.heapIndex;
      this.#put(child, index);
      index = below;
    }
    this.#put(entry, index);
  }

  #put(entry: Entry, index: number): void {
    this.#entries[index] = entry;
    entry.heapIndex = index;
  }
}
