import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/common/index.ts';
import { BoundedQueue } from '../../../src/concurrency/index.ts';
import { listeners, rejection, stateOf } from './support.ts';

describe('BoundedQueue: bound', () => {
  it('takes items until it is full, and gives them back in order', () => {
    const queue = new BoundedQueue<number>({ capacity: 2 });
    expect(queue.tryPush(1)).toBe(true);
    expect(queue.tryPush(2)).toBe(true);
    expect(queue.tryPush(3)).toBe(false);
    expect(queue.length).toBe(2);
    expect(queue.tryTake()).toBe(1);
    expect(queue.tryTake()).toBe(2);
    expect(queue.tryTake()).toBeUndefined();
  });

  it('counts weights, and lets the last item exceed the capacity', () => {
    const queue = new BoundedQueue<Uint8Array>({ capacity: 10, weigh: (chunk) => chunk.length });
    expect(queue.tryPush(new Uint8Array(9))).toBe(true);
    expect(queue.tryPush(new Uint8Array(500))).toBe(true);
    expect(queue.weight).toBe(509);
    expect(queue.tryPush(new Uint8Array(1))).toBe(false);
    queue.tryTake();
    expect(queue.hasRoom).toBe(false);
    queue.tryTake();
    expect(queue.weight).toBe(0);
    expect(queue.hasRoom).toBe(true);
  });

  it('refuses a capacity that lets nothing in', () => {
    for (const capacity of [0, -1, Number.NaN]) {
      expect(() => new BoundedQueue<number>({ capacity })).toThrow(ConfigurationError);
    }
  });

  it('holds null, false, zero and the empty string', async () => {
    const queue = new BoundedQueue<null | boolean | number | string>({ capacity: 10 });
    for (const item of [null, false, 0, '']) queue.tryPush(item);
    expect([await queue.take(), await queue.take(), await queue.take(), await queue.take()]).toEqual([
      null,
      false,
      0,
      '',
    ]);
  });
});

describe('BoundedQueue: waiting', () => {
  it('makes the one who puts wait for room, in order', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    await queue.push(1);
    const second = queue.push(2);
    const third = queue.push(3);
    expect(await stateOf(second)).toBe('pending');
    expect(queue.tryPush(4)).toBe(false);
    expect(await queue.take()).toBe(1);
    await second;
    expect(await stateOf(third)).toBe('pending');
    expect(await queue.take()).toBe(2);
    await third;
    expect(await queue.take()).toBe(3);
    expect(queue.length).toBe(0);
  });

  it('makes the one who takes wait for an item, in order', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    const first = queue.take();
    const second = queue.take();
    expect(queue.tryPush(1)).toBe(true);
    expect(queue.tryPush(2)).toBe(true);
    expect(queue.length).toBe(0);
    expect(await Promise.all([first, second])).toEqual([1, 2]);
  });

  it('leaves the line of takers on abort, and loses no item by it', async () => {
    const queue = new BoundedQueue<number>({ capacity: 4 });
    const reason = new Error('stop');
    const controller = new AbortController();
    const aborted = queue.take(controller.signal);
    const patient = queue.take(new AbortController().signal);
    controller.abort(reason);
    expect(await rejection(aborted)).toBe(reason);
    queue.tryPush(1);
    expect(await patient).toBe(1);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('leaves the line of putters on abort: the item stays with its owner', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    await queue.push(1);
    const reason = new Error('stop');
    const controller = new AbortController();
    const aborted = queue.push(2, controller.signal);
    const patient = queue.push(3);
    controller.abort(reason);
    expect(await rejection(aborted)).toBe(reason);
    expect(await queue.take()).toBe(1);
    await patient;
    expect(await queue.take()).toBe(3);
    expect(queue.length).toBe(0);
  });

  it('does nothing for a signal that has aborted', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    const reason = new Error('stop');
    expect(await rejection(queue.push(1, AbortSignal.abort(reason)))).toBe(reason);
    expect(queue.length).toBe(0);
    queue.tryPush(1);
    expect(await rejection(queue.take(AbortSignal.abort(reason)))).toBe(reason);
    expect(queue.length).toBe(1);
  });

  it('takes listeners off when the wait is over', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    const controller = new AbortController();
    for (let round = 0; round < 20; round += 1) {
      const taking = queue.take(controller.signal);
      await queue.push(round, controller.signal);
      expect(await taking).toBe(round);
      await queue.push(round);
      const pushing = queue.push(round + 1, controller.signal);
      await queue.take();
      await pushing;
      await queue.take();
    }
    expect(listeners(controller.signal)).toBe(0);
  });

  it('lets several in when a heavy item leaves', async () => {
    const queue = new BoundedQueue<number>({ capacity: 10, weigh: (item) => item });
    await queue.push(30);
    const waiting = [queue.push(4), queue.push(4), queue.push(4), queue.push(4)];
    expect(await queue.take()).toBe(30);
    await Promise.all(waiting.slice(0, 3));
    expect(await stateOf(waiting[3]!)).toBe('pending');
    expect(queue.weight).toBe(12);
    await queue.take();
    await waiting[3];
    expect(queue.weight).toBe(12);
  });
});

