/**
 * Our client against foreign servers over HTTP/3: ngtcp2's and Caddy. Every run verifies the server's certificate; with
 * another authority every one fails.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/index.ts';
import type { ClientOptions, ClientSession } from '../../src/index.ts';
import { freeUdpPort, startGtlsserver, startHttp3Caddy } from './support/http3-peers.ts';
import type { ForeignQuicServer } from './support/http3-peers.ts';
import { KeyUpdates } from './support/key-updates.ts';
import { findProgram, openWorkshop } from './support/peers.ts';
import type { Workshop } from './support/peers.ts';
import { digest, pattern } from './support/server-app.ts';
import { startRelay } from './support/udp-relay.ts';
import type { Relay } from './support/udp-relay.ts';

const MIB = 1 << 20;
const large = pattern(100 * MIB);
const largeDigest = digest(large);

let workshop: Workshop;
let otherWorkshop: Workshop;
let root: string;
/** HTTP/3 alone, with the right authority. */
let session: ClientSession;

beforeAll(async () => {
  workshop = await openWorkshop();
  otherWorkshop = await openWorkshop();
  root = path.join(workshop.folder, 'files');
  mkdirSync(root, { mode: 0o755 });
  writeFileSync(path.join(root, 'hello.txt'), 'Hello from a file\n');
  writeFileSync(path.join(root, 'large.bin'), large);
  writeFileSync(path.join(root, 'ten.bin'), large.subarray(0, 10 * MIB));
  writeFileSync(path.join(root, 'medium.bin'), large.subarray(0, 4 * MIB));
  session = new Client({ protocol: ['http3'], tls: { ca: workshop.caPem } }).session();
});

afterAll(async () => {
  await session.close();
  workshop.dispose();
  otherWorkshop.dispose();
});

/** The digest of a body as it streams by. */
async function digestOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of body) hash.update(chunk);
  return hash.digest('hex');
}

async function* pieces(length = large.length): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < length; offset += 100_000) {
    yield await Promise.resolve(large.slice(offset, Math.min(length, offset + 100_000)));
  }
}

/** A session of its own, whose connections are new. */
function visit(options: ClientOptions, work: (one: ClientSession) => Promise<void>): Promise<void> {
  return new Client({ protocol: ['http3'], tls: { ca: workshop.caPem }, ...options }).withSession(work);
}

/** Two sessions of one client, one behind the other: was a session resumed, did the request go early? */
async function visits(client: Client, server: ForeignQuicServer): Promise<[resumed: boolean, early: boolean][]> {
  const seen: [resumed: boolean, early: boolean][] = [];
  for (let round = 0; round < 2; round += 1) {
    await client.withSession(async (one) => {
      const response = await one.dispatch({ url: `${server.url}/hello.txt` });
      expect(await response.text()).toBe('Hello from a file\n');
      const { tls, early } = response.connection;
      expect(tls).toMatchObject({ authorized: true, version: 'TLSv1.3' });
      seen.push([tls?.resumed === true, early]);
    });
  }
  return seen;
}

/** Both ways under keys that live for so many packets only. */
async function updatesKeys(server: ForeignQuicServer, upload: string): Promise<void> {
  const traces = new KeyUpdates();
  await visit({ quic: { quicLimits: { maxPackets: 500 }, traces } }, async (one) => {
    const down = await one.dispatch({ url: `${server.url}/ten.bin` });
    expect(await digestOf(down.body)).toBe(digest(large.subarray(0, 10 * MIB)));
    const headers = { 'content-length': String(10 * MIB) };
    const up = await one.dispatch({
      url: `${server.url}${upload}`,
      method: 'POST',
      headers,
      body: pieces(10 * MIB),
    });
    expect(up.status).toBe(200);
    await up.bytes();
  });
  // The peer has answered each by the like.
  expect(traces.changed.local).toBeGreaterThan(0);
  expect(Math.abs(traces.changed.local - traces.changed.remote)).toBeLessThanOrEqual(1);
}

