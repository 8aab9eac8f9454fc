/**
 * What a QUIC endpoint is told, and what it hands out.
 *
 * Owns the shapes. Everything that several workers on one address must share is in {@link QuicEndpointKeys}.
 *
 * @module
 */
import type { LimitOptions, NetworkPath, Random } from '../../common/index.ts';
import type { CryptoProvider } from '../../crypto/index.ts';
import type { TicketKey } from '../../tls/index.ts';
import type { AddressTokenKey } from './address-token.ts';
import type { QuicConnection } from './connection.ts';
import type { QuicClientSettings, QuicServerSettings } from './connection-config.ts';
import type { ConnectionIdKeys } from './connection-id-source.ts';
import type { quicEndpointLimits } from './limits.ts';

/** The keys of an endpoint. Workers that answer on one address have the same. */
export interface QuicEndpointKeys extends ConnectionIdKeys {
  /** For the tokens of Retry and NEW_TOKEN: the first seals, all open. Without one there is neither. */
  readonly tokens: readonly AddressTokenKey[];
  /** For session tickets: the first seals, all open. Without one there is no resumption. */
  readonly tickets: readonly TicketKey[];
}

/** What an endpoint is told. */
export interface QuicEndpointOptions {
  readonly crypto: CryptoProvider;
  /** For what goes over the wire in the clear or is no secret. */
  readonly random: Random;
  /** Where ephemeral keys come from; `undefined` is the provider's own generator. Simulations give a seeded one. */
  readonly keyRandom?: Random | undefined;
  readonly keys: QuicEndpointKeys;
  /** This worker's index, which stands hidden in connection ids. Default 0. */
  readonly worker?: number;
  /** Whether connections are accepted. Otherwise only those that `QuicEndpoint.connect` opens are served. */
  readonly accepts: boolean;
  /** Milliseconds since 1970 at the moment that the driver's clock calls 0. Default 0. */
  readonly epoch?: number;
  readonly limits?: LimitOptions<typeof quicEndpointLimits>;
}

/** What connections are given by their endpoint. */
export type QuicEndpointGiven = 'crypto' | 'random' | 'keyRandom' | 'epoch' | 'connectionIds';

/** What has to be said of a connection that is opened; the endpoint adds the rest. */
export type QuicConnectOptions = Omit<QuicClientSettings, QuicEndpointGiven>;

/** What has to be said of a connection that is accepted; the endpoint adds the rest. */
export type QuicAcceptOptions = Omit<QuicServerSettings, QuicEndpointGiven | 'tickets' | 'newToken'> & {
  /** Whether sessions may be resumed. Default true, where there is a key for tickets. */
  readonly resumption?: boolean;
  /** Whether the client is given a token that proves its address next time. Default true, where there is a key. */
  readonly sendToken?: boolean;
};

/** A connection of an endpoint. */
export interface QuicConnectionHandle {
  /** Its datagrams and timers are the endpoint's; its events and streams the driver's. */
  readonly connection: QuicConnection;
  /** Whether the endpoint has let it go: nothing more comes from it but events that wait. */
  readonly closed: boolean;
  /** The driver's own: whatever it wants to find again with the connection. The endpoint does not look at it. */
  attachment: object | undefined;
  /** Something was submitted: the endpoint is to ask the connection for datagrams. It learns of most by itself. */
  wake(): void;
}

/** A client that wants a connection. Exactly one of the four is called, soon: nothing is kept alive by waiting. */
export interface QuicIncoming {
  readonly path: NetworkPath;
  /** Whether a token has proved the client's address. */
  readonly addressValidated: boolean;
  /** Whether {@link QuicIncoming.retry} is allowed: not for who came by a Retry, nor without a key for tokens. */
  readonly mayRetry: boolean;
  /** Takes it. @throws ConfigurationError, LocalProtocolError when it was decided on already */
  accept(options: QuicAcceptOptions): QuicConnectionHandle;
  /** Has the client prove its address first. @throws LocalProtocolError when it may not */
  retry(): void;
  /** Turns it away: CONNECTION_REFUSED. */
  refuse(): void;
  /** Says nothing; the client gives up in its own time. */
  ignore(): void;
}

/** What became of datagrams that have no connection. All count up. */
export interface QuicEndpointCounters {
  readonly accepted: number;
  readonly retried: number;
  readonly refused: number;
  readonly versionsNegotiated: number;
  readonly resets: number;
  /** Datagrams that led to nothing. */
  readonly dropped: number;
}
