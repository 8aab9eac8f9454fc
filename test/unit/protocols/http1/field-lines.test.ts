import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../../src/common/index.ts';
import { FieldLines } from '../../../../src/protocols/http1/field-lines.ts';

const START = 'HTTP/1.1 200 OK\r\n';

function join(lines: FieldLines, fields: readonly string[], start = START): string {
  lines.begin();
  for (let index = 0; index < fields.length; index += 2)
    lines.add(fields[index] as string, fields[index + 1] as string);
  return lines.join(start);
}

function plain(fields: readonly string[], start = START): string {
  let text = start;
  for (let index = 0; index < fields.length; index += 2)
    text += `${fields[index] as string}: ${fields[index + 1] as string}\r\n`;
  return text;
}

describe('heads on their way out', () => {
  it('are encoded from the second time on', () => {
    const lines = new FieldLines();
    const fields = ['content-type', 'text/plain', 'x', 'é'];
    expect(join(lines, fields)).toBe(plain(fields));
    expect(lines.encoded).toBeUndefined();
    expect(join(lines, fields)).toBe(plain(fields));
    expect(Buffer.from(lines.encoded ?? []).toString('latin1')).toBe(`${plain(fields)}\r\n`);
    expect(join(lines, fields, 'HTTP/1.1 404 Not Found\r\n')).toBe(plain(fields, 'HTTP/1.1 404 Not Found\r\n'));
    expect(lines.encoded).toBeUndefined();
  });

  it('refuse what may not be sent, every time', () => {
    const lines = new FieldLines();
    for (const [name, value] of [
      ['x', 'a\r\nb: c'],
      ['X', 'a'],
      ['connection', 'close'],
      [':status', '200'],
    ] as const) {
      for (let time = 0; time < 2; time += 1) {
        expect(() => join(lines, ['a', 'b', name, value])).toThrow(LocalProtocolError);
      }
    }
  });

  it('are not mixed up with one that was begun and given up', () => {
    const lines = new FieldLines();
    join(lines, ['a', '1', 'b', '2']);
    join(lines, ['a', '1', 'b', '2']);
    expect(() => join(lines, ['c', '3', 'bad name', ''])).toThrow();
    expect(join(lines, ['c', '3', 'b', '2'])).toBe(plain(['c', '3', 'b', '2']));
  });

  it('come out as they would without any memory, whatever came before', () => {
    const field = fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'bad name'),
      fc.constantFrom('1', '2', 'x'.repeat(200), 'bad\n'),
    );
    const head = fc.tuple(fc.array(field, { maxLength: 4 }), fc.constantFrom(START, 'HTTP/1.1 204 No Content\r\n'));
    fc.assert(
      fc.property(fc.array(head, { maxLength: 12 }), (heads) => {
        const lines = new FieldLines();
        for (const [pairs, start] of heads) {
          const fields = pairs.flat();
          if (fields.some((text) => text.startsWith('bad'))) {
            expect(() => join(lines, fields, start)).toThrow(LocalProtocolError);
            continue;
          }
          expect(join(lines, fields, start)).toBe(plain(fields, start));
          const { encoded } = lines;
          if (encoded !== undefined)
            expect(Buffer.from(encoded).toString('latin1')).toBe(`${plain(fields, start)}\r\n`);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('are bounded in memory: many names, long values', () => {
    const lines = new FieldLines();
    for (let index = 0; index < 1000; index += 1) {
      const fields = [`x-${String(index)}`, 'y'.repeat(index)];
      expect(join(lines, fields)).toBe(plain(fields));
      expect(join(lines, fields)).toBe(plain(fields));
    }
    const long = ['x', 'y'.repeat(5000)];
    join(lines, long);
    join(lines, long);
    expect(lines.encoded).toBeUndefined();
  });
});
