import { describe, expect, it } from 'vitest';
import { LimitError, RemoteProtocolError } from '../../../../src/common/index.ts';
import type { SectionKind } from '../../../../src/protocols/http1/field-section.ts';
import { FieldSection } from '../../../../src/protocols/http1/field-section.ts';
import { UNDECLARED } from '../../../../src/protocols/semantics/index.ts';

function parse(lines: string, kind: SectionKind = 'request'): FieldSection {
  const section = new FieldSection();
  section.begin([], []);
  section.parse(lines, 0, kind, 100);
  return section;
}

describe('field lines (RFC 9112 section 5)', () => {
  it('gives lowercase names, their spelling, and values without the whitespace around them', () => {
    const section = parse('Accept: */*\r\nX-Foo:bar\r\nx-foo:\t a\t b \t\r\nEmpty:\r\nBlank:  \t\r\n');
    expect(section.headers).toEqual(['accept', '*/*', 'x-foo', 'bar', 'x-foo', 'a\t b', 'empty', '', 'blank', '']);
    expect(section.rawNames).toEqual(['Accept', 'X-Foo', 'x-foo', 'Empty', 'Blank']);
  });

  it('keeps obs-text as latin1 (RFC 9110 section 5.5)', () => {
    expect(parse('x: \u0080\u00ff\r\n').headers).toEqual(['x', '\u0080\u00ff']);
  });

  it.each([
    ['x : y\r\n', /whitespace between/],
    ['x\t: y\r\n', /whitespace between/],
    [' x: y\r\n', /begins with whitespace/],
    ['x: y\r\n z\r\n', /begins with whitespace/],
    ['x: y\r\n\tz: w\r\n', /begins with whitespace/],
    [': y\r\n', /without a name/],
    ['x\r\n', /field name/],
    ['x y: z\r\n', /whitespace between/],
    ['x;y: z\r\n', /field name/],
    ['x\u0000: z\r\n', /field name/],
    ['xé: z\r\n', /field name/],
    ['"x": z\r\n', /field name/],
    ['x: a\u0000b\r\n', /field value/],
    ['x: a\u001bb\r\n', /field value/],
    ['x: a\u007fb\r\n', /field value/],
    ['x: a\rb\r\n', /field value/],
    ['x: a\nb: c\r\n', /field value/],
    ['x: a\r\r\n', /field value/],
  ])('refuses %j (sections 2.2, 5.1, 5.2)', (lines, sentence) => {
    expect(() => parse(lines)).toThrow(RemoteProtocolError);
    expect(() => parse(lines)).toThrow(sentence);
  });

  it('counts lines', () => {
    const section = new FieldSection();
    section.begin([], []);
    const lines = 'a: b\r\n'.repeat(101);
    expect(() => section.parse(lines, 0, 'request', 100)).toThrow(LimitError);
  });
});

describe('what concerns the connection', () => {
  it('never reaches the list (RFC 9110 section 7.6.1)', () => {
    const section = parse(
      'Connection: close, X-Hop\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nX-Hop: 1\r\nX-End: 2\r\n' +
        'Transfer-Encoding: chunked\r\nUpgrade: websocket, h2c\r\nUpgrade: foo/1\r\n',
    );
    expect(section.headers).toEqual(['x-end', '2']);
    expect(section.rawNames).toEqual(['X-End']);
    expect(section.connection.close).toBe(true);
    expect(section.keepAlive).toBe('timeout=5');
    expect(section.transferEncoding).toBe('chunked');
    expect(section.upgrade).toEqual(['websocket', 'h2c', 'foo/1']);
  });

  it.each(['host', 'Content-Length', 'transfer-encoding'])(
    'refuses Connection: %s, which would reframe or reroute',
    (name) => {
      expect(() => parse(`Connection: ${name}\r\n`)).toThrow(/Connection names/);
    },
  );

  it('refuses an option that is no token', () => {
    expect(() => parse('Connection: a b\r\n')).toThrow(/no token/);
    expect(() => parse('Connection: "close"\r\n')).toThrow(/no token/);
  });

  it('reads options whatever their case, and over several lines', () => {
    const { connection } = parse('Connection: , CLOSE ,\r\nconnection: Upgrade\r\n');
    expect([connection.close, connection.upgrade, connection.keepAlive]).toEqual([true, true, false]);
    expect(parse('Connection: Keep-Alive\r\n').connection.keepAlive).toBe(true);
    expect(parse('Connection: keep-alive\r\n').connection.keepAlive).toBe(true);
  });

  it('keeps of TE only trailers (RFC 9110 section 10.1.4)', () => {
    expect(parse('TE: trailers\r\nConnection: TE\r\n').headers).toEqual(['te', 'trailers']);
    expect(parse('Te: gzip, Trailers;q=1\r\n').headers).toEqual([]);
    expect(parse('TE: gzip , TRAILERS\r\n').headers).toEqual(['te', 'trailers']);
    expect(parse('te: deflate\r\n').headers).toEqual([]);
  });

  it('takes Host off a request only, and one of it (RFC 9112 section 3.2)', () => {
    const section = parse('hOsT: a\r\n');
    expect([section.host, section.hostName, section.headers]).toEqual(['a', 'hOsT', []]);
    expect(parse('Host: a\r\n', 'response').headers).toEqual(['host', 'a']);
    expect(() => parse('Host: a\r\nHost: a\r\n')).toThrow(/more than one Host/);
  });

  it('reads Content-Length once (RFC 9112 section 6.3, CVE-2026-1525)', () => {
    expect(parse('Content-Length: 5\r\n').contentLength).toBe(5);
    expect(parse('Content-Length: 5\r\n').headers).toEqual(['content-length', '5']);
    expect(parse('x: y\r\n').contentLength).toBe(UNDECLARED);
    expect(() => parse('Content-Length: 5\r\nContent-Length: 5\r\n')).toThrow(/more than one/);
    for (const value of ['', '5, 5', '+5', '-1', '0x5', '5 5', '1e3', '٥']) {
      expect(() => parse(`Content-Length: ${value}\r\n`), value).toThrow(RemoteProtocolError);
    }
    expect(() => parse(`Content-Length: ${'9'.repeat(30)}\r\n`)).toThrow(expect.objectContaining({ statusHint: 400 }));
  });

  it('joins several lines of Transfer-Encoding and Expect, so that none hides', () => {
    const section = parse(
      'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\nExpect: 100-Continue\r\nExpect: x\r\n',
    );
    expect(section.transferEncoding).toBe('gzip, chunked');
    expect(section.expect).toBe('100-continue, x');
  });

  it('forgets the section before', () => {
    const section = parse(
      'Connection: close, x\r\nHost: a\r\nContent-Length: 1\r\nUpgrade: y\r\nTransfer-Encoding: z\r\nKeep-Alive: 1\r\nExpect: q\r\n',
    );
    section.begin([], []);
    section.parse('a: b\r\n', 0, 'request', 1);
    expect(section).toMatchObject({
      headers: ['a', 'b'],
      rawNames: ['a'],
      contentLength: UNDECLARED,
      transferEncoding: undefined,
      upgrade: [],
      host: undefined,
      expect: undefined,
      keepAlive: undefined,
    });
    expect(section.connection).toMatchObject({ close: false, keepAlive: false, upgrade: false, named: undefined });
  });
});
