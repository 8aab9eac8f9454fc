/**
 * The connection ids by which we call the peer.
 *
 * Owns RFC 9000 section 5.1 for the peer's ids: which one each path uses, NEW_CONNECTION_ID that comes (section 19.15),
 * RETIRE_CONNECTION_ID that is sent (section 19.16), and the reset tokens that belong to ids in use (section 10.3).
 *
 * Invariants: at most as many ids are kept as was announced, at most three times as many are owed back; no frame costs
 * work that grows with the numbers that it names (CVE-2025-7054).
 *
 * @module
 */
import type { CryptoProvider } from '../../crypto/index.ts';
import { RangeSet, RingQueue, sameBytes, VARINT_SATURATED } from '../../wire/index.ts';
import type { ConnectionIdChange } from './connection-ids.ts';
import { QuicError, QuicFault, violation } from './error-codes.ts';
import type { FrameSource } from './frame-source.ts';
import { FrameType, mayCarry } from './frame-types.ts';
import type { PacketKind } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { SentFrame } from './sent-packets.ts';

/** Sequence numbers go up by one (section 5.1.1): holes are few, and are filled soon. */
const MOST_GAPS = 64;
/** How many retirements may be owed, in multiples of the limit; section 5.1.2 asks for twice at least. */
const MOST_OWED = 3;
const TOKEN_LENGTH = 16;

interface PeerId {
  readonly sequence: number;
  readonly id: Uint8Array;
  /** `undefined` for the id of the handshake when its sender gave none. */
  readonly token: Uint8Array | undefined;
  /** How many paths it is used on. */
  users: number;
  /** Whether the endpoint was told to expect its token. */
  expected: boolean;
}

/** What {@link PeerConnectionIds} is told. */
export interface PeerConnectionIdOptions {
  readonly crypto: CryptoProvider;
  /** The active_connection_id_limit that we announce, at least 2. */
  readonly activeLimit: number;
  /** Client: what it chose for its first packets. Server: the client's Source Connection ID. */
  readonly first: Uint8Array;
}

/**
 * The ids by which we call the peer. Each path has one of its own, so that nobody can tell that two belong together
 * (section 9.5); path 0 has the one of the handshake.
 */
export class PeerConnectionIds implements FrameSource {
  readonly #crypto: CryptoProvider;
  readonly #activeLimit: number;
  readonly #active: Map<number, PeerId>;
  readonly #paths: Map<number, PeerId>;
  readonly #seen: RangeSet;
  readonly #changes: RingQueue<ConnectionIdChange>;
  /** Sequence numbers whose RETIRE_CONNECTION_ID is to be sent, or sent again. */
  readonly #pending: Set<number>;
  /** Those whose frame is on its way. */
  readonly #unacknowledged: Set<number>;
  #retirePriorTo: number;

