/**
 * The sending sides of streams: what goes into packets, in which order, and again.
 */
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../src/common/index.ts';
import { defaultTransportParameters } from '../../../src/protocols/quic/transport-parameters.ts';
import { bytesFrom, exchange, generous, recorded, sidePair, StreamSide } from './streams-side.ts';
import type { SidePacket } from './streams-side.ts';

const KIB = 1024;
const EMPTY = new Uint8Array(0);

/** The ids of STREAM frames, packet by packet. */
function order(packets: readonly SidePacket[]): number[] {
  return packets.flatMap(({ payload }) =>
    recorded(payload)
      .filter(([name]) => name === 'streamReceived')
      .map(([, id]) => id as number),
  );
}

/** How many streams of its kind are opened and given so many bytes. */
function fill(side: StreamSide, count: number, length: number): number[] {
  return Array.from({ length: count }, () => {
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, bytesFrom(0, length), true);
    return id;
  });
}

describe('opening', () => {
  it('RFC 9000 section 2.1: ids of each kind ascend by four', () => {
    const client = new StreamSide('client');
    const server = new StreamSide('server');
    const ids = (side: StreamSide): number[] => [true, true, false, false].map((kind) => side.streams.openStream(kind));
    expect([ids(client), ids(server)]).toEqual([
      [0, 4, 2, 6],
      [1, 5, 3, 7],
    ]);
  });

  it('section 4.6: no more than the peer allows; it is told so once for each limit, and again when that was lost', () => {
    const side = new StreamSide('client', {}, { initialMaxStreamsBidi: 1 });
    expect([side.streams.availableStreams(true), side.streams.openStream(true)]).toEqual([1, 0]);
    expect(side.streams.availableStreams(true)).toBe(0);
    expect(() => side.streams.openStream(true)).toThrow(LocalProtocolError);
    expect(() => side.streams.openStream(true)).toThrow(LocalProtocolError);
    const [packet] = side.flush();
    expect(recorded(packet?.payload ?? EMPTY)).toEqual([['streamsBlockedReceived', true, 1]]);
    if (packet !== undefined) side.lose(packet);
    expect(side.sends()).toEqual([['streamsBlockedReceived', true, 1]]);
    side.streams.maxStreamsReceived(true, 3);
    side.streams.maxStreamsReceived(true, 2);
    if (packet !== undefined) side.lose(packet);
    expect([side.take(), side.sends()]).toEqual([
      [{ type: 'QuicStreamsAvailable', bidirectional: true, count: 2 }],
      [],
    ]);
    side.streams.openStream(true);
    side.streams.openStream(true);
    expect(() => side.streams.openStream(true)).toThrow(LocalProtocolError);
    expect(side.sends()).toEqual([['streamsBlockedReceived', true, 3]]);
  });

  it('none before the peer is known, nor behind the end', () => {
    const side = new StreamSide('client', {}, 'unknown');
    expect(side.streams.availableStreams(false)).toBe(0);
    expect(() => side.streams.openStream(false)).toThrow(LocalProtocolError);
    const over = new StreamSide('client');
    const id = over.streams.openStream(true);
    over.streams.writeStream(id, bytesFrom(0, 5_000), false);
    over.packet();
    const sent = over.streams.sentBytes(id);
    over.streams.terminate();
    expect(() => over.streams.openStream(true)).toThrow(LocalProtocolError);
    over.streams.writeStream(id, bytesFrom(0, 5), false);
    over.streams.resetStream(id, 1);
    over.streams.stopSending(id, 1);
    over.streams.streamReceived(id, 0, bytesFrom(0, 5), true);
    over.packet();
    expect(over.streams.sendDatagram(EMPTY)).toBe(false);
    expect([over.take(), over.streams.hasPending, over.streams.unsentBytes, over.streams.sendCapacity(id)]).toEqual([
      [],
      false,
      0,
      0,
    ]);
    expect([sent > 1_000, over.streams.sentBytes(id), over.streams.hasUnacknowledged(id)]).toEqual([true, sent, false]);
  });
});

