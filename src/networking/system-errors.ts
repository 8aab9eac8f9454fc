/**
 * What the system says of sockets and names, as {@link NetworkError}s with stable codes.
 *
 * Owns the table from errno names to our codes and the wording of the messages. TLS has a file of its own.
 *
 * @module
 */
import { NetworkError } from '../common/index.ts';
import type { NetworkPhase } from '../common/index.ts';

/** The code and the words of one errno name. */
interface ErrnoMeaning {
  readonly code: string;
  readonly words: string;
}

/** The system's name of an error: `ECONNRESET`. Empty when it has none. */
export function errnoOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  return typeof error.code === 'string' ? error.code : '';
}

/**
 * The system's error in our terms.
 *
 * @param doing - what failed and where, as the message shall begin: `cannot listen on localhost:5080`
 */
export function systemError(phase: NetworkPhase, doing: string, error: unknown): NetworkError {
  const meaning = MEANINGS.get(errnoOf(error));
  const words = meaning?.words ?? (error instanceof Error ? error.message : String(error));
  return new NetworkError(`${doing}: ${words}`, { code: meaning?.code ?? 'ERR_NETWORK', phase, cause: error });
}

/** What went wrong on an established socket, told by the system call that failed. */
export function socketError(error: unknown): NetworkError {
  const writing = typeof error === 'object' && error !== null && 'syscall' in error && error.syscall === 'write';
  return systemError(writing ? 'write' : 'read', 'connection lost', error);
}

/** Whether the machine merely lacks the address or its family, as IPv6 in many containers. */
export function isAddressMissing(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 'EADDRNOTAVAIL' || errno === 'EAFNOSUPPORT' || errno === 'EPROTONOSUPPORT' || errno === 'EINVAL';
}

const MEANINGS: ReadonlyMap<string, ErrnoMeaning> = new Map([
  ['EADDRINUSE', { code: 'ERR_ADDRESS_IN_USE', words: 'the address is in use' }],
  ['EADDRNOTAVAIL', { code: 'ERR_ADDRESS_NOT_AVAILABLE', words: 'this machine does not have the address' }],
  ['EAFNOSUPPORT', { code: 'ERR_ADDRESS_NOT_AVAILABLE', words: 'this machine does not have the address family' }],
  ['EACCES', { code: 'ERR_ACCESS', words: 'permission denied' }],
  ['EPERM', { code: 'ERR_ACCESS', words: 'operation not permitted' }],
  ['EROFS', { code: 'ERR_ACCESS', words: 'the file system is read-only' }],
  ['ECONNREFUSED', { code: 'ERR_CONNECTION_REFUSED', words: 'connection refused' }],
  ['ECONNRESET', { code: 'ERR_CONNECTION_RESET', words: 'reset by the peer' }],
  ['ECONNABORTED', { code: 'ERR_CONNECTION_RESET', words: 'aborted by the system' }],
  ['EPIPE', { code: 'ERR_CONNECTION_RESET', words: 'the peer has closed it' }],
  ['ETIMEDOUT', { code: 'ERR_CONNECTION_TIMED_OUT', words: 'the peer does not answer' }],
  ['EHOSTUNREACH', { code: 'ERR_UNREACHABLE', words: 'no route to the host' }],
  ['EHOSTDOWN', { code: 'ERR_UNREACHABLE', words: 'the host is down' }],
  ['ENETUNREACH', { code: 'ERR_UNREACHABLE', words: 'the network is unreachable' }],
  ['ENETDOWN', { code: 'ERR_UNREACHABLE', words: 'the network is down' }],
  ['EMSGSIZE', { code: 'ERR_DATAGRAM_TOO_LARGE', words: 'the datagram is too large for the path' }],
  ['ENOENT', { code: 'ERR_NO_SUCH_PATH', words: 'no such file or folder' }],
  ['ENOTDIR', { code: 'ERR_NO_SUCH_PATH', words: 'part of the path is no folder' }],
  ['ENOTSOCK', { code: 'ERR_NOT_A_SOCKET', words: 'the file is no socket' }],
  ['EMFILE', { code: 'ERR_TOO_MANY_FILES', words: 'this process has too many files and sockets open' }],
  ['ENFILE', { code: 'ERR_TOO_MANY_FILES', words: 'this machine has too many files and sockets open' }],
  ['ENOBUFS', { code: 'ERR_OUT_OF_BUFFERS', words: 'the system has no buffers left' }],
  ['ENOMEM', { code: 'ERR_OUT_OF_BUFFERS', words: 'the system has no memory left' }],
  ['ENOTFOUND', { code: 'ERR_NAME_NOT_FOUND', words: 'the name is unknown' }],
  ['ENODATA', { code: 'ERR_NAME_NOT_FOUND', words: 'the name has no address' }],
  ['EAI_NONAME', { code: 'ERR_NAME_NOT_FOUND', words: 'the name is unknown' }],
  ['EAI_AGAIN', { code: 'ERR_NAME_SERVER', words: 'the name server does not answer' }],
  ['EAI_FAIL', { code: 'ERR_NAME_SERVER', words: 'the name server failed' }],
]);
