/**
 * Running something on a simulated network under a virtual clock, from a seed.
 *
 * Theory of operation. The body runs until it waits. Time moves only when nothing else can: no microtask is left, one
 * turn of `setImmediate` has brought none, and no registered real work (compression, files, checks of chains) is under
 * way. Then the earliest callback of the clock runs, and so on until the body has ended. If the clock has no callback
 * left and the body still waits, nothing can ever wake it: that is a deadlock, and fails with what is open and with the
 * task trees that were given to {@link Simulation.watch}.
 *
 * Invariants: equal seeds give equal digests, as long as the body takes time, randomness and the network from the
 * simulation only and registers what it does outside of it.
 *
 * @module
 */
import { sleep } from '../../concurrency/index.ts';
import { EventDigest } from './event-digest.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedNetwork } from './simulated-network.ts';
import type { SimulatedNetworkOptions } from './simulated-network.ts';
import { SimulatedNetworking } from './simulated-networking.ts';
import { IdentityTable } from './simulated-tls.ts';
import { VirtualClock } from './virtual-clock.ts';
import type { VirtualClockOptions } from './virtual-clock.ts';

/** Something that can say what it is doing: a task group, for instance. */
export interface Describable {
  /** What it is doing, one or more lines. */
  describe(): string;
}

/** How a simulation runs. */
export interface SimulationOptions extends SimulatedNetworkOptions, VirtualClockOptions {
  /** How long it may last on the virtual clock, in milliseconds. Default a day. */
  readonly maxTime?: number;
  /** How many callbacks of the clock may run. Default 5,000,000. */
  readonly maxSteps?: number;
  /** Keeps the events as text. Default false. */
  readonly trace?: boolean;
}

/** What came of a simulation. */
export interface SimulationResult<Value> {
  readonly seed: number;
  /** What the body returned. */
  readonly value: Value;
  /** SHA-256 of every event, in hexadecimal. */
  readonly digest: string;
  /** How many events there were. */
  readonly events: number;
  /** How long it lasted on the virtual clock, in milliseconds. */
  readonly elapsed: number;
  /** What was still open when nothing moved any more: streams, listeners, timers. Empty when all was closed. */
  readonly leftovers: readonly string[];
  /** The events as text, with {@link SimulationOptions.trace}. */
  readonly trace: readonly string[];
}

/** A simulation failed: its body did, or it came to no end. */
export class SimulationError extends Error {
  /** With it the failure replays. */
  readonly seed: number;

  constructor(seed: number, message: string, cause?: unknown) {
    super(`seed ${String(seed)}, ${message}`, cause === undefined ? undefined : { cause });
    this.name = 'SimulationError';
    this.seed = seed;
  }
}

/** A simulation under way. */
export class Simulation {
  readonly seed: number;
  readonly clock: VirtualClock;
  /** For the body's own use. */
  readonly random: SeededRandom;
  readonly network: SimulatedNetwork;
  /** Networking of the host 10.0.0.1. */
  readonly networking: SimulatedNetworking;
  readonly digest: EventDigest;
  readonly #root: SeededRandom;
  readonly #identities: IdentityTable;
  readonly #watched: Describable[];
  #realWork: number;
  #workEnded: (() => void) | undefined;