it('RFC 9000 section 3.2: streams that a later one opened can be sent on before anything of them came', () => {
  const side = new StreamSide('server');
  side.streams.streamReceived(8, 0, bytesFrom(0, 1), false);
  expect([side.streams.sendCapacity(4), side.streams.size]).toEqual([64 * KIB, 2]);
  side.streams.writeStream(4, bytesFrom(0, 3), true);
  side.streams.resetStream(0, 7);
  expect(side.sends().map(([name, id]) => [name, id])).toEqual([
    ['resetStreamReceived', 0],
    ['streamReceived', 4],
  ]);
  side.streams.streamReceived(4, 0, bytesFrom(0, 5), true);
  expect(side.names()).toEqual(['QuicStreamReceived', 'QuicStreamReceived']);
  expect(() => side.streams.writeStream(12, bytesFrom(0, 1), false)).toThrow(LocalProtocolError);
});

describe('misuse by the application throws and changes nothing', () => {
  const calls: [string, (side: StreamSide) => void][] = [
    ['a write to no stream', ({ streams }) => streams.writeStream(400, EMPTY, true)],
    ["a write to a stream of the peer's that it has not opened", ({ streams }) => streams.writeStream(1, EMPTY, true)],
    ['a reset of no stream', ({ streams }) => streams.resetStream(400, 1)],
    ['stopSending of no stream', ({ streams }) => streams.stopSending(400, 1)],
    ['stopSending of a stream that is only sent on', ({ streams }) => streams.stopSending(2, 1)],
    ['a write to a stream that is only received on', ({ streams }) => streams.writeStream(3, EMPTY, false)],
    ['a reset of a stream that is only received on', ({ streams }) => streams.resetStream(3, 1)],
    ['a write behind the end', ({ streams }) => streams.writeStream(4, EMPTY, true)],
    ['an urgency that is none', ({ streams }) => streams.setStreamPriority(0, 8, false)],
    ['an urgency that is no whole number', ({ streams }) => streams.setStreamPriority(0, 1.5, false)],
    ['the priority of no stream', ({ streams }) => streams.setStreamPriority(400, 1, false)],
  ];

  it.each(calls)('%s', (_name, call) => {
    const side = new StreamSide('client');
    side.streams.openStream(true);
    side.streams.openStream(false);
    side.streams.streamReceived(3, 0, bytesFrom(0, 1), false);
    side.streams.writeStream(side.streams.openStream(true), bytesFrom(0, 1), true);
    side.flush();
    side.take();
    expect(() => {
      call(side);
    }).toThrow(LocalProtocolError);
    expect([side.take(), side.sends()]).toEqual([[], []]);
  });
});

