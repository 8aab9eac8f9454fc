import { describe, expect, it } from 'vitest';
import { resolveLimits } from '../../../src/common/index.ts';
import type { ClientRequest } from '../../../src/client/client-request.ts';
import { clientTimeouts } from '../../../src/client/limits.ts';
import { prepareRequest, withoutExpectation } from '../../../src/client/prepared-request.ts';
import type { PreparedRequest } from '../../../src/client/prepared-request.ts';
import { RequestUrls } from '../../../src/client/request-url.ts';
import { countingRandom } from './fake-transport.ts';

function prepare(request: Partial<ClientRequest>): PreparedRequest {
  return prepareRequest(
    { url: 'http://a.example/p?q#f', ...request },
    {
      random: countingRandom,
      urls: new RequestUrls(),
      userAgent: undefined,
      plainFields: [],
      retry: true,
      timeoutsOf: (overrides) => resolveLimits('client', clientTimeouts, overrides),
    },
  );
}

async function* pieces(): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
}

describe('a request made ready', () => {
  it('takes the URL apart; the fragment stays here', () => {
    const { head, origin } = prepare({});
    expect(head).toEqual({
      method: 'GET',
      scheme: 'http',
      authority: 'a.example',
      path: '/p?q',
      protocol: undefined,
      upgrade: undefined,
      headers: [],
      rawNames: undefined,
      endStream: true,
    });
    expect(origin).toEqual({ scheme: 'http', host: 'a.example', port: 80 });
    expect(prepare({ url: 'https://[::1]:8443' }).head.authority).toBe('[::1]:8443');
    expect(prepare({ url: 'https://[::1]:8443' }).origin).toEqual({ scheme: 'https', host: '::1', port: 8443 });
  });

  it('takes headers in every form, keeping order, repetition and spelling', () => {
    const list = ['x-a', '1', 'x-a', '2'];
    expect(prepare({ headers: list }).head.headers).toEqual(list);
    expect(
      prepare({
        headers: [
          ['x-a', '1'],
          ['x-a', '2'],
        ],
      }).head.headers,
    ).toEqual(list);
    expect(prepare({ headers: { 'x-a': ['1', '2'], 'x-b': undefined, 'x-n': 3 } }).head.headers).toEqual([
      ...list,
      'x-n',
      '3',
    ]);
    expect(prepare({ headers: new Headers([['X-A', '1']]) }).head.headers).toEqual(['x-a', '1']);
    expect(prepare({ headers: [] }).head.headers).toEqual([]);
    const spelled = prepare({ headers: { 'X-A': '1', 'x-b': '2' } }).head;
    expect([spelled.headers, spelled.rawNames]).toEqual([
      ['x-a', '1', 'x-b', '2'],
      ['X-A', 'x-b'],
    ]);
    expect(() => prepare({ headers: ['odd'] })).toThrow(/a value for every name/);
    expect(() => prepare({ headers: { 'x-a': [1 as unknown as string] } })).toThrow(/must be a string/);
  });

  it('lets Host or authority name another authority, once (RFC 9110 section 7.2)', () => {
    const { head } = prepare({ headers: { Host: 'b.example', 'X-A': '1' } });
    expect([head.authority, head.headers, head.rawNames]).toEqual(['b.example', ['x-a', '1'], ['X-A']]);
    expect(prepare({ authority: 'c.example' }).head.authority).toBe('c.example');
    expect(prepare({ method: 'OPTIONS', target: '*' }).head.path).toBe('*');
  });

  it.each(['Connection', 'Keep-Alive', 'Proxy-Connection', 'Transfer-Encoding', 'Upgrade', ':path'])(
    'refuses %s (RFC 9110 section 7.6.1)',
    (name) => {
      expect(() => prepare({ headers: { [name]: 'x' } })).toThrow(expect.objectContaining({ code: 'ERR_HEADERS' }));
    },
  );

  it('takes Connection: keep-alive for granted', () => {
    expect(prepare({ headers: { Connection: 'Keep-Alive', 'x-a': '1' } }).head.headers).toEqual(['x-a', '1']);
  });

  it.each([
    ['/relative', 'ERR_URL'],
    ['ftp://a.example/', 'ERR_URL'],
    ['data:,x', 'ERR_URL'],
    ['http://u@a.example/', 'ERR_URL_CREDENTIALS'],
    ['http://:p@a.example/', 'ERR_URL_CREDENTIALS'],
  ])('refuses %s', (url, code) => {
    expect(() => prepare({ url })).toThrow(expect.objectContaining({ code }));
  });

  it('sends Basic credentials in UTF-8 (RFC 7617)', () => {
    const { head } = prepare({ auth: { username: 'tëst', password: 'p:w' } });
    expect(head.headers).toEqual(['authorization', `Basic ${Buffer.from('tëst:p:w').toString('base64')}`]);
    expect(() => prepare({ auth: { username: 'a:b', password: '' } })).toThrow(/colon/);
    expect(() => prepare({ auth: { username: 'a', password: '' }, headers: { authorization: 'x' } })).toThrow(
      /not both/,
    );
  });

  describe('content-length (RFC 9110 section 8.6)', () => {
    const cases: [string, Partial<ClientRequest>, string | undefined, boolean][] = [
      ['none for GET without body', {}, undefined, true],
      ['0 for POST without body', { method: 'POST' }, '0', true],
      ['0 for PUT with an empty body', { method: 'PUT', body: '' }, '0', true],
      ['0 for GET with an empty body', { body: '' }, '0', true],
      ['none for DELETE without body', { method: 'DELETE' }, undefined, true],
      ['the length of a known body', { method: 'POST', body: 'abc' }, '3', false],
      ['none for a stream', { method: 'POST', body: pieces() }, undefined, false],
      [
        'what the user says of a stream',
        { method: 'POST', body: pieces(), headers: { 'content-length': '9' } },
        '9',
        false,
      ],
      ['none with trailers', { method: 'POST', body: 'abc', trailers: { 'x-t': '1' } }, undefined, false],
      ['none with trailers alone', { method: 'POST', trailers: { 'x-t': '1' } }, undefined, false],
    ];
    it.each(cases)('%s', (_name, request, length, endStream) => {
      const { head } = prepare(request);
      const at = head.headers.indexOf('content-length');
      expect(at < 0 ? undefined : head.headers[at + 1]).toBe(length);
      expect(head.endStream).toBe(endStream);
    });

    it.each([
      ['differs from the body', { body: 'abc', headers: { 'content-length': '4' } }],
      ['without a body', { headers: { 'content-length': '4' } }],
      ['is no number', { body: 'abc', headers: { 'content-length': '+3' } }],
      ['stands twice', { body: 'abc', headers: { 'content-length': ['3', '3'] } }],
      ['stands beside trailers', { body: 'abc', headers: { 'content-length': '3' }, trailers: { 'x-t': '1' } }],
    ])('is refused when it %s', (_name, request) => {
      expect(() => prepare({ method: 'POST', ...request })).toThrow(
        expect.objectContaining({ code: 'ERR_CONTENT_LENGTH' }),
      );
    });
  });

  it('announces trailers that are known before (RFC 9110 section 6.6.2)', () => {
    const { head } = prepare({
      method: 'POST',
      body: 'a',
      trailers: { 'X-Sum': '1', 'X-More': '2' },
      headers: { a: 'b' },
    });
    expect(head.headers.slice(-2)).toEqual(['trailer', 'X-Sum, X-More']);
    expect(prepare({ method: 'POST', body: 'a', trailers: () => ({}) }).head.headers).not.toContain('trailer');
  });

  it('expects 100-continue when asked by option or field, and only with content (RFC 9110 section 10.1.1)', () => {
    expect(prepare({ method: 'POST', body: 'a', expectContinue: true }).expectContinue).toBe(true);
    expect(prepare({ method: 'POST', body: 'a', headers: { Expect: '100-Continue' } }).expectContinue).toBe(true);
    for (const body of [undefined, '']) {
      const prepared = prepare({ method: 'POST', body, headers: { Expect: '100-continue' } });
      expect(prepared.expectContinue).toBe(false);
      expect(prepared.head.headers).not.toContain('expect');
    }
    expect(() => prepare({ method: 'POST', body: 'a', headers: { Expect: 'tea' } })).toThrow(
      expect.objectContaining({ code: 'ERR_EXPECT' }),
    );
  });

  it('drops the expectation for a second try', () => {
    const before = prepare({ method: 'POST', body: 'a', expectContinue: true, headers: { 'X-A': '1' } });
    const after = withoutExpectation(before);
    expect(after.expectContinue).toBe(false);
    expect(after.head.headers).not.toContain('expect');
    expect(after.head.rawNames?.[0]).toBe('X-A');
    expect(after.head.rawNames?.length).toBe(after.head.headers.length / 2);
    expect(before.head.headers).toContain('expect');
  });

  it('makes CONNECT and Upgrade tunnels whose end is open (RFC 9110 sections 7.8 and 9.3.6)', () => {
    const connect = prepare({ method: 'CONNECT', authority: 'db:5432', body: pieces() });
    expect(connect.head).toMatchObject({ scheme: '', path: '', authority: 'db:5432', endStream: false });
    expect(connect.tunnel).toBe(true);
    expect(() => prepare({ method: 'CONNECT' })).toThrow(expect.objectContaining({ code: 'ERR_AUTHORITY' }));
    const extended = prepare({ method: 'CONNECT', protocol: 'websocket' });
    expect(extended.head).toMatchObject({ scheme: 'http', path: '/p?q', protocol: 'websocket', endStream: false });
    const upgrade = prepare({ upgrade: 'websocket' });
    expect(upgrade.tunnel).toBe(true);
    expect(upgrade.idempotent).toBe(false);
  });

  it('refuses content for TRACE (RFC 9110 section 9.3.8)', () => {
    expect(() => prepare({ method: 'TRACE', body: 'x' })).toThrow(
      expect.objectContaining({ code: 'ERR_REQUEST_BODY' }),
    );
  });
});
