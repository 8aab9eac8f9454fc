import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../../src/common/index.ts';
import type { FetchOptions } from '../../../src/client/fetch.ts';
import { fakeSession, settle } from './fake-transport.ts';
import type { FakeRequest, FakeSession } from './fake-transport.ts';

const url = 'http://a.example/';
const lost = new NetworkError('connection reset', { phase: 'read' });

/** A session whose server answers each request by a function. */
function served(answer: (request: FakeRequest) => void, options: Parameters<typeof fakeSession>[0] = {}): FakeSession {
  const fake = fakeSession(options);
  fake.transport.onRequest = (request) => {
    request.start();
    answer(request);
  };
  return fake;
}

/** The rejection of a fetch. */
async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was fulfilled');
}

function nothingLeft(fake: FakeSession): void {
  expect(fake.session.running).toBe(0);
  expect(fake.clock.pending).toBe(0);
}

/** What ours have besides. */
type WithNative = Response & { native(): Response };

describe('fetch', () => {
  it("makes the platform's own Response when it is asked to", async () => {
    const fake = served((request) => request.respond(203, ['content-type', 'text/x', 'x-a', '1'], 'hi'));
    const response = (await fake.session.fetch(`${url}p?#frag`)) as WithNative;
    const native = response.native();
    expect(response.native()).toBe(native);
    expect([native.status, native.ok, native.url, native.type, native.redirected]).toEqual([
      203,
      true,
      `${url}p?`,
      'basic',
      false,
    ]);
    expect(native.headers.get('x-a')).toBe('1');
    // The platform's constructor takes it, which asks for its own state.
    expect(await new Response(native.body, native).text()).toBe('hi');
    nothingLeft(fake);
  });

  it('answers with statuses that the constructor does not take', async () => {
    const fake = served((request) => request.respond(999, [], 'odd'));
    const response = (await fake.session.fetch(url)) as WithNative;
    expect([response.status, response.ok]).toEqual([999, false]);
    const native = response.native();
    expect([native.status, native.ok, await native.text()]).toEqual([999, false, 'odd']);
    nothingLeft(fake);
  });

  it('gives a body that is still coming whole, once', async () => {
    const fake = served((request) => {
      request.handler.headersReceived(200, [], undefined, '1.1', false);
      request.handler.dataReceived(Buffer.from('one '), 4, false, false);
      setImmediate(() => {
        request.handler.dataReceived(Buffer.from('two'), 3, true, false);
        request.handler.closed();
      });
    });
    const response = await fake.session.fetch(url);
    const text = response.text();
    expect(response.bodyUsed).toBe(true);
    expect(await text).toBe('one two');
    await expect(response.text()).rejects.toBeInstanceOf(TypeError);
    nothingLeft(fake);
  });

  it('answers with a platform Response', async () => {
    const fake = served((request) =>
      request.respond(201, ['content-type', 'text/x', 'x-a', '1', 'set-cookie', 'a', 'set-cookie', 'b'], 'hi'),
    );
    const response = await fake.session.fetch(`${url}p?q#frag`);
    expect(response).toBeInstanceOf(Response);
    expect([response.status, response.ok, response.url, response.redirected, response.type]).toEqual([
      201,
      true,
      `${url}p?q`,
      false,
      'basic',
    ]);
    expect([...response.headers]).toEqual([
      ['content-type', 'text/x'],
      ['set-cookie', 'a'],
      ['set-cookie', 'b'],
      ['x-a', '1'],
    ]);
    const copy = response.clone();
    expect([copy.url, copy.type, copy.status]).toEqual([`${url}p?q`, 'basic', 201]);
    expect(await copy.text()).toBe('hi');
    expect(await response.text()).toBe('hi');
    expect(response.bodyUsed).toBe(true);
    nothingLeft(fake);
  });

  it('may be taken off its session', async () => {
    const fake = served((request) => request.respond(200, [], 'hi'));
    const { fetch } = fake.session;
    expect(await (await fetch(url)).text()).toBe('hi');
  });

  it('adds what the standard adds, unless it is there', async () => {
    const fake = served((request) => request.respond(200));
    await fake.session.fetch(url);
    expect(fake.transport.last.request.headers).toEqual([
      'accept',
      '*/*',
      'accept-encoding',
      'gzip, deflate',
      'user-agent',
      'test/1',
    ]);
    await fake.session.fetch('https://a.example/');
    expect(fake.transport.last.field('accept-encoding')).toMatch(/^gzip, deflate, br/);
    await fake.session.fetch(url, { headers: { range: 'bytes=0-1', Accept: 'a/b', 'User-Agent': 'me' } });
    expect(fake.transport.last.field('accept-encoding')).toBe('identity');
    expect(fake.transport.last.field('accept')).toBe('a/b');
    expect(fake.transport.last.field('user-agent')).toBe('me');
  });

  const cacheModes: [string, string | undefined, string | undefined][] = [
    ['default', undefined, undefined],
    ['force-cache', undefined, undefined],
    ['no-cache', 'max-age=0', undefined],
    ['no-store', 'no-cache', 'no-cache'],
    ['reload', 'no-cache', 'no-cache'],
  ];
  it.each(cacheModes)('cache mode %s tells caches on the way', async (cache, cacheControl, pragma) => {
    const fake = served((request) => request.respond(200));
    await fake.session.fetch(url, { cache } as RequestInit);
    expect([fake.transport.last.field('cache-control'), fake.transport.last.field('pragma')]).toEqual([
      cacheControl,
      pragma,
    ]);
  });

  it('normalises the methods that the standard names, and no other', async () => {
    const fake = served((request) => request.respond(200));
    for (const [given, sent] of [
      ['get', 'GET'],
      ['Put', 'PUT'],
      ['patch', 'patch'],
      ['own', 'own'],
    ]) {
      await fake.session.fetch(url, { method: given! });
      expect(fake.transport.last.request.method).toBe(sent);
    }
  });

  describe('bodies', () => {
    it.each<[string, RequestInit, string, string | undefined, string | undefined]>([
      ['a string', { body: 'hü' }, 'h\u00c3\u00bc', '3', 'text/plain;charset=UTF-8'],
      ['bytes', { body: new Uint8Array([104, 105]) }, 'hi', '2', undefined],
      ['with a type', { body: 'x', headers: { 'content-type': 'a/b' } }, 'x', '1', 'a/b'],
      [
        'URLSearchParams',
        { body: new URLSearchParams('a=b') },
        'a=b',
        '3',
        'application/x-www-form-urlencoded;charset=UTF-8',
      ],
      ['a Blob', { body: new Blob(['x'], { type: 'c/d' }) }, 'x', '1', 'c/d'],
      [
        'something else as its text',
        { body: { toString: () => 'me' } as unknown as string },
        'me',
        '2',
        'text/plain;charset=UTF-8',
      ],
      ['a stream', { body: new Response('stream').body!, duplex: 'half' }, 'stream', undefined, undefined],
      ['nothing', {}, '', '0', undefined],
      ['an empty string', { body: '' }, '', '0', 'text/plain;charset=UTF-8'],
    ])('sends %s', async (_name, init, text, length, type) => {
      const fake = served(() => {});
      const pending = fake.session.fetch(url, { method: 'POST', ...init });
      for (let turn = 0; turn < 5; turn += 1) await settle();
      const { last } = fake.transport;
      expect(last.body).toBe(text);
      expect([last.field('content-length'), last.field('content-type')]).toEqual([length, type]);
      expect(last.ended || last.request.endStream).toBe(true);
      last.respond(200);
      await pending;
      nothingLeft(fake);
    });

    it('sends bytes as they were when it was called', async () => {
      const fake = served(() => {});
      const body = new Uint8Array([97]);
      const pending = fake.session.fetch(url, { method: 'POST', body });
      body[0] = 98;
      await settle();
      expect(fake.transport.last.body).toBe('a');
      fake.transport.last.respond(200);
      await pending;
    });

    it('takes a platform Request, with the length of a short body and signal of its own', async () => {
      const fake = served((request) => queueMicrotask(() => request.respond(200, [], request.body)));
      const request = new Request(url, { method: 'PUT', body: 'abc', headers: { 'X-A': '1' } });
      const response = await fake.session.fetch(request);
      expect(await response.text()).toBe('abc');
      expect(request.bodyUsed).toBe(true);
      const { last } = fake.transport;
      expect([last.request.method, last.field('content-length'), last.field('x-a')]).toEqual(['PUT', '3', '1']);
      const other = new Request(url, { method: 'POST', body: 'abc' });
      await fake.session.fetch(other, { body: 'other', headers: { 'x-b': '2' } });
      expect([fake.transport.last.body, fake.transport.last.field('x-b')]).toEqual(['other', '2']);
      const controller = new AbortController();
      controller.abort(new Error('early'));
      const aborted = fake.session.fetch(new Request(url, { signal: controller.signal }));
      expect((await rejection(aborted)).message).toBe('early');
    });

    it('streams the long body of a platform Request', async () => {
      const fake = served(() => {});
      let pulls = 0;
      const body = new ReadableStream({
        async pull(controller) {
          pulls += 1;
          await settle();
          controller.enqueue(new Uint8Array(50_000));
          if (pulls === 4) controller.close();
        },
      });
      const pending = fake.session.fetch(new Request(url, { method: 'POST', body, duplex: 'half' }));
      for (let turn = 0; turn < 30; turn += 1) await settle();
      const { last } = fake.transport;
      expect([last.bytesSent, last.ended, last.field('content-length')]).toEqual([200_000, true, undefined]);
      last.respond(200);
      await pending;
    });
  });

  describe('refuses', () => {
    const controller = new AbortController();
    const locked = new ReadableStream();
    locked.getReader();
    it.each<[string, string, RequestInit, RegExp]>([
      ['a relative URL', '/x', {}, /Failed to parse URL/],
      ['credentials in the URL', 'http://u:p@a.example/', {}, /user name or password/],
      ['data:', 'data:text/plain,x', {}, /scheme data:/],
      ['blob:', 'blob:nodedata:x', {}, /scheme blob:/],
      ['file:', 'file:///etc/passwd', {}, /scheme file:/],
      ['CONNECT', url, { method: 'connect' }, /CONNECT/],
      ['TRACE', url, { method: 'TRACE' }, /TRACE/],
      ['a method that is no token', url, { method: 'A B' }, /no method/],
      ['a GET with a body', url, { body: 'x' }, /no body/],
      ['a HEAD with a body', url, { method: 'HEAD', body: 'x' }, /no body/],
      ['a stream without duplex', url, { method: 'POST', body: new ReadableStream() }, /duplex/],
      ['a locked stream', url, { method: 'POST', body: locked, duplex: 'half' }, /locked/],
      ['host', url, { headers: { host: 'b' } }, /takes the host from the URL/],
      ['transfer-encoding', url, { headers: { 'transfer-encoding': 'chunked' } }, /fetch failed/],
      ['a header name that is none', url, { headers: { 'a b': 'c' } }, /./],
      ['a header value with a line end', url, { headers: { a: 'b\nc' } }, /./],
      ['integrity', url, { integrity: 'sha256-x' }, /integrity/],
      ['keepalive', url, { keepalive: true }, /keepalive/],
      ['mode', url, { mode: 'no-cors' }, /mode no-cors/],
      ['referrer', url, { referrer: 'http://b.example/' }, /referrer/],
      ['referrerPolicy', url, { referrerPolicy: 'origin' }, /referrerPolicy/],
      ['window', url, { window: 1 as unknown as null }, /window/],
      ['dispatcher', url, { dispatcher: {} as never }, /dispatcher/],
      ['timeout', url, { timeout: 1 } as RequestInit, /timeout/],
      ['an unknown redirect mode', url, { redirect: 'x' as 'follow' }, /redirect/],
      ['an unknown cache mode', url, { cache: 'x' } as RequestInit, /cache mode/],
      ['only-if-cached', url, { cache: 'only-if-cached' } as RequestInit, /only-if-cached/],
      ['an unknown priority', url, { priority: 'x' } as RequestInit, /priority/],
      ['a signal that is none', url, { signal: {} as AbortSignal }, /signal/],
    ])('%s', async (_name, address, init, message) => {
      const fake = fakeSession();
      const error = await rejection(fake.session.fetch(address, init));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(message);
      expect(fake.transport.requests).toEqual([]);
      expect(controller.signal.aborted).toBe(false);
      nothingLeft(fake);
    });

    it('the same of a platform Request', async () => {
      const fake = fakeSession();
      for (const init of [
        { integrity: 'sha256-x' },
        { keepalive: true },
        { mode: 'same-origin' as const },
        { referrer: 'http://b/' },
      ]) {
        expect(await rejection(fake.session.fetch(new Request(url, init)))).toBeInstanceOf(TypeError);
      }
      expect(fake.transport.requests).toEqual([]);
    });
  });

  it('takes what asks for nothing that it lacks', async () => {
    const fake = served((request) => request.respond(200));
    for (const init of [
      { credentials: 'include' },
      { mode: 'cors' },
      { keepalive: false },
      { referrer: 'no-referrer' },
      { integrity: '' },
      { window: null },
      { signal: null },
    ]) {
      expect((await fake.session.fetch(url, init as RequestInit)).status).toBe(200);
    }
  });

  it('maps priority to urgency (RFC 9218)', async () => {
    const fake = served((request) => request.respond(200));
    for (const [priority, expected] of [
      ['high', [1, false]],
      ['low', [5, false]],
      ['auto', undefined],
    ]) {
      await fake.session.fetch(url, { priority } as RequestInit);
      expect(fake.transport.last.priority).toEqual(expected);
    }
  });

  describe('failure', () => {
    it('is a TypeError whose cause tells', async () => {
      const fake = served((request) => request.fail(lost, 'maybe'), { retry: false });
      const error = await rejection(fake.session.fetch(url));
      expect(error).toBeInstanceOf(TypeError);
      expect([error.message, error.cause]).toEqual(['fetch failed', lost]);
      nothingLeft(fake);
    });

    it('in the body fails the stream', async () => {
      const fake = served((request) => {
        request.head(200);
        request.data('abc');
        request.fail(lost, 'maybe');
      });
      const response = await fake.session.fetch(url);
      const error = await rejection(response.text());
      expect(error).toBeInstanceOf(TypeError);
      expect([error.message, error.cause]).toEqual(['terminated', lost]);
    });

    it('after close tells why', async () => {
      const fake = fakeSession();
      const pending = rejection(fake.session.fetch(url));
      await settle();
      await fake.session.close();
      expect((await pending).cause).toMatchObject({ code: 'ERR_SESSION_CLOSED' });
      expect((await rejection(fake.session.fetch(url))).cause).toMatchObject({ code: 'ERR_SESSION_CLOSED' });
      nothingLeft(fake);
    });

    it('of the timers tells which', async () => {
      const fake = fakeSession();
      const pending = rejection(fake.session.fetch(url, {}, { timeouts: { total: 50 } }));
      await settle();
      await fake.clock.advance(50);
      expect((await pending).cause).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'total', milliseconds: 50 });
      nothingLeft(fake);
    });
  });

  describe('abort', () => {
    it.each<[string, (request: FakeRequest) => void]>([
      ['before the head', () => {}],
      [
        'in the body',
        (request) => {
          request.head(200);
          request.data('x');
        },
      ],
      ['after all of the body has come', (request) => request.respond(200, [], 'whole')],
    ])('%s gives the reason', async (_name, answer) => {
      const fake = served(answer);
      const controller = new AbortController();
      const pending = fake.session.fetch(url, { signal: controller.signal });
      const outcome = pending.then(
        async (response) => rejection(response.text().finally(() => {})),
        (error: unknown) => error,
      );
      await Promise.resolve();
      const reason = new Error('enough');
      controller.abort(reason);
      expect(await outcome).toBe(reason);
      nothingLeft(fake);
    });

    it('by default is an AbortError', async () => {
      const fake = fakeSession();
      const error = await rejection(fake.session.fetch(url, { signal: AbortSignal.abort() }));
      expect(error.name).toBe('AbortError');
    });

    it('of the body by its reader ends the request', async () => {
      const fake = served((request) => {
        request.head(200);
        request.data('x');
      });
      const response = await fake.session.fetch(url);
      await response.body!.cancel();
      expect(fake.transport.last.wasReset).toBe(true);
      nothingLeft(fake);
    });
  });

  describe('bodies of responses', () => {
    it.each([
      ['HEAD', 200],
      ['GET', 204],
      ['GET', 205],
      ['GET', 304],
    ])('%s %i has none', async (method, status) => {
      const fake = served((request) => request.head(status, ['content-encoding', 'gzip', 'content-length', '9'], true));
      const response = await fake.session.fetch(url, { method });
      expect([response.status, response.body]).toEqual([status, null]);
      expect(response.headers.get('content-length')).toBe('9');
      expect(await response.text()).toBe('');
      nothingLeft(fake);
    });

    it('what follows a 205 is dropped, and the connection kept', async () => {
      const fake = served((request) => request.respond(205, [], 'short'));
      expect((await fake.session.fetch(url)).body).toBeNull();
      await settle();
      expect([fake.transport.last.consumed, fake.transport.last.wasReset]).toEqual([5, false]);
    });

    it('are decoded, and the fields stay', async () => {
      const coded = gzipSync('decoded');
      const fake = served((request) =>
        request.respond(200, ['content-encoding', 'gzip', 'content-length', String(coded.length)], coded),
      );
      const response = await fake.session.fetch(url);
      expect(response.headers.get('content-encoding')).toBe('gzip');
      expect(response.headers.get('content-length')).toBe(String(coded.length));
      expect(await response.text()).toBe('decoded');
    });

    it('with an unknown coding come as they are', async () => {
      const fake = served((request) => request.respond(200, ['content-encoding', 'own'], 'as it is'));
      expect(await (await fake.session.fetch(url)).text()).toBe('as it is');
    });

    it('with too many codings fail the fetch (CVE-2026-22036)', async () => {
      const fake = served((request) => request.respond(200, ['content-encoding', 'gzip, gzip, gzip'], 'x'));
      expect((await rejection(fake.session.fetch(url))).cause).toMatchObject({ limit: 'maxContentCodings' });
      nothingLeft(fake);
    });

    it('that are no proper gzip fail the stream and end the request', async () => {
      const fake = served((request) => {
        request.head(200, ['content-encoding', 'gzip']);
        request.data('no gzip');
      });
      const response = await fake.session.fetch(url);
      const error = await rejection(response.text());
      expect(error.cause).toMatchObject({ code: 'ERR_CONTENT_DECODING' });
      expect(fake.transport.last.wasReset).toBe(true);
      nothingLeft(fake);
    });

    it('can be read into a buffer of the reader', async () => {
      const fake = served((request) => request.respond(200, [], 'abcdef'));
      const response = await fake.session.fetch(url);
      const reader = response.body!.getReader({ mode: 'byob' });
      const first = await reader.read(new Uint8Array(4));
      expect(Buffer.from(first.value!).toString()).toBe('abcd');
      const second = await reader.read(new Uint8Array(4));
      expect(Buffer.from(second.value!).toString()).toBe('ef');
      expect((await reader.read(new Uint8Array(4))).done).toBe(true);
    });

    it('do not take memory away from under their neighbours', async () => {
      const slab = new Uint8Array(Buffer.from('abcdef'));
      const fake = served((request) => {
        request.head(200);
        request.handler.dataReceived(slab.subarray(0, 3), 3, false, false);
        request.handler.dataReceived(slab.subarray(3), 3, true, false);
      });
      expect(await (await fake.session.fetch(url)).text()).toBe('abcdef');
      expect(slab.byteLength).toBe(6);
    });

    it('with a status beyond the platform come all the same', async () => {
      const fake = served((request) => request.respond(799, [], 'odd'));
      const response = await fake.session.fetch(url);
      expect([response.status, response.ok, await response.text()]).toEqual([799, false, 'odd']);
    });
  });
});

