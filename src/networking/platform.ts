/**
 * What differs between systems and between releases of Node, asked once and in one place.
 *
 * Owns every reading of `process.platform` and `process.versions` in this folder. A caller asks for a feature, never
 * for a version.
 *
 * @module
 */
import { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

function nodeAtLeast(...releases: readonly (readonly [major: number, minor: number])[]): boolean {
  return releases.some((release, index) => {
    const last = index === releases.length - 1;
    return (major === release[0] && minor >= release[1]) || (last && major > release[0]);
  });
}

/** Whether the system is Windows: its local sockets are named pipes without files. */
export const isWindows: boolean = process.platform === 'win32';

/** Several processes may listen on one port (`reusePort` of `server.listen`: Node 22.12, 23.1, and a system that has it). */
export const hasReusePort: boolean =
  nodeAtLeast([22, 12], [23, 1]) && process.platform !== 'win32' && process.platform !== 'darwin';

/** The longest path of a unix socket in bytes; the system would cut a longer one off. Windows pipes have another bound. */
export const longestUnixPath: number = process.platform === 'linux' ? 107 : process.platform === 'win32' ? 256 : 103;

/** The socket below a TLS socket that `node:tls` has made upon it: it alone can be reset. `undefined` if there is none. */
export function rawSocketOf(socket: TLSSocket): Socket | undefined {
  // No public name leads there; the same one has held from Node 0.12 to 26.
  const { _parent } = socket as TLSSocket & { readonly _parent?: unknown };
  return _parent instanceof Socket ? _parent : undefined;
}

/** The part of a socket's handle that is asked here. */
interface SocketHandle {
  readonly getpeername?: (out: object) => number;
}

/** Where a socket's peer is; `undefined` if it has none. Node would keep what it answers itself, as long as the socket. */
export function peerOf(socket: Socket): { readonly host: string; readonly port: number } | undefined {
  const { _handle } = socket as Socket & { readonly _handle?: SocketHandle | null };
  const peer: { address?: unknown; port?: unknown } = {};
  if (typeof _handle?.getpeername === 'function' && !socket.connecting) {
    _handle.getpeername(peer);
    if (typeof peer.address === 'string' && typeof peer.port === 'number')
      return { host: peer.address, port: peer.port };
  }
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined ? undefined : { host: remoteAddress, port: remotePort ?? 0 };
}

/**
 * Whether the end of a socket's input is really a reset.
 *
 * libuv, as Node 20 and 22 have it, reports an end when a reset comes together with data (POLLHUP after a short read).
 * On Linux a socket that was reset has no peer any more, one that was ended by its peer still has. Asked only while
 * this side has not ended its own, since after both ends there is no peer either.
 */
export function endIsReset(raw: Socket): boolean {
  if (process.platform !== 'linux') return false;
  const { _handle } = raw as Socket & { readonly _handle?: SocketHandle | null };
  if (_handle === undefined || _handle === null || typeof _handle.getpeername !== 'function') return false;
  return _handle.getpeername({}) !== 0;
}
