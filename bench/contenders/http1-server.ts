/**
 * Servers that answer every request with the same fourteen bytes, each in its own way.
 *
 * @module
 */
import http from 'node:http';
import net from 'node:net';
import type { App } from '../../src/app/index.ts';
import {
  defaultServerFactory,
  HttpOverTcpListener,
  serveExchanges,
  systemNetworking,
} from '../../src/connections/index.ts';
import { AppServer } from '../../src/server/index.ts';
import { serveContender } from '../support/contender.ts';
import { asgiHello, ExchangeHello, fetchHello, TEXT, TYPE } from '../support/hello.ts';

/** Begin to listen, and answer where. */
const contenders: Readonly<Record<string, () => Promise<string>>> = {
  'node:http': () => {
    const server = http.createServer((_request, response) => {
      response.writeHead(200, { 'content-type': TYPE, 'content-length': TEXT.length });
      response.end(TEXT);
    });
    return listening(server);
  },

  /** The bound: whatever comes is a request, whose answer stands ready. */
  'canned bytes': () => {
    const canned = Buffer.from(
      `HTTP/1.1 200 OK\r\ncontent-type: ${TYPE}\r\ncontent-length: ${String(TEXT.length)}\r\n` +
        `date: ${new Date().toUTCString()}\r\n\r\n${TEXT}`,
    );
    const server = net.createServer({ noDelay: true }, (socket) => {
      socket.on('error', () => socket.destroy());
      socket.on('data', () => socket.write(canned));
    });
    return listening(server);
  },

  exchanges: async () => {
    const networking = systemNetworking();
    const listener = new HttpOverTcpListener({ networking, factory: defaultServerFactory() });
    const handler = new ExchangeHello(networking.clock);
    const open = await listener.listen(
      { scheme: 'http', host: '127.0.0.1', port: 0, unixPath: undefined },
      { connectionAccepted: (connection) => void serveExchanges(connection, handler) },
    );
    return `http://127.0.0.1:${String(open.endpoints[0]?.port)}/`;
  },

  'ASGI-style': () => appServer(asgiHello),

  'Fetch-style': () => appServer(fetchHello),
};

async function appServer(app: App): Promise<string> {
  const running = await new AppServer(app).listen('http://127.0.0.1:0');
  return `${running.url}/`;
}

function listening(server: net.Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      resolve(`http://127.0.0.1:${String(port)}/`);
    });
  });
}

const name = process.argv[2] ?? '';
serveContender((await contenders[name]?.()) ?? '');
