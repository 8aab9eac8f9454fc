/**
 * The values of a command's options, as its code asks for them.
 *
 * @module
 */
import { ConfigurationError } from '../src/common/index.ts';

/** The values of a command's options. Asking for a name that has no row is a mistake in the program and throws. */
export class OptionValues {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #names: ReadonlySet<string>;
  readonly #order: readonly string[];
  /** The words that are no options. */
  readonly words: readonly string[];

  /** @param order - the names of all options given, in the order in which they stood */
  constructor(
    values: ReadonlyMap<string, readonly string[]>,
    names: ReadonlySet<string>,
    words: readonly string[],
    order: readonly string[],
  ) {
    this.#values = values;
    this.#names = names;
    this.#order = order;
    this.words = words;
  }

  /** Whether the option was given. */
  has(name: string): boolean {
    return this.list(name).length > 0;
  }

  /** The last value given, or `undefined`. */
  text(name: string): string | undefined {
    return this.list(name).at(-1);
  }

  /** All values in their order. */
  list(name: string): readonly string[] {
    if (!this.#names.has(name)) throw new Error(`the option table has no row ${name}`);
    return this.#values.get(name) ?? [];
  }

  /** The values of several options, in the order in which they stood. */
  sequence<Name extends string>(names: readonly Name[]): (readonly [name: Name, value: string])[] {
    const left = new Map(names.map((name) => [name, [...this.list(name)]]));
    const wanted = this.#order.filter((name): name is Name => left.has(name as Name));
    return wanted.map((name) => [name, left.get(name)?.shift() ?? ''] as const);
  }

  /** A decimal number in a range. @throws ConfigurationError for anything else */
  number(name: string, least: number, most: number): number | undefined {
    return this.#number(name, /^\d{1,15}(?:\.\d{1,15})?$/, 'number', least, most);
  }

  /** A whole number in a range. @throws ConfigurationError for anything else */
  integer(name: string, least: number, most: number): number | undefined {
    return this.#number(name, /^\d{1,15}$/, 'whole number', least, most);
  }

  #number(name: string, form: RegExp, what: string, least: number, most: number): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = form.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new ConfigurationError(`option --${name} cannot be "${value}"`, {
      code: 'ERR_USAGE',
      hint: `a ${what} from ${String(least)} to ${String(most)}`,
    });
  }
}
