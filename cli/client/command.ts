/**
 * `hface-ts client`: asks URLs over one session and prints what they answer.
 *
 * Owns the order of transfers: many at once, printed in the order of the URLs, ended by a signal.
 *
 * @module
 */
import type { ClientNetworking } from '../../src/client/index.ts';
import { Client } from '../../src/client/index.ts';
import { escapeControls } from '../../src/common/index.ts';
import { systemNetworking } from '../../src/connections/index.ts';
import type { CommandContext, EndSignal } from '../context.ts';
import { exitCodeOfSignal } from '../context.ts';
import { chooseImplementations, chooseProtocol, loadEngines } from '../engine-modules.ts';
import type { OptionValues } from '../option-values.ts';
import { parseCommand } from '../parse-command.ts';
import type { CommandError } from '../report.ts';
import { reportLines } from '../report.ts';
import { clientCommand } from './options.ts';
import { openSink, OutputOrder, writeOutput } from './output.ts';
import type { ClientSettings } from './settings.ts';
import { readSettings } from './settings.ts';
import type { TransferContext } from './transfer.ts';
import { Transfer } from './transfer.ts';
import { transferFailure } from './transfer-failure.ts';
import { chooseTrust } from './trust.ts';
import { VerboseNetworking, VerboseTrace } from './verbose.ts';

/** Runs the command. Resolves to the exit code. */
export async function runClient(words: readonly string[], context: CommandContext): Promise<number> {
  const values = await parseCommand(words, clientCommand, context);
  if (values === undefined) return 0;
  await loadEngines(values, context.directory);
  const settings = await readSettings(values, context);
  const warn = (line: string): void => {
    if (settings.warnings) context.inform(escapeControls(`hface-ts: ${line}`));
  };
  const trust = await chooseTrust(values, context, warn);
  const tell = values.has('verbose') ? (line: string): void => context.inform(line) : undefined;
  const networking = networkingFor(context, tell);
  const parallel = values.integer('parallel', 1, MAX_PARALLEL) ?? DEFAULT_PARALLEL;
  const session = clientFor(values, settings, networking, parallel, tell).session();
  const interrupted = new Interruption(context);
  const transferContext: TransferContext = {
    session,
    trust,
    clock: networking.clock,
    signal: interrupted.signal,
    settings: settings.transfer,
  };
  try {
    const transfers = new Transfers(transferContext, settings, context, parallel);
    return await Promise.race([transfers.run(), interrupted.exitCode]);
  } finally {
    interrupted.close();
    await session.close();
    await trust.keylog?.flush(FLUSH_PATIENCE);
  }
}

function networkingFor(context: CommandContext, tell: ((line: string) => void) | undefined): ClientNetworking {
  const networking = context.networking ?? systemNetworking();
  return tell === undefined ? networking : new VerboseNetworking(networking, tell);
}

function clientFor(
  values: OptionValues,
  settings: ClientSettings,
  networking: ClientNetworking,
  parallel: number,
  tell: ((line: string) => void) | undefined,
): Client {
  return new Client({
    networking,
    protocol: chooseProtocol(values),
    implementations: chooseImplementations(values),
    userAgent: settings.transfer.fields.removed.has('user-agent') ? false : undefined,
    // As long as the user likes: -m is the bound.
    timeouts: { queue: Infinity, headers: Infinity, bodyIdle: Infinity },
    pool: { maxConnectionsPerOrigin: parallel, maxConnections: Math.max(parallel, MAX_CONNECTIONS) },
    trace: tell === undefined ? undefined : new VerboseTrace(tell),
  });
}

/** All transfers of one command. */
class Transfers {
  readonly #context: TransferContext;
  readonly #settings: ClientSettings;
  readonly #command: CommandContext;
  readonly #order: OutputOrder;
  readonly #parallel: number;
  readonly #codes: number[];
  #next: number;

  constructor(context: TransferContext, settings: ClientSettings, command: CommandContext, parallel: number) {
    this.#context = context;
    this.#settings = settings;
    this.#command = command;
    this.#order = new OutputOrder();
    this.#parallel = parallel;
    this.#codes = [];
    this.#next = 0;
  }

  /** Resolves with the exit code of the first URL that failed, or 0. */
  async run(): Promise<number> {
    // Started in order and as many as there are connections: whoever waits for its turn waits for one that runs.
    const workers = Array.from({ length: Math.min(this.#parallel, this.#settings.targets.length) }, () => this.#work());
    await Promise.all(workers);
    return this.#codes.find((code) => code !== 0) ?? 0;
  }

  async #work(): Promise<void> {
    while (this.#next < this.#settings.targets.length && !this.#context.signal.aborted) {
      const index = this.#next;
      this.#next += 1;
      this.#codes[index] = await this.#transfer(index);
    }
  }

  async #transfer(index: number): Promise<number> {
    const target = this.#settings.targets[index] as ClientSettings['targets'][number];
    const choice = this.#settings.outputs[index] as ClientSettings['outputs'][number];
    const turn = (): Promise<void> => this.#order.turn(index);
    const sink = openSink(choice, this.#command.output, turn);
    const transfer = new Transfer(this.#context, target, sink);
    let failure: CommandError | undefined;
    try {
      await transfer.run();
    } catch (error) {
      failure = transferFailure(error, transfer.url, transfer.record.responseBegun);
    }
    await sink.close();
    if (this.#context.signal.aborted) return 0;
    await turn();
    failure = await this.#conclude(transfer, failure);
    this.#order.done();
    return failure?.exitCode ?? 0;
  }

  /** Prints what stands behind a transfer's body. */
  async #conclude(transfer: Transfer, failure: CommandError | undefined): Promise<CommandError | undefined> {
    let reported = failure;
    const { writeOut } = this.#settings.transfer;
    if (writeOut !== undefined) {
      const { output } = this.#command;
      const text = writeOut(transfer.record.facts(failure));
      try {
        // What servers put into fields is no business of a terminal.
        await writeOutput(output, Buffer.from(output.isTerminal ? escapeControls(text, '\r\n\t') : text));
      } catch (error) {
        reported ??= transferFailure(error, transfer.url, true);
      }
    }
    if (reported !== undefined && this.#settings.errors) {
      for (const line of reportLines(reported)) this.#command.inform(line);
    }
    return reported;
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
