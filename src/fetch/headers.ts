/**
 * `Headers` over the flat list that messages carry.
 *
 * Owns the interface of the Fetch standard upon a {@link HeaderList}: nothing is parsed, sorted or copied before it is
 * asked for, and a list that belongs to a message is copied at the first change. Set-Cookie lines stay apart, lines of
 * Cookie are joined by `; ` (RFC 9113 section 8.2.3), all others by `, ` (RFC 9110 section 5.3).
 *
 * @module
 */
import type { HeaderList } from '../common/index.ts';
import { fieldName, fieldValue, pushField } from './field-syntax.ts';
import { defineInspect, markUncloneable, natives } from './platform.ts';

/** What fields can be made of: pairs, an object, or `Headers` of either kind. */
export type HeadersInput =
  | globalThis.Headers
  | Iterable<readonly [name: string, value: string]>
  | Iterable<readonly string[]>
  | Readonly<Record<string, string | readonly string[]>>;

let linked = false;
let listOf: (headers: Headers) => HeaderList;
let ofList: (list: HeaderList, immutable: boolean) => Headers;
let isOwn: (value: object) => value is Headers;

/** The fields of a message (Fetch standard, section 5.1). */
export class Headers implements globalThis.Headers {
  #list: string[];
  /** The list belongs to somebody else. */
  #shared: boolean;
  #immutable: boolean;
  /** Sorted and joined pairs, as iteration shows them; undefined after a change. */
  #sorted: [string, string][] | undefined;

  /** @throws TypeError for what is no field */
  constructor(init?: HeadersInput) {
    if (!linked) link();
    markUncloneable(this);
    this.#list = [];
    this.#shared = false;
    this.#immutable = false;
    this.#sorted = undefined;
    if (init !== undefined) this.#list = fieldsOf(init);
  }

  static {
    listOf = (headers) => headers.#list;
    ofList = (list, immutable) => {
      const headers = new Headers();
      headers.#list = list as string[];
      headers.#shared = true;
      headers.#immutable = immutable;
      return headers;
    };
    isOwn = (value): value is Headers => #list in value;
  }

  /** Whether a value is one of these, or one of the platform's. */
  static [Symbol.hasInstance](value: unknown): boolean {
    if (this !== Headers) return Function.prototype[Symbol.hasInstance].call(this, value);
    return isOwnHeaders(value) || value instanceof natives().Headers;
  }

  /** Adds a line. @throws TypeError */
  append(name: string, value: string): void {
    const line: string[] = [];
    pushField(line, name, value);
    this.#change().push(...line);
  }

  /** Takes all lines of a name away. @throws TypeError */
  delete(name: string): void {
    const wanted = fieldName(name);
    const list = this.#change();
    if (list.includes(wanted)) this.#list = without(list, wanted);
  }

