/**
 * Runs benchmarks: compiles bench/ with the sources that it uses into dist.bench/ and runs each `bench/*.bench.ts` as a
 * program of its own, one after another. `npm run bench -- http1` runs those whose name holds a word.
 *
 * @module
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { binOf, runNode } from './lib/run.js';
import { root } from './lib/root.js';

const folder = path.join(root, 'bench');
const words = process.argv.slice(2);
const names = (existsSync(folder) ? readdirSync(folder) : [])
  .filter((name) => name.endsWith('.bench.ts'))
  .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
if (names.length === 0) process.stdout.write('no benchmark of that name\n');
else {
  rmSync(path.join(root, 'dist.bench'), { recursive: true, force: true });
  let code = runNode(binOf('typescript', 'tsc'), ['-p', 'tsconfig.bench.json']);
  for (const name of code === 0 ? names : []) {
    process.stdout.write(`\n== ${name}\n`);
    code = Math.max(code, runNode(path.join(root, 'dist.bench/bench', name.replace(/\.ts$/, '.js')), []));
  }
  process.exitCode = code;
}
