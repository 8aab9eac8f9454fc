/**
 * A vitest reporter that writes what happened to the file named by HFACE_COUNTS: how many tests passed, failed and
 * were skipped, which were skipped, and which failed why. Without that variable it does nothing. A file that could not be loaded and an
 * error outside any test count as failures.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @param {unknown} error what was thrown
 * @returns {string} its message and the first place in a stack, on one line
 */
function told(error) {
  const { message = String(error), stack = '' } = /** @type {Partial<Error>} */ (error ?? {});
  const place = stack.split('\n').find((line) => /^\s+at /.test(line)) ?? '';
  return `${message} ${place.trim()}`.replace(/\s+/g, ' ').slice(0, 300);
}

/** @implements {Partial<import('vitest/node').Reporter>} */
export default class CountsReporter {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules the files that ran
   * @param {ReadonlyArray<unknown>} unhandledErrors errors outside any test
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.HFACE_COUNTS;
    if (!file) return;
    const counts = {
      passed: 0,
      failed: unhandledErrors.length,
      skipped: 0,
      skips: /** @type {string[]} */ ([]),
      failures: unhandledErrors.map((error) => `outside any test: ${told(error)}`),
    };
    for (const module of modules) {
      const name = path.relative(module.project.config.root, module.moduleId).split(path.sep).join('/');
      const groups = [{ errors: module.errors(), title: name }];
      for (const suite of module.children.allSuites()) {
        groups.push({ errors: suite.errors(), title: `${name} > ${suite.fullName}` });
      }
      for (const { errors, title } of groups) {
        if (errors.length === 0) continue;
        counts.failed += 1;
        counts.failures.push(`${title}: ${told(errors[0])}`);
      }
      for (const test of module.children.allTests()) {
        const { state, errors } = test.result();
        if (state === 'passed') counts.passed += 1;
        else if (state === 'failed') {
          counts.failed += 1;
          counts.failures.push(`${name} > ${test.fullName}: ${told(errors?.[0])}`);
        } else {
          counts.skipped += 1;
          counts.skips.push(`${name} > ${test.fullName}`);
        }
      }
    }
    writeFileSync(file, JSON.stringify(counts));
  }
}
