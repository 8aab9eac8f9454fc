/**
 * Apps: the interfaces that they may be written for, the adapters to an exchange, static files.
 *
 * @module
 */
export type * from './app-host.ts';
export type * from './app-types.ts';
export type * from './asgi-types.ts';
export { describeError, plainErrorPage } from './error-pages.ts';
export { checkApp, mountApp } from './mount.ts';
export type { App } from './mount.ts';
export { isOwnEnd } from './own-end.ts';
export { refuseExchange } from './refusal.ts';
export { appExportNames, selectApp } from './select-app.ts';
export type { SelectAppOptions, SelectedApp } from './select-app.ts';
export { staticFiles } from './static/static-files.ts';
export type { StaticFilesOptions } from './static/static-files.ts';
export { appStyles, asgi, nodeApp, styleOf, styleSymbol } from './styles.ts';
export type { NodeApp, StyledApp } from './styles.ts';
