/**
 * Rules as rows: what is changed on its way, and which alert answers it.
 *
 * @module
 */
import { expect, it } from 'vitest';
import { answerTo } from './tampering.ts';
import type { Side, Tampering } from './tampering.ts';

/** A rule, what answers its breach (an alert, `violation`, or nothing), and the breach. */
export type Row = readonly [rule: string, expected: number | 'violation' | undefined, tampering: Tampering];

/** A message put in the place of another. */
export function instead(from: Side, type: number, message: Uint8Array, over: Partial<Tampering> = {}): Tampering {
  return { from, type, change: () => message, ...over };
}

/** Declares a test for each. */
export function rules(rows: readonly Row[]): void {
  it.each(rows)('%s: %s', (_rule, expected, tampering) => {
    expect(answerTo(tampering)).toBe(expected);
  });
}
