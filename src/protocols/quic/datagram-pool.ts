/**
 * Memory for datagrams to send.
 *
 * Owns slabs from which datagrams are cut one behind another, so that those of one size lie together and can be sent by
 * one call. What was cut is given away and never written to again. Between flushes nothing is kept: ten thousand idle
 * connections hold no memory here.
 *
 * @module
 */
import type { NetworkPath } from '../../common/index.ts';
import { freshMemory } from '../../wire/index.ts';
import type { Datagram } from '../http-protocol.ts';

/** How many datagrams a slab holds at most. */
const MAX_SLAB = 48;
/** No group is larger: what the kernel takes in one call (UDP_SEGMENT) is below 64 KiB. */
const MAX_GROUP = 60_000;

const EMPTY = new Uint8Array(0);

/** Cuts datagrams, and groups them. */
export class DatagramPool {
  /** The slab. */
  bytes: Uint8Array;
  /** Where the next datagram begins. */
  position: number;
  #groups: Datagram[];
  #groupStart: number;
  #segment: number;
  #path: NetworkPath | undefined;

  constructor() {
    this.bytes = EMPTY;
    this.position = 0;
    this.#groups = [];
    this.#groupStart = 0;
    this.#segment = 0;
    this.#path = undefined;
  }

  /**
   * Makes room for a datagram at {@link position}.
   *
   * @param ahead - how many of that size are likely to follow, this one counted
   */
  reserve(size: number, ahead: number): void {
    if (this.bytes.length - this.position >= size) return;
    this.#endGroup();
    // A datagram is written from its first byte to its last before it is taken.
    this.bytes = freshMemory(Math.max(1, Math.min(ahead, MAX_SLAB)) * size);
    this.position = 0;
    this.#groupStart = 0;
  }

  /** A datagram of that length was written at {@link position}. */
  take(length: number, path: NetworkPath): void {
    const { position } = this;
    const fits = path === this.#path && length <= this.#segment && position - this.#groupStart + length <= MAX_GROUP;
    if (!fits) {
      this.#endGroup();
      this.#groupStart = position;
      this.#segment = length;
      this.#path = path;
    }
    this.position += length;
    // A shorter one can only be the last of its group.
    if (length < this.#segment) this.#endGroup();
  }

  /** All groups since the last call. */
  flush(): Datagram[] {
    this.#endGroup();
    const groups = this.#groups;
    this.#groups = [];
    this.bytes = EMPTY;
    this.position = 0;
    this.#groupStart = 0;
    return groups;
  }

  #endGroup(): void {
    const path = this.#path;
    if (path === undefined) return;
    const data = this.bytes.subarray(this.#groupStart, this.position);
    this.#groups.push({ data, path, segmentSize: this.#segment, ecn: 0 });
    this.#path = undefined;
    this.#groupStart = this.position;
  }
}
