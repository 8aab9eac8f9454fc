/**
 * Two sides' streams under whatever a network and two applications do: every byte once and in order, memory bounded after
 * every step, nothing left in the end.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { QuicStreamLimits } from '../../../src/protocols/quic/streams.ts';
import { bytesFrom, sidePair } from './streams-side.ts';
import type { SidePacket, StreamSide } from './streams-side.ts';

const limits: Partial<QuicStreamLimits> = {
  maxStreamsBidi: 3,
  maxStreamsUni: 2,
  initialStreamWindow: 400,
  maxStreamWindow: 2_000,
  maxUnconsumedBytes: 4_000,
  sendBufferBytes: 600,
  maxUnsentBytes: 3_000,
  maxSmallPieces: 1_000,
};

/** What one direction of a stream has done, as both applications know it. */
interface Flow {
  written: number;
  ended: boolean;
  reset: boolean;
  read: number;
  unconsumed: number;
  over: boolean;
  stopped: boolean;
}

type Step =
  | { readonly do: 'open'; readonly who: number; readonly bidirectional: boolean }
  | {
      readonly do: 'write';
      readonly who: number;
      readonly pick: number;
      readonly length: number;
      readonly fin: boolean;
    }
  | { readonly do: 'consume'; readonly who: number; readonly pick: number; readonly length: number }
  | { readonly do: 'reset' | 'stop'; readonly who: number; readonly pick: number }
  | {
      readonly do: 'priority';
      readonly who: number;
      readonly pick: number;
      readonly urgency: number;
      readonly incremental: boolean;
    }
  | { readonly do: 'send'; readonly who: number; readonly room: number; readonly fate: Fate }
  | { readonly do: 'late'; readonly pick: number };
type Fate = 'arrives' | 'is lost' | 'is late' | 'comes twice' | 'is held for lost';

const who = fc.nat(1);
const pick = fc.nat(7);
const fate = fc.constantFrom<Fate>(
  'arrives',
  'arrives',
  'arrives',
  'is lost',
  'is late',
  'comes twice',
  'is held for lost',
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const), who, bidirectional: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('write' as const),
      who,
      pick,
      length: fc.nat(500),
      fin: fc.nat(7).map((n) => n === 0),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('consume' as const), who, pick, length: fc.nat(600) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('reset' as const, 'stop' as const), who, pick }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('priority' as const),
      who,
      pick,
      urgency: fc.nat(7),
      incremental: fc.boolean(),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('send' as const), who, room: fc.integer({ min: 60, max: 700 }), fate }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('late' as const), pick }) },
);

class World {
  readonly sides: readonly [StreamSide, StreamSide];
  /** By stream and direction: from whom. */
  readonly flows: Map<string, Flow>;
  readonly late: { packet: SidePacket; from: number; acknowledge: boolean }[];
  readonly closed: [Set<number>, Set<number>];

  constructor() {
    this.sides = sidePair(limits);
    this.flows = new Map();
    this.late = [];
    this.closed = [new Set(), new Set()];
  }

  side(index: number): StreamSide {
    return this.sides[index] as StreamSide;
  }

  /** The streams that one side may write to, or read. */
  ids(index: number, sending: boolean): number[] {
    const from = sending ? index : 1 - index;
    return [...this.flows.keys()]
      .filter((key) => key.endsWith(`/${String(from)}`))
      .map((key) => Number.parseInt(key, 10));
  }

  flow(id: number, from: number): Flow {
    return this.flows.get(`${String(id)}/${String(from)}`) as Flow;
  }

  run(one: Step): void {
    switch (one.do) {
      case 'open':
        this.open(one.who, one.bidirectional);
        break;
      case 'write':
        this.chosen(one, true, (id) => this.write(one.who, id, one.length, one.fin));
        break;
      case 'consume':
        this.chosen(one, false, (id) => this.consume(one.who, id, one.length));
        break;
      case 'reset':
        this.chosen(one, true, (id) => this.reset(one.who, id));
        break;
      case 'stop':
        this.chosen(one, false, (id) => this.stop(one.who, id));
        break;
      case 'priority':
        this.chosen(one, true, (id) => this.side(one.who).streams.setStreamPriority(id, one.urgency, one.incremental));
        break;
      case 'send':
        this.send(one.who, this.side(one.who).packet(one.room), one.fate);
        break;
      case 'late':
        this.settleLate(one.pick);
    }
    this.check();
  }

