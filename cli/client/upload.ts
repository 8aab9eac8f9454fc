/**
 * `-T`: files as the bodies of PUT.
 *
 * Owns what can be uploaded, and the name that a URL gets which ends in a slash. A file can be sent more than once; what
 * is no file of the disk (stdin, a pipe, a device) once, and without a length.
 *
 * @module
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from '../report.ts';
import { openFile, unreadable } from './request-body.ts';
import type { BodySources, CommandBody } from './request-body.ts';
import type { Target } from './targets.ts';

/** Where uploads read. */
export interface UploadSources extends BodySources {
  /** Stdin as it comes. */
  openInput(): AsyncIterable<Uint8Array>;
}

/**
 * What is sent to each target: the first file to the first URL and so on; `undefined` for URLs without a file.
 *
 * @throws CommandError: usage for files without URLs, exit code 26 when one cannot be read
 */
export async function readUploads(
  files: readonly string[],
  targets: readonly Target[],
  sources: UploadSources,
): Promise<(CommandBody | undefined)[]> {
  if (files.length > targets.length) throw usageError('there are more -T than URLs', '-T FILE once for each URL');
  if (files.filter(isInput).length > 1) throw usageError('stdin can be sent only once', 'one -T -');
  const bodies: (CommandBody | undefined)[] = [];
  for (const [index] of targets.entries()) {
    const file = files[index];
    bodies.push(file === undefined || file === '' ? undefined : await openUpload(file, sources));
  }
  return bodies;
}

/** The URL of a file's upload: one that ends in a slash gets the file's name. */
export function uploadUrl(url: URL, file: string | undefined): URL {
  if (file === undefined || file === '' || isInput(file) || !url.pathname.endsWith('/')) return url;
  const next = new URL(url);
  next.pathname += encodeURIComponent(path.basename(file));
  return next;
}

async function openUpload(file: string, sources: UploadSources): Promise<CommandBody> {
  const fields = { contentType: undefined, accept: undefined };
  if (isInput(file)) return { ...fields, body: () => sources.openInput(), length: undefined };
  const place = path.resolve(sources.directory, file);
  let facts;
  try {
    facts = await stat(place);
  } catch (error) {
    throw unreadable(file, error);
  }
  if (facts.isDirectory()) throw unreadable(file, new Error('it is a folder'));
  if (!facts.isFile()) return { ...fields, body: () => createReadStream(place), length: undefined };
  const body = await openFile(file, sources);
  return { ...fields, body, length: body.size };
}

/** curl's `-T .` is stdin as well, read without waiting, which we always do. */
function isInput(file: string): boolean {
  return file === '-' || file === '.';
}
