/**
 * The PINGs that this side sends.
 *
 * Owns: their opaque octets, by which an answer is told from another, and when they went out (RFC 9113 section 6.7).
 *
 * @module
 */
import type { FrameWriter } from './frame-writer.ts';

/** What a PING is for. */
export const PingKind = { none: 0, liveness: 1, shutdown: 2 } as const;
/** One of {@link PingKind}. */
export type PingKindValue = (typeof PingKind)[keyof typeof PingKind];

/** `hface-t`; the kind is the last octet. */
const OPAQUE: readonly number[] = [0x68, 0x66, 0x61, 0x63, 0x65, 0x2d, 0x74];

/** Sends PINGs and knows their answers; one of each kind at a time. */
export class Pings {
  /** A bit for each kind whose answer is awaited. */
  #awaited: number;
  /** When the last went out, by kind. */
  #livenessAt: number;
  #shutdownAt: number;

  constructor() {
    this.#awaited = 0;
    this.#livenessAt = 0;
    this.#shutdownAt = 0;
  }

  /** When the last of a kind went out. */
  sentAt(kind: PingKindValue): number {
    return kind === PingKind.liveness ? this.#livenessAt : this.#shutdownAt;
  }

  /** Sends one. */
  send(kind: PingKindValue, writer: FrameWriter, now: number): void {
    this.#awaited |= 1 << kind;
    if (kind === PingKind.liveness) this.#livenessAt = now;
    else this.#shutdownAt = now;
    writer.writePing(false, Uint8Array.from([...OPAQUE, kind]), 0);
  }

  /** An answer came: of which kind it is, `none` when nobody asked. */
  answered(bytes: Uint8Array, at: number): PingKindValue {
    for (let index = 0; index < OPAQUE.length; index += 1) {
      if (bytes[at + index] !== OPAQUE[index]) return PingKind.none;
    }
    const kind = bytes[at + OPAQUE.length];
    if (kind !== PingKind.liveness && kind !== PingKind.shutdown) return PingKind.none;
    if ((this.#awaited & (1 << kind)) === 0) return PingKind.none;
    this.#awaited &= ~(1 << kind);
    return kind;
  }
}
