import { describe, expect, it, vi } from 'vitest';
import type { AppContext, FetchApp } from '../../../src/app/index.ts';
import { mountFetchApp } from '../../../src/app/fetch-exchange.ts';
import { AppError } from '../../../src/common/index.ts';
import { FakeExchange, FakeHost, settle } from './fake-exchange.ts';
import type { FakeRequest } from './fake-exchange.ts';

interface Run {
  readonly exchange: FakeExchange;
  readonly host: FakeHost;
}

async function run(app: FetchApp, request: FakeRequest = {}, host = new FakeHost()): Promise<Run> {
  const exchange = new FakeExchange(request);
  mountFetchApp(app, host).answer(exchange);
  await settle();
  return { exchange, host };
}

/** Yields the pieces one by one, each after a turn of the event loop. */
function slowly(...pieces: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      await settle(1);
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  });
}

describe('a Fetch-style app', () => {
  it('answers a short response with one write', async () => {
    const { exchange, host } = await run(() => new Response('hello'));
    expect(exchange.log).toEqual(['respond 200']);
    expect(exchange.text).toBe('hello');
    expect(exchange.field('content-length')).toBe('5');
    expect(exchange.field('content-type')).toBe('text/plain;charset=UTF-8');
    expect(exchange.handlersEnded).toBe(1);
    expect(host.ended).toEqual([200]);
  });

  it('may be an object and may answer later', async () => {
    const app = {
      greeting: 'from an object',
      async fetch(): Promise<Response> {
        await settle(1);
        return new Response(this.greeting);
      },
    };
    const { exchange } = await run(app);
    expect(exchange.text).toBe('from an object');
  });

  it('is given the request as it came', async () => {
    let seen: Request | undefined;
    await run(
      (request) => {
        seen = request;
        return new Response();
      },
      {
        method: 'PATCH',
        scheme: 'https',
        authority: 'example.com:8443',
        path: '/a%20b?c=d',
        headers: ['x-one', '1', 'cookie', 'a=1', 'cookie', 'b=2', 'x-one', '2'],
        endStream: true,
      },
    );
    expect(seen?.method).toBe('PATCH');
    expect(seen?.url).toBe('https://example.com:8443/a%20b?c=d');
    expect(seen?.headers.get('host')).toBe('example.com:8443');
    expect(seen?.headers.get('x-one')).toBe('1, 2');
    // RFC 9113 section 8.2.3: crumbs are joined by a semicolon.
    expect(seen?.headers.get('cookie')).toBe('a=1; b=2');
    expect(seen?.body).toBeNull();
  });

  it('keeps set-cookie fields apart and drops those of the connection', async () => {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['connection', 'keep-alive'],
      ['transfer-encoding', 'chunked'],
      ['keep-alive', 'timeout=5'],
      ['upgrade', 'h2c'],
      ['x-kept', 'yes'],
    ]);
    const { exchange } = await run(() => new Response('x', { headers }));
    const names = exchange.sentHeaders.filter((_, index) => index % 2 === 0);
    expect(names).toEqual(['content-type', 'set-cookie', 'set-cookie', 'x-kept', 'content-length']);
  });

  it('adds the fields of the host where the app set none', async () => {
    const host = new FakeHost();
    host.fields = ['date', 'today', 'server', 'test'];
    const { exchange } = await run(() => new Response('x', { headers: { server: 'mine' } }), {}, host);
    expect(exchange.field('date')).toBe('today');
    expect(exchange.field('server')).toBe('mine');
  });

  it.each([204, 205, 304])('sends no content with %i (RFC 9110 sections 15.3.5, 15.3.6, 15.4.5)', async (status) => {
    const { exchange } = await run(() => new Response(null, { status, headers: { etag: '"x"' } }));
    expect(exchange.status).toBe(status);
    expect(exchange.log).toEqual([`headers ${String(status)} end`]);
    expect(exchange.field('content-length')).toBe(status === 205 ? '0' : undefined);
  });

  it('keeps content-length and cancels the body for HEAD (RFC 9110 section 9.3.2)', async () => {
    const cancelled = vi.fn();
    const body = new ReadableStream({ cancel: cancelled });
    const { exchange } = await run(() => new Response(body, { headers: { 'content-length': '1234' } }), {
      method: 'HEAD',
    });
    expect(exchange.log).toEqual(['headers 200 end']);
    expect(exchange.field('content-length')).toBe('1234');
    expect(cancelled).toHaveBeenCalledOnce();
  });

  it('sends the head of a slow stream before its first piece', async () => {
    const { exchange } = await run(() => new Response(slowly('one', 'two')));
    await settle(5);
    expect(exchange.log).toEqual(['headers 200', 'data 3', 'data 3', 'data 0 end']);
    expect(exchange.text).toBe('onetwo');
    expect(exchange.field('content-length')).toBeUndefined();
  });

  it('stops reading the body while there is no room', async () => {
    let pulled = 0;
    const body = new ReadableStream(
      {
        pull(controller) {
          pulled += 1;
          if (pulled > 20) controller.close();
          else controller.enqueue(new Uint8Array(1000));
        },
      },
      { highWaterMark: 0 },
    );
    const { exchange } = await run(() => new Response(body), { room: 2500 });
    await settle();
    expect(exchange.chunks.length).toBe(3);
    expect(pulled).toBe(3);
    for (let round = 0; round < 20; round += 1) {
      exchange.drain();
      await settle();
    }
    expect(exchange.body.length).toBe(20_000);
    expect(exchange.peak).toBeLessThanOrEqual(3500);
    expect(exchange.responseEnded).toBe(true);
  });

  it('keeps a second piece that came while the first filled the room', async () => {
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new Uint8Array(100));
        await settle(1);
        controller.enqueue(new Uint8Array(50));
        controller.close();
      },
    });
    const { exchange } = await run(() => new Response(body), { room: 10 });
    expect(exchange.body.length).toBe(100);
    exchange.drain();
    await settle();
    expect(exchange.body.length).toBe(150);
    exchange.drain();
    await settle();
    expect(exchange.responseEnded).toBe(true);
  });
});

