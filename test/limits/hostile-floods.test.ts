/**
 * A hostile server against our client: floods, bombs, loops and silence; and the bounds that the client sets itself.
 *
 * RFC 9110 sections 8.4, 10.1.1, 15.2, 15.4. CVE-2026-22036, CVE-2024-22019.
 */
import { SystemNetworking } from '../../src/networking/index.ts';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { ClientSession } from '../../src/client/index.ts';
import { defaultClientFactory, HttpOverTcpOpener, HttpPool, systemNetworking } from '../../src/connections/index.ts';
import type { ClientExchangeRequest, PoolRequestHandler } from '../../src/connections/index.ts';
import { testPki } from '../support/test-certificates.ts';
import { failure, Lure } from '../support/attack/lure.ts';
import type { Trap } from '../support/attack/lure.ts';
import { tripsLimit } from '../support/limits.ts';

const MIB = 1 << 20;
const lure = new Lure();
afterAll(() => lure.stop());

/** What `fetch` of a new session fails with when the server answers so and then floods. */
async function flooded(
  answer: string,
  unit: string,
  options: { readonly session?: ClientSession; readonly total?: number; readonly retained?: number } = {},
): Promise<Error & { readonly code?: string; readonly limit?: unknown }> {
  const trap = await lure.trap();
  const session = options.session ?? lure.session();
  let error: Error | undefined;
  await lure.withstands(
    session,
    async (atItsHeight) => {
      const failed = failure(session.fetch(trap.url).then((response) => response.text()));
      const socket = await trap.asked();
      await socket.write(answer);
      const { sent } = await socket.flood({ unit, total: options.total ?? 64 * MIB });
      error = await failed;
      await atItsHeight();
      expect(sent).toBeLessThan(48 * MIB);
      await socket.destroy();
    },
    options.retained === undefined ? {} : { retained: options.retained },
  );
  return error as Error;
}

