/**
 * A client and a server of ours under sequences of operations, right ones and wrong ones, over a network that loses,
 * delays, doubles and rebinds: streams of both kinds, resets, stops, priorities, datagrams, key updates, slow readers,
 * small windows, graceful and sudden ends. Nothing but misuse throws, every byte comes once and in order, nothing is held
 * beyond its bound, and everything ends.
 */
import { describe, expect } from 'vitest';
import { LocalProtocolError } from '../../src/common/index.ts';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import type { QuicEvent } from '../../src/protocols/quic-transport.ts';
import { quicLimitValues } from '../../src/protocols/quic/limits.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { pickOf } from '../support/fuzz/mutation.ts';
import type { Side } from '../unit/quic/connection-pair.ts';
import { ConnectionPair, serverPath } from '../unit/quic/connection-pair.ts';

const SIDES = ['client', 'server'] as const;
const CAP = 60_000;

/** The byte of a stream at an offset, from one side. */
function byteAt(streamId: number, from: Side, offset: number): number {
  return (streamId * 31 + offset * 7 + (offset >> 8) * 13 + (from === 'client' ? 0 : 101)) & 0xff;
}

/** One direction of a stream. */
interface Flow {
  written: number;
  ended: boolean;
  reset: boolean;
  /** The reader gave it up. */
  stopped: boolean;
  read: number;
  unread: number;
  over: boolean;
}

