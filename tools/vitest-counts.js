/**
 * A vitest reporter that writes what happened to the file named by HFACE_COUNTS: how many tests passed, failed and
 * were skipped, and which were skipped. Without that variable it does nothing. A file that could not be loaded and an
 * error outside any test count as failures.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** @implements {Partial<import('vitest/node').Reporter>} */
export default class CountsReporter {
  /**
   * @param {ReadonlyArray<import('vitest/node').TestModule>} modules the files that ran
   * @param {ReadonlyArray<unknown>} unhandledErrors errors outside any test
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.HFACE_COUNTS;
    if (!file) return;
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0, skips: /** @type {string[]} */ ([]) };
    for (const module of modules) {
      const name = path.relative(module.project.config.root, module.moduleId).split(path.sep).join('/');
      if (module.errors().length > 0) counts.failed += 1;
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) counts.failed += 1;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') counts.passed += 1;
        else if (state === 'failed') counts.failed += 1;
        else {
          counts.skipped += 1;
          counts.skips.push(`${name} > ${test.fullName}`);
        }
      }
    }
    writeFileSync(file, JSON.stringify(counts));
  }
}
