import { describe, expect, it } from 'vitest';
import { clientCommand } from '../../../cli/client/options.ts';
import { certCommand } from '../../../cli/cert/options.ts';
import { helpText } from '../../../cli/help-text.ts';
import type { OptionValues } from '../../../cli/option-values.ts';
import { parseCommand } from '../../../cli/parse-command.ts';
import { serverCommand } from '../../../cli/server/options.ts';
import { TestContext } from './test-context.ts';

async function client(...words: string[]): Promise<OptionValues> {
  const values = await parseCommand(words, clientCommand, new TestContext());
  if (values === undefined) throw new Error('help');
  return values;
}

describe('parseCommand', () => {
  it.each([
    '"quoted"',
    "'quoted'",
    '',
    ' a ',
    '-1',
    '007',
    '1e3',
    'true',
    'a.b',
    '--',
    'a=b=c',
    'two\nlines',
    '@-',
    'ä',
  ])('gives the value %j as it was written', async (value) => {
    const values = await client('-d', value, `--header=${value}`, '-X', value, 'u');
    expect(values.list('data')).toEqual([value]);
    expect(values.list('header')).toEqual([value]);
    expect(values.text('request')).toBe(value);
    expect(values.words).toEqual(['u']);
  });

  it('keeps the order of repeated options, and words that look like numbers or options', async () => {
    const values = await client('-d', 'b', '08', '-da', '"w"', '--data', 'c', '--', '-x', '--data');
    expect(values.list('data')).toEqual(['b', 'a', 'c']);
    expect(values.words).toEqual(['08', '"w"', '-x', '--data']);
  });

  it('takes the last of what can be given once', async () => {
    const values = await client('-X', 'PUT', '-XPOST', 'u');
    expect(values.text('request')).toBe('POST');
    expect(values.text('user')).toBeUndefined();
    expect(values.has('verbose')).toBe(false);
    expect((await client('-vv', 'u')).has('verbose')).toBe(true);
  });

  it('has no option that is not in the table', async () => {
    const values = await client('u');
    expect(() => values.has('verbos')).toThrow('the option table has no row verbos');
    await expect(client('--constructor', 'u')).rejects.toMatchObject({ code: 'ERR_USAGE' });
    await expect(client('--__proto__', 'u')).rejects.toMatchObject({ code: 'ERR_USAGE' });
  });

  it.each([
    ['1.5', 1.5],
    ['0.001', 0.001],
    ['20', 20],
  ])('reads the number %s', async (text, expected) => {
    expect((await client('-m', text, 'u')).number('max-time', 0.001, 86_400)).toBe(expected);
  });

  it.each(['', '0', '-1', '1e3', '0x10', 'abc', '1.', '.5', '86401', 'Infinity', ' 1', '1'.repeat(400)])(
    'refuses the number %j',
    async (text) => {
      const values = await client('-m', text, 'u');
      expect(() => values.number('max-time', 0.001, 86_400)).toThrow('option --max-time cannot be');
    },
  );

  it('refuses fractions where whole numbers are meant', async () => {
    const values = await client('--max-redirs', '1.5', 'u');
    expect(() => values.integer('max-redirs', 0, 10)).toThrow('option --max-redirs cannot be "1.5"');
    expect((await client('--max-redirs', '0', 'u')).integer('max-redirs', 0, 10)).toBe(0);
  });

  it('counts words', async () => {
    await expect(client('-v')).rejects.toMatchObject({ message: 'hface-ts client needs a URL', code: 'ERR_USAGE' });
    const tooMany = parseCommand([...Array(101).keys()].map(String), certCommand, new TestContext());
    await expect(tooMany).rejects.toMatchObject({ message: 'one word too many: 100', code: 'ERR_USAGE' });
  });
});

describe('--help', () => {
  it.each([['--help'], ['-h'], ['u', '-v', '--help'], ['-vh', 'u']])(
    '%j prints it and reads nothing else',
    async (...words) => {
      const context = new TestContext();
      expect(await parseCommand(words, clientCommand, context)).toBeUndefined();
      expect(context.stdout).toContain('Usage: hface-ts client URL…');
    },
  );

  it.each([
    ['-d', '-h', 'u'],
    ['-H', '--help', 'u'],
    ['--', '-h'],
  ])('is no value and no word: %j', async (...words) => {
    expect(await parseCommand(words, clientCommand, new TestContext())).toBeDefined();
  });

  it.each([serverCommand, clientCommand, certCommand])('names every option of $command in any width', (description) => {
    for (const columns of [20, 60, 80, 100, 500]) {
      const text = helpText(description, columns);
      for (const { name } of description.options) expect(text).toMatch(new RegExp(`--${name}\\b`));
      expect(text).not.toMatch(/undefined|[ \t]$/m);
      if (columns >= 80) expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    }
    expect(
      helpText(description, 80)
        .split('\n')
        .filter((line) => line.length > 80 && !line.includes('hface-ts')),
    ).toEqual([]);
  });
});
