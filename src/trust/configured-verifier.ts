/**
 * The verifier that a {@link ClientTlsConfig} describes: authorities, pins, the insecure switch, a user's own check.
 *
 * Owns the order of the checks: the path as the TLS implementation found it, the host's name, pins, the user's check.
 * `insecure` leaves out the first two only: pins and a check that someone asked for hold all the same.
 *
 * Invariants:
 * - A verdict always comes: whatever a check throws refuses, and a deadline bounds one that does not answer.
 * - A configuration with a check of its own resumes no session, so that each connection is checked.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import type { ClientTlsConfig, Clock } from '../common/index.ts';
import { Deadline, raceAbort } from '../concurrency/index.ts';
import type { CertificateRefused, CertificateVerdict, CertificateVerifier } from './certificate-verifier.ts';
import type { PresentedCertificates } from './certificate-verifier.ts';
import { ACCEPTED, refused } from './certificate-verifier.ts';
import { certificateIsFor, namesOf } from './host-name.ts';
import { CERTIFICATE_ALERTS, pathRefused } from './path-errors.ts';
import { matchesPin, readPins } from './pins.ts';
import { defaultRoots, readAuthorities } from './roots.ts';

/** How long a user's own check may take, in milliseconds. */
export const DEFAULT_CHECK_TIMEOUT = 10_000;

/** What a configured verifier needs besides. */
export interface ConfiguredVerifierOptions {
  readonly clock: Clock;
  /** For the user's own check, in milliseconds. Default 10,000. */
  readonly checkTimeout?: number;
}

/** {@link CertificateVerifier} of a client's TLS configuration. */
export class ConfiguredVerifier implements CertificateVerifier {
  readonly authorities: readonly string[] | undefined;
  readonly allowsResumption: boolean;
  readonly #insecure: boolean;
  readonly #pins: ReadonlySet<string> | undefined;
  readonly #check: ClientTlsConfig['verify'];
  readonly #clock: Clock;
  readonly #checkTimeout: number;

  /** @throws ConfigurationError for a pin or an authority's certificate that is none */
  constructor(config: ClientTlsConfig, options: ConfiguredVerifierOptions) {
    this.authorities = authoritiesOf(config);
    this.allowsResumption = config.verify === undefined;
    this.#insecure = config.insecure === true;
    this.#pins = config.pins === undefined || config.pins.length === 0 ? undefined : readPins(config.pins);
    this.#check = config.verify;
    this.#clock = options.clock;
    this.#checkTimeout = options.checkTimeout ?? DEFAULT_CHECK_TIMEOUT;
  }

  /** Decides; a promise comes only of a user's check that answers by one. */
  verify(presented: PresentedCertificates): CertificateVerdict | Promise<CertificateVerdict> {
    const fault = this.#fault(presented);
    if (fault !== undefined) return fault;
    const check = this.#check;
    if (check === undefined) return ACCEPTED;
    try {
      const answer: unknown = check({ chain: presented.chain, host: presented.host });
      return isPromiseLike(answer) ? this.#bounded(answer) : ACCEPTED;
    } catch (error) {
      return checkRefused(error);
    }
  }

  /** What the checks of our own find. */
  #fault(presented: PresentedCertificates): CertificateRefused | undefined {
    try {
      if (!this.#insecure) {
        if (presented.pathError !== undefined) return pathRefused(presented.pathError);
        if (!presented.resumed) {
          const misnamed = wrongHost(presented);
          if (misnamed !== undefined) return misnamed;
        }
      }
      if (this.#pins === undefined || presented.resumed || matchesPin(presented.chain, this.#pins)) return undefined;
      return refused('ERR_PIN', 'none of its certificates has a pinned key', CERTIFICATE_ALERTS.badCertificate);
    } catch (error) {
      return refused('ERR_CERT_INVALID', 'its certificate cannot be read', CERTIFICATE_ALERTS.badCertificate, error);
    }
  }

  async #bounded(answer: PromiseLike<unknown>): Promise<CertificateVerdict> {
    const deadline = new Deadline(this.#clock, { timer: 'certificateCheck', milliseconds: this.#checkTimeout });
    try {
      await raceAbort(answer, deadline.signal);
      return ACCEPTED;
    } catch (error) {
      if (deadline.error === undefined) return checkRefused(error);
      const reason = `the check of its certificate did not answer within ${String(this.#checkTimeout)} ms`;
      return refused('ERR_CERT_CHECK_TIMEOUT', reason, CERTIFICATE_ALERTS.certificateUnknown, deadline.error);
    } finally {
      deadline[Symbol.dispose]();
    }
  }
}

function wrongHost(presented: PresentedCertificates): CertificateRefused | undefined {
  const leaf = presented.chain[0];
  if (leaf === undefined) {
    return refused('ERR_CERT_INVALID', 'it showed no certificate', CERTIFICATE_ALERTS.badCertificate);
  }
  const certificate = new X509Certificate(leaf);
  if (certificateIsFor(certificate, presented.host)) return undefined;
  const reason = `its certificate is for ${namesOf(certificate)}, not for ${presented.host}`;
  return refused('ERR_CERT_NAME', reason, CERTIFICATE_ALERTS.badCertificate);
}

function checkRefused(error: unknown): CertificateRefused {
  const why = error instanceof Error ? error.message : String(error);
  return refused(
    'ERR_CERT_REFUSED',
    `the check of its certificate refused it: ${why}`,
    CERTIFICATE_ALERTS.certificateUnknown,
    error,
  );
}

/** The authorities that a configuration names; `undefined` for those of Node. */
function authoritiesOf(config: ClientTlsConfig): readonly string[] | undefined {
  const own = config.ca === undefined ? undefined : readAuthorities(config.ca);
  if (config.extraCa === undefined) return own;
  return [...(own ?? defaultRoots()), ...readAuthorities(config.extraCa)];
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