  constructor(options: PeerConnectionIdOptions) {
    this.#crypto = options.crypto;
    this.#activeLimit = options.activeLimit;
    this.#active = new Map();
    this.#paths = new Map();
    this.#seen = new RangeSet();
    this.#changes = new RingQueue();
    this.#pending = new Set();
    this.#unacknowledged = new Set();
    this.#retirePriorTo = 0;
    this.#replaceFirst(options.first, undefined);
    this.#seen.add(0);
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /** Whether the peer's id is empty: it has no other, and is called so wherever it is (section 5.1.1). */
  get isEmpty(): boolean {
    return this.#active.get(0)?.id.length === 0;
  }

  /** How many ids there are that no path has used. */
  get unused(): number {
    let unused = 0;
    for (const { users } of this.#active.values()) if (users === 0) unused += 1;
    return unused;
  }

  /** Client, in the handshake: what the server wants to be called, by its Retry or its first Initial (section 7.2). */
  handshakeIdReceived(id: Uint8Array): void {
    this.#replaceFirst(id, undefined);
  }

  /** Client: the server's stateless_reset_token, which belongs to the id of the handshake. */
  resetTokenReceived(token: Uint8Array): void {
    const first = this.#active.get(0);
    if (first === undefined || first.token !== undefined) return;
    this.#replaceFirst(first.id, token);
  }

  /** Client: the id of the server's preferred_address, which has sequence number 1. */
  preferredAddressReceived(id: Uint8Array, token: Uint8Array): void {
    this.newConnectionIdReceived(1, 0, id, token);
  }

  /** What packets on a path are sent to; `undefined` for a path that has none. */
  destination(path: number): Uint8Array | undefined {
    return this.#paths.get(path)?.id;
  }

  /** Gives a path an id that was never used, and retires the one that it had. False when there is none. */
  assign(path: number): boolean {
    const fresh = this.#fresh();
    if (fresh === undefined) return false;
    this.release(path);
    this.#use(path, fresh);
    return true;
  }

  /** Has a path use the id of another one: a peer's address that changed without the peer's doing (section 9.5). */
  share(path: number, other: number): boolean {
    const id = this.#paths.get(other);
    if (id === undefined) return false;
    this.release(path);
    this.#use(path, id);
    return true;
  }

  /** A path is used no more; an id that no other path uses is retired (section 5.1.2). */
  release(path: number): void {
    const used = this.#paths.get(path);
    if (used === undefined) return;
    this.#paths.delete(path);
    used.users -= 1;
    if (used.users === 0) this.#retire(used);
  }

  /**
   * NEW_CONNECTION_ID (section 19.15). That the id is 1 to 20 bytes long and Retire Prior To not above the sequence
   * number has been seen to.
   *
   * @throws QuicFault PROTOCOL_VIOLATION, CONNECTION_ID_LIMIT_ERROR
   */
  newConnectionIdReceived(sequence: number, retirePriorTo: number, id: Uint8Array, token: Uint8Array): void {
    const type = FrameType.newConnectionId;
    if (this.isEmpty) {
      throw violation("NEW_CONNECTION_ID although the peer's connection id is empty", type);
    }
    // Section 5.1.1: numbers go up by one, so none comes near what a number cannot tell.
    if (sequence >= VARINT_SATURATED) throw violation('NEW_CONNECTION_ID with an impossible sequence number', type);
    this.#compare(sequence, id, token);
    const known = this.#seen.has(sequence);
    if (!known) this.#see(sequence);
    const behind = sequence < Math.max(retirePriorTo, this.#retirePriorTo);
    if (!known && !behind) this.#active.set(sequence, { sequence, id, token, users: 0, expected: false });
    // Section 19.15: an id that had already been given up is retired at once, and but once.
    if (!known && behind) this.#oweRetirement(sequence);
    if (retirePriorTo > this.#retirePriorTo) this.#retireBefore(retirePriorTo);
    if (this.#active.size > this.#activeLimit) {
      throw new QuicFault(
        QuicError.connectionIdLimitError,
        'more connection ids than active_connection_id_limit',
        type,
      );
    }
  }

  /** Whether a datagram ends with a token of an id in use. It takes as long whichever differs (section 10.3.1). */
  isStatelessReset(datagram: Uint8Array): boolean {
    if (datagram.length < TOKEN_LENGTH) return false;
    const end = datagram.subarray(datagram.length - TOKEN_LENGTH);
    let found = false;
    for (const { token, users } of this.#active.values()) {
      // Section 10.3.1: tokens of ids that were not used, or that were retired, are not looked for.
      if (token !== undefined && users > 0 && this.#crypto.equal(token, end)) found = true;
    }
    return found;
  }

  /** The next change that the endpoint has not been told of. */
  nextIdChange(): ConnectionIdChange | undefined {
    return this.#changes.shift();
  }

  /** The connection is over: no token means anything. */
  terminate(): void {
    for (const known of this.#active.values()) this.#forget(known);
    this.#active.clear();
    this.#paths.clear();
    this.#pending.clear();
  }

  write(writer: FrameWriter, sent: SentFrame[], kind: PacketKind, _now: number): void {
    if (!mayCarry(kind, FrameType.retireConnectionId)) return;
    for (const sequence of this.#pending) {
      if (!writer.tryNumbers(FrameType.retireConnectionId, sequence)) return;
      sent.push({ kind: 'retireConnectionId', sequence });
      this.#pending.delete(sequence);
      this.#unacknowledged.add(sequence);
    }
  }

  acknowledged(frame: SentFrame): void {
    if (frame.kind !== 'retireConnectionId') return;
    this.#unacknowledged.delete(frame.sequence);
    this.#pending.delete(frame.sequence);
  }

  lost(frame: SentFrame): void {
    if (frame.kind === 'retireConnectionId' && this.#unacknowledged.delete(frame.sequence)) {
      this.#pending.add(frame.sequence);
    }
  }

  #replaceFirst(id: Uint8Array, token: Uint8Array | undefined): void {
    const before = this.#active.get(0);
    if (before !== undefined) this.#forget(before);
    const first: PeerId = { sequence: 0, id, token, users: before?.users ?? 1, expected: false };
    this.#active.set(0, first);
    if (before === undefined) this.#paths.set(0, first);
    for (const [path, used] of this.#paths) if (used === before) this.#paths.set(path, first);
    if (first.users > 0) this.#expect(first);
  }

  /** Section 19.15: the same number stands for the same id and token, and an id for one number. */
  #compare(sequence: number, id: Uint8Array, token: Uint8Array): void {
    for (const known of this.#active.values()) {
      const same = sameBytes(known.id, id);
      const sameToken = known.token === undefined || this.#crypto.equal(known.token, token);
      if (known.sequence === sequence ? same && sameToken : !same) continue;
      throw violation('NEW_CONNECTION_ID contradicts an earlier one', FrameType.newConnectionId);
    }
  }

  #see(sequence: number): void {
    this.#seen.add(sequence);
    if (this.#seen.length > MOST_GAPS) {
      throw violation('NEW_CONNECTION_ID with holes between its sequence numbers', FrameType.newConnectionId);
    }
  }

  #retireBefore(retirePriorTo: number): void {
    this.#retirePriorTo = retirePriorTo;
    for (const known of [...this.#active.values()]) {
      if (known.sequence >= retirePriorTo) continue;
      for (const [path, used] of this.#paths) if (used === known) this.#replace(path, known);
      this.#retire(known);
    }
  }

  /** A path goes on with another id; without one it can send nothing. The paths made first are served first. */
  #replace(path: number, known: PeerId): void {
    const fresh = this.#fresh();
    known.users -= 1;
    if (fresh === undefined) this.#paths.delete(path);
    else this.#use(path, fresh);
  }

  /** The unused id with the least number. */
  #fresh(): PeerId | undefined {
    let fresh: PeerId | undefined;
    for (const known of this.#active.values()) {
      if (known.users > 0 || known.sequence < this.#retirePriorTo) continue;
      if (fresh === undefined || known.sequence < fresh.sequence) fresh = known;
    }
    return fresh;
  }

  #use(path: number, known: PeerId): void {
    known.users += 1;
    this.#paths.set(path, known);
    this.#expect(known);
  }

  #retire(known: PeerId): void {
    if (!this.#active.delete(known.sequence)) return;
    this.#forget(known);
    this.#oweRetirement(known.sequence);
  }

  #expect(known: PeerId): void {
    if (known.token === undefined || known.expected) return;
    known.expected = true;
    this.#changes.push({ type: 'ResetTokenExpected', token: known.token });
  }

  #forget(known: PeerId): void {
    if (known.token === undefined || !known.expected) return;
    known.expected = false;
    this.#changes.push({ type: 'ResetTokenForgotten', token: known.token });
  }

  /** Section 5.1.2: a peer may not have us owe it more and more (CVE-2024-22189). */
  #oweRetirement(sequence: number): void {
    this.#pending.add(sequence);
    if (this.#pending.size + this.#unacknowledged.size > MOST_OWED * this.#activeLimit) {
      throw new QuicFault(
        QuicError.connectionIdLimitError,
        'more connection ids to retire than the peer acknowledges',
        FrameType.newConnectionId,
      );
    }
  }
}