describe('the body of a request', () => {
  it('is given back to the client as the app reads it', async () => {
    let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
    let finish: ((response: Response) => void) | undefined;
    const { exchange } = await run(
      (request) => {
        reader = request.body?.getReader() as ReadableStreamDefaultReader<Uint8Array>;
        return new Promise<Response>((resolve) => {
          finish = resolve;
        });
      },
      { method: 'POST', endStream: false },
    );
    exchange.receive('hello ');
    exchange.receive('world', true);
    await settle();
    expect(exchange.consumed).toBe(0);
    const first = await reader?.read();
    expect(Buffer.from(first?.value as Uint8Array).toString()).toBe('hello ');
    expect(exchange.consumed).toBe(6);
    await reader?.read();
    expect(exchange.consumed).toBe(11);
    expect((await reader?.read())?.done).toBe(true);
    finish?.(new Response('ok'));
    await settle();
    expect(exchange.text).toBe('ok');
  });

  it('can be read whole, and into a buffer of the reader', async () => {
    const whole = new FakeExchange({ method: 'POST', endStream: false });
    mountFetchApp(async (request) => new Response(await request.text()), new FakeHost()).answer(whole);
    for (const piece of ['a', 'bc', 'def']) whole.receive(piece);
    whole.receive('', true);
    await settle();
    expect(whole.text).toBe('abcdef');

    const own = new FakeExchange({ method: 'PUT', endStream: false });
    const app = async (request: Request): Promise<Response> => {
      const reader = (request.body as ReadableStream<Uint8Array>).getReader({ mode: 'byob' });
      let text = '';
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(4));
        if (done) return new Response(text);
        text += Buffer.from(value).toString();
      }
    };
    mountFetchApp(app, new FakeHost()).answer(own);
    own.receive('hello world');
    await settle();
    own.receive('!', true);
    await settle(6);
    expect(own.text).toBe('hello world!');
  });

  it('does not take the memory of a buffer that others share', async () => {
    const shared = new Uint8Array(Buffer.from('POST body and the next request'));
    const exchange = new FakeExchange({ method: 'POST', endStream: false });
    mountFetchApp(async (request) => new Response(await request.text()), new FakeHost()).answer(exchange);
    exchange.receive(shared.subarray(5, 9), true);
    await settle();
    expect(exchange.text).toBe('body');
    expect(shared.byteLength).toBe(30);
  });

  it('gets 100 at the first read, and only then (RFC 9110 section 10.1.1)', async () => {
    const request: FakeRequest = { method: 'POST', endStream: false, headers: ['expect', '100-Continue'] };
    const unread = await run(() => new Response('no, thanks', { status: 403 }), request);
    expect(unread.exchange.log).toEqual(['respond 403']);

    const read = await run(async (asked) => new Response(await asked.text()), request);
    expect(read.exchange.log).toEqual(['1xx 100']);
    read.exchange.receive('body', true);
    await settle();
    expect(read.exchange.text).toBe('body');

    const old = await run(async (asked) => new Response(await asked.text()), { ...request, httpVersion: '1.0' });
    expect(old.exchange.log).toEqual([]);
  });

  it('is let go when the app answers without reading it', async () => {
    const exchange = new FakeExchange({ method: 'POST', endStream: false });
    mountFetchApp(() => new Response('ok'), new FakeHost()).answer(exchange);
    exchange.receive('whole body', true);
    await settle();
    expect(exchange.text).toBe('ok');
    expect(exchange.consumed).toBe(10);
  });

  it('is dropped for GET, whose Request has none', async () => {
    const exchange = new FakeExchange({ endStream: false });
    mountFetchApp((request) => new Response(request.body === null ? 'null' : 'a body'), new FakeHost()).answer(
      exchange,
    );
    exchange.receive('body', true);
    await settle();
    expect(exchange.text).toBe('null');
    expect(exchange.consumed).toBe(4);
  });

  it('brings its trailers', async () => {
    let trailers: Promise<Headers> | undefined;
    const exchange = new FakeExchange({ method: 'POST', endStream: false });
    const app = async (request: Request, context: AppContext): Promise<Response> => {
      trailers = context.trailers.received;
      return new Response(await request.text());
    };
    mountFetchApp(app, new FakeHost()).answer(exchange);
    exchange.receive('body');
    exchange.handler?.trailersReceived(['x-sum', '42'], undefined);
    await settle();
    expect(exchange.text).toBe('body');
    expect((await trailers)?.get('x-sum')).toBe('42');
    const none = await run(async (_request, context) => {
      const received = await context.trailers.received;
      return new Response(String([...received].length));
    });
    expect(none.exchange.text).toBe('0');
  });
});