describe('a response without end', () => {
  it('maxStatusLineBytes: a reason without end', async () => {
    tripsLimit('http1ClientLimits.maxStatusLineBytes');
    expect(await flooded('HTTP/1.1 200 ', 'x'.repeat(1024))).toMatchObject({ limit: 'maxStatusLineBytes' });
  });

  it('maxHeaderBytes: fields without end', async () => {
    tripsLimit('http1ClientLimits.maxHeaderBytes');
    expect(await flooded('HTTP/1.1 200 OK\r\n', `x: ${'y'.repeat(1000)}\r\n`)).toMatchObject({
      limit: 'maxHeaderBytes',
    });
  });

  it('maxHeaderCount: many small fields', async () => {
    tripsLimit('http1ClientLimits.maxHeaderCount');
    expect(await flooded(`HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(129)}\r\n`, 'x')).toMatchObject({
      limit: 'maxHeaderCount',
    });
  });

  it('maxHeaderBytes: trailers without end', async () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n';
    expect(await flooded(head, `x: ${'y'.repeat(1000)}\r\n`)).toMatchObject({ limit: 'maxHeaderBytes' });
  });

  it('maxHeaderCount: many small trailers', async () => {
    const head = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n${'a: b\r\n'.repeat(129)}\r\n`;
    expect(await flooded(head, 'x')).toMatchObject({ limit: 'maxHeaderCount' });
  });

  it('maxInformational: interim responses without end (client)', async () => {
    tripsLimit('clientLimits.maxInformational');
    expect(await flooded('', 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n')).toMatchObject({
      limit: 'maxInformational',
    });
    expect(await flooded('', 'HTTP/1.1 100 Continue\r\n\r\n')).toMatchObject({ limit: 'maxInformational' });
  });

  it('maxChunkLineBytes: a chunk line without end', async () => {
    tripsLimit('http1ClientLimits.maxChunkLineBytes');
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=';
    expect(await flooded(head, 'x'.repeat(1024))).toMatchObject({ limit: 'maxChunkLineBytes' });
  });

  it('maxChunkExtensionBytes: an extension on each small chunk', async () => {
    tripsLimit('http1ClientLimits.maxChunkExtensionBytes');
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await flooded(head, `1;${'x'.repeat(200)}\r\na\r\n`)).toMatchObject({ limit: 'maxChunkExtensionBytes' });
  });

  it('maxBodyBytes: of the engine: content that declares or brings too much', async () => {
    tripsLimit('http1ClientLimits.maxBodyBytes');
    const small = (): ClientSession => lure.session({ http1Limits: { maxBodyBytes: MIB } });
    const head = 'HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n';
    expect(await flooded(head, 'x', { session: small() })).toMatchObject({ limit: 'maxBodyBytes' });
    expect(await flooded('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(1024), { session: small() })).toMatchObject({
      limit: 'maxBodyBytes',
    });
    const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await flooded(chunked, `400\r\n${'x'.repeat(1024)}\r\n`, { session: small() })).toMatchObject({
      limit: 'maxBodyBytes',
    });
  });

  it('maxBodyBytes: of the client: what bytes() and text() gather', async () => {
    tripsLimit('clientLimits.maxBodyBytes');
    const trap = await lure.trap();
    const session = lure.session({ limits: { maxBodyBytes: MIB } });
    await lure.withstands(session, async (atItsHeight) => {
      const dispatched = session.dispatch({ url: trap.url });
      const socket = await trap.asked();
      await socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const flood = socket.flood({ unit: 'x'.repeat(1024), total: 64 * MIB });
      expect(await failure((await dispatched).bytes())).toMatchObject({ limit: 'maxBodyBytes' });
      expect((await flood).sent).toBeLessThan(48 * MIB);
      await atItsHeight();
      await socket.destroy();
    });
  });

  it('bodyBuffer: nobody reads: the connection is told to wait', async () => {
    tripsLimit('clientLimits.bodyBuffer');
    const trap = await lure.trap();
    const session = lure.session();
    await lure.withstands(session, async (atItsHeight) => {
      const fetched = session.fetch(trap.url);
      const socket = await trap.asked();
      await socket.write('HTTP/1.1 200 OK\r\n\r\n');
      const response = await fetched;
      const flood = await socket.flood({ unit: 'x'.repeat(1024), total: 128 * MIB });
      expect(flood.stalled).toBe(true);
      // What the system's buffers took, which grow to 32 MiB and more on some machines.
      expect(flood.sent).toBeLessThan(64 * MIB);
      await atItsHeight();
      await response.body?.cancel();
      await socket.destroy();
    });
  });

  it('bodyBuffer: chunks of one octet that nobody reads do not grow the memory', async () => {
    const trap = await lure.trap();
    const session = lure.session();
    await lure.withstands(session, async (atItsHeight) => {
      const fetched = session.fetch(trap.url);
      const socket = await trap.asked();
      await socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const response = await fetched;
      const flood = await socket.flood({ unit: '1\r\nx\r\n', total: 128 * MIB });
      expect(flood.stalled).toBe(true);
      await atItsHeight();
      await response.body?.cancel();
      await socket.destroy();
    });
  });

  it('maxEmptyLines: on an idle connection', async () => {
    tripsLimit('http1ClientLimits.maxEmptyLines');
    const trap = await lure.trap();
    const session = lure.session();
    await lure.withstands(session, async (atItsHeight) => {
      const fetched = session.fetch(trap.url);
      const socket = await trap.asked();
      await socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      await (await fetched).text();
      const flood = await socket.flood({ unit: '\r\n', total: 64 * MIB });
      expect(flood.sent).toBeLessThan(48 * MIB);
      const end = await socket.untilEnd();
      expect(end.ended || end.closed).toBe(true);
      await atItsHeight();
      await socket.destroy();
    });
  });

  it('lingerBytes, lingerTimeout: what a server sends behind the end of its connection is dropped, and not for ever', async () => {
    const trap = await lure.trap();
    const session = lure.session({ connectionLimits: { lingerTimeout: 300 } });
    await lure.withstands(session, async (atItsHeight) => {
      const fetched = session.fetch(trap.url);
      const socket = await trap.asked();
      await socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello');
      expect(await (await fetched).text()).toBe('hello');
      const flood = await socket.flood({ unit: 'x'.repeat(1024), total: 64 * MIB });
      expect(flood.over).toBe(true);
      await atItsHeight();
      await socket.destroy();
    });
  });
});

describe('a bomb', () => {
  /** Fetches a body in a coding; answers the length, or what it failed with. */
  async function fetchCoded(session: ClientSession, coding: string, body: Uint8Array): Promise<number | Error> {
    const trap = await lure.trap();
    const fetched = session.fetch(trap.url);
    // It may fail before it is awaited below.
    fetched.catch(() => {});
    const socket = await trap.asked();
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${String(body.length)}\r\n\r\n`;
    await socket.write(Buffer.concat([Buffer.from(head), body]));
    try {
      const response = await fetched;
      let length = 0;
      for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) length += piece.length;
      return length;
    } catch (error) {
      return error instanceof TypeError && error.cause instanceof Error ? error.cause : (error as Error);
    } finally {
      await socket.destroy();
    }
  }

  const zeros = Buffer.alloc(64 * MIB);

  it.each([
    ['gzip', gzipSync(zeros)],
    ['deflate', deflateSync(zeros)],
    ['br', brotliCompressSync(zeros.subarray(0, 48 * MIB))],
  ] as const)('maxDecodedRatio: %s', async (coding, bomb) => {
    const session = lure.session();
    await lure.withstands(
      session,
      async (atItsHeight) => {
        expect(await fetchCoded(session, coding, bomb)).toMatchObject({ limit: 'maxDecodedRatio' });
        await atItsHeight();
      },
      { resident: 128 * MIB },
    );
  });

  it("maxDecodedBytes: the Web Platform Tests' bodies of 27,000,000 octets against a small cap", async () => {
    tripsLimit('clientLimits.maxDecodedBytes');
    const session = lure.session({ limits: { maxDecodedBytes: MIB } });
    const folder = new URL('../vectors/wpt-content-encoding/', import.meta.url);
    for (const [coding, file] of [
      ['gzip', 'gzip/resources/big.text.gz'],
      ['br', 'br/resources/big.text.br'],
    ] as const) {
      const body = readFileSync(new URL(file, folder));
      await lure.withstands(session, async (atItsHeight) => {
        expect(await fetchCoded(session, coding, body)).toMatchObject({ limit: 'maxDecodedBytes' });
        await atItsHeight();
      });
      const unbounded = lure.session();
      expect(await fetchCoded(unbounded, coding, body), 'and without the cap').toBe(27_000_000);
    }
  });

  it('decodedRatioFrom: below it any ratio passes, above it none beyond maxDecodedRatio', async () => {
    tripsLimit('clientLimits.decodedRatioFrom', 'clientLimits.maxDecodedRatio');
    const body = gzipSync(Buffer.alloc(2 * MIB));
    expect(await fetchCoded(lure.session(), 'gzip', body)).toBe(2 * MIB);
    const strict = lure.session({ limits: { decodedRatioFrom: MIB } });
    expect(await fetchCoded(strict, 'gzip', body)).toMatchObject({ limit: 'maxDecodedRatio' });
    const wide = lure.session({ limits: { decodedRatioFrom: MIB, maxDecodedRatio: 5_000 } });
    expect(await fetchCoded(wide, 'gzip', body)).toBe(2 * MIB);
  });

  it('maxContentCodings: a chain of codings (CVE-2026-22036)', async () => {
    tripsLimit('clientLimits.maxContentCodings');
    const session = lure.session();
    const twice = gzipSync(gzipSync(Buffer.from('hello')));
    expect(await fetchCoded(session, 'gzip, gzip', twice)).toBe(5);
    expect(await fetchCoded(session, 'gzip, gzip, gzip', twice)).toMatchObject({ limit: 'maxContentCodings' });
    expect(await fetchCoded(session, Array.from({ length: 1_000 }, () => 'br').join(', '), twice)).toMatchObject({
      limit: 'maxContentCodings',
    });
  });

  it('a bomb within a bomb is counted from the octets on the wire', async () => {
    const session = lure.session();
    await lure.withstands(
      session,
      async (atItsHeight) => {
        const nested = gzipSync(gzipSync(zeros));
        expect(nested.length).toBeLessThan(4_096);
        expect(await fetchCoded(session, 'gzip, gzip', nested)).toMatchObject({ limit: 'maxDecodedRatio' });
        await atItsHeight();
      },
      { resident: 128 * MIB },
    );
  });

  it.each([
    ['no gzip', 'gzip', Buffer.from('hello')],
    ['gzip that is cut', 'gzip', gzipSync(Buffer.from('hello'.repeat(100))).subarray(0, 20)],
    ['gzip with a wrong sum', 'gzip', broken(gzipSync(Buffer.from('hello')))],
    ['brotli with a large window', 'br', Buffer.from([0x91, 0x19, 0xff, 0xff])],
    ['deflate that is none', 'deflate', Buffer.from([0xff, 0xff, 0xff])],
  ])('%s fails, and nothing else does', async (_name, coding, body) => {
    const session = lure.session();
    expect(await fetchCoded(session, coding, body)).toMatchObject({ code: 'ERR_CONTENT_DECODING' });
    await lure.meanwhile(session);
  });
});

