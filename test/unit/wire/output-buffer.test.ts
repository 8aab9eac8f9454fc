import { describe, expect, it } from 'vitest';
import { JOINED_CHUNK_LIMIT, OutputBuffer } from '../../../src/wire/index.ts';

function text(pieces: Uint8Array[] | undefined): string {
  return Buffer.concat(pieces ?? []).toString('latin1');
}

describe('OutputBuffer', () => {
  it('makes one piece of a head and a small body', () => {
    const output = new OutputBuffer();
    output.writeLatin1('HTTP/1.1 200 OK\r\n');
    output.writeLatin1('Content-Length: 2\r\n\r\n');
    output.write(Buffer.from('hi'));
    output.writeLatin1('!');
    expect(output.size).toBe(41);
    const pieces = output.take();
    expect(pieces?.length).toBe(1);
    expect(text(pieces)).toBe('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!');
    expect(output.size).toBe(0);
    expect(output.take()).toBeUndefined();
  });

  it('passes a message that goes out alone as it is, and joins one that does not', () => {
    const output = new OutputBuffer();
    const message = Buffer.from('GET / HTTP/1.1\r\n\r\n');
    output.writeAlone(message);
    expect(output.size).toBe(message.length);
    const alone = output.take();
    expect(alone).toHaveLength(1);
    expect(alone?.[0]).toBe(message);
    output.writeLatin1('before ');
    output.writeAlone(message);
    output.writeLatin1('behind');
    const joined = output.take();
    expect(joined).toHaveLength(1);
    expect(text(joined)).toBe('before GET / HTTP/1.1\r\n\r\nbehind');
    output.writeAlone(message);
    output.writeAlone(message);
    expect(text(output.take())).toBe('GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n');
    // What was given away twice was never written to.
    expect(message.toString('latin1')).toBe('GET / HTTP/1.1\r\n\r\n');
  });

  it('passes a large chunk uncopied, in its place', () => {
    const output = new OutputBuffer();
    const large = new Uint8Array(JOINED_CHUNK_LIMIT + 1).fill(0x61);
    output.writeLatin1('<');
    output.write(large);
    output.writeLatin1('>');
    output.write(Uint8Array.of(0x62));
    expect(output.size).toBe(large.length + 3);
    const pieces = output.take();
    expect(pieces?.length).toBe(3);
    expect(pieces?.[1]).toBe(large);
    expect(text(pieces)).toBe(`<${'a'.repeat(large.length)}>b`);
  });

  it('copies a chunk of the limit', () => {
    const output = new OutputBuffer();
    const chunk = new Uint8Array(JOINED_CHUNK_LIMIT);
    output.write(chunk);
    expect(output.take()?.[0]).not.toBe(chunk);
  });

  it('writes numbers between text', () => {
    const output = new OutputBuffer();
    output.writeUint8(1);
    output.writeUint16(0x0203);
    output.writeLatin1('ab');
    output.writeUint24(0x040506);
    output.writeUint32(0xf7080910);
    output.writeVarint(15_293);
    expect(Buffer.concat(output.take() ?? []).toString('hex')).toBe('0102036162040506f70809107bbd');
  });

  it('writes every octet as it is', () => {
    const output = new OutputBuffer();
    const all = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join('');
    output.writeLatin1(all);
    output.writeUint8(0);
    output.writeLatin1(all);
    expect(text(output.take())).toBe(`${all}\0${all}`);
  });

  it('never writes to what it gave away', () => {
    const output = new OutputBuffer();
    const taken: { pieces: Uint8Array[]; expected: string }[] = [];
    for (let round = 0; round < 200; round += 1) {
      output.writeLatin1(`head ${round} `);
      output.write(Buffer.from(`body ${round}`));
      taken.push({ pieces: output.take() ?? [], expected: `head ${round} body ${round}` });
    }
    for (const { pieces, expected } of taken) expect(text(pieces)).toBe(expected);
  });

  it('keeps pieces within bounds and the order of what was written', () => {
    const output = new OutputBuffer();
    const expected: string[] = [];
    for (let index = 0; index < 3000; index += 1) {
      const word = `${index} `.repeat(index % 40);
      expected.push(word, '|');
      output.writeLatin1(word);
      output.write(Buffer.from('|'));
    }
    const whole = expected.join('');
    expect(output.size).toBe(whole.length);
    const pieces = output.take() ?? [];
    expect(text(pieces)).toBe(whole);
    expect(Math.max(...pieces.map((piece) => piece.length))).toBeLessThanOrEqual(16_384);
    expect(pieces.length).toBeLessThan(whole.length / 8192 + 1);
  });

  it('makes the same pieces of the same writes, whatever other buffers do', () => {
    function run(disturb: boolean): number[] {
      const output = new OutputBuffer();
      const other = new OutputBuffer();
      const lengths: number[] = [];
      for (let index = 0; index < 100; index += 1) {
        output.writeLatin1('x'.repeat((index * 37) % 900));
        if (disturb) other.write(new Uint8Array((index * 91) % 4000));
        output.write(new Uint8Array((index * 53) % 5000));
        if (index % 7 === 6) lengths.push(...(output.take() ?? []).map((piece) => piece.length));
      }
      return lengths;
    }
    expect(run(true)).toEqual(run(false));
  });

  it('forgets everything on clear', () => {
    const output = new OutputBuffer();
    output.writeLatin1('a');
    output.writeUint8(1);
    output.write(new Uint8Array(10_000));
    output.writeLatin1('b');
    output.clear();
    expect(output.size).toBe(0);
    expect(output.take()).toBeUndefined();
  });
});
