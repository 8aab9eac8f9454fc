/**
 * Our client against node:http2 where servers wind down, refuse and break: no request is lost, hangs or ends the
 * process (RFC 9113 sections 6.8, 7 and 8.7). Each scenario is one that other clients stumbled over.
 */
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Client, HfaceError } from '../../../src/index.ts';
import type { ClientRequest, ClientResponse, ClientSession } from '../../../src/index.ts';
import { rawFrame, RawPeer, T } from '../../support/raw-http2-server.ts';

/** A server of node:http2 without TLS. */
class Peer {
  readonly sessions: http2.ServerHttp2Session[] = [];
  /** The paths that were seen, by connection. */
  readonly seen: string[][] = [];
  readonly #server: http2.Http2Server;

  private constructor(settings: http2.Settings) {
    this.#server = http2.createServer({ settings });
  }

  static async start(
    answer: (stream: http2.ServerHttp2Stream, path: string, peer: Peer) => void,
    settings: http2.Settings = {},
  ): Promise<Peer> {
    const peer = new Peer(settings);
    peer.#server.on('session', (session) => {
      const paths: string[] = [];
      peer.sessions.push(session);
      peer.seen.push(paths);
      session.on('error', () => undefined);
      session.on('stream', (stream, headers) => {
        stream.on('error', () => undefined);
        paths.push(headers[':path'] ?? '');
        answer(stream, headers[':path'] ?? '', peer);
      });
    });
    await new Promise<void>((resolve) => peer.#server.listen(0, '127.0.0.1', resolve));
    return peer;
  }

  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  async stop(): Promise<void> {
    for (const session of this.sessions) session.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(...args: Parameters<typeof Peer.start>): Promise<{ peer: Peer; session: ClientSession }> {
  const peer = await Peer.start(...args);
  ends.push(() => peer.stop());
  const session = new Client({ protocol: ['http2'], timeouts: { total: 15_000 } }).session();
  ends.push(() => session.close());
  return { peer, session };
}

async function startRaw(...args: Parameters<typeof RawPeer.start>): Promise<{ peer: RawPeer; session: ClientSession }> {
  const peer = await RawPeer.start(...args);
  ends.push(() => peer.stop());
  const session = new Client({ protocol: ['http2'], timeouts: { total: 15_000 } }).session();
  ends.push(() => session.close());
  return { peer, session };
}

async function text(session: ClientSession, request: ClientRequest): Promise<string> {
  const response: ClientResponse = await session.dispatch(request);
  return `${String(response.status)} ${await response.text()}`;
}

const ok = (stream: http2.ServerHttp2Stream, path: string): void => {
  if (stream.destroyed) return;
  stream.respond({ ':status': 200 });
  stream.end(`ok ${path}`);
};

describe('GOAWAY', () => {
  it('while nothing runs: the next request goes over a new connection (undici 3140, got 2156)', async () => {
    const { peer, session } = await start(ok);
    expect(await text(session, { url: `${peer.url}/1` })).toBe('200 ok /1');
    peer.sessions[0]?.goaway(http2.constants.NGHTTP2_NO_ERROR);
    // Some may be under way before it has come; none of them hangs or fails.
    for (let index = 2; peer.sessions.length < 2; index += 1) {
      expect(await text(session, { url: `${peer.url}/${String(index)}` })).toBe(`200 ok /${String(index)}`);
    }
    expect(await text(session, { url: `${peer.url}/last` })).toBe('200 ok /last');
    expect(peer.sessions).toHaveLength(2);
  });

  it('with an error while nothing runs ends no process (undici 3753)', async () => {
    const { peer, session } = await start(ok);
    expect(await text(session, { url: `${peer.url}/1` })).toBe('200 ok /1');
    peer.sessions[0]?.goaway(http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('calm down'));
    peer.sessions[0]?.destroy();
    expect(await text(session, { url: `${peer.url}/2` })).toBe('200 ok /2');
  });

  it('while requests run: they are all answered (undici 5089)', async () => {
    const waiting: (() => void)[] = [];
    const { peer, session } = await start((stream, path, self) => {
      stream.respond({ ':status': 200 });
      waiting.push(() => stream.end(`ok ${path}`));
      if (waiting.length < 3) return;
      self.sessions[0]?.goaway(http2.constants.NGHTTP2_NO_ERROR, 5);
      setTimeout(() => {
        for (const end of waiting) end();
      }, 50);
    });
    const answers = await Promise.all([1, 2, 3].map((index) => text(session, { url: `${peer.url}/${String(index)}` })));
    expect(answers).toEqual(['200 ok /1', '200 ok /2', '200 ok /3']);
    expect(peer.sessions).toHaveLength(1);
  });

  it('in the middle of a burst: what it leaves out is sent again, whatever the method (undici 5468)', async () => {
    const { peer, session } = await startRaw(({ type, streamId, flags }, connection) => {
      // The first connection answers nothing, and says that it has seen nothing.
      if (connection.index > 0) {
        if (type !== T.data || (flags & 1) === 0) return;
        connection.respond(streamId, 'ok');
      } else if (type === T.headers && streamId === 19) {
        connection.goaway(0);
        setTimeout(() => connection.socket.destroy(), 50);
      }
    });
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => text(session, { url: peer.url, method: 'POST', body: 'x' })),
    );
    expect(answers).toEqual(answers.map(() => '200 ok'));
    expect(peer.connections.map(({ streams }) => streams.length)).toEqual([40, 40]);
  });

  it('over and over, while requests keep coming: none is lost, none is processed twice (undici 5453)', async () => {
    const times = new Map<string, number>();
    const { peer, session } = await start((stream, path, self) => {
      times.set(path, (times.get(path) ?? 0) + 1);
      ok(stream, path);
      const session = stream.session as http2.ServerHttp2Session;
      const index = self.sessions.indexOf(session);
      if (self.seen[index]?.length === 20) session.close();
    });
    const answers: string[] = [];
    const worker = async (): Promise<void> => {
      for (let index = 0; index < 25; index += 1) {
        const path = `/${String(answers.push(''))}`;
        answers[Number(path.slice(1)) - 1] = await text(session, {
          url: `${peer.url}${path}`,
          method: 'POST',
          body: 'x',
        });
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(answers).toEqual(answers.map((_, index) => `200 ok /${String(index + 1)}`));
    expect([...times.values()].every((count) => count === 1)).toBe(true);
    expect(peer.sessions.length).toBeGreaterThan(5);
  });

  it('below a stream whose response has begun fails that request, and sends it no second time (undici 5788)', async () => {
    const { peer, session } = await startRaw(({ type, streamId }, connection) => {
      if (type !== T.headers) return;
      connection.send(rawFrame(T.headers, 0x4, streamId, Buffer.from([0x88])));
      connection.goaway(0);
    });
    const response = await session.dispatch({ url: peer.url });
    await expect(response.text()).rejects.toBeInstanceOf(HfaceError);
    expect(peer.connections.map(({ streams }) => streams.length)).toEqual([1]);
  });

  it('in two steps (section 6.8) loses nothing', async () => {
    const { peer, session } = await startRaw(({ type, streamId }, connection) => {
      if (type !== T.headers) return;
      if (connection.index > 0) connection.respond(streamId, 'second');
      else if (streamId === 5) {
        connection.goaway(0x7fff_ffff);
        setTimeout(() => {
          connection.goaway(3);
          connection.respond(1, 'first');
          connection.respond(3, 'first');
        }, 30);
      }
    });
    const running = Array.from({ length: 3 }, () => text(session, { url: peer.url }));
    await expect.poll(() => peer.connections[0]?.streams.length).toBe(3);
    expect(await Promise.all(running)).toEqual(['200 first', '200 first', '200 second']);
    expect(await text(session, { url: peer.url })).toBe('200 second');
  });
});

describe('a stream that is refused or reset', () => {
  function refusing(times: number, code: number): Parameters<typeof Peer.start>[0] {
    let left = times;
    return (stream, path) => {
      left -= 1;
      if (left < 0) ok(stream, path);
      else stream.close(code);
    };
  }

  it('with REFUSED_STREAM is sent again once, whatever the method (RFC 9113 section 8.7)', async () => {
    const { peer, session } = await start(refusing(1, http2.constants.NGHTTP2_REFUSED_STREAM));
    expect(await text(session, { url: `${peer.url}/a`, method: 'POST', body: 'x' })).toBe('200 ok /a');
    expect(peer.seen.flat()).toEqual(['/a', '/a']);
  });

  it('with REFUSED_STREAM twice fails, and says so', async () => {
    const { peer, session } = await start(refusing(2, http2.constants.NGHTTP2_REFUSED_STREAM));
    const failure = session.dispatch({ url: `${peer.url}/a` });
    await expect(failure).rejects.toMatchObject({ name: 'StreamResetError', errorCode: 7, processed: 'no' });
    expect(await text(session, { url: `${peer.url}/b` })).toBe('200 ok /b');
  });

  it('with REFUSED_STREAM while its body cannot be read again fails', async () => {
    const { peer, session } = await start(refusing(1, http2.constants.NGHTTP2_REFUSED_STREAM));
    const once = (async function* (): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      yield new Uint8Array(10);
    })();
    await expect(session.dispatch({ url: peer.url, method: 'POST', body: once })).rejects.toMatchObject({
      processed: 'no',
    });
    expect(peer.seen.flat()).toHaveLength(1);
  });

  it('with another code is sent again only where the method allows it (RFC 9110 section 9.2.2)', async () => {
    const { peer, session } = await start(refusing(1, http2.constants.NGHTTP2_INTERNAL_ERROR));
    expect(await text(session, { url: `${peer.url}/get` })).toBe('200 ok /get');
    const other = await start(refusing(1, http2.constants.NGHTTP2_INTERNAL_ERROR));
    const failure = other.session.dispatch({ url: other.peer.url, method: 'POST', body: 'x' });
    await expect(failure).rejects.toMatchObject({ errorCode: 2, processed: 'maybe' });
    expect(other.peer.seen.flat()).toHaveLength(1);
  });

  it('after its response, with NO_ERROR, is answered (RFC 9113 section 8.1)', async () => {
    const { peer, session } = await start((stream) => {
      stream.respond({ ':status': 413 });
      stream.end('too large');
      stream.on('finish', () => stream.close(http2.constants.NGHTTP2_NO_ERROR));
    });
    const body = new Uint8Array(5_000_000);
    expect(await text(session, { url: peer.url, method: 'POST', body })).toBe('413 too large');
  });
});

