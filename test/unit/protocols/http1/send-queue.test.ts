import { describe, expect, it } from 'vitest';
import { SendQueue } from '../../../../src/protocols/http1/send-queue.ts';

function length(portion: Uint8Array[] | undefined): number {
  return (portion ?? []).reduce((sum, piece) => sum + piece.length, 0);
}

describe('the queue of output', () => {
  it('knows positions', () => {
    const queue = new SendQueue();
    queue.writeText('head');
    queue.writeBytes(new Uint8Array(10));
    queue.writeBytes(new Uint8Array(0));
    expect([queue.pending, queue.taken, queue.written]).toEqual([14, 0, 14]);
    expect(length(queue.take(0))).toBe(14);
    expect([queue.pending, queue.taken, queue.written]).toEqual([0, 14, 14]);
    expect(queue.take(0)).toBeUndefined();
  });

  it('gives large amounts in portions that grow while it is asked again soon', () => {
    const queue = new SendQueue();
    const big = new Uint8Array(4_000_000).map((_, index) => index % 251);
    queue.writeText('head');
    queue.writeBytes(big);
    const sizes: number[] = [];
    const all: Uint8Array[] = [];
    for (let portion = queue.take(0); portion !== undefined; portion = queue.take(1)) {
      sizes.push(length(portion));
      all.push(...portion);
      expect(queue.taken + queue.pending).toBe(4_000_004);
    }
    expect(sizes.slice(0, 5)).toEqual([65_536, 131_072, 262_144, 524_288, 1_048_576]);
    expect(Buffer.concat(all).subarray(4).equals(big)).toBe(true);
  });

  it('falls back to small portions for a slow peer', () => {
    const queue = new SendQueue();
    queue.writeBytes(new Uint8Array(1_000_000));
    expect(length(queue.take(0))).toBe(65_536);
    expect(length(queue.take(1))).toBe(131_072);
    expect(length(queue.take(10_000))).toBe(65_536);
  });

  it('keeps the order of what is written while portions wait', () => {
    const queue = new SendQueue();
    queue.writeBytes(new Uint8Array(70_000).fill(1));
    queue.take(0);
    queue.writeText('end');
    const rest = Buffer.concat(queue.take(1000) ?? []);
    expect(rest.subarray(-3).toString('latin1')).toBe('end');
    expect(rest.length).toBe(70_000 - 65_536 + 3);
  });

  it('forgets what it drops', () => {
    const queue = new SendQueue();
    queue.writeBytes(new Uint8Array(100_000));
    queue.take(0);
    queue.clear();
    expect([queue.pending, queue.written]).toEqual([0, 65_536]);
    expect(queue.take(0)).toBeUndefined();
  });
});
