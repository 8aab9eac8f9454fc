/**
 * From a URL's path to names of files.
 *
 * Owns what a name may be. The path is split, then decoded, once; a name that any file system could take for something
 * else than a plain entry of its folder is refused, on every system alike: so a folder served from Linux behaves as it
 * does on Windows, and names with a colon, a trailing dot or a trailing space are out of reach everywhere.
 *
 * @module
 */

/** The names on a path. */
export interface StaticPath {
  /** Decoded; none for `/`. */
  readonly names: readonly string[];
  /** The path ends in a slash: a folder is meant. */
  readonly folder: boolean;
}

/** Reads the path of a URL, or `undefined` for one that no file can have. */
export function parseStaticPath(pathname: string): StaticPath | undefined {
  if (!pathname.startsWith('/') || pathname.length > MAX_LENGTH) return undefined;
  const raw = pathname.slice(1).split('/');
  const folder = raw[raw.length - 1] === '';
  if (folder) raw.pop();
  if (raw.length > MAX_DEPTH) return undefined;
  const names: string[] = [];
  for (const segment of raw) {
    const name = decode(segment);
    if (name === undefined || !isServableName(name)) return undefined;
    names.push(name);
  }
  return { names, folder };
}

/** Whether a name may be served: no dotfile, no separator, nothing that a file system reads as more than a name. */
export function isServableName(name: string): boolean {
  if (name === '' || name.startsWith('.')) return false;
  // Separators, drives and alternate data streams, control characters; a trailing dot or space.
  if (/[/\\:\x00-\x1f\x7f]/.test(name) || /[. ]$/.test(name)) return false;
  return !RESERVED.test(name) && !SHORT_NAME.test(name);
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

/** Device names of Windows, whatever follows the first dot. */
const RESERVED =
  /^(?:con|prn|aux|nul|conin\$|conout\$|com[0-9\u00b9\u00b2\u00b3]|lpt[0-9\u00b9\u00b2\u00b3]|clock\$) *(?:\.|$)/i;
/** The short form that Windows gives a long name: `PROGRA~1`, `INDEX~1.HTM`. */
const SHORT_NAME = /^[^.]{1,6}~\d{1,6}(?:\.[^.]{0,3})?$/;
const MAX_LENGTH = 4096;
const MAX_DEPTH = 64;
