/**
 * Whether a peer's certificates are accepted: the question, the answer, and who answers.
 *
 * Owns the interface and the verdict. The verifier that a user's configuration describes is in configured-verifier.ts.
 * Over TCP `node:tls` has checked signatures, dates and the path to an authority before the verifier is asked, and
 * hands over what it found.
 *
 * @module
 */

/** What a peer showed, and for whom it should be. */
export interface PresentedCertificates {
  /** The chain in DER, leaf first; empty when the peer showed none. */
  readonly chain: readonly Uint8Array[];
  /** The name or address literal, without brackets, that the leaf must be for. */
  readonly host: string;
  /** What the check of the path found, by OpenSSL's name (`CERT_HAS_EXPIRED`); `undefined` when all is well. */
  readonly pathError: string | undefined;
  /** Whether an earlier session was resumed: then the chain was accepted when that began and is not shown again. */
  readonly resumed: boolean;
}

/** An accepted chain. */
export interface CertificateAccepted {
  readonly accepted: true;
}

/** A refused chain, and why. */
export interface CertificateRefused {
  readonly accepted: false;
  /** `ERR_CERT_EXPIRED`, `ERR_CERT_AUTHORITY`, `ERR_CERT_NAME`, `ERR_PIN` …: stable across releases. */
  readonly code: string;
  /** The same in words, as part of a sentence. */
  readonly reason: string;
  /** The alert that tells the peer (RFC 8446 section 6.2). */
  readonly alert: number;
  /** What a user's check threw. */
  readonly cause: unknown;
}

/** The answer. */
export type CertificateVerdict = CertificateAccepted | CertificateRefused;

/** Decides on certificates. */
export interface CertificateVerifier {
  /** The authorities to check paths against, in PEM; `undefined`: those that Node trusts by itself. */
  readonly authorities: readonly string[] | undefined;
  /** Whether a session may be resumed without showing certificates again. */
  readonly allowsResumption: boolean;
  /** Decides. Never throws or rejects; answers at once where nothing has to be waited for. */
  verify(presented: PresentedCertificates): CertificateVerdict | Promise<CertificateVerdict>;
}

/** The one positive verdict. */
export const ACCEPTED: CertificateAccepted = Object.freeze({ accepted: true });

/** A negative verdict. */
export function refused(code: string, reason: string, alert: number, cause?: unknown): CertificateRefused {
  return { accepted: false, code, reason, alert, cause };
}
