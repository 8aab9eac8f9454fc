/**
 * What the processes of a flow test have in common: they do what their parent tells them over IPC, one answer for each
 * message, and end when it lets go of them.
 *
 * @module
 */
import process from 'node:process';
import { memoryOperations } from './memory.js';

/**
 * Takes orders.
 * @param {Record<string, (details: any) => unknown>} operations by name; what they return or resolve to is the answer
 */
export function serveOperations(operations) {
  const all = { ...memoryOperations, ...operations };
  process.on('message', (message) => {
    const { call, operation, details } = message;
    Promise.resolve()
      .then(() => all[operation](details))
      .then((value) => answer({ call, value }))
      .catch((error) => answer({ call, failure: describe(error) }));
  });
}

function answer(message) {
  // A parent that has gone away wants no answer.
  if (process.connected) process.send(message, () => {});
}

function describe(error) {
  const cause = error?.cause === undefined ? '' : ` (${describe(error.cause)})`;
  return `${error?.code ?? ''} ${error?.message ?? String(error)}${cause}`.trim();
}
