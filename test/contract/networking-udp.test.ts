/** One suite over UDP sockets, for every implementation of networking. */
import { afterAll, describe, expect, it } from 'vitest';
import { formatSocketAddress, NetworkError } from '../../src/common/index.ts';
import type { Endpoint, NetworkPath } from '../../src/common/index.ts';
import { SystemNetworking } from '../../src/networking/index.ts';
import type { ClientNetworking, ServerNetworking, UdpSocket, UdpSocketHandler } from '../../src/networking/index.ts';
import { runSimulation } from '../../src/networking/simulation/index.ts';
import { expectNoSocketsBesides, openSockets } from '../support/leaks.ts';
import { loopback } from '../support/networking-environment.ts';
import { bytesOf, patternBytes } from '../support/stream-recorder.ts';

const baseline = openSockets();
afterAll(() => expectNoSocketsBesides(baseline));

type Networking = ServerNetworking & ClientNetworking;

/** Keeps what sockets tell. */
class DatagramRecorder implements UdpSocketHandler {
  readonly datagrams: { readonly data: Uint8Array; readonly path: NetworkPath }[] = [];
  readonly errors: NetworkError[] = [];
  readonly closedSockets: UdpSocket[] = [];
  turns = 0;
  onDatagram: (data: Uint8Array, path: NetworkPath) => void = () => undefined;
  #waiting: { readonly ready: () => boolean; readonly resolve: () => void }[] = [];

  datagramReceived(data: Uint8Array, path: NetworkPath): void {
    this.datagrams.push({ data, path });
    this.onDatagram(data, path);
    this.#told();
  }

  turnEnded(): void {
    this.turns += 1;
    this.#told();
  }

  drained(): void {
    this.#told();
  }

  datagramFailed(error: NetworkError): void {
    this.errors.push(error);
    this.#told();
  }

  closed(socket: UdpSocket): void {
    this.closedSockets.push(socket);
    this.#told();
  }

  /** Resolves when the condition holds, after a call at the latest. */
  until(ready: () => boolean): Promise<void> {
    if (ready()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ ready, resolve }));
  }

  #told(): void {
    const ready = this.#waiting.filter((waiter) => waiter.ready());
    this.#waiting = this.#waiting.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve();
  }
}

interface Kind {
  readonly name: string;
  run(body: (networking: Networking) => Promise<void>): Promise<void>;
}

const kinds: readonly Kind[] = [
  { name: 'the system', run: (body) => body(new SystemNetworking()) },
  {
    name: 'a simulation',
    async run(body) {
      const result = await runSimulation(1, ({ networking }) => body(networking));
      expect(result.leftovers).toEqual([]);
    },
  },
];

