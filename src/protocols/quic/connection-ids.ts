/**
 * The connection ids by which the peer calls us.
 *
 * Owns RFC 9000 sections 5.1.1 and 5.1.2 for this side's ids, NEW_CONNECTION_ID that is sent (section 19.15) and
 * RETIRE_CONNECTION_ID that comes (section 19.16). Where ids come from is the endpoint's, which is told of changes so
 * that it can route. The peer's ids are in peer-connection-ids.ts.
 *
 * Invariant: there are never more ids than the peer keeps, and those that it was asked to give up.
 *
 * @module
 */
import { RingQueue, sameBytes } from '../../wire/index.ts';
import type { ConnectionIdSource, IssuedConnectionId } from './connection-config.ts';
import { violation } from './error-codes.ts';
import type { FrameSource } from './frame-source.ts';
import { FrameType, mayCarry } from './frame-types.ts';
import type { PacketKind } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import { lengthOf } from './frame-writer.ts';
import type { SentFrame } from './sent-packets.ts';

/** Datagrams with this destination belong to the connection from now on. */
export interface ConnectionIdIssued {
  readonly type: 'ConnectionIdIssued';
  readonly id: Uint8Array;
}

/** Datagrams with this destination belong to the connection no more. */
export interface ConnectionIdRetired {
  readonly type: 'ConnectionIdRetired';
  readonly id: Uint8Array;
}

/** A datagram that ends with this token is the peer's stateless reset of the connection. */
export interface ResetTokenExpected {
  readonly type: 'ResetTokenExpected';
  readonly token: Uint8Array;
}

/** A token means nothing any more. */
export interface ResetTokenForgotten {
  readonly type: 'ResetTokenForgotten';
  readonly token: Uint8Array;
}

/** What an endpoint has to know to route datagrams to a connection. */
export type ConnectionIdChange = ConnectionIdIssued | ConnectionIdRetired | ResetTokenExpected | ResetTokenForgotten;

/** However many ids a peer would keep, it is given no more than these. */
const MOST_ISSUED = 8;
const TOKEN_LENGTH = 16;

interface LocalId extends IssuedConnectionId {
  readonly sequence: number;
  /** Whether the peer is known to have its frame: a copy that a probe carried in vain need not be made good. */
  known: boolean;
}

/** The ids by which the peer calls us. */
export class LocalConnectionIds implements FrameSource {
  readonly #source: ConnectionIdSource;
  readonly #changes: RingQueue<ConnectionIdChange>;
  readonly #active: Map<number, LocalId>;
  /** Sequence numbers whose frame is to be sent, or sent again. */
  readonly #pending: Set<number>;
  #original: Uint8Array | undefined;
  #peerLimit: number;
  #next: number;
  #largestSent: number;
  #retirePriorTo: number;

  /**
   * @param first - the id that goes into the handshake as Source Connection ID
   * @param original - server: the id that the client chose for its first packets, which it uses for a while
   */
  constructor(source: ConnectionIdSource, first: IssuedConnectionId, original: Uint8Array | undefined) {
    this.#source = source;
    this.#changes = new RingQueue();
    this.#active = new Map();
    this.#pending = new Set();
    this.#original = original;
    this.#peerLimit = 0;
    this.#next = 0;
    this.#largestSent = 0;
    this.#retirePriorTo = 0;
    this.#add(first);
    if (original !== undefined) this.#changes.push({ type: 'ConnectionIdIssued', id: original });
  }

