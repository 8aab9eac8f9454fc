/**
 * The challenges of one path's validation.
 *
 * Owns RFC 9000 section 8.2's timing and the data of PATH_CHALLENGE frames: each has its own, the latest few are
 * remembered, so that whichever is answered counts. What follows from an answer or from none is paths.ts'.
 *
 * @module
 */
import type { Random } from '../../common/index.ts';
import { sameBytes } from '../../wire/index.ts';

/** Each challenge costs 8 bytes until it is answered; more than these are never on their way. */
const REMEMBERED = 12;
const DATA_LENGTH = 8;

interface Challenge {
  readonly data: Uint8Array;
  /** Whether its datagram had 1200 bytes. */
  readonly expanded: boolean;
}

/** Challenges that were sent on a path, and when the next one is due. */
export class PathChallenges {
  /** When the validation has failed; `undefined` while there is none. */
  failsAt: number | undefined;
  readonly #random: Random;
  #sent: Challenge[];
  #dueAt: number | undefined;
  #attempts: number;
  /** How many are still to be sent of this attempt. */
  #owed: number;

  constructor(random: Random) {
    this.failsAt = undefined;
    this.#random = random;
    this.#sent = [];
    this.#dueAt = undefined;
    this.#attempts = 0;
    this.#owed = 0;
  }

  /** Begins a validation, anew when one was running. */
  start(now: number, failsAt: number): void {
    this.failsAt = failsAt;
    this.#dueAt = now;
    this.#attempts = 0;
    this.#owed = 1;
  }

  /** Ends the validation; answers that still come count no more. */
  stop(): void {
    this.failsAt = undefined;
    this.#dueAt = undefined;
    this.#sent = [];
  }

  /** Whether a challenge is to be sent. */
  isDue(now: number): boolean {
    return this.#dueAt !== undefined && this.#dueAt <= now;
  }

  /** When {@link isDue} becomes true, or the validation fails. */
  nextTimeout(): number | undefined {
    return this.#dueAt ?? this.failsAt;
  }

  /**
   * The data of the next challenge, fresh each time (section 8.2.1).
   *
   * @param probeTimeout - the next ones wait for it, and each further pair twice as long, as probes with Initial packets
   * do (RFC 9002 section 6.2.4)
   * @param expanded - whether its datagram has 1200 bytes
   */
  next(now: number, probeTimeout: number, expanded: boolean): Uint8Array {
    const data = this.#random.fill(new Uint8Array(DATA_LENGTH));
    if (this.#sent.length >= REMEMBERED) this.#sent.shift();
    this.#sent.push({ data, expanded });
    this.#owed -= 1;
    if (this.#owed > 0) return data;
    this.#owed = 2;
    const dueAt = now + probeTimeout * 2 ** this.#attempts;
    this.#attempts += 1;
    this.#dueAt = this.failsAt !== undefined && dueAt < this.failsAt ? dueAt : undefined;
    return data;
  }

  /** Whether a response's data is that of a challenge; `small` when its datagram had less than 1200 bytes. */
  answered(data: Uint8Array): 'yes' | 'small' | 'no' {
    const challenge = this.#sent.find((sent) => sameBytes(sent.data, data));
    if (challenge === undefined) return 'no';
    this.stop();
    return challenge.expanded ? 'yes' : 'small';
  }
}
