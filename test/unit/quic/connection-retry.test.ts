import { describe, expect, it } from 'vitest';
import { nodeCryptoProvider } from '../../../src/crypto/index.ts';
import { QuicError } from '../../../src/protocols/quic/error-codes.ts';
import { readPacketHeader, retryWithoutTag, versionNegotiation } from '../../../src/protocols/quic/packet-header.ts';
import { retryTag } from '../../../src/protocols/quic/packet-protection.ts';
import type { PairOptions } from './connection-pair.ts';
import { clientPath, ConnectionPair } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';

const RETRY_ID = Buffer.from('retrysrc');
const TOKEN = Buffer.from('prove yourself');

function firstHeader(pair: ConnectionPair): { destination: Uint8Array; source: Uint8Array } {
  const header = readPacketHeader(pair.sent[0]?.data ?? Buffer.alloc(0), 0, 8);
  if (header === undefined) throw new Error('no first packet');
  return header;
}

function retryPacket(pair: ConnectionPair, source: Uint8Array = RETRY_ID, token: Uint8Array = TOKEN): Buffer {
  const header = firstHeader(pair);
  const packet = retryWithoutTag(header.source, source, token);
  return Buffer.concat([packet, retryTag(nodeCryptoProvider, header.destination, packet)]);
}

/** A pair in which the client's first datagram was lost; the server takes its later ones as behind a Retry. */
function beforeRetry(over: PairOptions = {}): ConnectionPair {
  const pair = new ConnectionPair({ ...over, drop: ({ from, index }) => from === 'client' && index === 0 });
  pair.run(1);
  const { destination } = firstHeader(pair);
  pair.options = {
    ...pair.options,
    initial: { originalDestinationId: destination, retrySourceId: RETRY_ID, addressValidated: true },
  };
  return pair;
}

function receive(pair: ConnectionPair, datagram: Uint8Array): void {
  pair.client.datagramReceived(datagram, clientPath, pair.now);
  pair.drain('client');
}

describe('a Retry (RFC 9000 section 17.2.5)', () => {
  it('has the client begin anew with its token, its id and the next packet number', () => {
    const pair = beforeRetry();
    receive(pair, retryPacket(pair));
    pair.run(pair.now);
    const again = pair.sent[1];
    const header = readPacketHeader(again?.data ?? Buffer.alloc(0), 0, 8);
    expect(header?.form).toBe('initial');
    expect(Buffer.from(header?.token ?? []).toString()).toBe(TOKEN.toString());
    expect(Buffer.from(header?.destination ?? []).toString()).toBe(RETRY_ID.toString());
    expect(again?.data.length).toBeGreaterThanOrEqual(1_200);
    pair.connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
    expect(pair.closed('client')).toBeUndefined();
  });

  it('is taken once (section 17.2.5.2)', () => {
    const pair = beforeRetry();
    receive(pair, retryPacket(pair));
    receive(pair, retryPacket(pair, Buffer.from('another!'), Buffer.from('another token')));
    pair.run(pair.now);
    const header = readPacketHeader(pair.sent[1]?.data ?? Buffer.alloc(0), 0, 8);
    expect(Buffer.from(header?.token ?? []).toString()).toBe(TOKEN.toString());
  });

  const ignored: readonly (readonly [string, (pair: ConnectionPair) => Uint8Array])[] = [
    [
      'with a wrong tag (RFC 9001 section 5.8)',
      (pair) => {
        const packet = retryPacket(pair);
        packet[packet.length - 1] = (packet[packet.length - 1] ?? 0) ^ 1;
        return packet;
      },
    ],
    ['without a token (section 17.2.5.2)', (pair) => retryPacket(pair, RETRY_ID, Buffer.alloc(0))],
    [
      'from the id that the client made up (section 17.2.5.1)',
      (pair) => retryPacket(pair, firstHeader(pair).destination),
    ],
    [
      'for another connection',
      (pair) => {
        const packet = retryWithoutTag(Buffer.alloc(8, 1), RETRY_ID, TOKEN);
        return Buffer.concat([packet, retryTag(nodeCryptoProvider, firstHeader(pair).destination, packet)]);
      },
    ],
  ];
  it.each(ignored)('is dropped %s', (_name, make) => {
    const pair = new ConnectionPair();
    pair.run(1);
    receive(pair, make(pair));
    pair.connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
    const tokens = pair.sent.map(({ data }) => readPacketHeader(data, 0, 8)?.token.length ?? 0);
    expect(tokens.every((length) => length === 0)).toBe(true);
  });

  it('is dropped once a packet of the server was taken (section 17.2.5.2)', () => {
    const pair = new ConnectionPair({ certificate: 'silent' });
    pair.run(60);
    receive(pair, retryPacket(pair));
    pair.client.submitCertificateVerdict({ ok: true });
    pair.connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
  });

  it('is dropped at a server', () => {
    const pair = new ConnectionPair().connect();
    pair.server?.datagramReceived(retryPacket(pair), pair.serverSees, pair.now);
    pair.wait(100);
    expect(pair.closed('server')).toBeUndefined();
  });

  it('that the server does not own up to: TRANSPORT_PARAMETER_ERROR (section 7.3)', () => {
    const pair = beforeRetry();
    pair.options = { ...pair.options, initial: { ...pair.options.initial, retrySourceId: undefined } };
    receive(pair, retryPacket(pair));
    pair.run(2_000);
    expect(pair.closed('client')).toMatchObject({ errorCode: QuicError.transportParameterError });
  });

  it('whose server forgot the first id: TRANSPORT_PARAMETER_ERROR (section 7.3)', () => {
    const pair = beforeRetry();
    pair.options = { ...pair.options, initial: { ...pair.options.initial, originalDestinationId: RETRY_ID } };
    receive(pair, retryPacket(pair));
    pair.run(2_000);
    expect(pair.closed('client')).toMatchObject({ errorCode: QuicError.transportParameterError });
  });
});

