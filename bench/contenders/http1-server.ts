/**
 * Servers that answer every request of a scenario alike, each in its own way. Words: name, scenario, and for TLS the
 * files of a certificate and its key, which the first few contenders take.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { Hono } from 'hono';
import { serve as honoServe } from '@hono/node-server';
import { fastify as makeFastify } from 'fastify';
import { FastResponse as SrvxResponse, serve as srvxServe } from 'srvx/node';
import type { App } from '../../src/app/index.ts';
import {
  defaultServerFactory,
  HttpOverTcpListener,
  serveExchanges,
  systemNetworking,
} from '../../src/connections/index.ts';
import type { HttpConnection } from '../../src/connections/index.ts';
import { AppServer } from '../../src/server/index.ts';
import {
  connectionAnswers,
  apps,
  bytesEcho,
  BYTES_TYPE,
  DOWNLOAD,
  ECHO,
  ExchangeAnswers,
  TEXT,
  TYPE,
} from '../support/answers.ts';
import type { Scenario } from '../support/answers.ts';
import { serveContender } from '../support/contender.ts';

const [, , name = '', scenarioName = 'hello', certFile = '', keyFile = ''] = process.argv;
const scenario = scenarioName as Scenario;
const identity =
  certFile === '' ? undefined : { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
const scheme = identity === undefined ? 'http' : 'https';
const HELLO_TYPE = { headers: { 'content-type': TYPE } };
const OCTETS = { headers: { 'content-type': BYTES_TYPE } };

/** All load comes from one address. */
const LIMITS = { maxConnectionsPerAddress: 10_000 };

type FetchFunction = (request: Request) => Response | Promise<Response>;

/** The same app for frameworks of the Fetch style, with whichever Response. */
function fetchApp(Class: typeof Response): FetchFunction {
  if (scenario === 'hello') return () => new Class(TEXT, HELLO_TYPE);
  if (scenario === 'download') return () => new Class(DOWNLOAD, OCTETS);
  return async (request) => new Class(await request.text(), OCTETS);
}

/** Begin to listen, and answer where. */
const contenders: Readonly<Record<string, () => Promise<string>>> = {
  'node:http': () => {
    const answer: http.RequestListener = (request, response) => {
      if (scenario === 'hello') {
        response.writeHead(200, { 'content-type': TYPE, 'content-length': TEXT.length });
        response.end(TEXT);
      } else if (scenario === 'download') {
        response.writeHead(200, { 'content-type': BYTES_TYPE, 'content-length': DOWNLOAD.length });
        response.end(DOWNLOAD);
      } else {
        const pieces: Buffer[] = [];
        request.on('data', (piece: Buffer) => pieces.push(piece));
        request.on('end', () => {
          const body = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
          response.writeHead(200, { 'content-type': BYTES_TYPE, 'content-length': body.length });
          response.end(body);
        });
      }
    };
    // As ours: connections that are closed while others are still being opened would not be counted.
    const options = { keepAliveTimeout: 75_000 };
    return listening(
      identity === undefined
        ? http.createServer(options, answer)
        : https.createServer({ ...options, ...identity }, answer),
    );
  },

  /** The bound: what comes is counted, and for each request the answer stands ready. */
  'canned bytes': () => {
    const body = { hello: Buffer.from(TEXT), echo: Buffer.from(ECHO), download: DOWNLOAD }[scenario];
    const type = scenario === 'hello' ? TYPE : BYTES_TYPE;
    const head = Buffer.from(
      `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ncontent-length: ${String(body.length)}\r\n` +
        `date: ${new Date().toUTCString()}\r\n\r\n`,
    );
    const canned = Buffer.concat([head, body]);
    const server = net.createServer({ noDelay: true }, (socket) => {
      let owed = 0;
      socket.on('error', () => socket.destroy());
      socket.on('data', (chunk) => {
        if (scenario === 'echo') {
          const end = owed === 0 ? chunk.indexOf('\r\n\r\n') + 4 : 0;
          owed = (owed === 0 ? ECHO.length : owed) - (chunk.length - end);
          if (owed > 0) return;
        }
        socket.write(canned);
      });
    });
    return listening(server);
  },

  HttpConnection: () => {
    const answer = connectionAnswers(systemNetworking().clock, scenario);
    return listener(answer);
  },

  exchanges: () => {
    const handler = new ExchangeAnswers(systemNetworking().clock, scenario);
    return listener((connection) => void serveExchanges(connection, handler));
  },

  'ASGI-style': () => appServer(apps[scenario].asgi),
  'Fetch-style, our Response': () => appServer(apps[scenario].fast),
  'Fetch-style, our Response, arrayBuffer': () => appServer(scenario === 'echo' ? bytesEcho : apps[scenario].fast),
  'Fetch-style, native Response': () => appServer(apps[scenario].native),

  fastify: async () => {
    const app = makeFastify();
    app.addContentTypeParser(BYTES_TYPE, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
    app.get('/', (_request, reply) => {
      if (scenario === 'hello') void reply.header('content-type', TYPE).send(TEXT);
      else void reply.header('content-type', BYTES_TYPE).send(DOWNLOAD);
    });
    app.post('/', (request, reply) => {
      void reply.header('content-type', BYTES_TYPE).send(request.body);
    });
    return `${await app.listen({ host: '127.0.0.1', port: 0 })}/`;
  },

  hono: () => {
    const app = new Hono();
    const answer = fetchApp(Response);
    app.all('/', (context) => answer(context.req.raw));
    return new Promise((resolve) => {
      honoServe({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => resolve(urlOf(port)));
    });
  },

  srvx: () => srvx(fetchApp(Response)),
  'srvx, its own Response': () => srvx(fetchApp(SrvxResponse as unknown as typeof Response)),
};

async function srvx(fetch: FetchFunction): Promise<string> {
  const server = srvxServe({ fetch, hostname: '127.0.0.1', port: 0, silent: true });
  await server.ready();
  return server.url ?? '';
}

async function appServer(app: App): Promise<string> {
  const running = await new AppServer(app, { limits: LIMITS, tls: identity }).listen(`${scheme}://127.0.0.1:0`);
  return `${running.url}/`;
}

async function listener(connectionAccepted: (connection: HttpConnection) => void): Promise<string> {
  const open = await new HttpOverTcpListener({
    networking: systemNetworking(),
    factory: defaultServerFactory(),
    limits: LIMITS,
    tls: identity,
  }).listen({ scheme, host: '127.0.0.1', port: 0, unixPath: undefined }, { connectionAccepted });
  return urlOf(open.endpoints[0]?.port ?? 0);
}

function listening(server: net.Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(urlOf((server.address() as net.AddressInfo).port)));
  });
}

function urlOf(port: number): string {
  return `${scheme}://127.0.0.1:${String(port)}/`;
}

serveContender((await contenders[name]?.()) ?? '');
