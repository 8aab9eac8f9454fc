/**
 * The engine on node:http behind the facades, over sockets and over the simulated network; and what it leaves behind.
 */
import { describe, expect, it } from 'vitest';
import { AppServer, Client } from '../../../src/index.ts';
import {
  NodeHttpClientFactory,
  nodeHttpRegistryEntry,
  NodeHttpServerFactory,
  register,
} from '../../../src/engines/node-http/index.ts';
import { ProtocolRegistry } from '../../../src/protocols/index.ts';
import type { HttpEvent, HttpOverTcpProtocol } from '../../../src/protocols/index.ts';
import { testContext } from '../../support/connection-pair.ts';
import { digest, pattern, serverApp } from '../../interop/support/server-app.ts';

register();

const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets an engine come to rest; answers its events and output. */
async function rest(engine: HttpOverTcpProtocol, now = 0): Promise<{ events: HttpEvent[]; output: string }> {
  const events: HttpEvent[] = [];
  let output = '';
  for (let count = 0; count < 5; count += 1) {
    for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) events.push(event);
    for (const chunk of engine.bytesToSend(now) ?? []) output += Buffer.from(chunk).toString('latin1');
    await turn();
  }
  return { events, output };
}

/** What keeps the process alive. */
const alive = (): string[] => process.getActiveResourcesInfo().filter((name) => /Timeout|TCP|Server/.test(name));

describe('the engine on node:http behind the facades', () => {
  it.each([
    ['node', 'node'],
    ['node', 'hface'],
    ['hface', 'node'],
  ])('serves (%s) and asks (%s) with content, trailers, hints and reuse', async (serves, asks) => {
    const server = await new AppServer(serverApp, { http1Implementation: serves, protocol: ['http1'] }).listen(
      'http://127.0.0.1:0',
    );
    const client = new Client({ implementations: { http1: asks }, protocol: ['http1'] });
    await client.withSession(async (session) => {
      const body = pattern(300_000);
      const answer = await session.fetch(new URL('/digest', server.url), { method: 'POST', body });
      expect(await answer.json()).toMatchObject({ digest: digest(body) });
      const down = await session.fetch(new URL('/bytes?count=300000', server.url));
      expect(digest(new Uint8Array(await down.arrayBuffer()))).toBe(digest(body));
      const stream = await session.fetch(new URL('/stream?count=200000', server.url));
      expect((await stream.text()).length).toBe(200_000);
      expect(await (await session.fetch(new URL('/hints', server.url))).text()).toBe('hinted\n');
      const echoed = await session.fetch(new URL('/echo', server.url), { method: 'POST', body: 'again' });
      expect(await echoed.text()).toBe('again');
    });
    await server.drain();
  });
});

