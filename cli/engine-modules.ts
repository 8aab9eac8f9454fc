/**
 * `--engine-module FILE`: modules that register further implementations of a protocol.
 *
 * Owns how such a module does it: it exports a function `register`, which is called with the registry; or it calls
 * `protocolRegistry.register` of `hface-ts/protocols` itself while it is loaded, which reaches this registry only if it
 * finds this very installation.
 *
 * @module
 */
import path from 'node:path';
import { protocolRegistry } from '../src/protocols/index.ts';
// The defaults register our own engines.
import '../src/connections/index.ts';
import { importModule, placeOf } from './import-module.ts';
import type { OptionValues } from './option-values.ts';
import { CommandError, messageOf, usageError } from './report.ts';
import { suggest } from './suggest.ts';

/** The name of our implementations. */
export const OURS = 'hface';

/**
 * The implementation of HTTP/1 that `--http1-impl` names, or ours.
 *
 * @throws CommandError (usage) when there is none of that name
 */
export function chooseImplementation(values: OptionValues): string {
  const name = values.text('http1-impl') ?? OURS;
  const names = protocolRegistry.entries('http1').map((entry) => entry.name);
  if (names.includes(name)) return name;
  const near = suggest(name, names);
  throw usageError(
    `option --http1-impl cannot be "${name}"`,
    near === undefined ? `one of: ${names.join(', ')}; more with --engine-module` : `--http1-impl ${near}`,
  );
}

/** Loads the modules, in order. @throws CommandError when one cannot be loaded, throws, or registers nothing */
export async function loadEngineModules(files: readonly string[], directory: string): Promise<void> {
  for (const file of files) await loadOne(path.resolve(directory, file));
}

async function loadOne(file: string): Promise<void> {
  const before = protocolRegistry.entries().length;
  const { register } = await importModule(file, 'the engine module');
  if (typeof register === 'function') {
    try {
      await (register as (registry: typeof protocolRegistry) => unknown)(protocolRegistry);
    } catch (error) {
      const cause = `the engine module failed in register: ${messageOf(error)}`;
      throw new CommandError({ cause, place: placeOf(error) ?? file, next: undefined }, 1, error);
    }
  }
  if (protocolRegistry.entries().length > before) return;
  throw new CommandError({
    cause: 'the engine module registered no implementation',
    place: file,
    next: 'export function register(registry) { registry.register({ version, name, … }); }',
  });
}
