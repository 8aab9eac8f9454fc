/**
 * A hostile server against our client: malformed, ambiguous and endless responses, responses that nobody asked for,
 * early ends.
 *
 * RFC 9112 sections 4, 5, 6.1, 6.3, 7.1, 8, 9.2, 9.5, 11.1; RFC 9110 sections 6.4.1, 15.2. CVE-2026-1525 and its kin.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClientSession } from '../../src/client/index.ts';
import { failure, Lure } from '../support/attack/lure.ts';
import type { Trap } from '../support/attack/lure.ts';

const lure = new Lure();
let trap: Trap;
let session: ClientSession;

beforeAll(async () => {
  trap = await lure.trap();
});
beforeEach(() => {
  // A connection that the test before has ended may not have told so yet.
  session = lure.session({ retry: false });
});
afterAll(() => lure.stop());

function ok(fields: string, content = ''): string {
  return `HTTP/1.1 200 OK\r\n${fields}\r\n${content}`;
}

const CHUNKS = '5\r\nhello\r\n0\r\n\r\n';
const POISON = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison';

describe('a response that is none, or two', () => {
  it.each<readonly [name: string, bytes: string]>([
    // The status-line (RFC 9112 section 4).
    ['HTTP/2.0', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['ICY', 'ICY 200 OK\r\n\r\n'],
    ['SSH', 'SSH-2.0-x\r\n\r\n'],
    ['a TLS alert', '\x15\x03\x03\0\x02\x02\x28'],
    ['HTML without a head', '<html><body>hello</body></html>\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a signed status', 'HTTP/1.1 +20 OK\r\n\r\n'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['two spaces', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['a space before it', ' HTTP/1.1 200 OK\r\n\r\n'],
    ['CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n'],
    ['NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n'],
    ['LF ends the lines', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    // Fields.
    ['a space before the colon', ok('Content-Length : 5\r\n', 'hello')],
    ['a folded line', ok('X: a\r\n b\r\nContent-Length: 5\r\n', 'hello')],
    ['a field without a name', ok(': a\r\nContent-Length: 5\r\n', 'hello')],
    ['NUL in a value', ok('X: \0\r\nContent-Length: 5\r\n', 'hello')],
    ['CR in a value', ok('X: a\rb\r\nContent-Length: 5\r\n', 'hello')],
    ['an escape character in a value', ok('X: \x1b[2J\r\nContent-Length: 5\r\n', 'hello')],
    // Framing (RFC 9112 section 6.3).
    ['TE and CL', ok('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', CHUNKS)],
    ['two Content-Length', ok('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello')],
    ['two equal Content-Length', ok('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
    ['a list in Content-Length', ok('Content-Length: 5, 5\r\n', 'hello')],
    ['a sign in Content-Length', ok('Content-Length: +5\r\n', 'hello')],
    ['hexadecimal Content-Length', ok('Content-Length: 0x5\r\n', 'hello')],
    ['an empty Content-Length', ok('Content-Length: \r\n', 'hello')],
    ['Content-Length above 2^53', ok('Content-Length: 9007199254740993\r\n', 'hello')],
    ['an unknown coding', ok('Transfer-Encoding: cow\r\n', CHUNKS)],
    ['chunked twice', ok('Transfer-Encoding: chunked, chunked\r\n', CHUNKS)],
    ['gzip, chunked', ok('Transfer-Encoding: gzip, chunked\r\n', CHUNKS)],
    ['TE in HTTP/1.0', `HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNKS}`],
    ['Connection names Content-Length', ok('Connection: content-length\r\nContent-Length: 5\r\n', 'hello')],
    // Chunks.
    ['a chunk size with a sign', ok('Transfer-Encoding: chunked\r\n', '+5\r\nhello\r\n0\r\n\r\n')],
    ['a chunk size that overflows', ok('Transfer-Encoding: chunked\r\n', '10000000000000005\r\nhello\r\n0\r\n\r\n')],
    ['two octets behind a chunk', ok('Transfer-Encoding: chunked\r\n', '5\r\nhelloXX0\r\n\r\n')],
    ['LF in the chunk line', ok('Transfer-Encoding: chunked\r\n', '5\nhello\r\n0\r\n\r\n')],
    ['CR CR X behind the last chunk', ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n\rX')],
    ['a forbidden trailer', ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nSet-Cookie: a=b\r\n\r\n')],
    // Tunnels that nobody asked for (RFC 9110 sections 7.8 and 15.2.2).
    ['101 that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'],
    ['101 with another token', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
  ])('%s is refused, and the connection is not used again', async (_name, bytes) => {
    const fetched = session.fetch(trap.url).then((response) => response.text());
    const failed = failure(fetched);
    const socket = await trap.asked();
    await socket.write(bytes + POISON);
    const error = await failed;
    expect(['ERR_REMOTE_PROTOCOL', 'ERR_NOT_HTTP', 'ERR_LIMIT']).toContain(error.code);
    // The message may be printed: nothing of the server's may steer a terminal.
    expect(error.message).toMatch(/^[\x20-\x7e\u2026]*$/);
    await lure.meanwhile(session);
    const end = await socket.untilEnd();
    expect(end.ended || end.closed, 'the connection ends').toBe(true);
    await socket.destroy();
  });
});

describe('an answer to nobody (response queue poisoning)', () => {
  /** The next request of the session: on a new connection, and answered by what is sent there. */
  async function nextIsFresh(): Promise<void> {
    const next = session.fetch(trap.url);
    const socket = await trap.asked();
    await socket.write(ok('Content-Length: 5\r\nConnection: close\r\n', 'fresh'));
    expect(await (await next).text()).toBe('fresh');
    await socket.destroy();
  }

  it('behind a response is not kept for the next request', async () => {
    const fetched = session.fetch(trap.url);
    const socket = await trap.asked();
    await socket.write(ok('Content-Length: 5\r\n', 'hello') + POISON);
    const result = await fetched.then((response) => response.text()).catch(() => 'failed');
    expect(['hello', 'failed']).toContain(result);
    await nextIsFresh();
    const end = await socket.untilEnd();
    expect(end.ended || end.closed).toBe(true);
    expect(end.text.match(/GET /g), 'no second request goes there').toHaveLength(1);
    await socket.destroy();
  });

  it('on an idle connection ends it', async () => {
    const fetched = session.fetch(trap.url);
    const socket = await trap.asked();
    await socket.write(ok('Content-Length: 5\r\n', 'hello'));
    expect(await (await fetched).text()).toBe('hello');
    await sleep(50);
    await socket.write(POISON);
    const end = await socket.untilEnd();
    expect(end.ended || end.closed).toBe(true);
    await nextIsFresh();
    await socket.destroy();
  });

  it.each([
    ['content of 204', 'HTTP/1.1 204 No Content\r\nContent-Length: 59\r\n\r\n'],
    ['content of 204 without a length', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['content of 304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 59\r\n\r\n'],
    ['chunks of 204', 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['more than Content-Length', ok('Content-Length: 0\r\n')],
  ])('%s is not read as the next response', async (_name, head) => {
    const fetched = session.fetch(trap.url, { redirect: 'manual' });
    const socket = await trap.asked();
    await socket.write(head + POISON);
    const result = await fetched.then((response) => response.text()).catch(() => 'failed');
    expect(['', 'failed']).toContain(result);
    await nextIsFresh();
    const end = await socket.untilEnd();
    expect(end.text.match(/GET /g)).toHaveLength(1);
    await socket.destroy();
  });

  it('content of an answer to HEAD is not read as the next response', async () => {
    const fetched = session.fetch(trap.url, { method: 'HEAD' });
    const socket = await trap.asked();
    await socket.write(ok('Content-Length: 59\r\n') + POISON);
    const result = await fetched.then((response) => response.text()).catch(() => 'failed');
    expect(['', 'failed']).toContain(result);
    await nextIsFresh();
    await socket.destroy();
  });

  it('before the request was sent is not the answer to it', async () => {
    const server = await lure.trap();
    await server.server.answerAll({ after: '\0never', reply: '' });
    const greeting = lure.peer.listen();
    const { port } = await greeting;
    // The server talks first.
    const hostile = lure.session({ retry: false });
    const fetched = failure(hostile.fetch(`http://127.0.0.1:${String(port)}/`).then((response) => response.text()));
    const socket = await (await greeting).accept();
    await socket.write('220 mail.example ESMTP ready\r\n');
    expect((await fetched).code).toBe('ERR_NOT_HTTP');
    await socket.destroy();
  });
});

