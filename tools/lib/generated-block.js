/**
 * Parts of the documentation that are made from the source. On its page such a part stands between two comments,
 * `<!-- generated: NAME -->` and `<!-- end: NAME -->`; what stands between them is nobody's to write by hand.
 *
 * A tool that makes parts calls {@link runGenerator}: with --write they are written, without they are compared, and what
 * is out of date is named and ends the tool with 1.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { root } from './root.js';

/**
 * One generated part.
 * @typedef {object} GeneratedBlock
 * @property {string} page the page, from the root: `docs/limits.md`
 * @property {string} name its name in the two comments
 * @property {string} text Markdown; how it is laid out does not matter
 */

/**
 * A page with a block replaced.
 * @param {string} page its text
 * @param {string} name of the block
 * @param {string} content what shall stand in it
 * @returns {string} the new text
 */
export function withBlock(page, name, content) {
  const [before, , after] = takenApart(page, name);
  return `${before}\n\n${content.trim()}\n\n${after}`;
}

/**
 * What stands in a block.
 * @param {string} page its text
 * @param {string} name of the block
 * @returns {string} the content, without the empty lines around it
 */
export function blockOf(page, name) {
  return takenApart(page, name)[1].trim();
}

/**
 * @param {string} page its text
 * @param {string} name of the block
 * @returns {[string, string, string]} up to the first comment, the content, from the second comment on
 */
function takenApart(page, name) {
  const opening = `<!-- generated: ${name} -->`;
  const closing = `<!-- end: ${name} -->`;
  const start = page.indexOf(opening);
  const end = page.indexOf(closing);
  if (start === -1 || end < start) throw new Error(`the page has no block ${name}: write ${opening} and ${closing}`);
  return [page.slice(0, start + opening.length), page.slice(start + opening.length, end), page.slice(end)];
}

/**
 * A table in Markdown. Cells are Markdown; a vertical bar in them is escaped.
 * @param {readonly string[]} heads the first row
 * @param {readonly (readonly string[])[]} rows all others
 * @returns {string} its lines
 */
export function table(heads, rows) {
  /** @type {(cells: readonly string[]) => string} */
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll(/(?<!\\)\|/g, '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/**
 * Text as Markdown shows it unchanged.
 * @param {string} text plain text
 * @returns {string} Markdown
 */
export function escaped(text) {
  return text.replaceAll('|', '\\|').replaceAll('<', '\\<');
}

/**
 * Writes or compares blocks, by the process's arguments, and sets its exit code.
 * @param {readonly GeneratedBlock[]} blocks all of the tool's
 * @param {string} tool how it is called, for the advice: `node tools/reference.js`
 */
export async function runGenerator(blocks, tool) {
  const write = process.argv.includes('--write');
  const stale = [];
  for (const page of new Set(blocks.map((block) => block.page))) {
    const file = path.join(root, page);
    const present = readFileSync(file, 'utf8');
    const own = blocks.filter((block) => block.page === page);
    let next = present;
    for (const { name, text } of own) next = withBlock(next, name, text);
    next = await format(next, { ...(await resolveConfig(file)), filepath: file });
    if (next === present) continue;
    if (write) writeFileSync(file, next);
    else
      stale.push(...own.filter(({ name }) => blockOf(next, name) !== blockOf(present, name)).map(({ name }) => name));
  }
  if (stale.length === 0) return;
  process.stderr.write(`out of date: ${stale.join(', ')}; ${tool} --write makes them anew\n`);
  process.exitCode = 1;
}
