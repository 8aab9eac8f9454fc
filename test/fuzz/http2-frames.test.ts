/**
 * The HTTP/2 engines under sequences of frames, mostly right ones, while an application does this and that. Nothing is
 * thrown, events keep their order, and all that the engine writes keeps the rules: sizes, windows, HPACK, what may
 * follow an end.
 */
import { describe, expect } from 'vitest';
import { LocalProtocolError } from '../../src/common/index.ts';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { Http2ClientFactory, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import type { HttpEvent, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { EventOrder } from '../support/fuzz/event-order.ts';
import { FrameMaker } from '../support/fuzz/http2-frame-maker.ts';
import { Http2Wire } from '../support/fuzz/http2-wire.ts';
import { cut, pickOf } from '../support/fuzz/mutation.ts';
import { frameBytes, PREFACE } from '../vectors/support/http2-frames.ts';

const CAP = 1 << 20;
const LIMITS = { maxUnconsumedBytes: CAP, initialStreamWindow: 8192, maxConcurrentStreams: 100 };

describe('HTTP/2 under sequences of frames', () => {
  fuzz('HTTP/2 server, frames', 500, (random) => {
    new Attacked(random, new Http2ServerFactory({ limits: LIMITS }).create(testContext(), 0)).run();
  });

  fuzz('HTTP/2 client, frames', 500, (random) => {
    new Attacked(random, new Http2ClientFactory({ limits: LIMITS }).create(testContext(), 0)).run();
  });
});

/** An engine, its application, and a peer that sends what it likes. */
class Attacked {
  readonly #random: SeededRandom;
  readonly #engine: HttpOverTcpProtocol;
  readonly #wire: Http2Wire;
  readonly #order: EventOrder;
  readonly #maker: FrameMaker;
  readonly #streams: number[];
  readonly #unconsumed: [streamId: number, length: number][];
  #owed: Set<number>;
  #now: number;

  constructor(random: SeededRandom, engine: HttpOverTcpProtocol) {
    this.#random = random;
    this.#engine = engine;
    this.#wire = new Http2Wire(engine.role);
    this.#order = new EventOrder(engine.role);
    this.#maker = new FrameMaker(random, engine.role === 'server' ? 'client' : 'server');
    this.#streams = [];
    this.#unconsumed = [];
    this.#owed = new Set();
    this.#now = 0;
  }

  run(): void {
    const random = this.#random;
    const first = frameBytes(4, 0, 0, new Uint8Array(0));
    this.#receive(this.#engine.role === 'server' ? Uint8Array.of(...PREFACE, ...first) : first);
    this.#wire.received({ type: 4, flags: 0, streamId: 0, payload: new Uint8Array(0) });
    if (this.#engine.role === 'client') for (let count = random.integer(0, 4); count > 0; count -= 1) this.#request();
    this.#settle();
    for (let step = random.integer(1, 60); step > 0 && !this.#order.terminated; step -= 1) this.#step();
    this.#end();
  }

  #step(): void {
    const random = this.#random;
    if (random.chance(0.7)) {
      for (const frame of this.#maker.next()) {
        this.#wire.received(frame);
        this.#receive(frameBytes(frame.type, frame.flags, frame.streamId, frame.payload));
      }
    } else {
      this.#act();
    }
    if (random.chance(0.02)) {
      this.#now += random.pick([1, 1000, 30_000]);
      this.#engine.handleTimeout(this.#now);
    }
    if (random.chance(0.8)) this.#settle();
    else this.#takeEvents();
  }

  #receive(bytes: Uint8Array): void {
    for (const chunk of cut(this.#random, bytes)) this.#engine.bytesReceived(chunk, this.#now);
  }

  /** What an application may do, at a moment that suits or not. */
  #act(): void {
    const random = this.#random;
    const engine = this.#engine;
    const streamId = this.#streams.length === 0 ? 1 : pickOf(random, this.#streams);
    const endStream = random.chance(0.4);
    try {
      switch (random.integer(0, 9)) {
        case 0:
        case 1:
          if (engine.role === 'client') this.#request();
          else engine.submitHeaders(streamId, [':status', random.pick(['200', '204', '404'])], { endStream });
          break;
        case 2:
        case 3:
          if (engine.sendCapacity(streamId) < 0) expect.fail('a negative capacity');
          engine.submitData(streamId, new Uint8Array(random.pick([0, 1, 1000, 40_000])), { endStream });
          break;
        case 4:
          engine.submitTrailers(streamId, ['x-trailer', 'a']);
          break;
        case 5:
          engine.submitStreamReset(streamId, 8);
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
    const method = this.#random.pick(['GET', 'POST', 'HEAD']);
    const head = [':method', method, ':scheme', 'https', ':authority', 'a', ':path', '/'];
    engine.submitHeaders(streamId, head, { endStream: this.#random.chance(0.5) });
    this.#order.opened(streamId);
    this.#streams.push(streamId);
  }

  #consume(): void {
    const next = this.#unconsumed.shift();
    if (next !== undefined) this.#engine.dataConsumed(...next);
  }

  #settle(): void {
    this.#takeEvents();
    for (
      let pieces = this.#engine.bytesToSend(this.#now);
      pieces !== undefined;
      pieces = this.#engine.bytesToSend(this.#now)
    ) {
      for (const piece of pieces) this.#wire.sent(piece);
      this.#takeEvents();
    }
    if (!this.#wire.failed && this.#wire.credit > CAP) expect.fail(`a window of ${String(this.#wire.credit)}`);
    const timeout = this.#engine.nextTimeout();
    if (timeout !== undefined && Number.isNaN(timeout)) expect.fail('a timer at no time');
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
    while (this.#unconsumed.length > 0) this.#consume();
    for (const streamId of this.#owed) engine.submitHandlerEnd(streamId);
    if (random.chance(0.3)) engine.eofReceived(this.#now);
    else if (random.chance(0.3)) engine.submitClose(random.integer(0, 13));
    this.#settle();
    engine.connectionLost(this.#now);
    this.#takeEvents();
    if (!this.#order.terminated) expect.fail('the end was not told');
    if (this.#order.open.length > 0) expect.fail(`left open: ${this.#order.open.join()}`);
    if (engine.nextTimeout() !== undefined) expect.fail('a timer behind the end');
    if (engine.isAvailable()) expect.fail('available behind the end');
  }
}
