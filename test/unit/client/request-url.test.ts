import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { originOf } from '../../../src/common/index.ts';
import { RequestUrls } from '../../../src/client/request-url.ts';

const ORIGINS = ['http://a.example', 'https://a.example:8443', 'http://127.0.0.1:4000', 'http://[::1]:99'];

/** What hurts a reader of URLs, beside plain characters. */
const pieces = fc.constantFrom(
  '/',
  '//',
  '?',
  '#',
  '.',
  '..',
  '%',
  '%2e',
  '%2E.',
  '%41',
  '\\',
  '@',
  ':',
  ' ',
  '\t',
  '\n',
  "'",
  '"',
  '<',
  '>',
  '`',
  '{',
  '}',
  '|',
  '^',
  '[',
  ']',
  'a',
  'b.c',
  '.hidden',
  '~',
  '!$&()*+,;=',
  'é',
  '\u{1f600}',
  '\0',
  '\ud800',
  '1',
);

describe('URLs of requests', () => {
  it('are read as the URL standard reads them, whether cut by hand or not', () => {
    let cut = 0;
    fc.assert(
      fc.property(fc.constantFrom(...ORIGINS), fc.array(pieces, { maxLength: 8 }), (origin, parts) => {
        const text = origin + parts.join('');
        let expected: URL;
        try {
          expected = new URL(text);
        } catch {
          return;
        }
        if (expected.username !== '' || expected.password !== '') return;
        const urls = new RequestUrls();
        urls.read(origin);
        if (urls.cut(text) !== undefined) cut += 1;
        const read = urls.read(text);
        expect(read.path).toBe(expected.pathname + expected.search);
        expect(read.host).toBe(expected.host);
        expect(read.origin).toEqual(originOf(expected));
        expect(read.url.href).toBe(expected.href);
        expect(read.hrefWithoutHash).toBe(expected.href.replace(/#.*$/s, ''));
      }),
      { numRuns: 3000 },
    );
    // The property would say nothing if none were.
    expect(cut).toBeGreaterThan(50);
  });

  it('are cut by hand only behind the origin of the one before', () => {
    const urls = new RequestUrls();
    expect(urls.cut('http://a.example/')).toBeUndefined();
    urls.read('http://a.example/x');
    expect(urls.cut('http://a.example/y?z=1')?.path).toBe('/y?z=1');
    expect(urls.cut('http://a.example')?.path).toBe('/');
    for (const other of ['http://a.example.org/', 'http://a.example:81/', 'http://a.example@b/', 'http://a.exampl/']) {
      expect(urls.cut(other)).toBeUndefined();
    }
  });

  it('have one Origin object while the origin stays the same', () => {
    const urls = new RequestUrls();
    const first = urls.read('http://a.example/x');
    expect(urls.read('http://a.example/é').origin).toBe(first.origin);
    expect(urls.read(new URL('http://a.example/y')).origin).toBe(first.origin);
    expect(urls.read('http://b.example/').origin).not.toBe(first.origin);
  });

  it('keep the URL that was given', () => {
    const url = new URL('http://a.example/x#f');
    expect(new RequestUrls().read(url).url).toBe(url);
  });

  it.each([
    ['nowhere', 'ERR_URL'],
    ['ftp://a.example/', 'ERR_URL'],
    ['http://user@a.example/', 'ERR_URL_CREDENTIALS'],
    ['http://:secret@a.example/', 'ERR_URL_CREDENTIALS'],
  ])('refuses %s', (url, code) => {
    expect(() => new RequestUrls().read(url)).toThrow(expect.objectContaining({ code }));
  });
});
