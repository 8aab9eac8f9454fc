/**
 * What can go wrong in a TLS handshake, in our codes and in words.
 *
 * Owns the mapping from OpenSSL's codes. What is wrong with a certificate that the peer showed is trust/'s to say.
 *
 * @module
 */
import { NetworkError } from '../common/index.ts';
import { errnoOf, systemError } from './system-errors.ts';

/** Whether the error comes of OpenSSL. */
export function isTlsError(error: unknown): boolean {
  return errnoOf(error).startsWith('ERR_SSL_');
}

/**
 * A failed handshake, or what TLS reported later.
 *
 * @param doing - how the message shall begin: `TLS with example.com:443 failed`
 */
export function tlsError(doing: string, error: unknown): NetworkError {
  const name = errnoOf(error);
  if (name === 'ECONNRESET' || name === 'EPIPE') {
    return new NetworkError(`${doing}: the peer closed the connection during the handshake`, {
      code: 'ERR_CONNECTION_RESET',
      phase: 'tls',
      cause: error,
    });
  }
  if (name !== '' && !name.startsWith('ERR_')) return systemError('tls', doing, error);
  const meaning = MEANINGS.find((row) => row.names.some((part) => name.includes(part)));
  const said =
    error instanceof Error && 'reason' in error && typeof error.reason === 'string' ? error.reason : undefined;
  const words = meaning?.words ?? said ?? (error instanceof Error ? error.message : String(error));
  return new NetworkError(`${doing}: ${words}`, { code: meaning?.code ?? 'ERR_TLS', phase: 'tls', cause: error });
}

/** Rows are tried in order; `names` are parts of OpenSSL's codes, which differ between its releases. */
const MEANINGS: readonly { readonly names: readonly string[]; readonly code: string; readonly words: string }[] = [
  {
    names: ['NO_APPLICATION_PROTOCOL'],
    code: 'ERR_TLS_NO_ALPN',
    words: 'no application protocol (ALPN) in common',
  },
  {
    names: ['WRONG_VERSION_NUMBER', 'PACKET_LENGTH_TOO_LONG', 'HTTP_REQUEST', 'HTTPS_PROXY_REQUEST', 'BAD_RECORD_TYPE'],
    code: 'ERR_TLS_NOT_TLS',
    words: 'the peer does not speak TLS here',
  },
  {
    names: [
      'PROTOCOL_VERSION',
      'UNSUPPORTED_PROTOCOL',
      'NO_SHARED_CIPHER',
      'NO_SUITABLE',
      'NO_PROTOCOLS_AVAILABLE',
      'HANDSHAKE_FAILURE',
      'INSUFFICIENT_SECURITY',
      'INAPPROPRIATE_FALLBACK',
    ],
    code: 'ERR_TLS_NO_COMMON',
    words: 'no TLS version or cipher in common',
  },
  {
    names: ['CERTIFICATE_REQUIRED', 'PEER_DID_NOT_RETURN_A_CERTIFICATE'],
    code: 'ERR_TLS_CLIENT_CERTIFICATE',
    words: 'the server asks for a client certificate and got none',
  },
  {
    names: ['UNKNOWN_CA'],
    code: 'ERR_TLS_REFUSED',
    words: 'the peer does not trust the authority of our certificate',
  },
  {
    names: [
      'ALERT_BAD_CERTIFICATE',
      'ALERT_UNSUPPORTED_CERTIFICATE',
      'ALERT_CERTIFICATE_REVOKED',
      'ALERT_CERTIFICATE_EXPIRED',
      'ALERT_CERTIFICATE_UNKNOWN',
      'ALERT_ACCESS_DENIED',
      'ALERT_DECRYPT_ERROR',
    ],
    code: 'ERR_TLS_REFUSED',
    words: 'the peer refused our certificate',
  },
  {
    names: ['UNRECOGNIZED_NAME'],
    code: 'ERR_TLS_NAME_UNKNOWN',
    words: 'the server does not know the name',
  },
];
