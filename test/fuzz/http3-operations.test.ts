/**
 * A client and a server of ours on two QUIC connections, each other's peer, over a network that loses, delays and
 * repeats packets, under sequences of operations: requests, responses, content, trailers, resets, tunnels, datagrams,
 * slow readers, graceful ends. No octet is lost, none comes twice, everything closes, nothing waits for ever.
 */
import { describe, expect } from 'vitest';
import { LocalProtocolError } from '../../src/common/index.ts';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { Http3ClientFactory, Http3ServerFactory } from '../../src/protocols/http3/index.ts';
import type { HttpEvent, HttpOverQuicProtocol } from '../../src/protocols/index.ts';
import { QuicConnection, quicLimitValues } from '../../src/protocols/quic/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { EventOrder } from '../support/fuzz/event-order.ts';
import type { Flow } from '../support/fuzz/exchange-flow.ts';
import { arrived, checkContent, contentOf, newFlow } from '../support/fuzz/exchange-flow.ts';
import { pickOf } from '../support/fuzz/mutation.ts';
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
const CANCELLED = 0x10c;

describe('HTTP/3 under sequences of operations', () => {
  fuzz('HTTP/3 client and server, operations', 60, (random) => {
    new Connection(random).run();
  });
});

interface Exchange {
  readonly streamId: number;
  readonly method: string;
  readonly request: Flow;
  readonly response: Flow;
  status: number;
  /** Either side gave it up, so that its rest may be missing. */
  broken: boolean;
  handled: boolean;
}

/** One engine with its application. */
class End {
  readonly engine: HttpOverQuicProtocol;
  readonly order: EventOrder;
  readonly unconsumed: [streamId: number, length: number][];
  reading: boolean;

  constructor(engine: HttpOverQuicProtocol) {
    this.engine = engine;
    this.order = new EventOrder(engine.role);
    this.unconsumed = [];
    this.reading = true;
  }

  get isClient(): boolean {
    return this.engine.role === 'client';
  }

  consume(): void {
    const next = this.unconsumed.shift();
    if (next !== undefined) this.engine.dataConsumed(...next);
  }
}

interface Packet {
  readonly toServer: boolean;
  readonly data: Uint8Array;
  readonly at: number;
}