describe('send buffers', () => {
  it('have room for 64 KiB and one write beyond, and tell once when half of it is free', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    expect(side.streams.sendCapacity(id)).toBe(64 * KIB);
    side.streams.writeStream(id, bytesFrom(0, 64 * KIB - 1), false);
    expect(side.streams.sendCapacity(id)).toBe(1);
    side.streams.writeStream(id, bytesFrom(0, 100 * KIB), false);
    expect(side.streams.sendCapacity(id)).toBe(0);
    let unsent = 164 * KIB - 1;
    while (side.take().length === 0) {
      expect(unsent * 2).toBeGreaterThan(64 * KIB);
      side.packet();
      unsent = 164 * KIB - 1 - side.streams.sentBytes(id);
    }
    expect(unsent * 2).toBeLessThanOrEqual(64 * KIB);
    side.flush();
    expect([side.take(), side.streams.sendCapacity(id)]).toEqual([[], 64 * KIB]);
  });

  it('tell of room without having been asked', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, bytesFrom(0, 64 * KIB), false);
    side.flush();
    expect(side.take()).toEqual([{ type: 'QuicStreamWritable', streamId: id }]);
    side.streams.writeStream(id, bytesFrom(0, 64 * KIB), true);
    side.flush();
    expect([side.take(), side.streams.sendCapacity(id)]).toEqual([[], 0]);
  });

  it('share a bound, unacknowledged bytes counted; those that wait are told when an eighth of it is free', () => {
    const side = new StreamSide('client', { maxUnsentBytes: 100 * KIB });
    const [one, two] = [side.streams.openStream(true), side.streams.openStream(true)];
    side.streams.writeStream(one, bytesFrom(0, 60 * KIB), false);
    expect(side.streams.sendCapacity(two)).toBe(40 * KIB);
    side.streams.writeStream(two, bytesFrom(0, 60 * KIB), false);
    expect([side.streams.sendCapacity(one), side.streams.sendCapacity(two)]).toEqual([0, 0]);
    const packets = side.flush();
    expect([side.take(), side.streams.sendCapacity(one)]).toEqual([[], 0]);
    let kept = side.streams.unsentBytes;
    for (const packet of packets) {
      side.acknowledge(packet);
      if (side.events.length > 0) break;
      kept = side.streams.unsentBytes;
    }
    expect(kept * 8).toBeGreaterThan(100 * KIB * 7);
    expect(side.take().map((event) => 'streamId' in event && event.streamId)).toEqual([one, two]);
    for (const packet of packets) side.acknowledge(packet);
    expect([side.take(), side.streams.unsentBytes]).toEqual([[], 0]);
  });

  it('take whatever is written, and put small writes together', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    for (let offset = 0; offset < 10_000; offset += 1)
      side.streams.writeStream(id, bytesFrom(offset, 1), offset === 9_999);
    const packets = side.flush();
    expect(packets.length).toBeLessThan(12);
    const all = packets.flatMap(({ payload }) => recorded(payload));
    expect(all.length).toBeLessThan(14);
    const text = all.map(([, , , data]) => data as string).join('');
    expect(text).toBe(Buffer.from(bytesFrom(0, 10_000)).toString('hex'));
  });

  it('let go of what arrived, and of everything after a reset', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, bytesFrom(0, 50_000), false);
    expect([side.streams.hasUnacknowledged(id), side.streams.unsentBytes]).toEqual([true, 50_000]);
    side.packet();
    side.streams.resetStream(id, 5);
    expect([side.streams.hasUnacknowledged(id), side.streams.unsentBytes]).toEqual([false, 0]);
    side.streams.writeStream(id, bytesFrom(0, 5), true);
    side.streams.resetStream(id, 6);
    expect([side.streams.sendCapacity(id), side.streams.unsentBytes]).toEqual([0, 0]);
    expect(side.sends()).toEqual([['resetStreamReceived', id, 5, side.streams.sentBytes(id)]]);
  });

  it('say what has not arrived', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    expect(side.streams.hasUnacknowledged(id)).toBe(false);
    side.streams.writeStream(id, bytesFrom(0, 10), false);
    expect(side.streams.hasUnacknowledged(id)).toBe(true);
    for (const packet of side.flush()) side.acknowledge(packet);
    expect(side.streams.hasUnacknowledged(id)).toBe(false);
    side.streams.writeStream(id, EMPTY, true);
    expect(side.streams.hasUnacknowledged(id)).toBe(true);
    for (const packet of side.flush()) side.acknowledge(packet);
    expect([side.streams.hasUnacknowledged(id), side.streams.hasUnacknowledged(400)]).toEqual([false, false]);
  });
});

