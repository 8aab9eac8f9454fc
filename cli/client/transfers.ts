/**
 * All transfers of one command: many at once, tried again where that was asked for, printed in the order of the URLs.
 *
 * @module
 */
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { escapeControls } from '../../src/common/index.ts';
import { sleep } from '../../src/concurrency/index.ts';
import type { CommandContext } from '../context.ts';
import { CommandError, messageOf, reportLines, systemReason } from '../report.ts';
import { exitCode } from './exit-codes.ts';
import { openSink, OutputOrder, writeOutput } from './output.ts';
import type { Sink } from './output.ts';
import type { Progress } from './progress.ts';
import { canRepeat } from './request-body.ts';
import { PassingStatus, Retries } from './retry.ts';
import type { ClientSettings, Task } from './settings.ts';
import type { TransferContext } from './transfer.ts';
import { Transfer } from './transfer.ts';
import { transferFailure } from './transfer-failure.ts';
import type { WriteOutPiece } from './write-out.ts';

/** What transfers say while they run. */
export interface TransfersOutput {
  readonly command: CommandContext;
  /** A line on stderr, with the progress out of its way. */
  inform(line: string): void;
  readonly progress: Progress | undefined;
}

/** All transfers of one command. */
export class Transfers {
  readonly #context: TransferContext;
  readonly #settings: ClientSettings;
  readonly #output: TransfersOutput;
  readonly #order: OutputOrder;
  readonly #codes: number[];
  #next: number;

  constructor(context: TransferContext, settings: ClientSettings, output: TransfersOutput) {
    this.#context = context;
    this.#settings = settings;
    this.#output = output;
    this.#order = new OutputOrder();
    this.#codes = [];
    this.#next = 0;
  }

  /** Resolves with the exit code of the first URL that failed, or 0. `most`: how many run at once. */
  async run(most: number): Promise<number> {
    // Started in order and as many as there are connections: whoever waits for its turn waits for one that runs.
    const workers = Array.from({ length: Math.min(most, this.#settings.tasks.length) }, () => this.#work());
    await Promise.all(workers);
    return this.#codes.find((code) => code !== 0) ?? 0;
  }

  async #work(): Promise<void> {
    while (this.#next < this.#settings.tasks.length && !this.#context.signal.aborted) {
      const index = this.#next;
      this.#next += 1;
      this.#codes[index] = await this.#transfer(index);
    }
  }

  async #transfer(index: number): Promise<number> {
    const task = this.#settings.tasks[index] as Task;
    const turn = (): Promise<void> => this.#order.turn(index);
    const sink = openSink(task.output, this.#output.command.output, turn);
    const { transfer, failure } = await this.#attempts(task, index, sink);
    await sink.close();
    if (this.#context.signal.aborted) return 0;
    await turn();
    const reported = await this.#conclude(transfer, failure);
    this.#order.done();
    return reported?.exitCode ?? 0;
  }

  /** Tries it as often as was asked for; the last try counts. */
  async #attempts(
    task: Task,
    index: number,
    sink: Sink,
  ): Promise<{ transfer: Transfer; failure: CommandError | undefined }> {
    const { clock, signal, settings } = this.#context;
    const retries = settings.retry === undefined ? undefined : new Retries(settings.retry, clock.now());
    for (;;) {
      const transfer = new Transfer(this.#context, task, index, sink, retries);
      this.#output.progress?.begin(transfer.record);
      let failure: CommandError | undefined;
      let delay: number | undefined;
      try {
        await transfer.run();
      } catch (error) {
        failure = transferFailure(error, transfer.url, transfer.record.responseBegun);
        if (error instanceof PassingStatus) delay = error.delay;
        else if (retries !== undefined && canRepeat(task.body) && !signal.aborted && (await sink.reset())) {
          delay = retries.afterError(error, failure, clock.now());
        }
      } finally {
        this.#output.progress?.end(transfer.record);
      }
      if (failure === undefined || delay === undefined || retries === undefined) return { transfer, failure };
      this.#warn(`${messageOf(failure)}; trying again in ${seconds(delay)}, ${String(retries.left)} left`);
      try {
        await sleep(clock, delay, signal);
      } catch {
        return { transfer, failure };
      }
    }
  }

  /** Prints what stands behind a transfer's body. */
  async #conclude(transfer: Transfer, failure: CommandError | undefined): Promise<CommandError | undefined> {
    let reported = failure;
    const { writeOut } = this.#settings.transfer;
    if (writeOut !== undefined) {
      try {
        for (const piece of writeOut(transfer.record.facts(failure))) await this.#print(piece);
      } catch (error) {
        reported ??= transferFailure(error, transfer.url, true);
      }
    }
    if (reported !== undefined && this.#settings.errors) {
      for (const line of reportLines(reported)) this.#output.inform(line);
    }
    return reported;
  }

  async #print({ target, text }: WriteOutPiece): Promise<void> {
    const { command, progress } = this.#output;
    if (target.kind === 'file') {
      await writeOutFile(path.resolve(command.directory, target.file), text, target.append);
      return;
    }
    progress?.pause();
    // What servers put into fields is no business of a terminal.
    const toTerminal = target.kind === 'stderr' || command.output.isTerminal;
    const shown = toTerminal ? escapeControls(text, '\r\n\t') : text;
    if (target.kind === 'stderr') command.writeError(shown);
    else await writeOutput(command.output, Buffer.from(shown));
  }

  #warn(line: string): void {
    if (this.#settings.warnings) this.#output.inform(escapeControls(`hface-ts: ${line}`));
  }
}

async function writeOutFile(file: string, text: string, append: boolean): Promise<void> {
  try {
    await (append ? appendFile(file, text) : writeFile(file, text));
  } catch (error) {
    const cause = `cannot write the text of -w: ${systemReason(error)}`;
    throw new CommandError({ cause, place: file, next: 'another %output{FILE}' }, exitCode.writeError, error);
  }
}

function seconds(milliseconds: number): string {
  return `${String(Math.round(milliseconds / 100) / 10)} s`;
}
