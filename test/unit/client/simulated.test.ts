/**
 * The client on a simulated network: timeouts to the millisecond, and every kind of trouble from seeds.
 */
import { describe, expect, it } from 'vitest';
import { Client } from '../../../src/client/index.ts';
import type { ClientOptions, ClientSession } from '../../../src/client/index.ts';
import { HfaceError } from '../../../src/common/index.ts';
import type { ByteStream } from '../../../src/networking/index.ts';
import { CALM, drawConditions, runSimulation } from '../../../src/networking/simulation/index.ts';
import type { Simulation, SimulationOptions } from '../../../src/networking/simulation/index.ts';
import { AppServer } from '../../../src/server/index.ts';

/** Listens at 10.0.0.2:80 with something that is told each piece that comes. */
async function rawServer(
  simulation: Simulation,
  answer: (stream: ByteStream, text: string) => void,
): Promise<{ close(): Promise<void> }> {
  const streams = new Set<ByteStream>();
  const listener = await simulation.networkingAt('10.0.0.2').listenTcp(
    { endpoint: { scheme: 'http', host: '10.0.0.2', port: 80, unixPath: undefined } },
    {
      admit: () => true,
      streamAccepted: (stream) => {
        streams.add(stream);
        stream.start({
          dataReceived: (chunk) => answer(stream, Buffer.from(chunk).toString('latin1')),
          endReceived: () => stream.end(),
          drained: () => {},
          closed: () => streams.delete(stream),
        });
      },
      streamFailed: () => {},
      listenerFailed: () => {},
    },
  );
  return {
    close: () => {
      for (const stream of streams) stream.abort();
      return listener.close();
    },
  };
}

const url = 'http://10.0.0.2/';

interface Failure {
  readonly error: unknown;
  readonly after: number;
}

/** Runs one request that fails, and says when. */
async function failure(
  options: ClientOptions,
  answer: (stream: ByteStream, text: string) => void,
  ask: (session: ClientSession) => Promise<unknown>,
  network: SimulationOptions = {},
): Promise<Failure> {
  const result = await runSimulation(
    1,
    async (simulation) => {
      const server = await rawServer(simulation, answer);
      const client = new Client({ ...options, networking: simulation.networking });
      const started = simulation.clock.now();
      const outcome = await client.withSession(async (session) => {
        const error = await ask(session).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        return { error, after: simulation.clock.now() - started };
      });
      await server.close();
      return outcome;
    },
    { conditions: { ...CALM, latency: 0 }, ...network },
  );
  expect(result.leftovers).toEqual([]);
  return result.value;
}

const silent = (): void => {};

