/**
 * Rules of RFC 9000 about a peer's errors, at a client and at a server alike: what connection-violations.test.ts and
 * connection-parameters.test.ts leave out.
 */
import { describe, expect, it } from 'vitest';
import { QuicError } from '../../../src/protocols/quic/error-codes.ts';
import type { PacketKind } from '../../../src/protocols/quic/frame-types.ts';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import type { TransportParameters } from '../../../src/protocols/quic/transport-parameters.ts';
import { readTransportParameters, writeTransportParameters } from '../../../src/protocols/quic/transport-parameters.ts';
import { sealer } from '../tls/handshake-pair.ts';
import type { PairOptions, Side } from './connection-pair.ts';
import { ConnectionPair, idSource, seeded } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';

const KEYLOG = { client: { keylog: true }, server: { keylog: true } };
const LATER = 1_700_000_100_000;
const E = QuicError;
const sides: readonly Side[] = ['client', 'server'];
const PING = frame(0x01);

/** A pair whose handshake is confirmed on both sides, and nothing is on its way. */
function confirmed(over: PairOptions = {}): ConnectionPair {
  return new ConnectionPair({ ...KEYLOG, ...over }).connect().wait(200);
}

/** A pair in the middle of its handshake, with keys of that kind, and neither a Finished of the other. */
function handshaking(kind: PacketKind): ConnectionPair {
  const pair = new ConnectionPair({
    ...KEYLOG,
    ...(kind === 'initial' ? { identity: 'silent' as const } : { certificate: 'silent' as const }),
  });
  pair.run(60);
  return pair;
}

/** The end that the victim chose. */
function ended(errorCode: number): object {
  return { application: false, errorCode, initiator: 'peer' };
}

const levels = (['initial', 'handshake'] as const).flatMap((kind) => sides.map((as) => [kind, as] as const));

describe('section 12.4: packets of the handshake', () => {
  it.each(levels)('without frames, kind %s, of a %s: PROTOCOL_VIOLATION', (kind, as) => {
    const rogue = new Rogue(handshaking(kind), as);
    // The datagram of an Initial packet needs 1200 bytes, the packet none.
    const packet = rogue.packet(kind, Buffer.alloc(0), { size: 0 });
    const behind = Buffer.alloc(1_200 - packet.length);
    expect(rogue.deliver(Buffer.concat([packet, behind]))).toEqual(ended(E.protocolViolation));
  });

  it.each(levels)('with a frame of an unknown type, kind %s, of a %s: FRAME_ENCODING_ERROR', (kind, as) => {
    for (const type of [0x1f, 0x20, 0x4000]) {
      expect(new Rogue(handshaking(kind), as).send(kind, frame(type))).toEqual(ended(E.frameEncodingError));
    }
  });
});

describe('section 13.1: acknowledgements of what was not sent', () => {
  it.each(levels)('in packets of kind %s of a %s: PROTOCOL_VIOLATION', (kind, as) => {
    expect(new Rogue(handshaking(kind), as).send(kind, frame(0x02, 500, 0, 0, 0))).toEqual(ended(E.protocolViolation));
  });

  it.each(levels)(
    'in packets of kind %s of a %s whose keys were dropped: nothing (RFC 9001 section 4.9)',
    (kind, as) => {
      expect(new Rogue(confirmed(), as).send(kind, frame(0x02, 500, 0, 0, 0))).toBeUndefined();
    },
  );
});

describe('section 17.2: reserved bits', () => {
  it.each(sides)('of an Initial packet of a %s: PROTOCOL_VIOLATION', (as) => {
    for (const flip of [0x04, 0x08]) {
      expect(new Rogue(handshaking('initial'), as).send('initial', PING, { flip })).toEqual(ended(E.protocolViolation));
    }
  });

  it('of a 0-RTT packet: PROTOCOL_VIOLATION', () => {
    for (const flip of [0x04, 0x08]) {
      expect(new Rogue(early(), 'client').send('zeroRtt', PING, { flip })).toEqual(ended(E.protocolViolation));
    }
  });
});

describe('section 7.5 and 19.6: CRYPTO', () => {
  it.each(levels)('beyond what is kept, kind %s, of a %s: CRYPTO_BUFFER_EXCEEDED', (kind, as) => {
    const far = frame(0x06, 1 << 20, 1, 'x');
    expect(new Rogue(handshaking(kind), as).send(kind, far)).toEqual(ended(E.cryptoBufferExceeded));
  });

  it.each(sides)('above 2^62-1 of a %s: FRAME_ENCODING_ERROR or CRYPTO_BUFFER_EXCEEDED', (as) => {
    const largest = Buffer.concat([frame(0x06), Buffer.alloc(8, 0xff), frame(1, 'x')]);
    expect(new Rogue(confirmed(), as).send('oneRtt', largest)).toEqual(ended(E.cryptoBufferExceeded));
  });
});

