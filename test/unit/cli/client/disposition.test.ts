/**
 * Names of files from Content-Disposition (RFC 6266, RFC 8187).
 */
import { describe, expect, it } from 'vitest';
import { dispositionName } from '../../../../cli/client/disposition.ts';

describe('-J', () => {
  it.each([
    ['attachment; filename="a b.txt"', 'a b.txt'],
    ['attachment; filename=a.txt', 'a.txt'],
    ['inline;FILENAME = "a;b.txt"; x=y', 'a;b.txt'],
    ['attachment; filename="a\\"b.txt"', undefined],
    ['attachment; filename="quo\\\\te.txt"', 'te.txt'],
    ["attachment; filename=plain.txt; filename*=UTF-8''%c3%bc%20x.txt", 'ü x.txt'],
    ["attachment; filename=plain.txt; filename*=UTF-8''%zz", 'plain.txt'],
    ["attachment; filename=plain.txt; filename*=iso-8859-1''%fc", 'plain.txt'],
    ['attachment; filename="../../etc/passwd"', 'passwd'],
    ['attachment; filename="C:\\\\Windows\\\\a.txt"', 'a.txt'],
    ["attachment; filename*=UTF-8''..%2F..%2Fa.txt", 'a.txt'],
    ['attachment; filename=".bashrc"', undefined],
    ['attachment; filename="a/"', undefined],
    ['attachment; filename=".."', undefined],
    ['attachment; filename="con.txt"', undefined],
    ['attachment; filename="a.txt "', undefined],
    ['attachment; filename="a:stream"', undefined],
    ["attachment; filename*=UTF-8''a%0ab", undefined],
    ["attachment; filename*=UTF-8''gpj%e2%80%ae.exe", undefined],
    [`attachment; filename="${'x'.repeat(300)}"`, undefined],
    ['attachment', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j: %j', (field, expected) => {
    expect(dispositionName(field)).toBe(expected);
  });

  it('is read in linear time', () => {
    expect(dispositionName(`attachment${'; a="\\\\'.repeat(50_000)}`)).toBeUndefined();
    expect(dispositionName(`attachment${'; '.repeat(100_000)}`)).toBeUndefined();
    expect(dispositionName(`attachment;${' '.repeat(200_000)}x`)).toBeUndefined();
  });
});
