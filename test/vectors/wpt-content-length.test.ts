/**
 * The Web Platform Tests' Content-Length values, as a response's header section, through the client engine.
 *
 * The platform takes what RFC 9112 section 6.3 lets a recipient take: several equal values for one, and an invalid value
 * for none, so that the end of the connection bounds the content. The engine takes neither (rule 5: an invalid value is
 * an unrecoverable error; equal values may be rejected as well): what could be read in two ways is read in none. No
 * input is read by both with different lengths.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readResponses } from './support/http1-messages.ts';

interface Case {
  readonly input: string;
  /** How much of the 42 octets is content; `null`: a network error. */
  readonly output: number | null;
}

const cases = JSON.parse(
  readFileSync(new URL('wpt-content-length/content-lengths.json', import.meta.url), 'utf8'),
) as Case[];

/** What the platform takes and the engine refuses (RFC 9112 section 6.3, rule 5). */
const stricter: ReadonlySet<string> = new Set([
  'Content-Length: 42,42',
  'Content-Length: 42\r\nContent-Length: 42',
  'Content-Length: 42\r\nContent-Length: 42,42',
  'Content-Length: 30,30',
  'Content-Length: 30\r\nContent-Length: 30',
  'Content-Length: 30\r\nContent-Length: 30,30',
  'Content-Length: 30,30\r\nContent-Length: 30,30',
  'Content-Length: 30,30,  30  \r\nContent-Length: 30  ',
  'Content-Length: aaaah\r\nContent-Length: aaaah',
  'Content-Length: aaaah, aaaah',
  'Content-Length: aaaah',
  'Content-Length: 42s',
  'Content-Length: 30s',
  'Content-Length: -1',
  'Content-Length: 0x20',
  'Content-Length: "30"',
  'Content-Length: ',
]);

describe('the Web Platform Tests of Content-Length', () => {
  it.each(cases.map((one) => [JSON.stringify(one.input), one] as const))('%s', (_name, { input, output }) => {
    const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${input}\r\n\r\n${'x'.repeat(42)}`, 'latin1');
    const expected = stricter.has(input) ? null : output;
    for (const chunking of [undefined, 1]) {
      const [message] = readResponses(bytes, chunking).messages;
      expect(message?.complete === true ? message.body.length : null).toBe(expected);
    }
  });

  it('lists as stricter only what the platform takes', () => {
    const taken = new Set(cases.filter(({ output }) => output !== null).map(({ input }) => input));
    expect([...stricter].filter((input) => !taken.has(input))).toEqual([]);
  });
});
