import { inspect } from 'node:util';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BodyFeed } from '../../../src/fetch/body.ts';
import { replaceGlobals, Request as OwnRequest } from '../../../src/fetch/index.ts';
import { requestOf } from '../../../src/fetch/request.ts';

const Native = globalThis.Request;
const nativeFetch = globalThis.fetch;
const URL_OF_ALL = 'http://example.com/a?b';

function feedOf(text: string): BodyFeed {
  return {
    collect: (whole) => whole(Buffer.from(text)),
    stream: () => new Blob([text]).stream() as ReturnType<BodyFeed['stream']>,
  };
}

/** A request as a server makes it. */
function received(content?: string): Request {
  const controller = new AbortController();
  return requestOf({
    method: content === undefined ? 'GET' : 'POST',
    url: () => URL_OF_ALL,
    fields: () => ['host', 'example.com', 'content-type', 'text/plain', 'x-a', '1'],
    signal: controller.signal,
    feed: content === undefined ? undefined : feedOf(content),
  });
}

const headers = { 'content-type': 'text/plain', host: 'example.com', 'x-a': '1' };

function init(content: string | undefined): RequestInit {
  return content === undefined ? { headers } : { method: 'POST', body: content, headers };
}

type Make = (content?: string) => Request;
const rows: readonly (readonly [string, Make])[] = [
  ['native', (content) => new Native(URL_OF_ALL, init(content))],
  ['ours, constructed', (content) => new OwnRequest(URL_OF_ALL, init(content))],
  ['ours, received', received],
];

/** Up to Node 22 the platform takes ours as its own; from 24 on only `native()`, or replaced globals, lead there. */
const takesOurs = Number(process.versions.node.split('.')[0]) < 24;

