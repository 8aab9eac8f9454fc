import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { mountAsgiApp } from '../../../src/app/asgi-app.ts';
import { decodedPath } from '../../../src/app/asgi-scope.ts';
import type {
  AsgiApp,
  AsgiHttpScope,
  AsgiLifespanScope,
  AsgiReceive,
  AsgiReceiveEvent,
  AsgiSend,
  AsgiSendEvent,
} from '../../../src/app/index.ts';
import type { AppError } from '../../../src/common/index.ts';
import { FakeExchange, FakeHost, settle } from './fake-exchange.ts';
import type { FakeRequest } from './fake-exchange.ts';

type HttpApp = (scope: AsgiHttpScope, receive: AsgiReceive, send: AsgiSend) => Promise<void>;

interface Run {
  readonly exchange: FakeExchange;
  readonly host: FakeHost;
}

async function run(app: HttpApp, request: FakeRequest = {}): Promise<Run> {
  const exchange = new FakeExchange(request);
  const host = new FakeHost();
  mountAsgiApp(app as AsgiApp, host).answer(exchange);
  await settle();
  return { exchange, host };
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return (error as AppError).code;
  }
}

describe('an ASGI-style app', () => {
  it('is told the scope of ASGI 3.0', async () => {
    let seen: AsgiHttpScope | undefined;
    await run(
      async (scope) => {
        seen = scope;
        return Promise.reject(new Error('enough'));
      },
      {
        method: 'PUT',
        scheme: 'https',
        path: '/caf%C3%A9/%2F?q=%20',
        headers: ['cookie', 'a=1', 'x-a', '1', 'cookie', 'b=2'],
        httpVersion: '2',
      },
    );
    expect(seen).toMatchObject({
      type: 'http',
      asgi: { version: '3.0' },
      http_version: '2',
      method: 'PUT',
      scheme: 'https',
      path: '/café//',
      raw_path: '/caf%C3%A9/%2F',
      query_string: 'q=%20',
      root_path: '',
      headers: [
        ['host', 'example.com'],
        ['cookie', 'a=1; b=2'],
        ['x-a', '1'],
      ],
      client: ['192.0.2.9', 40000],
      server: ['127.0.0.1', 8080],
      state: {},
    });
    expect(Object.keys(seen?.extensions ?? {})).toEqual([
      'http.response.trailers',
      'http.response.early_hint',
      'http.response.pathsend',
    ]);
  });

  it('tells of requests in early data by an extension (RFC 8470 section 5.2)', async () => {
    const told: boolean[] = [];
    for (const early of [true, false]) {
      const exchange = new FakeExchange();
      exchange.early = early;
      const app: HttpApp = (scope) => {
        told.push('hface.early_data' in scope.extensions);
        return Promise.resolve();
      };
      mountAsgiApp(app as AsgiApp, new FakeHost()).answer(exchange);
      await settle();
    }
    expect(told).toEqual([true, false]);
  });

  it('sends head and body as one when the body comes whole', async () => {
    const exchange = new FakeExchange();
    const before: string[][] = [];
    const app: HttpApp = async (_scope, _receive, send) => {
      const headers = [
        [text('X-One'), 'a'],
        ['connection', 'close'],
      ] as const;
      await send({ type: 'http.response.start', status: 201, headers });
      before.push([...exchange.log]);
      await send({ type: 'http.response.body', body: text('hello') });
    };
    mountAsgiApp(app as AsgiApp, new FakeHost()).answer(exchange);
    await settle();
    expect(before).toEqual([[]]);
    expect(exchange.log).toEqual(['respond 201']);
    expect(exchange.sentHeaders).toEqual(['x-one', 'a', 'content-length', '5']);
    expect(exchange.text).toBe('hello');
    expect(exchange.handlersEnded).toBe(1);
  });

  it('streams with backpressure, and makes no promise while there is room', async () => {
    const promises = new Set<Promise<void>>();
    let sent = 0;
    const { exchange } = await run(
      async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        for (; sent < 20; sent += 1) {
          const promise = send({ type: 'http.response.body', body: new Uint8Array(1000), more_body: true });
          promises.add(promise);
          await promise;
        }
        await send({ type: 'http.response.body' });
      },
      { room: 2500 },
    );
    expect(exchange.body.length).toBeLessThanOrEqual(3000);
    for (let round = 0; round < 20; round += 1) {
      exchange.drain();
      await settle();
    }
    expect(exchange.body.length).toBe(20_000);
    expect(exchange.peak).toBeLessThanOrEqual(3500);
    expect(exchange.responseEnded).toBe(true);
    // One for all the sends that found room, one for each that had to wait.
    expect(promises.size).toBeLessThan(10);
  });

  it('reads the body as it comes, then learns of the end of the response', async () => {
    const events: AsgiReceiveEvent[] = [];
    const exchange = new FakeExchange({ method: 'POST', endStream: false, headers: ['expect', '100-continue'] });
    const app: HttpApp = async (_scope, receive, send) => {
      for (;;) {
        const event = await receive();
        events.push(event);
        if (event.type === 'http.request' && !event.more_body) break;
      }
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body' });
      events.push(await receive());
    };
    mountAsgiApp(app as AsgiApp, new FakeHost()).answer(exchange);
    await settle();
    expect(exchange.log).toEqual(['1xx 100']);
    exchange.receive('one');
    await settle();
    expect(exchange.consumed).toBe(3);
    exchange.receive('two', true);
    await settle();
    expect(
      events.map((event) =>
        event.type === 'http.request' ? [Buffer.from(event.body).toString(), event.more_body] : event.type,
      ),
    ).toEqual([['one', true], ['two', false], 'http.disconnect']);
  });

  it('gets one event for a request without body', async () => {
    let event: AsgiReceiveEvent | undefined;
    await run(async (_scope, receive) => {
      event = await receive();
      throw new Error('enough');
    });
    expect(event).toEqual({ type: 'http.request', body: new Uint8Array(0), more_body: false });
  });

  it('learns that the client has left: http.disconnect, and sends that fail', async () => {
    const seen: unknown[] = [];
    const exchange = new FakeExchange({ room: 1 });
    const host = new FakeHost();
    const app: HttpApp = async (_scope, receive, send) => {
      await receive();
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.body', body: text('x'), more_body: true });
      const waiting = send({ type: 'http.response.body', body: text('y'), more_body: true });
      const code = codeOf(waiting);
      seen.push((await receive()).type);
      seen.push(await code);
      await send({ type: 'http.response.body' });
    };
    mountAsgiApp(app as AsgiApp, host).answer(exchange);
    await settle();
    exchange.leave();
    await settle();
    expect(seen).toEqual(['http.disconnect', 'ERR_CLIENT_DISCONNECTED']);
    // The last send threw it out of the app: that is no failure.
    expect(host.reports).toEqual([]);
    expect(exchange.handlersEnded).toBe(1);
  });

  it('sends trailers, early hints and files by the extensions', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'hface-asgi-'));
    try {
      const file = path.join(folder, 'file.bin');
      await writeFile(file, Buffer.alloc(300_000, 7));
      const { exchange } = await run(async (_scope, _receive, send) => {
        await send({
          type: 'http.response.early_hint',
          links: ['</a.css>; rel=preload', text('</b.css>; rel=preload')],
        });
        await send({ type: 'http.response.start', status: 200, trailers: true });
        await send({ type: 'http.response.body', body: text('body') });
        await send({ type: 'http.response.trailers', headers: [['x-a', '1']], more_trailers: true });
        await send({ type: 'http.response.trailers', headers: [['x-b', '2']] });
      });
      expect(exchange.informational).toEqual([
        [103, ['link', '</a.css>; rel=preload', 'link', '</b.css>; rel=preload']],
      ]);
      expect(exchange.text).toBe('body');
      expect(exchange.sentTrailers).toEqual(['x-a', '1', 'x-b', '2']);

      let missing: string | undefined;
      const sent = new FakeExchange({ room: 100_000 });
      const app: HttpApp = async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        missing = await codeOf(send({ type: 'http.response.pathsend', path: path.join(folder, 'nothing') }));
        await send({ type: 'http.response.pathsend', path: file });
      };
      mountAsgiApp(app as AsgiApp, new FakeHost()).answer(sent);
      await vi.waitFor(() => {
        sent.drain();
        expect(sent.responseEnded).toBe(true);
      });
      expect(missing).toBe('ERR_APP_PATH');
      expect(sent.field('content-length')).toBe('300000');
      expect(sent.body.equals(Buffer.alloc(300_000, 7))).toBe(true);
      expect(sent.peak).toBeLessThanOrEqual(100_000 + 0x20000);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('answers HEAD with the same events, files and trailers included', async () => {
    const whole: HttpApp = async (_scope, _receive, send) => {
      await send({ type: 'http.response.start', status: 200, headers: [['content-length', '4']], trailers: true });
      await send({ type: 'http.response.body', body: text('bo'), more_body: true });
      await send({ type: 'http.response.body', body: text('dy') });
      await send({ type: 'http.response.trailers', headers: [['x-a', '1']] });
    };
    const file: HttpApp = async (_scope, _receive, send) => {
      await send({ type: 'http.response.start', status: 200 });
      await send({ type: 'http.response.pathsend', path: import.meta.filename });
    };
    for (const app of [whole, file]) {
      const { exchange, host } = await run(app, { method: 'HEAD' });
      await vi.waitFor(() => expect(exchange.handlersEnded).toBe(1));
      expect(exchange.log).toEqual(['headers 200 end']);
      expect(Number(exchange.field('content-length'))).toBeGreaterThan(0);
      expect(host.reports).toEqual([]);
    }
  });

  it.each<[string, AsgiSendEvent[], string]>([
    ['a body before the start', [{ type: 'http.response.body' }], 'ERR_APP_ORDER'],
    [
      'two starts',
      [
        { type: 'http.response.start', status: 200 },
        { type: 'http.response.start', status: 200 },
      ],
      'ERR_APP_ORDER',
    ],
    [
      'a body after the end',
      [{ type: 'http.response.start', status: 200 }, { type: 'http.response.body' }, { type: 'http.response.body' }],
      'ERR_APP_ORDER',
    ],
    [
      'trailers unannounced',
      [{ type: 'http.response.start', status: 200 }, { type: 'http.response.trailers' }],
      'ERR_APP_ORDER',
    ],
    ['status 101', [{ type: 'http.response.start', status: 101 }], 'ERR_APP_STATUS'],
    ['a split field', [{ type: 'http.response.start', status: 200, headers: [['x', 'a\r\nb: c']] }], 'ERR_APP_FIELD'],
    ['an unknown event', [{ type: 'websocket.accept' } as unknown as AsgiSendEvent], 'ERR_APP_EVENT'],
    ['lifespan events', [{ type: 'lifespan.startup.complete' }], 'ERR_APP_EVENT'],
    ['nothing', [undefined as unknown as AsgiSendEvent], 'ERR_APP_EVENT'],
    [
      'a relative path',
      [
        { type: 'http.response.start', status: 200 },
        { type: 'http.response.pathsend', path: 'a' },
      ],
      'ERR_APP_EVENT',
    ],
    [
      'text as a body',
      [
        { type: 'http.response.start', status: 200 },
        { type: 'http.response.body', body: 'text' as unknown as Uint8Array },
      ],
      'ERR_APP_EVENT',
    ],
  ])('is told of %s', async (_name, events, code) => {
    const codes: (string | undefined)[] = [];
    await run(async (_scope, _receive, send) => {
      for (const event of events) codes.push(await codeOf(send(event)));
      throw new Error('enough');
    });
    const last = codes.pop();
    expect(last).toBe(code);
    expect(codes.every((earlier) => earlier === undefined)).toBe(true);
  });

  it.each<[string, HttpApp, string[]]>([
    ['returns without a response', async () => Promise.resolve(), ['respond 500']],
    ['throws', async () => Promise.reject(new Error('boom')), ['respond 500']],
    [
      'throws at once',
      () => {
        throw new Error('boom');
      },
      ['respond 500'],
    ],
    [
      'returns after the start',
      async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
      },
      ['respond 500'],
    ],
    [
      'returns within the body',
      async (_scope, _receive, send) => {
        await send({ type: 'http.response.start', status: 200 });
        await send({ type: 'http.response.body', body: text('abc'), more_body: true });
        await settle(1);
      },
      ['headers 200', 'data 3', 'reset'],
    ],
  ])('that %s is reported', async (_name, app, log) => {
    const { exchange, host } = await run(app);
    await settle();
    expect(exchange.log).toEqual(log);
    expect(host.reports.length).toBe(1);
    expect(exchange.handlersEnded).toBe(1);
  });

  it('is not reached by CONNECT, which has no scope yet', async () => {
    const app = vi.fn<HttpApp>();
    const { exchange } = await run(app, { method: 'CONNECT', protocol: 'websocket', httpVersion: '2' });
    expect(exchange.status).toBe(501);
    expect(app).not.toHaveBeenCalled();
  });

  it('may not call receive twice at once, nor send without awaiting room', async () => {
    const codes: (string | undefined)[] = [];
    const exchange = new FakeExchange({ method: 'POST', endStream: false, room: 1 });
    const app: HttpApp = async (_scope, receive, send) => {
      void receive();
      codes.push(await codeOf(receive()));
      await send({ type: 'http.response.start', status: 200 });
      void send({ type: 'http.response.body', body: text('abc'), more_body: true });
      void send({ type: 'http.response.body', body: text('def'), more_body: true });
      codes.push(await codeOf(send({ type: 'http.response.body', body: text('ghi') })));
    };
    mountAsgiApp(app as AsgiApp, new FakeHost()).answer(exchange);
    await settle();
    expect(codes).toEqual(['ERR_APP_ORDER', 'ERR_APP_ORDER']);
  });
});

