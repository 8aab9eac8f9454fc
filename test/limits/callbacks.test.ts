/**
 * Every callback of a user's, misbehaving: the process lives, nobody else notices, and whoever asked gets the right
 * outcome. CVE-2026-21637, CVE-2026-2229 and their kin. TLS's callbacks are in tls.test.ts.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { asgi } from '../../src/app/index.ts';
import type { AsgiReceive, AsgiScope, AsgiSend, FetchHandler } from '../../src/app/index.ts';
import { Client } from '../../src/client/index.ts';
import type { ClientRequest, ClientRequestHandler } from '../../src/client/index.ts';
import type { AppServerOptions } from '../../src/server/index.ts';
import { testPki } from '../support/test-certificates.ts';
import { failure, Lure } from '../support/attack/lure.ts';
import { Siege } from '../support/attack/victim.ts';
import type { Victim } from '../support/attack/victim.ts';

const siege = new Siege();
const lure = new Lure();
const deaths: unknown[] = [];
const record = (error: unknown): void => {
  deaths.push(error);
};

beforeAll(() => {
  process.on('unhandledRejection', record);
  process.on('uncaughtException', record);
});
afterEach(async () => {
  // What nobody holds shows after the microtasks.
  await new Promise((resolve) => {
    setTimeout(resolve, 5);
  });
  expect(deaths.splice(0), 'what would have ended the process').toEqual([]);
});
afterAll(async () => {
  await Promise.all([siege.stop(), lure.stop()]);
  process.off('unhandledRejection', record);
  process.off('uncaughtException', record);
});

const boom = new Error('boom \x1b[31m');
function throwing(what: unknown = boom): () => never {
  return () => {
    throw what;
  };
}
const rejecting = (): Promise<never> => Promise.reject(boom);
/** Something whose every property throws. */
const trap = (): object =>
  new Proxy({}, { get: throwing(), has: throwing(), ownKeys: throwing(), getPrototypeOf: throwing() });

async function ask(
  victim: Victim,
  request = 'GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
): Promise<string> {
  return (await siege.attacker.exchange(victim.target, request)).text;
}

/** A stream whose part misbehaves. */
function stream(source: UnderlyingSource): Response {
  return new Response(new ReadableStream(source as ConstructorParameters<typeof ReadableStream<Uint8Array>>[0]));
}

interface UnderlyingSource {
  readonly start?: () => unknown;
  readonly pull?: (controller: { enqueue(piece: unknown): void }) => unknown;
  readonly cancel?: () => unknown;
}

type Outcome = 500 | 'cut' | 200;

