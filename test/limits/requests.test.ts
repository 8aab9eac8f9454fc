/**
 * Requests of many connections, each within its bounds, that are too many together.
 *
 * RFC 9110 section 15.6.4.
 */
import { describe, expect, it } from 'vitest';
import { AppServer, Client } from '../../src/index.ts';
import { tripsLimit } from '../support/limits.ts';

describe('requests at once', () => {
  it('maxRequests: a further one gets 503 without reaching the app, and is served when there is room', async () => {
    tripsLimit('serverLimits.maxRequests');
    const waiting: (() => void)[] = [];
    let running = 0;
    const app = async (): Promise<Response> => {
      running += 1;
      await new Promise<void>((resolve) => waiting.push(resolve));
      running -= 1;
      return new Response('served');
    };
    const server = await new AppServer(app, { limits: { maxRequests: 3 } }).listen('http://127.0.0.1:0');
    await new Client().withSession(async (session) => {
      const first = Array.from({ length: 3 }, () => session.dispatch({ url: server.url }));
      await expect.poll(() => running).toBe(3);
      const further = await Promise.all(Array.from({ length: 5 }, () => session.dispatch({ url: server.url })));
      expect(further.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
      expect(running).toBe(3);
      for (const release of waiting) release();
      expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200, 200]);
      await expect.poll(() => server.requests).toBe(0);
      const next = session.dispatch({ url: server.url });
      await expect.poll(() => running).toBe(1);
      waiting.at(-1)?.();
      expect((await next).status).toBe(200);
    });
    await server.close();
  });
});
