/**
 * Apps: the interfaces that they may be written for, the adapters to an exchange, static files.
 *
 * @module
 */
export type * from './app-host.ts';
export type * from './app-types.ts';
export { mountFetchApp } from './fetch-exchange.ts';
