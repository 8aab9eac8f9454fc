import { describe, expect, it } from 'vitest';
import { HfaceError, LocalProtocolError } from '../../../src/common/index.ts';
import { CancelledError, furtherErrors, raceAbort, TaskGroup, withTaskGroup } from '../../../src/concurrency/index.ts';
import { deferred, listeners, rejection, settle, stateOf, untilAborted } from './support.ts';

const failure = new Error('failure');

async function failWith(error: unknown): Promise<never> {
  await settle();
  throw error;
}

describe('TaskGroup: how a task ends', () => {
  it('returns', async () => {
    const group = new TaskGroup();
    const task = group.spawn(async () => 42);
    expect(task.state).toBe('running');
    expect(await task.result).toBe(42);
    expect(task.state).toBe('completed');
    await group.join();
    expect(group.signal.aborted).toBe(false);
    expect(group.closed).toBe(true);
  });

  it('returns without a promise', async () => {
    const group = new TaskGroup();
    expect(await group.spawn(() => 'now').result).toBe('now');
    await group.join();
    expect(group.running).toBe(0);
  });

  it('throws', async () => {
    const group = new TaskGroup();
    const task = group.spawn(() => failWith(failure));
    expect(await rejection(group.join())).toBe(failure);
    expect(task.state).toBe('failed');
    expect(await rejection(task.result)).toBe(failure);
    expect((group.signal.reason as Error).cause).toBe(failure);
  });

  it('throws before its first await', async () => {
    const group = new TaskGroup();
    const task = group.spawn(() => {
      throw failure;
    });
    expect(await rejection(group.join())).toBe(failure);
    expect(task.state).toBe('failed');
  });

  it('throws undefined, and other things that are no errors', async () => {
    for (const thrown of [undefined, null, 'text', 0, Object.create(null) as object, Symbol('s')]) {
      const group = new TaskGroup();
      const task = group.spawn(() => failWith(thrown), { name: 'odd' });
      const error = (await rejection(group.join())) as HfaceError;
      expect(error).toBeInstanceOf(HfaceError);
      expect(error.code).toBe('ERR_TASK');
      expect(error.message).toContain('odd');
      expect(error.cause).toBe(thrown);
      expect(task.state).toBe('failed');
    }
  });

  it('returns something whose then throws', async () => {
    const group = new TaskGroup();
    const hostile = {
      get then(): never {
        throw failure;
      },
    };
    group.spawn(() => hostile as unknown as Promise<void>);
    expect(await rejection(group.join())).toBe(failure);
  });

  it('is aborted before it starts, and is started all the same', async () => {
    const group = new TaskGroup();
    const reason = new Error('stop');
    group.cancel(reason);
    let started = false;
    const task = group.spawn(async (signal) => {
      started = true;
      signal.throwIfAborted();
    });
    expect(started).toBe(true);
    expect(task.signal.reason).toBe(reason);
    await group.close();
    expect(task.state).toBe('cancelled');
    expect(await rejection(task.result)).toBe(reason);
  });

  it('is aborted during its work', async () => {
    const group = new TaskGroup();
    const task = group.spawn(untilAborted);
    await settle();
    const reason = new Error('stop');
    group.cancel(reason);
    group.cancel(new Error('second reason'));
    await group.join();
    expect(task.state).toBe('cancelled');
    expect(await rejection(task.result)).toBe(reason);
  });

  it('is aborted after it has ended', async () => {
    const group = new TaskGroup();
    const task = group.spawn(async () => 1);
    await task.result;
    group.cancel();
    await group.close();
    expect(task.state).toBe('completed');
    expect(task.signal.aborted).toBe(false);
    expect(await task.result).toBe(1);
  });

  it('returns although it was aborted', async () => {
    const group = new TaskGroup();
    const task = group.spawn(async (signal) => {
      await untilAborted(signal).catch(() => undefined);
      return 'saved';
    });
    await group.close();
    expect(task.state).toBe('completed');
    expect(await task.result).toBe('saved');
  });

  it('is cancelled alone', async () => {
    const group = new TaskGroup();
    const one = group.spawn(untilAborted, { name: 'one' });
    const two = group.spawn(untilAborted);
    one.cancel();
    one.cancel('again');
    await settle();
    expect(one.state).toBe('cancelled');
    expect(((await rejection(one.result)) as Error).message).toContain('"one"');
    expect(two.state).toBe('running');
    expect(group.signal.aborted).toBe(false);
    two.cancel('reason');
    expect(two.signal.reason).toBe('reason');
    await group.join();
    expect(two.state).toBe('cancelled');
  });

  it('fails while it cleans up after a cancellation', async () => {
    const group = new TaskGroup();
    const task = group.spawn(async (signal) => {
      try {
        await untilAborted(signal);
      } finally {
        await failWith(failure);
      }
    });
    expect(await rejection(group.close())).toBe(failure);
    expect(task.state).toBe('failed');
  });

  it('wraps the reason it was cancelled with', async () => {
    const group = new TaskGroup();
    group.spawn(async (signal) => {
      await untilAborted(signal).catch((error: unknown) => {
        throw new Error('connect failed', { cause: error });
      });
    });
    await group.close(new Error('stop'));
    expect(group.running).toBe(0);
  });

  it('throws a cancellation that nobody asked for', async () => {
    const group = new TaskGroup();
    const task = group.spawn(() => failWith(new CancelledError('of my own')));
    expect(((await rejection(group.join())) as Error).message).toBe('of my own');
    expect(task.state).toBe('failed');
  });
});

