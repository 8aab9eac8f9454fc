import { describe, expect, it } from 'vitest';
import { isRedirectStatus, redirectStep } from '../../../src/client/redirect.ts';
import type { RedirectedRequest } from '../../../src/client/redirect.ts';

const headers = [
  'accept',
  '*/*',
  'authorization',
  'Basic eDp5',
  'cookie',
  'a=b',
  'proxy-authorization',
  'Basic eDp5',
  'content-type',
  'text/plain',
  'content-encoding',
  'gzip',
  'content-language',
  'en',
  'content-location',
  '/x',
  'content-length',
  '3',
  'x-own',
  '1',
];

function request(change: Partial<RedirectedRequest> = {}): RedirectedRequest {
  const url = new URL('https://a.example/dir/page?q#frag');
  return { url, method: 'GET', headers, hasBody: false, replayable: true, ...change };
}

function step(status: number, location: string, change: Partial<RedirectedRequest> = {}) {
  return redirectStep(status, ['location', location], request(change))!;
}

describe('redirects of fetch', () => {
  it('knows the five statuses of the standard', () => {
    const redirects = Array.from({ length: 400 }, (_, index) => index + 100).filter(isRedirectStatus);
    expect(redirects).toEqual([301, 302, 303, 307, 308]);
  });

  const methods: [status: number, before: string, after: string, keepsBody: boolean][] = [
    [301, 'GET', 'GET', true],
    [301, 'HEAD', 'HEAD', true],
    [301, 'POST', 'GET', false],
    [301, 'PUT', 'PUT', true],
    [301, 'DELETE', 'DELETE', true],
    [302, 'POST', 'GET', false],
    [302, 'PATCH', 'PATCH', true],
    [302, 'HEAD', 'HEAD', true],
    [303, 'POST', 'GET', false],
    [303, 'PUT', 'GET', false],
    [303, 'DELETE', 'GET', false],
    [303, 'GET', 'GET', true],
    [303, 'HEAD', 'HEAD', true],
    [307, 'POST', 'POST', true],
    [307, 'PUT', 'PUT', true],
    [308, 'POST', 'POST', true],
    [308, 'GET', 'GET', true],
  ];
  it.each(methods)('%i turns %s into %s (RFC 9110 section 15.4)', (status, before, after, keepsBody) => {
    const next = step(status, '/next', { method: before, hasBody: true });
    expect(next.method).toBe(after);
    expect(next.keepsBody).toBe(keepsBody);
    const dropped = !keepsBody;
    for (const name of ['content-type', 'content-encoding', 'content-language', 'content-location', 'content-length']) {
      expect(next.headers.includes(name)).toBe(!dropped);
    }
    expect(next.headers.includes('x-own')).toBe(true);
  });

  it('refuses to send a body again that cannot be, unless the redirect drops it', () => {
    expect(() => step(307, '/n', { method: 'POST', hasBody: true, replayable: false })).toThrow(/cannot be sent twice/);
    expect(() => step(302, '/n', { method: 'PUT', hasBody: true, replayable: false })).toThrow(/cannot be sent twice/);
    expect(step(303, '/n', { method: 'PUT', hasBody: true, replayable: false }).keepsBody).toBe(false);
    expect(step(302, '/n', { method: 'POST', hasBody: true, replayable: false }).keepsBody).toBe(false);
  });

  it('drops credentials when the origin changes, by scheme, host or port', () => {
    const places: [string, boolean][] = [
      ['/same', false],
      ['https://a.example:443/same', false],
      ['http://a.example/', true],
      ['https://a.example:8443/', true],
      ['https://b.example/', true],
      ['https://sub.a.example/', true],
    ];
    for (const [location, crossOrigin] of places) {
      const next = step(302, location);
      expect(next.crossOrigin).toBe(crossOrigin);
      for (const name of ['authorization', 'cookie', 'proxy-authorization']) {
        expect(next.headers.includes(name)).toBe(!crossOrigin);
      }
    }
  });

  it('notes a step from https to http', () => {
    expect(step(302, 'http://a.example/').downgrade).toBe(true);
    expect(step(302, 'https://b.example/').downgrade).toBe(false);
    expect(step(302, 'https://a.example/', { url: new URL('http://a.example/') }).downgrade).toBe(false);
  });

  it('resolves the location against the URL and hands the fragment on (RFC 9110 section 10.2.2)', () => {
    expect(step(302, 'other?x').url.href).toBe('https://a.example/dir/other?x#frag');
    expect(step(302, '#new').url.href).toBe('https://a.example/dir/page?q#new');
    expect(step(302, '//b.example/x#y').url.href).toBe('https://b.example/x#y');
    expect(step(302, '').url.href).toBe('https://a.example/dir/page?q#frag');
  });

  it('reads a location in UTF-8', () => {
    expect(step(302, Buffer.from('/ü', 'utf8').toString('latin1')).url.pathname).toBe('/%C3%BC');
  });

  it('answers nothing without a location', () => {
    expect(redirectStep(302, ['x', 'y'], request())).toBeUndefined();
  });

  it.each([
    ['https://', /no URL/],
    ['ftp://a.example/', /scheme is ftp:/],
    ['data:text/plain,x', /scheme is data:/],
    ['https://user@b.example/', /user name or password/],
    ['https://u:p@a.example/', /user name or password/],
  ])('refuses %s', (location, message) => {
    expect(() => step(302, location)).toThrow(message);
    expect(() => step(302, location)).toThrow(expect.objectContaining({ code: 'ERR_REDIRECT' }));
  });

  it('refuses several locations that differ', () => {
    expect(() => redirectStep(302, ['location', '/a', 'location', '/b'], request())).toThrow(/several locations/);
    expect(redirectStep(302, ['location', '/a', 'location', '/a'], request())!.url.pathname).toBe('/a');
  });
});
