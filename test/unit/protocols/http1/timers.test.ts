import { describe, expect, it } from 'vitest';
import { Phase, Timers } from '../../../../src/protocols/http1/timers.ts';

const DURATIONS = {
  firstTimeout: 10,
  keepAliveTimeout: 20,
  headTimeout: 30,
  bodyTimeout: 1000,
  minBodyRate: 100,
  lingerTimeout: 50,
  writeTimeout: 60,
};

function timers(overrides: Partial<typeof DURATIONS> = {}): Timers {
  return new Timers({ ...DURATIONS, ...overrides }, 0);
}

describe('deadlines', () => {
  it.each([
    [Phase.first, 10],
    [Phase.idle, 20],
    [Phase.head, 30],
    [Phase.body, 1000],
    [Phase.linger, 50],
  ])('phase %i lasts %i ms from its beginning, however often it is named', (phase, duration) => {
    const clock = timers();
    clock.update(phase, false, false, 100);
    clock.update(phase, false, false, 105);
    expect(clock.next()).toBe(100 + duration);
    expect(clock.expired(100 + duration - 0.1)).toBe(Phase.none);
    expect(clock.expired(100 + duration)).toBe(phase);
  });

  it('begins anew with another phase, and has none in none', () => {
    const clock = timers();
    clock.update(Phase.head, false, false, 0);
    clock.update(Phase.none, false, false, 5);
    expect(clock.next()).toBeUndefined();
    clock.update(Phase.head, false, false, 7);
    expect(clock.next()).toBe(37);
  });

  it('begins anew with another message in the same phase', () => {
    const clock = timers();
    clock.update(Phase.head, false, false, 0);
    clock.beginMessage();
    clock.update(Phase.head, false, false, 7);
    expect(clock.next()).toBe(37);
  });

  it('watches output that nobody takes, and forgets when some is taken', () => {
    const clock = timers();
    clock.update(Phase.none, true, false, 0);
    clock.update(Phase.none, true, false, 30);
    expect(clock.next()).toBe(60);
    clock.update(Phase.none, true, true, 40);
    expect(clock.next()).toBe(100);
    expect(clock.writeExpired(99)).toBe(false);
    expect(clock.writeExpired(100)).toBe(true);
    clock.update(Phase.none, false, true, 50);
    expect(clock.next()).toBeUndefined();
  });

  it('asks for the time after a call that brought none', () => {
    const clock = timers();
    clock.update(Phase.none, false, false, 42);
    clock.markStale();
    expect(clock.next()).toBe(42);
    clock.update(Phase.none, false, false, 43);
    expect(clock.next()).toBeUndefined();
  });

  it('stops', () => {
    const clock = timers();
    clock.update(Phase.head, true, false, 0);
    clock.stop();
    expect(clock.next()).toBeUndefined();
    expect(clock.expired(1e9)).toBe(Phase.none);
    expect(clock.writeExpired(1e9)).toBe(false);
  });
});

describe('the budget of content (slow POST)', () => {
  it('lets each byte earn its share, and never more than the whole', () => {
    const clock = timers();
    clock.update(Phase.body, false, false, 0);
    clock.earn(10, 500);
    expect(clock.next()).toBe(1100);
    clock.earn(1_000_000, 600);
    expect(clock.next()).toBe(1600);
  });

  it('gives in to a trickle below the rate', () => {
    const clock = timers();
    clock.update(Phase.body, false, false, 0);
    let now = 0;
    while (clock.expired(now) === Phase.none) {
      clock.earn(1, now);
      now += 100;
    }
    expect(now).toBeGreaterThan(1000);
    expect(now).toBeLessThan(1300);
  });

  it('without a rate, any byte earns all of it', () => {
    const clock = timers({ minBodyRate: 0 });
    clock.update(Phase.body, false, false, 0);
    clock.earn(1, 999);
    expect(clock.next()).toBe(1999);
  });

  it('rests while the reader is not ready, and keeps what is left', () => {
    const clock = timers();
    clock.update(Phase.body, false, false, 0);
    clock.update(Phase.none, false, false, 400);
    expect(clock.next()).toBeUndefined();
    clock.update(Phase.body, false, false, 5000);
    expect(clock.next()).toBe(5600);
    clock.beginMessage();
    clock.update(Phase.none, false, false, 5100);
    clock.update(Phase.body, false, false, 6000);
    expect(clock.next()).toBe(7000);
  });
});
