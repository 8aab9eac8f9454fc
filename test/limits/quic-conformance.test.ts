/**
 * A listening server against a client that breaks one rule of QUIC at a time, as outside conformance suites do: the code
 * on the wire, somebody else who is served meanwhile, and nothing that is left of the connection.
 */
import { afterAll, beforeAll, describe, it } from 'vitest';
import { QuicError } from '../../src/protocols/quic/error-codes.ts';
import type { TransportParameters } from '../../src/protocols/quic/transport-parameters.ts';
import { readClientHello, writeClientHello } from '../../src/tls/client-hello.ts';
import type { QuicRogue } from '../support/attack/quic-rogue.ts';
import { QuicStage } from '../support/attack/quic-stage.ts';
import type { RawClient, RawOptions } from '../support/quic/raw-client.ts';
import { frame, randomBytes } from '../support/quic/raw-frames.ts';

const PARAMETERS = 0x39;
const CRYPTO_ERROR = 0x0100;
const alert = { unexpectedMessage: 10, illegalParameter: 47, missingExtension: 109, noApplicationProtocol: 120 };
let stage: QuicStage;

beforeAll(async () => {
  stage = await QuicStage.start({ quic: { earlyData: true } });
});

afterAll(async () => {
  await stage.stop();
});

const ID = randomBytes(8);

describe('transport parameters of a client (RFC 9000 sections 7.3, 7.4 and 18.2): TRANSPORT_PARAMETER_ERROR', () => {
  const cases: readonly (readonly [string, Partial<TransportParameters>])[] = [
    ['no initial_source_connection_id (7.3)', { initialSourceConnectionId: undefined }],
    ['another initial_source_connection_id (7.3)', { initialSourceConnectionId: ID }],
    ['original_destination_connection_id (18.2)', { originalDestinationConnectionId: ID }],
    ['retry_source_connection_id (18.2)', { retrySourceConnectionId: ID }],
    ['stateless_reset_token (18.2)', { statelessResetToken: randomBytes(16) }],
    ['stateless_reset_token of five bytes (18.2)', { statelessResetToken: randomBytes(5) }],
    [
      'preferred_address (18.2)',
      {
        preferredAddress: {
          ipv4: { address: Uint8Array.of(127, 0, 0, 1), port: 443 },
          ipv6: undefined,
          connectionId: ID,
          statelessResetToken: randomBytes(16),
        },
      },
    ],
    ['max_udp_payload_size of 1199 (18.2)', { maxUdpPayloadSize: 1_199 }],
    ['ack_delay_exponent of 21 (18.2)', { ackDelayExponent: 21 }],
    ['max_ack_delay of 2^14 (18.2)', { maxAckDelay: 2 ** 14 }],
    ['active_connection_id_limit of 1 (18.2)', { activeConnectionIdLimit: 1 }],
    ['initial_max_streams_bidi above 2^60 (4.6)', { initialMaxStreamsBidi: 2 ** 61 }],
    ['initial_max_streams_uni above 2^60 (4.6)', { initialMaxStreamsUni: 2 ** 61 }],
  ];

  it.each(cases)('%s', async (_name, parameters) => {
    const rogue = await stage.rogue({ parameters });
    rogue.raw.start();
    await stage.expectSentAway(rogue, { errorCode: QuicError.transportParameterError });
  });

  const behind: readonly (readonly [string, Uint8Array])[] = [
    ['initial_max_data twice (7.4)', frame(0x04, 1, 5)],
    ['an unknown one twice (7.4)', frame(0x3f5a, 0, 0x3f5a, 0)],
    ['disable_active_migration with a value (18.2)', frame(0x0c, 1, 'x')],
    ['grease_quic_bit with a value (RFC 9287 section 3)', frame(0x2ab2, 1, 'x')],
    ['max_ack_delay without a number (18.2)', frame(0x0b, 0)],
    ['max_ack_delay with something behind its number (18.2)', frame(0x0b, 2, '\x05\x00')],
    ['a value that is cut short (18)', frame(0x3f5a, 20, 'abc')],
    ['a length that is cut short (18)', frame(0x3f5a, '\x40')],
  ];

  it.each(behind)('%s', async (_name, behindParameters) => {
    const rogue = await stage.rogue({ behindParameters });
    rogue.raw.start();
    await stage.expectSentAway(rogue, { errorCode: QuicError.transportParameterError });
  });
});

