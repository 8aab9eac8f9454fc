/**
 * The line of progress: when it is drawn, that it fits, that nothing of it stays.
 */
import { describe, expect, it } from 'vitest';
import { Progress } from '../../../../cli/client/progress.ts';
import type { ProgressCount } from '../../../../cli/client/progress.ts';
import type { TerminalOutput } from '../../../../cli/context.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { httpPeer, runClient } from './peers.ts';

/** One row of a terminal, as people see it. */
class Row implements TerminalOutput {
  columns = 60;
  text = '';
  cursor = 0;
  written = '';
  readonly listeners = new Set<() => void>();

  write(text: string): void {
    this.written += text;
    for (const [part] of text.matchAll(/\x1b\[J|\r|[^\x1b\r]+/g)) {
      if (part === '\x1b[J') this.text = this.text.slice(0, this.cursor);
      else if (part === '\r') this.cursor = 0;
      else {
        this.text = this.text.slice(0, this.cursor) + part + this.text.slice(this.cursor + part.length);
        this.cursor += part.length;
      }
    }
  }

  onResize(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  resize(columns: number): void {
    this.columns = columns;
    for (const listener of this.listeners) listener();
  }
}

function setUp(bar = false, all = 1): { row: Row; clock: ManualClock; progress: Progress; count: ProgressCount } {
  const row = new Row();
  const clock = new ManualClock();
  const progress = new Progress(row, clock, bar, all);
  const count = { bytesDownloaded: 0, bytesUploaded: 0, downloadLength: undefined, uploadLength: undefined };
  progress.begin(count);
  return { row, clock, progress, count };
}

const MIB = 1 << 20;

describe('progress', () => {
  it('is not shown for what is quick', async () => {
    const { row, clock, progress, count } = setUp();
    await clock.advance(600);
    progress.end(count);
    progress.close();
    expect(row.written).toBe('');
    expect(row.listeners.size).toBe(0);
    expect(clock.scheduled).toBe(0);
  });

  it('shows share, size, speed and the time that is left', async () => {
    const { row, clock, progress, count } = setUp();
    count.downloadLength = 100 * MIB;
    for (let second = 0; second < 20; second += 1) {
      count.bytesDownloaded += 2 * MIB;
      await clock.advance(1000);
    }
    expect(row.text).toMatch(/^ 40\.0% {2}40\.0 MiB of 100\.0 MiB {2}[12]\.\d MiB\/s {2}0:[2-5]\d left$/);
    expect(row.cursor).toBe(0);
    progress.close();
    expect(row).toMatchObject({ text: '', cursor: 0 });
  });

  it('shows what there is to show when the length is not known', async () => {
    const { row, clock, progress, count } = setUp();
    count.bytesDownloaded = 3 * MIB;
    await clock.advance(1_000);
    expect(row.text).toMatch(/^3\.0 MiB {2}\S+ MiB\/s {2}0:01$/);
    progress.close();
    expect(row.text).toBe('');
  });

  it('follows an upload before the response', async () => {
    const { row, clock, progress, count } = setUp();
    count.uploadLength = 10 * MIB;
    count.bytesUploaded = 5 * MIB;
    await clock.advance(1_000);
    expect(row.text).toContain('50.0%  5.0 MiB of 10.0 MiB');
    count.bytesUploaded = 10 * MIB;
    count.downloadLength = 100;
    count.bytesDownloaded = 10;
    await clock.advance(1_000);
    expect(row.text).toContain('10.0%  10 B of 100 B');
    progress.close();
    expect(row.text).toBe('');
  });

  it.each([80, 40, 20, 8, 3, 1, 0])('fits a terminal of %i columns, as a line and as a bar', async (columns) => {
    for (const bar of [false, true]) {
      const { row, clock, progress, count } = setUp(bar);
      row.columns = columns;
      count.downloadLength = 1000;
      count.bytesDownloaded = 500;
      await clock.advance(1_000);
      expect(row.text.length).toBeLessThan(Math.max(1, columns));
      if (columns >= 20) expect(row.text).toContain('50.0%');
      progress.close();
      expect(row.text).toBe('');
    }
  });

  it('is drawn anew when the terminal changes its size', async () => {
    const { row, clock, progress, count } = setUp(true);
    count.downloadLength = 1000;
    count.bytesDownloaded = 500;
    await clock.advance(1_000);
    expect(row.text).toBe(`${'#'.repeat(26)}${' '.repeat(26)}  50.0%`);
    row.resize(20);
    expect(row.text).toBe(`######${' '.repeat(6)}  50.0%`);
    progress.pause();
    row.resize(60);
    expect(row.text).toBe('');
    progress.close();
  });

  it('makes way for messages, and comes again', async () => {
    const { row, clock, progress } = setUp();
    await clock.advance(1_000);
    expect(row.text).not.toBe('');
    progress.pause();
    expect(row).toMatchObject({ text: '', cursor: 0 });
    await clock.advance(200);
    expect(row.text).not.toBe('');
    progress.close();
    await clock.advance(10_000);
    expect(row.text).toBe('');
  });

  it('sums many transfers up', async () => {
    const { row, clock, progress, count } = setUp(false, 3);
    count.bytesDownloaded = MIB;
    progress.end(count);
    progress.begin({ ...count, bytesDownloaded: 2 * MIB });
    await clock.advance(1_000);
    expect(row.text).toMatch(/^1 of 3 {2}3\.0 MiB/);
    progress.close();
  });
});

describe('the command', () => {
  const quick = async (words: readonly string[], terminal: boolean): Promise<Row> => {
    // Longer than the patience.
    const peer = await httpPeer((_request, response) => {
      response.write('a');
      setTimeout(() => response.end('b'), 1_000);
    });
    const row = new Row();
    const run = await runClient([...words, peer.url], { errorTerminal: row, terminal });
    expect(run).toMatchObject({ code: 0, stdout: 'ab', stderr: '' });
    await peer.close();
    return row;
  };

  it('shows it only where the body is elsewhere, and not when it shall be silent', async () => {
    const [shown, ...others] = await Promise.all([
      quick([], false),
      quick([], true),
      quick(['-s'], false),
      quick(['--no-progress-meter'], false),
    ]);
    expect(shown.written).toContain('1 B');
    expect(shown.text).toBe('');
    expect(others.map((row) => row.written)).toEqual(['', '', '']);
  });
});