/** A download in whose middle the client moves, and moves again. */
async function migrates(server: ForeignQuicServer): Promise<void> {
  const relay = await startRelay({ port: server.port });
  const url = `https://localhost:${String(relay.port)}`;
  await visit({}, async (one) => {
    const down = await one.dispatch({ url: `${url}/ten.bin` });
    const reading = digestOf(down.body);
    expect([await one.migrate(), await one.migrate()]).toEqual([1, 1]);
    expect(await reading).toBe(digest(large.subarray(0, 10 * MIB)));
    const next = await one.dispatch({ url: `${url}/hello.txt` });
    expect(next.connection.id).toBe(down.connection.id);
    expect(await next.text()).toBe('Hello from a file\n');
  });
  expect(relay.clients).toBe(3);
  await relay.stop();
}

/** The first question is in a reserved version, the answer a Version Negotiation packet, then all is in version 1. */
async function negotiates(server: ForeignQuicServer): Promise<void> {
  const relay = await startRelay({ port: server.port });
  const url = `https://localhost:${String(relay.port)}`;
  await visit({ quic: { versionProbe: true } }, async (one) => {
    const response = await one.dispatch({ url: `${url}/hello.txt` });
    expect(await response.text()).toBe('Hello from a file\n');
  });
  const { up, down } = relay.versions;
  expect(up[0]?.toString(16)).toMatch(/^(.a){4}$/);
  expect(new Set(up.slice(1))).toEqual(new Set([1]));
  expect([down[0], new Set(down.slice(1))]).toEqual([0, new Set([1])]);
  await relay.stop();
}

/** The same with every server: a file, and no file with another authority. */
function verifies(server: () => ForeignQuicServer): void {
  it('gets a file, once the certificate is verified', async () => {
    const response = await session.dispatch({ url: `${server().url}/hello.txt` });
    expect([response.status, response.httpVersion]).toEqual([200, '3']);
    expect(await response.text()).toBe('Hello from a file\n');
    expect(response.connection.tls).toMatchObject({ alpn: 'h3', version: 'TLSv1.3', authorized: true });
  });

  it('gets nothing where another authority is trusted', async () => {
    const client = new Client({ protocol: ['http3'], tls: { ca: otherWorkshop.caPem } });
    await client.withSession(async (stranger) => {
      const failing = stranger.dispatch({ url: `${server().url}/hello.txt` });
      await expect(failing).rejects.toMatchObject({ code: 'ERR_CERT_AUTHORITY', phase: 'tls' });
    });
  });
}

const gtlsserver = findProgram('gtlsserver');

describe.skipIf(gtlsserver === undefined)("ngtcp2's server", () => {
  let server: ForeignQuicServer;
  beforeAll(async () => {
    server = await startGtlsserver(gtlsserver ?? '', workshop, root);
  });
  afterAll(() => server.stop());

  verifies(() => server);

  it('sends 100 MiB', async () => {
    const response = await session.dispatch({ url: `${server.url}/large.bin` });
    expect(await digestOf(response.body)).toBe(largeDigest);
  });

  it('takes 100 MiB', async () => {
    const url = `${server.url}/hello.txt`;
    const response = await session.dispatch({ url, method: 'POST', body: pieces() });
    expect([response.status, await response.text()]).toEqual([200, 'Hello from a file\n']);
    expect(session.running).toBe(0);
  });

  it('answers a hundred requests over one connection', async () => {
    const ids = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await session.dispatch({ url: `${server.url}/hello.txt` });
        expect(await response.text()).toBe('Hello from a file\n');
        return response.connection.id;
      }),
    );
    expect(new Set(ids).size).toBe(1);
  });

  it('resumes a session', async () => {
    const client = new Client({ protocol: ['http3'], tls: { ca: workshop.caPem } });
    const resumed: (boolean | undefined)[] = [];
    for (let round = 0; round < 2; round += 1) {
      await client.withSession(async (one) => {
        const response = await one.dispatch({ url: `${server.url}/hello.txt` });
        expect(await response.text()).toBe('Hello from a file\n');
        resumed.push(response.connection.tls?.resumed);
      });
    }
    expect(resumed).toEqual([false, true]);
  });

  it('lets a download go, and the connection goes on', async () => {
    const controller = new AbortController();
    const response = await session.fetch(`${server.url}/large.bin`, { signal: controller.signal });
    controller.abort();
    await expect(response.arrayBuffer()).rejects.toThrow();
    const next = await session.dispatch({ url: `${server.url}/hello.txt` });
    expect(await next.text()).toBe('Hello from a file\n');
  });
});

