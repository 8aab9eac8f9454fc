/** Requests in 0-RTT data, by our client and our server over real sockets (RFC 9001 section 4.6, RFC 8470). */
import { afterAll, describe, expect, it } from 'vitest';
import { asgi } from '../../../src/app/index.ts';
import type { AppContext } from '../../../src/app/index.ts';
import { Client } from '../../../src/client/index.ts';
import type { ClientOptions, ClientResponse, ClientSession } from '../../../src/client/index.ts';
import { AppServer } from '../../../src/server/index.ts';
import type { AppServerOptions, RunningServer } from '../../../src/server/index.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { makeCertificate, testPki } from '../../support/test-certificates.ts';

const baseline = openSockets();
afterAll(() => expectNoSocketsBesides(baseline));

const pki = testPki();
const tls = { cert: pki.server.cert, key: pki.server.key };

/** What the server saw: method, path, and whether it came early. */
type Seen = [method: string, path: string, early: boolean];

interface World {
  readonly server: RunningServer;
  readonly url: string;
  readonly seen: Seen[];
  /** A session with one request behind it is over: what comes next may resume it. */
  readonly client: Client;
}

async function withServer(
  body: (world: World) => Promise<void>,
  server: AppServerOptions = {},
  client: ClientOptions = {},
): Promise<void> {
  const seen: Seen[] = [];
  const app = async (request: Request, context: AppContext): Promise<Response> => {
    const { pathname } = new URL(request.url);
    seen.push([request.method, pathname, context.early]);
    if (pathname === '/careful' && context.early) return new Response('later', { status: 425 });
    if (pathname === '/never') return new Response('never', { status: 425 });
    return new Response(await request.text());
  };
  const options = { quic: { earlyData: true }, protocol: ['http3'], tls, ...server } as const;
  const running = await new AppServer(app, options).listen('https://127.0.0.1:0');
  const url = `https://127.0.0.1:${String(running.endpoints[0]?.port)}`;
  const quic = { earlyData: true, ...client.quic };
  const one = new Client({ protocol: ['http3'], tls: { ca: pki.ca.cert }, ...client, quic });
  try {
    await body({ server: running, url, seen, client: one });
  } finally {
    await running.close();
  }
}

/** The first visit, behind which there are tickets. */
async function visit({ client, url, seen }: World): Promise<void> {
  await client.withSession(async (session) => {
    const response = await get(session, `${url}/first`);
    expect([response.connection.early, response.connection.tls?.resumed]).toEqual([false, false]);
  });
  expect(seen.splice(0)).toEqual([['GET', '/first', false]]);
}

async function get(session: ClientSession, url: string): Promise<ClientResponse> {
  const response = await session.dispatch({ url });
  await response.bytes();
  return response;
}

