/**
 * What is known of a connection, as logs and applications see it.
 *
 * Owns the numbering of connections in this process.
 *
 * @module
 */
import type { SocketAddress, TlsFacts } from '../common/index.ts';
import type { ByteStream } from '../networking/index.ts';
import type { HttpVersion } from '../protocols/index.ts';
import type { ConnectionFacts } from './exchange.ts';

let lastConnectionId = 0;

/**
 * Lets the ids of connections to come begin behind `last`, so that those of several processes differ, and with them the
 * ids of their requests.
 *
 * @param last - from 0 to 2^52; worker number n of a cluster may take n × 36^6: its ids begin with n in base 36
 */
export function startConnectionIds(last: number): void {
  if (!Number.isSafeInteger(last) || last < 0 || last > 2 ** 52)
    throw new RangeError(`${String(last)} is no id to begin behind`);
  lastConnectionId = last;
}

/** The id of a connection that begins. */
export function nextConnectionId(): number {
  lastConnectionId += 1;
  return lastConnectionId;
}

/** {@link ConnectionFacts} of a byte stream. Addresses are read when they are asked for. */
export class StreamFacts implements ConnectionFacts {
  readonly connectionId: number;
  readonly httpVersion: HttpVersion;
  readonly #stream: ByteStream;

  /** @param connectionId - kept when the protocol of a connection is replaced */
  constructor(stream: ByteStream, httpVersion: HttpVersion, connectionId: number) {
    this.connectionId = connectionId;
    this.httpVersion = httpVersion;
    this.#stream = stream;
  }

  /** This side's. */
  get localAddress(): SocketAddress {
    return this.#stream.localAddress;
  }

  /** The peer's. */
  get remoteAddress(): SocketAddress {
    return this.#stream.remoteAddress;
  }

  /** `undefined` without TLS. */
  get tls(): TlsFacts | undefined {
    return this.#stream.tls;
  }
}
