/**
 * Starts programs from the tools: always an executable with arguments, never a shell.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './root.js';

/**
 * Where npm's own script is, so that node can run it on every system.
 * @returns {[string, ...string[]]} the command and its first arguments
 */
export function npmCommand() {
  const beside = path.dirname(process.execPath);
  const places = [
    process.env.npm_execpath ?? '',
    path.join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    path.join(beside, 'node_modules/npm/bin/npm-cli.js'),
  ];
  const script = places.find((place) => /npm-cli\.c?js$/.test(place) && existsSync(place));
  return script ? [process.execPath, script] : ['npm'];
}

/**
 * The environment without what an outer npm left in it.
 * @returns {NodeJS.ProcessEnv} a copy
 */
export function cleanEnvironment() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm|INIT_CWD)/i.test(name)));
}

/**
 * The script behind a name in a package's `bin`.
 * @param {string} packageName the package
 * @param {string} [binName] the name in its bin; the package's own by default
 * @returns {string} a path
 */
export function binOf(packageName, binName = packageName) {
  const folder = path.join(root, 'node_modules', packageName);
  const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return path.join(folder, typeof bin === 'string' ? bin : bin[binName]);
}

/**
 * Runs a script with node and shows what it prints.
 * @param {string} script path of the script
 * @param {string[]} args its arguments
 * @returns {number} the exit code
 */
export function runNode(script, args) {
  const result = spawnSync(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  return result.status ?? 1;
}

/**
 * Runs npm and gives what it printed; throws when it fails.
 * @param {string[]} args npm's arguments
 * @param {string} [cwd] the working folder; the root by default
 * @returns {string} its standard output
 */
export function npm(args, cwd = root) {
  const [command, ...first] = npmCommand();
  const options = { cwd, encoding: /** @type {const} */ ('utf8'), env: cleanEnvironment() };
  const result = spawnSync(command, [...first, ...args], options);
  if (result.status !== 0) throw new Error(`npm ${args.join(' ')} failed:\n${result.stdout}${result.stderr}`);
  return result.stdout;
}
