import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { cipherSuites, nodeCryptoProvider } from '../../../../src/crypto/index.ts';
import { QuicError, QuicFault } from '../../../../src/protocols/quic/error-codes.ts';
import {
  listedVersions,
  longHeaderLength,
  readPacketHeader,
  versionNegotiation,
  writeLongHeader,
  writeShortHeader,
} from '../../../../src/protocols/quic/packet-header.ts';
import { decodePacketNumber, packetNumberLength } from '../../../../src/protocols/quic/packet-number.ts';
import { PacketKeys } from '../../../../src/protocols/quic/packet-protection.ts';
import {
  defaultTransportParameters,
  readTransportParameters,
  writeTransportParameters,
} from '../../../../src/protocols/quic/transport-parameters.ts';

const EMPTY = new Uint8Array(0);
const one = Buffer.from('0102030405060708', 'hex');
const other = Buffer.from('aabb', 'hex');

describe('packet numbers (RFC 9000 appendix A)', () => {
  const vectors = JSON.parse(
    readFileSync(new URL('../../../vectors/rfc/rfc9000-quic-transport.json', import.meta.url), 'utf8'),
  ) as {
    packet_number_encode: { largest_acked: string; full_pn: string; num_bits: number }[];
    packet_number_decode: { largest_pn: string; truncated_pn: string; pn_nbits: number; decoded: string }[];
  };

  it.each(vectors.packet_number_encode)(
    'A.2: $full_pn after $largest_acked',
    ({ largest_acked, full_pn, num_bits }) => {
      expect(packetNumberLength(Number(full_pn), Number(largest_acked))).toBe(num_bits / 8);
    },
  );

  it.each(vectors.packet_number_decode)('A.3: $truncated_pn after $largest_pn', (vector) => {
    const { largest_pn, truncated_pn, pn_nbits, decoded } = vector;
    expect(decodePacketNumber(Number(largest_pn), Number(truncated_pn), pn_nbits / 8)).toBe(Number(decoded));
  });

  it('come back, however far the acknowledgement is', () => {
    for (const distance of [1, 2, 100, 127, 128, 30_000, 32_767, 8_000_000, 2_000_000_000]) {
      for (const acked of [-1, 0, 1, 255, 256, 70_000, 2 ** 40]) {
        const number = acked + distance;
        const length = packetNumberLength(number, acked);
        for (const received of [acked, number - 1]) {
          if (received < acked) continue;
          expect(decodePacketNumber(received, number % 2 ** (8 * length), length)).toBe(number);
        }
      }
    }
  });
});

describe('headers (RFC 9000 section 17)', () => {
  it.each(['initial', 'zeroRtt', 'handshake'] as const)('%s', (form) => {
    const token = form === 'initial' ? Buffer.alloc(70, 9) : EMPTY;
    const headerLength = longHeaderLength(form, one, other, token, 3);
    const packet = new Uint8Array(headerLength + 40);
    expect(writeLongHeader(packet, 0, form, one, other, token, 0x123456, 3, 40)).toBe(headerLength);
    const header = readPacketHeader(packet, 0, 0);
    expect(header).toMatchObject({ form, version: 1, start: 0, numberOffset: headerLength - 3, end: packet.length });
    expect([header?.destination, header?.source, header?.token].map((bytes) => Buffer.from(bytes ?? []))).toEqual(
      [one, other, token].map((bytes) => Buffer.from(bytes)),
    );
    // Coalesced: the next begins where this one ends.
    expect(readPacketHeader(Buffer.concat([packet, packet]), packet.length, 0)?.start).toBe(packet.length);
    for (let length = 0; length < packet.length; length += 1) {
      expect(readPacketHeader(packet.subarray(0, length), 0, 0), String(length)).toBeUndefined();
    }
  });

  it('1-RTT', () => {
    const packet = new Uint8Array(60);
    expect(writeShortHeader(packet, 0, one, true, false, 0x1234, 2)).toBe(11);
    expect(packet[0]).toBe(0x45);
    expect(readPacketHeader(packet, 0, 8)).toMatchObject({ form: 'short', numberOffset: 9, end: 60, fixedBit: true });
    expect(readPacketHeader(packet.subarray(0, 8), 0, 8)).toBeUndefined();
  });

  it('17.2.1: Version Negotiation', () => {
    const packet = versionNegotiation(one, other, [1, 0x6b3343cf, 0x1a2a3a4a], 0x15);
    const header = readPacketHeader(packet, 0, 0);
    expect(header?.form).toBe('versionNegotiation');
    expect(header === undefined ? [] : listedVersions(packet, header)).toEqual([1, 0x6b3343cf, 0x1a2a3a4a]);
    expect(readPacketHeader(packet.subarray(0, packet.length - 1), 0, 0)).toBeUndefined();
  });

  it('RFC 8999: other versions are known by their ids, of up to 255 bytes', () => {
    const packet = Buffer.concat([Buffer.from('c00a0a0a0aff', 'hex'), Buffer.alloc(255, 1), Buffer.of(2, 3, 4, 99)]);
    const header = readPacketHeader(packet, 0, 0);
    expect(header).toMatchObject({ form: 'unknown', version: 0x0a0a0a0a });
    expect([header?.destination.length, header?.source.length]).toEqual([255, 2]);
  });

  it('17.2: ids of more than 20 bytes are no version 1', () => {
    const packet = Buffer.concat([Buffer.from('c00000000115', 'hex'), Buffer.alloc(21), Buffer.alloc(100)]);
    expect(readPacketHeader(packet, 0, 0)).toBeUndefined();
  });
});

