/**
 * Every file of examples/ is run by some test: one that names it, or the page of the documentation that does.
 *
 * @module
 */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exists, filesBelow, publicEntries, read } from '../support/repository.ts';

const examples = ['.js', '.ts'].flatMap((extension) => filesBelow('examples', extension));

describe('examples', () => {
  it('are each named by a test or by a page whose blocks run', () => {
    const tests = filesBelow('test', '.test.ts').map(read);
    const pages = ['README.md', ...filesBelow('docs', '.md')].filter(exists).map(read);
    const texts = [...tests, ...pages].join('\n');
    const unnamed = examples.filter((file) => {
      const name = path.posix.basename(file).replace(/\.(js|ts)$/, '');
      return !new RegExp(`examples/${name}\\b|['"\`]${name}(\\.js|\\.ts)?['"\`]`).test(texts);
    });
    // Before the tests of the command line exist there is nothing that could run an example.
    if (exists('cli/main.ts') && exists('README.md')) expect(unnamed).toEqual([]);
    expect(examples.length).toBeGreaterThan(0);
  });

  it('import what a user can import: the entries of the package and node: modules', () => {
    const entries = new Set(publicEntries().map((entry) => entry.specifier));
    const strange = examples.flatMap((file) =>
      [...read(file).matchAll(/^\s*(?:import|export)\b[^'"\n]*from\s+['"]([^'"]+)['"]/gm)]
        .map((match) => match[1] ?? '')
        .filter((specifier) => !specifier.startsWith('node:') && !specifier.startsWith('./') && !entries.has(specifier))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    expect(strange).toEqual([]);
  });
});