describe('a Fetch-style app', () => {
  const apps: readonly (readonly [
    name: string,
    app: (...args: Parameters<FetchHandler>) => unknown,
    outcome: Outcome,
  ])[] = [
    ['throws', throwing(), 500],
    ['throws undefined', throwing(undefined), 500],
    ['throws null', throwing(null), 500],
    ['throws a symbol', throwing(Symbol('x')), 500],
    ['throws an object whose properties throw', throwing(trap()), 500],
    [
      'throws an error whose message throws',
      () => throwing(Object.defineProperty(new Error(), 'stack', { get: throwing() }))(),
      500,
    ],
    [
      'throws an error that is its own cause',
      () => {
        const e = new Error('round');
        e.cause = e;
        throw e;
      },
      500,
    ],
    ['rejects', rejecting, 500],
    [
      'rejects later',
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw boom;
      },
      500,
    ],
    ['answers nothing', () => undefined, 500],
    ['answers null', () => null, 500],
    ['answers a text', () => 'hello', 500],
    ['answers a thenable that throws', () => ({ then: throwing() }), 500],
    ['answers a thenable whose getter throws', () => Object.defineProperty({}, 'then', { get: throwing() }), 500],
    ['answers something whose properties throw', trap, 500],
    ['answers Response.error()', () => Response.error(), 500],
    [
      'answers a Response whose body was used',
      async () => {
        const r = new Response('x');
        await r.text();
        return r;
      },
      500,
    ],
    [
      'answers a Response whose body is locked',
      () => {
        const r = new Response('x');
        r.body?.getReader();
        return r;
      },
      500,
    ],
    [
      'answers headers that throw',
      () => ({ status: 200, headers: { [Symbol.iterator]: throwing() }, body: null }),
      500,
    ],
    ['answers a status that is none', () => ({ status: 42, headers: new Headers(), body: null }), 500],
    ['answers a status of 1xx', () => ({ status: 101, headers: new Headers(), body: null }), 500],
    [
      'answers a body whose getReader throws',
      () => ({
        status: 200,
        headers: new Headers(),
        body: { getReader: throwing(), locked: false, cancel: rejecting },
      }),
      500,
    ],
    ["a stream's start throws", () => stream({ start: throwing() }), 500],
    ["a stream's start rejects", () => stream({ start: rejecting }), 500],
    ["a stream's pull throws", () => stream({ pull: throwing() }), 500],
    ["a stream's pull rejects", () => stream({ pull: rejecting }), 500],
    [
      "a stream's pull throws later",
      () => {
        let n = 0;
        return stream({
          pull: (c) => {
            n += 1;
            if (n > 2) throw boom;
            c.enqueue(new Uint8Array(70_000));
          },
        });
      },
      'cut',
    ],
    ['a stream yields a text', () => stream({ pull: (c) => c.enqueue('x') }), 500],
    ['a stream yields an object whose properties throw', () => stream({ pull: (c) => c.enqueue(trap()) }), 500],
    [
      'a body that is longer than its length',
      () => new Response('hello world', { headers: { 'content-length': '3' } }),
      500,
    ],
    ['a body that is shorter than its length', () => stream2('hello', 300), 500],
    [
      'sendInformational with nonsense',
      (_request, context) => {
        context.sendInformational(999, { a: 'b\r\nc' });
        return new Response('x');
      },
      500,
    ],
    [
      'trailers with nonsense',
      (_request, context) => {
        context.trailers.send({ 'content-length': '5' });
        return new Response('x');
      },
      500,
    ],
    [
      'waitUntil rejects',
      (_request, context) => {
        context.waitUntil(rejecting());
        return new Response('x');
      },
      200,
    ],
    [
      'waitUntil gets nonsense',
      (_request, context) => {
        context.waitUntil(trap() as never);
        return new Response('x');
      },
      200,
    ],
    [
      'waitUntil gets a thenable that throws',
      (_request, context) => {
        context.waitUntil({ then: throwing() } as never);
        return new Response('x');
      },
      200,
    ],
    [
      'promises that nobody awaits',
      (_request, context) => {
        void context.trailers.received;
        return new Response('x');
      },
      200,
    ],
  ];

  it.each(apps)('%s', async (_name, app, outcome) => {
    const victim = await siege.serve((request, context) =>
      request.url.endsWith('/meanwhile') ? new Response('meanwhile') : (app(request, context) as Response),
    );
    const text = await ask(victim);
    if (outcome === 'cut') {
      expect(text).toMatch(/^HTTP\/1\.1 200 |^$/);
      expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    } else {
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${String(outcome)} `));
    }
    // Nothing of what was thrown is told to strangers.
    expect(text).not.toContain('boom');
    expect(text).not.toContain('.ts:');
    await siege.meanwhile(victim);
  });

  it('a stream whose cancel throws or rejects, when the client has left', async () => {
    for (const cancel of [throwing(), rejecting]) {
      let cancelled = 0;
      const victim = await siege.serve((request) =>
        request.url.endsWith('/meanwhile')
          ? new Response('meanwhile')
          : stream({
              pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
              cancel: () => {
                cancelled += 1;
                return cancel();
              },
            }),
      );
      const socket = await siege.attacker.connect(victim.target);
      await socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await socket.untilReceived(100_000);
      await socket.reset();
      for (let look = 0; look < 200 && cancelled === 0; look += 1) await siege.meanwhile(victim);
      expect(cancelled).toBe(1);
    }
  });

  it('reads a body that is cut: its read rejects, held or not', async () => {
    const victim = await siege.serve((request) => {
      if (request.url.endsWith('/meanwhile')) return new Response('meanwhile');
      void request.text().catch(() => undefined);
      request.signal.addEventListener('abort', () => undefined);
      return new Promise<Response>(() => undefined);
    });
    const socket = await siege.attacker.connect(victim.target);
    await socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello');
    await siege.meanwhile(victim);
    await socket.reset();
    await siege.meanwhile(victim);
    expect(victim.running.connections.size).toBeLessThanOrEqual(1);
  });
});

function stream2(text: string, length: number): Response {
  return new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from(text));
        controller.close();
      },
    }),
    { headers: { 'content-length': String(length) } },
  );
}

describe('an ASGI-style app', () => {
  type Step = (scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) => unknown;
  const START = { type: 'http.response.start', status: 200 } as const;
  const apps: readonly (readonly [name: string, app: Step, outcome: Outcome])[] = [
    ['throws', throwing(), 500],
    ['rejects', rejecting, 500],
    ['rejects with undefined', () => Promise.resolve().then(throwing(undefined)), 500],
    ['answers a thenable that throws', () => ({ then: throwing() }), 500],
    ['answers no promise', () => undefined, 500],
    ['returns without a response', async () => undefined, 500],
    [
      'returns after the start alone',
      async (_s, _r, send) => {
        await send(START);
      },
      500,
    ],
    [
      'throws after the start',
      async (_s, _r, send) => {
        await send(START);
        throw boom;
      },
      500,
    ],
    [
      'throws within the body',
      async (_s, _r, send) => {
        await send(START);
        await send({ type: 'http.response.body', body: Buffer.alloc(70_000), more_body: true });
        await new Promise((r) => setTimeout(r, 20));
        throw boom;
      },
      'cut',
    ],
    [
      'sends nonsense without waiting',
      (_s, _r, send) => {
        void send(null as never);
        void send(42 as never);
        void send(trap() as never);
        void send({ type: 'x' } as never);
        return Promise.reject(boom);
      },
      500,
    ],
    [
      'sends a body first, without waiting',
      (_s, _r, send) => {
        void send({ type: 'http.response.body', body: Buffer.from('x') });
        return Promise.reject(boom);
      },
      500,
    ],
    [
      'starts twice, without waiting',
      (_s, _r, send) => {
        void send(START);
        void send(START);
        return Promise.reject(boom);
      },
      500,
    ],
    [
      'receives twice at once, without waiting',
      (_s, receive) => {
        void receive();
        void receive();
        void receive();
        return Promise.reject(boom);
      },
      500,
    ],
    [
      'headers that throw',
      async (_s, _r, send) => {
        await send({ ...START, headers: { [Symbol.iterator]: throwing() } as never });
      },
      500,
    ],
    [
      'headers that are none',
      async (_s, _r, send) => {
        await send({ ...START, headers: [1, 2, 3] as never });
      },
      500,
    ],
    [
      'a field with CR LF',
      async (_s, _r, send) => {
        await send({ ...START, headers: [['x', 'a\r\nSet-Cookie: b']] as never });
      },
      500,
    ],
    [
      'a body that is a text',
      async (_s, _r, send) => {
        await send(START);
        await send({ type: 'http.response.body', body: 'x' as never });
      },
      500,
    ],
    [
      'a path that is none',
      async (_s, _r, send) => {
        await send(START);
        void send({ type: 'http.response.pathsend', path: '../../etc/passwd' });
        throw boom;
      },
      500,
    ],
    [
      'a path to nothing, without waiting',
      async (_s, _r, send) => {
        await send(START);
        void send({ type: 'http.response.pathsend', path: '/nonexistent/file' });
        await new Promise((r) => setTimeout(r, 30));
        throw boom;
      },
      500,
    ],
    [
      'a path to a folder',
      async (_s, _r, send) => {
        await send(START);
        await send({ type: 'http.response.pathsend', path: '/' });
      },
      500,
    ],
    [
      'sends on behind the end',
      async (_s, _r, send) => {
        await send(START);
        await send({ type: 'http.response.body', body: Buffer.from('x') });
        void send(START);
        void send({ type: 'http.response.body' });
        throw boom;
      },
      200,
    ],
  ];

  it.each(apps)('%s', async (_name, app, outcome) => {
    const victim = await siege.serveApp(
      asgi(async (scope, receive, send) => {
        if (scope.type === 'lifespan') return;
        if (scope.type === 'http' && scope.path === '/meanwhile') {
          await send(START);
          await send({ type: 'http.response.body', body: Buffer.from('meanwhile') });
          return;
        }
        await (app(scope, receive, send) as Promise<void>);
      }),
    );
    const text = await ask(victim);
    if (outcome === 'cut') expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
    else expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${String(outcome)} `));
    expect(text).not.toContain('boom');
    expect(text).not.toMatch(/^set-cookie/im);
    await siege.meanwhile(victim);
  });

  it('goes on sending and receiving when the client has left, without waiting', async () => {
    let left = false;
    const victim = await siege.serveApp(
      asgi(async (scope, receive, send) => {
        if (scope.type !== 'http') return;
        await send(START);
        if (scope.path === '/meanwhile') {
          await send({ type: 'http.response.body', body: Buffer.from('meanwhile') });
          return;
        }
        for (let step = 0; step < 2_000 && !left; step += 1) {
          void send({ type: 'http.response.body', body: new Uint8Array(65_536), more_body: true });
          await new Promise((resolve) => setImmediate(resolve));
        }
        void receive();
        void send({ type: 'http.response.body' });
      }),
    );
    const socket = await siege.attacker.connect(victim.target);
    await socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await socket.untilReceived(100_000);
    await socket.reset();
    await siege.meanwhile(victim);
    left = true;
    await siege.meanwhile(victim);
    expect(left).toBe(true);
  });

  it.each([
    ['throws', throwing()],
    ['rejects', rejecting],
    [
      'says that it cannot',
      async (_s: AsgiScope, receive: AsgiReceive, send: AsgiSend) => {
        await receive();
        await send({ type: 'lifespan.startup.failed', message: 'no\x1b[2J' });
      },
    ],
    [
      'sends nonsense',
      async (_s: AsgiScope, receive: AsgiReceive, send: AsgiSend) => {
        await receive();
        await send({ type: 'x' } as never);
      },
    ],
  ])('its lifespan %s: the server does not start, or starts without', async (_name, lifespan) => {
    const outcome = await siege
      .serveApp(
        asgi(async (scope, receive, send) => {
          if (scope.type === 'lifespan') return (lifespan as Step)(scope, receive, send) as Promise<void>;
          await send(START);
          await send({ type: 'http.response.body', body: Buffer.from('meanwhile') });
        }),
      )
      .then((victim) => siege.meanwhile(victim).then(() => 'served'))
      .catch((error: unknown) => (error as { readonly code?: string }).code);
    expect(['served', 'ERR_APP_STARTUP', 'ERR_APP_LIFESPAN', 'ERR_APP_EVENT', 'ERR_APP']).toContain(outcome);
  });
});

