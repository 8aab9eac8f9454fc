/**
 * Checks the types of everything: the TypeScript of src, cli, test and bench, the declarations that the build will
 * write, and the JavaScript of tools and examples.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { binOf, runNode } from './lib/run.js';

const compiler = binOf('typescript', 'tsc');
const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-types-'));
try {
  process.exitCode = Math.max(
    runNode(compiler, ['-p', 'tsconfig.json', '--noEmit']),
    // Without output the compiler does not look at isolatedDeclarations.
    runNode(compiler, [
      '-p',
      'tsconfig.build.json',
      '--emitDeclarationOnly',
      '--sourceMap',
      'false',
      '--outDir',
      folder,
    ]),
    runNode(compiler, ['-p', 'tsconfig.js.json', '--noEmit']),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
