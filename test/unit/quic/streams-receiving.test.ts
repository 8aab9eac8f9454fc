/**
 * The receiving sides of streams: windows, limits, and what a peer may not do.
 */
import { describe, expect, it } from 'vitest';
import { bytesFrom, contentOf, recorded, sidePair, StreamSide } from './streams-side.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const EMPTY = new Uint8Array(0);

describe('RFC 9000 section 4.1: flow control', () => {
  it('more than the stream was allowed is FLOW_CONTROL_ERROR, the last byte is not', () => {
    const side = new StreamSide('server');
    expect(side.fault((streams) => streams.streamReceived(0, 64 * KIB - 1, bytesFrom(0, 1), false))).toBeUndefined();
    expect(side.fault((streams) => streams.streamReceived(4, 64 * KIB, bytesFrom(0, 1), false, false, 0x0e))).toBe(
      'flowControlError 0xe',
    );
  });

  it('more than the connection was allowed is FLOW_CONTROL_ERROR', () => {
    const side = new StreamSide('server', { maxUnconsumedBytes: 160 * KIB });
    side.streams.streamReceived(0, 64 * KIB - 1, bytesFrom(0, 1), false);
    expect(side.fault((streams) => streams.streamReceived(4, 16 * KIB, bytesFrom(0, 1), false, false, 0x0c))).toBe(
      'flowControlError 0xc',
    );
  });

  it('section 4.5: the final size of a RESET_STREAM counts', () => {
    const side = new StreamSide('server');
    expect(side.fault((streams) => streams.resetStreamReceived(0, 1, 64 * KIB + 1))).toBe('flowControlError 0x4');
    const other = new StreamSide('server', { maxUnconsumedBytes: 160 * KIB });
    other.streams.streamReceived(0, 64 * KIB - 1, bytesFrom(0, 1), false);
    expect(other.fault((streams) => streams.resetStreamReceived(4, 1, 16 * KIB + 1))).toBe('flowControlError 0x4');
  });

  it('section 19.8: an offset that no number holds is FLOW_CONTROL_ERROR', () => {
    const side = new StreamSide('server');
    expect(side.fault((streams) => streams.streamReceived(0, 2 ** 53, bytesFrom(0, 1), false))).toBe(
      'flowControlError 0x8',
    );
    expect(side.fault((streams) => streams.resetStreamReceived(0, 1, 2 ** 53))).toBe('flowControlError 0x4');
  });

  it('section 4.2: gives a stream its window back when half of it was consumed', () => {
    const side = new StreamSide('server');
    side.now = 1_000;
    side.streams.streamReceived(0, 0, bytesFrom(0, 64 * KIB), false);
    side.streams.streamConsumed(0, 32 * KIB - 1);
    expect(side.sends()).toEqual([]);
    side.streams.streamConsumed(0, 1);
    expect(side.sends()).toEqual([['maxStreamDataReceived', 0, 96 * KIB]]);
    expect(side.fault((streams) => streams.streamReceived(0, 96 * KIB - 1, bytesFrom(0, 1), false))).toBeUndefined();
    expect(side.fault((streams) => streams.streamReceived(0, 96 * KIB, bytesFrom(0, 1), false))).toBe(
      'flowControlError 0x8',
    );
  });

  it('gives none to a stream whose end is known, that was reset, or that nobody reads', () => {
    const side = new StreamSide('server');
    side.streams.streamReceived(0, 0, bytesFrom(0, 64 * KIB), true);
    side.streams.streamReceived(4, 0, bytesFrom(0, 64 * KIB), false);
    side.streams.resetStreamReceived(4, 1, 64 * KIB);
    side.streams.streamReceived(8, 0, bytesFrom(0, 64 * KIB), false);
    for (const id of [0, 4, 8]) side.streams.streamConsumed(id, 60 * KIB);
    side.streams.stopSending(8, 5);
    expect(side.sends()).toEqual([['stopSendingReceived', 8, 5]]);
  });

  it('lets a window grow while its reader keeps up, from a budget that streams share and get back', () => {
    const side = new StreamSide('server', { maxStreamWindow: 256 * KIB, maxUnconsumedBytes: 640 * KIB });
    const windowOf = (id: number, at: number): number => {
      const { streams } = side;
      streams.streamReceived(id, at, bytesFrom(at, 64 * KIB), false);
      streams.streamConsumed(id, 64 * KIB);
      const frame = side.sends().find(([name]) => name === 'maxStreamDataReceived');
      return (frame?.[2] as number) - at - 64 * KIB;
    };
    side.streams.roundTrip = 50;
    side.now = 10;
    expect(windowOf(0, 0)).toBe(128 * KIB);
    side.now = 20;
    expect(windowOf(0, 64 * KIB)).toBe(256 * KIB);
    side.now = 30;
    // The greatest window.
    side.streams.streamReceived(0, 128 * KIB, bytesFrom(0, 128 * KIB), false);
    side.streams.streamConsumed(0, 128 * KIB);
    expect(side.sends()).toContainEqual(['maxStreamDataReceived', 0, 512 * KIB]);
    // Half of the cap is the budget: 320 KiB, of which 192 are taken. What is not a whole doubling is given too.
    expect(windowOf(4, 0)).toBe(128 * KIB);
    expect(windowOf(8, 0)).toBe(128 * KIB);
    expect(windowOf(12, 0)).toBe(64 * KIB);
    side.streams.resetStreamReceived(0, 1, 256 * KIB);
    expect(windowOf(16, 0)).toBe(128 * KIB);
    expect(side.streams.outstanding).toBeLessThanOrEqual(640 * KIB);
  });

  it('does not let it grow for a reader that is slow, or when the sender is', () => {
    const side = new StreamSide('server');
    side.streams.roundTrip = 50;
    side.now = 10;
    side.streams.streamReceived(0, 0, bytesFrom(0, 64 * KIB), false);
    side.streams.streamConsumed(0, 40 * KIB);
    expect(side.sends()).toContainEqual(['maxStreamDataReceived', 0, 104 * KIB]);
    side.now = 1_000;
    side.streams.streamConsumed(0, 24 * KIB);
    side.streams.streamReceived(0, 64 * KIB, bytesFrom(0, 40 * KIB), false);
    side.streams.streamConsumed(0, 40 * KIB);
    expect(side.sends()).toContainEqual(['maxStreamDataReceived', 0, 168 * KIB]);
  });

  it('gives connection credit on receipt while little waits, and on consumption beyond', () => {
    const side = new StreamSide('server', { maxUnconsumedBytes: 640 * KIB });
    expect(side.streams.localParameters.initialMaxData).toBe(320 * KIB);
    const maxData = (): number[] =>
      side
        .sends()
        .filter(([name]) => name === 'maxDataReceived')
        .map(([, maximum]) => maximum as number);
    const limits: number[] = [];
    for (let stream = 0; stream < 10; stream += 1) {
      side.streams.streamReceived(4 * stream, 0, bytesFrom(0, 64 * KIB), false);
      limits.push(...maxData());
      expect(side.streams.outstanding).toBeLessThanOrEqual(640 * KIB);
    }
    expect(limits.at(-1)).toBe(640 * KIB);
    expect(side.streams.outstanding).toBe(640 * KIB);
    expect(side.fault((streams) => streams.streamReceived(80, 0, bytesFrom(0, 1), false))).toBe('flowControlError 0x8');
    side.streams.streamConsumed(0, 64 * KIB);
    expect(maxData()).toEqual([704 * KIB]);
  });

  it('RFC 9000 section 19.12: DATA_BLOCKED and STREAM_DATA_BLOCKED get what little there is', () => {
    const side = new StreamSide('server', { maxUnconsumedBytes: 640 * KIB });
    for (let stream = 0; stream < 10; stream += 1) {
      side.streams.streamReceived(4 * stream, 0, bytesFrom(0, 64 * KIB), false);
      side.flush();
    }
    const other = new StreamSide('server');
    other.streams.streamReceived(0, 0, bytesFrom(0, 64 * KIB), false);
    other.streams.streamConsumed(0, 10);
    expect(other.sends()).toEqual([]);
    other.streams.streamDataBlockedReceived(0, 64 * KIB);
    expect(other.sends()).toEqual([['maxStreamDataReceived', 0, 64 * KIB + 10]]);
    other.streams.streamDataBlockedReceived(0, 64 * KIB);
    expect(other.sends()).toEqual([]);
    const third = new StreamSide('server');
    third.streams.streamReceived(0, 0, bytesFrom(0, 1_000), false);
    expect(third.sends()).toEqual([]);
    third.streams.dataBlockedReceived(5);
    expect(third.sends()).toEqual([]);
    third.streams.dataBlockedReceived(5 * MIB);
    expect(third.sends()).toEqual([['maxDataReceived', 5 * MIB + 1_000]]);
  });

  it('holds nobody up whom a slow reader does not concern', () => {
    const [client, server] = sidePair();
    const slow = client.streams.openStream(true);
    const quick = client.streams.openStream(true);
    client.streams.writeStream(slow, bytesFrom(0, 300 * KIB), false);
    let read = 0;
    for (let round = 0; round < 1_000 && read < 12 * MIB; round += 1) {
      if (client.streams.sendCapacity(quick) > 0) {
        client.streams.writeStream(quick, new Uint8Array(64 * KIB), false);
      }
      for (const packet of client.flush()) {
        server.receive(packet.payload);
        client.acknowledge(packet);
      }
      for (const event of server.take()) {
        if (event.type !== 'QuicStreamReceived' || event.streamId !== quick) continue;
        server.streams.streamConsumed(quick, event.data.length);
        read += event.data.length;
      }
      for (const packet of server.flush()) {
        client.receive(packet.payload);
        server.acknowledge(packet);
      }
      expect(server.streams.outstanding).toBeLessThanOrEqual(10 * MIB);
    }
    expect(read).toBeGreaterThanOrEqual(12 * MIB);
    expect(client.streams.isBlocked(slow)).toBe(true);
  });
});