describe("a server's callbacks", () => {
  const misbehaviours: readonly (readonly [string, () => unknown])[] = [
    ['throws', throwing()],
    ['throws undefined', throwing(undefined)],
    ['rejects', rejecting],
    ['answers nonsense', trap],
    ['answers a thenable that throws', () => ({ then: throwing() })],
  ];

  const broken = (misbehave: () => unknown): AppServerOptions => ({
    onError: misbehave,
    onRequest: misbehave,
    logger: { isEnabled: misbehave as () => boolean, log: misbehave },
    errorPage: misbehave as () => undefined,
  });

  it.each(misbehaviours)('onError, onRequest, logger, errorPage: each %s', async (_name, misbehave) => {
    const all = broken(misbehave);
    for (const options of [
      { onError: misbehave },
      { onRequest: misbehave },
      { logger: all.logger },
      { errorPage: all.errorPage },
      all,
      { ...all, logger: { isEnabled: () => true, log: misbehave } },
    ]) {
      const victim = await siege.serve((request) => {
        if (request.url.endsWith('/meanwhile')) return new Response('meanwhile');
        throw boom;
      }, options);
      const text = await ask(victim);
      expect(text).toMatch(/^HTTP\/1\.1 500 /);
      expect(text).not.toContain('boom');
      await siege.meanwhile(victim);
    }
  });

  it('errorPage answers with a page that cannot be sent', async () => {
    for (const page of [
      { contentType: 'text/plain\r\nSet-Cookie: a=b', body: 'x' },
      { contentType: 42, body: 'x' },
      { contentType: 'text/plain', body: undefined },
      {},
      'page',
    ]) {
      const victim = await siege.serve(
        (request) => {
          if (request.url.endsWith('/meanwhile')) return new Response('meanwhile');
          throw boom;
        },
        { errorPage: () => page as never },
      );
      const text = await ask(victim);
      expect(text).not.toMatch(/^set-cookie/im);
      expect(text).toMatch(/^HTTP\/1\.1 500 /);
      await siege.meanwhile(victim);
    }
  });

  it('an errorPage that fails is not asked again for its own failure', async () => {
    let asked = 0;
    const victim = await siege.serve(
      (request) => {
        if (request.url.endsWith('/meanwhile')) return new Response('meanwhile');
        throw boom;
      },
      {
        errorPage: () => {
          asked += 1;
          throw boom;
        },
      },
    );
    expect(await ask(victim)).toMatch(/^HTTP\/1\.1 500 /);
    expect(asked).toBeLessThanOrEqual(2);
  });
});

