/**
 * Limits as data: every bound has a name, a unit, a default and the attack that it answers.
 *
 * Owns the type and the reading of overrides. The limits themselves stand in one `limits.ts` per protocol or folder;
 * the documentation's table is made from them.
 *
 * @module
 */
import { ConfigurationError } from './errors.ts';

/** The unit that a limit counts in. */
export type LimitUnit = 'bytes' | 'milliseconds' | 'count' | 'bytes/second';

/** One limit. */
export interface LimitDefinition {
  /** What it counts in. */
  readonly unit: LimitUnit;
  /** The value in force when nothing else is asked for. `Infinity`: no limit. */
  readonly default: number;
  /** What happens when it is reached, and the attack or fault that it answers. */
  readonly answers: string;
}

/** The limits of one protocol or folder, by name. */
export type LimitTable = Readonly<Record<string, LimitDefinition>>;

/** The values in force. */
export type LimitValues<Table extends LimitTable> = { readonly [Name in keyof Table]: number };

/** What a user may override. */
export type LimitOptions<Table extends LimitTable> = { readonly [Name in keyof Table]?: number | undefined };

/**
 * The values in force: the defaults with the overrides laid over them.
 *
 * @param owner - what the limits belong to, for the message: `HTTP/1.1`
 * @throws ConfigurationError for a name that the table lacks and for a value that is negative or no number
 */
export function resolveLimits<Table extends LimitTable>(
  owner: string,
  table: Table,
  overrides: LimitOptions<Table> = {},
): LimitValues<Table> {
  const values: Record<string, number> = {};
  for (const [name, definition] of Object.entries(table)) values[name] = definition.default;
  for (const [name, value] of Object.entries<number | undefined>(overrides)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(table, name)) {
      throw new ConfigurationError(`${owner} has no limit named ${name}`, {
        hint: `limits: ${Object.keys(table).join(', ')}`,
      });
    }
    if (typeof value !== 'number' || Number.isNaN(value) || value < 0) {
      throw new ConfigurationError(
        `limit ${name} of ${owner} must be a number of ${table[name]?.unit ?? 'units'}, 0 or more`,
      );
    }
    values[name] = value;
  }
  // A copy: V8 may have made a dictionary of what was filled name by name, and these are read all the time.
  return { ...values } as LimitValues<Table>;
}
