/**
 * Transport parameters of a peer: whatever they say, they are read or refused with TRANSPORT_PARAMETER_ERROR, and what
 * was read is written and read alike.
 */
import { describe, expect } from 'vitest';
import { QuicError, QuicFault } from '../../src/protocols/quic/error-codes.ts';
import type { TransportParameters } from '../../src/protocols/quic/transport-parameters.ts';
import { readTransportParameters, writeTransportParameters } from '../../src/protocols/quic/transport-parameters.ts';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { mutate, pickOf, randomBytes } from '../support/fuzz/mutation.ts';

const FROM = ['client', 'server'] as const;
const NUMBERS = [0, 1, 2, 3, 20, 21, 1_199, 1_200, 16_383, 16_384, 65_527, 65_536, 2 ** 30, 2 ** 53 - 1];

/** Parameters of a server, such as there may be. */
function some(random: SeededRandom): Uint8Array {
  const number = (): number => pickOf(random, NUMBERS);
  const id = (): Uint8Array => randomBytes(random, 20);
  const parameters: Partial<TransportParameters> = {
    originalDestinationConnectionId: id(),
    initialSourceConnectionId: id(),
    ...(random.chance(0.3) ? { retrySourceConnectionId: id() } : {}),
    ...(random.chance(0.3) ? { statelessResetToken: random.fill(new Uint8Array(16)) } : {}),
    maxIdleTimeout: number(),
    maxUdpPayloadSize: 1_200 + number(),
    initialMaxData: number(),
    initialMaxStreamDataBidiLocal: number(),
    initialMaxStreamDataBidiRemote: number(),
    initialMaxStreamDataUni: number(),
    initialMaxStreamsBidi: number(),
    initialMaxStreamsUni: number(),
    ackDelayExponent: random.integer(0, 20),
    maxAckDelay: random.integer(0, 16_383),
    disableActiveMigration: random.chance(0.3),
    activeConnectionIdLimit: 2 + random.integer(0, 100),
    maxDatagramFrameSize: number(),
    greaseQuicBit: random.chance(0.3),
  };
  if (random.chance(0.3)) {
    Object.assign(parameters, {
      preferredAddress: {
        ipv4: { address: random.fill(new Uint8Array(4)), port: random.integer(1, 65_535) },
        ipv6: undefined,
        connectionId: random.fill(new Uint8Array(8)),
        statelessResetToken: random.fill(new Uint8Array(16)),
      },
    });
  }
  return writeTransportParameters(
    parameters,
    random.chance(0.5) ? { id: 31 * random.integer(1, 99) + 27, value: id() } : undefined,
  );
}

describe('QUIC transport parameters', () => {
  fuzz('QUIC transport parameters', 6_000, (random) => {
    const bytes = random.chance(0.2) ? some(random) : mutate(random, [some(random), some(random)]);
    const from = pickOf(random, FROM);
    let read: TransportParameters;
    try {
      read = readTransportParameters(bytes, from);
    } catch (error) {
      expect(error).toBeInstanceOf(QuicFault);
      expect((error as QuicFault).code).toBe(QuicError.transportParameterError);
      return;
    }
    const { initialMaxData, maxAckDelay, ackDelayExponent, activeConnectionIdLimit, maxUdpPayloadSize } = read;
    expect([maxAckDelay < 2 ** 14, ackDelayExponent <= 20, activeConnectionIdLimit >= 2]).toEqual([true, true, true]);
    expect([maxUdpPayloadSize >= 1_200, initialMaxData >= 0]).toEqual([true, true]);
    // Numbers beyond 2^53 - 1 are read as that much and no more; they are not written.
    if (Object.values(read).some((value) => typeof value === 'number' && value >= 2 ** 53)) return;
    expect(readTransportParameters(writeTransportParameters(read), from)).toEqual(read);
  });
});