describe('protection (RFC 9001 section 5)', () => {
  it.each(cipherSuites)('$name: opens what it sealed, over generations of keys', (suite) => {
    const secret = Buffer.alloc(suite.hashLength, 3);
    let sending = new PacketKeys(nodeCryptoProvider, suite, secret);
    let receiving = new PacketKeys(nodeCryptoProvider, suite, secret);
    for (const number of [0, 1, 0xffff, 2 ** 32, 2 ** 40 + 5]) {
      for (const numberLength of [1, 2, 3, 4]) {
        const payload = Buffer.alloc(30, number & 0xff);
        const packet = Buffer.alloc(1 + 8 + numberLength + payload.length + 16);
        const end = writeShortHeader(packet, 0, one, false, false, number, numberLength);
        payload.copy(packet, end);
        sending.seal(packet, end, number, numberLength);
        const changed = Buffer.from(packet);
        changed[end + 3] = (changed[end + 3] as number) ^ 1;
        for (const [bytes, good] of [
          [packet, true],
          [changed, false],
        ] as const) {
          const length = receiving.unmask(bytes, 9);
          const opened = receiving.open(bytes, 9 + length, number);
          if (good) expect(Buffer.from(opened ?? []).equals(payload)).toBe(true);
          else expect(opened).toBeUndefined();
        }
      }
      sending = sending.next();
      receiving = receiving.next();
    }
  });

  it('5.4.2: a packet without a whole sample is none', () => {
    const keys = new PacketKeys(nodeCryptoProvider, cipherSuites[0] as (typeof cipherSuites)[0], Buffer.alloc(32));
    expect(keys.unmask(Buffer.alloc(28), 9)).toBe(0);
    expect(keys.unmask(Buffer.alloc(29), 9)).toBeGreaterThan(0);
  });
});

describe('transport parameters (RFC 9000 section 18)', () => {
  const varint = (id: number, value: string): Buffer =>
    Buffer.from(`${id.toString(16).padStart(2, '0')}${value}`, 'hex');

  it('have their defaults when nothing is sent', () => {
    expect(readTransportParameters(EMPTY, 'client')).toEqual(defaultTransportParameters);
    expect(writeTransportParameters(defaultTransportParameters)).toEqual(EMPTY);
  });

  it('come back as they were written, reserved ones passed over', () => {
    const parameters = {
      ...defaultTransportParameters,
      originalDestinationConnectionId: new Uint8Array(one),
      statelessResetToken: new Uint8Array(16).fill(4),
      preferredAddress: {
        ipv4: { address: Uint8Array.of(127, 0, 0, 1), port: 4_433 },
        ipv6: undefined,
        connectionId: Uint8Array.of(1, 2, 3),
        statelessResetToken: new Uint8Array(16).fill(5),
      },
      maxIdleTimeout: 30_000,
      initialMaxData: 2 ** 40,
      initialMaxStreamsBidi: 100,
      ackDelayExponent: 20,
      disableActiveMigration: true,
      maxDatagramFrameSize: 65_535,
      greaseQuicBit: true,
    };
    const bytes = writeTransportParameters(parameters, { id: 31 * 7 + 27, value: other });
    expect(readTransportParameters(bytes, 'server')).toEqual(parameters);
    for (let length = 1; length < bytes.length; length += 1) {
      const read = (): unknown => readTransportParameters(bytes.subarray(0, length), 'server');
      try {
        read();
      } catch (error) {
        expect((error as QuicFault).code).toBe(QuicError.transportParameterError);
      }
    }
  });

  it.each([
    ['7.4: one twice', Buffer.from('010105010105', 'hex')],
    ['18.2: max_udp_payload_size below 1200', varint(0x03, '0244af')],
    ['18.2: more than 2^60 streams', varint(0x08, '08d000000000000001')],
    ['18.2: ack_delay_exponent above 20', varint(0x0a, '0115')],
    ['18.2: max_ack_delay of 2^14', varint(0x0b, '0480004000')],
    ['18.2: active_connection_id_limit below 2', varint(0x0e, '0101')],
    ['18.2: disable_active_migration with a value', varint(0x0c, '0100')],
    ['18.2: an id of 21 bytes', varint(0x0f, `15${'00'.repeat(21)}`)],
    ['18.2: a number that is longer than it says', varint(0x01, '020505')],
    ['18.2: a client with a stateless reset token', varint(0x02, `10${'00'.repeat(16)}`)],
    ['18.2: a client with the original id', varint(0x00, '0101')],
    ['18.2: a value beyond the end', varint(0x01, '0405')],
  ])('%s', (_name, bytes) => {
    expect(() => readTransportParameters(bytes, 'client')).toThrow(
      expect.objectContaining({ code: QuicError.transportParameterError }),
    );
  });

  it.each([
    ['a reset token of 15 bytes', varint(0x02, `0f${'00'.repeat(15)}`)],
    ['a preferred address without an id', varint(0x0d, `29${'00'.repeat(24)}00${'00'.repeat(16)}`)],
    ['a preferred address that is cut short', varint(0x0d, `04${'00'.repeat(4)}`)],
  ])('18.2: a server with %s', (_name, bytes) => {
    expect(() => readTransportParameters(bytes, 'server')).toThrow(QuicFault);
  });
});
