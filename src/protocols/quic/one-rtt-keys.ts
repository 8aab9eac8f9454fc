/**
 * Keys of 1-RTT packets and their updates.
 *
 * Owns RFC 9001 section 6: which generation opens a packet, who begins an update and when, how long old keys are kept,
 * and how many packets one key may seal. Everything else about keys is packet-protection.ts's.
 *
 * Invariant: the generation that seals is that which opens, or the next one while the peer's answer to an update of
 * this side is awaited.
 *
 * @module
 */
import { QuicError, QuicFault } from './error-codes.ts';
import type { PacketKeys } from './packet-protection.ts';

/** At which part of what a key may seal it is replaced. */
const UPDATE_AT = 0.9;

/** Both directions of the 1-RTT level. */
export class OneRttKeys {
  #seal: PacketKeys;
  #open: PacketKeys;
  #openNext: PacketKeys | undefined;
  #openBefore: PacketKeys | undefined;
  /** When the old keys go. */
  #keepUntil: number;
  #sealGeneration: number;
  #openGeneration: number;
  /** The least number that came in the present generation. */
  #lowestReceived: number;
  /** The first number that was sent in the present generation. */
  #firstSent: number | undefined;
  #acknowledged: boolean;
  #sealed: number;
  readonly #updateAfter: number;

  /** @param maxPackets - packets after which keys are updated, when below the cipher's limit */
  constructor(seal: PacketKeys, open: PacketKeys, maxPackets: number) {
    this.#seal = seal;
    this.#open = open;
    this.#openNext = undefined;
    this.#openBefore = undefined;
    this.#keepUntil = Number.POSITIVE_INFINITY;
    this.#sealGeneration = 0;
    this.#openGeneration = 0;
    this.#lowestReceived = Number.POSITIVE_INFINITY;
    this.#firstSent = undefined;
    this.#acknowledged = false;
    this.#sealed = 0;
    this.#updateAfter = Math.min(maxPackets, seal.suite.confidentialityLimit * UPDATE_AT);
  }

  /** What opens packets of the present generation; its header protection serves all of them. */
  get current(): PacketKeys {
    return this.#open;
  }

  /** How often the keys that seal were updated. */
  get generation(): number {
    return this.#sealGeneration;
  }

  /** How often the keys that open were updated. */
  get openGeneration(): number {
    return this.#openGeneration;
  }

  /** The Key Phase bit of packets to send. */
  get phase(): boolean {
    return this.#sealGeneration % 2 === 1;
  }

  /** When old keys are due to be forgotten. */
  get keepUntil(): number | undefined {
    return this.#openBefore === undefined ? undefined : this.#keepUntil;
  }

  /** Whether it is time to update for the number of packets. */
  get isWorn(): boolean {
    return this.#sealed >= this.#updateAfter;
  }

  /**
   * Makes the next keys beforehand, so that an update takes no longer than another packet (section 6.3). Not with the
   * handshake: most connections end before they would need them.
   */
  prepare(): void {
    this.#openNext ??= this.#open.next();
  }

  /**
   * The keys for the packet with that number.
   *
   * @throws QuicFault AEAD_LIMIT_REACHED when they may seal no more (section 6.6)
   */
  sealing(number: number): PacketKeys {
    if (this.#sealed >= this.#seal.suite.confidentialityLimit) {
      throw new QuicFault(QuicError.aeadLimitReached, 'keys have sealed as many packets as they may');
    }
    this.#sealed += 1;
    this.#firstSent ??= number;
    return this.#seal;
  }

  /** Whether this side may update now (section 6.1). */
  get mayInitiate(): boolean {
    return this.#acknowledged && this.#sealGeneration === this.#openGeneration && this.#openBefore === undefined;
  }

  /** Updates what seals; the peer answers by doing the same. */
  initiate(): void {
    this.prepare();
    this.#advanceSeal();
  }

  #advanceSeal(): void {
    this.#seal = this.#seal.next();
    this.#sealGeneration += 1;
    this.#sealed = 0;
    this.#firstSent = undefined;
    this.#acknowledged = false;
  }

  /**
   * An ACK frame came.
   *
   * @param largest - the greatest number it acknowledges
   * @throws QuicFault KEY_UPDATE_ERROR when it came under older keys than what it acknowledges (section 6.2)
   */
  acknowledged(largest: number): void {
    if (this.#firstSent === undefined || largest < this.#firstSent) return;
    if (this.#openGeneration < this.#sealGeneration) {
      throw new QuicFault(QuicError.keyUpdateError, 'new keys were acknowledged under old ones');
    }
    this.#acknowledged = true;
  }

  /** Forgets old keys whose time is over. */
  expire(now: number): void {
    if (now < this.#keepUntil) return;
    this.#openBefore = undefined;
    this.#keepUntil = Number.POSITIVE_INFINITY;
  }

  /**
   * Opens a packet whose header is bare.
   *
   * @param packet - header and sealed payload
   * @param phase - its Key Phase bit
   * @param keepFor - how long old keys are kept behind an update, in milliseconds
   * @returns `undefined` when it is not authentic
   * @throws QuicFault KEY_UPDATE_ERROR (sections 6.2 and 6.4)
   */
  open(
    packet: Uint8Array,
    headerLength: number,
    number: number,
    phase: boolean,
    now: number,
    keepFor: number,
  ): Uint8Array | undefined {
    if (phase === (this.#openGeneration % 2 === 1)) {
      const payload = this.#open.open(packet, headerLength, number);
      if (payload !== undefined && number < this.#lowestReceived) this.#lowestReceived = number;
      return payload;
    }
    this.expire(now);
    if (this.#openBefore !== undefined && number < this.#lowestReceived) {
      return this.#openBefore.open(packet, headerLength, number);
    }
    const next = (this.#openNext ??= this.#open.next());
    const payload = next.open(packet, headerLength, number);
    if (payload !== undefined) {
      this.#peerUpdated(next, number, now + keepFor);
      return payload;
    }
    // Section 6.4: old keys for a packet behind one with newer keys.
    if (this.#openBefore?.open(packet, headerLength, number) !== undefined) {
      throw new QuicFault(QuicError.keyUpdateError, 'old keys were used again behind an update');
    }
    return undefined;
  }

  #peerUpdated(next: PacketKeys, number: number, keepUntil: number): void {
    const answers = this.#sealGeneration > this.#openGeneration;
    // Section 6.2: the peer cannot have had an acknowledgement in this generation, when nothing was sent in it.
    if (!answers && this.#firstSent === undefined) {
      throw new QuicFault(QuicError.keyUpdateError, 'a key update behind another that was not answered yet');
    }
    this.#openBefore = this.#open;
    this.#keepUntil = keepUntil;
    this.#open = next;
    this.#openNext = next.next();
    this.#openGeneration += 1;
    this.#lowestReceived = number;
    if (!answers) this.#advanceSeal();
  }
}