describe('RFC 9218: priorities', () => {
  const priorities = (side: StreamSide, ids: number[], urgency: number, incremental: boolean): void => {
    for (const id of ids) side.streams.setStreamPriority(id, urgency, incremental);
  };

  it('section 10: streams of the same urgency go one after the other, in the order of their ids', () => {
    const side = new StreamSide('client');
    fill(side, 3, 3_000);
    expect([...new Set(order(side.flush()))]).toEqual([0, 4, 8]);
    const sent = order([]);
    fill(side, 3, 3_000);
    sent.push(...order(side.flush()));
    expect(sent).toEqual([...sent].sort((one, other) => one - other));
  });

  it('section 4.1: the lesser urgency goes first, also when it comes later', () => {
    const side = new StreamSide('client');
    const [first, second] = fill(side, 2, 3_000) as [number, number];
    side.streams.setStreamPriority(first, 5, false);
    const begun = order([side.packet()]);
    const late = side.streams.openStream(true);
    side.streams.setStreamPriority(late, 0, true);
    side.streams.writeStream(late, bytesFrom(0, 2_500), true);
    const rest = order(side.flush());
    expect(begun).toEqual([second]);
    expect(rest.slice(0, 3)).toEqual([late, late, late]);
    expect(rest.lastIndexOf(second)).toBeLessThan(rest.indexOf(first));
  });

  it('section 4.2: incremental ones take turns', () => {
    const side = new StreamSide('client');
    const ids = fill(side, 3, 4_400);
    priorities(side, ids, 1, true);
    const sent = order(side.flush());
    expect(sent.slice(0, 6)).toEqual([0, 4, 8, 0, 4, 8]);
  });

  it('both kinds of one urgency share', () => {
    const side = new StreamSide('client');
    const ids = fill(side, 2, 6_000) as [number, number];
    priorities(side, [ids[1]], 3, true);
    const sent = order(side.flush());
    expect(sent.slice(0, 4).filter((id) => id === ids[0])).toHaveLength(2);
  });

  it('whatever is set when, every stream is sent, and lost data of a lesser urgency before new data of a greater', () => {
    const side = new StreamSide('client');
    const ids = fill(side, 4, 2_000) as [number, number, number, number];
    side.streams.setStreamPriority(ids[3], 0, false);
    const packet = side.packet();
    side.lose(packet);
    expect(order([side.packet()])).toEqual([ids[3]]);
    side.streams.setStreamPriority(ids[0], 7, true);
    side.streams.setStreamPriority(ids[0], 7, false);
    expect(new Set(order(side.flush()))).toEqual(new Set(ids));
    side.streams.setStreamPriority(ids[0], 2, true);
    expect(side.streams.hasPending).toBe(false);
  });
});

describe('RFC 9000 section 4.1: the limits of the peer', () => {
  it('nothing is sent beyond a limit, and the peer is told once that data wait', () => {
    const side = new StreamSide('client', {}, { initialMaxStreamDataBidiRemote: 1_000 });
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, bytesFrom(0, 5_000), true);
    const packets = side.flush();
    expect(
      packets.flatMap(({ payload }) => recorded(payload)).map(([name, ...rest]) => [name, ...rest.slice(0, 2)]),
    ).toEqual([
      ['streamReceived', id, 0],
      ['streamDataBlockedReceived', id, 1_000],
    ]);
    expect([side.streams.sentBytes(id), side.streams.isBlocked(id), side.streams.hasPending]).toEqual([
      1_000,
      true,
      false,
    ]);
    side.lose(packets[1] as SidePacket);
    expect(side.sends()).toEqual([['streamDataBlockedReceived', id, 1_000]]);
    side.streams.maxStreamDataReceived(id, 999);
    expect(side.streams.hasPending).toBe(false);
    side.streams.maxStreamDataReceived(id, 5_000);
    side.lose(packets[1] as SidePacket);
    expect(side.sends().map(([name]) => name)).not.toContain('streamDataBlockedReceived');
    expect([side.streams.sentBytes(id), side.streams.isBlocked(id)]).toEqual([5_000, false]);
  });

  it("the connection's as well; data that were sent once need no credit", () => {
    const side = new StreamSide('client', {}, { initialMaxData: 2_000 });
    const [one, two] = fill(side, 2, 1_500) as [number, number];
    const packets = side.flush();
    const names = packets.flatMap(({ payload }) => recorded(payload)).map(([name]) => name);
    expect(names.filter((name) => name === 'dataBlockedReceived')).toHaveLength(1);
    expect([side.streams.sentBytes(one), side.streams.sentBytes(two), side.streams.isBlocked(two)]).toEqual([
      1_500,
      500,
      true,
    ]);
    const blocked = packets.at(-1) as SidePacket;
    for (const packet of packets) side.lose(packet);
    const again = side.flush().flatMap(({ payload }) => recorded(payload));
    expect(again.filter(([name]) => name === 'streamReceived').length).toBeGreaterThan(1);
    expect(again.filter(([name]) => name === 'dataBlockedReceived')).toEqual([['dataBlockedReceived', 2_000]]);
    side.streams.maxDataReceived(1_000);
    expect(side.streams.hasPending).toBe(false);
    side.streams.maxDataReceived(2_600);
    side.lose(blocked);
    const more = side.sends();
    expect(more.at(-1)).toEqual(['dataBlockedReceived', 2_600]);
    expect([side.streams.sentBytes(two), more.filter(([name]) => name === 'dataBlockedReceived').length]).toEqual([
      1_100, 1,
    ]);
    side.streams.maxDataReceived(2 ** 53);
    side.flush();
    expect([side.streams.sentBytes(two), side.streams.isBlocked(two)]).toEqual([1_500, false]);
  });

  it('an end without bytes needs no credit', () => {
    const side = new StreamSide('client', {}, { initialMaxData: 0, initialMaxStreamDataBidiRemote: 0 });
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, EMPTY, true);
    expect(side.sends()).toEqual([['streamReceived', id, 0, '', true]]);
  });

  it('section 4.6: MAX_STREAMS that is greater than any number is as good as none', () => {
    const side = new StreamSide('client');
    side.streams.maxStreamsReceived(true, 2 ** 53);
    expect(side.streams.availableStreams(true)).toBeGreaterThan(2 ** 50);
    expect(side.streams.openStream(true)).toBe(0);
  });
});