describe('timeouts on a virtual clock', () => {
  it('connect: a host that answers nothing', async () => {
    const { error, after } = await failure({}, silent, (session) => session.dispatch({ url }), {
      unreachable: ['10.0.0.2'],
    });
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'connect', milliseconds: 10_000 });
    expect(after).toBe(10_000);
  });

  it('tls: a peer that says nothing', async () => {
    const ask = (session: ClientSession): Promise<unknown> => session.dispatch({ url: 'https://10.0.0.2:80/' });
    const { error, after } = await failure({ timeouts: { tls: 700 } }, silent, ask);
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'tls', milliseconds: 700 });
    expect(after).toBe(700);
  });

  it('queue: an origin whose connections are all taken', async () => {
    const options: ClientOptions = { pool: { maxConnectionsPerOrigin: 1 }, timeouts: { queue: 250 } };
    const { error, after } = await failure(options, silent, async (session) => {
      session.dispatch({ url }).catch(() => {});
      await session.dispatch({ url });
    });
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'queue' });
    expect(after).toBe(250);
  });

  it('headers: a server that never answers, by default after five minutes', async () => {
    const { error, after } = await failure({}, silent, (session) =>
      session.dispatch({ url, method: 'POST', body: 'x' }),
    );
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'headers', milliseconds: 300_000 });
    expect(after).toBe(300_000);
  });

  it('headers: longer than any default when it is asked for', async () => {
    const options: ClientOptions = { timeouts: { headers: 3_600_000 } };
    const { error, after } = await failure(options, silent, (session) => session.dispatch({ url }));
    expect([(error as HfaceError).code, after]).toEqual(['ERR_TIMEOUT', 3_600_000]);
  });

  it('bodyIdle: a server that stops in the middle', async () => {
    const half = (stream: ByteStream): void =>
      void stream.write(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf'));
    const { error, after } = await failure({ timeouts: { bodyIdle: 5_000 } }, half, async (session) => {
      await (await session.dispatch({ url })).text();
    });
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'bodyIdle' });
    expect(after).toBe(5_000);
  });

  it('bodyIdle: a server that takes nothing of an upload', async () => {
    const options: ClientOptions = { timeouts: { bodyIdle: 5_000 } };
    const stop = (stream: ByteStream): void => stream.pause();
    const body = new Uint8Array(5_000_000);
    const ask = (session: ClientSession): Promise<unknown> => session.dispatch({ url, method: 'POST', body });
    const { error, after } = await failure(options, stop, ask);
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'bodyIdle' });
    expect(after).toBe(5_000);
  });

  it('total: a body that drips for ever', async () => {
    const result = await runSimulation(2, async (simulation) => {
      let dripping = true;
      const server = await rawServer(simulation, (stream) => {
        stream.write(Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n'));
        void (async () => {
          while (dripping) {
            await simulation.sleep(900);
            stream.write(Buffer.from('1\r\nx\r\n'));
          }
        })();
      });
      const client = new Client({ networking: simulation.networking, timeouts: { total: 10_000, bodyIdle: 1_000 } });
      const started = simulation.clock.now();
      await client.withSession(async (session) => {
        const response = await session.fetch(url);
        await expect(response.text()).rejects.toMatchObject({ cause: { timer: 'total' } });
      });
      expect(simulation.clock.now() - started).toBe(10_000);
      dripping = false;
      await simulation.sleep(1_000);
      await server.close();
    });
    expect(result.leftovers).toEqual([]);
  });

  it('continue: a server that does not know the expectation', async () => {
    const result = await runSimulation(3, async (simulation) => {
      const seen: [number, string][] = [];
      let received = '';
      const server = await rawServer(simulation, (stream, text) => {
        received += text;
        const what = received.endsWith('\r\n\r\nbody') ? 'body' : received.endsWith('\r\n\r\n') ? 'head' : 'part';
        if (what !== 'part') seen.push([simulation.clock.elapsed, what]);
        if (what === 'body') stream.write(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
      });
      await new Client({ networking: simulation.networking }).withSession(async (session) => {
        const response = await session.dispatch({ url, method: 'PUT', body: 'body', expectContinue: true });
        expect(await response.text()).toBe('ok');
      });
      await server.close();
      return seen;
    });
    expect(result.value.map(([, what]) => what)).toEqual(['head', 'body']);
    const [head, body] = result.value;
    expect(body![0] - head![0]).toBeCloseTo(1_000, -1);
  });

  it('a stale connection: the request is sent again over a new one', async () => {
    const result = await runSimulation(4, async (simulation) => {
      let requests = 0;
      const server = await rawServer(simulation, (stream) => {
        requests += 1;
        if (requests === 2) stream.abort();
        else stream.write(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
      });
      await new Client({ networking: simulation.networking }).withSession(async (session) => {
        for (let index = 0; index < 2; index += 1) expect(await (await session.fetch(url)).text()).toBe('ok');
      });
      await server.close();
      return requests;
    });
    expect([result.value, result.leftovers]).toEqual([3, []]);
  });
});

describe('trouble from seeds', () => {
  /** Uploads and downloads against our server, while connections break. */
  async function trouble(simulation: Simulation): Promise<string[]> {
    const app = async (request: Request): Promise<Response> => {
      const { pathname } = new URL(request.url);
      if (pathname === '/redirect') return new Response('moved', { status: 307, headers: { location: '/echo' } });
      return new Response(request.body as ReadableStream<Uint8Array> | null, { headers: { 'x-path': pathname } });
    };
    const server = await new AppServer({ fetch: app }, { networking: simulation.networkingAt('10.0.0.2') }).listen(
      'http://10.0.0.2:80',
    );
    const { random } = simulation;
    const told: string[] = [];
    const client = new Client({
      networking: simulation.networking,
      timeouts: { headers: 20_000, bodyIdle: 20_000, queue: 30_000 },
      pool: { maxConnectionsPerOrigin: 3 },
    });
    await client.withSession(async (session) => {
      const one = async (index: number): Promise<void> => {
        const size = random.pick([0, 1, 1000, 10_000]);
        const body = new Uint8Array(size).fill(index);
        const controller = new AbortController();
        const leave = random.chance(0.15)
          ? simulation.clock.schedule(simulation.clock.now() + 2_000 * random.fraction(), () => controller.abort())
          : undefined;
        try {
          const path = random.pick(['echo', 'redirect']);
          const response = await session.fetch(url + path, {
            method: random.pick(['PUT', 'POST']),
            body,
            signal: controller.signal,
          });
          const back = new Uint8Array(await response.arrayBuffer());
          expect(Buffer.from(back).equals(body)).toBe(true);
          told.push(`${index} ${response.status}`);
        } catch (error) {
          if (controller.signal.aborted && error === controller.signal.reason) told.push(`${index} aborted`);
          else {
            expect(error).toBeInstanceOf(TypeError);
            expect((error as Error).cause).toBeInstanceOf(HfaceError);
            told.push(`${index} ${((error as Error).cause as HfaceError).code}`);
          }
        } finally {
          leave?.cancel();
        }
      };
      for (let round = 0; round < 3; round += 1) {
        await Promise.all([1, 2, 3, 4].map((index) => one(4 * round + index)));
        await simulation.sleep(10_000 * random.fraction());
      }
      expect(session.running).toBe(0);
    });
    await server.drain({ timeout: 1_000 });
    return told;
  }

  const options: SimulationOptions = {
    conditions: (_connection, random) => ({
      ...drawConditions(random),
      segmentSize: random.pick([1460, 0x4000, 0x10000]),
      window: random.pick([1460, 0x40000]),
      resetChance: 0.15,
      silenceChance: 0.05,
      refuseChance: 0.05,
      troubleWithin: 5_000,
    }),
  };

  const outcomes: string[] = [];

  it.each(Array.from({ length: 20 }, (_, index) => index + 1))(
    'seed %i: each request has its answer or a clear error, nothing is left, and it replays',
    async (seed) => {
      const first = await runSimulation(seed, trouble, options);
      outcomes.push(...first.value);
      expect(first.value.length).toBe(12);
      expect(first.leftovers).toEqual([]);
      const second = await runSimulation(seed, trouble, options);
      expect(second.value).toEqual(first.value);
      expect(second.digest).toBe(first.digest);
    },
  );

  it('breaks some and not all', () => {
    const good = outcomes.filter((outcome) => outcome.endsWith(' 200')).length;
    expect(good).toBeGreaterThan(outcomes.length / 2);
    expect(good).toBeLessThan(outcomes.length);
  });
});
