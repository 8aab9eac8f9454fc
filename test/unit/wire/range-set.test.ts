import { describe, expect, it } from 'vitest';
import { RangeSet } from '../../../src/wire/index.ts';

function rangesOf(set: RangeSet): [number, number][] {
  return set.toArray().map(({ start, end }) => [start, end]);
}

function setOf(...ranges: [number, number][]): RangeSet {
  const set = new RangeSet();
  for (const [start, end] of ranges) set.add(start, end);
  return set;
}

describe('RangeSet', () => {
  it('joins ranges that overlap or touch', () => {
    expect(rangesOf(setOf([0, 2], [4, 6], [2, 4]))).toEqual([[0, 6]]);
    expect(rangesOf(setOf([0, 2], [4, 6], [8, 10], [1, 9]))).toEqual([[0, 10]]);
    expect(rangesOf(setOf([5, 6], [1, 2], [3, 4]))).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    expect(rangesOf(setOf([0, 10], [3, 4]))).toEqual([[0, 10]]);
    expect(rangesOf(setOf([4, 6], [0, 4]))).toEqual([[0, 6]]);
  });

  it('adds single numbers', () => {
    const set = new RangeSet();
    for (const value of [3, 1, 2, 7, 0]) set.add(value);
    expect(rangesOf(set)).toEqual([
      [0, 4],
      [7, 8],
    ]);
    expect(set.size).toBe(5);
    expect([set.min, set.max]).toEqual([0, 7]);
    expect([set.start(1), set.end(1), set.start(2), set.end(2)]).toEqual([7, 8, -1, -1]);
  });

  it('splits and trims ranges when numbers are taken out', () => {
    const set = setOf([0, 10], [20, 30]);
    set.remove(5);
    set.remove(8, 22);
    set.remove(29, 100);
    set.remove(40, 50);
    set.remove(3, 3);
    expect(rangesOf(set)).toEqual([
      [0, 5],
      [6, 8],
      [22, 29],
    ]);
    set.remove(0, 100);
    expect(set.length).toBe(0);
  });

  it('answers what is in it', () => {
    const set = setOf([2, 5], [7, 9]);
    expect([1, 2, 4, 5, 6, 7, 8, 9].map((value) => set.has(value))).toEqual([
      false,
      true,
      true,
      false,
      false,
      true,
      true,
      false,
    ]);
    expect(set.covers(2, 5)).toBe(true);
    expect(set.covers(3, 4)).toBe(true);
    expect(set.covers(4, 8)).toBe(false);
    expect(set.covers(1, 3)).toBe(false);
    expect(set.covers(6, 6)).toBe(true);
    expect(set.covers(8, 10)).toBe(false);
  });

  it('gives up its lowest ranges', () => {
    const set = setOf([0, 1], [2, 3], [4, 5], [6, 7]);
    expect(set.shift()).toEqual({ start: 0, end: 1 });
    set.dropFirst(2);
    expect(rangesOf(set)).toEqual([
      [4, 5],
      [6, 7],
    ]);
    set.dropFirst(5);
    expect(set.length).toBe(2);
    set.clear();
    expect(set.shift()).toBeUndefined();
    expect([set.min, set.max, set.size, set.has(0), set.covers(0, 1)]).toEqual([-1, -1, 0, false, false]);
  });

  it('ignores empty ranges', () => {
    expect(setOf([3, 3], [5, 4]).length).toBe(0);
  });

  it('holds numbers up to 2^53-1', () => {
    const set = new RangeSet();
    set.add(2 ** 52, Number.MAX_SAFE_INTEGER);
    set.add(0);
    expect(set.has(Number.MAX_SAFE_INTEGER - 1)).toBe(true);
    expect(set.max).toBe(Number.MAX_SAFE_INTEGER - 1);
  });
});
