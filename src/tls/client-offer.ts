/**
 * What a client offers: the ClientHello, first and after a HelloRetryRequest.
 *
 * Owns the choice of extensions, their order, the key shares, and the PSK with its binder (RFC 8446 sections 4.1.2,
 * 4.2.8 and 4.2.11).
 *
 * @module
 */
import { cipherSuiteById } from '../crypto/index.ts';
import type { CipherSuite, KeyAgreement } from '../crypto/index.ts';
import type { KeyShareEntry, PskIdentity } from './client-hello.ts';
import {
  keySharesData,
  protocolNamesData,
  psksData,
  RANDOM_LENGTH,
  serverNameData,
  TLS13,
  writeClientHello,
} from './client-hello.ts';
import { extensionData, ExtensionType } from './extensions.ts';
import { KeySchedule } from './key-schedule.ts';
import { compressionAlgorithms } from './peer-certificate.ts';
import type { ClientSession } from './session.ts';
import type { TlsClientConfig } from './tls-config.ts';
import type { Transcript } from './transcript.ts';
import { writeOpaque, writeUint16s } from './vectors.ts';

const T = ExtensionType;
const EMPTY = new Uint8Array(0);
/** psk_dhe_ke (RFC 8446 section 4.2.9). */
const PSK_WITH_DHE = Uint8Array.of(1, 1);

/** A written ClientHello. */
export interface WrittenOffer {
  readonly message: Uint8Array;
  /** The key schedule of the session that is offered, in its early stage. */
  readonly schedule: KeySchedule | undefined;
}

/** The offers of one handshake. */
export class ClientOffer {
  readonly random: Uint8Array;
  readonly #config: TlsClientConfig;
  readonly #agreements: Map<number, KeyAgreement>;
  /** The groups, as they are offered: the same in both ClientHellos (RFC 8446 section 4.1.2). */
  readonly #groups: readonly number[];
  #cookie: Uint8Array | undefined;
  #session: ClientSession | undefined;
  #early: boolean;
  #types: ReadonlySet<number>;

  constructor(config: TlsClientConfig) {
    this.#config = config;
    this.random = config.random.fill(new Uint8Array(RANDOM_LENGTH));
    this.#agreements = new Map();
    for (const group of config.keyShareGroups) this.#agree(group);
    this.#groups = orderOfGroups(config);
    this.#cookie = undefined;
    this.#session = this.#usable(config.session) ? config.session : undefined;
    this.#early = config.earlyData && this.#session?.earlyData === true;
    this.#types = new Set();
  }

  /** The extensions of the latest ClientHello. */
  get types(): ReadonlySet<number> {
    return this.#types;
  }

