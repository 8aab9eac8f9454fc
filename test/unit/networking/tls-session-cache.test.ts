/** The store of TLS sessions: bounded, tickets used once (RFC 8446 appendix C.4). */
import { describe, expect, it } from 'vitest';
import { TlsSessionCache } from '../../../src/networking/tls-session-cache.ts';

const ticket = (name: string): Buffer => Buffer.from(name);

describe('TlsSessionCache', () => {
  it('gives out a TLS 1.3 ticket once, the newest first', () => {
    const cache = new TlsSessionCache();
    cache.store('a', ticket('one'), 'TLSv1.3');
    cache.store('a', ticket('two'), 'TLSv1.3');
    expect([cache.take('a'), cache.take('a'), cache.take('a')].map(String)).toEqual(['two', 'one', 'undefined']);
    expect(cache.size).toBe(0);
    expect(cache.take('b')).toBeUndefined();
  });

  it('gives out a TLS 1.2 session until a newer one comes', () => {
    const cache = new TlsSessionCache();
    cache.store('a', ticket('old'), 'TLSv1.2');
    expect([cache.take('a'), cache.take('a')].map(String)).toEqual(['old', 'old']);
    cache.store('a', ticket('new'), 'TLSv1.2');
    expect([cache.take('a'), cache.take('a')].map(String)).toEqual(['new', 'new']);
  });

  it('keeps four tickets for a key, the newest ones', () => {
    const cache = new TlsSessionCache();
    for (let index = 0; index < 10; index += 1) cache.store('a', ticket(String(index)), 'TLSv1.3');
    const taken = Array.from({ length: 5 }, () => cache.take('a')?.toString());
    expect(taken).toEqual(['9', '8', '7', '6', undefined]);
  });

  it('drops the key that was used longest ago', () => {
    const cache = new TlsSessionCache(3);
    for (const key of ['a', 'b', 'c']) cache.store(key, ticket(key), 'TLSv1.2');
    cache.take('a');
    cache.store('d', ticket('d'), 'TLSv1.2');
    expect(cache.size).toBe(3);
    expect(cache.take('b')).toBeUndefined();
    expect(['a', 'c', 'd'].map((key) => cache.take(key)?.toString())).toEqual(['a', 'c', 'd']);
  });
});
