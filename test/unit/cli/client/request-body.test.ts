import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { dataBody, withQuery } from '../../../../cli/client/data-body.ts';
import type { DataPiece } from '../../../../cli/client/data-body.ts';
import type { CommandBody } from '../../../../cli/client/request-body.ts';
import { canRepeat, countedBody, formBody } from '../../../../cli/client/request-body.ts';
import { parseForm } from './parse-form.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-body-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(path.join(folder, 'lines.txt'), 'a=1\r\nb\n\0c');
writeFileSync(path.join(folder, 'picture.png'), Buffer.from([1, 2, 3]));
const sources = { directory: folder, readInput: async () => Buffer.from('from stdin\n') };

async function text(body: CommandBody): Promise<string> {
  const { body: content } = body;
  if (typeof content === 'function') throw new Error('it is read once');
  return Buffer.from(content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : content).toString(
    'latin1',
  );
}

describe('-d and its kin', () => {
  it.each<[DataPiece[], string]>([
    [[['data', 'a=b']], 'a=b'],
    [
      [
        ['data', 'a'],
        ['data-ascii', 'b'],
        ['data', ''],
      ],
      'a&b&',
    ],
    [[['data', '"q"']], '"q"'],
    [[['data', '@lines.txt']], 'a=1bc'],
    [
      [
        ['data', 'x'],
        ['data', '@-'],
      ],
      'x&from stdin',
    ],
    [[['data-raw', '@lines.txt']], '@lines.txt'],
    [[['data-binary', '@lines.txt']], 'a=1\r\nb\n\0c'],
    [[['data-urlencode', 'a b&\u00e9/*~-._']], 'a+b%26%C3%A9%2F%2A~-._'],
    [[['data-urlencode', '=a=b']], 'a%3Db'],
    [[['data-urlencode', 'n=a b']], 'n=a+b'],
    [[['data-urlencode', '@lines.txt']], 'a%3D1%0D%0Ab%0A%00c'],
    [[['data-urlencode', 'n@lines.txt']], 'n=a%3D1%0D%0Ab%0A%00c'],
    [[['data-urlencode', 'n=@lines.txt']], 'n=%40lines.txt'],
  ])('%j', async (pieces, expected) => {
    const body = await dataBody(pieces, sources);
    expect(await text(body)).toBe(expected);
    expect(body.length).toBe(expected.length);
    expect(body.contentType).toBe('application/x-www-form-urlencoded');
  });

  it('--json stands behind what was there, and says what it is', async () => {
    const pieces: DataPiece[] = [
      ['data', '{"a":'],
      ['json', '1}'],
      ['data', 'b'],
    ];
    const body = await dataBody(pieces, sources);
    expect(await text(body)).toBe('{"a":1}&b');
    expect(body).toMatchObject({ contentType: 'application/json', accept: 'application/json' });
    expect(await text(await dataBody([['json', '@lines.txt']], sources))).toBe('a=1\r\nb\n\0c');
  });

  it.each(['@none', '@.'])('%s cannot be read: exit code 26', async (value) => {
    await expect(dataBody([['data', value]], sources)).rejects.toMatchObject({ exitCode: 26 });
    await expect(dataBody([['data-urlencode', `n${value}`]], sources)).rejects.toMatchObject({ exitCode: 26 });
    await expect(formBody([`a=${value}/none`], sources)).rejects.toMatchObject({ exitCode: 26 });
  });

  it('-G puts it behind the URL', async () => {
    const data = await dataBody(
      [
        ['data', 'a=\u00e9#'],
        ['data', 'b'],
      ],
      sources,
    );
    expect(withQuery(new URL('http://a/p'), data).href).toBe('http://a/p?a=%C3%A9%23&b');
    expect(withQuery(new URL('http://a/p?x=1'), data).href).toBe('http://a/p?x=1&a=%C3%A9%23&b');
    const spaced = await dataBody([['data', 'a b']], sources);
    expect(() => withQuery(new URL('http://a/'), spaced)).toThrow(expect.objectContaining({ exitCode: 3 }));
  });
});

