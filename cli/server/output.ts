/**
 * All that a running server prints: messages to stderr, a line for each request to stdout, in the form that was asked
 * for.
 *
 * @module
 */
import { escapeControls } from '../../src/common/index.ts';
import type { Logger } from '../../src/common/index.ts';
import type { RequestRecord } from '../../src/server/index.ts';
import type { CommandContext, LineOutput } from '../context.ts';
import type { OptionValues } from '../option-values.ts';
import { reportLines } from '../report.ts';
import type { LogFormat } from './access-log.ts';
import { formatAccess } from './access-log.ts';
import type { LogThreshold } from './messages.ts';
import { commandLogger } from './messages.ts';

/** What a server prints. */
export class ServerOutput {
  readonly logger: Logger;
  /** Whether errors of the app are shown in full. */
  readonly dev: boolean;
  /** Stderr. */
  readonly messages: LineOutput;
  /** Stdout. */
  readonly accesses: LineOutput;
  readonly #format: LogFormat;

  constructor(values: OptionValues, context: CommandContext) {
    this.dev = values.has('dev');
    this.messages = context.openLines('stderr');
    this.accesses = context.openLines('stdout');
    this.#format = (values.text('log-format') ?? 'pretty') as LogFormat;
    this.logger = commandLogger((values.text('log-level') ?? 'info') as LogThreshold, this.#format, this.messages);
  }

  /** Tells the user what happens: a plain line, or a message where a program reads. */
  readonly tell = (line: string): void => {
    if (this.#format === 'json') this.logger.log('info', line.trim());
    else if (this.logger.isEnabled('info')) this.messages.line(escapeControls(line));
  };

  /** Tells of a failure after which the command goes on, in the lines that would have ended it. */
  fail(error: unknown): void {
    if (!this.logger.isEnabled('error')) return;
    const lines = reportLines(error, this.dev);
    if (this.#format === 'json') this.logger.log('error', lines.map((line) => line.trim()).join('; '));
    else for (const line of lines) this.messages.line(line);
  }

  /** What takes the record of each request; `undefined` when nobody wants it. */
  get onRequest(): ((record: RequestRecord) => void) | undefined {
    if (!this.logger.isEnabled('info')) return undefined;
    return (record) => this.accesses.line(formatAccess(record, this.#format, Date.now()));
  }

  /** Waits until the last lines are written, for a second at most. */
  async flush(...further: readonly (LineOutput | undefined)[]): Promise<void> {
    const outputs = [this.messages, this.accesses, ...further].filter((lines) => lines !== undefined);
    await Promise.all(outputs.map((lines) => lines.flush(FLUSH_PATIENCE)));
  }
}

/** Milliseconds that the last lines may take to be read. */
const FLUSH_PATIENCE = 1_000;
