/**
 * Client and AppServer over HTTP/3 on a bad network: loss, reordering, copies, flipped bits, small packets, rebinding.
 * Whatever the seed brings, bodies come back as they went, the server drains, nothing is left, and it replays.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { App } from '../../src/app/index.ts';
import { Client } from '../../src/client/index.ts';
import type { ClientOptions } from '../../src/client/index.ts';
import type {
  LinkConditions,
  SeededRandom,
  Simulation,
  SimulationResult,
} from '../../src/networking/simulation/index.ts';
import { drawDatagramConditions, runSimulation } from '../../src/networking/simulation/index.ts';
import type { AppServerOptions, RequestRecord } from '../../src/server/index.ts';
import { AppServer } from '../../src/server/index.ts';
import { derAuthority, derServer, newKey, serverExtensions } from '../support/der-certificates.ts';

const SEEDS = Number(process.env['HFACE_SEEDS'] ?? 60);
const FIRST = Number(process.env['HFACE_FIRST_SEED'] ?? 1);
const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST + index);

/** Ed25519: its signatures are the same each time. */
const authority = derAuthority({ key: newKey('ed25519') });
const identity = derServer(authority, { key: newKey('ed25519'), extensions: serverExtensions('server.test') });
const serverTls = { cert: identity.pem, key: identity.key.export({ type: 'pkcs8', format: 'pem' }).toString() };
const clientTls = { ca: authority.pem };
const origin = 'https://server.test:8443';
/** The certificates are of today; all runs begin at the same time. */
const WALL_START = Date.now();

const echo: App = (request) => new Response(request.body);

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

interface Outcome {
  readonly equal: number;
  readonly versions: readonly string[];
  readonly resumed: readonly (boolean | undefined)[];
}

/** Two sessions of one client upload bodies at once and compare what comes back; then the server drains. */
async function exchange(
  simulation: Simulation,
  options: { readonly client?: ClientOptions; readonly server?: AppServerOptions; readonly most?: number } = {},
): Promise<Outcome> {
  const records: RequestRecord[] = [];
  simulation.network.name('server.test', ['10.0.0.1']);
  const server = await new AppServer(echo, {
    networking: simulation.networking,
    tls: serverTls,
    onRequest: (record) => records.push(record),
    ...options.server,
  }).listen(origin);
  const networking = simulation.networkingAt('10.0.0.2');
  const timeouts = { connect: 60_000, tls: 60_000, headers: 120_000, bodyIdle: 120_000 };
  const client = new Client({ networking, protocol: ['http3'], tls: clientTls, timeouts, ...options.client });
  let equal = 0;
  const versions = new Set<string>();
  const resumed: (boolean | undefined)[] = [];
  for (let round = 0; round < 2; round += 1) {
    await client.withSession(async (session) => {
      const sizes = Array.from({ length: 4 }, () => simulation.random.integer(0, options.most ?? 20_000));
      const facts = await Promise.all(
        sizes.map(async (size) => {
          const body = simulation.random.fill(new Uint8Array(size));
          const response = await session.dispatch({ url: `${origin}/echo`, method: 'POST', body });
          const answer = await response.bytes();
          if (digest(answer) === digest(body)) equal += 1;
          versions.add(response.httpVersion);
          return response.connection.tls?.resumed;
        }),
      );
      resumed.push(facts[0]);
    });
  }
  await server.drain();
  await server.closed;
  return { equal, versions: [...versions], resumed };
}

/** A new path has to live for some round trips to be proved. */
const LIFE_OF_A_PATH = 20;

/**
 * Where what would prove a new path is lost, or late, before the path is gone again, a connection may end: no path is left
 * (RFC 9000 sections 8.2.4 and 9.3.2).
 */
function bearable(random: SeededRandom): LinkConditions {
  const drawn = drawDatagramConditions(random);
  const slow = drawn.rebindEvery < LIFE_OF_A_PATH * (drawn.latency + drawn.jitter);
  const lossy = drawn.rebindEvery <= 5_000 && drawn.loss > 0.01;
  return slow || lossy ? { ...drawn, rebindEvery: Infinity } : drawn;
}

