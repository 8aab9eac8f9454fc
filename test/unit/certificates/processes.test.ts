import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, it } from 'vitest';
import { runNode } from '../../support/child.ts';
import { filesBelow, read, root } from '../../support/repository.ts';
import { temporaryFolder } from './support.ts';

/** The folders as JavaScript, as text by path. */
const compiled = new Map<string, string>();

beforeAll(() => {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    rewriteRelativeImportExtensions: true,
    verbatimModuleSyntax: true,
  };
  for (const file of ['src/common', 'src/concurrency', 'src/certificates'].flatMap((folder) =>
    filesBelow(folder, '.ts'),
  )) {
    const { outputText } = ts.transpileModule(read(file), { fileName: file, compilerOptions });
    compiled.set(file.replace(/^src\//, '').replace(/\.ts$/, '.js'), outputText);
  }
});

/** Writes the compiled folders, and a script that has them as `certificates` and a data folder as `directory`. */
async function program(script: string): Promise<{ file: string; directory: string }> {
  const folder = await temporaryFolder();
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  for (const name of ['common', 'concurrency', 'certificates']) await mkdir(join(folder, name));
  for (const [name, text] of compiled) await writeFile(join(folder, name), text);
  const directory = join(folder, 'data');
  const entry = pathToFileURL(join(folder, 'certificates', 'index.js')).href;
  const head = `const certificates = await import(${JSON.stringify(entry)});\nconst directory = ${JSON.stringify(directory)};\n`;
  await writeFile(join(folder, 'script.js'), head + script);
  return { file: join(folder, 'script.js'), directory };
}

describe('processes', () => {
  it('agree on one CA when they start at once', async () => {
    const { file, directory } = await program(`
      const types = [];
      const ca = await certificates.openDevelopmentCa({ directory, onNotice: ({ type }) => types.push(type) });
      await ca.leaf();
      console.log(ca.fingerprint256 + ' ' + types[0]);
    `);
    const results = await Promise.all(Array.from({ length: 4 }, () => runNode([file])));
    expect(results.map((result) => [result.code, result.stderr])).toEqual(results.map(() => [0, '']));
    const lines = results.map((result) => result.stdout.trim().split(' '));
    expect(new Set(lines.map(([fingerprint]) => fingerprint)).size).toBe(1);
    expect(lines.filter(([, notice]) => notice === 'CaCreated')).toHaveLength(1);
    const entries = await readdir(directory);
    expect(entries.sort()).toEqual(['ca-1', 'development-ca.pem', expect.stringMatching(/^leaf-/)]);
  });

  it('find their way after one was killed in the middle of any write', async () => {
    // A first start renames three times: the CA, the copy of its certificate, the leaf. The child kills itself before
    // or after the one that its arguments name.
    const { file, directory } = await program(`
      const fs = await import('node:fs/promises');
      const { syncBuiltinESMExports } = await import('node:module');
      const [place, when, number] = process.argv.slice(2);
      let count = 0;
      const rename = fs.default.rename;
      fs.default.rename = async (from, to) => {
        count += 1;
        if (when === 'before' && String(count) === number) process.kill(process.pid, 'SIGKILL');
        await rename(from, to);
        if (when === 'after' && String(count) === number) process.kill(process.pid, 'SIGKILL');
      };
      syncBuiltinESMExports();
      const ca = await certificates.openDevelopmentCa({ directory: directory + place });
      const leaf = await ca.leaf();
      console.log(ca.fingerprint256, leaf.fingerprint256);
    `);
    for (const [when, number] of [
      ['before', '1'],
      ['after', '1'],
      ['before', '2'],
      ['after', '2'],
      ['before', '3'],
      ['after', '3'],
    ] as const) {
      const place = when + number;
      const killed = await runNode([file, place, when, number]);
      expect([place, killed.signal]).toEqual([place, 'SIGKILL']);
      const ends = [await runNode([file, place]), await runNode([file, place])];
      expect(ends[0]!.stdout).toMatch(/^[0-9A-F:]{95} [0-9A-F:]{95}\n$/);
      expect(ends[1]!.stdout).toBe(ends[0]!.stdout);
      expect(await readFile(join(directory + place, 'development-ca.pem'), 'utf8')).toContain('BEGIN CERTIFICATE');
    }
  });

  it('load node-forge only when a certificate is written', async () => {
    const { file } = await program(`
      const { createRequire } = await import('node:module');
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((name) => name.includes('node-forge'));
      const steps = [loaded()];
      await certificates.developmentCaCertificate({ directory });
      steps.push(loaded());
      if (process.argv[2] === 'read') {
        await certificates.developmentTls({ directory });
        await certificates.developmentCaCertificate({ directory });
        steps.push(loaded());
      } else {
        await certificates.developmentTls({ directory });
        steps.push(loaded());
      }
      console.log(JSON.stringify(steps));
    `);
    expect((await runNode([file, 'write'])).stdout).toBe('[false,false,true]\n');
    expect((await runNode([file, 'read'])).stdout).toBe('[false,false,false]\n');
  });
});
