/**
 * Compiles src/ and cli/ to dist/, and joins the modules of src/ (bundle.js). Runs from `prepare` in a clone, where TypeScript is installed; an installed package
 * already carries dist/ and has no TypeScript, so there is nothing to do. With --if-stale it builds only when a source
 * is newer than the last build; with --despite-type-errors a type error does not keep it from being put in place (tests
 * that look at the build use that: types are checked by a step of their own). The old dist/ stays in place until the new
 * one is complete.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { root } from './lib/root.js';

const dist = path.join(root, 'dist');
const stamp = path.join(dist, 'built');

/**
 * When anything below a path was last changed.
 * @param {string} at a file or folder
 * @returns {number} milliseconds since 1970; 0 where there is nothing
 */
function lastChange(at) {
  if (!existsSync(at)) return 0;
  const stat = statSync(at);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.max(stat.mtimeMs, ...readdirSync(at).map((name) => lastChange(path.join(at, name))));
}

/** @returns {boolean} whether a source is newer than the last complete build */
function stale() {
  if (!existsSync(stamp)) return true;
  const configuration = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
  const inputs = ['src', 'cli', ...configuration, 'tools/build.js', 'tools/bundle.js'];
  return Math.max(...inputs.map((name) => lastChange(path.join(root, name)))) > statSync(stamp).mtimeMs;
}

/**
 * Compiles into a folder beside dist/ and puts it in place.
 * @returns {number} the exit code
 */
function build() {
  const started = new Date();
  const next = path.join(root, `dist.${String(process.pid)}`);
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const options = ['-p', path.join(root, 'tsconfig.build.json'), '--outDir', next];
  const result = spawnSync(process.execPath, [compiler, ...options], { stdio: 'inherit' });
  const complete = result.status === 0 || (process.argv.includes('--despite-type-errors') && existsSync(next));
  const joined = complete
    ? spawnSync(process.execPath, [path.join(root, 'tools/bundle.js'), next], { stdio: 'inherit' })
    : result;
  if (joined.status !== 0) {
    rmSync(next, { recursive: true, force: true });
    return joined.status ?? 1;
  }
  // Dated before the compiler read the sources, so that a change made meanwhile counts as newer.
  writeFileSync(path.join(next, 'built'), `${started.toISOString()}\n`);
  utimesSync(path.join(next, 'built'), started, started);
  const old = `${next}.old`;
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(next, dist);
  rmSync(old, { recursive: true, force: true });
  return 0;
}

const isClone = existsSync(path.join(root, 'src'));
const needed = isClone && (!process.argv.includes('--if-stale') || stale());
process.exit(needed ? build() : 0);
