/**
 * What is told of certificates that were made or renewed.
 *
 * @module
 */
import type { CertificateNotice } from '../../src/certificates/index.ts';
import type { ServerOutput } from './output.ts';

/** Keeps what is told before the server listens, since an error is told by itself; from then on tells it at once. */
export class Notices {
  readonly #early: CertificateNotice[];
  #output: ServerOutput | undefined;

  constructor() {
    this.#early = [];
    this.#output = undefined;
  }

  /** Something happened to a certificate. */
  add(notice: CertificateNotice): void {
    if (this.#output === undefined) this.#early.push(notice);
    else this.#output.logger.log(notice.type === 'RenewalFailed' ? 'warn' : 'info', notice.message);
  }

  /** The server listens. */
  tellTo(output: ServerOutput): void {
    for (const notice of this.#early) output.tell(notice.message);
    this.#output = output;
  }
}
