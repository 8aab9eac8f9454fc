/**
 * The fields that a server adds to responses: Date (RFC 9110 section 6.6.1), Server, Alt-Svc (RFC 7838).
 *
 * Owns their texts, made anew once a second.
 *
 * @module
 */
import type { Clock, HeaderList } from '../common/index.ts';

/** The fields that a server adds to its responses. */
export class ServerFields {
  readonly #clock: Clock;
  readonly #rest: HeaderList;
  #second: number;
  #fields: HeaderList;
  /** With Alt-Svc, by its value. */
  #advertising: Map<string, HeaderList>;

  /** @param serverName - the value of Server, or `undefined` for none */
  constructor(clock: Clock, serverName: string | undefined) {
    this.#clock = clock;
    this.#rest = serverName === undefined ? [] : ['server', serverName];
    this.#second = NaN;
    this.#fields = this.#rest;
    this.#advertising = new Map();
  }

  /** Date as of now, and Server. */
  current(): HeaderList {
    const second = Math.floor(this.#clock.wallTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#fields = ['date', new Date(second * 1000).toUTCString(), ...this.#rest];
      this.#advertising.clear();
    }
    return this.#fields;
  }

  /** The same with an Alt-Svc field. */
  advertising(value: string): HeaderList {
    const plain = this.current();
    let fields = this.#advertising.get(value);
    if (fields === undefined) {
      fields = [...plain, 'alt-svc', value];
      this.#advertising.set(value, fields);
    }
    return fields;
  }
}
