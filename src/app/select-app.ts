/**
 * The app among what a module exports.
 *
 * Owns the order in which names are looked up and the message that lists what was found instead. Importing the module
 * is the caller's work.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import type { AppStyle } from './app-types.ts';
import type { App } from './mount.ts';
import { describeValue, styleOf } from './styles.ts';

/** The names that are looked up, in this order. */
export const appExportNames: readonly string[] = ['default', 'app', 'application', 'handler'];

/** How an app is chosen from a module's exports. */
export interface SelectAppOptions {
  /** What the module is called in messages. Default `the module`. */
  readonly moduleName?: string;
  /** The export to take instead of looking: `module:export` of the command line. */
  readonly exportName?: string | undefined;
  /** The style to assume whatever the app looks like. */
  readonly style?: AppStyle | undefined;
}

/** An app and its style. */
export interface SelectedApp {
  /** What was exported: `checkApp` tells whether it can be served. */
  readonly app: App;
  readonly style: AppStyle;
  /** The export that it was: `default`, `app`, `default.app` … */
  readonly exportName: string;
}

/**
 * Finds the app among a module's exports.
 *
 * @throws ConfigurationError that lists what is there
 */
export function selectApp(exports: Readonly<Record<string, unknown>>, options: SelectAppOptions = {}): SelectedApp {
  const { exportName } = options;
  if (exportName !== undefined) {
    const value = lookUp(exports, exportName);
    const style = styleOfExport(value, options.style);
    if (style !== undefined) return { app: value as App, style, exportName };
    throw noApp(exports, options);
  }
  for (const name of appExportNames) {
    const value = own(exports, name);
    const style = styleOfExport(value, options.style);
    if (style !== undefined) return { app: value as App, style, exportName: name };
  }
  // A CommonJS module comes as its default export: the names stand inside.
  const inner = own(exports, 'default');
  if (typeof inner === 'object' && inner !== null) {
    for (const name of appExportNames) {
      const value = own(inner as Readonly<Record<string, unknown>>, name);
      const style = styleOfExport(value, options.style);
      if (style !== undefined) return { app: value as App, style, exportName: `default.${name}` };
    }
  }
  throw noApp(exports, options);
}

function styleOfExport(value: unknown, wanted: AppStyle | undefined): AppStyle | undefined {
  if (wanted === undefined) return styleOf(value);
  const callable =
    typeof value === 'function' || (typeof value === 'object' && value !== null && styleOf(value) !== undefined);
  return callable ? wanted : undefined;
}

/** A name, with dots for what stands inside. */
function lookUp(exports: Readonly<Record<string, unknown>>, path: string): unknown {
  let value: unknown = exports;
  for (const name of path.split('.')) {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined;
    const holder = value as Readonly<Record<string, unknown>>;
    value = own(holder, name) ?? (value === exports ? ownOfDefault(holder, name) : undefined);
  }
  return value;
}

function ownOfDefault(exports: Readonly<Record<string, unknown>>, name: string): unknown {
  const inner = own(exports, 'default');
  return typeof inner === 'object' && inner !== null
    ? own(inner as Readonly<Record<string, unknown>>, name)
    : undefined;
}

function own(holder: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

function noApp(exports: Readonly<Record<string, unknown>>, options: SelectAppOptions): ConfigurationError {
  const name = options.moduleName ?? 'the module';
  const found = Object.keys(exports)
    .slice(0, MAX_LISTED)
    .map((key) => `${key} (${describeValue(exports[key])})`);
  const list = found.length === 0 ? 'nothing' : found.join(', ');
  const what = options.exportName === undefined ? 'no app' : `no app named ${options.exportName}`;
  return new ConfigurationError(`${name} exports ${what}, only ${list}`, {
    code: 'ERR_APP_EXPORT',
    hint:
      options.exportName === undefined
        ? `export a function or an object with fetch as one of: ${appExportNames.join(', ')}`
        : 'name the export that is a function or an object with fetch',
  });
}

const MAX_LISTED = 12;
