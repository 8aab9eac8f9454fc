import { describe, expect, it } from 'vitest';
import { detachedView } from '../../../src/wire/index.ts';

describe('detachedView', () => {
  it('is a view where it shows much of the memory behind it, or that is small', () => {
    for (const [memory, length] of [
      [4096, 1],
      [16_000, 1000],
    ] as const) {
      const bytes = new Uint8Array(memory).fill(3);
      const view = detachedView(bytes, 5, 5 + length);
      expect(view.buffer).toBe(bytes.buffer);
      expect(view).toEqual(new Uint8Array(length).fill(3));
    }
  });

  it('is a copy where it would keep far more alive', () => {
    const bytes = new Uint8Array(65_536).fill(3);
    const view = detachedView(bytes, 100, 110);
    expect(view.buffer.byteLength).toBe(10);
    expect(view).toEqual(new Uint8Array(10).fill(3));
  });
});
