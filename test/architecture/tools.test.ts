/**
 * The tools themselves: the lint rule for the import table, the budget on methods, the comparison of skips.
 *
 * @module
 */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Linter } from 'eslint';
import type { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { describe, expect, it } from 'vitest';
import { root } from '../support/repository.ts';

/** A module of tools/, which is plain JavaScript. */
async function tool<Module>(file: string): Promise<Module> {
  return (await import(pathToFileURL(path.join(root, 'tools', file)).href)) as Module;
}

async function findings(file: string, code: string): Promise<string[]> {
  const { hface } = await tool<{ hface: ESLint.Plugin }>('eslint/plugin.js');
  const linter = new Linter({ cwd: root });
  const messages = linter.verify(
    code,
    {
      files: ['**/*.ts'],
      languageOptions: { parser: tseslint.parser },
      plugins: { hface },
      rules: { 'hface/layers': 'error', 'hface/max-methods': ['error', 2] },
    },
    { filename: path.join(root, file) },
  );
  return messages.map((message) => message.message);
}

describe('the lint rule hface/layers', () => {
  const allowed: [string, string][] = [
    ['src/wire/a.ts', "import { x } from '../common/errors.ts';"],
    ['src/wire/a.ts', "import { x } from './b.ts';"],
    ['src/protocols/http1/a.ts', "import { x } from '../semantics/fields.ts';"],
    ['src/connections/a.ts', "import { x } from '../protocols/http1/index.ts';"],
    ['src/app/a.ts', "import type { x } from '../connections/index.ts';"],
    ['src/certificates/a.ts', "const forge = await import('node-forge');"],
    ['src/certificates/a.ts', "import type forge from 'node-forge';"],
    ['src/networking/a.ts', "import net from 'node:net';"],
    ['src/crypto/a.ts', "import crypto from 'node:crypto';"],
    ['src/index.ts', "export * from './client/index.ts';"],
    ['cli/a.ts', "import { x } from '../src/index.ts';"],
    ['cli/a.ts', "const yargs = await import('yargs');"],
  ];
  it.each(allowed)('allows in %s: %s', async (file, code) => {
    expect(await findings(file, code)).toEqual([]);
  });

  const refused: [string, string][] = [
    ['src/common/a.ts', "import { x } from '../wire/index.ts';"],
    ['src/common/a.ts', "export { x } from '../wire/index.ts';"],
    ['src/common/a.ts', "export * from '../wire/index.ts';"],
    ['src/common/a.ts', "type X = import('../wire/index.ts').X;"],
    ['src/wire/a.ts', "import { Buffer } from 'node:buffer';"],
    ['src/protocols/a.ts', "import { x } from './http1/index.ts';"],
    ['src/protocols/http2/a.ts', "import { x } from '../http1/index.ts';"],
    ['src/connections/a.ts', "import { x } from '../protocols/http1/reader.ts';"],
    ['src/app/a.ts', "import { x } from '../connections/index.ts';"],
    ['src/certificates/a.ts', "import forge from 'node-forge';"],
    ['src/client/a.ts', "const yargs = await import('yargs');"],
    ['src/index.ts', "export * from './client/session.ts';"],
    ['src/stray.ts', "import { x } from './common/index.ts';"],
    ['cli/a.ts', "import { x } from '../src/client/session.ts';"],
  ];
  it.each(refused)('refuses in %s: %s', async (file, code) => {
    expect(await findings(file, code)).toHaveLength(1);
  });
});

describe('the lint rule hface/max-methods', () => {
  it('counts methods and setters, not the constructor, fields and getters', async () => {
    expect(
      await findings('src/wire/a.ts', 'class A { x = 1; constructor() {} a() {} b() {} get c() { return 1; } }'),
    ).toEqual([]);
    expect(await findings('src/wire/a.ts', 'class A { a() {} b() {} static c() {} }')).toHaveLength(1);
  });
});

describe('the comparison of skips', () => {
  it('tells what is skipped and not listed, and what is listed and not skipped, in the stages that ran', async () => {
    const { compareSkips } = await tool<{
      compareSkips: (listed: string, skipped: string[], ran: string[]) => string[];
    }>('ci/skips.js');
    const listed = '# why\ntest | a.test.ts > one\ninterop | b.test.ts > two\n';
    expect(compareSkips(listed, ['test | a.test.ts > one'], ['test'])).toEqual([]);
    expect(compareSkips(listed, ['test | c.test.ts > new'], ['test', 'interop'])).toEqual([
      '+ test | c.test.ts > new',
      '- test | a.test.ts > one',
      '- interop | b.test.ts > two',
    ]);
  });
});
