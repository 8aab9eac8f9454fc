/**
 * One QUIC connection.
 *
 * @module
 */
import type { NetworkPath } from '../../common/index.ts';
import type { QuicTransport } from '../quic-transport.ts';
import type { QuicClientConfig, QuicInitial, QuicServerConfig, QuicSession } from './connection-config.ts';

/** Client: a session to resume later. A later notice with the same ticket replaces it. */
export interface QuicSessionReceived {
  readonly type: 'SessionReceived';
  readonly session: QuicSession;
}

/** Client: a token for the first packet of a later connection to that server (RFC 9000 section 8.1.3). */
export interface QuicTokenReceived {
  readonly type: 'TokenReceived';
  readonly token: Uint8Array;
}

/** A line of the NSS key log. */
export interface QuicKeyLogged {
  readonly type: 'KeyLogged';
  readonly line: string;
}

/** What the driver is told besides events. */
export type QuicNotice = QuicSessionReceived | QuicTokenReceived | QuicKeyLogged;

/** What is left of a connection that is over, for as long as it answers (RFC 9000 section 10.2). */
export interface QuicRemains {
  /** What is sent in answer to packets, less and less often; `undefined` when draining. */
  readonly datagram: Uint8Array | undefined;
  readonly path: NetworkPath;
  /** When it may be forgotten. */
  readonly until: number;
}

/** The shape of the class `QuicConnection` while it is written: `new QuicConnection(config, path, now, initial?)`. */
export interface QuicConnectionShape extends QuicTransport {
  /** Sessions, tokens and key log lines, oldest first; at most `maxNotices` wait. */
  nextNotice(): QuicNotice | undefined;
  /** Updates the keys of 1-RTT packets (RFC 9001 section 6.1). False while it is not allowed. */
  initiateKeyUpdate(): boolean;
  /** Whether nothing more is sent and nothing taken: closing and draining are over, or were handed to a stub. */
  readonly isTerminated: boolean;
  /** While it is closing or draining: what a stub needs to stand in for it. */
  readonly remains: QuicRemains | undefined;
  readonly currentPath: NetworkPath;
}

/** What the constructor of `QuicConnection` takes. */
export type QuicConnectionArguments =
  | readonly [config: QuicClientConfig, path: NetworkPath, now: number]
  | readonly [config: QuicServerConfig, path: NetworkPath, now: number, initial: QuicInitial];
