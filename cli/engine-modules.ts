/**
 * Which versions and which implementations of them: `--http1`, `--http2`, `--http3`, `--tcp`, `--http1-impl`,
 * `--http2-impl`, `--http3-impl`, and `--engine-module FILE` for modules that register further implementations.
 *
 * Owns how such a module does it: it exports a function `register`, which is called with the registry; or it calls
 * `protocolRegistry.register` (of HTTP/3 `registerQuic`) of `hface-ts/protocols` itself while it is loaded, which
 * reaches this registry only if it finds this very installation.
 *
 * @module
 */
import path from 'node:path';
import { protocolRegistry } from '../src/protocols/index.ts';
// The defaults register our own engines.
import type { ProtocolChoice } from '../src/connections/index.ts';
import '../src/connections/index.ts';
import { importModule, placeOf } from './import-module.ts';
import type { OptionValues } from './option-values.ts';
import { CommandError, messageOf, usageError } from './report.ts';
import { suggest } from './suggest.ts';

/** The name of our implementations. */
export const OURS = 'hface';

/** The versions over TCP. */
const overTcp = ['http1', 'http2'] as const;
/** The versions, of each of which an implementation can be chosen. */
const versions = ['http1', 'http2', 'http3'] as const;
type Version = (typeof versions)[number];

/** What registers implementations. */
interface EngineEntry {
  register(registry: typeof protocolRegistry): void | Promise<void>;
}

/** Implementations beside ours that come with this package, each loaded when it is named. */
const shipped: Readonly<Record<Version, Readonly<Record<string, () => Promise<EngineEntry>>>>> = {
  http1: { node: () => import('../src/engines/node-http/index.ts') },
  http2: {
    node: () => import('../src/engines/node-http2/index.ts'),
    wrapper: () => import('../src/engines/http2-wrapper/index.ts'),
  },
  http3: {},
};

/**
 * The versions that the options allow: those named, or all. Nothing outside the set is fallen back to.
 *
 * @throws CommandError (usage) for HTTP/3 over TCP
 */
export function chooseProtocol(values: OptionValues): ProtocolChoice {
  const named = versions.filter((version) => values.has(version));
  if (values.has('tcp') && values.has('http3')) {
    throw usageError('--http3 runs over UDP, and --tcp leaves it out', 'one of the two');
  }
  if (named.length > 0) return named;
  return values.has('tcp') ? 'tcp' : 'all';
}

/**
 * The versions that a client may speak. As curl has it, `--http3` goes first and falls back, `--http3-only` does not.
 *
 * @throws CommandError (usage) for what excludes each other
 */
export function chooseClientProtocol(values: OptionValues): ProtocolChoice {
  if (values.has('http3-only')) {
    const other = ['tcp', ...overTcp].find((name) => values.has(name));
    if (other !== undefined) throw usageError(`--http3-only and --${other} exclude each other`, 'one of the two');
    return ['http3'];
  }
  const choice = chooseProtocol(values);
  return values.has('http3') && typeof choice === 'object' && choice.length === 1
    ? ['http3', 'http2', 'http1']
    : choice;
}

/** Whether HTTP/3 alone is spoken. */
export function isHttp3Only(values: OptionValues): boolean {
  return values.has('http3') && !overTcp.some((version) => values.has(version));
}

/** The implementations that `--http1-impl` and its kin name, or ours. @throws CommandError (usage) for unknown names */
export function chooseImplementations(values: OptionValues): Readonly<Record<Version, string>> {
  return {
    http1: chooseImplementation(values, 'http1'),
    http2: chooseImplementation(values, 'http2'),
    http3: chooseImplementation(values, 'http3'),
  };
}

function chooseImplementation(values: OptionValues, version: Version): string {
  const name = values.text(`${version}-impl`) ?? OURS;
  if (name === OURS) return name;
  const names = implementationNames(version);
  if (registeredNames(version).includes(name)) return name;
  const near = suggest(name, names);
  throw usageError(
    `option --${version}-impl cannot be "${name}"`,
    near === undefined ? `one of: ${names.join(', ')}; more with --engine-module` : `--${version}-impl ${near}`,
  );
}

/** All names that can be given: ours, those that come with this package, those that modules have registered. */
function implementationNames(version: Version): string[] {
  return [...new Set([OURS, ...Object.keys(shipped[version]), ...registeredNames(version)])];
}

function registeredNames(version: Version): string[] {
  const entries = version === 'http3' ? protocolRegistry.quicEntries() : protocolRegistry.entries(version);
  return entries.map((entry) => entry.name);
}

/** How many implementations are registered, of all versions. */
function registeredCount(): number {
  return protocolRegistry.entries().length + protocolRegistry.quicEntries().length;
}

/**
 * Loads the modules of `--engine-module`, in order, and what `--http1-impl` and its kin name of the implementations that
 * come with this package.
 *
 * @throws CommandError when a module cannot be loaded, throws, or registers nothing
 */
export async function loadEngines(values: OptionValues, directory: string): Promise<void> {
  await loadEngineModules(values.list('engine-module'), directory);
  for (const version of versions) {
    const name = values.text(`${version}-impl`);
    const load = name === undefined ? undefined : shipped[version][name];
    if (name === undefined || load === undefined) continue;
    if (registeredNames(version).includes(name)) continue;
    await (await load()).register(protocolRegistry);
  }
}

/** Loads the modules, in order. @throws CommandError when one cannot be loaded, throws, or registers nothing */
export async function loadEngineModules(files: readonly string[], directory: string): Promise<void> {
  for (const file of files) await loadOne(path.resolve(directory, file));
}

async function loadOne(file: string): Promise<void> {
  const before = registeredCount();
  const { register } = await importModule(file, 'the engine module');
  if (typeof register === 'function') {
    try {
      await (register as (registry: typeof protocolRegistry) => unknown)(protocolRegistry);
    } catch (error) {
      const cause = `the engine module failed in register: ${messageOf(error)}`;
      throw new CommandError({ cause, place: placeOf(error) ?? file, next: undefined }, 1, error);
    }
  }
  if (registeredCount() > before) return;
  throw new CommandError({
    cause: 'the engine module registered no implementation',
    place: file,
    next: 'export function register(registry) { registry.register({ version, name, … }); }',
  });
}
