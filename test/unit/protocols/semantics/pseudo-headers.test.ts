import { describe, expect, it } from 'vitest';
import { readRequestHead, readResponseHead, UNDECLARED } from '../../../../src/protocols/semantics/index.ts';

const GET = [':method', 'GET', ':scheme', 'https', ':authority', 'example.com', ':path', '/'];

function problem(headers: readonly string[]): string {
  const head = readRequestHead(headers);
  return typeof head === 'string' ? head : '';
}

describe('requests (RFC 9113 section 8.3.1)', () => {
  it('reads the pseudo-header fields in any order', () => {
    expect(
      readRequestHead([':path', '/a?b', ':method', 'PUT', ':authority', 'a:1', ':scheme', 'http', 'x', 'y']),
    ).toEqual({
      method: 'PUT',
      scheme: 'http',
      authority: 'a:1',
      path: '/a?b',
      protocol: undefined,
      contentLength: UNDECLARED,
      fieldsStart: 8,
    });
  });

  it('takes Host for the authority, and only an equal one beside it', () => {
    const bare = [':method', 'GET', ':scheme', 'https', ':path', '/'];
    expect(readRequestHead([...bare, 'host', 'a'])).toMatchObject({ authority: 'a' });
    expect(readRequestHead([...GET, 'host', 'example.com'])).toMatchObject({ authority: 'example.com' });
    expect(problem([...GET, 'host', 'example.org'])).toMatch(/differs/);
    expect(problem([...bare, 'host', 'a', 'host', 'a'])).toMatch(/twice/);
    expect(problem([...bare, 'host', 'a b'])).toMatch(/no host/);
  });

  it('reads content-length', () => {
    expect(readRequestHead([...GET, 'content-length', '5'])).toMatchObject({ contentLength: 5 });
    expect(problem([...GET, 'content-length', '5', 'content-length', '5'])).toMatch(/twice/);
    expect(problem([...GET, 'content-length', '+5'])).toMatch(/decimal/);
    expect(problem([...GET, 'content-length', '9007199254740992'])).toMatch(/decimal/);
  });

  it.each([
    [[':method', 'GET', ':method', 'GET', ':scheme', 'https', ':path', '/'], /twice/],
    [[':method', 'GET', ':scheme', 'https', ':path', '/', ':path', '/'], /twice/],
    [[':method', 'GET', ':scheme', 'https', ':path', '/', ':status', '200'], /no pseudo-header/],
    [[':method', 'GET', ':scheme', 'https', ':path', '/', ':foo', 'x'], /no pseudo-header/],
    [[':method', 'GET', ':scheme', 'https', 'x', 'y', ':path', '/'], /behind a field/],
    [[':scheme', 'https', ':path', '/'], /:method is missing/],
    [[':method', 'GET', ':path', '/'], /:scheme is missing/],
    [[':method', 'GET', ':scheme', 'https'], /:path is missing/],
    [[':method', 'G T', ':scheme', 'https', ':path', '/'], /no method/],
    [[':method', '', ':scheme', 'https', ':path', '/'], /no method/],
    [[':method', 'GET', ':scheme', 'h s', ':path', '/'], /no scheme/],
    [[':method', 'GET', ':scheme', 'https', ':path', ''], /no absolute path/],
    [[':method', 'GET', ':scheme', 'https', ':path', 'a'], /no absolute path/],
    [[':method', 'GET', ':scheme', 'https', ':path', '/a b'], /no absolute path/],
    [[':method', 'GET', ':scheme', 'https', ':path', '/\r\nx'], /no absolute path/],
    [[':method', 'GET', ':scheme', 'https', ':path', '*'], /OPTIONS/],
    [[':method', 'GET', ':scheme', 'https', ':authority', 'u@h', ':path', '/'], /no host/],
    [[...GET, 'Accept', 'x'], /lowercase/],
    [[...GET, 'connection', 'close'], /connection/],
    [[...GET, 'te', 'gzip'], /te/],
    [[...GET, 'x'], /in turn/],
  ])('refuses %j', (headers, sentence) => {
    expect(problem(headers)).toMatch(sentence);
  });

  it('allows the asterisk to OPTIONS (RFC 9110 section 7.1)', () => {
    expect(readRequestHead([':method', 'OPTIONS', ':scheme', 'http', ':authority', 'a', ':path', '*'])).toMatchObject({
      path: '*',
    });
  });
});

describe('CONNECT (RFC 9113 section 8.5) and extended CONNECT (RFC 8441 section 4)', () => {
  it('has :method and :authority only', () => {
    expect(readRequestHead([':method', 'CONNECT', ':authority', 'a:443'])).toMatchObject({
      authority: 'a:443',
      path: undefined,
      scheme: undefined,
    });
    expect(problem([':method', 'CONNECT', ':authority', 'a:443', ':path', '/'])).toMatch(/neither/);
    expect(problem([':method', 'CONNECT', ':authority', 'a:443', ':scheme', 'http'])).toMatch(/neither/);
    expect(problem([':method', 'CONNECT', ':authority', 'a'])).toMatch(/host and port/);
    expect(problem([':method', 'CONNECT'])).toMatch(/host and port/);
  });

  it('needs all of them with :protocol', () => {
    const extended = [':method', 'CONNECT', ':protocol', 'websocket', ':scheme', 'https', ':path', '/'];
    expect(readRequestHead([...extended, ':authority', 'a'])).toMatchObject({ protocol: 'websocket', path: '/' });
    expect(problem(extended)).toMatch(/:authority/);
    expect(problem([':method', 'CONNECT', ':protocol', 'x', ':authority', 'a', ':path', '/'])).toMatch(/:scheme/);
    expect(problem([...GET, ':protocol', 'x'].slice(0, 8).concat(':protocol', 'websocket'))).toMatch(
      /belongs to CONNECT/,
    );
    expect(
      problem([':method', 'CONNECT', ':protocol', 'a b', ':scheme', 'https', ':path', '/', ':authority', 'a']),
    ).toMatch(/no token/);
  });
});

describe('responses (RFC 9113 section 8.3.2)', () => {
  it('begin with :status', () => {
    expect(readResponseHead([':status', '204', 'x', 'y'])).toEqual({
      status: 204,
      contentLength: UNDECLARED,
      fieldsStart: 2,
    });
    expect(readResponseHead([':status', '200', 'content-length', '3'])).toMatchObject({ contentLength: 3 });
  });

  it.each([
    [[], /begins with/],
    [['x', 'y'], /begins with/],
    [['x', 'y', ':status', '200'], /begins with/],
    [[':status', '20'], /no status/],
    [[':status', '2000'], /no status/],
    [[':status', 'abc'], /no status/],
    [[':status', '200', ':status', '200'], /twice/],
    [[':status', '200', ':path', '/'], /stands twice, behind/],
    [[':status', '200', 'x', 'a\r\nset-cookie: b'], /control character/],
    [[':status', '200', 'transfer-encoding', 'chunked'], /connection/],
    [[':status', '200', 'content-length', '1', 'content-length', '1'], /twice/],
    [[':status'], /in turn/],
  ])('refuses %j', (headers, sentence) => {
    expect(readResponseHead(headers)).toMatch(sentence);
  });
});
