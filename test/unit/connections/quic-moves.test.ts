/** A client's connection on the move, by real sockets (RFC 9000 section 9), and its question for versions (section 6). */
import { createSocket } from 'node:dgram';
import { afterAll, describe, expect, it } from 'vitest';
import { NetworkError } from '../../../src/common/index.ts';
import type { ClientTlsConfig, Endpoint, NetworkPath, ServerTlsConfig } from '../../../src/common/index.ts';
import { HttpOverQuicListener, HttpOverQuicOpener } from '../../../src/connections/index.ts';
import type { HttpConnection, HttpListening, HttpOverQuicOpenerOptions } from '../../../src/connections/index.ts';
import { leadsHome } from '../../../src/connections/quic-moves.ts';
import { SystemNetworking } from '../../../src/networking/index.ts';
import type { ConnectUdpOptions, UdpSocket, UdpSocketHandler } from '../../../src/networking/index.ts';
import { Http3ClientFactory, Http3ServerFactory } from '../../../src/protocols/http3/index.ts';
import { VersionProbe } from '../../../src/protocols/quic/index.ts';
import { versionNegotiation } from '../../../src/protocols/quic/packet-header.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { testPki } from '../../support/test-certificates.ts';

const baseline = openSockets();
afterAll(() => expectNoSocketsBesides(baseline));

const pki = testPki();
const serverTls: ServerTlsConfig = { cert: pki.server.cert, key: pki.server.key };
const clientTls: ClientTlsConfig = { ca: pki.ca.cert };

/** Sockets that tell what became of them, and may be broken. */
class WatchedNetworking extends SystemNetworking {
  readonly sockets: UdpSocket[] = [];
  readonly handlers: UdpSocketHandler[] = [];
  readonly closed: UdpSocket[] = [];
  refuse = false;

  override async connectUdp(options: ConnectUdpOptions, handler: UdpSocketHandler): Promise<UdpSocket> {
    if (this.refuse) throw new NetworkError('no socket', { code: 'ERR_TOO_MANY_FILES', phase: 'connect' });
    const watched: UdpSocketHandler = {
      datagramReceived: (data, path) => handler.datagramReceived(data, path),
      turnEnded: () => handler.turnEnded(),
      drained: (socket) => handler.drained(socket),
      datagramFailed: (error, path) => handler.datagramFailed(error, path),
      closed: (socket, error) => {
        this.closed.push(socket);
        handler.closed(socket, error);
      },
    };
    const socket = await super.connectUdp(options, watched);
    this.sockets.push(socket);
    this.handlers.push(handler);
    return socket;
  }
}

async function withServer(
  body: (port: number, accepted: readonly HttpConnection[]) => Promise<void>,
  networking = new SystemNetworking(),
): Promise<void> {
  const accepted: HttpConnection[] = [];
  const listener = new HttpOverQuicListener({ networking, factory: new Http3ServerFactory(), tls: serverTls });
  const endpoint: Endpoint = { scheme: 'https', host: '127.0.0.1', port: 0, unixPath: undefined };
  const listening: HttpListening = await listener.listen(endpoint, {
    connectionAccepted: (connection) => {
      accepted.push(connection);
      connection.setEventHandler((event) => {
        if (event.type !== 'HeadersReceived') return;
        connection.sendHeaders(event.streamId, [':status', '204'], { endStream: true });
        connection.handlerEnded(event.streamId);
      });
    },
    connectionFailed: () => {},
    connectionRefused: () => {},
  });
  try {
    await body(listening.endpoints[0]?.port ?? 0, accepted);
  } finally {
    await listening.close();
  }
}

function open(
  networking: SystemNetworking,
  port: number,
  options: Partial<HttpOverQuicOpenerOptions> = {},
): Promise<HttpConnection> {
  const opener = new HttpOverQuicOpener({ networking, factory: new Http3ClientFactory(), ...options });
  return opener.open({ origin: { scheme: 'https', host: '127.0.0.1', port }, tls: clientTls });
}

