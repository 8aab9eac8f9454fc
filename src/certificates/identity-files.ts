/**
 * Reads the certificate and the key that a user names by their paths.
 *
 * Owns the reading: bounded, pipes allowed (`<(…)` of a shell), each failure with its path. The contents are judged by
 * identity.ts.
 *
 * @module
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { ConfigurationError } from '../common/index.ts';
import { checkIdentity } from './identity.ts';
import type { CheckedIdentity } from './identity.ts';
import { codeOf, IDENTITY_CODES, messageOf, printable } from './messages.ts';
import type { WallClock } from './system.ts';

/** Where a certificate and its key lie. */
export interface IdentityFiles {
  /** The file of the chain in PEM, leaf first. */
  readonly certFile: string;
  /** The file of the private key in PEM; may be the same file. */
  readonly keyFile: string;
  /** What opens the key, if it is encrypted. */
  readonly passphrase?: string | undefined;
  /** Wall time in milliseconds since 1970. Default: the system's. */
  readonly now?: WallClock;
}

/**
 * Reads and checks a certificate and its key.
 *
 * @returns the identity for a TLS configuration, as PEM texts
 * @throws ConfigurationError when a file is missing or cannot be read, and as {@link checkIdentity} does
 */
export async function readIdentity(files: IdentityFiles): Promise<CheckedIdentity> {
  const cert = await readPemFile(files.certFile, 'certificate');
  const key = files.keyFile === files.certFile ? cert : await readPemFile(files.keyFile, 'key');
  return checkIdentity({
    cert,
    key,
    passphrase: files.passphrase,
    certName: files.certFile,
    keyName: files.keyFile,
    ...(files.now === undefined ? {} : { now: files.now }),
  });
}

/**
 * Reads a PEM file that a user names, such as an authority to trust.
 *
 * @param what - what messages call it: `certificate`, `key`, `CA`
 * @throws ConfigurationError when it is missing, a folder, unreadable or larger than 1 MiB
 */
export async function readPemFile(path: string, what: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    const content = await readBounded(handle);
    if (content !== undefined) return content;
    throw new ConfigurationError(`${printable(path)} is larger than 1 MiB, too large for a ${what}`, {
      code: IDENTITY_CODES.file,
      hint: 'check the path',
    });
  } catch (error) {
    if (error instanceof ConfigurationError) throw error;
    throw fileError(error, path, what);
  } finally {
    await handle?.close();
  }
}

/** The whole content; `undefined` when it goes on beyond the bound, as that of a device does. */
async function readBounded(handle: FileHandle): Promise<Uint8Array | undefined> {
  const buffer = Buffer.alloc(MAX_BYTES + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
  }
  return undefined;
}

function fileError(error: unknown, path: string, what: string): ConfigurationError {
  const place = printable(path);
  const options = { code: IDENTITY_CODES.file, cause: error };
  switch (codeOf(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new ConfigurationError(`there is no ${what} file ${place}`, { ...options, hint: 'check the path' });
    case 'EISDIR':
      return new ConfigurationError(`${place} is a folder, not a ${what} file`, {
        ...options,
        hint: 'give the file in it',
      });
    case 'EACCES':
    case 'EPERM':
      return new ConfigurationError(`no permission to read the ${what} file ${place}`, {
        ...options,
        hint: 'let the user that runs this read it',
      });
    default:
      return new ConfigurationError(`cannot read the ${what} file ${place}: ${printable(messageOf(error))}`, options);
  }
}

const MAX_BYTES = 1_048_576;
