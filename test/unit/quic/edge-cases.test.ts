/**
 * What the suites of other implementations and papers about conformance ask besides errors: frames that contradict each
 * other or come in vain, handshakes that limp, ids and tokens of odd sizes. RFC 9000 unless it says otherwise.
 */
import { describe, expect, it } from 'vitest';
import type { PairOptions, Side } from './connection-pair.ts';
import { ConnectionPair, idSource, pemIdentity, serverPath } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';
import type { WirePacket } from './wire-reader.ts';
import { carries, packetsOf } from './wire-reader.ts';

const KEYLOG = { client: { keylog: true }, server: { keylog: true } };
const sides: readonly Side[] = ['client', 'server'];
const PING = frame(0x01);

function confirmed(over: PairOptions = {}): ConnectionPair {
  return new ConnectionPair({ ...KEYLOG, ...over }).connect().wait(200);
}

/** What a side has sent since there were so many datagrams. */
function sentSince(pair: ConnectionPair, before: number, from: Side): WirePacket[] {
  const late = new Set(pair.sent.slice(before));
  return packetsOf(pair).filter(({ transit }) => transit.from === from && late.has(transit));
}

function frames(packets: readonly WirePacket[], name: string): unknown[][] {
  return packets.flatMap((packet) => packet.frames.filter(([frame]) => frame === name).map(([, ...values]) => values));
}

describe("a server's flight (RFC 9002 section 6.2.3)", () => {
  /** The client hears nothing. */
  const deaf = (over: PairOptions = {}): ConnectionPair =>
    new ConnectionPair({ ...KEYLOG, drop: ({ from }) => from === 'server', ...over });

  /** How many bytes of CRYPTO frames the server sends upon an Initial packet at a time. */
  function answerAt(pair: ConnectionPair, at: number): number {
    pair.run(at);
    const before = pair.sent.length;
    new Rogue(pair, 'client').send('initial', PING, { number: 5_000 + at });
    pair.run(at + 1);
    return frames(sentSince(pair, before, 'server'), 'cryptoReceived').reduce(
      (sum, [, data]) => sum + String(data).length / 2,
      0,
    );
  }

  it('goes out again when the client still asks in Initial packets, three times at most', () => {
    const pair = deaf();
    pair.run(15);
    const flight = frames(
      packetsOf(pair).filter(({ transit }) => transit.from === 'server'),
      'cryptoReceived',
    ).reduce((sum, [, data]) => sum + String(data).length / 2, 0);
    expect(flight).toBeGreaterThan(500);
    // Too soon: the packet may have crossed the flight.
    expect(answerAt(pair, 50)).toBe(0);
    expect([answerAt(pair, 200), answerAt(pair, 350), answerAt(pair, 500)]).toEqual([flight, flight, flight]);
    expect(answerAt(pair, 650)).toBe(0);
  });

  it('goes on with what was not sent yet before anything is said twice', () => {
    const { cert = '', key = '' } = pemIdentity('rsa');
    const pair = deaf({ identity: { cert: cert.toString().trim().concat('\n').repeat(10), key } });
    pair.run(15);
    const end = (packets: readonly WirePacket[]): number =>
      Math.max(...frames(packets, 'cryptoReceived').map(([offset, data]) => Number(offset) + String(data).length / 2));
    const first = end(packetsOf(pair).filter(({ transit }) => transit.from === 'server'));
    const before = pair.sent.length;
    expect(answerAt(pair, 200)).toBeGreaterThan(2_000);
    const more = sentSince(pair, before, 'server');
    const offsets = frames(more, 'cryptoReceived').map(([offset]) => Number(offset));
    expect(Math.min(...offsets)).toBe(first);
  });

  it('is not kept from a client by the ACK of its Initial packet alone', () => {
    let lost = 0;
    const pair = new ConnectionPair({
      drop: ({ from, data }) => {
        // What is as long as a flight is lost, until the client has asked three times.
        const isLost = from === 'server' && data.length > 600 && lost < 3;
        if (isLost) lost += 1;
        return isLost;
      },
    }).connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
    expect(pair.now).toBeLessThan(5_000);
  });
});

