/**
 * From connections to the app.
 *
 * Owns what a listener tells: each connection's requests go to the app, foreign host names and schemes are refused
 * before it (RFC 9110 section 7.4), and what went wrong below goes to the log, bounded in number.
 *
 * @module
 */
import { refuseExchange } from '../app/index.ts';
import type { MountedApp } from '../app/index.ts';
import { formatSocketAddress } from '../common/index.ts';
import type { Clock, NetworkError, SocketAddress } from '../common/index.ts';
import { serveExchanges } from '../connections/index.ts';
import type {
  HttpConnection,
  HttpListenerHandler,
  ServerExchange,
  ServerExchangesHandler,
} from '../connections/index.ts';
import type { AllowedHosts } from './allowed-hosts.ts';
import type { ServerHost } from './server-host.ts';

/** What {@link ServerConnections} needs. */
export interface ServerConnectionsParts {
  readonly app: MountedApp;
  readonly host: ServerHost;
  readonly clock: Clock;
  /** `undefined`: any name. */
  readonly allowedHosts: AllowedHosts | undefined;
  /** Requests at once. */
  readonly maxRequests: number;
  readonly listenerFailed: (error: NetworkError) => void;
}

/** Hands requests to the app. */
export class ServerConnections implements HttpListenerHandler, ServerExchangesHandler {
  readonly #parts: ServerConnectionsParts;
  #refused: number;
  #refusalLoggedAt: number;

  constructor(parts: ServerConnectionsParts) {
    this.#parts = parts;
    this.#refused = 0;
    this.#refusalLoggedAt = -Infinity;
  }

  /** @inheritdoc */
  connectionAccepted(connection: HttpConnection): void {
    serveExchanges(connection, this);
  }

  /** @inheritdoc */
  connectionFailed(remoteAddress: SocketAddress, error: NetworkError): void {
    this.#parts.host.log('debug', 'a connection failed before its first request', undefined, {
      client: formatSocketAddress(remoteAddress),
      reason: error.message,
    });
  }

  /** @inheritdoc */
  connectionRefused(remoteAddress: SocketAddress, limit: string): void {
    this.#refused += 1;
    // Whoever floods the listener shall not flood the log.
    const now = this.#parts.clock.now();
    if (now - this.#refusalLoggedAt < REFUSAL_LOG_INTERVAL) return;
    this.#refusalLoggedAt = now;
    this.#parts.host.log('warn', 'connections are refused', undefined, {
      limit,
      client: formatSocketAddress(remoteAddress),
      count: this.#refused,
    });
    this.#refused = 0;
  }

  /** @inheritdoc */
  listenerFailed(error: NetworkError): void {
    this.#parts.host.log('error', 'a listener failed', error);
    this.#parts.listenerFailed(error);
  }

  /** @inheritdoc */
  exchangeReceived(exchange: ServerExchange): void {
    const { app, host, allowedHosts } = this.#parts;
    host.exchangeBegan(exchange);
    if (host.running > this.#parts.maxRequests) {
      refuseExchange(exchange, host, 503, 'the server has too many requests at present (maxRequests)');
      return;
    }
    if (isOfAnotherScheme(exchange)) {
      refuseExchange(exchange, host, 421, `a target of the scheme "${exchange.scheme}" is not served here`);
      return;
    }
    if (allowedHosts === undefined || allowedHosts.allows(exchange.authority)) {
      app.answer(exchange);
      return;
    }
    const advice = `the host name in "${exchange.authority}" is not allowed: add it to allowedHosts`;
    refuseExchange(exchange, host, 421, advice);
  }

  /** @inheritdoc */
  connectionEnded(connection: HttpConnection): void {
    const { error } = connection;
    if (error === undefined) return;
    this.#parts.host.log('debug', 'a connection ended with an error', undefined, {
      client: formatSocketAddress(connection.facts.remoteAddress),
      reason: error.message,
    });
  }
}

/**
 * Whether an absolute-form asks for what this connection cannot stand for: an https resource without TLS, or no HTTP
 * resource at all (RFC 9110 section 7.4). Of multiplexed versions a gateway may say the scheme that it was asked for.
 */
function isOfAnotherScheme(exchange: ServerExchange): boolean {
  const { scheme } = exchange;
  if (scheme === 'http' || scheme === '') return false;
  if (scheme !== 'https') return true;
  return exchange.connection.tls === undefined && exchange.httpVersion.startsWith('1.');
}

/** Milliseconds. */
const REFUSAL_LOG_INTERVAL = 10_000;