class Connection {
  readonly #random: SeededRandom;
  readonly #client: End;
  readonly #exchanges: Map<number, Exchange>;
  readonly #limits: ReturnType<typeof quicLimitValues>;
  readonly #loss: number;
  #server: End | undefined;
  #packets: Packet[];
  #now: number;
  #handshakes: number;
  /** Nothing new begins any more. */
  #ending: boolean;

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
    this.#exchanges = new Map();
    this.#packets = [];
    this.#now = 0;
    this.#handshakes = 0;
    this.#ending = false;
  }

  run(): void {
    const random = this.#random;
    this.#pass(10_000, () => this.#handshakes === 2);
    if (this.#handshakes < 2) expect.fail('no handshake');
    for (let step = random.integer(1, 150); step > 0; step -= 1) {
      const end = random.chance(0.5) ? this.#client : this.#other(this.#client);
      if (random.chance(0.6)) this.#attempt(() => this.#operate(end));
      else this.#pass(random.fraction() * 30);
      if (end.reading && random.chance(0.5)) end.consume();
    }
    this.#ending = true;
    this.#finish();
    this.#compare();
    this.#windDown();
  }

  #other(end: End): End {
    return end === this.#client ? (this.#server as End) : this.#client;
  }

  #operate(end: End): void {
    const random = this.#random;
    const { engine } = end;
    if (end.isClient && random.chance(0.3)) {
      this.#request();
      return;
    }
    if (this.#exchanges.size === 0) return;
    const exchange = pickOf(random, [...this.#exchanges.values()]);
    const { streamId } = exchange;
    const choice = random.integer(0, 19);
    if (choice < 8) this.#send(end, exchange);
    else if (choice < 12) end.consume();
    else if (choice === 12) engine.submitPriority(streamId, random.integer(0, 7), random.chance(0.5));
    else if (choice === 13 && random.chance(0.3)) {
      engine.submitStreamReset(streamId, CANCELLED);
      exchange.broken = true;
    } else if (choice === 14) this.#trailers(end, exchange);
    else if (choice === 15 && !end.isClient && exchange.status === 0)
      engine.submitInformational(streamId, [':status', '103', 'link', '</a>']);
    else if (choice === 16) end.reading = !end.reading;
    else if (choice === 17)
      engine.submitDatagram(streamId, contentOf(exchange, end.isClient, 0, random.integer(0, 900)));
    else if (!end.isClient) this.#respond(exchange);
  }

  #request(): void {
    const random = this.#random;
    const { engine, order } = this.#client;
    if (!engine.isAvailable()) return;
    const streamId = engine.getAvailableStreamId();
    const method = random.pick(['GET', 'POST', 'PUT', 'HEAD', 'CONNECT', 'extended']);
    const target = [':scheme', 'https', ':path', `/${'p'.repeat(random.integer(0, 30))}`];
    const fields = random.chance(0.1) ? ['x-long', 'v'.repeat(20_000)] : ['cookie', `a=${String(streamId % 5)}`];
    const tunnel = method === 'CONNECT' || method === 'extended';
    const head = [':method', tunnel ? 'CONNECT' : method, ':authority', 'a:80'];
    if (method !== 'CONNECT') head.push(...target);
    if (method === 'extended') head.push(':protocol', 'connect-udp');
    const endStream = !tunnel && random.chance(0.5);
    engine.submitHeaders(streamId, [...head, ...fields], { endStream });
    order.opened(streamId);
    const exchange = {
      streamId,
      method: tunnel ? 'CONNECT' : method,
      request: newFlow(),
      response: newFlow(),
      status: 0,
      broken: false,
      handled: false,
    };
    exchange.request.submittedEnd = endStream;
    this.#exchanges.set(streamId, exchange);
  }

  #respond(exchange: Exchange): void {
    const { streamId, method } = exchange;
    const { engine, order } = this.#server as End;
    if (!order.open.includes(streamId) || exchange.status !== 0) return;
    const status = this.#random.pick([200, 200, 200, 204, 404]);
    const tunnel = method === 'CONNECT' && status < 300;
    const endStream = !tunnel && this.#random.chance(0.2);
    engine.submitHeaders(streamId, [':status', String(status), 'server', 'x'], { endStream });
    exchange.status = status;
    exchange.response.submittedEnd = endStream;
  }

  #send(end: End, exchange: Exchange): void {
    const flow = end.isClient ? exchange.request : exchange.response;
    if (flow.submittedEnd || end.engine.sendCapacity(exchange.streamId) === 0) return;
    const size = this.#random.pick([0, 1, 10, 1000, 20_000, 70_000]);
    const endStream = this.#random.chance(0.2);
    end.engine.submitData(exchange.streamId, contentOf(exchange, end.isClient, flow.submitted, size), { endStream });
    flow.submitted += size;
    flow.submittedEnd = endStream;
  }

  #trailers(end: End, exchange: Exchange): void {
    const flow = end.isClient ? exchange.request : exchange.response;
    if (flow.submittedEnd || exchange.method === 'CONNECT') return;
    end.engine.submitTrailers(exchange.streamId, ['x-trailer', String(exchange.streamId)]);
    flow.submittedEnd = true;
    flow.trailers = true;
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

  #ends(): End[] {
    return this.#server === undefined ? [this.#client] : [this.#client, this.#server];
  }

  #flush(end: End): boolean {
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

  #serverFor(data: Uint8Array): End | undefined {
    if (this.#server !== undefined) return this.#server;
    const initial = initialOf(data);
    if (initial === undefined) return undefined;
    const transport = new QuicConnection(serverSettings({ limits: this.#limits }), serverPath, this.#now, initial);
    this.#server = new End(new Http3ServerFactory().create(transport, testContext(), this.#now));
    return this.#server;
  }

  #takeEvents(end: End): void {
    for (let event = end.engine.nextEvent(); event !== undefined; event = end.engine.nextEvent()) {
      this.#take(end, event);
    }
  }

  #take(end: End, event: HttpEvent): void {
    end.order.take(event);
    if (event.type === 'ClientHelloReceived') end.engine.submitServerIdentity(identity);
    if (event.type === 'CertificateReceived') end.engine.submitCertificateVerdict({ ok: true });
    if (event.type === 'HandshakeCompleted') this.#handshakes += 1;
    if (!('streamId' in event)) return;
    const exchange = this.#exchanges.get(event.streamId);
    if (exchange === undefined) return;
    const flow = end.isClient ? exchange.response : exchange.request;
    switch (event.type) {
      case 'HeadersReceived':
        flow.receivedEnd = event.endStream;
        if (!end.isClient) exchange.handled = true;
        return;
      case 'DataReceived':
        checkContent(exchange, !end.isClient, flow.received, event.data);
        flow.received += event.data.length;
        flow.receivedEnd = event.endStream;
        if (event.flowControlledLength > 0) end.unconsumed.push([event.streamId, event.flowControlledLength]);
        return;
      case 'TrailersReceived':
        if (event.headers[1] !== String(event.streamId)) expect.fail("another stream's trailers");
        flow.receivedEnd = true;
        flow.gotTrailers = true;
        return;
      case 'DatagramReceived':
        checkContent(exchange, !end.isClient, 0, event.data);
        return;
      case 'StreamResetReceived':
      case 'StreamResetSent':
        exchange.broken = true;
        return;
      default:
    }
  }

  /** Both applications come to their ends, and all that is on its way arrives. */
  #finish(): void {
    for (let quiet = 0, round = 0; quiet < 3; round += 1) {
      if (round > 2_000) expect.fail('it does not come to an end');
      for (const exchange of this.#exchanges.values()) this.#complete(exchange);
      const moved = this.#pass(50);
      const held = this.#ends().some(({ unconsumed }) => unconsumed.length > 0);
      for (const end of this.#ends()) while (end.unconsumed.length > 0) end.consume();
      const open = this.#ends().some(({ order }) => order.open.length > 0 && !order.terminated);
      quiet = moved || held || (open && round < 1_000) ? 0 : quiet + 1;
    }
  }

  #complete(exchange: Exchange): void {
    const { streamId, request, response } = exchange;
    this.#attempt(() => {
      if (exchange.handled) this.#respond(exchange);
    });
    this.#attempt(() => {
      const accepted = exchange.method !== 'CONNECT' || (exchange.status >= 200 && exchange.status < 300);
      if (request.submittedEnd || !accepted) return;
      this.#client.engine.submitData(streamId, new Uint8Array(0), { endStream: true });
      request.submittedEnd = true;
    });
    this.#attempt(() => {
      if (response.submittedEnd || exchange.status === 0) return;
      this.#other(this.#client).engine.submitData(streamId, new Uint8Array(0), { endStream: true });
      response.submittedEnd = true;
    });
  }

  /** What came against what was submitted. */
  #compare(): void {
    for (const { order } of this.#ends()) if (order.terminated) expect.fail('a connection ended');
    for (const exchange of this.#exchanges.values()) {
      if (exchange.broken) continue;
      const { streamId, method, status, request, response } = exchange;
      const silent = method === 'HEAD' || status === 204;
      const refused = method === 'CONNECT' && status >= 300;
      const where = `stream ${String(streamId)}, ${method} ${String(status)}`;
      if (!refused) expect(request, where).toMatchObject(arrived(request));
      if (!silent || method === 'CONNECT') expect(response, where).toMatchObject(arrived(response));
      else expect(response, where).toMatchObject({ received: 0, receivedEnd: true });
    }
    const open = this.#ends().flatMap(({ order }) => order.open);
    if (open.length > 0) expect.fail(`open behind their ends: ${open.join()}`);
  }

  /** Nothing is left of a connection that winds down with nothing to do. */
  #windDown(): void {
    const server = this.#server as End;
    for (const streamId of this.#exchanges.keys()) server.engine.submitHandlerEnd(streamId);
    (this.#random.chance(0.5) ? server : this.#client).engine.submitShutdown();
    this.#pass(200_000, () => this.#ends().every(({ order }) => order.terminated));
    this.#pass(100_000);
    for (const { order, engine } of this.#ends()) {
      if (!order.terminated) expect.fail(`the ${engine.role} does not wind down`);
      if (engine.nextTimeout() !== undefined) expect.fail('a timer behind the end');
    }
  }

  /** Operations at a moment that does not suit are refused, and nothing else comes of it. */
  #attempt(operation: () => void): void {
    try {
      operation();
    } catch (error) {
      if (!(error instanceof LocalProtocolError)) throw error;
    }
    if (!this.#ending) for (const end of this.#ends()) this.#takeEvents(end);
  }
}
