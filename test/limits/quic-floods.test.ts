/**
 * A QUIC peer that has finished its handshake, and floods: frames of every kind, packets that are no use, ids, resets,
 * acknowledgements for what it never got. The connection stands, or ends with the right code; what it holds and what it
 * sends is bounded; and another connection of the same process works meanwhile.
 */
import { describe, expect, it } from 'vitest';
import { QuicError } from '../../src/protocols/quic/error-codes.ts';
import { quicLimitValues } from '../../src/protocols/quic/limits.ts';
import { MemoryWatch } from '../support/attack/memory.ts';
import type { PairOptions, Side } from '../unit/quic/connection-pair.ts';
import { clientPath, ConnectionPair, traceOf } from '../unit/quic/connection-pair.ts';
import { frame, Rogue } from '../unit/quic/rogue.ts';

const MIB = 1 << 20;
const PACKETS = 1_000;
/** What fits in a packet. */
const ROOM = 1_100;

interface Outcome {
  readonly closed: ReturnType<ConnectionPair['closed']>;
  /** Packets that the victim took. */
  readonly taken: number;
  /** Bytes that it sent, and that it got. */
  readonly sent: number;
  readonly got: number;
}

function connected(over: PairOptions = {}): ConnectionPair {
  const { client, server } = over;
  const options = { ...over, client: { keylog: true, ...client }, server: { keylog: true, ...server } };
  return new ConnectionPair(options).connect().wait(300);
}

/** As many copies of some frames as fit in a packet. */
function filled(frames: Uint8Array): Buffer {
  return Buffer.concat(Array.from({ length: Math.max(1, Math.floor(ROOM / frames.length)) }, () => frames));
}

/** One side sends packets of such frames, and takes what is answered without a word. */
function flood(pair: ConnectionPair, as: Side, frames: (index: number) => Uint8Array, count = PACKETS): Outcome {
  const victim = as === 'client' ? 'server' : 'client';
  const rogue = new Rogue(pair, as);
  const keys = rogue.keys('oneRtt');
  const connection = pair.side(victim);
  const from = victim === 'client' ? clientPath : pair.serverSees;
  let [sent, got, taken] = [0, 0, 0];
  for (; taken < count && pair.closed(victim) === undefined; taken += 1) {
    const packet = rogue.packet('oneRtt', frames(taken), { keys });
    got += packet.length;
    connection.datagramReceived(packet, from, pair.now);
    forget(pair, victim);
    if (taken % 8 !== 7) continue;
    pair.now += 1;
    const due = connection.nextTimeout();
    if (due !== undefined && due <= pair.now) connection.handleTimeout(pair.now);
    for (const { data } of connection.datagramsToSend(pair.now, 64)) sent += data.length;
    forget(pair, victim);
  }
  return { closed: pair.closed(victim), taken, sent, got };
}

/** Takes what a side tells, and keeps the end alone: what is counted is the connection's memory, not the test's. */
function forget(pair: ConnectionPair, side: Side): void {
  pair.drain(side);
  const closed = pair.only(side, 'QuicConnectionClosed');
  pair.events[side].splice(0, Infinity, ...closed);
  pair.notices[side].length = 0;
  pair.received[side].clear();
}

/** What may be held more than before an attack. */
async function holdsAtMost(bytes: number, attack: () => void): Promise<void> {
  const watch = new MemoryWatch();
  attack();
  const retained = await watch.retained(bytes);
  watch.stop();
  expect(retained, 'memory').toBeLessThan(bytes);
}

/** Another connection is made, and its bytes go both ways. */
function bystander(): void {
  const pair = new ConnectionPair().connect();
  const id = pair.client.openStream(true);
  pair.client.writeStream(id, Buffer.from('still there?'), true);
  pair.wait(200);
  expect(pair.bytes('server', id).toString()).toBe('still there?');
}