describe.skipIf(gtlsserver === undefined)("ngtcp2's server, and what happens to a connection", () => {
  let server: ForeignQuicServer;
  beforeAll(async () => {
    server = await startGtlsserver(gtlsserver ?? '', workshop, root);
  });
  afterAll(() => server.stop());

  it('updates keys with the client, both ways, as often as the client says (RFC 9001 section 6)', () =>
    updatesKeys(server, '/hello.txt'));

  it('follows the client to other ports in the middle of a download (RFC 9000 section 9)', () => migrates(server));

  it('is followed to its preferred address (RFC 9000 section 9.6)', async () => {
    const preferredPort = await freeUdpPort();
    const preferred = `--preferred-ipv4-addr=127.0.0.1:${String(preferredPort)}`;
    const moving = await startGtlsserver(gtlsserver ?? '', workshop, root, [preferred]);
    await visit({}, async (one) => {
      const ports = new Set<number>();
      // Small requests, until the way there is proved.
      for (let asked = 0; asked < 400 && !ports.has(preferredPort); asked += 1) {
        const response = await one.dispatch({ url: `${moving.url}/hello.txt` });
        expect(await response.text()).toBe('Hello from a file\n');
        const { remoteAddress } = response.connection;
        if (remoteAddress.family !== 'unix') ports.add(remoteAddress.port);
      }
      expect(ports).toContain(preferredPort);
      const response = await one.dispatch({ url: `${moving.url}/medium.bin` });
      expect(await digestOf(response.body)).toBe(digest(large.subarray(0, 4 * MIB)));
    });
    await moving.stop();
  });

  it('tells its versions when it is asked for them (RFC 9000 sections 6 and 15)', () => negotiates(server));

  it('answers a request in 0-RTT data (RFC 9001 section 4.6)', async () => {
    const client = new Client({ protocol: ['http3'], tls: { ca: workshop.caPem }, quic: { earlyData: true } });
    expect(await visits(client, server)).toEqual([
      [false, false],
      [true, true],
    ]);
  });
});

describe.skipIf(gtlsserver === undefined)(
  "ngtcp2's server behind a network that loses every twentieth datagram",
  () => {
    let server: ForeignQuicServer;
    let relay: Relay;
    beforeAll(async () => {
      server = await startGtlsserver(gtlsserver ?? '', workshop, root);
      relay = await startRelay({ port: server.port, loss: 0.05 });
    });
    afterAll(async () => {
      await relay.stop();
      await server.stop();
    });

    it('sends and takes 10 MiB, from a client that updates keys and moves meanwhile', async () => {
      const url = `https://localhost:${String(relay.port)}`;
      await visit({ quic: { quicLimits: { maxPackets: 1_000 } } }, async (one) => {
        const down = await one.dispatch({ url: `${url}/ten.bin` });
        const reading = digestOf(down.body);
        expect(await one.migrate()).toBe(1);
        expect(await reading).toBe(digest(large.subarray(0, 10 * MIB)));
        const up = await one.dispatch({ url: `${url}/hello.txt`, method: 'POST', body: pieces(10 * MIB) });
        expect([up.status, await up.text()]).toEqual([200, 'Hello from a file\n']);
      });
      expect(relay.clients).toBe(2);
      expect(relay.lost).toBeGreaterThan(relay.passed / 40);
    });
  },
);

describe.skipIf(gtlsserver === undefined)("ngtcp2's server that asks for Retry", () => {
  let server: ForeignQuicServer;
  beforeAll(async () => {
    server = await startGtlsserver(gtlsserver ?? '', workshop, root, ['-V']);
  });
  afterAll(() => server.stop());
  verifies(() => server);
});

