/**
 * What engines on sessions of node:http2 cover. Not priorities: Node writes and tells no PRIORITY_UPDATE. Not strict
 * parsing: that is nghttp2's own affair.
 *
 * @module
 */
import type { Capabilities, Capability } from '../../protocols/index.ts';

/** The same for both sides. */
export const sessionCapabilities: Capabilities = new Set<Capability>([
  'trailers',
  'informational',
  'connect',
  'extendedConnect',
  'flowControl',
  'gracefulShutdown',
]);
