/**
 * Two QUIC connections face to face in memory, for benchmarks of the engine alone.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NetworkPath } from '../../src/common/index.ts';
import { nodeCryptoProvider } from '../../src/crypto/index.ts';
import { SystemRandom } from '../../src/networking/system-random.ts';
import { QuicConnection, quicClientConfig, quicServerConfig } from '../../src/protocols/quic/index.ts';
import type { ConnectionIdSource } from '../../src/protocols/quic/connection-config.ts';

const fixtures = path.join(import.meta.dirname, '../../../test/unit/crypto/fixtures');
export const random: SystemRandom = new SystemRandom();
const near: NetworkPath = { local: '127.0.0.1:1', remote: '127.0.0.1:2' };
const far: NetworkPath = { local: '127.0.0.1:2', remote: '127.0.0.1:1' };
/** How long a turn of the virtual network takes, in milliseconds. */
const TURN = 0.1;
const ID_LENGTH = 8;

/** ECDSA on P-256, in PEM. */
export const identity: { readonly cert: string; readonly key: string } = {
  cert: readFileSync(path.join(fixtures, 'p256.cert.pem'), 'latin1'),
  key: readFileSync(path.join(fixtures, 'p256.key.pem'), 'latin1'),
};

function ids(): ConnectionIdSource {
  return {
    length: ID_LENGTH,
    next: () => ({ id: random.fill(new Uint8Array(ID_LENGTH)), resetToken: random.fill(new Uint8Array(16)) }),
  };
}

/** Who looks at what goes over the wire. */
export interface PairObserver {
  sent(from: 'client' | 'server', data: Uint8Array, segmentSize: number): void;
}

/** A client, its server and the time between them. */
export class QuicPair {
  readonly client: QuicConnection;
  server: QuicConnection | undefined;
  readonly #common: { crypto: typeof nodeCryptoProvider; random: SystemRandom; alpn: string[]; epoch: number };
  readonly #observer: PairObserver | undefined;
  #now: number;

  constructor(observer?: PairObserver) {
    this.#common = { crypto: nodeCryptoProvider, random, alpn: ['h3'], epoch: Date.now() };
    const config = quicClientConfig({ ...this.#common, host: 'a.example', connectionIds: ids() });
    this.client = new QuicConnection(config, near, 0);
    this.server = undefined;
    this.#observer = observer;
    this.#now = 0;
  }

  /**
   * One turn: what either side has to send arrives.
   *
   * @param take - pulls a side's events, whenever there may be some
   */
  turn(take: () => void): void {
    for (const { data, segmentSize } of this.client.datagramsToSend(this.#now, 64)) {
      this.#observer?.sent('client', data, segmentSize);
      for (let at = 0; at < data.length; at += segmentSize) {
        const datagram = data.subarray(at, at + segmentSize);
        this.server ??= this.#accept(datagram);
        this.server.datagramReceived(datagram, far, this.#now);
        take();
      }
    }
    for (const { data, segmentSize } of this.server?.datagramsToSend(this.#now, 64) ?? []) {
      this.#observer?.sent('server', data, segmentSize);
      for (let at = 0; at < data.length; at += segmentSize) {
        this.client.datagramReceived(data.subarray(at, at + segmentSize), near, this.#now);
        take();
      }
    }
    this.#now += TURN;
    for (const side of [this.client, this.server]) {
      if (side !== undefined && (side.nextTimeout() ?? Infinity) <= this.#now) side.handleTimeout(this.#now);
    }
    take();
  }

  #accept(datagram: Uint8Array): QuicConnection {
    const length = datagram[5] ?? 0;
    const destination = datagram.slice(6, 6 + length);
    return new QuicConnection(quicServerConfig({ ...this.#common, connectionIds: ids() }), far, this.#now, {
      originalDestinationId: destination,
      destinationId: destination,
      sourceId: datagram.slice(7 + length, 7 + length + ID_LENGTH),
      retrySourceId: undefined,
      addressValidated: false,
    });
  }
}
