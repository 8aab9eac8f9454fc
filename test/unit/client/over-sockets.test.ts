import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import type { Duplex } from 'node:stream';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { Client } from '../../../src/client/index.ts';
import type { ClientOptions, ClientSession } from '../../../src/client/index.ts';
import { HfaceError } from '../../../src/common/index.ts';
import { Http1ClientFactory } from '../../../src/protocols/http1/index.ts';
import { eventually, httpServer, listen, rawServer } from './loopback.ts';
import type { Loopback } from './loopback.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function serve(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Loopback> {
  const server = await httpServer(handler);
  open.push(server);
  return server;
}

async function raw(...args: Parameters<typeof rawServer>): Promise<Loopback> {
  const server = await rawServer(...args);
  open.push(server);
  return server;
}

function session(options: ClientOptions = {}): ClientSession {
  const made = new Client(options).session();
  open.push(made);
  return made;
}

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  request.setEncoding('latin1');
  for await (const piece of request) text += piece as string;
  return text;
}

describe('a session and node:http', () => {
  it('sends requests as they are written and reads their responses', async () => {
    const server = await serve((request, response) => {
      void read(request).then((body) => {
        response.writeHead(207, { 'X-Own': 'Yes' });
        response.end(JSON.stringify({ method: request.method, url: request.url, raw: request.rawHeaders, body }));
      });
    });
    const client = session();
    const response = await client.dispatch({
      url: `${server.url}/p%20q?a=b#c`,
      method: 'PUT',
      headers: { 'X-Mixed-Case': '1' },
      body: 'abc',
    });
    expect(response.status).toBe(207);
    expect(response.header('x-own')).toBe('Yes');
    expect(response.rawNames).toContain('X-Own');
    const seen = (await response.json()) as { method: string; url: string; raw: string[]; body: string };
    expect([seen.method, seen.url, seen.body]).toEqual(['PUT', '/p%20q?a=b', 'abc']);
    expect(seen.raw).toContain('X-Mixed-Case');
    expect(seen.raw.map((text) => text.toLowerCase())).toEqual(
      expect.arrayContaining(['host', `127.0.0.1:${server.port}`, 'content-length', '3']),
    );
    const { connection, timings } = response;
    expect(connection).toMatchObject({ httpVersion: '1.1', reused: false, endVerified: true, tls: undefined });
    expect(connection.remoteAddress).toMatchObject({ host: '127.0.0.1', port: server.port });
    const times = [
      timings.queued,
      timings.resolved,
      timings.connected,
      timings.started,
      timings.requestSent,
      timings.firstByte,
      timings.ended,
    ];
    for (const time of times) expect(time).toBeTypeOf('number');
    expect([...times].sort((one, other) => one! - other!)).toEqual(times);
  });

  it('uses a connection again, and several side by side up to the limit', async () => {
    let running = 0;
    let most = 0;
    const server = await serve((_request, response) => {
      running += 1;
      most = Math.max(most, running);
      setTimeout(() => {
        running -= 1;
        response.end('x');
      }, 5);
    });
    const client = session({ pool: { maxConnectionsPerOrigin: 2 } });
    for (let index = 0; index < 3; index += 1) {
      const response = await client.dispatch({ url: server.url });
      await response.bytes();
      expect(response.connection.reused).toBe(index > 0);
    }
    expect(server.connections).toBe(1);
    const texts = await Promise.all(Array.from({ length: 10 }, async () => (await client.fetch(server.url)).text()));
    expect(texts).toEqual(Array(10).fill('x'));
    expect([server.connections, most]).toEqual([2, 2]);
  });

  it.each([
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ])('%s %i ends with its head and keeps the connection', async (method, status) => {
    const server = await serve((_request, response) => {
      response.writeHead(status, method === 'HEAD' ? { 'content-length': '1000' } : {});
      response.end();
    });
    const client = session();
    for (let index = 0; index < 2; index += 1) {
      const response = await client.fetch(server.url, { method });
      expect([response.status, await response.text()]).toEqual([status, '']);
    }
    expect(server.connections).toBe(1);
  });

  it('receives trailers and sends them', async () => {
    const server = await serve((request, response) => {
      void read(request).then((body) => {
        response.writeHead(200, { trailer: 'X-Sum' });
        response.write(body);
        response.addTrailers({ 'X-Sum': request.trailers['x-check'] ?? 'none' });
        response.end();
      });
    });
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('ab');
      yield Buffer.from('cd');
    }
    let asked = 0;
    const trailers = (): string[][] => {
      asked += 1;
      return [['X-Check', '42']];
    };
    for (const given of [{ 'X-Check': '42' }, trailers as () => [string, string][]]) {
      const response = await session().dispatch({ url: server.url, method: 'POST', body: pieces(), trailers: given });
      expect(await response.text()).toBe('abcd');
      expect(await response.trailers).toEqual(['x-sum', '42']);
    }
    expect(asked).toBe(1);
  });

  it('hears early hints (RFC 8297)', async () => {
    const server = await serve((_request, response) => {
      response.writeEarlyHints({ link: '</style.css>; rel=preload' });
      setImmediate(() => response.end('ok'));
    });
    const heard: number[] = [];
    const client = session();
    const response = await client.dispatch({
      url: server.url,
      onInformational: ({ status, headers }) => heard.push(status, headers.length),
    });
    expect(heard).toEqual([103, 2]);
    expect(response.informational[0]?.headers).toEqual(['link', '</style.css>; rel=preload']);
    await client.fetch(server.url, {}, { onInformational: ({ status }) => heard.push(status) });
    expect(heard.at(-1)).toBe(103);
  });

  it('waits for 100 (Continue) with the body, and heeds a refusal', async () => {
    const server = createServer();
    let bodies = 0;
    server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      if (request.url === '/no') {
        response.writeHead(413);
        response.end('too large');
        return;
      }
      response.writeContinue();
      void read(request).then((body) => {
        bodies += 1;
        response.end(body);
      });
    });
    const loopback = await listen(server);
    open.push(loopback);
    const client = session();
    const accepted = await client.dispatch({ url: loopback.url, method: 'POST', body: 'abc', expectContinue: true });
    expect(await accepted.text()).toBe('abc');
    expect(accepted.informational.map(({ status }) => status)).toEqual([100]);
    const refused = await client.dispatch({
      url: `${loopback.url}/no`,
      method: 'POST',
      body: 'abc',
      expectContinue: true,
    });
    expect([refused.status, await refused.text()]).toEqual([413, 'too large']);
    expect(bodies).toBe(1);
    // What was announced and not sent ends the connection; the next request opens another.
    expect(loopback.connections).toBe(1);
    await (await client.dispatch({ url: loopback.url, method: 'POST', body: 'x', expectContinue: true })).text();
    expect(loopback.connections).toBe(2);
  });

  it('follows redirects over one connection and decodes on the way', async () => {
    const server = await serve((request, response) => {
      const step = Number(request.url!.slice(1));
      if (step < 5) {
        response.writeHead(302, { location: `/${step + 1}` });
        response.end('moved');
      } else {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        response.end(gzipSync('arrived'));
      }
    });
    const client = session();
    const response = await client.fetch(`${server.url}/0`);
    expect([await response.text(), response.url, response.redirected]).toEqual(['arrived', `${server.url}/5`, true]);
    expect(server.connections).toBe(1);
  });

  it('sends forms that a foreign parser reads', async () => {
    const server = await serve((request, response) => {
      const body = new Response(request, {
        headers: { 'content-type': request.headers['content-type']! },
      }) as unknown as { formData(): Promise<FormData> };
      void body.formData().then(async (form) => {
        const file = form.get('file') as unknown as Blob & { name: string };
        response.end(
          `${form.get('field') as string} ${file.name} ${await file.text()} ${request.headers['content-length']}`,
        );
      });
    });
    const form = new FormData();
    form.append('field', 'value');
    form.append('file', new Blob(['contents']), 'name.txt');
    const response = await session().fetch(server.url, { method: 'POST', body: form });
    expect(await response.text()).toMatch(/^value name.txt contents \d+$/);
  });

  it('refuses what the engine refuses, and goes on over the same connection', async () => {
    const server = await serve((_request, response) => response.end('ok'));
    const client = session();
    expect(await (await client.fetch(server.url)).text()).toBe('ok');
    for (const headers of [{ 'bad name': 'x' }, { name: 'line\nend' }, { name: '\u0100' }]) {
      await expect(client.dispatch({ url: server.url, headers })).rejects.toMatchObject({ initiator: 'application' });
    }
    await expect(client.dispatch({ url: server.url, method: 'BAD METHOD' })).rejects.toMatchObject({
      initiator: 'application',
    });
    expect(await (await client.fetch(server.url)).text()).toBe('ok');
    expect([server.connections, client.running]).toEqual([1, 0]);
  });

  it('lets go of a response that was forgotten', async () => {
    const server = await serve((_request, response) => void response.write(Buffer.alloc(1_000_000)));
    const client = session();
    await (async () => {
      expect((await client.fetch(server.url)).status).toBe(200);
    })();
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    await eventually(() => {
      collect();
      return client.running === 0;
    });
    await eventually(() => server.open === 0);
  });

  it('connects over a unix socket', async () => {
    const socketPath = path.join(tmpdir(), `hface-${process.pid}.sock`);
    const server = createServer((request, response) => response.end(`${request.headers.host} ${request.url}`));
    open.push(await listen(server, socketPath));
    const byOption = await session({ unixSocket: socketPath }).fetch('http://a.example/x');
    expect(await byOption.text()).toBe('a.example /x');
    const byRequest = await session().dispatch({ url: 'http://b.example/y', unixSocket: socketPath });
    expect(await byRequest.text()).toBe('b.example /y');
  });

  it('connects elsewhere when told', async () => {
    const server = await serve((request, response) => response.end(request.headers.host));
    const to = `127.0.0.1:${server.port}`;
    const byMap = session({ connectTo: { 'a.example:80': to } });
    expect(await (await byMap.fetch('http://A.example/')).text()).toBe('a.example');
    const byFunction = session({
      connectTo: (target) => (target.host === 'b.example' ? { host: '127.0.0.1', port: server.port } : undefined),
    });
    expect(await (await byFunction.fetch('http://b.example:81/')).text()).toBe('b.example:81');
    expect(await (await byFunction.fetch(server.url)).text()).toBe(to);
  });

  it('connects by one family only when told', async () => {
    const server = await serve((_request, response) => response.end('ok'));
    const url = `http://localhost:${server.port}`;
    const response = await session({ family: 'ipv4' }).dispatch({ url });
    expect(response.connection.remoteAddress).toMatchObject({ family: 'ipv4', host: '127.0.0.1' });
    await expect(session({ family: 'ipv6' }).dispatch({ url })).rejects.toMatchObject({ initiator: 'network' });
  });

  it('speaks by another engine when given one', async () => {
    const server = await serve((request, response) => response.end(request.url));
    const client = session({ http1Factory: new Http1ClientFactory({ absoluteForm: true }) });
    expect(await (await client.fetch(`${server.url}/x`)).text()).toBe(`${server.url}/x`);
  });

  it('says who it is, unless told not to', async () => {
    const server = await serve((request, response) => response.end(request.headers['user-agent'] ?? 'nobody'));
    expect(await (await session().fetch(server.url)).text()).toMatch(/^hface-ts\/\d/);
    expect(await (await session({ userAgent: 'me/1' }).fetch(server.url)).text()).toBe('me/1');
    expect(await (await session({ userAgent: false }).fetch(server.url)).text()).toBe('nobody');
  });

  it('tunnels by CONNECT and Upgrade', async () => {
    const server = createServer();
    const echo = (line: string) => (_request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.write(`HTTP/1.1 ${line}\r\n\r\nhello `);
      socket.write(head);
      socket.on('data', (data: Buffer) => socket.write(data));
      socket.on('end', () => socket.end('bye'));
      socket.on('error', () => {});
    };
    server.on('connect', echo('200 OK'));
    server.on('upgrade', echo('101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: own'));
    const loopback = await listen(server);
    open.push(loopback);
    async function* pieces(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('one ');
      yield Buffer.from('two ');
    }
    const connect = await session().dispatch({
      url: loopback.url,
      method: 'CONNECT',
      authority: 'db:5432',
      body: pieces(),
    });
    expect([connect.status, await connect.text()]).toEqual([200, 'hello one two bye']);
    const upgrade = await session().dispatch({ url: loopback.url, upgrade: 'own', body: pieces() });
    expect([upgrade.status, await upgrade.text()]).toEqual([101, 'hello one two bye']);
  });
});

