/**
 * The HTTP/2 engines under octets: recorded connections with changes. Nothing is thrown, what is told does not depend on
 * how the octets were cut, and whatever the engine answers is whole frames.
 */
import { describe, expect } from 'vitest';
import { fuzz } from '../support/fuzz/campaign.ts';
import { readLines } from '../support/fuzz/corpora.ts';
import { cut, mutate, randomBytes } from '../support/fuzz/mutation.ts';
import { frameBytes, PREFACE } from '../vectors/support/http2-frames.ts';
import type { Seen } from '../vectors/support/http2-messages.ts';
import { readRequests, readResponses } from '../vectors/support/http2-messages.ts';

const recorded = ['nghttp2/h2spec.jsonl', 'nghttp2/nghttp.jsonl', 'h2o/http2.jsonl'].flatMap(readLines);
const SETTINGS = frameBytes(4, 0, 0, new Uint8Array(0));
/** Frames that go in between. */
const WORDS = [
  SETTINGS,
  frameBytes(4, 1, 0, new Uint8Array(0)),
  frameBytes(4, 0, 0, Uint8Array.of(0, 4, 0, 0, 0, 0)),
  frameBytes(6, 0, 0, new Uint8Array(8)),
  frameBytes(1, 5, 1, Uint8Array.of(0x82, 0x87, 0x84, 0x01, 0x01, 0x61)),
  frameBytes(1, 4, 3, Uint8Array.of(0x83, 0x87, 0x84, 0x01, 0x01, 0x61)),
  frameBytes(1, 0, 5, Uint8Array.of(0x82)),
  frameBytes(9, 4, 5, Uint8Array.of(0x87, 0x84, 0x01, 0x01, 0x61)),
  frameBytes(0, 1, 3, new Uint8Array(5)),
  frameBytes(0, 8, 3, Uint8Array.of(2, 0x61, 0, 0)),
  frameBytes(1, 5, 1, Uint8Array.of(0x88)),
  frameBytes(1, 4, 3, Uint8Array.of(0x88)),
  frameBytes(3, 0, 3, Uint8Array.of(0, 0, 0, 8)),
  frameBytes(7, 0, 0, new Uint8Array(8)),
  frameBytes(8, 0, 0, Uint8Array.of(0x7f, 0xff, 0xff, 0xff)),
  frameBytes(8, 0, 1, Uint8Array.of(0, 0, 0, 1)),
];

describe('HTTP/2 under octets', () => {
  fuzz('HTTP/2 server, octets', 800, (random) => {
    const bytes = random.chance(0.02)
      ? Uint8Array.of(...PREFACE, ...SETTINGS, ...randomBytes(random, 300))
      : mutate(random, recorded, WORDS);
    if (!alike(readRequests([bytes], 'at the end'), readRequests(cut(random, bytes), 'at the end'))) {
      expect.fail(`told otherwise when cut: ${Buffer.from(bytes).toString('hex')}`);
    }
    // Answered at once: other races, the same promise.
    readRequests(cut(random, bytes), 'at once', random.chance(0.5));
  });

  fuzz('HTTP/2 client, octets', 800, (random) => {
    const bytes = mutate(random, recorded, WORDS).slice(random.chance(0.9) ? PREFACE.length : 0);
    if (!alike(readResponses([bytes]), readResponses(cut(random, bytes)))) {
      expect.fail(`told otherwise when cut: ${Buffer.from(bytes).toString('hex')}`);
    }
  });
});

/**
 * Whether the same was told. Behind GOAWAY a connection is over as soon as its last exchange is, with the chunk at hand:
 * what then would have come next is or is not in it.
 */
function alike(one: Seen, other: Seen): boolean {
  if (one.told.join('\n') !== other.told.join('\n')) return false;
  if (one.ended === 'NO_ERROR' || other.ended === 'NO_ERROR') return true;
  return one.ended === other.ended && one.reason === other.reason;
}
