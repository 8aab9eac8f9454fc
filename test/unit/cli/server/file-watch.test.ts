import { mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { FileWatch } from '../../../../cli/server/file-watch.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-watch-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);

let watch: FileWatch | undefined;
afterEach(() => watch?.close());

/** A watch of files, and what it tells. */
function watching(interval: number, ...files: string[]): { changes: string[]; next: () => Promise<string> } {
  const changes: string[] = [];
  let wake: () => void = () => undefined;
  watch = new FileWatch({
    changed: (changed) => {
      changes.push(...changed.map((file) => path.basename(file)));
      wake();
    },
    quiet: 10,
    interval,
  });
  for (const file of files) watch.add(at(file));
  const next = async (): Promise<string> => {
    while (changes.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return changes.shift() as string;
  };
  return { changes, next };
}

describe('FileWatch', () => {
  it('tells of files that are written, replaced, removed and made, and of no others', async () => {
    writeFileSync(at('a.txt'), 'a');
    const { next, changes } = watching(0, 'a.txt', 'b.txt');
    expect(watch?.has(at('a.txt'))).toBe(true);
    writeFileSync(at('other.txt'), 'other');
    writeFileSync(at('a.txt'), 'a longer text');
    expect(await next()).toBe('a.txt');
    writeFileSync(at('new.txt'), 'another');
    renameSync(at('new.txt'), at('a.txt'));
    expect(await next()).toBe('a.txt');
    writeFileSync(at('b.txt'), 'b');
    expect(await next()).toBe('b.txt');
    unlinkSync(at('b.txt'));
    expect(await next()).toBe('b.txt');
    expect(changes).toEqual([]);
  });

  it.skipIf(process.platform === 'win32')('sees behind symbolic links', async () => {
    writeFileSync(at('one.pem'), 'one');
    writeFileSync(at('two.pem'), 'two!');
    symlinkSync('one.pem', at('link.pem'));
    const { next } = watching(0, 'link.pem');
    symlinkSync('two.pem', at('link.new'));
    renameSync(at('link.new'), at('link.pem'));
    expect(await next()).toBe('link.pem');
    writeFileSync(at('two.pem'), 'two, and more');
    expect(await next()).toBe('link.pem');
  });

  it('looks by itself where the system tells nothing', async () => {
    const { next } = watching(20, 'later/file.txt');
    expect(watch?.has(at('later/file.txt'))).toBe(true);
    const { mkdirSync } = await import('node:fs');
    mkdirSync(at('later'));
    writeFileSync(at('later/file.txt'), 'there');
    expect(await next()).toBe('file.txt');
  });

  it('tells nothing after its end', async () => {
    writeFileSync(at('end.txt'), 'a');
    const { changes } = watching(5, 'end.txt');
    writeFileSync(at('end.txt'), 'a longer text');
    watch?.close();
    watch?.add(at('a.txt'));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(changes).toEqual([]);
    expect(watch?.has(at('a.txt'))).toBe(false);
  });
});
