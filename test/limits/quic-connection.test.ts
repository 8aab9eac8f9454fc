/**
 * The bounds of a QUIC connection, each reached by a peer or an application, under a virtual clock.
 */
import { describe, expect, it } from 'vitest';
import { QuicError } from '../../src/protocols/quic/error-codes.ts';
import type { QuicLimit } from '../../src/protocols/quic/limits.ts';
import { quicLimitValues } from '../../src/protocols/quic/limits.ts';
import { tripsLimit } from '../support/limits.ts';
import type { PairOptions } from '../unit/quic/connection-pair.ts';
import { ConnectionPair, traceOf } from '../unit/quic/connection-pair.ts';
import { frame, Rogue } from '../unit/quic/rogue.ts';

const KIB = 1024;
type Limits = Partial<Record<QuicLimit, number>>;

/** A pair whose sides have these limits. */
function pairOf(client: Limits, server: Limits, over: PairOptions = {}): ConnectionPair {
  return new ConnectionPair({
    ...over,
    client: { keylog: true, limits: quicLimitValues(client), ...over.client },
    server: { keylog: true, limits: quicLimitValues(server), ...over.server },
  });
}

/** One whose handshake is done, and that has nothing on its way. */
function connected(client: Limits, server: Limits, over: PairOptions = {}): ConnectionPair {
  return pairOf(client, server, over).connect().wait(300);
}

describe('time', () => {
  it('handshakeTimeout: a handshake that does not end is given up, by both sides', () => {
    tripsLimit('quicLimits.handshakeTimeout');
    const limits = { handshakeTimeout: 2_000 };
    const pair = pairOf(limits, limits, { drop: ({ from }) => from === 'server' });
    pair.run(1_900);
    expect([pair.closed('client'), pair.closed('server')]).toEqual([undefined, undefined]);
    pair.run(2_100);
    expect(pair.closed('client')).toMatchObject({ initiator: 'network' });
    expect(pair.closed('server')).toMatchObject({ initiator: 'network' });
    expect([pair.client.isTerminated, pair.server?.isTerminated]).toEqual([true, true]);
  });

  it('verdictTimeout: a certificate that nobody judges ends the connection, before the handshake times out', () => {
    tripsLimit('quicLimits.verdictTimeout');
    const pair = pairOf({ verdictTimeout: 1_000 }, {}, { certificate: 'silent' });
    pair.run(900);
    expect(pair.closed('client')).toBeUndefined();
    pair.run(1_500);
    // certificate_unknown.
    expect(pair.closed('client')).toMatchObject({ errorCode: 0x0100 + 46 });
  });

  it('idleTimeout: silence ends the connection without a word', () => {
    tripsLimit('quicLimits.idleTimeout');
    const pair = connected({}, { idleTimeout: 3_000 });
    const sent = pair.sent.length;
    pair.wait(2_500);
    expect(pair.closed('client')).toBeUndefined();
    pair.wait(1_000);
    expect([pair.closed('client'), pair.closed('server')]).toMatchObject([
      { initiator: 'network' },
      { initiator: 'network' },
    ]);
    expect(pair.sent.length).toBe(sent);
  });

  it('keepAliveInterval: a PING in time keeps it, at that rate and no faster', () => {
    tripsLimit('quicLimits.keepAliveInterval');
    const pair = connected({ keepAliveInterval: 1_000 }, { idleTimeout: 3_000 });
    const sent = pair.sent.length;
    pair.wait(20_000);
    expect(pair.closed('client')).toBeUndefined();
    expect(pair.sent.length - sent).toBeGreaterThanOrEqual(36);
    expect(pair.sent.length - sent).toBeLessThanOrEqual(44);
  });
});

