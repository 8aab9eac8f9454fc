/**
 * What a client over HTTP/3 does of its own, under a virtual clock: early data over bad networks and where nothing answers
 * any more, moves to other ports while bodies are on their way, and what is left of a path afterwards.
 */
import { describe, expect, it } from 'vitest';
import type { App } from '../../src/app/index.ts';
import { Client } from '../../src/client/index.ts';
import type { ClientOptions } from '../../src/client/index.ts';
import type { Simulation } from '../../src/networking/simulation/index.ts';
import { drawDatagramConditions, runSimulation } from '../../src/networking/simulation/index.ts';
import type { AppServerOptions, RunningServer } from '../../src/server/index.ts';
import { AppServer } from '../../src/server/index.ts';
import { tripsLimit } from '../support/limits.ts';
import { derAuthority, derServer, newKey, serverExtensions } from '../support/der-certificates.ts';

const SEEDS = Number(process.env['HFACE_SEEDS'] ?? 20);
const FIRST = Number(process.env['HFACE_FIRST_SEED'] ?? 1);
const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST + index);

const authority = derAuthority({ key: newKey('ed25519') });
const identity = derServer(authority, { key: newKey('ed25519'), extensions: serverExtensions('server.test') });
const serverTls = { cert: identity.pem, key: identity.key.export({ type: 'pkcs8', format: 'pem' }).toString() };
const origin = 'https://server.test:8443';
const wallStart = Date.now();

/** Says whether the request came early, or gives the body back. */
const app: App = async (request, { early }) =>
  request.method === 'GET' ? Response.json({ early }) : new Response(await request.arrayBuffer());

function serve(simulation: Simulation, options: AppServerOptions = {}): Promise<RunningServer> {
  simulation.network.name('server.test', ['10.0.0.1']);
  const { networking } = simulation;
  return new AppServer(app, { networking, tls: serverTls, quic: { earlyData: true }, ...options }).listen(origin);
}

function clientOf(simulation: Simulation, options: ClientOptions = {}): Client {
  const timeouts = { connect: 60_000, tls: 60_000, headers: 120_000, bodyIdle: 120_000 };
  return new Client({
    networking: simulation.networkingAt('10.0.0.2'),
    protocol: ['http3'],
    tls: { ca: authority.pem },
    quic: { earlyData: true },
    timeouts,
    ...options,
  });
}

interface Asked {
  readonly early: boolean;
  readonly version: string;
}

async function ask(client: Client): Promise<Asked[]> {
  return client.withSession(async (session) => {
    const responses = [await session.dispatch({ url: `${origin}/1` })];
    await responses[0]?.bytes();
    responses.push(await session.dispatch({ url: `${origin}/2` }));
    await responses[1]?.bytes();
    return responses.map(({ connection, httpVersion }) => ({ early: connection.early, version: httpVersion }));
  });
}

