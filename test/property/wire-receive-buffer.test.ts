import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReceiveBuffer } from '../../src/wire/index.ts';

/** What the buffer is to do, on itself and on a string that stands for what is unread. */
type Step = (real: ReceiveBuffer, unread: string) => string;

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

function text(chunk: Uint8Array): string {
  return Buffer.from(chunk).toString('latin1');
}

/** Chunks rich in delimiters, short and long, so that searches cross every kind of border. */
const chunk = fc.oneof(
  { weight: 5, arbitrary: fc.string({ unit: fc.constantFrom('\r', '\n', 'a'), maxLength: 6 }) },
  { weight: 3, arbitrary: fc.constantFrom('\r', '\n', '\r\n', '\n\r\n', '\r\n\r\n', '\r\n\r', 'x') },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('', '\n', '\r\n', '\n\r\n', '\r\n\r', 'b'),
        fc.integer({ min: 60, max: 6000 }),
        fc.constantFrom('', '\r', '\r\n', '\r\n\r', '\r\n\r\n'),
      )
      .map(([front, length, back]) => front + 'c'.repeat(length) + back),
  },
);

const limit = fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined });
const count = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 8000 }));

function find(pattern: string, method: 'findCrlf' | 'findHeadEnd', bound: number | undefined): Step {
  return (real, unread) => {
    const at = unread.slice(0, bound).indexOf(pattern);
    expect(bound === undefined ? real[method]() : real[method](bound)).toBe(at);
    return unread;
  };
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: chunk.map((added): Step => (real, unread) => {
      real.append(bytes(added));
      return unread + added;
    }),
  },
  { weight: 4, arbitrary: limit.map((bound) => find('\r\n', 'findCrlf', bound)) },
  { weight: 4, arbitrary: limit.map((bound) => find('\r\n\r\n', 'findHeadEnd', bound)) },
  {
    weight: 2,
    arbitrary: count.map((max): Step => (real, unread) => {
      const taken = text(real.take(max));
      expect(unread.startsWith(taken)).toBe(true);
      expect(taken.length).toBeLessThanOrEqual(max);
      expect(taken === '').toBe(max === 0 || unread === '');
      return unread.slice(taken.length);
    }),
  },
  {
    weight: 1,
    arbitrary: count.map((length): Step => (real, unread) => {
      const taken = real.takeExactly(length);
      expect(taken === undefined ? undefined : text(taken)).toBe(
        length > unread.length ? undefined : unread.slice(0, length),
      );
      return taken === undefined ? unread : unread.slice(length);
    }),
  },
  {
    weight: 2,
    arbitrary: count.map((length): Step => (real, unread) => {
      real.skip(length);
      return unread.slice(length);
    }),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(count, count).map(([one, two]): Step => (real, unread) => {
      const start = Math.min(one, two, unread.length);
      const end = Math.min(Math.max(one, two), unread.length);
      expect(real.latin1(start, end)).toBe(unread.slice(start, end));
      return unread;
    }),
  },
  {
    weight: 1,
    arbitrary: count.map((position): Step => (real, unread) => {
      const expected = position < unread.length ? unread.charCodeAt(position) : -1;
      expect(real.byteAt(position)).toBe(expected);
      expect(real.indexOfByte(0x0a, position)).toBe(unread.indexOf('\n', position));
      return unread;
    }),
  },
);

describe('ReceiveBuffer', () => {
  it('behaves like a string, whatever is done to it in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const real = new ReceiveBuffer();
        let unread = '';
        for (const each of steps) {
          unread = each(real, unread);
          expect(real.size).toBe(unread.length);
        }
        expect(real.takeAll().map(text).join('')).toBe(unread);
        expect(real.size).toBe(0);
      }),
      { numRuns: 600 },
    );
  });

  it('finds the same ends of heads however the bytes are cut: whole, one by one, at random (RFC 9112 section 2.2)', () => {
    const stream = fc
      .array(fc.tuple(chunk, fc.integer({ min: 0, max: 40 })), { maxLength: 6 })
      .map((parts) =>
        parts.map(([front, length]) => `${front.replaceAll('\r\n\r\n', '')}\r\n\r\n${'d'.repeat(length)}`).join(''),
      );
    fc.assert(
      fc.property(stream, fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }), (whole, sizes) => {
        const expected = whole.split('\r\n\r\n');
        for (const cut of [[whole.length + 1], [1], sizes]) {
          const buffer = new ReceiveBuffer();
          const found: string[] = [];
          let at = 0;
          for (let round = 0; at < whole.length; round += 1) {
            const size = cut[round % cut.length] ?? 1;
            buffer.append(bytes(whole.slice(at, at + size)));
            at += size;
            for (let end = buffer.findHeadEnd(); end >= 0; end = buffer.findHeadEnd()) {
              found.push(buffer.latin1(0, end));
              buffer.skip(end + 4);
            }
          }
          found.push(buffer.latin1(0, buffer.size));
          expect(found).toEqual(expected);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('never changes what it was given or what it handed out', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(chunk, count), { maxLength: 30 }), (rounds) => {
        const buffer = new ReceiveBuffer();
        const kept: [Uint8Array, string][] = [];
        for (const [added, max] of rounds) {
          const given = bytes(added);
          kept.push([given, added]);
          buffer.append(given);
          buffer.findHeadEnd();
          const taken = buffer.take(max);
          kept.push([taken, text(taken)]);
        }
        for (const [memory, content] of kept) expect(text(memory)).toBe(content);
      }),
      { numRuns: 150 },
    );
  });
});
