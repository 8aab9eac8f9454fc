/**
 * The end of a connection.
 *
 * Owns the closing and draining states (RFC 9000 section 10.2): what is told to the peer and at which levels, how often it
 * is told again, how long, and what the driver is told.
 *
 * Invariant: the event `QuicConnectionClosed` comes once, and no event behind it.
 *
 * @module
 */
import type { HfaceError, Initiator, NetworkPath } from '../../common/index.ts';
import type { Datagram } from '../http-protocol.ts';
import type { ConnectionState } from './connection-state.ts';
import type { DatagramWriter } from './datagram-writer.ts';
import { QuicError, QuicFault } from './error-codes.ts';
import type { PacketKind } from './frame-types.ts';
import { FrameType } from './frame-types.ts';
import { lengthOf } from './frame-writer.ts';
import type { PacketAssembler } from './packet-assembler.ts';

/** Closing and draining last so many probe timeouts. */
const DURATION = 3;
/** A reason phrase is cut at this length, so that it fits in any packet. */
const MAX_REASON = 256;

/** Why a connection ends. */
export interface CloseCause {
  readonly application: boolean;
  readonly errorCode: number;
  readonly initiator: Initiator;
  readonly reason: string;
  /** `undefined` for a graceful end. */
  readonly error: HfaceError | undefined;
  /** For CONNECTION_CLOSE. */
  readonly frameType: number;
}

/** What is left of a connection that is over, for as long as it answers (RFC 9000 section 10.2). */
export interface QuicRemains {
  /** What is sent in answer to packets, less and less often; `undefined` when draining. */
  readonly datagram: Uint8Array | undefined;
  readonly path: NetworkPath;
  /** When it may be forgotten. */
  readonly until: number;
}

/** Ends a connection. */
export class ConnectionCloser {
  /** While it is closing or draining. */
  remains: QuicRemains | undefined;
  readonly #state: ConnectionState;
  readonly #writer: DatagramWriter;
  #cause: CloseCause | undefined;
  #until: number;
  #owed: boolean;
  #received: number;
  #answerAt: number;

  constructor(state: ConnectionState, writer: DatagramWriter) {
    this.remains = undefined;
    this.#state = state;
    this.#writer = writer;
    this.#cause = undefined;
    this.#until = Number.POSITIVE_INFINITY;
    this.#owed = false;
    this.#received = 0;
    this.#answerAt = 1;
  }

  /** When the state ends. */
  get until(): number {
    return this.#until;
  }

  /** Whether a datagram is owed. */
  get hasPending(): boolean {
    return this.#owed;
  }

  /** Tells the peer, and answers its packets for a while. */
  close(cause: CloseCause): void {
    const { isOpen, role, spaces } = this.#state;
    if (!isOpen) return;
    // Nobody has heard of a client that sent nothing.
    if (role === 'client' && spaces.initial.nextNumber === 0) {
      this.vanish(cause);
      return;
    }
    this.#cause = cause;
    this.#owed = true;
    this.#leave('closing', cause);
  }

  /** The peer has closed: nothing is sent any more. */
  drain(cause: CloseCause): void {
    if (!this.#state.isOpen) return;
    this.#leave('draining', cause);
    this.remains = { datagram: undefined, path: this.#state.paths.current.network, until: this.#until };
  }

  /** The connection is forgotten at once, without a word (sections 10.1 and 10.3). */
  vanish(cause: CloseCause): void {
    if (!this.#state.isOpen) return;
    this.#leave('closed', cause);
    this.end();
  }

  /** Closing or draining is over. */
  end(): void {
    const state = this.#state;
    this.#until = Number.POSITIVE_INFINITY;
    this.#owed = false;
    this.remains = undefined;
    if (state.phase !== 'closed') state.setPhase('closed');
    state.localIds.terminate();
    state.peerIds.terminate();
  }

  /** A datagram came while closing: the first, second, fourth … are answered (section 10.2.1). */
  datagramReceived(): void {
    if (this.#state.phase !== 'closing') return;
    this.#received += 1;
    if (this.#received < this.#answerAt) return;
    this.#answerAt *= 2;
    this.#owed = true;
  }

  /** The datagram that is owed. */
  datagramsToSend(): Datagram[] {
    const cause = this.#cause;
    if (!this.#owed || cause === undefined) return [];
    this.#owed = false;
    const { paths } = this.#state;
    const before = this.remains?.datagram;
    if (before !== undefined) {
      if (paths.current.allowance < before.length) return [];
      paths.datagramSent(paths.current, before.length);
      return [{ data: before, path: paths.current.network, segmentSize: before.length, ecn: 0 }];
    }
    const datagrams = this.#seal(cause);
    // What the application asked for is timed from here on: its call brought no time.
    this.#until = this.#state.now + DURATION * this.#state.probeTimeout();
    // The same bytes serve each time: no number is used twice for something else.
    const datagram = datagrams[0]?.data.slice();
    this.remains = { datagram, path: paths.current.network, until: this.#until };
    return datagrams;
  }

  /** Keys that may seal no more cannot say so either: then the end is silent (RFC 9001 section 6.6). */
  #seal(cause: CloseCause): Datagram[] {
    try {
      return this.#writer.close((assembler, kind) => {
        writeClose(assembler, kind, cause);
      });
    } catch (error) {
      if (error instanceof QuicFault) return [];
      throw error;
    }
  }

  #leave(phase: 'closing' | 'draining' | 'closed', cause: CloseCause): void {
    const state = this.#state;
    const { application, errorCode, initiator, reason, error } = cause;
    this.#until = state.now + DURATION * state.probeTimeout();
    state.setPhase(phase);
    state.trace?.connectionClosed(state.now, initiator, errorCode, application, reason);
    state.streams.terminate();
    state.emit({ type: 'QuicConnectionClosed', application, errorCode, initiator, reason, error });
  }
}

function writeClose(assembler: PacketAssembler, kind: PacketKind, cause: CloseCause): void {
  const { writer } = assembler;
  if (cause.application && kind === 'oneRtt') {
    const reason = reasonOf(cause, writer.room - lengthOf([FrameType.applicationClose, cause.errorCode]) - 2);
    writer.tryBytes(reason, FrameType.applicationClose, cause.errorCode, reason.length);
    return;
  }
  // Section 10.2.3: what the application says is for those only who have finished the handshake.
  const code = cause.application ? QuicError.applicationError : cause.errorCode;
  const frameType = cause.application ? 0 : cause.frameType;
  const room = writer.room - lengthOf([FrameType.connectionClose, code, frameType]) - 2;
  const reason = cause.application ? new Uint8Array(0) : reasonOf(cause, room);
  writer.tryBytes(reason, FrameType.connectionClose, code, frameType, reason.length);
}

function reasonOf(cause: CloseCause, room: number): Uint8Array {
  return utf8(cause.reason, Math.max(0, Math.min(MAX_REASON, room)));
}

/** As much of a text as fits, no character cut in two. */
function utf8(text: string, most: number): Uint8Array {
  const bytes = new Uint8Array(most);
  const { written } = new TextEncoder().encodeInto(text, bytes);
  return bytes.subarray(0, written);
}
