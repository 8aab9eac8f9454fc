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

/** {@link ConnectionFacts} of a byte stream. Addresses are read when they are asked for. */
export class StreamFacts implements ConnectionFacts {
  readonly connectionId: number;
  readonly httpVersion: HttpVersion;
  readonly #stream: ByteStream;

  /** @param connectionId - kept when the protocol of a connection is replaced; a new one otherwise */
  constructor(stream: ByteStream, httpVersion: HttpVersion, connectionId?: number) {
    if (connectionId === undefined) lastConnectionId += 1;
    this.connectionId = connectionId ?? lastConnectionId;
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
