import https from 'node:https';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { App, AppContext, AsgiApp } from '../../../src/app/index.ts';
import { asgi, nodeApp } from '../../../src/app/index.ts';
import type { Logger } from '../../../src/common/index.ts';
import { ConfigurationError, lineLogger } from '../../../src/common/index.ts';
import type { AppErrorDetails, RequestRecord, RunningServer } from '../../../src/server/index.ts';
import { AppServer } from '../../../src/server/index.ts';
import { expectNoSocketsBesides, openSockets } from '../../support/leaks.ts';
import { makeCertificate, testPki } from '../../support/test-certificates.ts';
import { RawClient, request, settle, start } from './loopback.ts';

const CLOSE = 'host: localhost\r\nconnection: close\r\n';
let sockets: Record<string, number> = {};
let server: RunningServer | undefined;

beforeEach(() => {
  sockets = openSockets();
});

afterEach(async () => {
  await server?.close();
  server = undefined;
  await expectNoSocketsBesides(sockets);
});

describe('an AppServer', () => {
  it('answers requests, one after the other on one connection', async () => {
    server = await start(() => new Response('hello'), { serverName: 'test' });
    const client = new RawClient(server);
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    const first = await client.until('hello');
    expect(first).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(first).toMatch(/\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/i);
    expect(first).toMatch(/\r\nserver: test\r\n/i);
    expect(first).toMatch(/\r\ncontent-length: 5\r\n/i);
    client.write(`GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    expect((await client.end()).match(/hello/g)).toHaveLength(2);
  });

  it('keeps the connection when an app leaves a short body unread', async () => {
    server = await start(() => new Response('ok'));
    const client = new RawClient(server);
    client.write('POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4\r\n\r\nbody');
    await client.until('ok');
    client.write(`GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    expect((await client.end()).match(/200 OK/g)).toHaveLength(2);
  });

  it('streams a body back as it comes', async () => {
    server = await start((incoming) => new Response(incoming.body));
    const client = new RawClient(server);
    client.write(`POST / HTTP/1.1\r\n${CLOSE}transfer-encoding: chunked\r\n\r\n3\r\none\r\n`);
    await client.until('one');
    client.write('3\r\ntwo\r\n0\r\n\r\n');
    const text = await client.end();
    expect(text).toMatch(/transfer-encoding: chunked/i);
    expect(text).toMatch(/3\r\ntwo\r\n0\r\n\r\n$/);
  });

  it('sends 100 when the app reads, 103 when it says so, and trailers both ways', async () => {
    server = await start(async (incoming, context) => {
      context.sendInformational(103, { link: '</a.css>; rel=preload' });
      const body = await incoming.text();
      const sum = (await context.trailers.received).get('x-sum');
      context.trailers.send({ 'x-sum': String(sum) });
      return new Response(body);
    });
    const client = new RawClient(server);
    client.write(
      `POST / HTTP/1.1\r\n${CLOSE}te: trailers\r\nexpect: 100-continue\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n`,
    );
    const before = await client.until('100 Continue');
    expect(before).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 100 Continue/i,
    );
    client.write('4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n');
    expect(await client.end()).toMatch(/4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n$/i);
  });

  it('answers HTTP/1.0, where there are no chunks, trailers or interim responses', async () => {
    server = await start((_incoming, context) => {
      context.sendInformational(103, { link: '</a.css>' });
      context.trailers.send({ 'x-sum': '1' });
      return new Response('body');
    });
    const text = await request(server, 'GET / HTTP/1.0\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/\r\n\r\nbody$/);
    expect(text).not.toMatch(/x-sum|103|chunked/);
  });

  it('serves ASGI-style apps with their lifespan', async () => {
    const log: string[] = [];
    const app: AsgiApp = async (scope, receive, send) => {
      if (scope.type === 'lifespan') {
        log.push((await receive()).type);
        await send({ type: 'lifespan.startup.complete' });
        log.push((await receive()).type);
        await send({ type: 'lifespan.shutdown.complete' });
        return;
      }
      await send({ type: 'http.response.start', status: 200, headers: [] });
      await send({ type: 'http.response.body', body: Buffer.from(scope.type) });
    };
    server = await start(asgi(app));
    expect(log).toEqual(['lifespan.startup']);
    expect(await request(server, `GET / HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/\r\n\r\nhttp$/);
    await server.close();
    expect(log).toEqual(['lifespan.startup', 'lifespan.shutdown']);
  });

  it('does not listen when the app cannot start, and stops the app when it cannot listen', async () => {
    const failing: AsgiApp = async (_scope, receive, send) => {
      await receive();
      await send({ type: 'lifespan.startup.failed', message: 'no database' });
    };
    await expect(start(asgi(failing))).rejects.toThrow('the app failed to start: no database');

    const log: string[] = [];
    const app: AsgiApp = async (_scope, receive, send) => {
      for (;;) {
        const event = await receive();
        log.push(event.type);
        await send({
          type: event.type === 'lifespan.startup' ? 'lifespan.startup.complete' : 'lifespan.shutdown.complete',
        });
        if (event.type === 'lifespan.shutdown') return;
      }
    };
    server = await start(() => new Response());
    const taken = server.url;
    await expect(new AppServer(asgi(app)).listen(['http://127.0.0.1:0', taken])).rejects.toMatchObject({
      code: 'ERR_ADDRESS_IN_USE',
    });
    expect(log).toEqual(['lifespan.startup', 'lifespan.shutdown']);
  });

  it('listens at several endpoints, secure and insecure, at once', async () => {
    const { ca, server: identity } = testPki();
    const app = (incoming: Request, context: AppContext): Response =>
      Response.json({ url: incoming.url, tls: context.tls?.version });
    const tls = { cert: identity.cert, key: identity.key };
    server = await new AppServer(app, { tls }).listen(['http://127.0.0.1:0', { endpoint: 'https://127.0.0.1:0' }]);
    expect(server.endpoints.map((endpoint) => endpoint.scheme)).toEqual(['http', 'https']);
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await request(server, `GET /a HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/"url":"http:\/\/localhost\/a"/);
    const port = server.endpoints[1]?.port;
    const secure = await new Promise<string>((resolve, reject) => {
      https
        .get({ port, host: '127.0.0.1', path: '/b', ca: ca.cert, agent: false }, (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve(text));
        })
        .on('error', reject);
    });
    expect(JSON.parse(secure)).toEqual({
      url: `https://127.0.0.1:${String(port)}/b`,
      tls: 'TLSv1.3',
    });
  });

  it('takes another certificate for handshakes to come, and keeps connections', async () => {
    const { ca, server: identity } = testPki();
    const renewed = makeCertificate({ issuer: ca });
    const tls = { cert: identity.cert, key: identity.key };
    server = await new AppServer(() => new Response('hello'), { tls }).listen([
      'http://127.0.0.1:0',
      'https://127.0.0.1:0',
    ]);
    const [plain, secure] = server.endpoints;
    const agent = new https.Agent({ keepAlive: true, maxCachedSessions: 0 });
    const ask = (through: https.Agent | false): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = { port: secure?.port, host: '127.0.0.1', servername: 'localhost', ca: ca.cert, agent: through };
        const asked = https.get(options, (response) => {
          const { socket } = response;
          const serial = socket instanceof TLSSocket ? socket.getPeerCertificate().serialNumber : '';
          response.resume().on('end', () => resolve(serial));
        });
        asked.on('error', reject);
      });
    const first = await ask(agent);
    server.updateTls({ cert: renewed.cert, key: renewed.key });
    expect(await ask(agent)).toBe(first);
    const second = await ask(false);
    expect(second).not.toBe(first);
    server.updateTls(tls, secure);
    expect(await ask(false)).toBe(first);
    // What cannot be used changes nothing.
    expect(() => server?.updateTls({ cert: renewed.cert, key: identity.key })).toThrow(ConfigurationError);
    expect(() => server?.updateTls(tls, plain)).toThrow(/no https endpoint http:/);
    expect(await ask(false)).toBe(first);
    agent.destroy();
  });

  it('is run until its signal drains it', async () => {
    const controller = new AbortController();
    const app = new AppServer(() => new Response());
    const running = app.run('http://127.0.0.1:0', { signal: controller.signal });
    await settle();
    controller.abort();
    await expect(running).resolves.toBeUndefined();
    await expect(app.run('http://127.0.0.1:0', { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow(
      'too late',
    );
  });

  it('closes by itself after withServer', async () => {
    const app = new AppServer(() => new Response('hello'));
    let running: RunningServer | undefined;
    const text = await app.withServer('http://127.0.0.1:0', (given) => {
      running = given;
      return request(given, `GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    });
    expect(text).toMatch(/hello$/);
    await expect(running?.closed).resolves.toBeUndefined();
    const failing = app.withServer('http://127.0.0.1:0', () => Promise.reject(new Error('work')));
    await expect(failing).rejects.toThrow('work');
  });
});

describe('a failure in the app', () => {
  it('is 500 for one client, reported, and nothing to the next', async () => {
    const errors: [unknown, AppErrorDetails][] = [];
    server = await start(
      (incoming) => {
        if (new URL(incoming.url).pathname === '/bad') throw new Error('boom');
        return new Response('good');
      },
      { onError: (error, details) => errors.push([error, details]) },
    );
    const client = new RawClient(server);
    client.write('GET /bad HTTP/1.1\r\nhost: localhost\r\n\r\n');
    const text = await client.until('Request ');
    expect(text).toMatch(/^HTTP\/1\.1 500 /);
    expect(text).not.toMatch(/boom/);
    client.write(`GET /good HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(await client.end()).toMatch(/good$/);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatchObject([{ message: 'boom' }, { kind: 'request', method: 'GET', path: '/bad' }]);
  });

  it('is logged where nobody asked, with what the client wrote escaped', async () => {
    const lines: string[] = [];
    server = await start(
      () => {
        throw new Error('boom\u001b[31m');
      },
      { logger: lineLogger('warn', (line) => lines.push(line)) },
    );
    await request(server, `GET /a?b HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^error: the app failed request=\S+ method=GET path=\/a\?b\nError: boom\\x\{1b\}\[31m\n {4}at /,
    );
  });

  it('in a callback, a logger or a page is nobody else’s', async () => {
    const broken: Logger = {
      isEnabled: () => {
        throw new Error('logger');
      },
      log: () => undefined,
    };
    const fail = (): never => {
      throw new Error('callback');
    };
    server = await start(fail, { onError: fail, onRequest: fail, errorPage: fail, logger: broken });
    expect(await request(server, `GET / HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/^HTTP\/1\.1 500 /);
    expect(await request(server, `GET / HTTP/1.1\r\n${CLOSE}\r\n`)).toMatch(/^HTTP\/1\.1 500 /);
  });

  it('has the page that was asked for', async () => {
    server = await start(
      () => {
        throw new Error('boom');
      },
      {
        onError: () => undefined,
        errorPage: (status, { error }) => ({ contentType: 'text/html', body: `<p>${String(status)} ${String(error)}` }),
      },
    );
    const text = await request(server, `GET / HTTP/1.1\r\n${CLOSE}\r\n`);
    expect(text).toMatch(/content-type: text\/html/i);
    expect(text).toMatch(/<p>500 Error: boom$/);
  });

  it('shows its stack with dev, to local names only (DNS rebinding)', async () => {
    server = await start(
      () => {
        throw new Error('boom');
      },
      { dev: true, onError: () => undefined },
    );
    const ask = (host: string): Promise<string> =>
      request(server as RunningServer, `GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    for (const host of ['localhost', 'a.localhost:80', '127.0.0.1', '[::1]:8080', 'LOCALHOST.']) {
      expect(await ask(host)).toMatch(/^HTTP\/1\.1 500 [\s\S]*Error: boom\n {4}at /);
    }
    for (const host of ['evil.example', 'localhost.evil.example', 'evillocalhost']) {
      expect(await ask(host)).toMatch(/^HTTP\/1\.1 421 [\s\S]*not allowed: add it to allowedHosts/);
    }
  });
});

describe('the record of a request', () => {
  it('tells what became of it', async () => {
    const records: RequestRecord[] = [];
    server = await start(async (incoming) => new Response(`${await incoming.text()}!`, { status: 201 }), {
      onRequest: (record) => records.push(record),
    });
    await request(server, `POST /a?b=c HTTP/1.1\r\n${CLOSE}content-length: 5\r\n\r\nhello`);
    expect(records).toEqual([
      {
        requestId: expect.stringMatching(/^[0-9a-z]+-1$/) as string,
        clientAddress: '127.0.0.1',
        method: 'POST',
        path: '/a?b=c',
        httpVersion: '1.1',
        status: 201,
        bytesSent: 6,
        bytesReceived: 5,
        duration: expect.any(Number) as number,
        aborted: undefined,
      },
    ]);
    expect(records[0]?.duration).toBeGreaterThanOrEqual(0);
  });

  it('does not call a request unfinished whose rest nobody wanted', async () => {
    const records: RequestRecord[] = [];
    let signal: AbortSignal | undefined;
    server = await start(
      (incoming) => {
        signal = incoming.signal;
        return new Response('enough', { status: 413 });
      },
      { onRequest: (record) => records.push(record) },
    );
    const text = await request(server, 'POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\nbegin');
    expect(text).toMatch(/^HTTP\/1\.1 413 [\s\S]*enough$/);
    while (records.length === 0) await settle();
    expect(records[0]).toMatchObject({ status: 413, aborted: undefined });
    expect(signal?.aborted).toBe(false);
  });

  it('tells that the client left', async () => {
    const records: RequestRecord[] = [];
    let signal: AbortSignal | undefined;
    server = await start(
      (incoming) =>
        new Promise((_resolve, reject) => {
          signal = incoming.signal;
          incoming.signal.addEventListener('abort', () => reject(incoming.signal.reason as Error));
        }),
      { onRequest: (record) => records.push(record), onError: () => undefined },
    );
    const client = new RawClient(server);
    client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    while (signal === undefined) await settle();
    client.reset();
    while (records.length === 0) await settle();
    expect(records[0]).toMatchObject({ status: 0, aborted: expect.any(String) as string });
  });
});

describe('options', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['that do not exist', () => new AppServer(() => new Response(), { tlss: {} } as object), /no option named tlss/],
    ['no app', () => new AppServer(undefined as unknown as App), /an app is a function or an object with fetch/],
    ['a Node-style app', () => new AppServer(nodeApp(() => undefined)), /not supported yet/],
    [
      'a limit that does not exist',
      () => new AppServer(() => new Response(), { limits: { maxThings: 1 } as object }),
      /no limit named maxThings/,
    ],
    [
      'a timeout that is no number',
      () => new AppServer(() => new Response(), { timeouts: { head: NaN } }),
      /must be a number/,
    ],
    [
      'a version that is not there',
      () => new AppServer(() => new Response(), { protocol: ['http4'] as never }),
      /http4 is not available/,
    ],
    [
      'an HTTP/3 implementation that is not there',
      () => new AppServer(() => new Response(), { http3Implementation: 'x' }),
      /http3 has no implementation named x/,
    ],
    [
      'an implementation that is not there',
      () => new AppServer(() => new Response(), { http1Implementation: 'x' }),
      /no implementation named x/,
    ],
    [
      'a server name with a line break',
      () => new AppServer(() => new Response(), { serverName: 'a\r\nb' }),
      /printable/,
    ],
  ])('%s are refused when the server is made', (_name, make, message) => {
    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
  });

  it.each<[string, string | URL | [], RegExp]>([
    ['https without a certificate', 'https://127.0.0.1:0', /needs a certificate/],
    ['nothing', [], /no endpoint/],
    ['nonsense', 'http://127.0.0.1:0/path', /is no endpoint/],
    ['a URL with a path', new URL('http://127.0.0.1:8080/path'), /it has a path/],
  ])('%s cannot be listened on', async (_name, endpoint, message) => {
    await expect(new AppServer(() => new Response()).listen(endpoint)).rejects.toThrow(message);
  });
});

describe('limits', () => {
  it('refuse connections above the total and per address', async () => {
    const lines: string[] = [];
    server = await start(() => new Response('ok'), {
      limits: { maxConnections: 2 },
      logger: lineLogger('warn', (line) => lines.push(line)),
    });
    const clients = [new RawClient(server), new RawClient(server)];
    for (const client of clients) {
      client.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
      await client.until('ok');
    }
    const third = new RawClient(server);
    third.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
    expect(await third.end()).toBe('');
    expect(lines).toEqual([
      expect.stringMatching(/^warn: connections are refused limit=maxConnections client=127\.0\.0\.1:\d+ count=1$/),
    ]);
    for (const client of clients) client.destroy();
  });

  it('are told to the engine', async () => {
    server = await start(async (incoming) => new Response(await incoming.text()), {
      limits: { maxHeaderBytes: 200, maxHeaderCount: 5, maxBodyBytes: 10 },
      onError: () => undefined,
    });
    expect(await request(server, `GET / HTTP/1.1\r\n${CLOSE}x: ${'a'.repeat(300)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 /,
    );
    expect(await request(server, `GET / HTTP/1.1\r\n${CLOSE}${'a: b\r\n'.repeat(5)}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await request(server, `POST / HTTP/1.1\r\n${CLOSE}content-length: 11\r\n\r\nhello world`)).toMatch(
      /^HTTP\/1\.1 413 /,
    );
    expect(await request(server, `POST / HTTP/1.1\r\n${CLOSE}content-length: 5\r\n\r\nhello`)).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });
});
