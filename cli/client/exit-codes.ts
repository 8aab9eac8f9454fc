/**
 * curl's exit codes for what can go wrong with a transfer.
 *
 * Owns the mapping from our errors to curl's numbers. Scripts depend on them.
 *
 * @module
 */
import {
  HfaceError,
  NetworkError,
  RemoteProtocolError,
  StreamResetError,
  TimeoutError,
  LimitError,
} from '../../src/common/index.ts';

/** curl's numbers by its own names. */
export const exitCode = {
  ok: 0,
  unsupportedProtocol: 1,
  usage: 2,
  badUrl: 3,
  couldNotResolve: 6,
  couldNotConnect: 7,
  http2: 16,
  partialFile: 18,
  httpError: 22,
  writeError: 23,
  readError: 26,
  timeout: 28,
  tlsConnect: 35,
  tooManyRedirects: 47,
  emptyReply: 52,
  sendError: 55,
  receiveError: 56,
  clientCertificate: 58,
  certificate: 60,
  badEncoding: 61,
  caFile: 77,
  http3: 95,
} as const;

/** One of {@link exitCode}. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** The exit code for what a session threw. */
export function exitCodeOfTransfer(error: unknown): number {
  for (
    let current: unknown = error;
    current !== undefined && current !== null;
    current = (current as { cause?: unknown }).cause
  ) {
    const code = codeOfOne(current);
    if (code !== undefined) return code;
  }
  return exitCode.receiveError;
}

function codeOfOne(error: unknown): number | undefined {
  if (error instanceof TimeoutError) return exitCode.timeout;
  if (error instanceof NetworkError) return codeOfNetworkError(error);
  if (error instanceof LimitError && error.limit === 'maxRedirects') return exitCode.tooManyRedirects;
  if (error instanceof RemoteProtocolError) return exitCode.unsupportedProtocol;
  if (error instanceof StreamResetError) return exitCode.receiveError;
  if (!(error instanceof HfaceError)) return undefined;
  switch (error.code) {
    case 'ERR_TOO_MANY_REDIRECTS':
      return exitCode.tooManyRedirects;
    case 'ERR_EMPTY_REPLY':
      return exitCode.emptyReply;
    case 'ERR_TRUNCATED':
      return exitCode.partialFile;
    case 'ERR_CONTENT_DECODING':
      return exitCode.badEncoding;
    default:
      return undefined;
  }
}

function codeOfNetworkError(error: NetworkError): number {
  switch (error.phase) {
    case 'resolve':
      return exitCode.couldNotResolve;
    case 'connect':
    case 'listen':
      return exitCode.couldNotConnect;
    case 'tls':
      return error.code.startsWith('ERR_CERT') || error.code === 'ERR_PIN' ? exitCode.certificate : exitCode.tlsConnect;
    case 'read':
      return exitCode.receiveError;
    case 'write':
      return exitCode.sendError;
  }
}
