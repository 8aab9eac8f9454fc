import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AsgiApp } from '../../../src/app/index.ts';
import { asgi } from '../../../src/app/index.ts';
import type { RunningServer } from '../../../src/server/index.ts';
import { AppServer } from '../../../src/server/index.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { gate, RawClient, request, settle, start, until } from './loopback.ts';

const GET = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';
let sockets: Record<string, number> = {};
let server: RunningServer | undefined;

beforeEach(() => {
  sockets = openSockets();
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await expectNoSocketsBesides(sockets);
});

describe('drain', () => {
  it('sends the last byte of what runs, and takes nothing new', async () => {
    const hold = gate();
    server = await start(
      () =>
        new Response(
          new ReadableStream({
            async start(controller) {
              controller.enqueue(Buffer.from('first'));
              await hold.opened;
              controller.enqueue(Buffer.from('last'));
              controller.close();
            },
          }),
        ),
    );
    const busy = new RawClient(server);
    busy.write(GET);
    await busy.until('first');
    const idle = new RawClient(server);
    idle.write(GET.replace('GET / ', 'HEAD / '));
    await idle.until('\r\n\r\n');
    let drained = false;
    const draining = server.drain().then(() => (drained = true));
    expect(await idle.end()).toMatch(/^HTTP\/1\.1 200 OK/);
    const late = new RawClient(server);
    late.write(GET);
    expect(await late.end()).toBe('');
    expect(drained).toBe(false);
    hold.open();
    expect(await busy.end()).toMatch(/4\r\nlast\r\n0\r\n\r\n$/);
    await draining;
    await expect(server.closed).resolves.toBeUndefined();
    expect(server.connections.size).toBe(0);
  });

  it('tells clients with connection: close (RFC 9112 section 9.6)', async () => {
    const hold = gate();
    server = await start(async () => {
      await hold.opened;
      return new Response('done');
    });
    const client = new RawClient(server);
    client.write(GET);
    await until(() => server?.connections.size === 1);
    await settle();
    const draining = server.drain();
    hold.open();
    expect(await client.end()).toMatch(/\r\nconnection: close\r\n[\s\S]*done$/i);
    await draining;
  });

  it('waits for waitUntil, and reports what fails in it', async () => {
    const hold = gate();
    const errors: unknown[] = [];
    server = await start(
      (_incoming, context) => {
        context.waitUntil(hold.opened);
        context.waitUntil(hold.opened.then(() => Promise.reject(new Error('background'))));
        return new Response('ok');
      },
      { onError: (error, details) => errors.push([String(error), details.kind]) },
    );
    await request(server, GET.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n'));
    let drained = false;
    const draining = server.drain().then(() => (drained = true));
    for (let turn = 0; turn < 20; turn += 1) await settle();
    expect(drained).toBe(false);
    hold.open();
    await draining;
    expect(errors).toEqual([['Error: background', 'waitUntil']]);
  });

  it('ends within its bound, whatever the app does', async () => {
    let signal: AbortSignal | undefined;
    server = await start((incoming, context) => {
      signal = incoming.signal;
      context.waitUntil(new Promise(() => undefined));
      return new Promise(() => undefined);
    });
    const client = new RawClient(server);
    client.write(GET);
    await until(() => signal !== undefined);
    await server.drain({ timeout: 20 });
    expect(signal?.aborted).toBe(true);
    expect(await client.end()).not.toMatch(/200/);
  });

  it('ends at once when its signal says so, or close is called', async () => {
    for (const end of ['signal', 'close']) {
      let reached = false;
      const running = await start(() => {
        reached = true;
        return new Promise(() => undefined);
      });
      const client = new RawClient(running);
      client.write(GET);
      await until(() => reached);
      const controller = new AbortController();
      const draining = running.drain({ timeout: Infinity, signal: controller.signal });
      await settle();
      if (end === 'signal') controller.abort();
      else void running.close();
      await draining;
      await expect(running.closed).resolves.toBeUndefined();
      client.destroy();
    }
  });

  it('stops an ASGI-style app after its requests', async () => {
    const log: string[] = [];
    const hold = gate();
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type === 'lifespan') {
        await receive();
        await send({ type: 'lifespan.startup.complete' });
        await receive();
        log.push('shutdown');
        await send({ type: 'lifespan.shutdown.complete' });
        return;
      }
      log.push('request');
      await hold.opened;
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body', body: Buffer.from('done') });
      log.push('answered');
    };
    server = await start(asgi(app));
    const client = new RawClient(server);
    client.write(GET);
    await until(() => log.length === 1);
    const draining = server.drain();
    await settle();
    hold.open();
    expect(await client.end()).toMatch(/done$/);
    await draining;
    expect(log).toEqual(['request', 'answered', 'shutdown']);
  });

  it('does not wait for an app that does not stop', async () => {
    const errors: unknown[] = [];
    const app: AsgiApp = async (_scope, receive, send) => {
      await receive();
      await send({ type: 'lifespan.startup.complete' });
      await new Promise(() => undefined);
    };
    server = await start(asgi(app), { timeouts: { shutdown: 10 }, onError: (error) => errors.push(error) });
    await server.close();
    expect(errors).toEqual([expect.objectContaining({ timer: 'shutdown' })]);
  });

  it('gives up a start that takes too long', async () => {
    const app: AsgiApp = async (_scope, receive) => {
      await receive();
      await new Promise(() => undefined);
    };
    const starting = new AppServer(asgi(app), { timeouts: { startup: 10 } }).listen('http://127.0.0.1:0');
    await expect(starting).rejects.toMatchObject({ timer: 'startup' });
  });

  it('leaves a server that is closed closed', async () => {
    const running = await start(() => new Response());
    await running[Symbol.asyncDispose]();
    await running.close();
    await running.drain();
    await expect(running.closed).resolves.toBeUndefined();
  });
});
