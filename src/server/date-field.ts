/**
 * The Date field of responses (RFC 9110 section 6.6.1).
 *
 * Owns the text, made anew once a second.
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

  /** @param serverName - the value of Server, or `undefined` for none */
  constructor(clock: Clock, serverName: string | undefined) {
    this.#clock = clock;
    this.#rest = serverName === undefined ? [] : ['server', serverName];
    this.#second = NaN;
    this.#fields = this.#rest;
  }

  /** Date as of now, and Server. */
  current(): HeaderList {
    const second = Math.floor(this.#clock.wallTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#fields = ['date', new Date(second * 1000).toUTCString(), ...this.#rest];
    }
    return this.#fields;
  }
}
