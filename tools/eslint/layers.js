/**
 * The import table of tools/layers.json, as a lint rule and as a list of restrictions for ESLint's own rules.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

/**
 * @typedef {object} LayerRow
 * @property {string} folder
 * @property {string[]} imports
 * @property {string[]} [types]
 * @property {boolean} [indexOnly]
 * @property {true | string[]} node
 * @property {string[]} [packages]
 * @property {boolean} [sansIo]
 * @property {boolean} [buffer]
 */

/**
 * @typedef {object} Ban
 * @property {string} about
 * @property {string[]} globals
 * @property {string[]} members
 */

/**
 * @type {{ rows: LayerRow[], engineFolders: string, systemClock: string[], platformReaders: string[],
 *   bannedEverywhere: Ban, bannedSansIo: Ban }}
 */
export const layers = JSON.parse(readFileSync(path.join(root, 'tools/layers.json'), 'utf8'));

/** Files that the exports map names, as sources: what the command line may import. */
const publicEntries = new Set(
  Object.values(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).exports)
    .filter((target) => target.startsWith('./dist/src/'))
    .map((target) => target.replace('./dist/', '').replace(/\.js$/, '.ts')),
);

/**
 * The row with the longest folder that contains a file.
 * @param {string} file path from the root, with forward slashes
 * @returns {LayerRow | undefined} the row, if the file stands in any
 */
export function rowOf(file) {
  let best;
  for (const row of layers.rows) {
    if (file.startsWith(`${row.folder}/`) && (!best || row.folder.length > best.folder.length)) best = row;
  }
  return best;
}

/**
 * Why a file may not import something; undefined when it may.
 * @param {string} file path of the importing file from the root, with forward slashes
 * @param {string} specifier what stands in the import
 * @param {{ typeOnly: boolean, dynamic: boolean }} how how it is imported
 * @returns {string | undefined} the reason in one sentence
 */
export function refusal(file, specifier, how) {
  const row = rowOf(file);
  if (!row) return rootFileRefusal(file, specifier);
  if (specifier.startsWith('node:')) {
    if (row.node === true || row.node.includes(specifier)) return undefined;
    return `${row.folder}/ does not use ${specifier}`;
  }
  if (!specifier.startsWith('.')) {
    const name = specifier.startsWith('@') ? specifier.split('/', 2).join('/') : specifier.split('/', 1).join('');
    if (!row.packages?.includes(name)) return `${row.folder}/ does not use the package ${name}`;
    if (how.dynamic || how.typeOnly) return undefined;
    return `the package ${name} is loaded by a dynamic import when it is needed, not at start`;
  }
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
  const targetRow = rowOf(target);
  if (targetRow === row) return undefined;
  if (row.imports.includes('public')) {
    return publicEntries.has(target) ? undefined : `${row.folder}/ imports only what the exports map names`;
  }
  if (!targetRow) return `${target} stands outside the layers`;
  if (!row.imports.includes(targetRow.folder) && !(how.typeOnly && row.types?.includes(targetRow.folder))) {
    const types = row.types?.includes(targetRow.folder) ? ' (types apart)' : '';
    return `${row.folder}/ does not import ${targetRow.folder}/${types}`;
  }
  if (targetRow.indexOnly && target !== `${targetRow.folder}/index.ts`) {
    return `${targetRow.folder}/ is reached through its index.ts only`;
  }
  return undefined;
}

/**
 * The package's own entry, src/index.ts, exports what the layers' index.ts files export.
 * @param {string} file the importing file
 * @param {string} specifier what it imports
 * @returns {string | undefined} the reason in one sentence
 */
function rootFileRefusal(file, specifier) {
  if (!file.startsWith('src/')) return undefined;
  if (file !== 'src/index.ts') return `${file} stands in no layer of tools/layers.json`;
  const target = path.posix.normalize(path.posix.join('src', specifier));
  if (specifier.startsWith('.') && target.endsWith('/index.ts')) return undefined;
  return 'src/index.ts imports only the index.ts of a layer';
}

/**
 * Globals and members that a row's files must do without, for no-restricted-globals and no-restricted-properties.
 * @param {LayerRow} row a row of src
 * @returns {{ globals: { name: string, message: string }[], properties: { object: string, property: string,
 *   message: string }[] }} options of the two rules
 */
export function restrictions(row) {
  const bans = row.sansIo ? [layers.bannedEverywhere, layers.bannedSansIo] : [layers.bannedEverywhere];
  const globals = bans.flatMap((ban) => ban.globals.map((name) => ({ name, message: `${ban.about}.` })));
  if (row.sansIo && !row.buffer) globals.push({ name: 'Buffer', message: 'Bytes are Uint8Array here.' });
  const properties = bans.flatMap((ban) =>
    ban.members.map((member) => {
      const [object = '', property = ''] = member.split('.');
      return { object, property, message: `${ban.about}.` };
    }),
  );
  return { globals, properties };
}

/** @type {import('eslint').Rule.RuleModule} */
export const layersRule = {
  meta: {
    type: 'problem',
    docs: { description: 'Keep the import table of tools/layers.json' },
    schema: [],
    messages: { refused: '{{reason}} (tools/layers.json).' },
  },
  create(context) {
    const file = path.relative(root, context.filename).split(path.sep).join('/');
    /**
     * @param {any} node the import
     * @param {any} source its specifier
     * @param {boolean} typeOnly whether only types come in
     * @param {boolean} dynamic whether it is an import() expression
     */
    function check(node, source, typeOnly, dynamic) {
      if (typeof source?.value !== 'string') return;
      const reason = refusal(file, source.value, { typeOnly, dynamic });
      if (reason) context.report({ node, messageId: 'refused', data: { reason } });
    }
    return /** @type {import('eslint').Rule.RuleListener} */ ({
      /** @param {any} node */
      ImportDeclaration: (node) => {
        check(node, node.source, node.importKind === 'type', false);
      },
      /** @param {any} node */
      ExportNamedDeclaration: (node) => {
        if (node.source) check(node, node.source, node.exportKind === 'type', false);
      },
      /** @param {any} node */
      ExportAllDeclaration: (node) => {
        check(node, node.source, node.exportKind === 'type', false);
      },
      /** @param {any} node */
      ImportExpression: (node) => {
        check(node, node.source, false, true);
      },
      /** @param {any} node */
      TSImportType: (node) => {
        check(node, node.source ?? node.argument?.literal, true, false);
      },
    });
  },
};
