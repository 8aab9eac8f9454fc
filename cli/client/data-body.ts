/**
 * `-d` and its kin: `--data-ascii`, `--data-binary`, `--data-raw`, `--data-urlencode`, `--json`.
 *
 * Owns their syntax and how several of them become one body, or with `-G` one query.
 *
 * @module
 */
import { CommandError } from '../report.ts';
import { exitCode } from './exit-codes.ts';
import { readSource } from './request-body.ts';
import type { BodySources, CommandBody } from './request-body.ts';

/** The options that make the data. */
export const dataOptions = ['data', 'data-ascii', 'data-binary', 'data-raw', 'data-urlencode', 'json'] as const;

/** One of {@link dataOptions}. */
export type DataOption = (typeof dataOptions)[number];

/** An option and its value. */
export type DataPiece = readonly [option: DataOption, value: string];

/**
 * The data of all options together, in their order. Pieces are joined by `&`, except that JSON is not: it stands behind
 * what was there. Of the file of `-d @FILE` line ends and NUL are dropped. As curl does all of it.
 *
 * @throws CommandError with exit code 26 when a file cannot be read
 */
export async function dataBody(pieces: readonly DataPiece[], sources: BodySources): Promise<CommandBody> {
  const parts: Uint8Array[] = [];
  for (const [option, value] of pieces) {
    if (parts.length > 0 && option !== 'json') parts.push(Buffer.from('&'));
    parts.push(await dataOf(option, value, sources));
  }
  const body = Buffer.concat(parts);
  const json = pieces.some(([option]) => option === 'json') ? 'application/json' : undefined;
  return { body, contentType: json ?? 'application/x-www-form-urlencoded', accept: json, length: body.length };
}

async function dataOf(option: DataOption, value: string, sources: BodySources): Promise<Uint8Array> {
  if (option === 'data-urlencode') return Buffer.from(await encodedData(value, sources), 'latin1');
  if (option === 'data-raw' || !value.startsWith('@')) return Buffer.from(value);
  const content = await readSource(value.slice(1), sources);
  return option === 'data' || option === 'data-ascii' ? withoutLineEnds(content) : content;
}

/** `content`, `=content`, `name=content`, `@FILE`, `name@FILE`: the name stays as it is. */
async function encodedData(value: string, sources: BodySources): Promise<string> {
  const equals = value.indexOf('=');
  const at = equals === -1 ? value.indexOf('@') : equals;
  const name = at === -1 ? '' : value.slice(0, at);
  const rest = value.slice(at + 1);
  const content = at !== -1 && equals === -1 ? await readSource(rest, sources) : Buffer.from(rest);
  return `${name === '' ? '' : `${Buffer.from(name).toString('latin1')}=`}${percentEncoded(content)}`;
}

/** As forms have it: unreserved characters stand for themselves (RFC 3986 section 2.3), a space becomes a plus. */
function percentEncoded(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-._~]/.test(character)) text += character;
    else text += byte === 0x20 ? '+' : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}

/** A URL with the data behind its query: `-G`. @throws CommandError with curl's exit code 3 for what no URL may hold */
export function withQuery(url: URL, data: CommandBody): URL {
  const text = Buffer.from(data.body as Uint8Array).toString('utf8');
  if (/[\p{Cc} ]/u.test(text)) {
    const cause = 'the data of -G holds what a URL cannot';
    throw new CommandError({ cause, place: undefined, next: '--data-urlencode' }, exitCode.badUrl);
  }
  const next = new URL(url);
  next.search = next.search === '' ? text : `${next.search}&${text}`;
  return next;
}

function withoutLineEnds(data: Uint8Array): Uint8Array {
  return data.filter((byte) => byte !== 0x0a && byte !== 0x0d && byte !== 0x00);
}
