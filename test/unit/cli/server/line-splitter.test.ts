import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../../cli/server/line-splitter.ts';

function split(...chunks: readonly (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

describe('LineSplitter', () => {
  it('makes whole lines of any chunks', () => {
    expect(split('one\ntw', 'o\n', '\nthree')).toEqual(['one', 'two', '', 'three']);
    expect(split()).toEqual([]);
  });

  it('does not cut characters', () => {
    const bytes = Buffer.from('ö€😀\n');
    expect(split(...[...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(['ö€😀']);
    expect(split(Uint8Array.of(0xe2, 0x82))).toEqual(['\ufffd']);
  });

  it('keeps no more of a line than a bound', () => {
    const lines = split('x'.repeat(70_000), 'y\nz\n');
    expect(lines.map((line) => line.length)).toEqual([70_000, 1, 1]);
  });
});
