/**
 * Files that nobody but their owner may read or change, written so that a reader never sees half of one.
 *
 * Owns the checks and the order of system calls, and the errors that a disk can give. It knows nothing of certificates.
 * Invariants:
 *
 * - A file is opened once, without following a symbolic link, and judged by what was opened.
 * - New content is written under a name of its own, flushed, and moved into place by one rename; a crash in the middle
 *   leaves a leftover that {@link isTemporaryName} knows, never a half-written file.
 * - Who loses a race for a name is told so; nothing of the winner's is overwritten unless the caller asks for it.
 *
 * On Windows there are no modes and no user ids: the checks pass, and the folder's own access list (the data folder of a
 * user is closed to other users) is the protection.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ConfigurationError, HfaceError } from '../common/index.ts';
import { codeOf, messageOf, printable, STORE_CODE } from './messages.ts';
import { effectiveUserId } from './system.ts';

/** How far others may get at a file or folder. */
export type Exposure =
  /** Nobody else may read it. */
  | 'secret'
  /** Others may read it, and may not change it. */
  | 'readable';

/** Whether a name is one of a file that was being written: a leftover, unless it is young. */
export function isTemporaryName(name: string): boolean {
  return /^\.hface-new-[0-9a-f]{16}$/.test(name);
}

/**
 * Makes the folder with mode 0700, with the folders above it, unless it is there; checks one that is there.
 *
 * @throws ConfigurationError when it cannot be made, is a file, belongs to another user, or can be changed by others
 */
export async function preparePrivateFolder(path: string): Promise<void> {
  try {
    await mkdirUnlessThere(path);
    const facts = await stat(path);
    if (!facts.isDirectory()) throw storeFailure(`${printable(path)} is a file, not a folder`);
    checkAccess(path, facts, 'readable', 'folder');
  } catch (error) {
    throw storeError(error, 'use', path);
  }
}

/**
 * Whether a folder that must be secret is there; a link or a file in its place is none.
 *
 * @throws ConfigurationError when others can read it
 */
export async function isSecretFolder(path: string): Promise<boolean> {
  try {
    const facts = await lstat(path);
    if (!facts.isDirectory()) return false;
    checkAccess(path, facts, 'secret', 'folder');
    return true;
  } catch (error) {
    if (ABSENT.has(codeOf(error))) return false;
    throw storeError(error, 'read', path);
  }
}

/**
 * The text of a file, or `undefined` when it is not there.
 *
 * @throws ConfigurationError when it is a link, a device or too large, when others can get at it, when it cannot be read
 */
export async function readOwnFile(path: string, exposure: Exposure): Promise<string | undefined> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, READ_FLAGS);
    const facts = await handle.stat();
    if (!facts.isFile()) throw storeFailure(`${printable(path)} is no regular file`);
    if (facts.size > MAX_FILE_BYTES) throw storeFailure(`${printable(path)} is too large to be a certificate`);
    checkAccess(path, facts, exposure, 'file');
    const buffer = Buffer.alloc(MAX_FILE_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, MAX_FILE_BYTES, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    if (ABSENT.has(codeOf(error))) return undefined;
    throw storeError(error, 'read', path);
  } finally {
    await handle?.close();
  }
}

/**
 * Writes a file in place of what may be there.
 *
 * @throws ConfigurationError when the disk refuses
 */
export async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const temporary = temporaryName(dirname(path));
  try {
    await writeNewFile(temporary, text, mode);
    await rename(temporary, path);
  } catch (error) {
    await removeQuietly(temporary);
    throw storeError(error, 'write', path);
  }
}

/**
 * Makes a secret folder with one secret file in it, both at once.
 *
 * @returns false when the folder is there already: somebody else was first
 * @throws ConfigurationError when the disk refuses
 */
export async function publishFolder(path: string, fileName: string, text: string): Promise<boolean> {
  const temporary = temporaryName(dirname(path));
  try {
    await mkdir(temporary, { mode: 0o700 });
    await writeNewFile(join(temporary, fileName), text, 0o600);
    // A rename onto a folder that has something in it fails everywhere, which is what makes this exclusive.
    await rename(temporary, path);
    return true;
  } catch (error) {
    await removeQuietly(temporary);
    if (TAKEN.has(codeOf(error)) && (await exists(path))) return false;
    throw storeError(error, 'write', path);
  }
}

