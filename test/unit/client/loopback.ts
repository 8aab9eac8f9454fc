/**
 * Foreign servers on loopback, for tests of the client over real sockets.
 *
 * @module
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';

/** A server that is listening. */
export interface Loopback {
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** How many connections came. */
  connections: number;
  /** How many are open. */
  open: number;
  close(): Promise<void>;
}

/** Listens with any server of Node's. */
export async function listen(server: Server | NetServer, path?: string): Promise<Loopback> {
  const sockets = new Set<Socket>();
  const loopback: Loopback = {
    port: 0,
    url: '',
    connections: 0,
    open: 0,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      return closed;
    },
  };
  server.on('connection', (socket: Socket) => {
    loopback.connections += 1;
    loopback.open += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      sockets.delete(socket);
      loopback.open -= 1;
    });
  });
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  const port = path === undefined ? (server.address() as AddressInfo).port : 0;
  return Object.assign(loopback, { port, url: `http://127.0.0.1:${String(port)}` });
}

/** A node:http server. */
export function httpServer(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Loopback> {
  return listen(createServer(handler));
}

/** A server that speaks bytes: `answer` is told what came, as latin1, and on which connection in turn. */
export function rawServer(answer: (socket: Socket, data: string, connection: number) => void): Promise<Loopback> {
  let count = 0;
  return listen(
    createNetServer((socket) => {
      const connection = (count += 1);
      socket.on('data', (data) => answer(socket, data.toString('latin1'), connection));
    }),
  );
}

/** Waits until something is so; fails after two seconds. */
export async function eventually(what: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400; turn += 1) {
    if (what()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('it did not come about');
}

/** The handles of this process that a client can leave behind. */
export function handles(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter((name) => /TCP|TLS|Pipe(?!.*Std)|Timeout|GetAddrInfo|Zlib/.test(name))
    .sort();
}
