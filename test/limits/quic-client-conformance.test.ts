/**
 * Our client at servers that break one rule of QUIC, TLS or HTTP/3 at a time: the code that the server is told, a request
 * that fails, and another server that is asked in the same session.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client } from '../../src/client/index.ts';
import type { ClientSession } from '../../src/client/index.ts';
import type { HeaderList } from '../../src/common/index.ts';
import { Http3ErrorCode } from '../../src/protocols/http3/index.ts';
import { QuicError } from '../../src/protocols/quic/error-codes.ts';
import type { TransportParameters } from '../../src/protocols/quic/transport-parameters.ts';
import { AppServer } from '../../src/server/index.ts';
import type { RunningServer } from '../../src/server/index.ts';
import type { TrapPlan } from '../support/attack/quic-trap.ts';
import { QuicTrap } from '../support/attack/quic-trap.ts';
import { concat, data, frame as h3, headers, settings, Type, varints } from '../support/http3-frames.ts';
import { frame, randomBytes, streamFrame } from '../support/quic/raw-frames.ts';
import type { RawServer } from '../support/quic/raw-server.ts';
import { makeCertificate, testPki } from '../support/test-certificates.ts';

const E = QuicError;
const CRYPTO_ERROR = 0x0100;
const pki = testPki();
const identity = { cert: pki.server.cert, key: pki.server.key };
const CONTROL = 3;
const ENCODER = 7;
const DECODER = 11;
const GREETING = concat(varints(0), settings());
const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'hex'));
let good: RunningServer;
let session: ClientSession;

beforeAll(async () => {
  good = await new AppServer(() => new Response('still there'), { protocol: ['http3'] }).listen({
    endpoint: 'https://127.0.0.1:0',
    tls: identity,
  });
  session = new Client({ protocol: ['http3'], tls: { ca: pki.ca.cert } }).session();
});

afterAll(async () => {
  await session.close();
  await good.close();
});

/** Asks a server that follows the plan; `look` sees what it was told. The request fails, others go on. */
async function visit(plan: Partial<TrapPlan>, done: (raw: RawServer) => boolean): Promise<RawServer> {
  const trap = await QuicTrap.open({ identity, ...plan });
  const patience = new AbortController();
  const request = session.fetch(trap.url, { signal: patience.signal }).then(
    (response) => response.text(),
    (error: unknown) => error,
  );
  const ending = request.catch((error: unknown) => error);
  const raw = await trap.until(done);
  // A request that was not processed may be tried again, and waits for as long as it may.
  patience.abort();
  expect(await ending).toBeInstanceOf(Error);
  const response = await session.fetch(good.url);
  expect(await response.text()).toBe('still there');
  await trap.close();
  return raw;
}

/** The connection ends by the client, with that code. */
async function expectClosed(plan: Partial<TrapPlan>, errorCode: number, application = false): Promise<void> {
  const raw = await visit(plan, ({ closed }) => closed !== undefined);
  expect(raw.closed).toMatchObject({ application, errorCode });
}

