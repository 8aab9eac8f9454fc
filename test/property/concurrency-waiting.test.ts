import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue, Gate, Latch, Semaphore, TimerQueue } from '../../src/concurrency/index.ts';
import type { Permit, Timer } from '../../src/concurrency/index.ts';
import { ManualClock } from '../unit/concurrency/manual-clock.ts';
import { listeners, settle } from '../unit/concurrency/support.ts';

type QueueStep =
  | { readonly do: 'push' | 'try push'; readonly weight: number; readonly abortable: boolean }
  | { readonly do: 'take' | 'try take'; readonly abortable: boolean }
  | { readonly do: 'abort' | 'yield' | 'close' };

const queueStep: fc.Arbitrary<QueueStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('push', 'try push'), weight: fc.nat(4), abortable: fc.boolean() }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('take', 'try take'), abortable: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom({ do: 'abort' as const }, { do: 'yield' as const }, { do: 'yield' as const }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'close' as const }) },
);

async function runQueue(steps: readonly QueueStep[], capacity: number): Promise<void> {
  const queue = new BoundedQueue<{ id: number; weight: number }>({ capacity, weigh: (item) => item.weight });
  const heaviest = 4;
  let controller = new AbortController();
  const controllers = [controller];
  const accepted: number[] = [];
  const refused: number[] = [];
  const taken: number[] = [];
  const pending: Promise<void>[] = [];
  let next = 0;
  for (const step of steps) {
    const signal = 'abortable' in step && step.abortable ? controller.signal : undefined;
    if (step.do === 'push') {
      const id = next++;
      const pushing = queue.push({ id, weight: step.weight }, signal);
      pending.push(
        pushing.then(
          () => {
            accepted.push(id);
          },
          () => {
            refused.push(id);
          },
        ),
      );
    } else if (step.do === 'try push') {
      const id = next++;
      (queue.tryPush({ id, weight: step.weight }) ? accepted : refused).push(id);
    } else if (step.do === 'take') {
      const taking = queue.take(signal);
      pending.push(
        taking.then(
          (item) => {
            if (item !== undefined) taken.push(item.id);
          },
          () => undefined,
        ),
      );
    } else if (step.do === 'try take') {
      const item = queue.tryTake();
      if (item !== undefined)
        pending.push(
          Promise.resolve().then(() => {
            taken.push(item.id);
          }),
        );
    } else if (step.do === 'abort') {
      controller.abort(new Error('stop'));
      controller = new AbortController();
      controllers.push(controller);
    } else if (step.do === 'close') {
      queue.close();
    } else {
      await settle();
    }
    expect(queue.weight).toBeLessThanOrEqual(capacity - 1 + heaviest);
  }
  queue.close();
  for await (const item of queue) taken.push(item.id);
  await Promise.all(pending);
  // What was accepted came out, once and in order; what was refused did not.
  expect(taken).toEqual([...accepted].sort((one, other) => one - other));
  expect([...accepted, ...refused].sort((one, other) => one - other)).toEqual(
    Array.from({ length: next }, (_, id) => id),
  );
  expect([queue.length, queue.weight]).toEqual([0, 0]);
  for (const each of controllers) expect(listeners(each.signal)).toBe(0);
}

type PermitStep = { readonly do: 'acquire' | 'acquire abortable' | 'try' | 'release' | 'abort' | 'yield' };

async function runSemaphore(steps: readonly PermitStep[], permits: number, maxWaiting: number): Promise<void> {
  const semaphore = new Semaphore({ permits, maxWaiting });
  let controller = new AbortController();
  const held: Permit[] = [];
  const served: number[] = [];
  const pending: Promise<void>[] = [];
  let next = 0;
  const acquire = (signal?: AbortSignal): void => {
    const id = next++;
    pending.push(
      semaphore.acquire(signal).then(
        (permit) => {
          held.push(permit);
          served.push(id);
        },
        () => undefined,
      ),
    );
  };
  for (const step of steps) {
    if (step.do === 'acquire') acquire();
    else if (step.do === 'acquire abortable') acquire(controller.signal);
    else if (step.do === 'try') {
      const waiting = semaphore.waiting;
      const permit = semaphore.tryAcquire();
      if (permit !== undefined) {
        expect(waiting).toBe(0);
        held.push(permit);
      }
    } else if (step.do === 'release') held.shift()?.release();
    else if (step.do === 'abort') {
      controller.abort();
      expect(listeners(controller.signal)).toBe(0);
      controller = new AbortController();
    } else await settle();
    expect(held.length + semaphore.available).toBeLessThanOrEqual(permits);
    expect(semaphore.waiting).toBeLessThanOrEqual(maxWaiting);
    if (semaphore.available > 0) expect(semaphore.waiting).toBe(0);
  }
  await settle();
  while (held.length > 0) {
    held.shift()?.release();
    await settle();
  }
  await Promise.all(pending);
  expect([semaphore.available, semaphore.waiting]).toEqual([permits, 0]);
  expect(served).toEqual([...served].sort((one, other) => one - other));
  expect(listeners(controller.signal)).toBe(0);
}