describe('TaskGroup: failures', () => {
  it('cancels the rest on the first failure and throws it once', async () => {
    const group = new TaskGroup({ name: 'g' });
    const other = group.spawn(untilAborted);
    group.spawn(() => failWith(failure), { name: 'bad' });
    expect(await rejection(group.join())).toBe(failure);
    expect(other.state).toBe('cancelled');
    expect((other.signal.reason as Error).message).toContain('"bad"');
    await group.join();
    await group.close();
    expect(furtherErrors(failure)).toEqual([]);
  });

  it('attaches the failures that come after it', async () => {
    const first = new Error('first');
    const second = new Error('second');
    const third = new Error('third');
    const group = new TaskGroup();
    group.spawn(() => failWith(first));
    group.spawn((signal) => untilAborted(signal).catch(() => failWith(second)));
    group.spawn((signal) => untilAborted(signal).catch(() => failWith(third)));
    group.spawn((signal) => untilAborted(signal).catch(() => failWith(first)));
    group.spawn((signal) => untilAborted(signal).catch(() => failWith(second)));
    expect(await rejection(group.join())).toBe(first);
    expect(furtherErrors(first)).toEqual([second, third]);
    expect((first as Error & { errors?: unknown }).errors).toEqual([second, third]);
    expect(Object.keys(first)).toEqual([]);
    expect(furtherErrors('no error')).toEqual([]);
  });

  it('attaches to an error that cannot be changed', async () => {
    const first = Object.freeze(new Error('frozen'));
    const second = new Error('second');
    const group = new TaskGroup();
    group.spawn(() => failWith(first));
    group.spawn((signal) => untilAborted(signal).catch(() => failWith(second)));
    expect(await rejection(group.join())).toBe(first);
    expect(furtherErrors(first)).toEqual([second]);
  });

  it('throws it to one of several who wait', async () => {
    const group = new TaskGroup();
    group.spawn(() => failWith(failure));
    const waiting = [group.join(), group.close(), group.join()];
    const outcomes = await Promise.allSettled(waiting);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
  });

  it('leaves no unhandled rejection when nobody waits', async () => {
    const group = new TaskGroup();
    const task = group.spawn(() => failWith(failure));
    void group.close();
    await settle();
    await settle();
    expect(task.state).toBe('failed');
    const left = new TaskGroup();
    left.spawn(() => failWith(failure));
    await settle();
    await settle();
    expect(left.running).toBe(0);
  });

  it('keeps a failure for whoever joins later', async () => {
    const group = new TaskGroup();
    group.spawn(() => failWith(failure));
    await settle();
    await settle();
    expect(await rejection(group[Symbol.asyncDispose]())).toBe(failure);
  });
});