describe('an early final response', () => {
  it('to a request whose content is still on its way ends the connection (RFC 9112 section 9.5)', async () => {
    async function* slowly(): AsyncGenerator<Uint8Array> {
      for (let piece = 0; piece < 1_000; piece += 1) {
        await sleep(10);
        yield Buffer.from('x');
      }
    }
    const dispatched = session.dispatch({ url: trap.url, method: 'POST', body: slowly() });
    const socket = await trap.asked();
    await socket.write(ok('Content-Length: 5\r\n', 'early'));
    const response = await dispatched;
    expect(await response.text()).toBe('early');
    const end = await socket.untilEnd();
    expect(end.ended || end.closed, 'the connection cannot be used again').toBe(true);
    await socket.destroy();
    await lure.meanwhile(session);
  });

  it('to a request that waits for 100 ends the connection', async () => {
    const dispatched = session.dispatch({
      url: trap.url,
      method: 'POST',
      body: 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
      expectContinue: true,
    });
    const socket = await trap.asked();
    await socket.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    expect((await dispatched).status).toBe(403);
    const end = await socket.untilEnd();
    expect(end.text, 'the content is never sent behind the answer').not.toContain('/smuggled');
    expect(end.ended || end.closed).toBe(true);
    await socket.destroy();
  });

  it('tunnel bytes are not sent before the server has agreed (RFC 9931)', async () => {
    const dispatched = session.dispatch({
      url: trap.url,
      upgrade: 'echo',
      body: 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    });
    const socket = await trap.asked();
    await sleep(100);
    expect((await socket.state()).text).not.toContain('/smuggled');
    await socket.write('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n');
    expect((await dispatched).status).toBe(400);
    await sleep(50);
    expect((await socket.state()).text).not.toContain('/smuggled');
    await socket.destroy();
  });
});