describe('an app that fails', () => {
  it.each<[string, FetchApp, RegExp]>([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      /boom/,
    ],
    ['rejects', () => Promise.reject(new Error('later')), /later/],
    ['returns nothing', (() => undefined) as unknown as FetchApp, /no Response/],
    ['returns a string', (() => 'text') as unknown as FetchApp, /string, not a Response/],
    ['returns an error response', () => Response.error(), /Response\.error/],
    [
      'throws undefined',
      () => {
        throw undefined as unknown as Error;
      },
      /undefined/,
    ],
  ])('that %s gets 500 and is reported', async (_name, app, message) => {
    const { exchange, host } = await run(app);
    expect(exchange.status).toBe(500);
    expect(exchange.text).toBe('500 Internal Server Error\nRequest c-1\n');
    expect(host.reports.length).toBe(1);
    expect(String(host.reports[0]?.[0])).toMatch(message);
    expect(exchange.handlersEnded).toBe(1);
  });

  const trap = (): never => {
    throw new Error('trap');
  };

  it.each<[string, () => unknown]>([
    ['a thenable whose then throws', () => ({ then: trap })],
    ['a getter for then that throws', () => Object.defineProperty({}, 'then', { get: trap })],
    ['a proxy that throws', () => new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap })],
    ['a Response whose fields throw', () => Object.defineProperty(new Response('x'), 'headers', { get: trap })],
    ['a Response whose body throws', () => Object.defineProperty(new Response('x'), 'body', { get: trap })],
    ['a Response with a status that is none', () => Object.defineProperty(new Response('x'), 'status', { value: 99 })],
    ['fields that split the response', () => ({ status: 200, body: null, headers: [['x', 'a\r\nb: c']] })],
    ['a body that is no stream', () => ({ status: 200, headers: [], body: { getReader: trap, cancel: trap } })],
  ])('by %s gets 500 and ends nothing else', async (_name, make) => {
    const { exchange, host } = await run(make as unknown as FetchApp);
    expect(exchange.log).toEqual(['respond 500']);
    expect(host.reports).toHaveLength(1);
    expect(exchange.handlersEnded).toBe(1);
  });

  it('in the cancel of its stream concerns nobody', async () => {
    const exchange = new FakeExchange({ room: 1 });
    const host = new FakeHost();
    const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10)), cancel: trap });
    mountFetchApp(() => new Response(body), host).answer(exchange);
    await settle();
    exchange.leave();
    await settle();
    expect(host.reports).toEqual([]);
    expect(exchange.handlersEnded).toBe(1);
  });

  it('shows its stack to developers only', async () => {
    const { exchange } = await run(
      () => {
        throw new Error('boom', { cause: new Error('below') });
      },
      {},
      new FakeHost(true),
    );
    expect(exchange.text).toMatch(/boom\n {4}at /);
    expect(exchange.text).toMatch(/caused by: Error: below/);
  });

  it('with a Response that was used before gets 500', async () => {
    const used = new Response('once');
    await used.text();
    const { exchange, host } = await run(() => used);
    expect(exchange.status).toBe(500);
    expect(host.reports[0]?.[0]).toMatchObject({ code: 'ERR_APP_RESPONSE_USED' });
  });

  it('with a Response that was sent before gets 500', async () => {
    const kept = new Response('once');
    expect((await run(() => kept)).exchange.text).toBe('once');
    const { exchange, host } = await run(() => kept);
    expect(exchange.status).toBe(500);
    expect(host.reports[0]?.[0]).toMatchObject({ code: 'ERR_APP_RESPONSE_USED' });
  });

  it('before its first piece gets 500, after it a reset', async () => {
    const early = new ReadableStream({
      pull() {
        throw new Error('early');
      },
    });
    const before = await run(() => new Response(early));
    expect(before.exchange.log).toEqual(['respond 500']);

    let count = 0;
    const late = new ReadableStream({
      async pull(controller) {
        await settle(1);
        count += 1;
        if (count > 1) throw new Error('late');
        controller.enqueue(new Uint8Array(3));
      },
    });
    const after = await run(() => new Response(late));
    await settle(5);
    expect(after.exchange.log).toEqual(['headers 200', 'data 3', 'reset']);
    expect(String(after.host.reports[0]?.[0])).toMatch(/late/);
    expect(after.exchange.handlersEnded).toBe(1);
  });

  it('with text in its body stream is told what a body is made of', async () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue('text');
        controller.close();
      },
    });
    const { exchange, host } = await run(() => new Response(body));
    expect(exchange.status).toBe(500);
    expect(String(host.reports[0]?.[0])).toMatch(/must yield Uint8Array, not string/);
  });

  it.each([
    ['10', '500'],
    ['3', '500'],
    ['x', '500'],
  ])('with content-length %s for five bytes gets %s (RFC 9110 section 8.6)', async (length, status) => {
    const { exchange } = await run(() => new Response('hello', { headers: { 'content-length': length } }));
    expect(String(exchange.status)).toBe(status);
  });

  it('with a stream shorter than its content-length is reset', async () => {
    const { exchange } = await run(() => new Response(slowly('abc'), { headers: { 'content-length': '5' } }));
    await settle(5);
    expect(exchange.log).toEqual(['headers 200', 'data 3', 'reset']);
  });
});

