/**
 * `-F`, and what the body of a request is.
 *
 * Owns the syntax of `-F` and the encoding of forms (RFC 7578). Files of a form are read while they are sent, not held.
 * `-d` and its kin are data-body.ts, `-T` is upload.ts.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { RequestBody } from '../../src/client/index.ts';
import { CommandError, systemReason, usageError } from '../report.ts';
import { exitCode } from './exit-codes.ts';

/** A body, and the fields that go with it. */
export interface CommandBody {
  /** A function gives it piece by piece, once. */
  readonly body: Uint8Array | Blob | (() => AsyncIterable<Uint8Array>);
  readonly contentType: string | undefined;
  /** In place of the default Accept. */
  readonly accept: string | undefined;
  /** Bytes; `undefined` where only the end will tell. */
  readonly length: number | undefined;
}

/** Whether a body can be sent a second time; no body can. */
export function canRepeat(body: CommandBody | undefined): boolean {
  return typeof body?.body !== 'function';
}

/** The body as the session takes it, counted while it is sent; each sending counts from 0. */
export function countedBody(
  body: CommandBody,
  count: { bytesUploaded: number; uploadLength: number | undefined },
): RequestBody {
  const restart = (): void => {
    count.bytesUploaded = 0;
    count.uploadLength = body.length;
  };
  const add = (length: number): void => {
    count.bytesUploaded += length;
  };
  if (typeof body.body === 'function') {
    restart();
    return countedPieces(body.body(), add);
  }
  if (body.body instanceof Blob) return new CountedBlob(body.body, restart, add);
  // In memory: it is taken at once.
  restart();
  add(body.body.length);
  return body.body;
}

async function* countedPieces(
  pieces: AsyncIterable<Uint8Array>,
  add: (length: number) => void,
): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) {
    add(piece.length);
    yield piece;
  }
}

/** A blob whose reading is counted. */
class CountedBlob extends Blob {
  readonly #restart: () => void;
  readonly #add: (length: number) => void;

  constructor(blob: Blob, restart: () => void, add: (length: number) => void) {
    super([blob]);
    this.#restart = restart;
    this.#add = add;
  }

  override stream(): ReturnType<Blob['stream']> {
    this.#restart();
    const add = this.#add;
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        add(piece.length);
        controller.enqueue(piece);
      },
    });
    return (super.stream() as ReadableStream<Uint8Array>).pipeThrough(counting) as ReturnType<Blob['stream']>;
  }
}

/** Where `@FILE` and `@-` read. */
export interface BodySources {
  /** What relative paths count from. */
  readonly directory: string;
  readInput(): Promise<Uint8Array>;
}

/**
 * The form of all `-F` together.
 *
 * @throws CommandError: usage for a part without name, exit code 26 when a file cannot be read
 */
export async function formBody(
  values: readonly string[],
  sources: BodySources,
  boundary: string = newBoundary(),
): Promise<CommandBody> {
  const pieces: (string | Blob | Uint8Array)[] = [];
  for (const value of values) {
    const part = await readPart(value, sources);
    const fileName = part.fileName === undefined ? '' : `; filename="${quotedName(part.fileName)}"`;
    const type = part.type === undefined ? '' : `Content-Type: ${part.type}\r\n`;
    pieces.push(
      `--${boundary}\r\nContent-Disposition: form-data; name="${quotedName(part.name)}"${fileName}\r\n${type}\r\n`,
      part.content,
      '\r\n',
    );
  }
  pieces.push(`--${boundary}--\r\n`);
  // A blob knows its length, reads its files as it is read, and can be read again.
  const body = new Blob(pieces);
  return { body, contentType: `multipart/form-data; boundary=${boundary}`, accept: undefined, length: body.size };
}

function newBoundary(): string {
  return `----hface-ts-${randomBytes(16).toString('hex')}`;
}

interface FormPart {
  readonly name: string;
  readonly content: string | Blob | Uint8Array;
  readonly type: string | undefined;
  readonly fileName: string | undefined;
}

async function readPart(value: string, sources: BodySources): Promise<FormPart> {
  const equals = value.indexOf('=');
  if (equals <= 0) throw usageError(`-F "${value}" has no name`, '-F name=value or -F name=@FILE');
  const name = value.slice(0, equals);
  const written = value.slice(equals + 1);
  const sign = written[0];
  if (sign !== '@' && sign !== '<') {
    const { text, type, fileName } = splitAttributes(written);
    return { name, content: text, type, fileName };
  }
  const { text: file, type, fileName } = splitAttributes(written.slice(1));
  if (sign === '<') return { name, content: await readSource(file, sources), type, fileName };
  return {
    name,
    content: file === '-' ? await sources.readInput() : await openFile(file, sources),
    type: type ?? typeOf(fileName ?? file),
    fileName: fileName ?? path.basename(file),
  };
}

/** `a.txt;type=text/plain;filename="b;c"` taken apart; quotes protect semicolons. */
function splitAttributes(written: string): {
  readonly text: string;
  readonly type: string | undefined;
  readonly fileName: string | undefined;
} {
  const [first = '', ...others] = splitAtSemicolons(written);
  let text = unquoted(first);
  let type: string | undefined;
  let fileName: string | undefined;
  for (const other of others) {
    const match = /^\s*(type|filename)=(.*)$/s.exec(other);
    const value = unquoted((match?.[2] ?? '').trim());
    if (match === null) text += `;${other}`;
    else if (match[1] === 'filename') fileName = value;
    else type = mediaType(value);
  }
  return { text, type, fileName };
}

/** The pieces between semicolons outside quotes. */
function splitAtSemicolons(written: string): string[] {
  const pieces = [''];
  let quoted = false;
  for (let index = 0; index < written.length; index += 1) {
    const character = written[index] as string;
    const last = pieces.length - 1;
    if (character === ';' && !quoted) {
      pieces.push('');
      continue;
    }
    if (character === '"') quoted = !quoted;
    const escaped = character === '\\' && quoted ? (written[index + 1] ?? '') : '';
    index += escaped.length;
    pieces[last] = `${pieces[last] as string}${character}${escaped}`;
  }
  return pieces;
}

function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replaceAll(/\\(["\\])/g, '$1');
}

function mediaType(value: string): string {
  if (/^[\x20-\x7e]+$/.test(value)) return value;
  throw usageError(`-F ;type="${value}" is no media type`, ';type=text/plain');
}

/** As the HTML standard has it: a quote or a line end cannot end the parameter. */
function quotedName(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

/** What curl assumes by the end of a name. */
function typeOf(fileName: string): string {
  return TYPES[path.extname(fileName).toLowerCase()] ?? 'application/octet-stream';
}

/** All of a file, or of stdin for `-`. @throws CommandError with exit code 26 */
export async function readSource(file: string, sources: BodySources): Promise<Uint8Array> {
  if (file === '-') return sources.readInput();
  try {
    return await readFile(path.resolve(sources.directory, file));
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** A file that is read as it is sent. @throws CommandError with exit code 26 */
export async function openFile(file: string, sources: BodySources): Promise<Blob> {
  try {
    return await openAsBlob(path.resolve(sources.directory, file));
  } catch (error) {
    throw unreadable(file, error);
  }
}

/** What a file that cannot be read is told by. */
export function unreadable(file: string, error: unknown): CommandError {
  const cause = `cannot read what to send: ${systemReason(error)}`;
  return new CommandError({ cause, place: file, next: 'check the path' }, exitCode.readError, error);
}

const TYPES: Readonly<Record<string, string>> = {
  '.gif': 'image/gif',
  '.htm': 'text/html',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.xml': 'application/xml',
};