describe('what was given up', () => {
  it('RFC 9000 section 3.5: stopSending asks once, drops what comes, and gives its credit back', () => {
    const side = new StreamSide('server', { maxUnconsumedBytes: 160 * KIB });
    side.streams.streamReceived(0, 0, bytesFrom(0, 1_000), false);
    side.streams.streamReceived(0, 2_000, bytesFrom(2_000, 38 * KIB), false);
    side.take();
    side.streams.stopSending(0, 77);
    side.streams.stopSending(0, 78);
    expect(side.sends()).toContainEqual(['stopSendingReceived', 0, 77]);
    side.streams.streamReceived(0, 1_000, bytesFrom(1_000, 1_000), false);
    side.streams.streamReceived(0, 38 * KIB + 2_000, bytesFrom(0, 20 * KIB), false);
    expect(side.take()).toEqual([]);
    // It was all consumed: what is outstanding is the half that is kept open.
    side.flush();
    expect(side.streams.outstanding).toBe(80 * KIB);
    side.streams.streamConsumed(0, 1_000);
    expect(side.streams.outstanding).toBe(80 * KIB);
    side.streams.streamReceived(0, 58 * KIB + 2_000, EMPTY, true);
    side.streams.resetStream(0, 77);
    for (const packet of side.flush()) side.acknowledge(packet);
    expect([side.names(), side.streams.size]).toEqual([['QuicStreamClosed'], 0]);
  });

  it('gives credit back for what a reset left out, and for what nobody will read', () => {
    const side = new StreamSide('server', { maxUnconsumedBytes: 160 * KIB });
    side.streams.streamReceived(0, 0, bytesFrom(0, 10 * KIB), false);
    side.streams.resetStreamReceived(0, 1, 60 * KIB);
    side.flush();
    expect(side.streams.outstanding).toBe(80 * KIB + 10 * KIB);
    // The handler has ended: what it did not read is of no use.
    side.streams.resetStream(0, 2);
    side.flush();
    expect(side.streams.outstanding).toBe(80 * KIB);
  });

  it('sections 2.4 and 3.2: nothing is told of a stopped stream but that it is closed', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, bytesFrom(0, 1), true);
    side.streams.stopSending(id, 3);
    side.streams.resetStreamReceived(id, 3, 5_000);
    for (const packet of side.flush()) side.acknowledge(packet);
    expect([side.names(), side.streams.size]).toEqual([['QuicStreamClosed'], 0]);
  });

  it('counts a stream that is closed until it is consumed', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, EMPTY, true);
    for (const packet of side.flush()) side.acknowledge(packet);
    side.streams.streamReceived(id, 0, bytesFrom(0, 1_000), true);
    expect(side.names()).toEqual(['QuicStreamReceived', 'QuicStreamClosed']);
    expect(side.streams.size).toBe(1);
    side.streams.streamConsumed(id, 400);
    side.streams.streamConsumed(id, Number.NaN);
    side.streams.streamConsumed(id, -5);
    expect(side.streams.size).toBe(1);
    side.streams.streamConsumed(id, 4_000);
    expect(side.streams.size).toBe(0);
    side.streams.streamConsumed(id, 1);
    side.streams.streamConsumed(99, 1);
    expect(side.streams.outstanding).toBe(5 * MIB - 1_000);
  });
});

