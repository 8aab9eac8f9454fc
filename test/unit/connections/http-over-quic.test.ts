/** Connections over QUIC by real sockets: handshake, requests, ends. */
import { createSocket } from 'node:dgram';
import { afterAll, describe, expect, it } from 'vitest';
import type {
  ClientTlsConfig,
  Endpoint,
  NetworkError,
  ServerTlsConfig,
  SocketAddress,
} from '../../../src/common/index.ts';
import { HttpOverQuicListener, HttpOverQuicOpener } from '../../../src/connections/index.ts';
import type {
  HttpConnection,
  HttpListenerHandler,
  HttpListening,
  HttpOverQuicListenerOptions,
} from '../../../src/connections/index.ts';
import { SystemNetworking } from '../../../src/networking/index.ts';
import type { ConnectTimings } from '../../../src/networking/index.ts';
import { tracedQuicFactory } from '../../../src/protocols/index.ts';
import { Http3ClientFactory, Http3ServerFactory } from '../../../src/protocols/http3/index.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { testPki } from '../../support/test-certificates.ts';

const baseline = openSockets();
afterAll(() => expectNoSocketsBesides(baseline));

const networking = new SystemNetworking();
const pki = testPki();
const serverTls: ServerTlsConfig = { cert: pki.server.cert, key: pki.server.key };
const clientTls: ClientTlsConfig = { ca: pki.ca.cert };

/** Echoes what is sent to it. */
class Echo implements HttpListenerHandler {
  readonly connections: HttpConnection[] = [];
  readonly failures: NetworkError[] = [];
  readonly refusals: string[] = [];

  connectionAccepted(connection: HttpConnection): void {
    this.connections.push(connection);
    connection.setEventHandler((event) => {
      if (event.type === 'HeadersReceived') {
        connection.sendHeaders(event.streamId, [':status', '200'], { endStream: event.endStream });
        if (event.endStream) connection.handlerEnded(event.streamId);
      } else if (event.type === 'DataReceived') {
        void connection.sendData(event.streamId, event.data, { endStream: event.endStream });
        connection.dataConsumed(event.streamId, event.flowControlledLength);
        if (event.endStream) connection.handlerEnded(event.streamId);
      }
    });
  }

  connectionFailed(_remoteAddress: SocketAddress, error: NetworkError): void {
    this.failures.push(error);
  }

  connectionRefused(_remoteAddress: SocketAddress, limit: string): void {
    this.refusals.push(limit);
  }
}

const endpoint = (host = '127.0.0.1', port = 0): Endpoint => ({ scheme: 'https', host, port, unixPath: undefined });

async function withEcho(
  body: (listening: HttpListening, echo: Echo, port: number) => Promise<void>,
  options: Partial<HttpOverQuicListenerOptions> = {},
  host = '127.0.0.1',
): Promise<void> {
  const echo = new Echo();
  const listener = new HttpOverQuicListener({
    networking,
    factory: new Http3ServerFactory(),
    tls: serverTls,
    ...options,
  });
  const listening = await listener.listen(endpoint(host), echo);
  try {
    await body(listening, echo, listening.endpoints[0]?.port ?? 0);
  } finally {
    await listening.close();
  }
}

const opener = (): HttpOverQuicOpener => new HttpOverQuicOpener({ networking, factory: new Http3ClientFactory() });

/** A UDP port that nobody listens on. */
async function unusedPort(): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

