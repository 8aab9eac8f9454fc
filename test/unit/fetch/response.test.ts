import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replaceGlobals, Response as OwnResponse } from '../../../src/fetch/index.ts';

type Class = typeof globalThis.Response;
const Native = globalThis.Response;
const Own = OwnResponse as unknown as Class;

/** Each row holds for the platform's class and for ours, as the global and not (Fetch standard, section 5.5). */
const kinds: readonly (readonly [string, Class, boolean])[] = [
  ['native', Native, false],
  ['ours', Own, false],
  ['ours, as the global', Own, true],
];

const encoder = new TextEncoder();

describe.each(kinds)('Response, %s', (_kind, Response, replaced) => {
  let restore: (() => void) | undefined;
  beforeAll(() => {
    if (replaced) restore = replaceGlobals();
  });
  afterAll(() => restore?.());

  it('has the defaults of the standard', () => {
    const response = new Response();
    const { status, statusText, ok, type, url, redirected, body, bodyUsed } = response;
    expect({ status, statusText, ok, type, url, redirected, body, bodyUsed }).toEqual({
      status: 200,
      statusText: '',
      ok: true,
      type: 'default',
      url: '',
      redirected: false,
      body: null,
      bodyUsed: false,
    });
    expect([...response.headers]).toEqual([]);
    expect(Object.prototype.toString.call(response)).toBe('[object Response]');
  });

  const form = new FormData();
  form.set('a', '1');
  const buffer = encoder.encode('xay').buffer;
  it.each<[string, () => unknown, string, string | null]>([
    ['text', () => 'grüße', 'grüße', 'text/plain;charset=UTF-8'],
    ['empty text', () => '', '', 'text/plain;charset=UTF-8'],
    ['a number', () => 12, '12', 'text/plain;charset=UTF-8'],
    ['bytes', () => encoder.encode('a'), 'a', null],
    ['a view', () => new DataView(buffer, 1, 1), 'a', null],
    ['an ArrayBuffer', () => buffer, 'xay', null],
    ['a Blob', () => new Blob(['a'], { type: 'image/x' }), 'a', 'image/x'],
    ['a Blob without type', () => new Blob(['a']), 'a', null],
    ['parameters', () => new URLSearchParams({ a: 'b c' }), 'a=b+c', 'application/x-www-form-urlencoded;charset=UTF-8'],
    ['a stream', () => new Blob(['a']).stream(), 'a', null],
  ])('takes %s', async (_what, make, text, type) => {
    const response = new Response(make() as string);
    expect(response.headers.get('content-type')).toBe(type);
    expect(response.bodyUsed).toBe(false);
    expect(await response.text()).toBe(text);
    expect(response.bodyUsed).toBe(true);
    const streamed = new Response(make() as string);
    expect(streamed.body).toBeInstanceOf(ReadableStream);
    expect(streamed.body).toBe(streamed.body);
    expect(Buffer.from(await new Native(streamed.body).arrayBuffer()).toString()).toBe(text);
    expect(streamed.bodyUsed).toBe(true);
  });

  it('takes forms, and reads them', async () => {
    const response = new Response(form);
    expect(response.headers.get('content-type')).toMatch(/^multipart\/form-data; ?boundary=/);
    expect((await response.formData()).get('a')).toBe('1');
    const encoded = new Response(new URLSearchParams({ q: '2' }));
    expect((await encoded.formData()).get('q')).toBe('2');
    await expect(new Response('x').formData()).rejects.toThrow(TypeError);
  });

  it('is read in every way', async () => {
    expect(await new Response('{"a":1}').json()).toEqual({ a: 1 });
    await expect(new Response('{').json()).rejects.toThrow(SyntaxError);
    expect(Buffer.from(await new Response('ab').arrayBuffer()).toString()).toBe('ab');
    const blob = await new Response('ab', { headers: { 'content-type': 'text/css' } }).blob();
    expect([blob.type, await blob.text()]).toEqual(['text/css', 'ab']);
    expect(await new Response(encoder.encode('\ufeffab')).text()).toBe('ab');
    expect(await new Response('\ud800').text()).toBe('\ufffd');
    expect(await new Response().text()).toBe('');
    expect((await new Response().arrayBuffer()).byteLength).toBe(0);
    expect((await new Response().blob()).size).toBe(0);
    await expect(new Response().json()).rejects.toThrow(SyntaxError);
  });

  it('is read once', async () => {
    const response = new Response('a');
    await response.text();
    await expect(response.text()).rejects.toThrow(/^Body is unusable/);
    await expect(response.arrayBuffer()).rejects.toThrow(TypeError);
    await expect(response.json()).rejects.toThrow(TypeError);
    await expect(response.blob()).rejects.toThrow(TypeError);
    await expect(response.formData()).rejects.toThrow(TypeError);
    expect(() => response.clone()).toThrow(TypeError);
    const locked = new Response('a');
    locked.body?.getReader();
    expect(locked.bodyUsed).toBe(false);
    await expect(locked.text()).rejects.toThrow(TypeError);
    const cancelled = new Response('a');
    await cancelled.body?.cancel();
    expect(cancelled.bodyUsed).toBe(true);
    await expect(cancelled.text()).rejects.toThrow(TypeError);
  });

  it('refuses what the standard refuses', () => {
    for (const status of [0, 100, 199, 600, NaN, Infinity]) {
      expect(() => new Response(null, { status }), String(status)).toThrow(RangeError);
    }
    expect(() => new Response(null, { statusText: 'a\nb' })).toThrow(TypeError);
    expect(() => new Response(null, { headers: { 'a b': '1' } })).toThrow(TypeError);
    for (const status of [204, 205, 304]) {
      expect(() => new Response('', { status })).toThrow(TypeError);
      expect(new Response(null, { status }).status).toBe(status);
    }
    const locked = new Blob(['a']).stream();
    locked.getReader();
    expect(() => new Response(locked)).toThrow(TypeError);
  });

  it('has what it was told', () => {
    const response = new Response('a', { status: 404, statusText: 'Gone fishing', headers: { 'Content-Type': 'x/y' } });
    expect([response.status, response.statusText, response.ok]).toEqual([404, 'Gone fishing', false]);
    expect([...response.headers]).toEqual([['content-type', 'x/y']]);
    response.headers.append('set-cookie', 'a=1');
    response.headers.append('set-cookie', 'b=2');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers).toBe(response.headers);
  });

  it('takes the place of another: new Response(ours.body, ours)', async () => {
    const first = new Response('abc', { status: 201, statusText: 'Yes', headers: { 'x-a': '1' } });
    for (const Other of [Native, Own]) {
      const other = new Other(first.clone().body, first);
      expect([other.status, other.statusText, other.headers.get('x-a')]).toEqual([201, 'Yes', '1']);
      expect(await other.text()).toBe('abc');
    }
  });

  it('is cloned', async () => {
    for (const body of ['abc', new Blob(['abc']).stream(), null]) {
      const response = new Response(body, { status: 202, headers: { 'x-a': '1' } });
      const copy = response.clone();
      copy.headers.set('x-a', '2');
      expect([copy.status, copy.headers.get('x-a'), response.headers.get('x-a')]).toEqual([202, '2', '1']);
      expect(await copy.text()).toBe(body === null ? '' : 'abc');
      expect(await response.text()).toBe(body === null ? '' : 'abc');
    }
  });

  it('has json, redirect and error', async () => {
    const json = Response.json({ a: 1 }, { status: 201, headers: { 'x-a': '1' } });
    expect([json.status, json.headers.get('content-type'), json.headers.get('x-a'), await json.text()]).toEqual([
      201,
      'application/json',
      '1',
      '{"a":1}',
    ]);
    expect(Response.json(1, { headers: { 'content-type': 'a/b' } }).headers.get('content-type')).toBe('a/b');
    expect(() => Response.json(undefined)).toThrow(TypeError);
    const redirect = Response.redirect('http://a/b c', 308);
    expect([redirect.status, redirect.headers.get('location')]).toEqual([308, 'http://a/b%20c']);
    expect(() => redirect.headers.set('a', '1')).toThrow(TypeError);
    expect(() => Response.redirect('http://a/', 200 as 301)).toThrow(RangeError);
    expect(() => Response.redirect('nonsense', 301)).toThrow(TypeError);
    const error = Response.error();
    expect([error.type, error.status, error.ok, error.body]).toEqual(['error', 0, false, null]);
    expect(() => error.headers.set('a', '1')).toThrow(TypeError);
  });

  it('is an instance of both classes, and can be extended', async () => {
    const response = new Response('a');
    expect(response instanceof Native).toBe(true);
    expect(response instanceof OwnResponse).toBe(true);
    expect(response instanceof globalThis.Response).toBe(true);
    expect(({} as object) instanceof Response).toBe(false);
    expect((null as unknown as object) instanceof Response).toBe(false);
    class Sub extends Response {
      get twice(): number {
        return this.status * 2;
      }
    }
    const sub = new Sub('b', { status: 300 });
    expect([sub.twice, await sub.text(), sub instanceof Sub, sub instanceof Native]).toEqual([600, 'b', true, true]);
    expect(response instanceof Sub).toBe(false);
  });

  it('is not cloned by structuredClone', () => {
    const clone = (value: unknown): unknown => {
      try {
        return structuredClone(value);
      } catch (error) {
        return (error as Error).name;
      }
    };
    expect(clone(new Response('a'))).toEqual(clone(new Native('a')));
  });

  it('can be printed', () => {
    expect(inspect(new Response('a', { status: 404 }))).toContain('404');
  });
});