type TimerStep = readonly [name: 'set' | 'clear' | 'cancel' | 'advance' | 'jump', timer: number, by: number];

const timerStep: fc.Arbitrary<TimerStep> = fc.tuple(
  fc.constantFrom('set', 'set', 'set', 'set', 'set', 'clear', 'cancel', 'advance', 'advance', 'jump'),
  fc.nat(15),
  fc.integer({ min: -5, max: 60 }),
);

function runTimers(steps: readonly TimerStep[]): void {
  const clock = new ManualClock();
  const queue = new TimerQueue(clock, {
    onError: (error) => {
      throw error;
    },
  });
  // The model: what each timer is set to, and the order of setting.
  const wanted = new Map<number, { at: number; order: number }>();
  let order = 0;
  const ran: string[] = [];
  const timers: Timer[] = [];
  for (let id = 0; id < 16; id += 1) timers.push(queue.timer((now) => ran.push(`${id}@${now}`)));
  const due = (now: number): [number, { at: number; order: number }][] =>
    [...wanted].filter(([, { at }]) => at <= now).sort(([, a], [, b]) => a.at - b.at || a.order - b.order);
  for (const [name, id, by] of steps) {
    const expectedRuns: string[] = [];
    const from = clock.now();
    ran.length = 0;
    if (name === 'set') {
      timers[id]?.set(from + by);
      wanted.set(id, { at: from + by, order: (order += 1) });
    } else if (name === 'clear' || name === 'cancel') {
      if (name === 'clear') timers[id]?.set(undefined);
      else timers[id]?.cancel();
      wanted.delete(id);
    } else {
      const span = Math.abs(by);
      for (const [each, { at }] of due(from + span)) {
        expectedRuns.push(`${each}@${name === 'jump' ? from + span : Math.max(at, from)}`);
        wanted.delete(each);
      }
      if (name === 'jump') clock.jump(span);
      else clock.advance(span);
    }
    const earliest = Math.min(...[...wanted.values()].map(({ at }) => at));
    const state = {
      ran,
      pending: queue.pending,
      scheduled: clock.pending,
      deadlines: timers.map((timer) => timer.deadline),
      inTime: wanted.size === 0 || (clock.times[0] ?? Infinity) <= earliest,
    };
    expect(state).toEqual({
      ran: expectedRuns,
      pending: wanted.size,
      scheduled: wanted.size === 0 ? 0 : 1,
      deadlines: timers.map((_, each) => wanted.get(each)?.at),
      inTime: true,
    });
  }
}

/** fast-check's own assertion, in the form that vitest counts. */
async function holds<T>(
  property: fc.IAsyncPropertyWithHooks<T> | fc.IPropertyWithHooks<T>,
  numRuns: number,
): Promise<void> {
  const checked = await fc.check(property as fc.IAsyncPropertyWithHooks<T>, { numRuns });
  expect(checked.failed ? fc.defaultReportMessage(checked) : 'held').toBe('held');
}

describe('under any schedule', () => {
  it('a bounded queue loses nothing, doubles nothing, keeps the order and its bound', async () => {
    await holds(
      fc.asyncProperty(fc.array(queueStep, { maxLength: 50 }), fc.integer({ min: 1, max: 6 }), runQueue),
      600,
    );
  });

  it('a semaphore gives out no more than it has, in order, and gets all back', async () => {
    const step = fc.record({
      do: fc.constantFrom('acquire', 'acquire', 'acquire abortable', 'try', 'release', 'release', 'abort', 'yield'),
    }) as fc.Arbitrary<PermitStep>;
    const property = fc.asyncProperty(
      fc.array(step, { maxLength: 50 }),
      fc.integer({ min: 1, max: 3 }),
      fc.nat(5),
      runSemaphore,
    );
    await holds(property, 400);
  });

  it('a timer queue runs what is due, at its time and in order, on at most one timer of the clock', async () => {
    await holds(fc.property(fc.array(timerStep, { minLength: 20, maxLength: 120 }), runTimers), 300);
  });

  it('a latch and a gate answer everybody exactly once', async () => {
    const step = fc.constantFrom('wait', 'wait', 'wait abortable', 'abort', 'open', 'close');
    const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), fc.boolean(), async (steps, fails) => {
      const gate = new Gate();
      const latch = new Latch<number>();
      let controller = new AbortController();
      let waits = 0;
      let answers = 0;
      const count = (): void => {
        answers += 1;
      };
      for (const each of steps) {
        if (each === 'open') {
          gate.open();
          latch.open(waits);
        } else if (each === 'close') gate.close();
        else if (each === 'abort') {
          controller.abort();
          controller = new AbortController();
        } else {
          const signal = each === 'wait' ? undefined : controller.signal;
          waits += 2;
          gate.wait(signal).then(count, count);
          latch.wait(signal).then(count, count);
        }
      }
      if (fails) {
        gate.fail(new Error('x'));
        latch.fail(new Error('x'));
      } else {
        gate.open();
        latch.open(0);
      }
      await settle();
      expect(answers).toBe(waits);
      expect(listeners(controller.signal)).toBe(0);
    });
    await holds(property, 200);
  });
});