describe('RFC 9000 section 13.3: what was lost', () => {
  it('data go again in the stretches that fit, and not those that arrived', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, bytesFrom(0, 4_000), true);
    const packets = side.flush();
    side.acknowledge(packets[1] as SidePacket);
    for (const packet of packets) side.lose(packet);
    const offsets = side.sends(600).map(([, , offset]) => offset as number);
    const second = recorded((packets[1] as SidePacket).payload)[0]?.[2] as number;
    expect(offsets).toContain(0);
    expect(offsets).not.toContain(second);
    expect(offsets.length).toBeGreaterThan(4);
  });

  it('an end goes again alone, and nothing once it arrived', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, bytesFrom(0, 10), false);
    const [data] = side.flush();
    side.streams.writeStream(id, EMPTY, true);
    const [end] = side.flush();
    side.lose(end as SidePacket);
    const [again] = side.flush();
    expect(recorded((again as SidePacket).payload)).toEqual([['streamReceived', id, 10, '', true]]);
    side.lose(end as SidePacket);
    side.acknowledge(again as SidePacket);
    expect(side.streams.hasPending).toBe(false);
    side.acknowledge(data as SidePacket);
    side.lose(data as SidePacket);
    expect([side.streams.hasPending, side.streams.hasUnacknowledged(id)]).toEqual([false, false]);
  });

  it('RESET_STREAM goes again until it arrived; data of a reset stream do not', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    side.streams.writeStream(id, bytesFrom(0, 100), false);
    const [data] = side.flush();
    side.streams.resetStream(id, 3);
    const [reset] = side.flush();
    side.lose(data as SidePacket);
    expect(side.streams.hasPending).toBe(false);
    side.lose(reset as SidePacket);
    expect(side.sends()).toEqual([['resetStreamReceived', id, 3, 100]]);
    side.acknowledge(reset as SidePacket);
    side.lose(reset as SidePacket);
    expect(side.streams.hasPending).toBe(false);
    // What arrived late makes no difference.
    side.acknowledge(data as SidePacket);
    side.streams.streamReceived(id, 0, EMPTY, true);
    expect(side.names()).toEqual(['QuicStreamReceived', 'QuicStreamClosed']);
  });

  it('STOP_SENDING goes again unless the peer has stopped', () => {
    const side = new StreamSide('client');
    const id = side.streams.openStream(true);
    side.streams.stopSending(id, 3);
    const [stop] = side.flush();
    side.lose(stop as SidePacket);
    expect(side.sends()).toEqual([['stopSendingReceived', id, 3]]);
    side.streams.streamReceived(id, 0, EMPTY, true);
    side.lose(stop as SidePacket);
    expect(side.streams.hasPending).toBe(false);
  });

  it('a limit goes again only when it is the last that was sent, with what is true then', () => {
    const side = new StreamSide('server', { maxStreamsBidi: 8 });
    const consume = (offset: number): SidePacket => {
      side.now += 1_000;
      side.streams.streamReceived(0, offset, new Uint8Array(40 * KIB), false);
      side.streams.streamConsumed(0, 40 * KIB);
      return side.flush()[0] as SidePacket;
    };
    const first = consume(0);
    const second = consume(40 * KIB);
    side.lose(first);
    expect(side.streams.hasPending).toBe(false);
    side.streams.streamReceived(0, 80 * KIB, new Uint8Array(10), false);
    side.streams.streamConsumed(0, 10);
    side.lose(second);
    const [name, , maximum] = side.sends()[0] ?? [];
    expect([name, (maximum as number) % KIB]).toEqual(['maxStreamDataReceived', 10]);
    side.streams.streamReceived(0, 80 * KIB + 10, EMPTY, true);
    side.lose(second);
    expect(side.streams.hasPending).toBe(false);

    for (const id of [4, 8]) {
      side.streams.streamReceived(id, 0, EMPTY, true);
      side.streams.writeStream(id, EMPTY, true);
      for (const packet of side.flush()) side.acknowledge(packet);
    }
    side.streams.streamReceived(12, 0, EMPTY, true);
    const streams: SidePacket = { payload: EMPTY, frames: [{ kind: 'maxStreams', bidirectional: true, maximum: 10 }] };
    side.lose(streams);
    expect(side.sends()).toEqual([['maxStreamsReceived', true, 10]]);
    side.lose({ payload: EMPTY, frames: [{ kind: 'maxStreams', bidirectional: true, maximum: 9 }] });
    expect(side.streams.hasPending).toBe(false);
  });

  it('MAX_DATA likewise', () => {
    const side = new StreamSide('server', { maxUnconsumedBytes: 640 * KIB, initialStreamWindow: 512 * KIB });
    const packets: SidePacket[] = [];
    for (let offset = 0; offset < 500 * KIB; offset += 100 * KIB) {
      side.streams.streamReceived(0, offset, new Uint8Array(100 * KIB), false);
      side.streams.streamConsumed(0, 100 * KIB);
      packets.push(...side.flush());
    }
    const data = packets.filter(({ frames }) => frames.some(({ kind }) => kind === 'maxData'));
    expect(data.length).toBeGreaterThan(2);
    const only = (packet: SidePacket): SidePacket => ({
      payload: EMPTY,
      frames: packet.frames.filter(({ kind }) => kind === 'maxData'),
    });
    side.lose(only(data[0] as SidePacket));
    expect(side.streams.hasPending).toBe(false);
    side.lose(only(data.at(-1) as SidePacket));
    expect(side.sends().map(([name]) => name)).toEqual(['maxDataReceived']);
  });
});

