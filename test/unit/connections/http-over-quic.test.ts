/** Connections over QUIC by real sockets: handshake, requests, ends. */
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
});
