/**
 * What this engine covers: all that HTTP/3 has.
 *
 * @module
 */
import type { Capabilities, Capability } from '../capabilities.ts';

/** The engine's capabilities, the same for both sides. */
export const http3Capabilities: Capabilities = new Set<Capability>([
  'trailers',
  'informational',
  'connect',
  'extendedConnect',
  'datagrams',
  'priorities',
  'flowControl',
  'gracefulShutdown',
  'earlyData',
  'strictParsing',
]);
