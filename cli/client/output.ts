/**
 * Where the responses of `hface-ts client` go.
 *
 * Owns the choice of `-o` and `-O`, the safe name of a file that is named by a URL, and writing: one sink for each
 * transfer, stdout in the order of the URLs.
 *
 * Invariants: a file is opened when the first byte comes, or when a response without a body is complete; `-O` never
 * overwrites; what stdout shows of one transfer stands together.
 *
 * @module
 */
import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { TextDecoder } from 'node:util';
import { escapeControls } from '../../src/common/index.ts';
import type { ByteOutput } from '../context.ts';
import type { OptionValues } from '../option-values.ts';
import { CommandError, systemReason, usageError } from '../report.ts';
import { dispositionName, isSafeName } from './disposition.ts';
import { exitCode } from './exit-codes.ts';
import type { Target } from './targets.ts';

/** Where one response goes. */
export type OutputChoice =
  { readonly kind: 'stdout'; /** Untouched, whatever reads it: `-o -`. */ readonly raw: boolean } | FileChoice;

/** A file for one response. */
export interface FileChoice {
  readonly kind: 'file';
  /** Its path, or where it is made once the name is known. @throws CommandError when there is no name for it */
  readonly file: string | ((disposition: string | undefined) => string);
  /** It must not be there. */
  readonly fresh: boolean;
  /** Its folders are made. */
  readonly makesFolders: boolean;
}

/** The choices, one for each target. @throws CommandError */
export function chooseOutputs(targets: readonly Target[], values: OptionValues, directory: string): OutputChoice[] {
  const files = values.list('output');
  if (values.has('remote-name')) return remoteOutputs(targets, values, directory);
  if (values.has('remote-header-name')) throw usageError('-J is for -O', '-O -J');
  if (files.length === 0) return targets.map(() => ({ kind: 'stdout', raw: false }));
  if (files.length !== targets.length) {
    throw usageError(
      `there ${targets.length === 1 ? 'is one URL' : `are ${String(targets.length)} URLs`} and ${String(files.length)} -o`,
      '-o FILE once for each URL; -o - is stdout',
    );
  }
  const makesFolders = values.has('create-dirs');
  const seen = new Set<string>();
  return files.map((name) => {
    if (name === '-') return { kind: 'stdout', raw: true };
    const file = path.resolve(directory, name);
    if (seen.has(file)) throw usageError(`-o ${name} stands twice`, 'a file for each URL');
    // Two bodies into a device disturb nobody.
    if (!file.startsWith('/dev/')) seen.add(file);
    return { kind: 'file', file, fresh: false, makesFolders };
  });
}

function remoteOutputs(targets: readonly Target[], values: OptionValues, directory: string): OutputChoice[] {
  if (values.has('output')) throw usageError('-o and -O exclude each other', 'one of the two');
  const byHeader = values.has('remote-header-name');
  if (byHeader && values.has('include'))
    throw usageError('-i and -J exclude each other', '-w %{header_json} for fields');
  return targets.map((target) => ({
    kind: 'file',
    file: byHeader
      ? (disposition) => path.resolve(directory, dispositionName(disposition) ?? remoteName(target.url))
      : path.resolve(directory, remoteName(target.url)),
    fresh: true,
    makesFolders: false,
  }));
}

/** The last part of a URL's path as the name of a file in this folder. @throws CommandError with curl's code 23 */
export function remoteName(url: URL): string {
  const name = url.pathname.slice(url.pathname.lastIndexOf('/') + 1);
  const problem =
    name === ''
      ? 'the URL ends with no name for a file'
      : name.startsWith('.')
        ? `a file named ${name} would be hidden`
        : /%2f|%5c|%00/i.test(name) || !isSafeName(name)
          ? `${name} is no safe name for a file`
          : undefined;
  if (problem === undefined) return name;
  throw new CommandError({ cause: problem, place: url.href, next: '-o FILE' }, exitCode.writeError);
}

/** Gives stdout to one transfer after another. */
export class OutputOrder {
  #next: number;
  readonly #waiting: Map<number, () => void>;

  constructor() {
    this.#next = 0;
    this.#waiting = new Map();
  }

  /** Resolves when all transfers before this one are done. */
  turn(index: number): Promise<void> {
    if (index <= this.#next) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.set(index, resolve));
  }

  /** The transfer whose turn it is has printed everything. */
  done(): void {
    this.#next += 1;
    this.#waiting.get(this.#next)?.();
    this.#waiting.delete(this.#next);
  }
}

/** Takes the bytes of one response. */
export interface Sink {
  /** What `-w` calls the file; empty for stdout, and as long as there is no name. */
  readonly fileName: string;
  /** The final response has come; this is its Content-Disposition. @throws CommandError when there is no name for it */
  begin(disposition: string | undefined): void;
  /** The head, in latin1. */
  writeHead(text: string): Promise<void>;
  writeBody(bytes: Uint8Array): Promise<void>;
  /** The response is complete. */
  end(): Promise<void>;
  /** Takes back what was written; false when that is impossible. */
  reset(): Promise<boolean>;
  /** Nothing more is written, whatever happened. Never rejects. */
  close(): Promise<void>;
}

/** The sink for a choice. `turn`: resolves when stdout is this transfer's. */
export function openSink(choice: OutputChoice, output: ByteOutput, turn: () => Promise<void>): Sink {
  if (choice.kind === 'file') return new FileSink(choice);
  return output.isTerminal && !choice.raw ? new TerminalSink(output, turn) : new StreamSink(output, turn);
}

/** A file. */
class FileSink implements Sink {
  readonly #choice: FileChoice;
  #fileName: string;
  #handle: FileHandle | undefined;
  /** Where the next byte goes; `null` for what has no places: a pipe, a device. */
  #position: number | null;

