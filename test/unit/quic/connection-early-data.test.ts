import { describe, expect, it } from 'vitest';
import type { QuicServerConfig, QuicSession } from '../../../src/protocols/quic/connection-config.ts';
import { QuicError } from '../../../src/protocols/quic/error-codes.ts';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import type { PacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { readPacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { sealer } from '../tls/handshake-pair.ts';
import type { PairOptions } from './connection-pair.ts';
import { ConnectionPair, seeded } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';

const LATER = 1_700_000_100_000;

function ticketing(over: Partial<QuicServerConfig> = {}): Partial<QuicServerConfig> {
  return { keylog: true, tickets: sealer(), earlyData: true, ...over };
}

/** A session from a first connection. */
function sessionOf(server: Partial<QuicServerConfig>, applicationData?: readonly [string, string]): QuicSession {
  const pair = new ConnectionPair({
    server,
    onEvent: (self, side, event) => {
      if (applicationData === undefined) return;
      if (side === 'server' && event.type === 'ClientHelloReceived') {
        self.side('server').setTicketApplicationData(Buffer.from(applicationData[0]));
      }
    },
  });
  if (applicationData !== undefined) pair.client.setTicketApplicationData(Buffer.from(applicationData[1]));
  pair.connect().wait(300);
  const notice = pair.notices.client.find(({ type }) => type === 'SessionReceived');
  if (notice?.type !== 'SessionReceived') throw new Error('no session');
  return notice.session;
}

/** A second connection, with 0-RTT. */
function second(session: QuicSession, server: Partial<QuicServerConfig>, over: PairOptions = {}): ConnectionPair {
  return new ConnectionPair({
    ...over,
    client: { session, earlyData: true, random: seeded(77), epoch: LATER, keylog: true, ...over.client },
    server: { ...server, epoch: LATER },
  });
}

/** How many packets of that form the client has sent. */
function sentIn(pair: ConnectionPair, form: PacketHeader['form']): number {
  let count = 0;
  for (const { from, data } of pair.sent) {
    if (from !== 'client') continue;
    for (let at = 0; at < data.length;) {
      const header = readPacketHeader(data, at, 8);
      if (header === undefined) break;
      if (header.form === form) count += 1;
      at = header.end;
    }
  }
  return count;
}

describe('a session (RFC 8446 section 2.2)', () => {
  it('is resumed without 0-RTT when none is asked for', () => {
    const server = ticketing();
    const pair = second(sessionOf(server), server, { client: { earlyData: false } });
    expect(pair.client.earlyDataAvailable).toBe(false);
    pair.connect();
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([{ resumed: true, earlyData: 'none' }]);
    expect(pair.only('client', 'CertificateReceived')).toEqual([]);
  });

  it('comes as often as the server has tickets for it', () => {
    const pair = new ConnectionPair({ server: ticketing({ ticketCount: 3 }) }).connect().wait(200);
    expect(pair.notices.client.filter(({ type }) => type === 'SessionReceived').length).toBe(3);
  });

  it('is not resumed when the driver says no', () => {
    const server = ticketing();
    const pair = second(sessionOf(server), server, { ticket: false }).connect();
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([{ resumed: false, earlyData: 'rejected' }]);
  });

  it('is not resumed when the driver says nothing in time, and the handshake goes on', () => {
    const server = ticketing();
    const pair = second(sessionOf(server), server, { ticket: 'silent' }).connect(20_000);
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([{ resumed: false }]);
  });
});

describe('0-RTT (RFC 9001 section 4.6)', () => {
  it('carries data in the first flight, which a server takes before the handshake is complete', () => {
    const server = ticketing();
    const pair = second(sessionOf(server), server);
    expect(pair.client.earlyDataAvailable).toBe(true);
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('early bird'), true);
    pair.run(15);
    expect(pair.bytes('server', id).toString()).toBe('early bird');
    expect(pair.only('server', 'QuicStreamReceived')).toMatchObject([{ early: true, fin: true }]);
    expect(pair.only('server', 'HandshakeCompleted')).toEqual([]);
    pair.side('server').writeStream(id, Buffer.from('worm'), true);
    pair.connect().wait(100);
    expect(pair.bytes('client', id).toString()).toBe('worm');
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([{ resumed: true, earlyData: 'accepted' }]);
    expect(pair.only('server', 'HandshakeCompleted')).toMatchObject([{ resumed: true, earlyData: 'accepted' }]);
    expect(pair.only('client', 'QuicEarlyDataRejected')).toEqual([]);
    expect(pair.client.earlyDataAvailable).toBe(false);
  });

  it('survives the loss of each datagram of the first flight', () => {
    for (let lost = 0; lost < 5; lost += 1) {
      const server = ticketing();
      const pair = second(sessionOf(server), server, {
        drop: ({ from, index }) => from === 'client' && index === lost,
      });
      const id = pair.client.openStream(true);
      pair.client.writeStream(id, Buffer.alloc(3_000, 5), true);
      pair.connect().run(pair.now + 5_000, () => pair.finished.server.has(id));
      expect(pair.bytes('server', id).length).toBe(3_000);
    }
  });

  it('waits for keys when it overtakes the ClientHello (section 5.7)', () => {
    const server = ticketing();
    const session = sessionOf(server);
    const pair = second(session, server, { delay: ({ from, index }) => (from === 'client' && index === 0 ? 3 : 0) });
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.alloc(2_500, 5), true);
    pair.connect().run(pair.now + 5_000, () => pair.finished.server.has(id));
    expect(pair.bytes('server', id).length).toBe(2_500);
  });

  it('that is rejected is forgotten: streams are opened anew (section 4.6.2)', () => {
    const server = ticketing();
    const pair = second(sessionOf(server), { ...server, earlyData: false });
    const early = pair.client.openStream(true);
    pair.client.writeStream(early, Buffer.from('too early'), true);
    pair.connect();
    expect(pair.only('client', 'QuicEarlyDataRejected').length).toBe(1);
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([{ earlyData: 'rejected' }]);
    pair.wait(200);
    expect(pair.received.server.size).toBe(0);
    const id = pair.client.openStream(true);
    expect(id).toBe(early);
    pair.client.writeStream(id, Buffer.from('in time'), true);
    pair.wait(200);
    expect(pair.bytes('server', id).toString()).toBe('in time');
    expect(pair.closed('client')).toBeUndefined();
  });

  it('that is rejected is acknowledged by nobody: PROTOCOL_VIOLATION (section 4.6.2)', () => {
    /** 0-RTT went out, and 1-RTT after it; both count in one space. */
    const rejected = (): ConnectionPair => {
      const server = ticketing();
      const pair = second(sessionOf(server), { ...server, earlyData: false });
      pair.client.writeStream(pair.client.openStream(true), Buffer.alloc(3_000), true);
      pair.connect();
      pair.client.writeStream(pair.client.openStream(true), Buffer.from('in time'), true);
      return pair.wait(200);
    };
    const early = sentIn(rejected(), 'zeroRtt');
    expect([early > 1, sentIn(rejected(), 'short') > 0]).toEqual([true, true]);
    const acks = [
      ['the first of it', frame(0x02, 0, 0, 0, 0)],
      ['all, and what was sent later', frame(0x02, early, 0, 0, early)],
      ['the last of it', frame(0x02, early - 1, 0, 0, 0)],
      ['one in a range of its own', frame(0x02, early, 0, 1, 0, early - 2, 0)],
      ['what was never sent', frame(0x02, early + 900, 0, 0, 0)],
    ] as const;
    for (const [what, ack] of acks) {
      expect([what, new Rogue(rejected(), 'server').send('oneRtt', ack)]).toMatchObject([
        what,
        { application: false, errorCode: QuicError.protocolViolation },
      ]);
    }
    expect(new Rogue(rejected(), 'server').send('oneRtt', frame(0x02, early, 0, 0, 0))).toBeUndefined();
  });

  it('that is accepted may be acknowledged (section 4.6.2)', () => {
    const server = ticketing();
    const pair = second(sessionOf(server), server);
    const early = pair.client.openStream(true);
    pair.client.writeStream(early, Buffer.alloc(3_000), true);
    pair.connect().wait(200);
    const last = sentIn(pair, 'zeroRtt') - 1;
    expect(new Rogue(pair, 'server').send('oneRtt', frame(0x02, last, 0, 0, last))).toBeUndefined();
  });

  it('is rejected by a server that asks for HelloRetryRequest', () => {
    const server = ticketing();
    const pair = second(sessionOf(server), { ...server, groups: [0x0017] });
    const early = pair.client.openStream(true);
    pair.client.writeStream(early, Buffer.from('too early'), true);
    pair.connect();
    expect(pair.only('client', 'QuicEarlyDataRejected').length).toBe(1);
    expect(pair.client.handshakeConfirmed).toBe(true);
  });

  it('is refused when the server now gives less than it promised (RFC 9000 section 7.4.1)', () => {
    const server = ticketing();
    const less = quicLimitValues({ maxStreamsBidi: 4 });
    const pair = second(sessionOf(server), { ...server, limits: less }).connect();
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([{ earlyData: 'rejected' }]);
    expect(pair.only('server', 'TicketOffered')).toEqual([]);
  });

  it('is refused when what the application kept has changed (RFC 9114 section 7.2.4.2)', () => {
    const server = ticketing();
    const session = sessionOf(server, ['settings 1', 'seen 1']);
    expect(Buffer.from(session.applicationData).toString()).toBe('seen 1');
    const again = (data: string): ConnectionPair =>
      second(session, server, {
        onEvent: (self, side, event) => {
          if (side === 'server' && event.type === 'ClientHelloReceived') {
            self.side('server').setTicketApplicationData(Buffer.from(data));
          }
        },
      });
    // The driver answers the ClientHello before it hears of anything else; what it sets comes first.
    const same = again('settings 1');
    expect(Buffer.from(same.client.rememberedApplicationData).toString()).toBe('seen 1');
    same.connect();
    const other = again('settings 2').connect();
    expect(other.only('client', 'HandshakeCompleted')).toMatchObject([{ earlyData: 'rejected' }]);
  });

  it('tells a session again when what is kept beside it comes later', () => {
    const pair = new ConnectionPair({ server: ticketing({ ticketCount: 1 }) }).connect().wait(200);
    pair.client.setTicketApplicationData(Buffer.from('settings'));
    pair.wait(10);
    const sessions = pair.notices.client.filter(({ type }) => type === 'SessionReceived');
    expect(
      sessions.map((notice) => (notice.type === 'SessionReceived' ? notice.session.applicationData.length : -1)),
    ).toEqual([0, 8]);
  });

  it('whose limits the server then lowers: PROTOCOL_VIOLATION (RFC 9000 section 7.4.1)', () => {
    const server = ticketing();
    const session = sessionOf(server);
    // A client that remembers more than the server ever gave.
    const more = new ConnectionPair({
      server: { ...server, limits: quicLimitValues({ maxStreamsUni: 100, maxUnconsumedBytes: 2 ** 25 }) },
    })
      .connect()
      .wait(200);
    const notice = more.notices.client.find(({ type }) => type === 'SessionReceived');
    if (notice?.type !== 'SessionReceived') throw new Error('no session');
    const { transportParameters } = notice.session.tls;
    const lying: QuicSession = { ...session, tls: { ...session.tls, transportParameters } };
    const pair = second(lying, server);
    pair.run(1_000);
    expect(pair.closed('client')).toMatchObject({ errorCode: QuicError.protocolViolation });
  });

  it('is sealed with keys that a server forgets soon behind the handshake (section 4.9.3)', () => {
    const server = ticketing();
    const pair = second(sessionOf(server), server).connect();
    pair.wait(3_000);
    expect(new Rogue(pair, 'client').send('zeroRtt', frame(0x1e))).toBeUndefined();
  });

  it('is nothing that a server sends', () => {
    const server = ticketing();
    const pair = second(sessionOf(server), server).connect();
    const rogue = new Rogue(pair, 'client');
    const packet = rogue.packet('zeroRtt', frame(0x1e), { destination: pair.clientConfig.connectionIds.next().id });
    pair.client.datagramReceived(packet, { local: '10.0.0.1:5000', remote: '10.0.0.2:443' }, pair.now);
    pair.drain('client');
    expect(pair.closed('client')).toBeUndefined();
  });
});
