/**
 * A client and a server of ours on two QUIC connections, each other's peer, over a network that loses, delays and
 * repeats packets, under sequences of operations: requests, responses, content, trailers, resets, tunnels, datagrams,
 * slow readers, graceful ends. No octet is lost, none comes twice, everything closes, nothing waits for ever.
 */
import { describe, expect } from 'vitest';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { Http3ClientFactory, Http3ErrorCode, Http3ServerFactory } from '../../src/protocols/http3/index.ts';
import type { HttpOverQuicProtocol } from '../../src/protocols/index.ts';
import { QuicConnection, quicLimitValues } from '../../src/protocols/quic/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { End, ExchangeBook } from '../support/fuzz/exchange-book.ts';
import {
  clientPath,
  clientSettings,
  initialOf,
  pemIdentity,
  serverPath,
  serverSettings,
} from '../unit/quic/connection-pair.ts';

const MOST_STEPS = 200_000;
const identity = pemIdentity('ed25519');
const OPTIONS = {
  resetCode: Http3ErrorCode.H3_REQUEST_CANCELLED,
  methods: ['GET', 'POST', 'PUT', 'HEAD', 'CONNECT', 'extended'],
  sizes: [0, 1, 10, 1000, 20_000, 70_000],
};

describe('HTTP/3 under sequences of operations', () => {
  fuzz('HTTP/3 client and server, operations', 60, (random) => {
    new Connection(random).run();
  });
});

type QuicEnd = End<HttpOverQuicProtocol>;

interface Packet {
  readonly toServer: boolean;
  readonly data: Uint8Array;
  readonly at: number;
}

class Connection {
  readonly #random: SeededRandom;
  readonly #client: QuicEnd;
  readonly #book: ExchangeBook;
  readonly #limits: ReturnType<typeof quicLimitValues>;
  readonly #loss: number;
  #server: QuicEnd | undefined;
  #packets: Packet[];
  #now: number;
  #handshakes: number;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#limits = quicLimitValues({
      initialStreamWindow: random.pick([1500, 16_384, 65_536]),
      sendBufferBytes: random.pick([1000, 65_536]),
      maxStreamsBidi: random.pick([1, 3, 100]),
    });
    this.#loss = random.pick([0, 0, 0.02, 0.1]);
    const transport = new QuicConnection(clientSettings({ limits: this.#limits }), clientPath, 0);
    this.#client = new End(new Http3ClientFactory().create(transport, testContext(), 0));
    this.#server = undefined;
    this.#book = new ExchangeBook(random, OPTIONS, () => this.#ends());
    this.#packets = [];
    this.#now = 0;
    this.#handshakes = 0;
  }

  run(): void {
    const random = this.#random;
    this.#pass(10_000, () => this.#handshakes === 2);
    if (this.#handshakes < 2) expect.fail('no handshake');
    for (let step = random.integer(1, 150); step > 0; step -= 1) {
      const end = random.chance(0.5) ? this.#client : this.#other(this.#client);
      if (random.chance(0.6)) this.#book.operate(end);
      else this.#pass(random.fraction() * 30);
      if (end.reading && random.chance(0.5)) end.consume();
    }
    this.#finish();
    this.#book.compare();
    this.#windDown();
  }

  #other(end: QuicEnd): QuicEnd {
    return end === this.#client ? (this.#server as QuicEnd) : this.#client;
  }

  /** Lets time pass: timers run, packets leave, arrive, are lost, late or repeated. */
  #pass(milliseconds: number, done: () => boolean = () => false): boolean {
    const until = this.#now + milliseconds;
    let moved = false;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      for (const end of this.#ends()) moved = this.#flush(end) || moved;
      if (done()) return moved;
      const next = Math.min(
        ...this.#packets.map(({ at }) => at),
        ...this.#ends().map(({ engine }) => engine.nextTimeout() ?? Infinity),
      );
      if (next > until) break;
      this.#now = Math.max(this.#now, next);
      for (const { engine } of this.#ends())
        if ((engine.nextTimeout() ?? Infinity) <= this.#now) engine.handleTimeout(this.#now);
      moved = this.#deliver() || moved;
    }
    this.#now = until;
    for (const end of this.#ends()) {
      end.engine.handleTimeout(this.#now);
      this.#takeEvents(end);
    }
    return moved;
  }

  #ends(): QuicEnd[] {
    return this.#server === undefined ? [this.#client] : [this.#client, this.#server];
  }

  #flush(end: QuicEnd): boolean {
    this.#takeEvents(end);
    const datagrams = end.engine.datagramsToSend(this.#now, 64);
    this.#takeEvents(end);
    for (const { data, segmentSize } of datagrams) {
      for (let at = 0; at < data.length; at += segmentSize) this.#put(end.isClient, data.slice(at, at + segmentSize));
    }
    return datagrams.length > 0;
  }

  #put(toServer: boolean, data: Uint8Array): void {
    const random = this.#random;
    if (random.chance(this.#loss)) return;
    const late = random.chance(this.#loss) ? random.fraction() * 40 : 0;
    this.#packets.push({ toServer, data, at: this.#now + 5 + late });
    if (random.chance(this.#loss / 2)) this.#packets.push({ toServer, data, at: this.#now + 6 });
  }

  #deliver(): boolean {
    const due = this.#packets.filter(({ at }) => at <= this.#now);
    this.#packets = this.#packets.filter(({ at }) => at > this.#now);
    for (const { toServer, data } of due) {
      if (!toServer) this.#client.engine.datagramReceived(data.slice(), clientPath, this.#now);
      else this.#serverFor(data)?.engine.datagramReceived(data.slice(), serverPath, this.#now);
    }
    return due.length > 0;
  }

  #serverFor(data: Uint8Array): QuicEnd | undefined {
    if (this.#server !== undefined) return this.#server;
    const initial = initialOf(data);
    if (initial === undefined) return undefined;
    const transport = new QuicConnection(serverSettings({ limits: this.#limits }), serverPath, this.#now, initial);
    this.#server = new End(new Http3ServerFactory().create(transport, testContext(), this.#now));
    return this.#server;
  }

  #takeEvents(end: QuicEnd): void {
    this.#book.takeEvents(end, ({ type }) => {
      if (type === 'ClientHelloReceived') end.engine.submitServerIdentity(identity);
      else if (type === 'CertificateReceived') end.engine.submitCertificateVerdict({ ok: true });
      else if (type === 'HandshakeCompleted') this.#handshakes += 1;
    });
  }

  /** Both applications come to their ends, and all that is on its way arrives. */
  #finish(): void {
    for (let quiet = 0, round = 0; quiet < 3; round += 1) {
      if (round > 2_000) expect.fail('it does not come to an end');
      this.#book.complete();
      const moved = this.#pass(50);
      const held = this.#ends().some(({ unconsumed }) => unconsumed.length > 0);
      for (const end of this.#ends()) while (end.unconsumed.length > 0) end.consume();
      const open = this.#ends().some(({ order }) => order.open.length > 0 && !order.terminated);
      quiet = moved || held || (open && round < 1_000) ? 0 : quiet + 1;
    }
  }

  /** Nothing is left of a connection that winds down with nothing to do. */
  #windDown(): void {
    const server = this.#server as QuicEnd;
    this.#book.endHandlers();
    (this.#random.chance(0.5) ? server : this.#client).engine.submitShutdown();
    this.#pass(200_000, () => this.#ends().every(({ order }) => order.terminated));
    this.#pass(100_000);
    this.#book.expectOver();
  }
}
