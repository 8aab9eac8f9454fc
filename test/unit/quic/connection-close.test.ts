import { describe, expect, it } from 'vitest';
import { QuicError } from '../../../src/protocols/quic/error-codes.ts';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import { readPacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import type { Side } from './connection-pair.ts';
import { clientPath, ConnectionPair } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';

const KEYLOG = { client: { keylog: true }, server: { keylog: true } };

function confirmed(): ConnectionPair {
  return new ConnectionPair(KEYLOG).connect().wait(200);
}

const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

describe('the end by an application (RFC 9000 section 10.2)', () => {
  it.each(['client', 'server'] as const)('of a %s is told to the other with code and reason', (side) => {
    const pair = confirmed();
    pair.side(side).close(0x0102, 'bye');
    pair.wait(100);
    expect(pair.only(side, 'QuicConnectionClosed')).toMatchObject([
      { application: true, errorCode: 0x0102, initiator: 'application', error: undefined },
    ]);
    expect(pair.only(otherSide(side), 'QuicConnectionClosed')).toMatchObject([
      { application: true, errorCode: 0x0102, initiator: 'peer', reason: 'bye' },
    ]);
  });

  it('is over after three probe timeouts on both sides, and nothing is left to do', () => {
    const pair = confirmed();
    pair.client.close(0, '');
    pair.wait(5_000);
    for (const side of ['client', 'server'] as const) {
      expect(pair.side(side).isTerminated).toBe(true);
      expect(pair.side(side).nextTimeout()).toBeUndefined();
      expect(pair.side(side).datagramsToSend(pair.now, 10)).toEqual([]);
      expect(pair.side(side).nextEvent()).toBeUndefined();
    }
  });

  it('tells ids that are no more, and what a stub needs', () => {
    const pair = confirmed();
    pair.client.close(7, 'x');
    expect(pair.client.remains).toBeUndefined();
    pair.run(pair.now);
    expect(pair.client.remains?.datagram?.length).toBeGreaterThan(20);
    expect(pair.client.remains?.path).toEqual(clientPath);
    expect(pair.client.remains?.until).toBeGreaterThan(pair.now);
    pair.wait(12);
    expect(pair.server?.remains).toMatchObject({ datagram: undefined });
    pair.wait(5_000);
    const issued = new Set<string>();
    for (let change = pair.client.nextIdChange(); change !== undefined; change = pair.client.nextIdChange()) {
      if (change.type === 'ConnectionIdIssued') issued.add(Buffer.from(change.id).toString('hex'));
      if (change.type === 'ConnectionIdRetired') issued.delete(Buffer.from(change.id).toString('hex'));
    }
    expect(issued.size).toBe(0);
  });

  it('is idempotent, and the application can call what it likes behind it', () => {
    const pair = confirmed();
    const id = pair.client.openStream(true);
    pair.client.close(1, 'first');
    pair.client.close(2, 'second');
    pair.client.streamConsumed(id, 5);
    pair.client.resetStream(id, 1);
    pair.client.stopSending(id, 1);
    expect(pair.client.sendCapacity(id)).toBe(0);
    expect(pair.client.sendDatagram(Buffer.from('x'))).toBe(false);
    expect(pair.client.initiateKeyUpdate()).toBe(false);
    pair.wait(50);
    expect(pair.only('client', 'QuicConnectionClosed').length).toBe(1);
    expect(pair.closed('server')).toMatchObject({ errorCode: 1 });
  });

  it('is told again to packets that still come, less and less often (section 10.2.1)', () => {
    const pair = confirmed();
    pair.options = { ...pair.options, drop: ({ from }) => from === 'client' };
    pair.client.close(1, '');
    pair.run(pair.now);
    const before = pair.sent.filter(({ from }) => from === 'client').length;
    const rogue = new Rogue(pair, 'server');
    let answers = 0;
    for (let count = 0; count < 64; count += 1) {
      pair.client.datagramReceived(rogue.packet('oneRtt', frame(0x01)), clientPath, pair.now);
      answers += pair.client.datagramsToSend(pair.now, 10).length;
    }
    // The first, the second, the fourth … the sixty-fourth.
    expect(answers).toBe(7);
    expect(before).toBeGreaterThan(0);
  });

  it('is silent when the peer has closed (section 10.2.2)', () => {
    const pair = confirmed();
    const rogue = new Rogue(pair, 'server');
    expect(rogue.send('oneRtt', frame(0x1d, 9, 0))).toMatchObject({ application: true, errorCode: 9 });
    for (let count = 0; count < 10; count += 1) rogue.send('oneRtt', frame(0x01));
    expect(pair.client.datagramsToSend(pair.now, 10)).toEqual([]);
  });

  it('gives streams no events of their own, and is the last event', () => {
    const pair = confirmed();
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('x'), false);
    pair.wait(50);
    const before = pair.events.server.length;
    pair.client.close(1, '');
    pair.wait(5_000);
    expect(pair.events.server.slice(before).map(({ type }) => type)).toEqual(['QuicConnectionClosed']);
  });

  it('cuts a reason that does not fit', () => {
    const pair = confirmed();
    pair.client.close(1, 'ä'.repeat(5_000));
    pair.wait(50);
    const [closed] = pair.only('server', 'QuicConnectionClosed');
    expect(closed?.reason).toMatch(/^ä+$/);
    expect(closed?.reason.length).toBeLessThan(300);
  });
});

