/**
 * Which protocol a connection speaks: by ALPN, or by its first bytes.
 *
 * Theory of operation. A connection whose ALPN names a protocol of one of the factories gets that factory's engine. A
 * server's connection that agreed on nothing gets, where HTTP/1.1 and HTTP/2 are both to be had, a detecting protocol
 * (detection.ts). A client has nothing to detect: without ALPN it speaks HTTP/1.1, or HTTP/2 where that alone is
 * configured (prior knowledge, RFC 9113 section 3.3). What an engine does with bytes that are not its own (ALPN `h2`
 * with another preface, ALPN `http/1.1` with this one) is the engine's.
 *
 * Owns the choice. It imports no engine: factories say by `alpnProtocols` what they speak.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import { DetectingProtocol } from './detection.ts';
import type { HttpOverTcpFactory, ProtocolContext } from './factories.ts';
import type { HttpOverTcpProtocol } from './http-protocol.ts';

const DETECTION_TIMEOUT = 30_000;

/** How {@link AlpnHttpFactory} behaves. */
export interface AlpnHttpOptions {
  /** How long the first bytes may take where they decide, in milliseconds. Default 30 seconds. */
  readonly detectionTimeout?: number;
}

/** Several factories as one, best first. */
export class AlpnHttpFactory implements HttpOverTcpFactory {
  readonly role: 'client' | 'server';
  readonly alpnProtocols: readonly string[];
  readonly #factories: readonly HttpOverTcpFactory[];
  readonly #best: HttpOverTcpFactory;
  readonly #detectionTimeout: number;

  /** Throws `ConfigurationError` for no factory, for factories of both roles and for a protocol that two of them speak. */
  constructor(factories: readonly HttpOverTcpFactory[], options: AlpnHttpOptions = {}) {
    const [first] = factories;
    if (first === undefined) throw new ConfigurationError('AlpnHttpFactory needs at least one factory');
    const protocols: string[] = [];
    for (const factory of factories) {
      if (factory.role !== first.role) throw new ConfigurationError('AlpnHttpFactory needs factories of one role');
      for (const protocol of factory.alpnProtocols) {
        if (protocols.includes(protocol)) throw new ConfigurationError(`two factories speak ${protocol}`);
        protocols.push(protocol);
      }
    }
    this.role = first.role;
    this.alpnProtocols = protocols;
    this.#factories = factories;
    this.#best = first;
    this.#detectionTimeout = options.detectionTimeout ?? DETECTION_TIMEOUT;
    if (!(this.#detectionTimeout >= 0)) throw new ConfigurationError('detectionTimeout is a number of milliseconds');
  }

  /**
   * The engine for a connection, or the protocol that finds it out.
   *
   * @throws ConfigurationError when ALPN agreed on what no factory speaks
   */
  create(context: ProtocolContext, now: number): HttpOverTcpProtocol {
    if (context.alpn !== undefined) {
      const factory = this.#speaking(context.alpn);
      if (factory === undefined) throw new ConfigurationError(`no factory speaks ${context.alpn}`);
      return factory.create(context, now);
    }
    const http1 = this.#speaking('http/1.1');
    const http2 = this.#speaking('h2');
    if (this.role === 'server' && http1 !== undefined && http2 !== undefined) {
      return new DetectingProtocol(http1, http2, context, this.#detectionTimeout, now);
    }
    return (http1 ?? http2 ?? this.#best).create(context, now);
  }

  #speaking(protocol: string): HttpOverTcpFactory | undefined {
    return this.#factories.find((factory) => factory.alpnProtocols.includes(protocol));
  }
}
