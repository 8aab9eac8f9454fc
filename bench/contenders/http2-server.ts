/**
 * HTTP/2 servers that answer every request of a scenario alike, each in its own way.
 *
 * Words: name, scenario (hello, download, upload, hold: never answered), `clear` or `tls`, certificate, key, how many streams a connection may
 * have.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import { asgi } from '../../src/app/index.ts';
import type { App } from '../../src/app/index.ts';
import {
  defaultServerFactory,
  HttpOverTcpListener,
  serveExchanges,
  systemNetworking,
} from '../../src/connections/index.ts';
import type { HttpConnection, ServerExchangesHandler } from '../../src/connections/index.ts';
import { Response as FastResponse } from '../../src/fetch/index.ts';
import type { HttpEvent } from '../../src/protocols/index.ts';
import { AppServer } from '../../src/server/index.ts';
import { answerConnection, apps, BYTES_TYPE, DOWNLOAD, ExchangeAnswers, TEXT, TYPE } from '../support/answers.ts';
import type { Apps } from '../support/answers.ts';
import { cannedFrames } from '../support/canned-frames.ts';
import { serveContender } from '../support/contender.ts';

const [, , name = '', scenario = 'hello', security = 'clear', certFile = '', keyFile = '', most = ''] = process.argv;
const secure = security === 'tls';
const identity = secure ? { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') } : undefined;
const host = '127.0.0.1';
/** All load comes from one address. */
const LIMITS = { maxConnectionsPerAddress: 10_000 };
/** All windows together have to fit into what may be kept: many streams have smaller ones. */
const limits =
  most === ''
    ? undefined
    : { maxConcurrentStreams: Number(most), maxLiveHandlers: 2 * Number(most), initialStreamWindow: 8192 };

/** Begin to listen, and answer where. */
const contenders: Readonly<Record<string, () => Promise<string>>> = {
  'node:http2': () => {
    const answer = (stream: ServerHttp2Stream): void => {
      stream.on('error', () => undefined);
      if (scenario === 'hold') return;
      if (scenario === 'upload') {
        stream.resume();
        stream.once('end', () => {
          // A client that has measured long enough leaves in the middle.
          if (!stream.destroyed) respond(stream, TEXT, TYPE);
        });
      } else if (scenario === 'hello') respond(stream, TEXT, TYPE);
      else respond(stream, DOWNLOAD, BYTES_TYPE);
    };
    const server = identity === undefined ? http2.createServer() : http2.createSecureServer(identity);
    server.on('stream', answer);
    return listening(server);
  },

  /** The bound: frames are counted by their headers, and for each request the answer stands ready. */
  'canned frames': () => {
    const body = scenario === 'download' ? DOWNLOAD : Buffer.from(TEXT);
    const serve = cannedFrames(body, scenario === 'download' ? BYTES_TYPE : TYPE);
    const server =
      identity === undefined
        ? net.createServer({ noDelay: true }, serve)
        : tls.createServer({ ...identity, ALPNProtocols: ['h2'] }, serve);
    return listening(server);
  },

  HttpConnection: () =>
    listener((connection) => {
      if (scenario === 'hold') connection.attach({ eventReceived: () => undefined, ended: () => undefined });
      else if (scenario === 'upload') answerUploads(connection);
      else answerConnection(connection, scenario === 'hello' ? 'hello' : 'download');
    }),

  exchanges: () => {
    const handler = new ExchangeAnswers(systemNetworking().clock, scenario === 'hello' ? 'hello' : 'download');
    return listener((connection) => {
      serveExchanges(connection, scenario === 'hold' ? HOLDER : handler);
    });
  },

  'ASGI-style': () => appServer(scenarioApps().asgi),
  'Fetch-style, our Response': () => appServer(scenarioApps().fast),
  'Fetch-style, native Response': () => appServer(scenarioApps().native),
};

function scenarioApps(): Apps {
  if (scenario === 'upload') return { ...uploads, native: uploads.fast };
  if (scenario === 'hold') return { asgi: holdingApp, fast: () => forever(), native: () => forever() };
  return apps[scenario === 'hello' ? 'hello' : 'download'];
}

const holdingApp: App = asgi(async (scope) => {
  if (scope.type === 'http') await forever();
});

function forever(): Promise<never> {
  return new Promise(() => undefined);
}

const HOLDER: ServerExchangesHandler = {
  exchangeReceived(exchange) {
    exchange.start({
      dataReceived: () => undefined,
      trailersReceived: () => undefined,
      writable: () => undefined,
      aborted: () => exchange.handlerEnded(),
      closed: () => undefined,
    });
  },
};

function respond(stream: ServerHttp2Stream, body: string | Buffer, type: string): void {
  stream.respond({ ':status': 200, 'content-type': type, 'content-length': body.length });
  stream.end(body);
}

const uploads: { readonly asgi: App; readonly fast: App } = {
  asgi: asgi(async (scope, receive, send) => {
    if (scope.type !== 'http') return;
    for (let more = true; more;) {
      const event = await receive();
      if (event.type !== 'http.request') return;
      more = event.more_body;
    }
    await send({ type: 'http.response.start', status: 200, headers: [['content-type', TYPE]] });
    await send({ type: 'http.response.body', body: Buffer.from(TEXT) });
  }),
  fast: async (request) => {
    const reader = request.body?.getReader();
    while (reader !== undefined && !(await reader.read()).done);
    return new FastResponse(TEXT, { headers: { 'content-type': TYPE } });
  },
};

/** Reads each upload to its end and answers. */
function answerUploads(connection: HttpConnection): void {
  const body = Buffer.from(TEXT);
  connection.attach({
    eventReceived(event: HttpEvent): void {
      if (event.type !== 'DataReceived') return;
      connection.dataConsumed(event.streamId, event.flowControlledLength);
      if (!event.endStream) return;
      connection.sendResponse(event.streamId, 200, ['content-type', TYPE], body);
      connection.handlerEnded(event.streamId);
    },
    ended: () => undefined,
  });
}

async function appServer(app: App): Promise<string> {
  const options = { ...(identity === undefined ? {} : { tls: identity }), http2Limits: limits, limits: LIMITS };
  const running = await new AppServer(app, options).listen(`${secure ? 'https' : 'http'}://${host}:0`);
  return `${running.url}/`;
}

async function listener(connectionAccepted: (connection: HttpConnection) => void): Promise<string> {
  const scheme = secure ? 'https' : 'http';
  const open = await new HttpOverTcpListener({
    networking: systemNetworking(),
    limits: LIMITS,
    factory: defaultServerFactory(limits === undefined ? {} : { settings: { http2: { limits } } }),
    ...(identity === undefined ? {} : { tls: identity }),
  }).listen({ scheme, host, port: 0, unixPath: undefined }, { connectionAccepted });
  return `${scheme}://${host}:${String(open.endpoints[0]?.port ?? 0)}/`;
}

function listening(server: net.Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, host, () => {
      resolve(`${secure ? 'https' : 'http'}://${host}:${String((server.address() as net.AddressInfo).port)}/`);
    });
  });
}

serveContender((await contenders[name]?.()) ?? '');
