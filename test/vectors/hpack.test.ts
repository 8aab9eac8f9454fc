/**
 * hpack-test-case: what fourteen encoders made of 31 stories is decoded, and the stories are encoded by ours, decoded
 * again, and compared in size with what nghttp2 makes of them.
 */
import { describe, expect, it } from 'vitest';
import { HpackDecoder, HpackEncoder } from '../../src/protocols/http2/hpack/index.ts';
import { ByteWriter } from '../../src/wire/index.ts';
import type { Story } from './support/hpack-stories.ts';
import { readHeaders, readStories } from './support/hpack-stories.ts';

const stories = readStories();
const headers = readHeaders();
/** The aim: at most this many octets for one of nghttp2's. */
const MOST = 1.05;

function newDecoder(): HpackDecoder {
  return new HpackDecoder({ maxTableSize: 4096, maxListSize: 1 << 20, maxFields: 1000 });
}

describe('hpack-test-case', () => {
  it('is there', () => {
    expect(headers.size).toBe(31);
    expect([...headers.values()].reduce((sum, lists) => sum + lists.length, 0)).toBe(2738);
    expect(stories.length).toBe(300);
    expect(stories.reduce((sum, { blocks }) => sum + blocks.length, 0)).toBe(5677);
  });

  const encoders = [...new Set(stories.map((story) => story.encoder))];
  it.each(encoders)('decodes the stories of %s', (encoder) => {
    for (const { name, blocks } of stories.filter((story) => story.encoder === encoder)) {
      const decoder = newDecoder();
      for (const [index, block] of blocks.entries()) {
        if (block.tableSize !== undefined) decoder.setMaxTableSize(block.tableSize);
        const { error, tooLarge, headers: decoded, listSize } = decoder.decode(block.wire);
        expect({ name, index, error, tooLarge, decoded }).toEqual({
          name,
          index,
          error: undefined,
          tooLarge: false,
          decoded: block.headers,
        });
        expect(listSize).toBe(decoded.reduce((sum, text) => sum + text.length + 16, 0));
      }
    }
  });

  it.each([0, 64, 256, 4096, 65536])('encodes every list and decodes it again, with a table of %i octets', (size) => {
    for (const [name, lists] of headers) {
      const encoder = new HpackEncoder({ maxTableSize: 65536 });
      const decoder = newDecoder();
      encoder.setMaxTableSize(size);
      decoder.setMaxTableSize(size);
      for (const [index, list] of lists.entries()) {
        const writer = new ByteWriter();
        encoder.encode(list, writer);
        const { error, headers: decoded } = decoder.decode(writer.finish());
        expect({ name, index, error, decoded }).toEqual({ name, index, error: undefined, decoded: list });
        expect(encoder.tableSize).toBe(decoder.tableSize);
        expect(encoder.tableSize).toBeLessThanOrEqual(size);
      }
    }
  });

  it(`encodes to at most ${String(MOST)} of the size of nghttp2's encoding`, () => {
    const lines: string[] = [];
    for (const encoder of ['nghttp2', 'nghttp2-16384-4096', 'nghttp2-change-table-size']) {
      let ours = 0;
      let theirs = 0;
      for (const story of stories.filter((candidate) => candidate.encoder === encoder)) {
        const sizes = { ours: encodedSize(story), theirs: story.blocks.reduce((sum, b) => sum + b.wire.length, 0) };
        expect(sizes.ours, `${encoder} ${story.name}`).toBeLessThanOrEqual(MOST * sizes.theirs);
        ours += sizes.ours;
        theirs += sizes.theirs;
      }
      lines.push(`${encoder}: ${String(ours)} octets, ${(ours / theirs).toFixed(3)} of ${String(theirs)}`);
      expect(ours / theirs).toBeLessThanOrEqual(1);
    }
    expect(lines.length).toBe(3);
    process.stdout.write(`${lines.join('\n')}\n`);
  });
});

/** What our encoder makes of a story, under the table sizes that its encoder was given. */
function encodedSize(story: Story): number {
  const encoder = new HpackEncoder();
  const writer = new ByteWriter();
  for (const block of story.blocks) {
    if (block.tableSize !== undefined) encoder.setMaxTableSize(block.tableSize);
    encoder.encode(block.headers, writer);
  }
  return writer.length;
}
