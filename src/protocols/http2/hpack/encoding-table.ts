/**
 * The dynamic table as an encoder keeps it (RFC 7541 section 2.3.2), found by name and then by value.
 *
 * Entries are numbered as they come, so that a number says for ever whether its entry is still there and which index it
 * has. A record per name holds what the static table, the policy and the dynamic table know of it. Records of names
 * that are in none of them go when their last entry does: their number is bounded by the table's.
 *
 * Owns: entries, sizes, eviction, the records. Does not own what is to be indexed.
 *
 * @module
 */
import type { IndexingKind } from './indexing-policy.ts';
import { Indexing, indexingOf } from './indexing-policy.ts';
import type { StaticName } from './static-table.ts';
import { STATIC_BY_NAME, STATIC_ENTRIES } from './static-table.ts';

/** RFC 7541 section 4.1: what an entry counts besides its name and value. */
const ENTRY_OVERHEAD = 32;
const FIRST_SLOTS = 4;
const NO_ENTRY = -1;

/** What is known of a name. */
export interface NameRecord {
  readonly name: string;
  readonly policy: IndexingKind;
  readonly fixed: StaticName | undefined;
  /** The value that was sent last, and the number of its entry: most of the time it comes again. */
  lastValue: string | undefined;
  lastEntry: number;
  /** The number of the newest entry with this name. */
  newest: number;
  /** How many entries there are. */
  count: number;
  /** The numbers of the entries by value; made when there are two. */
  values: Map<string, number> | undefined;
}

/** Nothing is ever put into it. */
const NO_RECORDS: Map<string, NameRecord> = new Map();

/** A dynamic table with its records. */
export class EncodingTable {
  #records: Map<string, NameRecord>;
  #slots: (NameRecord | undefined)[];
  #values: string[];
  /** The number of slots, a power of two, less one. */
  #mask: number;
  /** The number of the next entry. */
  #next: number;
  #count: number;
  #size: number;
  #maxSize: number;

  constructor(maxSize: number) {
    this.#records = NO_RECORDS;
    this.#slots = new Array<NameRecord | undefined>(FIRST_SLOTS).fill(undefined);
    this.#values = new Array<string>(FIRST_SLOTS).fill('');
    this.#mask = FIRST_SLOTS - 1;
    this.#next = 0;
    this.#count = 0;
    this.#size = 0;
    this.#maxSize = maxSize;
  }

  /** The octets that the entries count. */
  get size(): number {
    return this.#size;
  }

  /** A number that changes with every entry that comes or goes: as long as it stays, so does every index. */
  get version(): number {
    return this.#next + this.#next - this.#count;
  }

  /** What they may count. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** How many names have a record. */
  get recordCount(): number {
    return this.#records.size;
  }

