/**
 * The entries of the exports map, as a user loads them: nothing of node_modules comes along, `require()` works, and the
 * public API is the one that was written down.
 *
 * @module
 */
import { describe, expect, it } from 'vitest';
import { runNode } from '../support/child.ts';
import { exists, publicEntries, read } from '../support/repository.ts';

const entries = publicEntries().filter((entry) => exists(entry.built));

/** Prints every module that is resolved from node_modules while an entry loads, through import and through require. */
function watcher(specifier: string): string {
  return `
    import module from 'node:module';
    import { writeSync } from 'node:fs';
    const note = (text) => writeSync(1, 'loaded ' + text + '\\n');
    const load = module._load;
    module._load = function (request, ...rest) {
      if (!module.isBuiltin(request)) note(request);
      return load.call(this, request, ...rest);
    };
    const hook = 'import { writeSync } from "node:fs";' +
      'export async function resolve(specifier, context, next) {' +
      '  const found = await next(specifier, context);' +
      '  if (found.url.includes("/node_modules/")) writeSync(1, "loaded " + found.url + "\\\\n");' +
      '  return found;' +
      '}';
    if (module.registerHooks) {
      module.registerHooks({
        resolve(specifier, context, next) {
          const found = next(specifier, context);
          if (found.url.includes('/node_modules/')) note(found.url);
          return found;
        },
      });
    } else module.register('data:text/javascript,' + encodeURIComponent(hook));
    const loaded = await import(${JSON.stringify(specifier)});
    note('names ' + Object.keys(loaded).length);
  `;
}

describe('importing', () => {
  it.each(entries)('$specifier loads nothing from node_modules', async ({ specifier }) => {
    const { code, stdout, stderr } = await runNode(['--input-type=module', '-e', watcher(specifier)]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n').filter((line) => line !== '');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^loaded names \d+$/);
  });

  it('is watched: a package that is imported or required is seen', async () => {
    for (const name of ['node-forge', 'prettier']) {
      const { stdout } = await runNode(['--input-type=module', '-e', watcher(name)]);
      expect(stdout).toMatch(new RegExp(`loaded .*/node_modules/${name}/`));
    }
  });

  it.each(entries)('$specifier leaves nothing running and writes nothing', async ({ specifier }) => {
    const result = await runNode(['--input-type=module', '-e', `await import(${JSON.stringify(specifier)})`]);
    expect(result).toMatchObject({ code: 0, stdout: '', stderr: '', timedOut: false });
  });
});

describe('require()', () => {
  it.each(entries)('of $specifier works: there is no top-level await', async ({ specifier }) => {
    const names = 'process.stdout.write(String(Object.keys(loaded).length >= 0))';
    const script = `const loaded = require(${JSON.stringify(specifier)}); ${names}`;
    const { code, stdout, stderr } = await runNode(['--input-type=commonjs', '--no-warnings', '-e', script]);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'true', stderr: '' });
  });
});

describe('the public API', () => {
  it('is the one in public-api.txt (npm run api writes it anew)', async () => {
    const { code, stdout, stderr } = await runNode(['tools/public-api.js']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toBe(read('test/architecture/public-api.txt'));
  });
});
