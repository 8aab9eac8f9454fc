/**
 * The verifiers of chains that nobody has checked before: over QUIC, where TLS is ours (RFC 9001 section 4.4).
 *
 * Owns what joins the check of the path to the rest of a configuration. A server's chain is judged by a client's
 * configuration: path, host, pins, the user's own check, in the order and the words of TLS over TCP. A client's chain is
 * judged by the authorities that a server names.
 *
 * Invariants:
 * - A verdict always comes, no promise rejects; an aborted signal brings it at once, and nothing is accepted by it.
 * - Nothing of node_modules is loaded before the first chain must be checked, and none for `insecure`.
 *
 * @module
 */
import type { ClientTlsConfig, Clock, LimitOptions, LimitValues, ServerTlsConfig } from '../common/index.ts';
import { resolveLimits } from '../common/index.ts';
import { raceAbort, throwIfAborted } from '../concurrency/index.ts';
import type { CertificateRefused, CertificateVerdict } from './certificate-verifier.ts';
import { ACCEPTED, refused } from './certificate-verifier.ts';
import { checkChain } from './chain-check.ts';
import type { ChainAnswer } from './chain-check.ts';
import type { CertificatePurpose } from './chain-refusals.ts';
import { ConfiguredVerifier } from './configured-verifier.ts';
import { KnownPaths } from './known-paths.ts';
import { chainLimits } from './limits.ts';
import { CERTIFICATE_ALERTS, pathRefused } from './path-errors.ts';
import { readAuthorities } from './roots.ts';
import { TrustAnchors } from './trust-anchors.ts';

/** What a verifier of chains needs besides its configuration. */
export interface ChainVerifierOptions {
  /** For the dates of certificates, by its wall time, and the time of a user's check. */
  readonly clock: Clock;
  /** For the user's own check, in milliseconds. Default 10,000. */
  readonly checkTimeout?: number;
  /** Overrides of {@link chainLimits}. */
  readonly limits?: LimitOptions<typeof chainLimits>;
}

/** A server's chain as it came. */
export interface ReceivedServerChain {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** The name or address literal, without brackets, that the leaf must be for. */
  readonly host: string;
  /** Gives up: the verdict is negative. */
  readonly signal?: AbortSignal | undefined;
}

/** A client's chain as it came. */
export interface ReceivedClientChain {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** Gives up: the verdict is negative. */
  readonly signal?: AbortSignal | undefined;
}

/** Judges the chain of a server, whole. */
export class ServerChainVerifier {
  /** Whether a session may be resumed without showing certificates again: not with a check of the user's own. */
  readonly allowsResumption: boolean;
  readonly #configured: ConfiguredVerifier;
  readonly #paths: PathChecks;
  readonly #insecure: boolean;

  /** @throws ConfigurationError for a pin or an authority's certificate that is none, and for an unknown limit */
  constructor(config: ClientTlsConfig, options: ChainVerifierOptions) {
    this.#configured = new ConfiguredVerifier(config, options);
    this.allowsResumption = this.#configured.allowsResumption;
    this.#paths = new PathChecks(this.#configured.authorities, 'server', options);
    this.#insecure = config.insecure === true;
  }

  /** Decides. Never throws or rejects. */
  async verify(received: ReceivedServerChain): Promise<CertificateVerdict> {
    const { host, signal } = received;
    return cancellable(signal, async () => {
      if (this.#insecure) return this.#judge(received.chain, host, undefined);
      const answer = await this.#paths.check(received.chain, signal);
      if ('pathError' in answer) return this.#judge(received.chain, host, answer.pathError);
      return this.#judge(answer.known.path, host, undefined);
    });
  }

  #judge(
    chain: readonly Uint8Array[],
    host: string,
    pathError: string | undefined,
  ): CertificateVerdict | Promise<CertificateVerdict> {
    return this.#configured.verify({ chain, host, pathError, resumed: false });
  }
}

/** Judges the chain of a client, by the authorities of the server. */
export class ClientChainVerifier {
  readonly #paths: PathChecks;

  /** @throws ConfigurationError for an authority's certificate that is none, and for an unknown limit */
  constructor(config: Pick<ServerTlsConfig, 'ca'>, options: ChainVerifierOptions) {
    const authorities = config.ca === undefined ? undefined : readAuthorities(config.ca);
    this.#paths = new PathChecks(authorities, 'client', options);
  }

  /** Decides. Never throws or rejects. */
  async verify(received: ReceivedClientChain): Promise<CertificateVerdict> {
    return cancellable(received.signal, async () => {
      const answer = await this.#paths.check(received.chain, received.signal);
      return 'pathError' in answer ? pathRefused(answer.pathError) : ACCEPTED;
    });
  }
}

/** Paths to some authorities, for one purpose. */
class PathChecks {
  readonly #anchors: TrustAnchors;
  readonly #purpose: CertificatePurpose;
  readonly #clock: Clock;
  readonly #limits: LimitValues<typeof chainLimits>;
  readonly #known: KnownPaths;

  constructor(authorities: readonly string[] | undefined, purpose: CertificatePurpose, options: ChainVerifierOptions) {
    this.#anchors = new TrustAnchors(authorities);
    this.#purpose = purpose;
    this.#clock = options.clock;
    this.#limits = resolveLimits('the check of a chain', chainLimits, options.limits);
    this.#known = new KnownPaths();
  }

  async check(chain: readonly Uint8Array[], signal: AbortSignal | undefined): Promise<ChainAnswer> {
    const time = this.#clock.wallTime();
    const key = KnownPaths.keyOf(chain);
    const known = this.#known.get(key, time);
    if (known !== undefined) return { known };
    const [anchors, purpose, limits] = [this.#anchors, this.#purpose, this.#limits];
    const answer = await checkChain({ chain, anchors, purpose, time, limits, signal });
    if ('known' in answer) this.#known.set(key, answer.known);
    return answer;
  }
}

/** Runs a check until it answers or the signal aborts. */
async function cancellable(
  signal: AbortSignal | undefined,
  check: () => Promise<CertificateVerdict>,
): Promise<CertificateVerdict> {
  try {
    throwIfAborted(signal);
    return await raceAbort(check(), signal);
  } catch (error) {
    return signal?.aborted === true ? cancelled(error) : failed(error);
  }
}

function cancelled(cause: unknown): CertificateRefused {
  return refused(
    'ERR_CANCELLED',
    'the check of its certificate was given up',
    CERTIFICATE_ALERTS.certificateUnknown,
    cause,
  );
}

/** RFC 8446 section 6.2: internal_error is for what is not the peer's doing. */
function failed(cause: unknown): CertificateRefused {
  const why = cause instanceof Error ? cause.message : String(cause);
  return refused('ERR_CERT_CHECK', `its certificate could not be checked: ${why}`, INTERNAL_ERROR, cause);
}

const INTERNAL_ERROR = 80;
