/**
 * The context of the process itself: its streams, its signals, its folder.
 *
 * @module
 */
import { closeSync, openSync } from 'node:fs';
import type { ByteOutput, CommandContext, EndSignal, TerminalOutput } from './context.ts';
import { LineWriter } from './line-writer.ts';

/** The process's own context. */
export function processContext(): CommandContext {
  // A reader that has gone away is told by the write that fails; without a listener it would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return {
    print: (text) => void process.stdout.write(`${text}\n`),
    inform: (text) => void process.stderr.write(`${text}\n`),
    writeError: (text) => void process.stderr.write(text),
    output: standardOutput,
    readInput,
    openInput: () => process.stdin as AsyncIterable<Uint8Array>,
    errorTerminal: errorTerminal(),
    openLines: (stream) => new LineWriter(stream === 'stdout' ? 1 : 2),
    columns: process.stdout.isTTY ? process.stdout.columns : 80,
    directory: process.cwd(),
    environment: process.env,
    onSignal,
    onReload,
    onUncaught,
    exit: (code) => {
      process.exit(code);
    },
    networking: undefined,
  };
}

/** Ends the process once stdout and stderr have been taken, whatever else still runs: an app may leave timers. */
export async function leave(code: number): Promise<never> {
  // After a signal nobody waits for a reader that does not read.
  if (code < 128) await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(code);
}

const standardOutput: ByteOutput = {
  get isTerminal() {
    return process.stdout.isTTY;
  },
  write: (bytes) =>
    new Promise((resolve, reject) => {
      process.stdout.write(bytes, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(error);
      });
    }),
};

function errorTerminal(): TerminalOutput | undefined {
  const { stderr } = process;
  if (!stderr.isTTY || process.env['TERM'] === 'dumb') return undefined;
  return {
    get columns() {
      return stderr.columns;
    },
    write: (text) => void stderr.write(text),
    onResize: (listener) => {
      stderr.on('resize', listener);
      return () => void stderr.off('resize', listener);
    },
  };
}

async function readInput(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function onSignal(listener: (signal: EndSignal) => void): () => void {
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return () => {
    process.off('SIGINT', listener);
    process.off('SIGTERM', listener);
  };
}

function onReload(listener: () => void): () => void {
  // There it means that the console is being closed.
  if (process.platform === 'win32') return () => undefined;
  const onTerminal = process.stderr.isTTY && hasTerminal();
  const heard = (): void => {
    if (!onTerminal || hasTerminal()) {
      listener();
      return;
    }
    // As without a listener: Node itself could not end in order, since it wants to set the terminal back.
    process.off('SIGHUP', heard);
    process.kill(process.pid, 'SIGHUP');
  };
  process.on('SIGHUP', heard);
  return () => {
    process.off('SIGHUP', heard);
  };
}

/** Whether the terminal that the process was started from is still there. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}

function onUncaught(listener: (error: unknown) => void): () => void {
  process.on('uncaughtException', listener);
  process.on('unhandledRejection', listener);
  return () => {
    process.off('uncaughtException', listener);
    process.off('unhandledRejection', listener);
  };
}

/** Resolves when what was written has been taken, or never will be. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}
