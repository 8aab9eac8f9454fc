/**
 * Retry and Version Negotiation, as a client takes them.
 *
 * Owns when each is believed (RFC 9000 sections 6.2 and 17.2.5.2, RFC 9001 section 5.8) and what a Retry changes. What
 * makes both safe in the end is the check of connection ids in own-parameters.ts.
 *
 * @module
 */
import { sameBytes } from '../../wire/index.ts';
import type { ConnectionState } from './connection-state.ts';
import type { PacketFates } from './packet-fates.ts';
import type { PacketHeader } from './packet-header.ts';
import { listedVersions, QUIC_V1 } from './packet-header.ts';
import { retryTag } from './packet-protection.ts';

const TAG = 16;

/** Takes what a server says before there is a connection. */
export class ServerAnswers {
  /** The versions that the server has, when ours is not among them. */
  refusedFor: readonly number[] | undefined;
  readonly #state: ConnectionState;
  readonly #fates: PacketFates;

  constructor(state: ConnectionState, fates: PacketFates) {
    this.refusedFor = undefined;
    this.#state = state;
    this.#fates = fates;
  }

  /** Takes a packet without keys. False: it is to be dropped. */
  received(datagram: Uint8Array, header: PacketHeader): boolean {
    // Both are for the very beginning: an authentic packet of the server outdates them.
    if (this.#state.peerSourceId !== undefined) return false;
    if (header.form === 'retry') return this.#retry(datagram, header);
    if (header.form === 'versionNegotiation') return this.#versions(datagram, header);
    return false;
  }

  #retry(datagram: Uint8Array, header: PacketHeader): boolean {
    const state = this.#state;
    // Section 17.2.5.2: one Retry, for this connection, from another id than the client made up.
    if (state.retrySourceId !== undefined || !sameBytes(header.destination, state.sourceId)) return false;
    if (sameBytes(header.source, state.originalId)) return false;
    const whole = datagram.subarray(header.start, header.end);
    const tag = retryTag(state.config.crypto, state.originalId, whole.subarray(0, whole.length - TAG));
    if (!state.config.crypto.equal(tag, whole.subarray(whole.length - TAG))) return false;
    state.retrySourceId = header.source.slice();
    state.token = header.token.slice();
    state.peerIds.handshakeIdReceived(state.retrySourceId);
    state.keys.setInitial(state.retrySourceId);
    // Numbers go on where they were (section 17.2.5.3); what was sent is sent again.
    state.recovery.withdraw('initial');
    state.crypto.initial.restart();
    for (const packet of state.recovery.withdraw('application')) this.#fates.sendAgain('application', packet);
    state.recovery.probeCount = 0;
    return true;
  }

  #versions(datagram: Uint8Array, header: PacketHeader): boolean {
    const state = this.#state;
    // Section 6.2: it answers a packet of ours, and not by the version that we chose.
    if (state.retrySourceId !== undefined || !sameBytes(header.destination, state.sourceId)) return false;
    if (!sameBytes(header.source, state.originalId)) return false;
    const versions = listedVersions(datagram, header);
    if (versions.includes(QUIC_V1)) return false;
    this.refusedFor = versions;
    return true;
  }
}
