/**
 * Every bound of a handshake, as data.
 *
 * Owns the table. The values are fixed: no honest peer comes near them, and most hold before anything is known of it.
 * How many bytes may wait out of order is QUIC's to bound.
 *
 * @module
 */
import type { LimitDefinition } from '../common/index.ts';

const KIB = 1024;

/** The names of the table. */
export type TlsLimit =
  | 'maxMessageBytes'
  | 'maxClientHelloBytes'
  | 'maxCertificates'
  | 'maxDecompressedBytes'
  | 'maxOfferedTickets'
  | 'maxTicketBytes'
  | 'maxTickets'
  | 'maxCookieBytes';

/** The limits of TLS in QUIC. */
export const tlsLimits: Readonly<Record<TlsLimit, LimitDefinition>> = {
  maxMessageBytes: {
    unit: 'bytes',
    default: 128 * KIB,
    answers: 'One handshake message. illegal_parameter, as soon as its length is known.',
  },
  maxClientHelloBytes: {
    unit: 'bytes',
    default: 16 * KIB,
    answers: 'The first messages of a client that nobody knows yet. illegal_parameter.',
  },
  maxCertificates: {
    unit: 'count',
    default: 16,
    answers: 'Certificates of one chain. illegal_parameter.',
  },
  maxDecompressedBytes: {
    unit: 'bytes',
    default: 128 * KIB,
    answers: 'What a compressed chain may become (RFC 8879 section 5). bad_certificate: a decompression bomb.',
  },
  maxOfferedTickets: {
    unit: 'count',
    default: 4,
    answers: 'Tickets of one ClientHello that a server tries to open. Further ones are passed over.',
  },
  maxTicketBytes: {
    unit: 'bytes',
    default: 8 * KIB,
    answers: 'A ticket that a client keeps: it goes into its next ClientHello. A larger one is passed over.',
  },
  maxTickets: {
    unit: 'count',
    default: 32,
    answers: 'Tickets that a client takes from one connection. Further ones are passed over: a flood of them.',
  },
  maxCookieBytes: {
    unit: 'bytes',
    default: 4 * KIB,
    answers: 'The cookie of a HelloRetryRequest, which a client must send back. illegal_parameter.',
  },
};
