import { describe, expect, it } from 'vitest';
import { ConfigurationError, LimitError } from '../../../src/common/index.ts';
import { Semaphore } from '../../../src/concurrency/index.ts';
import { deferred, listeners, rejection, settle, stateOf } from './support.ts';

describe('Semaphore', () => {
  it('gives out as many permits as there are', () => {
    const semaphore = new Semaphore({ permits: 2 });
    const one = semaphore.tryAcquire();
    const two = semaphore.tryAcquire();
    expect(semaphore.tryAcquire()).toBeUndefined();
    expect(semaphore.available).toBe(0);
    one?.release();
    one?.release();
    expect(semaphore.available).toBe(1);
    two?.[Symbol.dispose]();
    expect(semaphore.available).toBe(2);
  });

  it('serves those who wait in order, and lets nobody pass', async () => {
    const semaphore = new Semaphore({ permits: 1 });
    const held = await semaphore.acquire();
    const first = semaphore.acquire();
    const second = semaphore.acquire();
    expect(semaphore.waiting).toBe(2);
    held.release();
    expect(semaphore.tryAcquire()).toBeUndefined();
    const permit = await first;
    expect(await stateOf(second)).toBe('pending');
    permit.release();
    (await second).release();
    expect(semaphore.available).toBe(1);
  });

  it('lets those who wait leave on abort', async () => {
    const semaphore = new Semaphore({ permits: 1 });
    const held = await semaphore.acquire();
    const reason = new Error('stop');
    const controller = new AbortController();
    const aborted = semaphore.acquire(controller.signal);
    const patient = semaphore.acquire();
    controller.abort(reason);
    expect(await rejection(aborted)).toBe(reason);
    expect(semaphore.waiting).toBe(1);
    held.release();
    (await patient).release();
    expect(semaphore.available).toBe(1);
    expect(await rejection(semaphore.acquire(controller.signal))).toBe(reason);
    expect(semaphore.available).toBe(1);
    expect(listeners(controller.signal)).toBe(0);
  });

  it('takes the listener off when it is served', async () => {
    const semaphore = new Semaphore({ permits: 1 });
    const controller = new AbortController();
    for (let round = 0; round < 20; round += 1) {
      const held = await semaphore.acquire(controller.signal);
      const waiting = semaphore.acquire(controller.signal);
      held.release();
      (await waiting).release();
    }
    expect(listeners(controller.signal)).toBe(0);
  });

  it('bounds how many wait', async () => {
    const semaphore = new Semaphore({ permits: 1, maxWaiting: 1, limit: 'maxQueuedRequests' });
    const held = await semaphore.acquire();
    const waiting = semaphore.acquire();
    const error = await rejection(semaphore.acquire());
    expect(error).toBeInstanceOf(LimitError);
    expect(error).toMatchObject({ limit: 'maxQueuedRequests', value: 1, initiator: 'application' });
    held.release();
    (await waiting).release();
    expect(semaphore.available).toBe(1);
  });

  it('refuses everybody once it is closed', async () => {
    const semaphore = new Semaphore({ permits: 1 });
    const held = await semaphore.acquire();
    const waiting = semaphore.acquire();
    const error = new Error('pool closed');
    semaphore.close(error);
    semaphore.close(new Error('second'));
    expect(await rejection(waiting)).toBe(error);
    held.release();
    expect(await rejection(semaphore.acquire())).toBe(error);
    expect(semaphore.tryAcquire()).toBeUndefined();
  });

  it('runs work under a permit, which comes back however the work ends', async () => {
    const semaphore = new Semaphore({ permits: 1 });
    const work = deferred<number>();
    const order: string[] = [];
    const first = semaphore.run(async () => {
      order.push('first');
      return work.promise;
    });
    const second = semaphore.run(() => {
      order.push('second');
      throw new Error('x');
    });
    await settle();
    expect(order).toEqual(['first']);
    work.resolve(1);
    expect(await first).toBe(1);
    expect(((await rejection(second)) as Error).message).toBe('x');
    expect(semaphore.available).toBe(1);
  });

  it('refuses to have no permits', () => {
    expect(() => new Semaphore({ permits: 0 })).toThrow(ConfigurationError);
  });
});
