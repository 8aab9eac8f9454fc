/**
 * A file, or pieces of one, as a response's body.
 *
 * Owns opening without following a last symbolic link and without waiting for a FIFO's writer, reading in chunks while
 * there is room, and the watch over the file: before the last chunk leaves, the file's identity is compared with what
 * it was when the response began, so that a file that was truncated, replaced in place or written to meanwhile ends in
 * a reset and not in bytes that belong to no version of it.
 *
 * Invariant: the handle is closed exactly once, after the operation in flight, whatever ends the response.
 *
 * @module
 */
import { constants, read } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { AppError } from '../common/index.ts';
import type { BodySink, BodySource } from './body-source.ts';

/** What a file is at one moment. Times are nanoseconds since 1970. */
export interface FileFacts {
  readonly size: number;
  readonly modified: bigint;
  readonly changed: bigint;
  readonly device: bigint;
  readonly inode: bigint;
}

/** A regular file, open for reading. */
export interface OpenedFile {
  readonly handle: FileHandle;
  readonly facts: FileFacts;
  /** Closes the handle and gives back what came with it. */
  close(): Promise<void>;
}

/** A part of a body: bytes as they are, or a stretch of the file. */
export type FilePart = Uint8Array | { readonly start: number; readonly length: number };

/** The facts of a regular file, or `undefined` for anything else. */
export function factsOf(stats: {
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly dev: bigint;
  readonly ino: bigint;
  isFile(): boolean;
}): FileFacts | undefined {
  if (!stats.isFile()) return undefined;
  return {
    size: Number(stats.size),
    modified: stats.mtimeNs,
    changed: stats.ctimeNs,
    device: stats.dev,
    inode: stats.ino,
  };
}

/** Opens a regular file; `undefined` when it is none. @throws the system's error */
export async function openFile(path: string): Promise<OpenedFile | undefined> {
  const handle = await open(path, OPEN_FLAGS);
  try {
    const facts = factsOf(await handle.stat({ bigint: true }));
    if (facts !== undefined) return { handle, facts, close: () => handle.close() };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

/**
 * Whether two looks at a file saw the same version of it. The time of change (ctime) is left out: it moves when the
 * file gets another name or loses its last one, which is how a deployment replaces files under a running download.
 */
export function sameVersion(one: FileFacts | undefined, other: FileFacts): boolean {
  return (
    one?.size === other.size &&
    one.modified === other.modified &&
    one.inode === other.inode &&
    one.device === other.device
  );
}

/** Reads a file: an open one, which is its own from here on, or one to be opened when somebody wants the body. */
export class FileSource implements BodySource {
  readonly length: number;
  readonly prompt: boolean;
  readonly #facts: FileFacts;
  readonly #parts: readonly FilePart[];
  readonly #open: (() => Promise<OpenedFile | undefined>) | undefined;
  #file: OpenedFile | undefined;
  #sink: BodySink | undefined;
  #part: number;
  #offset: number;
  #left: number;
  #state: FileState;

  /**
   * @param file - open, or how to open it: it must then be the version that `facts` tells
   * @param parts - what is sent, in order; without it the whole file
   */
  constructor(
    file: OpenedFile | (() => Promise<OpenedFile | undefined>),
    facts: FileFacts,
    parts: readonly FilePart[] = [{ start: 0, length: facts.size }],
  ) {
    let length = 0;
    for (const part of parts) length += part.length;
    this.length = length;
    this.prompt = true;
    this.#facts = facts;
    this.#parts = parts;
    this.#open = typeof file === 'function' ? file : undefined;
    this.#file = typeof file === 'function' ? undefined : file;
    this.#sink = undefined;
    this.#part = 0;
    this.#offset = 0;
    this.#left = length;
    this.#state = 'fresh';
  }

  /** @inheritdoc */
  start(sink: BodySink): void {
    if (this.#state !== 'fresh') return;
    this.#sink = sink;
    this.#state = 'busy';
    if (this.#open === undefined) {
      this.#state = 'waiting';
      this.#next();
    } else {
      this.#open()
        .then((file) => this.#opened(file))
        .catch((error: unknown) => this.#fail(error));
    }
  }

  /** @inheritdoc */
  resume(): void {
    if (this.#state === 'waiting') this.#next();
  }

  /** @inheritdoc */
  cancel(): void {
    const state = this.#state;
    this.#state = 'done';
    // An operation in flight uses the handle: it closes it when it is back.
    if (state !== 'busy') this.#close();
  }

  #opened(file: OpenedFile | undefined): void {
    this.#file = file;
    if (this.#current() === 'done') this.#close();
    else if (!sameVersion(file?.facts, this.#facts)) this.#fail(changedError());
    else {
      this.#state = 'waiting';
      this.#next();
    }
  }

  #next(): void {
    if (this.#left === 0) {
      this.#end();
      return;
    }
    const part = this.#parts[this.#part] as FilePart;
    if (this.#offset === part.length) {
      this.#part += 1;
      this.#offset = 0;
      this.#next();
      return;
    }
    this.#state = 'busy';
    if (part instanceof Uint8Array) {
      this.#take(part);
      return;
    }
    const length = Math.min(part.length - this.#offset, CHUNK_BYTES);
    const buffer = Buffer.allocUnsafeSlow(length);
    read((this.#file as OpenedFile).handle.fd, buffer, 0, length, part.start + this.#offset, (error, bytesRead) => {
      if (error !== null) this.#fail(error);
      else if (bytesRead === 0) this.#fail(changedError());
      else this.#take(bytesRead === length ? buffer : buffer.subarray(0, bytesRead));
    });
  }

  #take(data: Uint8Array): void {
    this.#deliver(data).catch((error: unknown) => this.#fail(error));
  }

  async #deliver(data: Uint8Array): Promise<void> {
    const last = data.byteLength === this.#left;
    if (last && this.#current() === 'busy' && !(await this.#unchanged())) {
      this.#fail(changedError());
      return;
    }
    if (this.#current() === 'done') {
      this.#close();
      return;
    }
    this.#state = 'waiting';
    this.#offset += data.byteLength;
    this.#left -= data.byteLength;
    const room = (this.#sink as BodySink).piece(data);
    if (this.#current() !== 'waiting') return;
    if (room || last) this.#next();
  }

  /** Whether the file is what it was when the response began. */
  async #unchanged(): Promise<boolean> {
    try {
      return sameVersion(factsOf(await (this.#file as OpenedFile).handle.stat({ bigint: true })), this.#facts);
    } catch {
      return false;
    }
  }

  #end(): void {
    this.#state = 'done';
    this.#close();
    (this.#sink as BodySink).end();
  }

  #fail(error: unknown): void {
    const cancelled = this.#current() === 'done';
    this.#state = 'done';
    this.#close();
    if (!cancelled) (this.#sink as BodySink).fail(error);
  }

  #close(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.close().catch(ignore);
  }

  /** The state as calls in between may have left it. */
  #current(): FileState {
    return this.#state;
  }
}

/** `waiting` for room, `busy` with the file system. */
type FileState = 'fresh' | 'waiting' | 'busy' | 'done';

function changedError(): AppError {
  return new AppError('the file changed while it was sent', 'ERR_FILE_CHANGED');
}

function ignore(): void {}

/** How much is read at once, in bytes. */
const CHUNK_BYTES = 0x20000;
/** Windows has neither flag; there they are undefined and count as 0. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW || 0) | (constants.O_NONBLOCK || 0);
