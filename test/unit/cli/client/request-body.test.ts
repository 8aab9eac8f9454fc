import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { CommandBody } from '../../../../cli/client/request-body.ts';
import { dataBody, formBody } from '../../../../cli/client/request-body.ts';
import { parseForm } from './parse-form.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-body-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(path.join(folder, 'lines.txt'), 'a=1\r\nb\n\0c');
writeFileSync(path.join(folder, 'picture.png'), Buffer.from([1, 2, 3]));
const sources = { directory: folder, readInput: async () => Buffer.from('from stdin\n') };

async function text(body: CommandBody): Promise<string> {
  const { body: content } = body;
  return Buffer.from(content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : content).toString(
    'latin1',
  );
}

describe('-d', () => {
  it.each([
    [['a=b'], 'a=b'],
    [['a', 'b', ''], 'a&b&'],
    [['"q"'], '"q"'],
    [['@lines.txt'], 'a=1bc'],
    [['x', '@-'], 'x&from stdin'],
  ])('%j', async (values, expected) => {
    const body = await dataBody(values, sources);
    expect(await text(body)).toBe(expected);
    expect(body.length).toBe(expected.length);
    expect(body.contentType).toBe('application/x-www-form-urlencoded');
  });

  it.each(['@none', '@.'])('%s cannot be read: exit code 26', async (value) => {
    await expect(dataBody([value], sources)).rejects.toMatchObject({ exitCode: 26 });
    await expect(formBody([`a=${value}/none`], sources)).rejects.toMatchObject({ exitCode: 26 });
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
    expect([...(await parseForm(body.body, body.contentType))]).toEqual([
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
