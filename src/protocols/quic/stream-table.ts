/**
 * Which streams there are.
 *
 * Theory of operation. Ids of each kind are given in order (RFC 9000 section 2.1). A frame that opens a stream of the peer
 * opens all of its kind with lower ids too (section 3.2); those get a record when their first frame comes, and until then
 * are ranges in a set. So an id without a record that is not in the set belongs to a stream that was closed long ago, and
 * nothing has to be kept of those; final-sizes.ts has the lengths of the last ones.
 *
 * Owns: the records, their ids, the limits on their number (section 4.6), and when one is forgotten. A stream of the peer
 * counts against its limit until the application has done with it: see stream-state.ts.
 *
 * @module
 */
import { LocalProtocolError } from '../../common/index.ts';
import { RangeSet } from '../../wire/index.ts';
import type { QuicEvent } from '../quic-transport.ts';
import { QuicError, QuicFault } from './error-codes.ts';
import { FinalSizes } from './final-sizes.ts';
import type { ReceiveCredit } from './flow-control.ts';
import { LocalStreams, PeerStreams } from './flow-control.ts';
import { quicStreamClosed } from './stream-events.ts';
import { RecvState, Stream } from './stream-state.ts';
import type { TransportParameters } from './transport-parameters.ts';
import { defaultTransportParameters } from './transport-parameters.ts';

/** Ids at and above this are not exact as numbers. */
const INEXACT = 2 ** 53;

/** The streams of one kind that the peer opens. */
interface PeerKind {
  readonly count: PeerStreams;
  /** Indexes that are open and of which nothing has come. */
  readonly unseen: RangeSet;
}

/** The streams of one connection, by id. */
export class StreamTable {
  readonly #streams: Map<number, Stream>;
  /** Of those that were forgotten. */
  readonly finalSizes: FinalSizes;
  /** 0 for a client's ids, 1 for a server's. */
  readonly #own: number;
  readonly #window: number;
  readonly #credit: ReceiveCredit;
  readonly #emit: (event: QuicEvent) => void;
  readonly #peerBidi: PeerKind;
  readonly #peerUni: PeerKind;
  #localBidi: LocalStreams;
  #localUni: LocalStreams;
  #peerParameters: TransportParameters;
  #over: boolean;
  /** The time of the last packet that was filled. */
  now: number;

  /** @param window - the initial receive window of each stream */
  constructor(
    role: 'client' | 'server',
    limits: { readonly maxStreamsBidi: number; readonly maxStreamsUni: number },
    window: number,
    credit: ReceiveCredit,
    emit: (event: QuicEvent) => void,
  ) {
    this.#streams = new Map();
    this.finalSizes = new FinalSizes();
    this.#own = role === 'client' ? 0 : 1;
    this.#window = window;
    this.#credit = credit;
    this.#emit = emit;
    this.#peerBidi = { count: new PeerStreams(limits.maxStreamsBidi), unseen: new RangeSet() };
    this.#peerUni = { count: new PeerStreams(limits.maxStreamsUni), unseen: new RangeSet() };
    this.#localBidi = new LocalStreams();
    this.#localUni = new LocalStreams();
    this.#peerParameters = defaultTransportParameters;
    this.#over = false;
    this.now = 0;
  }

  /** How many records there are. */
  get size(): number {
    return this.#streams.size;
  }

  values(): IterableIterator<Stream> {
    return this.#streams.values();
  }

  peerStreams(bidirectional: boolean): PeerStreams {
    return bidirectional ? this.#peerBidi.count : this.#peerUni.count;
  }

  localStreams(bidirectional: boolean): LocalStreams {
    return bidirectional ? this.#localBidi : this.#localUni;
  }