describe('TaskGroup: ending', () => {
  it('ends at once when nothing runs', async () => {
    const group = new TaskGroup();
    await group.close();
    await group.close();
    await group[Symbol.asyncDispose]();
    await group.join();
    expect(group.closed).toBe(true);
  });

  it('waits for a task that ignores its signal, and names it', async () => {
    const group = new TaskGroup({ name: 'server' });
    const work = deferred();
    group.spawn(() => work.promise, { name: 'deaf' });
    const closing = group.close();
    const again = group.close();
    expect(await stateOf(closing)).toBe('pending');
    expect(group.describe()).toBe(
      'group "server": closed, 1 running\n  task "deaf": still running, though it was told to stop',
    );
    work.resolve();
    await closing;
    await again;
    expect(group.describe()).toBe('group "server": closed, 0 running');
  });

  it('starts nothing after it was closed', async () => {
    const group = new TaskGroup();
    const work = deferred();
    group.spawn(() => work.promise);
    const closing = group.close();
    let called = false;
    const call = (): void => {
      called = true;
    };
    expect(() => group.spawn(call)).toThrow(LocalProtocolError);
    expect(() => group.subgroup('x')).toThrow(/closed/);
    work.resolve();
    await closing;
    expect(() => group.spawn(call)).toThrow(expect.objectContaining({ code: 'ERR_GROUP_CLOSED' }));
    expect(called).toBe(false);
  });

  it('joins tasks that are started while it waits', async () => {
    const group = new TaskGroup();
    const order: string[] = [];
    group.spawn(async () => {
      await settle();
      order.push('first');
      group.spawn(async () => {
        await settle();
        order.push('second');
      });
    });
    await group.join();
    expect(order).toEqual(['first', 'second']);
    expect(() => group.spawn(() => undefined)).toThrow(/closed/);
  });

  it('gives close’s reason to the tasks', async () => {
    const group = new TaskGroup({ name: 'g' });
    const task = group.spawn(untilAborted);
    await group.close('the end');
    expect(task.signal.reason).toBe('the end');
    const other = new TaskGroup({ name: 'g' });
    const second = other.spawn(untilAborted);
    await other.close();
    expect(second.signal.reason).toBeInstanceOf(CancelledError);
    expect((second.signal.reason as Error).message).toBe('task group "g" was closed');
  });

  it('works with await using', async () => {
    const order: string[] = [];
    {
      await using group = new TaskGroup();
      group.spawn(async (signal) => {
        await untilAborted(signal).catch(() => settle());
        order.push('task ended');
      });
      order.push('block ended');
    }
    order.push('disposed');
    expect(order).toEqual(['block ended', 'task ended', 'disposed']);
  });
});

describe('TaskGroup: cancelled from outside', () => {
  it('follows a signal, and join rejects with its reason', async () => {
    const controller = new AbortController();
    const group = new TaskGroup({ signal: controller.signal });
    const task = group.spawn(untilAborted);
    expect(listeners(controller.signal)).toBe(1);
    const reason = new Error('caller went away');
    controller.abort(reason);
    expect(await rejection(group.join())).toBe(reason);
    expect(task.state).toBe('cancelled');
    await group.close();
    expect(listeners(controller.signal)).toBe(0);
  });

  it('does not throw that from close', async () => {
    const controller = new AbortController();
    const group = new TaskGroup({ signal: controller.signal });
    group.spawn(untilAborted);
    controller.abort(new Error('caller went away'));
    await group.close();
    expect(group.signal.reason).toBe(controller.signal.reason);
  });

  it('is cancelled from the start by a signal that has aborted', async () => {
    const group = new TaskGroup({ signal: AbortSignal.abort('before') });
    expect(group.signal.reason).toBe('before');
    const task = group.spawn(untilAborted);
    expect(((await rejection(group.join())) as Error).message).toBe('before');
    expect(task.state).toBe('cancelled');
  });

  it('joins normally when all its tasks ended in spite of it', async () => {
    const controller = new AbortController();
    const group = new TaskGroup({ signal: controller.signal });
    group.spawn((signal) => untilAborted(signal).catch(() => undefined));
    controller.abort();
    await group.join();
    expect(group.signal.aborted).toBe(true);
  });

  it('takes its listener off a long-lived signal', async () => {
    const controller = new AbortController();
    for (let round = 0; round < 50; round += 1) {
      const group = new TaskGroup({ signal: controller.signal });
      group.spawn(async () => undefined);
      if (round % 2 === 0) await group.join();
      else await group.close();
    }
    expect(listeners(controller.signal)).toBe(0);
  });

  it('causes no listener warnings with many tasks and groups', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => {
      warnings.push(warning);
    };
    process.on('warning', note);
    const controller = new AbortController();
    const group = new TaskGroup({ signal: controller.signal });
    for (let count = 0; count < 200; count += 1) {
      group.spawn(untilAborted);
      group.subgroup(String(count)).spawn(() => raceAbort(new Promise<never>(() => undefined), group.signal));
      new TaskGroup({ signal: controller.signal }).spawn(untilAborted);
    }
    await settle();
    controller.abort();
    await group.close();
    await settle();
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });
});