  /** The same and cookie, which a HelloRetryRequest brings unasked (RFC 8446 section 4.2.2). */
  get typesOfRetry(): ReadonlySet<number> {
    return new Set([...this.#types, T.cookie]);
  }

  /** Whether the latest ClientHello offers 0-RTT. */
  get offersEarlyData(): boolean {
    return this.#early;
  }

  /** A suite that was offered. */
  suite(id: number): CipherSuite | undefined {
    return this.#config.cipherSuites.includes(id) ? cipherSuiteById(id) : undefined;
  }

  /** The key agreement of a share that was sent. */
  agreement(group: number): KeyAgreement | undefined {
    return this.#agreements.get(group);
  }

  /** Whether a HelloRetryRequest may ask for that group. */
  mayRetryWith(group: number): boolean {
    return this.#config.groups.includes(group) && !this.#agreements.has(group);
  }

  /** Takes in a HelloRetryRequest (RFC 8446 section 4.1.2: what the second ClientHello may change). */
  retry(group: number | undefined, cookie: Uint8Array | undefined, suite: CipherSuite): void {
    if (group !== undefined) {
      this.#agreements.clear();
      this.#agree(group);
    }
    this.#cookie = cookie;
    this.#early = false;
    const session = this.#session;
    if (session !== undefined && this.suite(session.cipherSuite)?.hash !== suite.hash) this.#session = undefined;
  }

  /**
   * Writes the ClientHello.
   *
   * @param transcript - what came before it
   * @param time - milliseconds since 1970
   */
  write(transcript: Transcript, time: number): WrittenOffer {
    this.#dropOutlived(time);
    const extensions = this.#extensions();
    const session = this.#session;
    const suite = session === undefined ? undefined : this.suite(session.cipherSuite);
    if (session === undefined || suite === undefined) {
      this.#types = new Set(extensions.keys());
      return { message: this.#hello(extensions), schedule: undefined };
    }
    const identity: PskIdentity = {
      identity: session.ticket,
      obfuscatedAge: (Math.max(0, Math.floor(time - session.receivedAt)) + session.ageAdd) % 2 ** 32,
    };
    // RFC 8446 section 4.2.11.2: the binder covers the message up to the binders, whose lengths are in it already.
    extensions.set(T.preSharedKey, psksData([identity], [new Uint8Array(suite.hashLength)]));
    this.#types = new Set(extensions.keys());
    const message = this.#hello(extensions);
    const schedule = new KeySchedule(this.#config.crypto, suite, session.psk);
    const covered = message.subarray(0, message.length - (2 + 1 + suite.hashLength));
    const hash = transcript.digestWith(suite.hash, covered);
    const binder = this.#config.crypto.hmac(suite.hash, schedule.binderKey(), hash);
    message.set(binder, message.length - suite.hashLength);
    return { message, schedule };
  }

  /** RFC 8446 section 4.6.1: a session is for the name that its certificate was shown for. */
  #usable(session: ClientSession | undefined): boolean {
    if (session === undefined || session.serverName !== this.#config.serverName) return false;
    return this.suite(session.cipherSuite) !== undefined;
  }

  /** RFC 8446 section 4.2.11.1: a ticket that is older than it may become is not used. */
  #dropOutlived(time: number): void {
    const session = this.#session;
    if (session === undefined || time - session.receivedAt < session.lifetime * 1_000) return;
    this.#session = undefined;
    this.#early = false;
  }

  #agree(group: number): void {
    this.#agreements.set(group, this.#config.crypto.generateKeyAgreement(group, this.#config.keyRandom));
  }

  #hello(extensions: ReadonlyMap<number, Uint8Array>): Uint8Array {
    const { cipherSuites } = this.#config;
    return writeClientHello({ random: this.random, sessionId: EMPTY, cipherSuites, extensions });
  }

  #extensions(): Map<number, Uint8Array> {
    const { serverName, signatureSchemes, alpn, transportParameters } = this.#config;
    const shares: KeyShareEntry[] = [...this.#agreements.values()];
    const extensions = new Map<number, Uint8Array>();
    if (serverName !== undefined) extensions.set(T.serverName, serverNameData(serverName));
    extensions.set(
      T.supportedVersions,
      extensionData((writer) => writeUint16s(writer, 1, [TLS13])),
    );
    extensions.set(
      T.supportedGroups,
      extensionData((writer) => writeUint16s(writer, 2, this.#groups)),
    );
    extensions.set(
      T.signatureAlgorithms,
      extensionData((writer) => writeUint16s(writer, 2, signatureSchemes)),
    );
    extensions.set(T.keyShare, keySharesData(shares));
    extensions.set(T.applicationLayerProtocolNegotiation, protocolNamesData(alpn));
    extensions.set(
      T.compressCertificate,
      extensionData((writer) => writeUint16s(writer, 1, compressionAlgorithms)),
    );
    extensions.set(T.pskKeyExchangeModes, PSK_WITH_DHE);
    extensions.set(T.quicTransportParameters, transportParameters);
    const cookie = this.#cookie;
    if (cookie !== undefined)
      extensions.set(
        T.cookie,
        extensionData((writer) => writeOpaque(writer, 2, cookie)),
      );
    if (this.#early) extensions.set(T.earlyData, EMPTY);
    return extensions;
  }
}

/**
 * The groups that a share is sent for, then the others, best first. Servers that go by the client's order (rustls does)
 * ask by a HelloRetryRequest for a better group without a share: a round trip for every handshake, and no 0-RTT ever. RFC
 * 8446 section 4.2.8 wants shares in the order of the groups, and this is it as well.
 */
function orderOfGroups({ groups, keyShareGroups }: TlsClientConfig): readonly number[] {
  return [...keyShareGroups, ...groups.filter((group) => !keyShareGroups.includes(group))];
}
