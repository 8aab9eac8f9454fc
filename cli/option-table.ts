/**
 * Options as data: what the parser, the help text, the completion and the documentation are made from.
 *
 * Owns the shape of a row. Each command owns its own rows.
 *
 * @module
 */

/** What an option takes. `flag`: nothing. `text`: a value, the last one counts. `list`: a value each time it is given. */
export type OptionKind = 'flag' | 'count' | 'text' | 'list';

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