/** Changes the ClientHello's extensions. */
function hello(change: (extensions: Map<number, Uint8Array>) => void): RawOptions {
  return {
    changeHandshake: (level, data) => {
      if (level !== 'initial') return data;
      const { random, sessionId, cipherSuites, extensions } = readClientHello(data.subarray(4));
      const map = new Map(extensions);
      change(map);
      return writeClientHello({ random, sessionId, cipherSuites, extensions: map });
    },
  };
}

/** Changes what goes behind the server's flight. */
function finished(change: (finished: Uint8Array) => Uint8Array): RawOptions {
  return { changeHandshake: (level, data) => (level === 'handshake' ? change(data) : data) };
}

const keyUpdate = Buffer.from([24, 0, 0, 1, 1]);

describe('the handshake of a client (RFC 9001)', () => {
  const cases: readonly (readonly [string, RawOptions, number])[] = [
    ['protocols that the server does not have (8.1)', { alpn: ['dummy'] }, CRYPTO_ERROR + alert.noApplicationProtocol],
    ['no protocols at all (8.1)', hello((map) => map.delete(16)), CRYPTO_ERROR + alert.noApplicationProtocol],
    [
      'no quic_transport_parameters (8.2)',
      hello((map) => map.delete(PARAMETERS)),
      CRYPTO_ERROR + alert.missingExtension,
    ],
    [
      'quic_transport_parameters under the number of a draft (8.2)',
      hello((map) => {
        map.set(0xffa5, map.get(PARAMETERS) ?? new Uint8Array(0));
        map.delete(PARAMETERS);
      }),
      CRYPTO_ERROR + alert.missingExtension,
    ],
    [
      'a session id, as TLS over TCP has it (8.4)',
      {
        changeHandshake: (level, data) =>
          level === 'initial'
            ? writeClientHello({ ...readClientHello(data.subarray(4)), sessionId: randomBytes(32) })
            : data,
      },
      QuicError.protocolViolation,
    ],
    [
      'a message that is none of a ClientHello',
      { changeHandshake: () => Buffer.from([2, 0, 0, 0]) },
      CRYPTO_ERROR + alert.unexpectedMessage,
    ],
    [
      'KeyUpdate behind Finished (6)',
      finished((data) => Buffer.concat([data, keyUpdate])),
      CRYPTO_ERROR + alert.unexpectedMessage,
    ],
    ['KeyUpdate in place of Finished (6)', finished(() => keyUpdate), CRYPTO_ERROR + alert.unexpectedMessage],
    [
      'EndOfEarlyData before Finished (8.3)',
      finished((data) => Buffer.concat([Buffer.from([5, 0, 0, 0]), data])),
      CRYPTO_ERROR + alert.unexpectedMessage,
    ],
    [
      'something else behind Finished (4.1.3)',
      finished((data) => Buffer.concat([data, Buffer.from([8, 0, 0, 0])])),
      QuicError.protocolViolation,
    ],
    ['a Finished that is wrong (RFC 8446 section 4.4.4)', finished((data) => wrong(data)), CRYPTO_ERROR + 51],
  ];

  it.each(cases)('%s', async (_name, options, errorCode) => {
    const rogue = await stage.rogue(options);
    rogue.raw.start();
    await stage.expectSentAway(rogue, { errorCode, frameType: 0x06 });
  });

  const behind: readonly (readonly [string, Uint8Array])[] = [
    ['KeyUpdate (6)', keyUpdate],
    ['CertificateRequest (4.4)', Buffer.from([13, 0, 0, 3, 0, 0, 0])],
    ['NewSessionTicket (RFC 8446 section 4.6.1)', Buffer.from([4, 0, 0, 1, 0])],
  ];

  it.each(behind)('%s in a 1-RTT packet: unexpected_message', async (_name, message) => {
    const rogue = await stage.connected();
    rogue.raw.sendCrypto('application', message);
    await stage.expectSentAway(rogue, { errorCode: CRYPTO_ERROR + alert.unexpectedMessage, frameType: 0x06 });
  });
});

function wrong(finished: Uint8Array): Uint8Array {
  const bytes = Buffer.from(finished);
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  return bytes;
}

/** Somebody with all keys who has not sent Finished. */
async function unfinished(): Promise<{ rogue: QuicRogue; raw: RawClient }> {
  const rogue = await stage.rogue({ finishes: false });
  rogue.raw.start();
  await rogue.until(() => rogue.raw.complete);
  return { rogue, raw: rogue.raw };
}

const token = randomBytes(16);
const issue = (sequence: number, retire: number, id: Uint8Array): Buffer =>
  frame(0x18, sequence, retire, Uint8Array.of(id.length), id, token);
