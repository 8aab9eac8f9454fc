/**
 * `-b` and `-c`: cookies from the command line, from files and into files.
 *
 * Owns the file's format, Netscape's, which curl, wget and others share: seven fields with tabs between them, the domain
 * with `#HttpOnly_` in front for such cookies. A file that cannot be read is empty, as curl has it: it comes into being
 * at the end.
 *
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { systemReason } from '../report.ts';
import type { Cookie } from './cookie.ts';
import { CookieJar } from './cookie-jar.ts';
import type { BodySources } from './request-body.ts';

/** What `-b`, `-c` and `-j` ask for. */
export interface CookieChoice {
  /** Sent as it is to the first origin of each transfer; latin1. */
  readonly data: string | undefined;
  /** What is kept; `undefined`: nothing, and Set-Cookie means nothing. */
  readonly jar: CookieJar | undefined;
  /** Where to at the end: a path, or `-`. */
  readonly file: string | undefined;
}

/**
 * Reads all `-b`: what has an equals sign is data, anything else a file.
 *
 * @param now - milliseconds since 1970
 * @param warn - takes a line for a file that cannot be read
 */
export async function readCookies(
  values: readonly string[],
  options: { readonly file: string | undefined; readonly junkSession: boolean; readonly now: () => number },
  sources: BodySources,
  warn: (line: string) => void,
): Promise<CookieChoice> {
  const data = values.filter((value) => value.includes('='));
  const files = values.filter((value) => !value.includes('='));
  const jar = files.length > 0 || options.file !== undefined ? new CookieJar(options.now) : undefined;
  for (const file of files.filter((name) => name !== '')) {
    try {
      const text = file === '-' ? await sources.readInput() : await readFile(path.resolve(sources.directory, file));
      for (const cookie of parseCookieFile(Buffer.from(text).toString('latin1'))) {
        if (!options.junkSession || cookie.expires !== undefined) jar?.add(cookie);
      }
    } catch (error) {
      warn(`no cookies from ${file}: ${systemReason(error)}`);
    }
  }
  return {
    data: data.length === 0 ? undefined : Buffer.from(data.join('; '), 'utf8').toString('latin1'),
    jar,
    file: options.file,
  };
}

/** The cookies of a file; lines that are none are passed over. */
export function parseCookieFile(text: string): Cookie[] {
  const cookies: Cookie[] = [];
  for (const line of text.split(/\r?\n/)) {
    const httpOnly = line.startsWith(HTTP_ONLY);
    if (line.startsWith('#') && !httpOnly) continue;
    const fields = (httpOnly ? line.slice(HTTP_ONLY.length) : line).split('\t');
    const [domain = '', below, cookiePath = '', secure, expires = '', name = '', value = ''] = fields;
    if (fields.length < 6 || fields.length > 7 || name === '' || !/^-?\d+$/.test(expires)) continue;
    cookies.push({
      name,
      value,
      domain: domain.replace(/^\./, '').toLowerCase(),
      hostOnly: below?.toUpperCase() !== 'TRUE',
      path: cookiePath.startsWith('/') ? cookiePath : '/',
      secure: secure?.toUpperCase() === 'TRUE',
      httpOnly,
      expires: Number(expires) === 0 ? undefined : Number(expires) * 1000,
    });
  }
  return cookies;
}

/** The text of a file with these cookies, in latin1. */
export function formatCookieFile(cookies: readonly Cookie[]): string {
  const lines = cookies.map((cookie) =>
    [
      `${cookie.httpOnly ? HTTP_ONLY : ''}${cookie.hostOnly ? '' : '.'}${cookie.domain}`,
      cookie.hostOnly ? 'FALSE' : 'TRUE',
      cookie.path,
      cookie.secure ? 'TRUE' : 'FALSE',
      cookie.expires === undefined ? '0' : String(Math.floor(cookie.expires / 1000)),
      cookie.name,
      cookie.value,
    ].join('\t'),
  );
  return ['# Netscape HTTP Cookie File', '# Written by hface-ts client -c', '', ...lines, ''].join('\n');
}

/** Writes the jar; readable by its owner only, since cookies are credentials. */
export async function writeCookieFile(file: string, cookies: readonly Cookie[]): Promise<void> {
  await writeFile(file, formatCookieFile(cookies), { encoding: 'latin1', mode: 0o600 });
}

const HTTP_ONLY = '#HttpOnly_';