describe('RFC 9000 section 4.6: limits on streams', () => {
  const open = (side: StreamSide, index: number): string | undefined =>
    side.fault((streams) => streams.streamReceived(4 * index, 0, EMPTY, true));
  /** The server's application answers, and its answer arrives. */
  const answer = (side: StreamSide, index: number): void => {
    side.streams.writeStream(4 * index, EMPTY, true);
    for (const packet of side.flush()) side.acknowledge(packet);
  };

  it('a stream beyond the limit is STREAM_LIMIT_ERROR, and opens those before it otherwise', () => {
    const side = new StreamSide('server', { maxStreamsBidi: 3, maxStreamsUni: 1 });
    expect(side.streams.localParameters).toMatchObject({ initialMaxStreamsBidi: 3, initialMaxStreamsUni: 1 });
    expect(open(side, 3)).toBe('streamLimitError 0x8');
    expect(open(side, 2)).toBeUndefined();
    expect(side.streams.size).toBe(1);
    expect([open(side, 0), open(side, 1)]).toEqual([undefined, undefined]);
    expect(side.streams.size).toBe(3);
  });

  it('MAX_STREAMS rises as streams close, in steps', () => {
    const side = new StreamSide('server', { maxStreamsBidi: 16 });
    open(side, 0);
    side.streams.writeStream(0, EMPTY, true);
    const [packet] = side.flush();
    if (packet !== undefined) side.acknowledge(packet);
    expect(side.sends()).toEqual([]);
    open(side, 1);
    side.streams.writeStream(4, EMPTY, true);
    for (const other of side.flush()) side.acknowledge(other);
    expect(side.sends()).toEqual([['maxStreamsReceived', true, 18]]);
    expect([open(side, 17), open(side, 18)]).toEqual([undefined, 'streamLimitError 0x8']);
  });

  it('at once when the peer has none left, or says so by STREAMS_BLOCKED', () => {
    const side = new StreamSide('server', { maxStreamsBidi: 16 });
    for (let index = 0; index < 16; index += 1) open(side, index);
    answer(side, 5);
    expect(side.sends()).toEqual([['maxStreamsReceived', true, 17]]);
    const other = new StreamSide('server', { maxStreamsBidi: 16 });
    open(other, 0);
    answer(other, 0);
    expect(other.sends()).toEqual([]);
    other.streams.streamsBlockedReceived(true, 15);
    other.streams.streamsBlockedReceived(false, 16);
    expect(other.sends()).toEqual([]);
    other.streams.streamsBlockedReceived(true, 16);
    expect(other.sends()).toEqual([['maxStreamsReceived', true, 17]]);
  });

  it('a rapid reset (CVE-2023-44487) gains no stream until the application has done with one', () => {
    const side = new StreamSide('server', { maxStreamsBidi: 8 });
    let opened = 0;
    const attack = (): void => {
      for (; ; opened += 1) {
        const id = 4 * opened;
        const refused = side.fault((streams) => {
          streams.streamReceived(id, 0, bytesFrom(0, 10), false);
          streams.resetStreamReceived(id, 1, 10);
          streams.stopSendingReceived(id, 1);
        });
        if (refused !== undefined) return;
        for (const packet of side.flush()) side.acknowledge(packet);
      }
    };
    attack();
    expect([opened, side.streams.size]).toEqual([8, 8]);
    attack();
    expect(opened).toBe(8);
    expect(side.take().filter(({ type }) => type === 'QuicStreamClosed')).toHaveLength(8);
    // Handlers end, which HTTP/3 says by resetting what is reset already.
    side.streams.resetStream(0, 1);
    side.streams.resetStream(4, 1);
    expect(side.sends()).toEqual([['maxStreamsReceived', true, 10]]);
    attack();
    expect([opened, side.streams.size]).toEqual([10, 8]);
  });

  it('keeps nothing of streams that are closed, however many there were', () => {
    const side = new StreamSide('server', { maxStreamsBidi: 4, maxStreamsUni: 4 });
    for (let index = 0; index < 20_000; index += 1) {
      expect(open(side, index)).toBeUndefined();
      answer(side, index);
      side.streams.streamReceived(4 * index + 2, 0, bytesFrom(0, 3), true);
      side.streams.streamConsumed(4 * index + 2, 3);
      side.take();
      side.flush();
    }
    expect(side.streams.size).toBe(0);
    // Frames of those of long ago are passed over, whatever they say.
    side.streams.streamReceived(400, 5_000, bytesFrom(0, 100), true);
    side.streams.resetStreamReceived(402, 1, 2 ** 40);
    side.streams.stopSendingReceived(400, 1);
    side.streams.maxStreamDataReceived(400, 1);
    side.streams.streamDataBlockedReceived(402, 1);
    expect([side.take(), side.streams.size, side.streams.hasPending]).toEqual([[], 0, false]);
  });
});