const above2To60 = Buffer.from('d000000000000001', 'hex');
const E = QuicError;

describe('frames in 1-RTT packets (RFC 9000 sections 12.4 and 19)', () => {
  const cases: readonly (readonly [string, Uint8Array, errorCode: number, frameType: number])[] = [
    ['of an unknown type (12.4)', frame(0x20), E.frameEncodingError, 0x20],
    ['of a type of many bytes that is unknown (12.4)', frame(0x4000_0000), E.frameEncodingError, 0x4000_0000],
    ['of a known type in a long encoding (12.4)', Buffer.from([0x40, 0x01]), E.protocolViolation, 0x01],
    ['ACK of a packet that was not sent (13.1)', frame(0x02, 9_000, 0, 0, 0), E.protocolViolation, 0x02],
    ['ACK of numbers below 0 (19.3.1)', frame(0x02, 0, 0, 0, 1), E.frameEncodingError, 0x02],
    ['ACK with more ranges than follow (20.1)', frame(0x02, 0, 0, 3, 0), E.frameEncodingError, 0x02],
    ['ACK with ECN counts that are cut short (19.3.2)', frame(0x03, 0, 0, 0, 0, 1, 1), E.frameEncodingError, 0x03],
    ['RESET_STREAM of a stream that only the server sends on (19.4)', frame(0x04, 3, 0, 0), E.streamStateError, 0x04],
    ['RESET_STREAM with a size above the window (4.5)', frame(0x04, 0, 0, 1 << 30), E.flowControlError, 0x04],
    ['STOP_SENDING for a stream of the server that is not there (19.5)', frame(0x05, 101, 0), E.streamStateError, 0x05],
    ['STOP_SENDING for a stream that only the client sends on (19.5)', frame(0x05, 2, 0), E.streamStateError, 0x05],
    ['NEW_TOKEN (19.7)', frame(0x07, 5, 'DUMMY'), E.protocolViolation, 0x07],
    ['STREAM of the server that is not there (19.8)', frame(0x0a, 1, 0), E.streamStateError, 0x0a],
    ['STREAM that only the server sends on (19.8)', frame(0x0a, 3, 0), E.streamStateError, 0x0a],
    ['STREAM far above its window (4.1)', frame(0x0f, 0, 100_000_000, 1, 'x'), E.flowControlError, 0x0f],
    [
      'STREAM above 2^62-1 (19.8)',
      Buffer.concat([frame(0x0e, 0), Buffer.alloc(8, 0xff), frame(1, 'x')]),
      E.flowControlError,
      0x0e,
    ],
    ['STREAM above the limit of streams (4.6)', frame(0x0a, 1_000_000_000, 1, 'x'), E.streamLimitError, 0x0a],
    ['STREAM above the limit of unidirectional streams (4.6)', frame(0x0a, 4_002, 1, 'x'), E.streamLimitError, 0x0a],
    ['STREAM behind its end (4.5)', frame(0x0b, 0, 1, 'x', 0x0e, 0, 1, 1, 'y'), E.finalSizeError, 0x0e],
    ['STREAM with an end before what came (4.5)', frame(0x0e, 0, 4, 1, 'x', 0x0b, 0, 1, 'y'), E.finalSizeError, 0x0b],
    [
      'RESET_STREAM with another size than its end (4.5)',
      frame(0x0b, 0, 1, 'x', 0x04, 0, 0, 2),
      E.finalSizeError,
      0x04,
    ],
    ['RESET_STREAM with a size below what came (4.5)', frame(0x0a, 0, 1, 'x', 0x04, 0, 0, 0), E.finalSizeError, 0x04],
    ['RESET_STREAM above the limit of streams (4.6)', frame(0x04, 1_000_000_000, 0, 0), E.streamLimitError, 0x04],
    [
      'MAX_STREAM_DATA for a stream of the server that is not there (19.10)',
      frame(0x11, 101, 9),
      E.streamStateError,
      0x11,
    ],
    ['MAX_STREAM_DATA for a stream that only the client sends on (19.10)', frame(0x11, 2, 9), E.streamStateError, 0x11],
    ['MAX_STREAM_DATA above the limit of streams (4.6)', frame(0x11, 1_000_000_000, 9), E.streamLimitError, 0x11],
    ['MAX_STREAMS above 2^60 (19.11)', frame(0x12, above2To60), E.frameEncodingError, 0x12],
    ['MAX_STREAMS of the other kind above 2^60 (19.11)', frame(0x13, above2To60), E.frameEncodingError, 0x13],
    [
      'STREAM_DATA_BLOCKED for a stream that only the server sends on (19.13)',
      frame(0x15, 3, 9),
      E.streamStateError,
      0x15,
    ],
    ['STREAMS_BLOCKED above 2^60 (19.14)', frame(0x16, above2To60), E.frameEncodingError, 0x16],
    ['STREAMS_BLOCKED of the other kind above 2^60 (19.14)', frame(0x17, above2To60), E.frameEncodingError, 0x17],
    ['NEW_CONNECTION_ID that retires above itself (19.15)', issue(1, 11, ID), E.frameEncodingError, 0x18],
    ['NEW_CONNECTION_ID of no bytes (19.15)', issue(1, 0, new Uint8Array(0)), E.frameEncodingError, 0x18],
    ['NEW_CONNECTION_ID of 21 bytes (19.15)', issue(1, 0, randomBytes(21)), E.frameEncodingError, 0x18],
    [
      'NEW_CONNECTION_ID above active_connection_id_limit (5.1.1)',
      Buffer.concat(Array.from({ length: 9 }, (_, index) => issue(1 + index, 0, randomBytes(8)))),
      E.connectionIdLimitError,
      0x18,
    ],
    [
      'NEW_CONNECTION_ID with one number for two ids (19.15)',
      Buffer.concat([issue(1, 0, randomBytes(8)), issue(1, 0, randomBytes(8))]),
      E.protocolViolation,
      0x18,
    ],
    ['RETIRE_CONNECTION_ID of what was not issued (19.16)', frame(0x19, 99), E.protocolViolation, 0x19],
    ['RETIRE_CONNECTION_ID of the id that is in use (19.16)', frame(0x19, 0), E.protocolViolation, 0x19],
    ['PATH_CHALLENGE that is cut short (20.1)', frame(0x1a, 'seven!!'), E.frameEncodingError, 0x1a],
    ['HANDSHAKE_DONE (19.20)', frame(0x1e), E.protocolViolation, 0x1e],
    ['DATAGRAM that says more than follows (RFC 9221 section 4)', frame(0x31, 9, 'x'), E.frameEncodingError, 0x31],
    ['CRYPTO beyond what is kept (7.5)', frame(0x06, 1 << 20, 1, 'x'), E.cryptoBufferExceeded, 0x06],
  ];

  it.each(cases)('%s', async (_name, frames, errorCode, frameType) => {
    const rogue = await stage.connected();
    rogue.raw.send('oneRtt', frames);
    await stage.expectSentAway(rogue, { errorCode, frameType });
  });

  it('behind Finished in its datagram: PROTOCOL_VIOLATION', async () => {
    const { raw, rogue } = await unfinished();
    const finished = raw.packet('handshake', frame(0x06, 0, raw.withheld.length, raw.withheld));
    raw.sendRaw(Buffer.concat([finished, raw.packet('oneRtt', frame(0x1e))]));
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation, frameType: 0x1e });
  });

  it('before Finished, once that has come (RFC 9001 section 5.7): PROTOCOL_VIOLATION', async () => {
    const { raw, rogue } = await unfinished();
    raw.send('oneRtt', frame(0x1e));
    raw.sendCrypto('handshake', raw.withheld);
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation, frameType: 0x1e });
  });

  it('none at all (12.4): PROTOCOL_VIOLATION', async () => {
    const rogue = await stage.connected();
    rogue.raw.send('oneRtt', new Uint8Array(0));
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation });
  });

  it.each([0x08, 0x10, 0x18])('behind a header with reserved bits of %i (17.3.1): PROTOCOL_VIOLATION', async (flip) => {
    const rogue = await stage.connected();
    rogue.raw.send('oneRtt', frame(0x01), { flip });
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation });
  });

  it('under keys that were updated twice without an answer between (RFC 9001 section 6.2): KEY_UPDATE_ERROR', async () => {
    const rogue = await stage.connected();
    const first = rogue.raw.keys('oneRtt').next();
    const both = [
      rogue.raw.packet('oneRtt', frame(0x01), { keys: first, phase: true, number: 50 }),
      rogue.raw.packet('oneRtt', frame(0x01), { keys: first.next(), phase: false, number: 51 }),
    ];
    for (const packet of both) rogue.raw.sendRaw(packet);
    await stage.expectSentAway(rogue, { errorCode: E.keyUpdateError });
  });
});