describe("a client's callbacks", () => {
  let honest: Victim;
  beforeAll(async () => {
    honest = await siege.serve((request, context) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/redirect') return new Response(null, { status: 302, headers: { location: '/' } });
      if (pathname === '/hints') context.sendInformational(103, { link: '</a>' });
      if (pathname === '/trailers') context.trailers.send({ x: 'y' });
      return new Response(pathname === '/trailers' ? stream2('hello', 5).body : 'hello');
    });
  });
  const url = (path: string): string => `http://${honest.host}${path}`;

  it.each<readonly [string, Partial<ClientRequest>, string]>([
    [
      'a body whose iterator throws',
      { method: 'POST', body: { [Symbol.asyncIterator]: throwing() } as never },
      'ERR_REQUEST_BODY',
    ],
    [
      'a body whose next throws',
      { method: 'POST', body: { [Symbol.asyncIterator]: () => ({ next: throwing() }) } as never },
      'ERR_REQUEST_BODY',
    ],
    [
      'a body whose next rejects',
      { method: 'POST', body: { [Symbol.asyncIterator]: () => ({ next: rejecting }) } as never },
      'ERR_REQUEST_BODY',
    ],
    [
      'a body whose next answers nonsense',
      { method: 'POST', body: { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(42) }) } as never },
      'ERR_REQUEST_BODY',
    ],
    [
      'a body that yields a text',
      {
        method: 'POST',
        body: {
          [Symbol.asyncIterator]: () => ({
            next: () => Promise.resolve({ done: false, value: 'x' }),
            return: throwing(),
          }),
        } as never,
      },
      'ERR_REQUEST_BODY',
    ],
    [
      'a body that yields what throws',
      {
        method: 'POST',
        body: { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(trap()), return: rejecting }) } as never,
      },
      'ERR_REQUEST_BODY',
    ],
    [
      'a stream whose pull throws',
      { method: 'POST', body: new ReadableStream({ pull: throwing() }) },
      'ERR_REQUEST_BODY',
    ],
    [
      'a stream whose pull rejects',
      { method: 'POST', body: new ReadableStream({ pull: rejecting }) },
      'ERR_REQUEST_BODY',
    ],
    ['trailers that throw', { method: 'POST', body: 'x', trailers: throwing() }, 'ERR_REQUEST_BODY'],
    ['trailers that reject', { method: 'POST', body: 'x', trailers: rejecting }, 'ERR_REQUEST_BODY'],
    ['onInformational that throws', { url: '/hints', onInformational: throwing() }, 'ERR_HANDLER'],
  ])('%s: the request fails, the session goes on', async (_name, request, code) => {
    const session = lure.session();
    const { url: path = '/', ...rest } = request;
    const error = await failure(
      session.dispatch({ ...rest, url: url(String(path)) }).then((response) => response.text()),
    );
    expect(error.code).toBe(code);
    await lure.meanwhile(session);
  });

  it('onInformational that rejects', async () => {
    const session = lure.session();
    const callback: () => unknown = rejecting;
    const outcome = session
      .dispatch({ url: url('/hints'), onInformational: callback })
      .then((response) => response.text());
    expect(['hello', 'failed']).toContain(await outcome.catch(() => 'failed'));
    await lure.meanwhile(session);
  });

  it('onRedirect that throws or rejects: the redirect is not followed', async () => {
    const session = lure.session();
    for (const onRedirect of [throwing(), rejecting]) {
      const error = await failure(session.fetch(url('/redirect'), {}, { onRedirect }));
      expect(error).toBe(boom);
    }
    await lure.meanwhile(session);
  });

  it.each([
    'informationalReceived',
    'headersReceived',
    'dataReceived',
    'trailersReceived',
    'failed',
    'closed',
  ] as const)('a handler whose %s throws, or rejects', async (member) => {
    for (const misbehave of [throwing(), rejecting]) {
      const session = new Client({ retry: false }).session();
      const path = member === 'informationalReceived' ? '/hints' : member === 'trailersReceived' ? '/trailers' : '/';
      const told: string[] = [];
      await new Promise<void>((resolve) => {
        const handler: ClientRequestHandler = {
          informationalReceived: () => told.push('informationalReceived'),
          headersReceived: () => told.push('headersReceived'),
          dataReceived: () => told.push('dataReceived'),
          trailersReceived: () => told.push('trailersReceived'),
          failed: () => told.push('failed'),
          closed: () => {
            told.push('closed');
            resolve();
          },
        };
        const bad = handler[member].bind(handler) as () => unknown;
        (handler as unknown as Record<string, () => unknown>)[member] = () => {
          bad();
          return misbehave();
        };
        const { host } = honest;
        const target = member === 'failed' ? 'http://127.0.0.1:1/' : `http://${host}${path}`;
        session.request({ url: target, headers: { te: 'trailers' } }, handler);
      });
      expect(told.filter((name) => name === 'closed')).toHaveLength(1);
      await lure.meanwhile(session);
      await session.close();
    }
  });

  it.each([
    ['throws', throwing()],
    ['rejects', rejecting],
    ['throws undefined', throwing(undefined)],
    ['rejects with undefined', () => Promise.resolve().then(throwing(undefined))],
  ])('tls.verify %s: nothing is sent', async (_name, verify) => {
    const { ca, server } = testPki();
    const seen: string[] = [];
    const secure = await siege.serve(
      (request) => {
        seen.push(request.url);
        return new Response('x');
      },
      {},
      { endpoint: 'https://127.0.0.1:0', tls: { cert: server.cert, key: server.key } },
    );
    const session = lure.session({ tls: { ca: ca.certPem, verify } });
    const error = await failure(session.fetch(`https://localhost:${String(secure.port)}/`));
    expect(error.code).toMatch(/^ERR_/);
    expect(seen).toEqual([]);
    await lure.meanwhile(session);
  });

  it('tls.keylog throws or rejects: nobody notices', async () => {
    const { ca, server } = testPki();
    const secure = await siege.serve(
      () => new Response('x'),
      {},
      { endpoint: 'https://127.0.0.1:0', tls: { cert: server.cert, key: server.key } },
    );
    for (const misbehave of [throwing(), rejecting] as readonly (() => unknown)[]) {
      const session = lure.session({ tls: { ca: ca.certPem, keylog: misbehave } });
      expect(await (await session.fetch(`https://localhost:${String(secure.port)}/`)).text()).toBe('x');
    }
  });

  it('connectTo throws or answers nonsense: the request fails', async () => {
    for (const connectTo of [throwing(), () => null, () => 42, () => ({}), () => ({ host: 'a\0b', port: -1 }), trap]) {
      const session = lure.session({ connectTo: connectTo as never, timeouts: { connect: 500 } });
      const outcome = await session.fetch(url('/')).then(
        () => 'answered',
        (error: unknown) => (error instanceof TypeError ? 'failed' : error),
      );
      expect(['answered', 'failed']).toContain(outcome);
    }
  });

  it('a signal that is aborted with nonsense', async () => {
    for (const reason of [undefined, null, 42, Symbol('x'), Object.create(null)]) {
      const session = lure.session();
      const controller = new AbortController();
      const fetched = session.fetch(url('/'), { signal: controller.signal });
      controller.abort(reason);
      const settled = await fetched.then(
        () => 'answered',
        () => 'failed',
      );
      expect(['answered', 'failed']).toContain(settled);
      await lure.meanwhile(session);
    }
  });
});
