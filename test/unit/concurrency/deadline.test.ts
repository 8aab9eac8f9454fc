import { describe, expect, it } from 'vitest';
import { TimeoutError } from '../../../src/common/index.ts';
import { Deadline, sleep, withDeadline } from '../../../src/concurrency/index.ts';
import { ManualClock } from './manual-clock.ts';
import { deferred, listeners, rejection, settle, stateOf, untilAborted } from './support.ts';

const bound = { timer: 'connect', milliseconds: 50 };

describe('withDeadline', () => {
  it('answers what the work returned, and takes the timer back', async () => {
    const clock = new ManualClock();
    const work = deferred<string>();
    const run = withDeadline(clock, bound, () => work.promise);
    expect(clock.times).toEqual([1050]);
    clock.advance(49);
    work.resolve('value');
    expect(await run).toBe('value');
    expect(clock.pending).toBe(0);
  });

  it('throws what the work threw, and takes the timer back', async () => {
    const clock = new ManualClock();
    const error = new Error('x');
    expect(await rejection(withDeadline(clock, bound, () => Promise.reject(error)))).toBe(error);
    const sync = withDeadline(clock, bound, () => {
      throw error;
    });
    expect(await rejection(sync)).toBe(error);
    expect(clock.pending).toBe(0);
  });

  it('throws a TimeoutError that names the timer', async () => {
    const clock = new ManualClock();
    const run = withDeadline(clock, bound, untilAborted);
    clock.advance(50);
    const error = await rejection(run);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ timer: 'connect', milliseconds: 50, code: 'ERR_TIMEOUT' });
    expect(clock.pending).toBe(0);
  });

  it('throws it also when the work wrapped the reason', async () => {
    const clock = new ManualClock();
    const run = withDeadline(clock, bound, (signal) =>
      untilAborted(signal).catch((error: unknown) => Promise.reject(new Error('wrapped', { cause: error }))),
    );
    clock.advance(50);
    expect(await rejection(run)).toBeInstanceOf(TimeoutError);
  });

  it('throws another error that came with the deadline as it is', async () => {
    const clock = new ManualClock();
    const error = new Error('disk full');
    const run = withDeadline(clock, bound, (signal) => untilAborted(signal).catch(() => Promise.reject(error)));
    clock.advance(50);
    expect(await rejection(run)).toBe(error);
  });

  it('answers a value that comes in spite of the abort', async () => {
    const clock = new ManualClock();
    const run = withDeadline(clock, bound, (signal) => untilAborted(signal).catch(() => 'socket'));
    clock.advance(50);
    expect(await run).toBe('socket');
  });

  it('ends when the work ends, not before', async () => {
    const clock = new ManualClock();
    const work = deferred();
    const run = withDeadline(clock, bound, () => work.promise);
    clock.advance(1000);
    expect(await stateOf(run)).toBe('pending');
    work.resolve();
    await run;
    expect(clock.pending).toBe(0);
  });

  it('has no timer without a bound', async () => {
    const clock = new ManualClock();
    for (const milliseconds of [undefined, Infinity]) {
      const run = withDeadline(clock, { timer: 'total', milliseconds }, async (signal) => {
        expect(clock.pending).toBe(0);
        return signal.aborted;
      });
      expect(await run).toBe(false);
    }
    expect(clock.scheduled).toBe(0);
  });

  it('follows another signal, with its reason', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const run = withDeadline(clock, { ...bound, signal: controller.signal }, untilAborted);
    const reason = new Error('stop');
    controller.abort(reason);
    expect(await rejection(run)).toBe(reason);
    expect(clock.pending).toBe(0);
    const before = withDeadline(clock, { ...bound, signal: controller.signal }, untilAborted);
    expect(await rejection(before)).toBe(reason);
    expect(clock.scheduled).toBe(1);
  });

  it('lets go of the other signal', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    await withDeadline(clock, { ...bound, signal: controller.signal }, () => 1);
    const run = withDeadline(clock, { ...bound, signal: controller.signal }, untilAborted);
    clock.advance(50);
    await rejection(run);
    expect(listeners(controller.signal)).toBe(0);
  });
});

describe('Deadline', () => {
  it('changes no more once disposed of', () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const deadline = new Deadline(clock, { ...bound, signal: controller.signal });
    deadline[Symbol.dispose]();
    deadline[Symbol.dispose]();
    clock.advance(100);
    controller.abort();
    expect(deadline.signal.aborted).toBe(false);
    expect(deadline.error).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it('lets whichever comes first win', () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const deadline = new Deadline(clock, { ...bound, signal: controller.signal });
    clock.advance(50);
    controller.abort('late');
    expect(deadline.signal.reason).toBe(deadline.error);
    expect(deadline.error).toBeInstanceOf(TimeoutError);
    expect(listeners(controller.signal)).toBe(0);
  });
});

describe('sleep', () => {
  it('resolves at its time', async () => {
    const clock = new ManualClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 250, controller.signal);
    clock.advance(249);
    expect(await stateOf(sleeping)).toBe('pending');
    clock.advance(1);
    await sleeping;
    expect(listeners(controller.signal)).toBe(0);
  });

  it('is ended by its signal, before and during', async () => {
    const clock = new ManualClock();
    const reason = new Error('stop');
    expect(await rejection(sleep(clock, 10, AbortSignal.abort(reason)))).toBe(reason);
    expect(clock.scheduled).toBe(0);
    const controller = new AbortController();
    const sleeping = sleep(clock, 10, controller.signal);
    controller.abort(reason);
    expect(await rejection(sleeping)).toBe(reason);
    expect(clock.pending).toBe(0);
    await settle();
  });
});
