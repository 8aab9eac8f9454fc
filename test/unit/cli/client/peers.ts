import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { main } from '../../../../cli/main.ts';
import type { TestContextOptions } from '../test-context.ts';
import { TestContext } from '../test-context.ts';

/** A server on loopback that a test ends. */
export interface Peer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** Starts a server of node:http. */
export async function httpPeer(listener: http.RequestListener): Promise<Peer> {
  const server = http.createServer(listener);
  return listening(server, () => server.closeAllConnections());
}

/** Starts a server that answers each connection's first bytes with whatever bytes the test says. */
export async function rawPeer(answer: (socket: net.Socket, request: string) => void): Promise<Peer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.once('data', (data) => answer(socket, data.toString('latin1')));
  });
  return listening(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}

/** The listening server as a peer. */
export async function listening(server: net.Server, end: () => void): Promise<Peer> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        end();
      }),
  };
}

/** What a run of the client left. */
export interface ClientRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `hface-ts client` with the words. */
export async function runClient(words: readonly string[], options: TestContextOptions = {}): Promise<ClientRun> {
  const context = new TestContext(options);
  const code = await main(['client', ...words], context);
  return { code, stdout: context.stdout, stderr: context.stderr };
}
