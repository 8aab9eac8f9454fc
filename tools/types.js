/**
 * Checks the types of everything: the TypeScript of src, cli, test and bench, and the JavaScript of tools and examples.
 *
 * @module
 */
import { binOf, runNode } from './lib/run.js';

const compiler = binOf('typescript', 'tsc');
const codes = ['tsconfig.json', 'tsconfig.js.json'].map((project) => runNode(compiler, ['-p', project, '--noEmit']));
process.exit(Math.max(...codes));
