/**
 * docs/security.md against the tests that it names.
 */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exists, filesBelow, read } from '../support/repository.ts';

/** The rows of the table: the ids of each, and the files of its tests. */
const rows = read('docs/security.md')
  .split('\n')
  .filter((line) => line.startsWith('|') && line.includes('`'))
  .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
  .map(([, attack = '', known = '', , tests = '']) => ({
    attack,
    ids: known.match(/CVE-\d{4}-\d+/g) ?? [],
    files: [...tests.matchAll(/`([\w-]+)`/g)].map((match) => `test/limits/${match[1] ?? ''}.test.ts`),
  }));

describe('docs/security.md', () => {
  it('names tests that there are', () => {
    expect(rows.length).toBeGreaterThan(15);
    for (const { attack, files } of rows) {
      expect(files.length, attack).toBeGreaterThan(0);
      expect(
        files.filter((file) => !exists(file)),
        attack,
      ).toEqual([]);
    }
  });

  it('names no vulnerability that its test does not', () => {
    const strangers = rows.flatMap(({ ids, files }) => {
      const texts = files.map(read);
      return ids.filter((id) => !texts.some((text) => text.includes(id)));
    });
    expect(strangers).toEqual([]);
  });

  it('leaves no attack out that is played', () => {
    const named = new Set(rows.flatMap((row) => row.files));
    const played = filesBelow('test/limits', '.test.ts').filter((file) => {
      // Bounds of one engine under a clock, and the check of the others, are no attack by themselves.
      return !/^(coverage|node-http2?-engine)\.test\.ts$/.test(path.posix.basename(file));
    });
    expect(played.filter((file) => !named.has(file))).toEqual([]);
  });
});
