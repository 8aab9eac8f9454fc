import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, NEED_MORE } from '../../../src/wire/index.ts';

describe('ByteReader', () => {
  it('reads numbers most significant octet first', () => {
    const reader = new ByteReader(Uint8Array.of(0x01, 0xfe, 0xdc, 0xff, 0xee, 0xdd, 0xff, 0xff, 0xff, 0xff));
    expect(reader.readUint8()).toBe(1);
    expect(reader.readUint16()).toBe(0xfedc);
    expect(reader.readUint24()).toBe(0xffeedd);
    expect(reader.readUint32()).toBe(0xffffffff);
    expect(reader.atEnd).toBe(true);
  });

  it('asks for more without moving', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const reads: ((reader: ByteReader) => number)[] = [
      (reader) => reader.readUint8(),
      (reader) => reader.readUint16(),
      (reader) => reader.readUint24(),
      (reader) => reader.readUint32(),
    ];
    for (const [index, read] of reads.entries()) {
      for (let length = 0; length <= index; length += 1) {
        const reader = new ByteReader(bytes, 0, length);
        expect(read(reader)).toBe(NEED_MORE);
        expect(reader.position).toBe(0);
        expect(reader.remaining).toBe(length);
      }
    }
    expect(new ByteReader(bytes, 4).peekUint8()).toBe(NEED_MORE);
  });

  it('gives views, not copies, and never past the end of its range', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const reader = new ByteReader(bytes, 1, 5);
    const view = reader.readBytes(2);
    expect(view).toEqual(Uint8Array.of(2, 3));
    expect(view?.buffer).toBe(bytes.buffer);
    expect(reader.readBytes(3)).toBeUndefined();
    expect(reader.skip(3)).toBe(false);
    expect(reader.skip(1)).toBe(true);
    expect(reader.readRest()).toEqual(Uint8Array.of(5));
    expect(reader.readRest().length).toBe(0);
    expect(reader.readBytes(0)?.length).toBe(0);
  });

  it('does not believe a range beyond its bytes', () => {
    const reader = new ByteReader(Uint8Array.of(1), 0, 100);
    expect(reader.remaining).toBe(1);
    reader.reset(Uint8Array.of(1, 2), 9);
    expect(reader.atEnd).toBe(true);
    expect(reader.readUint8()).toBe(NEED_MORE);
    reader.reset(Uint8Array.of(7));
    expect(reader.readUint8()).toBe(7);
  });
});

describe('ByteWriter', () => {
  it('writes what the reader reads', () => {
    const writer = new ByteWriter(1);
    writer.writeUint8(0xab);
    writer.writeUint16(0x1234);
    writer.writeUint24(0xabcdef);
    writer.writeUint32(0x89abcdef);
    writer.writeBytes(Uint8Array.of(9, 8));
    writer.writeLatin1('a\xff');
    writer.writeVarint(7, 4);
    expect(writer.length).toBe(18);
    const reader = new ByteReader(writer.finish());
    expect(reader.readUint8()).toBe(0xab);
    expect(reader.readUint16()).toBe(0x1234);
    expect(reader.readUint24()).toBe(0xabcdef);
    expect(reader.readUint32()).toBe(0x89abcdef);
    expect(reader.readBytes(4)).toEqual(Uint8Array.of(9, 8, 0x61, 0xff));
    expect(reader.readVarint()).toBe(7);
    expect(reader.atEnd).toBe(true);
    expect(writer.length).toBe(0);
  });

  it('corrects a length that was not known before', () => {
    const writer = new ByteWriter();
    writer.writeUint24(0);
    writer.writeUint16(0);
    writer.writeSpace(3).set([1, 2, 3]);
    writer.setUint24(0, writer.length);
    writer.setUint16(3, 3);
    expect(writer.view()).toEqual(Uint8Array.of(0, 0, 8, 0, 3, 1, 2, 3));
  });

  it('never writes to what it gave away', () => {
    const writer = new ByteWriter(64);
    writer.writeUint8(1);
    const first = writer.finish();
    writer.writeUint8(2);
    expect(first).toEqual(Uint8Array.of(1));
    expect(writer.finish()).toEqual(Uint8Array.of(2));
    expect(writer.finish().length).toBe(0);
  });
});
