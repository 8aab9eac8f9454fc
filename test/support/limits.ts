/**
 * What the limits of the library are, and the mark of a test that trips one. test/limits/README.md says how it is used,
 * test/limits/coverage.test.ts checks that no limit is without such a test.
 *
 * @module
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import type { LimitDefinition, LimitTable } from '../../src/common/index.ts';
import { filesBelow, read, root } from './repository.ts';

/**
 * Says that the test that calls it trips these limits: `tripsLimit('http1ServerLimits.maxHeaderBytes')`. To be called in
 * the body of a test, with literals: the table's exported name and the limit's.
 *
 * @throws Error outside a test
 */
export function tripsLimit(...names: readonly `${string}.${string}`[]): void {
  if (expect.getState().currentTestName === undefined) throw new Error('tripsLimit is for the body of a test');
  if (names.length === 0) throw new Error('tripsLimit needs a name');
}

/** The files that may declare limits, from the root. */
export function limitFiles(): string[] {
  return filesBelow('src', '.ts').filter((file) => path.posix.basename(file) === 'limits.ts' && file !== OWN_TYPES);
}

/** The files that use the type of a limit although they are no limits.ts, nor rows that several of those have. */
export function straysWithLimits(): string[] {
  const allowed = new Set([...limitFiles(), OWN_TYPES]);
  return filesBelow('src', '.ts').filter(
    (file) =>
      !allowed.has(file) && path.posix.basename(file) !== 'limit-rows.ts' && /\bLimitDefinition\b/.test(codeOf(file)),
  );
}

/** An index.ts names the type to export it. */
function codeOf(file: string): string {
  return read(file).replaceAll(/^export [^;]*;/gm, '');
}

/** All tables by their exported names, from every limits.ts of the library. */
export async function limitTables(): Promise<ReadonlyMap<string, LimitTable>> {
  const tables = new Map<string, LimitTable>();
  for (const file of limitFiles()) {
    const module = (await import(pathToFileURL(path.join(root, file)).href)) as Readonly<Record<string, unknown>>;
    for (const [name, value] of Object.entries(module)) {
      if (!isLimitTable(value)) continue;
      if (tables.has(name)) throw new Error(`two tables are called ${name}`);
      tables.set(name, value);
    }
  }
  return tables;
}

function isLimitTable(value: unknown): value is LimitTable {
  if (typeof value !== 'object' || value === null) return false;
  const members: unknown[] = Object.values(value);
  return members.length > 0 && members.every(isLimit);
}

function isLimit(value: unknown): value is LimitDefinition {
  return typeof value === 'object' && value !== null && 'unit' in value && 'default' in value && 'answers' in value;
}

const OWN_TYPES = 'src/common/limits.ts';
