/**
 * The HTTP/3 engines under what a peer may do: frames, mostly right ones, on streams of all kinds, ends, resets,
 * datagrams, while an application does this and that. Nothing is thrown, events keep their order, what the engine writes
 * is whole frames in a right order, credit is given back exactly once, and nothing is left behind the end.
 */
import { describe, expect } from 'vitest';
import { LocalProtocolError } from '../../src/common/index.ts';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { Http3ClientFactory, Http3ServerFactory } from '../../src/protocols/http3/index.ts';
import type { HttpEvent, HttpOverQuicProtocol } from '../../src/protocols/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { FakeQuic } from '../support/fake-quic.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { EventOrder } from '../support/fuzz/event-order.ts';
import { StreamMaker } from '../support/fuzz/http3-stream-maker.ts';
import { cut, pickOf } from '../support/fuzz/mutation.ts';
import { parseFrames, Type, varints } from '../support/http3-frames.ts';

const LIMITS = { maxHeaderBytes: 4000, maxHeaderCount: 20, maxHeaderBlockBytes: 3000, maxPartialHeaderBytes: 6000 };

describe('HTTP/3 under what a peer may do', () => {
  fuzz('HTTP/3 server, frames', 500, (random) => {
    const quic = new FakeQuic('server');
    new Attacked(random, quic, new Http3ServerFactory({ limits: LIMITS }).create(quic, testContext(), 0)).run();
  });

  fuzz('HTTP/3 client, frames', 500, (random) => {
    const quic = new FakeQuic('client');
    new Attacked(random, quic, new Http3ClientFactory({ limits: LIMITS }).create(quic, testContext(), 0)).run();
  });
});

/** An engine on its transport, its application, and a peer that does what it likes. */
class Attacked {
  readonly #random: SeededRandom;
  readonly #quic: FakeQuic;
  readonly #engine: HttpOverQuicProtocol;
  readonly #order: EventOrder;
  readonly #maker: StreamMaker;
  readonly #streams: number[];
  readonly #unconsumed: [streamId: number, length: number][];
  /** What was handed to the engine of each stream. */
  readonly #given: Map<number, number>;
  readonly #over: Set<number>;
  readonly #owed: Set<number>;
  #now: number;

  constructor(random: SeededRandom, quic: FakeQuic, engine: HttpOverQuicProtocol) {
    this.#random = random;
    this.#quic = quic;
    this.#engine = engine;
    this.#order = new EventOrder(engine.role);
    this.#maker = new StreamMaker(random, engine.role === 'server' ? 'client' : 'server');
    this.#streams = [];
    this.#unconsumed = [];
    this.#given = new Map();
    this.#over = new Set();
    this.#owed = new Set();
    this.#now = 0;
  }

