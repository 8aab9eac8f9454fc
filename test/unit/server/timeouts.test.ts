import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../../src/app/index.ts';
import { SystemNetworking } from '../../../src/networking/index.ts';
import type { AppServerOptions, RequestRecord, RunningServer } from '../../../src/server/index.ts';
import { serverLimits, serverTimeouts } from '../../../src/server/index.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RawClient, settle, start, until } from './loopback.ts';

let sockets: Record<string, number> = {};
let server: RunningServer | undefined;
let clock = new ManualClock();

beforeEach(() => {
  sockets = openSockets();
  clock = new ManualClock();
});

afterEach(async () => {
  const closing = server?.close();
  await clock.advance(60_000);
  await closing;
  server = undefined;
  await expectNoSocketsBesides(sockets);
});

async function open(app: App, options: AppServerOptions = {}): Promise<RawClient> {
  server = await start(app, { networking: new SystemNetworking({ clock }), ...options });
  return new RawClient(server);
}

/** Moves time on, a little at a time, until something is so. */
async function pass(condition: () => boolean, step = 100): Promise<number> {
  const begin = clock.now();
  while (!condition()) {
    await clock.advance(step);
    await settle();
  }
  return clock.now() - begin;
}

describe('timeouts', () => {
  it('head: a request that does not come to an end gets 408 (slowloris)', async () => {
    const client = await open(() => new Response(), { timeouts: { head: 5_000 } });
    client.write('GET / HTTP/1.1\r\nhost: lo');
    await until(() => server?.connections.size === 1);
    expect(await pass(() => client.ended)).toBeGreaterThanOrEqual(4_900);
    expect(client.text).toMatch(/^HTTP\/1\.1 408 /);
    client.destroy();
  });

  it('keepAlive: an idle connection is closed without a word', async () => {
    const client = await open(() => new Response('ok'), { timeouts: { keepAlive: 3_000 } });
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await client.until('ok');
    const { length } = client.text;
    expect(await pass(() => client.ended)).toBeGreaterThanOrEqual(2_900);
    expect(client.text.length).toBe(length);
    client.destroy();
  });

  it('bodyIdle: an upload that stops fails at its reader (slow POST)', async () => {
    let failure: unknown;
    const client = await open(
      async (incoming) => {
        failure = await incoming.text().catch((error: unknown) => error);
        throw failure;
      },
      { timeouts: { bodyIdle: 4_000 }, onError: () => undefined },
    );
    client.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nabc');
    await until(() => server?.connections.size === 1);
    await settle();
    await pass(() => failure !== undefined);
    expect(failure).toMatchObject({ code: 'ERR_TIMEOUT' });
    await pass(() => client.ended || client.closed);
    expect(client.text).not.toMatch(/200 OK/);
    client.destroy();
  });

  it('writeProgress: a client that takes nothing is reset (slow read)', async () => {
    const records: RequestRecord[] = [];
    let cancelled: unknown;
    const client = await open(
      () =>
        new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(0x10000)),
            cancel: (reason) => {
              cancelled = reason;
            },
          }),
        ),
      { timeouts: { writeProgress: 6_000 }, onRequest: (record) => records.push(record) },
    );
    client.socket.pause();
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await until(() => server?.connections.size === 1);
    await pass(() => cancelled !== undefined);
    expect(cancelled).toMatchObject({ code: 'ERR_TIMEOUT' });
    await until(() => records.length === 1);
    expect(records[0]).toMatchObject({
      status: 200,
      aborted: expect.stringMatching(/timer|progress|write/i) as string,
    });
    client.destroy();
  });

  it('drain: what runs is ended after it', async () => {
    let signal: AbortSignal | undefined;
    const client = await open(
      (incoming) => {
        signal = incoming.signal;
        return new Promise(() => undefined);
      },
      { timeouts: { drain: 7_000 } },
    );
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await until(() => signal !== undefined);
    let drained = false;
    const draining = server?.drain().then(() => (drained = true));
    expect(await pass(() => signal?.aborted === true)).toBeGreaterThanOrEqual(6_900);
    await pass(() => drained);
    await draining;
    client.destroy();
  });
});

describe('the table of limits', () => {
  it('says of each what it counts and what it answers', () => {
    for (const [name, limit] of Object.entries({ ...serverLimits, ...serverTimeouts })) {
      expect(name).toMatch(/^[a-z][A-Za-z]+$/);
      expect(limit.default).toBeGreaterThan(0);
      expect(limit.answers).toMatch(/\.$/);
    }
  });
});
