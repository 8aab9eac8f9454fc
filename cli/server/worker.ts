/**
 * A process that serves the app on sockets that the command hands to it.
 *
 * Owns the worker's side: it loads the app, tells whether it serves, takes sockets until it is told to drain, and ends.
 * Signals are the command's: a terminal sends them to every process. A worker that loses the command drains and ends.
 *
 * @module
 */
import type { Socket } from 'node:net';
import path from 'node:path';
import type { SocketAddress } from '../../src/common/index.ts';
import { startConnectionIds } from '../../src/connections/index.ts';
import { SystemNetworking } from '../../src/networking/index.ts';
import type { RunningServer } from '../../src/server/index.ts';
import { AppServer } from '../../src/server/index.ts';
import type { CommandContext, LineOutput } from '../context.ts';
import { loadEngines } from '../engine-modules.ts';
import { openKeylog } from '../keylog.ts';
import type { OptionValues } from '../option-values.ts';
import { parseCommand } from '../parse-command.ts';
import { exitCodeOf, failureOf, reportLines } from '../report.ts';
import { HandedSockets } from './handed-sockets.ts';
import { loadApp } from './load-app.ts';
import { reportUncaught } from './messages.ts';
import { serverCommand } from './options.ts';
import { ServerOutput } from './output.ts';
import { appServerOptions, endpointEntries } from './server-options.ts';
import { startFailure } from './start-failure.ts';
import { tlsOf } from './worker-messages.ts';
import type { FromWorker, PlainTls, StartMessage, ToWorker } from './worker-messages.ts';

/** The worker's end of the channel to the command. */
export interface CommandLink {
  /** Resolves when the message has left the process, or never will. */
  send(message: FromWorker): Promise<void>;
  /** Takes each message, with the socket that came with it. */
  onMessage(listener: (message: ToWorker, socket: Socket | undefined) => void): void;
  /** The command is gone. */
  onLost(listener: () => void): void;
}

/** Serves until it is drained. Resolves to the exit code of the process. */
export async function runWorker(start: StartMessage, link: CommandLink, context: CommandContext): Promise<number> {
  const worker = new Worker(start, link);
  try {
    await worker.run(context);
    return 0;
  } catch (error) {
    const stack = start.words.includes('--dev') ? reportLines(error, true).slice(1).join('\n') : undefined;
    await link.send({ type: 'failed', failure: failureOf(error), exitCode: exitCodeOf(error), stack });
    return 1;
  }
}

/** One worker. */
class Worker {
  readonly #start: StartMessage;
  readonly #link: CommandLink;
  readonly #sockets: HandedSockets;
  readonly #starting: AbortController;
  #keylog: LineOutput | undefined;
  /** The latest, if any endpoint has TLS. */
  #tls: PlainTls | undefined;
  #running: RunningServer | undefined;
  #drainTimeout: number | undefined;
  #drained: boolean;

  constructor(start: StartMessage, link: CommandLink) {
    this.#start = start;
    this.#link = link;
    this.#sockets = new HandedSockets(start.endpoints);
    this.#starting = new AbortController();
    this.#keylog = undefined;
    this.#tls = start.tls;
    this.#running = undefined;
    this.#drainTimeout = undefined;
    this.#drained = false;
    startConnectionIds(start.lastConnectionId);
  }

  async run(plainContext: CommandContext): Promise<void> {
    const context = { ...plainContext, networking: new SystemNetworking({ sockets: this.#sockets }) };
    this.#link.onMessage((message, socket) => this.#received(message, socket));
    this.#link.onLost(() => this.#drain(LOST_DRAIN));
    const values = await parseCommand(this.#start.words, serverCommand, context);
    if (values === undefined) return;
    const output = new ServerOutput(values, context);
    const forgetUncaught = context.onUncaught((error) => reportUncaught(output.logger, error, output.dev));
    try {
      await this.#serve(values, output, context);
    } finally {
      forgetUncaught();
      await output.flush(this.#keylog);
    }
  }

  async #serve(values: OptionValues, output: ServerOutput, context: CommandContext): Promise<void> {
    const { endpoints } = this.#start;
    const [argument = ''] = values.words;
    await loadEngines(values, context.directory);
    const app = await loadApp(argument, values, context.directory);
    const keylogFile = values.text('keylog');
    if (keylogFile !== undefined) this.#keylog = openKeylog(path.resolve(context.directory, keylogFile));
    const opened = endpoints.map(({ endpoint }) => endpoint);
    const options = appServerOptions(app, values, output, context);
    // Only TCP connections can be handed over.
    const server = new AppServer(app.app, {
      ...options,
      protocol: options.protocol === 'all' ? 'tcp' : options.protocol,
    });
    const tls = this.#tls;
    const config = tls === undefined ? undefined : tlsOf(tls, this.#keylogLine());
    try {
      this.#running = await server.listen(endpointEntries(opened, config), { signal: this.#starting.signal });
    } catch (error) {
      if (this.#drainTimeout !== undefined) return;
      throw startFailure(error, argument, opened);
    }
    // There may have been a new certificate meanwhile.
    if (this.#tls !== undefined && this.#tls !== tls) this.#updateTls(this.#tls);
    void this.#link.send({ type: 'ready', title: app.title, remark: app.remark });
    if (this.#drainTimeout !== undefined) void this.#drainRunning(this.#running, this.#drainTimeout);
    await this.#running.closed;
  }

  #keylogLine(): ((line: string) => void) | undefined {
    const keylog = this.#keylog;
    return keylog === undefined ? undefined : (line) => keylog.line(line.trimEnd());
  }

  #received(message: ToWorker, socket: Socket | undefined): void {
    switch (message.type) {
      case 'connection':
        this.#connection(message.id, socket, message.endpoint, message.address);
        break;
      case 'tls':
        this.#updateTls(message.tls);
        break;
      case 'drain':
        this.#drain(message.timeout);
        break;
      case 'start':
        break;
    }
  }

  #connection(id: number, socket: Socket | undefined, endpoint: number, address: SocketAddress): void {
    // Without a socket it was closed on its way.
    const taken = socket === undefined || this.#sockets.take(socket, endpoint, address);
    if (!taken) socket.destroy();
    void this.#link.send({ type: taken ? 'taken' : 'refused', id });
  }

  #updateTls(tls: PlainTls): void {
    this.#tls = tls;
    // The command has tried it.
    this.#running?.updateTls(tlsOf(tls, this.#keylogLine()));
  }

  #drain(timeout: number): void {
    if (this.#drainTimeout !== undefined) return;
    this.#drainTimeout = timeout;
    if (this.#running === undefined) this.#starting.abort(new Error('the command ends'));
    else void this.#drainRunning(this.#running, timeout);
  }

  async #drainRunning(running: RunningServer, timeout: number): Promise<void> {
    if (this.#drained) return;
    this.#drained = true;
    // The last connections have come just now: their requests are on their way.
    await new Promise((resolve) => setTimeout(resolve, ARRIVAL));
    void this.#link.send({ type: 'draining', requests: running.requests });
    await running.drain({ timeout });
  }
}

/** Milliseconds from a connection to its first request, mostly. */
const ARRIVAL = 25;
/** Milliseconds: nobody waits any more. */
const LOST_DRAIN = 1_000;
