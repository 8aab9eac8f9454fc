/**
 * The page that lists a folder.
 *
 * Owns its making: names sorted by code unit, folders first, everything escaped; what could not be served is not
 * shown. Bounded in number.
 *
 * @module
 */
import { opendir } from 'node:fs/promises';
import { isServableName } from './static-path.ts';
import type { StaticRoot } from './static-root.ts';

/** The most entries that are shown. */
export const maxListedEntries = 5_000;

/** The HTML page of a folder. `names` lead to it; `realPath` is where it is. */
export async function listingPage(root: StaticRoot, names: readonly string[], realPath: string): Promise<string> {
  const folders: string[] = [];
  const files: string[] = [];
  let cut = false;
  const directory = await opendir(realPath);
  // The iterator closes the handle, also when the loop is left.
  for await (const entry of directory) {
    if (!isServableName(entry.name)) continue;
    if (folders.length + files.length >= maxListedEntries) {
      cut = true;
      break;
    }
    const kind = await kindOf(root, names, entry);
    if (kind === 'folder') folders.push(entry.name);
    else if (kind === 'file') files.push(entry.name);
  }
  const path = `/${names.map((name) => `${name}/`).join('')}`;
  return page(path, folders.sort(), files.sort(), names.length > 0, cut);
}

async function kindOf(
  root: StaticRoot,
  names: readonly string[],
  entry: { readonly name: string; isFile(): boolean; isDirectory(): boolean; isSymbolicLink(): boolean },
): Promise<'file' | 'folder' | undefined> {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  if (!entry.isSymbolicLink()) return undefined;
  return (await root.find([...names, entry.name]))?.kind;
}

function page(
  path: string,
  folders: readonly string[],
  files: readonly string[],
  hasParent: boolean,
  cut: boolean,
): string {
  const title = `Index of ${escapeHtml(path)}`;
  const items = [
    ...(hasParent ? ['<li><a href="../">../</a>'] : []),
    ...folders.map((name) => `<li><a href="${encodeURIComponent(name)}/">${escapeHtml(name)}/</a>`),
    ...files.map((name) => `<li><a href="${encodeURIComponent(name)}">${escapeHtml(name)}</a>`),
    ...(cut ? ['<li>&hellip; and more'] : []),
  ];
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${title}</title>`,
    '<style>body{font-family:sans-serif;margin:2em}ul{list-style:none;padding:0;line-height:1.6}</style>',
    `<h1>${title}</h1>`,
    '<ul>',
    ...items,
    '</ul>',
    '</html>',
    '',
  ].join('\n');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