describe('the end before the handshake (RFC 9000 section 10.2.3)', () => {
  it('by a client that has heard nothing goes in an Initial packet, as APPLICATION_ERROR without a reason', () => {
    const pair = new ConnectionPair({ ...KEYLOG, identity: 'silent' });
    pair.run(5);
    pair.client.close(0x0102, 'secret');
    pair.run(200);
    expect(pair.closed('server')).toMatchObject({ application: false, errorCode: QuicError.applicationError });
    expect(pair.only('server', 'QuicConnectionClosed')[0]?.reason).toBe('');
    expect(pair.closed('client')).toMatchObject({ application: true, errorCode: 0x0102 });
  });

  it('by a client that has sent nothing is silent', () => {
    const pair = new ConnectionPair();
    pair.client.close(5, 'never mind');
    pair.run(100);
    expect(pair.sent).toEqual([]);
    expect(pair.client.isTerminated).toBe(true);
    expect(pair.closed('client')).toMatchObject({ application: true, errorCode: 5, initiator: 'application' });
  });

  it('by a server whose client has Initial keys alone is heard', () => {
    const pair = new ConnectionPair({ ...KEYLOG, identity: 'silent' });
    pair.run(15);
    pair.side('server').close(3, 'no');
    pair.run(200);
    expect(pair.closed('client')).toMatchObject({ application: false, errorCode: QuicError.applicationError });
  });

  it('by a server goes out at every level that its client may have keys for', () => {
    const pair = new ConnectionPair({ ...KEYLOG, certificate: 'silent', drop: ({ from }) => from === 'client' });
    pair.options = { ...pair.options, drop: ({ from, index }) => from === 'client' && index > 0 };
    pair.run(12);
    pair.side('server').close(3, 'no');
    const [last] = pair.side('server').datagramsToSend(pair.now, 10);
    const kinds: string[] = [];
    for (let at = 0; last !== undefined && at < last.data.length;) {
      const header = readPacketHeader(last.data, at, 8);
      if (header === undefined) break;
      kinds.push(header.form);
      at = header.end;
    }
    expect(kinds).toEqual(['initial', 'handshake', 'short']);
  });

  it('never sends more than three times what came (section 10.2.1)', () => {
    const pair = new ConnectionPair({ ...KEYLOG, identity: 'silent', drop: ({ from }) => from === 'server' });
    pair.run(15);
    const server = pair.side('server');
    server.close(3, 'no');
    let bytes = pair.sent.filter(({ from }) => from === 'server').reduce((sum, { data }) => sum + data.length, 0);
    let came = pair.sent.filter(({ from }) => from === 'client').reduce((sum, { data }) => sum + data.length, 0);
    for (let count = 0; count < 200; count += 1) {
      for (const { data } of server.datagramsToSend(pair.now, 10)) bytes += data.length;
      server.datagramReceived(Buffer.alloc(20, 0xff), pair.serverSees, pair.now);
      came += 20;
      expect(bytes).toBeLessThanOrEqual(3 * came);
    }
  });
});

