import { describe, expect, it } from 'vitest';
import { SectionReader } from '../../../../src/protocols/http1/section-reader.ts';
import { ReceiveBuffer } from '../../../../src/wire/index.ts';
import { chunkings } from '../../../support/chunkings.ts';

const HEAD = 'GET / HTTP/1.1\r\nHost: a\r\n';

describe('cutting a section (RFC 9112 section 2.1)', () => {
  it.each(chunkings(`${HEAD}\r\nrest`))('finds its end: $name', ({ chunks }) => {
    const reader = new SectionReader();
    const buffer = new ReceiveBuffer();
    let text: string | undefined;
    for (const chunk of chunks) {
      buffer.append(chunk);
      text ??= reader.read(buffer, 1000);
    }
    expect(text).toBe(HEAD);
    expect(buffer.latin1(0, buffer.size)).toBe('rest');
  });

  it('says of every true prefix that more is needed', () => {
    for (let length = 0; length < HEAD.length + 2; length += 1) {
      const buffer = new ReceiveBuffer();
      buffer.append(Buffer.from(`${HEAD}\r\n`.slice(0, length), 'latin1'));
      expect(new SectionReader().read(buffer, 1000)).toBeUndefined();
    }
  });

  it.each([
    ['GET / HTTP/1.1\n', /bare LF/],
    ['GET / HTTP/1.1\r\nA: b\n', /bare LF/],
    ['GET / HTTP/1.1\rA', /bare CR/],
    ['GET / HTTP/1.1\r\r', /bare CR/],
    ['GET \u0000', /0x00/],
    ['\u0016\u0003\u0001', /0x16/],
    ['GET /\u007f', /0x7f/],
  ])('refuses %j before the section is complete (section 2.2)', (text, sentence) => {
    for (const { name, chunks } of chunkings(text)) {
      const reader = new SectionReader();
      const buffer = new ReceiveBuffer();
      expect(() => {
        for (const chunk of chunks) {
          buffer.append(chunk);
          reader.read(buffer, 1000);
        }
      }, name).toThrow(sentence);
    }
  });

  it('tells when the limit cannot be kept any more, and not before', () => {
    const reader = new SectionReader();
    const buffer = new ReceiveBuffer();
    buffer.append(Buffer.from('x: 123456\r\n', 'latin1'));
    expect(reader.read(buffer, 11)).toBeUndefined();
    expect(reader.overrun(buffer, 11)).toBe(false);
    buffer.append(Buffer.from('\r\n', 'latin1'));
    expect(reader.read(buffer, 11)).toBe('x: 123456\r\n');

    const longer = new ReceiveBuffer();
    longer.append(Buffer.from('x: 1234567\r\n\r\n', 'latin1'));
    expect(reader.read(longer, 11)).toBeUndefined();
    expect(reader.overrun(longer, 11)).toBe(true);
  });
});