describe('probes (RFC 9002 section 6.2.4)', () => {
  it.each(sides)('of a %s say again what came: the acknowledgement may be what was lost', (side) => {
    const lossy = { on: false };
    const pair = confirmed({ drop: ({ from }) => lossy.on && from === side });
    const other = side === 'client' ? 'server' : 'client';
    lossy.on = true;
    const id = pair.side(other).openStream(false);
    pair.side(other).writeStream(id, Buffer.from('question'), true);
    pair.wait(40);
    const answer = pair.side(side).openStream(false);
    pair.side(side).writeStream(answer, Buffer.from('answer'), true);
    const before = pair.sent.length;
    pair.wait(500);
    const [first, ...probes] = sentSince(pair, before, side).filter((packet) => carries(packet, 'streamReceived'));
    expect(carries(first, 'ackReceived')).toBe(false);
    expect(probes.length).toBeGreaterThan(1);
    expect(probes.every((packet) => carries(packet, 'ackReceived'))).toBe(true);
  });
});

describe('bytes that contradict each other (section 2.2)', () => {
  it('in STREAM frames: the first ones stand', () => {
    const pair = confirmed();
    const rogue = new Rogue(pair, 'client');
    rogue.send('oneRtt', frame(0x0e, 0, 2, 3, 'cde'));
    rogue.send('oneRtt', frame(0x0f, 0, 0, 7, 'abXYZfg'));
    expect(pair.bytes('server', 0).toString()).toBe('abcdefg');
    expect(pair.closed('server')).toBeUndefined();
  });

  it('in CRYPTO frames: the first ones stand, and the handshake goes on', () => {
    const pair = new ConnectionPair({ ...KEYLOG, certificate: 'silent' });
    pair.run(60);
    const rogue = new Rogue(pair, 'server');
    // The client waits for the verdict with the whole flight in hand.
    expect(rogue.send('handshake', frame(0x06, 0, 4, 'junk'))).toBeUndefined();
    pair.client.submitCertificateVerdict({ ok: true });
    expect([pair.client.handshakeComplete, pair.closed('client')]).toEqual([true, undefined]);
  });
});

describe('frames that say nothing new', () => {
  it.each(sides)('limits of a %s that fall are passed over (sections 19.9 to 19.11)', (as) => {
    const pair = confirmed();
    const victim = pair.side(as === 'client' ? 'server' : 'client');
    const id = victim.openStream(true);
    victim.writeStream(id, Buffer.from('x'), false);
    const before = [victim.availableStreams(true), victim.availableStreams(false), victim.sendCapacity(id)];
    const fall = frame(0x12, 1, 0x13, 1, 0x10, 1, 0x11, id, 1);
    expect(new Rogue(pair, as).send('oneRtt', fall)).toBeUndefined();
    expect([victim.availableStreams(true), victim.availableStreams(false), victim.sendCapacity(id)]).toEqual(before);
  });

  it('an ACK that claims to have waited for ever is bounded by max_ack_delay (RFC 9002 section 5.3)', () => {
    const pair = confirmed();
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('x'), true);
    const before = pair.sent.length;
    pair.run(pair.now + 11);
    const number = sentSince(pair, before, 'client').at(-1)?.number ?? 0;
    const late = Buffer.concat([frame(0x02, number), Buffer.alloc(8, 0xff), frame(0, 0)]);
    expect(new Rogue(pair, 'server').send('oneRtt', late)).toBeUndefined();
    expect(pair.closed('client')).toBeUndefined();
    pair.wait(3_000);
    expect(pair.closed('client')).toBeUndefined();
  });

  it('STREAM frames without bytes: the end alone is told (section 19.8)', () => {
    const pair = confirmed();
    const rogue = new Rogue(pair, 'client');
    expect(rogue.send('oneRtt', frame(0x0a, 0, 0))).toBeUndefined();
    expect(pair.finished.server.has(0)).toBe(false);
    expect(rogue.send('oneRtt', frame(0x0b, 0, 0))).toBeUndefined();
    expect([pair.finished.server.has(0), pair.bytes('server', 0).length]).toEqual([true, 0]);
  });

  it('STOP_SENDING opens a stream that was not heard of, and is answered by RESET_STREAM with its code (section 3.5)', () => {
    const pair = confirmed();
    expect(new Rogue(pair, 'client').send('oneRtt', frame(0x05, 0, 77))).toBeUndefined();
    const before = pair.sent.length;
    pair.wait(50);
    expect(frames(sentSince(pair, before, 'server'), 'resetStreamReceived')).toContainEqual([0, 77, 0]);
  });

  it('RETIRE_CONNECTION_ID is answered by another id, and means nothing the second time (section 5.1.1)', () => {
    const pair = confirmed();
    const rogue = new Rogue(pair, 'client');
    const before = pair.sent.length;
    expect(rogue.send('oneRtt', frame(0x19, 1, 0x19, 1))).toBeUndefined();
    pair.wait(5);
    const issued = frames(sentSince(pair, before, 'server'), 'newConnectionIdReceived');
    expect(issued.map(([sequence]) => sequence)).toEqual([4]);
  });
});

