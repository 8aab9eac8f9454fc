/**
 * `--retry`: when a failed transfer is tried again, and after how long.
 *
 * Owns curl's rules: by default after a timeout, an unknown host and statuses that pass; the wait doubles from a second
 * up to ten minutes; Retry-After of a response is longer than that.
 *
 * @module
 */
import type { ClientResponse } from '../../src/client/index.ts';
import { NetworkError } from '../../src/common/index.ts';
import type { OptionValues } from '../option-values.ts';
import { usageError } from '../report.ts';
import type { CommandError } from '../report.ts';
import { exitCode } from './exit-codes.ts';

/** What `--retry` and its kin ask for. */
export interface RetrySettings {
  readonly most: number;
  /** Milliseconds, or `undefined` for 1, 2, 4 … seconds. */
  readonly delay: number | undefined;
  /** Milliseconds from the first try on. */
  readonly maxTime: number;
  readonly connectionRefused: boolean;
  readonly allErrors: boolean;
}

/** Reads the options. `undefined` without `--retry`. @throws CommandError, ConfigurationError */
export function readRetry(values: OptionValues): RetrySettings | undefined {
  const most = values.integer('retry', 0, MAX_RETRIES);
  if (most === undefined) {
    const idle = RETRY_OPTIONS.find((name) => values.has(name));
    if (idle !== undefined) throw usageError(`--${idle} needs --retry`, '--retry COUNT');
    return undefined;
  }
  const delay = values.number('retry-delay', 0, MAX_SECONDS);
  const maxTime = values.number('retry-max-time', 0, MAX_SECONDS);
  return {
    most,
    delay: delay === undefined || delay === 0 ? undefined : delay * 1000,
    maxTime: maxTime === undefined || maxTime === 0 ? Infinity : maxTime * 1000,
    connectionRefused: values.has('retry-connrefused'),
    allErrors: values.has('retry-all-errors'),
  };
}

/** Thrown in place of a response that is worth another try; caught where the tries are made. */
export class PassingStatus extends Error {
  /** Milliseconds until then. */
  readonly delay: number;

  constructor(status: number, delay: number) {
    super(`the server answered ${String(status)}`);
    this.delay = delay;
  }
}

/** The tries of one transfer. */
export class Retries {
  readonly #settings: RetrySettings;
  readonly #start: number;
  #used: number;
  #delay: number;

  /** @param now - on the clock's monotonic scale */
  constructor(settings: RetrySettings, now: number) {
    this.#settings = settings;
    this.#start = now;
    this.#used = 0;
    this.#delay = FIRST_DELAY;
  }

  /** How many were made besides the first. */
  get used(): number {
    return this.#used;
  }

  /** How many are left. */
  get left(): number {
    return this.#settings.most - this.#used;
  }

  /**
   * Milliseconds to wait for another try after a response, or `undefined` when it is the answer. Counts the try.
   *
   * @param said - milliseconds, of Retry-After
   */
  afterResponse(status: number, said: number | undefined, now: number): number | undefined {
    return PASSING.has(status) ? this.#next(said, now) : undefined;
  }

  /** The same after an error. */
  afterError(error: unknown, failure: CommandError, now: number): number | undefined {
    const { allErrors, connectionRefused } = this.#settings;
    const code = failure.exitCode;
    const passes = code === exitCode.timeout || code === exitCode.couldNotResolve;
    return passes || allErrors || (connectionRefused && isRefusal(error)) ? this.#next(undefined, now) : undefined;
  }

  #next(said: number | undefined, now: number): number | undefined {
    const timeLeft = this.#settings.maxTime - (now - this.#start);
    if (this.left <= 0 || timeLeft <= 0 || (said !== undefined && said >= timeLeft)) return undefined;
    const delay = said ?? this.#settings.delay ?? this.#delay;
    this.#used += 1;
    this.#delay = Math.min(this.#delay * 2, MAX_DELAY);
    return delay;
  }
}

/** Reads Retry-After (RFC 9110 section 10.2.3). @param wallTime - milliseconds since 1970 */
export function retryAfter(response: ClientResponse, wallTime: number): number | undefined {
  const field = response.header('retry-after');
  if (field === undefined) return undefined;
  if (/^\d{1,9}$/.test(field)) return field === '0' ? undefined : Number(field) * 1000;
  const date = Date.parse(field);
  return Number.isNaN(date) || date <= wallTime ? undefined : date - wallTime;
}

function isRefusal(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < MAX_CAUSES; depth += 1) {
    if (current instanceof NetworkError && current.code === 'ERR_CONNECTION_REFUSED') return true;
    current = current.cause;
  }
  return false;
}

const RETRY_OPTIONS = ['retry-delay', 'retry-max-time', 'retry-connrefused', 'retry-all-errors'] as const;
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);
const FIRST_DELAY = 1_000;
const MAX_DELAY = 600_000;
const MAX_RETRIES = 1_000_000;
const MAX_SECONDS = 86_400;
const MAX_CAUSES = 8;
