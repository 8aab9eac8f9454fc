/**
 * Packs the package as npm would publish it and looks at the result with publint and @arethetypeswrong/cli. A finding
 * of either fails.
 *
 * @module
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { binOf, npm, runNode } from './lib/run.js';
import { root } from './lib/root.js';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-pack-'));
let code = runNode(path.join(root, 'tools/build.js'), ['--if-stale']);
try {
  if (code === 0) {
    npm(['pack', '--ignore-scripts', '--pack-destination', folder]);
    const name = readdirSync(folder).find((file) => file.endsWith('.tgz'));
    if (name === undefined) throw new Error('npm pack made no file');
    const file = path.join(folder, name);
    // The package is ESM only (require() of it works from Node 20.19 on); the examples are programs without types.
    const entries = ['--exclude-entrypoints', './examples/*', './package.json'];
    const codes = [
      runNode(binOf('publint'), ['run', file, '--strict']),
      runNode(binOf('@arethetypeswrong/cli', 'attw'), [file, '--profile', 'esm-only', ...entries]),
    ];
    code = Math.max(...codes);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(code);