describe('packets', () => {
  it('are never overfilled, whatever their size', () => {
    const side = new StreamSide('client', {}, { initialMaxStreamsBidi: 60 });
    const ids = fill(side, 50, 3_000);
    for (const id of ids) if (id % 8 === 0) side.streams.stopSending(id, 2 ** 40);
    for (let room = 0; room < 300; room += 1) {
      const packet = side.packet(room);
      expect(packet.payload.length).toBeLessThanOrEqual(room);
      if (packet.frames.length > 0) expect(recorded(packet.payload).length).toBe(packet.frames.length);
    }
  });

  it('of the handshake carry none of these frames; early ones carry all', () => {
    const side = new StreamSide('client');
    fill(side, 1, 10);
    for (const kind of ['initial', 'handshake'] as const) expect(side.packet(1_150, kind).frames).toEqual([]);
    expect(side.packet(1_150, 'zeroRtt').frames).toHaveLength(1);
  });
});

describe('RFC 9000 section 7.4.1: early data', () => {
  const early = (): StreamSide => {
    const side = new StreamSide('client', {}, 'unknown');
    side.streams.applyPeerParameters({ ...generous, initialMaxData: 3_000, initialMaxStreamsBidi: 2 }, true);
    return side;
  };

  it('limits of the handshake may be greater, not less', () => {
    const side = early();
    fill(side, 2, 5_000);
    side.flush();
    side.take();
    side.streams.applyPeerParameters({ ...generous, initialMaxStreamsBidi: 5 }, false);
    expect(side.take()).toEqual([{ type: 'QuicStreamsAvailable', bidirectional: true, count: 3 }]);
    side.flush();
    expect([side.streams.sentBytes(0), side.streams.sentBytes(4)]).toEqual([5_000, 5_000]);
    for (const name of [
      'initialMaxData',
      'initialMaxStreamDataBidiLocal',
      'initialMaxStreamDataBidiRemote',
      'initialMaxStreamDataUni',
      'initialMaxStreamsBidi',
      'initialMaxStreamsUni',
      'maxDatagramFrameSize',
    ] as const) {
      const other = early();
      const fault = other.fault((streams) => streams.applyPeerParameters({ ...generous, [name]: 1 }, false));
      expect([name, fault]).toEqual([name, 'protocolViolation 0x0']);
    }
  });

  it('RFC 9001 section 4.6.2: what was rejected is gone without an event, and is opened anew', () => {
    const side = early();
    fill(side, 2, 5_000);
    const packets = side.flush();
    side.streams.stopSending(4, 1);
    side.streams.sendDatagram(EMPTY);
    side.take();
    side.streams.rejectEarlyData();
    expect([side.take(), side.streams.hasPending, side.streams.size, side.streams.unsentBytes]).toEqual([
      [],
      false,
      0,
      0,
    ]);
    expect([side.streams.availableStreams(true), side.streams.maxDatagramLength]).toEqual([0, 0]);
    side.streams.applyPeerParameters({ ...generous, initialMaxData: 1_000, initialMaxStreamsBidi: 1 }, false);
    expect(side.streams.openStream(true)).toBe(0);
    side.streams.writeStream(0, bytesFrom(0, 5_000), true);
    for (const packet of packets) side.lose(packet);
    expect(side.streams.sentBytes(0)).toBe(0);
    side.flush();
    expect(side.streams.sentBytes(0)).toBe(1_000);
  });
});

