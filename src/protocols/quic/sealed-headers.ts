/**
 * Headers of packets that are sealed and not yet protected.
 *
 * Owns header protection of a whole flight in one call (RFC 9001 section 5.4), which costs a tenth of a call for each
 * packet. A packet must not leave before its header was masked.
 *
 * @module
 */
import type { HeaderProtection } from '../../crypto/index.ts';
import { MASK_LENGTH, SAMPLE_LENGTH } from '../../crypto/index.ts';

/** A packet number is taken to be this long when the sample is placed (RFC 9001 section 5.4.2). */
const SAMPLE_OFFSET = 4;
/** The bits of the first byte that are protected. */
const LONG_BITS = 0x0f;
const SHORT_BITS = 0x1f;

/** For so many packets memory is kept. */
const KEPT = 16;
const EMPTY = new Uint8Array(0);

/** A flight of packets that were sealed under one header protection key. */
export class SealedHeaders {
  readonly #packets: Uint8Array[];
  /** Where each packet number begins, and how long it is. */
  readonly #offsets: number[];
  readonly #lengths: number[];
  #samples: Uint8Array;
  #masks: Uint8Array;

  constructor() {
    this.#packets = [];
    this.#offsets = [];
    this.#lengths = [];
    this.#samples = EMPTY;
    this.#masks = EMPTY;
  }

  /** How many there are. */
  get count(): number {
    return this.#packets.length;
  }

  /** Adds a packet, whose memory must stay as it is until {@link mask}. */
  add(packet: Uint8Array, headerLength: number, numberLength: number): void {
    this.#packets.push(packet);
    this.#offsets.push(headerLength - numberLength);
    this.#lengths.push(numberLength);
  }

  /** Masks all of them. */
  mask(protection: HeaderProtection): void {
    const { count } = this;
    if (count === 0) return;
    this.#sample(count);
    const samples = this.#samples;
    const length = count * SAMPLE_LENGTH;
    protection.masks(length === samples.length ? samples : samples.subarray(0, length), this.#masks);
    for (let index = 0; index < count; index += 1) {
      const packet = this.#packets[index] as Uint8Array;
      applyMask(
        packet,
        this.#offsets[index] as number,
        this.#lengths[index] as number,
        this.#masks,
        index * MASK_LENGTH,
      );
    }
    this.#packets.length = 0;
    this.#offsets.length = 0;
    this.#lengths.length = 0;
    // One large flight is not paid for as long as the connection lives.
    if (count > KEPT) this.#samples = EMPTY;
  }

  #sample(count: number): void {
    if (this.#samples.length < count * SAMPLE_LENGTH) {
      this.#samples = new Uint8Array(count * SAMPLE_LENGTH);
      this.#masks = new Uint8Array(count * MASK_LENGTH);
    }
    for (let index = 0; index < count; index += 1) {
      const packet = this.#packets[index] as Uint8Array;
      const from = (this.#offsets[index] as number) + SAMPLE_OFFSET;
      const to = index * SAMPLE_LENGTH;
      for (let at = 0; at < SAMPLE_LENGTH; at += 1) this.#samples[to + at] = packet[from + at] as number;
    }
  }
}

/** Turns the bits of a header that a mask says: on protects it, once more takes it off (RFC 9001 section 5.4.1). */
export function applyMask(
  packet: Uint8Array,
  numberOffset: number,
  numberLength: number,
  masks: Uint8Array,
  maskAt: number,
): void {
  const first = packet[0] as number;
  packet[0] = first ^ ((masks[maskAt] as number) & ((first & 0x80) === 0 ? SHORT_BITS : LONG_BITS));
  for (let index = 0; index < numberLength; index += 1) {
    const at = numberOffset + index;
    packet[at] = (packet[at] as number) ^ (masks[maskAt + 1 + index] as number);
  }
}
