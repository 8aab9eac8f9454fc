/**
 * Streams of one HTTP/2 connection beside each other, in virtual time: those that nobody reads do not slow down one
 * that somebody reads, and the urgent ones go first (RFC 9113 sections 2.2 and 5.2, RFC 9218 section 10).
 */
import { describe, expect, it } from 'vitest';
import type { HeaderList } from '../../src/common/index.ts';
import { HttpOverTcpListener, HttpOverTcpOpener, HttpPool, serveExchanges } from '../../src/connections/index.ts';
import type {
  ClientExchange,
  PoolAssignment,
  PoolRequestHandler,
  ServerExchange,
  ServerExchangeHandler,
} from '../../src/connections/index.ts';
import { CALM, runSimulation } from '../../src/networking/simulation/index.ts';
import type { LinkConditions, Simulation } from '../../src/networking/simulation/index.ts';
import { Http2ClientFactory, http2ClientLimits, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import { watchedFactory } from './support/watched-factory.ts';

const ORIGIN = { scheme: 'http', host: '10.0.0.1', port: 8080 } as const;
/** 20 MB/s there and back in 10 ms: windows have to grow to fill it. */
const FAST: LinkConditions = { ...CALM, latency: 5, bandwidth: 20_000_000, segmentSize: 0x4000, window: 0x80000 };
/** A bottleneck: 64 KiB a second. */
const SLOW: LinkConditions = { ...CALM, latency: 5, bandwidth: 0x10000, segmentSize: 1_460, window: 0x2000 };

/** Sends so many bytes in pieces as fast as they are taken. */
class Source {
  #left: number;
  readonly #piece: number;

  constructor(bytes: number, piece = 32_768) {
    this.#left = bytes;
    this.#piece = piece;
  }

  send(exchange: Pick<ServerExchange | ClientExchange, 'sendData'>): void {
    while (this.#left > 0) {
      const size = Math.min(this.#piece, this.#left);
      this.#left -= size;
      if (!exchange.sendData(new Uint8Array(size), this.#left === 0)) return;
    }
  }
}

/** Answers `/bytes` with so many, and takes an upload in, unless it is to be stalled. */
class Served implements ServerExchangeHandler {
  readonly #exchange: ServerExchange;
  readonly #source: Source;
  readonly #stalled: boolean;

  constructor(exchange: ServerExchange) {
    this.#exchange = exchange;
    this.#stalled = exchange.path.endsWith('stalled');
    const [, length, way] = exchange.path.split('/');
    this.#source = new Source(exchange.method === 'GET' ? Number(length) : 0, way === 'whole' ? Infinity : undefined);
    exchange.start(this);
    if (exchange.method !== 'GET') return;
    exchange.sendHeaders(200, way === 'announced' ? ['content-length', String(length)] : [], false);
    this.#source.send(exchange);
  }

  dataReceived(_data: Uint8Array, length: number, endStream: boolean): void {
    if (!this.#stalled) this.#exchange.dataConsumed(length);
    if (endStream) this.#exchange.respond(200, [], undefined);
  }

  trailersReceived(): void {}

  writable(): void {
    this.#source.send(this.#exchange);
  }

  aborted(): void {
    this.#exchange.handlerEnded();
  }

  closed(): void {
    this.#exchange.handlerEnded();
  }
}

function begin(exchange: ServerExchange): Served {
  return new Served(exchange);
}

/** A request: when its content began and ended, in virtual time. */
class Asked implements PoolRequestHandler {
  readonly done: Promise<void>;
  began: number | undefined = undefined;
  ended: number | undefined = undefined;
  received = 0;
  readonly #simulation: Simulation;
  readonly #reads: boolean;
  readonly #source: Source | undefined;
  #exchange: ClientExchange | undefined = undefined;
  #resolve: () => void = () => undefined;

  constructor(simulation: Simulation, reads: boolean, upload?: number) {
    this.#simulation = simulation;
    this.#reads = reads;
    this.#source = upload === undefined ? undefined : new Source(upload);
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  started({ exchange }: PoolAssignment): void {
    this.#exchange = exchange;
    this.#source?.send(exchange);
  }

  informationalReceived(): void {}

  headersReceived(_s: number, _h: HeaderList, _r: unknown, _v: unknown, endStream: boolean): void {
    if (endStream) this.ended = this.#simulation.clock.now();
  }

  dataReceived(data: Uint8Array, length: number, endStream: boolean): void {
    this.began ??= this.#simulation.clock.now();
    this.received += data.length;
    if (this.#reads) this.#exchange?.dataConsumed(length);
    if (endStream) this.ended = this.#simulation.clock.now();
  }

  trailersReceived(): void {}

  writable(): void {
    if (this.#exchange !== undefined) this.#source?.send(this.#exchange);
  }

  failed(): void {}

  closed(): void {
    this.#resolve();
  }
}

/** A server and a pool with one connection, for as long as `work` takes. */
async function withPool(
  simulation: Simulation,
  faults: string[],
  limits: Readonly<Record<string, number>>,
  work: (ask: (path: string, asked: Asked, method?: string, headers?: HeaderList) => void) => Promise<void>,
): Promise<void> {
  const cap = http2ClientLimits.maxUnconsumedBytes.default;
  const complain = (fault: string): void => void faults.push(fault);
  // What stalls here does so for as long as the test likes.
  const patient = { limits: { bodyTimeout: Infinity, writeTimeout: Infinity, ...limits } };
  const listener = new HttpOverTcpListener({
    networking: simulation.networking,
    factory: watchedFactory(new Http2ServerFactory(patient), cap, complain),
  });
  const listening = await listener.listen(
    { ...ORIGIN, unixPath: undefined },
    {
      connectionAccepted: (connection) => {
        serveExchanges(connection, { exchangeReceived: (exchange) => begin(exchange) });
      },
    },
  );
  const networking = simulation.networkingAt('10.0.0.2');
  const factory = watchedFactory(new Http2ClientFactory(patient), cap, complain);
  const pool = new HttpPool({
    opener: new HttpOverTcpOpener({ networking, factory }),
    clock: simulation.clock,
    limits: { maxConnectionsPerOrigin: 1 },
  });
  await work((path, asked, method = 'GET', headers = []) => {
    const head = { scheme: 'http', authority: 'a', protocol: undefined, upgrade: undefined, rawNames: undefined };
    const request = { ...head, method, path, headers, endStream: method === 'GET' };
    pool.request({ origin: ORIGIN }, request, asked, { queueTimeout: Infinity });
  });
  await pool.close();
  await listening.close();
}

const BYTES = 20_000_000;
/** Where nothing but the link holds streams up. */
const WIDE = { maxConcurrentStreams: 8, initialStreamWindow: 1 << 20 };

/** How long one transfer takes in virtual time, beside so many that nobody reads. */
async function transferTime(stalled: number, direction: 'down' | 'up'): Promise<number> {
  const faults: string[] = [];
  const result = await runSimulation(
    1,
    async (simulation) => {
      let time = 0;
      await withPool(simulation, faults, {}, async (ask) => {
        for (let index = 0; index < stalled; index += 1) {
          if (direction === 'down') ask(`/${String(BYTES)}/stalled`, new Asked(simulation, false));
          else ask('/0/stalled', new Asked(simulation, true, BYTES), 'POST');
        }
        // Until every window of theirs is full.
        await simulation.sleep(3_000);
        const began = simulation.clock.now();
        const one = new Asked(simulation, true, direction === 'up' ? BYTES : undefined);
        ask(`/${String(BYTES)}`, one, direction === 'up' ? 'POST' : 'GET');
        await one.done;
        if (direction === 'down') expect(one.received).toBe(BYTES);
        time = (one.ended ?? Infinity) - began;
      });
      return time;
    },
    { conditions: FAST },
  );
  expect(faults).toEqual([]);
  expect(result.leftovers).toEqual([]);
  return result.value;
}

describe('99 streams that stall with full windows', () => {
  it.each(['down', 'up'] as const)('do not slow down the hundredth: %s', async (direction) => {
    const alone = await transferTime(0, direction);
    const beside = await transferTime(99, direction);
    // Something moved at all: within three times what the link takes at best.
    expect(alone).toBeLessThan((3_000 * BYTES) / FAST.bandwidth);
    expect(alone / beside).toBeGreaterThan(0.9);
  });
});

describe('urgency (RFC 9218)', () => {
  it('1 ends before 5 begins, where the link is what is short', async () => {
    const faults: string[] = [];
    const { value } = await runSimulation(
      2,
      async (simulation) => {
        const later = Array.from({ length: 4 }, () => new Asked(simulation, true));
        const first = Array.from({ length: 4 }, () => new Asked(simulation, true));
        await withPool(simulation, faults, WIDE, async (ask) => {
          for (const asked of later) ask('/100000/whole', asked, 'GET', ['priority', 'u=5']);
          for (const asked of first) ask('/100000/whole', asked, 'GET', ['priority', 'u=1']);
          await Promise.all([...first, ...later].map(({ done }) => done));
        });
        return {
          lastOfFirst: Math.max(...first.map(({ ended }) => ended ?? Infinity)),
          firstOfLater: Math.min(...later.map(({ began }) => began ?? -Infinity)),
        };
      },
      { conditions: SLOW },
    );
    expect(faults).toEqual([]);
    expect(value.lastOfFirst).toBeLessThan(value.firstOfLater);
  });

  it.each(['announced', 'pieces'])('decides with windows as they are by default as well: %s', async (way) => {
    const faults: string[] = [];
    const bytes = 600_000;
    const conditions: LinkConditions = { ...CALM, latency: 20, bandwidth: 1_000_000, window: 0x10000 };
    const { value } = await runSimulation(
      4,
      async (simulation) => {
        const began = simulation.clock.now();
        const urgencies = [5, 5, 3, 1, 0];
        const asked = urgencies.map(() => new Asked(simulation, true));
        await withPool(simulation, faults, {}, async (ask) => {
          for (const [index, one] of asked.entries()) {
            ask(`/${String(bytes)}/${way}`, one, 'GET', ['priority', `u=${String(urgencies[index])}`]);
          }
          await Promise.all(asked.map(({ done }) => done));
        });
        return asked.map(({ ended }) => (ended ?? Infinity) - began);
      },
      { conditions },
    );
    expect(faults).toEqual([]);
    const [fifth, alike, third, second, first] = value as [number, number, number, number, number];
    expect([first, second, third, fifth, alike]).toEqual([...value].sort((one, other) => one - other));
    // Alone it takes 0.6 seconds. The first window of each of the others may go before it, and what the system holds.
    expect(first).toBeLessThan(1_200);
    expect(second).toBeLessThan(2_000);
  });

  it('of the same, the incremental ones take turns and the others go one after the other (section 10)', async () => {
    const faults: string[] = [];
    const spans = async (priority: string): Promise<readonly (readonly [number, number])[]> => {
      const { value } = await runSimulation(
        3,
        async (simulation) => {
          const asked = Array.from({ length: 4 }, () => new Asked(simulation, true));
          await withPool(simulation, faults, WIDE, async (ask) => {
            for (const one of asked) ask('/60000/whole', one, 'GET', ['priority', priority]);
            await Promise.all(asked.map(({ done }) => done));
          });
          return asked.map(({ began, ended }) => [began ?? -1, ended ?? -1] as const);
        },
        { conditions: SLOW },
      );
      return value;
    };
    const sequential = await spans('u=3');
    for (let index = 1; index < sequential.length; index += 1) {
      expect(sequential[index]?.[0]).toBeGreaterThanOrEqual(sequential[index - 1]?.[1] ?? Infinity);
    }
    const incremental = await spans('u=3, i');
    const lastBegin = Math.max(...incremental.map(([began]) => began));
    const firstEnd = Math.min(...incremental.map(([, ended]) => ended));
    expect(lastBegin).toBeLessThan(firstEnd);
    expect(faults).toEqual([]);
  });
});
