/**
 * New certificates for a server that runs: read again when their files change and at SIGHUP, and the development
 * certificate's renewal.
 *
 * Owns when, and what is told. A certificate that cannot be used (halves that do not match, a file that is missing)
 * changes nothing: the old one stays, and one line says so.
 *
 * @module
 */
import type { Logger, ServerTlsConfig } from '../../src/common/index.ts';
import type { CommandContext } from '../context.ts';
import { failureOf } from '../report.ts';
import { FileWatch } from './file-watch.ts';
import type { ServerTls } from './tls.ts';

/** Who is given a new configuration. */
export type ApplyTls = (config: ServerTlsConfig) => void;

/** Keeps the TLS of a running server up to date until it is closed. */
export class CertificateReload {
  readonly #tls: ServerTls;
  readonly #logger: Logger;
  readonly #apply: ApplyTls;
  readonly #watch: FileWatch | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #forget: () => void;
  #current: ServerTlsConfig;
  /** What was last complained of, so that one mistake is one line. */
  #complaint: string | undefined;
  #reading: Promise<void>;
  #closed: boolean;

  constructor(tls: ServerTls, context: CommandContext, logger: Logger, apply: ApplyTls) {
    const { source, renew } = tls;
    this.#tls = tls;
    this.#logger = logger;
    this.#apply = apply;
    this.#current = tls.config;
    this.#complaint = undefined;
    this.#reading = Promise.resolve();
    this.#closed = false;
    this.#watch = undefined;
    this.#timer = undefined;
    this.#forget = source === undefined ? () => undefined : context.onReload(() => void this.reload(true));
    if (source !== undefined) {
      this.#watch = new FileWatch({ changed: () => void this.reload(false), quiet: QUIET, interval: SLOW_LOOK });
      for (const file of source.files) this.#watch.add(file);
    }
    if (renew !== undefined) this.#timer = setInterval(() => void this.renew(), RENEWAL_LOOK).unref();
  }

  /** Reads the files again. @param asked - somebody waits for an answer, so there is one in any case */
  reload(asked: boolean): Promise<void> {
    // One after the other: an older answer must not come last.
    this.#reading = this.#reading.then(() => this.#reload(asked));
    return this.#reading;
  }

  /** Renews a development certificate, when it is time. */
  async renew(): Promise<void> {
    const identity = await this.#tls.renew?.();
    if (identity === undefined || identity.cert === this.#current.cert || this.#closed) return;
    this.#use({ ...this.#current, ...identity });
  }

  /** Looks no more. */
  close(): void {
    this.#closed = true;
    this.#forget();
    this.#watch?.close();
    clearInterval(this.#timer);
  }

  async #reload(asked: boolean): Promise<void> {
    const { source } = this.#tls;
    if (source === undefined || this.#closed) return;
    try {
      const config = await source.read();
      if (this.#isClosed()) return;
      const same = sameContents(config, this.#current);
      if (!same) this.#use(config);
      this.#complaint = undefined;
      if (!same) this.#logger.log('info', 'new connections get the new certificate', { file: source.files[0] });
      else if (asked) this.#logger.log('info', 'the certificate is the one in use', { file: source.files[0] });
    } catch (error) {
      const { cause, place, next } = failureOf(error);
      const complaint = `the old certificate stays in use: ${cause}`;
      if (complaint === this.#complaint && !asked) return;
      this.#complaint = complaint;
      this.#logger.log('warn', complaint, { at: place, try: next });
    }
  }

  /** It may have been closed while files were read. */
  #isClosed(): boolean {
    return this.#closed;
  }

  #use(config: ServerTlsConfig): void {
    this.#apply(config);
    this.#current = config;
  }
}

function sameContents(left: ServerTlsConfig, right: ServerTlsConfig): boolean {
  const parts = (config: ServerTlsConfig): string[] =>
    [config.cert, config.key, config.passphrase, ...[config.ca].flat()].map((part) =>
      part === undefined ? '' : Buffer.from(part).toString('latin1'),
    );
  return parts(left).join('\0') === parts(right).join('\0');
}

/** Milliseconds: the two files of a certificate are written one after the other. */
const QUIET = 500;
/** Milliseconds. */
const SLOW_LOOK = 30_000;
/** Milliseconds: an hour. */
const RENEWAL_LOOK = 3_600_000;
