/**
 * A QUIC client that keeps to no rule.
 *
 * @module
 */
import { cipherSuites, NamedGroup, nodeCryptoProvider } from '../../../src/crypto/index.ts';
import type { ClientSession, TlsEvent } from '../../../src/tls/index.ts';
import { defaultKeyShareGroups, defaultSignatureSchemes, TlsClientHandshake } from '../../../src/tls/index.ts';
import { random, randomBytes } from './raw-frames.ts';
import type { RawPeerOptions } from './raw-peer.ts';
import { RawPeer, rawParameters } from './raw-peer.ts';

/** What a client says of itself. */
export interface RawOptions extends RawPeerOptions {
  readonly session?: ClientSession;
  readonly earlyData?: boolean;
  readonly token?: Uint8Array;
  readonly destination?: Uint8Array;
}

/** One connection of a client without manners. */
export class RawClient extends RawPeer {
  readonly #handshake: TlsClientHandshake;

  /** @param send - puts a datagram on its way */
  constructor(send: (datagram: Buffer) => void, options: RawOptions = {}) {
    const source = randomBytes(8);
    const first = options.destination ?? randomBytes(8);
    const tls = new TlsClientHandshake({
      crypto: nodeCryptoProvider,
      random,
      keyRandom: undefined,
      alpn: options.alpn ?? ['h3'],
      cipherSuites: cipherSuites.map(({ id }) => id),
      groups: [NamedGroup.x25519],
      keyShareGroups: defaultKeyShareGroups,
      signatureSchemes: defaultSignatureSchemes,
      transportParameters: rawParameters({ initialSourceConnectionId: source }, options),
      keylog: false,
      serverName: 'localhost',
      identity: undefined,
      session: options.session,
      earlyData: options.earlyData === true,
    });
    super({ role: 'client', first, destination: first, source, tls, send }, options);
    this.#handshake = tls;
    this.token = options.token ?? this.token;
  }

  /** Sends the ClientHello. */
  start(): void {
    this.#handshake.start(Date.now());
    this.pull();
  }

  /** Begins anew as the Retry that came says. @param token - in place of the one that it brought */
  followRetry(token?: Uint8Array): void {
    if (this.retry === undefined) throw new Error('no Retry came');
    this.token = token ?? this.retry.token;
    this.begin(this.retry.source, this.retry.source);
    this.sendCrypto('initial', this.hello);
  }

  protected override handshakeTold(event: TlsEvent): void {
    super.handshakeTold(event);
    if (event.type === 'CertificateReceived') this.#handshake.submitCertificateVerdict({ ok: true });
  }
}
