/**
 * Everything that can be checked without peers, in the order of how quickly it tells. Stops at the first that fails.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { cleanEnvironment, npmCommand } from './lib/run.js';
import { root } from './lib/root.js';

const [command, ...first] = npmCommand();
for (const script of ['format:check', 'lint', 'types', 'build', 'test', 'docs', 'package-check']) {
  process.stdout.write(`\n== ${script}\n`);
  const options = { cwd: root, stdio: /** @type {const} */ ('inherit'), env: cleanEnvironment() };
  const { status } = spawnSync(command, [...first, 'run', '--silent', script], options);
  if (status !== 0) {
    process.stderr.write(`${script} failed\n`);
    process.exit(1);
  }
}
