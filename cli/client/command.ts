/**
 * `hface-ts client`: asks URLs over one session and prints what they answer.
 *
 * Owns what all transfers share: the session, stderr, the end by a signal, the cookies that are kept.
 *
 * @module
 */
import path from 'node:path';
import type { ClientNetworking } from '../../src/client/index.ts';
import { Client, packageVersion } from '../../src/client/index.ts';
import { escapeControls } from '../../src/common/index.ts';
import type { Clock } from '../../src/common/index.ts';
import { systemNetworking } from '../../src/connections/index.ts';
import type { CommandContext, EndSignal } from '../context.ts';
import { exitCodeOfSignal } from '../context.ts';
import { chooseClientProtocol, chooseImplementations, loadEngines } from '../engine-modules.ts';
import type { OptionValues } from '../option-values.ts';
import { parseCommand } from '../parse-command.ts';
import type { QlogFolder } from '../qlog.ts';
import { qlogFolder } from '../qlog.ts';
import { systemReason } from '../report.ts';
import { connectNetworking } from './connect-options.ts';
import { formatCookieFile, writeCookieFile } from './cookie-file.ts';
import { clientCommand } from './options.ts';
import { Progress } from './progress.ts';
import type { ClientSettings } from './settings.ts';
import { readSettings } from './settings.ts';
import type { TransferContext } from './transfer.ts';
import { Transfers } from './transfers.ts';
import type { TransfersOutput } from './transfers.ts';
import { chooseTrust } from './trust.ts';
import { VerboseNetworking, VerboseTrace } from './verbose.ts';

/** Runs the command. Resolves to the exit code. */
export async function runClient(words: readonly string[], context: CommandContext): Promise<number> {
  const values = await parseCommand(words, clientCommand, context);
  if (values === undefined) return 0;
  await loadEngines(values, context.directory);
  const silent = values.has('silent');
  const screen = new Screen(context);
  const warn = (line: string): void => {
    if (!silent) screen.inform(escapeControls(`hface-ts: ${line}`));
  };
  const settings = await readSettings(values, context, warn);
  const trust = await chooseTrust(values, context, warn);
  const tell = values.has('verbose') ? (line: string): void => screen.inform(line) : undefined;
  const networking = networkingFor(context, settings, tell);
  const parallel = values.integer('parallel', 1, MAX_PARALLEL) ?? DEFAULT_PARALLEL;
  const qlog = qlogFolder(values.text('qlog'), context.directory);
  const session = clientFor(values, settings, networking, parallel, tell, qlog).session();
  const interrupted = new Interruption(context);
  const transferContext: TransferContext = {
    session,
    trust,
    clock: networking.clock,
    signal: interrupted.signal,
    settings: settings.transfer,
    userAgent: settings.userAgent === false ? undefined : (settings.userAgent ?? `hface-ts/${packageVersion}`),
  };
  screen.progress = progressFor(settings, context, networking.clock);
  try {
    const transfers = new Transfers(transferContext, settings, screen);
    return await Promise.race([transfers.run(parallel), interrupted.exitCode]);
  } finally {
    screen.progress?.close();
    interrupted.close();
    await session.close();
    await qlog?.flush();
    await saveCookies(settings, context, warn);
    await trust.keylog?.flush(FLUSH_PATIENCE);
  }
}

/** Stderr, shared by messages and the progress. */
class Screen implements TransfersOutput {
  readonly command: CommandContext;
  progress: Progress | undefined;

  constructor(command: CommandContext) {
    this.command = command;
    this.progress = undefined;
  }

  inform(line: string): void {
    this.progress?.pause();
    this.command.inform(line);
  }
}

/** Only people want it, and only where nothing else is written on their terminal. */
function progressFor(settings: ClientSettings, context: CommandContext, clock: Clock): Progress | undefined {
  const { errorTerminal, output } = context;
  if (settings.progress === undefined || errorTerminal === undefined) return undefined;
  if (output.isTerminal && settings.tasks.some((task) => task.output.kind === 'stdout')) return undefined;
  return new Progress(errorTerminal, clock, settings.progress === 'bar', settings.tasks.length);
}

function networkingFor(
  context: CommandContext,
  { connect }: ClientSettings,
  tell: ((line: string) => void) | undefined,
): ClientNetworking {
  const networking = connectNetworking(context.networking, systemNetworking, connect);
  return tell === undefined ? networking : new VerboseNetworking(networking, tell);
}

function clientFor(
  values: OptionValues,
  settings: ClientSettings,
  networking: ClientNetworking,
  parallel: number,
  tell: ((line: string) => void) | undefined,
  qlog: QlogFolder | undefined,
): Client {
  const { timeout } = settings.connect;
  return new Client({
    networking,
    protocol: chooseClientProtocol(values),
    implementations: chooseImplementations(values),
    userAgent: settings.userAgent,
    // As long as the user likes: -m is the bound, and that of connecting is the networking's.
    timeouts: { queue: Infinity, connect: timeout, tls: timeout, headers: Infinity, bodyIdle: Infinity },
    pool: { maxConnectionsPerOrigin: parallel, maxConnections: Math.max(parallel, MAX_CONNECTIONS) },
    quic: { traces: qlog },
    trace: tell === undefined ? undefined : new VerboseTrace(tell),
    ...settings.connect.client,
  });
}

/** `-c`. What cannot be written is a warning, as curl has it: the transfers are done. */
async function saveCookies(
  { transfer: { cookies } }: ClientSettings,
  context: CommandContext,
  warn: (line: string) => void,
): Promise<void> {
  const { jar, file } = cookies;
  if (jar === undefined || file === undefined) return;
  try {
    if (file !== '-') await writeCookieFile(path.resolve(context.directory, file), jar.all());
    else {
      const text = formatCookieFile(jar.all());
      const { output } = context;
      await output.write(Buffer.from(output.isTerminal ? escapeControls(text, '\n\t') : text, 'latin1'));
    }
  } catch (error) {
    warn(`the cookies are not kept in ${file}: ${systemReason(error)}`);
  }
}

/** Ctrl-C and its kin. */
class Interruption {
  readonly #controller: AbortController;
  readonly #forget: () => void;
  /** Resolves when a signal came. */
  readonly exitCode: Promise<number>;

  constructor(context: CommandContext) {
    this.#controller = new AbortController();
    let interrupted: (code: number) => void = () => {};
    this.exitCode = new Promise((resolve) => {
      interrupted = resolve;
    });
    this.#forget = context.onSignal((signal: EndSignal) => {
      this.#controller.abort(new Error(signal));
      interrupted(exitCodeOfSignal(signal));
    });
  }

  /** Aborts when a signal came. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Stops listening to signals. */
  close(): void {
    this.#forget();
  }
}

/** At once; as many connections are allowed to one origin, so that a transfer that runs always has one. */
const DEFAULT_PARALLEL = 32;
const MAX_PARALLEL = 10_000;
/** At once over all origins, unless more transfers are wanted. */
const MAX_CONNECTIONS = 256;
/** Milliseconds. */
const FLUSH_PATIENCE = 1_000;
