/** The simulator itself: virtual time, seeded randomness, real work, deadlocks, and what a run reports. */
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { TaskGroup } from '../../../src/concurrency/index.ts';
import {
  runSimulation,
  SeededRandom,
  SimulationError,
  VirtualClock,
} from '../../../src/networking/simulation/index.ts';
import { ListenerRecorder, loopback, portOf } from '../../support/networking-environment.ts';
import { bytesOf, StreamRecorder } from '../../support/stream-recorder.ts';

describe('VirtualClock', () => {
  it('runs callbacks by time, those of one time in the order they were scheduled', () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    const at = (delay: number, name: string): { cancel(): void } =>
      clock.schedule(clock.now() + delay, () => log.push(`${name} ${String(clock.elapsed)}`));
    at(30, 'c');
    at(10, 'a');
    at(10, 'b');
    at(20, 'cancelled').cancel();
    at(-5, 'past');
    expect(clock.pending).toBe(4);
    expect(log).toEqual([]);
    while (clock.step());
    expect(log).toEqual(['past 0', 'a 10', 'b 10', 'c 30']);
    expect(clock.pending).toBe(0);
    expect(clock.step()).toBe(false);
  });

  it('keeps the order of many, also when some are cancelled and others added on the way', () => {
    const clock = new VirtualClock();
    const random = new SeededRandom(5);
    const times: number[] = [];
    const timers = Array.from({ length: 2_000 }, () =>
      clock.schedule(clock.now() + random.integer(0, 300), () => {
        times.push(clock.elapsed);
        if (random.chance(0.2)) clock.schedule(clock.now() + 7, () => times.push(clock.elapsed));
      }),
    );
    for (const timer of timers) {
      if (random.chance(0.3)) timer.cancel();
      if (random.chance(0.1)) timer.cancel();
    }
    const pending = clock.pending;
    while (clock.step());
    expect(times.length).toBeGreaterThanOrEqual(pending);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(clock.pending).toBe(0);
  });

  it('has a wall time that goes with it', () => {
    const clock = new VirtualClock({ wallStart: 5_000 });
    clock.schedule(clock.now() + 250, () => undefined);
    clock.step();
    expect(clock.wallTime()).toBe(5_250);
    expect(new VirtualClock().wallTime()).toBe(Date.UTC(2026, 0, 1));
  });
});

