/**
 * The dynamic table as a decoder keeps it (RFC 7541 section 2.3.2).
 *
 * A ring, so that any entry is found in one step and none ever moves. It grows with the entries that are there, never
 * beyond what the maximum size allows (an entry counts 32 octets at least, section 4.1).
 *
 * Owns: entries, sizes, eviction (section 4). Does not own the limit that the peer was given.
 *
 * @module
 */

/** RFC 7541 section 4.1: what an entry counts besides its name and value. */
export const ENTRY_OVERHEAD = 32;

const FIRST_SLOTS = 4;

/** A dynamic table. */
export class DecodingTable {
  #names: string[];
  #values: string[];
  /** The number of slots, a power of two, less one. */
  #mask: number;
  /** The slot of the next entry. */
  #next: number;
  #count: number;
  #size: number;
  #maxSize: number;
  #version: number;

  constructor(maxSize: number) {
    this.#names = new Array<string>(FIRST_SLOTS).fill('');
    this.#values = new Array<string>(FIRST_SLOTS).fill('');
    this.#mask = FIRST_SLOTS - 1;
    this.#next = 0;
    this.#count = 0;
    this.#size = 0;
    this.#maxSize = maxSize;
    this.#version = 0;
  }

  /** A number that changes with the table: as long as it stays, so does the meaning of every index. */
  get version(): number {
    return this.#version;
  }

  /** How many entries there are. */
  get count(): number {
    return this.#count;
  }

  /** Their size in octets. */
  get size(): number {
    return this.#size;
  }

  /** What the size may be. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** The name of an entry; 1 is the one that came last. Must not exceed {@link DecodingTable.count}. */
  name(position: number): string {
    return this.#names[(this.#next - position) & this.#mask] as string;
  }

  /** The value of an entry. */
  value(position: number): string {
    return this.#values[(this.#next - position) & this.#mask] as string;
  }

  /** Sets the maximum size, and evicts what no longer fits (RFC 7541 section 4.3). */
  setMaxSize(maxSize: number): void {
    this.#version += 1;
    this.#maxSize = maxSize;
    if (this.#size > maxSize) this.#evict(maxSize);
  }

  /** Adds an entry; one that is larger than the table empties it (RFC 7541 section 4.4). */
  add(name: string, value: string): void {
    this.#version += 1;
    const size = name.length + value.length + ENTRY_OVERHEAD;
    if (this.#size + size > this.#maxSize) {
      this.#evict(this.#maxSize - size);
      if (size > this.#maxSize) return;
    }
    if (this.#count > this.#mask) this.#grow();
    const slot = this.#next;
    this.#names[slot] = name;
    this.#values[slot] = value;
    this.#next = (slot + 1) & this.#mask;
    this.#count += 1;
    this.#size += size;
  }

  /** Takes away all entries, since one came that is larger than the table (RFC 7541 section 4.4). */
  clear(): void {
    this.#version += 1;
    this.#evict(0);
  }

  #evict(size: number): void {
    while (this.#size > size && this.#count > 0) {
      const slot = (this.#next - this.#count) & this.#mask;
      this.#size -= (this.#names[slot] as string).length + (this.#values[slot] as string).length + ENTRY_OVERHEAD;
      // Not kept alive by an empty slot.
      this.#names[slot] = '';
      this.#values[slot] = '';
      this.#count -= 1;
    }
  }

  #grow(): void {
    const slots = 2 * (this.#mask + 1);
    const names = new Array<string>(slots).fill('');
    const values = new Array<string>(slots).fill('');
    const count = this.#count;
    for (let index = 0; index < count; index += 1) {
      const slot = (this.#next - count + index) & this.#mask;
      names[index] = this.#names[slot] as string;
      values[index] = this.#values[slot] as string;
    }
    this.#names = names;
    this.#values = values;
    this.#mask = slots - 1;
    this.#next = count;
  }
}