describe('transport parameters of a server (RFC 9000 sections 7.3, 7.4 and 18.2): TRANSPORT_PARAMETER_ERROR', () => {
  const id = randomBytes(8);
  const address = { ipv4: { address: Uint8Array.of(127, 0, 0, 1), port: 443 }, ipv6: undefined };
  const cases: readonly (readonly [string, Partial<TransportParameters>])[] = [
    ['no original_destination_connection_id (7.3)', { originalDestinationConnectionId: undefined }],
    ['another original_destination_connection_id (7.3)', { originalDestinationConnectionId: id }],
    ['no initial_source_connection_id (7.3)', { initialSourceConnectionId: undefined }],
    ['another initial_source_connection_id (7.3)', { initialSourceConnectionId: id }],
    ['retry_source_connection_id without a Retry (7.3)', { retrySourceConnectionId: id }],
    ['max_udp_payload_size of 1199 (18.2)', { maxUdpPayloadSize: 1_199 }],
    ['ack_delay_exponent of 21 (18.2)', { ackDelayExponent: 21 }],
    ['max_ack_delay of 2^14 (18.2)', { maxAckDelay: 2 ** 14 }],
    ['active_connection_id_limit of 1 (18.2)', { activeConnectionIdLimit: 1 }],
    ['initial_max_streams_bidi above 2^60 (4.6)', { initialMaxStreamsBidi: 2 ** 61 }],
    ['stateless_reset_token of 15 bytes (18.2)', { statelessResetToken: randomBytes(15) }],
    [
      'preferred_address with an empty id (18.2)',
      { preferredAddress: { ...address, connectionId: new Uint8Array(0), statelessResetToken: randomBytes(16) } },
    ],
  ];

  it.each(cases)('%s', async (_name, parameters) => {
    await expectClosed({ parameters }, E.transportParameterError);
  });

  it.each([
    ['twice (7.4)', frame(0x04, 1, 5)],
    ['cut short (18)', frame(0x3f5a, 20, 'abc')],
  ])('%s', async (_name, behindParameters) => {
    await expectClosed({ behindParameters }, E.transportParameterError);
  });
});

describe('the handshake of a server (RFC 9001)', () => {
  const encryptedExtensions = (body: string): Omit<TrapPlan, 'identity'> => ({
    changeHandshake: (level, bytes) => (level === 'handshake' && bytes[0] === 8 ? hex(body) : bytes),
  });

  it.each([
    ['no application protocol (8.1): 0x0178', encryptedExtensions('080000020000'), 0x0178],
    ['no transport parameters (8.2): 0x016d', encryptedExtensions('0800000b0009001000050003026833'), 0x016d],
    ['a message of another type: 0x010a', encryptedExtensions('180000010000'), 0x010a],
  ])('%s', async (_name, plan, errorCode) => {
    await expectClosed(plan, errorCode);
  });

  it.each([
    ['that nobody trusts (RFC 8446 section 6.2): unknown_ca', makeCertificate(), 48],
    ['for another name: bad_certificate', makeCertificate({ issuer: pki.ca, names: ['other.test'] }), 42],
  ])('a certificate %s', async (_name, { cert, key }, alert) => {
    await expectClosed({ identity: { cert, key } }, CRYPTO_ERROR + alert);
  });

  it.each([
    ['KeyUpdate (6): 0x010a', hex('1800000101'), CRYPTO_ERROR + 10],
    ['CertificateRequest (4.4): PROTOCOL_VIOLATION', hex('0d000003000000'), E.protocolViolation],
    [
      'a ticket for 100 bytes of early data (4.6.1): PROTOCOL_VIOLATION',
      hex('0400001900000e100000000000' + '000478787878' + '0008002a000400000064'),
      E.protocolViolation,
    ],
  ])('behind the handshake %s', async (_name, message, errorCode) => {
    await expectClosed({ play: (raw) => raw.sendCrypto('application', message) }, errorCode);
  });
});

