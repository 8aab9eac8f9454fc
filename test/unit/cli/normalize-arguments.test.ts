import { describe, expect, it } from 'vitest';
import { clientCommand } from '../../../cli/client/options.ts';
import type { ArgumentRules } from '../../../cli/normalize-arguments.ts';
import { normalizeArguments } from '../../../cli/normalize-arguments.ts';
import { alignmentDistance, suggest } from '../../../cli/suggest.ts';

const rules: ArgumentRules = clientCommand;

describe('normalizeArguments', () => {
  it.each([
    [
      ['-XPOST', 'u'],
      ['--request=POST', '--', 'u'],
    ],
    [
      ['-X', 'POST', 'u'],
      ['--request=POST', '--', 'u'],
    ],
    [
      ['-ofile', 'u'],
      ['--output=file', '--', 'u'],
    ],
    [
      ['-d', '--x', 'u'],
      ['--data=--x', '--', 'u'],
    ],
    [
      ['--data', '--x', 'u'],
      ['--data=--x', '--', 'u'],
    ],
    [
      ['-H', '-a: b', 'u'],
      ['--header=-a: b', '--', 'u'],
    ],
    [
      ['-sSk', 'u'],
      ['--silent', '--show-error', '--insecure', '--', 'u'],
    ],
    [['-sXPUT'], ['--silent', '--request=PUT', '--']],
    [['--data=a=b'], ['--data=a=b', '--']],
    [['--data='], ['--data=', '--']],
    [
      ['-d', ''],
      ['--data=', '--'],
    ],
    [
      ['u', '-v', 'w'],
      ['--verbose', '--', 'u', 'w'],
    ],
    [
      ['-v', '--', '-v'],
      ['--verbose', '--', '-v'],
    ],
    [['-'], ['--', '-']],
    [
      ['-o', '-', 'u'],
      ['--output=-', '--', 'u'],
    ],
    [['--no-dev-ca'], ['--no-dev-ca', '--']],
  ])('%j becomes %j', (words, expected) => {
    expect(normalizeArguments(words, rules)).toEqual(expected);
  });

  it.each([
    [['--heade', 'x'], 'unknown option --heade: did you mean --header?', 'hface-ts client --help'],
    [['-zeader', 'x'], 'unknown option -zeader: did you mean --header?', 'hface-ts client --help'],
    [['-include'], 'unknown option -include: did you mean --include?', '--include, with two dashes'],
    [['-verbose'], 'unknown option -verbose: did you mean --verbose?', '--verbose, with two dashes'],
    [['--proxy', 'x'], '--proxy is an option of curl that hface-ts client does not have', 'hface-ts client --help'],
    [['-x', 'x'], '-x is an option of curl', 'hface-ts client --help'],
    [['-d'], 'option -d needs a value', 'hface-ts client -d DATA'],
    [['--data'], 'option --data needs a value', 'hface-ts client --data DATA'],
    [['--verbose=1'], 'option --verbose takes no value', '--verbose alone'],
    [['--zzzzzzzz'], 'unknown option --zzzzzzzz', 'hface-ts client --help'],
  ])('%j is refused', (words, message, hint) => {
    let caught: unknown;
    try {
      normalizeArguments(words, rules);
    } catch (error) {
      caught = error;
    }
    expect(caught).toMatchObject({ code: 'ERR_USAGE' });
    expect((caught as Error).message).toContain(message);
    expect((caught as { hint: string }).hint).toContain(hint);
  });

  it('gives every row a name and a letter of its own', () => {
    const names = clientCommand.options.map((row) => row.name);
    const letters = clientCommand.options.flatMap((row) => row.short ?? []);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(letters).size).toBe(letters.length);
  });
});

describe('suggest', () => {
  it.each([
    ['servre', 'server'],
    ['sever', 'server'],
    ['clinet', 'client'],
    ['xyz', undefined],
  ])('%s: %s', (word, expected) => {
    expect(suggest(word, ['server', 'client', 'cert'])).toBe(expected);
  });

  it('counts a swap of neighbours as one edit', () => {
    expect(alignmentDistance('ab', 'ba')).toBe(1);
    expect(alignmentDistance('kitten', 'sitting')).toBe(3);
    expect(alignmentDistance('', 'abc')).toBe(3);
  });
});
