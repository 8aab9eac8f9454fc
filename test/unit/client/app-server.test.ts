import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppContext } from '../../../src/app/index.ts';
import { Client } from '../../../src/client/index.ts';
import type { ClientSession } from '../../../src/client/index.ts';
import { AppServer } from '../../../src/server/index.ts';
import type { RunningServer } from '../../../src/server/index.ts';
import { eventually } from './loopback.ts';

let server: RunningServer;
let session: ClientSession;
let url: string;
const left: string[] = [];

async function app(request: Request, context: AppContext): Promise<Response> {
  const { pathname } = new URL(request.url);
  switch (pathname) {
    case '/echo':
      return new Response(request.body as ReadableStream<Uint8Array> | null, {
        headers: { 'x-method': request.method },
      });
    case '/hints':
      context.sendInformational(103, { link: '</style.css>' });
      return new Response('hinted');
    case '/trailers':
      context.trailers.send({ 'x-sum': '7' });
      return new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(new Uint8Array([97]));
            controller.close();
          },
        }),
      );
    case '/wait':
      context.signal.addEventListener('abort', () => left.push(pathname));
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      return new Response('too late');
    case '/endless':
      context.signal.addEventListener('abort', () => left.push(pathname));
      return new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(new Uint8Array(65536));
          },
        }),
      );
    case '/redirect':
      return new Response(null, { status: 307, headers: { location: '/echo' } });
    default:
      return new Response('not here', { status: 404 });
  }
}

beforeAll(async () => {
  server = await new AppServer({ fetch: app }).listen('http://127.0.0.1:0');
  url = server.url.replace(/\/$/, '');
  session = new Client().session();
});

afterAll(async () => {
  await session.close();
  await server.drain({ timeout: 0 });
});

describe('our client and our server', () => {
  it('stream both ways at once', async () => {
    let answered = 0;
    let resume: (() => void) | undefined;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let index = 0; index < 5; index += 1) {
        yield Buffer.from(`piece ${index}\n`);
        // The next piece goes only when this one has come back.
        await new Promise<void>((resolve) => (resume = resolve));
      }
    }
    const response = await session.dispatch({ url: `${url}/echo`, method: 'POST', body: pieces() });
    for await (const piece of response.body) {
      expect(Buffer.from(piece).toString()).toBe(`piece ${answered}\n`);
      answered += 1;
      resume?.();
    }
    expect(answered).toBe(5);
  });

  it('carry large bodies there and back', async () => {
    const body = new Uint8Array(5_000_000).map((_byte, index) => index);
    const response = await session.fetch(`${url}/redirect`, { method: 'PUT', body });
    expect([response.headers.get('x-method'), response.redirected]).toEqual(['PUT', true]);
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true);
  });

  it('carry hints and trailers', async () => {
    const hinted = await session.dispatch({ url: `${url}/hints` });
    expect(hinted.informational.map(({ status }) => status)).toEqual([103]);
    expect(await hinted.text()).toBe('hinted');
    const trailed = await session.dispatch({ url: `${url}/trailers`, headers: { te: 'trailers' } });
    expect(await trailed.text()).toBe('a');
    expect(await trailed.trailers).toEqual(['x-sum', '7']);
  });

  it('tell the app when the client leaves', async () => {
    const controller = new AbortController();
    const waiting = session.fetch(`${url}/wait`, { signal: controller.signal });
    const endless = await session.fetch(`${url}/endless`, { signal: controller.signal });
    await (endless.body as ReadableStream<Uint8Array>).getReader().read();
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    await eventually(() => left.length === 2);
    expect(left.sort()).toEqual(['/endless', '/wait']);
    expect(session.running).toBe(0);
  });
});