describe('sections 19.15 and 19.16: ids of those who have none', () => {
  const empty = { connectionIds: idSource(3, 0) };

  it.each(sides)('NEW_CONNECTION_ID of a %s whose id is empty: PROTOCOL_VIOLATION', (as) => {
    const own = { ...KEYLOG, [as]: { keylog: true, ...empty } };
    const issue = frame(0x18, 1, 0, '\x08', Buffer.alloc(8, 7), Buffer.alloc(16, 8));
    expect(new Rogue(confirmed(own), as).send('oneRtt', issue)).toEqual(ended(E.protocolViolation));
  });

  it.each(sides)('RETIRE_CONNECTION_ID of a %s for an id that is empty: PROTOCOL_VIOLATION', (as) => {
    const victim = as === 'client' ? 'server' : 'client';
    const pair = confirmed({ ...KEYLOG, [victim]: { keylog: true, ...empty } });
    expect(new Rogue(pair, as).send('oneRtt', frame(0x19, 0))).toEqual(ended(E.protocolViolation));
  });
});

describe('sections 4.6 and 19: streams', () => {
  /** Ids as who breaks the rule names them: streams of the victim, and streams of its own. */
  const ids = {
    client: { ofVictim: { bidi: 1, uni: 3 }, own: { bidi: 0, uni: 2, farBidi: 4 * 5_000, farUni: 4 * 5_000 + 2 } },
    server: { ofVictim: { bidi: 0, uni: 2 }, own: { bidi: 1, uni: 3, farBidi: 4 * 5_000 + 1, farUni: 4 * 5_000 + 3 } },
  };
  const cases = sides.flatMap((as) => {
    const { ofVictim, own } = ids[as];
    const { bidi, uni } = ofVictim;
    const rows: readonly (readonly [string, Uint8Array, number])[] = [
      ['RESET_STREAM of a stream that only we send on (19.4)', frame(0x04, uni, 0, 0), E.streamStateError],
      ['RESET_STREAM of a stream of ours that is not there (19.4)', frame(0x04, bidi, 0, 0), E.streamStateError],
      ['STOP_SENDING for a stream of ours that is not there (19.5)', frame(0x05, bidi, 0), E.streamStateError],
      [
        'STOP_SENDING for a stream of ours, unidirectional, that is not there (19.5)',
        frame(0x05, uni, 0),
        E.streamStateError,
      ],
      ['STOP_SENDING for a stream that only the peer sends on (19.5)', frame(0x05, own.uni, 0), E.streamStateError],
      ['STREAM of ours that is not there (19.8)', frame(0x0a, bidi, 0), E.streamStateError],
      ['STREAM that only we send on (19.8)', frame(0x0a, uni, 0), E.streamStateError],
      ['MAX_STREAM_DATA for a stream of ours that is not there (19.10)', frame(0x11, bidi, 9), E.streamStateError],
      ['MAX_STREAM_DATA for a stream that only the peer sends on (19.10)', frame(0x11, own.uni, 9), E.streamStateError],
      ['STREAM_DATA_BLOCKED for a stream that only we send on (19.13)', frame(0x15, uni, 9), E.streamStateError],
      ['STREAM above the limit (4.6)', frame(0x0a, own.farBidi, 0), E.streamLimitError],
      ['STREAM above the limit, unidirectional (4.6)', frame(0x0a, own.farUni, 0), E.streamLimitError],
      ['RESET_STREAM above the limit (4.6)', frame(0x04, own.farUni, 0, 0), E.streamLimitError],
      ['STOP_SENDING above the limit (4.6)', frame(0x05, own.farBidi, 0), E.streamLimitError],
      ['MAX_STREAM_DATA above the limit (4.6)', frame(0x11, own.farBidi, 9), E.streamLimitError],
      ['STREAM_DATA_BLOCKED above the limit (4.6)', frame(0x15, own.farUni, 9), E.streamLimitError],
      ['data above the window (4.1)', frame(0x0e, own.uni, 1 << 29, 1, 'x'), E.flowControlError],
      ['a final size above the window (4.5)', frame(0x04, own.uni, 0, 1 << 29), E.flowControlError],
      ['an end before what came (4.5)', frame(0x0e, own.uni, 4, 1, 'x', 0x0b, own.uni, 1, 'y'), E.finalSizeError],
      ['a reset below what came (4.5)', frame(0x0a, own.uni, 1, 'x', 0x04, own.uni, 0, 0), E.finalSizeError],
      [
        'data behind a reset, above its size (4.5)',
        frame(0x04, own.bidi, 0, 1, 0x0a, own.bidi, 2, 'xy'),
        E.finalSizeError,
      ],
    ];
    return rows.map((row) => [as, ...row] as const);
  });

  it.each(cases)('of a %s: %s', (as, _name, bytes, errorCode) => {
    expect(new Rogue(confirmed(), as).send('oneRtt', bytes)).toEqual(ended(errorCode));
  });
});