describe('a client that leaves', () => {
  it('aborts the signal and the body, both ways', async () => {
    const cancelled = vi.fn();
    let signal: AbortSignal | undefined;
    let reading: Promise<unknown> | undefined;
    const exchange = new FakeExchange({ method: 'POST', endStream: false, room: 1 });
    const host = new FakeHost();
    mountFetchApp((request) => {
      signal = request.signal;
      reading = request.text().catch((error: unknown) => error);
      return new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(new Uint8Array(10));
          },
          cancel: cancelled,
        }),
      );
    }, host).answer(exchange);
    await settle();
    const error = exchange.leave();
    await settle();
    expect(signal?.aborted).toBe(true);
    expect(signal?.reason).toBe(error);
    expect(await reading).toBe(error);
    expect(cancelled).toHaveBeenCalledWith(error);
    expect(exchange.handlersEnded).toBe(1);
    expect(host.ended).toEqual([200]);
  });

  it('is no failure of the app that gives up for it', async () => {
    const exchange = new FakeExchange();
    const host = new FakeHost();
    mountFetchApp(
      (request) =>
        new Promise((_resolve, reject) => {
          request.signal.addEventListener('abort', () => reject(request.signal.reason as Error));
        }),
      host,
    ).answer(exchange);
    await settle();
    expect(exchange.handlersEnded).toBe(0);
    exchange.leave();
    await settle();
    expect(host.reports).toEqual([]);
    expect(exchange.handlersEnded).toBe(1);
    expect(host.ended).toEqual([0]);
  });

  it('does not get an answer that comes too late, whose body is cancelled', async () => {
    const cancelled = vi.fn();
    let answer: ((response: Response) => void) | undefined;
    const { exchange } = await run(() => new Promise((resolve) => (answer = resolve)));
    exchange.leave();
    answer?.(new Response(new ReadableStream({ cancel: cancelled })));
    await settle();
    expect(exchange.log).toEqual([]);
    expect(cancelled).toHaveBeenCalledOnce();
    expect(exchange.handlersEnded).toBe(1);
  });

  it('rejects the trailers that are awaited, and nothing that is not', async () => {
    let received: Promise<Headers> | undefined;
    const exchange = new FakeExchange({ method: 'POST', endStream: false });
    mountFetchApp((_request, context) => {
      received = context.trailers.received;
      return new Promise(() => undefined);
    }, new FakeHost()).answer(exchange);
    const error = exchange.leave();
    await settle();
    await expect(received).rejects.toBe(error);
  });
});

