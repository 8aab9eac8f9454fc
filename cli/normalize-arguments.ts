/**
 * The pass before yargs: turns curl's ways of writing options into `--name=value`, and refuses what is unknown.
 *
 * Owns the reading of the raw words: attached values (`-XPOST`, `-ofile`), clusters (`-sS`), values that begin with a
 * dash (`-d --x`, `-H '-a: b'`), `--`, and the values that an option allows. Types and everything after are yargs'. A
 * word that is no option stays as it is; what follows `--` is never an option.
 *
 * @module
 */
import { ConfigurationError } from '../src/common/index.ts';
import type { CommandDescription, OptionRow } from './option-table.ts';
import { helpOption } from './option-table.ts';
import { suggest } from './suggest.ts';

/** What the pass needs to know of a command. */
export type ArgumentRules = Pick<CommandDescription, 'command' | 'options' | 'refused'>;

/**
 * The words with every option as `--name` or `--name=value`, then `--`, then all others unchanged.
 *
 * @throws ConfigurationError for an unknown option (with the nearest known one) and for a missing or superfluous value
 */
export function normalizeArguments(words: readonly string[], rules: ArgumentRules): string[] {
  return new Pass(rules).run(words);
}

class Pass {
  readonly #rules: ArgumentRules;
  readonly #byName: ReadonlyMap<string, OptionRow>;
  readonly #byShort: ReadonlyMap<string, OptionRow>;
  readonly #options: string[];

  constructor(rules: ArgumentRules) {
    const rows = [...rules.options, helpOption];
    this.#rules = rules;
    this.#byName = new Map(rows.map((row) => [row.name, row]));
    this.#byShort = new Map(rows.flatMap((row) => (row.short === undefined ? [] : [[row.short, row] as const])));
    this.#options = [];
  }

  run(words: readonly string[]): string[] {
    const others: string[] = [];
    for (let index = 0; index < words.length; index += 1) {
      const word = words[index] as string;
      if (word === '--') {
        others.push(...words.slice(index + 1));
        break;
      }
      const next = words[index + 1];
      if (word === '-' || !word.startsWith('-')) others.push(word);
      else index += word.startsWith('--') ? this.#long(word, next) : this.#cluster(word, next);
    }
    return [...this.#options, '--', ...others];
  }

  /** Returns how many further words were used up. */
  #long(word: string, next: string | undefined): number {
    const equals = word.indexOf('=');
    const name = equals === -1 ? word.slice(2) : word.slice(2, equals);
    const row = this.#byName.get(name);
    if (row === undefined) throw unknownOption(`--${name}`, name, this.#rules);
    if (row.kind !== 'flag') {
      if (equals !== -1) return this.#push(row, word.slice(equals + 1), 0);
      if (next === undefined) throw missingValue(`--${name}`, row, this.#rules);
      return this.#push(row, next, 1);
    }
    if (equals !== -1) throw usage(`option --${name} takes no value`, `--${name} alone`);
    this.#options.push(`--${name}`);
    return 0;
  }

  /** `-sS`, `-XPOST`, `-X POST`. Returns how many further words were used up. */
  #cluster(word: string, next: string | undefined): number {
    // `-verbose` could be read as `-v -e rbose`, which nobody means; `-data` is `-d ata`, which somebody may.
    const first = this.#byShort.get(word[1] as string);
    if (first?.kind === 'flag' && word.length > 3 && this.#byName.has(word.slice(1))) throw oneDash(word);
    for (let position = 1; position < word.length; position += 1) {
      const letter = word[position] as string;
      const row = this.#byShort.get(letter);
      if (row === undefined) throw this.#unknownLetter(word, letter);
      if (row.kind === 'flag') {
        this.#options.push(`--${row.name}`);
        continue;
      }
      if (position + 1 < word.length) return this.#push(row, word.slice(position + 1), 0);
      if (next === undefined) throw missingValue(`-${letter}`, row, this.#rules);
      return this.#push(row, next, 1);
    }
    return 0;
  }

  /** `-verbose` and `-heade` are long names with a dash missing; `-Z` is a letter. */
  #unknownLetter(word: string, letter: string): ConfigurationError {
    const name = word.slice(1).replace(/=.*/s, '');
    if (this.#byName.has(name)) return oneDash(word);
    const isName = name.length > 2 && suggest(name, this.#byName.keys()) !== undefined;
    return isName ? unknownOption(word, name, this.#rules) : unknownOption(`-${letter}`, letter, this.#rules);
  }

  #push(row: OptionRow, value: string, used: number): number {
    if (row.choices !== undefined && !row.choices.includes(value)) {
      const near = suggest(value, row.choices);
      throw usage(
        `option --${row.name} cannot be "${value}"`,
        near === undefined ? `one of: ${row.choices.join(', ')}` : `--${row.name} ${near}`,
      );
    }
    this.#options.push(`--${row.name}=${value}`);
    return used;
  }
}

function oneDash(word: string): ConfigurationError {
  const name = word.slice(1).replace(/=.*/s, '');
  return usage(`unknown option ${word}: did you mean --${name}?`, `--${name}, with two dashes`);
}

function missingValue(given: string, row: OptionRow, rules: ArgumentRules): ConfigurationError {
  return usage(`option ${given} needs a value`, `hface-ts ${rules.command} ${given} ${row.value}`);
}

function unknownOption(given: string, name: string, rules: ArgumentRules): ConfigurationError {
  if (rules.refused.has(name)) {
    return usage(
      `${given} is an option of curl that hface-ts ${rules.command} does not have`,
      `hface-ts ${rules.command} --help lists those it has`,
    );
  }
  const names = rules.options.map((row) => row.name);
  const near = name.length > 1 ? suggest(name, names) : undefined;
  const question = near === undefined ? '' : `: did you mean --${near}?`;
  return usage(`unknown option ${given}${question}`, `hface-ts ${rules.command} --help`);
}

function usage(message: string, hint: string): ConfigurationError {
  return new ConfigurationError(message, { code: 'ERR_USAGE', hint });
}