  /** How many ids there are that the peer has not retired, those included that it has not been told of. */
  get count(): number {
    return this.#active.size;
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  /** Server, before anything else is issued: the id of its preferred_address, whose sequence number is 1 (section 5.1.1). */
  issuePreferred(): IssuedConnectionId {
    const issued = this.#source.next();
    this.#add(issued);
    this.#largestSent = 1;
    return issued;
  }

  /** The peer's active_connection_id_limit has come, and 1-RTT packets may be sent: issues what it allows. */
  start(peerLimit: number): void {
    // Section 5.1.1: who uses empty ids issues none.
    if (this.#source.length === 0) return;
    this.#peerLimit = Math.min(peerLimit, MOST_ISSUED);
    this.#issue();
  }

  /** The handshake is confirmed: the client calls us by our ids now. */
  forgetOriginal(): void {
    if (this.#original !== undefined) this.#changes.push({ type: 'ConnectionIdRetired', id: this.#original });
    this.#original = undefined;
  }

  /**
   * Gives the peer new ids and asks it to give up all others (Retire Prior To, section 5.1.2).
   *
   * @returns false while an earlier request has not been fulfilled, and where ids are empty
   */
  rotate(): boolean {
    const [oldest] = this.#active.keys();
    if (this.#peerLimit === 0 || oldest === undefined || oldest < this.#retirePriorTo) return false;
    this.#withdrawUnsent();
    this.#retirePriorTo = this.#next;
    this.#issue();
    return true;
  }

  /** The connection is over: nobody calls it any more. */
  terminate(): void {
    this.forgetOriginal();
    for (const { id } of this.#active.values()) this.#changes.push({ type: 'ConnectionIdRetired', id });
    this.#active.clear();
    this.#pending.clear();
    this.#peerLimit = 0;
  }

  /** The next change that the endpoint has not been told of. */
  nextIdChange(): ConnectionIdChange | undefined {
    return this.#changes.shift();
  }

  /**
   * RETIRE_CONNECTION_ID (section 19.16).
   *
   * @param destination - the Destination Connection ID of the packet that carries it
   * @throws QuicFault PROTOCOL_VIOLATION
   */
  retireConnectionIdReceived(sequence: number, destination: Uint8Array): void {
    const type = FrameType.retireConnectionId;
    if (this.#source.length === 0) throw violation('RETIRE_CONNECTION_ID although our connection id is empty', type);
    if (sequence > this.#largestSent) throw violation('RETIRE_CONNECTION_ID of an id that was not issued', type);
    const retired = this.#active.get(sequence);
    if (retired === undefined) return;
    if (sameBytes(retired.id, destination)) {
      throw violation('RETIRE_CONNECTION_ID of the id that the packet was sent to', type);
    }
    this.#active.delete(sequence);
    this.#pending.delete(sequence);
    this.#changes.push({ type: 'ConnectionIdRetired', id: retired.id });
    this.#issue();
  }

  write(writer: FrameWriter, sent: SentFrame[], kind: PacketKind, _now: number): void {
    if (!mayCarry(kind, FrameType.newConnectionId)) return;
    for (const sequence of this.#pending) {
      const issued = this.#active.get(sequence);
      if (issued !== undefined) {
        const head = [FrameType.newConnectionId, sequence, this.#retirePriorTo, issued.id.length];
        if (lengthOf(head) + issued.id.length + TOKEN_LENGTH > writer.room) return;
        writer.numbers(...head);
        writer.bytes(issued.id);
        writer.bytes(issued.resetToken);
        sent.push({ kind: 'newConnectionId', sequence });
        this.#largestSent = Math.max(this.#largestSent, sequence);
      }
      this.#pending.delete(sequence);
    }
  }

  acknowledged(frame: SentFrame): void {
    const issued = frame.kind === 'newConnectionId' ? this.#active.get(frame.sequence) : undefined;
    if (issued === undefined) return;
    issued.known = true;
    this.#pending.delete(issued.sequence);
  }

  lost(frame: SentFrame): void {
    const issued = frame.kind === 'newConnectionId' ? this.#active.get(frame.sequence) : undefined;
    if (issued?.known === false) this.#pending.add(issued.sequence);
  }

  /** The peer cannot give up what it was never told of; the numbers are used again, so that they go up by one. */
  #withdrawUnsent(): void {
    for (; this.#next - 1 > this.#largestSent; this.#next -= 1) {
      const withdrawn = this.#active.get(this.#next - 1);
      this.#active.delete(this.#next - 1);
      this.#pending.delete(this.#next - 1);
      if (withdrawn !== undefined) this.#changes.push({ type: 'ConnectionIdRetired', id: withdrawn.id });
    }
  }

  /** Fills up to what the peer keeps; those that it was asked to give up do not count (section 5.1.1). */
  #issue(): void {
    let kept = 0;
    for (const sequence of this.#active.keys()) if (sequence >= this.#retirePriorTo) kept += 1;
    for (; kept < this.#peerLimit; kept += 1) {
      this.#pending.add(this.#next);
      this.#add(this.#source.next());
    }
  }

  #add({ id, resetToken }: IssuedConnectionId): void {
    this.#active.set(this.#next, { id, resetToken, sequence: this.#next, known: false });
    this.#next += 1;
    this.#changes.push({ type: 'ConnectionIdIssued', id });
  }
}
