/**
 * A client and a server of ours, each other's peer, under sequences of operations: requests, responses, content, trailers,
 * resets, tunnels, slow readers, tiny windows, bytes that come late and in pieces, graceful ends. No octet is lost, none
 * comes twice, everything closes, nothing waits for ever, and both ends keep the rules on the wire.
 */
import { describe, expect } from 'vitest';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { Http2ClientFactory, Http2ErrorCode, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import type { HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { testContext } from '../support/connection-pair.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { End, ExchangeBook } from '../support/fuzz/exchange-book.ts';
import { Http2Wire } from '../support/fuzz/http2-wire.ts';
import { cut } from '../support/fuzz/mutation.ts';
import { FrameCutter } from '../vectors/support/http2-frames.ts';

const { CANCEL } = Http2ErrorCode;
const MOST_ROUNDS = 20_000;

describe('HTTP/2 under sequences of operations', () => {
  fuzz('HTTP/2 client and server, operations', 400, (random) => {
    new Connection(random).run();
  });
});

/** An end with what is on its way to it. */
class TcpEnd extends End<HttpOverTcpProtocol> {
  readonly wire: Http2Wire;
  readonly inbox: Uint8Array[];
  readonly #incoming: FrameCutter;
  /** The other end was told that nothing follows. */
  ended: boolean;

  constructor(engine: HttpOverTcpProtocol) {
    super(engine);
    this.wire = new Http2Wire(engine.role);
    this.inbox = [];
    this.#incoming = new FrameCutter(engine.role === 'server');
    this.ended = false;
  }

  /** Gives the engine what came first. */
  deliver(now: number): void {
    const chunk = this.inbox.shift() as Uint8Array;
    for (const frame of this.#incoming.push(chunk)) this.wire.received(frame);
    this.engine.bytesReceived(chunk, now);
  }
}

class Connection {
  readonly #random: SeededRandom;
  readonly #client: TcpEnd;
  readonly #server: TcpEnd;
  readonly #book: ExchangeBook;
  #now: number;

  constructor(random: SeededRandom) {
    this.#random = random;
    // Windows of a few octets, and content to match.
    const tiny = random.chance(0.3);
    const limits = limitsOf(random, tiny);
    this.#client = new TcpEnd(new Http2ClientFactory({ limits }).create(testContext(), 0));
    this.#server = new TcpEnd(new Http2ServerFactory({ limits: limitsOf(random, tiny) }).create(testContext(), 0));
    const sizes = tiny ? [0, 1, 5, 20] : [0, 1, 10, 1000, 20_000, 70_000];
    const options = { resetCode: CANCEL, methods: ['GET', 'POST', 'PUT', 'HEAD', 'CONNECT'], sizes };
    this.#book = new ExchangeBook(random, options, () => [this.#client, this.#server]);
    this.#now = 0;
  }

  run(): void {
    const random = this.#random;
    for (let step = random.integer(1, 200); step > 0; step -= 1) this.#step();
    this.#finish();
    this.#book.compare();
    this.#windDown();
  }

  #step(): void {
    const random = this.#random;
    const end = random.chance(0.5) ? this.#client : this.#server;
    if (random.chance(0.5)) this.#book.operate(end);
    else this.#move(end);
    if (random.chance(0.1)) this.#now += random.fraction() * 50;
  }

  /** Moves some of what an end has to send, and some of what is on its way to it. */
  #move(end: TcpEnd): void {
    const random = this.#random;
    const other = end.isClient ? this.#server : this.#client;
    if (random.chance(0.7)) this.#flush(end, other);
    for (let count = random.integer(0, 8); count > 0 && end.inbox.length > 0; count -= 1) {
      if (!end.engine.wantsInput) break;
      end.deliver(this.#now);
      this.#book.takeEvents(end);
    }
    if (end.reading && random.chance(0.5)) end.consume();
  }

  #flush(end: TcpEnd, other: TcpEnd): boolean {
    const pieces = end.engine.bytesToSend(this.#now);
    this.#book.takeEvents(end);
    if (pieces === undefined) return false;
    const bytes = Uint8Array.from(Buffer.concat(pieces));
    end.wire.sent(bytes);
    other.inbox.push(...cut(this.#random, bytes));
    return true;
  }

  /** Both applications come to their ends, and all that is on its way arrives. */
  #finish(): void {
    for (let round = 0, quiet = 0; quiet < 3; round += 1) {
      if (round > MOST_ROUNDS) expect.fail('it does not come to an end');
      let moved = false;
      this.#book.complete();
      for (const end of [this.#client, this.#server]) {
        const other = end.isClient ? this.#server : this.#client;
        moved = this.#flush(end, other) || moved;
        while (end.inbox.length > 0 && end.engine.wantsInput) {
          end.deliver(this.#now);
          moved = true;
        }
        this.#book.takeEvents(end);
        if (end.engine.wantsEof && !end.ended && other.inbox.length === 0) {
          end.ended = true;
          other.engine.eofReceived(this.#now);
          this.#book.takeEvents(other);
          moved = true;
        }
        moved = end.unconsumed.length > 0 || moved;
        while (end.unconsumed.length > 0) end.consume();
      }
      quiet = moved ? 0 : quiet + 1;
    }
  }

  /** Nothing is left of a connection that winds down with nothing to do. */
  #windDown(): void {
    this.#book.endHandlers();
    (this.#random.chance(0.5) ? this.#client : this.#server).engine.submitShutdown();
    this.#finish();
    this.#book.expectOver();
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
