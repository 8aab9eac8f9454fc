/**
 * What this engine covers: all that HTTP/1.1 has.
 *
 * @module
 */
import type { Capabilities, Capability } from '../capabilities.ts';

/** The engine's capabilities, the same for both sides. */
export const http1Capabilities: Capabilities = new Set<Capability>([
  'trailers',
  'informational',
  'connect',
  'upgrade',
  'flowControl',
  'gracefulShutdown',
  'strictParsing',
  'detach',
]);