describe('connections that end', () => {
  const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

  it('a server that closes after each response is called anew', async () => {
    const server = await raw((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok'),
    );
    const client = session();
    for (let index = 0; index < 3; index += 1) expect(await (await client.fetch(server.url)).text()).toBe('ok');
    expect(server.connections).toBe(3);
  });

  it('a request that meets the closing of its idle connection is sent again', async () => {
    // The connection takes one request, and dies at the second without a word.
    const seen: string[] = [];
    const server = await raw((socket, data, connection) => {
      seen.push(`${connection} ${data.split(' ', 1).join('')}`);
      if (connection === 1 && seen.length > 1) socket.destroy();
      else socket.write(ok);
    });
    const client = session();
    await (await client.fetch(server.url)).text();
    expect(await (await client.fetch(server.url)).text()).toBe('ok');
    expect(seen).toEqual(['1 GET', '1 GET', '2 GET']);
  });

  it('a POST that meets it is not', async () => {
    let requests = 0;
    const server = await raw((socket, _data, connection) => {
      requests += 1;
      if (connection === 1 && requests > 1) socket.end();
      else socket.write(ok);
    });
    const client = session();
    await (await client.fetch(server.url)).text();
    await expect(client.dispatch({ url: server.url, method: 'POST', body: 'x' })).rejects.toMatchObject({
      code: 'ERR_CONNECTION_CLOSED',
    });
    expect(requests).toBe(2);
  });

  it('dead idle connections are not tried one after the other', async () => {
    const seen: number[] = [];
    let dying = false;
    const server = await raw((socket, _data, connection) => {
      seen.push(connection);
      if (dying && connection <= 3) socket.destroy();
      else setTimeout(() => socket.write(ok), 5);
    });
    const client = session();
    await Promise.all([1, 2, 3].map(async () => (await client.fetch(server.url)).text()));
    dying = true;
    expect(await (await client.fetch(server.url)).text()).toBe('ok');
    expect(seen.slice(3).length).toBe(2);
    expect(seen.at(-1)).toBe(4);
  });

  it('a body that is cut is an error, one that only the connection ends is marked', async () => {
    const server = await raw((socket, data) => {
      if (data.includes('/length')) socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort');
      else if (data.includes('/chunked'))
        socket.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n');
      else socket.end('HTTP/1.1 200 OK\r\n\r\nshort');
    });
    const client = session();
    for (const place of ['/length', '/chunked']) {
      const response = await client.dispatch({ url: server.url + place });
      await expect(response.text()).rejects.toMatchObject({ name: 'RemoteProtocolError' });
      const fetched = await client.fetch(server.url + place);
      await expect(fetched.text()).rejects.toThrow('terminated');
    }
    const response = await client.dispatch({ url: server.url });
    expect(await response.text()).toBe('short');
    expect(response.connection.endVerified).toBe(false);
  });

  it('bytes that are no HTTP are no reason to try again', async () => {
    const server = await raw((socket) => socket.end('SSH-2.0-OpenSSH\r\n\r\n'));
    await expect(session().dispatch({ url: server.url })).rejects.toMatchObject({ name: 'RemoteProtocolError' });
    expect(server.connections).toBe(1);
  });

  it('a part of a head before a reset is no reason to try again either', async () => {
    let requests = 0;
    const server = await raw((socket) => {
      requests += 1;
      socket.write('HTTP/1.1 200 OK\r\nx: ', () => setTimeout(() => socket.resetAndDestroy(), 20));
    });
    await expect(session().dispatch({ url: server.url })).rejects.toBeInstanceOf(HfaceError);
    expect(requests).toBe(1);
  });

  it('nobody listening is told', async () => {
    const server = await httpServer(() => {});
    await server.close();
    await expect(session().dispatch({ url: server.url })).rejects.toMatchObject({
      initiator: 'network',
      phase: 'connect',
    });
    const error = await session()
      .fetch(server.url)
      .catch((thrown: unknown) => thrown as Error);
    expect(error).toBeInstanceOf(TypeError);
  });

  it('a head larger than the limit fails', async () => {
    const server = await raw((socket) => socket.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(2000)}\r\n\r\n`));
    const client = session({ http1Limits: { maxHeaderBytes: 1000 } });
    await expect(client.dispatch({ url: server.url })).rejects.toMatchObject({
      code: 'ERR_LIMIT',
      limit: 'maxHeaderBytes',
    });
  });

  it('an early answer to a long upload is heard, and the rest not sent', async () => {
    let received = 0;
    const server = await serve((request, response) => {
      request.on('data', (piece: Buffer) => (received += piece.length));
      response.writeHead(413);
      response.end('enough');
    });
    let made = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (;;) {
        made += 65536;
        yield new Uint8Array(65536);
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    const client = session();
    const response = await client.dispatch({ url: server.url, method: 'POST', body: endless() });
    expect([response.status, await response.text()]).toEqual([413, 'enough']);
    const before = made;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(made - before).toBeLessThanOrEqual(65536);
    expect(client.running).toBe(0);
    expect(received).toBeLessThanOrEqual(made);
  });

  it('after close no connection is left on the other side', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/slow') return;
      response.write('x');
      if (request.url === '/whole') response.end();
    });
    const client = session();
    await (await client.fetch(`${server.url}/whole`)).text();
    const half = await client.fetch(`${server.url}/half`);
    const slow = client.fetch(`${server.url}/slow`).catch((error: unknown) => error as Error);
    await eventually(() => server.open >= 2);
    await client.close();
    expect((await slow) instanceof TypeError).toBe(true);
    await expect(half.text()).rejects.toThrow('terminated');
    await eventually(() => server.open === 0);
    expect(client.running).toBe(0);
  });
});

describe('withSession', () => {
  it('closes by itself, whatever happened', async () => {
    const server = await serve((_request, response) => response.end('x'));
    const client = new Client();
    const text = await client.withSession(async (inner) => (await inner.fetch(server.url)).text());
    expect(text).toBe('x');
    let kept: ClientSession | undefined;
    const failing = client.withSession((inner) => {
      kept = inner;
      throw new Error('mine');
    });
    await expect(failing).rejects.toThrow('mine');
    expect(kept!.closed).toBe(true);
    await eventually(() => server.open === 0);
  });
});