describe('the engine on node:http', () => {
  it('registers once, in any registry', () => {
    const registry = new ProtocolRegistry();
    register(registry);
    register(registry);
    expect(registry.entries()).toEqual([nodeHttpRegistryEntry]);
  });

  it('refuses limits that it does not have', () => {
    expect(() => new NodeHttpServerFactory({ limits: { maxNothing: 1 } as never })).toThrow(/maxNothing/);
    expect(() => new NodeHttpClientFactory({ limits: { maxNothing: 1 } as never })).toThrow(/maxNothing/);
    expect(() => new NodeHttpServerFactory({ errorResponseHeaders: ['bad name', 'x'] })).toThrow(/bad name/);
  });

  it('leaves no timer and no handle, in whatever state the connection is lost', async () => {
    const before = alive();
    const inputs = [
      '',
      'GET / HT',
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx',
    ];
    for (const input of inputs) {
      const engine = new NodeHttpServerFactory().create(testContext(), 0);
      if (input !== '') engine.bytesReceived(octets(input), 0);
      await rest(engine);
      engine.connectionLost(1);
      const { events } = await rest(engine);
      expect(events.at(-1)?.type).toBe('ConnectionTerminated');
      expect(engine.nextTimeout()).toBeUndefined();
    }
    const client = new NodeHttpClientFactory().create(testContext(), 0);
    client.submitHeaders(1, [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'], {
      endStream: true,
    });
    await rest(client);
    client.connectionLost(1);
    await rest(client);
    expect(client.nextTimeout()).toBeUndefined();
    // What was there before, such as a timer of the test runner, may have ended meanwhile.
    for (let count = 0; count < 200 && alive().length > before.length; count += 1) await turn();
    expect(alive().length).toBeLessThanOrEqual(before.length);
  });

  it('surfaces pipelined requests one at a time and stops reading while one waits (RFC 9112 section 9.3.2)', async () => {
    const engine = new NodeHttpServerFactory().create(testContext(), 0);
    const one = 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\n';
    engine.bytesReceived(octets(one + one.replace('/1', '/2') + one.replace('/1', '/3')), 0);
    const first = await rest(engine);
    expect(first.events.map(({ type }) => type)).toEqual(['HeadersReceived']);
    expect(engine.wantsInput).toBe(false);
    engine.submitHeaders(1, [':status', '204'], { endStream: true });
    engine.submitHandlerEnd(1);
    const second = await rest(engine);
    expect(second.events.map(({ type }) => type)).toEqual(['StreamClosed', 'HeadersReceived']);
  });

  it('surfaces no further request while too many handlers live (CVE-2023-44487)', async () => {
    const engine = new NodeHttpServerFactory({ limits: { maxLiveHandlers: 2 } }).create(testContext(), 0);
    engine.bytesReceived(octets('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(3)), 0);
    for (const streamId of [1, 2]) {
      await rest(engine);
      engine.submitHeaders(streamId, [':status', '204'], { endStream: true });
    }
    const held = await rest(engine);
    expect(held.events.some(({ type }) => type === 'HeadersReceived')).toBe(false);
    engine.submitHandlerEnd(1);
    const going = await rest(engine);
    expect(going.events.map(({ type }) => type)).toContain('HeadersReceived');
  });

  it.each([
    ['maxHeaderBytes', 431, { maxHeaderBytes: 1000 }, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(2000)}\r\n\r\n`],
    ['maxHeaderCount', 431, { maxHeaderCount: 2 }, 'GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nY: 2\r\n\r\n'],
    ['maxBodyBytes', 413, { maxBodyBytes: 3 }, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd'],
  ])('keeps to %s, and says %i', async (_name, status, limits, input) => {
    const engine = new NodeHttpServerFactory({ limits }).create(testContext(), 0);
    engine.bytesReceived(octets(input), 0);
    const { events, output } = await rest(engine);
    expect(output).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `));
    expect(output).toMatch(/\r\ndate: Sun, 06 Nov 1994 /);
    engine.eofReceived(0);
    const ended = await rest(engine);
    expect([...events, ...ended.events].at(-1)).toMatchObject({
      type: 'ConnectionTerminated',
      error: { code: expect.stringMatching(/^ERR_/) },
    });
  });

  it('ends slow heads by 408, idle connections without a word, and output that nobody takes', async () => {
    const slow = new NodeHttpServerFactory().create(testContext(), 0);
    slow.bytesReceived(octets('GET / HT'), 0);
    await rest(slow);
    expect(slow.nextTimeout()).toBe(30_000);
    slow.handleTimeout(30_000);
    expect((await rest(slow, 30_000)).output).toMatch(/^HTTP\/1\.1 408 /);
    const stuck = new NodeHttpServerFactory().create(testContext(), 0);
    stuck.bytesReceived(octets('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), 0);
    await rest(stuck);
    stuck.submitHeaders(1, [':status', '200'], { endStream: false });
    stuck.submitData(1, octets('x'), { endStream: false });
    await turn();
    stuck.handleTimeout(10);
    expect(stuck.nextTimeout()).toBe(60_010);
    stuck.handleTimeout(60_010);
    expect((await rest(stuck, 60_010)).events.at(-1)).toMatchObject({
      type: 'ConnectionTerminated',
      error: { code: 'ERR_TIMEOUT' },
    });
  });

  it('hands a handler’s fault in trailers to the peer, not to the process (RFC 9110 section 6.5.1)', async () => {
    const engine = new NodeHttpServerFactory().create(testContext(), 0);
    engine.bytesReceived(
      octets('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Type: a\r\n\r\n'),
      0,
    );
    const { events, output } = await rest(engine);
    expect(output).toMatch(/^HTTP\/1\.1 400 /);
    expect(events.map(({ type }) => type)).toContain('StreamResetSent');
  });
});