  chosen(one: { readonly who: number; readonly pick: number }, sending: boolean, act: (id: number) => void): void {
    const ids = this.ids(one.who, sending);
    // The peer's streams may be acted on once something of them came.
    const known = ids.filter(
      (id) =>
        (id & 1) === one.who ||
        this.closed[one.who]?.has(id) === true ||
        this.seen.has(`${String(id)}/${String(one.who)}`),
    );
    const id = known[one.pick % Math.max(1, known.length)];
    if (id !== undefined) act(id);
  }

  /** Streams of the peer that a side has heard of. */
  readonly seen = new Set<string>();

  open(index: number, bidirectional: boolean): void {
    const { streams } = this.side(index);
    if (streams.availableStreams(bidirectional) === 0) return;
    const id = streams.openStream(bidirectional);
    const flow = (): Flow => ({
      written: 0,
      ended: false,
      reset: false,
      read: 0,
      unconsumed: 0,
      over: false,
      stopped: false,
    });
    this.flows.set(`${String(id)}/${String(index)}`, flow());
    if (bidirectional) this.flows.set(`${String(id)}/${String(1 - index)}`, flow());
  }

  write(index: number, id: number, length: number, fin: boolean): void {
    const { streams } = this.side(index);
    const flow = this.flow(id, index);
    if (flow.ended || (length > 0 && streams.sendCapacity(id) === 0 && !flow.reset)) return;
    streams.writeStream(id, bytesFrom(flow.written, length), fin);
    flow.written += length;
    if (fin) flow.ended = true;
  }

  consume(index: number, id: number, length: number): void {
    const flow = this.flow(id, 1 - index);
    this.side(index).streams.streamConsumed(id, length);
    flow.unconsumed = Math.max(0, flow.unconsumed - length);
  }

  reset(index: number, id: number): void {
    const flow = this.flow(id, index);
    this.side(index).streams.resetStream(id, 5);
    flow.reset = true;
    flow.ended = true;
  }

  stop(index: number, id: number): void {
    this.side(index).streams.stopSending(id, 6);
    this.flow(id, 1 - index).stopped = true;
  }

  send(from: number, packet: SidePacket, what: Fate): void {
    if (packet.frames.length === 0) return;
    if (what === 'is lost') this.side(from).lose(packet);
    else if (what === 'is late') this.late.push({ packet, from, acknowledge: true });
    else if (what === 'is held for lost') {
      this.side(from).lose(packet);
      this.late.push({ packet, from, acknowledge: true });
    } else {
      this.arrive(from, packet);
      if (what === 'comes twice') this.late.push({ packet, from, acknowledge: false });
      this.side(from).acknowledge(packet);
    }
  }

  settleLate(index: number): void {
    const [entry] = this.late.splice(index % Math.max(1, this.late.length), 1);
    if (entry === undefined) return;
    this.arrive(entry.from, entry.packet);
    if (entry.acknowledge) this.side(entry.from).acknowledge(entry.packet);
  }

  arrive(from: number, packet: SidePacket): void {
    const to = 1 - from;
    // Memory is the receiver's: a packet that comes twice is two packets.
    this.side(to).receive(packet.payload.slice());
    this.take(to);
  }

  /** Looks at what a side was told. */
  take(index: number): void {
    for (const event of this.side(index).take()) {
      if (!('streamId' in event)) continue;
      const { streamId } = event;
      this.seen.add(`${String(streamId)}/${String(index)}`);
      expect(this.closed[index]?.has(streamId), `${event.type} behind the end`).toBe(false);
      if (event.type === 'QuicStreamClosed') this.closed[index]?.add(streamId);
      if (event.type === 'QuicStopSendingReceived') this.flow(streamId, index).reset = true;
      if (event.type === 'QuicStreamReceived') {
        const flow = this.flow(streamId, 1 - index);
        expect(Buffer.from(event.data).equals(bytesFrom(flow.read, event.data.length))).toBe(true);
        expect([flow.over, flow.stopped]).toEqual([false, false]);
        flow.read += event.data.length;
        flow.unconsumed += event.data.length;
        if (event.fin) {
          flow.over = true;
          expect([flow.read, flow.ended]).toEqual([flow.written, true]);
        }
      }
      if (event.type === 'QuicStreamResetReceived') {
        const flow = this.flow(streamId, 1 - index);
        expect([flow.over, flow.reset]).toEqual([false, true]);
        flow.over = true;
      }
    }
  }