describe('floods of frames', () => {
  /** A server has a stream open each way, so that frames about one have one. */
  const prepared = (): ConnectionPair => {
    // The client's own ids are eight at most; one more is the flood's.
    const pair = connected({ server: { limits: quicLimitValues({ activeConnectionIdLimit: 12 }) } });
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('x'), false);
    pair.wait(100);
    pair.server?.writeStream(id, Buffer.from('y'), false);
    return pair.wait(100);
  };
  const frames: [name: string, as: Side, Buffer][] = [
    ['PING', 'client', frame(0x01)],
    ['PADDING', 'client', frame(0x00)],
    ['ACK for the same again', 'client', frame(0x02, 1, 0, 0, 0)],
    ['empty STREAM (CVE-2019-9518)', 'client', frame(0x0a, 0, 0)],
    ['empty STREAM far on', 'client', frame(0x0e, 0, 60_000, 0)],
    ['STREAM with the same byte', 'client', frame(0x0a, 0, 1, 'x')],
    ['RESET_STREAM of one stream', 'client', frame(0x04, 0, 0, 1)],
    ['STOP_SENDING of one stream', 'client', frame(0x05, 0, 0)],
    ['CRYPTO without bytes', 'client', frame(0x06, 0, 0)],
    ['MAX_DATA', 'client', frame(0x10, 5_000_000)],
    ['MAX_STREAM_DATA', 'client', frame(0x11, 0, 5_000_000)],
    ['MAX_STREAMS', 'client', frame(0x12, 5_000)],
    ['DATA_BLOCKED', 'client', frame(0x14, 6_000_000)],
    ['STREAM_DATA_BLOCKED', 'client', frame(0x15, 0, 70_000)],
    ['STREAMS_BLOCKED', 'client', frame(0x16, 128)],
    ['NEW_CONNECTION_ID of the same id', 'client', frame(0x18, 30, 0, '\x08', Buffer.alloc(8, 9), Buffer.alloc(16, 9))],
    ['PATH_CHALLENGE (CVE-2023-6193)', 'client', frame(0x1a, Buffer.alloc(8, 5))],
    ['PATH_RESPONSE to nothing', 'client', frame(0x1b, Buffer.alloc(8, 5))],
    ['DATAGRAM without bytes', 'client', frame(0x31, 0)],
    ['HANDSHAKE_DONE (CVE-2025-59530)', 'server', frame(0x1e)],
    ['NEW_TOKEN', 'server', frame(0x07, 8, Buffer.alloc(8, 7))],
  ];

  it.each(frames)('%s: the connection stands, and holds and sends little', async (name, as, bytes) => {
    const pair = prepared();
    await holdsAtMost(MIB, () => {
      const outcome = flood(pair, as, () => filled(bytes));
      expect([outcome.closed, outcome.taken]).toEqual([undefined, PACKETS]);
      // Every answer to a challenge is expanded to 1200 bytes (RFC 9000 section 8.2.2), and no more than three are owed.
      expect(outcome.sent / outcome.got, name).toBeLessThan(name.startsWith('PATH_CHALLENGE') ? 0.5 : 0.2);
    });
    expect(pair.closed('server')).toBeUndefined();
  });

  it('of any kind: another connection works meanwhile', () => {
    const pair = prepared();
    for (const [, as, bytes] of frames.slice(0, 5)) {
      flood(pair, as, () => filled(bytes), 50);
      bystander();
    }
  });

  it('packets that leave gaps in their numbers: the ranges of acknowledgements are bounded', async () => {
    const pair = connected();
    const rogue = new Rogue(pair, 'client');
    const keys = rogue.keys('oneRtt');
    let largest = 0;
    await holdsAtMost(MIB, () => {
      for (let index = 0; index < 5_000; index += 1) {
        const packet = rogue.packet('oneRtt', frame(0x01), { keys, number: 10_000 + 2 * index });
        pair.server?.datagramReceived(packet, pair.serverSees, pair.now);
        for (const { data } of pair.server?.datagramsToSend(pair.now, 64) ?? [])
          largest = Math.max(largest, data.length);
      }
    });
    expect([pair.closed('server'), largest < 250]).toEqual([undefined, true]);
  });

  it('junk that claims to be of the connection: nothing is held, and nothing sent', async () => {
    const pair = connected();
    const id = new Rogue(pair, 'client').packet('oneRtt', frame(0x01)).subarray(1, 9);
    await holdsAtMost(MIB, () => {
      for (let index = 0; index < 20_000; index += 1) {
        const junk = Buffer.alloc(20 + (index % 1_200), index);
        junk[0] = index & 0xff;
        id.copy(junk, 1);
        pair.server?.datagramReceived(junk, pair.serverSees, pair.now);
      }
    });
    expect(pair.server?.datagramsToSend(pair.now, 64)).toEqual([]);
    expect(pair.server?.nextEvent()).toBeUndefined();
    bystander();
  });
});