  /** The value of all lines of a name, joined; `null` without any. @throws TypeError */
  get(name: string): string | null {
    return joinedValue(this.#list, fieldName(name));
  }

  /** The values of Set-Cookie, each apart. */
  getSetCookie(): string[] {
    const values: string[] = [];
    for (let index = 0; index < this.#list.length; index += 2) {
      if (this.#list[index] === 'set-cookie') values.push(this.#list[index + 1] as string);
    }
    return values;
  }

  /** Whether there is a line of that name. @throws TypeError */
  has(name: string): boolean {
    const wanted = fieldName(name);
    for (let index = 0; index < this.#list.length; index += 2) if (this.#list[index] === wanted) return true;
    return false;
  }

  /** Makes it the only line of that name. @throws TypeError */
  set(name: string, value: string): void {
    const wanted = fieldName(name);
    const normal = fieldValue(value);
    const list = this.#change();
    const kept: string[] = [];
    let placed = false;
    for (let index = 0; index < list.length; index += 2) {
      if (list[index] !== wanted) kept.push(list[index] as string, list[index + 1] as string);
      else if (!placed) {
        kept.push(wanted, normal);
        placed = true;
      }
    }
    if (!placed) kept.push(wanted, normal);
    this.#list = kept;
  }

  /** Calls back for each name, in their order. */
  forEach(callback: (value: string, key: string, headers: globalThis.Headers) => void, thisArg?: unknown): void {
    if (typeof callback !== 'function') throw new TypeError('Headers.forEach takes a function');
    for (const [name, value] of this) callback.call(thisArg, value, name, this);
  }

  /** Pairs of name and value, sorted by name. */
  *entries(): Generator<[string, string], undefined, undefined> {
    // What is changed meanwhile shows, as the standard has it.
    for (let index = 0; index < this.#pairs().length; index += 1) {
      const [name, value] = this.#pairs()[index] as [string, string];
      yield [name, value];
    }
    return undefined;
  }

  /** The names, sorted. */
  *keys(): Generator<string, undefined, undefined> {
    for (const [name] of this.entries()) yield name;
    return undefined;
  }

  /** The values, sorted by name. */
  *values(): Generator<string, undefined, undefined> {
    for (const [, value] of this.entries()) yield value;
    return undefined;
  }

  /** {@link Headers.entries} */
  [Symbol.iterator](): Generator<[string, string], undefined, undefined> {
    return this.entries();
  }

  static {
    defineInspect(this.prototype, (headers) => Object.fromEntries(headers.#pairs()));
  }

  #change(): string[] {
    if (this.#immutable) throw new TypeError('Headers are immutable');
    this.#sorted = undefined;
    if (this.#shared) {
      this.#list = this.#list.slice();
      this.#shared = false;
    }
    return this.#list;
  }

  #pairs(): readonly [string, string][] {
    this.#sorted ??= sortedPairs(this.#list);
    return this.#sorted;
  }
}

/** Whether a value is a `Headers` of this module. */
export function isOwnHeaders(value: unknown): value is Headers {
  return typeof value === 'object' && value !== null && isOwn(value);
}

/** The flat list behind headers of this module: not to be changed. */
export function headerListOf(headers: Headers): HeaderList {
  return listOf(headers);
}

/** Headers upon a list that stays what it is: a change copies it. */
export function headersOfList(list: HeaderList, immutable = false): Headers {
  return ofList(list, immutable);
}

/** A flat list of one's own from whatever fields are written as. @throws TypeError for what is no field */
export function fieldsOf(init: HeadersInput): string[] {
  const given: unknown = init;
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null) {
    throw new TypeError('headers are made of pairs, of an object or of other headers');
  }
  if (isOwnHeaders(given)) return listOf(given).slice();
  const list: string[] = [];
  if (Symbol.iterator in given) {
    for (const pair of given as Iterable<unknown>) pushPair(list, pair);
    return list;
  }
  const record = given as Readonly<Record<string, unknown>>;
  for (const name in record) if (Object.hasOwn(record, name)) pushField(list, name, record[name]);
  return list;
}

/** The value of all lines of a name in a flat list, joined; `null` without any. */
export function joinedValue(list: HeaderList, name: string): string | null {
  let value: string | null = null;
  for (let index = 0; index < list.length; index += 2) {
    if (list[index] !== name) continue;
    const line = list[index + 1] as string;
    value = value === null ? line : `${value}${separatorOf(name)}${line}`;
  }
  return value;
}

function pushPair(list: string[], pair: unknown): void {
  if (typeof pair !== 'object' || pair === null || !(Symbol.iterator in pair)) {
    throw new TypeError('a header is a pair of a name and a value');
  }
  const parts: readonly unknown[] = Array.isArray(pair) ? pair : [...(pair as Iterable<unknown>)];
  if (parts.length !== 2) throw new TypeError('a header is a pair of a name and a value');
  pushField(list, parts[0], parts[1]);
}

function without(list: readonly string[], name: string): string[] {
  const kept: string[] = [];
  for (let index = 0; index < list.length; index += 2) {
    if (list[index] !== name) kept.push(list[index] as string, list[index + 1] as string);
  }
  return kept;
}

function sortedPairs(list: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  const places = new Map<string, [string, string]>();
  for (let index = 0; index < list.length; index += 2) {
    const name = list[index] as string;
    const value = list[index + 1] as string;
    const before = name === 'set-cookie' ? undefined : places.get(name);
    if (before !== undefined) {
      before[1] += `${separatorOf(name)}${value}`;
      continue;
    }
    const pair: [string, string] = [name, value];
    places.set(name, pair);
    pairs.push(pair);
  }
  // Stable: Set-Cookie lines keep their order.
  return pairs.sort((one, other) => (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : 0));
}

function separatorOf(name: string): string {
  return name === 'cookie' ? '; ' : ', ';
}

function link(): void {
  linked = true;
  Object.setPrototypeOf(Headers.prototype, natives().Headers.prototype);
}
