/**
 * What every layer shares: header lists, addresses, errors, limits, TLS configuration, clock and randomness.
 *
 * @module
 */
export * from './address-prefix.ts';
export * from './address.ts';
export * from './clock.ts';
export * from './error-codes.ts';
export * from './errors.ts';
export * from './headers.ts';
export * from './limits.ts';
export * from './logger.ts';
export * from './random.ts';
export * from './tls-config.ts';
