/**
 * A QUIC server that keeps to no rule.
 *
 * @module
 */
import type { TlsIdentity } from '../../../src/common/index.ts';
import { cipherSuites, NamedGroup, nodeCryptoProvider } from '../../../src/crypto/index.ts';
import { engineIdentity } from '../../../src/protocols/quic/engine-identity.ts';
import type { PacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import type { TlsEvent } from '../../../src/tls/index.ts';
import { defaultSignatureSchemes, TlsServerHandshake } from '../../../src/tls/index.ts';
import { frame, random, randomBytes } from './raw-frames.ts';
import type { RawPeerOptions } from './raw-peer.ts';
import { RawPeer, rawParameters } from './raw-peer.ts';

/** What a server says of itself. */
export interface RawServerOptions extends RawPeerOptions {
  readonly identity: TlsIdentity;
  /** Whether HANDSHAKE_DONE is sent. Default true. */
  readonly confirms?: boolean;
}

/** One connection of a server without manners. */
export class RawServer extends RawPeer {
  readonly #handshake: TlsServerHandshake;
  readonly #identity: TlsIdentity;
  readonly #confirms: boolean;

  /**
   * @param first - the header of the client's first packet
   * @param send - puts a datagram on its way
   */
  constructor(first: PacketHeader, send: (datagram: Buffer) => void, options: RawServerOptions) {
    const source = randomBytes(8);
    const ids = {
      initialSourceConnectionId: source,
      originalDestinationConnectionId: first.destination.slice(),
    };
    const config = {
      crypto: nodeCryptoProvider,
      random,
      keyRandom: undefined,
      alpn: options.alpn ?? ['h3'],
      cipherSuites: cipherSuites.map(({ id }) => id),
      groups: [NamedGroup.x25519],
      signatureSchemes: defaultSignatureSchemes,
      keylog: false,
      clientCertificate: 'none' as const,
      tickets: undefined,
      ticketLifetime: 0,
      earlyData: false,
    };
    const tls = new TlsServerHandshake(config, rawParameters(ids, options));
    const destination = first.source.slice();
    super({ role: 'server', first: first.destination.slice(), destination, source, tls, send }, options);
    this.#handshake = tls;
    this.#identity = options.identity;
    this.#confirms = options.confirms !== false;
  }

  protected override handshakeTold(event: TlsEvent): void {
    super.handshakeTold(event);
    if (event.type === 'ClientHelloReceived') {
      this.#handshake.submitServerIdentity(engineIdentity(nodeCryptoProvider, this.#identity));
    } else if (event.type === 'HandshakeCompleted' && this.#confirms) {
      this.send('oneRtt', frame(0x1e));
    }
  }
}