describe.skipIf(gtlsserver === undefined)("ngtcp2's server that loses every twentieth packet itself", () => {
  let server: ForeignQuicServer;
  beforeAll(async () => {
    server = await startGtlsserver(gtlsserver ?? '', workshop, root, ['-t', '0.05', '-r', '0.05']);
  });
  afterAll(() => server.stop());

  verifies(() => server);

  it('sends 4 MiB', async () => {
    const response = await session.dispatch({ url: `${server.url}/medium.bin` });
    expect(await digestOf(response.body)).toBe(digest(large.subarray(0, 4 * MIB)));
  });
});

const caddy = findProgram('caddy');

/** The application behind Caddy: the digest of what it was sent. */
async function answerDigest(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of request) hash.update(chunk as Uint8Array);
  response.end(hash.digest('hex'));
}

describe.skipIf(caddy === undefined)('Caddy', () => {
  let server: ForeignQuicServer;
  let application: Server;
  beforeAll(async () => {
    application = createServer((request, response) => void answerDigest(request, response));
    await new Promise<void>((resolve) => application.listen(0, '127.0.0.1', resolve));
    server = await startHttp3Caddy(caddy ?? '', workshop, root, (application.address() as AddressInfo).port);
  });
  afterAll(async () => {
    await server.stop();
    application.closeAllConnections();
    await new Promise((resolve) => application.close(resolve));
  });

  verifies(() => server);

  it('has seen HTTP/3', () => {
    expect(server.output()).toContain('"proto":"HTTP/3.0"');
  });

  it('sends 100 MiB', async () => {
    const response = await session.dispatch({ url: `${server.url}/large.bin` });
    expect(response.header('content-length')).toBe(String(large.length));
    expect(await digestOf(response.body)).toBe(largeDigest);
  });

  it('takes 100 MiB and gives them to the application behind it', async () => {
    // Without a length this version of Caddy takes a request over HTTP/3 for one without a body.
    const headers = { 'content-length': String(large.length) };
    const url = `${server.url}/app/digest`;
    const response = await session.dispatch({ url, method: 'POST', headers, body: pieces() });
    expect([response.status, await response.text()]).toEqual([200, largeDigest]);
    expect(server.output()).toMatch(/"proto":"HTTP\/3.0","method":"POST"[^\n]*"\/app\/digest"/);
  });

  it('updates keys with the client (RFC 9001 section 6)', () => updatesKeys(server, '/app/digest'));

  it('tells its versions when it is asked for them (RFC 9000 sections 6 and 15)', () => negotiates(server));

  it('resumes a session, and answers a request in 0-RTT data (RFC 9001 section 4.6)', async () => {
    for (const earlyData of [false, true]) {
      const client = new Client({ protocol: ['http3'], tls: { ca: workshop.caPem }, quic: { earlyData } });
      expect(await visits(client, server)).toEqual([
        [false, false],
        [true, earlyData],
      ]);
    }
  });

  it('forbids migration, and the connection stays where it is (RFC 9000 section 18.2)', async () => {
    await visit({}, async (one) => {
      const first = await one.dispatch({ url: `${server.url}/hello.txt` });
      await first.text();
      expect(await one.migrate()).toBe(0);
      const next = await one.dispatch({ url: `${server.url}/hello.txt` });
      expect(await next.text()).toBe('Hello from a file\n');
      expect(next.connection).toMatchObject({ id: first.connection.id, localAddress: first.connection.localAddress });
    });
  });

  it('answers with an error status while a body of 100 MiB is on its way', async () => {
    const response = await session.dispatch({ url: `${server.url}/teapot`, method: 'POST', body: pieces() });
    expect([response.status, await response.text()]).toEqual([418, 'short and stout']);
  });

  it('answers a hundred requests over one connection', async () => {
    const ids = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const response = await session.dispatch({ url: `${server.url}/hello.txt` });
        expect(await response.text()).toBe('Hello from a file\n');
        return response.connection.id;
      }),
    );
    expect(new Set(ids).size).toBe(1);
  });

  it('is reached over whichever is ready first, where both are known', async () => {
    const client = new Client({ http3: true, tls: { ca: workshop.caPem } });
    await client.withSession(async (both) => {
      const response = await both.dispatch({ url: `${server.url}/hello.txt` });
      expect(['2', '3']).toContain(response.httpVersion);
      expect(await response.text()).toBe('Hello from a file\n');
    });
  });
});
