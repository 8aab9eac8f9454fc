/**
 * Verdicts on chains in a simulation: at once, without the chain library.
 *
 * Owns what joins the small check of simulated-verdict.ts to a configuration. What it lets pass the real check may
 * refuse; it exists so that time stands still while a chain is judged.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import type { ClientTlsConfig, Clock, ServerTlsConfig } from '../../common/index.ts';
import { ACCEPTED, ConfiguredVerifier, pathRefused, readAuthorities, refused } from '../../trust/index.ts';
import type { CertificateVerdict, ReceivedClientChain, ReceivedServerChain } from '../../trust/index.ts';
import type { ClientChains, ServerChains } from '../networking.ts';
import { certificatesOf, simulatedPath } from './simulated-verdict.ts';

/** The alert for a certificate that cannot be read (RFC 8446 section 6.2). */
const BAD_CERTIFICATE = 42;

/** {@link ServerChains} of a simulation. */
export class SimulatedServerChains implements ServerChains {
  readonly allowsResumption: boolean;
  readonly #verifier: ConfiguredVerifier;
  readonly #authorities: readonly X509Certificate[];
  readonly #clock: Clock;

  constructor(config: ClientTlsConfig, clock: Clock) {
    this.#verifier = new ConfiguredVerifier(config, { clock });
    this.allowsResumption = this.#verifier.allowsResumption;
    this.#authorities = certificatesOf((this.#verifier.authorities ?? []).join('\n'));
    this.#clock = clock;
  }

  verify(received: ReceivedServerChain): CertificateVerdict | Promise<CertificateVerdict> {
    const shown = read(received.chain);
    if (shown === undefined) return unreadable();
    const { chain, error } = simulatedPath(shown, this.#authorities, 'server', this.#clock.wallTime());
    const { host } = received;
    return this.#verifier.verify({ chain: chain.map(({ raw }) => raw), host, pathError: error, resumed: false });
  }
}

/** {@link ClientChains} of a simulation. */
export class SimulatedClientChains implements ClientChains {
  readonly #authorities: readonly X509Certificate[];
  readonly #clock: Clock;

  constructor(config: ServerTlsConfig, clock: Clock) {
    this.#authorities = config.ca === undefined ? [] : certificatesOf(readAuthorities(config.ca).join('\n'));
    this.#clock = clock;
  }

  verify(received: ReceivedClientChain): CertificateVerdict {
    const shown = read(received.chain);
    if (shown === undefined) return unreadable();
    const { error } = simulatedPath(shown, this.#authorities, 'client', this.#clock.wallTime());
    return error === undefined ? ACCEPTED : pathRefused(error);
  }
}

function read(chain: readonly Uint8Array[]): X509Certificate[] | undefined {
  try {
    return chain.map((certificate) => new X509Certificate(certificate));
  } catch {
    return undefined;
  }
}

function unreadable(): CertificateVerdict {
  return refused('ERR_CERT_INVALID', 'its certificate cannot be read', BAD_CERTIFICATE);
}