describe('frames of a server (RFC 9000 sections 12.4 and 19)', () => {
  const issue = (sequence: number, retire: number, id: Uint8Array): Buffer =>
    frame(0x18, sequence, retire, Uint8Array.of(id.length), id, randomBytes(16));
  const cases: readonly (readonly [string, Uint8Array, number])[] = [
    ['none (12.4)', new Uint8Array(0), E.protocolViolation],
    ['of an unknown type (12.4)', frame(0x20), E.frameEncodingError],
    ['ACK of what was not sent (13.1)', frame(0x02, 9_000, 0, 0, 0), E.protocolViolation],
    ['ACK of numbers below 0 (19.3.1)', frame(0x02, 0, 0, 0, 1), E.frameEncodingError],
    ['RESET_STREAM of a stream that only the client sends on (19.4)', frame(0x04, 2, 0, 0), E.streamStateError],
    ['STOP_SENDING for a stream that only the server sends on (19.5)', frame(0x05, 3, 0), E.streamStateError],
    ['STOP_SENDING for a stream of the client that is not there (19.5)', frame(0x05, 400, 0), E.streamStateError],
    ['NEW_TOKEN without a token (19.7)', frame(0x07, 0), E.frameEncodingError],
    ['STREAM of the client that is not there (19.8)', frame(0x0a, 400, 0), E.streamStateError],
    ['STREAM that only the client sends on (19.8)', frame(0x0a, 2, 0), E.streamStateError],
    ['STREAM above the window (4.1)', frame(0x0e, 3, 1 << 29, 1, 'x'), E.flowControlError],
    ['STREAM above the limit of streams (4.6)', frame(0x0a, 40_003, 0), E.streamLimitError],
    ['STREAM with an end before what came (4.5)', frame(0x0e, 3, 4, 1, 'x', 0x0b, 3, 1, 'y'), E.finalSizeError],
    ['MAX_STREAM_DATA for a stream that only the server sends on (19.10)', frame(0x11, 3, 9), E.streamStateError],
    ['MAX_STREAM_DATA for a stream that is not there (19.10)', frame(0x11, 400, 9), E.streamStateError],
    ['MAX_STREAMS above 2^60 (19.11)', frame(0x12, hex('d000000000000001')), E.frameEncodingError],
    ['STREAM_DATA_BLOCKED for a stream that only the client sends on (19.13)', frame(0x15, 2, 9), E.streamStateError],
    ['NEW_CONNECTION_ID of no bytes (19.15)', issue(1, 0, new Uint8Array(0)), E.frameEncodingError],
    ['NEW_CONNECTION_ID of 21 bytes (19.15)', issue(1, 0, randomBytes(21)), E.frameEncodingError],
    ['NEW_CONNECTION_ID that retires above itself (19.15)', issue(1, 2, randomBytes(8)), E.frameEncodingError],
    [
      'NEW_CONNECTION_ID above the limit (5.1.1)',
      Buffer.concat(Array.from({ length: 9 }, (_, index) => issue(1 + index, 0, randomBytes(8)))),
      E.connectionIdLimitError,
    ],
    ['RETIRE_CONNECTION_ID of what was not issued (19.16)', frame(0x19, 99), E.protocolViolation],
    ['CRYPTO beyond what is kept (7.5)', frame(0x06, 1 << 20, 1, 'x'), E.cryptoBufferExceeded],
  ];

  it.each(cases)('%s', async (_name, bytes, errorCode) => {
    await expectClosed({ play: (raw) => raw.send('oneRtt', bytes) }, errorCode);
  });

  it.each([0x08, 0x10])('behind a header with reserved bits of %i (17.3.1): PROTOCOL_VIOLATION', async (flip) => {
    await expectClosed({ play: (raw) => raw.send('oneRtt', frame(0x01), { flip }) }, E.protocolViolation);
  });
});

type CodeName = keyof typeof Http3ErrorCode;

