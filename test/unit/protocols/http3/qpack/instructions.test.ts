/** The peer's QPACK streams, with a capacity of 0 on both sides. */
import { describe, expect, it } from 'vitest';
import { DecoderStreamReader, EncoderStreamReader } from '../../../../../src/protocols/http3/qpack/index.ts';

const octets = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

describe('the encoder stream (RFC 9204 section 4.3)', () => {
  const problem = (...parts: readonly string[]): string | undefined => {
    const reader = new EncoderStreamReader();
    return parts.map((hex) => reader.problem(octets(hex))).find((text) => text !== undefined);
  };

  it('may set the capacity to 0 (4.3.1)', () => {
    expect(problem('2020', '', '20')).toBeUndefined();
  });

  it('may hold the beginning of a capacity: what is wrong is how it goes on, or that it ends there (4.2, 4.3.1)', () => {
    expect(problem('20', '3f', 'e1', 'c7')).toBeUndefined();
    expect(problem('3f', 'e1', '1f')).toBeDefined();
  });

  it.each([
    ['a capacity above what was allowed (4.3.1)', ['21']],
    ['a large capacity (4.3.1)', ['3fe11f']],
    ['a capacity beyond 32 bits (4.3.1)', ['3fe1c7afa025']],
    ['a capacity of more than 62 bits (4.1.1)', ['3f', 'ff'.repeat(9), '01']],
    ['an insertion with a static name (4.3.2)', ['c00161']],
    ['an insertion with a dynamic name (4.3.2)', ['800161']],
    ['an insertion with a literal name (4.3.3)', ['41610162']],
    ['a duplicate (4.3.4)', ['00']],
    ['any of them behind what is allowed', ['202020', '00']],
  ])('may not hold %s', (_name, parts) => {
    expect(problem(...parts)).toBeDefined();
  });
});

describe('the decoder stream (RFC 9204 section 4.4)', () => {
  const problem = (...parts: readonly string[]): string | undefined => {
    const reader = new DecoderStreamReader();
    return parts.map((hex) => reader.problem(octets(hex))).find((text) => text !== undefined);
  };

  it('may cancel streams, whole or cut anywhere (4.4.2)', () => {
    expect(problem('40', '7e', '7f00', '7fffff7f')).toBeUndefined();
    expect(problem('7f', 'ff', '80', '01', '40')).toBeUndefined();
  });

  it.each([
    ['a Section Acknowledgment (4.4.1)', ['80']],
    ['a Section Acknowledgment behind a cancellation (4.4.1)', ['7f81', '0184']],
    ['an Insert Count Increment of 0 (4.4.3)', ['00']],
    ['an Insert Count Increment (4.4.3)', ['01']],
    ['an integer of more than 62 bits (4.1.1)', ['7f', 'ff'.repeat(9), '01']],
  ])('may not hold %s', (_name, parts) => {
    expect(problem(...parts)).toBeDefined();
  });
});