describe('a token (RFC 9000 section 8.1.3)', () => {
  it('of NEW_TOKEN is handed out, and goes into the first packets of the next connection', () => {
    const pair = new ConnectionPair({
      server: { newToken: (remote) => Buffer.from(`token for ${remote}`) },
    })
      .connect()
      .wait(100);
    const notices = pair.notices.client.filter(({ type }) => type === 'TokenReceived');
    expect(notices.length).toBe(1);
    const [notice] = notices;
    const token = notice?.type === 'TokenReceived' ? notice.token : Buffer.alloc(0);
    expect(Buffer.from(token).toString()).toBe('token for 10.0.0.1:5000');
    const next = new ConnectionPair({ client: { token }, initial: { addressValidated: true } });
    next.run(1);
    const header = readPacketHeader(next.sent[0]?.data ?? Buffer.alloc(0), 0, 8);
    expect(Buffer.from(header?.token ?? [])).toEqual(Buffer.from(token));
    next.connect();
    expect(next.client.handshakeConfirmed).toBe(true);
  });

  it('that nobody fetches is forgotten when there are too many', () => {
    const pair = new ConnectionPair({ client: { keylog: true }, server: { keylog: true } }).connect().wait(100);
    const rogue = new Rogue(pair, 'server');
    for (let count = 0; count < 500; count += 1) {
      const bytes = frame(0x07, 4, String(1_000 + count));
      pair.client.datagramReceived(rogue.packet('oneRtt', bytes), clientPath, pair.now);
    }
    const tokens: string[] = [];
    for (let notice = pair.client.nextNotice(); notice !== undefined; notice = pair.client.nextNotice()) {
      if (notice.type === 'TokenReceived') tokens.push(Buffer.from(notice.token).toString());
    }
    expect(tokens.length).toBe(32);
    expect(tokens.at(-1)).toBe('1499');
  });
});

describe('Version Negotiation (RFC 9000 section 6)', () => {
  const answer = (pair: ConnectionPair, versions: readonly number[]): Uint8Array => {
    const { destination, source } = firstHeader(pair);
    return versionNegotiation(source, destination, versions, 0);
  };

  it('without our version ends the attempt, and nothing is sent', () => {
    const pair = new ConnectionPair();
    pair.run(1);
    receive(pair, answer(pair, [0x0a0a0a0a, 0x6b3343cf]));
    expect(pair.only('client', 'QuicConnectionClosed')).toMatchObject([
      { initiator: 'network', error: { code: 'ERR_QUIC_VERSION' } },
    ]);
    expect(pair.client.datagramsToSend(pair.now, 10)).toEqual([]);
    expect(pair.client.isTerminated).toBe(true);
  });

  it('is dropped when it lists our version (section 6.2)', () => {
    const pair = new ConnectionPair();
    pair.run(1);
    receive(pair, answer(pair, [0x6b3343cf, 1]));
    pair.connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
  });

  it('is dropped when it answers no packet of ours', () => {
    const pair = new ConnectionPair();
    pair.run(1);
    const { destination, source } = firstHeader(pair);
    receive(pair, versionNegotiation(source, Buffer.alloc(8, 1), [0x6b3343cf], 0));
    receive(pair, versionNegotiation(Buffer.alloc(8, 1), destination, [0x6b3343cf], 0));
    pair.connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
  });

  it('is dropped once a packet of the server was taken (section 6.2)', () => {
    const pair = new ConnectionPair({ certificate: 'silent' });
    pair.run(60);
    receive(pair, answer(pair, [0x6b3343cf]));
    expect(pair.closed('client')).toBeUndefined();
  });

  it('is dropped behind a Retry (section 6.2)', () => {
    const pair = beforeRetry();
    receive(pair, retryPacket(pair));
    receive(pair, answer(pair, [0x6b3343cf]));
    pair.connect();
    expect(pair.client.handshakeConfirmed).toBe(true);
  });

  it('is dropped at a server', () => {
    const pair = new ConnectionPair().connect();
    pair.server?.datagramReceived(answer(pair, [0x6b3343cf]), pair.serverSees, pair.now);
    pair.wait(50);
    expect(pair.closed('server')).toBeUndefined();
  });
});
