import { describe, expect, it } from 'vitest';
import type { BodySource } from '../../../src/client/body-content.ts';
import { bodySource } from '../../../src/client/body-source.ts';
import type { RequestBody } from '../../../src/client/body-source.ts';
import { countingRandom } from './fake-transport.ts';

interface FormReader {
  formData(): Promise<Iterable<[string, string | Blob]>>;
}

async function read(source: BodySource): Promise<string> {
  const iterator = source.open();
  const pieces: Uint8Array[] = [];
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) pieces.push(next.value);
  return Buffer.concat(pieces).toString('utf8');
}

describe('request bodies', () => {
  const bytes = new Uint8Array([104, 105]);
  const kinds: [string, RequestBody, string, string | undefined][] = [
    ['a string', 'hü', 'hü', 'text/plain;charset=UTF-8'],
    ['bytes', bytes, 'hi', undefined],
    ['a Buffer', Buffer.from('hi'), 'hi', undefined],
    ['an ArrayBuffer', bytes.slice().buffer, 'hi', undefined],
    ['a DataView', new DataView(new Uint8Array([1, 104, 105, 2]).buffer, 1, 2), 'hi', undefined],
    [
      'URLSearchParams',
      new URLSearchParams({ a: 'ü b' }),
      'a=%C3%BC+b',
      'application/x-www-form-urlencoded;charset=UTF-8',
    ],
    ['a Blob', new Blob(['hi'], { type: 'x/y' }), 'hi', 'x/y'],
    ['a Blob without type', new Blob(['hi']), 'hi', undefined],
  ];
  it.each(kinds)('takes %s, with its length and type, as often as need be', async (_name, body, text, type) => {
    const source = bodySource(body, countingRandom);
    expect(source.length).toBe(Buffer.byteLength(text));
    expect(source.contentType).toBe(type);
    expect(source.replayable).toBe(true);
    expect(await read(source)).toBe(text);
    expect(await read(source)).toBe(text);
  });

  it('takes streams and async iterables once, untouched until they are opened', async () => {
    let touched = 0;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      touched += 1;
      yield new Uint8Array([97]);
      yield new Uint8Array([98]);
    }
    const source = bodySource(pieces(), countingRandom);
    expect([source.length, source.contentType, source.replayable, touched]).toEqual([undefined, undefined, false, 0]);
    expect(await read(source)).toBe('ab');
    const stream = new Response('xyz').body as ReadableStream<Uint8Array>;
    const other = bodySource(stream, countingRandom);
    expect([other.length, other.replayable]).toEqual([undefined, false]);
    expect(await read(other)).toBe('xyz');
  });

  it('refuses what is no body', () => {
    for (const body of [1, {}, true, [1]]) {
      expect(() => bodySource(body as unknown as RequestBody, countingRandom)).toThrow(
        expect.objectContaining({ code: 'ERR_REQUEST_BODY' }),
      );
    }
  });

  it('encodes a form as multipart/form-data that the platform reads back (RFC 7578)', async () => {
    const form = new FormData();
    form.append('plain', 'line\nbreak\r\n');
    form.append('na"me\r\n', 'v');
    form.append('file', new Blob(['\u0000\u00ff'], { type: 'image/x' }), 'a"b.txt');
    form.append('untyped', new Blob(['z']), 'z');
    const source = bodySource(form, countingRandom);
    expect(source.contentType).toBe('multipart/form-data; boundary=hface-ts-000102030405060708090a0b0c0d0e0f');
    const text = await read(source);
    expect(source.length).toBe(Buffer.byteLength(text));
    expect(source.replayable).toBe(true);
    expect(text).toContain('name="na%22me%0D%0A"');
    expect(text).toContain('filename="a%22b.txt"\r\nContent-Type: image/x\r\n\r\n');
    // Undici's own parser reads it back.
    const response = new Response(text, { headers: { 'content-type': source.contentType! } }) as unknown as FormReader;
    const parsed = new Map(await response.formData());
    expect(parsed.get('plain')).toBe('line\r\nbreak\r\n');
    expect(await (parsed.get('file') as Blob).text()).toBe('\u0000\u00ff');
    expect((parsed.get('untyped') as Blob).type).toBe('application/octet-stream');
  });

  it('has a form without files in memory, and an empty form ends at once', async () => {
    const form = new FormData();
    expect(await read(bodySource(form, countingRandom))).toBe('--hface-ts-000102030405060708090a0b0c0d0e0f--\r\n');
    form.append('a', 'b');
    const source = bodySource(form, countingRandom);
    expect(source.bytes?.byteLength).toBe(source.length);
  });
});
