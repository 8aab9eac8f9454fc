import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { clientCommand } from '../../../../cli/client/options.ts';
import type { OutputChoice } from '../../../../cli/client/output.ts';
import { chooseOutputs, openSink, OutputOrder, remoteName } from '../../../../cli/client/output.ts';
import { readTarget } from '../../../../cli/client/targets.ts';
import { valuesOf } from '../option-values.ts';
import { TestContext } from '../test-context.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-output-'));
afterAll(() => rmSync(folder, { recursive: true }));
const now = (): Promise<void> => Promise.resolve();

async function chosen(...words: string[]): Promise<OutputChoice[]> {
  const values = await valuesOf(clientCommand, ...words);
  return chooseOutputs(values.words.map(readTarget), values, folder);
}

describe('chooseOutputs', () => {
  it('is stdout when nothing is said', async () => {
    expect(await chosen('a', 'b')).toEqual([
      { kind: 'stdout', raw: false },
      { kind: 'stdout', raw: false },
    ]);
  });

  it('takes one -o for each URL, in order; - is stdout as it is', async () => {
    expect(await chosen('a', 'b', '-o', 'x', '-o-')).toEqual([
      { kind: 'file', file: path.join(folder, 'x'), fresh: false, makesFolders: false },
      { kind: 'stdout', raw: true },
    ]);
    expect(await chosen('a', 'b', '-o', '/dev/null', '-o', '/dev/null')).toHaveLength(2);
  });

  it('names files by the URLs with -O', async () => {
    expect(await chosen('a/x.txt', 'b/c/y?q', '-O')).toEqual([
      { kind: 'file', file: path.join(folder, 'x.txt'), fresh: true, makesFolders: false },
      { kind: 'file', file: path.join(folder, 'y'), fresh: true, makesFolders: false },
    ]);
  });

  it.each([
    [['a', 'b', '-o', 'x'], 'there are 2 URLs and 1 -o', 2],
    [['a', '-o', 'x', '-o', 'y'], 'there is one URL and 2 -o', 2],
    [['a', 'b', '-o', 'x', '-o', './x'], '-o ./x stands twice', 2],
    [['a/b', '-o', 'x', '-O'], '-o and -O exclude each other', 2],
    [['a', '-O'], 'the URL ends with no name for a file', 23],
  ])('refuses %j: %s', async (words, message, exitCode) => {
    await expect(chosen(...words)).rejects.toMatchObject({ message, exitCode });
  });
});

describe('remoteName: a base name only, nothing hidden', () => {
  it.each([
    ['http://h/a/b.txt', 'b.txt'],
    ['http://h/a/b.txt?c/d#e/f', 'b.txt'],
    ['http://h/../../etc/passwd', 'passwd'],
    ['http://h/a%20b', 'a%20b'],
    ['http://h/..a', undefined],
    ['http://h/.bashrc', undefined],
    ['http://h/a/..', undefined],
    ['http://h/', undefined],
    ['http://h/a/', undefined],
    ['http://h/..%2f..%2fetc%2fpasswd', undefined],
    ['http://h/a%5Cb', undefined],
    ['http://h/a\\b', 'b'],
    ['http://h/C:x', undefined],
    ['http://h/a%00b', undefined],
    ['http://h/con', undefined],
    ['http://h/NUL.txt', undefined],
    ['http://h/console', 'console'],
  ])('%s: %s', (url, expected) => {
    if (expected !== undefined) expect(remoteName(new URL(url))).toBe(expected);
    else expect(() => remoteName(new URL(url))).toThrow(expect.objectContaining({ exitCode: 23 }));
  });
});

