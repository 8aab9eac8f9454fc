/**
 * Our client against foreign servers over HTTP/3: ngtcp2's and Caddy. Every run verifies the server's certificate; with
 * another authority every one fails.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/index.ts';
import type { ClientSession } from '../../src/index.ts';
import { startGtlsserver, startHttp3Caddy } from './support/http3-peers.ts';
import type { ForeignQuicServer } from './support/http3-peers.ts';
import { findProgram, openWorkshop } from './support/peers.ts';
import type { Workshop } from './support/peers.ts';
import { digest, pattern } from './support/server-app.ts';

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

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < large.length; offset += 100_000) {
    yield await Promise.resolve(large.slice(offset, offset + 100_000));
  }
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

describe.skipIf(gtlsserver === undefined)("ngtcp2's server that asks for Retry", () => {
  let server: ForeignQuicServer;
  beforeAll(async () => {
    server = await startGtlsserver(gtlsserver ?? '', workshop, root, ['-V']);
  });
  afterAll(() => server.stop());
  verifies(() => server);
});

describe.skipIf(gtlsserver === undefined)("ngtcp2's server behind a network that loses every twentieth packet", () => {
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

describe.skipIf(caddy === undefined)('Caddy', () => {
  let server: ForeignQuicServer;
  beforeAll(async () => {
    server = await startHttp3Caddy(caddy ?? '', workshop, root);
  });
  afterAll(() => server.stop());

  verifies(() => server);

  it('has seen HTTP/3', () => {
    expect(server.output()).toContain('"proto":"HTTP/3.0"');
  });

  it('sends 100 MiB', async () => {
    const response = await session.dispatch({ url: `${server.url}/large.bin` });
    expect(response.header('content-length')).toBe(String(large.length));
    expect(await digestOf(response.body)).toBe(largeDigest);
  });

  it('takes 100 MiB, and an error status is an answer', async () => {
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