async function ask(connection: HttpConnection): Promise<void> {
  const streamId = connection.getAvailableStreamId();
  const head = [':method', 'GET', ':scheme', 'https', ':authority', 'localhost', ':path', '/'];
  connection.sendHeaders(streamId, head, { endStream: true });
  for (;;) {
    const event = await connection.receiveEvent();
    if (event === undefined || event.type === 'ConnectionTerminated') throw new Error('the connection ended');
    if (event.type === 'StreamClosed' && event.streamId === streamId) return;
  }
}

function portOf(connection: HttpConnection | undefined, end: 'localAddress' | 'remoteAddress'): number {
  const address = connection?.facts[end];
  return address === undefined || address.family === 'unix' ? 0 : address.port;
}

describe("a client's connection that migrates (RFC 9000 section 9)", () => {
  it('goes on from another port, which the server sees, and gives the first socket up', () =>
    withServer(async (port, accepted) => {
      const networking = new WatchedNetworking();
      const connection = await open(networking, port);
      await ask(connection);
      const before = portOf(connection, 'localAddress');
      expect(await connection.migrate()).toBe(true);
      const after = portOf(connection, 'localAddress');
      expect(after).not.toBe(before);
      await ask(connection);
      expect(portOf(accepted[0], 'remoteAddress')).toBe(after);
      // And again, as often as the server has ids for it.
      expect(await connection.migrate()).toBe(true);
      await ask(connection);
      await connection.close();
      expect(networking.sockets.length).toBe(3);
      expect(new Set(networking.closed)).toEqual(new Set(networking.sockets));
    }));

  it('asked for twice at once moves once', () =>
    withServer(async (port) => {
      const networking = new WatchedNetworking();
      const connection = await open(networking, port);
      // Before the handshake is confirmed it waits for that.
      const moves = [connection.migrate(), connection.migrate()];
      await ask(connection);
      expect(await Promise.all(moves)).toEqual([true, true]);
      expect(networking.sockets.length).toBe(2);
      await connection.close();
      expect(await connection.migrate()).toBe(false);
    }));

  it('stays where it is when there is no other socket', () =>
    withServer(async (port) => {
      const networking = new WatchedNetworking();
      const connection = await open(networking, port);
      await ask(connection);
      networking.refuse = true;
      expect(await connection.migrate()).toBe(false);
      await ask(connection);
      await connection.close();
    }));

  it('that is over before it could says so', () =>
    withServer(async (port) => {
      const connection = await open(new WatchedNetworking(), port);
      const move = connection.migrate();
      const closed = connection.close();
      expect(await move).toBe(false);
      await closed;
    }));

  it('moves by itself when the system says that the way is gone, and for nothing that others can say', () =>
    withServer(async (port) => {
      const networking = new WatchedNetworking();
      const connection = await open(networking, port);
      await ask(connection);
      await ask(connection);
      const path: NetworkPath | undefined = networking.sockets[0]?.path;
      const failed = (code: string, phase: 'read' | 'write'): void =>
        networking.handlers[0]?.datagramFailed(new NetworkError('failed', { code, phase }), path);
      failed('ERR_CONNECTION_REFUSED', 'read');
      failed('ERR_UNREACHABLE', 'read');
      failed('ERR_DATAGRAM_TOO_LARGE', 'write');
      await ask(connection);
      expect(networking.sockets.length).toBe(1);
      const before = portOf(connection, 'localAddress');
      failed('ERR_UNREACHABLE', 'write');
      failed('ERR_UNREACHABLE', 'write');
      while (portOf(connection, 'localAddress') === before) await ask(connection);
      expect(networking.sockets.length).toBe(2);
      await connection.close();
    }));

  it('takes another socket when its own is gone, and ends when there is none', () =>
    withServer(async (port) => {
      const networking = new WatchedNetworking();
      const connection = await open(networking, port);
      await ask(connection);
      await ask(connection);
      const gone = new NetworkError('gone', { code: 'ERR_NETWORK', phase: 'read' });
      networking.handlers[0]?.closed(networking.sockets[0] as UdpSocket, gone);
      await ask(connection);
      expect(networking.sockets.length).toBe(2);
      networking.refuse = true;
      networking.handlers[0]?.closed(networking.sockets[1] as UdpSocket, gone);
      await connection.closed;
      expect(connection.error).toBe(gone);
      // The test took them from the connection.
      await Promise.all(networking.sockets.map((socket) => socket.close()));
    }));
});

