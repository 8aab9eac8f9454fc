import { describe, expect, it } from 'vitest';
import { chooseCoding } from '../../../src/app/static/accept-encoding.ts';
import { contentTypeOf, isCompressible } from '../../../src/app/static/content-type-table.ts';
import { matchesStrongly, matchesWeakly, parseEntityTags } from '../../../src/app/static/entity-tag.ts';
import { formatHttpDate, parseHttpDate } from '../../../src/app/static/http-date.ts';
import { judgeConditions, rangeIsCurrent } from '../../../src/app/static/preconditions.ts';
import { maxRanges, parseRanges } from '../../../src/app/static/ranges.ts';
import { isServableName, parseStaticPath } from '../../../src/app/static/static-path.ts';

describe('dates (RFC 9110 section 5.6.7)', () => {
  it.each([
    ['Sun, 06 Nov 1994 08:49:37 GMT', 784111777],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 784111777],
    ['Sun Nov  6 08:49:37 1994', 784111777],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
    ['Sunday, 06-Nov-37 08:49:37 GMT', 2141110177],
  ])('%s', (text, seconds) => {
    expect(parseHttpDate(text)).toBe(seconds);
  });

  it.each([
    null,
    '',
    '0',
    'yesterday',
    '1994-11-06T08:49:37Z',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:49:37 GMT',
    'sun, 06 nov 1994 08:49:37 gmt',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
  ])('%s is none', (text) => {
    expect(parseHttpDate(text)).toBeUndefined();
  });

  it('are written in the preferred form', () => {
    expect(formatHttpDate(784111777)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  });
});

describe('entity tags (RFC 9110 section 8.8.3)', () => {
  it('are compared strongly and weakly', () => {
    const list = parseEntityTags('W/"a", "b" ,, "c,d"');
    expect(list).toEqual([
      { weak: true, opaque: '"a"' },
      { weak: false, opaque: '"b"' },
      { weak: false, opaque: '"c,d"' },
    ]);
    expect(matchesStrongly(list, '"a"')).toBe(false);
    expect(matchesWeakly(list, '"a"')).toBe(true);
    expect(matchesStrongly(list, '"c,d"')).toBe(true);
    expect(matchesWeakly(list, '"x"')).toBe(false);
    expect(parseEntityTags(' * ')).toBe('any');
  });

  it.each(['', 'a', '"a', 'W/', 'w/"a"', '"a" "b"', '"a\u0001"', '*, "a"'])('%j holds none that matches', (text) => {
    expect(matchesWeakly(parseEntityTags(text), '"b"')).toBe(false);
  });
});

