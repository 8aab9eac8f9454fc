/**
 * Frames of QUIC, made by hand.
 *
 * @module
 */
import type { Random } from '../../../src/common/index.ts';
import { varintLength, writeVarint } from '../../../src/wire/index.ts';

/** The least datagram of an Initial packet. */
export const MIN_INITIAL = 1_200;

/** Bytes of the system. */
export const random: Random = {
  fill: (target) => globalThis.crypto.getRandomValues(target as Uint8Array<ArrayBuffer>),
};

/** Random bytes. */
export function randomBytes(length: number): Uint8Array {
  return random.fill(new Uint8Array(length));
}

/** Bytes of numbers as varints, of texts as latin1, and of bytes as they are. */
export function frame(...parts: readonly (number | Uint8Array | string)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      if (typeof part !== 'number') return part;
      const bytes = Buffer.alloc(varintLength(part));
      writeVarint(bytes, 0, part);
      return bytes;
    }),
  );
}

/** A STREAM frame with its length. */
export function streamFrame(streamId: number, data: Uint8Array, fin = false, offset = 0): Buffer {
  return frame(0x0e | (fin ? 1 : 0), streamId, offset, data.length, data);
}
