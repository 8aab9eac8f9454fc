/**
 * h2o's fuzz corpora of HTTP/1: no expected result, so what is asserted is what must hold for any bytes. Nothing is
 * thrown, every input ends in messages or a refusal, and the outcome does not depend on how the input was cut.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readRequests, readResponses } from './support/http1-messages.ts';

interface Line {
  readonly id: string;
  readonly hex?: string;
  readonly base64?: string;
}

const lines = readFileSync(new URL('./h2o/http1.jsonl', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => JSON.parse(line) as Line);
const inputs = lines.map((line) => ({
  id: line.id,
  bytes: line.hex === undefined ? Buffer.from(line.base64 ?? '', 'base64') : Buffer.from(line.hex, 'hex'),
}));

describe('h2o HTTP/1 corpus', () => {
  it('is there', () => {
    expect(inputs.length).toBe(1571);
  });

  it('as requests: ends in an answer or in nothing, alike for any cut', () => {
    for (const { id, bytes } of inputs) {
      const whole = outcome(readRequests(bytes));
      // A closed connection has said why, or everything was answered.
      if (bytes.length > 0) expect({ id, ended: whole['ended'] }).toEqual({ id, ended: true });
      for (const size of [1, 5])
        expect({ id, size, ...outcome(readRequests(bytes, size)) }).toEqual({ id, size, ...whole });
    }
  });

  it('as responses: nothing is thrown, alike for any cut', () => {
    for (const { id, bytes } of inputs) {
      const whole = outcome(readResponses(bytes));
      expect({ id, ended: whole['ended'] }).toEqual({ id, ended: true });
      for (const size of [1, 5])
        expect({ id, size, ...outcome(readResponses(bytes, size)) }).toEqual({ id, size, ...whole });
    }
  });
});

function outcome(seen: ReturnType<typeof readRequests>): Record<string, unknown> {
  return {
    heads: seen.messages.map((message) => [message.start, message.target, message.headers]),
    complete: seen.messages.map((message) => (message.complete ? message.body.toString('hex') : undefined)),
    refused: seen.refused,
    ended: seen.reason !== undefined,
  };
}