  check(): void {
    for (const [index, side] of this.sides.entries()) {
      this.take(index);
      expect(side.streams.outstanding).toBeLessThanOrEqual(4_000);
      // The buffers of all, and one write beyond for each stream.
      expect(side.streams.unsentBytes).toBeLessThanOrEqual(3_000 + 5 * 500);
    }
  }

  /** Everything arrives, is read and ended. */
  finish(): void {
    for (let round = 0; round < 500; round += 1) {
      while (this.late.length > 0) this.settleLate(0);
      for (const index of [0, 1]) {
        for (const id of this.ids(index, false)) this.consume(index, id, 10_000);
        for (const id of this.ids(index, true)) {
          const known = (id & 1) === index || this.seen.has(`${String(id)}/${String(index)}`);
          if (known && !this.flow(id, index).ended) this.write(index, id, 0, true);
        }
        for (const packet of this.side(index).flush(700)) this.send(index, packet, 'arrives');
      }
      this.check();
      // What a stopped handler owes: its own end (a stream that was reset by STOP_SENDING).
      if (this.sides.every(({ streams }) => streams.size === 0 && !streams.hasPending)) return;
    }
    throw new Error(`it does not end: ${this.sides.map(({ streams }) => String(streams.size)).join(', ')} streams`);
  }
}

describe('two sides', () => {
  it('bring every byte across once and in order, within their bounds, and forget all of it', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }), (steps) => {
        const world = new World();
        for (const one of steps) world.run(one);
        world.finish();
        for (const side of world.sides) {
          expect([side.streams.size, side.streams.unsentBytes, side.streams.outstanding <= 2_000]).toEqual([
            0,
            0,
            true,
          ]);
        }
        for (const [key, flow] of world.flows) {
          if (flow.reset || flow.stopped || !flow.ended) continue;
          expect([key, flow.read, flow.over]).toEqual([key, flow.written, true]);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('any frames of a peer at all: a fault or none, never more memory than was promised', () => {
    const id = fc.integer({ min: 0, max: 30 });
    const offset = fc.oneof(fc.nat(1_000), fc.constantFrom(2 ** 53, 2 ** 40));
    const frame = fc.oneof(
      fc.tuple(fc.constant('stream'), id, offset, fc.nat(300), fc.boolean()),
      fc.tuple(fc.constant('reset'), id, offset, fc.nat(300), fc.boolean()),
      fc.tuple(fc.constant('stop'), id, offset, fc.nat(300), fc.boolean()),
      fc.tuple(fc.constant('window'), id, offset, fc.nat(300), fc.boolean()),
      fc.tuple(fc.constant('blocked'), id, offset, fc.nat(300), fc.boolean()),
      fc.tuple(fc.constant('other'), id, offset, fc.nat(300), fc.boolean()),
    );
    fc.assert(
      fc.property(fc.array(frame, { minLength: 10, maxLength: 200, size: 'max' }), fc.boolean(), (frames, answers) => {
        const [, server] = sidePair(limits);
        for (const bidirectional of [true, false]) server.streams.openStream(bidirectional);
        for (const [name, streamId, at, length, flag] of frames) {
          server.fault((streams) => {
            if (name === 'stream') streams.streamReceived(streamId, at, bytesFrom(at, length), flag);
            else if (name === 'reset') streams.resetStreamReceived(streamId, length, at);
            else if (name === 'stop') streams.stopSendingReceived(streamId, length);
            else if (name === 'window') streams.maxStreamDataReceived(streamId, at);
            else if (name === 'blocked') streams.streamDataBlockedReceived(streamId, at);
            else {
              streams.maxDataReceived(at);
              streams.dataBlockedReceived(at);
              streams.streamsBlockedReceived(flag, at);
              streams.maxStreamsReceived(flag, at);
            }
          });
          for (const event of server.take()) {
            if (answers && event.type === 'QuicStreamReceived')
              server.streams.streamConsumed(event.streamId, event.data.length);
          }
          for (const packet of server.flush()) if (flag) server.acknowledge(packet);
          expect(server.streams.outstanding).toBeLessThanOrEqual(4_000);
          expect(server.streams.size).toBeLessThanOrEqual(3 + 2 + 2);
        }
      }),
      { numRuns: 150 },
    );
  });
});