describe('handshakes', () => {
  it('maxCryptoBytes: handshake bytes behind a gap are CRYPTO_BUFFER_EXCEEDED beyond it (CVE-2024-1765)', () => {
    tripsLimit('quicLimits.maxCryptoBytes');
    const pair = pairOf({}, { maxCryptoBytes: 4_096 }, { identity: 'silent' });
    pair.run(15);
    const rogue = new Rogue(pair, 'client');
    const chunk = Buffer.alloc(1_000);
    const ends: (number | undefined)[] = [];
    for (let offset = 1_000; offset < 8_000; offset += 1_000) {
      ends.push(rogue.send('initial', frame(0x06, offset, chunk.length, chunk))?.errorCode);
      if (ends.at(-1) !== undefined) break;
    }
    expect(ends.at(-1)).toBe(QuicError.cryptoBufferExceeded);
    expect(ends.length).toBeLessThanOrEqual(5);
  });

  it('maxCryptoBytes: the same behind the handshake', () => {
    const pair = connected({ maxCryptoBytes: 4_096 }, {});
    const rogue = new Rogue(pair, 'server');
    const first = rogue.send('oneRtt', frame(0x06, 3_000, 1_000, Buffer.alloc(1_000)));
    expect(first).toBeUndefined();
    expect(rogue.send('oneRtt', frame(0x06, 8_000, 1, 'x'))).toMatchObject({
      errorCode: QuicError.cryptoBufferExceeded,
    });
  });

  it('maxUndecryptablePackets: packets that come before their keys are dropped beyond it (CVE-2025-59530)', () => {
    tripsLimit('quicLimits.maxUndecryptablePackets');
    const dropped: string[] = [];
    const trace = traceOf({ packetDropped: (_now, _form, _size, reason) => dropped.push(reason) });
    const pair = pairOf({}, { maxUndecryptablePackets: 5 }, { identity: 'silent', server: { trace } });
    pair.run(15);
    const id = pair.server?.nextIdChange();
    expect(id).toBeDefined();
    for (let count = 0; count < 500; count += 1) {
      pair.server?.datagramReceived(
        Buffer.concat([Buffer.of(0x40), Buffer.alloc(1_100, count)]),
        pair.serverSees,
        pair.now,
      );
    }
    expect(dropped.filter((reason) => reason === 'keys-unavailable')).toHaveLength(5);
    expect(dropped.filter((reason) => reason === 'queue-full')).toHaveLength(495);
    expect(pair.closed('server')).toBeUndefined();
  });

  it('maxNotices: a flood of NEW_TOKEN leaves the newest', () => {
    tripsLimit('quicLimits.maxNotices');
    const pair = connected({ maxNotices: 8 }, {});
    const rogue = new Rogue(pair, 'server');
    for (let count = 0; count < 500; count += 1) {
      const packet = rogue.packet('oneRtt', frame(0x07, 4, Buffer.from(String(1_000 + count))));
      pair.client.datagramReceived(packet, { local: '10.0.0.1:5000', remote: '10.0.0.2:443' }, pair.now);
    }
    const tokens: string[] = [];
    for (let notice = pair.client.nextNotice(); notice !== undefined; notice = pair.client.nextNotice()) {
      if (notice.type === 'TokenReceived') tokens.push(Buffer.from(notice.token).toString());
    }
    expect(tokens).toEqual(['1492', '1493', '1494', '1495', '1496', '1497', '1498', '1499']);
  });
});

