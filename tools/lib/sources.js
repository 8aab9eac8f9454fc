/**
 * Imports the TypeScript sources into a tool: no build is needed, and a source that does not compile elsewhere does not
 * matter. Types are taken away, as the build does it.
 *
 * @module
 */
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './root.js';

const hooks = `
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ts from ${JSON.stringify(import.meta.resolve('typescript'))};
const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { outputText } = ts.transpileModule(await readFile(fileURLToPath(url), 'utf8'), { compilerOptions });
  return { format: 'module', source: outputText, shortCircuit: true };
}
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);

/**
 * A module of the sources.
 * @param {string} file from the root: `cli/client/options.ts`
 * @returns {Promise<Record<string, any>>} what it exports
 */
export function source(file) {
  return import(pathToFileURL(path.join(root, file)).href);
}