describe('early data in a simulation (RFC 8470)', () => {
  it('comes through any network or is sent again, leaves nothing, and replays', { timeout: 300_000 }, async () => {
    let early = 0;
    for (const seed of seeds) {
      const run = () =>
        runSimulation(
          seed,
          async (simulation) => {
            const server = await serve(simulation);
            const client = clientOf(simulation);
            const rounds = [await ask(client), await ask(client), await ask(client)];
            await server.drain();
            await server.closed;
            return rounds;
          },
          {
            conditions: (_connection, random) => ({ ...drawDatagramConditions(random), rebindEvery: Infinity }),
            wallStart,
          },
        );
      const first = await run();
      expect([seed, first.leftovers]).toEqual([seed, []]);
      expect([seed, first.value[0]]).toEqual([seed, [0, 1].map(() => ({ early: false, version: '3' }))]);
      early += first.value.flat().filter((asked) => asked.early).length;
      if (seed % 10 === 0) expect([seed, (await run()).digest]).toEqual([seed, first.digest]);
    }
    // Where the tickets of the first connection were lost there is none.
    expect(early).toBeGreaterThan(SEEDS);
  });

  it('saves a round trip', async () => {
    const { value } = await runSimulation(
      1,
      async (simulation) => {
        const server = await serve(simulation);
        const client = clientOf(simulation);
        const times: number[] = [];
        for (let round = 0; round < 2; round += 1) {
          await client.withSession(async (session) => {
            const { timings } = await session.dispatch({ url: `${origin}/` });
            times.push((timings.firstByte ?? Infinity) - timings.queued);
          });
        }
        await server.close();
        return times;
      },
      { conditions: { latency: 100 }, wallStart },
    );
    // Two round trips of 200 ms, then one.
    expect(value[0]).toBeGreaterThanOrEqual(400);
    expect(value[1]).toBeGreaterThanOrEqual(200);
    expect(value[1]).toBeLessThan(300);
  });

  it('into the void is sent again over what answers', async () => {
    const { value, leftovers } = await runSimulation(
      2,
      async (simulation) => {
        const client = clientOf(simulation, { protocol: ['http2', 'http3'] });
        const first = await serve(simulation);
        const met = await ask(client);
        await first.close();
        const second = await serve(simulation, { protocol: 'tcp' });
        const again = await ask(client);
        await second.close();
        return [...met, ...again];
      },
      { conditions: { latency: 10 }, wallStart },
    );
    expect(value).toEqual([
      { early: false, version: '3' },
      { early: false, version: '3' },
      { early: false, version: '2' },
      { early: false, version: '2' },
    ]);
    expect(leftovers).toEqual([]);
  });
});

describe('a client whose address changes in a simulation (RFC 9000 section 9)', () => {
  /** What befalls the client while a body is on its way: when, and its address from then on. */
  type Story = readonly (readonly [at: number, to: string | undefined])[];

  /** Posts through it on one connection, and tells from where the server was spoken to before and after. */
  function live(seed: number, story: Story, told: boolean) {
    return runSimulation(
      seed,
      async (simulation) => {
        simulation.network.name('server.test', ['10.0.0.1']);
        const seen: string[] = [];
        const echo: App = async (request, { clientAddress }) => {
          const body = await request.arrayBuffer();
          seen.push(clientAddress.family === 'unix' ? '' : clientAddress.host);
          return new Response(body);
        };
        const { networking } = simulation;
        const server = await new AppServer(echo, { networking, tls: serverTls }).listen(origin);
        const body = simulation.random.fill(new Uint8Array(500_000));
        const facts = await clientOf(simulation).withSession(async (session) => {
          const post = async (content: Uint8Array) => {
            const response = await session.dispatch({ url: `${origin}/`, method: 'POST', body: content });
            return { id: response.connection.id, same: Buffer.compare(await response.bytes(), content) === 0 };
          };
          const first = await post(body.slice(0, 10));
          const began = simulation.clock.now();
          const posting = post(body);
          for (const [at, to] of story) {
            await simulation.sleep(began + at - simulation.clock.now());
            simulation.network.renumber('10.0.0.2', to, told);
          }
          const { same } = await posting;
          const took = simulation.clock.now() - began;
          const last = await post(body.slice(0, 10));
          return { same, oneConnection: last.id === first.id, took };
        });
        await server.close();
        // A request is told the address from which its head came.
        return { ...facts, seen: [seen[0], seen[2]] };
      },
      { conditions: { latency: 20, bandwidth: 500_000 }, wallStart },
    );
  }

  it.each([
    ['is told by the system that the old one is gone', true],
    ['hears nothing any more', false],
  ])('goes on from the new one on the same connection when it %s', async (_how, told) => {
    const { value, leftovers } = await live(6, [[300, '10.0.0.7']], told);
    expect(value).toMatchObject({ same: true, oneConnection: true, seen: ['10.0.0.2', '10.0.0.7'] });
    // A body of a second each way, and a few probe timeouts; the idle timeout is 30 s.
    expect(value.took).toBeLessThan(10_000);
    expect(leftovers).toEqual([]);
  });

  it.each([true, false])('goes on when there was no network for a while; told by the system: %s', async (told) => {
    const story: Story = [
      [300, undefined],
      [4_300, '10.0.0.7'],
    ];
    const { value, leftovers } = await live(7, story, told);
    expect(value).toMatchObject({ same: true, oneConnection: true, seen: ['10.0.0.2', '10.0.0.7'] });
    expect(value.took).toBeLessThan(20_000);
    expect(leftovers).toEqual([]);
  });

  it('ends by its idle timeout when there is no network any more (section 10.1)', async () => {
    await expect(live(8, [[300, undefined]], true)).rejects.toMatchObject({
      cause: { message: expect.stringMatching(/idle/) as string },
    });
  });
});

