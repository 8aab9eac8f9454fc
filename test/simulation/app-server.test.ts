import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { App, AsgiApp } from '../../src/app/index.ts';
import { asgi } from '../../src/app/index.ts';
import { Client } from '../../src/client/index.ts';
import type { Simulation, SimulationOptions, SimulationResult } from '../../src/networking/simulation/index.ts';
import { drawConditions, runSimulation } from '../../src/networking/simulation/index.ts';
import type { RequestRecord } from '../../src/server/index.ts';
import { AppServer } from '../../src/server/index.ts';

const ENDPOINT = 'http://10.0.0.1:8080';
const seeds = Array.from({ length: 15 }, (_, index) => index + 1);

/** Echoes a body as it comes. */
const fetchEcho: App = (request) => new Response(request.body);

const asgiEcho: AsgiApp = async (scope, receive, send) => {
  if (scope.type !== 'http') throw new Error('only http');
  await send({ type: 'http.response.start', status: 200 });
  for (;;) {
    const event = await receive();
    if (event.type !== 'http.request') return;
    await send({ type: 'http.response.body', body: event.body, more_body: event.more_body });
    if (!event.more_body) return;
  }
};

/** Clients upload bodies at once and compare what comes back; then the server drains. */
async function echo(simulation: Simulation, app: App): Promise<{ readonly done: number; readonly records: number }> {
  const records: RequestRecord[] = [];
  const server = await new AppServer(app, {
    networking: simulation.networking,
    onRequest: (record) => records.push(record),
  }).listen(ENDPOINT);
  const client = new Client({ networking: simulation.networkingAt('10.0.0.2') });
  const done = await client.withSession(async (session) => {
    const sizes = Array.from({ length: 4 }, () => simulation.random.integer(0, 4_000));
    const results = await Promise.all(
      sizes.map(async (size) => {
        const body = simulation.random.fill(new Uint8Array(size));
        const response = await session.fetch(`${ENDPOINT}/echo`, { method: 'POST', body });
        const answer = new Uint8Array(await response.arrayBuffer());
        return digest(answer) === digest(body);
      }),
    );
    return results.filter((equal) => equal).length;
  });
  await server.drain();
  await server.closed;
  return { done, records: records.length };
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('a server in a simulation', () => {
  // Windows of a byte are slower than the least rate that a server accepts, segments of a byte slower than a test may be.
  const options: SimulationOptions = {
    conditions: (_connection, random) => ({
      ...drawConditions(random),
      window: random.pick([1_460, 0x4000, 0x40000]),
      segmentSize: random.pick([29, 536, 1_460, 0x4000]),
    }),
  };

  it.each([
    ['Fetch-style', fetchEcho],
    ['ASGI-style', asgi(asgiEcho)],
  ])('echoes through any network, leaves nothing, and replays: %s', async (_style, app) => {
    for (const seed of seeds) {
      const run = (): Promise<SimulationResult<{ done: number; records: number }>> =>
        runSimulation(seed, (simulation) => echo(simulation, app), options);
      const first = await run();
      expect(first.value).toEqual({ done: 4, records: 4 });
      expect(first.leftovers).toEqual([]);
      if (seed % 5 === 0) expect((await run()).digest).toBe(first.digest);
    }
  });

  it('ends every request and every handler when connections break', async () => {
    for (const seed of seeds) {
      const result = await runSimulation(
        seed,
        async (simulation) => {
          const records: RequestRecord[] = [];
          let running = 0;
          let cancelled = 0;
          const app: App = (request) => {
            running += 1;
            request.signal.addEventListener('abort', () => (cancelled += 1));
            const stream = new ReadableStream<Uint8Array>({
              async pull(controller) {
                await simulation.sleep(50, request.signal);
                controller.enqueue(new Uint8Array(5_000));
              },
              cancel: () => {
                running -= 1;
              },
            });
            return new Response(stream);
          };
          const server = await new AppServer(app, {
            networking: simulation.networking,
            onRequest: (record) => records.push(record),
            onError: () => undefined,
          }).listen(ENDPOINT);
          const client = new Client({ networking: simulation.networkingAt('10.0.0.2'), retry: false });
          await client.withSession(async (session) => {
            const reading = Array.from({ length: 4 }, async () => {
              const response = await session.fetch(`${ENDPOINT}/endless`);
              await response.arrayBuffer();
            });
            const outcomes = await Promise.allSettled(reading);
            expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true);
          });
          await server.drain({ timeout: 1_000 });
          return { running, missing: records.filter((record) => record.status === 200).length - cancelled };
        },
        { conditions: { resetChance: 1, troubleWithin: 2_000 } },
      );
      expect(result.value).toEqual({ running: 0, missing: 0 });
      expect(result.leftovers).toEqual([]);
    }
  });
});
