import { describe, expect, it } from 'vitest';
import {
  isAuthority,
  isHostAndPort,
  isMethod,
  isPathAndQuery,
  isScheme,
} from '../../../../src/protocols/semantics/index.ts';

describe('authority (RFC 3986 section 3.2, RFC 9110 section 4.2)', () => {
  it.each([
    '',
    'example.com',
    'EXAMPLE.com:80',
    'localhost:',
    'a_b.example',
    '127.0.0.1:8080',
    '[::1]',
    '[::1]:443',
    '[fe80::1.2.3.4]',
    '[v1.fe:80]',
    '%65xample.com',
    'xn--bcher-kva.example',
    'a:65535',
  ])('accepts %j', (text) => {
    expect(isAuthority(text)).toBe(true);
  });

  it.each([
    ':80',
    'user@example.com',
    'user:pass@example.com',
    'a:b',
    'a:65536',
    'a:80:80',
    'a b',
    'a/b',
    'a?b',
    'a#b',
    'a\\b',
    '::1',
    '[::1',
    '[]',
    '[::g]',
    '[1]',
    '[::1]x',
    '[v.x]',
    '[vg.x]',
    '[v1.]',
    '[v1.a/b]',
    '%zz',
    '%4',
    '%',
    'bücher.example',
    'a:999999999999999999',
    'a\r\n',
    '<script>',
  ])('refuses %j', (text) => {
    expect(isAuthority(text)).toBe(false);
  });

  it('wants host and port for CONNECT (RFC 9112 section 3.2.3)', () => {
    expect(isHostAndPort('example.com:443')).toBe(true);
    expect(isHostAndPort('[::1]:443')).toBe(true);
    for (const text of [
      '',
      'example.com',
      'example.com:',
      ':443',
      'example.com:0',
      '[::1]',
      'example.com:65536',
      'a@b:1',
    ]) {
      expect(isHostAndPort(text), text).toBe(false);
    }
  });
});

describe('the other parts of a target', () => {
  it('knows methods by their grammar (RFC 9110 section 9.1)', () => {
    for (const text of ['GET', 'get', 'M-SEARCH', 'X']) expect(isMethod(text)).toBe(true);
    for (const text of ['', 'GET ', 'G T', 'GÉT', 'G:T']) expect(isMethod(text)).toBe(false);
  });

  it('knows schemes (RFC 3986 section 3.1)', () => {
    for (const text of ['http', 'HTTPS', 'a1+-.']) expect(isScheme(text)).toBe(true);
    for (const text of ['', '1a', 'ht tp', 'http:', 'é']) expect(isScheme(text)).toBe(false);
  });

  it('knows absolute paths (RFC 9110 section 4.1); what browsers send unencoded passes', () => {
    for (const text of ['/', '//', '/a?b=c', '/|{}[]"<>^`\\', '/%zz']) expect(isPathAndQuery(text)).toBe(true);
    for (const text of ['', 'a', '*', '/a b', '/a#b', '/\u0000', '/é', '/\r\nx: y', '?a']) {
      expect(isPathAndQuery(text), text).toBe(false);
    }
  });
});
