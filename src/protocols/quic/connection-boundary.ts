/**
 * The boundary of a connection.
 *
 * Owns what becomes of faults that its parts throw, and of what they have learnt of the connection's end: a close of the
 * peer, a stateless reset, a refusal of the version, silence, the loss of all paths (RFC 9000 sections 6, 9.3.2, 10 and
 * 11). Nothing goes further than this.
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { NetworkError, RemoteProtocolError, toHfaceError } from '../../common/index.ts';
import { latin1Text } from '../../wire/index.ts';
import type { CloseCause, ConnectionCloser } from './connection-close.ts';
import type { ConnectionState } from './connection-state.ts';
import type { ConnectionTimers } from './connection-timers.ts';
import { QuicError, QuicFault } from './error-codes.ts';
import type { FrameDispatch, PeerClose } from './frame-dispatch.ts';
import type { PacketFates } from './packet-fates.ts';
import type { PacketReader } from './packet-reader.ts';
import type { ServerAnswers } from './server-answers.ts';

/** Text of peers: what is not UTF-8 is replaced (RFC 9000 section 19.19). */
const decoder = new TextDecoder();
/** RFC 9368 section 7, for the driver's eyes only: no packet carries it. */
const VERSION_NEGOTIATION_ERROR = 0x11;

/** Runs what may fail, and draws the conclusions. */
export class ConnectionBoundary {
  readonly #state: ConnectionState;
  readonly #fates: PacketFates;
  readonly #dispatch: FrameDispatch;
  readonly #reader: PacketReader;
  readonly #answers: ServerAnswers | undefined;
  readonly #timers: ConnectionTimers;
  readonly #closer: ConnectionCloser;

  constructor(
    state: ConnectionState,
    fates: PacketFates,
    dispatch: FrameDispatch,
    reader: PacketReader,
    answers: ServerAnswers | undefined,
    timers: ConnectionTimers,
    closer: ConnectionCloser,
  ) {
    this.#state = state;
    this.#fates = fates;
    this.#dispatch = dispatch;
    this.#reader = reader;
    this.#answers = answers;
    this.#timers = timers;
    this.#closer = closer;
  }

  /** Runs a step that may bring keys, and whatever follows from it. */
  run(step: () => void): void {
    try {
      step();
      if (this.#state.isOpen) this.#reader.readWaiting();
    } catch (error) {
      this.failed(error);
    }
    this.conclude();
  }

  /** Something was thrown: the connection ends. */
  failed(error: unknown): void {
    if (error instanceof QuicFault) {
      const { code, message, frameType } = error;
      const told = remoteError(message, code, error);
      this.#closer.close(causeOf('peer', code, message, told, frameType));
    } else {
      const told = toHfaceError(error, 'engine');
      this.#closer.close(causeOf(told.initiator, QuicError.internalError, 'internal error', told, 0));
    }
  }

  /** What a call has shown of the connection's end. */
  conclude(): void {
    const { close } = this.#dispatch;
    const { expired } = this.#timers;
    if (close !== undefined) this.#peerClosed(close);
    else if (this.#reader.wasReset) {
      // Section 10.3.1: draining, so that what still comes is not answered.
      this.#closer.drain(
        networkCause(0, 'the peer has lost the connection (stateless reset)', 'ERR_QUIC_STATELESS_RESET'),
      );
    } else if (this.#answers?.refusedFor !== undefined) {
      const reason = 'the server does not speak QUIC version 1';
      this.#closer.vanish(networkCause(VERSION_NEGOTIATION_ERROR, reason, 'ERR_QUIC_VERSION'));
    } else if (expired !== undefined) {
      this.#closer.vanish(causeOf('network', 0, expired.message, expired, 0));
    } else {
      this.#pathEvents();
    }
    if (!this.#state.isOpen) this.#reader.discard();
  }

  #peerClosed({ application, errorCode, reason: bytes }: PeerClose): void {
    if (!this.#state.isOpen) return;
    const reason = textOf(bytes);
    // What a code of the application's means is for the application protocol to say.
    const graceful = application || errorCode === QuicError.noError;
    const error = graceful ? undefined : withoutStack(() => remoteError(reason, errorCode, undefined));
    this.#closer.drain({ application, errorCode, initiator: 'peer', reason, error, frameType: 0 });
  }

  #pathEvents(): void {
    const state = this.#state;
    for (let event = state.paths.nextEvent(); event !== undefined; event = state.paths.nextEvent()) {
      if (event.type === 'NoPathLeft') {
        this.#closer.vanish(networkCause(QuicError.noViablePath, 'no path to the peer is left', 'ERR_QUIC_NO_PATH'));
        return;
      }
      if (event.type !== 'CurrentPathChanged') continue;
      if (!event.keepsCongestion) {
        // Section 9.4: nothing is known of the capacity of another path.
        state.recovery.pathChanged(state.newController());
        state.mtu.pathChanged();
        state.resetPacer();
      }
      this.#fates.sizeChanged();
    }
  }
}

/** A reason is ASCII as a rule, for which a decoder is too much. */
function textOf(bytes: Uint8Array): string {
  for (const byte of bytes) if (byte > 0x7f) return decoder.decode(bytes);
  return latin1Text(bytes, 0, bytes.length);
}

function causeOf(
  initiator: CloseCause['initiator'],
  errorCode: number,
  reason: string,
  error: HfaceError | undefined,
  frameType: number,
): CloseCause {
  return { application: false, errorCode, initiator, reason, error, frameType };
}

function networkCause(errorCode: number, reason: string, code: string): CloseCause {
  const error = new NetworkError(reason, { code, phase: 'read' });
  return causeOf('network', errorCode, reason, error, 0);
}

function remoteError(reason: string, wireCode: number, cause: unknown): RemoteProtocolError {
  return new RemoteProtocolError(reason, { scope: 'connection', wireCode, cause });
}

/** What a peer said has no place in this program, and where it was read is of no use: a stack costs more than the rest. */
function withoutStack<T>(make: () => T): T {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return make();
  } finally {
    Error.stackTraceLimit = before;
  }
}