  run(): void {
    const random = this.#random;
    this.#quic.handshakeComplete = true;
    this.#quic.acknowledges = random.chance(0.7);
    if (this.#engine.role === 'client') for (let count = random.integer(0, 4); count > 0; count -= 1) this.#request();
    for (let step = random.integer(1, 80); step > 0 && !this.#order.terminated; step -= 1) this.#step();
    this.#end();
  }

  #step(): void {
    const random = this.#random;
    if (random.chance(0.7)) this.#attack();
    else this.#act();
    if (random.chance(0.02)) this.#now += random.pick([1, 1000, 30_000]);
    this.#engine.handleTimeout(this.#now);
    this.#takeEvents();
    const timeout = this.#engine.nextTimeout();
    if (timeout !== undefined && Number.isNaN(timeout)) expect.fail('a timer at no time');
  }

  /** Something of the peer's. The transport tells nothing of streams that are over. */
  #attack(): void {
    const random = this.#random;
    const { streamId, bytes, fin } = this.#maker.next(this.#streams);
    if (this.#over.has(streamId)) return;
    const { events } = this.#quic;
    const choice = random.integer(0, 39);
    if (choice === 0) {
      this.#over.add(streamId);
      events.push({ type: 'QuicStreamResetReceived', streamId, errorCode: random.pick([0x100, 0x10b, 0x10c, 7]) });
      if (random.chance(0.5)) events.push({ type: 'QuicStreamClosed', streamId });
    } else if (choice === 1 && this.#streams.includes(streamId)) {
      this.#quic.resetStream(streamId, 0x10c);
      events.push({ type: 'QuicStopSendingReceived', streamId, errorCode: random.pick([0x100, 0x10c]) });
    } else if (choice === 2) {
      events.push({ type: 'QuicDatagramReceived', data: random.chance(0.5) ? varints(streamId >> 2) : bytes });
    } else if (choice === 3 && this.#streams.includes(streamId)) {
      events.push({ type: 'QuicStreamWritable', streamId });
    } else if (choice === 4) {
      this.#quic.capacity = random.pick([0, 1, 1000, 65_536]);
    } else {
      const chunks = bytes.length === 0 ? [bytes] : cut(random, bytes);
      for (const [index, data] of chunks.entries()) {
        this.#given.set(streamId, (this.#given.get(streamId) ?? 0) + data.length);
        const last = fin && index === chunks.length - 1;
        events.push({ type: 'QuicStreamReceived', streamId, data, fin: last, early: random.chance(0.1) });
      }
      if (fin) this.#over.add(streamId);
    }
  }

  /** What an application may do, at a moment that suits or not. */
  #act(): void {
    const random = this.#random;
    const engine = this.#engine;
    const streamId = this.#streams.length === 0 ? 0 : pickOf(random, this.#streams);
    const endStream = random.chance(0.4);
    try {
      switch (random.integer(0, 10)) {
        case 0:
        case 1:
          if (engine.role === 'client') this.#request();
          else engine.submitHeaders(streamId, [':status', random.pick(['200', '204', '404'])], { endStream });
          break;
        case 2:
        case 3:
          if (engine.sendCapacity(streamId) < 0) expect.fail('a negative capacity');
          engine.submitData(streamId, new Uint8Array(random.pick([0, 1, 1000, 4000])), { endStream });
          break;
        case 4:
          engine.submitTrailers(streamId, ['x-trailer', 'a']);
          break;
        case 5:
          engine.submitStreamReset(streamId, 0x10c);
          break;
        case 6:
          this.#consume();
          break;
        case 7:
          engine.submitPriority(streamId, random.integer(0, 7), random.chance(0.5));
          break;
        case 8:
          if (engine.role === 'server') engine.submitInformational(streamId, [':status', '103']);
          break;
        case 9:
          engine.submitDatagram(streamId, new Uint8Array(random.integer(0, 2000)));
          break;
        default:
          if (random.chance(0.1)) engine.submitShutdown();
          else if (this.#owed.delete(streamId)) engine.submitHandlerEnd(streamId);
      }
    } catch (error) {
      if (!(error instanceof LocalProtocolError)) throw error;
    }
  }

  #request(): void {
    const engine = this.#engine;
    if (!engine.isAvailable()) return;
    const streamId = engine.getAvailableStreamId();
    const method = this.#random.pick(['GET', 'POST', 'HEAD', 'CONNECT']);
    const target = method === 'CONNECT' ? [] : [':scheme', 'https', ':path', '/'];
    const head = [':method', method, ':authority', 'a:80', ...target];
    engine.submitHeaders(streamId, head, { endStream: this.#random.chance(0.5) });
    this.#order.opened(streamId);
    this.#streams.push(streamId);
  }

  #consume(): void {
    const next = this.#unconsumed.shift();
    if (next !== undefined) this.#engine.dataConsumed(...next);
  }

  #takeEvents(): void {
    for (let event = this.#engine.nextEvent(); event !== undefined; event = this.#engine.nextEvent()) this.#take(event);
  }

  #take(event: HttpEvent): void {
    this.#order.take(event);
    if (event.type === 'HeadersReceived' && this.#engine.role === 'server') {
      this.#streams.push(event.streamId);
      this.#owed.add(event.streamId);
    }
    if (event.type === 'DataReceived' && event.flowControlledLength > 0) {
      this.#unconsumed.push([event.streamId, event.flowControlledLength]);
    }
  }

  /** The end, in one of the ways that there are: nothing is left open behind it. */
  #end(): void {
    const random = this.#random;
    const engine = this.#engine;
    this.#quic.acknowledges = true;
    while (this.#unconsumed.length > 0) this.#consume();
    for (const streamId of this.#owed) engine.submitHandlerEnd(streamId);
    this.#takeEvents();
    // What is consumed and over is given back: all of it, and no more.
    const alive = !this.#order.terminated;
    while (this.#unconsumed.length > 0) this.#consume();
    for (const [streamId, stream] of this.#quic.streams) {
      const given = this.#given.get(streamId) ?? 0;
      if (stream.consumed > given) expect.fail(`stream ${String(streamId)}: more credit than there was`);
      const held = alive && streamId % 4 === 0 && this.#order.open.includes(streamId);
      if (alive && !held && this.#isSettled(streamId) && stream.consumed < given) {
        expect.fail(`stream ${String(streamId)}: ${String(given - stream.consumed)} octets of credit are lost`);
      }
    }
    if (random.chance(0.5)) engine.submitClose(random.integer(0x100, 0x110));
    const closed = { application: true, errorCode: 0x100, initiator: 'peer', reason: '', error: undefined } as const;
    this.#quic.events.push({ type: 'QuicConnectionClosed', ...closed });
    this.#takeEvents();
    if (!this.#order.terminated) expect.fail('the end was not told');
    if (this.#order.open.length > 0) expect.fail(`left open: ${this.#order.open.join()}`);
    if (engine.nextTimeout() !== undefined) expect.fail('a timer behind the end');
    if (engine.isAvailable()) expect.fail('available behind the end');
    this.#checkWritten();
  }

  /** A request that was answered, and of which nothing is left in the reader. */
  #isSettled(streamId: number): boolean {
    return this.#quic.stream(streamId).stopped !== undefined;
  }

  #checkWritten(): void {
    for (const [streamId, { written }] of this.#quic.streams) {
      if (streamId % 4 !== 0) continue;
      const order = parseFrames(written).map(({ type }) =>
        type === Type.HEADERS ? 'H' : type === Type.DATA ? 'D' : '?',
      );
      if (!/^(?:H+D*H?)?$/.test(order.join(''))) expect.fail(`frames out of order: ${order.join('')}`);
    }
  }
}
