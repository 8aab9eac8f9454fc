/**
 * The data folder of the development CA: what lies where, and how two processes share it.
 *
 * | entry | mode | content |
 * | --- | --- | --- |
 * | `ca-N/key-and-certificate.pem` | 0600 in 0700 | the CA; the highest N counts |
 * | `development-ca.pem` | 0644 | a copy of its certificate, for `curl --cacert` and for clients |
 * | `leaf-ID.pem` | 0600 | a leaf with its key |
 *
 * A CA is never changed: a new one (the first, or one in place of an expired or damaged one) is published under the next
 * N, by one rename that fails for all but one process; the others read the winner's. The copy of the certificate is
 * derived and written again whenever it differs, so that a crash between the two steps mends itself at the next start.
 *
 * @module
 */
import { readdir, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from './messages.ts';
import {
  isSecretFolder,
  isTemporaryName,
  preparePrivateFolder,
  publishFolder,
  readOwnFile,
  removeOwn,
  removeQuietly,
  replaceFile,
  storeError,
} from './private-files.ts';
import { systemWallClock } from './system.ts';

/** The folder of one development CA. */
export class CertificateStore {
  /** The folder. */
  readonly directory: string;
  /** Where the CA's certificate lies. */
  readonly certificatePath: string;

  constructor(directory: string) {
    this.directory = directory;
    this.certificatePath = join(directory, CERTIFICATE_FILE);
  }

  /** Makes the folder, or checks the one that is there. @throws ConfigurationError */
  async prepare(): Promise<void> {
    await preparePrivateFolder(this.directory);
  }

  /** The highest generation there is; 0 for none. @throws ConfigurationError */
  async newestGeneration(): Promise<number> {
    return Math.max(0, ...(await this.#entries()).map(generationOf));
  }

  /** The text of a generation; `undefined` when there is none. @throws ConfigurationError when others can read it */
  async readGeneration(generation: number): Promise<string | undefined> {
    const folder = this.#generationFolder(generation);
    if (!(await isSecretFolder(folder))) return undefined;
    return readOwnFile(join(folder, AUTHORITY_FILE), 'secret');
  }

  /** Publishes a generation; false when another process was first. @throws ConfigurationError */
  async publishGeneration(generation: number, text: string): Promise<boolean> {
    return publishFolder(this.#generationFolder(generation), AUTHORITY_FILE, text);
  }

  /** Writes the copy of the CA's certificate unless it is there already. @throws ConfigurationError */
  async publishCertificate(pem: string): Promise<void> {
    const present = await readOwnFile(this.certificatePath, 'readable').catch(() => undefined);
    if (present !== pem) await replaceFile(this.certificatePath, pem, 0o644);
  }

  /** The copy of the CA's certificate, or `undefined`. @throws ConfigurationError when others can change it */
  async readCertificate(): Promise<string | undefined> {
    return readOwnFile(this.certificatePath, 'readable');
  }

  /** A kept leaf with its key. `undefined` when there is none that can be used: it is then issued anew. */
  async readLeaf(id: string): Promise<string | undefined> {
    return readOwnFile(this.#leafPath(id), 'secret').catch(() => undefined);
  }

  /** Keeps a leaf. @throws ConfigurationError */
  async writeLeaf(id: string, text: string): Promise<void> {
    await replaceFile(this.#leafPath(id), text, 0o600);
  }

  /**
   * Deletes what no process needs any more, as far as that can be done: older generations and old leftovers. Their age is
   * told by the system's clock, which gave them their times, not by the caller's: by another, what a process is writing
   * at this moment could look old.
   */
  async prune(newest: number): Promise<void> {
    for (const entry of await this.#entries()) {
      const path = join(this.directory, entry);
      const generation = generationOf(entry);
      if (generation > 0 && generation < newest) await removeQuietly(path);
      if (isTemporaryName(entry) && systemWallClock() - (await changedAt(path)) > LEFTOVER_AGE)
        await removeQuietly(path);
    }
  }

  /** Deletes everything of ours, and the folder if nothing else is in it. @returns what was deleted @throws ConfigurationError */
  async removeAll(): Promise<string[]> {
    const removed: string[] = [];
    for (const entry of await this.#entries()) {
      const path = join(this.directory, entry);
      if (isOurs(entry) && (await removeOwn(path))) removed.push(path);
    }
    if (removed.length > 0) await rmdir(this.directory).catch(() => undefined);
    return removed;
  }

  async #entries(): Promise<string[]> {
    try {
      return await readdir(this.directory);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return [];
      throw storeError(error, 'read', this.directory);
    }
  }

  #generationFolder(generation: number): string {
    return join(this.directory, `ca-${String(generation)}`);
  }

  #leafPath(id: string): string {
    return join(this.directory, `leaf-${id}.pem`);
  }
}

function generationOf(entry: string): number {
  return GENERATION.test(entry) ? Number(entry.slice(3)) : 0;
}

function isOurs(entry: string): boolean {
  return entry === CERTIFICATE_FILE || GENERATION.test(entry) || LEAF.test(entry) || isTemporaryName(entry);
}

async function changedAt(path: string): Promise<number> {
  return stat(path).then(
    (facts) => facts.mtimeMs,
    () => Number.POSITIVE_INFINITY,
  );
}

const CERTIFICATE_FILE = 'development-ca.pem';
const AUTHORITY_FILE = 'key-and-certificate.pem';
const GENERATION = /^ca-[1-9][0-9]{0,8}$/;
const LEAF = /^leaf-[0-9a-f]{16}\.pem$/;
/** Milliseconds after which nobody is still writing: an hour. */
const LEFTOVER_AGE = 3_600_000;