describe('the lifespan of an ASGI-style app', () => {
  type LifespanApp = (scope: AsgiLifespanScope, receive: AsgiReceive, send: AsgiSend) => Promise<void>;
  const mounted = (app: LifespanApp, host = new FakeHost()): ReturnType<typeof mountAsgiApp> =>
    mountAsgiApp(app as AsgiApp, host);

  it('starts, hands its state to requests, and stops', async () => {
    const log: string[] = [];
    const app = async (
      scope: AsgiLifespanScope | AsgiHttpScope,
      receive: AsgiReceive,
      send: AsgiSend,
    ): Promise<void> => {
      if (scope.type === 'http') {
        log.push(String(scope.state['database']));
        scope.state['database'] = 'changed by a request';
        await send({ type: 'http.response.start', status: 204 });
        return send({ type: 'http.response.body' });
      }
      log.push((await receive()).type);
      scope.state['database'] = 'open';
      await send({ type: 'lifespan.startup.complete' });
      log.push((await receive()).type);
      await send({ type: 'lifespan.shutdown.complete' });
    };
    const mount = mountAsgiApp(app as AsgiApp, new FakeHost());
    await mount.startup();
    mount.answer(new FakeExchange());
    mount.answer(new FakeExchange());
    await settle();
    await mount.shutdown();
    expect(log).toEqual(['lifespan.startup', 'open', 'open', 'lifespan.shutdown']);
  });

  it('that fails keeps the server from listening', async () => {
    const app = mounted(async (_scope, receive, send) => {
      await receive();
      await send({ type: 'lifespan.startup.failed', message: 'no database' });
    });
    await expect(app.startup()).rejects.toThrow(/failed to start: no database/);
  });

  it.each<[string, LifespanApp]>([
    ['throws', async () => Promise.reject(new Error('only http'))],
    ['returns', async () => Promise.resolve()],
    [
      'answers with http events',
      async (_scope, receive, send) => {
        await receive();
        await send({ type: 'http.response.start', status: 200 });
      },
    ],
  ])('is not missed in an app that %s', async (_name, lifespan) => {
    const host = new FakeHost();
    const app = mounted(lifespan, host);
    await app.startup();
    await app.shutdown();
    expect(host.reports).toEqual([]);
  });

  it('reports what goes wrong at the end', async () => {
    const host = new FakeHost();
    const app = mounted(async (_scope, receive, send) => {
      await receive();
      await send({ type: 'lifespan.startup.complete' });
      await receive();
      await send({ type: 'lifespan.shutdown.failed', message: 'stuck' });
    }, host);
    await app.startup();
    await app.shutdown();
    expect(String(host.reports[0]?.[0])).toMatch(/failed to stop: stuck/);
  });
});

describe('the decoded path', () => {
  it.each([
    ['/plain', '/plain'],
    ['/%E4%B8%AD', '/中'],
    ['/a%2Fb%00', '/a/b\0'],
    ['/%', '/%'],
    ['/%zz%4', '/%zz%4'],
    ['/%ff', '/\ufffd'],
    ['/\xc3\xa9', '/é'],
  ])('of %s', (raw, decoded) => {
    expect(decodedPath(raw)).toBe(decoded);
  });
});
