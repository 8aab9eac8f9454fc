import { describe, expect, it } from 'vitest';
import { ZstdFrames } from '../../../src/client/zstd-frames.ts';

const magic = [0x28, 0xb5, 0x2f, 0xfd];
/** A block header: last, kind, size. */
const block = (last: number, kind: number, size: number): number[] => {
  const header = last | (kind << 1) | (size << 3);
  return [header & 0xff, (header >> 8) & 0xff, header >> 16];
};

/** The lengths after which the stream may end, walked octet by octet, and whether the whole agrees. */
function ends(octets: readonly number[]): number[] {
  const frames = new ZstdFrames();
  const found: number[] = [];
  octets.forEach((octet, index) => {
    frames.push(Uint8Array.of(octet));
    if (frames.complete) found.push(index + 1);
  });
  const whole = new ZstdFrames();
  whole.push(Uint8Array.from(octets));
  expect(whole.complete).toBe(frames.complete);
  return found;
}

describe('the frames of Zstandard (RFC 8878 section 3.1)', () => {
  it('end behind their last block', () => {
    const raw = [...magic, 0x00, 0x58, ...block(0, 0, 2), 1, 2, ...block(1, 0, 1), 3];
    expect(ends(raw)).toEqual([raw.length]);
  });

  it('end behind their checksum', () => {
    const summed = [...magic, 0x04, 0x58, ...block(1, 0, 1), 3, 9, 9, 9, 9];
    expect(ends(summed)).toEqual([summed.length]);
  });

  it.each([
    [0x20, 1],
    [0x21, 2],
    [0x22, 3],
    [0x23, 5],
    [0x40, 3],
    [0x60, 2],
    [0x80, 5],
    [0xc0, 9],
    [0xe3, 12],
  ])('have a header whose size follows from its descriptor %i', (descriptor, size) => {
    const frame = [...magic, descriptor, ...Array<number>(size).fill(7), ...block(1, 0, 0)];
    expect(ends(frame)).toEqual([frame.length]);
  });

  it('have one octet in a block that repeats it', () => {
    const frame = [...magic, 0x20, 5, ...block(1, 1, 5), 42];
    expect(ends(frame)).toEqual([frame.length]);
  });

  it('follow each other, with frames to skip between them', () => {
    const frame = [...magic, 0x20, 0, ...block(1, 0, 0)];
    const skippable = [0x5a, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 1];
    const none = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0];
    const all = [...frame, ...skippable, ...none, ...frame];
    expect(ends(all)).toEqual([9, 19, 27, 36]);
  });

  it('are not to be found in what is no Zstandard, which the decoder refuses', () => {
    expect(ends([1, 2, 3])).toEqual([]);
    expect(ends([1, 2, 3, 4, 5])).toEqual([4, 5]);
    expect(ends([...magic, 0x20, 0, ...block(1, 3, 0)])).toEqual([9]);
    expect(new ZstdFrames().complete).toBe(false);
  });
});
