/**
 * Transfers between two processes, both ways through an app of each style at once, with slow readers.
 *
 * A transfer's reader is held to a rate by the clock; its writer writes as fast as it may. So whatever is written and not
 * yet read lies somewhere in between: in the buffers of the system, which are bounded, and in those of the two processes,
 * whose memory is watched in two ways: the resident size all the time, and what is reachable a few times on the way.
 *
 * The young generation of both processes is held to a MiB. By default V8 lets up to some 30 MiB of dead buffers lie before
 * it looks for them, whatever the program does; here the resident size shall show what the program holds.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from './worker.ts';
import type { MemoryFigures, TallyState } from './worker.ts';

/** What is transferred, and how. */
export interface FlowPlan {
  /** Bytes of each transfer. */
  readonly bytes: number;
  /** Bytes that each reader takes a second. */
  readonly rate: number;
  /** Over TLS, with this certificate. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  /** How often the two ends are compared, in milliseconds. */
  readonly every: number;
  /** How often, on the way, everything dead is collected to see what is reachable. */
  readonly looks: number;
}

/** By how much one process has grown, in bytes. */
export interface FlowMemory {
  /** The resident size, at its highest. */
  readonly resident: number;
  /** Heap and buffers together, garbage apart, at their highest on the way. */
  readonly reachable: number;
  /** The same when all was over. */
  readonly kept: number;
}

/** One transfer. */
export interface FlowTransfer {
  readonly name: string;
  readonly status: number;
  readonly written: TallyState;
  readonly read: TallyState;
  /** The most that was written and not yet read, in bytes. */
  readonly lead: number;
  readonly seconds: number;
}

/** What became of it all. */
export interface FlowOutcome {
  readonly transfers: readonly FlowTransfer[];
  readonly server: FlowMemory;
  readonly client: FlowMemory;
  /** The exit codes of both processes, which ended by themselves when server and session were closed. */
  readonly exits: readonly (number | null)[];
}

type Style = 'fetch' | 'asgi';
type Direction = 'down' | 'up';

interface Transfer {
  readonly id: string;
  readonly style: Style;
  readonly direction: Direction;
  readonly bytes: number;
  readonly rate: number | undefined;
}

const MIB = 1 << 20;
const WARM_UP_BYTES = 4 * MIB;
const YOUNG_GENERATION = ['--max-semi-space-size=1'];

/** How much the system may hold of one connection on its way between two processes. */
export function systemBuffers(): number {
  if (process.platform !== 'linux') return 16 * MIB;
  const most = (name: string): number => Number(readFileSync(`/proc/sys/net/ipv4/${name}`, 'utf8').split(/\s+/)[2]);
  return most('tcp_rmem') + most('tcp_wmem');
}

/** Makes the four transfers at once. */
export async function flow(plan: FlowPlan): Promise<FlowOutcome> {
  const server = Worker.start('server-process.js', YOUNG_GENERATION);
  const client = Worker.start('client-process.js', YOUNG_GENERATION);
  try {
    const urls = (await server.call('listen', { tls: plan.tls })) as Record<Style, string>;
    const tls = plan.tls && { ca: plan.tls.cert };
    await client.call('open', { tls });
    const run = new FlowRun(plan, server, client, urls);
    // Code is loaded and compiled once; that is not what grows.
    await run.all('warm', WARM_UP_BYTES, undefined);
    const growths = [await Growth.begin(server), await Growth.begin(client)] as const;
    const over = run.all('flow', plan.bytes, plan.rate);
    const looking = new AbortController();
    const looks = look(growths, plan, looking.signal);
    const transfers = await over.finally(() => looking.abort());
    await looks;
    const [serverMemory, clientMemory] = [await growths[0].end(), await growths[1].end()];
    await client.call('close');
    await server.call('drain');
    const exits = await Promise.all([server.untilEnd(), client.untilEnd()]);
    return { transfers, server: serverMemory, client: clientMemory, exits };
  } finally {
    await Promise.all([server.stop(), client.stop()]);
  }
}

/** Looks at what is reachable, so many times at equal distances while the transfers last. */
async function look(growths: readonly Growth[], plan: FlowPlan, signal: AbortSignal): Promise<void> {
  const distance = (plan.bytes / plan.rate / (plan.looks + 1)) * 1000;
  try {
    for (let looked = 0; looked < plan.looks; looked += 1) {
      await sleep(distance, undefined, { signal });
      for (const growth of growths) await growth.look();
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** By how much a process grows. */
class Growth {
  readonly #worker: Worker;
  readonly #before: MemoryFigures;
  #reachable: number;

  private constructor(worker: Worker, before: MemoryFigures) {
    this.#worker = worker;
    this.#before = before;
    this.#reachable = 0;
  }

  static async begin(worker: Worker): Promise<Growth> {
    return new Growth(worker, await worker.watchMemory());
  }

  async look(): Promise<MemoryFigures> {
    const now = await this.#worker.memory();
    this.#reachable = Math.max(this.#reachable, this.#grown(now));
    return now;
  }

  async end(): Promise<FlowMemory> {
    const after = await this.look();
    const resident = after.peak - this.#before.resident;
    return { resident, reachable: this.#reachable, kept: this.#grown(after) };
  }

  #grown(now: MemoryFigures): number {
    return now.heap + now.external - this.#before.heap - this.#before.external;
  }
}

class FlowRun {
  readonly #plan: FlowPlan;
  readonly #server: Worker;
  readonly #client: Worker;
  readonly #urls: Readonly<Record<Style, string>>;

  constructor(plan: FlowPlan, server: Worker, client: Worker, urls: Readonly<Record<Style, string>>) {
    this.#plan = plan;
    this.#server = server;
    this.#client = client;
    this.#urls = urls;
  }

  all(name: string, bytes: number, rate: number | undefined): Promise<FlowTransfer[]> {
    const styles: readonly Style[] = ['fetch', 'asgi'];
    const directions: readonly Direction[] = ['down', 'up'];
    const transfers = styles.flatMap((style) =>
      directions.map((direction) =>
        this.#transfer({ id: `${name}-${style}-${direction}`, style, direction, bytes, rate }),
      ),
    );
    return Promise.all(transfers);
  }

  async #transfer(transfer: Transfer): Promise<FlowTransfer> {
    const [writer, reader] =
      transfer.direction === 'down' ? [this.#server, this.#client] : [this.#client, this.#server];
    const started = performance.now();
    let lead = 0;
    const compare = async (): Promise<void> => {
      // In this order, so that the lead is rather found too large than too small.
      const read = await reader.tally(transfer.id);
      const written = await writer.tally(transfer.id);
      lead = Math.max(lead, (written?.bytes ?? 0) - (read?.bytes ?? 0));
    };
    const timer = setInterval(() => void compare().catch(() => undefined), this.#plan.every);
    try {
      const url = this.#urls[transfer.style];
      const { status } = (await this.#client.call('transfer', { url, transfer })) as { status: number };
      const written = (await writer.tally(transfer.id)) as TallyState;
      const read = (await reader.tally(transfer.id)) as TallyState;
      const seconds = (performance.now() - started) / 1000;
      return { name: `${transfer.style} ${transfer.direction}`, status, written, read, lead, seconds };
    } finally {
      clearInterval(timer);
    }
  }
}
