/**
 * From raw words to the values of a command's options.
 *
 * Owns the use of yargs, which is loaded here and only when a command is parsed. Reading curl's spellings and refusing
 * unknown options happens before, in normalize-arguments.ts; the help text is help-text.ts.
 *
 * @module
 */
import { ConfigurationError } from '../src/common/index.ts';
import { helpText } from './help-text.ts';
import { normalizeArguments } from './normalize-arguments.ts';
import type { CommandDescription } from './option-table.ts';
import { helpOption } from './option-table.ts';
import { OptionValues } from './option-values.ts';

/** Where the help goes. */
export interface HelpOutput {
  print(text: string): void;
  readonly columns: number;
}

/**
 * Reads a command line. `undefined` when `--help` was asked for: the help was printed.
 *
 * @throws ConfigurationError (ERR_USAGE)
 */
export async function parseCommand(
  words: readonly string[],
  description: CommandDescription,
  output: HelpOutput,
): Promise<OptionValues | undefined> {
  const normalized = normalizeArguments(words, description);
  if (normalized.slice(0, normalized.indexOf('--')).includes(`--${helpOption.name}`)) {
    output.print(helpText(description, output.columns));
    return undefined;
  }
  const { default: yargs } = await import('yargs');
  const parser = yargs()
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'duplicate-arguments-array': true,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': false,
      'short-option-groups': false,
      'strip-dashed': false,
      'unknown-options-as-args': false,
    })
    .help(false)
    .version(false)
    .locale('en')
    .exitProcess(false)
    .strictOptions()
    .fail((message: string, error: Error | undefined) => {
      throw error ?? usage(message, `hface-ts ${description.command} --help`);
    });
  for (const row of description.options) {
    parser.option(row.name, { type: row.kind === 'flag' ? 'boolean' : 'string', array: true });
  }
  const parsed = (await parser.parseAsync(shielded(normalized))) as Readonly<Record<string, unknown>>;
  const values = new Map<string, readonly string[]>();
  for (const { name, kind } of description.options) {
    const value = parsed[name];
    if (Array.isArray(value)) values.set(name, kind === 'flag' ? value.map(String) : value.map(unshielded));
  }
  const others = (parsed['_'] as readonly unknown[]).map(String);
  checkWords(others, description);
  const order = normalized.slice(0, normalized.indexOf('--')).map((word) => word.slice(2).replace(/=.*/s, ''));
  return new OptionValues(values, new Set(description.options.map((row) => row.name)), others, order);
}

/** yargs takes quotes away that stand around a value, but `-d '"text"'` means them: so no value begins with one. */
function shielded(words: readonly string[]): string[] {
  const end = words.indexOf('--');
  return words.map((word, index) => (index < end ? word.replace('=', `=${SHIELD}`) : word));
}

function unshielded(value: unknown): string {
  return String(value).slice(SHIELD.length);
}

function checkWords(words: readonly string[], description: CommandDescription): void {
  const { least, most, name } = description.words;
  if (words.length < least) throw usage(`hface-ts ${description.command} needs ${name}`, description.usage);
  if (words.length > most) throw usage(`one word too many: ${words[most] as string}`, description.usage);
}

function usage(message: string, hint: string): ConfigurationError {
  return new ConfigurationError(message, { code: 'ERR_USAGE', hint });
}

const SHIELD = '=';
