/**
 * What an implementation of an HTTP version covers.
 *
 * Owns the names. For each capability that an entry declares, the contract suite runs the cases that belong to it; for
 * each one it lacks, the suite checks that the member throws `ERR_UNSUPPORTED` (`submitDatagram` returns false).
 *
 * @module
 */

/** All names, in the order in which tables show them. */
export const capabilityNames = [
  'trailers',
  'informational',
  'connect',
  'upgrade',
  'extendedConnect',
  'datagrams',
  'priorities',
  'flowControl',
  'gracefulShutdown',
  'earlyData',
  'strictParsing',
  'detach',
] as const;

/** One thing that an implementation may or may not cover. */
export type Capability = (typeof capabilityNames)[number];

/** What one implementation covers. */
export type Capabilities = ReadonlySet<Capability>;
