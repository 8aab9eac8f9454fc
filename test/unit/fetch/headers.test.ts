import { describe, expect, it } from 'vitest';
import { Headers as OwnHeaders } from '../../../src/fetch/index.ts';
import { headersOfList } from '../../../src/fetch/headers.ts';

/** The Fetch standard, section 5.1; each row holds for the platform's class and for ours. */
const kinds: readonly (readonly [string, typeof globalThis.Headers])[] = [
  ['native', globalThis.Headers],
  ['ours', OwnHeaders],
];

describe.each(kinds)('Headers, %s', (_kind, Headers) => {
  it('is made of pairs, of an object, of headers of either kind, of nothing', () => {
    expect([...new Headers()]).toEqual([]);
    expect([...new Headers({ B: '1', a: ' 2\t' })]).toEqual([
      ['a', '2'],
      ['b', '1'],
    ]);
    expect([...new Headers([['x', '1'] as [string, string], ['X', '2'] as [string, string]])]).toEqual([['x', '1, 2']]);
    expect([...new Headers(new globalThis.Headers({ a: '1' }))]).toEqual([['a', '1']]);
    expect([...new Headers(new OwnHeaders({ a: '1' }))]).toEqual([['a', '1']]);
    expect([...new Headers(new Map([['m', '1']]) as unknown as [string, string][])]).toEqual([['m', '1']]);
  });

  it('refuses what is no field', () => {
    const values: unknown[] = [null, 1, 'x', [['a']], [['a', 'b', 'c']], ['ab'], { 'a b': '1' }, { '': '1' }];
    for (const value of values) expect(() => new Headers(value as Headers), JSON.stringify(value)).toThrow(TypeError);
    for (const value of ['a\nb', 'a\rb', 'a\0b', '\u0100']) {
      expect(() => new Headers({ a: value })).toThrow(TypeError);
      expect(() => new Headers().append('a', value)).toThrow(TypeError);
      expect(() => new Headers().set('a', value)).toThrow(TypeError);
    }
    for (const name of ['', ' ', 'a b', 'ä', 'a:', 'a\n']) {
      expect(() => new Headers().get(name)).toThrow(TypeError);
      expect(() => new Headers().has(name)).toThrow(TypeError);
      expect(() => new Headers().delete(name)).toThrow(TypeError);
      expect(() => new Headers().set(name, '1')).toThrow(TypeError);
      expect(() => new Headers().append(name, '1')).toThrow(TypeError);
    }
  });

  it('finds, replaces and removes whatever the case', () => {
    const headers = new Headers([
      ['Accept', 'a'],
      ['accept', 'b'],
      ['x-one', ''],
    ]);
    expect(headers.get('ACCEPT')).toBe('a, b');
    expect(headers.get('x-one')).toBe('');
    expect(headers.get('x-two')).toBeNull();
    expect(headers.has('Accept')).toBe(true);
    headers.set('aCCept', 'c');
    expect(headers.get('accept')).toBe('c');
    headers.set('new', ' 1 ');
    headers.append('New', '2');
    expect(headers.get('new')).toBe('1, 2');
    headers.delete('ACCEPT');
    headers.delete('not-there');
    expect([...headers]).toEqual([
      ['new', '1, 2'],
      ['x-one', ''],
    ]);
  });

  it('keeps Set-Cookie lines apart (RFC 6265 section 3)', () => {
    const headers = new Headers({ 'x-z': '1' });
    headers.append('set-cookie', 'a=1');
    headers.append('Set-Cookie', 'b=2');
    headers.append('b', '3');
    expect(headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(headers.get('set-cookie')).toBe('a=1, b=2');
    expect([...headers]).toEqual([
      ['b', '3'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-z', '1'],
    ]);
    headers.set('set-cookie', 'c=3');
    expect(headers.getSetCookie()).toEqual(['c=3']);
    headers.delete('set-cookie');
    expect(headers.getSetCookie()).toEqual([]);
  });

  it('is iterated in four ways, sorted', () => {
    const headers = new Headers({ b: '2', a: '1' });
    expect([...headers.keys()]).toEqual(['a', 'b']);
    expect([...headers.values()]).toEqual(['1', '2']);
    expect([...headers.entries()]).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    const seen: unknown[] = [];
    const self = {};
    headers.forEach(function (this: unknown, value, name, all) {
      seen.push(this === self, name, value, all === headers);
    }, self);
    expect(seen).toEqual([true, 'a', '1', true, true, 'b', '2', true]);
    expect(Object.fromEntries(headers)).toEqual({ a: '1', b: '2' });
    expect(Object.prototype.toString.call(headers)).toBe('[object Headers]');
  });

  it('goes into a platform object', () => {
    const headers = new Headers({ a: '1' });
    headers.append('set-cookie', 'x');
    headers.append('set-cookie', 'y');
    expect(new globalThis.Response(null, { headers }).headers.getSetCookie()).toEqual(['x', 'y']);
    expect(new globalThis.Request('http://a/', { headers }).headers.get('a')).toBe('1');
  });

  it('is an instance of both classes', () => {
    const headers = new Headers();
    expect(headers instanceof globalThis.Headers).toBe(true);
    expect(headers instanceof OwnHeaders).toBe(true);
    expect(({} as object) instanceof OwnHeaders).toBe(false);
    class Sub extends Headers {}
    expect(new Sub({ a: '1' }).get('a')).toBe('1');
    expect(new Sub() instanceof Headers).toBe(true);
    expect(headers instanceof Sub).toBe(false);
  });
});

describe('headers upon a message', () => {
  it('leave the list as it is', () => {
    const list = Object.freeze(['a', '1', 'cookie', 'x=1', 'cookie', 'y=2']);
    const headers = headersOfList(list);
    expect(headers.get('cookie')).toBe('x=1; y=2');
    headers.set('a', '2');
    headers.append('b', '3');
    headers.delete('cookie');
    expect(list).toEqual(['a', '1', 'cookie', 'x=1', 'cookie', 'y=2']);
    expect([...headers]).toEqual([
      ['a', '2'],
      ['b', '3'],
    ]);
  });

  it('may refuse to be changed', () => {
    const headers = headersOfList(['a', '1'], true);
    expect(() => headers.set('a', '2')).toThrow(TypeError);
    expect(() => headers.append('a', '2')).toThrow(TypeError);
    expect(() => headers.delete('a')).toThrow(TypeError);
    expect(headers.get('a')).toBe('1');
  });
});
