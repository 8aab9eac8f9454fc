/**
 * How long it takes to begin: `import 'hface-ts'`, and `hface-ts --version` beside a bare node. Of the build, so run
 * `npm run build` before.
 *
 * The least of many runs, taken in turn: whatever else the machine does makes a start longer and never shorter. The
 * budgets are 40 ms for the import and 60 ms above a bare node for the command. HFACE_BENCH_ROUNDS (default 20).
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { keepTable } from './support/results.ts';

const root = new URL('../../', import.meta.url);
const entry = new URL('dist/src/index.js', root);
const command = fileURLToPath(new URL('cli/hface-ts.js', root));
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '20');

/** Prints how long the import took inside of the process, in milliseconds. */
const IMPORT = `const begun = performance.now(); await import('${entry.href}'); console.log(performance.now() - begun);`;

/** Each answers milliseconds. */
const starts: Readonly<Record<string, () => number>> = {
  'bare node': () => timed(['-e', '0']),
  'hface-ts --version': () => timed([command, '--version']),
  "import 'hface-ts'": () => Number(run(['--input-type=module', '-e', IMPORT])),
  'the process of that import': () => timed(['--input-type=module', '-e', `await import('${entry.href}')`]),
};

if (!existsSync(entry) || !existsSync(new URL('dist/cli/main.js', root))) {
  console.log('there is no build: npm run build');
} else {
  const least = new Map<string, number>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, start] of Object.entries(starts)) {
      least.set(name, Math.min(least.get(name) ?? Infinity, start()));
    }
  }
  const bare = least.get('bare node') ?? NaN;
  console.log(`Node ${process.versions.node}, the least of ${String(rounds)} runs`);
  for (const [name, milliseconds] of least) console.log(`${name.padEnd(28)} ${milliseconds.toFixed(1).padStart(7)} ms`);
  console.log(`the command above a bare node ${((least.get('hface-ts --version') ?? NaN) - bare).toFixed(1)} ms`);
  keepTable(
    'startup',
    `Starts, the least of ${String(rounds)} runs`,
    ['', 'milliseconds'],
    [...least].map(([name, milliseconds]) => [name, milliseconds.toFixed(1)]),
  );
}

function timed(args: readonly string[]): number {
  const begun = process.hrtime.bigint();
  run(args);
  return Number(process.hrtime.bigint() - begun) / 1e6;
}

function run(args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')} has failed: ${stderr}`);
  return stdout;
}