describe('floods of connection ids', () => {
  const issue = (sequence: number, retire: number): Buffer => {
    const id = Buffer.alloc(24);
    id.writeUInt32BE(sequence);
    return frame(0x18, sequence, retire, '\x08', id.subarray(0, 8), id.subarray(8));
  };

  it('ids that retire those before, while retirements are not acknowledged (CVE-2024-22189): bounded, then closed', () => {
    const outcome = flood(connected(), 'client', (index) =>
      Buffer.concat(Array.from({ length: 30 }, (_, at) => issue(100 + 30 * index + at, 100 + 30 * index + at))),
    );
    expect(outcome.closed?.errorCode).toBe(QuicError.connectionIdLimitError);
    expect(outcome.taken).toBeLessThan(20);
    bystander();
  });

  it('retirements of whatever was issued (CVE-2024-1410): each is replaced, and no more are held', async () => {
    const pair = connected();
    const live = new Set<string>();
    const count = (): void => {
      for (let change = pair.server?.nextIdChange(); change !== undefined; change = pair.server?.nextIdChange()) {
        const key = Buffer.from('id' in change ? change.id : new Uint8Array(0)).toString('hex');
        if (change.type === 'ConnectionIdIssued') live.add(key);
        else live.delete(key);
      }
    };
    let most = 0;
    let outcome: Outcome | undefined;
    await holdsAtMost(MIB, () => {
      const retire = (index: number): Buffer => {
        count();
        most = Math.max(most, live.size);
        // The first id is the one that the packets go to.
        return frame(0x19, index + 1);
      };
      outcome = flood(pair, 'client', retire, 2_000);
    });
    expect(most).toBeLessThanOrEqual(9);
    // Either every one was replaced, or an id was retired before it was issued.
    expect([undefined, QuicError.protocolViolation]).toContain(outcome?.closed?.errorCode);
  });
});

describe('acknowledgements of a liar', () => {
  it('optimistic ones, for packets that it never got (CVE-2025-4820): PROTOCOL_VIOLATION before much was sent', () => {
    const numbers: number[] = [];
    const trace = traceOf({
      packetSent: (_now, kind, number) => {
        if (kind === 'oneRtt') numbers.push(number);
      },
    });
    const pair = connected({ server: { trace } });
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('all of it, please'), true);
    pair.wait(100);
    const server = pair.side('server');
    server.writeStream(id, new Uint8Array(8 * MIB), true);
    const rogue = new Rogue(pair, 'client');
    // It is let send what it likes: the windows of the client are wide.
    rogue.send('oneRtt', Buffer.concat([frame(0x10, 2 ** 40), frame(0x11, id, 2 ** 40)]));
    let sent = 0;
    const first = numbers[0] ?? 0;
    for (let round = 0; round < 2_000 && pair.closed('server') === undefined; round += 1) {
      for (const { data } of server.datagramsToSend(pair.now, 64)) sent += data.length;
      pair.now += 5;
      const due = server.nextTimeout();
      if (due !== undefined && due <= pair.now) server.handleTimeout(pair.now);
      const largest = numbers.at(-1) ?? 0;
      rogue.send('oneRtt', frame(0x02, largest, 0, 0, largest - first));
    }
    expect(pair.closed('server')).toMatchObject({ errorCode: QuicError.protocolViolation, initiator: 'peer' });
    expect(sent).toBeLessThan(4 * MIB);
    bystander();
  });

  it('for what was never sent, and ranges below 0 (CVE-2025-4821): refused', () => {
    const unsent = flood(connected(), 'client', () => frame(0x02, 2 ** 40, 0, 0, 0));
    expect([unsent.taken, unsent.closed?.errorCode]).toEqual([1, QuicError.protocolViolation]);
    const negative = flood(connected(), 'client', () => frame(0x02, 1, 0, 0, 5));
    expect([negative.taken, negative.closed?.errorCode]).toEqual([1, QuicError.frameEncodingError]);
  });

  it('with as many ranges as it claims: nothing is allocated for a claim, and work is bounded', () => {
    const claimed = flood(connected(), 'client', () => frame(0x02, 2 ** 30, 0, 2 ** 40, 0));
    expect([claimed.taken, claimed.closed?.errorCode]).toEqual([1, QuicError.frameEncodingError]);
    const pairs = Array.from({ length: 500 }, () => frame(0, 0));
    const wide = flood(connected(), 'client', () => frame(0x02, 1_500, 0, pairs.length, 0, Buffer.concat(pairs)));
    expect([wide.taken, wide.closed?.errorCode]).toEqual([1, QuicError.protocolViolation]);
  });
});

