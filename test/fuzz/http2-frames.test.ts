/**
 * The HTTP/2 engines under sequences of frames, mostly right ones, while an application does this and that. Nothing is
 * thrown, events keep their order, and all that the engine writes keeps the rules: sizes, windows, HPACK, what may
 * follow an end.
 */
import { describe, expect } from 'vitest';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { Http2ClientFactory, Http2ErrorCode, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import type { HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { HarriedApplication } from '../support/fuzz/harried-application.ts';
import { FrameMaker } from '../support/fuzz/http2-frame-maker.ts';
import { Http2Wire } from '../support/fuzz/http2-wire.ts';
import { cut } from '../support/fuzz/mutation.ts';
import { frameBytes, PREFACE } from '../vectors/support/http2-frames.ts';

const { CANCEL } = Http2ErrorCode;
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
  readonly #application: HarriedApplication;
  readonly #maker: FrameMaker;
  #now: number;

  constructor(random: SeededRandom, engine: HttpOverTcpProtocol) {
    this.#random = random;
    this.#engine = engine;
    this.#wire = new Http2Wire(engine.role);
    this.#application = new HarriedApplication(random, engine, { resetCode: CANCEL, mostContent: 40_000 });
    this.#maker = new FrameMaker(random, engine.role === 'server' ? 'client' : 'server');
    this.#now = 0;
  }

  run(): void {
    const random = this.#random;
    const first = frameBytes(4, 0, 0, new Uint8Array(0));
    this.#receive(this.#engine.role === 'server' ? Uint8Array.of(...PREFACE, ...first) : first);
    this.#wire.received({ type: 4, flags: 0, streamId: 0, payload: new Uint8Array(0) });
    this.#application.begin();
    this.#settle();
    for (let step = random.integer(1, 60); step > 0 && !this.#application.order.terminated; step -= 1) this.#step();
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
      this.#application.act();
    }
    if (random.chance(0.02)) {
      this.#now += random.pick([1, 1000, 30_000]);
      this.#engine.handleTimeout(this.#now);
    }
    if (random.chance(0.8)) this.#settle();
    else this.#application.takeEvents();
  }

  #receive(bytes: Uint8Array): void {
    for (const chunk of cut(this.#random, bytes)) this.#engine.bytesReceived(chunk, this.#now);
  }

  #settle(): void {
    this.#application.takeEvents();
    for (
      let pieces = this.#engine.bytesToSend(this.#now);
      pieces !== undefined;
      pieces = this.#engine.bytesToSend(this.#now)
    ) {
      for (const piece of pieces) this.#wire.sent(piece);
      this.#application.takeEvents();
    }
    if (!this.#wire.failed && this.#wire.credit > CAP) expect.fail(`a window of ${String(this.#wire.credit)}`);
    const timeout = this.#engine.nextTimeout();
    if (timeout !== undefined && Number.isNaN(timeout)) expect.fail('a timer at no time');
  }

  /** The end, in one of the ways that there are: nothing is left open behind it. */
  #end(): void {
    const random = this.#random;
    const engine = this.#engine;
    this.#application.consumeAll();
    this.#application.endHandlers();
    if (random.chance(0.3)) engine.eofReceived(this.#now);
    else if (random.chance(0.3)) engine.submitClose(random.integer(0, 13));
    this.#settle();
    engine.connectionLost(this.#now);
    this.#application.takeEvents();
    this.#application.expectOver();
  }
}
