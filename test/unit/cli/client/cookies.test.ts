/**
 * Cookies: RFC 6265 by the http-state suite, and the file that curl writes and reads.
 */
import { describe, expect, it } from 'vitest';
import { parseCookieDate, parseSetCookie } from '../../../../cli/client/cookie.ts';
import { formatCookieFile, parseCookieFile } from '../../../../cli/client/cookie-file.ts';
import { CookieJar } from '../../../../cli/client/cookie-jar.ts';
import { read } from '../../../support/repository.ts';

interface Case {
  readonly test: string;
  readonly received: readonly string[];
  readonly sent: readonly { readonly name: string; readonly value: string }[];
  readonly 'sent-to'?: string;
}

const NOW = Date.UTC(2026, 0, 1);
const folder = 'test/vectors/http-state-cookies';
const cases = JSON.parse(read(`${folder}/parser.json`)) as Case[];

describe('the http-state suite (RFC 6265 section 5)', () => {
  it.each(cases.filter(({ test }) => !test.startsWith('DISABLED_')))('$test', ({ test, received, sent, ...rest }) => {
    const jar = new CookieJar(() => NOW);
    jar.receive(received, new URL(`http://home.example.org/cookie-parser?${test.toLowerCase()}`));
    const to = rest['sent-to'] ?? `/cookie-parser-result?${test.toLowerCase()}`;
    const field = jar.fieldFor(new URL(to, 'http://home.example.org/'));
    const expected = sent.map(({ name, value }) => `${name}=${value}`).join('; ');
    // The suite's texts are UTF-8, the jar's octets.
    expect(field ?? '').toBe(expected);
  });

  it.each(['examples', 'bsd-examples'])('dates: %s (section 5.1.1)', (name) => {
    const dates = JSON.parse(read(`${folder}/dates/${name}.json`)) as { test: string; expected: string | null }[];
    for (const { test, expected } of dates) {
      const found = parseCookieDate(test);
      expect(found === undefined ? null : new Date(found).toUTCString(), test).toBe(expected);
    }
  });
});

describe('Set-Cookie', () => {
  const from = (field: string, url = 'https://www.example.com/a/b'): ReturnType<typeof parseSetCookie> =>
    parseSetCookie(field, new URL(url), NOW);

  it.each([
    ['a=b; Domain=com', 'a domain without a dot'],
    ['a=b; Domain=other.example', 'of another host'],
    ['a=b; Domain=below.www.example.com', 'of a host below'],
    ['__Host-a=b; Secure; Path=/; Domain=example.com', '__Host- with a domain'],
    ['__Host-a=b; Secure; Path=/x', '__Host- with a path'],
    ['__Secure-a=b', '__Secure- without Secure'],
    [`a=${'x'.repeat(4096)}`, 'too long'],
    ['a=b\x01', 'a control character'],
    ['=b', 'no name'],
  ])('%j is refused: %s', (field) => {
    expect(from(field)).toBeUndefined();
  });

  it('Secure is for https and for this machine alone', () => {
    expect(from('a=b; Secure', 'http://example.com/')).toBeUndefined();
    expect(from('a=b; Secure', 'http://localhost/')).toMatchObject({ secure: true });
    expect(from('a=b; Secure')).toMatchObject({ secure: true, hostOnly: true, domain: 'www.example.com', path: '/a' });
  });

  it('of an address is for that address', () => {
    expect(from('a=b; Domain=0.0.1', 'http://127.0.0.1/')).toBeUndefined();
    expect(from('a=b; Domain=127.0.0.1', 'http://127.0.0.1/')).toMatchObject({ domain: '127.0.0.1' });
  });

  it('is read in linear time', () => {
    const blanks = ' \t'.repeat(200_000);
    expect(from(`a${blanks}=${blanks}b;${blanks}Path=/${blanks}`)).toMatchObject({ name: 'a', value: 'b', path: '/' });
    expect(from(`a=b; Expires=${'1 '.repeat(200_000)}`)).toMatchObject({ expires: undefined });
  });
});

describe('the jar', () => {
  it('keeps a bounded number, of which the oldest give way', () => {
    const jar = new CookieJar(() => NOW);
    const url = new URL('https://example.com/');
    jar.receive(
      Array.from({ length: 5_000 }, (_, index) => `n${index}=v`),
      url,
    );
    expect(jar.all()).toHaveLength(3_000);
    expect(jar.all()[0]?.name).toBe('n2000');
    expect(jar.fieldFor(url)?.length).toBeLessThanOrEqual(8_190);
  });

  it('forgets what has expired, also what expires meanwhile', () => {
    let now = NOW;
    const jar = new CookieJar(() => now);
    const url = new URL('https://example.com/');
    jar.receive(['a=1; Max-Age=10', 'b=2', 'c=3'], url);
    jar.receive(['c=; Max-Age=0'], url);
    expect(jar.fieldFor(url)).toBe('a=1; b=2');
    now += 10_001;
    expect(jar.fieldFor(url)).toBe('b=2');
  });

  it('sends Secure ones over https only', () => {
    const jar = new CookieJar(() => NOW);
    jar.receive(['a=1; Secure', 'b=2'], new URL('https://example.com/'));
    expect(jar.fieldFor(new URL('http://example.com/'))).toBe('b=2');
    expect(jar.fieldFor(new URL('https://example.com/'))).toBe('a=1; b=2');
  });
});

describe('the file of cookies', () => {
  const text = [
    '# Netscape HTTP Cookie File',
    '',
    'www.example.com\tFALSE\t/a\tFALSE\t0\tsession\tv=1',
    '#HttpOnly_.example.com\tTRUE\t/\tTRUE\t1900000000\tkept\tv 2',
    'example.com\tFALSE\t/\tFALSE\t0\tempty',
    'a line that is none',
    'example.com\tFALSE\t/\tFALSE\tsoon\tbad\tv',
  ].join('\n');

  it('is read, and what is no cookie passed over', () => {
    expect(parseCookieFile(text)).toEqual([
      {
        name: 'session',
        value: 'v=1',
        domain: 'www.example.com',
        hostOnly: true,
        path: '/a',
        secure: false,
        httpOnly: false,
        expires: undefined,
      },
      {
        name: 'kept',
        value: 'v 2',
        domain: 'example.com',
        hostOnly: false,
        path: '/',
        secure: true,
        httpOnly: true,
        expires: 1_900_000_000_000,
      },
      expect.objectContaining({ name: 'empty', value: '' }),
    ]);
  });

  it('comes back as it was written', () => {
    const cookies = parseCookieFile(text);
    expect(parseCookieFile(formatCookieFile(cookies))).toEqual(cookies);
  });
});
