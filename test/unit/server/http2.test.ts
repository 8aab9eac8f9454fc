/**
 * An AppServer over HTTP/2: one port for both versions, ALPN, streams beside each other, priorities, the end.
 */
import http2 from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { App, AppContext } from '../../../src/index.ts';
import { AppServer, Client } from '../../../src/index.ts';
import type { AppServerOptions, ClientOptions, ClientSession, RunningServer } from '../../../src/index.ts';
import {
  END_HEADERS,
  END_STREAM,
  frame,
  latin1,
  preface,
  priorityUpdate,
  settings,
  Type,
} from '../../support/http2-frames.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { makeCertificate } from '../../support/test-certificates.ts';

const identity = makeCertificate();
const tls = { cert: identity.cert, key: identity.key };
const ends: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(app: App, options: AppServerOptions = {}, scheme = 'http'): Promise<RunningServer> {
  const server = await new AppServer(app, { tls, ...options }).listen(`${scheme}://localhost:0`);
  ends.push(() => server.close());
  return server;
}

function session(options: ClientOptions = {}): ClientSession {
  const one = new Client({ tls: { ca: identity.certPem }, ...options }).session();
  ends.push(() => one.close());
  return one;
}

const versions: App = (_request, context) => new Response(context.httpVersion);

async function versionOf(server: RunningServer, options: ClientOptions): Promise<string> {
  const response = await session(options).dispatch({ url: server.url });
  return `${response.httpVersion} ${await response.text()}`;
}

describe('the version', () => {
  it('is agreed on by ALPN, the best first (RFC 7301)', async () => {
    const server = await start(versions, {}, 'https');
    expect(await versionOf(server, {})).toBe('2 2');
    expect(await versionOf(server, { protocol: ['http1'] })).toBe('1.1 1.1');
    expect(await versionOf(server, { protocol: ['http2'] })).toBe('2 2');
    const old = await start(versions, { protocol: ['http1'] }, 'https');
    expect(await versionOf(old, {})).toBe('1.1 1.1');
    // Nothing is fallen back to outside the set.
    await expect(versionOf(old, { protocol: ['http2'] })).rejects.toMatchObject({ phase: 'tls' });
  });

  it('is told from the first bytes without TLS (RFC 9113 section 3.3)', async () => {
    const server = await start(versions);
    expect(await versionOf(server, {})).toBe('1.1 1.1');
    expect(await versionOf(server, { protocol: ['http2'] })).toBe('2 2');
    const { port } = server.endpoints[0] ?? { port: 0 };
    const socket = connect(port, 'localhost');
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    // As far as the preface goes, it may be either.
    for (const octet of 'P' + 'OST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n') socket.write(octet);
    await expect.poll(() => received).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*1\.1$/);
    socket.destroy();
  });

  it('of an endpoint may be one alone', async () => {
    const server = await start(versions, { protocol: ['http2'] });
    expect(await versionOf(server, { protocol: ['http2'] })).toBe('2 2');
    await expect(versionOf(server, { protocol: ['http1'] })).rejects.toThrow();
  });
});

describe('streams', () => {
  it('run beside each other: one that waits holds up nobody', async () => {
    const release: (() => void)[] = [];
    const app: App = async (request) => {
      if (request.url.endsWith('/slow')) await new Promise<void>((resolve) => release.push(resolve));
      return new Response(new URL(request.url).pathname);
    };
    const server = await start(app);
    const client = session({ protocol: ['http2'] });
    const slow = client.fetch(`${server.url}/slow`);
    await expect.poll(() => release.length).toBe(1);
    const answers = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => (await client.fetch(`${server.url}/${index}`)).text()),
    );
    expect(answers).toEqual(answers.map((_, index) => `/${index}`));
    expect(server.connections.size).toBe(1);
    release[0]?.();
    expect(await (await slow).text()).toBe('/slow');
  });

  it('have ids of their own and Date once a response, and nothing of the connection in their fields', async () => {
    const app: App = (_request, context: AppContext) => new Response(`${context.streamId} ${context.requestId}`);
    const server = await start(app, { serverName: 'test' });
    const client = session({ protocol: ['http2'] });
    const first = await client.dispatch({ url: server.url });
    const second = await client.dispatch({ url: server.url });
    expect(first.headers.filter((_, index) => index % 2 === 0)).toEqual([
      'content-type',
      'date',
      'server',
      'content-length',
    ]);
    expect([await first.text(), await second.text()]).toEqual([
      expect.stringMatching(/^1 \w+-1$/),
      expect.stringMatching(/^3 \w+-3$/),
    ]);
  });

  it('take the priority that the client gives, changes, and the app decides (RFC 9218)', async () => {
    const contexts: AppContext[] = [];
    const release: (() => void)[] = [];
    const app: App = async (_request, context) => {
      contexts.push(context);
      await new Promise<void>((resolve) => release.push(resolve));
      return new Response('');
    };
    const server = await start(app);
    const client = session({ protocol: ['http2'] });
    const running = client.dispatch({
      url: server.url,
      headers: { priority: 'u=5' },
      priority: { urgency: 1, incremental: true },
    });
    await expect.poll(() => contexts.length).toBe(1);
    const { priority } = contexts[0] as AppContext;
    await expect.poll(() => [priority.urgency, priority.incremental]).toEqual([1, true]);
    priority.set(0);
    expect([priority.urgency, priority.incremental]).toEqual([0, true]);
    release[0]?.();
    await (await running).text();
  });

  it('take the priority that was told before the request came (RFC 9218 section 7.1)', async () => {
    const app: App = (_request, { priority }) => new Response(`${priority.urgency} ${priority.incremental}`);
    const server = await start(app);
    const socket = connect(server.endpoints[0]?.port ?? 0, 'localhost');
    ends.push(() => Promise.resolve(socket.destroy()));
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
    // GET, http and / by index, an authority and `priority: u=5` as literals (RFC 7541 appendix A).
    const block = Uint8Array.from([0x82, 0x86, 0x84, 0x01, 1, 0x61, 0, 8, ...latin1('priority'), 3, ...latin1('u=5')]);
    socket.write(preface);
    socket.write(settings());
    socket.write(priorityUpdate(1, 'u=2, i'));
    socket.write(frame(Type.HEADERS, END_HEADERS | END_STREAM, 1, block));
    await expect.poll(() => received).toContain('2 true');
  });

  it('are refused alone: a handler that fails ends its own', async () => {
    const app: App = (request) => {
      if (request.url.endsWith('/bad')) throw new Error('on purpose');
      if (request.url.endsWith('/cut')) {
        return new Response(new ReadableStream({ start: (controller) => controller.error(new Error('cut')) }));
      }
      return new Response('good');
    };
    const server = await start(app, { onError: () => undefined });
    const client = session({ protocol: ['http2'], retry: false });
    const [bad, cut, good] = await Promise.allSettled(
      ['/bad', '/cut', '/good'].map(async (path) => {
        const response = await client.dispatch({ url: server.url + path });
        return `${response.status} ${await response.text()}`;
      }),
    );
    expect(bad).toMatchObject({ status: 'fulfilled', value: expect.stringMatching(/^500 /) });
    expect(cut?.status === 'rejected' || (cut?.status === 'fulfilled' && cut.value.startsWith('500'))).toBe(true);
    expect(good).toMatchObject({ value: '200 good' });
    expect(server.connections.size).toBe(1);
  });
});

