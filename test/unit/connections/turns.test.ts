import { describe, expect, it } from 'vitest';
import { awaitTurn } from '../../../src/connections/turns.ts';

describe('the end of a turn', () => {
  it('comes for each who asked, in their order, behind the microtasks and before the event loop goes on', async () => {
    const log: string[] = [];
    const taker = (name: string, also?: () => void): void => {
      awaitTurn({
        takeTurn: () => {
          log.push(name);
          also?.();
        },
      });
    };
    setImmediate(() => log.push('loop'));
    taker('one', () => taker('three'));
    taker('two');
    void Promise.resolve().then(() => log.push('microtask'));
    expect(log).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log).toEqual(['microtask', 'one', 'two', 'three', 'loop']);
  });

  it('comes for many at once, again and again', async () => {
    let turns = 0;
    for (let round = 0; round < 3; round += 1) {
      for (let index = 0; index < 2000; index += 1) awaitTurn({ takeTurn: () => void (turns += 1) });
      await new Promise((resolve) => setImmediate(resolve));
      expect(turns).toBe((round + 1) * 2000);
    }
  });
});