describe('SeededRandom', () => {
  it('replays from its seed, and differs between seeds and forks', () => {
    const draw = (random: SeededRandom): number[] => Array.from({ length: 20 }, () => random.uint32());
    expect(draw(new SeededRandom(7))).toEqual(draw(new SeededRandom(7)));
    expect(draw(new SeededRandom(7))).not.toEqual(draw(new SeededRandom(8)));
    expect(draw(new SeededRandom(7).fork('a'))).not.toEqual(draw(new SeededRandom(7).fork('b')));
    const used = new SeededRandom(7);
    draw(used);
    expect(draw(used.fork('a'))).toEqual(draw(new SeededRandom(7).fork('a')));
  });

  it('is even enough', () => {
    const random = new SeededRandom(1);
    const counts = new Array<number>(10).fill(0);
    for (let index = 0; index < 10_000; index += 1) {
      const number = random.integer(3, 12);
      counts[number - 3] = (counts[number - 3] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(900);
    expect(Math.max(...counts)).toBeLessThan(1_100);
    const bytes = random.fill(new Uint8Array(4_096));
    expect(new Set(bytes).size).toBe(256);
    expect([random.chance(0), random.chance(1)]).toEqual([false, true]);
    expect(['a', 'b']).toContain(random.pick(['a', 'b']));
  });
});

describe('runSimulation', () => {
  it('takes no real time for virtual time', async () => {
    const result = await runSimulation(1, async (simulation) => {
      await simulation.sleep(3_600_000);
      return simulation.clock.elapsed;
    });
    expect(result).toMatchObject({ seed: 1, value: 3_600_000, elapsed: 3_600_000, leftovers: [] });
  });

  it('moves time only when microtasks and a turn of the loop have brought nothing', async () => {
    const { value } = await runSimulation(1, async ({ clock }) => {
      const log: string[] = [];
      clock.schedule(clock.now(), () => log.push('clock'));
      for (let index = 0; index < 5; index += 1) await Promise.resolve();
      log.push('microtasks');
      await new Promise((resolve) => setImmediate(resolve));
      log.push('immediate');
      return log;
    });
    expect(value).toEqual(['microtasks', 'immediate']);
  });

  it('holds time for registered real work', async () => {
    const { value } = await runSimulation(1, async (simulation) => {
      const log: string[] = [];
      simulation.clock.schedule(simulation.clock.now() + 1, () => log.push('a millisecond later'));
      const work = promisify(deflate)(Buffer.alloc(3_000_000, 'work'));
      const packed = await simulation.registerRealWork(work);
      log.push(`packed ${String(packed.length < 100_000)}`);
      await simulation.sleep(1);
      return log;
    });
    expect(value).toEqual(['packed true', 'a millisecond later']);
  });

  it('fails by a deadlock, with what is open and the task tree', async () => {
    const group = new TaskGroup({ name: 'my tasks' });
    const running = runSimulation(99, async (simulation) => {
      simulation.watch(group);
      await simulation.networking.listenTcp({ endpoint: loopback('http', 'localhost', 80) }, new ListenerRecorder());
      group.spawn(() => new Promise(() => {}), { name: 'waits for ever' });
      await simulation.sleep(12);
      await group.join();
    });
    const error = (await running.catch((thrown: unknown) => thrown)) as SimulationError;
    expect(error).toBeInstanceOf(SimulationError);
    expect(error.seed).toBe(99);
    expect(error.message).toMatch(/^seed 99, after 12\.000 ms: deadlock/);
    expect(error.message).toContain('listener 127.0.0.1:80');
    expect(error.message).toContain('listener [::1]:80');
    expect(error.message).toContain('group "my tasks"');
    expect(error.message).toContain('waits for ever');
  });

  it('fails when it does not end', async () => {
    const forever = runSimulation(
      1,
      async (simulation) => {
        for (;;) await simulation.sleep(1_000);
      },
      { maxTime: 60_000 },
    );
    await expect(forever).rejects.toThrow(/^seed 1, after 61000\.000 ms: it does not end/);
  });

  it('names the seed when its body throws, with what it threw as the cause', async () => {
    const thrown = new Error('expected 1 to be 2');
    const failing = runSimulation(4, async (simulation) => {
      await simulation.sleep(5);
      throw thrown;
    });
    await expect(failing).rejects.toMatchObject({
      message: 'seed 4, after 5.000 ms: expected 1 to be 2',
      seed: 4,
      cause: thrown,
    });
  });

  it('reports what is left: streams, listeners, timers', async () => {
    const result = await runSimulation(1, async ({ networking, clock }) => {
      const accepted = new ListenerRecorder();
      const listener = await networking.listenTcp({ endpoint: loopback() }, accepted);
      await networking.connectTcp({ target: { host: '127.0.0.1', port: portOf(listener) } });
      clock.schedule(clock.now() + 10_000_000, () => undefined);
    });
    expect(result.leftovers).toEqual([
      'listener 127.0.0.1:49152',
      'stream connection 1 client',
      'stream connection 1 server',
      '1 timers',
    ]);
  });

  it('keeps the events as text when asked', async () => {
    const body = (trace: boolean): ReturnType<typeof runSimulation<void>> =>
      runSimulation(
        1,
        async (simulation) => {
          const { networking } = simulation;
          const accepted = new ListenerRecorder();
          const listener = await networking.listenTcp({ endpoint: loopback() }, accepted);
          const stream = await networking.connectTcp({ target: { host: '127.0.0.1', port: portOf(listener) } });
          const client = StreamRecorder.start(stream);
          const server = StreamRecorder.start(await accepted.stream());
          stream.write(bytesOf('x'));
          await server.bytes(1);
          simulation.record('seen');
          server.stream.end();
          stream.end();
          await Promise.all([client.closing(), server.closing(), listener.close()]);
        },
        { trace, conditions: { latency: 10 } },
      );
    const traced = await body(true);
    expect(traced.trace).toEqual(
      [
        '1000.000000 127.0.0.1:49152 listen',
        '1000.000000 connection 1 connect 127.0.0.1:49152',
        '1030.000000 connection 1 server data 1',
        '1030.000000 body seen',
        '1030.000000 connection 1 server end',
        '1030.000000 connection 1 client end',
        '1030.000000 127.0.0.1:49152 close listener',
        '1040.000000 connection 1 client end received',
        '1040.000000 connection 1 server end received',
        '1040.000000 connection 1 client closed',
        '1040.000000 connection 1 server closed',
      ].map((line) => expect.stringMatching(line.replace(/[[\]().]/g, '\\$&')) as string),
    );
    const silent = await body(false);
    expect(silent.trace).toEqual([]);
    expect(silent.digest).toBe(traced.digest);
    expect(silent.events).toBe(traced.events);
  });
});
