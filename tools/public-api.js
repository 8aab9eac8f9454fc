/**
 * Writes down the public API: for each entry of the exports map what it exports and with which types, as one text.
 * Reads the built declarations. With --write the text replaces test/architecture/public-api.txt; without, it is printed.
 *
 * @module
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { root } from './lib/root.js';

const snapshot = path.join(root, 'test/architecture/public-api.txt');
const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed });

/** @returns {[string, string][]} the specifier of each entry with types, and the path of its declarations */
function entries() {
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  return Object.entries(manifest.exports)
    .filter(([, target]) => target.startsWith('./dist/src/'))
    .map(([name, target]) => [path.posix.join('hface-ts', name), path.join(root, target.replace(/\.js$/, '.d.ts'))]);
}

/**
 * The text of a declaration without comments, bodies and what is private.
 * @param {ts.Declaration} declaration a declaration of a .d.ts file
 * @returns {string} one or more lines
 */
function textOf(declaration) {
  /** @type {ts.Node} */
  let node = declaration;
  // `export const a: string, b: string` keeps its name and type in a list inside a statement.
  if (ts.isVariableDeclaration(node))
    return `const ${printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile())};`;
  if (ts.isClassDeclaration(node)) {
    const members = node.members.filter((member) => {
      const hidden = ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private;
      return !hidden && !(member.name && ts.isPrivateIdentifier(member.name));
    });
    const { modifiers, name, typeParameters, heritageClauses } = node;
    const shown = ts.factory.createNodeArray(members);
    node = ts.factory.updateClassDeclaration(node, modifiers, name, typeParameters, heritageClauses, shown);
  }
  const text = printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile());
  return text.replace(/^export (default )?/, '').replace(/^declare /, '');
}

/** @returns {string} the whole text */
function publicApi() {
  const present = entries().filter(([, file]) => existsSync(file));
  const program = ts.createProgram(
    present.map(([, file]) => file),
    { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, skipLibCheck: true, types: ['node'] },
  );
  const checker = program.getTypeChecker();
  /** @type {Map<ts.Symbol, string>} */
  const home = new Map();
  const sections = [];
  // The package's own entry comes last: it repeats what the layers export, so it is a list of names.
  const ordered = [
    ...present.filter(([name]) => name !== 'hface-ts'),
    ...present.filter(([name]) => name === 'hface-ts'),
  ];
  for (const [name, file] of ordered) {
    const source = program.getSourceFile(file);
    const moduleSymbol = source && checker.getSymbolAtLocation(source);
    if (!moduleSymbol) throw new Error(`${file} is no module`);
    const lines = [`## ${name}`];
    const symbols = checker.getExportsOfModule(moduleSymbol).sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const symbol of symbols) {
      const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const known = home.get(target);
      if (known === undefined) {
        home.set(target, name);
        lines.push(...(target.declarations ?? []).map(textOf));
      } else lines.push(`${symbol.name} from ${known}`);
    }
    sections.push(lines.join('\n'));
  }
  return `${sections.join('\n\n')}\n`;
}

const text = publicApi();
if (process.argv.includes('--write')) writeFileSync(snapshot, text);
else process.stdout.write(text);
