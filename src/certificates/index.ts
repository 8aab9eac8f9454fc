/**
 * Certificates for development, and the checks on those that a user brings.
 *
 * The development CA and its leaves, TLS for a development server in one call, PKCS#12, and `readIdentity` for
 * `--cert --key`. Validating a peer's chain is trust/'s work.
 *
 * @module
 */
export { developmentDataDirectory } from './data-directory.ts';
export { describeCertificate } from './describe.ts';
export type { CertificateFacts } from './describe.ts';
export { developmentCaCertificate, openDevelopmentCa, removeDevelopmentCa } from './development-ca.ts';
export type { CertificateNotice, DevelopmentCa, DevelopmentCaOptions } from './development-ca.ts';
export { developmentTls } from './development-tls.ts';
export type { DevelopmentTlsOptions } from './development-tls.ts';
export { readIdentity, readPemFile } from './identity-files.ts';
export type { IdentityFiles } from './identity-files.ts';
export { checkIdentity } from './identity.ts';
export type { CheckedIdentity, IdentityInput } from './identity.ts';
export type { IssuedIdentity, LeafKeyType, LeafOptions } from './leaf.ts';
export { writePkcs12 } from './pkcs12.ts';
export type { Pkcs12Content } from './pkcs12.ts';
export type { SystemFacts, WallClock } from './system.ts';
