/**
 * The install budget: what a user gets from `npm install hface-ts`. Packs the package, installs it into an empty folder
 * (from npm's cache, or else the registry) and counts.
 *
 * @module
 */
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runNode } from '../support/child.ts';
import { exists, filesBelow, publicEntries, root } from '../support/repository.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-install-'));
const modules = path.join(folder, 'node_modules');
const npm = path.join(root, 'tools/npm.js');

interface InstalledPackage {
  readonly name: string;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly gypfile?: boolean;
}

interface InstalledFile {
  readonly path: string;
  readonly size: number;
}

function installedFiles(): InstalledFile[] {
  return readdirSync(modules, { recursive: true, encoding: 'utf8' })
    .map((name) => ({ path: name.split(path.sep).join('/'), stat: lstatSync(path.join(modules, name)) }))
    .filter(({ stat }) => stat.isFile())
    .map((file) => ({ path: file.path, size: file.stat.size }));
}

function installedPackages(): InstalledPackage[] {
  return installedFiles()
    .filter((file) => /^(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+\/package\.json$/.test(file.path))
    .map((file) => JSON.parse(readFileSync(path.join(modules, file.path), 'utf8')) as InstalledPackage);
}

beforeAll(async () => {
  const packed = await runNode([npm, 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    timeout: 120_000,
  });
  expect(packed).toMatchObject({ code: 0 });
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '';
  const app = path.join(folder, 'app');
  mkdirSync(app);
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ name: 'user', version: '1.0.0', private: true }));
  const options = ['--omit=dev', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  const installed = await runNode([npm, 'install', ...options, path.join(folder, tarball)], {
    cwd: folder,
    timeout: 240_000,
  });
  expect(installed, installed.stderr).toMatchObject({ code: 0 });
}, 300_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('an installed package', () => {
  it('is at most 25 packages', () => {
    const names = installedPackages().map((found) => found.name);
    expect(names).toContain('hface-ts');
    expect(names.length).toBeLessThanOrEqual(25);
  });

  it('is at most 12 MB', () => {
    const bytes = installedFiles().reduce((sum, file) => sum + file.size, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(12_000_000);
  });

  it('runs no script while it is installed', () => {
    const scripts = installedPackages().filter((found) => {
      const names = Object.keys(found.scripts ?? {});
      return found.gypfile === true || names.some((name) => ['preinstall', 'install', 'postinstall'].includes(name));
    });
    expect(scripts.map((found) => found.name)).toEqual([]);
  });

  it('holds no native file', () => {
    const native = installedFiles().filter((file) => /\.(node|so|dylib|dll|exe|wasm)$|binding\.gyp$/.test(file.path));
    expect(native).toEqual([]);
  });

  it('carries every entry that the exports map names, with types', () => {
    const files = new Set(installedFiles().map((file) => file.path));
    const wanted = publicEntries()
      .filter((entry) => exists(entry.source))
      .flatMap((entry) => [entry.built, entry.built.replace(/\.js$/, '.d.ts')]);
    expect(wanted.filter((file) => !files.has(`hface-ts/${file}`))).toEqual([]);
  });

  it('carries the examples and no tests, sources or tools', () => {
    const own = installedFiles().filter((file) => file.path.startsWith('hface-ts/'));
    const top = new Set(own.map((file) => file.path.split('/')[1]));
    const allowed = ['dist', 'cli', 'examples', 'package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'];
    expect([...top].filter((name) => !allowed.includes(name ?? ''))).toEqual([]);
    const paths = own.map((file) => file.path);
    for (const example of filesBelow('examples', '.js')) expect(paths).toContain(`hface-ts/${example}`);
  });

  it('answers on the command line', async () => {
    if (!exists('cli/main.ts')) {
      expect(exists('cli/hface-ts.js')).toBe(true);
      return;
    }
    const script = path.join(modules, 'hface-ts/cli/hface-ts.js');
    const { code, stdout } = await runNode([script, '--version'], { cwd: path.join(folder, 'app') });
    expect({ code, stdout: stdout.trim() }).toMatchObject({ code: 0, stdout: expect.stringMatching(/\d+\.\d+\.\d+/) });
  });
});
