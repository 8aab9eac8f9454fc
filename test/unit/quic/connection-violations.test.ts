import { describe, expect, it } from 'vitest';
import { QuicError } from '../../../src/protocols/quic/error-codes.ts';
import type { PacketKind } from '../../../src/protocols/quic/frame-types.ts';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import type { PairOptions, Side } from './connection-pair.ts';
import { ConnectionPair, seeded } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';
import { sealer } from '../tls/handshake-pair.ts';

const KEYLOG = { client: { keylog: true }, server: { keylog: true } };

/** A pair whose handshake is confirmed on both sides, and nothing is on its way. */
function confirmed(over: PairOptions = {}): ConnectionPair {
  return new ConnectionPair({ ...KEYLOG, ...over }).connect().wait(200);
}

/** A pair in the middle of its handshake: both have Handshake keys, and neither a Finished of the other. */
function handshaking(): ConnectionPair {
  const pair = new ConnectionPair({ ...KEYLOG, certificate: 'silent' });
  pair.run(60);
  return pair;
}

/** A pair at the beginning of its handshake: both have Initial keys alone. */
function beginning(): ConnectionPair {
  const pair = new ConnectionPair({ ...KEYLOG, identity: 'silent' });
  pair.run(60);
  return pair;
}

const T = {
  ping: frame(0x01),
  ack: frame(0x02, 0, 0, 0, 0),
  resetStream: frame(0x04, 0, 0, 0),
  stopSending: frame(0x05, 0, 0),
  crypto: frame(0x06, 0, 1, 'x'),
  newToken: frame(0x07, 1, 'x'),
  stream: frame(0x0a, 0, 1, 'x'),
  maxData: frame(0x10, 1),
  maxStreamData: frame(0x11, 0, 1),
  maxStreamsBidi: frame(0x12, 1),
  maxStreamsUni: frame(0x13, 1),
  dataBlocked: frame(0x14, 1),
  streamDataBlocked: frame(0x15, 0, 1),
  streamsBlockedBidi: frame(0x16, 1),
  streamsBlockedUni: frame(0x17, 1),
  newConnectionId: frame(0x18, 1, 0, '\x08', Buffer.alloc(8, 1), Buffer.alloc(16, 2)),
  retireConnectionId: frame(0x19, 0),
  pathChallenge: frame(0x1a, Buffer.alloc(8)),
  pathResponse: frame(0x1b, Buffer.alloc(8)),
  connectionClose: frame(0x1c, 0, 0, 0),
  applicationClose: frame(0x1d, 0, 0),
  handshakeDone: frame(0x1e),
  datagram: frame(0x31, 1, 'x'),
};
type FrameName = keyof typeof T;

const IN_HANDSHAKE: readonly FrameName[] = ['ping', 'ack', 'crypto', 'connectionClose'];
const names = Object.keys(T) as FrameName[];

describe('a frame in a packet where it may not stand (RFC 9000 section 12.4, table 3)', () => {
  const kinds: readonly PacketKind[] = ['initial', 'handshake'];
  const cases = kinds.flatMap((kind) =>
    (['client', 'server'] as const).flatMap((as) =>
      names.filter((name) => !IN_HANDSHAKE.includes(name)).map((name) => [name, kind, as] as const),
    ),
  );
  it.each(cases)('%s in a packet of kind %s of a %s: PROTOCOL_VIOLATION', (name, kind, as) => {
    const pair = kind === 'initial' ? beginning() : handshaking();
    expect(new Rogue(pair, as).send(kind, T[name])).toEqual({
      application: false,
      errorCode: QuicError.protocolViolation,
      initiator: 'peer',
    });
  });

  const early: readonly FrameName[] = [
    'ack',
    'crypto',
    'newToken',
    'pathResponse',
    'retireConnectionId',
    'handshakeDone',
  ];
  it.each(early)('%s in a 0-RTT packet: PROTOCOL_VIOLATION (section 12.5)', (name) => {
    const pair = earlyPair();
    expect(new Rogue(pair, 'client').send('zeroRtt', T[name])).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });
});

const LATER = 1_700_000_100_000;

/** A pair with a resumed session whose server has 0-RTT keys. */
function earlyPair(): ConnectionPair {
  return resumingPair({ certificate: 'silent' });
}

