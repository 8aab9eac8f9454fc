import { describe, expect, it } from 'vitest';
import { main } from '../../../cli/main.ts';
import { CommandError, exitCodeOf, messageOf, reportLines, systemReason } from '../../../cli/report.ts';
import { shellWord } from '../../../cli/shell-word.ts';
import { ConfigurationError } from '../../../src/common/index.ts';
import { manifest } from '../../support/repository.ts';
import { TestContext } from './test-context.ts';

async function run(...words: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const context = new TestContext();
  const code = await main(words, context);
  return { code, stdout: context.stdout, stderr: context.stderr };
}

describe('hface-ts', () => {
  it.each(['--version', '-V'])('%s', async (word) => {
    expect(await run(word)).toEqual({ code: 0, stdout: `${manifest().version}\n`, stderr: '' });
  });

  it.each(['--help', '-h', 'help'])('%s shows the commands', async (word) => {
    const { code, stdout } = await run(word);
    expect(code).toBe(0);
    for (const command of ['server', 'client', 'cert']) expect(stdout).toContain(`hface-ts ${command} `);
  });

  it('alone is a usage error that shows the commands', async () => {
    const { code, stdout, stderr } = await run();
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: hface-ts COMMAND');
  });

  it.each(['server', 'client', 'cert'])('help %s and %s --help are the same', async (command) => {
    const help = await run('help', command);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringContaining(`Usage: hface-ts ${command}`) });
    expect(await run(command, '--help')).toEqual(help);
  });

  it.each([
    [['servr', 'my app.js'], 'there is no command servr: did you mean server?', "hface-ts server 'my app.js'"],
    [['clinet'], 'there is no command clinet: did you mean client?', 'hface-ts client'],
    [['frobnicate'], 'there is no command frobnicate', 'hface-ts --help'],
    [['constructor'], 'there is no command constructor', 'hface-ts --help'],
    [['--port', '1'], 'a command stands first, before options such as --port', 'hface-ts --help'],
    [['http://localhost'], 'there is no command http://localhost', 'hface-ts client http://localhost'],
    [['\x1b[2J'], 'there is no command \\x{1b}[2J', 'hface-ts --help'],
  ])('%j: %s', async (words, cause, next) => {
    expect(await run(...words)).toEqual({ code: 2, stdout: '', stderr: `hface-ts: ${cause}\n  try: ${next}\n` });
  });
});

describe('reportLines', () => {
  it('is the cause, the place and the next command', () => {
    const error = new CommandError({ cause: 'a', place: 'b', next: 'c' }, 7);
    expect(reportLines(error)).toEqual(['hface-ts: a', '  at b', '  try: c']);
    expect(exitCodeOf(error)).toBe(7);
    expect(reportLines(new ConfigurationError('a', { hint: 'c' }))).toEqual(['hface-ts: a', '  try: c']);
    expect(reportLines('text')).toEqual(['hface-ts: text']);
    expect(reportLines(new Error(''))).toEqual(['hface-ts: Error']);
    expect(
      reportLines({
        toString: () => {
          throw new Error('no');
        },
      }),
    ).toEqual(['hface-ts: a value that cannot be printed']);
  });

  it('has three lines at most, whatever the error says', () => {
    const nasty = 'first\nsecond\x1b[2J\rthird';
    for (const error of [
      new CommandError({ cause: nasty, place: nasty, next: nasty }),
      new ConfigurationError(nasty, { hint: nasty }),
      new Error(nasty),
      nasty,
      new Error('x'.repeat(100_000)),
    ]) {
      const lines = reportLines(error);
      expect(lines.length).toBeLessThanOrEqual(3);
      for (const line of lines) {
        expect(line).not.toMatch(/[\u0000-\u001f]/);
        expect(line.length).toBeLessThan(3_000);
      }
    }
  });

  it('has the stack of the origin with --dev', () => {
    const origin = new TypeError('deep');
    const lines = reportLines(new CommandError({ cause: 'a', place: undefined, next: undefined }, 1, origin), true);
    expect(lines[1]).toBe('TypeError: deep');
    expect(lines[2]).toMatch(/^ {4}at /);
  });

  it('gives usage errors the code 2 and others 1', () => {
    expect(exitCodeOf(new ConfigurationError('a', { code: 'ERR_USAGE' }))).toBe(2);
    expect(exitCodeOf(new ConfigurationError('a'))).toBe(1);
    expect(exitCodeOf(new Error('a'))).toBe(1);
  });
});

describe('words of the system', () => {
  it('are taken out of what node:fs says', () => {
    expect(systemReason(new Error("ENOENT: no such file or directory, open '/a'"))).toBe('no such file or directory');
    expect(systemReason(new Error('something else'))).toBe('something else');
    expect(messageOf(undefined)).toBe('undefined');
  });
});

describe('shellWord', () => {
  it.each([
    ['a/b.js', 'a/b.js'],
    ['https://localhost:5443/', 'https://localhost:5443/'],
    ['a b', "'a b'"],
    ["it's", "'it'\\''s'"],
    ['$(rm)', "'$(rm)'"],
    ['~/a', "'~/a'"],
    ['', "''"],
    ['a;b', "'a;b'"],
  ])('%s: %s', (word, expected) => {
    expect(shellWord(word)).toBe(process.platform === 'win32' && word !== expected ? `"${word}"` : expected);
  });
});
