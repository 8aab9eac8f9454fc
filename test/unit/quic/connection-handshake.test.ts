import { describe, expect, it } from 'vitest';
import { cipherSuites, NamedGroup, nodeCryptoProvider } from '../../../src/crypto/index.ts';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import { readPacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { initialKeys } from '../../../src/protocols/quic/packet-protection.ts';
import type { Transit } from './connection-pair.ts';
import { ConnectionPair, idSource, pemIdentity } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';

/** Has both sides say something, and sees that it arrives. */
function talk(pair: ConnectionPair): void {
  const id = pair.client.openStream(true);
  pair.client.writeStream(id, Buffer.from('question'), true);
  pair.run(pair.now + 20_000, () => pair.finished.server.has(id));
  expect(pair.bytes('server', id).toString()).toBe('question');
  pair.side('server').writeStream(id, Buffer.from('answer'), true);
  pair.run(pair.now + 20_000, () => pair.finished.client.has(id));
  expect(pair.bytes('client', id).toString()).toBe('answer');
}

function bothConfirmed(pair: ConnectionPair): boolean {
  return pair.client.handshakeConfirmed && pair.server?.handshakeConfirmed === true;
}

describe('a handshake', () => {
  it('completes on both sides and is confirmed (RFC 9001 section 4.1)', () => {
    const pair = new ConnectionPair().connect();
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([
      { alpn: 'h3', cipher: 'TLS_AES_128_GCM_SHA256', resumed: false, earlyData: 'none' },
    ]);
    expect(pair.only('server', 'HandshakeCompleted')).toMatchObject([{ alpn: 'h3', resumed: false }]);
    expect(pair.only('client', 'CertificateReceived')).toMatchObject([{ serverName: 'a.example' }]);
    expect(pair.only('server', 'ClientHelloReceived')).toMatchObject([{ serverName: 'a.example', alpn: ['h3'] }]);
    expect(bothConfirmed(pair)).toBe(true);
    expect(pair.closed('client')).toBeUndefined();
    talk(pair);
  });

  it('is done in two round trips without loss', () => {
    const pair = new ConnectionPair({ latency: 50 }).connect();
    expect(pair.now).toBeLessThanOrEqual(200);
  });

  it('replays: the same seeds make the same datagrams', () => {
    const run = (): string[] => {
      const pair = new ConnectionPair().connect();
      return pair.sent.map(({ from, data, at }) => `${from} ${String(at)} ${Buffer.from(data).toString('hex')}`);
    };
    expect(run()).toEqual(run());
  });

  it.each(cipherSuites.map(({ id, name }) => [name, id] as const))('seals with %s', (name, id) => {
    const pair = new ConnectionPair({ client: { cipherSuites: [id] } }).connect();
    expect(pair.only('client', 'HandshakeCompleted')).toMatchObject([{ cipher: name }]);
    talk(pair);
  });

  it.each(['p256', 'p384', 'ed25519', 'rsa', 'rsa-pss'])('shows an identity of kind %s', (name) => {
    const pair = new ConnectionPair({ identity: pemIdentity(name) }).connect();
    expect(bothConfirmed(pair)).toBe(true);
    talk(pair);
  });

  it('goes through HelloRetryRequest (RFC 8446 section 4.1.4)', () => {
    const pair = new ConnectionPair({ server: { groups: [NamedGroup.secp256r1] } }).connect();
    expect(bothConfirmed(pair)).toBe(true);
    talk(pair);
  });

  it.each([0, 1, 4, 20])('works with connection ids of %d bytes', (length) => {
    const pair = new ConnectionPair({
      client: { connectionIds: idSource(31, length) },
      server: { connectionIds: idSource(32, length === 0 ? 8 : length) },
    }).connect();
    expect(bothConfirmed(pair)).toBe(true);
    talk(pair);
  });

  it('works with NewReno, and without grease', () => {
    const over = { congestion: 'newreno', grease: false } as const;
    const pair = new ConnectionPair({ client: over, server: over }).connect();
    expect(bothConfirmed(pair)).toBe(true);
    for (const { data } of pair.sent) expect((data[0] ?? 0) & 0x40).toBe(0x40);
    talk(pair);
  });

  it('turns the fixed bit where both sides take it (RFC 9287 section 3.1)', () => {
    const pair = new ConnectionPair().connect();
    for (let count = 0; count < 8; count += 1) talk(pair);
    const cleared = pair.sent.filter(({ data }) => ((data[0] ?? 0) & 0x40) === 0);
    expect(new Set(cleared.map(({ from }) => from))).toEqual(new Set(['client', 'server']));
    // Not before the peer's parameters were read: the client's first datagram.
    expect((pair.sent[0]?.data[0] ?? 0) & 0x40).toBe(0x40);
  });
});

describe('a handshake over a bad network', () => {
  const clean = new ConnectionPair().connect();
  const counts = {
    client: clean.sent.filter(({ from }) => from === 'client').length,
    server: clean.sent.filter(({ from }) => from === 'server').length,
  };
  const each = (['client', 'server'] as const).flatMap((from) =>
    Array.from({ length: counts[from] }, (_, index) => [from, index] as const),
  );

  it.each(each)('gets over the loss of datagram %2$d of the %1$s (RFC 9002 section 6.2)', (from, index) => {
    const drop = (transit: Transit): boolean => transit.from === from && transit.index === index;
    const pair = new ConnectionPair({ drop }).connect();
    expect(bothConfirmed(pair)).toBe(true);
    talk(pair);
  });

  it.each(each)('gets over the loss of datagram %2$d of the %1$s and the two behind it', (from, index) => {
    const drop = (transit: Transit): boolean =>
      transit.from === from && transit.index >= index && transit.index < index + 3;
    const pair = new ConnectionPair({ drop }).connect();
    expect(bothConfirmed(pair)).toBe(true);
    talk(pair);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('gets over 30%% loss and disorder, seed %d', (seed) => {
    let state = seed * 7919;
    const chance = (): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >>> 8) / 0x7fffff;
    };
    const limits = quicLimitValues({ handshakeTimeout: 60_000, idleTimeout: 120_000 });
    const pair = new ConnectionPair({
      client: { limits },
      server: { limits },
      drop: () => chance() < 0.3,
      delay: () => (chance() < 0.3 ? 40 * chance() : 0),
    }).connect(60_000);
    expect(bothConfirmed(pair)).toBe(true);
    talk(pair);
  });

  it('keeps packets whose keys are not there yet, a few (RFC 9001 section 5.7)', () => {
    // The first datagram of the server, with its ServerHello, comes last.
    const pair = new ConnectionPair({
      identity: pemIdentity('rsa'),
      delay: ({ from, index }) => (from === 'server' && index === 0 ? 15 : 0),
    }).connect();
    expect(bothConfirmed(pair)).toBe(true);
    expect(pair.now).toBeLessThan(150);
  });
});

describe('the first flight', () => {
  it('fills datagrams with Initial packets to 1200 bytes (RFC 9000 section 14.1)', () => {
    const pair = new ConnectionPair().connect();
    for (const { from, data } of pair.sent) {
      const header = readPacketHeader(data, 0, 8);
      if (header?.form !== 'initial') continue;
      if (from === 'client') expect(data.length).toBeGreaterThanOrEqual(1_200);
    }
    const hello = pair.sent.find(({ from }) => from === 'server');
    expect(hello?.data.length).toBe(1_200);
  });

  it('has a Destination Connection ID of eight bytes at least, at random (RFC 9000 section 7.2)', () => {
    const pair = new ConnectionPair();
    pair.run(0);
    const header = readPacketHeader(pair.sent[0]?.data ?? Buffer.alloc(0), 0, 8);
    expect(header?.destination.length).toBeGreaterThanOrEqual(8);
  });

  it('is not answered by more than three times its bytes (RFC 9000 section 8.1)', () => {
    const pair = new ConnectionPair({
      identity: { ...pemIdentity('rsa'), cert: `${String(pemIdentity('rsa').cert)}\n`.repeat(6) },
      drop: ({ from, index }) => from === 'client' && index > 0,
    });
    pair.run(8_000);
    const sum = (from: string): number =>
      pair.sent.filter((transit) => transit.from === from).reduce((total, { data }) => total + data.length, 0);
    const arrived = pair.sent.find(({ from, index }) => from === 'client' && index === 0)?.data.length ?? 0;
    expect(sum('server')).toBeGreaterThan(0);
    expect(sum('server')).toBeLessThanOrEqual(3 * arrived);
  });

  it('is finished once the client has proved its address, however large the chain (RFC 9002 section 6.2.2.1)', () => {
    const pair = new ConnectionPair({
      identity: { ...pemIdentity('rsa'), cert: `${String(pemIdentity('rsa').cert)}\n`.repeat(8) },
    }).connect();
    expect(bothConfirmed(pair)).toBe(true);
  });

  it('counts junk on the path as received (RFC 9000 section 8.1)', () => {
    const pair = new ConnectionPair({
      identity: { ...pemIdentity('rsa'), cert: `${String(pemIdentity('rsa').cert)}\n`.repeat(8) },
      drop: ({ from, index }) => from === 'client' && index > 0,
    });
    pair.run(50);
    const before = pair.sent.filter(({ from }) => from === 'server').length;
    pair.inject('client', Buffer.alloc(1_200, 0xff));
    pair.wait(100);
    expect(pair.sent.filter(({ from }) => from === 'server').length).toBeGreaterThan(before);
  });

  it('drops an Initial in a datagram below 1200 bytes at a server (RFC 9000 section 14.1)', () => {
    const pair = new ConnectionPair({ identity: 'silent' });
    pair.run(15);
    const rogue = new Rogue(pair, 'client');
    const id = readPacketHeader(pair.sent[0]?.data ?? Buffer.alloc(0), 0, 8)?.destination ?? Buffer.alloc(0);
    // A frame that may not stand there would end the connection.
    expect(rogue.send('initial', frame(0x1e), { size: 1_100, destination: id })).toBeUndefined();
    expect(rogue.send('initial', frame(0x1e), { size: 1_200, destination: id })).toMatchObject({ errorCode: 0x0a });
  });
});

describe('questions to the driver', () => {
  const closedBy = (pair: ConnectionPair, side: 'client' | 'server'): number | undefined =>
    pair.closed(side)?.errorCode;

  it('end with certificate_unknown when nobody judges the certificate (RFC 9001 section 4.8)', () => {
    const pair = new ConnectionPair({ certificate: 'silent' });
    pair.run(9_500);
    expect(closedBy(pair, 'client')).toBe(0x0100 + 46);
    expect(pair.only('client', 'HandshakeCompleted')).toEqual([]);
    expect(closedBy(pair, 'server')).toBe(0x0100 + 46);
  });

  it('end with internal_error when nobody gives an identity', () => {
    const pair = new ConnectionPair({ identity: 'silent' });
    pair.run(9_500);
    expect(closedBy(pair, 'server')).toBe(0x0100 + 80);
    expect(closedBy(pair, 'client')).toBe(0x0100 + 80);
  });

  it('end with the alert of a verdict, and no byte of a stream (CONTRACTS section 5)', () => {
    const pair = new ConnectionPair({ certificate: { ok: false, alert: 48, reason: 'unknown authority' } });
    pair.run(2_000);
    expect(closedBy(pair, 'client')).toBe(0x0100 + 48);
    expect(closedBy(pair, 'server')).toBe(0x0100 + 48);
    expect(pair.only('client', 'QuicStreamReceived')).toEqual([]);
    expect(pair.only('server', 'QuicStreamReceived')).toEqual([]);
    expect(pair.only('client', 'HandshakeCompleted')).toEqual([]);
    expect(pair.only('server', 'HandshakeCompleted')).toEqual([]);
  });

  it('end with the alert that refuses a name', () => {
    const pair = new ConnectionPair({ identity: 112 });
    pair.run(2_000);
    expect(closedBy(pair, 'client')).toBe(0x0100 + 112);
  });

  it('hold data that the server sent early until the certificate is judged', () => {
    const pair = new ConnectionPair({
      certificate: 'silent',
      onEvent: (self, side, event) => {
        if (side !== 'server' || event.type !== 'ClientHelloReceived') return;
        const server = self.side('server');
        const id = server.openStream(false);
        server.writeStream(id, Buffer.from('early'), true);
      },
    });
    pair.run(500);
    expect(pair.only('client', 'CertificateReceived').length).toBe(1);
    expect(pair.only('client', 'QuicStreamReceived')).toEqual([]);
    pair.client.submitCertificateVerdict({ ok: true });
    pair.connect(5_000);
    expect(pair.only('client', 'QuicStreamReceived').map(({ data }) => Buffer.from(data).toString())).toEqual([
      'early',
    ]);
  });

  it('come to a server for the certificate of a client', () => {
    const identity = clientIdentity();
    const pair = new ConnectionPair({ client: { identity }, server: { clientCertificate: 'require' } }).connect();
    expect(pair.only('server', 'CertificateReceived').length).toBe(1);
    expect(bothConfirmed(pair)).toBe(true);
    const without = new ConnectionPair({ server: { clientCertificate: 'require' } });
    without.run(2_000);
    expect(closedBy(without, 'server')).toBe(0x0100 + 116);
    expect(closedBy(without, 'client')).toBe(0x0100 + 116);
  });

  it('fail without a protocol in common (RFC 9001 section 8.1)', () => {
    const pair = new ConnectionPair({ client: { alpn: ['hq'] } });
    pair.run(2_000);
    expect(closedBy(pair, 'client')).toBe(0x0100 + 120);
    expect(closedBy(pair, 'server')).toBe(0x0100 + 120);
  });
});

function clientIdentity(): {
  chain: readonly Uint8Array[];
  key: ReturnType<typeof nodeCryptoProvider.importSigningKey>;
} {
  const { cert, key } = pemIdentity('p256');
  const base64 = String(cert).replace(/-----[A-Z ]+-----|\s/g, '');
  return { chain: [Buffer.from(base64, 'base64')], key: nodeCryptoProvider.importSigningKey(String(key)) };
}

describe('limits of a handshake', () => {
  it('ends it when it lasts too long', () => {
    const pair = new ConnectionPair({ drop: ({ from }) => from === 'server' });
    pair.run(11_000);
    expect(pair.closed('client')).toMatchObject({ initiator: 'network' });
    expect(pair.client.isTerminated).toBe(true);
    expect(pair.client.nextTimeout()).toBeUndefined();
    expect(pair.server?.isTerminated).toBe(true);
  });

  it('bounds handshake bytes that wait (RFC 9000 section 7.5: CRYPTO_BUFFER_EXCEEDED)', () => {
    const pair = new ConnectionPair({ identity: 'silent' });
    pair.run(15);
    const rogue = new Rogue(pair, 'client');
    const id = readPacketHeader(pair.sent[0]?.data ?? Buffer.alloc(0), 0, 8)?.destination ?? Buffer.alloc(0);
    const chunk = Buffer.alloc(1_000);
    let closed: ReturnType<ConnectionPair['closed']>;
    for (let offset = 2_000; closed === undefined && offset < 200_000; offset += 1_000) {
      closed = rogue.send('initial', frame(0x06, offset, chunk.length, chunk), { destination: id });
      if (closed === undefined) expect(offset).toBeLessThan(70_000);
    }
    expect(closed).toMatchObject({ errorCode: 0x0d });
  });

  it('uses Initial keys from the id that the client chose (RFC 9001 section 5.2)', () => {
    const pair = new ConnectionPair();
    pair.run(0);
    const first = pair.sent[0]?.data ?? Buffer.alloc(0);
    const header = readPacketHeader(first, 0, 8);
    const keys = initialKeys(nodeCryptoProvider, header?.destination ?? Buffer.alloc(0)).client;
    const packet = Buffer.from(first);
    const numberLength = keys.unmask(packet, header?.numberOffset ?? 0);
    expect(keys.open(packet.subarray(0, header?.end), (header?.numberOffset ?? 0) + numberLength, 0)).toBeDefined();
  });
});
