/**
 * A client and a server of ours, each other's peer, under sequences of operations: requests, responses, content, trailers,
 * resets, tunnels, slow readers, tiny windows, bytes that come late and in pieces, graceful ends. No octet is lost, none
 * comes twice, everything closes, nothing waits for ever, and both ends keep the rules on the wire.
 */
import { describe, expect } from 'vitest';
import { LocalProtocolError } from '../../src/common/index.ts';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { Http2ClientFactory, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import type { HttpEvent, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { EventOrder } from '../support/fuzz/event-order.ts';
import type { Flow } from '../support/fuzz/exchange-flow.ts';
import { arrived, checkContent, contentOf, newFlow } from '../support/fuzz/exchange-flow.ts';
import { Http2Wire } from '../support/fuzz/http2-wire.ts';
import { cut, pickOf } from '../support/fuzz/mutation.ts';
import { FrameCutter } from '../vectors/support/http2-frames.ts';

const MOST_ROUNDS = 20_000;

describe('HTTP/2 under sequences of operations', () => {
  fuzz('HTTP/2 client and server, operations', 400, (random) => {
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
  readonly engine: HttpOverTcpProtocol;
  readonly wire: Http2Wire;
  readonly order: EventOrder;
  readonly inbox: Uint8Array[];
  readonly #incoming: FrameCutter;
  readonly unconsumed: [streamId: number, length: number][];
  reading: boolean;
  /** The other end was told that nothing follows. */
  ended: boolean;

  constructor(engine: HttpOverTcpProtocol) {
    this.engine = engine;
    this.wire = new Http2Wire(engine.role);
    this.order = new EventOrder(engine.role);
    this.inbox = [];
    this.#incoming = new FrameCutter(engine.role === 'server');
    this.unconsumed = [];
    this.reading = true;
    this.ended = false;
  }

  /** Gives the engine what came first. */
  deliver(now: number): void {
    const chunk = this.inbox.shift() as Uint8Array;
    for (const frame of this.#incoming.push(chunk)) this.wire.received(frame);
    this.engine.bytesReceived(chunk, now);
  }

  get isClient(): boolean {
    return this.engine.role === 'client';
  }
}

class Connection {
  readonly #random: SeededRandom;
  readonly #client: End;
  readonly #server: End;
  readonly #exchanges: Map<number, Exchange>;
  readonly #tiny: boolean;
  #now: number;
  /** Nothing new begins any more. */
  #ending: boolean;

  constructor(random: SeededRandom) {
    this.#random = random;
    // Windows of a few octets, and content to match.
    this.#tiny = random.chance(0.3);
    const limits = limitsOf(random, this.#tiny);
    this.#client = new End(new Http2ClientFactory({ limits }).create(testContext(), 0));
    this.#server = new End(new Http2ServerFactory({ limits: limitsOf(random, this.#tiny) }).create(testContext(), 0));
    this.#exchanges = new Map();
    this.#now = 0;
    this.#ending = false;
  }

  run(): void {
    const random = this.#random;
    for (let step = random.integer(1, 200); step > 0; step -= 1) this.#step();
    this.#ending = true;
    this.#finish();
    this.#compare();
    this.#windDown();
  }

  #step(): void {
    const random = this.#random;
    const end = random.chance(0.5) ? this.#client : this.#server;
    if (random.chance(0.5)) this.#attempt(() => this.#operate(end));
    else this.#move(end);
    if (random.chance(0.1)) this.#now += random.fraction() * 50;
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
    else if (choice < 12) consume(end);
    else if (choice === 12) engine.submitPriority(streamId, random.integer(0, 7), random.chance(0.5));
    else if (choice === 13 && random.chance(0.3)) this.#reset(end, exchange);
    else if (choice === 14) this.#trailers(end, exchange);
    else if (choice === 15 && !end.isClient && exchange.status === 0)
      engine.submitInformational(streamId, [':status', '103', 'link', '</a>']);
    else if (choice === 16) end.reading = !end.reading;
    else if (!end.isClient) this.#respond(exchange);
  }

  #request(): void {
    const random = this.#random;
    const { engine, order } = this.#client;
    if (!engine.isAvailable()) return;
    const streamId = engine.getAvailableStreamId();
    const method = random.pick(['GET', 'POST', 'PUT', 'HEAD', 'CONNECT']);
    const target = method === 'CONNECT' ? [] : [':scheme', 'https', ':path', `/${'p'.repeat(random.integer(0, 30))}`];
    const fields = random.chance(0.1) ? ['x-long', 'v'.repeat(20_000)] : ['cookie', `a=${String(streamId % 5)}`];
    const endStream = method !== 'CONNECT' && random.chance(0.5);
    engine.submitHeaders(streamId, [':method', method, ':authority', 'a:80', ...target, ...fields], { endStream });
    order.opened(streamId);
    const exchange = {
      streamId,
      method,
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
    if (!this.#server.order.open.includes(streamId) || exchange.status !== 0) return;
    const status = this.#random.pick([200, 200, 200, 204, 404]);
    const tunnel = method === 'CONNECT' && status < 300;
    const endStream = !tunnel && this.#random.chance(0.2);
    this.#server.engine.submitHeaders(streamId, [':status', String(status), 'server', 'x'], { endStream });
    exchange.status = status;
    exchange.response.submittedEnd = endStream;
  }

  #send(end: End, exchange: Exchange): void {
    const random = this.#random;
    const flow = end.isClient ? exchange.request : exchange.response;
    if (flow.submittedEnd || end.engine.sendCapacity(exchange.streamId) === 0) return;
    const size = random.pick(this.#tiny ? [0, 1, 5, 20] : [0, 1, 10, 1000, 20_000, 70_000]);
    const endStream = this.#random.chance(0.2);
    const data = contentOf(exchange, end.isClient, flow.submitted, size);
    end.engine.submitData(exchange.streamId, data, { endStream });
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

  #reset(end: End, exchange: Exchange): void {
    end.engine.submitStreamReset(exchange.streamId, 8);
    exchange.broken = true;
  }

  /** Moves some of what an end has to send, and some of what is on its way to it. */
  #move(end: End): void {
    const random = this.#random;
    const other = end.isClient ? this.#server : this.#client;
    if (random.chance(0.7)) this.#flush(end, other);
    for (let count = random.integer(0, 8); count > 0 && end.inbox.length > 0; count -= 1) {
      if (!end.engine.wantsInput) break;
      end.deliver(this.#now);
      this.#takeEvents(end);
    }
    if (end.reading && random.chance(0.5)) consume(end);
  }

  #flush(end: End, other: End): boolean {
    const pieces = end.engine.bytesToSend(this.#now);
    this.#takeEvents(end);
    if (pieces === undefined) return false;
    const bytes = Uint8Array.from(Buffer.concat(pieces));
    end.wire.sent(bytes);
    other.inbox.push(...cut(this.#random, bytes));
    return true;
  }

  #takeEvents(end: End): void {
    for (let event = end.engine.nextEvent(); event !== undefined; event = end.engine.nextEvent())
      this.#take(end, event);
  }

  #take(end: End, event: HttpEvent): void {
    end.order.take(event);
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
      case 'StreamResetReceived':
      case 'StreamResetSent':
        exchange.broken = true;
        return;
      default:
    }
  }

  /** Both applications come to their ends, and all that is on its way arrives. */
  #finish(): void {
    for (let round = 0, quiet = 0; quiet < 3; round += 1) {
      if (round > MOST_ROUNDS) expect.fail('it does not come to an end');
      let moved = false;
      for (const exchange of this.#exchanges.values()) this.#complete(exchange);
      for (const end of [this.#client, this.#server]) {
        const other = end.isClient ? this.#server : this.#client;
        moved = this.#flush(end, other) || moved;
        while (end.inbox.length > 0 && end.engine.wantsInput) {
          end.deliver(this.#now);
          moved = true;
        }
        this.#takeEvents(end);
        if (end.engine.wantsEof && !end.ended && other.inbox.length === 0) {
          end.ended = true;
          other.engine.eofReceived(this.#now);
          this.#takeEvents(other);
          moved = true;
        }
        moved = end.unconsumed.length > 0 || moved;
        while (end.unconsumed.length > 0) consume(end);
      }
      quiet = moved ? 0 : quiet + 1;
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
      this.#server.engine.submitData(streamId, new Uint8Array(0), { endStream: true });
      response.submittedEnd = true;
    });
  }

  /** What came against what was submitted. */
  #compare(): void {
    for (const end of [this.#client, this.#server]) if (end.order.terminated) expect.fail('a connection ended');
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
    const open = [...this.#client.order.open, ...this.#server.order.open];
    if (open.length > 0) expect.fail(`open behind their ends: ${open.join()}`);
  }

  /** Nothing is left of a connection that winds down with nothing to do. */
  #windDown(): void {
    for (const streamId of this.#exchanges.keys()) this.#server.engine.submitHandlerEnd(streamId);
    const [first, second] = this.#random.chance(0.5) ? [this.#client, this.#server] : [this.#server, this.#client];
    first.engine.submitShutdown();
    this.#finish();
    for (const { order, engine } of [first, second]) {
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
    if (!this.#ending) {
      this.#takeEvents(this.#client);
      this.#takeEvents(this.#server);
    }
  }
}

function limitsOf(random: SeededRandom, tiny: boolean): Readonly<Record<string, number>> {
  return {
    initialStreamWindow: random.pick(tiny ? [1, 2, 10] : [1000, 16_384, 65_536]),
    sendBufferBytes: random.pick([1000, 65_536]),
    headerTableSize: random.pick([0, 100, 4096]),
    maxConcurrentStreams: random.pick([1, 3, 100]),
    maxUnconsumedBytes: random.pick([6_553_600, 8_388_608]),
    // Crumbs are this test's own choice, and so is how many of them there are.
    maxControlFrames: 10_000_000,
    maxSmallPieces: 10_000_000,
    maxResets: 10_000,
  };
}

function consume(end: End): void {
  const next = end.unconsumed.shift();
  if (next !== undefined) end.engine.dataConsumed(...next);
}
