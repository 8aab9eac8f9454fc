import { describe, expect, it } from 'vitest';
import type { Timer } from '../../../src/concurrency/index.ts';
import { TimerQueue } from '../../../src/concurrency/index.ts';
import { ManualClock } from './manual-clock.ts';

interface Setup {
  readonly clock: ManualClock;
  readonly queue: TimerQueue;
  readonly errors: unknown[];
  readonly ran: string[];
  timer(name: string, then?: (now: number) => void): Timer;
}

function setup(): Setup {
  const clock = new ManualClock();
  const errors: unknown[] = [];
  const ran: string[] = [];
  const queue = new TimerQueue(clock, { onError: (error) => errors.push(error) });
  const timer = (name: string, then?: (now: number) => void): Timer =>
    queue.timer((now) => {
      ran.push(`${name}@${now}`);
      then?.(now);
    });
  return { clock, queue, errors, ran, timer };
}

describe('TimerQueue', () => {
  it('runs timers in the order of their times, on one timer of the clock', () => {
    const { clock, queue, ran, timer } = setup();
    for (const at of [1040, 1010, 1030, 1020]) timer(String(at)).set(at);
    expect(clock.pending).toBe(1);
    expect(queue.pending).toBe(4);
    clock.advance(25);
    expect(ran).toEqual(['1010@1010', '1020@1020']);
    clock.advance(100);
    expect(ran).toEqual(['1010@1010', '1020@1020', '1030@1030', '1040@1040']);
    expect(clock.pending).toBe(0);
    expect(queue.pending).toBe(0);
  });

  it('runs timers of one time in the order in which they were set', () => {
    const { clock, ran, timer } = setup();
    const timers = ['a', 'b', 'c', 'd'].map((name) => timer(name));
    for (const each of timers) each.set(1010);
    timers[0]?.set(1005);
    timers[0]?.set(1010);
    clock.advance(10);
    expect(ran).toEqual(['b@1010', 'c@1010', 'd@1010', 'a@1010']);
  });

  it('moves a time later without touching the clock', () => {
    const { clock, ran, timer } = setup();
    const one = timer('one');
    one.set(1010);
    for (let at = 1011; at < 1100; at += 1) one.set(at);
    expect(clock.scheduled).toBe(1);
    expect(one.deadline).toBe(1099);
    clock.advance(98);
    expect(ran).toEqual([]);
    expect(clock.scheduled).toBe(2);
    clock.advance(1);
    expect(ran).toEqual(['one@1099']);
    expect(one.deadline).toBeUndefined();
  });

  it('moves a time earlier', () => {
    const { clock, ran, timer } = setup();
    const one = timer('one');
    const two = timer('two');
    one.set(1100);
    two.set(1050);
    one.set(1020);
    expect(clock.times).toEqual([1020]);
    clock.advance(20);
    expect(ran).toEqual(['one@1020']);
    clock.advance(30);
    expect(ran).toEqual(['one@1020', 'two@1050']);
  });

  it('clears a time, and schedules nothing when none is left', () => {
    const { clock, queue, ran, timer } = setup();
    const one = timer('one');
    const two = timer('two');
    one.set(1010);
    two.set(1020);
    one.set(undefined);
    expect(one.deadline).toBeUndefined();
    two.set(Infinity);
    expect(clock.pending).toBe(0);
    expect(queue.pending).toBe(0);
    one.set(1015);
    expect(clock.pending).toBe(1);
    clock.advance(100);
    expect(ran).toEqual(['one@1015']);
    expect(clock.pending).toBe(0);
  });

  it('takes a time that is no number for none', () => {
    const { clock, queue, timer } = setup();
    timer('one').set(Number.NaN);
    expect(queue.pending).toBe(0);
    expect(clock.pending).toBe(0);
  });

  it('cancels', () => {
    const { clock, queue, ran, timer } = setup();
    const one = timer('one');
    const two = timer('two');
    one.cancel();
    one.set(1010);
    two.set(1005);
    one.cancel();
    one.cancel();
    expect(queue.pending).toBe(1);
    two.cancel();
    expect(clock.pending).toBe(0);
    clock.advance(100);
    expect(ran).toEqual([]);
    one.set(1200);
    clock.advance(100);
    expect(ran).toEqual(['one@1200']);
  });

  it('keeps its order when a timer amid others is cancelled', () => {
    // The last one of the heap takes the place of the one cancelled and is earlier than what stands above it there.
    const { clock, ran, timer } = setup();
    const times = [1001, 1010, 1002, 1011, 1012, 1003, 1004];
    const timers = times.map((at) => timer(String(at)));
    for (const [index, each] of timers.entries()) each.set(times[index]);
    timers[3]?.cancel();
    for (const at of [1020, 1021]) timer(String(at)).set(at);
    clock.advance(100);
    expect(ran).toEqual([1001, 1002, 1003, 1004, 1010, 1012, 1020, 1021].map((at) => `${at}@${at}`));
  });

  it('clears all', () => {
    const { clock, queue, ran, timer } = setup();
    const one = timer('one', () => {
      queue.clear();
    });
    const two = timer('two');
    one.set(1010);
    two.set(1010);
    timer('three').set(1020);
    clock.advance(100);
    expect(ran).toEqual(['one@1010']);
    expect(queue.pending).toBe(0);
    expect(clock.pending).toBe(0);
    two.set(1200);
    clock.advance(100);
    expect(ran).toEqual(['one@1010', 'two@1200']);
  });

  it('sets a timer again from its own callback, for a later turn even if the time has passed', () => {
    const { clock, ran, timer } = setup();
    let rounds = 0;
    const one = timer('one', (now) => {
      rounds += 1;
      if (rounds < 3) one.set(now - 5);
    });
    const two = timer('two');
    one.set(1010);
    two.set(1010);
    clock.advance(10);
    expect(ran).toEqual(['one@1010', 'two@1010', 'one@1010', 'one@1010']);
  });

  it('lets a callback move or cancel one that is due in the same turn', () => {
    const { clock, ran, timer } = setup();
    const one = timer('one', () => {
      two.cancel();
      three.set(1050);
      four.set(undefined);
    });
    const two = timer('two');
    const three = timer('three');
    const four = timer('four');
    for (const each of [one, two, three, four]) each.set(1010);
    clock.advance(20);
    expect(ran).toEqual(['one@1010']);
    clock.advance(50);
    expect(ran).toEqual(['one@1010', 'three@1050']);
    expect(clock.pending).toBe(0);
  });

  it('survives a callback that throws', () => {
    const { clock, errors, ran, timer } = setup();
    const error = new Error('x');
    timer('bad', () => {
      throw error;
    }).set(1010);
    timer('good').set(1010);
    timer('later').set(1020);
    clock.advance(20);
    expect(errors).toEqual([error]);
    expect(ran).toEqual(['bad@1010', 'good@1010', 'later@1020']);
  });

  it('is not misled by a clock that calls too early', () => {
    const { clock, ran, timer } = setup();
    timer('one').set(1010);
    clock.jump(0);
    clock.jump(0);
    expect(ran).toEqual([]);
    expect(clock.pending).toBe(1);
    clock.advance(10);
    expect(ran).toEqual(['one@1010']);
  });

  it('runs by the time for which timers were set last, when a busy process calls late', () => {
    const { clock, ran, timer } = setup();
    const moved = timer('moved');
    moved.set(1010);
    moved.set(1030);
    timer('other').set(1020);
    clock.jump(40);
    expect(ran).toEqual(['other@1040', 'moved@1040']);
  });

  it('keeps a process alive or not, as it was told', () => {
    const clock = new ManualClock();
    const queue = new TimerQueue(clock, { onError: () => undefined, background: true });
    queue.timer(() => undefined).set(1010);
    expect(clock.allBackground).toBe(true);
    const { clock: other, timer } = setup();
    timer('one').set(1010);
    expect(other.allBackground).toBe(false);
  });

  it('holds thousands, however they move', () => {
    const { clock, queue, ran, timer } = setup();
    const timers = Array.from({ length: 5000 }, (_, index) => timer(String(index)));
    for (const [index, each] of timers.entries()) each.set(1000 + ((index * 7919) % 5000));
    for (const [index, each] of timers.entries()) if (index % 3 === 0) each.set(3000 + ((index * 31) % 5000));
    for (const [index, each] of timers.entries()) if (index % 5 === 0) each.cancel();
    expect(queue.pending).toBe(4000);
    clock.advance(10_000);
    expect(ran.length).toBe(4000);
    const times = ran.map((entry) => Number(entry.split('@')[1]));
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(clock.pending).toBe(0);
  });
});