describe('silence (RFC 9000 section 10.1)', () => {
  const idle = (milliseconds: number): ReturnType<typeof quicLimitValues> =>
    quicLimitValues({ idleTimeout: milliseconds });

  it('ends a connection after the lesser of both timeouts, without a word', () => {
    const pair = new ConnectionPair({ client: { limits: idle(20_000) }, server: { limits: idle(5_000) } }).connect();
    pair.wait(500);
    const count = pair.sent.length;
    pair.wait(10_000);
    expect(pair.sent.length).toBe(count);
    for (const side of ['client', 'server'] as const) {
      expect(pair.only(side, 'QuicConnectionClosed')).toMatchObject([
        { initiator: 'network', errorCode: 0, error: { code: 'ERR_TIMEOUT', timer: 'idle' } },
      ]);
      expect(pair.side(side).isTerminated).toBe(true);
    }
  });

  it('does not when a PING keeps it alive (section 10.1.2)', () => {
    const limits = quicLimitValues({ idleTimeout: 5_000, keepAliveInterval: 2_000 });
    const pair = new ConnectionPair({ client: { limits }, server: { limits: idle(5_000) } }).connect();
    pair.wait(30_000);
    expect(pair.closed('client')).toBeUndefined();
    expect(pair.closed('server')).toBeUndefined();
    expect(pair.sent.length).toBeLessThan(100);
  });

  it('lasts three probe timeouts at least', () => {
    const pair = new ConnectionPair({ client: { limits: idle(50) }, latency: 100 }).connect();
    expect(pair.closed('client')).toBeUndefined();
    expect(pair.client.handshakeConfirmed).toBe(true);
  });

  it('counts from the last packet that was taken, or the first that was sent since', () => {
    const pair = new ConnectionPair({ client: { limits: idle(5_000) } }).connect().wait(500);
    pair.options = { ...pair.options, drop: () => true };
    const id = pair.client.openStream(true);
    const start = pair.now;
    pair.client.writeStream(id, Buffer.from('x'), false);
    pair.wait(4_900);
    expect(pair.closed('client')).toBeUndefined();
    pair.wait(300);
    expect(pair.closed('client')).toMatchObject({ initiator: 'network' });
    expect(pair.now - start).toBeLessThan(5_500);
  });

  it('never ends a connection where both sides have no timeout', () => {
    const limits = idle(0);
    const pair = new ConnectionPair({ client: { limits }, server: { limits } }).connect();
    pair.wait(3_600_000);
    expect(pair.closed('client')).toBeUndefined();
  });
});

describe('a stateless reset (RFC 9000 section 10.3)', () => {
  const tokenOf = (pair: ConnectionPair): Buffer => {
    const tokens: Buffer[] = [];
    for (let change = pair.client.nextIdChange(); change !== undefined; change = pair.client.nextIdChange()) {
      if (change.type === 'ResetTokenExpected') tokens.push(Buffer.from(change.token));
    }
    return tokens.at(-1) ?? Buffer.alloc(0);
  };

  it('ends the connection at once, and nothing is sent', () => {
    const pair = confirmed();
    const token = tokenOf(pair);
    expect(token.length).toBe(16);
    pair.client.datagramReceived(
      Buffer.concat([Buffer.from([0x55]), Buffer.alloc(30, 3), token]),
      clientPath,
      pair.now,
    );
    pair.drain('client');
    expect(pair.only('client', 'QuicConnectionClosed')).toMatchObject([
      { initiator: 'network', error: { code: 'ERR_QUIC_STATELESS_RESET' } },
    ]);
    expect(pair.client.datagramsToSend(pair.now, 10)).toEqual([]);
  });

  it('is none when the token is another, or the datagram is too short', () => {
    const pair = confirmed();
    const token = tokenOf(pair);
    const wrong = Buffer.from(token);
    wrong[15] = (wrong[15] ?? 0) ^ 1;
    const junk = Buffer.concat([Buffer.from([0x55]), Buffer.alloc(30, 3)]);
    pair.client.datagramReceived(Buffer.concat([junk, wrong]), clientPath, pair.now);
    pair.client.datagramReceived(Buffer.concat([junk.subarray(0, 4), token]), clientPath, pair.now);
    pair.drain('client');
    expect(pair.closed('client')).toBeUndefined();
  });
});