describe('the context', () => {
  it('tells the facts of the exchange', async () => {
    let context: AppContext | undefined;
    await run(
      (_request, given) => {
        context = given;
        return new Response();
      },
      { headers: ['priority', 'u=1, i'], httpVersion: '2' },
    );
    expect(context).toMatchObject({
      clientAddress: { family: 'ipv4', host: '192.0.2.9', port: 40000 },
      localAddress: { family: 'ipv4', host: '127.0.0.1', port: 8080 },
      httpVersion: '2',
      tls: undefined,
      streamId: 1,
      requestId: 'c-1',
    });
    expect(context?.priority.urgency).toBe(1);
    expect(context?.priority.incremental).toBe(true);
    expect(Object.keys(context?.state ?? {})).toEqual([]);
    expect(context?.state).toBe(context?.state);
  });

  it('sends informational responses until the head (RFC 8297)', async () => {
    let late: unknown;
    const { exchange } = await run((_request, context) => {
      context.sendInformational(103, { Link: '</a.css>; rel=preload' });
      for (const status of [99, 101, 200]) expect(() => context.sendInformational(status)).toThrow(AppError);
      void settle().then(() => {
        try {
          context.sendInformational(103);
        } catch (error) {
          late = error;
        }
      });
      return new Response('x');
    });
    await settle();
    expect(exchange.informational).toEqual([[103, ['link', '</a.css>; rel=preload']]]);
    expect(late).toMatchObject({ code: 'ERR_APP_ORDER' });
  });

  it('sends trailers after the body (RFC 9110 section 6.5)', async () => {
    const { exchange } = await run((_request, context) => {
      context.trailers.send([['X-Sum', '1']]);
      context.trailers.send({ 'grpc-status': '0' });
      return new Response('body', { headers: { 'content-length': '4' } });
    });
    expect(exchange.log).toEqual(['headers 200', 'data 4', 'trailers']);
    expect(exchange.sentTrailers).toEqual(['x-sum', '1', 'grpc-status', '0']);
    expect(exchange.field('content-length')).toBeUndefined();
  });

  it.each([
    ['content-length', '1'],
    ['transfer-encoding', 'chunked'],
    ['authorization', 'x'],
    ['bad name', 'x'],
    ['x-bad', 'a\r\nb'],
    ['x-bad', '\u4e2d'],
  ])('refuses %s as a trailer (RFC 9110 section 6.5.1)', async (name, value) => {
    let thrown: unknown;
    await run((_request, context) => {
      try {
        context.trailers.send([[name, value]]);
      } catch (error) {
        thrown = error;
      }
      return new Response();
    });
    expect(thrown).toMatchObject({ code: 'ERR_APP_FIELD' });
  });

  it('hands promises to the host and priorities to the exchange', async () => {
    const promise = Promise.resolve();
    const { exchange, host } = await run((_request, context) => {
      context.waitUntil(promise);
      context.priority.set(0, true);
      expect(() => context.priority.set(8)).toThrow(AppError);
      return new Response();
    });
    expect(host.waiting).toEqual([promise]);
    expect(exchange.priority).toEqual([0, true]);
  });
});