function broken(body: Buffer): Buffer {
  const copy = Buffer.from(body);
  copy[copy.length - 6] = (copy[copy.length - 6] ?? 0) ^ 0xff;
  return copy;
}

describe('a redirect', () => {
  const toItself = (trap: Trap, location: string): Promise<void> =>
    trap.server.answerAll({
      after: '\r\n\r\n',
      reply: `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`,
    });

  it('maxRedirects: in a circle', async () => {
    tripsLimit('clientLimits.maxRedirects');
    const trap = await lure.trap();
    await toItself(trap, '/');
    const session = lure.session();
    await lure.withstands(session, async () => {
      expect(await failure(session.fetch(trap.url))).toMatchObject({ code: 'ERR_REDIRECT' });
    });
    const few = lure.session({ limits: { maxRedirects: 2 } });
    expect((await failure(few.fetch(trap.url))).message).toContain('2');
  });

  it.each([
    'file:///etc/passwd',
    'javascript:alert(1)',
    'data:text/plain,hello',
    'ftp://127.0.0.1/',
    'blob:http://127.0.0.1/x',
    'gopher://127.0.0.1:25/',
    'http://user:password@127.0.0.1/',
    'http://',
    'http://[::1',
    'http://127.0.0.1:99999/',
  ])('to %s is not followed', async (location) => {
    const trap = await lure.trap();
    await toItself(trap, location);
    const session = lure.session();
    expect(await failure(session.fetch(trap.url))).toMatchObject({ code: 'ERR_REDIRECT' });
    await lure.meanwhile(session);
  });

  it('to another origin takes no credentials along (Fetch standard, HTTP-redirect fetch)', async () => {
    const [from, to] = [await lure.trap(), await lure.trap()];
    await toItself(from, to.url);
    const session = lure.session();
    const fetched = session.fetch(from.url, {
      headers: {
        authorization: 'Bearer secret',
        cookie: 'a=secret',
        'proxy-authorization': 'Basic secret',
        'x-mine': '1',
      },
    });
    const socket = await to.asked();
    const { text } = await socket.state();
    expect(text).toContain('x-mine: 1');
    expect(text).not.toContain('secret');
    expect(/^host: (.*)\r$/im.exec(text)?.[1]).toBe(new URL(to.url).host);
    await socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await (await fetched).text();
    await socket.destroy();
  });

  it('maxDiscardedBytes: with a body without end does not hold the client up', async () => {
    tripsLimit('clientLimits.maxDiscardedBytes');
    const [from, to] = [await lure.trap(), await lure.trap()];
    const session = lure.session();
    await lure.withstands(session, async (atItsHeight) => {
      const fetched = session.fetch(from.url);
      const socket = await from.asked();
      await socket.write(`HTTP/1.1 302 Found\r\nLocation: ${to.url}\r\n\r\n`);
      const flood = socket.flood({ unit: 'x'.repeat(1024), total: 64 * MIB });
      const next = await to.asked();
      await next.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
      expect(await (await fetched).text()).toBe('hello');
      expect((await flood).sent).toBeLessThan(48 * MIB);
      await atItsHeight();
      await socket.destroy();
      await next.destroy();
    });
  });

  it('with a body that drips does not hold the client up', async () => {
    const [from, to] = [await lure.trap(), await lure.trap()];
    const session = lure.session();
    const fetched = session.fetch(from.url);
    const socket = await from.asked();
    await socket.write(`HTTP/1.1 302 Found\r\nLocation: ${to.url}\r\nContent-Length: 1000\r\n\r\nx`);
    const next = await to.asked();
    await next.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello');
    expect(await (await fetched).text()).toBe('hello');
    await socket.destroy();
    await next.destroy();
  });
});

