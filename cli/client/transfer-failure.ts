/**
 * A failed transfer in three lines and curl's exit code.
 *
 * Owns the advice for each kind of failure.
 *
 * @module
 */
import { isIP } from 'node:net';
import { ConfigurationError, HfaceError, NetworkError, TimeoutError } from '../../src/common/index.ts';
import { CommandError, exitCodeOf, failureOf, messageOf } from '../report.ts';
import { exitCode, exitCodeOfTransfer } from './exit-codes.ts';

/** The error to show and to exit with. */
export function transferFailure(error: unknown, url: URL, responseBegun: boolean): CommandError {
  if (error instanceof CommandError) {
    const { cause, place, next } = error.failure;
    return new CommandError({ cause, place: place ?? url.href, next }, error.exitCode, error);
  }
  if (error instanceof ConfigurationError) {
    const { cause, next } = failureOf(error);
    return new CommandError({ cause, place: url.href, next }, exitCodeOf(error), error);
  }
  const code = forLiteral(exitCodeOfTransfer(error, responseBegun), url);
  return new CommandError({ cause: messageOf(error), place: url.href, next: adviceFor(error, code, url) }, code, error);
}

/** An address is never looked up: without one of the family of -4 or -6 there is nothing to connect to. */
function forLiteral(code: number, url: URL): number {
  const isLiteral = isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0;
  return isLiteral && code === exitCode.couldNotResolve ? exitCode.couldNotConnect : code;
}

function adviceFor(error: unknown, code: number, url: URL): string | undefined {
  switch (code) {
    case exitCode.couldNotResolve:
      return 'check the spelling of the host';
    case exitCode.couldNotConnect:
      return error instanceof NetworkError && error.code === 'ERR_CONNECTION_REFUSED'
        ? `start the server, or another port than ${url.port === '' ? 'the default one' : url.port}`
        : undefined;
    case exitCode.timeout:
      return error instanceof TimeoutError && error.timer === 'total' ? 'more seconds for -m' : undefined;
    case exitCode.certificate:
      return certificateAdvice(error);
    case exitCode.tlsConnect:
      return tlsAdvice(error, url);
    case exitCode.emptyReply:
    case exitCode.unsupportedProtocol:
      return url.protocol === 'http:'
        ? `${url.href.replace('http:', 'https:')} if the server speaks TLS there`
        : undefined;
    default:
      return undefined;
  }
}

function certificateAdvice(error: unknown): string {
  switch (error instanceof HfaceError ? error.code : '') {
    case 'ERR_CERT_AUTHORITY':
    case 'ERR_CERT_SELF_SIGNED':
      return '--cacert FILE with its authority, or -k to trust anybody';
    case 'ERR_CERT_EXPIRED':
    case 'ERR_CERT_NOT_YET_VALID':
      return 'check the clock; -k trusts it all the same';
    case 'ERR_CERT_NAME':
      return 'a host that the certificate names; -k trusts it all the same';
    default:
      return '-k trusts it all the same';
  }
}

function tlsAdvice(error: unknown, url: URL): string | undefined {
  switch (error instanceof HfaceError ? error.code : '') {
    case 'ERR_TLS_NOT_TLS':
      return url.href.replace('https:', 'http:');
    case 'ERR_TLS_CLIENT_CERTIFICATE':
    case 'ERR_TLS_REFUSED':
      return '--cert FILE --key FILE, a certificate that the server knows';
    default:
      return undefined;
  }
}