describe.each([false, true])('with globals replaced: %s', (replaced) => {
  let restore: (() => void) | undefined;
  beforeAll(() => {
    if (replaced) restore = replaceGlobals();
  });
  afterAll(() => restore?.());

  describe.each(rows)('Request, %s', (kind, make) => {
    it('tells method, URL, fields and the rest', () => {
      const request = make();
      expect([request.method, request.url]).toEqual(['GET', URL_OF_ALL]);
      expect([request.headers.get('Content-Type'), request.headers.get('x-a')]).toEqual(['text/plain', '1']);
      expect([...request.headers.keys()]).toEqual(['content-type', 'host', 'x-a']);
      const { cache, credentials, destination, integrity, keepalive, mode, redirect, referrer, duplex } = request;
      expect({ cache, credentials, destination, integrity, keepalive, mode, redirect, referrer, duplex }).toEqual({
        cache: 'default',
        credentials: 'same-origin',
        destination: '',
        integrity: '',
        keepalive: false,
        mode: 'cors',
        redirect: 'follow',
        referrer: 'about:client',
        duplex: 'half',
      });
      expect([request.body, request.bodyUsed, request.signal.aborted]).toEqual([null, false, false]);
      expect(Object.prototype.toString.call(request)).toBe('[object Request]');
      expect(inspect(request)).toContain('example.com');
    });

    it('is read in every way, once', async () => {
      expect(await make('abc').text()).toBe('abc');
      expect(await make('{"a":1}').json()).toEqual({ a: 1 });
      expect(Buffer.from(await make('abc').arrayBuffer()).toString()).toBe('abc');
      const blob = await make('abc').blob();
      expect([blob.type, blob.size]).toEqual(['text/plain', 3]);
      expect(await make().text()).toBe('');
      const request = make('abc');
      expect(request.bodyUsed).toBe(false);
      await request.text();
      expect(request.bodyUsed).toBe(true);
      await expect(request.text()).rejects.toThrow(/^Body is unusable/);
      await expect(request.arrayBuffer()).rejects.toThrow(TypeError);
      expect(() => request.clone()).toThrow(TypeError);
      const streamed = make('abc');
      expect(streamed.body).toBeInstanceOf(ReadableStream);
      expect(await new Response(streamed.body).text()).toBe('abc');
      expect(streamed.bodyUsed).toBe(true);
    });

    it('reads forms', async () => {
      const request = make('a=1&b=2');
      const typed = new OwnRequest(request, { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      expect((await typed.formData()).get('b')).toBe('2');
      await expect(make('x').formData()).rejects.toThrow(TypeError);
    });

    it('can be changed in its fields', () => {
      const request = make();
      request.headers.set('x-a', '2');
      request.headers.delete('host');
      expect([...request.headers.keys()]).toEqual(['content-type', 'x-a']);
      expect(request.headers.get('x-a')).toBe('2');
    });

    it('is cloned', async () => {
      const request = make('abc');
      const copy = request.clone();
      expect([copy.method, copy.url, copy.headers.get('x-a')]).toEqual(['POST', URL_OF_ALL, '1']);
      expect([await copy.text(), await request.text()]).toEqual(['abc', 'abc']);
      expect(make().clone().body).toBeNull();
    });

    it('is an instance of both classes', () => {
      expect(make() instanceof Native).toBe(true);
      expect(make() instanceof OwnRequest).toBe(true);
      expect(make() instanceof globalThis.Request).toBe(true);
      expect(({} as object) instanceof OwnRequest).toBe(false);
    });

    it('is taken by new Request(request, init)', async () => {
      for (const Other of kind === 'native' || takesOurs || replaced
        ? [globalThis.Request, OwnRequest]
        : [OwnRequest]) {
        const other = new Other(make('abc'), { headers: { 'x-b': '2' } });
        expect([other.method, other.url, other.headers.get('x-a'), other.headers.get('x-b')]).toEqual([
          'POST',
          URL_OF_ALL,
          null,
          '2',
        ]);
        expect(await other.text()).toBe('abc');
        const same = new Other(make());
        expect([same.method, same.headers.get('x-a')]).toEqual(['GET', '1']);
      }
    });

    it('is taken as an init', async () => {
      for (const Other of [Native, OwnRequest, globalThis.Request]) {
        const other = new Other('http://other/', make('abc'));
        expect([other.method, other.url, other.headers.get('x-a')]).toEqual(['POST', 'http://other/', '1']);
        expect(await other.text()).toBe('abc');
      }
    });

    it('is not cloned by structuredClone', () => {
      const clone = (value: unknown): unknown => {
        try {
          return structuredClone(value);
        } catch (error) {
          return (error as Error).name;
        }
      };
      expect(clone(make())).toEqual(clone(new Native(URL_OF_ALL)));
    });

    it('is fetched', async () => {
      const server = createServer((request, response) => {
        void (async (): Promise<void> => {
          let body = '';
          for await (const piece of request) body += String(piece);
          response.end(`${String(request.method)} ${String(request.headers['x-a'])} ${body}`);
        })();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
      try {
        const request = new OwnRequest(url, make('abc'));
        const real = kind === 'native' ? new Native(url, make('abc')) : request.native();
        const response = await (replaced ? fetch(request) : nativeFetch(real));
        expect(await response.text()).toBe('POST 1 abc');
        expect(response instanceof Response).toBe(true);
        if (takesOurs || replaced) expect(await (await fetch(new OwnRequest(url, make('d')))).text()).toBe('POST 1 d');
      } finally {
        server.close();
        server.closeAllConnections();
      }
    });
  });
});

describe('our Request', () => {
  it('can be extended', () => {
    class Sub extends OwnRequest {
      get host(): string {
        return new URL(this.url).host;
      }
    }
    const sub = new Sub(URL_OF_ALL);
    expect([sub.host, sub instanceof Sub, sub instanceof Native]).toEqual(['example.com', true, true]);
    expect(received() instanceof Sub).toBe(false);
  });

  it('refuses what the platform refuses', () => {
    expect(() => new OwnRequest('nonsense')).toThrow(TypeError);
    expect(() => new OwnRequest(URL_OF_ALL, { method: 'TRACE' })).toThrow(TypeError);
    expect(() => new OwnRequest(URL_OF_ALL, { body: 'x' })).toThrow(TypeError);
  });

  it('gives a real request, whose content is its own', async () => {
    const request = received('abc') as OwnRequest;
    const native = request.native();
    expect(Object.getPrototypeOf(native)).toBe(Native.prototype);
    expect(native).toBe(request.native());
    expect(await native.text()).toBe('abc');
    expect(request.bodyUsed).toBe(true);
    const read = received('abc') as OwnRequest;
    await read.text();
    expect(() => read.native()).toThrow(TypeError);
    expect(Buffer.from(await (received('ab') as OwnRequest).bytes()).toString()).toBe('ab');
    expect(Buffer.from(await new OwnRequest(URL_OF_ALL, init('ab')).bytes()).toString()).toBe('ab');
  });
});

describe('replaceGlobals', () => {
  it('replaces three together, and puts them back', () => {
    const before = [globalThis.Response, globalThis.Request, globalThis.fetch, globalThis.Headers];
    const restore = replaceGlobals();
    expect(globalThis.Request).toBe(OwnRequest);
    expect(globalThis.fetch).not.toBe(before[2]);
    expect(globalThis.Headers).toBe(before[3]);
    restore();
    expect([globalThis.Response, globalThis.Request, globalThis.fetch, globalThis.Headers]).toEqual(before);
  });
});
