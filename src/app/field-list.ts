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
  const before = known.get(name);
  if (before !== undefined && before.value === value) list.push(before.name, before.value);
  else judgeField(list, name, value);
}

/** Fields that were found good: most responses have the fields of the one before. */
const known = new Map<unknown, { readonly name: string; readonly value: string }>();
const MAX_KNOWN = 64;
const MAX_KNOWN_LENGTH = 128;

function judgeField(list: string[], name: unknown, value: unknown): void {
  if (typeof name !== 'string' || !TOKEN.test(name)) {
    throw new AppError(`${JSON.stringify(name)} is no field name`, 'ERR_APP_FIELD');
  }
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string') throw new AppError(`the value of ${name} must be a string`, 'ERR_APP_FIELD');
  if (FORBIDDEN_IN_VALUE.test(text)) {
    throw new AppError(`the value of ${name} has a character that no field may hold`, 'ERR_APP_FIELD');
  }
  const lowercase = name.toLowerCase();
  const trimmed = text.trim();
  list.push(lowercase, trimmed);
  if (trimmed !== value || name.length > MAX_KNOWN_LENGTH || trimmed.length > MAX_KNOWN_LENGTH) return;
  if (known.size < MAX_KNOWN || known.has(name)) known.set(name, { name: lowercase, value: trimmed });
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