describe('RFC 9000 section 18.2', () => {
  it("whose limit is whose: a parameter's name is as its sender sees it", () => {
    const peer = {
      ...defaultTransportParameters,
      initialMaxData: 10_000,
      initialMaxStreamsBidi: 1,
      initialMaxStreamsUni: 1,
      initialMaxStreamDataBidiLocal: 100,
      initialMaxStreamDataBidiRemote: 200,
      initialMaxStreamDataUni: 300,
    };
    const side = new StreamSide('server', {}, 'unknown');
    side.streams.applyPeerParameters(peer, false);
    side.streams.streamReceived(0, 0, EMPTY, true);
    const ids = [0, side.streams.openStream(true), side.streams.openStream(false)];
    for (const id of ids) side.streams.writeStream(id, bytesFrom(0, 1_000), false);
    side.flush();
    expect(ids.map((id) => side.streams.sentBytes(id))).toEqual([100, 200, 300]);
  });

  it('two sides agree', () => {
    const [client, server] = sidePair();
    const id = client.streams.openStream(true);
    client.streams.writeStream(id, bytesFrom(0, 60_000), true);
    exchange(client, server);
    server.streams.streamConsumed(id, 60_000);
    server.streams.writeStream(id, bytesFrom(0, 60_000), true);
    exchange(client, server);
    client.streams.streamConsumed(id, 60_000);
    expect([client.streams.size, server.streams.size]).toEqual([0, 0]);
    expect(client.names().at(-1)).toBe('QuicStreamClosed');
    expect(server.names().at(-1)).toBe('QuicStreamClosed');
  });
});