describe('the end', () => {
  it('by drain gives every answer that was begun, and refuses no request that was under way', async () => {
    const app: App = async (request) => {
      await sleep(Number(new URL(request.url).searchParams.get('wait')));
      return new Response(new Uint8Array(200_000));
    };
    const records: number[] = [];
    const server = await start(app, { onRequest: ({ status }) => records.push(status) });
    const clients = Array.from({ length: 5 }, () => session({ protocol: ['http2'] }));
    const running = clients.flatMap((client) =>
      Array.from({ length: 20 }, async (_, index) => {
        const response = await client.fetch(`${server.url}/?wait=${1_500 + index * 20}`);
        return (await response.arrayBuffer()).byteLength;
      }),
    );
    await expect.poll(() => server.requests).toBe(100);
    const drained = server.drain();
    expect(await Promise.all(running)).toEqual(running.map(() => 200_000));
    await drained;
    expect(records.filter((status) => status === 200)).toHaveLength(100);
    expect(server.connections.size).toBe(0);
  });

  it('by close resets what runs; after it no socket is left', async () => {
    const baseline = openSockets();
    const server = await new AppServer(() => new Promise<never>(() => undefined)).listen('http://localhost:0');
    const client = new Client({ protocol: ['http2'] }).session();
    const running = Promise.allSettled(Array.from({ length: 10 }, () => client.dispatch({ url: server.url })));
    await expect.poll(() => server.requests).toBe(10);
    await server.close();
    expect((await running).every(({ status }) => status === 'rejected')).toBe(true);
    await client.close();
    await expectNoSocketsBesides(baseline);
  });

  it('of the client is seen by the apps of all its streams', async () => {
    let aborted = 0;
    const app: App = async (request) => {
      await new Promise<void>((resolve) => {
        request.signal.addEventListener('abort', () => {
          aborted += 1;
          resolve();
        });
      });
      return new Response('');
    };
    const server = await start(app);
    const peer = http2.connect(server.url);
    peer.on('error', () => undefined);
    for (let index = 0; index < 10; index += 1) peer.request({ ':path': '/' }).on('error', () => undefined);
    await expect.poll(() => server.requests).toBe(10);
    peer.destroy();
    await expect.poll(() => aborted, { timeout: 8_000 }).toBe(10);
    await expect.poll(() => server.requests).toBe(0);
  });
});

describe('limits of HTTP/2', () => {
  it('are set by http2Limits, and told to clients', async () => {
    const server = await start(versions, { http2Limits: { maxConcurrentStreams: 3 } });
    const peer = http2.connect(server.url);
    await new Promise((resolve) => peer.once('remoteSettings', resolve));
    expect(peer.remoteSettings.maxConcurrentStreams).toBe(3);
    peer.destroy();
    expect(() => new AppServer(versions, { http2Limits: { maxConcurrentStreams: 1_000 } })).toThrow(
      /exceeds maxUnconsumedBytes/,
    );
    expect(() => new Client({ http2Limits: { maxStreams: 3 } })).toThrow(/no limit named maxStreams/);
  });

  it('that both versions have are the server’s', async () => {
    const server = await start(async (request) => new Response(await request.text()), {
      limits: { maxHeaderBytes: 1_000, maxBodyBytes: 1_000 },
    });
    const client = session({ protocol: ['http2'] });
    const large = await client.dispatch({ url: server.url, headers: { 'x-large': 'x'.repeat(2_000) } });
    expect(large.status).toBe(431);
    const body = await client.dispatch({ url: server.url, method: 'POST', body: 'x'.repeat(2_000) });
    expect(body.status).toBe(413);
    expect((await client.dispatch({ url: server.url })).status).toBe(200);
  });
});