describe('packets of the handshake (RFC 9000 sections 12.4 and 17.2)', () => {
  const frames: readonly (readonly [string, Uint8Array])[] = [
    ['PATH_CHALLENGE', frame(0x1a, '01234567')],
    ['STREAM', frame(0x0a, 0, 1, 'x')],
    ['MAX_DATA', frame(0x10, 1)],
    ['DATA_BLOCKED', frame(0x14, 1)],
    ['STREAM_DATA_BLOCKED', frame(0x15, 0, 1)],
    ['NEW_CONNECTION_ID', issue(1, 0, ID)],
    ['HANDSHAKE_DONE', frame(0x1e)],
    ['CONNECTION_CLOSE of an application', frame(0x1d, 0, 0)],
    ['DATAGRAM', frame(0x31, 1, 'x')],
  ];

  it.each(frames)('%s in a Handshake packet (17.2.4): PROTOCOL_VIOLATION', async (_name, bytes) => {
    const rogue = (await unfinished()).rogue;
    rogue.raw.send('handshake', bytes);
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation });
  });

  it.each(frames)('%s in an Initial packet (17.2.2): PROTOCOL_VIOLATION', async (_name, bytes) => {
    const rogue = await stage.rogue();
    rogue.raw.send('initial', bytes);
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation });
  });

  it.each([0x04, 0x08, 0x0c])('reserved bits of %i in a Handshake packet (17.2): PROTOCOL_VIOLATION', async (flip) => {
    const rogue = (await unfinished()).rogue;
    rogue.raw.send('handshake', frame(0x01), { flip });
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation });
  });

  it('reserved bits in an Initial packet (17.2): PROTOCOL_VIOLATION', async () => {
    const rogue = await stage.rogue();
    rogue.raw.send('initial', frame(0x01), { flip: 0x0c });
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation });
  });

  it('a Handshake packet without frames (12.4): PROTOCOL_VIOLATION', async () => {
    const rogue = (await unfinished()).rogue;
    rogue.raw.send('handshake', new Uint8Array(0));
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation });
  });

  it.each(['initial', 'handshake'] as const)('ACK in a packet of kind %s of what was not sent (13.1)', async (kind) => {
    const rogue = kind === 'initial' ? await stage.rogue() : (await unfinished()).rogue;
    rogue.raw.send(kind, frame(0x02, 500, 0, 0, 0));
    await stage.expectSentAway(rogue, { errorCode: E.protocolViolation });
  });

  it.each(['initial', 'handshake'] as const)('CRYPTO of kind %s beyond what is kept (7.5)', async (kind) => {
    const rogue = kind === 'initial' ? await stage.rogue() : (await unfinished()).rogue;
    rogue.raw.send(kind, frame(0x06, 1 << 20, 1, 'x'));
    await stage.expectSentAway(rogue, { errorCode: E.cryptoBufferExceeded });
  });
});

