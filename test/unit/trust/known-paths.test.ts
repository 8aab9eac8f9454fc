/** What is kept of good paths. */
import { describe, expect, it } from 'vitest';
import { KnownPaths } from '../../../src/trust/known-paths.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const path = { path: [bytes(1)], from: 10, until: 20 };

describe('KnownPaths', () => {
  it('tells chains apart, however they are cut', () => {
    const keys = [[bytes(1, 2)], [bytes(1), bytes(2)], [bytes(2), bytes(1)], [bytes(1, 2), bytes()], []].map((chain) =>
      KnownPaths.keyOf(chain),
    );
    expect(new Set(keys).size).toBe(5);
  });

  it('has a path within its time only', () => {
    const paths = new KnownPaths();
    paths.set('a', path);
    expect([9, 10, 20, 21].map((time) => paths.get('a', time)?.from)).toEqual([undefined, 10, 10, undefined]);
    expect(paths.get('b', 15)).toBeUndefined();
  });

  it('keeps the 64 that were used last', () => {
    const paths = new KnownPaths();
    for (let index = 0; index < 64; index += 1) paths.set(String(index), path);
    paths.get('0', 15);
    paths.set('more', path);
    expect(paths.size).toBe(64);
    expect([paths.get('0', 15), paths.get('1', 15)]).toEqual([path, undefined]);
  });
});
