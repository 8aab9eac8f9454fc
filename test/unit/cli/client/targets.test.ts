import { describe, expect, it } from 'vitest';
import { isLoopback, readTarget } from '../../../../cli/client/targets.ts';

describe('readTarget', () => {
  it.each([
    ['localhost', 'http://localhost/', undefined],
    ['localhost:5080/a?b#c', 'http://localhost:5080/a?b', undefined],
    [' https://EXAMPLE.com ', 'https://example.com/', undefined],
    ['HTTPS://example.com/', 'https://example.com/', undefined],
    ['[::1]:80', 'http://[::1]/', undefined],
    ['127.1', 'http://127.0.0.1/', undefined],
    ['http://user:pass@host/', 'http://host/', 'user:pass'],
    ['http://us%3Aer:p%40ss@host/', 'http://host/', 'us:er:p@ss'],
    ['http://user@host/', 'http://host/', 'user:'],
    ['http://100%:x@host/', 'http://host/', '100%:x'],
    ['http://host/a/../b%2f', 'http://host/b%2f', undefined],
    ['http://bücher.example/', 'http://xn--bcher-kva.example/', undefined],
  ])('%s', (text, url, credentials) => {
    const target = readTarget(text);
    expect(target.url.href).toBe(url);
    expect(target.credentials).toBe(credentials);
    expect(target.text).toBe(text);
  });

  it.each([
    ['', 3],
    ['http://', 3],
    ['http://[::1', 3],
    ['http://a b/', 3],
    ['http://host:99999/', 3],
    ['ftp://host/', 1],
    ['file:///etc/passwd', 1],
    ['ws://host/', 1],
  ])('%j is refused with exit code %d', (text, exitCode) => {
    expect(() => readTarget(text)).toThrow(expect.objectContaining({ exitCode }));
  });
});

describe('isLoopback (RFC 6761 section 6.3)', () => {
  it.each([
    ['https://localhost/', true],
    ['https://a.b.localhost:1/', true],
    ['https://localhost./', true],
    ['https://127.0.0.1/', true],
    ['https://127.255.0.9/', true],
    ['https://0x7f.1/', true],
    ['https://[::1]/', true],
    ['https://128.0.0.1/', false],
    ['https://localhost.example/', false],
    ['https://notlocalhost/', false],
    ['https://127.0.0.1.example/', false],
    ['https://[::2]/', false],
    ['https://[::ffff:127.0.0.1]/', false],
    ['https://0.0.0.0/', false],
  ])('%s: %s', (url, expected) => {
    expect(isLoopback(new URL(url))).toBe(expected);
  });
});
