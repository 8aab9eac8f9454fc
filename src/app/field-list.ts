/**
 * The fields that an app hands over, as the flat list that engines take.
 *
 * Owns reading and checking them, and which of them an app may not decide: Connection, Keep-Alive, Proxy-Connection,
 * Transfer-Encoding and Upgrade belong to the connection (RFC 9110 section 7.6.1, RFC 9113 section 8.2.2). In a
 * response they are dropped without a word, since apps that pass on what they fetched carry them along; in trailers
 * they are an error. Engines check again what they send.
 *
 * @module
 */
import { AppError } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';
import type { FieldsInit } from './app-types.ts';

/** The flat list of some fields, names in lowercase. @throws AppError for what cannot be sent */
export function fieldList(fields: FieldsInit): string[] {
  const list: string[] = [];
  for (const [name, value] of pairsOf(fields)) addField(list, name, value);
  return list;
}

/** Adds one field. @throws AppError for what cannot be sent (RFC 9110 sections 5.1, 5.5) */
export function addField(list: string[], name: unknown, value: unknown): void {
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    throw new AppError(`${JSON.stringify(name)} is no field name`, 'ERR_APP_FIELD');
  }
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') throw new AppError(`the value of ${name} must be a string`, 'ERR_APP_FIELD');
  if (FORBIDDEN_IN_VALUE.test(text)) {
    throw new AppError(`the value of ${name} has a character that no field may hold`, 'ERR_APP_FIELD');
  }
  list.push(name.toLowerCase(), text.trim());
}

/** Whether a field belongs to the connection, not to the app. `name` is lowercase. */
export function isConnectionSpecific(name: string): boolean {
  return CONNECTION_SPECIFIC.has(name);
}

/** The list without the fields that belong to the connection; the same list when it has none. */
export function withoutConnectionSpecific(list: HeaderList): HeaderList {
  for (let index = 0; index < list.length; index += 2) {
    if (!CONNECTION_SPECIFIC.has(list[index] as string)) continue;
    const kept: string[] = list.slice(0, index);
    for (let rest = index + 2; rest < list.length; rest += 2) {
      const name = list[rest] as string;
      if (!CONNECTION_SPECIFIC.has(name)) kept.push(name, list[rest + 1] as string);
    }
    return kept;
  }
  return list;
}

/**
 * The fields of a response with those that the server adds, where neither concerns the other; `undefined` where an app
 * names a field of the connection or of the server, or a length, and more thought is needed.
 */
export function withHostFields(list: HeaderList, added: HeaderList): HeaderList | undefined {
  for (let index = 0; index < list.length; index += 2) {
    const name = list[index] as string;
    if (name === 'content-length' || CONNECTION_SPECIFIC.has(name)) return undefined;
    for (let other = 0; other < added.length; other += 2) if (added[other] === name) return undefined;
  }
  return list.length === 0 ? added : [...list, ...added];
}

/** The list without one field. */
export function withoutField(list: HeaderList, name: string): string[] {
  const kept: string[] = [];
  for (let index = 0; index + 1 < list.length; index += 2) {
    if (list[index] !== name) kept.push(list[index] as string, list[index + 1] as string);
  }
  return kept;
}

/** Trailer fields. @throws AppError for those that may stand in a head only (RFC 9110 section 6.5.1) */
export function trailerList(fields: FieldsInit): string[] {
  const list = fieldList(fields);
  for (let index = 0; index < list.length; index += 2) {
    const name = list[index] as string;
    if (CONNECTION_SPECIFIC.has(name) || NOT_IN_TRAILERS.has(name)) {
      throw new AppError(`${name} may not stand in trailers (RFC 9110 section 6.5.1)`, 'ERR_APP_FIELD');
    }
  }
  return list;
}

function pairsOf(fields: FieldsInit): Iterable<readonly [string, string]> {
  if (Symbol.iterator in fields) return fields as Iterable<readonly [string, string]>;
  return Object.entries(fields);
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// Control characters but tab, and whatever is no octet.
const FORBIDDEN_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

const CONNECTION_SPECIFIC: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  'content-length',
  'content-encoding',
  'content-range',
  'content-type',
  'host',
  'te',
  'trailer',
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'www-authenticate',
  'set-cookie',
  'cookie',
  'cache-control',
  'expect',
  'max-forwards',
  'pragma',
  'range',
  'age',
  'date',
  'expires',
  'location',
  'retry-after',
  'vary',
  'warning',
]);
