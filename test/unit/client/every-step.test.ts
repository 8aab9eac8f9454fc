import type { IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NetworkError } from '../../../src/common/index.ts';
import { Client } from '../../../src/client/index.ts';
import type { ClientSession } from '../../../src/client/index.ts';
import { eventually, httpServer } from './loopback.ts';
import type { Loopback } from './loopback.ts';
import { SteppingNetworking } from './stepping.ts';

let server: Loopback;

beforeAll(async () => {
  server = await httpServer((request: IncomingMessage, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    let bytes = 0;
    request.on('data', (piece: Buffer) => (bytes += piece.length));
    request.on('end', () => {
      if (request.url === '/start') {
        response.writeHead(307, { location: '/end' });
        response.end('moved');
        return;
      }
      response.writeEarlyHints({ link: '</x>' });
      response.writeHead(200, { 'content-encoding': 'gzip', trailer: 'x-bytes' });
      response.addTrailers({ 'x-bytes': String(bytes) });
      const coded = gzipSync(Buffer.alloc(300_000, 'random enough? no'));
      response.write(coded.subarray(0, 100));
      setImmediate(() => response.end(coded.subarray(100)));
    });
  });
});

afterAll(() => server.close());

type Outcome = { readonly length: number } | { readonly error: unknown };

/** A redirected upload and a coded download. */
async function scenario(session: ClientSession, signal: AbortSignal | null): Promise<Outcome> {
  try {
    const body = new Blob([new Uint8Array(200_000)]);
    const response = await session.fetch(`${server.url}/start`, { method: 'POST', body, signal });
    return { length: (await response.arrayBuffer()).byteLength };
  } catch (error) {
    return { error };
  }
}

/** The same by dispatch, with a streaming body. */
async function dispatched(session: ClientSession, signal: AbortSignal | null): Promise<Outcome> {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < 3; index += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      yield new Uint8Array(70_000);
    }
  }
  try {
    const response = await session.dispatch({
      url: `${server.url}/end`,
      method: 'PUT',
      body: pieces(),
      expectContinue: true,
      timeouts: { continue: 1 },
      signal,
    });
    let length = 0;
    for await (const piece of response.body) length += piece.byteLength;
    expect(await response.trailers).toEqual(['x-bytes', '210000']);
    return { length };
  } catch (error) {
    return { error };
  }
}

async function nothingLeft(session: ClientSession, networking: SteppingNetworking): Promise<void> {
  expect(session.running).toBe(0);
  await session.close();
  expect(networking.open).toBe(0);
  await eventually(() => server.open === 0);
}

describe.each([
  ['fetch', scenario],
  ['dispatch', dispatched],
] as const)('%s, interrupted at every step', (_name, run) => {
  async function steps(): Promise<number> {
    const networking = new SteppingNetworking(() => {});
    const session = new Client({ networking }).session();
    const outcome = await run(session, null);
    expect(outcome).not.toHaveProperty('error');
    const count = networking.steps;
    await nothingLeft(session, networking);
    return count;
  }

  it('by its signal: the reason or the result, and nothing is left', async () => {
    const count = await steps();
    expect(count).toBeGreaterThan(8);
    let aborted = 0;
    for (let at = 1; at <= count; at += 1) {
      const controller = new AbortController();
      const reason = new Error(`step ${at}`);
      const networking = new SteppingNetworking((step) => {
        if (step === at) controller.abort(reason);
      });
      const session = new Client({ networking }).session();
      const outcome = await run(session, controller.signal);
      if ('error' in outcome) {
        expect(outcome.error).toBe(reason);
        aborted += 1;
      }
      await nothingLeft(session, networking);
    }
    expect(aborted).toBeGreaterThan(count / 2);
  });

  it('by closing the session: a clear error or the result, and nothing is left', async () => {
    const count = await steps();
    for (let at = 1; at <= count; at += 1) {
      const sessions: ClientSession[] = [];
      const networking = new SteppingNetworking((step) => {
        if (step === at) void sessions[0]?.close();
      });
      const session = new Client({ networking }).session();
      sessions.push(session);
      const outcome = await run(session, null);
      if ('error' in outcome) {
        const error = outcome.error as Error;
        expect(error instanceof TypeError ? error.cause : error).toMatchObject({ code: 'ERR_SESSION_CLOSED' });
      }
      await nothingLeft(session, networking);
    }
  });

  it('by a network that fails: an error or the result, and nothing is left', async () => {
    const count = await steps();
    for (let at = 1; at <= count; at += 1) {
      const networking: SteppingNetworking = new SteppingNetworking((step) => {
        if (step === at) networking.fail(new NetworkError(`broken at ${at}`, { phase: 'read' }));
      });
      const session = new Client({ networking }).session();
      await run(session, null);
      await nothingLeft(session, networking);
    }
    expect(count).toBeGreaterThan(0);
  });
});
