/**
 * From an app of any style to the one form that a server drives.
 *
 * Owns the choice of the adapter.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import type { AppHost, MountedApp } from './app-host.ts';
import type { AppStyle, FetchApp } from './app-types.ts';
import { mountAsgiApp } from './asgi-app.ts';
import type { AsgiApp } from './asgi-types.ts';
import { mountFetchApp } from './fetch-exchange.ts';
import { describeValue, frameworkOf, styleOf } from './styles.ts';
import type { StyledApp } from './styles.ts';

/** An app of any style: a Fetch-style app as it is, others by `asgi()` and `nodeApp()`. */
export type App = FetchApp | StyledApp;

/**
 * Mounts an app.
 *
 * @param style - overrides what the app looks like
 * @throws ConfigurationError as {@link checkApp}
 */
export function mountApp(app: unknown, host: AppHost, style?: AppStyle): MountedApp {
  return checkApp(app, style) === 'asgi' ? mountAsgiApp(app as AsgiApp, host) : mountFetchApp(app as FetchApp, host);
}

/**
 * The style that an app is served by.
 *
 * @param style - overrides what the app looks like
 * @throws ConfigurationError for what is no app, and for Node-style apps, which are not served yet
 */
export function checkApp(app: unknown, style: AppStyle | undefined = styleOf(app)): 'fetch' | 'asgi' {
  switch (style) {
    case 'fetch':
    case 'asgi':
      requireCallable(app, style);
      return style;
    case 'node':
      throw nodeStyleUnsupported(app);
    case undefined:
      throw new ConfigurationError(`an app is a function or an object with fetch, not ${describeValue(app)}`, {
        code: 'ERR_APP_EXPORT',
        hint: 'new AppServer((request) => new Response("hello"))',
      });
  }
}

/** Why a Node-style app is refused, with what to do instead. */
function nodeStyleUnsupported(app: unknown): ConfigurationError {
  const framework = frameworkOf(app);
  const subject = framework === undefined ? 'Node-style apps' : `${framework} apps (Node-style)`;
  return new ConfigurationError(`${subject} are not supported yet`, {
    code: 'ERR_APP_STYLE_UNSUPPORTED',
    hint: 'export a Fetch-style app: export default { fetch(request) { return new Response("hello"); } }',
  });
}

function requireCallable(app: unknown, style: 'fetch' | 'asgi'): void {
  if (typeof app === 'function') return;
  const isFetchObject =
    style === 'fetch' && typeof app === 'object' && app !== null && 'fetch' in app && typeof app.fetch === 'function';
  if (isFetchObject) return;
  throw new ConfigurationError(
    `a${style === 'asgi' ? 'n ASGI' : ' Fetch'}-style app is a function, not ${describeValue(app)}`,
    {
      code: 'ERR_APP_EXPORT',
    },
  );
}
