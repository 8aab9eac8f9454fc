/**
 * Which of the three interfaces an app is written for.
 *
 * Owns the rules, none of which counts a function's arguments (an Express app has three, like ASGI): what `asgi` and
 * `nodeApp` or the property `Symbol.for('hface.style')` say; an object with `fetch`; what Express, Koa and Fastify
 * look like; any other function is Fetch-style.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import type { AppStyle } from './app-types.ts';
import type { AsgiApp } from './asgi-types.ts';

/** The property that says an app's style: `app[Symbol.for('hface.style')] = 'asgi'`. */
export const styleSymbol: unique symbol = Symbol.for('hface.style');

/** An app that says its style. */
export interface StyledApp {
  readonly [styleSymbol]: AppStyle;
}

/** A Node-style app: a function of a request and a response, or a framework's object that can make one. */
export type NodeApp = ((request: never, response: never, ...rest: never[]) => unknown) | object;

/** All styles, in the order in which messages list them. */
export const appStyles: readonly AppStyle[] = ['fetch', 'asgi', 'node'];

/** Says that a function is ASGI-style. */
export function asgi(app: AsgiApp): AsgiApp & StyledApp {
  if (typeof app !== 'function') throw new ConfigurationError('asgi() takes a function of scope, receive and send');
  const marked: AsgiApp = (scope, receive, send) => app(scope, receive, send);
  return mark(marked, 'asgi');
}

/** Says that an app is Node-style. */
export function nodeApp<App extends NodeApp>(app: App): App & StyledApp {
  return mark(app, 'node');
}

/**
 * The style of an app, or `undefined` for what is none.
 *
 * @throws ConfigurationError when the app names a style that does not exist
 */
export function styleOf(app: unknown): AppStyle | undefined {
  if ((typeof app !== 'object' && typeof app !== 'function') || app === null) return undefined;
  const said = (app as { readonly [styleSymbol]?: unknown })[styleSymbol];
  if (said !== undefined) return knownStyle(said);
  if (hasMethods(app, 'fetch')) return 'fetch';
  if (frameworkOf(app) !== undefined) return 'node';
  return typeof app === 'function' && !isClass(app) ? 'fetch' : undefined;
}

/** The framework that an app was made with, as far as it matters for messages. */
export function frameworkOf(app: unknown): string | undefined {
  if ((typeof app !== 'object' && typeof app !== 'function') || app === null) return undefined;
  if (hasMethods(app, 'handle', 'set')) return 'Express';
  if (hasMethods(app, 'callback')) return 'Koa';
  if (hasMethods(app, 'ready', 'routing')) return 'Fastify';
  return undefined;
}

/** What a value is, in a few words, for the message that it is no app. */
export function describeValue(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'function') return isClass(value) ? 'class' : 'function';
  return typeof value;
}

/** A style by its name. @throws ConfigurationError */
export function knownStyle(name: unknown): AppStyle {
  const style = appStyles.find((candidate) => candidate === name);
  if (style !== undefined) return style;
  throw new ConfigurationError(`${typeof name === 'string' ? `"${name}"` : describeValue(name)} is no app style`, {
    code: 'ERR_APP_STYLE',
    hint: `app styles: ${appStyles.join(', ')}`,
  });
}

function mark<App extends object>(app: App, style: AppStyle): App & StyledApp {
  Object.defineProperty(app, styleSymbol, { value: style, configurable: true });
  return app as App & StyledApp;
}

function hasMethods(app: object, ...names: readonly string[]): boolean {
  return names.every((name) => typeof (app as Readonly<Record<string, unknown>>)[name] === 'function');
}

/** A class is a function that cannot be called. */
function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}
