import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { WriteBytes } from '../../../cli/line-writer.ts';
import { LineWriter } from '../../../cli/line-writer.ts';

/** A file that is written when the test says so. */
class SlowFile {
  text = '';
  writes = 0;
  #pending: { readonly bytes: Uint8Array; readonly done: Parameters<WriteBytes>[1] } | undefined;

  readonly write: WriteBytes = (bytes, done) => {
    expect(this.#pending, 'one write at a time').toBeUndefined();
    this.writes += 1;
    this.#pending = { bytes, done };
  };

  /** Takes some bytes of the write that waits, or all. */
  take(count?: number): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending === undefined) return;
    const taken = pending.bytes.subarray(0, count);
    this.text += Buffer.from(taken).toString('utf8');
    pending.done(null, taken.length);
  }

  fail(code: string): void {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.done(Object.assign(new Error(code), { code }), 0);
  }
}

describe('LineWriter', () => {
  it('writes at once, and gathers what comes while a write runs', () => {
    const file = new SlowFile();
    const lines = new LineWriter(file.write);
    lines.line('a');
    lines.line('b');
    lines.line('c');
    expect(file.writes).toBe(1);
    file.take();
    expect(file.writes).toBe(2);
    file.take();
    expect(file.text).toBe('a\nb\nc\n');
  });

  it('goes on where a write took a part only', () => {
    const file = new SlowFile();
    const lines = new LineWriter(file.write);
    lines.line('abcdef');
    file.take(2);
    file.take(3);
    file.take();
    expect(file.text).toBe('abcdef\n');
  });

  it('holds a bounded amount for a reader that does not read, and says how much was dropped', () => {
    const file = new SlowFile();
    const lines = new LineWriter(file.write);
    const line = 'x'.repeat(999);
    for (let count = 0; count < 5_000; count += 1) lines.line(line);
    expect(lines.dropped).toBeGreaterThan(3_900);
    file.take();
    file.take();
    file.take();
    const kept = file.text.split('\n').filter((text) => text === line).length;
    const dropped = Number(/\((\d+) lines were dropped/.exec(file.text)?.[1]);
    expect(kept + dropped).toBe(5_000);
    expect(kept * 1_000).toBeLessThan(1_100_000);
    expect(lines.dropped).toBe(0);
  });

  it('tries again when a descriptor is full', async () => {
    const file = new SlowFile();
    const lines = new LineWriter(file.write);
    lines.line('a');
    file.fail('EAGAIN');
    const flushed = lines.flush(60_000);
    while (file.writes < 2) await new Promise((resolve) => setTimeout(resolve, 1));
    file.take();
    await flushed;
    expect(file.text).toBe('a\n');
  });

  it('gives up quietly when nobody reads any more', async () => {
    const file = new SlowFile();
    const lines = new LineWriter(file.write);
    lines.line('a');
    lines.line('b');
    file.fail('EPIPE');
    lines.line('c');
    await lines.flush(60_000);
    expect(file.writes).toBe(1);
  });

  it('flushes, but waits no longer than asked', async () => {
    const file = new SlowFile();
    const lines = new LineWriter(file.write);
    await lines.flush(60_000);
    lines.line('a');
    await lines.flush(1);
    expect(file.text).toBe('');
  });

  it('writes to a descriptor', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-lines-'));
    const descriptor = openSync(path.join(folder, 'log'), 'w');
    try {
      const lines = new LineWriter(descriptor);
      for (let count = 0; count < 1_000; count += 1) lines.line(`line ${count}`);
      await lines.flush(60_000);
      const text = readFileSync(path.join(folder, 'log'), 'utf8');
      expect(text.split('\n')).toHaveLength(1_001);
      expect(text).toMatch(/^line 0\nline 1\n/);
    } finally {
      closeSync(descriptor);
      rmSync(folder, { recursive: true });
    }
  });
});