describe('a file', () => {
  it('is there when something came, or when nothing was to come', async () => {
    const context = new TestContext();
    const begun = openSink(
      { kind: 'file', file: path.join(folder, 'begun'), fresh: false, makesFolders: false },
      context.output,
      now,
    );
    await begun.close();
    expect(readdirSync(folder)).not.toContain('begun');
    const empty = openSink(
      { kind: 'file', file: path.join(folder, 'empty'), fresh: false, makesFolders: false },
      context.output,
      now,
    );
    await empty.end();
    await empty.close();
    expect(readFileSync(path.join(folder, 'empty'), 'latin1')).toBe('');
    const full = openSink(
      { kind: 'file', file: path.join(folder, 'full'), fresh: false, makesFolders: false },
      context.output,
      now,
    );
    await full.writeHead('h\u00e4');
    await full.writeBody(Buffer.from([0, 255]));
    await full.end();
    await full.close();
    expect(readFileSync(path.join(folder, 'full'), 'latin1')).toBe('h\u00e4\0\u00ff');
    expect(full.fileName).toBe(path.join(folder, 'full'));
  });

  it('is overwritten by -o and never by -O', async () => {
    const file = path.join(folder, 'there');
    writeFileSync(file, 'old and long');
    const { output } = new TestContext();
    const fresh = openSink({ kind: 'file', file, fresh: true, makesFolders: false }, output, now);
    await expect(fresh.writeBody(Buffer.from('new'))).rejects.toMatchObject({
      exitCode: 23,
      message: 'the file is there already',
    });
    await fresh.close();
    expect(readFileSync(file, 'latin1')).toBe('old and long');
    const over = openSink({ kind: 'file', file, fresh: false, makesFolders: false }, output, now);
    await over.writeBody(Buffer.from('new'));
    await over.close();
    expect(readFileSync(file, 'latin1')).toBe('new');
  });

  it('that cannot be written is exit code 23', async () => {
    const sink = openSink(
      { kind: 'file', file: path.join(folder, 'no/such'), fresh: false, makesFolders: false },
      new TestContext().output,
      now,
    );
    await expect(sink.end()).rejects.toMatchObject({ exitCode: 23, failure: { place: path.join(folder, 'no/such') } });
  });
});

describe('stdout', () => {
  it('passes bytes as they are where no people read', async () => {
    const context = new TestContext();
    const sink = openSink({ kind: 'stdout', raw: false }, context.output, now);
    await sink.writeBody(Buffer.from([0, 27, 255]));
    await sink.end();
    expect(context.stdout).toBe('\0\x1b\u00ff');
    expect(sink.fileName).toBe('');
  });

  it('waits for its turn', async () => {
    const context = new TestContext();
    const order = new OutputOrder();
    const [first, second, third] = [0, 1, 2].map((index) =>
      openSink({ kind: 'stdout', raw: false }, context.output, () => order.turn(index)),
    );
    const late = third?.writeBody(Buffer.from('3'));
    const middle = second?.writeBody(Buffer.from('2'));
    await first?.writeBody(Buffer.from('1'));
    expect(context.stdout).toBe('1');
    order.done();
    await middle;
    expect(context.stdout).toBe('12');
    order.done();
    await late;
    expect(context.stdout).toBe('123');
  });

  it('that nobody reads any more is exit code 23', async () => {
    const context = new TestContext();
    context.onWrite = () => {
      throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
    };
    const sink = openSink({ kind: 'stdout', raw: false }, context.output, now);
    await expect(sink.writeBody(Buffer.from('a'))).rejects.toMatchObject({
      exitCode: 23,
      message: 'nobody reads the output any more',
    });
  });
});

describe('a terminal', () => {
  async function shown(...pieces: readonly (string | Buffer)[]): Promise<string> {
    const context = new TestContext({ terminal: true });
    const sink = openSink({ kind: 'stdout', raw: false }, context.output, now);
    for (const piece of pieces) await sink.writeBody(Buffer.from(piece));
    await sink.end();
    return Buffer.from(context.stdout, 'latin1').toString('utf8');
  }

  it('shows text', async () => {
    expect(await shown('a\tb\nc\r\nd')).toBe('a\tb\nc\nd');
    expect(await shown(Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1), ' €')).toBe('ä €');
    expect(await shown('a\r', '\nb')).toBe('a\nb');
  });

  it('does not obey control characters', async () => {
    expect(await shown('\x1b[2J\x07\u009b\u202e')).toBe('\\x{1b}[2J\\x{7}\\x{9b}\\x{202e}');
    expect(await shown('safe\rEVIL', '\r')).toBe('safe\\x{d}EVIL\\x{d}');
  });

  it('refuses what is no text, unless -o - asks for it', async () => {
    await expect(shown('a\0b')).rejects.toMatchObject({
      exitCode: 23,
      failure: { next: expect.stringContaining('-o -') },
    });
    const context = new TestContext({ terminal: true });
    const sink = openSink({ kind: 'stdout', raw: true }, context.output, now);
    await sink.writeBody(Buffer.from('\x1b\0'));
    expect(context.stdout).toBe('\x1b\0');
  });

  it('shows heads', async () => {
    const context = new TestContext({ terminal: true });
    const sink = openSink({ kind: 'stdout', raw: false }, context.output, now);
    await sink.writeHead('HTTP/1.1 200 \r\nA: \x9b\r\n\r\n');
    expect(context.stdout).toContain('HTTP/1.1 200 \nA: ');
    expect(context.stdout).not.toContain('\x9b');
  });
});
