/**
 * TLS for a development server, in one call.
 *
 * Owns the renewal of the leaf while the server runs: a client that names its host (SNI, RFC 6066 section 3) gets the
 * renewed one; a client that does not gets the one from the start, which at that time still has a third of its life.
 * There is no timer: the question comes with each handshake.
 *
 * @module
 */
import type { ServerTlsConfig, TlsIdentity } from '../common/index.ts';
import { notifier, openDevelopmentCa } from './development-ca.ts';
import type { DevelopmentCa, DevelopmentCaOptions } from './development-ca.ts';
import { isLeafDue } from './leaf.ts';
import type { IssuedIdentity, LeafOptions } from './leaf.ts';
import { messageOf } from './messages.ts';
import { systemWallClock } from './system.ts';

/** What the development server's certificate shall be, and where its CA lies. */
export interface DevelopmentTlsOptions extends DevelopmentCaOptions, Omit<LeafOptions, 'pkcs12'> {
  /** A CA that is open already, in place of the one in the data folder. */
  readonly ca?: DevelopmentCa;
}

/**
 * The TLS configuration of a development server: a certificate for `localhost`, 127.0.0.1 and ::1 (or `names`) from the
 * development CA, both made when they are missing. The certificate is kept in the data folder and used again.
 *
 * ```ts
 * await using server = await new AppServer(app, { tls: await developmentTls() }).listen('https://localhost:5443');
 * ```
 *
 * @throws ConfigurationError as {@link openDevelopmentCa} does
 */
export async function developmentTls(options: DevelopmentTlsOptions = {}): Promise<ServerTlsConfig> {
  // A CA in memory has to be the same one at each renewal; one on disk is opened again, since it may need renewal itself.
  const source = options.ephemeral === true ? { ca: await openDevelopmentCa(options), ...options } : options;
  const first = await leafOf(source);
  const renewal = new Renewal(source, first);
  return { cert: first.certPem, key: first.keyPem, serverNames: () => renewal.identity() };
}

class Renewal {
  readonly #options: DevelopmentTlsOptions;
  readonly #first: IssuedIdentity;
  #latest: IssuedIdentity;
  #running: Promise<TlsIdentity | undefined> | undefined;
  #notBefore: number;

  constructor(options: DevelopmentTlsOptions, first: IssuedIdentity) {
    this.#options = options;
    this.#first = first;
    this.#latest = first;
    this.#running = undefined;
    this.#notBefore = 0;
  }

  /** The identity for a handshake now; `undefined` while it is the first one. One renewal runs at a time. */
  identity(): TlsIdentity | undefined | Promise<TlsIdentity | undefined> {
    const now = (this.#options.now ?? systemWallClock)();
    if (!isLeafDue(this.#latest, now) || now < this.#notBefore) return this.#current();
    this.#running ??= this.#renew(now).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #renew(now: number): Promise<TlsIdentity | undefined> {
    try {
      this.#latest = await leafOf(this.#options);
    } catch (error) {
      this.#notBefore = now + RETRY_AFTER;
      notifier(this.#options.onNotice)('RenewalFailed', `the certificate was not renewed: ${messageOf(error)}`, error);
    }
    return this.#current();
  }

  #current(): TlsIdentity | undefined {
    if (this.#latest === this.#first) return undefined;
    return { cert: this.#latest.certPem, key: this.#latest.keyPem };
  }
}

async function leafOf(options: DevelopmentTlsOptions): Promise<IssuedIdentity> {
  const ca = options.ca ?? (await openDevelopmentCa(options));
  const { names, keyType, clientAuth, days } = options;
  return ca.leaf({
    ...(names === undefined ? {} : { names }),
    ...(keyType === undefined ? {} : { keyType }),
    ...(clientAuth === undefined ? {} : { clientAuth }),
    ...(days === undefined ? {} : { days }),
  });
}

/** Milliseconds until a failed renewal is tried again: a minute. */
const RETRY_AFTER = 60_000;