describe("a server's preferred address (RFC 9000 section 21.5.6)", () => {
  it('is not followed to this host for a server elsewhere', () => {
    for (const home of ['127.0.0.1:443', '127.9.9.9:443', '0.0.0.0:443', '[::1]:443', '[::]:443']) {
      expect([home, leadsHome(home, home.startsWith('[') ? '[2001:db8::1]:443' : '192.0.2.1:443')]).toEqual([
        home,
        true,
      ]);
    }
    expect(leadsHome('[::ffff:127.0.0.1]:443', '[2001:db8::1]:443')).toBe(true);
    expect(leadsHome('[::ffff:7f00:1]:443', '[2001:db8::1]:443')).toBe(true);
    expect(leadsHome('127.0.0.1:444', '127.0.0.1:443')).toBe(false);
    expect(leadsHome('[::1]:444', '[::1]:443')).toBe(false);
    expect(leadsHome('10.0.0.1:443', '192.0.2.1:443')).toBe(false);
    expect(leadsHome('[2001:db8::2]:443', '[2001:db8::1]:443')).toBe(false);
  });
});

describe('a question for versions (RFC 9000 sections 6 and 15)', () => {
  const random = { fill: (target: Uint8Array): Uint8Array => globalThis.crypto.getRandomValues(target as never) };

  it('is a packet of 1200 bytes in a reserved version, the same each time', () => {
    const probe = new VersionProbe(random);
    const datagram = Buffer.from(probe.datagram());
    expect(datagram.length).toBe(1_200);
    expect(datagram[0]! & 0xc0).toBe(0xc0);
    expect(datagram.toString('hex', 1, 5)).toMatch(/^.a.a.a.a$/);
    expect(Buffer.compare(datagram, probe.datagram())).toBe(0);
  });

  it('looks like an Initial packet, without a token and as long as it says, to who reads on (RFC 9000 section 17.2.2)', () => {
    for (let round = 0; round < 20; round += 1) {
      const datagram = Buffer.from(new VersionProbe(random).datagram());
      expect(datagram[0]! & 0xf0).toBe(0xc0);
      expect(datagram[23]).toBe(0);
      expect(datagram.readUInt16BE(24) & 0x3fff).toBe(datagram.length - 26);
    }
  });

  it('takes only the answer to itself, and none that lists what was asked in', () => {
    const probe = new VersionProbe(random);
    const datagram = probe.datagram();
    const asked = new DataView(datagram.buffer).getUint32(1);
    const [destination, source] = [datagram.slice(6, 14), datagram.slice(15, 23)];
    expect(probe.answer(versionNegotiation(source, destination, [1, 0x6b3343cf], 0))).toEqual([1, 0x6b3343cf]);
    expect(probe.answer(versionNegotiation(destination, source, [1], 0))).toBeUndefined();
    expect(probe.answer(versionNegotiation(source, source, [1], 0))).toBeUndefined();
    expect(probe.answer(versionNegotiation(source, destination, [1, asked], 0))).toBeUndefined();
    expect(probe.answer(datagram)).toBeUndefined();
    expect(probe.answer(new Uint8Array(3))).toBeUndefined();
  });

  it('comes before the handshake, and a server that has version 1 is connected to', () =>
    withServer(async (port) => {
      const connection = await open(new SystemNetworking(), port, { versionProbe: true });
      await ask(connection);
      expect(connection.facts.tls).toMatchObject({ alpn: 'h3', authorized: true });
      await connection.close();
    }));

  it('is the end for a server of other versions', async () => {
    const server = createSocket('udp4');
    server.on('message', (data, from) => {
      const answer = versionNegotiation(data.subarray(15, 23), data.subarray(6, 14), [0xff00001d, 0x6b3343cf], 0);
      // What is no answer to the question is passed over.
      server.send(Buffer.from('junk'), from.port, from.address);
      server.send(answer, from.port, from.address);
    });
    await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
    try {
      const opening = open(new SystemNetworking(), server.address().port, { versionProbe: true });
      await expect(opening).rejects.toMatchObject({
        code: 'ERR_QUIC_VERSION',
        message: expect.stringContaining('but 0xff00001d, 0x6b3343cf') as string,
      });
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });
});