describe('a body that is counted', () => {
  const count = (): { bytesUploaded: number; uploadLength: number | undefined } => ({
    bytesUploaded: 0,
    uploadLength: undefined,
  });

  it('in memory: at once', async () => {
    const counts = count();
    const body = await dataBody([['data', 'abc']], sources);
    expect(Buffer.from(countedBody(body, counts) as Uint8Array).toString()).toBe('abc');
    expect(counts).toEqual({ bytesUploaded: 3, uploadLength: 3 });
  });

  it('of a file: as it is read, each time from 0', async () => {
    const counts = count();
    const body = await formBody(['a=@picture.png'], sources);
    const blob = countedBody(body, counts) as Blob;
    expect(blob.size).toBe(body.length);
    for (let round = 0; round < 2; round += 1) {
      let read = 0;
      for await (const piece of blob.stream() as ReadableStream<Uint8Array>) read += piece.length;
      expect(read).toBe(body.length);
      expect(counts).toEqual({ bytesUploaded: body.length, uploadLength: body.length });
    }
    expect(canRepeat(body)).toBe(true);
  });

  it('that comes piece by piece', async () => {
    const counts = count();
    async function* pieces(): AsyncGenerator<Uint8Array, void> {
      yield Buffer.from('ab');
      yield Buffer.from('c');
    }
    const body: CommandBody = { body: pieces, contentType: undefined, accept: undefined, length: undefined };
    for await (const piece of countedBody(body, counts) as AsyncIterable<Uint8Array>) {
      expect(piece.length).toBeGreaterThan(0);
    }
    expect(counts).toEqual({ bytesUploaded: 3, uploadLength: undefined });
    expect(canRepeat(body)).toBe(false);
  });
});

describe('-F (RFC 7578)', () => {
  it.each([
    ['a=b', 'name="a"', undefined, 'b'],
    ['a=b;type=application/json', 'name="a"', 'application/json', 'b'],
    ['a={"x":1};type=application/json', 'name="a"', 'application/json', '{"x":1}'],
    ['a=b;c', 'name="a"', undefined, 'b;c'],
    ['a="b;c"', 'name="a"', undefined, 'b;c'],
    ['a="b\\"c"', 'name="a"', undefined, 'b"c'],
    ['a=', 'name="a"', undefined, ''],
    ['a"\n=b', 'name="a%22%0A"', undefined, 'b'],
    ['a=@picture.png', 'name="a"; filename="picture.png"', 'image/png', '\x01\x02\x03'],
    ['a=@picture.png;type=x/y;filename="b;c"', 'name="a"; filename="b;c"', 'x/y', '\x01\x02\x03'],
    ['a=@-;filename=in', 'name="a"; filename="in"', 'application/octet-stream', 'from stdin\n'],
    ['a=<lines.txt', 'name="a"', undefined, 'a=1\r\nb\n\0c'],
  ])('%s', async (value, disposition, type, content) => {
    const body = await formBody([value], sources, 'B');
    const lines = [`--B`, `Content-Disposition: form-data; ${disposition}`];
    if (type !== undefined) lines.push(`Content-Type: ${type}`);
    expect(await text(body)).toBe([...lines, '', content, '--B--', ''].join('\r\n'));
    expect(body.length).toBe((await text(body)).length);
    expect(body.contentType).toBe('multipart/form-data; boundary=B');
  });

  it('is what a standard parser reads', async () => {
    const body = await formBody(['a=1', 'f=@picture.png'], sources);
    expect([...(await parseForm(body.body as Blob, body.contentType ?? ''))]).toEqual([
      ['a', '1'],
      ['f', 'picture.png: \x01\x02\x03'],
    ]);
  });

  it.each(['abc', '=b', ''])('%j has no name', async (value) => {
    await expect(formBody([value], sources)).rejects.toMatchObject({ exitCode: 2 });
  });

  it('takes no line break as a media type', async () => {
    await expect(formBody(['a=b;type=x\r\ny: z'], sources)).rejects.toMatchObject({ exitCode: 2 });
  });
});
