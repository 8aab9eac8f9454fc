import { afterEach, describe, expect, it, vi } from 'vitest';
import { QuicError } from '../../../src/protocols/quic/error-codes.ts';
import type * as OwnParameters from '../../../src/protocols/quic/own-parameters.ts';
import type * as Encoding from '../../../src/protocols/quic/transport-parameters.ts';
import type { TransportParameters } from '../../../src/protocols/quic/transport-parameters.ts';
import { ConnectionPair, idSource, traceOf } from './connection-pair.ts';
import { frame } from './rogue.ts';

type Change = (own: Partial<TransportParameters>) => Partial<TransportParameters>;

/** What a side says in place of the truth, and bytes behind what it says. */
const lies = vi.hoisted(() => ({
  client: undefined as Change | undefined,
  server: undefined as Change | undefined,
  behind: new Map<string, Uint8Array>(),
}));

vi.mock('../../../src/protocols/quic/own-parameters.ts', async (original) => {
  const real = await original<typeof OwnParameters>();
  return {
    ...real,
    ownParameters: (state: Parameters<typeof real.ownParameters>[0]) => {
      const own = real.ownParameters(state);
      return { ...(lies[state.role]?.(own) ?? own), who: state.role };
    },
  };
});

vi.mock('../../../src/protocols/quic/transport-parameters.ts', async (original) => {
  const real = await original<typeof Encoding>();
  return {
    ...real,
    writeTransportParameters: (...args: Parameters<typeof real.writeTransportParameters>) => {
      const { who } = args[0] as { who?: string };
      const behind = lies.behind.get(who ?? '') ?? new Uint8Array(0);
      return Buffer.concat([real.writeTransportParameters(...args), behind]);
    },
  };
});

afterEach(() => {
  lies.client = undefined;
  lies.server = undefined;
  lies.behind.clear();
});

const error = { application: false, errorCode: QuicError.transportParameterError };

function outcome(): { client: unknown; server: unknown } {
  const pair = new ConnectionPair();
  pair.run(2_000);
  return { client: pair.closed('client'), server: pair.closed('server') };
}

const other = Buffer.alloc(8, 9);

describe('transport parameters of a server', () => {
  const cases: readonly (readonly [string, Change])[] = [
    [
      'no initial_source_connection_id (RFC 9000 section 7.3)',
      (own) => ({ ...own, initialSourceConnectionId: undefined }),
    ],
    ['another initial_source_connection_id (section 7.3)', (own) => ({ ...own, initialSourceConnectionId: other })],
    [
      'no original_destination_connection_id (section 7.3)',
      (own) => ({ ...own, originalDestinationConnectionId: undefined }),
    ],
    [
      'another original_destination_connection_id (section 7.3)',
      (own) => ({ ...own, originalDestinationConnectionId: other }),
    ],
    ['retry_source_connection_id without a Retry (section 7.3)', (own) => ({ ...own, retrySourceConnectionId: other })],
    ['ack_delay_exponent of 21 (section 18.2)', (own) => ({ ...own, ackDelayExponent: 21 })],
    ['max_ack_delay of 2^14 (section 18.2)', (own) => ({ ...own, maxAckDelay: 2 ** 14 })],
    ['max_udp_payload_size of 1199 (section 18.2)', (own) => ({ ...own, maxUdpPayloadSize: 1_199 })],
    ['active_connection_id_limit of 1 (section 18.2)', (own) => ({ ...own, activeConnectionIdLimit: 1 })],
    ['initial_max_streams_bidi above 2^60 (section 18.2)', (own) => ({ ...own, initialMaxStreamsBidi: 2 ** 61 })],
    ['stateless_reset_token of 15 bytes (section 18.2)', (own) => ({ ...own, statelessResetToken: Buffer.alloc(15) })],
  ];
  it.each(cases)('%s: TRANSPORT_PARAMETER_ERROR', (_name, change) => {
    lies.server = change;
    expect(outcome()).toMatchObject({ client: error, server: { ...error, initiator: 'peer' } });
  });

  it('one that stands twice: TRANSPORT_PARAMETER_ERROR (section 7.4)', () => {
    lies.behind.set('server', frame(0x01, 1, 5, 0x01, 1, 5));
    expect(outcome()).toMatchObject({ client: error });
  });

  it('cut short: TRANSPORT_PARAMETER_ERROR (section 18)', () => {
    lies.behind.set('server', frame(0x3f, 200));
    expect(outcome()).toMatchObject({ client: error });
  });

  it('a flag with a value: TRANSPORT_PARAMETER_ERROR (section 18.2)', () => {
    lies.behind.set('server', frame(0x0c, 1, '\x01'));
    expect(outcome()).toMatchObject({ client: error });
  });

  it('preferred_address with an empty connection id: TRANSPORT_PARAMETER_ERROR (section 18.2)', () => {
    lies.behind.set('server', frame(0x0d, 4 + 2 + 16 + 2 + 1 + 16, Buffer.alloc(24, 1), '\x00', Buffer.alloc(16)));
    expect(outcome()).toMatchObject({ client: error });
  });

  it('preferred_address of a server whose ids are empty: TRANSPORT_PARAMETER_ERROR (section 18.2)', () => {
    const address = { ipv4: { address: Buffer.alloc(4, 1), port: 1 }, ipv6: undefined };
    lies.server = (own) => ({
      ...own,
      preferredAddress: { ...address, connectionId: other, statelessResetToken: Buffer.alloc(16) },
    });
    const pair = new ConnectionPair({ server: { connectionIds: idSource(3, 0) } });
    pair.run(2_000);
    expect(pair.closed('client')).toMatchObject(error);
  });

  it('that are unknown are passed over (section 7.4.2)', () => {
    lies.behind.set('server', frame(0x3f5a, 3, 'abc'));
    expect(outcome()).toEqual({ client: undefined, server: undefined });
  });
});

