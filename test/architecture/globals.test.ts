/**
 * What the sources must do without: clocks, timers and chance outside the system clock; promises, emitters, console and
 * the process in the folders that know no input and output. The lists are in tools/layers.json.
 *
 * @module
 */
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { filesBelow, read } from '../support/repository.ts';
import { layers, rowOf } from './layers.ts';

/** Whether an identifier stands for a value that is looked up in scope, not for the name of a member or declaration. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isQualifiedName(parent) || ts.isTypeReferenceNode(parent) || ts.isTypeQueryNode(parent)) return false;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  const named = parent as { readonly name?: ts.Node };
  if (named.name === node) return ts.isShorthandPropertyAssignment(parent);
  return !ts.isImportSpecifier(parent) && !ts.isExportSpecifier(parent) && !ts.isJSDoc(parent);
}

/** Names that a file declares or imports itself: those are not the globals. */
function ownNames(source: ts.SourceFile): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    const named = node as { readonly name?: ts.Node };
    const declares =
      ts.isVariableDeclaration(node) ||
      ts.isParameter(node) ||
      ts.isFunctionDeclaration(node) ||
      ts.isBindingElement(node) ||
      ts.isImportSpecifier(node) ||
      ts.isImportClause(node);
    if (declares && named.name && ts.isIdentifier(named.name)) names.add(named.name.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}

interface Bans {
  readonly globals: ReadonlySet<string>;
  readonly members: ReadonlySet<string>;
}

/** The banned names that a text uses, each with its line. */
function uses(file: string, text: string, bans: Bans): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true);
  const own = ownNames(source);
  const found: string[] = [];
  const report = (node: ts.Node, name: string): void => {
    found.push(`${file}:${source.getLineAndCharacterOfPosition(node.getStart()).line + 1} ${name}`);
  };
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && bans.globals.has(node.text) && !own.has(node.text) && isReference(node)) {
      report(node, node.text);
    }
    if (ts.isPropertyAccessExpression(node)) {
      const object = node.expression;
      const name = node.name.text;
      if (ts.isIdentifier(object) && bans.members.has(`${object.text}.${name}`)) {
        report(node, `${object.text}.${name}`);
      }
      if (ts.isIdentifier(object) && object.text === 'globalThis' && bans.globals.has(name)) {
        report(node, `globalThis.${name}`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function bansOf(file: string): Bans {
  const row = rowOf(file);
  const lists = row?.sansIo ? [layers.bannedEverywhere, layers.bannedSansIo] : [layers.bannedEverywhere];
  const globals = lists.flatMap((ban) => ban.globals);
  if (row?.sansIo && !row.buffer) globals.push('Buffer');
  const members = lists.flatMap((ban) => ban.members);
  if (!layers.platformReaders.some((folder) => file.startsWith(`${folder}/`))) members.push('process.platform');
  return { globals: new Set(globals), members: new Set(members) };
}

describe('banned globals', () => {
  it('stand in no source', () => {
    const files = filesBelow('src', '.ts').filter((file) => !layers.systemClock.includes(file));
    expect(files.flatMap((file) => uses(file, read(file), bansOf(file)))).toEqual([]);
  });

  it('are seen by this test where they are', () => {
    const bans = bansOf('src/wire/any.ts');
    const text = [
      'setTimeout(f, 1);',
      'const t = Date.now();',
      'globalThis.setInterval(f);',
      'new Promise(f);',
      'console.log(1);',
      'const { a = Math.random() } = b;',
    ];
    expect(uses('src/wire/any.ts', text.join('\n'), bans).map((use) => use.replace(/^.*:/, ''))).toEqual([
      '1 setTimeout',
      '2 Date.now',
      '3 globalThis.setInterval',
      '4 Promise',
      '5 console',
      '6 Math.random',
    ]);
  });

  it('are not confused with members, parameters and types of the same name', () => {
    const bans = bansOf('src/wire/any.ts');
    const text = 'a.setTimeout(); function f(process: number) { return process; } type P = { fetch(): void };';
    expect(uses('src/wire/any.ts', text, bans)).toEqual([]);
  });

  it('name a system clock that exists once networking does', () => {
    const networking = filesBelow('src/networking', '.ts');
    if (networking.includes('src/networking/system-networking.ts')) {
      expect(networking).toContain(layers.systemClock[0]);
    }
    expect(layers.systemClock.length).toBeGreaterThan(0);
  });
});
