/**
 * Cryptography for TLS 1.3 and QUIC: the interface, the cipher suites, HKDF, and node:crypto's provider.
 *
 * @module
 */
export * from './cipher-suites.ts';
export * from './crypto-provider.ts';
export { hkdfDerived, hkdfExpand, hkdfExpandLabel, hkdfExtract } from './hkdf.ts';
export { nodeCryptoProvider } from './node-provider.ts';