describe('ids and tokens of odd sizes', () => {
  it('a longer id leaves datagrams less room, and they still go (section 5.1.2, RFC 9221 section 5)', () => {
    const pair = confirmed();
    const { client } = pair;
    const before = client.maxDatagramLength;
    const longest = frame(0x18, 9, 9, '\x14', Buffer.alloc(20, 5), Buffer.alloc(16, 6));
    expect(new Rogue(pair, 'server').send('oneRtt', longest)).toBeUndefined();
    expect(client.maxDatagramLength).toBe(before - 12);
    client.datagramsToSend(pair.now, 10);
    expect(client.sendDatagram(new Uint8Array(client.maxDatagramLength))).toBe(true);
    const sizes = client.datagramsToSend(pair.now, 10).map(({ data }) => data.length);
    expect(sizes.some((size) => size > client.maxDatagramLength)).toBe(true);
  });

  it.each([
    [1_000, 1],
    [1_001, 0],
  ])('a token of %i bytes is kept %i times: a ClientHello has to go beside it (section 8.1.3)', (length, times) => {
    const pair = confirmed();
    pair.notices.client.length = 0;
    // Larger than what a path is known to carry: its sender knows more.
    const token = frame(0x07, length, Buffer.alloc(length, 7));
    expect(new Rogue(pair, 'server').send('oneRtt', token)).toBeUndefined();
    expect(pair.notices.client.filter(({ type }) => type === 'TokenReceived').length).toBe(times);
  });

  it('the longest token that is kept does not keep a connection from coming about', () => {
    const pair = new ConnectionPair({ client: { token: new Uint8Array(1_000).fill(7) } }).connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
    expect(pair.sent.every(({ data }) => data.length <= 1_200)).toBe(true);
  });
});

describe('a path of a stranger (sections 8.2 and 9)', () => {
  it('is a client that moves and calls itself by no id (section 5.1.1), as browsers do', () => {
    const pair = confirmed({ client: { keylog: true, connectionIds: idSource(9, 0) } });
    expect(pair.client.migrate({ local: '10.0.0.7:7000', remote: '10.0.0.2:443' })).toBe(true);
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.alloc(50_000), true);
    pair.run(pair.now + 5_000, () => pair.finished.server.has(id));
    expect(pair.server?.currentPath.remote).toBe('10.0.0.7:7000');
    pair.side('server').writeStream(id, Buffer.alloc(50_000), true);
    pair.run(pair.now + 5_000, () => pair.finished.client.has(id));
    expect(pair.bytes('client', id).length).toBe(50_000);
    pair.wait(5_000);
    expect(pair.closed('server') ?? pair.closed('client')).toBeUndefined();
  });

  it('whose copy of a packet came first is asked, and so is the real one, who is gone back to (section 9.3.3)', () => {
    const pair = confirmed();
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('hello'), true);
    const [datagram] = pair.client.datagramsToSend(pair.now, 1);
    const spoofed = { ...serverPath, remote: '203.0.113.66:9999' };
    const before = pair.sent.length;
    pair.inject('client', datagram?.data ?? Buffer.alloc(0), spoofed);
    pair.wait(500);
    // The original came too late, but whoever is asked where it was answers.
    const asked = sentSince(pair, before, 'server').filter((packet) => carries(packet, 'pathChallengeReceived'));
    expect(new Set(asked.map(({ transit }) => transit.to.remote))).toEqual(
      new Set([spoofed.remote, serverPath.remote]),
    );
    expect(pair.server?.currentPath).toEqual(serverPath);
    const again = pair.client.openStream(true);
    pair.client.writeStream(again, Buffer.from('still here'), true);
    pair.wait(50);
    expect(pair.bytes('server', again).toString()).toBe('still here');
    expect(pair.closed('server')).toBeUndefined();
  });
});
