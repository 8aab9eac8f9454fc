/**
 * Figures that a long run has measured, handed to whoever writes them down: one line of JSON for each table, appended to
 * the file that HFACE_FIGURES names. Without that variable nothing is written.
 *
 * @module
 */
import { appendFileSync } from 'node:fs';

const MIB = 1 << 20;

/** A row: a value by the name of its column. */
export type FigureRow = Readonly<Record<string, string | number>>;

/** Hands in a table. */
export function recordFigures(title: string, rows: readonly FigureRow[]): void {
  const file = process.env['HFACE_FIGURES'];
  if (file) appendFileSync(file, `${JSON.stringify({ title, rows })}\n`);
}

/** Bytes as MiB with two digits: `12.34 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(2)} MiB`;
}
