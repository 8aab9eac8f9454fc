/**
 * The progress of transfers as one line on a terminal, for those that take long.
 *
 * Owns the line: what it says, how it fits, when it is drawn and wiped away. It is drawn on stderr and only when that is
 * a terminal.
 *
 * Invariants: the cursor stands at the beginning of the line when nothing is being written, so that whatever happens to
 * the process, or to the width of the terminal, the next text stands where it should; a line is narrower than the
 * terminal; {@link Progress.pause} leaves nothing of it.
 *
 * @module
 */
import type { Clock, ScheduledCallback } from '../../src/common/index.ts';
import type { TerminalOutput } from '../context.ts';

/** What one transfer has moved so far. */
export interface ProgressCount {
  bytesDownloaded: number;
  bytesUploaded: number;
  /** What is expected in all; `undefined`: not known. */
  downloadLength: number | undefined;
  uploadLength: number | undefined;
}

/** The line of all transfers. */
export class Progress {
  readonly #terminal: TerminalOutput;
  readonly #clock: Clock;
  readonly #bar: boolean;
  readonly #all: number;
  readonly #running: Set<ProgressCount>;
  readonly #start: number;
  readonly #stopListening: () => void;
  #timer: ScheduledCallback | undefined;
  /** What ended transfers moved. */
  #moved: number;
  #done: number;
  #shown: boolean;
  #rate: number;
  #lastMoved: number;
  #lastLook: number;

  /** @param bar - curl's `-#`; @param all - how many transfers there will be */
  constructor(terminal: TerminalOutput, clock: Clock, bar: boolean, all: number) {
    this.#terminal = terminal;
    this.#clock = clock;
    this.#bar = bar;
    this.#all = all;
    this.#running = new Set();
    this.#start = clock.now();
    this.#moved = 0;
    this.#done = 0;
    this.#shown = false;
    this.#rate = 0;
    this.#lastMoved = 0;
    this.#lastLook = this.#start;
    this.#stopListening = terminal.onResize(() => {
      if (!this.#shown) return;
      this.pause();
      this.#draw();
    });
    this.#timer = this.#schedule(PATIENCE);
  }

  /** A transfer begins. */
  begin(count: ProgressCount): void {
    this.#running.add(count);
  }

  /** It has ended, well or not. */
  end(count: ProgressCount): void {
    this.#moved += count.bytesDownloaded + count.bytesUploaded;
    this.#done += 1;
    this.#running.delete(count);
  }

  /** Wipes the line away, for other text; it comes again by itself. */
  pause(): void {
    if (!this.#shown) return;
    this.#shown = false;
    // Also what a terminal that has become narrower has broken into several rows.
    this.#terminal.write('\r\x1b[J');
  }

  /** No more of it. */
  close(): void {
    this.pause();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stopListening();
  }

  #schedule(delay: number): ScheduledCallback {
    return this.#clock.schedule(
      this.#clock.now() + delay,
      () => {
        this.#draw();
        this.#timer = this.#schedule(INTERVAL);
      },
      { background: true },
    );
  }

  #draw(): void {
    const width = Math.max(0, this.#terminal.columns - 1);
    const text = this.#text(this.#clock.now(), width);
    // What is left of a longer line goes after the new one stands: nothing flickers.
    this.#terminal.write(`${text}\x1b[J\r`);
    this.#shown = true;
  }

  #text(now: number, width: number): string {
    const [only] = this.#all === 1 ? this.#running : [];
    const moved = this.#moved + sum(this.#running, (count) => count.bytesDownloaded + count.bytesUploaded);
    this.#look(moved, now);
    if (only === undefined) {
      const counted = this.#all === 1 ? '' : `${String(this.#done)} of ${String(this.#all)}  `;
      return fitted([`${counted}${size(moved)}`, this.#speed(), elapsed(now - this.#start)], width);
    }
    const uploading = only.uploadLength !== undefined && only.bytesUploaded < only.uploadLength;
    const part = uploading ? only.bytesUploaded : only.bytesDownloaded;
    const whole = uploading ? only.uploadLength : only.downloadLength;
    if (whole === undefined || whole === 0) {
      return fitted([size(moved), this.#speed(), elapsed(now - this.#start)], width);
    }
    const share = Math.min(1, part / whole);
    if (this.#bar) return bar(share, width);
    const left = this.#rate === 0 ? '' : `${elapsed(((whole - part) / this.#rate) * 1000)} left`;
    return fitted([percent(share), `${size(part)} of ${size(whole)}`, this.#speed(), left], width);
  }

  /** Follows the speed: the latest seconds count most. */
  #look(moved: number, now: number): void {
    const seconds = (now - this.#lastLook) / 1000;
    if (seconds < 0.05) return;
    const latest = Math.max(0, moved - this.#lastMoved) / seconds;
    const weight = this.#rate === 0 ? 1 : 1 - Math.exp(-seconds / RATE_MEMORY);
    this.#rate += (latest - this.#rate) * weight;
    this.#lastMoved = moved;
    this.#lastLook = now;
  }

  #speed(): string {
    return `${size(this.#rate)}/s`;
  }
}

/** As many of the parts as there is room for. */
function fitted(parts: readonly string[], width: number): string {
  let text = '';
  for (const part of parts) {
    const next = text === '' || part === '' ? text + part : `${text}  ${part}`;
    if (next.length > width) break;
    text = next;
  }
  return text;
}

/** `#####      42.0%` */
function bar(share: number, width: number): string {
  const figure = ` ${percent(share)}`;
  const room = Math.min(MAX_BAR, width) - figure.length;
  if (room < 1) return fitted([percent(share).trim()], width);
  return '#'.repeat(Math.floor(room * share)).padEnd(room) + figure;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`.padStart(6);
}

/** `12.3 MiB` */
function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? String(Math.round(value)) : value.toFixed(1)} ${UNITS[unit] ?? ''}`;
}

/** `1:02:03`, `0:03` */
function elapsed(milliseconds: number): string {
  const seconds = Math.min(Math.round(milliseconds / 1000), 359_999);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  const rest = String(seconds % 60).padStart(2, '0');
  return hours === 0 ? `${String(minutes)}:${rest}` : `${String(hours)}:${String(minutes).padStart(2, '0')}:${rest}`;
}

function sum<Item>(items: Iterable<Item>, value: (item: Item) => number): number {
  let total = 0;
  for (const item of items) total += value(item);
  return total;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
/** Milliseconds until it is first drawn: what is quick needs none. */
const PATIENCE = 700;
/** Milliseconds. */
const INTERVAL = 200;
/** Seconds. */
const RATE_MEMORY = 3;
/** A bar across a very wide terminal is no clearer. */
const MAX_BAR = 100;
