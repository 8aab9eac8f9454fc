/**
 * What this engine covers: all that HTTP/2 has.
 *
 * @module
 */
import type { Capabilities, Capability } from '../capabilities.ts';

/** The engine's capabilities, the same for both sides. */
export const http2Capabilities: Capabilities = new Set<Capability>([
  'trailers',
  'informational',
  'connect',
  'extendedConnect',
  'priorities',
  'flowControl',
  'gracefulShutdown',
  'strictParsing',
]);
