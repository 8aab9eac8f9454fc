/**
 * What becomes of packets, told to those whose frames were in them.
 *
 * Owns the hand-out of RFC 9000 section 13.3: each kind of frame to the part that makes its loss good, and what
 * acknowledgements, losses and probes mean besides.
 *
 * @module
 */
import type { ConnectionState } from './connection-state.ts';
import type { PacketSpace } from './loss-recovery.ts';
import type { SentFrame, SentPacket } from './sent-packets.ts';

/** Tells parts what became of their frames. */
export class PacketFates {
  readonly #state: ConnectionState;

  constructor(state: ConnectionState) {
    this.#state = state;
  }

  /** Packets arrived. */
  acknowledged(space: PacketSpace, packets: readonly SentPacket[]): void {
    const { mtu, now, recovery } = this.#state;
    for (const packet of packets) {
      for (const frame of packet.frames) this.#acknowledged(space, frame);
      if (packet.path !== recovery.path) continue;
      if (packet.mtuProbe) this.#sizeChanged(mtu.probeAcknowledged(packet.size, now));
      else mtu.acknowledged(packet.size);
    }
  }

  /** Packets were lost. */
  lost(space: PacketSpace, packets: readonly SentPacket[]): void {
    const { mtu, now, recovery, trace } = this.#state;
    for (const packet of packets) {
      trace?.packetLost(now, space, packet.number);
      this.sendAgain(space, packet);
      if (packet.path !== recovery.path) continue;
      if (packet.mtuProbe) mtu.probeLost(packet.size, now);
      else this.#sizeChanged(mtu.lost(packet.size, now));
    }
  }

  /** What was in a packet is to be sent again, whatever became of it. */
  sendAgain(space: PacketSpace, packet: SentPacket): void {
    for (const frame of packet.frames) this.#lost(space, frame);
  }

  /** The size of datagrams may have changed: those who depend on it are told. */
  #sizeChanged(changed: boolean): void {
    if (changed) this.sizeChanged();
  }

  /** The size of datagrams has changed. */
  sizeChanged(): void {
    const { mtu, now, recovery, trace, streams } = this.#state;
    recovery.controller.datagramSizeChanged(mtu.size);
    streams.setPacketRoom(packetRoom(this.#state));
    trace?.datagramSizeChanged(now, mtu.size);
  }

  #acknowledged(space: PacketSpace, frame: SentFrame): void {
    const state = this.#state;
    switch (frame.kind) {
      case 'ack':
        // RFC 9000 section 13.2.4: what the peer knows to have arrived need not be told again.
        state.spaces[space].received.forget(frame.largest);
        return;
      case 'crypto':
        state.crypto[space].acknowledged(frame.offset, frame.length);
        return;
      case 'newConnectionId':
        state.localIds.acknowledged(frame);
        return;
      case 'retireConnectionId':
        state.peerIds.acknowledged(frame);
        return;
      case 'handshakeDone':
      case 'newToken':
        return;
      default:
        state.streams.acknowledged(frame);
    }
  }

  #lost(space: PacketSpace, frame: SentFrame): void {
    const state = this.#state;
    switch (frame.kind) {
      case 'ack':
        return;
      case 'crypto':
        state.crypto[space].lost(frame.offset, frame.length);
        return;
      case 'newConnectionId':
        state.localIds.lost(frame);
        return;
      case 'retireConnectionId':
        state.peerIds.lost(frame);
        return;
      case 'handshakeDone':
      case 'newToken':
        state.control.lost(frame);
        return;
      default:
        state.streams.lost(frame);
    }
  }
}

/** The greatest number of bytes that frames take in a 1-RTT packet: with the longest packet number, and the tag. */
export function packetRoom(state: ConnectionState): number {
  const destination = state.peerIds.destination(state.paths.current.id);
  return state.mtu.size - (1 + (destination?.length ?? 20) + 4 + 16);
}
