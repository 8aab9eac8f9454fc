/**
 * The pass before yargs: turns curl's ways of writing options into `--name=value`, and refuses what is unknown.
 *
 * Owns the reading of the raw words: attached values (`-XPOST`, `-ofile`), clusters (`-sS`), values that begin with a
 * dash (`-d --x`, `-H '-a: b'`), `--`. Types, help and everything after are yargs'. A word that is no option stays as
 * it is; what follows `--` is never an option.
 *
 * @module
 */
import { ConfigurationError } from '../src/common/index.ts';
import type { OptionRow } from './option-table.ts';
import { suggest } from './suggest.ts';

/** What the pass needs to know of a command. */
export interface ArgumentRules {
  /** `client` */
  readonly command: string;
  readonly options: readonly OptionRow[];
  /** Options that users of curl know and that this command lacks, without dashes: refused by name. */
  readonly refused: ReadonlySet<string>;
}

/**
 * The words with every option as `--name` or `--name=value`, and all others behind them unchanged.
 *
 * @throws ConfigurationError for an unknown option (with the nearest known one) and for a missing or superfluous value
 */
export function normalizeArguments(words: readonly string[], rules: ArgumentRules): string[] {
  const byName = new Map(rules.options.map((row) => [row.name, row]));
  const byShort = new Map(rules.options.flatMap((row) => (row.short === undefined ? [] : [[row.short, row] as const])));
  const options: string[] = [];
  const others: string[] = [];

  for (let index = 0; index < words.length; index++) {
    const word = words[index] as string;
    if (word === '--') {
      others.push(...words.slice(index + 1));
      break;
    }
    if (word === '-' || !word.startsWith('-')) {
      others.push(word);
      continue;
    }
    index += word.startsWith('--') ? readLong(word, words[index + 1]) : readCluster(word, words[index + 1]);
  }
  return [...options, '--', ...others];

  /** Returns how many further words were used up. */
  function readLong(word: string, next: string | undefined): number {
    const equals = word.indexOf('=');
    const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
    const row = byName.get(name);
    if (row === undefined) throw unknownOption(`--${name}`, name, rules);
    if (takesValue(row)) {
      if (equals !== -1) return push(row, word.slice(equals + 1), 0);
      if (next === undefined) throw missingValue(`--${name}`, row, rules);
      return push(row, next, 1);
    }
    if (equals !== -1) {
      throw new ConfigurationError(`option --${name} takes no value`, { code: 'ERR_USAGE', hint: `write --${name} alone` });
    }
    options.push(`--${name}`);
    return 0;
  }

  function readCluster(word: string, next: string | undefined): number {
    for (let position = 1; position < word.length; position++) {
      const letter = word[position] as string;
      const row = byShort.get(letter);
      if (row === undefined) throw unknownOption(position === 1 && word.length > 2 ? word : `-${letter}`, letter, rules);
      if (!takesValue(row)) {
        options.push(`--${row.name}`);
        continue;
      }
      if (position + 1 < word.length) return push(row, word.slice(position + 1), 0);
      if (next === undefined) throw missingValue(`-${letter}`, row, rules);
      return push(row, next, 1);
    }
    return 0;
  }

  function push(row: OptionRow, value: string, used: number): number {
    if (row.choices !== undefined && !row.choices.includes(value)) {
      const near = suggest(value, row.choices);
      throw new ConfigurationError(`option --${row.name} cannot be "${value}"`, {
        code: 'ERR_USAGE',
        hint: near === undefined ? `choose one of: ${row.choices.join(', ')}` : `did you mean ${near}?`,
      });
    }
    options.push(`--${row.name}=${value}`);
    return used;
  }
}

function takesValue(row: OptionRow): boolean {
  return row.kind === 'text' || row.kind === 'list';
}

function missingValue(spelling: string, row: OptionRow, rules: ArgumentRules): ConfigurationError {
  return new ConfigurationError(`option ${spelling} needs a value`, {
    code: 'ERR_USAGE',
    hint: `hface-ts ${rules.command} ${spelling} ${row.value}`,
  });
}

function unknownOption(spelling: string, name: string, rules: ArgumentRules): ConfigurationError {
  if (rules.refused.has(name)) {
    return new ConfigurationError(`${spelling} is an option of curl that hface-ts ${rules.command} does not have`, {
      code: 'ERR_USAGE',
      hint: `hface-ts ${rules.command} --help lists those it has`,
    });
  }
  const near = name.length > 1 ? suggest(name, rules.options.map((row) => row.name)) : undefined;
  return new ConfigurationError(`unknown option ${spelling}`, {
    code: 'ERR_USAGE',
    hint: near === undefined ? `hface-ts ${rules.command} --help` : `did you mean --${near}?`,
  });
}
