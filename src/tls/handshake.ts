/**
 * What both sides of a handshake share.
 *
 * Owns the CRYPTO streams of each level, the queue of events, the transcript, the key log, and the one boundary at
 * which a {@link TlsFault} becomes {@link HandshakeFailed}. Nothing throws to the carrier: what a key or a provider
 * throws is `internal_error` (RFC 8446 section 6.2). The rules of a side are in
 * client-handshake.ts and server-handshake.ts.
 *
 * @module
 */
import type { CryptoProvider } from '../crypto/index.ts';
import { Alert, TlsFault, violation } from './alerts.ts';
import type { HandshakeMessage } from './handshake-types.ts';
import { HandshakeStream, HandshakeType } from './handshake-types.ts';
import type { EncryptionLevel, TlsEvent } from './tls-events.ts';
import { tlsLimits } from './limits.ts';
import { Transcript } from './transcript.ts';

/** How the carrier answers `CertificateReceived`. */
export type TlsCertificateVerdict =
  { readonly ok: true } | { readonly ok: false; readonly alert: number; readonly reason: string };

/** One side of a handshake. */
export abstract class TlsHandshake {
  protected readonly crypto: CryptoProvider;
  protected readonly transcript: Transcript;
  /** Milliseconds since 1970, as of the latest call. */
  protected time: number;
  readonly #events: TlsEvent[];
  readonly #streams: Readonly<Record<EncryptionLevel, HandshakeStream>>;
  readonly #keylog: boolean;
  #level: EncryptionLevel;
  #failed: boolean;
  #held: boolean;

  constructor(crypto: CryptoProvider, keylog: boolean) {
    this.crypto = crypto;
    this.transcript = new Transcript(crypto);
    this.time = 0;
    this.#events = [];
    this.#streams = {
      initial: new HandshakeStream(),
      early: new HandshakeStream(),
      handshake: new HandshakeStream(),
      application: new HandshakeStream(),
    };
    this.#keylog = keylog;
    this.#level = 'initial';
    this.#failed = false;
    this.#held = false;
  }

  /** The next event, or `undefined`. */
  nextEvent(): TlsEvent | undefined {
    return this.#events.shift();
  }

  /**
   * Takes CRYPTO data of a level, in order and once.
   *
   * @param time - milliseconds since 1970, for the age of sessions
   */
  cryptoReceived(level: EncryptionLevel, data: Uint8Array, time: number): void {
    this.guard(() => {
      this.time = time;
      const stream = this.#streams[level];
      // RFC 9001 section 4.1.3: nothing more at a level that was left.
      if (this.hasLeft(level)) {
        throw violation(`handshake data at level ${level}, which was left`);
      }
      stream.push(data);
      this.#drain();
    });
  }

  /** The greatest message that is accepted now. */
  protected get mostBytes(): number {
    return tlsLimits.maxMessageBytes.default;
  }

  /** Whether messages come at a later level by now. */
  hasLeft(level: EncryptionLevel): boolean {
    return LEVELS.indexOf(level) < LEVELS.indexOf(this.#level);
  }

  /** Handles one message. */
  protected abstract received(message: HandshakeMessage): void;

  /** Runs a step; a fault ends the handshake. */
  protected guard(step: () => void): void {
    if (this.#failed) return;
    try {
      step();
    } catch (error) {
      if (error instanceof TlsFault) this.fail(error.alert, error.message);
      else this.fail(Alert.internalError, `the handshake failed by itself: ${String(error)}`);
    }
  }

  /** Ends the handshake. */
  protected fail(alert: number | undefined, reason: string): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#events.push({ type: 'HandshakeFailed', alert, reason });
  }

  /** Tells the carrier. */
  protected emit(event: TlsEvent): void {
    this.#events.push(event);
  }

  /** A message of that type and no other. @param awaited - for the error: what this side waits for */
  protected expect(message: HandshakeMessage, type: number, awaited: string): void {
    if (message.type === type) return;
    throw new TlsFault(Alert.unexpectedMessage, `message ${String(message.type)} while ${awaited} was awaited`);
  }

  /** Adds a message to the transcript and has it sent. */
  protected send(level: EncryptionLevel, message: Uint8Array): void {
    this.transcript.add(message);
    this.emit({ type: 'CryptoDataProduced', level, data: message });
  }

  /** The next messages come at that level; nothing of the one before may be left (RFC 9001 section 4.1.3). */
  protected enter(level: EncryptionLevel): void {
    const waiting = this.#streams[this.#level].waitingType;
    // RFC 9001 section 6 names the alert for this one, wherever it comes.
    if (waiting === HandshakeType.keyUpdate) throw new TlsFault(Alert.unexpectedMessage, 'a KeyUpdate');
    if (waiting !== undefined) throw violation(`handshake data at level ${this.#level} behind its last message`);
    this.#level = level;
  }

  /** Messages wait until {@link release}: somebody was asked. */
  protected hold(): void {
    this.#held = true;
  }

  /** Goes on with what waits. */
  protected release(): void {
    this.#held = false;
    this.#drain();
  }

  /** Whether somebody was asked who has not answered. */
  protected get held(): boolean {
    return this.#held;
  }

  /** Whether secrets are told: those that serve nothing else need not be made otherwise. */
  protected get logsSecrets(): boolean {
    return this.#keylog;
  }

  /** A line of the NSS key log. */
  protected logSecret(label: string, clientRandom: Uint8Array, secret: Uint8Array): void {
    if (!this.#keylog) return;
    this.emit({ type: 'KeyLogged', line: `${label} ${hex(clientRandom)} ${hex(secret)}` });
  }

  #drain(): void {
    while (!this.#held && !this.#failed) {
      const message = this.#streams[this.#level].next(this.mostBytes);
      if (message === undefined) return;
      this.received(message);
    }
  }
}

const LEVELS: readonly EncryptionLevel[] = ['initial', 'early', 'handshake', 'application'];

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
