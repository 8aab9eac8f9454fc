/**
 * Runs the stages one after another, each within its budget, sums what they counted and prints one last line:
 * `N passed, N failed, N skipped`. A stage without tests counts as one. Exits with 1 when anything failed: a test, a
 * stage, a budget, a peer that is missing, a stage of tests in which none ran, or skips that differ from
 * .ci/skips.txt.
 *
 * `.ci/run lint types` runs only those stages (and does not look at the skips of the others).
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from '../lib/root.js';
import { compareSkips } from './skips.js';
import { stages } from './stages.js';

/**
 * @typedef {object} Counts
 * @property {number} passed
 * @property {number} failed
 * @property {number} skipped
 * @property {string[]} skips
 * @property {string[]} failures
 */

const scratch = mkdtempSync(path.join(tmpdir(), 'hface-ts-ci-'));
process.on('exit', () => {
  rmSync(scratch, { recursive: true, force: true });
});

/**
 * Runs one command in a process group of its own, which is killed when the time is over.
 * @param {import('./stages.js').Command} command what to run
 * @param {NodeJS.ProcessEnv} env more variables
 * @param {number} limit milliseconds
 * @returns {Promise<'ok' | 'failed' | 'overrun'>} how it ended
 */
function run(command, env, limit) {
  return new Promise((resolve) => {
    const [file, ...args] = command;
    process.stdout.write(`$ ${[path.basename(file), ...args].join(' ')}\n`);
    const child = spawn(file, args, {
      cwd: root,
      // Debian keeps daemons where only root looks.
      env: { ...process.env, PATH: `${process.env.PATH ?? ''}${path.delimiter}/usr/sbin`, ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
      detached: true,
    });
    let overrun = false;
    const timer = setTimeout(() => {
      overrun = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, limit);
    child.once('error', (error) => {
      clearTimeout(timer);
      process.stdout.write(`${error.message}\n`);
      resolve('failed');
    });
    child.once('close', (code) => {
      clearTimeout(timer);
      if (overrun) resolve('overrun');
      else resolve(code === 0 ? 'ok' : 'failed');
    });
  });
}

/**
 * Runs a stage and counts.
 * @param {import('./stages.js').Stage} stage the stage
 * @returns {Promise<{ counts: Counts, note: string, seconds: number }>} what it gave
 */
async function runStage(stage) {
  const started = performance.now();
  const file = path.join(scratch, `${stage.name}.json`);
  /** @type {'ok' | 'failed' | 'overrun'} */
  let outcome = 'ok';
  for (const command of stage.commands({ scratch })) {
    const left = stage.budget * 1000 - (performance.now() - started);
    outcome = left <= 0 ? 'overrun' : await run(command, { ...stage.env, HFACE_COUNTS: file }, left);
    if (outcome !== 'ok') break;
  }
  const seconds = (performance.now() - started) / 1000;
  /** @type {Counts} */
  const counts = { passed: 0, failed: 0, skipped: 0, skips: [], failures: [] };
  if (stage.tests && existsSync(file)) Object.assign(counts, JSON.parse(readFileSync(file, 'utf8')));
  else if (!stage.tests && outcome === 'ok') counts.passed = 1;
  let note = outcome === 'overrun' ? 'over its budget' : '';
  if (outcome !== 'ok' && counts.failed === 0) counts.failed = 1;
  if (outcome === 'ok' && counts.passed + counts.failed === 0) {
    counts.failed = 1;
    note = 'no test ran';
  }
  return { counts, note, seconds };
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name));
const chosen = stages.filter((stage) => wanted.length === 0 || wanted.includes(stage.name));
const total = { passed: 0, failed: unknown.length, skipped: 0 };
/** @type {string[]} */
const skips = [];
const report = unknown.map((name) => `${name}: there is no such stage`);
for (const stage of chosen) {
  process.stdout.write(`\n== ${stage.name} (budget ${String(stage.budget)} s)\n`);
  const { counts, note, seconds } = await runStage(stage);
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  skips.push(...counts.skips.map((name) => `${stage.name} | ${name}`));
  const figures = `${String(counts.passed)} passed, ${String(counts.failed)} failed, ${String(counts.skipped)} skipped`;
  const time = `${seconds.toFixed(1)} s of ${String(stage.budget)} s`;
  report.push(`${stage.name.padEnd(14)} ${time.padStart(18)}  ${figures}${note && `: ${note}`}`);
  // The last lines are what is kept of a long output, so they say what failed.
  report.push(...counts.failures.slice(0, 20).map((failure) => `  ${failure}`));
  process.stdout.write(`-- ${stage.name}: ${time}; ${figures}${note && `: ${note}`}\n`);
  if (stage.essential && counts.failed > 0) {
    report.push(`nothing after ${stage.name} can run`);
    break;
  }
}

const listed = readFileSync(path.join(root, '.ci/skips.txt'), 'utf8');
const differences = compareSkips(
  listed,
  skips,
  chosen.map((stage) => stage.name),
);
if (differences.length > 0) {
  total.failed += 1;
  report.push('skips differ from .ci/skips.txt:', ...differences);
}
process.stdout.write(`\n${report.join('\n')}\n`);
process.stdout.write(
  `${String(total.passed)} passed, ${String(total.failed)} failed, ${String(total.skipped)} skipped\n`,
);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
