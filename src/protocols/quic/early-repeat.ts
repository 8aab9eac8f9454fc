/**
 * A server's flight, repeated before its probe timeout.
 *
 * Owns RFC 9002 section 6.2.3: a client that still asks in Initial packets lacks something of the flight that answered
 * them, and waiting for a timeout of a second and more would have it wait for nothing. So often at most, so that two who
 * repeat themselves come to an end; what may be sent is bounded by the amplification limit besides.
 *
 * @module
 */
import type { ConnectionState } from './connection-state.ts';
import type { PacketFates } from './packet-fates.ts';

/** How often for each connection. */
const MOST = 3;
/** Sooner than so many milliseconds behind the flight, a packet may have crossed it. */
const LEAST_AGE = 100;
const FLIGHT = ['initial', 'handshake'] as const;

/** Repeats the flight of a server. */
export class EarlyRepeat {
  readonly #state: ConnectionState;
  readonly #fates: PacketFates;
  #left: number;
  #at: number;

  constructor(state: ConnectionState, fates: PacketFates) {
    this.#state = state;
    this.#fates = fates;
    this.#left = state.role === 'server' ? MOST : 0;
    this.#at = Number.NEGATIVE_INFINITY;
  }

  /** An Initial packet came that asks for an acknowledgement. */
  initialReceived(): void {
    if (this.#left === 0) return;
    const { recovery, crypto, now } = this.#state;
    const [first] = recovery.oldest('initial', 1);
    // Before the whole flight has left, there is better to send.
    if (first === undefined || crypto.initial.hasPending || crypto.handshake.hasPending) return;
    if (now - Math.max(this.#at, first.sentAt) < LEAST_AGE) return;
    this.#left -= 1;
    this.#at = now;
    for (const space of FLIGHT) {
      for (const packet of recovery.oldest(space, Infinity)) this.#fates.sendAgain(space, packet);
    }
  }
}
