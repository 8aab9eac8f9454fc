/**
 * 0-RTT in QUIC, as far as TLS sees it.
 *
 * @module
 */

/** What a ticket that allows 0-RTT announces (RFC 9001 section 4.6.1); QUIC's own limits bound it. */
export const QUIC_EARLY_DATA = 0xffffffff;
