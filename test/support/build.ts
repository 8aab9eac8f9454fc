/**
 * A vitest global setup: brings dist/ up to date before tests that look at the built package. Does nothing when dist/
 * is newer than every source.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/** Builds when the sources are newer than the build. */
export default function setup(): void {
  const options = ['--if-stale', '--despite-type-errors'];
  const result = spawnSync(process.execPath, [path.join(root, 'tools/build.js'), ...options], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`The build failed:\n${result.stdout}${result.stderr}`);
}
