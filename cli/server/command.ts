/**
 * `hface-ts server`: serves an app or a folder until a signal ends it.
 *
 * Owns the order: what can be wrong with the command line is found first, then the app is loaded, then certificates
 * are made, then it listens. The steps are in files of their own; with `--workers` and `--watch` the app runs in
 * processes of its own (supervisor.ts).
 *
 * @module
 */
import type { CertificateNotice } from '../../src/certificates/index.ts';
import type { Endpoint } from '../../src/common/index.ts';
import type { RunningServer } from '../../src/server/index.ts';
import { AppServer } from '../../src/server/index.ts';
import type { CommandContext } from '../context.ts';
import { exitCodeOfSignal } from '../context.ts';
import { chooseImplementations, isHttp3Only, loadEngines } from '../engine-modules.ts';
import type { OptionValues } from '../option-values.ts';
import { parseCommand } from '../parse-command.ts';
import { qlogFolder } from '../qlog.ts';
import { CertificateReload } from './certificate-reload.ts';
import { chooseEndpoints } from './endpoints.ts';
import type { LoadedApp } from './load-app.ts';
import { loadApp } from './load-app.ts';
import { reportUncaught } from './messages.ts';
import { Notices } from './notices.ts';
import { serverCommand } from './options.ts';
import { ServerOutput } from './output.ts';
import { chooseProcesses } from './processes.ts';
import { Serving } from './serve.ts';
import { appServerOptions, endpointEntries } from './server-options.ts';
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
  const processes = chooseProcesses(values, endpoints, context);
  if (processes !== undefined) {
    const { runSupervised } = await import('./supervised.ts');
    return runSupervised({ words, values, endpoints, drainTimeout, processes }, context);
  }
  await loadEngines(values, context.directory);
  // A name that there is not is told before the app is loaded.
  chooseImplementations(values);
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
  readonly #notices: Notices;

  constructor(context: CommandContext, values: OptionValues, drainTimeout: number) {
    this.#context = context;
    this.#values = values;
    this.#drainTimeout = drainTimeout;
    this.#notices = new Notices();
  }

  /** Something happened to a certificate. */
  noticed(notice: CertificateNotice): void {
    this.#notices.add(notice);
  }

  async run(app: LoadedApp, endpoints: readonly Endpoint[], tls: ServerTls | undefined): Promise<number> {
    const context = this.#context;
    const output = new ServerOutput(this.#values, context);
    const { logger, tell, dev } = output;
    const serving = new Serving(context, { drainTimeout: this.#drainTimeout, tell });
    const qlog = qlogFolder(this.#values.text('qlog'), context.directory);
    const forgetUncaught = context.onUncaught((error) => reportUncaught(logger, error, dev));
    let reload: CertificateReload | undefined;
    try {
      const server = new AppServer(app.app, appServerOptions(app, this.#values, output, context, qlog));
      const running = await this.#listen(server, endpoints, tls, serving);
      if (running === undefined) return exitCodeOfSignal(serving.interrupted ?? 'SIGINT');
      if (tls !== undefined)
        reload = new CertificateReload(tls, context, logger, (config) => running.updateTls(config));
      const clientCertificate = this.#values.has('client-ca');
      const { title, remark } = app;
      const { endpoints: open, http3Endpoints } = running;
      const http3Only = isHttp3Only(this.#values);
      const caFile = tls?.caFile;
      const facts = { title, remark, endpoints: open, http3Endpoints, http3Only, caFile, clientCertificate };
      this.#notices.tellTo(output);
      for (const line of startLines(facts)) tell(line);
      return await serving.untilEnd(running);
    } finally {
      reload?.close();
      serving.close();
      forgetUncaught();
      await qlog?.flush();
      await output.flush(tls?.keylog);
    }
  }

  /** `undefined`: a signal came before it listened. */
  async #listen(
    server: AppServer,
    endpoints: readonly Endpoint[],
    tls: ServerTls | undefined,
    serving: Serving,
  ): Promise<RunningServer | undefined> {
    try {
      return await server.listen(endpointEntries(endpoints, tls?.config), { signal: serving.startSignal });
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