function resumingPair(over: PairOptions): ConnectionPair {
  const server = { keylog: true, tickets: sealer(), earlyData: true };
  const first = new ConnectionPair({ server }).connect().wait(300);
  const notice = first.notices.client.find(({ type }) => type === 'SessionReceived');
  if (notice?.type !== 'SessionReceived') throw new Error('no session');
  const pair = new ConnectionPair({
    ...over,
    client: { keylog: true, session: notice.session, earlyData: true, random: seeded(77), epoch: LATER },
    server: { ...server, epoch: LATER },
    // The client never finishes.
    drop: ({ from }) => from === 'server',
  });
  pair.run(30);
  return pair;
}

describe('frames of the wrong side', () => {
  it('HANDSHAKE_DONE at a server: PROTOCOL_VIOLATION (RFC 9000 section 19.20)', () => {
    expect(new Rogue(confirmed(), 'client').send('oneRtt', T.handshakeDone)).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  it('NEW_TOKEN at a server: PROTOCOL_VIOLATION (RFC 9000 section 19.7)', () => {
    expect(new Rogue(confirmed(), 'client').send('oneRtt', T.newToken)).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  it('HANDSHAKE_DONE at a client, again and again, is nothing', () => {
    const rogue = new Rogue(confirmed(), 'server');
    expect(rogue.send('oneRtt', frame(0x1e, 0x1e))).toBeUndefined();
  });
});

describe('malformed packets and frames', () => {
  const sides: readonly Side[] = ['client', 'server'];

  it.each(sides)('a packet of a %s without frames: PROTOCOL_VIOLATION (RFC 9000 section 12.4)', (as) => {
    // Too short for a sample without padding; the packet number has four bytes, so an empty payload fits.
    expect(new Rogue(confirmed(), as).send('oneRtt', Buffer.alloc(0))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  it.each(sides)('a frame type of a %s that is unknown: FRAME_ENCODING_ERROR (RFC 9000 section 12.4)', (as) => {
    for (const type of [0x1f, 0x20, 0x2f, 0x32, 0x4000]) {
      expect(new Rogue(confirmed(), as).send('oneRtt', frame(type))).toMatchObject({
        errorCode: QuicError.frameEncodingError,
      });
    }
  });

  it.each(sides)('a frame type of a %s in a long encoding: PROTOCOL_VIOLATION (RFC 9000 section 12.4)', (as) => {
    expect(new Rogue(confirmed(), as).send('oneRtt', Buffer.from([0x40, 0x01]))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  const cut = names.filter((name) => T[name].length > 1);
  it.each(cut)('%s cut short: FRAME_ENCODING_ERROR (RFC 9000 section 20.1)', (name) => {
    const pair = confirmed();
    const bytes = T[name];
    expect(new Rogue(pair, 'server').send('oneRtt', bytes.subarray(0, bytes.length - 1))).toMatchObject({
      errorCode: QuicError.frameEncodingError,
    });
  });

  it.each(sides)('reserved bits of a short header of a %s: PROTOCOL_VIOLATION (RFC 9000 section 17.3.1)', (as) => {
    for (const flip of [0x08, 0x10]) {
      expect(new Rogue(confirmed(), as).send('oneRtt', T.ping, { flip })).toMatchObject({
        errorCode: QuicError.protocolViolation,
      });
    }
  });

  it.each(sides)('reserved bits of a long header of a %s: PROTOCOL_VIOLATION (RFC 9000 section 17.2)', (as) => {
    for (const flip of [0x04, 0x08]) {
      expect(new Rogue(handshaking(), as).send('handshake', T.ping, { flip })).toMatchObject({
        errorCode: QuicError.protocolViolation,
      });
    }
  });

  it('a NEW_TOKEN without a token: FRAME_ENCODING_ERROR (RFC 9000 section 19.7)', () => {
    expect(new Rogue(confirmed(), 'server').send('oneRtt', frame(0x07, 0))).toMatchObject({
      errorCode: QuicError.frameEncodingError,
    });
  });

  it('a NEW_CONNECTION_ID of 0 or 21 bytes, or that retires above itself: FRAME_ENCODING_ERROR (section 19.15)', () => {
    const id = (length: number): Buffer => Buffer.alloc(length, 7);
    const token = Buffer.alloc(16);
    for (const bytes of [
      frame(0x18, 9, 0, '\x00', token),
      frame(0x18, 9, 0, '\x15', id(21), token),
      frame(0x18, 9, 10, '\x08', id(8), token),
    ]) {
      expect(new Rogue(confirmed(), 'server').send('oneRtt', bytes)).toMatchObject({
        errorCode: QuicError.frameEncodingError,
      });
    }
  });

  it('MAX_STREAMS and STREAMS_BLOCKED above 2^60: FRAME_ENCODING_ERROR (sections 19.11 and 19.14)', () => {
    const tooMany = Buffer.from('d000000000000001', 'hex');
    for (const type of [0x12, 0x13, 0x16, 0x17]) {
      expect(new Rogue(confirmed(), 'server').send('oneRtt', frame(type, tooMany))).toMatchObject({
        errorCode: QuicError.frameEncodingError,
      });
    }
  });
});

describe('TLS messages behind the handshake', () => {
  const message = (type: number, body: string): Buffer =>
    frame(0x06, 0, 4 + body.length, Buffer.from([type, 0, 0, body.length]), body);

  it.each(['client', 'server'] as const)('KeyUpdate of a %s: unexpected_message (RFC 9001 section 6)', (as) => {
    // Behind the tickets of the server there would be other offsets; here are none.
    expect(new Rogue(confirmed(), as).send('oneRtt', message(24, '\x00'))).toMatchObject({ errorCode: 0x0100 + 10 });
  });

  it('CertificateRequest: PROTOCOL_VIOLATION (RFC 9001 section 4.4)', () => {
    expect(new Rogue(confirmed(), 'server').send('oneRtt', message(13, '\x00\x00\x00'))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  it('NewSessionTicket of a client: unexpected_message (RFC 8446 section 4.6.1)', () => {
    expect(new Rogue(confirmed(), 'client').send('oneRtt', message(4, 'x'))).toMatchObject({ errorCode: 0x0100 + 10 });
  });

  it('a ticket for another amount of early data than QUIC has: PROTOCOL_VIOLATION (RFC 9001 section 4.6.1)', () => {
    const early = Buffer.from('002a000400000064', 'hex');
    const ticket = Buffer.concat([
      Buffer.from('00000e1000000000', 'hex'),
      Buffer.from('0100', 'hex'),
      Buffer.from('000174', 'hex'),
      Buffer.from([0, early.length]),
      early,
    ]);
    const closed = new Rogue(confirmed(), 'server').send('oneRtt', message(4, ticket.toString('latin1')));
    expect(closed).toMatchObject({ errorCode: QuicError.protocolViolation });
  });
});

describe('acknowledgements', () => {
  it.each(['client', 'server'] as const)('of a %s for what was not sent: PROTOCOL_VIOLATION (section 13.1)', (as) => {
    expect(new Rogue(confirmed(), as).send('oneRtt', frame(0x02, 3_000, 0, 0, 0))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
    expect(new Rogue(beginning(), as).send('initial', frame(0x02, 3_000, 0, 0, 0))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  it('with ranges below 0: FRAME_ENCODING_ERROR (section 19.3.1)', () => {
    for (const bytes of [frame(0x02, 3, 0, 0, 4), frame(0x02, 3, 0, 1, 0, 3, 0), frame(0x02, 3, 0, 1, 3, 0, 0)]) {
      expect(new Rogue(confirmed(), 'client').send('oneRtt', bytes)).toMatchObject({
        errorCode: QuicError.frameEncodingError,
      });
    }
  });

  it('for numbers that were skipped on purpose: PROTOCOL_VIOLATION (section 21.4, CVE-2025-4820)', () => {
    const pair = confirmed();
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.alloc(400_000), true);
    pair.run(pair.now + 20_000, () => pair.finished.server.has(id));
    const count = pair.sent.filter(({ from }) => from === 'client').length;
    expect(count).toBeGreaterThan(200);
    // An optimistic peer acknowledges everything up to somewhere.
    expect(new Rogue(pair, 'server').send('oneRtt', frame(0x02, 200, 0, 0, 199))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  it('with ECN counts are taken as those without (section 13.4.2: we mark nothing)', () => {
    expect(new Rogue(confirmed(), 'server').send('oneRtt', frame(0x03, 0, 0, 0, 0, 5, 6, 7))).toBeUndefined();
  });
});

describe('connection ids', () => {
  const token = (value: number): Buffer => Buffer.alloc(16, value);
  const id = (value: number): Buffer => Buffer.alloc(8, value);
  const issue = (sequence: number, value: number, retire = 0): Buffer =>
    frame(0x18, sequence, retire, '\x08', id(value), token(value));

  it('more than active_connection_id_limit: CONNECTION_ID_LIMIT_ERROR (section 5.1.1)', () => {
    const frames = Buffer.concat(Array.from({ length: 12 }, (_, index) => issue(20 + index, 50 + index)));
    expect(new Rogue(confirmed(), 'server').send('oneRtt', frames)).toMatchObject({
      errorCode: QuicError.connectionIdLimitError,
    });
  });

  it('the same number for another id: PROTOCOL_VIOLATION (section 19.15)', () => {
    const rogue = new Rogue(confirmed(), 'server');
    expect(rogue.send('oneRtt', Buffer.concat([issue(9, 1, 9), issue(9, 2, 9)]))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  it('RETIRE_CONNECTION_ID of what was not issued: PROTOCOL_VIOLATION (section 19.16)', () => {
    expect(new Rogue(confirmed(), 'client').send('oneRtt', frame(0x19, 99))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  it('RETIRE_CONNECTION_ID of the id that the packet goes to: PROTOCOL_VIOLATION (section 19.16)', () => {
    expect(new Rogue(confirmed(), 'client').send('oneRtt', frame(0x19, 0))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });
});

describe('streams and datagrams', () => {
  const cases: readonly (readonly [string, Side, Buffer, number])[] = [
    [
      'STREAM of a client on a stream of the server that does not exist (section 19.8)',
      'client',
      frame(0x0a, 1, 1, 'x'),
      QuicError.streamStateError,
    ],
    [
      'STREAM of a server on a stream of the client that does not exist (section 19.8)',
      'server',
      frame(0x0a, 0, 1, 'x'),
      QuicError.streamStateError,
    ],
    [
      'STREAM on a stream that only we send on (section 19.8)',
      'client',
      frame(0x0a, 3, 1, 'x'),
      QuicError.streamStateError,
    ],
    [
      'RESET_STREAM on a stream that only we send on (section 19.4)',
      'client',
      frame(0x04, 3, 0, 0),
      QuicError.streamStateError,
    ],
    [
      'STOP_SENDING on a stream that only the peer sends on (section 19.5)',
      'client',
      frame(0x05, 2, 0),
      QuicError.streamStateError,
    ],
    [
      'MAX_STREAM_DATA on a stream that only the peer sends on (section 19.10)',
      'client',
      frame(0x11, 2, 5),
      QuicError.streamStateError,
    ],
    [
      'MAX_STREAM_DATA on a stream that was not opened (section 19.10)',
      'server',
      frame(0x11, 0, 5),
      QuicError.streamStateError,
    ],
    [
      'STREAM_DATA_BLOCKED on a stream that only we send on (section 19.13)',
      'client',
      frame(0x15, 3, 5),
      QuicError.streamStateError,
    ],
    ['a stream above the limit (section 4.6)', 'client', frame(0x0a, 4 * 500, 1, 'x'), QuicError.streamLimitError],
    [
      'bytes above the stream window (section 4.1)',
      'client',
      frame(0x0e, 0, 1_000_000, 1, 'x'),
      QuicError.flowControlError,
    ],
    [
      'a final size above the stream window (section 4.5)',
      'client',
      frame(0x04, 0, 0, 1_000_000),
      QuicError.flowControlError,
    ],
    [
      'an end behind which there is more (section 4.5)',
      'client',
      frame(0x0b, 0, 1, 'x', 0x0e, 0, 1, 1, 'y'),
      QuicError.finalSizeError,
    ],
    ['two different ends (section 4.5)', 'client', frame(0x0b, 0, 1, 'x', 0x04, 0, 0, 2), QuicError.finalSizeError],
    [
      'an offset above 2^62-1 (section 19.8)',
      'client',
      Buffer.concat([frame(0x0e, 0), Buffer.alloc(8, 0xff), frame(1, 'x')]),
      QuicError.flowControlError,
    ],
  ];
  it.each(cases)('%s', (_name, as, bytes, code) => {
    const closed = new Rogue(confirmed(), as).send('oneRtt', bytes);
    if (code === QuicError.flowControlError) {
      // RFC 9000 section 19.8 leaves the choice to the receiver.
      expect([QuicError.flowControlError, QuicError.frameEncodingError]).toContain(closed?.errorCode);
    } else {
      expect(closed).toMatchObject({ application: false, errorCode: code });
    }
  });

  it('a DATAGRAM where none is taken: PROTOCOL_VIOLATION (RFC 9221 section 3)', () => {
    const pair = confirmed({ server: { keylog: true, limits: quicLimitValues({ maxDatagramFrameBytes: 0 }) } });
    expect(new Rogue(pair, 'client').send('oneRtt', T.datagram)).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });

  it('a DATAGRAM longer than announced: PROTOCOL_VIOLATION (RFC 9221 section 3)', () => {
    const pair = confirmed({ server: { keylog: true, limits: quicLimitValues({ maxDatagramFrameBytes: 10 }) } });
    const rogue = new Rogue(pair, 'client');
    expect(rogue.send('oneRtt', frame(0x31, 8, 'datagram'))).toBeUndefined();
    expect(rogue.send('oneRtt', frame(0x31, 9, 'too long!'))).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });
});

describe('what is not authentic', () => {
  it('changes nothing, whatever it says (RFC 9001 section 5.5)', () => {
    const pair = confirmed();
    const rogue = new Rogue(pair, 'client');
    const packet = rogue.packet('oneRtt', T.handshakeDone);
    packet[packet.length - 1] = (packet[packet.length - 1] ?? 0) ^ 1;
    expect(rogue.deliver(packet)).toBeUndefined();
    expect(rogue.send('oneRtt', T.ping)).toBeUndefined();
  });

  it('ends the connection when there is too much of it: AEAD_LIMIT_REACHED (RFC 9001 section 6.6)', () => {
    const pair = confirmed({ server: { keylog: true, limits: quicLimitValues({ maxForgeries: 20 }) } });
    const rogue = new Rogue(pair, 'client');
    const packet = rogue.packet('oneRtt', T.ping);
    packet[packet.length - 1] = (packet[packet.length - 1] ?? 0) ^ 1;
    for (let count = 1; count < 20; count += 1) expect(rogue.deliver(Buffer.from(packet))).toBeUndefined();
    expect(rogue.deliver(Buffer.from(packet))).toMatchObject({ errorCode: QuicError.aeadLimitReached });
  });

  it('is dropped when it was taken before (RFC 9000 section 12.3)', () => {
    const pair = confirmed();
    const rogue = new Rogue(pair, 'client');
    const packet = rogue.packet('oneRtt', frame(0x0a, 0, 5, 'hello'));
    rogue.deliver(Buffer.from(packet));
    rogue.deliver(Buffer.from(packet));
    expect(pair.bytes('server', 0).toString()).toBe('hello');
  });

  it('is a packet of another connection in the same datagram (RFC 9000 section 12.2)', () => {
    const pair = handshaking();
    const rogue = new Rogue(pair, 'client');
    const first = rogue.packet('handshake', T.ping);
    const other = rogue.packet('handshake', T.handshakeDone, { destination: Buffer.alloc(8, 3) });
    expect(rogue.deliver(Buffer.concat([first, other]))).toBeUndefined();
  });

  it('is a packet with another Source Connection ID than the first (RFC 9000 section 7.2)', () => {
    const rogue = new Rogue(handshaking(), 'server');
    expect(rogue.send('handshake', T.handshakeDone, { source: Buffer.alloc(8, 3) })).toBeUndefined();
    expect(rogue.send('handshake', T.handshakeDone)).toMatchObject({ errorCode: QuicError.protocolViolation });
  });

  it("is a server's Initial with a token (RFC 9000 section 17.2.2)", () => {
    const rogue = new Rogue(beginning(), 'server');
    expect(rogue.send('initial', T.handshakeDone, { token: Buffer.from('token') })).toBeUndefined();
    expect(rogue.send('initial', T.handshakeDone)).toMatchObject({ errorCode: QuicError.protocolViolation });
  });

  it('is a packet with the fixed bit at 0, unless we have said so (RFC 9000 section 17.2, RFC 9287)', () => {
    const strict = handshakingWith({ grease: false });
    expect(new Rogue(strict, 'client').send('handshake', T.handshakeDone, { flip: 0x40 })).toBeUndefined();
    const lax = handshakingWith({ grease: true });
    expect(new Rogue(lax, 'client').send('handshake', T.handshakeDone, { flip: 0x40 })).toMatchObject({
      errorCode: QuicError.protocolViolation,
    });
  });
});

function handshakingWith(server: { grease: boolean }): ConnectionPair {
  const pair = new ConnectionPair({
    client: { keylog: true },
    server: { keylog: true, ...server },
    certificate: 'silent',
  });
  pair.run(60);
  return pair;
}
