/**
 * `-d` and `-F`: the body of a request, from curl's way of writing it.
 *
 * Owns the syntax of both. Files are opened when the request is sent and streamed, not held.
 *
 * @module
 */
import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ConfigurationError } from '../../src/common/index.ts';
import { CommandError } from '../report.ts';

/** A body and the Content-Type that goes with it (`undefined`: the body's own). */
export interface CommandBody {
  readonly body: Uint8Array | FormData;
  readonly contentType: string | undefined;
}

/** Where `@-` reads. */
export type ReadStdin = () => Promise<Uint8Array>;

/**
 * The body of all `-d` together: pieces joined by `&`; of `@FILE`, line ends and NUL are dropped, as curl does.
 *
 * @throws CommandError when a file cannot be read
 */
export async function dataBody(values: readonly string[], readStdin: ReadStdin): Promise<CommandBody> {
  const pieces: Uint8Array[] = [];
  for (const value of values) {
    if (pieces.length > 0) pieces.push(Buffer.from('&'));
    pieces.push(
      value.startsWith('@') ? withoutLineEnds(await readSource(value.slice(1), readStdin)) : Buffer.from(value),
    );
  }
  return { body: Buffer.concat(pieces), contentType: 'application/x-www-form-urlencoded' };
}

/**
 * The form of all `-F` together.
 *
 * @throws ConfigurationError for a part without `=`, CommandError when a file cannot be read
 */
export async function formBody(values: readonly string[], readStdin: ReadStdin): Promise<CommandBody> {
  const form = new FormData();
  for (const value of values) await appendPart(form, value, readStdin);
  return { body: form, contentType: undefined };
}

async function appendPart(form: FormData, part: string, readStdin: ReadStdin): Promise<void> {
  const equals = part.indexOf('=');
  if (equals <= 0) {
    throw new ConfigurationError(`-F "${part}" has no name`, {
      code: 'ERR_USAGE',
      hint: '-F name=value or -F name=@file',
    });
  }
  const name = part.slice(0, equals);
  const content = part.slice(equals + 1);
  const sign = content[0];
  if (sign !== '@' && sign !== '<') {
    const { text, attributes } = splitAttributes(content);
    if (attributes.type === undefined) form.append(name, text);
    else form.append(name, new Blob([text], { type: attributes.type }), attributes.filename ?? '');
    return;
  }
  const { text: file, attributes } = splitAttributes(content.slice(1));
  if (sign === '<') {
    form.append(name, Buffer.from(await readSource(file, readStdin)).toString('utf8'));
    return;
  }
  const type = attributes.type ?? 'application/octet-stream';
  const blob = file === '-' ? new Blob([await readStdin()], { type }) : await openFile(file, type);
  form.append(name, blob, attributes.filename ?? (file === '-' ? '-' : path.basename(file)));
}

/** `a.txt;type=text/plain;filename="b;c"` taken apart; quotes protect semicolons. */
function splitAttributes(content: string): { text: string; attributes: { type?: string; filename?: string } } {
  const pieces = content.match(/(?:"(?:\\.|[^"\\])*"|[^;"])+|"|;/g)?.filter((piece) => piece !== ';') ?? [''];
  const attributes: { type?: string; filename?: string } = {};
  let text = unquote(pieces[0] ?? '');
  for (const piece of pieces.slice(1)) {
    const match = /^\s*(type|filename)=(.*)$/s.exec(piece);
    if (match === null) text += `;${piece}`;
    else attributes[match[1] as 'type' | 'filename'] = unquote((match[2] as string).trim());
  }
  return { text, attributes };
}

function unquote(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
}

async function readSource(file: string, readStdin: ReadStdin): Promise<Uint8Array> {
  if (file === '-') return readStdin();
  try {
    return await readFile(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

async function openFile(file: string, type: string): Promise<Blob> {
  try {
    return await openAsBlob(file, { type });
  } catch (error) {
    throw unreadable(file, error);
  }
}

function unreadable(file: string, error: unknown): CommandError {
  const reason = error instanceof Error ? error.message : String(error);
  // curl's number for a local file that cannot be read.
  return new CommandError({ cause: `cannot read what to send: ${reason}`, place: file, next: undefined }, 26, error);
}

function withoutLineEnds(data: Uint8Array): Uint8Array {
  return data.filter((byte) => byte !== 0x0a && byte !== 0x0d && byte !== 0x00);
}