  constructor(seed: number, options: SimulationOptions = {}) {
    this.seed = seed;
    this.#root = new SeededRandom(seed);
    this.clock = new VirtualClock(options);
    this.random = this.#root.fork('body');
    this.digest = new EventDigest(this.clock, options.trace === true);
    const parts = { clock: this.clock, random: this.#root.fork('network'), digest: this.digest };
    this.network = new SimulatedNetwork(parts, options);
    this.#identities = new IdentityTable();
    this.networking = this.networkingAt('10.0.0.1');
    this.#watched = [];
    this.#realWork = 0;
    this.#workEnded = undefined;
  }

  /** Networking of another host, by its IPv4 address. */
  networkingAt(host: string): SimulatedNetworking {
    return new SimulatedNetworking({
      clock: this.clock,
      random: this.#root.fork(`host ${host}`),
      network: this.network,
      identities: this.#identities,
      host,
    });
  }

  /** Holds time until work outside of the simulation has ended. Answers the promise given. */
  registerRealWork<Value>(work: Promise<Value>): Promise<Value> {
    this.#realWork += 1;
    const ended = (): void => {
      this.#realWork -= 1;
      if (this.#realWork === 0) this.#workEnded?.();
    };
    work.then(ended, ended);
    return work;
  }

  /** Has something described when the simulation comes to no end. */
  watch(describable: Describable): void {
    this.#watched.push(describable);
  }

  /** Resolves so many milliseconds later on the virtual clock. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return sleep(this.clock, milliseconds, signal);
  }

  /** Takes an event of the body's own into the digest. */
  record(event: string, bytes?: Uint8Array): void {
    this.digest.record('body', event, bytes);
  }

  /** What is open and what is being waited for. */
  describe(): string {
    const lines = [...this.network.describe(), ...this.#watched.map((one) => one.describe())];
    if (this.#realWork > 0) lines.push(`${String(this.#realWork)} pieces of real work`);
    return lines.join('\n');
  }

  /** Resolves when nothing happens any more at this time. */
  async settle(): Promise<void> {
    await turn();
    while (this.#realWork > 0) {
      await new Promise<void>((resolve) => {
        this.#workEnded = resolve;
      });
      this.#workEnded = undefined;
      await turn();
    }
  }
}

/** After its body has ended a simulation may go on for so long, so that connections close. */
const AFTERWARDS = 120_000;

/**
 * Runs a body on a simulated network.
 *
 * @throws SimulationError, with what the body threw as its cause, or for a deadlock
 */
export async function runSimulation<Value>(
  seed: number,
  body: (simulation: Simulation) => Promise<Value>,
  options: SimulationOptions = {},
): Promise<SimulationResult<Value>> {
  const simulation = new Simulation(seed, options);
  const { clock, digest } = simulation;
  const fail = (message: string, cause?: unknown): SimulationError =>
    new SimulationError(seed, `after ${clock.elapsed.toFixed(3)} ms: ${message}`, cause);
  const outcome: { state: 'running' | 'done' | 'failed'; value: Value | undefined; error: unknown } = {
    state: 'running',
    value: undefined,
    error: undefined,
  };
  body(simulation).then(
    (value) => {
      outcome.state = 'done';
      outcome.value = value;
    },
    (error: unknown) => {
      outcome.state = 'failed';
      outcome.error = error;
    },
  );
  const { maxTime = 86_400_000, maxSteps = 5_000_000 } = options;
  for (let steps = 0; ; steps += 1) {
    await simulation.settle();
    if (outcome.state !== 'running') break;
    if (clock.elapsed > maxTime || steps > maxSteps) throw fail(`it does not end\n${simulation.describe()}`);
    if (!clock.step()) throw fail(`deadlock: nothing can happen any more\n${simulation.describe()}`);
  }
  if (outcome.state === 'failed') {
    throw fail(outcome.error instanceof Error ? outcome.error.message : String(outcome.error), outcome.error);
  }
  const elapsed = clock.elapsed;
  const last = clock.now() + AFTERWARDS;
  const { network } = simulation;
  while ((clock.nextTime() ?? Infinity) <= last && (network.travelling > 0 || network.describe().length > 0)) {
    clock.step();
    await simulation.settle();
  }
  const leftovers = network.describe();
  const timers = clock.pending - network.travelling;
  if (timers > 0) leftovers.push(`${String(timers)} timers`);
  return {
    seed,
    value: outcome.value as Value,
    digest: digest.value(),
    events: digest.count,
    elapsed,
    leftovers,
    trace: digest.lines,
  };
}

/** A turn of the event loop: microtasks and ticks have run, and immediates that they had set. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
