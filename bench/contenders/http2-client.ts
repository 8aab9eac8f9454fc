/**
 * Clients that ask for the same thing over and over on one HTTP/2 connection, each in its own way. All read the whole
 * body, as text. Certificates are not verified by any.
 *
 * @module
 */
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import http2Wrapper from 'http2-wrapper';
import { Client as UndiciClient, H2CClient } from 'undici';
import { Client } from '../../src/client/index.ts';
import type { ClientSession } from '../../src/client/index.ts';
import { answerOf, byCallbacks, client, OurHandler, textOf, UndiciHandler } from '../support/asking.ts';
import { CannedFramesClient } from '../support/canned-frames-client.ts';
import type { Answer, BenchClient, Traffic } from '../support/client-contender.ts';
import { serveClient } from '../support/client-contender.ts';

const contenders: Readonly<Record<string, (traffic: Traffic) => BenchClient>> = {
  'node:http2': ({ url }) => {
    const { origin, pathname } = new URL(url);
    const session = http2.connect(origin, { rejectUnauthorized: false });
    return byCallbacks(
      (done, failed) => gather(session.request({ ':path': pathname }), done, failed),
      () => session.close(),
    );
  },

  'http2-wrapper': ({ url }) => {
    const { origin, pathname } = new URL(url);
    const h2session = http2.connect(origin, { rejectUnauthorized: false });
    return byCallbacks(
      (done, failed) => {
        const request = http2Wrapper.request(origin, { h2session, path: pathname });
        request.on('response', (response) => {
          const pieces: Buffer[] = [];
          response.on('data', (piece: Buffer) => pieces.push(piece));
          response.on('end', () => {
            done(answerOf(response.statusCode ?? 0, response.headers['content-type'], textOf(pieces)));
          });
        });
        request.on('error', failed);
        request.end();
      },
      () => h2session.close(),
    );
  },

  'undici dispatch': ({ url, parallel }) => {
    const { origin, pathname, protocol } = new URL(url);
    const streams = { pipelining: parallel, maxConcurrentStreams: parallel };
    const secure = { ...streams, allowH2: true, connect: { rejectUnauthorized: false } };
    const dispatcher = protocol === 'https:' ? new UndiciClient(origin, secure) : new H2CClient(origin, streams);
    return byCallbacks(
      (done, failed) => {
        dispatcher.dispatch({ path: pathname, method: 'GET' }, new UndiciHandler(done, failed));
      },
      () => dispatcher.close(),
    );
  },

  /** The bound: nothing is checked. */
  'canned frames': ({ url }) => {
    const { hostname, port, host, protocol } = new URL(url);
    const at = { host: hostname, port: Number(port) };
    const secure = protocol === 'https:';
    const socket = secure
      ? tls.connect({ ...at, ALPNProtocols: ['h2'], rejectUnauthorized: false })
      : net.connect({ ...at, noDelay: true });
    const canned = new CannedFramesClient(socket, host, secure ? 'https' : 'http');
    return byCallbacks(
      (done) => canned.ask(done),
      () => canned.close(),
    );
  },

  'callback core': ({ url, parallel }) => {
    const session = ours(parallel);
    const request = { url };
    return byCallbacks(
      (done, failed) => {
        const handler = new OurHandler(done, failed);
        handler.handle = session.request(request, handler);
      },
      () => session.close(),
    );
  },

  'session.dispatch': ({ url, parallel }) => {
    const session = ours(parallel);
    const request = { url };
    return client(
      async () => {
        const response = await session.dispatch(request);
        await response.text();
      },
      async () => {
        const response = await session.dispatch(request);
        return answerOf(response.status, response.header('content-type'), await response.text());
      },
      () => session.close(),
    );
  },

  'session.fetch': ({ url, parallel }) => {
    const session = ours(parallel);
    return client(
      async () => {
        const response = await session.fetch(url);
        await response.text();
      },
      async () => {
        const response = await session.fetch(url);
        return answerOf(response.status, response.headers.get('content-type'), await response.text());
      },
      () => session.close(),
    );
  },
};

function ours(parallel: number): ClientSession {
  return new Client({
    protocol: ['http2'],
    tls: { insecure: true },
    pool: { maxConnectionsPerOrigin: 1 },
    http2Limits: { maxConcurrentStreams: Math.max(parallel, 128), initialStreamWindow: 8192 },
  }).session();
}

function gather(stream: http2.ClientHttp2Stream, done: (answer: Answer) => void, failed: (error: Error) => void): void {
  const pieces: Buffer[] = [];
  let status = 0;
  let type: string | undefined;
  stream.on('response', (headers) => {
    status = headers[':status'] ?? 0;
    type = headers['content-type'];
  });
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('end', () => done(answerOf(status, type, textOf(pieces))));
  stream.on('error', failed);
  stream.end();
}

const make = contenders[process.argv[2] ?? ''];
if (make !== undefined) serveClient(make);
