import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AsgiApp } from '../../../src/app/index.ts';
import { asgi } from '../../../src/app/index.ts';
import type { ByteStream } from '../../../src/networking/index.ts';
import type { RequestRecord, RunningServer } from '../../../src/server/index.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { gate, RawClient, settle, start, until, WatchedNetworking } from './loopback.ts';

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

/** Pieces without end; tells when it is cancelled. */
function endless(state: { produced: number; cancelled: unknown }): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      state.produced += 0x4000;
      controller.enqueue(new Uint8Array(0x4000));
    },
    cancel(reason) {
      state.cancelled = reason;
    },
  });
}

describe('a client that resets', () => {
  it('while the app thinks aborts its signal', async () => {
    const records: RequestRecord[] = [];
    let signal: AbortSignal | undefined;
    server = await start(
      (incoming) => {
        signal = incoming.signal;
        return new Promise(() => undefined);
      },
      { onRequest: (record) => records.push(record) },
    );
    const client = new RawClient(server);
    client.write(GET);
    await until(() => signal !== undefined);
    expect(signal?.aborted).toBe(false);
    client.reset();
    await until(() => signal?.aborted === true);
    await until(() => records.length === 1);
    expect(records[0]?.aborted).toBeDefined();
  });

  it('while a body is sent cancels the stream, and an upload fails at the reader', async () => {
    const state = { produced: 0, cancelled: undefined as unknown };
    let upload: Promise<unknown> | undefined;
    server = await start((incoming) => {
      upload = incoming.text().catch((error: unknown) => error);
      return new Response(endless(state));
    });
    const client = new RawClient(server);
    client.socket.pause();
    client.write('POST / HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await until(() => state.produced > 0);
    client.reset();
    await until(() => state.cancelled !== undefined);
    expect(state.cancelled).toBeInstanceOf(Error);
    expect(await upload).toBeInstanceOf(Error);
  });

  it('is http.disconnect to an ASGI-style app', async () => {
    const events: string[] = [];
    const app: AsgiApp = async (scope, receive) => {
      if (scope.type !== 'http') throw new Error('only http');
      events.push((await receive()).type);
      events.push((await receive()).type);
    };
    server = await start(asgi(app), { onError: () => undefined });
    const client = new RawClient(server);
    client.write(GET);
    await until(() => events.length === 1);
    client.reset();
    await until(() => events.length === 2);
    expect(events).toEqual(['http.request', 'http.disconnect']);
  });
});

describe('a client that ends its side', () => {
  it('still gets its response: FIN is half-close (RFC 9112 section 9.6)', async () => {
    let answer: ((response: Response) => void) | undefined;
    let signal: AbortSignal | undefined;
    server = await start((incoming) => {
      signal = incoming.signal;
      return new Promise((resolve) => (answer = resolve));
    });
    const client = new RawClient(server);
    client.socket.end(GET);
    await until(() => answer !== undefined);
    for (let turn = 0; turn < 20; turn += 1) await settle();
    expect(signal?.aborted).toBe(false);
    answer?.(new Response('late'));
    expect(await client.end()).toMatch(/late$/);
  });

  it('within its body has its request fail, not hang', async () => {
    let failure: unknown;
    server = await start(
      async (incoming) => {
        failure = await incoming.text().catch((error: unknown) => error);
        return new Response('never');
      },
      { onError: () => undefined },
    );
    const client = new RawClient(server);
    client.socket.end('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nabc');
    expect(await client.end()).not.toMatch(/200 OK/);
    await until(() => failure !== undefined);
    expect(failure).toBeInstanceOf(Error);
  });
});

describe('memory', () => {
  it('does not grow for a slow reader: 64 MiB down', async () => {
    let produced = 0;
    const networking = new WatchedNetworking();
    server = await start(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              if (produced >= total) {
                controller.close();
                return;
              }
              produced += 0x10000;
              controller.enqueue(new Uint8Array(0x10000));
            },
          }),
        ),
      { networking },
    );
    await slowReader(server, networking, () => produced);
    expect(produced).toBe(total);
  });

  it('does not grow for a slow reader of an ASGI-style app: 64 MiB down', async () => {
    let produced = 0;
    const app: AsgiApp = async (scope, _receive, send) => {
      if (scope.type !== 'http') throw new Error('only http');
      await send({ type: 'http.response.start', status: 200 });
      while (produced < total) {
        produced += 0x10000;
        await send({ type: 'http.response.body', body: new Uint8Array(0x10000), more_body: true });
      }
      await send({ type: 'http.response.body' });
    };
    const networking = new WatchedNetworking();
    server = await start(asgi(app), { networking });
    await slowReader(server, networking, () => produced);
    expect(produced).toBe(total);
  });

  it('does not grow for a slow app: 64 MiB up', async () => {
    const networking = new WatchedNetworking();
    const opened = gate();
    server = await start(
      async (incoming) => {
        await opened.opened;
        let taken = 0;
        for await (const chunk of incoming.body as ReadableStream<Uint8Array>) taken += chunk.byteLength;
        return new Response(String(taken));
      },
      { networking },
    );
    expect(await slowApp(server, networking, opened.open)).toMatch(new RegExp(`${String(total)}$`));
  });

  it('does not grow for a slow ASGI-style app: 64 MiB up', async () => {
    const networking = new WatchedNetworking();
    const opened = gate();
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type !== 'http') throw new Error('only http');
      await opened.opened;
      let taken = 0;
      for (let event = await receive(); event.type === 'http.request'; event = await receive()) {
        taken += event.body.byteLength;
        if (!event.more_body) break;
      }
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body', body: Buffer.from(String(taken)) });
    };
    server = await start(asgi(app), { networking });
    expect(await slowApp(server, networking, opened.open)).toMatch(new RegExp(`${String(total)}$`));
  });
});

const total = 64 * 1024 * 1024;

/** A client that reads nothing until the server stands still, then everything. */
async function slowReader(
  running: RunningServer,
  networking: WatchedNetworking,
  produced: () => number,
): Promise<void> {
  const client = new RawClient(running, { keep: false });
  client.socket.pause();
  client.write('GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n');
  await quiet(produced);
  const [stream] = networking.streams as [ByteStream];
  // What the system's buffers took is the system's; the rest waits in this process.
  expect(produced()).toBeLessThan(total / 2);
  expect(produced() - (stream.bytesWritten - stream.bufferedBytes)).toBeLessThan(0x80000);
  client.socket.resume();
  await client.end();
  expect(client.length).toBeGreaterThanOrEqual(total);
}

/** A client that sends as fast as it can to an app that is held back until the socket stands still. */
async function slowApp(running: RunningServer, networking: WatchedNetworking, open: () => void): Promise<string> {
  const client = new RawClient(running);
  client.write(`POST / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: ${String(total)}\r\n\r\n`);
  let written = 0;
  const pump = (): void => {
    while (written < total) {
      written += 0x10000;
      if (!client.socket.write(new Uint8Array(0x10000))) {
        client.socket.once('drain', pump);
        return;
      }
    }
  };
  pump();
  await quiet(() => client.socket.bytesWritten);
  const [stream] = networking.streams as [ByteStream];
  expect(stream.bytesRead).toBeLessThan(0x80000);
  open();
  return client.end();
}

/** Resolves when a figure has stood still for some turns. */
async function quiet(figure: () => number): Promise<void> {
  let last = -1;
  for (let still = 0; still < 200; still = figure() === last ? still + 1 : 0) {
    last = figure();
    await settle();
  }
}
