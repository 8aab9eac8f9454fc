/**
 * Runs npm with the given arguments and a clean environment, on every system without a shell. The tests use it.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { cleanEnvironment, npmCommand } from './lib/run.js';

const [command, ...first] = npmCommand();
const result = spawnSync(command, [...first, ...process.argv.slice(2)], { stdio: 'inherit', env: cleanEnvironment() });
process.exit(result.status ?? 1);
