/**
 * What the engine on node:http covers. Not `strictParsing`: Node's parser passes what a strict one refuses, such as two
 * spaces in a request-line.
 *
 * @module
 */
import type { Capabilities, Capability } from '../../protocols/index.ts';

/** The same for both sides. */
export const nodeHttpCapabilities: Capabilities = new Set<Capability>([
  'trailers',
  'informational',
  'connect',
  'upgrade',
  'flowControl',
  'gracefulShutdown',
  'detach',
]);
