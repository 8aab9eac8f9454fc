/**
 * `hface-ts server`: serves an app or a folder until a signal ends it.
 *
 * Owns the order: what can be wrong with the command line is found first, then the app is loaded, then certificates
 * are made, then it listens. The steps are in files of their own.
 *
 * @module
 */
import type { CertificateNotice } from '../../src/certificates/index.ts';
import { escapeControls } from '../../src/common/index.ts';
import type { Endpoint, Logger } from '../../src/common/index.ts';
import type { AppServerOptions, EndpointEntry, RunningServer } from '../../src/server/index.ts';
import { AppServer } from '../../src/server/index.ts';
import type { CommandContext, LineOutput } from '../context.ts';
import { exitCodeOfSignal } from '../context.ts';
import { chooseImplementations, chooseProtocol, loadEngines } from '../engine-modules.ts';
import type { OptionValues } from '../option-values.ts';
import { parseCommand } from '../parse-command.ts';
import type { LogFormat } from './access-log.ts';
import { formatAccess } from './access-log.ts';
import { chooseEndpoints } from './endpoints.ts';
import type { LoadedApp } from './load-app.ts';
import { loadApp } from './load-app.ts';
import type { LogThreshold } from './messages.ts';
import { commandLogger, reportAppFailure, reportUncaught } from './messages.ts';
import { serverCommand } from './options.ts';
import { Serving } from './serve.ts';
import { startFailure } from './start-failure.ts';
import { startLines } from './start-text.ts';
import type { ServerTls } from './tls.ts';
import { chooseTls } from './tls.ts';

/** Runs the command. Resolves to the exit code. */
export async function runServer(words: readonly string[], context: CommandContext): Promise<number> {
  const values = await parseCommand(words, serverCommand, context);
  if (values === undefined) return 0;
  const [argument = '', ...places] = values.words;
  const endpoints = chooseEndpoints(places, values, context.environment);
  const drainTimeout = (values.number('drain-timeout', 0, MAX_DRAIN) ?? DEFAULT_DRAIN) * 1000;
  await loadEngines(values, context.directory);
  const run = new ServerRun(context, values, drainTimeout);
  const app = await loadApp(argument, values, context.directory);
  const tls = await chooseTls(endpoints, values, context, (notice) => run.noticed(notice));
  return run.run(app, endpoints, tls);
}

/** One server from its start to its end. */
class ServerRun {
  readonly #context: CommandContext;
  readonly #values: OptionValues;
  readonly #drainTimeout: number;
  readonly #dev: boolean;
  readonly #level: LogThreshold;
  readonly #format: LogFormat;
  readonly #implementations: ReturnType<typeof chooseImplementations>;
  /** What was told of certificates before anything could be printed. */
  readonly #notices: CertificateNotice[];
  #logger: Logger | undefined;

  constructor(context: CommandContext, values: OptionValues, drainTimeout: number) {
    this.#context = context;
    this.#values = values;
    this.#drainTimeout = drainTimeout;
    this.#dev = values.has('dev');
    this.#level = (values.text('log-level') ?? 'info') as LogThreshold;
    this.#format = (values.text('log-format') ?? 'pretty') as LogFormat;
    this.#implementations = chooseImplementations(values);
    this.#notices = [];
    this.#logger = undefined;
  }

  /** Something happened to a certificate. It is told when the server listens: an error is told by itself. */
  noticed(notice: CertificateNotice): void {
    if (this.#logger === undefined) this.#notices.push(notice);
    else this.#logger.log(notice.type === 'RenewalFailed' ? 'warn' : 'info', notice.message);
  }

  async run(app: LoadedApp, endpoints: readonly Endpoint[], tls: ServerTls | undefined): Promise<number> {
    const messages = this.#context.openLines('stderr');
    const accesses = this.#context.openLines('stdout');
    const logger = commandLogger(this.#level, this.#format, messages);
    const tell = this.#teller(logger, messages);
    const serving = new Serving(this.#context, { drainTimeout: this.#drainTimeout, tell });
    const forgetUncaught = this.#context.onUncaught((error) => reportUncaught(logger, error, this.#dev));
    try {
      const server = new AppServer(app.app, this.#options(app, logger, accesses));
      const running = await this.#listen(server, endpoints, tls, serving);
      if (running === undefined) return exitCodeOfSignal(serving.interrupted ?? 'SIGINT');
      const clientCertificate = this.#values.has('client-ca');
      const { title, remark } = app;
      const facts = { title, remark, endpoints: running.endpoints, caFile: tls?.caFile, clientCertificate };
      for (const notice of this.#notices) tell(notice.message);
      this.#logger = logger;
      for (const line of startLines(facts)) tell(line);
      return await serving.untilEnd(running);
    } finally {
      serving.close();
      forgetUncaught();
      const outputs = [messages, accesses, ...(tls?.keylog === undefined ? [] : [tls.keylog])];
      await Promise.all(outputs.map((lines) => lines.flush(FLUSH_PATIENCE)));
    }
  }

  /** Tells the user what happens: plain lines, or messages where a program reads. */
  #teller(logger: Logger, messages: LineOutput): (line: string) => void {
    if (this.#format === 'json') return (line) => logger.log('info', line.trim());
    return (line) => {
      if (logger.isEnabled('info')) messages.line(escapeControls(line));
    };
  }

  #options(app: LoadedApp, logger: Logger, accesses: LineOutput): AppServerOptions {
    return {
      appStyle: app.style,
      dev: this.#dev,
      logger,
      onError: (error, details) => reportAppFailure(logger, error, details, this.#dev),
      ...(logger.isEnabled('info')
        ? { onRequest: (record) => accesses.line(formatAccess(record, this.#format, Date.now())) }
        : {}),
      protocol: chooseProtocol(this.#values),
      http1Implementation: this.#implementations.http1,
      http2Implementation: this.#implementations.http2,
      ...(this.#context.networking === undefined ? {} : { networking: this.#context.networking }),
    };
  }

  /** `undefined`: a signal came before it listened. */
  async #listen(
    server: AppServer,
    endpoints: readonly Endpoint[],
    tls: ServerTls | undefined,
    serving: Serving,
  ): Promise<RunningServer | undefined> {
    const entries: EndpointEntry[] = endpoints.map((endpoint) =>
      endpoint.scheme === 'https' ? { endpoint, tls: tls?.config } : { endpoint },
    );
    try {
      return await server.listen(entries, { signal: serving.startSignal });
    } catch (error) {
      if (serving.interrupted !== undefined) return undefined;
      throw startFailure(error, this.#values.words[0] ?? '', endpoints);
    }
  }
}

/** Seconds. */
const DEFAULT_DRAIN = 10;
/** Seconds: a day. */
const MAX_DRAIN = 86_400;
/** Milliseconds that the last lines may take to be read. */
const FLUSH_PATIENCE = 1_000;