describe('BoundedQueue: end', () => {
  it('gives what it holds, then the end', async () => {
    const queue = new BoundedQueue<number>({ capacity: 4 });
    queue.tryPush(1);
    queue.tryPush(2);
    queue.close();
    expect(queue.closed).toBe(true);
    expect(queue.tryPush(3)).toBe(false);
    expect(await queue.take()).toBe(1);
    expect(await queue.take()).toBe(2);
    expect(await queue.take()).toBeUndefined();
    expect(await queue.take()).toBeUndefined();
  });

  it('gives what it holds, then the error', async () => {
    const queue = new BoundedQueue<number>({ capacity: 4 });
    const error = new Error('connection lost');
    queue.tryPush(1);
    queue.close(error);
    queue.close();
    expect(await queue.take()).toBe(1);
    expect(await rejection(queue.take())).toBe(error);
    expect(await rejection(queue.push(1))).toBe(error);
  });

  it('wakes everybody who waits', async () => {
    const empty = new BoundedQueue<number>({ capacity: 1 });
    const taking = [empty.take(), empty.take()];
    empty.close();
    expect(await Promise.all(taking)).toEqual([undefined, undefined]);

    const failing = new BoundedQueue<number>({ capacity: 1 });
    const error = new Error('x');
    const failed = failing.take();
    failing.close(error);
    expect(await rejection(failed)).toBe(error);

    const full = new BoundedQueue<number>({ capacity: 1 });
    full.tryPush(1);
    const putting = full.push(2);
    full.close();
    expect(await rejection(putting)).toMatchObject({ code: 'ERR_QUEUE_CLOSED' });
    expect(await full.take()).toBe(1);
    expect(await full.take()).toBeUndefined();
  });

  it('is iterated over to its end, or to its error', async () => {
    const queue = new BoundedQueue<number>({ capacity: 1 });
    const items: number[] = [];
    const reading = (async (): Promise<void> => {
      for await (const item of queue) items.push(item);
    })();
    for (let item = 0; item < 5; item += 1) await queue.push(item);
    queue.close();
    await reading;
    expect(items).toEqual([0, 1, 2, 3, 4]);

    const failing = new BoundedQueue<number>({ capacity: 2 });
    failing.tryPush(1);
    failing.close(new Error('x'));
    const seen: number[] = [];
    const failedReading = (async (): Promise<void> => {
      for await (const item of failing) seen.push(item);
    })();
    expect(((await rejection(failedReading)) as Error).message).toBe('x');
    expect(seen).toEqual([1]);
  });

  it('stays as it is when a loop over it is left', async () => {
    const queue = new BoundedQueue<number>({ capacity: 4 });
    for (const item of [1, 2, 3]) queue.tryPush(item);
    for await (const item of queue) if (item === 2) break;
    expect(queue.closed).toBe(false);
    expect(await queue.take()).toBe(3);
  });

  it('gives back what it holds on clear, and lets in who waits', async () => {
    const queue = new BoundedQueue<number>({ capacity: 2 });
    queue.tryPush(1);
    queue.tryPush(2);
    const waiting = queue.push(3);
    expect(queue.clear()).toEqual([1, 2]);
    await waiting;
    expect(queue.length).toBe(1);
    queue.close();
    expect(queue.clear()).toEqual([3]);
    expect(queue.weight).toBe(0);
    expect(await queue.take()).toBeUndefined();
  });
});