  /** Sets the maximum size, and evicts what no longer fits (RFC 7541 section 4.3). */
  setMaxSize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#evict(maxSize);
  }

  /** Lets the records go that know of no entry. */
  rest(): void {
    for (const [name, record] of this.#records) if (record.count === 0) this.#records.delete(name);
    if (this.#records.size === 0) this.#records = NO_RECORDS;
  }

  /** The record of a name; one that the table need not keep if the name is in no list. */
  record(name: string): NameRecord {
    const known = this.#records.get(name);
    if (known !== undefined) return known;
    const record: NameRecord = {
      name,
      policy: indexingOf(name),
      fixed: STATIC_BY_NAME.get(name),
      lastValue: undefined,
      lastEntry: NO_ENTRY,
      newest: NO_ENTRY,
      count: 0,
      values: undefined,
    };
    if (isListed(record)) this.#keep(record);
    return record;
  }

  /** The index of a name and value, 0 if it has none. */
  find(record: NameRecord, value: string): number {
    if (record.lastValue === value && this.#isThere(record.lastEntry)) return this.#index(record.lastEntry);
    const fixed = record.fixed?.values.get(value);
    if (fixed !== undefined) return fixed;
    if (record.count === 0) return 0;
    const entry = record.values?.get(value) ?? this.#onlyEntry(record, value);
    if (entry === NO_ENTRY) return 0;
    record.lastValue = value;
    record.lastEntry = entry;
    return this.#index(entry);
  }

  /** The index of a name with whatever value, 0 if it has none. */
  findName(record: NameRecord): number {
    if (record.fixed !== undefined) return record.fixed.index;
    return record.count > 0 ? this.#index(record.newest) : 0;
  }

  /** Whether an entry fits in the table at all (RFC 7541 section 4.4). */
  takes(record: NameRecord, value: string): boolean {
    return record.name.length + value.length + ENTRY_OVERHEAD <= this.#maxSize;
  }

  /** Adds an entry that {@link EncodingTable.takes} and that is not there yet. */
  add(record: NameRecord, value: string): void {
    const { name } = record;
    const size = name.length + value.length + ENTRY_OVERHEAD;
    this.#evict(this.#maxSize - size);
    if (this.#count > this.#mask) this.#grow();
    const entry = this.#next;
    this.#slots[entry & this.#mask] = record;
    this.#values[entry & this.#mask] = value;
    this.#next = entry + 1;
    this.#count += 1;
    this.#size += size;
    if (record.count === 0) {
      if (!isListed(record)) this.#keep(record);
    } else {
      record.values ??= new Map([[this.#values[record.newest & this.#mask] as string, record.newest]]);
      record.values.set(value, entry);
    }
    record.count += 1;
    record.newest = entry;
    record.lastValue = value;
    record.lastEntry = entry;
  }

  /** Notes a value that was sent without an entry, to know it when it comes again. */
  remember(record: NameRecord, value: string): void {
    record.lastValue = value;
    record.lastEntry = NO_ENTRY;
  }

  /** The newest entry of a name whose other entries, if there are any, have a map. */
  #onlyEntry(record: NameRecord, value: string): number {
    if (record.values !== undefined) return NO_ENTRY;
    return this.#values[record.newest & this.#mask] === value ? record.newest : NO_ENTRY;
  }

  #keep(record: NameRecord): void {
    if (this.#records === NO_RECORDS) this.#records = new Map();
    this.#records.set(record.name, record);
  }

  #isThere(entry: number): boolean {
    return entry >= this.#next - this.#count;
  }

  #index(entry: number): number {
    return STATIC_ENTRIES + this.#next - entry;
  }

  #evict(size: number): void {
    while (this.#size > size && this.#count > 0) {
      const slot = (this.#next - this.#count) & this.#mask;
      const record = this.#slots[slot] as NameRecord;
      const value = this.#values[slot] as string;
      this.#slots[slot] = undefined;
      this.#values[slot] = '';
      this.#count -= 1;
      this.#size -= record.name.length + value.length + ENTRY_OVERHEAD;
      this.#forget(record, value);
    }
  }

  #forget(record: NameRecord, value: string): void {
    record.count -= 1;
    if (record.count === 0) {
      record.values = undefined;
      if (!isListed(record)) this.#records.delete(record.name);
    } else {
      record.values?.delete(value);
    }
  }

  #grow(): void {
    const mask = 2 * this.#mask + 1;
    const slots = new Array<NameRecord | undefined>(mask + 1).fill(undefined);
    const values = new Array<string>(mask + 1).fill('');
    for (let entry = this.#next - this.#count; entry < this.#next; entry += 1) {
      slots[entry & mask] = this.#slots[entry & this.#mask];
      values[entry & mask] = this.#values[entry & this.#mask] as string;
    }
    this.#slots = slots;
    this.#values = values;
    this.#mask = mask;
  }
}

/** Whether a name has a record in any case. */
function isListed(record: NameRecord): boolean {
  return record.fixed !== undefined || record.policy !== Indexing.always;
}
