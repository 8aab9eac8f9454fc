/**
 * Results as files, beside the benchmarks: HFACE_BENCH_RESULTS names the folder; without it nothing is kept.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Result } from './rounds.ts';

/** Keeps results as a table in Markdown. */
export function keepResults(name: string, title: string, results: readonly Result[]): void {
  const reference = results[0]?.name ?? '';
  keepTable(
    name,
    title,
    ['', 'requests/s', 'µs/request', `rate / ${reference}`, `cost of ${reference} / own`],
    results.map((result) => [
      result.name,
      result.rate.toFixed(0),
      result.cost.toFixed(2),
      result.rateRatio.toFixed(2),
      result.costRatio.toFixed(2),
    ]),
  );
}

/** Keeps a table. The first column is text, the others are figures. */
export function keepTable(
  name: string,
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const folder = process.env['HFACE_BENCH_RESULTS'];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const lines = [head, head.map((_cell, index) => (index === 0 ? '---' : '--:')), ...rows];
  const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
  writeFileSync(path.join(folder, `${name}.md`), `# ${title}\n\n${table}\n`);
}
