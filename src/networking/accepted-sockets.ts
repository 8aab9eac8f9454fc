/**
 * Accepted sockets that read by a callback of ours.
 *
 * Node lets sockets that one connects read into memory of one's own (`onread`), but makes those that a server accepts by
 * itself, with fresh memory of 64 KiB and an event for each read: a sixth of what a small request costs. So the handle of
 * a listening server is made to call here first. That is none of Node's public ways: it is looked at whether
 * everything is as expected, for each socket, and where it is not Node's own way is taken.
 *
 * Owns the making of such a socket, and the look at it.
 *
 * @module
 */
import { channel } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import type { Server } from 'node:net';
import { isWindows } from './platform.ts';
import { sharedReadBuffer } from './read-memory.ts';
import { SocketStream } from './socket-stream.ts';

/** Whoever observes the process is told of each socket, as by Node. */
const told = channel('net.server.socket');

/** A connection as libuv has accepted it. */
interface ConnectionHandle {
  readonly useUserBuffer?: unknown;
  readonly setNoDelay?: (enable: boolean) => unknown;
}

/** What listens. */
interface ListeningHandle {
  onconnection?: ((this: ListeningHandle, status: number, connection: ConnectionHandle | undefined) => void) | null;
}

/** What a server and its sockets know of each other, so that it knows when the last is gone. */
interface CountingServer extends Server {
  readonly _handle?: ListeningHandle | null;
  _connections?: number;
}
interface CountedSocket extends Socket {
  server?: Server;
  _server?: Server;
}

/** Gives every socket that a server accepts from now on to `accepted`, or leaves things as they are. */
export function acceptReadSockets(server: Server, accepted: (socket: Socket) => void): void {
  const counting: CountingServer = server;
  const handle = counting._handle;
  const accept = handle?.onconnection;
  if (isWindows || handle === undefined || handle === null || typeof accept !== 'function') return;
  let works: boolean | undefined;
  handle.onconnection = function (status, connection) {
    const count = counting._connections;
    const usual = typeof count === 'number' && typeof connection?.useUserBuffer === 'function';
    if (status !== 0 || !usual || works === false) {
      accept.call(this, status, connection);
      return;
    }
    const socket: CountedSocket = new Socket(optionsFor(connection));
    works ??= readsBy(socket);
    if (works) SocketStream.readsShared(socket);
    connection.setNoDelay?.(true);
    counting._connections = count + 1;
    socket.server = server;
    socket._server = server;
    accepted(socket);
    if (told.hasSubscribers) told.publish({ socket });
  };
}

/** The options that Node's own servers give, and `onread`. */
function optionsFor(handle: ConnectionHandle): ConstructorParameters<typeof Socket>[0] {
  const options = { handle, allowHalfOpen: true, readable: true, writable: true, onread: SocketStream.onread };
  return options;
}

/** Whether a new socket has taken our buffer for its own. */
function readsBy(socket: Socket): boolean {
  const fields = socket as unknown as Readonly<Record<symbol, unknown>>;
  return Object.getOwnPropertySymbols(socket).some((symbol) => fields[symbol] === sharedReadBuffer());
}