describe('conditions (RFC 9110 section 13.2.2)', () => {
  const validators = { tag: '"t"', modified: 784111777 };
  const then = 'Sun, 06 Nov 1994 08:49:37 GMT';
  const before = 'Sun, 06 Nov 1994 08:49:36 GMT';

  it.each<[Record<string, string>, 'go-on' | 304 | 412]>([
    [{}, 'go-on'],
    [{ 'if-match': '"t"' }, 'go-on'],
    [{ 'if-match': '*' }, 'go-on'],
    [{ 'if-match': 'W/"t"' }, 412],
    [{ 'if-match': '"other"' }, 412],
    [{ 'if-match': 'nonsense' }, 412],
    // If-Match set: If-Unmodified-Since is not looked at.
    [{ 'if-match': '"t"', 'if-unmodified-since': before }, 'go-on'],
    [{ 'if-unmodified-since': then }, 'go-on'],
    [{ 'if-unmodified-since': before }, 412],
    [{ 'if-unmodified-since': 'nonsense' }, 'go-on'],
    [{ 'if-none-match': '"t"' }, 304],
    [{ 'if-none-match': 'W/"t"' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"other"' }, 'go-on'],
    // If-None-Match set: If-Modified-Since is not looked at.
    [{ 'if-none-match': '"other"', 'if-modified-since': then }, 'go-on'],
    [{ 'if-modified-since': then }, 304],
    [{ 'if-modified-since': before }, 'go-on'],
    [{ 'if-modified-since': 'nonsense' }, 'go-on'],
    // The first group decides before the second.
    [{ 'if-match': '"other"', 'if-none-match': '"t"' }, 412],
    [{ 'if-match': '"t"', 'if-none-match': '"t"' }, 304],
  ])('%o: %s', (fields, verdict) => {
    expect(judgeConditions(new Headers(fields), validators)).toBe(verdict);
  });

  it.each<[string | undefined, boolean]>([
    [undefined, true],
    ['"t"', true],
    ['W/"t"', false],
    ['"other"', false],
    [then, true],
    [before, false],
    ['Sun, 06 Nov 1994 08:49:38 GMT', false],
    ['nonsense', false],
  ])('If-Range %s: %s (section 13.1.5)', (value, current) => {
    expect(rangeIsCurrent(new Headers(value === undefined ? {} : { 'if-range': value }), validators)).toBe(current);
  });
});

describe('ranges (RFC 9110 section 14.1.2)', () => {
  it.each<[string | null, ReturnType<typeof parseRanges>]>([
    [null, 'whole'],
    ['bytes=0-9', [{ start: 0, length: 10 }]],
    ['bytes=90-', [{ start: 90, length: 10 }]],
    ['bytes=-10', [{ start: 90, length: 10 }]],
    ['bytes=-1000', [{ start: 0, length: 100 }]],
    ['bytes=50-1000', [{ start: 50, length: 50 }]],
    ['BYTES=0-0', [{ start: 0, length: 1 }]],
    [
      'bytes=0-9 , ,90-',
      [
        { start: 0, length: 10 },
        { start: 90, length: 10 },
      ],
    ],
    ['bytes=0-9,100-', [{ start: 0, length: 10 }]],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=99999999999999999999-', 'unsatisfiable'],
    ['bytes=0-99999999999999999999', [{ start: 0, length: 100 }]],
    ['bytes=9-0', 'whole'],
    ['bytes=', 'whole'],
    ['bytes=,', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=a-b', 'whole'],
    ['bytes=0x1-2', 'whole'],
    ['bytes=+1-2', 'whole'],
    ['bytes=1 -2', 'whole'],
    ['bytes 0-9', 'whole'],
    ['lines=0-9', 'whole'],
    ['bytes=0-50,50-60', 'whole'],
    ['bytes=0-,0-,0-', 'whole'],
    [
      `bytes=${Array.from({ length: maxRanges + 1 }, (_, index) => `${String(index * 2)}-${String(index * 2)}`).join()}`,
      'whole',
    ],
    [`bytes=${'0-0,'.repeat(5000)}`, 'whole'],
  ])('%s', (text, ranges) => {
    expect(parseRanges(text, 100)).toEqual(ranges);
  });

  it('do not apply to an empty file', () => {
    expect(parseRanges('bytes=0-', 0)).toBe('whole');
  });
});

describe('stored codings (RFC 9110 section 12.5.3)', () => {
  it.each<[string | null, string | undefined]>([
    [null, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, br', 'br'],
    ['gzip;q=1.0, br;q=0.5', 'gzip'],
    ['GZIP;Q=0.5', 'gzip'],
    ['br;q=0, gzip;q=0', undefined],
    ['*', 'br'],
    ['*;q=0', undefined],
    ['br;q=0, *', 'gzip'],
    ['identity, br;q=0.5', undefined],
    ['identity;q=0.5, br;q=0.5', 'br'],
    ['deflate, zstd', undefined],
    ['br;q=nonsense, gzip', 'gzip'],
    ['br;q=2', undefined],
  ])('%s: %s', (field, coding) => {
    expect(chooseCoding(field, ['br', 'gzip'])).toBe(coding);
  });

  it('are chosen among those that are there', () => {
    expect(chooseCoding('br, gzip', ['gzip'])).toBe('gzip');
    expect(chooseCoding<string>('br, gzip', [])).toBeUndefined();
  });
});

describe('paths', () => {
  it.each<[string, readonly string[], boolean]>([
    ['/', [], true],
    ['/a.txt', ['a.txt'], false],
    ['/a/b/', ['a', 'b'], true],
    ['/caf%C3%A9%20(1).html', ['café (1).html'], false],
    ['/a%252Fb', ['a%2Fb'], false],
    ['/a..b/c...d', ['a..b', 'c...d'], false],
    ['/console.log', ['console.log'], false],
  ])('%s', (pathname, names, folder) => {
    expect(parseStaticPath(pathname)).toEqual({ names, folder });
  });

  it.each([
    '',
    'a',
    '//',
    '//server/share',
    '/a//b',
    '/..',
    '/../etc/passwd',
    '/%2e%2e/etc/passwd',
    '/.%2e/x',
    '/a/./b',
    '/.env',
    '/a/.git/config',
    '/%2Egit/config',
    '/a%2fb',
    '/..%2f..%2fetc',
    '/a%5cb',
    '/..%5c..%5cwindows',
    '/a%00.txt',
    '/%',
    '/%zz',
    '/%ff',
    '/%c0%ae%c0%ae/',
    '/c:/windows',
    '/C%3A',
    '/file.txt::$DATA',
    '/file.txt%3A%3A%24DATA',
    '/con',
    '/CON.txt',
    '/aux.html',
    '/nul%20.txt',
    '/lpt1',
    '/COM%C2%B9',
    '/conin$',
    '/PROGRA~1',
    '/index~1.htm',
    '/file.txt.',
    '/file.txt%20',
    '/a%0ab',
    `/${'a/'.repeat(100)}`,
    `/${'a'.repeat(5000)}`,
  ])('%s is none', (pathname) => {
    expect(parseStaticPath(pathname)).toBeUndefined();
  });

  it('name files as every system takes them', () => {
    expect(isServableName('README~')).toBe(true);
    expect(isServableName('jquery-3.7.1.min.js')).toBe(true);
    expect(isServableName('')).toBe(false);
  });
});

describe('media types', () => {
  it.each([
    ['index.html', 'text/html; charset=utf-8'],
    ['A.HTML', 'text/html; charset=utf-8'],
    ['a.b.js', 'text/javascript; charset=utf-8'],
    ['data.json', 'application/json'],
    ['logo.svg', 'image/svg+xml'],
    ['page.unknown', 'application/octet-stream'],
    ['Makefile', 'application/octet-stream'],
    ['constructor', 'application/octet-stream'],
    ['a.constructor', 'application/octet-stream'],
  ])('%s: %s', (name, type) => {
    expect(contentTypeOf(name)).toBe(type);
  });

  it('can be added', () => {
    expect(contentTypeOf('a.foo', { foo: 'text/x-foo' })).toBe('text/x-foo');
  });

  it('say whether compressing is of use', () => {
    expect(['text/css', 'application/json', 'image/svg+xml', 'application/wasm'].every(isCompressible)).toBe(true);
    expect(['image/png', 'video/mp4', 'application/zip', 'font/woff2'].some(isCompressible)).toBe(false);
  });
});
