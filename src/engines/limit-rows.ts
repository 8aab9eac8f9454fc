/**
 * Bounds that engines on Node's own HTTP modules have alike, to the word.
 *
 * @module
 */
import type { LimitDefinition } from '../common/index.ts';

const KIB = 1024;
const SECOND = 1000;

/** Of more than one table. */
export const sharedLimits: {
  readonly maxUnconsumedBytes: LimitDefinition;
  readonly sendBufferBytes: LimitDefinition;
  readonly writeTimeout: LimitDefinition;
} = {
  maxUnconsumedBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: 'Content that the reader has not consumed; reading pauses there. Memory held for a slow reader.',
  },
  sendBufferBytes: {
    unit: 'bytes',
    default: 64 * KIB,
    answers: "A stream's send buffer; sendCapacity is 0 beyond. Memory held for a peer that does not read.",
  },
  writeTimeout: {
    unit: 'milliseconds',
    default: 60 * SECOND,
    answers: 'How long output may wait without any of it being taken. The connection is aborted (slow read).',
  },
};
