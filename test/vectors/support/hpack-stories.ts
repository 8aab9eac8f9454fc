/**
 * Reads the stories of hpack-test-case: what headers.jsonl holds once, and what each encoder made of it.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { HeaderList } from '../../../src/common/index.ts';

/** A field block, with the header list that it stands for. */
export interface StoryBlock {
  readonly headers: HeaderList;
  readonly wire: Uint8Array;
  /** The SETTINGS_HEADER_TABLE_SIZE that holds from this block on, if it changes here. */
  readonly tableSize: number | undefined;
}

/** The blocks of one HPACK context, in order. */
export interface Story {
  readonly encoder: string;
  readonly name: string;
  readonly blocks: readonly StoryBlock[];
}

interface EncodedLine {
  readonly story: string;
  readonly wire: readonly string[];
  readonly tableSizes?: readonly (readonly [block: number, size: number])[];
}

const folder = new URL('../hpack-test-case/', import.meta.url);

/** The header lists of all stories, by the story's number. */
export function readHeaders(): ReadonlyMap<string, readonly HeaderList[]> {
  const lines = readLines<{ story: string; headers: HeaderList[] }>('headers.jsonl');
  return new Map(lines.map(({ story, headers }) => [story, headers]));
}

/** What the encoders made of them. */
export function readStories(): Story[] {
  const headers = readHeaders();
  const files = readdirSync(folder).filter((file) => file.endsWith('.jsonl') && file !== 'headers.jsonl');
  return files.sort().flatMap((file) =>
    readLines<EncodedLine>(file).map(({ story, wire, tableSizes }) => {
      const lists = headers.get(story) ?? [];
      if (lists.length !== wire.length) throw new Error(`${file} has another story ${story}`);
      const sizes = new Map(tableSizes);
      return {
        encoder: file.replace('.jsonl', ''),
        name: story,
        blocks: wire.map((hex, index) => ({
          headers: lists[index] as HeaderList,
          wire: Uint8Array.from(Buffer.from(hex, 'hex')),
          tableSize: sizes.get(index),
        })),
      };
    }),
  );
}

function readLines<Line>(file: string): Line[] {
  const text = readFileSync(new URL(file, folder), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as Line);
}