describe('a request that no Request can say', () => {
  it.each<[FakeRequest, number]>([
    [{ method: 'CONNECT', scheme: '', path: '', authority: 'example.com:443' }, 501],
    [{ method: 'TRACE' }, 501],
    [{ method: 'get' }, 501],
    [{ path: '/a b' }, 400],
    [{ path: '/a\\b' }, 400],
    [{ path: '/a#b' }, 400],
    [{ path: 'a' }, 400],
    [{ path: '*' }, 400],
    [{ authority: 'user@example.com' }, 400],
    [{ authority: 'example.com/x' }, 400],
    [{ authority: 'example.com:99999' }, 400],
    [{ authority: '[::1' }, 400],
    [{ method: 'OPTIONS', path: '*' }, 204],
  ])('%o is answered without the app: %i', async (request, status) => {
    const app = vi.fn(() => new Response('reached'));
    const { exchange } = await run(app, request);
    expect(exchange.status).toBe(status);
    expect(app).not.toHaveBeenCalled();
    expect(exchange.handlersEnded).toBe(1);
  });

  it('has the address of the server where an HTTP/1.0 client sent no Host', async () => {
    const { exchange } = await run((request) => new Response(request.url), { authority: '', httpVersion: '1.0' });
    expect(exchange.text).toBe('http://127.0.0.1:8080/');
  });

  it('keeps octets that are no ASCII as they came', async () => {
    const { exchange } = await run((request) => new Response(request.url), { path: '/\xc3\xa9' });
    expect(exchange.text).toBe('http://example.com/%C3%A9');
  });
});
