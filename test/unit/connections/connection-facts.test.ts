import { describe, expect, it } from 'vitest';
import { startConnectionIds } from '../../../src/connections/index.ts';
import { nextConnectionId } from '../../../src/connections/connection-facts.ts';

describe('startConnectionIds', () => {
  it('lets the ids of several processes differ', () => {
    startConnectionIds(3 * 36 ** 6);
    const ids = [1, 2].map(() => nextConnectionId().toString(36));
    expect(ids).toEqual(['3000001', '3000002']);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('takes no %d', (last) => {
    expect(() => startConnectionIds(last)).toThrow(RangeError);
  });
});