describe('floods of streams', () => {
  it('rapid reset (CVE-2023-44487, CVE-2025-8671): no more streams than the application has done with', () => {
    const limits = quicLimitValues({ maxStreamsBidi: 20 });
    const pair = connected({ server: { limits } });
    const outcome = flood(pair, 'client', (index) =>
      Buffer.concat([frame(0x0a, 4 * index, 3, 'GET'), frame(0x04, 4 * index, 0, 3), frame(0x05, 4 * index, 0)]),
    );
    // Nothing was ended by the application: the twenty-first is one too many.
    expect([outcome.taken, outcome.closed?.errorCode]).toEqual([21, QuicError.streamLimitError]);
    bystander();
  });

  it('rapid reset at the speed at which handlers end: no more than resets are acknowledged', async () => {
    const pair = connected({
      onEvent: (self, side, event) => {
        if (side === 'server' && event.type === 'QuicStopSendingReceived') self.server?.resetStream(event.streamId, 1);
      },
    });
    await holdsAtMost(MIB, () => {
      // The server's resets are never acknowledged: they stay on the books, and so do the streams.
      const outcome = flood(pair, 'client', (index) =>
        Buffer.concat([frame(0x0a, 4 * index, 3, 'GET'), frame(0x04, 4 * index, 0, 3), frame(0x05, 4 * index, 0)]),
      );
      expect([outcome.taken, outcome.closed?.errorCode]).toEqual([129, QuicError.streamLimitError]);
    });
  });

  it('tiny frames that leave gaps: the connection ends before they are many', () => {
    const pair = connected();
    pair.consume = false;
    const outcome = flood(pair, 'client', (index) =>
      Buffer.concat(Array.from({ length: 100 }, (_, at) => frame(0x0e, 0, 2 * (100 * index + at) + 1, 1, 'x'))),
    );
    expect(outcome.closed?.errorCode).toBe(QuicError.internalError);
    expect(outcome.taken).toBeLessThanOrEqual(11);
  });

  it('tiny frames in order that nobody reads (CVE-2019-9511): packets are not kept for them; then the connection ends', () => {
    const pair = connected();
    pair.consume = false;
    let kept = 0;
    pair.options = {
      ...pair.options,
      onEvent: (_self, side, event) => {
        if (side === 'server' && event.type === 'QuicStreamReceived') kept += event.data.buffer.byteLength;
      },
    };
    const outcome = flood(
      pair,
      'client',
      (index) => Buffer.concat([frame(0x0e, 0, index, 1, 'x'), Buffer.alloc(ROOM - 20)]),
      20_000,
    );
    expect([outcome.taken, outcome.closed?.errorCode]).toEqual([16_385, QuicError.internalError]);
    expect(kept).toBe(16_384);
    bystander();
  });

  it('streams opened from the far end: those before cost nothing until they are used', async () => {
    const limits = quicLimitValues({ maxStreamsBidi: 100_000, initialStreamWindow: 50 });
    const pairs = Array.from({ length: 10 }, () => connected({ server: { limits } }));
    await holdsAtMost(MIB, () => {
      for (const pair of pairs) {
        new Rogue(pair, 'client').send('oneRtt', frame(0x0a, 4 * 99_999, 1, 'x'));
        expect(pair.bytes('server', 4 * 99_999).toString()).toBe('x');
      }
    });
  });

  it('frames about streams that are closed long ago: nothing is kept of either', async () => {
    const pair = connected({
      onEvent: (self, side, event) => {
        if (side === 'server' && event.type === 'QuicStreamReceived' && event.fin)
          self.server?.writeStream(event.streamId, Buffer.from('bye'), true);
      },
    });
    for (let index = 0; index < 300; index += 1) {
      const id = pair.client.openStream(true);
      pair.client.writeStream(id, Buffer.from('hello'), true);
      pair.wait(40);
    }
    expect(pair.only('server', 'QuicStreamClosed').length).toBeGreaterThan(290);
    const late = (index: number): Buffer => {
      // Those that were closed last are remembered, for RFC 9000 section 4.5.
      const id = 4 * (index % 200);
      return Buffer.concat([
        frame(0x0e, id, 50_000, 3, 'xyz'),
        frame(0x04, id, 0, 9),
        frame(0x05, id, 0),
        frame(0x11, id, 9),
      ]);
    };
    await holdsAtMost(MIB, () => {
      expect(flood(pair, 'client', late).closed).toBeUndefined();
    });
  });
});