describe('streams', () => {
  it.each([
    ['maxStreamsBidi', 0],
    ['maxStreamsUni', 2],
  ] as const)('%s: a stream beyond it is STREAM_LIMIT_ERROR', (name, first) => {
    tripsLimit('quicLimits.maxStreamsBidi', 'quicLimits.maxStreamsUni');
    const rogue = new Rogue(connected({}, { [name]: 10 }), 'client');
    expect(rogue.send('oneRtt', frame(0x0a, first + 36, 1, 'x'))).toBeUndefined();
    expect(rogue.send('oneRtt', frame(0x0a, first + 40, 1, 'x'))).toMatchObject({
      errorCode: QuicError.streamLimitError,
    });
  });

  it('initialStreamWindow: data beyond it are FLOW_CONTROL_ERROR', () => {
    tripsLimit('quicLimits.initialStreamWindow');
    const rogue = new Rogue(connected({}, { initialStreamWindow: 1_000 }), 'client');
    expect(rogue.send('oneRtt', frame(0x0e, 0, 999, 1, 'x'))).toBeUndefined();
    expect(rogue.send('oneRtt', frame(0x0e, 0, 1_000, 1, 'x'))).toMatchObject({
      errorCode: QuicError.flowControlError,
    });
  });

  it('maxStreamWindow: the window of a quick reader grows to it, and not beyond', () => {
    tripsLimit('quicLimits.maxStreamWindow');
    const pair = connected({}, { maxStreamWindow: 128 * KIB });
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, new Uint8Array(2_000 * KIB), true);
    pair.run(pair.now + 60_000, () => pair.bytes('server', id).length > 1_000 * KIB);
    pair.consume = false;
    const consumed = pair.bytes('server', id).length;
    pair.wait(3_000);
    const ahead = pair.client.sentBytes(id) - consumed;
    expect(ahead).toBeGreaterThan(64 * KIB);
    expect(ahead).toBeLessThanOrEqual(128 * KIB);
    expect(pair.client.isBlocked(id)).toBe(true);
  });

  it('maxUnconsumedBytes: what nobody reads is bounded over all streams, and one byte more is FLOW_CONTROL_ERROR', () => {
    tripsLimit('quicLimits.maxUnconsumedBytes');
    const limits = {
      maxUnconsumedBytes: 200 * KIB,
      initialStreamWindow: 32 * KIB,
      maxStreamsBidi: 4,
      maxStreamsUni: 2,
    };
    const pair = connected({}, { ...limits, maxStreamWindow: 32 * KIB });
    pair.consume = false;
    // Streams are opened anew for what the reader of another has not taken.
    const ids = Array.from({ length: 4 }, () => pair.client.openStream(true));
    for (const id of ids) pair.client.writeStream(id, new Uint8Array(64 * KIB), false);
    pair.wait(5_000);
    const taken = ids.reduce((sum, id) => sum + pair.bytes('server', id).length, 0);
    expect(taken).toBe(128 * KIB);
    // Half of the cap was kept open all the time: 200 KiB in all, of which 128 came.
    const rogue = new Rogue(pair, 'client');
    const size = (id: number, length: number): Buffer => frame(0x04, id, 0, length);
    expect(rogue.send('oneRtt', Buffer.concat([size(2, 32 * KIB), size(6, 32 * KIB)]))).toBeUndefined();
    expect(pair.closed('server')).toBeUndefined();
    const other = new Rogue(connected({}, { ...limits, maxUnconsumedBytes: 192 * KIB }), 'client');
    const most = Buffer.concat([0, 4, 8].map((id) => frame(0x0e, id, 32 * KIB - 1, 1, 'x')));
    expect(other.send('oneRtt', most)).toBeUndefined();
    expect(other.send('oneRtt', frame(0x0e, 12, 0, 1, 'x'))).toMatchObject({ errorCode: QuicError.flowControlError });
  });

  it('maxSmallPieces: a dribble that nobody reads ends the connection', () => {
    tripsLimit('quicLimits.maxSmallPieces');
    const pair = connected({}, { maxSmallPieces: 300 });
    pair.consume = false;
    const rogue = new Rogue(pair, 'client');
    let closed: ReturnType<ConnectionPair['closed']>;
    let offset = 0;
    for (; offset < 1_000 && closed === undefined; offset += 1) {
      closed = rogue.send('oneRtt', frame(0x0e, 0, offset, 1, 'x'));
    }
    expect(closed).toMatchObject({ errorCode: QuicError.internalError, initiator: 'peer' });
    expect(offset).toBe(301);
  });

  it('sendBufferBytes: a stream whose peer does not read has no room beyond it', () => {
    tripsLimit('quicLimits.sendBufferBytes');
    const pair = connected({ sendBufferBytes: 10_000 }, { initialStreamWindow: 5_000 });
    pair.consume = false;
    const id = pair.client.openStream(true);
    expect(pair.client.sendCapacity(id)).toBe(10_000);
    pair.client.writeStream(id, new Uint8Array(20_000), false);
    expect(pair.client.sendCapacity(id)).toBe(0);
    pair.wait(2_000);
    expect([pair.client.sentBytes(id), pair.client.sendCapacity(id)]).toEqual([5_000, 0]);
    expect(pair.only('client', 'QuicStreamWritable')).toEqual([]);
    pair.server?.streamConsumed(id, 5_000);
    pair.consume = true;
    pair.wait(2_000);
    expect(pair.only('client', 'QuicStreamWritable')).toHaveLength(1);
  });

  it('maxUnsentBytes: all streams together have no room beyond it while nothing is acknowledged', () => {
    tripsLimit('quicLimits.maxUnsentBytes');
    const pair = connected({ maxUnsentBytes: 100_000 }, {});
    const [one, two, three] = [0, 1, 2].map(() => pair.client.openStream(true)) as [number, number, number];
    pair.options = { ...pair.options, drop: () => true };
    pair.client.writeStream(one, new Uint8Array(60_000), false);
    pair.client.writeStream(two, new Uint8Array(30_000), false);
    expect(pair.client.sendCapacity(three)).toBe(10_000);
    pair.client.writeStream(three, new Uint8Array(10_000), false);
    pair.wait(500);
    expect([one, two, three].map((id) => pair.client.sendCapacity(id))).toEqual([0, 0, 0]);
    pair.options = { ...pair.options, drop: () => false };
    pair.wait(5_000);
    expect([one, two, three].every((id) => pair.client.sendCapacity(id) > 0)).toBe(true);
    expect(pair.only('client', 'QuicStreamWritable').length).toBeGreaterThanOrEqual(3);
  });
});

