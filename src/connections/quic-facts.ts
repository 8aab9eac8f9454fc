/**
 * What is known of a QUIC connection, as logs and applications see it.
 *
 * Owns the facts of its TLS, which are few before the handshake is complete, and addresses out of paths.
 *
 * @module
 */
import type { IpAddress, SocketAddress, TlsFacts } from '../common/index.ts';
import type { HandshakeCompleted, HttpVersion } from '../protocols/index.ts';
import type { NetworkPath } from '../common/index.ts';
import { nextConnectionId } from './connection-facts.ts';
import type { ConnectionFacts } from './exchange.ts';

/** {@link ConnectionFacts} of a QUIC connection. */
export class QuicFacts implements ConnectionFacts {
  readonly connectionId: number;
  readonly httpVersion: HttpVersion;
  readonly #currentPath: () => NetworkPath;
  #path: NetworkPath | undefined;
  #local: IpAddress | undefined;
  #remote: IpAddress | undefined;
  #tls: TlsFacts;

  /** @param currentPath - where the connection is at present: it may move */
  constructor(httpVersion: HttpVersion, alpn: string, currentPath: () => NetworkPath) {
    this.connectionId = nextConnectionId();
    this.httpVersion = httpVersion;
    this.#currentPath = currentPath;
    this.#path = undefined;
    this.#local = undefined;
    this.#remote = undefined;
    this.#tls = {
      version: 'TLSv1.3',
      cipher: '',
      alpn,
      serverName: undefined,
      resumed: false,
      authorized: false,
      peerCertificate: undefined,
    };
  }

  /** This side's address at present. */
  get localAddress(): SocketAddress {
    this.#read();
    return this.#local as IpAddress;
  }

  /** The peer's address at present. */
  get remoteAddress(): SocketAddress {
    this.#read();
    return this.#remote as IpAddress;
  }

  /** The cipher is known when the handshake is complete; requests in 0-RTT data come before that. */
  get tls(): TlsFacts {
    return this.#tls;
  }

  /** Server: 0-RTT data came, which a resumed session alone can bring (RFC 8446 section 4.2.10). */
  earlyDataReceived(serverName: string | undefined): void {
    if (!this.#tls.resumed) this.#tls = { ...this.#tls, serverName, resumed: true };
  }

  /** The handshake is complete. */
  handshakeCompleted(event: HandshakeCompleted, verdict: HandshakeVerdict): void {
    this.#tls = {
      version: 'TLSv1.3',
      cipher: event.cipher,
      alpn: event.alpn,
      serverName: verdict.serverName,
      resumed: event.resumed,
      authorized: verdict.authorized,
      peerCertificate: event.peerCertificate,
    };
  }

  #read(): void {
    const path = this.#currentPath();
    if (path === this.#path) return;
    this.#path = path;
    this.#local = addressFrom(path.local);
    this.#remote = addressFrom(path.remote);
  }
}

/** What those who answered a handshake know of it. */
export interface HandshakeVerdict {
  /** What the client asked for by name, or `undefined`. */
  readonly serverName: string | undefined;
  /** Whether the peer showed a certificate that was verified. */
  readonly authorized: boolean;
}

/** The address of one end of a path: `127.0.0.1:443`, `[::1]:443`. */
export function addressFrom(text: string): IpAddress {
  const colon = text.lastIndexOf(':');
  const port = Number(text.slice(colon + 1));
  const bracketed = text.startsWith('[');
  const host = bracketed ? text.slice(1, colon - 1) : text.slice(0, colon);
  return { family: bracketed ? 'ipv6' : 'ipv4', host, port };
}
