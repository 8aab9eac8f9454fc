import { describe, expect, it } from 'vitest';
import { http1ServerLimits } from '../../../../src/protocols/http1/index.ts';
import { serverSide } from '../../../support/http1-sides.ts';

const limits = { maxMethodBytes: 8, maxRequestLineBytes: 32, maxHeaderBytes: 64, maxHeaderCount: 3 };

/** The status of the refusal of a head that comes in these pieces; whether it came before the head was complete. */
function refusal(pieces: readonly string[]): string {
  const side = serverSide({ limits });
  for (const piece of pieces) {
    side.receive(piece);
    const sent = side.sent();
    if (sent !== '') return sent.slice(9, 12);
  }
  return 'none';
}

const LINE = 'GET / HTTP/1.1\r\n';
const long = 'x'.repeat(70);
const many = 'A: 1\r\n'.repeat(5);

// RFC 9112 leaves the choice of the status open where there are several faults, but not to how TCP cuts the bytes.
const heads: readonly [why: string, head: string, status: string][] = [
  ['a version and a control octet in a field', 'GET / HTTP/2.0\r\nHost: a\x01\r\n\r\n', '505'],
  ['a version and a bare LF', 'GET / HTTP/3.0\r\nHost: a\n\r\n\r\n', '505'],
  ['a version and no Host', 'GET / HTTP/0.9\r\n\r\n', '505'],
  ['a version and too large fields', `GET / HTTP/2.0\r\nA: ${long}\r\n\r\n`, '505'],
  ['a version and what follows it', 'GET / HTTP/2.0 \r\nHost: a\r\n\r\n', '400'],
  ['a version and a control octet behind it', 'GET / HTTP/2.0\x01\r\nHost: a\r\n\r\n', '400'],
  ['a long method and a control octet behind it', 'PROPFINDER\x01 / HTTP/1.1\r\nHost: a\r\n\r\n', '501'],
  ['a control octet before the method is too long', 'PROP\x01FINDER / HTTP/1.1\r\nHost: a\r\n\r\n', '400'],
  ['a long method and a version', 'PROPFINDER / HTTP/2.0\r\nHost: a\r\n\r\n', '501'],
  ['a long target and a version', `GET /${long} HTTP/2.0\r\nHost: a\r\n\r\n`, '414'],
  ['a long target and a bare CR in it', `GET /${long}\r${long} HTTP/1.1\r\nHost: a\r\n\r\n`, '414'],
  ['a bare CR before the target is too long', `GET /a\r${long} HTTP/1.1\r\nHost: a\r\n\r\n`, '400'],
  ['a long target and a field line without a name', `GET /${long} HTTP/1.1\r\n: a\r\n\r\n`, '414'],
  ['two spaces and a version', 'GET  / HTTP/2.0\r\nHost: a\r\n\r\n', '400'],
  ['nothing but octets of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', '400'],
  ['too large fields behind a control octet', `${LINE}A: \x01\r\nB: ${long}\r\n\r\n`, '400'],
  ['a control octet behind too large fields', `${LINE}A: ${long}\r\nB: \x01\r\n\r\n`, '431'],
  ['a control octet as the last that fits', `${LINE}A: ${'x'.repeat(58)}\x01\r\n${long}\r\n\r\n`, '400'],
  ['a control octet as the first that does not fit', `${LINE}A: ${'x'.repeat(63)}\x01\r\n${long}\r\n\r\n`, '431'],
  ['too many fields before a control octet', `${LINE}${many}B: \x01\r\n\r\n`, '400'],
  ['too many fields before a bare LF', `${LINE}${many}B: \n\r\n\r\n`, '400'],
  ['too many fields and no Host', `${LINE}${many}\r\n`, '431'],
  ['too many fields, which are also too large', `${LINE}${many}B: ${long}\r\n\r\n`, '431'],
  ['an expectation and a control octet', `${LINE}Host: a\r\nExpect: b\r\nC: \x01\r\n\r\n`, '400'],
  ['an expectation and no number for a length', `${LINE}Host: a\r\nExpect: b\r\nContent-Length: c\r\n\r\n`, '400'],
  ['a coding and an expectation', `${LINE}Host: a\r\nTransfer-Encoding: gzip, chunked\r\nExpect: b\r\n\r\n`, '501'],
];

describe('a head with two faults', () => {
  it('is one that the limits of these tests make so', () => {
    expect(Object.keys(limits).filter((name) => !(name in http1ServerLimits))).toEqual([]);
    expect(refusal([`${LINE}Host: a\r\nA: ${'x'.repeat(49)}\r\n\r\n`])).toBe('none');
  });

  it.each(heads)('is refused alike wherever it is cut: %s', (_why, head, status) => {
    const seen = new Map<string, string>();
    const note = (cut: string, pieces: readonly string[]): void => {
      const answered = refusal(pieces);
      if (!seen.has(answered)) seen.set(answered, cut);
    };
    note('whole', [head]);
    note('octet by octet', Array.from(head));
    for (let at = 1; at < head.length; at += 1) {
      note(`at ${String(at)}`, [head.slice(0, at), head.slice(at)]);
      note(`octet by octet up to ${String(at)}`, [...Array.from(head.slice(0, at)), head.slice(at)]);
      note(`octet by octet from ${String(at)}`, [head.slice(0, at), ...Array.from(head.slice(at))]);
    }
    expect([...seen.keys()], JSON.stringify([...seen])).toEqual([status]);
  });
});