  /** The peer's initial limits; those of streams that are open rise with them. */
  applyPeerParameters(parameters: TransportParameters): void {
    this.#peerParameters = parameters;
    for (const stream of this.#streams.values()) {
      stream.sendLimit = Math.max(stream.sendLimit, this.#sendLimit(stream.id, stream.local));
    }
  }

  /** Forgets the streams that this side opened, and that it did. */
  forgetLocal(): void {
    for (const stream of this.#streams.values()) if (stream.local) this.#streams.delete(stream.id);
    this.#localBidi = new LocalStreams();
    this.#localUni = new LocalStreams();
    this.#peerParameters = defaultTransportParameters;
  }

  /** The connection is over: what streams hold is dropped, and their records stay as they are. */
  abandon(): void {
    this.#over = true;
    for (const stream of this.#streams.values()) stream.abandon();
    this.#peerBidi.unseen.clear();
    this.#peerUni.unseen.clear();
  }

  // For the application.

  /** Opens a stream. @throws LocalProtocolError when the peer allows no more, or the connection is `over` */
  open(bidirectional: boolean, over: boolean): Stream {
    const count = this.localStreams(bidirectional);
    if (over || count.available <= 0) {
      count.want();
      throw new LocalProtocolError('the peer allows no more streams of this kind at present');
    }
    return this.#create(4 * count.open() + (bidirectional ? 0 : 2) + this.#own, true);
  }

  /** A stream's record; `undefined` when it is closed. @throws LocalProtocolError when there never was one */
  of(streamId: number): Stream | undefined {
    const stream = this.peek(streamId);
    if (stream !== undefined) return stream;
    const opened = this.#isLocal(streamId)
      ? this.localStreams(isBidirectional(streamId)).opened
      : this.#peerKind(streamId).count.opened;
    if (!(indexOf(streamId) < opened)) throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
    return undefined;
  }

  /** As {@link of}, without looking whether there ever was one. */
  peek(streamId: number): Stream | undefined {
    return this.#streams.get(streamId) ?? (this.#isLocal(streamId) ? undefined : this.#firstUse(streamId));
  }

  // For frames.

  /**
   * The stream that a frame from its sender is about, opened if need be; `undefined` when it is closed.
   *
   * @throws QuicFault STREAM_STATE_ERROR, STREAM_LIMIT_ERROR
   */
  received(streamId: number, frameType: number): Stream | undefined {
    if (this.#isLocal(streamId) && !isBidirectional(streamId)) {
      throw stateFault('a frame of the sender of a stream that the receiver alone sends on', frameType);
    }
    return this.#find(streamId, frameType);
  }

  /** As {@link received}, for a frame from a stream's receiver. */
  answered(streamId: number, frameType: number): Stream | undefined {
    if (!this.#isLocal(streamId) && !isBidirectional(streamId)) {
      throw stateFault('a frame of the receiver of a stream that it alone sends on', frameType);
    }
    return this.#find(streamId, frameType);
  }

  /** Looks whether a stream is closed, and whether it can be forgotten. */
  settle(stream: Stream): void {
    if (this.#over) return;
    // Nobody reads on behind a reset once the application has ended its own side.
    if (stream.recvState === RecvState.resetRead && stream.settled) this.#credit.take(stream, Infinity);
    if (!stream.closed && stream.isOver) {
      stream.closed = true;
      this.#emit(quicStreamClosed(stream.id));
    }
    if (!stream.isForgettable || !this.#streams.delete(stream.id)) return;
    if (stream.recv !== undefined) this.finalSizes.add(stream.id, stream.recv.highest);
    if (!stream.local) this.#peerKind(stream.id).count.release();
  }

  #find(streamId: number, frameType: number): Stream | undefined {
    const stream = this.#streams.get(streamId);
    if (stream !== undefined) return stream;
    if (streamId >= INEXACT) throw limitFault(frameType);
    const index = indexOf(streamId);
    if (this.#isLocal(streamId)) {
      if (index < this.localStreams(isBidirectional(streamId)).opened) return undefined;
      throw stateFault('a frame about a stream that its owner has not opened', frameType);
    }
    const { count, unseen } = this.#peerKind(streamId);
    if (index >= count.advertised) throw limitFault(frameType);
    if (index >= count.opened) {
      unseen.add(count.opened, index);
      count.openUpTo(index + 1);
      return this.#create(streamId, false);
    }
    return this.#firstUse(streamId);
  }

  /** A stream of the peer that is open and of which nothing has come: it gets its record. */
  #firstUse(streamId: number): Stream | undefined {
    const { unseen } = this.#peerKind(streamId);
    const index = indexOf(streamId);
    if (!unseen.has(index)) return undefined;
    unseen.remove(index);
    return this.#create(streamId, false);
  }

  #create(streamId: number, local: boolean): Stream {
    const stream = new Stream(streamId, local, this.#window, this.#sendLimit(streamId, local), this.now);
    this.#streams.set(streamId, stream);
    return stream;
  }

  /** The parameter's name tells whose streams it is about as its sender sees it (RFC 9000 section 18.2). */
  #sendLimit(streamId: number, local: boolean): number {
    const parameters = this.#peerParameters;
    if (!isBidirectional(streamId)) return local ? parameters.initialMaxStreamDataUni : 0;
    return local ? parameters.initialMaxStreamDataBidiRemote : parameters.initialMaxStreamDataBidiLocal;
  }

  #isLocal(streamId: number): boolean {
    return (streamId & 1) === this.#own;
  }

  #peerKind(streamId: number): PeerKind {
    return isBidirectional(streamId) ? this.#peerBidi : this.#peerUni;
  }
}

/** RFC 9000 section 2.1. */
export function isBidirectional(streamId: number): boolean {
  return (streamId & 2) === 0;
}

function indexOf(streamId: number): number {
  return Math.floor(streamId / 4);
}

function stateFault(message: string, frameType: number): QuicFault {
  return new QuicFault(QuicError.streamStateError, message, frameType);
}

function limitFault(frameType: number): QuicFault {
  return new QuicFault(QuicError.streamLimitError, 'more streams than were allowed', frameType);
}
