import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { basicCredentials, readFields } from '../../../../cli/client/fields.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-fields-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('readFields', () => {
  it.each([
    ['Accept: a/b', [['Accept', 'a/b']], []],
    ['A:b', [['A', 'b']], []],
    ['A:  b c \t', [['A', 'b c']], []],
    ['A: b: c', [['A', 'b: c']], []],
    ['A;', [['A', '']], []],
    ['User-Agent:', [], ['user-agent']],
    ['Accept: ', [], ['accept']],
    ['-a: b', [['-a', 'b']], []],
    ['A: ä', [['A', '\u00c3\u00a4']], []],
  ])('%j', async (line, fields, removed) => {
    const choice = await readFields([line], folder);
    expect(choice.fields).toEqual(fields);
    expect([...choice.removed]).toEqual(removed);
  });

  it.each(['', 'abc', 'a b: c', ': b', ' a: b', 'A; b', 'a\n: b'])('%j is no field', async (line) => {
    await expect(readFields([line], folder)).rejects.toMatchObject({ exitCode: 2 });
  });

  it.each(['Host:', 'content-length:'])('%s cannot be left out', async (line) => {
    await expect(readFields([line], folder)).rejects.toMatchObject({ exitCode: 2 });
  });

  it('reads a file of fields', async () => {
    writeFileSync(path.join(folder, 'fields'), 'A: b\r\n\nC: d\n');
    expect((await readFields(['@fields', 'E: f'], folder)).fields).toEqual([
      ['A', 'b'],
      ['C', 'd'],
      ['E', 'f'],
    ]);
    await expect(readFields(['@none'], folder)).rejects.toMatchObject({ exitCode: 26 });
  });
});

describe('basicCredentials (RFC 7617)', () => {
  it('is UTF-8 in base64', () => {
    expect(basicCredentials('Aladdin:open sesame')).toBe('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
    expect(basicCredentials('test:123£')).toBe('Basic dGVzdDoxMjPCow==');
  });
});