describe('HTTP/3 of a server (RFC 9114, RFC 9204): the connection ends', () => {
  const cases: readonly (readonly [string, number, Uint8Array, CodeName, fin?: boolean])[] = [
    [
      'a control stream that begins with GOAWAY (6.2.1)',
      CONTROL,
      concat(varints(0), h3(Type.GOAWAY, varints(0))),
      'H3_MISSING_SETTINGS',
    ],
    ['settings of HTTP/2 (7.2.4.1)', CONTROL, concat(varints(0), settings([2, 0])), 'H3_SETTINGS_ERROR'],
    [
      'H3_DATAGRAM of 2 (RFC 9297 section 2.1.1)',
      CONTROL,
      concat(varints(0), settings([0x33, 2])),
      'H3_SETTINGS_ERROR',
    ],
    ['SETTINGS again (7.2.4)', CONTROL, concat(GREETING, settings()), 'H3_FRAME_UNEXPECTED'],
    ['DATA on the control stream (7.2.1)', CONTROL, concat(GREETING, data('x')), 'H3_FRAME_UNEXPECTED'],
    ['MAX_PUSH_ID (7.2.7)', CONTROL, concat(GREETING, h3(Type.MAX_PUSH_ID, varints(0))), 'H3_FRAME_UNEXPECTED'],
    ['GOAWAY for what is no request (7.2.6)', CONTROL, concat(GREETING, h3(Type.GOAWAY, varints(1))), 'H3_ID_ERROR'],
    ['CANCEL_PUSH (7.2.3)', CONTROL, concat(GREETING, h3(Type.CANCEL_PUSH, varints(0))), 'H3_ID_ERROR'],
    ['the end of the control stream (6.2.1)', CONTROL, GREETING, 'H3_CLOSED_CRITICAL_STREAM', true],
    ['a push stream (4.6)', ENCODER, varints(1, 0), 'H3_ID_ERROR'],
    [
      'an insertion where there is no table (9204 3.2.3)',
      ENCODER,
      concat(varints(2), hex('41610162')),
      'QPACK_ENCODER_STREAM_ERROR',
    ],
    ['Insert Count Increment of 0 (9204 4.4.3)', DECODER, concat(varints(3), hex('00')), 'QPACK_DECODER_STREAM_ERROR'],
    ['a bidirectional stream of its own (6.1)', 1, data('x'), 'H3_STREAM_CREATION_ERROR'],
    ['DATA before HEADERS (4.1)', 0, data('x'), 'H3_FRAME_UNEXPECTED'],
    ['SETTINGS in a response (7.2.4)', 0, settings(), 'H3_FRAME_UNEXPECTED'],
    ['PUSH_PROMISE (7.2.5)', 0, h3(Type.PUSH_PROMISE, varints(0)), 'H3_ID_ERROR'],
    [
      'a response that ends within a frame (7.1)',
      0,
      concat(headers([':status', '200']), varints(0, 9)),
      'H3_FRAME_ERROR',
      true,
    ],
    [
      'a field section that refers to no table (9204 2.2.3)',
      0,
      h3(Type.HEADERS, hex('000080')),
      'QPACK_DECOMPRESSION_FAILED',
    ],
  ];

  it.each(cases.map(([name, streamId, bytes, code, fin = false]) => [name, code, streamId, bytes, fin] as const))(
    '%s: %s',
    async (_name, code, streamId, bytes, fin) => {
      await expectClosed({ play: answer(streamId, bytes, fin) }, Http3ErrorCode[code], true);
    },
  );
});

describe('malformed responses (RFC 9114 sections 4.1.2, 4.2 and 4.3): H3_MESSAGE_ERROR of the stream', () => {
  const cases: readonly (readonly [string, HeaderList])[] = [
    ['no :status', ['x', 'y']],
    [':status twice', [':status', '200', ':status', '200']],
    [':status that is none', [':status', '20']],
    [':status 101', [':status', '101']],
    [':method in a response', [':status', '200', ':method', 'GET']],
    ['an uppercase name', [':status', '200', 'X', 'y']],
    ['Connection', [':status', '200', 'connection', 'close']],
    ['LF in a value', [':status', '200', 'x', 'a\nb']],
    ['two lengths', [':status', '200', 'content-length', '9', 'content-length', '8']],
  ];

  it.each(cases)('%s', async (_name, list) => {
    // Without an end: what has ended cannot be refused any more.
    const play = answer(0, headers(list), false);
    const raw = await visit(
      { play },
      ({ stops, resets, closed }) => stops.has(0) || resets.has(0) || closed !== undefined,
    );
    expect(raw.closed).toBeUndefined();
    expect(raw.stops.get(0) ?? raw.resets.get(0)).toBe(Http3ErrorCode.H3_MESSAGE_ERROR);
  });
});

/** Sends bytes on a stream; on the request's once the request has come. */
function answer(streamId: number, bytes: Uint8Array, fin: boolean): (raw: RawServer) => void {
  return (raw) => {
    const send = (): void => raw.send('oneRtt', streamFrame(streamId, bytes, fin));
    if (streamId === 0) raw.onStream = send;
    else send();
  };
}
