/**
 * Connections that carry requests of further origins than the one that they were opened for.
 *
 * Owns the Origin Sets (RFC 8336 section 2.3) and the rule of RFC 9113 section 9.1.1. A connection is shared with
 * another origin only when its server named that origin in an ORIGIN frame and the certificate that was verified for
 * the connection is for the origin's host as well. A server that sent no ORIGIN frame shares nothing: then the rule
 * would ask for the other host's addresses, which are known only to what connects. Nothing is shared where the
 * certificate was not verified, where a name of the user's own was checked in place of the host's, or where a check of
 * the user's would have to be asked for the other host.
 *
 * Invariant: a connection stands here only while it takes requests; an origin that answered 421 is taken out of every
 * set (RFC 8336 section 2.4).
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { originOf } from '../common/index.ts';
import { certificateIsFor } from '../trust/index.ts';
import type { PoolConnection } from './pool-connection.ts';
import type { PoolTarget } from './pool-origin.ts';

/** How many origins of one connection are kept; a server that names more is believed as far. */
const MAX_ORIGINS = 256;

/** The Origin Sets of a pool's connections. */
export class SharedConnections {
  readonly #keyOf: (target: PoolTarget) => string;
  /** By the key of the target that they may serve. */
  readonly #connections: Map<string, Set<PoolConnection>>;
  readonly #keys: Map<PoolConnection, Set<string>>;

  /** @param keyOf - what the pool knows a target by */
  constructor(keyOf: (target: PoolTarget) => string) {
    this.#keyOf = keyOf;
    this.#connections = new Map();
    this.#keys = new Map();
  }

  /** A server named origins on a connection that was opened for a target. Those that it may not serve are left out. */
  add(connection: PoolConnection, target: PoolTarget, origins: readonly string[]): void {
    const certificate = certificateOf(connection, target);
    if (certificate === undefined) return;
    let keys = this.#keys.get(connection);
    if (keys === undefined) this.#keys.set(connection, (keys = new Set()));
    for (const text of origins) {
      if (keys.size >= MAX_ORIGINS) return;
      const origin = readOrigin(text);
      if (origin === undefined || !certificateIsFor(certificate, origin.host)) continue;
      const key = this.#keyOf({ ...target, origin });
      keys.add(key);
      const connections = this.#connections.get(key);
      if (connections === undefined) this.#connections.set(key, new Set([connection]));
      else connections.add(connection);
    }
  }

  /** A connection that may carry a request for the target with this key now. */
  find(key: string): PoolConnection | undefined {
    const connections = this.#connections.get(key);
    if (connections === undefined) return undefined;
    for (const connection of connections) if (connection.available) return connection;
    return undefined;
  }

  /** A connection takes no further request. */
  remove(connection: PoolConnection): void {
    const keys = this.#keys.get(connection);
    if (keys === undefined) return;
    this.#keys.delete(connection);
    for (const key of keys) {
      const connections = this.#connections.get(key);
      connections?.delete(connection);
      if (connections?.size === 0) this.#connections.delete(key);
    }
  }

  /** A server does not answer for the target after all. */
  forget(key: string): void {
    for (const connection of this.#connections.get(key) ?? []) this.#keys.get(connection)?.delete(key);
    this.#connections.delete(key);
  }
}

/** The verified certificate of a connection that may be shared at all. */
function certificateOf(connection: PoolConnection, target: PoolTarget): X509Certificate | undefined {
  const { origin, unixPath, tls } = target;
  if (origin.scheme !== 'https' || unixPath !== undefined || !connection.multiplexed) return undefined;
  if (tls?.insecure === true || tls?.serverName !== undefined || tls?.verify !== undefined) return undefined;
  const facts = connection.connection.facts.tls;
  if (facts?.authorized !== true || facts.peerCertificate === undefined) return undefined;
  try {
    return new X509Certificate(facts.peerCertificate);
  } catch {
    return undefined;
  }
}

/** An origin in its ASCII serialization (RFC 6454 section 6.2); `undefined` for anything else. */
function readOrigin(text: string): PoolTarget['origin'] | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.protocol === 'https:' && url.origin === text ? originOf(url) : undefined;
}
