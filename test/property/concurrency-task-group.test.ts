import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { furtherErrors, TaskGroup } from '../../src/concurrency/index.ts';
import type { Task } from '../../src/concurrency/index.ts';
import { listeners, settle } from '../unit/concurrency/support.ts';

/** How a task behaves; `turns` is how long it works, `heeds` whether it ends when it is told to. */
interface Behaviour {
  readonly start: number;
  readonly turns: number;
  readonly end: 'return' | 'throw' | 'throw undefined';
  readonly heeds: boolean;
  readonly cleanUp: 'none' | 'waits' | 'fails';
  readonly group: number;
}

interface Schedule {
  readonly tasks: readonly Behaviour[];
  /** The group around each group but the first, as an index. */
  readonly parents: readonly number[];
  readonly action: 'join' | 'close' | 'cancel then join' | 'abort the signal then join' | 'join and close';
  readonly at: number;
}

const behaviour: fc.Arbitrary<Behaviour> = fc.record({
  start: fc.nat(6),
  turns: fc.nat(8),
  end: fc.constantFrom('return', 'return', 'return', 'throw', 'throw undefined'),
  heeds: fc.boolean(),
  cleanUp: fc.constantFrom('none', 'none', 'waits', 'fails'),
  group: fc.nat(3),
});

const schedule: fc.Arbitrary<Schedule> = fc.record({
  tasks: fc.array(behaviour, { maxLength: 8 }),
  parents: fc.array(fc.nat(3), { maxLength: 3 }),
  action: fc.constantFrom('join', 'close', 'cancel then join', 'abort the signal then join', 'join and close'),
  at: fc.nat(10),
});

/** A promise that takes so many turns of the microtask queue, or ends at once when it should heed its signal. */
async function turns(count: number, signal?: AbortSignal): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    signal?.throwIfAborted();
    await Promise.resolve();
  }
}

async function work(behaviour: Behaviour, signal: AbortSignal, failures: unknown[]): Promise<void> {
  const fail = (what: string): never => {
    const error: unknown = what === 'undefined' ? undefined : new Error(what);
    failures.push(error);
    throw error;
  };
  try {
    await turns(behaviour.turns, behaviour.heeds ? signal : undefined);
    if (behaviour.end === 'throw') fail('end');
    if (behaviour.end === 'throw undefined') fail('undefined');
  } finally {
    if (behaviour.cleanUp === 'waits') await turns(5);
    if (behaviour.cleanUp === 'fails') fail('clean up');
  }
}

async function run({ tasks: behaviours, parents, action, at }: Schedule): Promise<void> {
  const controller = new AbortController();
  const root = new TaskGroup({ name: 'root', signal: controller.signal });
  const groups = [root];
  for (const [index, parent] of parents.entries()) {
    groups.push(new TaskGroup({ name: String(index), parent: groups[parent % groups.length] }));
  }
  const tasks: Task<void>[] = [];
  const failures: unknown[] = [];
  const starters = behaviours.map(async (each) => {
    await turns(each.start);
    const group = groups[each.group % groups.length]!;
    // After the end a group starts nothing more.
    if (group.closed) return;
    tasks.push(group.spawn((signal) => work(each, signal, failures)));
  });
  await turns(at);
  if (action === 'cancel then join') root.cancel();
  if (action === 'abort the signal then join') controller.abort(new Error('outside'));
  const endings = [action === 'close' ? root.close() : root.join()];
  if (action === 'join and close') endings.push(root.close());

  const outcomes = await Promise.allSettled(endings);
  expect(root.running).toBe(0);
  expect(root.describe()).toBe('group "root": closed, 0 running');
  expect(tasks.every((task) => task.state !== 'running')).toBe(true);
  expect(groups.every((group) => group.closed)).toBe(true);
  expect(listeners(controller.signal)).toBe(0);

  const rejected = outcomes.filter((outcome) => outcome.status === 'rejected');
  const errors: unknown[] = rejected.flatMap((outcome): unknown[] => [
    outcome.reason,
    ...furtherErrors(outcome.reason),
  ]);
  const failed = tasks.filter((task) => task.state === 'failed').length;
  if (failed > 0) {
    // Thrown once, the others attached, none lost and none made up.
    expect(rejected.length).toBe(1);
    expect(errors.length).toBe(failed);
    for (const error of errors) {
      const thrown = (error as { code?: string }).code === 'ERR_TASK' ? (error as Error).cause : error;
      expect(failures).toContain(thrown);
    }
  } else {
    const outside = action === 'abort the signal then join';
    expect(rejected.length).toBeLessThanOrEqual(outside ? 1 : 0);
    if (rejected.length === 1) expect((errors[0] as Error).message).toBe('outside');
  }
  await Promise.all(starters);
  await root.close();
  await settle();
  expect(root.running).toBe(0);
}

describe('TaskGroup', () => {
  it('ends after all its tasks, throws once, and loses no error, whatever the schedule', async () => {
    // An unhandled rejection would fail the run as well.
    const checked = await fc.check(fc.asyncProperty(schedule, run), { numRuns: 800 });
    expect(checked.failed ? fc.defaultReportMessage(checked) : 'held').toBe('held');
  });
});
