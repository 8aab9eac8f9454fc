/**
 * Header fields as users write them, turned into the one form that all layers share.
 *
 * Owns the kinds of input and their flattening, with the spelling kept aside for HTTP/1. Whether a name or a value is
 * legal is the engine's judgement (RFC 9110 section 5), the same for all who send.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import type { HeaderList } from '../common/index.ts';

/** A flat list of names and values, pairs, a `Headers` object, or a record whose values may be lists. */
export type HeaderInput =
  | HeaderList
  | Iterable<readonly [name: string, value: string]>
  | Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Fields that can still be changed: lowercase names and values, and each name as it was written. */
export class HeaderFields {
  /** Name, value, name, value. */
  readonly list: string[];
  /** One spelling for each pair of `list`. */
  readonly spelling: string[];

  constructor() {
    this.list = [];
    this.spelling = [];
  }

  /** The fields of any kind of input. @throws ConfigurationError for what is none */
  static from(input: HeaderInput | undefined): HeaderFields {
    const fields = new HeaderFields();
    if (input === undefined) return fields;
    if (isFlat(input)) {
      if (input.length % 2 !== 0) {
        throw new ConfigurationError('a flat header list needs a value for every name', { code: 'ERR_HEADERS' });
      }
      for (let index = 0; index + 1 < input.length; index += 2) {
        fields.append(input[index] as string, input[index + 1] as string);
      }
    } else if (isIterable(input)) {
      for (const pair of input) fields.append(pair[0], pair[1]);
    } else {
      for (const [name, value] of Object.entries(input)) {
        if (value === undefined) continue;
        if (typeof value === 'string' || typeof value === 'number') fields.append(name, String(value));
        else for (const line of value) fields.append(name, line);
      }
    }
    return fields;
  }

  /** Adds a field at the end. */
  append(name: string, value: string): void {
    if (typeof name !== 'string' || typeof value !== 'string') {
      throw new ConfigurationError(`header field ${name} must be a string`, { code: 'ERR_HEADERS' });
    }
    this.list.push(name.toLowerCase(), value);
    this.spelling.push(name);
  }

  /** Whether a field is there. `name` is lowercase. */
  has(name: string): boolean {
    return this.#indexOf(name) >= 0;
  }

  /** The first value, or `undefined`. `name` is lowercase. */
  get(name: string): string | undefined {
    const index = this.#indexOf(name);
    return index < 0 ? undefined : this.list[index + 1];
  }

  /** How many lines a field has. `name` is lowercase. */
  count(name: string): number {
    let count = 0;
    for (let index = 0; index < this.list.length; index += 2) if (this.list[index] === name) count += 1;
    return count;
  }

  /** Takes every line of a field away and returns the first value. `name` is lowercase. */
  take(name: string): string | undefined {
    let first: string | undefined;
    for (let index = this.#indexOf(name); index >= 0; index = this.#indexOf(name)) {
      first ??= this.list[index + 1];
      this.list.splice(index, 2);
      this.spelling.splice(index / 2, 1);
    }
    return first;
  }

  /** The spelling, when a name was written with other than small letters. */
  rawNames(): readonly string[] | undefined {
    for (let index = 0; index < this.spelling.length; index += 1) {
      if (this.spelling[index] !== this.list[2 * index]) return this.spelling;
    }
    return undefined;
  }

  #indexOf(name: string): number {
    for (let index = 0; index < this.list.length; index += 2) {
      if (this.list[index] === name) return index;
    }
    return -1;
  }
}

function isFlat(input: HeaderInput): input is HeaderList {
  return Array.isArray(input) && typeof input[0] === 'string';
}

function isIterable(input: HeaderInput): input is Iterable<readonly [name: string, value: string]> {
  return Symbol.iterator in input;
}
