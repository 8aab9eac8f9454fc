/**
 * The HPACK decoder under changed blocks of hpack-test-case and octets that mean something now and then. Nothing is
 * thrown; tables and lists stay within their limits; what was decoded can be encoded and decoded again.
 */
import { describe, expect } from 'vitest';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { HpackDecoder, HpackEncoder } from '../../src/protocols/http2/hpack/index.ts';
import { ByteWriter } from '../../src/wire/index.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { mutate, pickOf } from '../support/fuzz/mutation.ts';
import { readStories } from '../vectors/support/hpack-stories.ts';

const stories = readStories().map(({ blocks }) => blocks.map(({ wire }) => wire));
const small = stories.flat().filter((block) => block.length < 200);
/** First octets of every representation, sizes, lengths. */
const MARKS = [0x00, 0x01, 0x0f, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7e, 0x7f, 0x82, 0x84, 0xbe, 0xbf, 0xff] as const;

describe('HPACK', () => {
  fuzz('HPACK decoder, blocks of one connection', 1500, (random) => {
    const maxTableSize = random.pick([0, 64, 200, 4096, 65536]);
    const maxListSize = random.pick([0, 100, 2000, 65536]);
    const maxFields = random.pick([0, 3, 100]);
    const decoder = new HpackDecoder({ maxTableSize, maxListSize, maxFields });
    const again = new Copy();
    let limit = maxTableSize;
    let sizes = random.chance(0.3);
    const story = pickOf(random, stories);
    for (let turn = 0, last = random.integer(1, 12); turn < last; turn += 1) {
      if (sizes && random.chance(0.3)) {
        const size = random.pick([0, 33, 100, 4096, 65536]);
        decoder.setMaxTableSize(size);
        // The table may stay larger until the peer has said that it is smaller, or the block fails.
        limit = Math.max(limit, size);
      } else {
        sizes = sizes && random.chance(0.9);
      }
      const { headers, listSize, tooLarge, error } = decoder.decode(block(random, story, turn));
      const size = headers.reduce((sum, text) => sum + text.length + 16, 0);
      const within = decoder.tableSize <= limit && size <= maxListSize && headers.length <= 2 * maxFields;
      if (!within) expect.fail('beyond a limit');
      if (error !== undefined) {
        if (headers.length > 0) expect.fail('fields of a broken block');
        return;
      }
      if (!tooLarge && listSize !== size) expect.fail('a list of another size');
      again.check(headers);
    }
  });
});

/** A block of the story, changed or not, or octets. */
function block(random: SeededRandom, story: readonly Uint8Array[], turn: number): Uint8Array {
  if (random.chance(0.6)) return story[turn % story.length] as Uint8Array;
  if (random.chance(0.5)) return mutate(random, small);
  return Uint8Array.from({ length: random.integer(0, 60) }, () =>
    random.chance(0.5) ? random.pick(MARKS) : random.integer(0, 255),
  );
}

/** An encoder and a decoder of our own, which must come to the same list. */
class Copy {
  readonly #encoder: HpackEncoder;
  readonly #decoder: HpackDecoder;

  constructor() {
    this.#encoder = new HpackEncoder();
    this.#decoder = new HpackDecoder({ maxTableSize: 4096, maxListSize: Infinity, maxFields: Infinity });
  }

  check(headers: readonly string[]): void {
    const writer = new ByteWriter();
    this.#encoder.encode(headers, writer);
    const { headers: decoded, error } = this.#decoder.decode(writer.finish());
    if (error !== undefined || decoded.length !== headers.length) expect.fail(`encoded badly: ${String(error)}`);
    if (decoded.some((text, index) => text !== headers[index])) expect.fail('another list behind encoding it');
    if (this.#encoder.tableSize !== this.#decoder.tableSize) expect.fail('tables out of step');
  }
}
