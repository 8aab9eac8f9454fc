/**
 * Whom to trust: authorities, pins, and the verdict on a peer's certificates.
 *
 * @module
 */
export { ACCEPTED, refused } from './certificate-verifier.ts';
export type {
  CertificateAccepted,
  CertificateRefused,
  CertificateVerdict,
  CertificateVerifier,
  PresentedCertificates,
} from './certificate-verifier.ts';
export { ClientChainVerifier, ServerChainVerifier } from './chain-verifier.ts';
export type { ChainVerifierOptions, ReceivedClientChain, ReceivedServerChain } from './chain-verifier.ts';
export { ConfiguredVerifier, DEFAULT_CHECK_TIMEOUT } from './configured-verifier.ts';
export type { ConfiguredVerifierOptions } from './configured-verifier.ts';
export { certificateIsFor } from './host-name.ts';
export { chainLimits } from './limits.ts';
export type { ChainLimit } from './limits.ts';
export { CERTIFICATE_ALERTS, pathRefused } from './path-errors.ts';
export { pinOf, readPins } from './pins.ts';
export { defaultRoots, pemList, readAuthorities, systemRoots } from './roots.ts';
export type { PemSource } from './roots.ts';
