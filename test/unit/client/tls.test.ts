import { createHash, X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../../src/client/index.ts';
import type { ClientOptions } from '../../../src/client/index.ts';
import type { ClientTlsConfig } from '../../../src/common/index.ts';
import { makeCertificate } from '../../support/test-certificates.ts';
import type { TestIdentity } from '../../support/test-certificates.ts';
import { listen } from './loopback.ts';
import type { Loopback } from './loopback.ts';

let root: TestIdentity;
let clientIdentity: TestIdentity;
let leaf: TestIdentity;
let server: Loopback;
let url: string;

beforeAll(async () => {
  root = makeCertificate({ authority: true, commonName: 'root' });
  leaf = makeCertificate({ names: ['a.example', 'localhost'], issuer: root, usage: 'server' });
  clientIdentity = makeCertificate({ names: ['client'], issuer: root, usage: 'client', commonName: 'me' });
  const https = createServer(
    { cert: leaf.cert, key: leaf.key, ca: root.certPem, requestCert: true, rejectUnauthorized: false },
    (request: IncomingMessage, response) => {
      const socket = request.socket as unknown as TLSSocket;
      const { subject } = socket.getPeerCertificate() as { readonly subject?: { readonly CN: string } };
      response.end(
        JSON.stringify({
          name: socket.servername,
          host: request.headers.host,
          client: subject?.CN ?? null,
          alpn: socket.alpnProtocol,
        }),
      );
    },
  );
  server = await listen(https);
  url = `https://a.example:${String(server.port)}/`;
});

afterAll(() => server.close());

function connectTo(): Record<string, string> {
  return { [`a.example:${String(server.port)}`]: '127.0.0.1', [`b.example:${String(server.port)}`]: '127.0.0.1' };
}

async function ask(tls: ClientTlsConfig | undefined, address = url, options: ClientOptions = {}) {
  return new Client({ tls, connectTo: connectTo(), ...options }).withSession(async (session) => {
    const response = await session.dispatch({ url: address });
    const seen = (await response.json()) as { name: string; host: string; client: string | null; alpn: string };
    return { seen, connection: response.connection, timings: response.timings };
  });
}

function pinOf(identity: TestIdentity): string {
  const { publicKey } = new X509Certificate(identity.certPem);
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}

describe('https', () => {
  it('checks the certificate for the host of the URL, wherever it connects', async () => {
    const { seen, connection, timings } = await ask({ ca: root.certPem });
    expect(seen).toMatchObject({ name: 'a.example', host: `a.example:${String(server.port)}`, alpn: 'http/1.1' });
    expect(connection.tls).toMatchObject({ authorized: true, alpn: 'http/1.1', serverName: 'a.example' });
    expect(timings.secured).toBeGreaterThanOrEqual(timings.connected!);
    const other = `https://b.example:${String(server.port)}/`;
    await expect(ask({ ca: root.certPem }, other)).rejects.toMatchObject({ phase: 'tls' });
    expect((await ask({ ca: root.certPem, serverName: 'a.example' }, other)).seen.name).toBe('a.example');
  });

  it('refuses what the system does not trust, and takes more authorities, or any', async () => {
    await expect(ask(undefined)).rejects.toMatchObject({ initiator: 'network', phase: 'tls' });
    expect((await ask({ extraCa: root.certPem })).connection.tls?.authorized).toBe(true);
    const { connection } = await ask({ insecure: true });
    expect(connection.tls?.authorized).toBe(false);
  });

  it('shows its own certificate', async () => {
    const identity = { cert: clientIdentity.cert, key: clientIdentity.key };
    expect((await ask({ ca: root.certPem, identity })).seen.client).toBe('me');
    expect((await ask({ ca: root.certPem })).seen.client).toBeNull();
  });

  it('keeps to pins and to a check of the user', async () => {
    expect((await ask({ ca: root.certPem, pins: [pinOf(leaf)] })).seen.name).toBe('a.example');
    await expect(ask({ ca: root.certPem, pins: [pinOf(clientIdentity)] })).rejects.toMatchObject({ phase: 'tls' });
    const hosts: string[] = [];
    const verify = ({ host, chain }: { readonly host: string; readonly chain: readonly Uint8Array[] }): void => {
      hosts.push(`${host} ${chain.length > 0}`);
      if (hosts.length > 1) throw new Error('not today');
    };
    await ask({ ca: root.certPem, verify });
    await expect(ask({ ca: root.certPem, verify })).rejects.toMatchObject({ phase: 'tls' });
    expect(hosts).toEqual(['a.example true', 'a.example true']);
  });

  it('takes TLS per request, without sharing connections', async () => {
    const strict = { ca: root.certPem };
    await new Client({ connectTo: connectTo() }).withSession(async (session) => {
      await expect(session.dispatch({ url })).rejects.toMatchObject({ phase: 'tls' });
      const first = await session.dispatch({ url, tls: strict });
      await first.bytes();
      const second = await session.dispatch({ url, tls: strict });
      await second.bytes();
      expect([first.connection.reused, second.connection.reused]).toEqual([false, true]);
      await expect(session.dispatch({ url })).rejects.toMatchObject({ phase: 'tls' });
    });
  });

  it('resumes TLS sessions, also from one session of the client to the next, unless told not to', async () => {
    const resumed: (boolean | undefined)[] = [];
    for (const resumption of [true, false]) {
      const client = new Client({ tls: { ca: root.certPem, resumption }, connectTo: connectTo() });
      for (let index = 0; index < 2; index += 1) {
        await client.withSession(async (session) => {
          const response = await session.dispatch({ url });
          await response.bytes();
          resumed.push(response.connection.tls?.resumed);
        });
      }
    }
    expect(resumed.slice(1)).toEqual([true, false, false]);
  });

  it('bounds the handshake', async () => {
    const silent = await listen(createNetServer(() => {}));
    const client = new Client({ timeouts: { tls: 50 } });
    await client.withSession(async (session) => {
      await expect(session.dispatch({ url: `https://127.0.0.1:${String(silent.port)}/` })).rejects.toMatchObject({
        code: 'ERR_TIMEOUT',
        timer: 'tls',
        milliseconds: 50,
      });
    });
    await silent.close();
  });

  it('marks a body that only the end of TLS bounds', async () => {
    const bare = await listen(
      createServer({ cert: leaf.cert, key: leaf.key }).on('secureConnection', (socket: TLSSocket) => {
        socket.removeAllListeners('data');
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nbody'));
      }),
    );
    const response = await new Client({ tls: { insecure: true } }).withSession(async (session) => {
      const got = await session.dispatch({ url: `https://127.0.0.1:${String(bare.port)}/` });
      expect(await got.text()).toBe('body');
      return got;
    });
    expect(response.connection.endVerified).toBe(false);
    await bare.close();
  });

  it('notes when a redirect leaves TLS', async () => {
    const secure = await listen(
      createServer({ cert: leaf.cert, key: leaf.key }, (_request, response) => {
        response.writeHead(302, { location: 'http://plain.example/' });
        response.end();
      }),
    );
    const plain = await listen(
      createNetServer((socket) =>
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')),
      ),
    );
    const seen: boolean[] = [];
    await new Client({
      tls: { insecure: true },
      connectTo: { 'plain.example:80': `127.0.0.1:${String(plain.port)}` },
    }).withSession(async (session) => {
      const response = await session.fetch(
        `https://127.0.0.1:${String(secure.port)}/`,
        {},
        { onRedirect: ({ downgrade }) => void seen.push(downgrade) },
      );
      expect(response.url).toBe('http://plain.example/');
    });
    expect(seen).toEqual([true]);
    await secure.close();
    await plain.close();
  });
});
