/**
 * curl's exit codes for what can go wrong with a transfer.
 *
 * Owns the mapping from our errors to curl's numbers. Scripts depend on them.
 *
 * @module
 */
import {
  HfaceError,
  LimitError,
  LocalProtocolError,
  NetworkError,
  RemoteProtocolError,
  StreamResetError,
  TimeoutError,
} from '../../src/common/index.ts';
import type { ErrorScope } from '../../src/common/index.ts';

/** curl's numbers by its own names. */
export const exitCode = {
  ok: 0,
  unsupportedProtocol: 1,
  usage: 2,
  badUrl: 3,
  couldNotResolve: 6,
  couldNotConnect: 7,
  weirdServerReply: 8,
  http2: 16,
  partialFile: 18,
  httpError: 22,
  writeError: 23,
  readError: 26,
  timeout: 28,
  tlsConnect: 35,
  tooManyRedirects: 47,
  badOption: 49,
  emptyReply: 52,
  sendError: 55,
  receiveError: 56,
  clientCertificate: 58,
  certificate: 60,
  badEncoding: 61,
  sendRewind: 65,
  caFile: 77,
  http2Stream: 92,
  http3: 95,
} as const;

/** One of {@link exitCode}. */
export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

/** What each of them means; the documentation's table is made from this. */
export const exitCodeMeanings: Readonly<Record<keyof typeof exitCode, string>> = {
  ok: 'all is well',
  unsupportedProtocol: 'another protocol than http and https; a server that does not speak HTTP',
  usage: 'a mistake on the command line',
  badUrl: "a URL, or a redirect's location, that is none",
  couldNotResolve: 'the host was not found',
  couldNotConnect: 'no connection',
  weirdServerReply: 'the head of the response breaks the rules of HTTP',
  http2: 'the server broke the rules of HTTP/2',
  partialFile: 'the body ended too early',
  httpError: 'with `-f` or `--fail-with-body`: the status is 400 or above',
  writeError: 'the output cannot be written',
  readError: 'a file to be sent cannot be read',
  timeout: 'a time was over',
  tlsConnect: 'no TLS',
  tooManyRedirects: 'too many redirects',
  badOption: '`--resolve` with what is no address',
  emptyReply: 'the server closed without an answer',
  sendError: 'sending failed',
  receiveError: 'receiving failed',
  clientCertificate: "the client's own certificate cannot be used",
  certificate: "the server's certificate is not trusted",
  badEncoding: 'the content coding is broken',
  sendRewind: 'a redirect asks again for a body that cannot be read twice',
  caFile: 'the file of `--cacert` cannot be used',
  http2Stream: 'HTTP/2: the server reset the stream, or broke the rules on it',
  http3: 'HTTP/3 broke down',
};

/**
 * The exit code for what a session threw.
 *
 * @param responseBegun - whether the head of a response had come
 */
export function exitCodeOfTransfer(error: unknown, responseBegun: boolean): number {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current !== undefined && current !== null; depth += 1) {
    const code = codeOfOne(current, responseBegun);
    if (code !== undefined) return code;
    current = (current as { readonly cause?: unknown }).cause;
  }
  return exitCode.receiveError;
}

function codeOfOne(error: unknown, responseBegun: boolean): ExitCode | undefined {
  if (error instanceof TimeoutError) return exitCode.timeout;
  if (error instanceof NetworkError) return codeOfNetworkError(error);
  if (error instanceof LimitError) {
    return DECODING_LIMITS.has(error.limit) ? exitCode.badEncoding : exitCode.receiveError;
  }
  if (error instanceof RemoteProtocolError) {
    return error.wireCode === 0 ? codeOfProtocolError(error, responseBegun) : codeOfWire(error.wireCode, error.scope);
  }
  if (error instanceof StreamResetError) {
    return error.initiator === 'peer' && error.errorCode !== 0
      ? codeOfWire(error.errorCode, 'stream')
      : exitCode.receiveError;
  }
  // A file of a form that has changed or gone while it was sent.
  if (error instanceof DOMException && error.name === 'NotReadableError') return exitCode.readError;
  if (error instanceof LocalProtocolError) return exitCode.usage;
  if (error instanceof HfaceError && error.code === 'ERR_CONTENT_DECODING') return exitCode.badEncoding;
  return undefined;
}

/** HTTP/1 has no codes on the wire; those of HTTP/3 begin at 0x100 (RFC 9114 section 8.1). */
function codeOfWire(code: number, scope: ErrorScope): ExitCode {
  if (code >= 0x100) return exitCode.http3;
  return scope === 'stream' ? exitCode.http2Stream : exitCode.http2;
}

function codeOfProtocolError(error: RemoteProtocolError, responseBegun: boolean): ExitCode {
  switch (error.code) {
    case 'ERR_CONNECTION_CLOSED':
      return exitCode.emptyReply;
    case 'ERR_NOT_HTTP':
      return exitCode.unsupportedProtocol;
    case 'ERR_TRUNCATED':
      return responseBegun ? exitCode.partialFile : exitCode.receiveError;
    default:
      return responseBegun ? exitCode.receiveError : exitCode.weirdServerReply;
  }
}

function codeOfNetworkError(error: NetworkError): ExitCode {
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

const MAX_CAUSES = 8;
const DECODING_LIMITS: ReadonlySet<string> = new Set(['maxContentCodings', 'maxDecodedBytes', 'maxDecodedRatio']);
