/**
 * From raw words to the values of a command's options, and its help text.
 *
 * Owns the use of yargs, which is loaded here and only when a command is parsed. Reading curl's spellings and refusing
 * unknown options happens before, in normalize-arguments.ts.
 *
 * @module
 */
import { ConfigurationError } from '../src/common/index.ts';
import type { ArgumentRules } from './normalize-arguments.ts';
import { normalizeArguments } from './normalize-arguments.ts';

/** All that the parser and the help text need to know of a command. */
export interface CommandDescription extends ArgumentRules {
  /** `hface-ts server APP|DIR [ENDPOINT…]` */
  readonly usage: string;
  /** One line. */
  readonly summary: string;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** How many words that are no options are needed and allowed. */
  readonly words: { readonly least: number; readonly most: number; readonly name: string };
}

/** The values of a command's options. Asking for a name that has no row is a mistake in the program and throws. */
export class OptionValues {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #names: ReadonlySet<string>;
  /** The words that are no options. */
  readonly words: readonly string[];

  constructor(values: ReadonlyMap<string, readonly string[]>, names: ReadonlySet<string>, words: readonly string[]) {
    this.#values = values;
    this.#names = names;
    this.words = words;
  }

  /** Whether the option was given. */
  has(name: string): boolean {
    return this.#all(name).length > 0;
  }

  /** The last value given, or `undefined`. */
  text(name: string): string | undefined {
    return this.#all(name).at(-1);
  }

  /** All values in their order. */
  list(name: string): readonly string[] {
    return this.#all(name);
  }

  /** A number of at least `least`. @throws ConfigurationError for anything else */
  number(name: string, least: number, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : Number.NaN;
    if (Number.isNaN(number) || number < least || number > most) {
      throw new ConfigurationError(`option --${name} cannot be "${value}"`, {
        code: 'ERR_USAGE',
        hint: `give a number of ${String(least)} or more${most === Number.MAX_SAFE_INTEGER ? '' : `, at most ${String(most)}`}`,
      });
    }
    return number;
  }

  #all(name: string): readonly string[] {
    if (!this.#names.has(name)) throw new Error(`the option table has no row ${name}`);
    return this.#values.get(name) ?? [];
  }
}

/**
 * Reads a command line. `undefined` when `--help` was asked for: the help was printed.
 *
 * @throws ConfigurationError (ERR_USAGE)
 */
export async function parseCommand(
  words: readonly string[],
  description: CommandDescription,
  print: (text: string) => void,
): Promise<OptionValues | undefined> {
  if (asksForHelp(words)) {
    print(await helpText(description));
    return undefined;
  }
  const normalized = normalizeArguments(words, description);
  const { default: yargs } = await import('yargs');
  const parser = yargs()
    .parserConfiguration({
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'boolean-negation': false,
      'camel-case-expansion': false,
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
      'short-option-groups': false,
      'strip-dashed': false,
      'unknown-options-as-args': false,
      'populate--': false,
    })
    .help(false)
    .version(false)
    .exitProcess(false)
    .strictOptions()
    .fail((message, error) => {
      throw error ?? new ConfigurationError(message, { code: 'ERR_USAGE', hint: `hface-ts ${description.command} --help` });
    });
  for (const row of description.options) {
    parser.option(row.name, row.kind === 'flag' || row.kind === 'count' ? { type: 'boolean', array: true } : { type: 'string', array: true });
  }
  const parsed = (await parser.parseAsync(normalized)) as Readonly<Record<string, unknown>>;
  const values = new Map<string, readonly string[]>();
  for (const row of description.options) {
    const value = parsed[row.name];
    if (Array.isArray(value)) values.set(row.name, value.map(String));
  }
  const others = (parsed['_'] as readonly unknown[]).map(String);
  checkWords(others, description);
  return new OptionValues(values, new Set(description.options.map((row) => row.name)), others);
}

/** `--help` or `-h` ahead of `--`, wherever it stands. */
function asksForHelp(words: readonly string[]): boolean {
  const end = words.indexOf('--');
  const options = end === -1 ? words : words.slice(0, end);
  return options.includes('--help') || options.includes('-h');
}

function checkWords(words: readonly string[], description: CommandDescription): void {
  const { least, most, name } = description.words;
  if (words.length < least) {
    throw new ConfigurationError(`hface-ts ${description.command} needs ${name}`, { code: 'ERR_USAGE', hint: description.usage });
  }
  if (words.length > most) {
    throw new ConfigurationError(`one word too many: ${words[most] as string}`, { code: 'ERR_USAGE', hint: description.usage });
  }
}

/** The help text: usage, options in two columns, examples. Laid out by yargs. */
async function helpText(description: CommandDescription): Promise<string> {
  const { default: yargs } = await import('yargs');
  const parser = yargs([])
    .scriptName('hface-ts')
    .usage(`${description.usage}\n\n${description.summary}`)
    .help(false)
    .version(false)
    .parserConfiguration({ 'boolean-negation': false })
    .wrap(Math.min(100, Math.max(60, process.stdout.columns ?? 100)));
  for (const row of description.options) {
    const value = row.value === '' ? '' : ` ${row.value}`;
    parser.option(row.name, {
      ...(row.short === undefined ? {} : { alias: row.short }),
      describe: `${row.description}${row.choices === undefined ? '' : `: ${row.choices.join(', ')}`}${value === '' ? '' : ` [${row.value}]`}`,
    });
  }
  for (const [command, meaning] of description.examples) parser.example(command, meaning);
  return parser.getHelp();
}