describe('TaskGroup: groups within', () => {
  it('cancels and awaits them', async () => {
    const outer = new TaskGroup({ name: 'outer' });
    const inner = outer.subgroup('inner');
    const innermost = inner.subgroup('innermost');
    const work = deferred();
    const task = innermost.spawn(
      async (signal) => {
        await untilAborted(signal).catch(() => work.promise);
      },
      { name: 'slow' },
    );
    const closing = outer.close();
    expect(task.signal.aborted).toBe(true);
    expect(await stateOf(closing)).toBe('pending');
    expect(outer.describe().split('\n')).toEqual([
      'group "outer": closed, 1 running',
      '  group "inner": cancelled, 1 running',
      '    group "innermost": cancelled, 1 running',
      '      task "slow": still running, though it was told to stop',
    ]);
    work.resolve();
    await closing;
    expect(inner.closed).toBe(true);
    expect(innermost.closed).toBe(true);
    expect(() => innermost.spawn(() => undefined)).toThrow(/closed/);
  });

  it('joins them as well, and does not wait for idle ones', async () => {
    const outer = new TaskGroup();
    const inner = outer.subgroup('inner');
    outer.subgroup('idle');
    const work = deferred();
    inner.spawn(() => work.promise);
    const joining = outer.join();
    expect(await stateOf(joining)).toBe('pending');
    work.resolve();
    await joining;
    expect(inner.signal.aborted).toBe(false);
    expect(inner.closed).toBe(true);
  });

  it('throws the failure of an inner group where that is joined, not outside', async () => {
    const outer = new TaskGroup();
    const inner = outer.subgroup('inner');
    const neighbour = outer.spawn(untilAborted);
    inner.spawn(() => failWith(failure));
    expect(await rejection(inner.join())).toBe(failure);
    expect(neighbour.state).toBe('running');
    await outer.close();
    expect(neighbour.state).toBe('cancelled');
  });

  it('throws it outside if nobody asked for it inside', async () => {
    const outer = new TaskGroup();
    outer
      .subgroup('inner')
      .subgroup('innermost')
      .spawn(() => failWith(failure));
    expect(await rejection(outer.join())).toBe(failure);
  });

  it('gives it to the one inside when both wait', async () => {
    const outer = new TaskGroup();
    const inner = outer.subgroup('inner');
    inner.spawn(() => failWith(failure));
    const outcomes = await Promise.allSettled([outer.join(), inner.join()]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['fulfilled', 'rejected']);
  });

  it('tells the inner join that it was cancelled from outside', async () => {
    const outer = new TaskGroup();
    const task = outer.spawn(async () => {
      const inner = outer.subgroup('inner');
      inner.spawn(untilAborted);
      await inner.join();
    });
    await settle();
    await outer.close(new Error('stop'));
    expect(task.state).toBe('cancelled');
  });

  it('is cancelled from the start in a group that was', async () => {
    const outer = new TaskGroup();
    outer.cancel('x');
    const inner = outer.subgroup('inner');
    expect(inner.signal.reason).toBe('x');
    await outer.close();
    expect(inner.closed).toBe(true);
  });

  it('forgets inner groups that have ended', async () => {
    const outer = new TaskGroup({ name: 'outer' });
    for (let count = 0; count < 100; count += 1) {
      const inner = outer.subgroup(String(count));
      inner.spawn(async () => undefined);
      await (count % 2 === 0 ? inner.join() : inner.close());
    }
    expect(outer.describe()).toBe('group "outer": open, 0 running');
    await outer.close();
  });

  it('names tasks by their option, their function or their number', async () => {
    const group = new TaskGroup();
    const work = deferred();
    function accept(): Promise<void> {
      return work.promise;
    }
    expect(group.spawn(accept).name).toBe('accept');
    expect(group.spawn(() => work.promise).name).toBe('task 2');
    expect(group.spawn(accept, { name: 'third' }).name).toBe('third');
    expect(group.describe()).toBe(
      'group "tasks": open, 3 running\n  task "accept": running\n  task "task 2": running\n  task "third": running',
    );
    work.resolve();
    await group.join();
  });
});

describe('withTaskGroup', () => {
  it('answers what the body returned after all has ended', async () => {
    const order: string[] = [];
    const value = await withTaskGroup(async (group) => {
      group.spawn(async () => {
        await settle();
        order.push('task');
      });
      order.push('body');
      return 'value';
    });
    expect(value).toBe('value');
    expect(order).toEqual(['body', 'task']);
  });

  it('throws what the body threw, the rest cancelled', async () => {
    let state = '';
    const run = withTaskGroup(async (group) => {
      const task = group.spawn(untilAborted);
      task.result.catch(() => (state = task.state));
      await failWith(failure);
    });
    expect(await rejection(run)).toBe(failure);
    expect(state).toBe('cancelled');
  });

  it('throws what a task threw, the body cancelled', async () => {
    const run = withTaskGroup(async (group, signal) => {
      group.spawn(() => failWith(failure));
      await untilAborted(signal);
    });
    expect(await rejection(run)).toBe(failure);
  });

  it('throws the reason of the signal given', async () => {
    const reason = new Error('stop');
    const controller = new AbortController();
    const run = withTaskGroup((_, signal) => untilAborted(signal), { signal: controller.signal });
    controller.abort(reason);
    expect(await rejection(run)).toBe(reason);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('throws when the body cancelled itself', async () => {
    const run = withTaskGroup(async (group, signal) => {
      group.cancel(failure);
      await untilAborted(signal);
    });
    expect(await rejection(run)).toBe(failure);
  });
});
