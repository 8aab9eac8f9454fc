/**
 * The HTTP/2 engines on Node's sessions behind the facades, over sockets; and what they leave behind.
 */
import { describe, expect, it } from 'vitest';
import { AppServer, Client } from '../../../src/index.ts';
import { loadHttp2Wrapper, register as registerWrapper } from '../../../src/engines/http2-wrapper/index.ts';
import { NodeHttp2ServerFactory, register } from '../../../src/engines/node-http2/index.ts';
import type { HttpEvent, HttpOverTcpProtocol } from '../../../src/protocols/index.ts';
import { ProtocolRegistry } from '../../../src/protocols/index.ts';
import { digest, pattern, serverApp } from '../../interop/support/server-app.ts';
import { testContext } from '../../support/connection-pair.ts';

register();
await registerWrapper();

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets an engine come to rest. */
async function rest(engine: HttpOverTcpProtocol): Promise<HttpEvent[]> {
  const events: HttpEvent[] = [];
  for (let count = 0; count < 6; count += 1) {
    for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) events.push(event);
    engine.bytesToSend(0);
    await turn();
  }
  return events;
}

/** What keeps the process alive. */
const alive = (): string[] => process.getActiveResourcesInfo().filter((name) => /Timeout|TCP|Server/.test(name));

describe('the HTTP/2 engines behind the facades', () => {
  it.each([
    ['node', 'wrapper'],
    ['node', 'hface'],
    ['hface', 'wrapper'],
  ])('serves (%s) and asks (%s) with content, hints, trailers and many streams', async (serves, asks) => {
    const server = await new AppServer(serverApp, { http2Implementation: serves, protocol: ['http2'] }).listen(
      'http://127.0.0.1:0',
    );
    const client = new Client({ implementations: { http2: asks }, protocol: ['http2'] });
    await client.withSession(async (session) => {
      const body = pattern(300_000);
      const answer = await session.fetch(new URL('/digest', server.url), { method: 'POST', body });
      expect(await answer.json()).toMatchObject({ digest: digest(body) });
      const down = await session.fetch(new URL('/bytes?count=300000', server.url));
      expect(digest(new Uint8Array(await down.arrayBuffer()))).toBe(digest(body));
      const many = Array.from({ length: 20 }, () => session.fetch(new URL('/hello', server.url)));
      for (const response of await Promise.all(many)) {
        expect(response.headers.get('x-version')).toBe('2');
        expect(await response.text()).toBe('Hello\n');
      }
      expect(await (await session.fetch(new URL('/hints', server.url))).text()).toBe('hinted\n');
    });
    await server.drain();
  });
});

describe('the HTTP/2 engines', () => {
  it('register once, in any registry, each with the side that it has', async () => {
    const registry = new ProtocolRegistry();
    for (let count = 0; count < 2; count += 1) {
      register(registry);
      await registerWrapper(registry);
    }
    expect(registry.entries().map(({ name }) => name)).toEqual(['node', 'wrapper']);
    expect(registry.lookup('http2', 'node').createClientFactory).toBeUndefined();
    expect(registry.lookup('http2', 'wrapper').createServerFactory).toBeUndefined();
  });

  it('refuse limits that they do not have', async () => {
    const { createClientFactory } = await loadHttp2Wrapper();
    expect(() => new NodeHttp2ServerFactory({ limits: { maxNothing: 1 } as never })).toThrow(/maxNothing/);
    expect(() => createClientFactory?.({ limits: { maxNothing: 1 } })).toThrow(/maxNothing/);
  });

  it('leave no timer and no handle when the connection is lost', async () => {
    const before = alive();
    const client = (await loadHttp2Wrapper()).createClientFactory!().create(testContext(), 0);
    client.submitHeaders(1, [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'], {
      endStream: true,
    });
    for (const engine of [client, new NodeHttp2ServerFactory().create(testContext(), 0)]) {
      await rest(engine);
      engine.connectionLost(1);
      expect((await rest(engine)).at(-1)?.type).toBe('ConnectionTerminated');
      expect(engine.nextTimeout()).toBeUndefined();
    }
    // What was there before, such as a timer of the test runner, may have ended meanwhile.
    for (let count = 0; count < 200 && alive().length > before.length; count += 1) await turn();
    expect(alive().length).toBeLessThanOrEqual(before.length);
  });
});
