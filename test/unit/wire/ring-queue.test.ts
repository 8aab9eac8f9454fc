import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { RingQueue } from '../../../src/wire/index.ts';

describe('RingQueue', () => {
  it('gives elements back in the order in which they came', () => {
    const queue = new RingQueue<number>();
    for (let value = 0; value < 20; value += 1) queue.push(value);
    const taken: (number | undefined)[] = [];
    while (queue.length > 0) taken.push(queue.shift());
    expect(taken).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(queue.shift()).toBeUndefined();
    expect(queue.pop()).toBeUndefined();
    expect(queue.peek()).toBeUndefined();
    expect(queue.peekLast()).toBeUndefined();
  });

  it('grows while its live range wraps around the end', () => {
    const queue = new RingQueue<number>();
    for (let value = 0; value < 8; value += 1) queue.push(value);
    for (let count = 0; count < 5; count += 1) queue.shift();
    for (let value = 8; value < 30; value += 1) queue.push(value);
    expect(queue.toArray()).toEqual(Array.from({ length: 25 }, (_, index) => index + 5));
    expect(queue.at(0)).toBe(5);
    expect(queue.at(24)).toBe(29);
    expect(queue.at(25)).toBeUndefined();
    expect(queue.at(-1)).toBeUndefined();
  });

  it('takes from and puts to both ends', () => {
    const queue = new RingQueue<string>();
    queue.push('b');
    queue.unshift('a');
    queue.push('c');
    expect(queue.peek()).toBe('a');
    expect(queue.peekLast()).toBe('c');
    expect(queue.pop()).toBe('c');
    expect(queue.shift()).toBe('a');
    expect(queue.pop()).toBe('b');
    expect(queue.length).toBe(0);
  });

  it('holds undefined like any other value', () => {
    const queue = new RingQueue<number | undefined>();
    queue.push(undefined);
    queue.push(1);
    expect(queue.length).toBe(2);
    expect(queue.shift()).toBeUndefined();
    expect(queue.length).toBe(1);
    expect(queue.shift()).toBe(1);
  });

  it('is empty and usable after clear', () => {
    const queue = new RingQueue<number>();
    for (let value = 0; value < 1000; value += 1) queue.push(value);
    queue.clear();
    expect(queue.length).toBe(0);
    expect(queue.toArray()).toEqual([]);
    queue.push(7);
    expect(queue.toArray()).toEqual([7]);
  });

  it('works on after a burst was emptied one by one', () => {
    const queue = new RingQueue<number>();
    for (let value = 0; value < 5000; value += 1) queue.push(value);
    for (let value = 0; value < 5000; value += 1) expect(queue.shift()).toBe(value);
    queue.unshift(1);
    queue.push(2);
    expect(queue.toArray()).toEqual([1, 2]);
  });

  it('keeps nothing alive that was taken out', async () => {
    const { queue, references } = fillAndTake();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await new Promise((resolve) => setImmediate(resolve));
    collect();
    const alive = references.map((reference) => reference.deref() !== undefined);
    expect(alive).toEqual([false, true, true, true, true, false]);
    expect(queue.length).toBe(4);
  });
});

/** In a function of its own, so that no frame keeps the elements when the collector runs. */
function fillAndTake(): { queue: RingQueue<object>; references: WeakRef<object>[] } {
  const queue = new RingQueue<object>();
  const references: WeakRef<object>[] = [];
  for (let count = 0; count < 6; count += 1) {
    const element = { count };
    references.push(new WeakRef(element));
    queue.push(element);
  }
  queue.shift();
  queue.pop();
  return { queue, references };
}