describe('datagrams', () => {
  it('maxQueuedDatagrams: the newest are sent', () => {
    tripsLimit('quicLimits.maxQueuedDatagrams');
    const pair = connected({ maxQueuedDatagrams: 4 }, {});
    for (let count = 0; count < 100; count += 1) expect(pair.client.sendDatagram(Uint8Array.of(count))).toBe(true);
    pair.wait(200);
    expect(pair.only('server', 'QuicDatagramReceived').map(({ data }) => data[0])).toEqual([96, 97, 98, 99]);
  });

  it('maxDatagramFrameBytes: one that is longer is PROTOCOL_VIOLATION, and with 0 any (RFC 9221 section 3)', () => {
    tripsLimit('quicLimits.maxDatagramFrameBytes');
    const rogue = new Rogue(connected({}, { maxDatagramFrameBytes: 100 }), 'client');
    expect(rogue.send('oneRtt', frame(0x31, 97, Buffer.alloc(97)))).toBeUndefined();
    expect(rogue.send('oneRtt', frame(0x31, 98, Buffer.alloc(98)))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
    const pair = connected({}, { maxDatagramFrameBytes: 0 });
    expect([pair.client.maxDatagramLength, pair.client.sendDatagram(new Uint8Array(1))]).toEqual([0, false]);
    expect(new Rogue(pair, 'client').send('oneRtt', frame(0x31, 0))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });
});

describe('ids, keys and paths', () => {
  it('activeConnectionIdLimit: more ids than that are CONNECTION_ID_LIMIT_ERROR (RFC 9000 section 5.1.1)', () => {
    tripsLimit('quicLimits.activeConnectionIdLimit');
    const pair = connected({ activeConnectionIdLimit: 6 }, {});
    const rogue = new Rogue(pair, 'server');
    const issue = (sequence: number): Buffer =>
      frame(0x18, sequence, 0, '\x08', Buffer.alloc(8, sequence), Buffer.alloc(16, sequence));
    // The server's own ids are there: the numbers that follow theirs.
    let closed: ReturnType<ConnectionPair['closed']>;
    let sequence = 20;
    for (; sequence < 40 && closed === undefined; sequence += 1) closed = rogue.send('oneRtt', issue(sequence));
    expect(closed).toMatchObject({ errorCode: QuicError.connectionIdLimitError });
    expect(sequence).toBeLessThanOrEqual(26);
  });

  it('maxPackets: keys are updated after so many packets (RFC 9001 section 6.6)', () => {
    tripsLimit('quicLimits.maxPackets');
    const updates: string[] = [];
    const trace = traceOf({ keyUpdated: (_now, generation, by) => updates.push(`${String(generation)} ${by}`) });
    const pair = connected({ maxPackets: 50 }, {}, { client: { trace } });
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, new Uint8Array(300 * KIB), true);
    pair.run(pair.now + 20_000, () => pair.finished.server.has(id));
    expect(pair.bytes('server', id).length).toBe(300 * KIB);
    expect(updates).toContain('1 local');
    expect(updates.length).toBeGreaterThanOrEqual(2);
    expect(pair.closed('client')).toBeUndefined();
  });

  it('maxForgeries: packets that are not authentic end the connection at last (RFC 9001 section 6.6)', () => {
    tripsLimit('quicLimits.maxForgeries');
    const pair = connected({}, { maxForgeries: 100 });
    const rogue = new Rogue(pair, 'client');
    const packet = rogue.packet('oneRtt', frame(0x01));
    packet[packet.length - 1] = (packet.at(-1) ?? 0) ^ 1;
    let count = 1;
    while (rogue.deliver(Buffer.from(packet)) === undefined && count < 200) count += 1;
    expect([count, pair.closed('server')?.errorCode]).toEqual([100, QuicError.aeadLimitReached]);
  });

  it('maxPaths: a peer that pretends to move all the time is followed on so many paths', () => {
    tripsLimit('quicLimits.maxPaths');
    const pair = connected({}, { maxPaths: 3 });
    const rogue = new Rogue(pair, 'client');
    const server = pair.side('server');
    const to = new Map<string, number>();
    const collect = (): Set<string> => {
      const remotes = new Set<string>();
      for (const { path, data } of server.datagramsToSend(pair.now, 64)) {
        to.set(path.remote, (to.get(path.remote) ?? 0) + data.length);
        remotes.add(path.remote);
      }
      return remotes;
    };
    for (let count = 0; count < 60; count += 1) {
      const path = { local: '10.0.0.2:443', remote: `10.0.${String(count + 1)}.1:5000` };
      server.datagramReceived(rogue.packet('oneRtt', frame(0x01), { size: 1_200 }), path, pair.now);
      collect();
    }
    // What is sent from now on goes to those that are kept.
    const kept = new Set<string>();
    for (const end = pair.now + 3_000; (server.nextTimeout() ?? end) < end;) {
      pair.now = Math.max(pair.now, server.nextTimeout() ?? end);
      server.handleTimeout(pair.now);
      for (const remote of collect()) kept.add(remote);
    }
    expect(kept.size).toBeGreaterThanOrEqual(1);
    expect(kept.size).toBeLessThanOrEqual(3);
    // Nobody is sent more than thrice what came from there (RFC 9000 section 8).
    to.delete(pair.serverSees.remote);
    expect(Math.max(...to.values())).toBeLessThanOrEqual(3_600);
  });

  it('maxPathResponses: challenges beyond it stay unanswered (CVE-2023-6193, CVE-2023-49295)', () => {
    tripsLimit('quicLimits.maxPathResponses');
    const pair = connected({}, { maxPathResponses: 2 });
    const rogue = new Rogue(pair, 'client');
    const challenges = Buffer.concat(Array.from({ length: 100 }, (_, index) => frame(0x1a, Buffer.alloc(8, index))));
    expect(rogue.send('oneRtt', challenges)).toBeUndefined();
    const sent = pair.sent.length;
    pair.wait(1_000);
    // Each answer has a datagram of its own, expanded to 1200 bytes (RFC 9000 section 8.2.2).
    const answers = pair.sent.slice(sent).filter(({ from, data }) => from === 'server' && data.length >= 1_200);
    expect(answers.length).toBeGreaterThanOrEqual(1);
    expect(answers.length).toBeLessThanOrEqual(2);
  });
});
