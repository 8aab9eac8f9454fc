/**
 * Builds the API reference into docs/api with typedoc, warnings as errors.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { binOf, runNode } from './lib/run.js';
import { root } from './lib/root.js';

/** @type {{ entryPoints: string[], readme: string }} */
const options = JSON.parse(readFileSync(path.join(root, 'typedoc.json'), 'utf8'));
const present = options.entryPoints.filter((entry) => existsSync(path.join(root, entry)));
const readme = existsSync(path.join(root, options.readme)) ? options.readme : 'none';
process.exit(runNode(binOf('typedoc'), ['--readme', readme, ...present.flatMap((entry) => ['--entryPoints', entry])]));
