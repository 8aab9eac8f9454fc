/**
 * The key schedule of TLS 1.3.
 *
 * Owns the chain of secrets from PSK and (EC)DHE to traffic, exporter and resumption (RFC 8446 section 7.1), Finished
 * and binder keys (sections 4.2.11.2 and 4.4.4). Does not own the transcript: hashes are handed in.
 *
 * @module
 */
import { hkdfDerived, hkdfExpandLabel, hkdfExtract } from '../crypto/index.ts';
import type { CipherSuite, CryptoProvider } from '../crypto/index.ts';

/** Traffic secrets of both sides at one level. */
export interface TrafficSecrets {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

const EMPTY = new Uint8Array(0);
/** The early stage of a handshake without a PSK: made of zeros, by hash, and the same each time. */
const withoutPsk: Partial<Record<CipherSuite['hash'], PlainStage>> = {};

interface PlainStage {
  readonly secret: Uint8Array;
  /** `Derive-Secret(secret, "derived", "")`: what the next stage begins with. */
  readonly derived: Uint8Array;
}

/** One handshake's secrets, stage by stage: early, handshake, master. */
export class KeySchedule {
  readonly suite: CipherSuite;
  readonly #crypto: CryptoProvider;
  #secret: Uint8Array;
  /** The early stage, where there is no PSK. */
  #plain: PlainStage | undefined;

  /** @param psk - the resumption PSK, or `undefined`: then the early secret is that of zeros */
  constructor(crypto: CryptoProvider, suite: CipherSuite, psk: Uint8Array | undefined) {
    this.suite = suite;
    this.#crypto = crypto;
    this.#plain = psk === undefined ? plainStage(crypto, suite) : undefined;
    this.#secret = this.#plain?.secret ?? hkdfExtract(crypto, suite.hash, zerosOf(suite), psk as Uint8Array);
  }

  /** Early stage: the key of a resumption binder. */
  binderKey(): Uint8Array {
    return this.finishedKey(this.#derive('res binder', this.#crypto.hash(this.suite.hash, EMPTY)));
  }

  /** Early stage: 0-RTT. @param clientHello - the hash of ClientHello */
  earlyTrafficSecret(clientHello: Uint8Array): Uint8Array {
    return this.#derive('c e traffic', clientHello);
  }

  /** From early to handshake. @param shared - the (EC)DHE secret */
  enterHandshake(shared: Uint8Array): void {
    const { hash } = this.suite;
    const salt = this.#plain?.derived ?? hkdfDerived(this.#crypto, hash, this.#secret);
    this.#plain = undefined;
    this.#secret = hkdfExtract(this.#crypto, hash, salt, shared);
  }

  /** Handshake stage. @param hellos - the hash of ClientHello to ServerHello */
  handshakeSecrets(hellos: Uint8Array): TrafficSecrets {
    return { client: this.#derive('c hs traffic', hellos), server: this.#derive('s hs traffic', hellos) };
  }

  /** From handshake to master. */
  enterMaster(): void {
    this.enterHandshake(zerosOf(this.suite));
  }

  /** Master stage. @param serverFinished - the hash of ClientHello to the server's Finished */
  applicationSecrets(serverFinished: Uint8Array): TrafficSecrets {
    return {
      client: this.#derive('c ap traffic', serverFinished),
      server: this.#derive('s ap traffic', serverFinished),
    };
  }

  /** Master stage. @param serverFinished - as above */
  exporterSecret(serverFinished: Uint8Array): Uint8Array {
    return this.#derive('exp master', serverFinished);
  }

  /** Master stage. @param clientFinished - the hash of ClientHello to the client's Finished */
  resumptionSecret(clientFinished: Uint8Array): Uint8Array {
    return this.#derive('res master', clientFinished);
  }

  /** The PSK that a ticket stands for (RFC 8446 section 4.6.1). */
  resumptionPsk(resumptionSecret: Uint8Array, nonce: Uint8Array): Uint8Array {
    return this.#expand(resumptionSecret, 'resumption', nonce, this.suite.hashLength);
  }

  /** The key of a Finished message under a traffic secret. */
  finishedKey(trafficSecret: Uint8Array): Uint8Array {
    return this.#expand(trafficSecret, 'finished', EMPTY, this.suite.hashLength);
  }

  /** What Finished says. @param transcript - the hash of what was sent and received before it */
  verifyData(trafficSecret: Uint8Array, transcript: Uint8Array): Uint8Array {
    return this.#crypto.hmac(this.suite.hash, this.finishedKey(trafficSecret), transcript);
  }

  #derive(label: string, transcript: Uint8Array): Uint8Array {
    return this.#expand(this.#secret, label, transcript, this.suite.hashLength);
  }

  #expand(secret: Uint8Array, label: string, context: Uint8Array, length: number): Uint8Array {
    return hkdfExpandLabel(this.#crypto, this.suite.hash, secret, label, context, length);
  }
}

function plainStage(crypto: CryptoProvider, suite: CipherSuite): PlainStage {
  const { hash } = suite;
  const known = withoutPsk[hash];
  if (known !== undefined) return known;
  const secret = hkdfExtract(crypto, hash, zerosOf(suite), zerosOf(suite));
  return (withoutPsk[hash] = { secret, derived: hkdfDerived(crypto, hash, secret) });
}

function zerosOf(suite: CipherSuite): Uint8Array {
  return new Uint8Array(suite.hashLength);
}