describe('a client and a server over HTTP/3 in a simulation', () => {
  it('echo through any network, leave nothing, and replay', { timeout: 300_000 }, async () => {
    for (const seed of seeds) {
      const run = (): Promise<SimulationResult<Outcome>> =>
        runSimulation(seed, (simulation) => exchange(simulation), {
          conditions: (_connection, random) => bearable(random),
          wallStart: WALL_START,
        });
      const first = await run();
      expect([seed, first.value.equal, first.value.versions]).toEqual([seed, 8, ['3']]);
      expect([seed, first.leftovers]).toEqual([seed, []]);
      if (seed % 10 === 0) expect([seed, (await run()).digest]).toEqual([seed, first.digest]);
    }
  });

  const calm = (
    conditions: Partial<LinkConditions> = {},
  ): { conditions: Partial<LinkConditions>; wallStart: number } => ({
    conditions,
    wallStart: WALL_START,
  });

  it('resume the session of the first round', async () => {
    const { value } = await runSimulation(1, (simulation) => exchange(simulation), calm());
    expect(value.resumed).toEqual([false, true]);
  });

  it('go on after the address of the client has changed, again and again (RFC 9000 section 9)', async () => {
    const conditions = calm({ latency: 20, bandwidth: 1_000_000, rebindEvery: 300 });
    const { value, trace } = await runSimulation(3, (simulation) => exchange(simulation, { most: 400_000 }), {
      ...conditions,
      trace: true,
    });
    expect(value.equal).toBe(8);
    expect(trace.filter((line) => line.includes('rebound')).length).toBeGreaterThan(1);
  });

  it('prefer HTTP/3 where both are known, and take TCP where nothing answers on UDP', async () => {
    const both = await runSimulation(
      4,
      (simulation) => exchange(simulation, { client: { protocol: ['http1', 'http2', 'http3'] } }),
      calm({ latency: 10 }),
    );
    expect(both.value.versions).toEqual(['3']);
    const tcp = await runSimulation(
      5,
      (simulation) =>
        exchange(simulation, { client: { protocol: ['http1', 'http2', 'http3'] }, server: { protocol: 'tcp' } }),
      calm({ latency: 10 }),
    );
    expect(tcp.value.versions).toEqual(['2']);
    const blackHole = await runSimulation(
      6,
      (simulation) => exchange(simulation, { client: { protocol: ['http2', 'http3'] } }),
      calm({ latency: 10, mtu: 1_000 }),
    );
    expect(blackHole.value.versions).toEqual(['2']);
    expect(blackHole.leftovers).toEqual([]);
  });

  it('do without a connection that another authority vouches for', async () => {
    const other = derAuthority({ key: newKey('ed25519') });
    const failing = runSimulation(
      7,
      (simulation) => exchange(simulation, { client: { tls: { ca: other.pem } } }),
      calm(),
    );
    await expect(failing).rejects.toThrow(/authority/);
  });

  it('begin with a Retry where that is asked for', async () => {
    const options = { server: { quic: { retry: true } } };
    const { value } = await runSimulation(8, (simulation) => exchange(simulation, options), calm({ latency: 5 }));
    expect(value.equal).toBe(8);
  });

  it('tell that nobody answers, in time', async () => {
    const { elapsed } = await runSimulation(
      9,
      async (simulation) => {
        simulation.network.name('nowhere.test', ['10.9.9.9']);
        const client = new Client({
          networking: simulation.networking,
          protocol: ['http3'],
          timeouts: { connect: 3_000 },
          retry: false,
        });
        await client.withSession(async (session) => {
          const asking = session.dispatch({ url: 'https://nowhere.test/' });
          await expect(asking).rejects.toMatchObject({ code: 'ERR_TIMEOUT', timer: 'connect' });
        });
      },
      { ...calm(), unreachable: ['10.9.9.9'] },
    );
    expect(elapsed).toBeGreaterThanOrEqual(3_000);
    expect(elapsed).toBeLessThan(3_100);
  });
});