describe('a connection that breaks off', () => {
  it.each<readonly [name: string, bytes: string, whole: boolean]>([
    ['before a byte', '', false],
    ['in the status-line', 'HTTP/1.1 20', false],
    ['in the fields', 'HTTP/1.1 200 OK\r\nContent-Le', false],
    ['before the empty line', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n', false],
    ['behind an interim response', 'HTTP/1.1 103 Early Hints\r\n\r\n', false],
    ['in content with a length', ok('Content-Length: 10\r\n', 'hello'), false],
    ['in a chunk', ok('Transfer-Encoding: chunked\r\n', '10\r\nhello'), false],
    ['between chunks', ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n'), false],
    ['in the last chunk', ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\n'), false],
    ['in trailers', ok('Transfer-Encoding: chunked\r\n', '5\r\nhello\r\n0\r\nX: a\r\n'), false],
    ['in content that ends with the connection', ok('', 'hello'), true],
  ])('%s is told from a whole response', async (_name, bytes, whole) => {
    const fetched = session.fetch(trap.url).then((response) => response.text());
    const outcome = fetched.then(
      (text) => `whole ${text}`,
      () => 'failed',
    );
    const socket = await trap.asked();
    if (bytes !== '') await socket.write(bytes);
    await socket.end();
    expect(await outcome).toBe(whole ? 'whole hello' : 'failed');
    await socket.destroy();
    await lure.meanwhile(session);
  });

  it('by a reset is never a whole response', async () => {
    for (const bytes of ['', 'HTTP/1.1 200', ok('Content-Length: 10\r\n', 'hello'), ok('', 'hello')]) {
      const failed = failure(session.fetch(trap.url).then((response) => response.text()));
      const socket = await trap.asked();
      if (bytes !== '') await socket.write(bytes);
      await sleep(20);
      await socket.reset();
      await failed;
    }
    await lure.meanwhile(session);
  });
});
