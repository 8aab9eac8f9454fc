/**
 * Frames of QUIC that are right, nearly right, or nothing at all.
 *
 * @module
 */
import type { SeededRandom } from '../../../src/networking/simulation/index.ts';
import { varintLength, writeVarint } from '../../../src/wire/index.ts';
import { pickOf, randomBytes } from './mutation.ts';

/** Numbers at the edges of what varints, windows and limits can say. */
const NUMBERS: readonly (number | string)[] = [
  0,
  1,
  2,
  3,
  4,
  8,
  63,
  64,
  127,
  128,
  1_000,
  16_383,
  16_384,
  65_535,
  65_536,
  1 << 20,
  2 ** 30 - 1,
  2 ** 30,
  2 ** 53 - 1,
  // 2^53, 2^60, 2^60 + 1, 2^62 - 1: more than a number holds.
  'c020000000000000',
  'd000000000000000',
  'd000000000000001',
  'ffffffffffffffff',
];
/** How many numbers follow each type, and whether bytes come behind a length. */
const SHAPES: readonly (readonly [type: number, numbers: number, rest: 'none' | 'counted' | number])[] = [
  [0x00, 0, 'none'],
  [0x01, 0, 'none'],
  [0x02, 4, 'none'],
  [0x03, 7, 'none'],
  [0x04, 3, 'none'],
  [0x05, 2, 'none'],
  [0x06, 1, 'counted'],
  [0x07, 0, 'counted'],
  [0x08, 1, 20],
  [0x09, 1, 20],
  [0x0a, 1, 'counted'],
  [0x0b, 1, 'counted'],
  [0x0c, 2, 20],
  [0x0d, 2, 20],
  [0x0e, 2, 'counted'],
  [0x0f, 2, 'counted'],
  [0x10, 1, 'none'],
  [0x11, 2, 'none'],
  [0x12, 1, 'none'],
  [0x13, 1, 'none'],
  [0x14, 1, 'none'],
  [0x15, 2, 'none'],
  [0x16, 1, 'none'],
  [0x17, 1, 'none'],
  [0x18, 2, 'none'],
  [0x19, 1, 'none'],
  [0x1a, 0, 8],
  [0x1b, 0, 8],
  [0x1c, 2, 'counted'],
  [0x1d, 1, 'counted'],
  [0x1e, 0, 'none'],
  [0x1f, 2, 'none'],
  [0x30, 0, 20],
  [0x31, 0, 'counted'],
  [0x4242, 1, 'none'],
];

/** The payload of a packet: some frames. */
export function framePayload(random: SeededRandom, most = 12): Uint8Array {
  const frames: Uint8Array[] = [];
  let length = 0;
  for (let count = random.integer(1, most); count > 0 && length < 1_000; count -= 1) {
    const frame = oneFrame(random);
    frames.push(frame);
    length += frame.length;
  }
  return Uint8Array.from(Buffer.concat(frames)).subarray(0, 1_100);
}

/** One frame. Small numbers and ids are more frequent than others, so that frames are about the same streams. */
function oneFrame(random: SeededRandom): Uint8Array {
  if (random.chance(0.03)) return randomBytes(random, 20);
  // Frames about streams are most of all.
  const shape = random.chance(0.6) ? pickOf(random, SHAPES.slice(4, 24)) : pickOf(random, SHAPES);
  const [type, numbers, rest] = shape;
  const parts = [varint(random, type, false)];
  for (let count = numbers; count > 0; count -= 1) parts.push(number(random));
  if (rest === 'counted') {
    const bytes = randomBytes(random, random.pick([0, 1, 20, 300]));
    parts.push(random.chance(0.95) ? varint(random, bytes.length, true) : number(random), bytes);
  } else if (typeof rest === 'number') parts.push(random.fill(new Uint8Array(rest)));
  if (type === 0x18) parts.push(Uint8Array.of(random.pick([0, 4, 8, 8, 8, 20, 21])), random.fill(new Uint8Array(24)));
  const frame = Uint8Array.from(Buffer.concat(parts));
  return random.chance(0.03) ? frame.subarray(0, random.integer(0, frame.length)) : frame;
}

function number(random: SeededRandom): Uint8Array {
  if (random.chance(0.6)) return varint(random, random.integer(0, 40), true);
  const value = pickOf(random, NUMBERS);
  return typeof value === 'string' ? Uint8Array.from(Buffer.from(value, 'hex')) : varint(random, value, true);
}

/** A number, now and then in more bytes than it needs. */
function varint(random: SeededRandom, value: number, mayBeLong: boolean): Uint8Array {
  const least = varintLength(value);
  const length = mayBeLong && random.chance(0.1) ? Math.max(least, random.pick([1, 2, 4, 8])) : least;
  const bytes = new Uint8Array(length);
  writeVarint(bytes, 0, value, length);
  return bytes;
}
