import { describe, expect, it } from 'vitest';
import {
  abortError,
  CancelledError,
  isCancellation,
  linkSignals,
  neverCancelled,
  onAbort,
  raceAbort,
  throwIfAborted,
} from '../../../src/concurrency/index.ts';
import { deferred, listeners, rejection, settle, stateOf } from './support.ts';

describe('abortError', () => {
  it('is the reason when that is an error', () => {
    const error = new TypeError('x');
    expect(abortError(error)).toBe(error);
    const controller = new AbortController();
    controller.abort();
    expect(abortError(controller.signal.reason)).toBe(controller.signal.reason);
  });

  it('wraps any other reason', () => {
    expect(abortError(undefined)).toBeInstanceOf(CancelledError);
    const error = abortError('too slow');
    expect(error).toMatchObject({ message: 'too slow', cause: 'too slow', code: 'ERR_CANCELLED' });
    expect(abortError(null).cause).toBeNull();
  });

  it('is what throwIfAborted throws', () => {
    throwIfAborted(undefined);
    throwIfAborted(neverCancelled);
    const error = new Error('x');
    expect(() => {
      throwIfAborted(AbortSignal.abort(error));
    }).toThrow(error);
  });
});

describe('onAbort', () => {
  it('calls back once, and puts one listener that can be taken off', () => {
    const controller = new AbortController();
    const reasons: unknown[] = [];
    const first = onAbort(controller.signal, (reason) => reasons.push(['first', reason]));
    onAbort(controller.signal, (reason) => reasons.push(['second', reason]));
    expect(listeners(controller.signal)).toBe(1);
    first();
    first();
    expect(listeners(controller.signal)).toBe(1);
    controller.abort('why');
    expect(reasons).toEqual([['second', 'why']]);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('leaves no listener when everything was taken back, and can begin again', () => {
    const controller = new AbortController();
    const reasons: unknown[] = [];
    onAbort(controller.signal, () => reasons.push('taken back'))();
    expect(listeners(controller.signal)).toBe(0);
    onAbort(controller.signal, (reason) => reasons.push(reason));
    controller.abort('why');
    expect(reasons).toEqual(['why']);
  });

  it('lets a callback take back one that has not run yet, and add one that runs at once', () => {
    const controller = new AbortController();
    const order: string[] = [];
    onAbort(controller.signal, () => {
      order.push('first');
      second();
      onAbort(controller.signal, () => order.push('added'));
    });
    const second = onAbort(controller.signal, () => order.push('second'));
    onAbort(controller.signal, () => order.push('third'));
    controller.abort();
    expect(order).toEqual(['first', 'added', 'third']);
  });

  it('does not miss a signal that has aborted already', () => {
    const reasons: unknown[] = [];
    onAbort(AbortSignal.abort('gone'), (reason) => reasons.push(reason))();
    expect(reasons).toEqual(['gone']);
  });

  it('puts no listener on a signal that never aborts', () => {
    onAbort(neverCancelled, () => undefined);
    onAbort(undefined, () => undefined)();
    expect(listeners(neverCancelled)).toBe(0);
  });
});

describe('raceAbort', () => {
  it('passes the outcome on and takes its listener off', async () => {
    const controller = new AbortController();
    expect(await raceAbort(Promise.resolve(1), controller.signal)).toBe(1);
    const error = new Error('x');
    expect(await rejection(raceAbort(Promise.reject(error), controller.signal))).toBe(error);
    expect(await raceAbort(Promise.resolve(2), undefined)).toBe(2);
    expect(await raceAbort(Promise.resolve(3), neverCancelled)).toBe(3);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('rejects with the reason, before, during and not after', async () => {
    const reason = new Error('stop');
    expect(await rejection(raceAbort(new Promise(() => undefined), AbortSignal.abort(reason)))).toBe(reason);
    const controller = new AbortController();
    const pending = raceAbort(new Promise(() => undefined), controller.signal);
    expect(await stateOf(pending)).toBe('pending');
    controller.abort(reason);
    expect(await rejection(pending)).toBe(reason);
    const late = new AbortController();
    const done = raceAbort(Promise.resolve('value'), late.signal);
    await settle();
    late.abort(reason);
    expect(await done).toBe('value');
  });

  it('hands a late value to be discarded, and drops what that throws', async () => {
    const controller = new AbortController();
    const work = deferred<string>();
    const discarded: string[] = [];
    const race = raceAbort(work.promise, controller.signal, (value) => {
      discarded.push(value);
      throw new Error('cannot close');
    });
    controller.abort(new Error('stop'));
    await rejection(race);
    work.resolve('socket');
    await settle();
    expect(discarded).toEqual(['socket']);
  });

  it('drops a late rejection', async () => {
    const work = deferred();
    const race = raceAbort(work.promise, AbortSignal.abort('now'));
    expect(await rejection(race)).toBeInstanceOf(CancelledError);
    work.reject(new Error('late'));
    // An unhandled rejection would fail the run.
    await settle();
    expect(await stateOf(race)).toBe('rejected');
  });
});

describe('linkSignals', () => {
  it('aborts with the first of its sources and lets go of the others', () => {
    const one = new AbortController();
    const two = new AbortController();
    const linked = linkSignals(one.signal, undefined, two.signal, neverCancelled);
    expect(linked.signal.aborted).toBe(false);
    two.abort('two');
    expect(linked.signal.reason).toBe('two');
    expect(listeners(one.signal)).toBe(0);
    one.abort('one');
    expect(linked.signal.reason).toBe('two');
  });

  it('is aborted from the start when a source is, and leaves no listener', () => {
    const one = new AbortController();
    const three = new AbortController();
    const linked = linkSignals(one.signal, AbortSignal.abort('already'), three.signal);
    expect(linked.signal.reason).toBe('already');
    expect(listeners(one.signal)).toBe(0);
    expect(listeners(three.signal)).toBe(0);
  });

  it('lets go of its sources when disposed of', () => {
    const one = new AbortController();
    const two = new AbortController();
    const linked = linkSignals(one.signal, two.signal);
    expect([listeners(one.signal), listeners(two.signal)]).toEqual([1, 1]);
    linked[Symbol.dispose]();
    linked[Symbol.dispose]();
    expect(listeners(one.signal) + listeners(two.signal)).toBe(0);
    one.abort();
    expect(linked.signal.aborted).toBe(false);
  });

  it('answers a single source itself', () => {
    const one = new AbortController();
    expect(linkSignals(one.signal, undefined, one.signal).signal).toBe(one.signal);
    expect(linkSignals(undefined).signal).toBe(neverCancelled);
    linkSignals()[Symbol.dispose]();
  });

  it('collects no listeners on a long-lived signal', () => {
    const long = new AbortController();
    for (let round = 0; round < 1000; round += 1) {
      const short = new AbortController();
      const linked = linkSignals(long.signal, short.signal);
      if (round % 2 === 0) short.abort();
      else linked[Symbol.dispose]();
    }
    expect(listeners(long.signal)).toBe(0);
  });
});

describe('isCancellation', () => {
  const reason = new Error('stop');
  const aborted = AbortSignal.abort(reason);

  it('knows the reason, what wraps it, and the platform’s AbortError', () => {
    expect(isCancellation(reason, aborted)).toBe(true);
    expect(isCancellation(new Error('outer', { cause: new Error('inner', { cause: reason }) }), aborted)).toBe(true);
    expect(isCancellation(new DOMException('x', 'AbortError'), aborted)).toBe(true);
    expect(isCancellation(new CancelledError(), aborted)).toBe(true);
    expect(isCancellation(undefined, AbortSignal.abort('x'))).toBe(false);
    expect(isCancellation('x', AbortSignal.abort('x'))).toBe(true);
  });

  it('knows other errors, and signals that have not aborted', () => {
    expect(isCancellation(new Error('disk'), aborted)).toBe(false);
    expect(isCancellation(reason, new AbortController().signal)).toBe(false);
    expect(isCancellation('stop', aborted)).toBe(false);
    const circle = new Error('circle');
    circle.cause = circle;
    expect(isCancellation(circle, aborted)).toBe(false);
  });
});
