/**
 * The HTTP/1 engines under changed messages of the corpora: nothing is thrown, every connection comes to an end, and
 * what came of the bytes does not depend on how they were cut.
 */
import { describe, expect } from 'vitest';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { readGunicorn, readLines, readLlhttp } from '../support/fuzz/corpora.ts';
import { mutate, randomBytes } from '../support/fuzz/mutation.ts';
import type { Seen } from '../vectors/support/http1-messages.ts';
import { readRequests, readResponses } from '../vectors/support/http1-messages.ts';

const requests = [...readLlhttp('request'), ...readGunicorn(), ...readLines('h2o/http1.jsonl')];
const responses = [...readLlhttp('response'), ...readLines('h2o/http1.jsonl').slice(0, 200)];
const WORDS = [
  ...['\r\n', '\n', '\r', '\0', ' ', '\t', ':', ';', ',', '"', '\\', '%00', '\xff', '\r\n\r\n', '0\r\n\r\n'],
  ...['HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'GET / HTTP/1.1\r\n', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ...['Host: a\r\n', 'Content-Length: 5\r\n', 'Content-Length: 5, 5\r\n', 'Content-Length: -1\r\n'],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip, chunked\r\n', 'Transfer-Encoding : chunked\r\n'],
  ...[
    'Connection: close\r\n',
    'Connection: upgrade\r\nUpgrade: websocket\r\n',
    'Expect: 100-continue\r\n',
    'TE: trailers\r\n',
  ],
  ...[
    '5\r\nhello\r\n',
    'ffffffffffffffff\r\n',
    '1;a="b"\r\nx\r\n',
    '0\r\nTrailer: x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ],
  'a'.repeat(3000),
];
/** Small, so that they are met. */
const LIMITS = { maxHeaderBytes: 2048, maxHeaderCount: 16 };

describe('HTTP/1', () => {
  fuzz('HTTP/1 server', 1200, (random) => {
    const bytes = input(random, requests);
    const limits = random.chance(0.3) ? LIMITS : undefined;
    same(random, bytes, (size) => readRequests(bytes, size, limits));
  });

  fuzz('HTTP/1 client', 1200, (random) => {
    const bytes = input(random, responses);
    const methods = random.pick([['GET'], ['HEAD'], ['GET', 'POST', 'GET'], ['CONNECT'], ['UPGRADE'], ['HEAD', 'GET']]);
    same(random, bytes, (size) => readResponses(bytes, size, methods));
  });
});

function input(random: SeededRandom, corpus: readonly Uint8Array[]): Uint8Array {
  return random.chance(0.02) ? randomBytes(random, 300) : mutate(random, corpus, WORDS);
}

function same(random: SeededRandom, bytes: Uint8Array, read: (size: number | undefined) => Seen): void {
  const whole = outcome(read(undefined));
  const size = random.pick([1, 2, 5, 64]);
  if (outcome(read(size)) !== whole) {
    expect(outcome(read(size)), `${Buffer.from(bytes).toString('hex')} in pieces of ${String(size)}`).toEqual(whole);
  }
}

function outcome(seen: Seen): string {
  return JSON.stringify([
    seen.messages.map((message) => [
      ...[message.start, message.target, message.headers, message.upgrade, message.trailers, message.complete],
      message.complete ? message.body.toString('latin1') : undefined,
    ]),
    // Of two faults in one head, the one that comes first is told, and which that is may depend on the cut.
    seen.refused !== undefined,
    seen.reason !== undefined,
  ]);
}