describe('the final size of streams that are forgotten (RFC 9000 section 4.5)', () => {
  /** As many streams of ten bytes came and are gone. */
  function after(count: number): StreamSide {
    const side = new StreamSide('server', { maxStreamsUni: 4 });
    for (let index = 0; index < count; index += 1) {
      side.streams.streamReceived(4 * index + 2, 0, bytesFrom(0, 10), true);
      side.streams.streamConsumed(4 * index + 2, 10);
      side.take();
      side.flush();
    }
    expect(side.streams.size).toBe(0);
    return side;
  }

  it('does not change: not by data behind it, another end, nor a reset', () => {
    for (const index of [36, 99]) {
      const id = 4 * index + 2;
      const side = after(100);
      expect(side.fault((streams) => streams.streamReceived(id, 10, bytesFrom(0, 1), false))).toBe(
        'finalSizeError 0x8',
      );
      expect(side.fault((streams) => streams.streamReceived(id, 0, bytesFrom(0, 9), true))).toBe('finalSizeError 0x8');
      expect(side.fault((streams) => streams.resetStreamReceived(id, 1, 9))).toBe('finalSizeError 0x4');
      expect(side.fault((streams) => streams.resetStreamReceived(id, 1, 2 ** 40))).toBe('finalSizeError 0x4');
      // What was on its way twice is no fault.
      side.streams.streamReceived(id, 4, bytesFrom(4, 6), true);
      side.streams.streamReceived(id, 0, bytesFrom(0, 10), false);
      side.streams.resetStreamReceived(id, 1, 10);
      expect([side.take(), side.streams.size]).toEqual([[], 0]);
    }
  });

  it('is not kept of streams of long ago, so that memory has a bound', () => {
    const side = after(100);
    side.streams.streamReceived(4 * 35 + 2, 5_000, bytesFrom(0, 100), true);
    side.streams.resetStreamReceived(2, 1, 2 ** 40);
    expect([side.take(), side.streams.size, side.streams.hasPending]).toEqual([[], 0, false]);
  });

  it('is that of the receiving side: of a stream that only we send on there is none', () => {
    const side = new StreamSide('server');
    const id = side.streams.openStream(false);
    side.streams.writeStream(id, bytesFrom(0, 3), true);
    for (const packet of side.flush()) side.acknowledge(packet);
    expect(side.streams.size).toBe(0);
    expect(side.fault((streams) => streams.resetStreamReceived(id, 1, 0))).toBe('streamStateError 0x4');
  });
});

