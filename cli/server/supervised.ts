/**
 * `hface-ts server` with `--workers` or `--watch`: opens the endpoints, keeps processes that serve them.
 *
 * Owns the order of the beginning, which is that of one process, but that the app is loaded last: by the workers.
 *
 * @module
 */
import type { Socket } from 'node:net';
import type { Endpoint } from '../../src/common/index.ts';
import { SystemSockets } from '../../src/networking/index.ts';
import type { OpenSockets } from '../../src/networking/index.ts';
import type { CommandContext } from '../context.ts';
import { chooseImplementations, loadEngines } from '../engine-modules.ts';
import type { OptionValues } from '../option-values.ts';
import { CertificateReload } from './certificate-reload.ts';
import { Dispatcher } from './dispatcher.ts';
import { findApp } from './load-app.ts';
import { Notices } from './notices.ts';
import { ServerOutput } from './output.ts';
import type { Processes } from './processes.ts';
import { startFailure } from './start-failure.ts';
import { startLines } from './start-text.ts';
import { Supervisor } from './supervisor.ts';
import { SharedTls } from './shared-tls.ts';
import { chooseTls } from './tls.ts';
import type { OpenEndpoint } from './worker-messages.ts';

/** What the command line says. */
export interface SupervisedPlan {
  /** As they were typed, behind `server`. */
  readonly words: readonly string[];
  readonly values: OptionValues;
  readonly endpoints: readonly Endpoint[];
  /** Milliseconds. */
  readonly drainTimeout: number;
  readonly processes: Processes;
}

/** Runs the command. Resolves to the exit code. */
export async function runSupervised(plan: SupervisedPlan, context: CommandContext): Promise<number> {
  const { values, words, endpoints } = plan;
  const [argument = ''] = values.words;
  // What is wrong with the command line is told once, and before anything is opened.
  await loadEngines(values, context.directory);
  chooseImplementations(values);
  findApp(argument, context.directory);
  const notices = new Notices();
  const tls = await chooseTls(endpoints, values, context, (notice) => notices.add(notice));
  const output = new ServerOutput(values, context);
  const dispatcher = new Dispatcher(reset);
  const sockets = await openAll(endpoints, dispatcher, output, argument);
  const open: readonly OpenEndpoint[] = sockets.map(({ addresses }, index) =>
    openEndpoint(endpoints[index] as Endpoint, addresses),
  );
  const shared = tls === undefined ? undefined : new SharedTls(tls.config, (plain) => supervisor.updateTls(plain));
  const supervisor = new Supervisor({
    drainTimeout: plan.drainTimeout,
    processes: plan.processes,
    app: argument,
    context,
    output,
    dispatcher,
    start: { type: 'start', words, endpoints: open, tls: shared?.plain },
    stopListening: async () => {
      await Promise.all(sockets.map((opened) => opened.close()));
    },
    started: ({ title, remark }) => {
      const facts = { title, remark, endpoints: open.map(({ endpoint }) => endpoint), caFile: tls?.caFile };
      notices.tellTo(output);
      const clientCertificate = values.has('client-ca');
      // Only TCP connections can be handed over.
      const lines = startLines({ ...facts, http3Endpoints: [], http3Only: false, clientCertificate });
      for (const line of lines) output.tell(line);
    },
  });
  const reload =
    tls === undefined
      ? undefined
      : new CertificateReload(tls, context, output.logger, (config) => shared?.update(config));
  try {
    return await supervisor.run();
  } finally {
    reload?.close();
    shared?.close();
    await output.flush();
  }
}

function openEndpoint(endpoint: Endpoint, addresses: OpenEndpoint['addresses']): OpenEndpoint {
  const [address] = addresses;
  if (address === undefined || address.family === 'unix') return { endpoint, addresses };
  return { endpoint: { ...endpoint, port: address.port }, addresses };
}

/** Opens all endpoints, or none. @throws CommandError */
async function openAll(
  endpoints: readonly Endpoint[],
  dispatcher: Dispatcher,
  output: ServerOutput,
  app: string,
): Promise<readonly OpenSockets[]> {
  const source = new SystemSockets({ paused: true });
  const opening = endpoints.map((endpoint, index) => {
    return source.open(
      { endpoint, backlog: BACKLOG, reusePort: false },
      {
        connected: (socket, address) => {
          withoutServer(socket);
          dispatcher.offer(socket, index, address);
        },
        acceptFailed: (error) => {
          output.logger.log('error', 'cannot accept a connection', { reason: error.message });
        },
      },
    );
  });
  const results = await Promise.allSettled(opening);
  const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return opened;
  await Promise.all(opened.map((sockets) => sockets.close()));
  throw startFailure(failed.reason, app, endpoints);
}

/** Only a TCP socket can be reset. */
function reset(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

/** Node asks other processes about sockets of a server, when it closes: these are theirs alone. */
function withoutServer(socket: Socket & { server?: unknown }): void {
  socket.server = undefined;
}

/** As AppServer has it. */
const BACKLOG = 511;
