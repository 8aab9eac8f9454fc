/**
 * The stages of .ci/run, in order, each with its budget in seconds. They stay inside an hour even if each takes all of
 * its budget.
 *
 * @module
 */
import path from 'node:path';
import { npmCommand } from '../lib/run.js';
import { root } from '../lib/root.js';

/** @typedef {[string, ...string[]]} Command */

/**
 * @typedef {object} Stage
 * @property {string} name
 * @property {number} budget seconds
 * @property {boolean} [tests] whether it runs vitest; if not, it counts as one
 * @property {boolean} [essential] whether the stages after it need it
 * @property {NodeJS.ProcessEnv} [env]
 * @property {(place: { scratch: string }) => Command[]} commands
 */

/** The other versions of Node that the library supports; the machine's own runs `npm test`. */
const versions = ['22', '24', '26'];
const platform = process.platform === 'win32' ? 'win' : process.platform;

/** @type {(...args: string[]) => Command} */
const npm = (...args) => [...npmCommand(), ...args];
/** @type {(script: string, ...args: string[]) => Command} */
const node = (script, ...args) => [process.execPath, path.join(root, script), ...args];
const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];

/**
 * The npm package of a platform carries the bare binary; the package `node` would fetch it by an install script.
 * @param {string} scratch the folder of this run
 * @param {string} version a major version
 * @returns {string} the binary
 */
function binaryOf(scratch, version) {
  const name = platform === 'win' ? 'node.exe' : 'node';
  return path.join(scratch, 'nodes/node_modules', `node${version}`, 'bin', name);
}

/** @type {Stage[]} */
export const stages = [
  { name: 'install', budget: 120, essential: true, commands: () => [npm('ci', ...quiet)] },
  { name: 'test', budget: 600, tests: true, commands: () => [npm('test')] },
  {
    name: 'nodes',
    budget: 90,
    commands: ({ scratch }) => [
      npm(
        'install',
        ...quiet,
        '--prefix',
        path.join(scratch, 'nodes'),
        ...versions.map((version) => `node${version}@npm:node-${platform}-${process.arch}@${version}`),
      ),
      ...versions.map((version) => /** @type {Command} */ ([binaryOf(scratch, version), '--version'])),
    ],
  },
  ...versions.map((version) => ({
    name: `node-${version}`,
    budget: 510,
    tests: true,
    commands: ({ scratch }) => [
      /** @type {Command} */ ([
        binaryOf(scratch, version),
        path.join(root, 'node_modules/vitest/vitest.mjs'),
        'run',
        // Without them fuzzing would be found in the project of long runs as well.
        ...['--project', 'main', '--project', 'architecture'],
        ...['unit', 'vectors', 'contract', 'property', 'simulation', 'limits', 'fuzz'].map((kind) => `test/${kind}/`),
        'test/architecture/entries',
      ]),
    ],
  })),
  { name: 'lint', budget: 270, commands: () => [npm('run', '--silent', 'lint')] },
  { name: 'format', budget: 90, commands: () => [npm('run', '--silent', 'format:check')] },
  { name: 'types', budget: 90, commands: () => [npm('run', '--silent', 'types')] },
  { name: 'docs', budget: 60, commands: () => [npm('run', '--silent', 'docs')] },
  { name: 'package', budget: 60, commands: () => [npm('run', '--silent', 'package-check')] },
  { name: 'peers', budget: 240, commands: () => [node('tools/ci/peers.js')] },
  { name: 'interop', budget: 420, tests: true, commands: () => [npm('run', 'interop')] },
];
