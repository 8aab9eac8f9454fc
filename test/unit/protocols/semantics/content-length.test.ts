import { describe, expect, it } from 'vitest';
import {
  CONTENT_LENGTH_MALFORMED,
  CONTENT_LENGTH_TOO_LARGE,
  ContentLedger,
  parseContentLength,
  UNDECLARED,
} from '../../../../src/protocols/semantics/index.ts';

describe('Content-Length (RFC 9110 section 8.6)', () => {
  it.each([
    ['0', 0],
    ['5', 5],
    ['0005', 5],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('reads %j', (text, value) => {
    expect(parseContentLength(text)).toBe(value);
  });

  it.each(['', '+5', '-5', '5,5', '5, 5', '0x5', '5e1', '5.0', ' 5', '5 ', '٥', 'five', '5\u0000'])(
    'refuses %j (CVE-2023-38697)',
    (text) => {
      expect(parseContentLength(text)).toBe(CONTENT_LENGTH_MALFORMED);
    },
  );

  it('tells what is too large from what is malformed', () => {
    expect(parseContentLength('9007199254740992')).toBe(CONTENT_LENGTH_TOO_LARGE);
    expect(parseContentLength('9'.repeat(400))).toBe(CONTENT_LENGTH_TOO_LARGE);
    expect(parseContentLength(`${'9'.repeat(400)}x`)).toBe(CONTENT_LENGTH_MALFORMED);
  });
});

describe('the ledger', () => {
  it('holds a message to what it declared', () => {
    const ledger = new ContentLedger();
    ledger.begin(10);
    expect(ledger.count(4)).toBe(true);
    expect(ledger.balanced).toBe(false);
    expect(ledger.remaining).toBe(6);
    expect(ledger.count(7)).toBe(false);
    expect(ledger.counted).toBe(4);
    expect(ledger.count(6)).toBe(true);
    expect(ledger.balanced).toBe(true);
    expect(ledger.declared).toBe(10);
  });

  it('lets a message without a declaration go on', () => {
    const ledger = new ContentLedger();
    ledger.begin(UNDECLARED);
    expect(ledger.count(1e9)).toBe(true);
    expect(ledger.remaining).toBe(Infinity);
    expect(ledger.balanced).toBe(true);
    ledger.begin(0);
    expect(ledger.balanced).toBe(true);
    expect(ledger.count(1)).toBe(false);
  });
});
