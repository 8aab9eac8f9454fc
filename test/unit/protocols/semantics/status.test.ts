import { describe, expect, it } from 'vitest';
import {
  formatHttpDate,
  hasNoContent,
  isInformationalStatus,
  isSuccessfulStatus,
  parseStatus,
  reasonPhrase,
} from '../../../../src/protocols/semantics/index.ts';

describe('status codes (RFC 9110 section 15)', () => {
  it('reads three digits from 100 on', () => {
    expect(parseStatus('100')).toBe(100);
    expect(parseStatus('999')).toBe(999);
    for (const text of ['', '99', '099', '1000', '20', '2 0', '+20', '20x', '2.0', ' 200']) {
      expect(parseStatus(text), text).toBe(-1);
    }
  });

  it('knows the classes', () => {
    expect([99, 100, 199, 200].map(isInformationalStatus)).toEqual([false, true, true, false]);
    expect([199, 200, 299, 300].map(isSuccessfulStatus)).toEqual([false, true, true, false]);
    expect([100, 199, 200, 204, 205, 304].map(hasNoContent)).toEqual([true, true, false, true, false, true]);
  });

  it('has the registered phrases', () => {
    expect(reasonPhrase(200)).toBe('OK');
    expect(reasonPhrase(431)).toBe('Request Header Fields Too Large');
    expect(reasonPhrase(299)).toBe('');
  });
});

describe('dates (RFC 9110 section 5.6.7)', () => {
  it('prints IMF-fixdate', () => {
    expect(formatHttpDate(784_111_777_000)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
    expect(formatHttpDate(784_111_777_999.9)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
    expect(formatHttpDate(0)).toBe('Thu, 01 Jan 1970 00:00:00 GMT');
  });
});
