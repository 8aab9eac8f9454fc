/**
 * The import table: every import of the sources against tools/layers.json, and no circles. The lint rule hface/layers
 * checks the same data while one writes; this test does it from the compiler's own list of imports, so neither can be
 * wrong alone.
 *
 * @module
 */
import path from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { exists, manifest, publicEntries, read, sourceFiles } from '../support/repository.ts';
import { layers, rowOf } from './layers.ts';
import type { LayerRow } from './layers.ts';

interface Import {
  readonly file: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
}

function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(file, read(file), ts.ScriptTarget.ES2022, true);
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, dynamic: boolean): void => {
    if (specifier && ts.isStringLiteralLike(specifier)) {
      found.push({ file, specifier: specifier.text, typeOnly, dynamic });
    }
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword, false);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly, false);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      add(node.argument.literal, true, false);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function targetOf(found: Import): string {
  return path.posix.normalize(path.posix.join(path.posix.dirname(found.file), found.specifier));
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function mayImport(row: LayerRow, found: Import): boolean {
  if (found.specifier.startsWith('node:')) return row.node === true || row.node.includes(found.specifier);
  if (!found.specifier.startsWith('.')) {
    const known = row.packages?.includes(packageOf(found.specifier)) ?? false;
    return known && (found.dynamic || found.typeOnly);
  }
  const target = targetOf(found);
  const targetRow = rowOf(target);
  if (targetRow === row) return true;
  if (row.imports.includes('public')) return publicEntries().some((entry) => entry.source === target);
  if (!targetRow) return false;
  const named = row.imports.includes(targetRow.folder) || (found.typeOnly && row.types?.includes(targetRow.folder));
  return Boolean(named) && (!targetRow.indexOnly || target === `${targetRow.folder}/index.ts`);
}

const all = sourceFiles().map((file) => ({ file, imports: importsOf(file) }));

describe('the import table', () => {
  it('has rows that name only rows above them, so that folders form no circle', () => {
    const above = new Set<string>(['public']);
    for (const row of layers.rows) {
      for (const name of [...row.imports, ...(row.types ?? [])]) {
        expect(above.has(name), `${row.folder} names ${name}, which does not stand above it`).toBe(true);
      }
      above.add(row.folder);
    }
  });

  it('has a row for every folder of src', () => {
    const strays = sourceFiles().filter((file) => file !== 'src/index.ts' && !rowOf(file));
    expect(strays).toEqual([]);
  });

  it('is kept by every import', () => {
    const broken = all.flatMap(({ file, imports }) => {
      const row = rowOf(file);
      return row ? imports.filter((found) => !mayImport(row, found)) : [];
    });
    expect(broken.map((found) => `${found.file} imports ${found.specifier}`)).toEqual([]);
  });

  it("lets the package's own entry name only the entries of layers", () => {
    const entry = all.find(({ file }) => file === 'src/index.ts');
    const strays = (entry?.imports ?? []).filter((found) => !targetOf(found).endsWith('/index.ts'));
    expect(strays).toEqual([]);
  });

  it('holds for dependencies: what is imported is declared, what is declared is imported', () => {
    const { dependencies, peerDependencies = {}, peerDependenciesMeta = {} } = manifest();
    // A peer is nobody's burden: it is optional, and what needs it loads it when it is asked for.
    const peers = Object.keys(peerDependencies);
    expect(peers.filter((name) => peerDependenciesMeta[name]?.optional !== true)).toEqual([]);
    const declared = [...Object.keys(dependencies), ...peers];
    const used = new Set(
      all.flatMap(({ imports }) =>
        imports
          .filter((found) => !found.typeOnly && !/^(\.|node:)/.test(found.specifier))
          .map((found) => packageOf(found.specifier)),
      ),
    );
    expect([...used].filter((name) => !declared.includes(name))).toEqual([]);
    // While the command line is not there yet, nothing can use what it will need.
    if (exists('cli/main.ts')) expect(declared.filter((name) => !used.has(name))).toEqual([]);
  });
});

describe('files', () => {
  it('form no circle of imports that are evaluated', () => {
    const edges = new Map(
      all.map(({ file, imports }) => [
        file,
        imports.filter((found) => found.specifier.startsWith('.') && !found.typeOnly && !found.dynamic).map(targetOf),
      ]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (file: string, trail: readonly string[]): void => {
      const start = trail.indexOf(file);
      if (start >= 0) circles.push([...trail.slice(start), file].join(' → '));
      if (start >= 0 || done.has(file)) return;
      for (const next of edges.get(file) ?? []) walk(next, [...trail, file]);
      done.add(file);
    };
    for (const file of edges.keys()) walk(file, []);
    expect(circles).toEqual([]);
  });
});