/** Opens an endpoint, runs the body, and closes its sockets. */
async function withListening(
  networking: Networking,
  endpoint: Endpoint,
  body: (sockets: readonly UdpSocket[], server: DatagramRecorder) => Promise<void>,
): Promise<void> {
  const server = new DatagramRecorder();
  const sockets = await networking.listenUdp({ endpoint }, server);
  try {
    await body(sockets, server);
  } finally {
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

/** The only path of a connected socket. */
function pathOf(socket: UdpSocket): NetworkPath {
  if (socket.path === undefined) throw new Error('the socket is not connected');
  return socket.path;
}

describe.each(kinds)('UDP sockets of $name', (kind) => {
  const test = (name: string, body: (networking: Networking) => Promise<void>): void => it(name, () => kind.run(body));

  test('carry datagrams both ways, with the paths that they took', (networking) =>
    withListening(networking, loopback(), async ([listening], server) => {
      const client = new DatagramRecorder();
      const { host, port } = (listening as UdpSocket).localAddress;
      const socket = await networking.connectUdp({ target: { host, port } }, client);
      expect(socket.send(bytesOf('question'), 100, pathOf(socket))).toBe(true);
      await server.until(() => server.datagrams.length === 1);
      const received = server.datagrams[0];
      expect(Buffer.from(received?.data ?? []).toString()).toBe('question');
      expect(received?.path.local).toBe(formatSocketAddress((listening as UdpSocket).localAddress));
      expect(received?.path.remote).toBe(formatSocketAddress(socket.localAddress));
      (listening as UdpSocket).send(bytesOf('answer'), 100, received?.path as NetworkPath);
      await client.until(() => client.datagrams.length === 1);
      expect(Buffer.from(client.datagrams[0]?.data ?? []).toString()).toBe('answer');
      expect(client.datagrams[0]?.path).toEqual(socket.path);
      expect(socket.path?.remote).toBe(`${host}:${String(port)}`);
      await socket.close();
      expect(client.closedSockets).toEqual([socket]);
    }));

  test('cut what is sent into segments, and keep empty ones out', (networking) =>
    withListening(networking, loopback(), async ([listening], server) => {
      const { host, port } = (listening as UdpSocket).localAddress;
      const socket = await networking.connectUdp({ target: { host, port } }, new DatagramRecorder());
      const bytes = patternBytes(3_100, 7);
      socket.send(bytes, 1_000, pathOf(socket));
      await server.until(() => server.datagrams.length === 4 && server.turns > 0);
      expect(server.turns).toBeLessThanOrEqual(4);
      expect(server.datagrams.map(({ data }) => data.length)).toEqual([1_000, 1_000, 1_000, 100]);
      expect(Buffer.concat(server.datagrams.map(({ data }) => data)).equals(bytes)).toBe(true);
      await socket.close();
    }));

  test('localhost: one socket per loopback address, all with one port; each answers from the address asked', (networking) =>
    withListening(networking, loopback('https', 'localhost'), async (sockets, server) => {
      expect(new Set(sockets.map((socket) => socket.localAddress.port)).size).toBe(1);
      const hosts = sockets.map((socket) => socket.localAddress.host);
      expect(hosts[0]).toBe('127.0.0.1');
      server.onDatagram = (data, path) => {
        sockets.find((socket) => formatSocketAddress(socket.localAddress) === path.local)?.send(data, 100, path);
      };
      for (const socket of sockets) {
        const client = new DatagramRecorder();
        const { host, port } = socket.localAddress;
        const connected = await networking.connectUdp({ target: { host, port } }, client);
        connected.send(bytesOf(host), 100, pathOf(connected));
        await client.until(() => client.datagrams.length === 1);
        expect(client.datagrams[0]?.path.remote).toBe(formatSocketAddress(socket.localAddress));
        await connected.close();
      }
    }));

  test('a wildcard is one socket per address of the machine, the loopback ones among them', (networking) =>
    withListening(networking, loopback('https', '*'), async (sockets) => {
      const hosts = sockets.map((socket) => socket.localAddress.host);
      expect(hosts).toContain('127.0.0.1');
      expect(hosts).not.toContain('0.0.0.0');
      expect(hosts).not.toContain('::');
      expect(new Set(sockets.map((socket) => socket.localAddress.port)).size).toBe(1);
      await Promise.resolve();
    }));

  test('find the addresses of a host in the order of attempts (RFC 8305 section 4)', async (networking) => {
    const both = await networking.findAddresses({ target: { host: 'localhost', port: 4433 } });
    expect(both.map(({ host }) => host)).toEqual(['::1', '127.0.0.1']);
    const one = await networking.findAddresses({ target: { host: 'localhost', port: 4433 }, family: 'ipv4' });
    expect(one).toMatchObject([{ host: '127.0.0.1', port: 4433 }]);
    await expect(
      networking.findAddresses({ target: { host: '127.0.0.1', port: 4433 }, family: 'ipv6' }),
    ).rejects.toMatchObject({ code: 'ERR_NAME_NOT_FOUND', phase: 'resolve' });
  });

  test('an address in use is said', (networking) =>
    withListening(networking, loopback(), async ([listening]) => {
      const { port } = (listening as UdpSocket).localAddress;
      const again = networking.listenUdp({ endpoint: loopback('https', '127.0.0.1', port) }, new DatagramRecorder());
      await expect(again).rejects.toMatchObject({ code: 'ERR_ADDRESS_IN_USE', phase: 'listen' });
      await expect(again).rejects.toBeInstanceOf(NetworkError);
    }));

  test('TCP and UDP of one endpoint may have one port', async (networking) => {
    const listener = await networking.listenTcp(
      { endpoint: loopback() },
      {
        admit: () => true,
        streamAccepted: (stream) => stream.abort(),
        streamFailed: () => undefined,
        listenerFailed: () => undefined,
      },
    );
    const { port } = listener.addresses[0] as { port: number };
    await withListening(networking, loopback('https', '127.0.0.1', port), async ([socket]) => {
      expect(socket?.localAddress.port).toBe(port);
      await Promise.resolve();
    });
    await listener.close();
  });

  test('that nobody listens is told, and the socket goes on', (networking) =>
    withListening(networking, loopback(), async ([listening]) => {
      const { host, port } = (listening as UdpSocket).localAddress;
      const client = new DatagramRecorder();
      const socket = await networking.connectUdp({ target: { host, port } }, client);
      await (listening as UdpSocket).close();
      socket.send(bytesOf('anybody?'), 100, pathOf(socket));
      await client.until(() => client.errors.length > 0);
      expect(client.errors[0]).toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
      const server = new DatagramRecorder();
      const [again] = await networking.listenUdp({ endpoint: loopback('https', host, port) }, server);
      socket.send(bytesOf('and now?'), 100, pathOf(socket));
      await server.until(() => server.datagrams.length === 1);
      await Promise.all([socket.close(), (again as UdpSocket).close()]);
    }));

  test('a datagram that is too large is refused, and the socket goes on', (networking) =>
    withListening(networking, loopback(), async ([listening], server) => {
      const { host, port } = (listening as UdpSocket).localAddress;
      const client = new DatagramRecorder();
      const socket = await networking.connectUdp({ target: { host, port } }, client);
      socket.send(new Uint8Array(70_000), 70_000, pathOf(socket));
      await client.until(() => client.errors.length === 1);
      expect(client.errors[0]).toMatchObject({ code: 'ERR_DATAGRAM_TOO_LARGE', phase: 'write' });
      socket.send(bytesOf('small'), 100, pathOf(socket));
      await server.until(() => server.datagrams.length === 1);
      expect(server.datagrams[0]?.data.length).toBe(5);
      await socket.close();
    }));

  test('a connected socket hears its peer only', (networking) =>
    withListening(networking, loopback(), async ([listening], server) => {
      const { host, port } = (listening as UdpSocket).localAddress;
      const client = new DatagramRecorder();
      const socket = await networking.connectUdp({ target: { host, port } }, client);
      await withListening(networking, loopback(), async ([stranger]) => {
        const path = {
          local: formatSocketAddress((stranger as UdpSocket).localAddress),
          remote: formatSocketAddress(socket.localAddress),
        };
        (stranger as UdpSocket).send(bytesOf('psst'), 100, path);
        socket.send(bytesOf('hello'), 100, pathOf(socket));
        await server.until(() => server.datagrams.length === 1);
        (listening as UdpSocket).send(bytesOf('hello'), 100, server.datagrams[0]?.path as NetworkPath);
        await client.until(() => client.datagrams.length === 1);
        expect(Buffer.from(client.datagrams[0]?.data ?? []).toString()).toBe('hello');
      });
      await socket.close();
    }));

  test('after close nothing is told but that, nothing is sent, and closing again is closing once', (networking) =>
    withListening(networking, loopback(), async ([listening], server) => {
      const { host, port } = (listening as UdpSocket).localAddress;
      const client = new DatagramRecorder();
      const socket = await networking.connectUdp({ target: { host, port } }, client);
      socket.send(bytesOf('one'), 100, pathOf(socket));
      await server.until(() => server.datagrams.length === 1);
      const closing = socket.close();
      expect(socket.send(bytesOf('two'), 100, pathOf(socket))).toBe(false);
      (listening as UdpSocket).send(bytesOf('late'), 100, server.datagrams[0]?.path as NetworkPath);
      await Promise.all([closing, socket.close()]);
      expect(client.datagrams).toEqual([]);
      expect(client.closedSockets).toEqual([socket]);
    }));

  test('what a handler throws stays where it is', (networking) =>
    withListening(networking, loopback(), async ([listening], server) => {
      const { host, port } = (listening as UdpSocket).localAddress;
      server.onDatagram = () => {
        if (server.datagrams.length === 1) throw new Error('the handler failed');
      };
      const socket = await networking.connectUdp({ target: { host, port } }, new DatagramRecorder());
      socket.send(bytesOf('ab'), 1, pathOf(socket));
      await server.until(() => server.datagrams.length === 2);
      expect(server.datagrams).toHaveLength(2);
      await socket.close();
    }));

  test('a unix endpoint, a port that is none, and an aborted attempt are refused', async (networking) => {
    const unix: Endpoint = { scheme: 'https', host: '', port: 0, unixPath: '/nowhere' };
    await expect(networking.listenUdp({ endpoint: unix }, new DatagramRecorder())).rejects.toThrow(/no UDP/);
    const signal = AbortSignal.abort(new Error('not wanted'));
    const connecting = networking.connectUdp(
      { target: { host: '127.0.0.1', port: 9 }, signal },
      new DatagramRecorder(),
    );
    await expect(connecting).rejects.toThrow('not wanted');
  });
});
