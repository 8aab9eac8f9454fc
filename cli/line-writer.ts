/**
 * Lines to a file descriptor, without ever waiting for whoever reads it.
 *
 * Node writes to a terminal, and to files, synchronously: a terminal that was stopped (Ctrl-S) or a slow disk would
 * hold up every request. So lines are gathered here and written from Node's thread pool, one write at a time.
 *
 * Invariants: at most {@link MAX_WAITING} characters wait; a line that finds no room is dropped and counted, and the
 * number is written in its place once there is room again; after a failed write everything is dropped.
 *
 * @module
 */
import { write } from 'node:fs';
import type { LineOutput } from './context.ts';

/** Writes some bytes; the callback gets the error, or how many were taken. `fs.write` is one. */
export type WriteBytes = (
  bytes: Uint8Array,
  done: (error: NodeJS.ErrnoException | null, count: number) => void,
) => void;

/** @see {@link LineOutput} */
export class LineWriter implements LineOutput {
  readonly #write: WriteBytes;
  #waiting: string[];
  #waitingLength: number;
  #dropped: number;
  #writing: boolean;
  #broken: boolean;
  #idle: (() => void)[];

  /** @param target - a file descriptor, or what writes */
  constructor(target: number | WriteBytes) {
    this.#write = typeof target === 'number' ? (bytes, done) => write(target, bytes, done) : target;
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#dropped = 0;
    this.#writing = false;
    this.#broken = false;
    this.#idle = [];
  }

  /** How many lines were dropped and not yet reported. */
  get dropped(): number {
    return this.#dropped;
  }

  line(text: string): void {
    if (this.#broken) return;
    if (this.#waitingLength + text.length > MAX_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(text);
    this.#waitingLength += text.length + 1;
    if (!this.#writing) this.#next();
  }

  async flush(patience: number): Promise<void> {
    if (!this.#writing) return;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      new Promise<void>((resolve) => this.#idle.push(resolve)),
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, patience);
      }),
    ]);
    clearTimeout(timer);
  }

  #next(): void {
    if (this.#dropped > 0 && this.#waitingLength < MAX_WAITING / 2) {
      this.#waiting.push(`(${String(this.#dropped)} lines were dropped: they were read too slowly)`);
      this.#dropped = 0;
    }
    if (this.#waiting.length === 0) {
      this.#writing = false;
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    const bytes = Buffer.from(`${this.#waiting.join('\n')}\n`);
    this.#waiting = [];
    this.#waitingLength = 0;
    this.#writing = true;
    this.#put(bytes);
  }

  #put(bytes: Uint8Array): void {
    this.#write(bytes, (error, count) => {
      if (error === null) {
        if (count < bytes.length) this.#put(bytes.subarray(count));
        else this.#next();
      } else if (error.code === 'EAGAIN') {
        // Somebody made the descriptor non-blocking, and it is full.
        setTimeout(() => this.#put(bytes), RETRY_AFTER);
      } else {
        this.#broken = true;
        this.#waiting = [];
        this.#dropped = 0;
        this.#next();
      }
    });
  }
}

/** Characters: some ten thousand lines. */
const MAX_WAITING = 1_048_576;
/** Milliseconds. */
const RETRY_AFTER = 20;
