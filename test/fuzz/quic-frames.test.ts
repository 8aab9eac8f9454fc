/**
 * QUIC under frames: the parts that take them, and connections that take them in packets with the right keys. What is
 * wrong ends the connection with a code of RFC 9000; nothing else is thrown, and what is promised stays within its bound.
 */
import { describe, expect } from 'vitest';
import { QuicError, QuicFault } from '../../src/protocols/quic/error-codes.ts';
import { parseFrames } from '../../src/protocols/quic/frame-parser.ts';
import type { PacketKind } from '../../src/protocols/quic/frame-types.ts';
import { quicLimitValues } from '../../src/protocols/quic/limits.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { mutate, pickOf } from '../support/fuzz/mutation.ts';
import { framePayload } from '../support/fuzz/quic-frame-maker.ts';
import { clientPath, ConnectionPair } from '../unit/quic/connection-pair.ts';
import { Rogue } from '../unit/quic/rogue.ts';
import { recordFrames } from '../unit/protocols/quic/recorder.ts';
import { StreamSide } from '../unit/quic/streams-side.ts';

const CODES: ReadonlySet<number> = new Set(Object.values(QuicError));
const KINDS: readonly PacketKind[] = ['initial', 'zeroRtt', 'handshake', 'oneRtt'];
const SMALL = {
  maxStreamsBidi: 6,
  maxStreamsUni: 4,
  initialStreamWindow: 2_000,
  maxStreamWindow: 10_000,
  maxUnconsumedBytes: 40_000,
  maxSmallPieces: 500,
};

/** Runs what may throw a fault: its code. */
function faultOf(act: () => void): number | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (!(error instanceof QuicFault)) throw error;
    expect(CODES.has(error.code)).toBe(true);
    return error.code;
  }
}

describe('QUIC under frames', () => {
  fuzz('QUIC frames, parser', 4_000, (random) => {
    const corpus = [framePayload(random), framePayload(random)];
    const payload = random.chance(0.5) ? framePayload(random) : mutate(random, corpus);
    const { handler, frames, types } = recordFrames();
    faultOf(() => {
      parseFrames(payload, pickOf(random, KINDS), handler);
    });
    // Every frame is announced before it is taken.
    expect(frames.length).toBeLessThanOrEqual(types.length);
  });

  fuzz('QUIC frames, streams', 1_500, (random) => {
    const side = new StreamSide(random.pick(['client', 'server']), SMALL);
    const streams = [side.streams.openStream(true), side.streams.openStream(false)];
    for (const id of streams) side.streams.writeStream(id, new Uint8Array(500), random.chance(0.5));
    const reads = random.chance(0.7);
    for (let count = random.integer(1, 30); count > 0; count -= 1) {
      const payload = framePayload(random);
      // Frames that are not of streams are passed over by their place.
      const fault = faultOf(() => {
        try {
          side.receive(payload);
        } catch (error) {
          if (!(error instanceof Error && error.message.startsWith('a frame that is none'))) throw error;
        }
      });
      for (const event of side.take()) {
        if (!('streamId' in event)) continue;
        if (event.type === 'QuicStreamReceived' && reads)
          side.streams.streamConsumed(event.streamId, event.data.length);
        const { streamId } = event;
        if (event.type === 'QuicStreamReceived' && random.chance(0.1)) side.streams.stopSending(streamId, 1);
        if ((streamId & 2) === 0 && random.chance(0.1)) side.streams.resetStream(streamId, 1);
      }
      for (const packet of side.flush()) {
        if (random.chance(0.6)) side.acknowledge(packet);
        else side.lose(packet);
      }
      expect(side.streams.outstanding).toBeLessThanOrEqual(SMALL.maxUnconsumedBytes);
      expect(side.streams.size).toBeLessThanOrEqual(SMALL.maxStreamsBidi + SMALL.maxStreamsUni + 2);
      if (fault !== undefined) return;
    }
  });

  fuzz('QUIC frames, connections', 120, (random) => {
    const limits = quicLimitValues(SMALL);
    const pair = new ConnectionPair({
      client: { keylog: true, limits },
      server: { keylog: true, limits },
      latency: 1,
    }).connect();
    const as = random.pick(['client', 'server'] as const);
    const victim = as === 'client' ? 'server' : 'client';
    pair.consume = random.chance(0.7);
    const rogue = new Rogue(pair, as);
    const keys = rogue.keys('oneRtt');
    const connection = pair.side(victim);
    const path = victim === 'client' ? clientPath : pair.serverSees;
    for (let count = 60; count > 0 && pair.closed(victim) === undefined; count -= 1) {
      connection.datagramReceived(rogue.packet('oneRtt', framePayload(random, 6), { keys, size: 40 }), path, pair.now);
      pair.drain(victim);
      if (random.chance(0.3)) pair.wait(random.integer(1, 100));
      if (random.chance(0.2) && connection.availableStreams(true) > 0) {
        connection.writeStream(
          connection.openStream(true),
          new Uint8Array(random.integer(0, 3_000)),
          random.chance(0.5),
        );
      }
    }
    const closed = pair.closed(victim);
    if (closed?.application === false && closed.initiator !== 'network' && closed.initiator !== 'peer') {
      expect(CODES.has(closed.errorCode)).toBe(true);
    }
    // However it went, it ends, and leaves no timer.
    connection.close(0, '');
    pair.wait(60_000);
    expect([connection.isTerminated, connection.nextTimeout()]).toEqual([true, undefined]);
    const { events } = pair;
    expect(events[victim].filter(({ type }) => type === 'QuicConnectionClosed')).toHaveLength(1);
    expect(events[victim].at(-1)?.type).toBe('QuicConnectionClosed');
  });
});