describe('a request in 0-RTT data (RFC 9001 section 4.6)', () => {
  it('goes to a server that was met before, without waiting for it', () =>
    withServer(async (world) => {
      await visit(world);
      const { client, url, seen } = world;
      await client.withSession(async (session) => {
        const response = await get(session, `${url}/early`);
        expect(response.connection).toMatchObject({
          early: true,
          tls: { resumed: true, authorized: true, cipher: expect.stringMatching(/^TLS_/) as string },
        });
        const later = await get(session, `${url}/later`);
        expect(later.connection).toMatchObject({ early: false, id: response.connection.id });
      });
      expect(seen).toEqual([
        ['GET', '/early', true],
        ['GET', '/later', false],
      ]);
    }));

  it('tells the app of the session that it belongs to, though the handshake goes on (RFC 8446 section 4.2.10)', async () => {
    const seen: unknown[] = [];
    const app = (_request: Request, { early, tls: facts }: AppContext): Response => {
      seen.push([early, facts?.resumed, facts?.alpn]);
      return new Response();
    };
    const options = { quic: { earlyData: true }, protocol: ['http3'], tls } as const;
    const server = await new AppServer(app, options).listen('https://127.0.0.1:0');
    const client = new Client({ protocol: ['http3'], tls: { ca: pki.ca.cert }, quic: { earlyData: true } });
    try {
      for (let visits = 0; visits < 2; visits += 1) await client.withSession((session) => get(session, server.url));
      expect(seen).toEqual([
        [false, false, 'h3'],
        [true, true, 'h3'],
      ]);
    } finally {
      await server.close();
    }
  });

  it('tells an ASGI-style app by an extension, which refuses it with 425 and gets it again (RFC 8470 section 5.2)', async () => {
    const early: boolean[] = [];
    const app = asgi(async (scope, _receive, send) => {
      if (scope.type !== 'http') throw new Error(scope.type);
      early.push('hface.early_data' in scope.extensions);
      await send({ type: 'http.response.start', status: early.at(-1) === true ? 425 : 204 });
      await send({ type: 'http.response.body' });
    });
    const options = { quic: { earlyData: true }, protocol: ['http3'], tls } as const;
    const server = await new AppServer(app, options).listen('https://127.0.0.1:0');
    const client = new Client({ protocol: ['http3'], tls: { ca: pki.ca.cert }, quic: { earlyData: true } });
    try {
      for (const sent of [false, true]) {
        const response = await client.withSession((session) => get(session, server.url));
        expect([sent, response.status]).toEqual([sent, 204]);
      }
      expect(early).toEqual([false, true, false]);
    } finally {
      await server.close();
    }
  });

  it('is none unless the client says so', () =>
    withServer(
      async (world) => {
        await visit(world);
        await world.client.withSession((session) => get(session, `${world.url}/late`));
        expect(world.seen).toEqual([['GET', '/late', false]]);
      },
      {},
      { quic: { earlyData: false } },
    ));

  it('is never one that is not safe, nor one with a body (RFC 8470 section 4)', () =>
    withServer(async (world) => {
      await visit(world);
      const { client, url, seen } = world;
      await client.withSession(async (session) => {
        // The GET is first and opens the connection; what is not safe waits for the handshake on it.
        const [early, post, put, last] = await Promise.all([
          get(session, `${url}/get`),
          session.dispatch({ url: `${url}/post`, method: 'POST', body: 'x' }),
          session.dispatch({ url: `${url}/delete`, method: 'DELETE' }),
          session.dispatch({ url: `${url}/head`, method: 'HEAD' }),
        ]);
        await Promise.all([post.bytes(), put.bytes(), last.bytes()]);
        expect(new Set([early, post, put, last].map(({ connection }) => connection.id)).size).toBe(1);
        expect(early.connection.early).toBe(true);
        expect([post.connection.early, put.connection.early]).toEqual([false, false]);
      });
      const early = seen.filter((one) => one[2]).map(([method]) => method);
      expect(early).toContain('GET');
      expect(early).not.toContain('POST');
      expect(early).not.toContain('DELETE');
      // One that is not safe opens a connection without early data.
      seen.splice(0);
      await client.withSession(async (session) => {
        const response = await session.dispatch({ url: `${url}/post`, method: 'POST', body: 'x' });
        expect(response.connection).toMatchObject({ early: false, tls: { resumed: true } });
        await response.bytes();
      });
      expect(seen).toEqual([['POST', '/post', false]]);
    }));

  it('that is answered with 425 is sent again after the handshake, once (RFC 8470 section 5.2)', () =>
    withServer(async (world) => {
      await visit(world);
      const { client, url, seen } = world;
      await client.withSession(async (session) => {
        const response = await get(session, `${url}/careful`);
        expect([response.status, response.connection.early]).toEqual([200, false]);
      });
      expect(seen.splice(0)).toEqual([
        ['GET', '/careful', true],
        ['GET', '/careful', false],
      ]);
      await client.withSession(async (session) => {
        expect((await get(session, `${url}/never`)).status).toBe(425);
      });
      expect(seen).toEqual([
        ['GET', '/never', true],
        ['GET', '/never', false],
      ]);
    }));

  it('that the server does not take is sent again on the same connection (RFC 9001 section 4.6.2)', () =>
    withServer(async (world) => {
      await visit(world);
      const { client, url, seen, server } = world;
      // Sessions under the certificate before are refused, and early data with them.
      server.updateTls({ cert: pki.server.cert, key: pki.server.key });
      await client.withSession(async (session) => {
        const responses = await Promise.all([get(session, `${url}/a`), get(session, `${url}/b`)]);
        expect(responses.map(({ status }) => status)).toEqual([200, 200]);
        expect(responses.map(({ connection }) => connection.early)).toEqual([false, false]);
        expect(responses[0].connection.tls).toMatchObject({ resumed: false, authorized: true });
        expect(responses[0].connection.id).toBe(responses[1].connection.id);
      });
      expect(seen.sort()).toEqual([
        ['GET', '/a', false],
        ['GET', '/b', false],
      ]);
    }));

  it('of which nobody takes notice fails as a connection does', () =>
    withServer(async (world) => {
      await visit(world);
      const { client, url, server } = world;
      await server.close();
      await client.withSession(async (session) => {
        const failing = session.dispatch({ url: `${url}/gone` });
        await expect(failing).rejects.toMatchObject({ code: 'ERR_CONNECTION_REFUSED', phase: 'connect' });
      });
    }));

  it('whose server has another certificate now, one that is not trusted, fails for that', () =>
    withServer(async (world) => {
      await visit(world);
      const { client, url, server } = world;
      const stranger = makeCertificate({ issuer: makeCertificate({ authority: true, commonName: 'another' }) });
      server.updateTls({ cert: stranger.cert, key: stranger.key });
      await client.withSession(async (session) => {
        const failing = session.dispatch({ url: `${url}/other` });
        await expect(failing).rejects.toMatchObject({ code: 'ERR_CERT_AUTHORITY', phase: 'tls' });
      });
    }));
});
