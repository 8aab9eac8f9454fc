/**
 * The codes of errors as the source has them: each literal `'ERR_…'` in src/ and cli/, with the class that it is thrown
 * as and whose doing it is called.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { root } from './root.js';

/**
 * What the source says of a code.
 * @typedef {object} CodeFacts
 * @property {Set<string>} classes the classes of the errors; empty where the code stands in a table
 * @property {Set<string>} initiators as far as they are written beside the code
 * @property {Set<string>} files from the root
 */

/**
 * The codes of everything below some folders.
 * @param {readonly string[]} folders from the root
 * @returns {Map<string, CodeFacts>} by code, sorted
 */
export function errorCodes(folders) {
  /** @type {Map<string, CodeFacts>} */
  const codes = new Map();
  for (const folder of folders) {
    const names = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
    for (const name of names.filter((each) => each.endsWith('.ts')).sort()) {
      scan(path.posix.join(folder, name.split(path.sep).join('/')), codes);
    }
  }
  return new Map([...codes].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/**
 * @param {string} file from the root
 * @param {Map<string, CodeFacts>} codes gets what is found
 */
function scan(file, codes) {
  const text = readFileSync(path.join(root, file), 'utf8');
  if (!text.includes('ERR_')) return;
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  /** @type {(node: ts.Node) => void} */
  const visit = (node) => {
    // Node's and OpenSSL's own codes have the same beginning; ours is what we write, not what we compare with.
    if (ts.isStringLiteral(node) && /^ERR_(?!SSL_)[A-Z0-9_]+[A-Z0-9]$/.test(node.text) && !isForeign(node)) {
      const facts = codes.get(node.text) ?? { classes: new Set(), initiators: new Set(), files: new Set() };
      codes.set(node.text, facts);
      facts.files.add(file);
      const made = construction(node);
      if (made !== undefined) {
        facts.classes.add(made.name);
        if (made.initiator !== undefined) facts.initiators.add(made.initiator);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

/**
 * Whether a literal is only compared with.
 * @param {ts.Node} node the literal
 * @returns {boolean} true for `code === 'ERR_…'`, `case 'ERR_…'`, `code.startsWith('ERR_…')`
 */
function isForeign({ parent }) {
  if (ts.isCaseClause(parent)) return true;
  if (ts.isBinaryExpression(parent)) return parent.operatorToken.getText().includes('=='); // also !=
  return ts.isCallExpression(parent) && /\.(startsWith|has|includes)$/.test(parent.expression.getText());
}

/**
 * The error that a literal is part of.
 * @param {ts.Node} node the literal
 * @returns {{ name: string, initiator: string | undefined } | undefined} its class, and what stands as its initiator
 */
function construction(node) {
  for (let outer = node.parent; outer && !ts.isStatement(outer); outer = outer.parent) {
    // A constructor's default.
    if (ts.isParameter(outer)) return { name: ownClass(outer), initiator: undefined };
    if (!ts.isNewExpression(outer) && !ts.isCallExpression(outer)) continue;
    const name = outer.expression.getText();
    if (ts.isCallExpression(outer) && name !== 'super') continue;
    if (!/Error$/.test(name) && name !== 'super') return undefined;
    const initiator = /initiator: '(\w+)'/.exec(outer.getText())?.[1];
    return { name: name === 'super' ? ownClass(outer) : name, initiator };
  }
  return undefined;
}

/**
 * @param {ts.Node} node something inside a class
 * @returns {string} the class's name
 */
function ownClass(node) {
  /** @type {ts.Node | undefined} */
  let outer = node;
  while (outer && !ts.isClassDeclaration(outer)) outer = outer.parent;
  return outer?.name?.text ?? '';
}
