/**
 * Options as data: what the parser, the help text and the documentation are made from.
 *
 * Owns the shape of a row and of a command. Each command owns its own rows.
 *
 * @module
 */

/** What an option takes. `flag`: nothing. `text`: a value, the last one counts. `list`: a value each time it is given. */
export type OptionKind = 'flag' | 'text' | 'list';

/** One option of one command. */
export interface OptionRow {
  /** Without dashes: `data`. */
  readonly name: string;
  /** One letter, or `undefined`. */
  readonly short: string | undefined;
  readonly kind: OptionKind;
  /** What stands for the value in the help: `FILE`. Empty for flags. */
  readonly value: string;
  readonly description: string;
  /** The values that are allowed, or `undefined` for any. */
  readonly choices: readonly string[] | undefined;
}

/** Options that belong together, for the help text. */
export interface OptionSection {
  readonly title: string;
  readonly options: readonly OptionRow[];
}

/** All that the parser, the help text and the documentation need to know of a command. */
export interface CommandDescription {
  /** `client` */
  readonly command: string;
  /** `hface-ts server APP|DIR [ENDPOINT…]` */
  readonly usage: string;
  /** One or two sentences. */
  readonly summary: string;
  readonly options: readonly OptionRow[];
  /** The same options under headings; without, they stand under one. */
  readonly sections?: readonly OptionSection[];
  /** Options that users of curl know and that this command lacks, without dashes: refused by name. */
  readonly refused: ReadonlySet<string>;
  readonly examples: readonly CommandExample[];
  /** How many words that are no options are needed and allowed. */
  readonly words: { readonly least: number; readonly most: number; readonly name: string };
}

/** A command line and what it does. */
export type CommandExample = readonly [command: string, meaning: string];

/** The option that each command has. */
export const helpOption: OptionRow = flag('help', 'h', 'this text');

/** A flag's row. */
export function flag(name: string, short: string | undefined, description: string): OptionRow {
  return { name, short, kind: 'flag', value: '', description, choices: undefined };
}

/** The row of an option that takes one value. */
export function text(
  name: string,
  short: string | undefined,
  value: string,
  description: string,
  choices?: readonly string[],
): OptionRow {
  return { name, short, kind: 'text', value, description, choices };
}

/** The row of an option that may be given several times. */
export function list(name: string, short: string | undefined, value: string, description: string): OptionRow {
  return { name, short, kind: 'list', value, description, choices: undefined };
}

/** `-d, --data DATA` */
export function spelling(row: OptionRow): string {
  const short = row.short === undefined ? '' : `-${row.short}, `;
  return `${short}--${row.name}${row.value === '' ? '' : ` ${row.value}`}`;
}

/** The description with the values that are allowed. */
export function meaning(row: OptionRow): string {
  return row.choices === undefined ? row.description : `${row.description}: ${row.choices.join(', ')}`;
}