describe('unknown parameters of 2^53 and more', () => {
  it('are passed over, however many: they are no duplicates of each other (sections 7.4 and 7.4.2)', () => {
    const large = ['ffffffffffffffe3', 'e000000000000001', 'ffffffffffffffff'].map((id) => Buffer.from(id, 'hex'));
    lies.behind.set('server', Buffer.concat(large.map((id) => frame(id, 1, 'x'))));
    expect(outcome()).toEqual({ client: undefined, server: undefined });
  });
});

describe('transport parameters of a client', () => {
  const cases: readonly (readonly [string, Change])[] = [
    [
      'no initial_source_connection_id (RFC 9000 section 7.3)',
      (own) => ({ ...own, initialSourceConnectionId: undefined }),
    ],
    ['another initial_source_connection_id (section 7.3)', (own) => ({ ...own, initialSourceConnectionId: other })],
    [
      'original_destination_connection_id (section 18.2)',
      (own) => ({ ...own, originalDestinationConnectionId: other }),
    ],
    ['retry_source_connection_id (section 18.2)', (own) => ({ ...own, retrySourceConnectionId: other })],
    ['stateless_reset_token (section 18.2)', (own) => ({ ...own, statelessResetToken: Buffer.alloc(16) })],
    [
      'preferred_address (section 18.2)',
      (own) => ({
        ...own,
        preferredAddress: {
          ipv4: undefined,
          ipv6: undefined,
          connectionId: other,
          statelessResetToken: Buffer.alloc(16),
        },
      }),
    ],
    ['max_ack_delay of 2^14 (section 18.2)', (own) => ({ ...own, maxAckDelay: 2 ** 14 })],
  ];
  it.each(cases)('%s: TRANSPORT_PARAMETER_ERROR', (_name, change) => {
    lies.client = change;
    expect(outcome()).toMatchObject({ server: error, client: { ...error, initiator: 'peer' } });
  });
});

describe('what this side announces', () => {
  it('has a reserved parameter when it greases (RFC 9000 section 18.1), and every limit', () => {
    const announced: Partial<TransportParameters>[] = [];
    const trace = traceOf({
      parametersSet: (_now, own, parameters) => {
        if (!own) announced.push(parameters);
      },
    });
    new ConnectionPair({ client: { trace } }).connect();
    expect(announced).toMatchObject([
      {
        maxIdleTimeout: 30_000,
        initialMaxStreamsBidi: 128,
        initialMaxStreamsUni: 16,
        initialMaxStreamDataBidiRemote: 65_536,
        maxAckDelay: 25,
        activeConnectionIdLimit: 4,
        greaseQuicBit: true,
        disableActiveMigration: false,
      },
    ]);
    expect(announced[0]?.initialMaxData).toBeGreaterThan(0);
    expect(announced[0]?.maxDatagramFrameSize).toBe(65_535);
  });
});