describe('section 17.2.3: 0-RTT keeps to the limits that were remembered', () => {
  it.each([
    ['of a stream: FLOW_CONTROL_ERROR', frame(0x0e, 0, 1 << 29, 1, 'x'), E.flowControlError],
    ['of bidirectional streams: STREAM_LIMIT_ERROR', frame(0x0a, 4 * 5_000, 1, 'x'), E.streamLimitError],
    ['of unidirectional streams: STREAM_LIMIT_ERROR', frame(0x0a, 4 * 5_000 + 2, 1, 'x'), E.streamLimitError],
  ])('%s', (_name, bytes, errorCode) => {
    expect(new Rogue(early(), 'client').send('zeroRtt', bytes)).toEqual(ended(errorCode));
  });

  it('of the connection, within those of each stream: FLOW_CONTROL_ERROR', () => {
    const windows = { initialStreamWindow: 4_096, maxStreamsBidi: 4, maxStreamsUni: 4, maxUnconsumedBytes: 32_768 };
    const pair = early({ limits: quicLimitValues(windows) });
    const rogue = new Rogue(pair, 'client');
    const { initialMaxData } = readTransportParameters(
      pair.clientConfig.session?.tls.transportParameters ?? Buffer.alloc(0),
      'server',
    );
    const ends = [0, 4, 8, 12, 2, 6, 10, 14].map((id) => rogue.send('zeroRtt', frame(0x04, id, 0, 4_096)));
    const within = Math.floor(initialMaxData / 4_096);
    expect(within).toBeLessThan(ends.length);
    expect(ends.slice(0, within).every((end) => end === undefined)).toBe(true);
    expect(ends[within]).toEqual(ended(E.flowControlError));
  });
});

describe('section 7.4.1, RFC 9221 section 3: a server that accepted 0-RTT takes nothing back: PROTOCOL_VIOLATION', () => {
  const remembered: readonly (keyof TransportParameters)[] = [
    'activeConnectionIdLimit',
    'initialMaxData',
    'initialMaxStreamDataBidiLocal',
    'initialMaxStreamDataBidiRemote',
    'initialMaxStreamDataUni',
    'initialMaxStreamsBidi',
    'initialMaxStreamsUni',
    'maxDatagramFrameSize',
  ];

  it.each(remembered)('%s', (name) => {
    const session = sessionOf();
    const parameters = readTransportParameters(session.tls.transportParameters, 'server');
    // The client remembers one more than the server ever gave.
    const more = { ...parameters, [name]: Number(parameters[name]) + 1 };
    const tls = { ...session.tls, transportParameters: writeTransportParameters(more) };
    const pair = resumed({ ...session, tls }, {});
    pair.run(1_000);
    expect(pair.closed('client')).toEqual(ended(E.protocolViolation));
    const honest = resumed(session, {}).connect();
    expect(honest.closed('client')).toBeUndefined();
    expect(honest.only('client', 'HandshakeCompleted')).toMatchObject([{ earlyData: 'accepted' }]);
  });
});

type Session = NonNullable<NonNullable<PairOptions['client']>['session']>;
type ServerOptions = NonNullable<PairOptions['server']>;

/** One sealer for all: what one server sealed, the next one opens. */
const tickets = sealer();

function sessionOf(server: ServerOptions = {}): Session {
  const pair = new ConnectionPair({ server: { tickets, earlyData: true, ...server } }).connect().wait(300);
  const notice = pair.notices.client.find(({ type }) => type === 'SessionReceived');
  if (notice?.type !== 'SessionReceived') throw new Error('no session');
  return notice.session;
}

function resumed(session: Session, over: PairOptions, server: ServerOptions = {}): ConnectionPair {
  return new ConnectionPair({
    ...over,
    client: { keylog: true, session, earlyData: true, random: seeded(77), epoch: LATER },
    server: { keylog: true, tickets, earlyData: true, epoch: LATER, ...server },
  });
}

/** A pair with a resumed session whose server has 0-RTT keys; the client never finishes. */
function early(server: ServerOptions = {}): ConnectionPair {
  const pair = resumed(sessionOf(server), { drop: ({ from }) => from === 'server' }, server);
  pair.run(30);
  return pair;
}
