import { describe, expect, it } from 'vitest';
import {
  fieldProblem,
  isConnectionSpecific,
  isForbiddenTrailer,
  quoted,
  trailersProblem,
} from '../../../../src/protocols/semantics/index.ts';

describe('field lines (RFC 9110 sections 5.1, 5.5, 5.6.2)', () => {
  it.each([
    ['accept', '*/*'],
    ['x', ''],
    ["!#$%&'*+-.^_`|~09az", 'token characters'],
    ['x', 'inner  spaces\tand tabs'],
    ['x', '\u0080\u00ff obs-text'],
    ['te', 'trailers'],
  ])('accepts %j: %j', (name, value) => {
    expect(fieldProblem(name, value)).toBeUndefined();
  });

  it.each([
    ['', 'x'],
    ['Accept', 'capital'],
    ['a b', 'x'],
    ['a:', 'x'],
    [':status', '200'],
    ['a\r\n', 'x'],
    ['ä', 'x'],
    ['a\u0000', 'x'],
    ['a(b)', 'x'],
  ])('refuses the name %j', (name, value) => {
    expect(fieldProblem(name, value)).toMatch(/no field name/);
  });

  it.each(['a\r\nb: c', 'a\nb', 'a\rb', 'a\u0000b', 'a\u0001b', 'a\u007fb', 'a\u010ab', '\u{1f600}'])(
    'refuses the value %j',
    (value) => {
      expect(fieldProblem('x', value)).toMatch(/control character/);
    },
  );

  it.each([' a', 'a ', '\ta', 'a\t', ' '])('refuses whitespace at an end of %j', (value) => {
    expect(fieldProblem('x', value)).toMatch(/whitespace/);
  });

  it('refuses connection-specific fields (RFC 9110 section 7.6.1, RFC 9113 section 8.2.2)', () => {
    for (const name of ['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']) {
      expect(isConnectionSpecific(name)).toBe(true);
      expect(fieldProblem(name, 'x')).toMatch(/connection/);
    }
    for (const name of ['te', 'host', 'trailer', 'connectioN', 'upgradex', 'content-length']) {
      expect(isConnectionSpecific(name)).toBe(false);
    }
    expect(fieldProblem('te', 'gzip')).toMatch(/te/);
    expect(fieldProblem('te', 'trailers, gzip')).toMatch(/te/);
  });
});

describe('trailers (RFC 9110 section 6.5.1)', () => {
  it('passes fields of the application', () => {
    expect(trailersProblem(['grpc-status', '0', 'etag', '"a"', 'server-timing', 'x', 'digest', 'a=b'])).toBeUndefined();
    expect(trailersProblem([])).toBeUndefined();
  });

  it.each([
    'content-length',
    'transfer-encoding',
    'host',
    'trailer',
    'te',
    'authorization',
    'cookie',
    'set-cookie',
    'www-authenticate',
    'if-none-match',
    'range',
    'expect',
    'cache-control',
    'content-type',
    'content-encoding',
    'content-range',
    'connection',
  ])('refuses %s', (name) => {
    expect(isForbiddenTrailer(name)).toBe(true);
    expect(trailersProblem([name, 'trailers'])).toBeDefined();
  });

  it('refuses pseudo-header fields and halves of pairs', () => {
    expect(trailersProblem([':status', '200'])).toMatch(/may not stand in trailers/);
    expect(trailersProblem(['a'])).toMatch(/in turn/);
  });
});

describe('quoting what a peer wrote', () => {
  it('escapes and cuts', () => {
    expect(quoted('a\u001b[31m"')).toBe('"a\\u001b[31m\\""');
    expect(quoted('x'.repeat(1000)).length).toBeLessThan(80);
  });
});
