/**
 * What a command may do to the world besides its work: print, read and write bytes, be told to stop. Tests hand in
 * their own.
 *
 * Owns the interface. The process's own is process-context.ts.
 *
 * @module
 */
import type { ClientNetworking } from '../src/client/index.ts';
import type { ServerNetworking } from '../src/server/index.ts';

/** Signals that ask a command to end. */
export type EndSignal = 'SIGINT' | 'SIGTERM';

/** Where bytes go: stdout, or a file. */
export interface ByteOutput {
  /** Whether people read it: then control characters must not pass. */
  readonly isTerminal: boolean;
  /** Resolves when there is room for more. Rejects with the system's error (EPIPE: nobody reads any more). */
  write(bytes: Uint8Array): Promise<void>;
}

/** A terminal on stderr, on which a line may be drawn and wiped away. */
export interface TerminalOutput {
  /** Its width now. */
  readonly columns: number;
  write(text: string): void;
  /** Calls back when its size has changed, until the returned function is called. */
  onResize(listener: () => void): () => void;
}

/** Where lines go that must never hold anybody up. */
export interface LineOutput {
  /** Takes a line without its end; drops it when too much waits already. Never throws. */
  line(text: string): void;
  /** Resolves when all lines are written, when nobody reads any more, or after `patience` milliseconds. */
  flush(patience: number): Promise<void>;
}

/** The streams and signals of one run. */
export interface CommandContext {
  /** A line on stdout. */
  print(text: string): void;
  /** A line on stderr. */
  inform(text: string): void;
  /** A text on stderr as it is. */
  writeError(text: string): void;
  /** The bytes of stdout. */
  readonly output: ByteOutput;
  /** All of stdin. */
  readInput(): Promise<Uint8Array>;
  /** Stdin as it comes. */
  openInput(): AsyncIterable<Uint8Array>;
  /** Stderr, when it is a terminal that can move its cursor. */
  readonly errorTerminal: TerminalOutput | undefined;
  /** Lines on stdout or stderr for something that runs for long. */
  openLines(stream: 'stdout' | 'stderr'): LineOutput;
  /** The width for help texts. */
  readonly columns: number;
  /** The working folder, absolute. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Calls back for each signal that asks to end, until the returned function is called. */
  onSignal(listener: (signal: EndSignal) => void): () => void;
  /**
   * Calls back each time somebody asks for certificates to be read again (SIGHUP, where the system has it), until the
   * returned function is called. A terminal that is closed is no such request: it ends the command.
   */
  onReload(listener: () => void): () => void;
  /** Calls back for what user code throws where nobody catches it; the process goes on. As `onSignal`. */
  onUncaught(listener: (error: unknown) => void): () => void;
  /** Ends the process now. Not for ordinary ends: those return the exit code. */
  exit(code: number): void;
  /** What listens and connects; `undefined`: sockets. */
  readonly networking: (ServerNetworking & ClientNetworking) | undefined;
}

/** The exit code after a signal: 128 and its number. */
export function exitCodeOfSignal(signal: EndSignal): number {
  return signal === 'SIGINT' ? 130 : 143;
}

/** The data folder that the environment names, as an option for certificates/. */
export function dataDirectory(context: CommandContext): { readonly directory?: string } {
  const directory = context.environment['HFACE_DATA_DIR'];
  return directory === undefined || directory === '' ? {} : { directory };
}