/** Sends a request with a body and tells what came back. */
async function echoed(connection: HttpConnection, body: Uint8Array): Promise<Uint8Array> {
  const streamId = connection.getAvailableStreamId();
  const head = [':method', 'POST', ':scheme', 'https', ':authority', 'localhost', ':path', '/'];
  connection.sendHeaders(streamId, head, { endStream: body.length === 0 });
  const sending = (async () => {
    for (let at = 0; at < body.length; at += 16_384) {
      const endStream = at + 16_384 >= body.length;
      await connection.sendData(streamId, body.slice(at, at + 16_384), { endStream });
    }
  })();
  const pieces: Uint8Array[] = [];
  for (;;) {
    const event = await connection.receiveEvent();
    if (event === undefined) throw new Error('the connection ended');
    if (event.type === 'ConnectionTerminated') throw new Error(event.reason);
    if (!('streamId' in event) || event.streamId !== streamId) continue;
    if (event.type === 'DataReceived') pieces.push(event.data);
    if ('endStream' in event && event.endStream) break;
    if (event.type === 'StreamResetReceived') throw new Error('reset');
  }
  await sending;
  return Buffer.concat(pieces);
}

describe('a connection over QUIC', () => {
  it('carries a request and its response, and ends', () =>
    withEcho(async (_listening, echo, port) => {
      const connection = await opener().open({
        origin: { scheme: 'https', host: 'localhost', port },
        tls: clientTls,
        family: 'ipv4',
      });
      expect(connection.facts).toMatchObject({
        httpVersion: '3',
        remoteAddress: { family: 'ipv4', host: '127.0.0.1', port },
        tls: { version: 'TLSv1.3', alpn: 'h3', serverName: 'localhost', authorized: true, resumed: false },
      });
      const answer = await echoed(connection, Buffer.from('hello'));
      expect(Buffer.from(answer).toString()).toBe('hello');
      expect(echo.connections[0]?.facts.remoteAddress).toEqual(connection.facts.localAddress);
      await connection.close();
      await echo.connections[0]?.closed;
      expect(connection.error).toBeUndefined();
    }));

  it('resumes a session, unless it shall not', () =>
    withEcho(async (_listening, _echo, port) => {
      const one = opener();
      const origin = { scheme: 'https', host: 'localhost', port } as const;
      const resumed: (boolean | undefined)[] = [];
      for (const tls of [clientTls, clientTls, { ...clientTls }, { ...clientTls, resumption: false }, clientTls]) {
        const connection = await one.open({ origin, tls });
        expect(Buffer.from(await echoed(connection, Buffer.from('hello'))).toString()).toBe('hello');
        resumed.push(connection.facts.tls?.resumed);
        expect(connection.facts.tls).toMatchObject({ authorized: true, peerCertificate: expect.anything() });
        await connection.close();
      }
      expect(resumed).toEqual([false, true, false, false, true]);
    }));

  it('has one socket per loopback address behind localhost, and takes the first that answers', () =>
    withEcho(
      async (listening, echo, port) => {
        expect(new Set(listening.addresses.map((address) => (address.family === 'unix' ? 0 : address.port))).size).toBe(
          1,
        );
        const origin = { scheme: 'https', host: 'localhost', port } as const;
        for (const family of listening.addresses.map((address) => address.family)) {
          if (family === 'unix') continue;
          const connection = await opener().open({ origin, tls: clientTls, family });
          expect(connection.facts.remoteAddress.family).toBe(family);
          await connection.close();
        }
        const timings: ConnectTimings = { started: 0, resolved: undefined, connected: undefined, secured: undefined };
        const connection = await opener().open({ origin, tls: clientTls, timings });
        expect(timings.secured).toBeGreaterThanOrEqual(timings.connected ?? Infinity);
        await connection.close();
        expect(echo.failures).toEqual([]);
      },
      {},
      'localhost',
    ));

  it('carries a large body both ways', () =>
    withEcho(async (_listening, _echo, port) => {
      const connection = await opener().open({ origin: { scheme: 'https', host: '127.0.0.1', port }, tls: clientTls });
      const body = Buffer.alloc(3_000_000, 'abcdefghijk');
      expect(Buffer.compare(await echoed(connection, body), body)).toBe(0);
      await connection.close();
    }));

  it('tells the lines of the key log on both sides, the same', () => {
    const lines: { server: string[]; client: string[] } = { server: [], client: [] };
    const tls = { ...serverTls, keylog: (line: string): void => void lines.server.push(line.trim()) };
    return withEcho(
      async (_listening, _echo, port) => {
        const connection = await opener().open({
          origin: { scheme: 'https', host: 'localhost', port },
          tls: { ...clientTls, keylog: (line) => void lines.client.push(line.trim()) },
        });
        await echoed(connection, Buffer.from('x'));
        await connection.close();
        expect(lines.client.length).toBeGreaterThanOrEqual(4);
        expect([...lines.server].sort()).toEqual([...lines.client].sort());
        expect(lines.client[0]).toMatch(/^(CLIENT|SERVER)_[A-Z0-9_]+ [0-9a-f]{64} [0-9a-f]{64,96}$/);
      },
      { tls },
    );
  });

  it('chooses the identity by name: exact, wildcard, a function that answers later', () => {
    const other = { cert: pki.client.cert, key: pki.client.key };
    const serverNames = (name: string): Promise<typeof other | undefined> =>
      Promise.resolve(name === 'other.test' ? other : undefined);
    return withEcho(
      async (_listening, echo, port) => {
        const origin = { scheme: 'https', host: '127.0.0.1', port } as const;
        const connection = await opener().open({ origin, tls: { ...clientTls, serverName: 'localhost' } });
        await echoed(connection, Buffer.from('x'));
        expect(echo.connections[0]?.facts.tls?.serverName).toBe('localhost');
        await connection.close();
        const named = opener().open({ origin, tls: { ...clientTls, serverName: 'other.test' } });
        await expect(named).rejects.toMatchObject({ phase: 'tls' });
      },
      { tls: { ...serverTls, serverNames } },
    );
  });

  it('asks for a certificate of the client, and lets nobody in without one', () =>
    withEcho(
      async (_listening, echo, port) => {
        const origin = { scheme: 'https', host: 'localhost', port } as const;
        const identity = { cert: pki.client.cert, key: pki.client.key };
        const connection = await opener().open({ origin, tls: { ...clientTls, identity } });
        expect(Buffer.from(await echoed(connection, Buffer.from('mine'))).toString()).toBe('mine');
        expect(echo.connections[0]?.facts.tls).toMatchObject({ authorized: true });
        await connection.close();
        const bare = await opener()
          .open({ origin, tls: clientTls })
          .then(
            async (opened) => echoed(opened, Buffer.from('let me in')),
            (error: unknown) => error,
          )
          .catch((error: unknown) => error);
        expect(bare).toBeInstanceOf(Error);
        expect(echo.connections).toHaveLength(1);
        expect(echo.failures.length).toBeGreaterThan(0);
      },
      { tls: { ...serverTls, clientCertificate: 'require', ca: pki.ca.cert } },
    ));

  it('ends a connection whose handler throws, and no other', async () => {
    const listener = new HttpOverQuicListener({ networking, factory: new Http3ServerFactory(), tls: serverTls });
    const accepted: HttpConnection[] = [];
    const listening = await listener.listen(endpoint(), {
      connectionAccepted: (connection) => {
        accepted.push(connection);
        connection.setEventHandler((event) => {
          if (event.type === 'HeadersReceived' && accepted.length === 1) throw new Error('the handler failed');
        });
      },
    });
    const origin = { scheme: 'https', host: '127.0.0.1', port: listening.endpoints[0]?.port ?? 0 } as const;
    const connection = await opener().open({ origin, tls: clientTls });
    await expect(echoed(connection, new Uint8Array(0))).rejects.toThrow();
    await connection.closed;
    expect(accepted[0]?.error?.message).toBe('the handler failed');
    const next = await opener().open({ origin, tls: clientTls });
    expect(next.isClosed).toBe(false);
    await next.close();
    await listening.close();
  });

  it('gives connections to for await, and refuses where nobody takes them', async () => {
    const listener = new HttpOverQuicListener({
      networking,
      factory: new Http3ServerFactory(),
      tls: serverTls,
      limits: { maxConnections: 1 },
    });
    const listening = await listener.listen(endpoint());
    const origin = { scheme: 'https', host: '127.0.0.1', port: listening.endpoints[0]?.port ?? 0 } as const;
    const first = await opener().open({ origin, tls: clientTls });
    await expect(opener().open({ origin, tls: clientTls })).rejects.toBeInstanceOf(Error);
    for await (const connection of listening) {
      expect(connection.facts.httpVersion).toBe('3');
      break;
    }
    await first.close();
    await listening.close();
    expect(listening.connections.size).toBe(0);
  });

  it('drains: what runs is finished, nobody new comes in', () =>
    withEcho(async (listening, echo, port) => {
      const origin = { scheme: 'https', host: '127.0.0.1', port } as const;
      const connection = await opener().open({ origin, tls: clientTls });
      const streamId = connection.getAvailableStreamId();
      const head = [':method', 'POST', ':scheme', 'https', ':authority', 'localhost', ':path', '/'];
      connection.sendHeaders(streamId, head, { endStream: false });
      while ((await connection.receiveEvent())?.type !== 'HeadersReceived');
      const drained = listening.drain({ timeout: 10_000 });
      await connection.sendData(streamId, Buffer.from('last'), { endStream: true });
      const pieces: Uint8Array[] = [];
      for await (const event of connection) if (event.type === 'DataReceived') pieces.push(event.data);
      await drained;
      expect(Buffer.concat(pieces).toString()).toBe('last');
      expect(echo.connections[0]?.error).toBeUndefined();
      await expect(opener().open({ origin, tls: clientTls })).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED' });
    }));

  it('replaces the certificate: sessions of the one before are not resumed', () =>
    withEcho(async (listening, _echo, port) => {
      const one = opener();
      const origin = { scheme: 'https', host: 'localhost', port } as const;
      const visit = async (): Promise<boolean | undefined> => {
        const connection = await one.open({ origin, tls: clientTls });
        await echoed(connection, Buffer.from('x'));
        await connection.close();
        return connection.facts.tls?.resumed;
      };
      expect([await visit(), await visit()]).toEqual([false, true]);
      listening.updateTls({ ...serverTls });
      expect([await visit(), await visit()]).toEqual([false, true]);
      expect(() => listening.updateTls({ pfx: new Uint8Array(1) })).toThrow(/PKCS#12/);
      expect(await visit()).toBe(true);
    }));

  it('ends without a word where nobody listens (RFC 9000 section 10.2)', async () => {
    const submitted: string[] = [];
    const factory = tracedQuicFactory(new Http3ClientFactory(), {
      submitted: (trace) => void submitted.push(trace.type),
      event: () => {},
    });
    const port = await unusedPort();
    const opening = new HttpOverQuicOpener({ networking, factory }).open({
      origin: { scheme: 'https', host: '127.0.0.1', port },
      tls: clientTls,
    });
    await expect(opening).rejects.toMatchObject({ phase: 'connect', code: 'ERR_CONNECTION_REFUSED' });
    // CONNECTION_CLOSE would go to the same nobody.
    expect(submitted).toEqual([]);
  });

  it('says at once what cannot be', async () => {
    const origin = { scheme: 'http', host: 'localhost', port: 80 } as const;
    await expect(opener().open({ origin })).rejects.toThrow(/needs TLS/);
    const factory = new Http3ServerFactory();
    expect(() => new HttpOverQuicListener({ networking, factory, tls: {} })).toThrow(/certificate/);
    const listener = new HttpOverQuicListener({ networking, factory, tls: serverTls });
    await expect(listener.listen({ ...endpoint(), scheme: 'http' })).rejects.toThrow(/without TLS/);
    const aborted = AbortSignal.abort(new Error('not wanted'));
    const secure = { scheme: 'https', host: 'localhost', port: 9 } as const;
    await expect(opener().open({ origin: secure, signal: aborted })).rejects.toThrow('not wanted');
  });
});