/** Deletes a file or folder and reports whether something was there. @throws ConfigurationError when the disk refuses */
export async function removeOwn(path: string): Promise<boolean> {
  try {
    await rm(path, { recursive: true });
    return true;
  } catch (error) {
    if (ABSENT.has(codeOf(error))) return false;
    throw storeError(error, 'delete', path);
  }
}

/** Deletes a file or folder if that can be done. */
export async function removeQuietly(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch(ignore);
}

/** The error of a disk as one line with the place, and the next step. Errors of this library pass unchanged. */
export function storeError(error: unknown, action: 'use' | 'read' | 'write' | 'delete', path: string): Error {
  if (error instanceof HfaceError) return error;
  const place = printable(path);
  return storeFailure(
    describeFailure(codeOf(error), action, place) ?? `cannot ${action} ${place}: ${printable(messageOf(error))}`,
    error,
  );
}

/** A path as a shell takes it. */
export function shellQuoted(path: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(path) ? path : `"${printable(path)}"`;
}

function describeFailure(code: string, action: string, place: string): string | undefined {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return `no permission to ${action} ${place}`;
    case 'EROFS':
      return `cannot ${action} ${place}: the file system is read-only`;
    case 'ENOSPC':
    case 'EDQUOT':
      return `cannot ${action} ${place}: no space is left`;
    case 'ENOENT':
      return action === 'use'
        ? `cannot use ${place}: the folder is not there and cannot be made`
        : `cannot ${action} ${place}: its folder is not there`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `cannot ${action} ${place}: a part of the path is a file, not a folder`;
    case 'ELOOP':
      return `cannot ${action} ${place}: it is a symbolic link`;
    default:
      return undefined;
  }
}

function storeFailure(message: string, cause?: unknown): ConfigurationError {
  return new ConfigurationError(message, {
    code: STORE_CODE,
    hint: 'set HFACE_DATA_DIR to a folder that you can write, or use a certificate of your own',
    cause,
  });
}

/** What a check needs of `fs.Stats`. */
interface AccessFacts {
  readonly uid: number;
  readonly mode: number;
}

function checkAccess(path: string, facts: AccessFacts, exposure: Exposure, kind: 'file' | 'folder'): void {
  const user = effectiveUserId();
  if (user === undefined) return;
  const place = printable(path);
  if (user !== 0 && facts.uid !== user && facts.uid !== 0) throw storeFailure(`${place} belongs to another user`);
  const forbidden = facts.mode & (exposure === 'secret' ? 0o077 : 0o022);
  if (forbidden === 0) return;
  const mode = (facts.mode & 0o777).toString(8).padStart(4, '0');
  const what =
    exposure === 'secret' ? 'holds a private key and is open to other users' : 'can be changed by other users';
  throw new ConfigurationError(`${place} ${what} (mode ${mode})`, {
    code: STORE_CODE,
    hint: `chmod ${kind === 'folder' ? '700' : '600'} ${shellQuoted(path)}${exposure === 'secret' ? ', or delete it if somebody may have read it' : ''}`,
  });
}

/**
 * Makes the folder and those above it that are missing. Not by the `recursive` of mkdir: that one tries for ever where a
 * file system answers ENOENT for a folder that cannot be made (2026-11-21, Node 20: `/proc`, automounted homes).
 */
async function mkdirUnlessThere(path: string): Promise<void> {
  if (await exists(path)) return;
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    // EEXIST: another process was first.
    if (codeOf(error) === 'EEXIST') return;
    const parent = dirname(path);
    if (codeOf(error) !== 'ENOENT' || parent === path || (await exists(parent))) throw error;
    await mkdirUnlessThere(parent);
    await mkdirUnlessThere(path);
  }
}

async function writeNewFile(path: string, text: string, mode: number): Promise<void> {
  const handle = await open(path, 'wx', mode);
  try {
    await handle.writeFile(text);
    // Flushed before the rename, or a power failure could leave the new name on an empty file.
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function temporaryName(folder: string): string {
  return join(folder, `.hface-new-${randomBytes(8).toString('hex')}`);
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

function ignore(): void {}

const MAX_FILE_BYTES = 65_536;
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR']);
/** What rename answers when the target is there: POSIX systems the first two, Windows the others. */
const TAKEN: ReadonlySet<string> = new Set(['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EPERM', 'EACCES']);

/** The last two do not exist on Windows. Not blocking: a planted pipe must not hang the program. */
const FLAGS: Readonly<Record<string, number | undefined>> = { ...constants };
const READ_FLAGS = constants.O_RDONLY | (FLAGS['O_NOFOLLOW'] ?? 0) | (FLAGS['O_NONBLOCK'] ?? 0);
