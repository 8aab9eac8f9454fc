/**
 * Transport parameters of the two sides of a connection.
 *
 * Owns what this side announces, and whether the ids that the peer announces are those of the handshake (RFC 9000
 * section 7.3), which is what makes Retry and Version Negotiation safe.
 *
 * @module
 */
import { sameBytes } from '../../wire/index.ts';
import type { QuicServerConfig } from './connection-config.ts';
import type { ConnectionState } from './connection-state.ts';
import { QuicError, QuicFault } from './error-codes.ts';
import type { TransportParameters } from './transport-parameters.ts';

/** What this side announces. */
export function ownParameters(state: ConnectionState): Partial<TransportParameters> {
  const { config } = state;
  const { limits } = config;
  const local = state.streams.localParameters;
  const server = config.role === 'server' ? serverParameters(state, config.preferredAddress) : undefined;
  // Written out: an object that is spread into another costs a new shape.
  return {
    initialMaxData: local.initialMaxData,
    initialMaxStreamDataBidiLocal: local.initialMaxStreamDataBidiLocal,
    initialMaxStreamDataBidiRemote: local.initialMaxStreamDataBidiRemote,
    initialMaxStreamDataUni: local.initialMaxStreamDataUni,
    initialMaxStreamsBidi: local.initialMaxStreamsBidi,
    initialMaxStreamsUni: local.initialMaxStreamsUni,
    maxDatagramFrameSize: local.maxDatagramFrameSize,
    initialSourceConnectionId: state.sourceId,
    maxIdleTimeout: Number.isFinite(limits.idleTimeout) ? Math.floor(limits.idleTimeout) : 0,
    maxAckDelay: config.maxAckDelay,
    activeConnectionIdLimit: Math.max(2, limits.activeConnectionIdLimit),
    disableActiveMigration: config.disableActiveMigration,
    greaseQuicBit: config.grease,
    originalDestinationConnectionId: server?.originalDestinationConnectionId,
    retrySourceConnectionId: server?.retrySourceConnectionId,
    statelessResetToken: server?.statelessResetToken,
    preferredAddress: server?.preferredAddress,
  };
}

type ServerParameters = Pick<
  TransportParameters,
  'originalDestinationConnectionId' | 'retrySourceConnectionId' | 'statelessResetToken' | 'preferredAddress'
>;

function serverParameters(state: ConnectionState, preferred: QuicServerConfig['preferredAddress']): ServerParameters {
  const issued = preferred === undefined ? undefined : state.localIds.issuePreferred();
  return {
    originalDestinationConnectionId: state.originalId,
    retrySourceConnectionId: state.retrySourceId,
    statelessResetToken: state.resetToken,
    preferredAddress:
      preferred === undefined || issued === undefined
        ? undefined
        : { ...preferred, connectionId: issued.id, statelessResetToken: issued.resetToken },
  };
}

/** Checks the ids among the peer's parameters. @throws QuicFault TRANSPORT_PARAMETER_ERROR */
export function checkPeerParameters(state: ConnectionState, peer: TransportParameters): void {
  same(peer.initialSourceConnectionId, state.peerSourceId, 'initial_source_connection_id');
  if (state.role === 'server') return;
  same(peer.originalDestinationConnectionId, state.originalId, 'original_destination_connection_id');
  same(peer.retrySourceConnectionId, state.retrySourceId, 'retry_source_connection_id');
  // Section 18.2: a server whose ids are empty has no other address to offer one at.
  if (peer.preferredAddress !== undefined && state.peerSourceId?.length === 0) {
    throw fault('preferred_address of a server with an empty connection id');
  }
}

function same(announced: Uint8Array | undefined, expected: Uint8Array | undefined, name: string): void {
  if (announced === undefined && expected === undefined) return;
  if (announced === undefined || expected === undefined || !sameBytes(announced, expected)) {
    throw fault(`${name} is not what the handshake used`);
  }
}

function fault(message: string): QuicFault {
  return new QuicFault(QuicError.transportParameterError, `transport parameters: ${message}`);
}
