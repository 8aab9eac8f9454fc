/**
 * The program of a worker's process: joins {@link runWorker} and Node's channel to the process that made it.
 *
 * @module
 */
import { Socket } from 'node:net';
import { leave, processContext } from '../process-context.ts';
import { runWorker } from './worker.ts';
import type { CommandLink } from './worker.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

// A terminal tells every process of the command; what they mean is the command's to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const link: CommandLink = {
  send: (message: FromWorker) =>
    new Promise((resolve) => {
      if (process.connected) process.send?.(message, undefined, undefined, () => resolve());
      else resolve();
    }),
  onMessage: (listener) => {
    process.on('message', (message, handle) => {
      listener(message as ToWorker, handle instanceof Socket ? handle : undefined);
    });
  },
  onLost: (listener) => {
    process.once('disconnect', listener);
  },
};

process.once('message', (message) => {
  const start = message as ToWorker;
  if (start.type !== 'start') return;
  void runWorker(start, link, processContext()).then(leave);
});
