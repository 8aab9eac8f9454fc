/**
 * Requests and responses between two engines of ours under sequences of operations, and the book of what was submitted
 * and what came.
 *
 * Owns: the operations that each version has, and the comparison at the end. Does not own how octets travel.
 *
 * @module
 */
import { expect } from 'vitest';
import { LocalProtocolError } from '../../../src/common/index.ts';
import type { SeededRandom } from '../../../src/networking/simulation/index.ts';
import type { HttpEvent, HttpProtocol } from '../../../src/protocols/index.ts';
import { EventOrder } from './event-order.ts';
import type { Flow } from './exchange-flow.ts';
import { arrived, checkContent, contentOf, newFlow } from './exchange-flow.ts';
import { pickOf } from './mutation.ts';

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
export class End<Engine extends HttpProtocol = HttpProtocol> {
  readonly engine: Engine;
  readonly order: EventOrder;
  readonly unconsumed: [streamId: number, length: number][];
  reading: boolean;

  constructor(engine: Engine) {
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

/** What differs from version to version. */
export interface BookOptions {
  /** Of an application that gives a stream up. */
  readonly resetCode: number;
  /** The methods of requests; `extended` is an extended CONNECT. */
  readonly methods: readonly string[];
  /** The sizes of pieces of content. */
  readonly sizes: readonly number[];
}

/** The exchanges of one connection. */
export class ExchangeBook {
  readonly #random: SeededRandom;
  readonly #options: BookOptions;
  readonly #ends: () => readonly End[];
  readonly #exchanges: Map<number, Exchange>;

  /** @param ends - the client, and the server as soon as there is one */
  constructor(random: SeededRandom, options: BookOptions, ends: () => readonly End[]) {
    this.#random = random;
    this.#options = options;
    this.#ends = ends;
    this.#exchanges = new Map();
  }

  /** One operation of an end's application. At a moment that does not suit it is refused, and nothing else comes of it. */
  operate(end: End): void {
    attempt(() => this.#operate(end));
    for (const each of this.#ends()) this.takeEvents(each);
  }

  /** Takes what an end is told. */
  takeEvents(end: End, also: (event: HttpEvent) => void = () => undefined): void {
    for (let event = end.engine.nextEvent(); event !== undefined; event = end.engine.nextEvent()) {
      this.#take(end, event);
      also(event);
    }
  }

  /** Both applications come to their ends, as far as they can now. */
  complete(): void {
    for (const exchange of this.#exchanges.values()) this.#complete(exchange);
  }

  /** Each handler of the server has ended. */
  endHandlers(): void {
    for (const streamId of this.#exchanges.keys()) this.#server?.engine.submitHandlerEnd(streamId);
  }

  /** What came against what was submitted. */
  compare(): void {
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

  /** Fails where an end has left something behind the connection's. */
  expectOver(): void {
    for (const { order, engine } of this.#ends()) {
      if (!order.terminated) expect.fail(`the ${engine.role} does not wind down`);
      if (engine.nextTimeout() !== undefined) expect.fail('a timer behind the end');
    }
  }

  get #client(): End {
    return this.#ends()[0] as End;
  }

  get #server(): End | undefined {
    return this.#ends()[1];
  }

  #operate(end: End): void {
    const random = this.#random;
    const { engine } = end;
    if (end.isClient && random.chance(0.3)) {
      this.#request(end);
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
      engine.submitStreamReset(streamId, this.#options.resetCode);
      exchange.broken = true;
    } else if (choice === 14) submitTrailers(end, exchange);
    else if (choice === 15 && !end.isClient && exchange.status === 0)
      engine.submitInformational(streamId, [':status', '103', 'link', '</a>']);
    else if (choice === 16) end.reading = !end.reading;
    else if (choice === 17)
      engine.submitDatagram(streamId, contentOf(exchange, end.isClient, 0, random.integer(0, 900)));
    else if (!end.isClient) this.#respond(end, exchange);
  }

  #request({ engine, order }: End): void {
    const random = this.#random;
    if (!engine.isAvailable()) return;
    const streamId = engine.getAvailableStreamId();
    const drawn = pickOf(random, this.#options.methods);
    const tunnel = drawn === 'CONNECT' || drawn === 'extended';
    const method = tunnel ? 'CONNECT' : drawn;
    const head = [':method', method, ':authority', 'a:80'];
    if (drawn !== 'CONNECT') head.push(':scheme', 'https', ':path', `/${'p'.repeat(random.integer(0, 30))}`);
    if (drawn === 'extended') head.push(':protocol', 'connect-udp');
    const fields = random.chance(0.1) ? ['x-long', 'v'.repeat(20_000)] : ['cookie', `a=${String(streamId % 5)}`];
    const endStream = !tunnel && random.chance(0.5);
    engine.submitHeaders(streamId, [...head, ...fields], { endStream });
    order.opened(streamId);
    const request = newFlow();
    request.submittedEnd = endStream;
    const exchange = { streamId, method, request, response: newFlow(), status: 0, broken: false, handled: false };
    this.#exchanges.set(streamId, exchange);
  }

  #respond(server: End, exchange: Exchange): void {
    const { streamId, method } = exchange;
    if (!server.order.open.includes(streamId) || exchange.status !== 0) return;
    const status = this.#random.pick([200, 200, 200, 204, 404]);
    const tunnel = method === 'CONNECT' && status < 300;
    const endStream = !tunnel && this.#random.chance(0.2);
    server.engine.submitHeaders(streamId, [':status', String(status), 'server', 'x'], { endStream });
    exchange.status = status;
    exchange.response.submittedEnd = endStream;
  }

  #send({ engine, isClient }: End, exchange: Exchange): void {
    const { streamId } = exchange;
    const flow = isClient ? exchange.request : exchange.response;
    if (flow.submittedEnd || engine.sendCapacity(streamId) === 0) return;
    const size = pickOf(this.#random, this.#options.sizes);
    const endStream = this.#random.chance(0.2);
    engine.submitData(streamId, contentOf(exchange, isClient, flow.submitted, size), { endStream });
    flow.submitted += size;
    flow.submittedEnd = endStream;
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
      case 'DatagramReceived':
        checkContent(exchange, !end.isClient, 0, event.data);
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

  #complete(exchange: Exchange): void {
    const { streamId, request, response } = exchange;
    const server = this.#server;
    attempt(() => {
      if (exchange.handled && server !== undefined) this.#respond(server, exchange);
    });
    attempt(() => {
      const accepted = exchange.method !== 'CONNECT' || (exchange.status >= 200 && exchange.status < 300);
      if (request.submittedEnd || !accepted) return;
      this.#client.engine.submitData(streamId, new Uint8Array(0), { endStream: true });
      request.submittedEnd = true;
    });
    attempt(() => {
      if (response.submittedEnd || exchange.status === 0) return;
      server?.engine.submitData(streamId, new Uint8Array(0), { endStream: true });
      response.submittedEnd = true;
    });
  }
}

function submitTrailers(end: End, exchange: Exchange): void {
  const flow = end.isClient ? exchange.request : exchange.response;
  if (flow.submittedEnd || exchange.method === 'CONNECT') return;
  end.engine.submitTrailers(exchange.streamId, ['x-trailer', String(exchange.streamId)]);
  flow.submittedEnd = true;
  flow.trailers = true;
}

function attempt(operation: () => void): void {
  try {
    operation();
  } catch (error) {
    if (!(error instanceof LocalProtocolError)) throw error;
  }
}
