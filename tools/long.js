/**
 * Runs what takes long, the soak tests and fuzzing without its bound, and writes down what came of it: test/soak/last-run.md
 * has the outcome and the figures that the tests measured. An hour and more: fuzzing takes ten minutes a campaign.
 * `npm run long -- test/fuzz` runs fuzzing alone and writes test/fuzz/last-run.md, `npm run long -- test/soak` likewise
 * test/soak/last-run.md. `npm run long -- test/fuzz/tls.test.ts` runs one file and writes its figures down in place of its
 * older ones, beside those of the others; other words run what has them in its path, and write nothing down.
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
const what = words.length === 0 ? 'test/soak' : words.length === 1 ? String(words[0]) : '';
const [, folder, file] = /^(test\/(?:soak|fuzz))(\/[a-z0-9-]+\.test\.ts)?$/.exec(what) ?? [];
const summary = folder === undefined ? undefined : path.join(root, folder, 'last-run.md');

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
 * What stands written down: rows of runs, and a section for each thing that was measured.
 * @param {string} text Markdown of an earlier run
 * @returns {{ runs: string[], sections: Map<string, string> }} lines of the table of runs, tables by their titles
 */
function written(text) {
  const [head = '', ...rest] = text.split(/^## /m);
  const runs = head.split('\n').filter((line) => /^\| \d{4}-/.test(line));
  const sections = rest.map((section) => /^(.*)\n([^]*)$/.exec(section)).filter((match) => match !== null);
  return { runs, sections: new Map(sections.map(([, title = '', body = '']) => [title, body.trim()])) };
}

/**
 * What is written down. What one file has measured takes its place in what stands there.
 * @param {{ passed: number, failed: number, skipped: number }} counts how many tests ended how
 * @param {{ title: string, rows: Record<string, string | number>[] }[]} tables what was measured
 * @param {number} minutes how long it took
 * @param {string} before what stands there
 * @returns {string} Markdown
 */
function report(counts, tables, minutes, before) {
  const { passed, failed, skipped } = counts;
  const run = table([
    {
      date: new Date().toISOString().slice(0, 10),
      Node: process.versions.node,
      system: `${process.platform} ${process.arch}, ${String(cpus().length)} cores`,
      what,
      minutes: minutes.toFixed(0),
      passed,
      failed,
      skipped,
    },
  ]);
  const { runs, sections } = written(file === undefined ? '' : before);
  const others = runs.filter((line) => !line.includes(`| ${what} `));
  for (const { title, rows } of tables) sections.set(title, table(rows));
  return [
    '# The last long runs',
    `Written by \`npm run long -- ${String(folder)}\`, or by single files of it; commit it as it is.`,
    [run, ...others].join('\n'),
    ...[...sections].sort(([a], [b]) => a.localeCompare(b)).flatMap(([title, body]) => [`## ${title}`, body]),
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
    const before = existsSync(summary) ? readFileSync(summary, 'utf8') : '';
    const minutes = (performance.now() - started) / 60_000;
    const tables = lines.map((line) => JSON.parse(line));
    const text = report(JSON.parse(readFileSync(counted, 'utf8')), tables, minutes, before);
    writeFileSync(summary, await format(text, { parser: 'markdown', printWidth: 120 }));
    process.stdout.write(`written: ${path.relative(root, summary)}\n`);
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