describe('connections', () => {
  it('are shared; aborting one request resets one stream', async () => {
    const codes: number[] = [];
    const open: http2.ServerHttp2Stream[] = [];
    const { peer, session } = await start((stream, path) => {
      if (path === '/never') {
        open.push(stream);
        stream.on('close', () => codes.push(stream.rstCode));
      } else ok(stream, path);
    });
    const controller = new AbortController();
    const never = session.dispatch({ url: `${peer.url}/never`, signal: controller.signal });
    never.catch(() => undefined);
    await expect.poll(() => open.length).toBe(1);
    const running = Array.from({ length: 5 }, (_, index) => text(session, { url: `${peer.url}/${String(index)}` }));
    controller.abort();
    await expect(never).rejects.toMatchObject({ name: 'AbortError' });
    expect(await Promise.all(running)).toHaveLength(5);
    await expect.poll(() => codes).toEqual([http2.constants.NGHTTP2_CANCEL]);
    expect(await text(session, { url: `${peer.url}/after` })).toBe('200 ok /after');
    expect(peer.sessions).toHaveLength(1);
  });

  it('are opened further where the server allows few streams, and no stream is too many', async () => {
    let running = 0;
    let most = 0;
    const { peer, session } = await start(
      (stream, path) => {
        running += 1;
        most = Math.max(most, running);
        setTimeout(() => {
          running -= 1;
          ok(stream, path);
        }, 10);
      },
      { maxConcurrentStreams: 2 },
    );
    const paths = Array.from({ length: 20 }, (_, index) => `/${String(index)}`);
    const answers = await Promise.all(paths.map((path) => text(session, { url: `${peer.url}${path}` })));
    expect(answers).toEqual(paths.map((path) => `200 ok ${path}`));
    expect(peer.sessions.length).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(2 * peer.sessions.length);
  });

  it('that break fail what runs; what may be sent again is', async () => {
    const { peer, session } = await start((stream, path, self) => {
      if (self.sessions.length > 1) ok(stream, path);
      else if (self.seen[0]?.length === 3) stream.session?.destroy();
    });
    const answers = await Promise.allSettled([
      text(session, { url: `${peer.url}/1` }),
      text(session, { url: `${peer.url}/2`, method: 'POST', body: 'x' }),
      text(session, { url: `${peer.url}/3`, method: 'PUT', body: 'x' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('say what they are', async () => {
    const { peer, session } = await start(ok);
    const first = await session.dispatch({ url: peer.url });
    await first.text();
    const second = await session.dispatch({ url: peer.url });
    await second.text();
    expect([first.httpVersion, first.rawNames, first.connection.httpVersion]).toEqual(['2', undefined, '2']);
    expect([first.connection.reused, second.connection.reused]).toEqual([false, true]);
    expect(second.connection.id).toBe(first.connection.id);
    expect(first.connection.endVerified).toBe(true);
  });

  it('are closed when the session is, with all that runs', async () => {
    const { peer, session } = await start(() => undefined);
    const running = session.dispatch({ url: peer.url });
    running.catch(() => undefined);
    await expect.poll(() => peer.seen.flat().length).toBe(1);
    await session.close();
    await expect(running).rejects.toBeInstanceOf(HfaceError);
    await expect.poll(() => peer.sessions[0]?.destroyed).toBe(true);
  });
});