describe('pieces', () => {
  it('RFC 9000 section 2.2: gives bytes once and in order, whichever come first', () => {
    const side = new StreamSide('server');
    for (const [offset, length] of [
      [50, 10],
      [20, 40],
      [0, 5],
      [3, 10],
      [5, 20],
      [60, 0],
      [0, 60],
    ] as const) {
      side.streams.streamReceived(0, offset, bytesFrom(offset, length), false);
    }
    side.streams.streamReceived(0, 60, EMPTY, true);
    const events = side.take();
    expect(contentOf(events, 0).equals(bytesFrom(0, 60))).toBe(true);
    expect(events.filter((event) => event.type === 'QuicStreamReceived' && event.fin)).toHaveLength(1);
  });

  it('says which data came early', () => {
    const early = new StreamSide('server');
    early.streams.streamReceived(0, 0, bytesFrom(0, 5), false, true);
    early.streams.streamReceived(0, 5, bytesFrom(5, 5), false, false);
    expect(early.take().map((event) => 'early' in event && event.early)).toEqual([true, false]);
  });

  it('does not keep a packet for a few bytes of it', () => {
    const side = new StreamSide('server');
    const packet = new Uint8Array(1_200);
    side.streams.streamReceived(0, 0, packet.subarray(100, 101), false);
    side.streams.streamReceived(0, 1, packet.subarray(0, 1_100), false);
    const sizes = side.take().map((event) => ('data' in event ? event.data.buffer.byteLength : 0));
    expect(sizes).toEqual([1, 1_200]);
  });

  it('a flood of tiny frames that nobody reads ends the connection', () => {
    const side = new StreamSide('server', { maxSmallPieces: 1_000 });
    const flood = side.fault((streams) => {
      for (let offset = 0; offset < 10_000; offset += 1) streams.streamReceived(0, offset, bytesFrom(0, 1), false);
    });
    expect([flood, side.take().length]).toEqual(['internalError 0x8', 1_000]);
    const read = new StreamSide('server', { maxSmallPieces: 1_000 });
    for (let offset = 0; offset < 10_000; offset += 1) {
      read.streams.streamReceived(0, offset, bytesFrom(0, 1), false);
      if (offset % 100 === 99) read.streams.streamConsumed(0, 100);
    }
    expect(read.take()).toHaveLength(10_000);
  });

  it('counts small pieces of a stream no more that was reset or given up', () => {
    const side = new StreamSide('server', { maxSmallPieces: 100 });
    for (let index = 0; index < 100; index += 1) {
      const id = 4 * index;
      for (let offset = 0; offset < 60; offset += 1) side.streams.streamReceived(id, offset, bytesFrom(0, 1), false);
      if (index % 2 === 0) {
        side.streams.resetStreamReceived(id, 1, 60);
        side.streams.resetStream(id, 1);
      } else {
        side.streams.stopSending(id, 1);
      }
    }
    expect(side.take().length).toBeGreaterThan(6_000);
  });

  it('a stream full of gaps ends the connection; large pieces behind a lost one do not', () => {
    const side = new StreamSide('server');
    const gaps = side.fault((streams) => {
      for (let offset = 1; offset < 60_000; offset += 2) streams.streamReceived(0, offset, bytesFrom(0, 1), false);
    });
    expect(gaps).toBe('internalError 0x8');
    const wide = new StreamSide('server', { initialStreamWindow: 5 * MIB });
    for (let offset = 1_200; offset < 4 * MIB; offset += 1_200) {
      wide.streams.streamReceived(0, offset, bytesFrom(offset, 1_200), false);
    }
    wide.streams.streamReceived(0, 0, bytesFrom(0, 1_200), false);
    expect(contentOf(wide.take(), 0).length).toBeGreaterThan(4 * MIB - 1_200);
  });

  it('empty frames tell nothing and keep nothing', () => {
    const side = new StreamSide('server');
    for (let count = 0; count < 10_000; count += 1) side.streams.streamReceived(0, 0, EMPTY, false);
    expect([side.take(), side.streams.size, side.streams.hasPending]).toEqual([[], 1, false]);
  });
});

