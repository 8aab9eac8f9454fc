/**
 * Runs what takes long, the soak tests and fuzzing without its bound, and writes down what came of it: test/soak/last-run.md
 * has the outcome and the figures that the tests measured. An hour and more: fuzzing takes ten minutes a campaign.
 * `npm run long -- test/fuzz` runs fuzzing alone and writes test/fuzz/last-run.md, `npm run long -- test/soak` likewise
 * test/soak/last-run.md; other words run what has them in its path, and write nothing down.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { format } from 'prettier';
import { root } from './lib/root.js';

const words = process.argv.slice(2);
const folder = words.length === 0 ? 'test/soak' : words.length === 1 ? words[0] : undefined;
const summary = folder === 'test/soak' || folder === 'test/fuzz' ? path.join(root, folder, 'last-run.md') : undefined;

/**
 * A table in Markdown.
 * @param {Record<string, string | number>[]} rows values by the names of their columns
 * @returns {string} lines
 */
function table(rows) {
  const names = Object.keys(rows[0] ?? {});
  const line = (/** @type {(string | number)[]} */ cells) => `| ${cells.join(' | ')} |`;
  return [
    line(names),
    line(names.map(() => '---')),
    ...rows.map((row) => line(names.map((name) => row[name] ?? ''))),
  ].join('\n');
}

/**
 * What is written down.
 * @param {{ passed: number, failed: number, skipped: number }} counts how many tests ended how
 * @param {{ title: string, rows: Record<string, string | number>[] }[]} tables what was measured
 * @param {number} minutes how long it took
 * @returns {string} Markdown
 */
function report(counts, tables, minutes) {
  const { passed, failed, skipped } = counts;
  return [
    '# The last long run',
    `Written by \`${['npm run long', ...words].join(' -- ')}\`; commit it as it is.`,
    table([
      {
        date: new Date().toISOString().slice(0, 10),
        Node: process.versions.node,
        system: `${process.platform} ${process.arch}, ${String(cpus().length)} cores`,
        minutes: minutes.toFixed(0),
        passed,
        failed,
        skipped,
      },
    ]),
    ...tables.flatMap(({ title, rows }) => [`## ${title}`, table(rows)]),
  ].join('\n\n');
}

const scratch = mkdtempSync(path.join(tmpdir(), 'hface-ts-long-'));
try {
  const figures = path.join(scratch, 'figures');
  const counted = path.join(scratch, 'counts');
  const started = performance.now();
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs');
  const result = spawnSync(process.execPath, [vitest, 'run', '--project', 'long', ...words], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, HFACE_FIGURES: figures, HFACE_COUNTS: counted },
  });
  process.exitCode = result.status ?? 1;
  if (summary !== undefined && existsSync(counted)) {
    const lines = existsSync(figures) ? readFileSync(figures, 'utf8').trimEnd().split('\n') : [];
    const tables = lines.map((line) => JSON.parse(line)).sort((a, b) => a.title.localeCompare(b.title));
    const text = report(JSON.parse(readFileSync(counted, 'utf8')), tables, (performance.now() - started) / 60_000);
    writeFileSync(summary, await format(text, { parser: 'markdown', printWidth: 120 }));
    process.stdout.write(`written: ${path.relative(root, summary)}\n`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
