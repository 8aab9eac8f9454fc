/**
 * Clients that ask for the same thing over and over, each in its own way. All read the whole body, as text.
 *
 * @module
 */
import http from 'node:http';
import net from 'node:net';
import { Agent, Pool, fetch as undiciFetch, request as undiciRequest } from 'undici';
import { Client } from '../../src/client/index.ts';
import type { ClientSession } from '../../src/client/index.ts';
import { answerOf, byCallbacks, client, OurHandler, textOf, UndiciHandler } from '../support/asking.ts';
import type { Answer, BenchClient, Traffic } from '../support/client-contender.ts';
import { serveClient } from '../support/client-contender.ts';

const contenders: Readonly<Record<string, (traffic: Traffic) => BenchClient>> = {
  'undici.request': (traffic) => {
    const { url, body, connections } = traffic;
    const dispatcher = new Agent({ connections, pipelining: 1 });
    const options = body === undefined ? { dispatcher } : ({ dispatcher, method: 'POST', body } as const);
    return client(
      async () => {
        const response = await undiciRequest(url, options);
        await response.body.text();
      },
      async () => {
        const response = await undiciRequest(url, options);
        const type = response.headers['content-type'] as string;
        return answerOf(response.statusCode, type, await response.body.text());
      },
      () => dispatcher.close(),
    );
  },

  'undici dispatch': (traffic) => {
    const { pool, path, options } = undiciPool(traffic);
    return {
      check: () =>
        new Promise((resolve, reject) => {
          pool.dispatch({ path, ...options }, new UndiciHandler(resolve, reject));
        }),
      run: (going) =>
        new Promise((resolve, reject) => {
          const next = (): void => {
            if (!going()) resolve();
            else pool.dispatch({ path, ...options }, new UndiciHandler(next, reject));
          };
          next();
        }),
      close: () => pool.close(),
    };
  },

  'undici fetch': (traffic) => {
    const { pool, options } = undiciPool(traffic);
    const { url } = traffic;
    const init = { ...options, dispatcher: pool };
    return client(
      async () => {
        const response = await undiciFetch(url, init);
        await response.text();
      },
      async () => {
        const response = await undiciFetch(url, init);
        return answerOf(response.status, response.headers.get('content-type'), await response.text());
      },
      () => pool.close(),
    );
  },

  'node:http Agent': (traffic) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: traffic.connections, scheduling: 'lifo' });
    const { hostname, port, pathname } = new URL(traffic.url);
    const { body } = traffic;
    const options: http.RequestOptions = {
      agent,
      hostname,
      port,
      path: pathname,
      method: body === undefined ? 'GET' : 'POST',
    };
    const ask = (done: (answer: Answer) => void, failed: (error: Error) => void): void => {
      const request = http.request(options, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          done(answerOf(response.statusCode ?? 0, response.headers['content-type'], text));
        });
      });
      request.on('error', failed);
      request.end(body);
    };
    return byCallbacks(ask, () => agent.destroy());
  },

  /** The bound: nothing is parsed, nothing is checked. */
  'canned bytes': (traffic) => cannedClient(traffic),

  'callback core': (traffic) => {
    const { session, request } = ours(traffic);
    return byCallbacks(
      (done, failed) => {
        const handler = new OurHandler(done, failed);
        handler.handle = session.request(request, handler);
      },
      () => session.close(),
    );
  },

  'session.dispatch': (traffic) => {
    const { session, request } = ours(traffic);
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

  'session.fetch': (traffic) => {
    const { session } = ours(traffic);
    const { url, body } = traffic;
    const init = body === undefined ? undefined : { method: 'POST', body };
    return client(
      async () => {
        const response = await session.fetch(url, init);
        await response.text();
      },
      async () => {
        const response = await session.fetch(url, init);
        return answerOf(response.status, response.headers.get('content-type'), await response.text());
      },
      () => session.close(),
    );
  },
};

function ours({ url, body, connections }: Traffic): {
  session: ClientSession;
  request: Parameters<ClientSession['dispatch']>[0];
} {
  const session = new Client({ pool: { maxConnectionsPerOrigin: connections } }).session();
  return { session, request: body === undefined ? { url } : { url, method: 'POST', body } };
}

function undiciPool({ url, body, connections }: Traffic): {
  pool: Pool;
  path: string;
  options: { method: 'GET' | 'POST'; body?: string };
} {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections, pipelining: 1 });
  return { pool, path: pathname, options: body === undefined ? { method: 'GET' } : { method: 'POST', body } };
}

function cannedClient({ url, body, connections, parallel }: Traffic): BenchClient {
  const { hostname, port, host } = new URL(url);
  const head = `${body === undefined ? 'GET' : 'POST'} / HTTP/1.1\r\nhost: ${host}\r\n`;
  const framing = body === undefined ? '' : `content-length: ${String(body.length)}\r\n`;
  const bytes = Buffer.from(`${head}user-agent: canned\r\n${framing}\r\n${body ?? ''}`, 'latin1');
  const free: CannedConnection[] = [];
  const waiting: ((connection: CannedConnection) => void)[] = [];
  let open = 0;
  const release = (connection: CannedConnection): void => {
    const next = waiting.shift();
    if (next === undefined) free.push(connection);
    else next(connection);
  };
  const acquire = (use: (connection: CannedConnection) => void): void => {
    const connection = free.pop();
    if (connection !== undefined) use(connection);
    else if (open < Math.min(connections, parallel)) {
      open += 1;
      use(new CannedConnection(net.connect({ host: hostname, port: Number(port), noDelay: true }), bytes, release));
    } else waiting.push(use);
  };
  return byCallbacks(
    (done) => acquire((connection) => connection.ask(done)),
    () => undefined,
  );
}

/** A socket that knows from its first answer how long each is. */
class CannedConnection {
  readonly #socket: net.Socket;
  readonly #request: Buffer;
  readonly #release: (connection: CannedConnection) => void;
  #length: number;
  #pieces: Buffer[];
  #received: number;
  #done: ((answer: Answer) => void) | undefined;

  constructor(socket: net.Socket, request: Buffer, release: (connection: CannedConnection) => void) {
    this.#socket = socket;
    this.#request = request;
    this.#release = release;
    this.#length = -1;
    this.#pieces = [];
    this.#received = 0;
    this.#done = undefined;
    socket.on('data', (piece) => this.#take(piece));
  }

  ask(done: (answer: Answer) => void): void {
    this.#done = done;
    this.#pieces = [];
    this.#received = 0;
    this.#socket.write(this.#request);
  }

  #take(piece: Buffer): void {
    if (this.#length < 0) {
      const text = piece.toString('latin1');
      const end = text.indexOf('\r\n\r\n') + 4;
      this.#length = end + Number(/content-length: (\d+)/.exec(text)?.[1]);
    }
    this.#pieces.push(piece);
    this.#received += piece.length;
    if (this.#received < this.#length) return;
    const text = textOf(this.#pieces);
    const done = this.#done;
    this.#done = undefined;
    this.#release(this);
    done?.(answerOf(200, 'text/plain', text.slice(text.indexOf('\r\n\r\n') + 4)));
  }
}

const make = contenders[process.argv[2] ?? ''];
if (make !== undefined) serveClient(make);