class World {
  readonly pair: ConnectionPair;
  readonly #random: SeededRandom;
  /** By stream and sender. */
  readonly #flows: Map<string, Flow>;
  readonly #closed: Set<string>;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.#flows = new Map();
    this.#closed = new Set();
    const bad = random.pick([0, 0.02, 0.1]);
    const limits = (): ReturnType<typeof quicLimitValues> =>
      quicLimitValues({
        maxStreamsBidi: random.integer(1, 6),
        maxStreamsUni: random.integer(0, 4),
        initialStreamWindow: random.pick([100, 2_000, 5_000]),
        maxStreamWindow: 20_000,
        maxUnconsumedBytes: CAP,
        sendBufferBytes: random.pick([500, 5_000, 65_536]),
        maxUnsentBytes: random.pick([10_000, 1 << 20]),
        activeConnectionIdLimit: random.integer(2, 8),
        idleTimeout: 30_000,
      });
    this.pair = new ConnectionPair({
      client: { limits: limits() },
      server: { limits: limits() },
      latency: random.integer(1, 40),
      drop: () => random.chance(bad),
      delay: () => (random.chance(bad) ? random.integer(1, 100) : 0),
      onEvent: (_pair, side, event) => {
        this.#told(side, event);
      },
    });
    // Readers of this test take what they like.
    this.pair.consume = false;
  }

  run(): void {
    this.pair.connect(30_000);
    if (this.pair.server === undefined) return;
    for (let steps = this.#random.integer(1, 120); steps > 0; steps -= 1) {
      this.#operate(this.#random.pick(SIDES));
      if (this.#random.chance(0.4)) this.pair.wait(this.#random.integer(0, 60));
    }
    if (this.#random.chance(0.8)) this.#finish();
    this.#end();
  }

  /** The flow of a stream; of one that there is not, one that nobody looks at. */
  #flow(streamId: number, from: Side, isNew = false): Flow {
    const key = `${String(streamId)} ${from}`;
    const flow = this.#flows.get(key) ?? {
      written: 0,
      ended: false,
      reset: false,
      stopped: false,
      read: 0,
      unread: 0,
      over: false,
    };
    if (isNew) this.#flows.set(key, flow);
    return flow;
  }

  #operate(side: Side): void {
    const random = this.#random;
    const connection = this.pair.side(side);
    const known = [...new Set([...this.#flows.keys()].map((key) => Number.parseInt(key, 10)))];
    const streamId = known.length === 0 || random.chance(0.03) ? random.integer(0, 40) : pickOf(random, known);
    this.#attempt(() => {
      switch (random.integer(0, 15)) {
        case 0:
        case 1:
        case 2:
          this.#open(side);
          return;
        case 3:
        case 4:
        case 5:
        case 6:
          this.#write(side, streamId);
          return;
        case 7:
        case 8:
        case 9:
          this.#consume(side, streamId, random.integer(0, 5_000));
          return;
        case 10:
          if (random.chance(0.4)) this.#reset(side, streamId);
          return;
        case 11:
          if (random.chance(0.4)) this.#stop(side, streamId);
          return;
        case 12:
          connection.setStreamPriority(streamId, random.integer(-1, 8), random.chance(0.5));
          return;
        case 13:
          connection.sendDatagram(random.fill(new Uint8Array(random.integer(0, 1_500))));
          return;
        case 14:
          connection.initiateKeyUpdate();
          return;
        default:
          if (random.chance(0.2))
            this.pair.serverSees = { ...serverPath, remote: `10.0.0.1:${String(random.integer(1, 9_999))}` };
      }
    });
  }

  /** Misuse throws one kind of error, and nothing else does. */
  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (!(error instanceof LocalProtocolError)) throw error;
    }
  }

  #open(side: Side): void {
    const bidirectional = this.#random.chance(0.7);
    const streamId = this.pair.side(side).openStream(bidirectional);
    expect(this.#flows.has(`${String(streamId)} ${side}`)).toBe(false);
    this.#flow(streamId, side, true);
    if (bidirectional) this.#flow(streamId, other(side), true);
  }

  #write(side: Side, streamId: number): void {
    const connection = this.pair.side(side);
    const flow = this.#flow(streamId, side);
    if (connection.sendCapacity(streamId) === 0 || flow.ended) return;
    const length = this.#random.pick([0, 1, 50, 1_000, 8_000]);
    const fin = this.#random.chance(0.2);
    const start = flow.written;
    const data = Uint8Array.from({ length }, (_, index) => byteAt(streamId, side, start + index));
    connection.writeStream(streamId, data, fin);
    flow.written += length;
    flow.ended = fin;
  }

  #consume(side: Side, streamId: number, length: number): void {
    this.pair.side(side).streamConsumed(streamId, length);
    const flow = this.#flow(streamId, other(side));
    flow.unread = Math.max(0, flow.unread - length);
  }

  #reset(side: Side, streamId: number): void {
    this.pair.side(side).resetStream(streamId, this.#random.integer(0, 9));
    const flow = this.#flow(streamId, side);
    flow.reset = true;
    flow.ended = true;
  }

  #stop(side: Side, streamId: number): void {
    this.pair.side(side).stopSending(streamId, this.#random.integer(0, 9));
    this.#flow(streamId, other(side)).stopped = true;
  }

  #told(side: Side, event: QuicEvent): void {
    if (!('streamId' in event)) return;
    const { streamId } = event;
    expect(this.#closed.has(`${String(streamId)} ${side}`), `${event.type} behind the end`).toBe(false);
    if (event.type === 'QuicStreamClosed') this.#closed.add(`${String(streamId)} ${side}`);
    if (event.type === 'QuicStopSendingReceived') {
      const own = this.#flow(streamId, side);
      own.reset = true;
    }
    if (event.type !== 'QuicStreamReceived' && event.type !== 'QuicStreamResetReceived') return;
    const flow = this.#flow(streamId, other(side));
    expect(flow.over).toBe(false);
    if (event.type === 'QuicStreamResetReceived') {
      flow.over = true;
      return;
    }
    for (let index = 0; index < event.data.length; index += 1) {
      if (event.data[index] !== byteAt(streamId, other(side), flow.read + index)) expect.fail('a byte is wrong');
    }
    flow.read += event.data.length;
    flow.unread += event.data.length;
    flow.over = event.fin;
    if (event.fin) expect([flow.read, flow.ended]).toEqual([flow.written, true]);
    const held = [...this.#flows].filter(([key]) => key.endsWith(other(side)));
    expect(held.reduce((sum, [, { unread }]) => sum + unread, 0)).toBeLessThanOrEqual(CAP);
  }

  /** Everything is written to its end, read, and arrives. */
  #finish(): void {
    const isDone = (flow: Flow): boolean => flow.over || flow.reset || flow.stopped;
    for (let rounds = 0; rounds < 2_000 && ![...this.#flows.values()].every(isDone); rounds += 1) {
      // Everything gets on: nobody falls silent for as long as an idle timeout.
      for (const side of SIDES) expect([side, this.pair.closed(side)]).toEqual([side, undefined]);
      for (const [key, flow] of this.#flows) {
        const [id = '', from] = key.split(' ');
        const sender: Side = from === 'client' ? 'client' : 'server';
        this.#consume(other(sender), Number(id), 100_000);
        if (!flow.ended) {
          this.#attempt(() => {
            this.pair.side(sender).writeStream(Number(id), new Uint8Array(0), true);
            flow.ended = true;
          });
        }
      }
      this.pair.wait(200);
    }
    for (const [key, flow] of this.#flows) {
      expect([key, isDone(flow)]).toEqual([key, true]);
      if (!flow.reset && !flow.stopped) expect([key, flow.read]).toEqual([key, flow.written]);
    }
  }

  #end(): void {
    const side = this.#random.pick(SIDES);
    this.pair.side(side).close(this.#random.integer(0, 9), 'enough');
    this.pair.wait(120_000);
    for (const each of SIDES) {
      expect([this.pair.side(each).isTerminated, this.pair.side(each).nextTimeout()]).toEqual([true, undefined]);
      expect(this.pair.only(each, 'QuicConnectionClosed')).toHaveLength(1);
      expect(this.pair.events[each].at(-1)?.type).toBe('QuicConnectionClosed');
      // Neither was made to break a rule.
      const { initiator, application } = this.pair.closed(each) ?? {};
      expect([each, initiator === 'network' || application === true]).toEqual([each, true]);
    }
  }
}

function other(side: Side): Side {
  return side === 'client' ? 'server' : 'client';
}

describe('QUIC under sequences of operations', () => {
  fuzz('QUIC client and server, operations', 120, (random) => {
    new World(random).run();
  });
});
