/** The system's clock. Timers are faked: nothing here waits. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../../src/networking/index.ts';

describe('SystemClock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells monotonic and wall time', () => {
    const clock = new SystemClock();
    const now = clock.now();
    vi.setSystemTime(Date.UTC(2026, 5, 1));
    vi.advanceTimersByTime(250);
    expect(clock.now() - now).toBeCloseTo(250, 0);
    expect(clock.wallTime()).toBe(Date.UTC(2026, 5, 1) + 250);
  });

  it('calls at its time, once, never from inside schedule', () => {
    const clock = new SystemClock();
    const calls: string[] = [];
    clock.schedule(clock.now() + 100, () => calls.push('later'));
    clock.schedule(clock.now() - 5, () => calls.push('past'));
    expect(calls).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(calls).toEqual(['past']);
    vi.advanceTimersByTime(98);
    expect(calls).toEqual(['past']);
    vi.advanceTimersByTime(10_000);
    expect(calls).toEqual(['past', 'later']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('cancels, before and after', () => {
    const clock = new SystemClock();
    let calls = 0;
    const first = clock.schedule(clock.now() + 10, () => (calls += 1));
    const second = clock.schedule(clock.now() + 10, () => (calls += 1));
    first.cancel();
    first.cancel();
    vi.advanceTimersByTime(20);
    second.cancel();
    expect(calls).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits longer than a Node timer can', () => {
    const clock = new SystemClock();
    let calls = 0;
    const delay = 2 ** 31 * 3;
    clock.schedule(clock.now() + delay, () => (calls += 1));
    vi.advanceTimersByTime(delay - 1_000);
    expect(calls).toBe(0);
    vi.advanceTimersByTime(2_000);
    expect(calls).toBe(1);
  });

  it('lets a process end that waits for background callbacks only', () => {
    vi.useRealTimers();
    const clock = new SystemClock();
    const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const background = clock.schedule(clock.now() + 1_000_000, () => {}, { background: true });
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before);
    const foreground = clock.schedule(clock.now() + 1_000_000, () => {});
    expect(process.getActiveResourcesInfo().filter((name) => name === 'Timeout')).toHaveLength(before + 1);
    background.cancel();
    foreground.cancel();
  });
});