  constructor(choice: FileChoice) {
    this.#choice = choice;
    this.#position = null;
    this.#fileName = typeof choice.file === 'string' ? choice.file : '';
    this.#handle = undefined;
  }

  get fileName(): string {
    return this.#fileName;
  }

  begin(disposition: string | undefined): void {
    const { file } = this.#choice;
    if (typeof file === 'function' && this.#handle === undefined) this.#fileName = file(disposition);
  }

  writeHead(text: string): Promise<void> {
    return this.writeBody(Buffer.from(text, 'latin1'));
  }

  async writeBody(bytes: Uint8Array): Promise<void> {
    try {
      const handle = await this.#open();
      let offset = 0;
      while (offset < bytes.length) {
        const length = bytes.length - offset;
        const { bytesWritten } = await handle.write(bytes, offset, length, this.#position);
        offset += bytesWritten;
        if (this.#position !== null) this.#position += bytesWritten;
      }
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async end(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async reset(): Promise<boolean> {
    try {
      await this.#handle?.truncate(0);
      this.#position = 0;
      return true;
    } catch {
      // A pipe, a device: what was written is gone.
      return false;
    }
  }

  async close(): Promise<void> {
    try {
      await this.#handle?.close();
    } catch {
      // What could be written was written.
    }
  }

  async #open(): Promise<FileHandle> {
    if (this.#handle !== undefined) return this.#handle;
    const { fresh, makesFolders } = this.#choice;
    if (makesFolders) await mkdir(path.dirname(this.fileName), { recursive: true });
    this.#handle = await open(this.fileName, fresh ? 'wx' : 'w');
    if ((await this.#handle.stat()).isFile()) this.#position = 0;
    return this.#handle;
  }

  #failure(error: unknown): CommandError {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    const cause = exists ? 'the file is there already' : `cannot write the file: ${systemReason(error)}`;
    const next = exists ? '-o FILE, which overwrites' : 'another -o FILE';
    return new CommandError({ cause, place: this.fileName, next }, exitCode.writeError, error);
  }
}

/** Stdout, byte for byte. */
class StreamSink implements Sink {
  readonly fileName: string;
  readonly #output: ByteOutput;
  readonly #turn: () => Promise<void>;
  #begun: boolean;

  constructor(output: ByteOutput, turn: () => Promise<void>) {
    this.fileName = '';
    this.#output = output;
    this.#turn = turn;
    this.#begun = false;
  }

  writeHead(text: string): Promise<void> {
    return this.writeBody(Buffer.from(text, 'latin1'));
  }

  async writeBody(bytes: Uint8Array): Promise<void> {
    await this.#turn();
    this.#begun = true;
    await writeOutput(this.#output, bytes);
  }

  begin(): void {
    // Stdout has no name.
  }

  async end(): Promise<void> {
    // All of it is written.
  }

  async reset(): Promise<boolean> {
    return !this.#begun;
  }

  async close(): Promise<void> {
    // Stdout is not ours to close.
  }
}

/**
 * Stdout where people read it: control characters are escaped, since a terminal obeys them, and what is no text is
 * refused as curl does.
 */
class TerminalSink implements Sink {
  readonly fileName: string;
  readonly #output: ByteOutput;
  readonly #turn: () => Promise<void>;
  readonly #decoder: TextDecoder;
  /** A carriage return that waits for its line feed. */
  #rest: string;
  #begun: boolean;

  constructor(output: ByteOutput, turn: () => Promise<void>) {
    this.fileName = '';
    this.#output = output;
    this.#turn = turn;
    this.#decoder = new TextDecoder();
    this.#rest = '';
    this.#begun = false;
  }

  begin(): void {
    // Stdout has no name.
  }

  async reset(): Promise<boolean> {
    return !this.#begun;
  }

  writeHead(text: string): Promise<void> {
    return this.#print(Buffer.from(text, 'latin1').toString('utf8'));
  }

  async writeBody(bytes: Uint8Array): Promise<void> {
    if (bytes.includes(0)) {
      const cause = 'the body is no text, and might disturb the terminal';
      throw new CommandError(
        { cause, place: undefined, next: '-o FILE, or -o - to see it all the same' },
        exitCode.writeError,
      );
    }
    await this.#print(this.#decoder.decode(bytes, { stream: true }));
  }

  async end(): Promise<void> {
    await this.#print(this.#decoder.decode());
    const rest = this.#rest;
    this.#rest = '';
    if (rest !== '') await this.#write(escapeControls(rest));
  }

  async close(): Promise<void> {
    // Stdout is not ours to close.
  }

  async #print(text: string): Promise<void> {
    const whole = this.#rest + text;
    const held = whole.endsWith('\r') ? 1 : 0;
    this.#rest = whole.slice(whole.length - held);
    const lines = whole.slice(0, whole.length - held).split('\r\n');
    const shown = lines.map((line) => escapeControls(line, '\n\t')).join('\n');
    if (shown !== '') await this.#write(shown);
  }

  async #write(text: string): Promise<void> {
    await this.#turn();
    this.#begun = true;
    await writeOutput(this.#output, Buffer.from(text, 'utf8'));
  }
}

/** Writes to stdout. @throws CommandError with curl's code 23 when nobody reads any more */
export async function writeOutput(output: ByteOutput, bytes: Uint8Array): Promise<void> {
  try {
    await output.write(bytes);
  } catch (error) {
    const closed = (error as NodeJS.ErrnoException).code === 'EPIPE';
    const cause = closed ? 'nobody reads the output any more' : `cannot write the output: ${systemReason(error)}`;
    throw new CommandError({ cause, place: undefined, next: undefined }, exitCode.writeError, error);
  }
}
