import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findApp } from '../../../../cli/server/load-app.ts';
import { root } from '../../../support/repository.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'hface-ts-find-'));
afterAll(() => rmSync(folder, { recursive: true }));

function put(name: string, text = ''): string {
  const file = path.join(folder, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const app = put('app.js');
const odd = put('odd:name.js');
put('public/index.html');
put(
  'node_modules/pkg/package.json',
  JSON.stringify({ name: 'pkg', exports: { '.': './main.js', './app': './app.js' } }),
);
const packageApp = put('node_modules/pkg/app.js');
const packageMain = put('node_modules/pkg/main.js');
put('node_modules/esm/package.json', JSON.stringify({ name: 'esm', exports: { './app': { import: './app.js' } } }));
const esmApp = put('node_modules/esm/app.js');
const scoped = put('node_modules/@a/b/index.js');
put('node_modules/@a/b/package.json', JSON.stringify({ name: '@a/b', main: 'index.js' }));

describe('findApp', () => {
  it.each([
    ['app.js', { kind: 'module', file: app, exportName: undefined, fromPackage: false }],
    ['./app.js', { kind: 'module', file: app, exportName: undefined, fromPackage: false }],
    ['app.js:admin', { kind: 'module', file: app, exportName: 'admin', fromPackage: false }],
    ['app.js:$a.b_1', { kind: 'module', file: app, exportName: '$a.b_1', fromPackage: false }],
    ['odd:name.js', { kind: 'module', file: odd, exportName: undefined, fromPackage: false }],
    ['odd:name.js:x', { kind: 'module', file: odd, exportName: 'x', fromPackage: false }],
    ['public', { kind: 'folder', directory: path.join(folder, 'public') }],
    ['public/', { kind: 'folder', directory: path.join(folder, 'public') }],
    ['.', { kind: 'folder', directory: folder }],
    ['pkg', { kind: 'module', file: packageMain, exportName: undefined, fromPackage: true }],
    ['pkg/app', { kind: 'module', file: packageApp, exportName: undefined, fromPackage: true }],
    ['pkg/app:x', { kind: 'module', file: packageApp, exportName: 'x', fromPackage: true }],
    ['esm/app', { kind: 'module', file: esmApp, exportName: undefined, fromPackage: true }],
    ['@a/b', { kind: 'module', file: scoped, exportName: undefined, fromPackage: true }],
    [
      'hface-ts/examples/hello',
      { kind: 'module', file: path.join(root, 'examples/hello.js'), exportName: undefined, fromPackage: true },
    ],
  ])('%s', (argument, expected) => {
    expect(findApp(argument, folder)).toEqual(expected);
  });

  it('prefers a path to a package of the same name', () => {
    put('both.js');
    put('node_modules/both.js/package.json', '{ "name": "both.js", "main": "x.js" }');
    put('node_modules/both.js/x.js');
    expect(findApp('both.js', folder)).toMatchObject({ file: path.join(folder, 'both.js') });
  });

  it.each([
    ['ap.js', 'hface-ts server app.js'],
    ['public/indx.html', 'hface-ts server public/index.html'],
    ['zzzzzzzz', 'hface-ts server app.js'],
    ['pkg/none', 'hface-ts server app.js'],
    ['node:fs', 'hface-ts server app.js'],
    ['fs', 'hface-ts server app.js'],
  ])('%s is not there: %s', (argument, next) => {
    expect(() => findApp(argument, folder)).toThrow(
      expect.objectContaining({
        exitCode: 1,
        failure: { cause: `there is no file, folder or package export named ${argument}`, place: folder, next },
      }),
    );
  });

  it('refuses an export of a folder', () => {
    expect(() => findApp('public:app', folder)).toThrow('public is a folder, so it has no export app');
  });
});