describe('a server that keeps silent', () => {
  it('queue: no connection takes the request', async () => {
    tripsLimit('clientTimeouts.queue');
    const trap = await lure.trap();
    const session = lure.session({ pool: { maxConnectionsPerOrigin: 1 }, timeouts: { queue: 150 } });
    const first = failure(session.fetch(trap.url, {}, { timeouts: { queue: 10_000, total: 2_000 } }));
    const socket = await trap.asked();
    expect(await failure(session.fetch(trap.url))).toMatchObject({ timer: 'queue' });
    await lure.meanwhile(session);
    await session.close();
    await socket.destroy();
    await first;
  });

  it('tls: accepts and says nothing', async () => {
    tripsLimit('clientTimeouts.tls');
    const trap = await lure.trap();
    const session = lure.session({ timeouts: { tls: 150 } });
    const failed = failure(session.fetch(trap.url.replace('http:', 'https:')));
    const socket = await trap.server.accept();
    expect(await failed).toMatchObject({ timer: 'tls' });
    await lure.meanwhile(session);
    await socket.destroy();
  });

  it('tls: drips octets that are no TLS, or sends a bad record', async () => {
    const trap = await lure.trap();
    const session = lure.session({ timeouts: { tls: 1_000 } });
    for (const bytes of ['HTTP/1.1 400 Bad Request\r\n\r\n', '\x16\x03\x03\xff\xff', '\x15\x03\x03\0\x02\x02\x28']) {
      const failed = failure(session.fetch(trap.url.replace('http:', 'https:')));
      const socket = await trap.server.accept();
      await socket.write(bytes);
      const error = await failed;
      expect(error.code).toMatch(/^ERR_TLS|^ERR_TIMEOUT$/);
      expect(error.message).toMatch(/^[\x20-\x7e]*$/);
      await socket.destroy();
    }
    await lure.meanwhile(session);
  });

  it('headers: never answers; drips; sends interim responses', async () => {
    tripsLimit('clientTimeouts.headers');
    const trap = await lure.trap();
    const session = lure.session({ timeouts: { headers: 200 } });
    for (const drip of ['', 'H', 'HTTP/1.1 103 Early Hints\r\n\r\n']) {
      const failed = failure(session.fetch(trap.url));
      const socket = await trap.asked();
      if (drip !== '') await socket.write(drip);
      expect(await failed).toMatchObject({ timer: 'headers' });
      await socket.destroy();
    }
    await lure.meanwhile(session);
  });

  it('continue: does not know the expectation: the body goes all the same (RFC 9110 section 10.1.1)', async () => {
    tripsLimit('clientTimeouts.continue');
    const trap = await lure.trap();
    const session = lure.session({ timeouts: { continue: 100 } });
    const dispatched = session.dispatch({ url: trap.url, method: 'POST', body: 'hello', expectContinue: true });
    const socket = await trap.asked();
    expect((await socket.state()).text).not.toContain('hello');
    expect((await socket.until('hello')).reached).toBe(true);
    await socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    expect((await dispatched).status).toBe(200);
    await socket.destroy();
  });

  it('bodyIdle: goes silent half-way', async () => {
    tripsLimit('clientTimeouts.bodyIdle');
    const trap = await lure.trap();
    const session = lure.session({ timeouts: { bodyIdle: 150 } });
    const fetched = session.fetch(trap.url);
    const socket = await trap.asked();
    await socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    expect(await failure((await fetched).text())).toMatchObject({ timer: 'bodyIdle' });
    await lure.meanwhile(session);
    await socket.destroy();
  });

  it('bodyIdle: takes nothing of what is sent', async () => {
    const trap = await lure.trap();
    const session = lure.session({ timeouts: { bodyIdle: 300 } });
    const failed = failure(
      session.dispatch({ url: trap.url, method: 'POST', body: new Uint8Array(32 * MIB), retry: false }),
    );
    const socket = await trap.server.accept();
    await socket.pause();
    expect(await failed).toMatchObject({ timer: 'bodyIdle' });
    await lure.meanwhile(session);
    await socket.destroy();
  });

  it('total: a body that drips', async () => {
    tripsLimit('clientTimeouts.total');
    const trap = await lure.trap();
    const session = lure.session({ timeouts: { total: 300, bodyIdle: 10_000 } });
    const fetched = session.fetch(trap.url);
    const socket = await trap.asked();
    await socket.write('HTTP/1.1 200 OK\r\n\r\n');
    const dripping = socket.pieces(
      Array.from({ length: 100 }, () => 'x'),
      10,
    );
    expect(await failure((await fetched).text())).toMatchObject({ timer: 'total' });
    await dripping;
    await socket.destroy();
  });

  it('total: redirects that drip', async () => {
    const trap = await lure.trap();
    const session = lure.session({ timeouts: { total: 700 } });
    const failed = failure(session.fetch(trap.url));
    let steps = 0;
    const dripping = (async () => {
      for (;;) {
        const socket = await trap.asked();
        steps += 1;
        await sleep(120);
        await socket.write('HTTP/1.1 302 Found\r\nLocation: /\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      }
    })();
    expect(await failed).toMatchObject({ timer: 'total' });
    expect(steps).toBeGreaterThan(0);
    // Nobody comes any more: the trap gives up waiting.
    await expect(dripping).rejects.toThrow();
  });

  it('connect: packets that are dropped', async () => {
    tripsLimit('clientTimeouts.connect');
    // Nothing outside of this machine is called: the dialler is one whose packets nobody answers.
    let given = 0;
    const networking = new SystemNetworking({
      dial: () => () => {
        given += 1;
      },
    });
    const session = lure.session({ networking, timeouts: { connect: 150 } });
    const error = await failure(session.fetch('http://127.0.0.1:81/'));
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', timer: 'connect' });
    expect(given).toBe(1);
    await lure.meanwhile(lure.session());
  });
});

describe("the pool's bounds", () => {
  it('maxConnectionsPerOrigin: further requests wait', async () => {
    tripsLimit('poolLimits.maxConnectionsPerOrigin');
    const trap = await lure.trap();
    const session = lure.session({ pool: { maxConnectionsPerOrigin: 3 } });
    const all = Array.from({ length: 10 }, () => failure(session.fetch(trap.url)));
    const sockets = [await trap.asked(), await trap.asked(), await trap.asked()];
    expect((await failure(trap.server.accept(200))).message).toContain('no connection came');
    await lure.meanwhile(session);
    await session.close();
    await Promise.all(all);
    await Promise.all(sockets.map((socket) => socket.destroy()));
  });

  it('maxConnections: over all origins; an honest origin gets its turn', async () => {
    tripsLimit('poolLimits.maxConnections');
    const [one, two] = [await lure.trap(), await lure.trap()];
    const session = lure.session({ pool: { maxConnections: 2 }, timeouts: { queue: 300 }, retry: false });
    const first = failure(session.fetch(one.url));
    const socket = await one.asked();
    await lure.meanwhile(session);
    // The honest origin's idle connection makes room.
    const second = failure(session.fetch(two.url));
    const other = await two.asked();
    expect(await failure(session.fetch(one.url))).toMatchObject({ timer: 'queue' });
    await socket.destroy();
    await other.destroy();
    await Promise.all([first, second]);
    await lure.meanwhile(session);
  });

  it('maxQueueLength: a further request fails at once', async () => {
    tripsLimit('poolLimits.maxQueueLength');
    const trap = await lure.trap();
    const session = lure.session({ pool: { maxConnectionsPerOrigin: 1, maxQueueLength: 5 } });
    const carried = failure(session.fetch(trap.url));
    const socket = await trap.asked();
    const waiting = Array.from({ length: 5 }, () => failure(session.fetch(trap.url)));
    expect(await failure(session.fetch(trap.url))).toMatchObject({ limit: 'maxQueueLength' });
    await lure.meanwhile(session);
    await session.close();
    await Promise.all([carried, ...waiting]);
    await socket.destroy();
  });

  it('queueTimeout: a request that waits for a connection fails', async () => {
    tripsLimit('poolLimits.queueTimeout');
    // The client has its own timer in its place (queue); a pool by itself has this one.
    const networking = systemNetworking();
    const opener = new HttpOverTcpOpener({ networking, factory: defaultClientFactory() });
    const trap = await lure.trap();
    const target = {
      origin: { scheme: 'http', host: '127.0.0.1', port: trap.server.port },
      unixPath: undefined,
      tls: undefined,
      family: undefined,
    } as const;
    const failures: unknown[] = [];
    const handler = (): PoolRequestHandler => ({
      started: () => undefined,
      informationalReceived: () => undefined,
      headersReceived: () => undefined,
      dataReceived: () => undefined,
      trailersReceived: () => undefined,
      writable: () => undefined,
      failed: (error) => failures.push(error),
      closed: () => undefined,
    });
    const request: ClientExchangeRequest = {
      method: 'GET',
      scheme: 'http',
      authority: 'a',
      path: '/',
      protocol: undefined,
      upgrade: undefined,
      headers: [],
      rawNames: undefined,
      endStream: true,
    };
    const few = new HttpPool({
      opener,
      clock: networking.clock,
      limits: { queueTimeout: 100, maxConnectionsPerOrigin: 1 },
    });
    few.request(target, request, handler());
    const socket = await trap.asked();
    few.request(target, request, handler());
    for (let look = 0; look < 100 && failures.length === 0; look += 1) await sleep(10);
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ code: 'ERR_TIMEOUT' });
    await few.close();
    await socket.destroy();
  });

  it('idleTimeout: an unused connection is closed', async () => {
    tripsLimit('poolLimits.idleTimeout');
    const trap = await lure.trap();
    const session = lure.session({ pool: { idleTimeout: 100 } });
    const fetched = session.fetch(trap.url);
    const socket = await trap.asked();
    await socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    await (await fetched).text();
    const end = await socket.untilEnd(2_000);
    expect(end.ended || end.closed).toBe(true);
    await socket.destroy();
  });
});

describe('TLS of a hostile server', () => {
  it('a certificate that is not trusted: not one byte of a request is sent', async () => {
    const { key, certPem } = testPki().server;
    const server = await lure.peer.listen({ cert: certPem, key });
    const session = lure.session();
    const failed = failure(
      session.fetch(`https://localhost:${String(server.port)}/`, { headers: { authorization: 'secret' } }),
    );
    expect((await failed).code).toMatch(/^ERR_CERT/);
    await lure.meanwhile(session);
    await server.close();
  });
});