describe('redirects', () => {
  /** Answers each path with a redirect to the next, the last with its request. */
  function redirecting(count: number, status = 302, options: Parameters<typeof fakeSession>[0] = {}): FakeSession {
    return served((request) => {
      const step = Number(request.request.path.slice(1));
      if (step < count) request.respond(status, ['location', `/${step + 1}`], 'moved');
      else request.respond(200, [], `${request.request.method} ${request.body}`);
    }, options);
  }

  it('are followed, 20 at most', async () => {
    const fake = redirecting(20);
    const response = await fake.session.fetch(`${url}0#f`);
    expect([response.status, response.url, response.redirected]).toEqual([200, `${url}20`, true]);
    expect(fake.transport.requests.length).toBe(21);
    nothingLeft(fake);
    const error = await rejection(redirecting(21).session.fetch(`${url}0`));
    expect(error.cause).toMatchObject({ code: 'ERR_REDIRECT', message: expect.stringContaining('20') });
  });

  it('keep their connection for a short body, and give it up for a long one or a slow one', async () => {
    const short = redirecting(1);
    await short.session.fetch(`${url}0`);
    expect(short.transport.requests[0]!.wasReset).toBe(false);
    const long = served((request) => {
      if (request.request.path === '/end') {
        request.respond(200);
      } else {
        request.head(302, ['location', '/end']);
        request.data(new Uint8Array(70_000));
      }
    });
    expect((await long.session.fetch(url)).status).toBe(200);
    expect(long.transport.requests[0]!.wasReset).toBe(true);
    nothingLeft(long);
    const slow = served((request) => {
      if (request.request.path === '/end') request.respond(200);
      else request.head(302, ['location', '/end']);
    });
    const pending = slow.session.fetch(url);
    await settle();
    expect(slow.transport.requests.length).toBe(1);
    await slow.clock.advance(1000);
    expect((await pending).status).toBe(200);
    expect(slow.transport.requests[0]!.wasReset).toBe(true);
    nothingLeft(slow);
  });

  it('send the body again where they must', async () => {
    const again = redirecting(2, 307);
    const response = await again.session.fetch(`${url}0`, { method: 'POST', body: 'abc' });
    expect(await response.text()).toBe('POST abc');
    const dropped = redirecting(1, 303);
    expect(await (await dropped.session.fetch(`${url}0`, { method: 'POST', body: 'abc' })).text()).toBe('GET ');
    expect(dropped.transport.last.field('content-type')).toBeUndefined();
    expect(dropped.transport.last.field('content-length')).toBeUndefined();
    const request = new Request(`${url}0`, { method: 'POST', body: 'xyz' });
    expect(await (await redirecting(1, 308).session.fetch(request)).text()).toBe('POST xyz');
  });

  it('cannot send a stream again', async () => {
    const fake = served((request) => void setImmediate(() => request.respond(307, ['location', '/1'])));
    const body = new Response('stream').body!;
    const error = await rejection(fake.session.fetch(url, { method: 'POST', body, duplex: 'half' }));
    expect(error.cause).toMatchObject({ code: 'ERR_REDIRECT' });
    nothingLeft(fake);
  });

  it('leave credentials behind when the origin changes, for good', async () => {
    const fake = served((request) => {
      const { origin } = request;
      if (origin.includes('a.example')) request.respond(302, ['location', 'http://b.example/']);
      else if (origin.includes('b.example') && request.request.path === '/')
        request.respond(302, ['location', '/second']);
      else if (origin.includes('b.example')) request.respond(302, ['location', 'http://c.example/']);
      else request.respond(200);
    });
    const seen: unknown[] = [];
    const options: FetchOptions = { onRedirect: (redirect) => void seen.push(redirect) };
    await fake.session.fetch(url, { headers: { authorization: 'secret', cookie: 'c', 'x-own': '1' } }, options);
    const sent = fake.transport.requests.map((request) => [
      request.field('authorization'),
      request.field('cookie'),
      request.field('x-own'),
    ]);
    expect(sent).toEqual([
      ['secret', 'c', '1'],
      [undefined, undefined, '1'],
      [undefined, undefined, '1'],
      [undefined, undefined, '1'],
    ]);
    expect(seen[0]).toEqual({ status: 302, from: url, to: 'http://b.example/', crossOrigin: true, downgrade: false });
    expect(seen.length).toBe(3);
  });

  it('can be errors, or left to the caller', async () => {
    const fake = redirecting(1);
    expect((await rejection(fake.session.fetch(`${url}0`, { redirect: 'error' }))).cause).toMatchObject({
      code: 'ERR_REDIRECT',
    });
    const response = await fake.session.fetch(`${url}0`, { redirect: 'manual' });
    expect([response.status, response.headers.get('location'), response.type, response.redirected]).toEqual([
      302,
      '/1',
      'basic',
      false,
    ]);
    expect(await response.text()).toBe('moved');
    nothingLeft(fake);
  });

  it('without a location are answers', async () => {
    const fake = served((request) => request.respond(302, [], 'nowhere'));
    const response = await fake.session.fetch(url);
    expect([response.status, await response.text()]).toEqual([302, 'nowhere']);
  });

  it('to nowhere fail, and nothing is left', async () => {
    const fake = served((request) => {
      request.head(302, ['location', 'ftp://a.example/']);
      request.data('x');
    });
    expect((await rejection(fake.session.fetch(url))).cause).toMatchObject({ code: 'ERR_REDIRECT' });
    expect(fake.transport.last.wasReset).toBe(true);
    nothingLeft(fake);
  });

  it('are all within the total', async () => {
    const fake = served(
      (request) =>
        void setImmediate(() => void fake.clock.advance(30).then(() => request.respond(302, ['location', '/x']))),
    );
    const pending = rejection(fake.session.fetch(url, {}, { timeouts: { total: 100 } }));
    for (let turn = 0; turn < 100; turn += 1) await settle();
    expect((await pending).cause).toMatchObject({ timer: 'total', milliseconds: 100 });
    expect(fake.transport.requests.length).toBe(4);
    nothingLeft(fake);
  });

  it('stop at an abort', async () => {
    const controller = new AbortController();
    const fake = served((request) => {
      if (request.request.path === '/3') controller.abort(new Error('enough'));
      request.respond(302, ['location', `/${Number(request.request.path.slice(1)) + 1}`]);
    });
    const error = await rejection(fake.session.fetch(`${url}0`, { signal: controller.signal }));
    expect(error.message).toBe('enough');
    expect(fake.transport.requests.length).toBe(4);
    nothingLeft(fake);
  });

  it('fail when onRedirect throws', async () => {
    const fake = redirecting(1);
    const mistake = new Error('no further');
    const onRedirect = (): void => {
      throw mistake;
    };
    expect((await rejection(fake.session.fetch(`${url}0`, {}, { onRedirect }))).cause).toBe(mistake);
    nothingLeft(fake);
  });
});