describe('a client that migrates in a simulation (RFC 9000 section 9)', () => {
  it('goes on from port to port while a body is on its way, and keeps the sockets that it uses', async () => {
    const { value, leftovers } = await runSimulation(
      3,
      async (simulation) => {
        const ports: (number | undefined)[] = [];
        const server = await serve(simulation);
        const client = clientOf(simulation);
        const body = simulation.random.fill(new Uint8Array(1_000_000));
        const same = await client.withSession(async (session) => {
          expect(await session.migrate()).toBe(0);
          await (await session.dispatch({ url: `${origin}/` })).bytes();
          const posting = session.dispatch({ url: `${origin}/`, method: 'POST', body });
          for (let move = 0; move < 3; move += 1) {
            ports.push(await session.migrate());
          }
          const answer = await (await posting).bytes();
          return Buffer.compare(answer, body) === 0;
        });
        await server.drain();
        await server.closed;
        return { same, ports };
      },
      { conditions: { latency: 20, bandwidth: 1_000_000 }, wallStart },
    );
    expect(value).toEqual({ same: true, ports: [1, 1, 1] });
    expect(leftovers).toEqual([]);
  });

  it('moves a few connections at a time, and all of them in the end', async () => {
    tripsLimit('poolLimits.maxMovesAtOnce');
    const LATENCY = 50;
    const origins = Array.from({ length: 10 }, (_, index) => `https://server.test:${String(8_443 + index)}`);
    const { value, leftovers } = await runSimulation(
      5,
      async (simulation) => {
        simulation.network.name('server.test', ['10.0.0.1']);
        const server = await new AppServer(app, { networking: simulation.networking, tls: serverTls }).listen(origins);
        const networking = simulation.networkingAt('10.0.0.2');
        const opened: number[] = [];
        const connectUdp = networking.connectUdp.bind(networking);
        networking.connectUdp = (...options) => {
          opened.push(networking.clock.now());
          return connectUdp(...options);
        };
        const client = clientOf(simulation, { networking, pool: { maxMovesAtOnce: 3 } });
        const moved = await client.withSession(async (session) => {
          const visit = async (url: string): Promise<unknown> => (await session.dispatch({ url })).bytes();
          await Promise.all(origins.map(visit));
          opened.length = 0;
          // Who asks twice does not move more of them at once.
          const moves = await Promise.all([session.migrate(), session.migrate()]);
          await Promise.all(origins.map(visit));
          return moves;
        });
        await server.drain();
        await server.closed;
        return { moved, opened };
      },
      { conditions: { latency: LATENCY }, wallStart },
    );
    expect(value.moved).toEqual([10, 10]);
    expect(value.opened.length).toBeGreaterThanOrEqual(10);
    // A move takes a round trip at least: the fourth begins when one of the first three is done.
    const gaps = value.opened.slice(3).map((time, index) => time - (value.opened[index] ?? 0));
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(2 * LATENCY);
    expect(leftovers).toEqual([]);
  });

  it('stays where it is over TCP', async () => {
    const { value } = await runSimulation(
      4,
      async (simulation) => {
        const server = await serve(simulation, { protocol: 'tcp' });
        const moved = await clientOf(simulation, { protocol: ['http2'] }).withSession(async (session) => {
          await (await session.dispatch({ url: `${origin}/` })).bytes();
          return session.migrate();
        });
        await server.close();
        return moved;
      },
      { conditions: { latency: 10 }, wallStart },
    );
    expect(value).toBe(0);
  });
});
