/**
 * The HTTP/3 engines under what a peer may do: frames, mostly right ones, on streams of all kinds, ends, resets,
 * datagrams, while an application does this and that. Nothing is thrown, events keep their order, what the engine writes
 * is whole frames in a right order, credit is given back exactly once, and nothing is left behind the end.
 */
import { describe, expect } from 'vitest';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { Http3ClientFactory, Http3ErrorCode, Http3ServerFactory } from '../../src/protocols/http3/index.ts';
import type { HttpOverQuicProtocol } from '../../src/protocols/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { FakeQuic } from '../support/fake-quic.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { HarriedApplication } from '../support/fuzz/harried-application.ts';
import { StreamMaker } from '../support/fuzz/http3-stream-maker.ts';
import { cut } from '../support/fuzz/mutation.ts';
import { parseFrames, Type, varints } from '../support/http3-frames.ts';

const { H3_REQUEST_CANCELLED } = Http3ErrorCode;
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
  readonly #application: HarriedApplication;
  readonly #maker: StreamMaker;
  /** What was handed to the engine of each stream. */
  readonly #given: Map<number, number>;
  readonly #over: Set<number>;
  #now: number;

  constructor(random: SeededRandom, quic: FakeQuic, engine: HttpOverQuicProtocol) {
    this.#random = random;
    this.#quic = quic;
    this.#engine = engine;
    this.#application = new HarriedApplication(random, engine, { resetCode: H3_REQUEST_CANCELLED, mostContent: 4000 });
    this.#maker = new StreamMaker(random, engine.role === 'server' ? 'client' : 'server');
    this.#given = new Map();
    this.#over = new Set();
    this.#now = 0;
  }

  run(): void {
    const random = this.#random;
    this.#quic.handshakeComplete = true;
    this.#quic.acknowledges = random.chance(0.7);
    this.#application.begin();
    for (let step = random.integer(1, 80); step > 0 && !this.#application.order.terminated; step -= 1) this.#step();
    this.#end();
  }

  #step(): void {
    const random = this.#random;
    if (random.chance(0.7)) this.#attack();
    else this.#application.act();
    if (random.chance(0.02)) this.#now += random.pick([1, 1000, 30_000]);
    this.#engine.handleTimeout(this.#now);
    this.#application.takeEvents();
    const timeout = this.#engine.nextTimeout();
    if (timeout !== undefined && Number.isNaN(timeout)) expect.fail('a timer at no time');
  }

  /** Something of the peer's. The transport tells nothing of streams that are over. */
  #attack(): void {
    const random = this.#random;
    const { streamId, bytes, fin } = this.#maker.next(this.#application.streams);
    if (this.#over.has(streamId)) return;
    const { events } = this.#quic;
    const choice = random.integer(0, 39);
    if (choice === 0) {
      this.#over.add(streamId);
      events.push({ type: 'QuicStreamResetReceived', streamId, errorCode: random.pick([0x100, 0x10b, 0x10c, 7]) });
      if (random.chance(0.5)) events.push({ type: 'QuicStreamClosed', streamId });
    } else if (choice === 1 && this.#application.streams.includes(streamId)) {
      this.#quic.resetStream(streamId, 0x10c);
      events.push({ type: 'QuicStopSendingReceived', streamId, errorCode: random.pick([0x100, 0x10c]) });
    } else if (choice === 2) {
      events.push({ type: 'QuicDatagramReceived', data: random.chance(0.5) ? varints(streamId >> 2) : bytes });
    } else if (choice === 3 && this.#application.streams.includes(streamId)) {
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

  /** The end, in one of the ways that there are: nothing is left open behind it. */
  #end(): void {
    const random = this.#random;
    const engine = this.#engine;
    this.#quic.acknowledges = true;
    this.#application.consumeAll();
    this.#application.endHandlers();
    this.#application.takeEvents();
    // What is consumed and over is given back: all of it, and no more.
    const alive = !this.#application.order.terminated;
    this.#application.consumeAll();
    for (const [streamId, stream] of this.#quic.streams) {
      const given = this.#given.get(streamId) ?? 0;
      if (stream.consumed > given) expect.fail(`stream ${String(streamId)}: more credit than there was`);
      const held = alive && streamId % 4 === 0 && this.#application.order.open.includes(streamId);
      if (alive && !held && this.#isSettled(streamId) && stream.consumed < given) {
        expect.fail(`stream ${String(streamId)}: ${String(given - stream.consumed)} octets of credit are lost`);
      }
    }
    if (random.chance(0.5)) engine.submitClose(random.integer(0x100, 0x110));
    const closed = { application: true, errorCode: 0x100, initiator: 'peer', reason: '', error: undefined } as const;
    this.#quic.events.push({ type: 'QuicConnectionClosed', ...closed });
    this.#application.takeEvents();
    this.#application.expectOver();
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
