/**
 * The TLS that all workers have: one certificate, and one set of ticket keys, so that a session that began with one
 * worker is resumed by another (RFC 8446 section 2.2, RFC 5077).
 *
 * Owns the keys: made here, never written anywhere, anew every hour and with each new certificate.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ServerTlsConfig } from '../../src/common/index.ts';
import type { PlainTls } from './worker-messages.ts';
import { plainTls } from './worker-messages.ts';

/** Keeps the keys until it is closed. */
export class SharedTls {
  readonly #changed: (tls: PlainTls) => void;
  readonly #timer: NodeJS.Timeout;
  #config: ServerTlsConfig;
  #plain: PlainTls;

  /** @param changed - takes what every worker shall have from now on */
  constructor(config: ServerTlsConfig, changed: (tls: PlainTls) => void) {
    this.#changed = changed;
    this.#config = config;
    this.#plain = plainTls(config, randomBytes(KEY_BYTES));
    this.#timer = setInterval(() => this.update(this.#config), ROTATION).unref();
  }

  /** What a worker gets. */
  get plain(): PlainTls {
    return this.#plain;
  }

  /** Takes another certificate, with new keys. @throws Error when it cannot be used; nothing has changed then */
  update(config: ServerTlsConfig): void {
    const plain = plainTls(config, randomBytes(KEY_BYTES));
    const { cert, key, passphrase } = plain;
    createSecureContext(passphrase === undefined ? { cert, key } : { cert, key, passphrase });
    this.#config = config;
    this.#plain = plain;
    this.#changed(plain);
  }

  /** Makes no more keys. */
  close(): void {
    clearInterval(this.#timer);
  }
}

/** A name, a key for the MAC and a key for the cipher, 16 bytes each. */
const KEY_BYTES = 48;
/** Milliseconds: an hour. Older sessions are not resumed; that costs their clients a handshake. */
const ROTATION = 3_600_000;
