import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../../src/common/index.ts';
import { QuicError } from '../../../src/protocols/quic/error-codes.ts';
import type { PacketKind } from '../../../src/protocols/quic/frame-types.ts';
import type { Side } from './connection-pair.ts';
import { clientPath, ConnectionPair, seeded, seededNumbers } from './connection-pair.ts';
import { Rogue } from './rogue.ts';

const KEYLOG = { client: { keylog: true }, server: { keylog: true } };

function deliver(pair: ConnectionPair, to: Side, data: Uint8Array): void {
  const path = to === 'client' ? clientPath : pair.serverSees;
  pair.side(to).datagramReceived(data, path, pair.now);
  pair.side(to).datagramsToSend(pair.now, 10);
  pair.drain(to);
}

describe('any bytes whatever', () => {
  it('never make anything throw, nor end a connection: they are not authentic', () => {
    const pair = new ConnectionPair(KEYLOG).connect().wait(200);
    const random = seeded(5);
    const chance = seededNumbers(6);
    for (let count = 0; count < 3_000; count += 1) {
      const data = random.fill(new Uint8Array(Math.floor(chance() * 1_300)));
      if (data.length > 5 && chance() < 0.5) data.set([0xc0 | (data[0] ?? 0), 0, 0, 0, 1], 0);
      if (data.length > 20 && chance() < 0.5) data.set(pair.sent[0]?.data.subarray(5, 20) ?? [], 5);
      deliver(pair, count % 2 === 0 ? 'client' : 'server', data);
    }
    expect(pair.closed('client')).toBeUndefined();
    expect(pair.closed('server')).toBeUndefined();
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('still here'), true);
    pair.wait(200);
    expect(pair.bytes('server', id).toString()).toBe('still here');
  });

  it('in the place of a handshake are passed over', () => {
    const random = seeded(7);
    const chance = seededNumbers(8);
    const pair = new ConnectionPair({
      ...KEYLOG,
      tamper: ({ data }) => {
        const copy = data.slice();
        if (chance() < 0.3) copy[Math.floor(chance() * copy.length)] = random.fill(new Uint8Array(1))[0] ?? 0;
        return copy;
      },
    }).connect();
    // Whatever becomes of it, there is an end and nothing throws.
    expect(pair.client.handshakeConfirmed || pair.closed('client') !== undefined || pair.now >= 10_000).toBe(true);
  });

  it.each(['initial', 'handshake', 'oneRtt'] as const)(
    'sealed as frames of a %s packet end in an event at most',
    (kind: PacketKind) => {
      const random = seeded(9);
      const chance = seededNumbers(10);
      for (let count = 0; count < 150; count += 1) {
        const options =
          kind === 'initial'
            ? ({ ...KEYLOG, identity: 'silent' } as const)
            : ({ ...KEYLOG, certificate: 'silent' } as const);
        const pair = new ConnectionPair(kind === 'oneRtt' ? KEYLOG : options);
        if (kind === 'oneRtt') pair.connect();
        else pair.run(60);
        const as = count % 2 === 0 ? 'client' : 'server';
        const rogue = new Rogue(pair, as);
        for (let packet = 0; packet < 20; packet += 1) {
          const frames = random.fill(new Uint8Array(1 + Math.floor(chance() * 60)));
          // Low types are the ones that mean something.
          frames[0] = Math.floor(chance() * 0x32);
          rogue.send(kind, frames);
          pair.side(as === 'client' ? 'server' : 'client').datagramsToSend(pair.now, 10);
        }
        const events = pair.only(as === 'client' ? 'server' : 'client', 'QuicConnectionClosed');
        expect(events.length).toBeLessThanOrEqual(1);
        // An internal error would be ours.
        expect(events[0]?.errorCode).not.toBe(QuicError.internalError);
      }
    },
  );

  it('cut from real datagrams at every length do no harm', () => {
    const pair = new ConnectionPair(KEYLOG).connect();
    for (const { from, data } of pair.sent.slice(0, 8)) {
      for (let length = 0; length < data.length; length += 7) {
        deliver(pair, from === 'client' ? 'server' : 'client', data.slice(0, length));
      }
    }
    expect(pair.closed('client')).toBeUndefined();
    expect(pair.closed('server')).toBeUndefined();
  });

  it('repeated from real datagrams do no harm (RFC 9000 section 21.13: replay)', () => {
    const pair = new ConnectionPair(KEYLOG).connect();
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.alloc(50_000, 1), true);
    pair.wait(1_000);
    for (const { from, data } of [...pair.sent]) deliver(pair, from === 'client' ? 'server' : 'client', data.slice());
    pair.wait(1_000);
    expect(pair.bytes('server', id).length).toBe(50_000);
    expect(pair.closed('client')).toBeUndefined();
    expect(pair.closed('server')).toBeUndefined();
  });
});

/** What the caller did wrong is thrown, as such. */
function misuse(step: () => void): void {
  try {
    step();
  } catch (error) {
    expect(error).toBeInstanceOf(LocalProtocolError);
  }
}

describe('calls of the driver', () => {
  it('at any time in any order do no harm', () => {
    const chance = seededNumbers(12);
    for (let seed = 0; seed < 20; seed += 1) {
      const pair = new ConnectionPair(KEYLOG);
      for (let step = 0; step < 60; step += 1) {
        const side = pair.server !== undefined && chance() < 0.5 ? pair.server : pair.client;
        const pick = Math.floor(chance() * 12);
        if (pick === 0) side.submitCertificateVerdict({ ok: true });
        if (pick === 1) side.submitServerIdentity(80);
        if (pick === 2) side.submitTicketVerdict(true);
        if (pick === 3) side.handleTimeout(pair.now);
        if (pick === 4) side.initiateKeyUpdate();
        if (pick === 5) side.migrate({ local: `10.0.0.${String(step)}:1`, remote: '10.0.0.2:443' });
        if (pick === 6) misuse(() => side.streamConsumed(Math.floor(chance() * 40), 100));
        if (pick === 7) misuse(() => side.resetStream(Math.floor(chance() * 40), 1));
        if (pick === 8) side.setTicketApplicationData(Buffer.from('x'));
        if (pick === 9 && side.availableStreams(true) > 0)
          side.writeStream(side.openStream(true), Buffer.alloc(3_000), true);
        if (pick === 10 && chance() < 0.1) side.close(1, 'enough');
        if (pick === 11) side.sendDatagram(Buffer.from('d'));
        pair.wait(chance() * 20);
      }
      pair.wait(60_000);
      expect(pair.closed('client')).toBeDefined();
      expect(pair.client.isTerminated).toBe(true);
    }
  });
});
