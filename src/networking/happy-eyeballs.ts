/**
 * Happy Eyeballs version 2 (RFC 8305): several addresses are tried with a short delay between them, the first
 * connection wins.
 *
 * Owns the order of the addresses (section 4) and the race (section 5). Resolving and dialling are handed in, time
 * comes from the clock, so that the race runs under a virtual one.
 *
 * Invariants: one connection at most is returned, every other attempt is cancelled before the promise settles, and no
 * timer is left behind.
 *
 * @module
 */
import { NetworkError } from '../common/index.ts';
import type { Clock, HostPort, IpAddress, ScheduledCallback } from '../common/index.ts';
import { abortError, onAbort } from '../concurrency/index.ts';

/** RFC 8305 section 8: the Connection Attempt Delay, in milliseconds. */
export const CONNECTION_ATTEMPT_DELAY = 250;

/**
 * Starts one attempt. Calls `done` once, never from inside this call, unless it was cancelled before.
 *
 * @returns what cancels the attempt and leaves nothing behind
 */
export type Dial<Connection, Address = IpAddress> = (
  address: Address,
  done: (error: NetworkError | undefined, connection: Connection | undefined) => void,
) => () => void;

/** The race's conditions. */
export interface RaceOptions<Connection, Address extends HostPort = IpAddress> {
  readonly addresses: readonly Address[];
  readonly dial: Dial<Connection, Address>;
  readonly clock: Clock;
  /** Ends the race; its reason is thrown. */
  readonly signal: AbortSignal;
  /** What the error shall call the target: `example.com:443`. */
  readonly target: string;
  /** In milliseconds. Default 250. */
  readonly attemptDelay?: number;
}

/**
 * The addresses in the order of attempts: the families alternate, IPv6 first; within a family the resolver's order
 * (RFC 6724) is kept. RFC 8305 section 4 with a First Address Family Count of 1.
 */
export function interleaveFamilies(addresses: readonly IpAddress[]): IpAddress[] {
  const ipv6 = addresses.filter((address) => address.family === 'ipv6');
  const ipv4 = addresses.filter((address) => address.family === 'ipv4');
  const ordered: IpAddress[] = [];
  for (let index = 0; index < Math.max(ipv6.length, ipv4.length); index += 1) {
    const six = ipv6[index];
    const four = ipv4[index];
    if (six !== undefined) ordered.push(six);
    if (four !== undefined) ordered.push(four);
  }
  return ordered;
}

/**
 * Connects to the first address that answers.
 *
 * @throws NetworkError (phase `connect`) when all fail, the signal's reason when it is aborted
 */
export function raceAddresses<Connection, Address extends HostPort = IpAddress>(
  options: RaceOptions<Connection, Address>,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    new Race(options, resolve, reject).start();
  });
}

/** A race under way. */
class Race<Connection, Address extends HostPort> {
  readonly #options: RaceOptions<Connection, Address>;
  readonly #resolve: (connection: Connection) => void;
  readonly #reject: (reason: Error) => void;
  readonly #running: Set<() => void>;
  readonly #errors: NetworkError[];
  #stopListening: () => void;
  #next: number;
  #timer: ScheduledCallback | undefined;
  #settled: boolean;

  constructor(
    options: RaceOptions<Connection, Address>,
    resolve: (connection: Connection) => void,
    reject: (reason: Error) => void,
  ) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#running = new Set();
    this.#errors = [];
    this.#stopListening = nothing;
    this.#next = 0;
    this.#timer = undefined;
    this.#settled = false;
  }

  start(): void {
    this.#stopListening = onAbort(this.#options.signal, (reason) => this.#fail(abortError(reason)));
    if (!this.#settled) this.#attempt();
  }

  /** Starts the next attempt, and the delay until the one after it. */
  #attempt(): void {
    const { addresses, clock, dial } = this.#options;
    this.#timer?.cancel();
    this.#timer = undefined;
    const address = addresses[this.#next];
    if (address === undefined) {
      if (this.#running.size === 0) this.#fail(this.#allFailed());
      return;
    }
    this.#next += 1;
    const cancel = dial(address, (error, connection) => {
      this.#running.delete(cancel);
      if (this.#settled) return;
      if (connection !== undefined) {
        this.#finish();
        this.#resolve(connection);
        return;
      }
      if (error !== undefined) this.#errors.push(error);
      // RFC 8305 section 5: a failed attempt lets the next start at once.
      this.#attempt();
    });
    this.#running.add(cancel);
    if (this.#next < addresses.length) {
      const delay = this.#options.attemptDelay ?? CONNECTION_ATTEMPT_DELAY;
      this.#timer = clock.schedule(clock.now() + delay, () => this.#attempt());
    }
  }

  #fail(reason: Error): void {
    if (this.#settled) return;
    this.#finish();
    this.#reject(reason);
  }

  #finish(): void {
    this.#settled = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stopListening();
    for (const cancel of this.#running) cancel();
    this.#running.clear();
  }

  #allFailed(): NetworkError {
    const [first] = this.#errors;
    const { target } = this.#options;
    if (first === undefined) {
      return new NetworkError(`cannot connect to ${target}: no address to try`, {
        code: 'ERR_NAME_NOT_FOUND',
        phase: 'resolve',
      });
    }
    if (this.#errors.length === 1) return first;
    const code = this.#errors.every((error) => error.code === first.code) ? first.code : 'ERR_NETWORK';
    return new NetworkError(`cannot connect to ${target}: ${this.#errors.map((error) => error.message).join('; ')}`, {
      code,
      phase: 'connect',
      cause: new AggregateError(this.#errors, 'every address failed'),
    });
  }
}

function nothing(): void {}
