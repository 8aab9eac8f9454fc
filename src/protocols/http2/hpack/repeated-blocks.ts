/**
 * Blocks that come again and again, decoded once.
 *
 * A client that asks the same thing twice sends the same octets twice, as soon as its fields are in the table. While the
 * table stays as it is, the same octets mean the same list, so the list is kept, and with it whatever its receiver found
 * out about it. A block is kept when it comes the second time; its list is frozen, since several requests hold it.
 *
 * Owns: a few blocks and their lists. Does not own whether a block may be looked up: the decoder's state must be such
 * that the block would decode without a fault.
 *
 * @module
 */
import type { HeaderList } from '../../../common/index.ts';

/** Longer blocks are hardly ever repeated. */
export const LONGEST_REPEATED = 96;

/** A power of two. */
const SLOTS = 8;

/** A block that came at least once. */
export interface RepeatedBlock {
  hash: number;
  /** The table's version that it was decoded with. */
  version: number;
  /** Its octets; empty until it came twice. */
  octets: Uint8Array;
  headers: HeaderList;
  listSize: number;
  neverIndexed: readonly string[];
}

const NO_OCTETS: Uint8Array = new Uint8Array(0);
const NO_FIELDS: HeaderList = [];

/** The blocks that came last. */
export class RepeatedBlocks {
  readonly #slots: (RepeatedBlock | undefined)[];
  #hash: number;

  constructor() {
    this.#slots = [];
    this.#hash = 0;
  }

  /** The same block, if it was kept. */
  find(block: Uint8Array, version: number): RepeatedBlock | undefined {
    const length = block.length;
    let hash = length;
    for (let index = 0; index < length; index += 1) hash = (Math.imul(hash, 31) + block[index]!) | 0;
    this.#hash = hash;
    const slot = this.#slots[slotOf(hash)];
    if (slot?.hash !== hash || slot.version !== version || slot.octets.length !== length) return undefined;
    const { octets } = slot;
    for (let index = 0; index < length; index += 1) if (octets[index] !== block[index]) return undefined;
    return slot;
  }

  /** Notes the block that was just looked for, with what came of it; keeps it if it came before. */
  note(
    block: Uint8Array,
    version: number,
    headers: HeaderList,
    listSize: number,
    neverIndexed: readonly string[],
  ): void {
    const hash = this.#hash;
    const index = slotOf(hash);
    const slot = this.#slots[index];
    if (slot === undefined) {
      this.#slots[index] = { hash, version, octets: NO_OCTETS, headers: NO_FIELDS, listSize: 0, neverIndexed };
      return;
    }
    const again = slot.hash === hash && slot.version === version;
    slot.hash = hash;
    slot.version = version;
    slot.octets = again ? block.slice() : NO_OCTETS;
    slot.headers = again ? Object.freeze(headers) : NO_FIELDS;
    slot.listSize = listSize;
    slot.neverIndexed = neverIndexed;
  }
}

function slotOf(hash: number): number {
  return (hash ^ (hash >>> 8)) & (SLOTS - 1);
}
