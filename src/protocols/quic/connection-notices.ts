/**
 * What a connection tells its driver besides events: what is kept for later connections, and key log lines.
 *
 * @module
 */
import type { QuicSession } from './connection-config.ts';

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

/**
 * Client with `socketPerPath`: the server wants to be spoken to at another address (RFC 9000 section 9.6). Who follows
 * opens a way there and names it to `QuicConnection.migrate`.
 */
export interface QuicPreferredAddressOffered {
  readonly type: 'PreferredAddressOffered';
  /** `host:port`, of the family that the connection uses. */
  readonly remote: string;
}

/** What the driver is told besides events. */
export type QuicNotice = QuicSessionReceived | QuicTokenReceived | QuicKeyLogged | QuicPreferredAddressOffered;
