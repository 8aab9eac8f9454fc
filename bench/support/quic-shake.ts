/**
 * Clients that load servers with handshakes, over sockets: QUIC with HTTP/3 on it, and TLS over TCP. Neither checks the
 * chain: that is the client's work, and the slower a client is the more of a server's time goes into waking up.
 *
 * A QUIC client waits until the server has confirmed the handshake, behind its tickets, so that the server has done all
 * that belongs to one; then it closes at once.
 *
 * @module
 */
import dgram from 'node:dgram';
import tls from 'node:tls';
import type { NetworkPath } from '../../src/common/index.ts';
import { nodeCryptoProvider } from '../../src/crypto/index.ts';
import { SystemRandom } from '../../src/networking/system-random.ts';
import { Http3ClientFactory } from '../../src/protocols/http3/index.ts';
import { QuicConnection, quicClientConfig } from '../../src/protocols/quic/index.ts';

const random = new SystemRandom();
const factory = new Http3ClientFactory();
const ID_LENGTH = 8;
const MAX_PACKETS = 64;
const REQUEST = 'HEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

const connectionIds = {
  length: ID_LENGTH,
  next: () => ({ id: random.fill(new Uint8Array(ID_LENGTH)), resetToken: random.fill(new Uint8Array(16)) }),
};

/**
 * One connection.
 *
 * @param asks - whether it sends a HEAD request and waits for the answer
 */
export function shakeByQuic(port: number, asks: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const path: NetworkPath = { local: '127.0.0.1:0', remote: `127.0.0.1:${String(port)}` };
    const begun = performance.now();
    const epochOffset = Date.now() - begun;
    const config = quicClientConfig({
      crypto: nodeCryptoProvider,
      random,
      keyRandom: undefined,
      alpn: factory.alpnProtocols,
      epoch: epochOffset,
      host: '127.0.0.1',
      connectionIds,
    });
    const transport = new QuicConnection(config, path, begun);
    const protocol = factory.create(transport, { secure: true, alpn: 'h3', epochOffset, random }, begun);
    const socket = dgram.createSocket('udp4');
    let answered = !asks;
    let timer: NodeJS.Timeout | undefined = undefined;
    let over = false;
    const end = (error?: Error): void => {
      over = true;
      clearTimeout(timer);
      socket.close();
      if (error === undefined) resolve();
      else reject(error);
    };
    const turn = (): void => {
      for (let event = protocol.nextEvent(); event !== undefined; event = protocol.nextEvent()) {
        if (event.type === 'CertificateReceived') protocol.submitCertificateVerdict({ ok: true });
        else if (event.type === 'HandshakeCompleted' && asks) {
          protocol.submitHeaders(protocol.getAvailableStreamId(), HEAD, { endStream: true });
        } else if (event.type === 'HeadersReceived') answered = true;
        else if (event.type === 'ConnectionTerminated') {
          end(new Error(event.reason));
          return;
        }
      }
      const done = answered && transport.handshakeConfirmed;
      if (done) protocol.submitClose(protocol.errorCodes.noError);
      const now = performance.now();
      for (const { data, segmentSize } of protocol.datagramsToSend(now, MAX_PACKETS)) {
        for (let at = 0; at < data.length; at += segmentSize) {
          socket.send(data, at, Math.min(segmentSize, data.length - at), ignored);
        }
      }
      if (done) end();
      else arm(protocol.nextTimeout());
    };
    const arm = (at: number | undefined): void => {
      clearTimeout(timer);
      if (at === undefined) return;
      const due = (): void => {
        protocol.handleTimeout(performance.now());
        turn();
      };
      timer = setTimeout(due, Math.ceil(Math.max(0, at - performance.now())));
    };
    socket.on('message', (data) => {
      if (over) return;
      protocol.datagramReceived(data, path, performance.now());
      turn();
    });
    socket.on('error', (error) => {
      if (!over) end(error);
    });
    socket.connect(port, '127.0.0.1', turn);
  });
}

/**
 * One connection by node:tls.
 *
 * @param asks - whether it sends a HEAD request and waits for the answer, else the server ends the connection at once
 */
export function shakeByTls(port: number, asks: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ...(asks ? {} : { ALPNProtocols: ['h3'] }),
    });
    if (asks) {
      socket.once('secureConnect', () => socket.write(REQUEST));
      socket.once('data', () => socket.end());
    } else socket.resume();
    socket.once('close', resolve);
    socket.once('error', reject);
  });
}

/** So many connections, some of them at once. */
export async function shakeMany(times: number, atOnce: number, shake: () => Promise<void>): Promise<void> {
  let left = times;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await shake();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

const HEAD = [':method', 'HEAD', ':scheme', 'https', ':authority', '127.0.0.1', ':path', '/'];

function ignored(): void {
  // What is lost is sent again.
}