describe('0-RTT packets (RFC 9000 section 12.5, RFC 9001 section 8.3)', () => {
  const cases: readonly (readonly [string, Uint8Array, number])[] = [
    ['CRYPTO', frame(0x06, 0, 6, Buffer.from([8, 0, 0, 2, 0, 0])), E.protocolViolation],
    ['ACK', frame(0x02, 0, 0, 0, 0), E.protocolViolation],
    ['HANDSHAKE_DONE', frame(0x1e), E.protocolViolation],
    ['NEW_TOKEN', frame(0x07, 1, 'x'), E.protocolViolation],
    ['PATH_RESPONSE', frame(0x1b, '01234567'), E.protocolViolation],
    ['RETIRE_CONNECTION_ID', frame(0x19, 0), E.protocolViolation],
    ['STREAM above the remembered window (17.2.3)', frame(0x0e, 0, 100_000_000, 1, 'x'), E.flowControlError],
    ['STREAM above the remembered number of streams (17.2.3)', frame(0x0a, 1_000_000, 1, 'x'), E.streamLimitError],
  ];

  it.each(cases)('%s', async (_name, frames, errorCode) => {
    const before = await stage.connected();
    await before.until(() => before.raw.session !== undefined);
    const session = before.raw.session as NonNullable<RawClient['session']>;
    before.raw.send('oneRtt', frame(0x1d, 0x100, 0));
    await stage.expectAlone();
    const rogue = await stage.rogue({ session, earlyData: true, finishes: false });
    rogue.raw.start();
    rogue.raw.send('zeroRtt', frames);
    await stage.expectSentAway(rogue, { errorCode });
  });
});
