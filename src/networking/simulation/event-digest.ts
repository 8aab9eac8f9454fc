/**
 * Everything that happened in a simulation, as one SHA-256, and as text where somebody wants to read it.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import type { Clock } from '../../common/index.ts';

/** Takes down events. */
export class EventDigest {
  readonly #clock: Clock;
  readonly #hash: Hash;
  readonly #lines: string[] | undefined;
  #count: number;

  /** @param trace - whether the events are kept as text */
  constructor(clock: Clock, trace: boolean) {
    this.#clock = clock;
    this.#hash = createHash('sha256');
    this.#lines = trace ? [] : undefined;
    this.#count = 0;
  }

  /** How many events there were. */
  get count(): number {
    return this.#count;
  }

  /** The events as text, if they are kept. */
  get lines(): readonly string[] {
    return this.#lines ?? [];
  }

  /** Takes down an event: whose, what, and with which bytes. */
  record(subject: string, event: string, bytes?: Uint8Array): void {
    this.#count += 1;
    const size = bytes === undefined ? '' : ` ${String(bytes.length)}`;
    const line = `${this.#clock.now().toFixed(6)} ${subject} ${event}${size}`;
    this.#hash.update(line).update('\n');
    if (bytes !== undefined) this.#hash.update(bytes);
    this.#lines?.push(line);
  }

  /** The digest so far, in hexadecimal. */
  value(): string {
    return this.#hash.copy().digest('hex');
  }
}