describe('our Response', () => {
  it('gives bytes, and a real response', async () => {
    expect(await new OwnResponse('ab').bytes()).toEqual(new Uint8Array([0x61, 0x62]));
    expect(await new OwnResponse().bytes()).toEqual(new Uint8Array(0));
    const response = new OwnResponse('ab', {
      status: 201,
      headers: [['set-cookie', 'a'] as const, ['set-cookie', 'b'] as const],
    });
    const native = response.native();
    expect(native).toBe(response.native());
    expect(Object.getPrototypeOf(native)).toBe(Native.prototype);
    expect([native.status, native.headers.getSetCookie(), await native.text()]).toEqual([201, ['a', 'b'], 'ab']);
    expect(response.bodyUsed).toBe(true);
    expect(OwnResponse.error().native().type).toBe('error');
  });

  it('does not hand its memory out', async () => {
    const bytes = encoder.encode('abc');
    const response = new OwnResponse(bytes);
    const copy = response.clone();
    new Uint8Array(await response.arrayBuffer()).fill(0);
    expect(await copy.text()).toBe('abc');
    const streamed = new OwnResponse(bytes);
    const reader = streamed.body?.getReader();
    (await reader?.read())?.value?.fill(0);
    expect(Buffer.from(bytes).toString()).toBe('abc');
  });
});