describe('RFC 9221: DATAGRAM', () => {
  it('section 3: one that is too long, or that nobody asked for, is PROTOCOL_VIOLATION', () => {
    const side = new StreamSide('server', { maxDatagramFrameBytes: 100 });
    expect(side.streams.localParameters.maxDatagramFrameSize).toBe(100);
    expect(side.fault((streams) => streams.datagramReceived(bytesFrom(0, 99)))).toBeUndefined();
    expect(side.fault((streams) => streams.datagramReceived(bytesFrom(0, 100)))).toBe('protocolViolation 0x30');
    expect(side.take()).toEqual([{ type: 'QuicDatagramReceived', data: bytesFrom(0, 99) }]);
    const none = new StreamSide('server', { maxDatagramFrameBytes: 0 });
    expect(none.fault((streams) => streams.datagramReceived(EMPTY))).toBe('protocolViolation 0x30');
  });

  it('queues as many as may wait, drops the oldest, and never sends one again', () => {
    const side = new StreamSide('client', { maxQueuedDatagrams: 4 });
    for (let number = 0; number < 6; number += 1) expect(side.streams.sendDatagram(Uint8Array.of(number))).toBe(true);
    const [packet] = side.flush();
    expect(recorded(packet?.payload ?? EMPTY).map(([, data]) => data)).toEqual(['02', '03', '04', '05']);
    if (packet !== undefined) side.lose(packet);
    expect(side.streams.hasPending).toBe(false);
  });

  it('refuses what fits in no packet, or what the peer does not take', () => {
    const none = new StreamSide('client', {}, { maxDatagramFrameSize: 0 });
    expect([none.streams.maxDatagramLength, none.streams.sendDatagram(EMPTY)]).toEqual([0, false]);
    for (const [peer, room, length] of [
      [65_535, 1_150, 1_147],
      [1_000, 1_150, 997],
      [66, 1_150, 63],
      [67, 1_150, 64],
      [20, 1_150, 18],
    ] as const) {
      const side = new StreamSide('client', {}, { maxDatagramFrameSize: peer });
      side.streams.setPacketRoom(room);
      expect(side.streams.maxDatagramLength).toBe(length);
      expect(side.streams.sendDatagram(new Uint8Array(length + 1))).toBe(false);
      expect(side.streams.sendDatagram(new Uint8Array(length))).toBe(true);
      expect(recorded(side.packet(room).payload)).toHaveLength(1);
    }
  });

  it('waits for the next packet, and is dropped when packets have become too small', () => {
    const side = new StreamSide('client');
    side.streams.sendDatagram(new Uint8Array(800));
    side.streams.sendDatagram(new Uint8Array(800));
    expect(recorded(side.packet().payload)).toHaveLength(1);
    side.streams.setPacketRoom(500);
    expect(side.streams.hasPending).toBe(true);
    expect(recorded(side.packet(500).payload)).toEqual([]);
    expect(side.streams.hasPending).toBe(false);
  });
});
