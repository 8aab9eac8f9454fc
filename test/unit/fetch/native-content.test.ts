/**
 * What the platform's responses are made of, where the platform lets anybody see it: up to Node 22.
 */
import { describe, expect, it } from 'vitest';
import { takeNativeContent } from '../../../src/fetch/native-content.ts';

/** From Node 24 on the state is private, and the content comes through its stream. */
const isOpen = Object.getOwnPropertySymbols(new Response()).length > 0;

const whole: readonly [what: string, make: () => Response, content: string | Uint8Array][] = [
  ['text', () => new Response('été'), 'été'],
  ['empty text', () => new Response(''), ''],
  ['bytes', () => new Response(new Uint8Array([1, 2, 3])), new Uint8Array([1, 2, 3])],
  ['an ArrayBuffer', () => new Response(new Uint8Array([1, 2, 3]).buffer), new Uint8Array([1, 2, 3])],
  ['JSON', () => Response.json({ a: 1 }), '{"a":1}'],
  ['a form of pairs', () => new Response(new URLSearchParams({ a: '1 2' })), 'a=1+2'],
  ['a clone', () => new Response('twice').clone(), 'twice'],
];

const streamed: readonly [what: string, make: () => Response][] = [
  ['no content', () => new Response(null)],
  ['a stream', () => new Response(new ReadableStream())],
  ['a Blob', () => new Response(new Blob(['blob']))],
  ['a form', () => new Response(new FormData())],
  ['a class of its own', () => new (class extends Response {})('own')],
  ['an object that looks like one', () => Object.create(Response.prototype) as Response],
];

describe('the content of a response of the platform', () => {
  it.each(whole)('is at hand for %s, once', async (_what, make, content) => {
    const response = make();
    const taken = takeNativeContent(response);
    expect(taken === undefined ? undefined : Buffer.from(taken)).toEqual(isOpen ? Buffer.from(content) : undefined);
    expect(response.bodyUsed).toBe(isOpen);
    expect(takeNativeContent(response)).toBeUndefined();
    if (isOpen) await expect(response.text()).rejects.toThrow(TypeError);
    else expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(content));
  });

  it.each(streamed)('is not for %s', (_what, make) => {
    expect(takeNativeContent(make())).toBeUndefined();
  });

  it('is left where somebody has begun to read', async () => {
    const held = new Response('held');
    const reader = held.body?.getReader();
    expect(takeNativeContent(held)).toBeUndefined();
    expect((await reader?.read())?.value).toEqual(new TextEncoder().encode('held'));
    const read = new Response('read');
    await read.text();
    expect(takeNativeContent(read)).toBeUndefined();
  });

  it('is a copy of the bytes that were given', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    const response = new Response(bytes);
    bytes.fill(0);
    expect(takeNativeContent(response)).toEqual(isOpen ? new Uint8Array([1, 2, 3]) : undefined);
  });

  it('leaves a clone readable', async () => {
    const response = new Response('one');
    const clone = response.clone();
    takeNativeContent(response);
    expect(await clone.text()).toBe('one');
  });
});
