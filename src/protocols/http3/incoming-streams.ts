/**
 * Streams of the peer's that are no requests (RFC 9114 section 6.2, RFC 9204 section 4.2).
 *
 * Theory of operation. Such a stream begins with its type. Control and QPACK streams exist once each and never end; push
 * streams nobody allowed; types that are lent go to their handlers (claimed-streams.ts); all others are asked to stop. A
 * stream may end before its type has come.
 *
 * Owns: what each stream is for. Does not own the frames of the control stream (control-stream.ts).
 *
 * @module
 */
import { readVarint, varintLengthOf } from '../../wire/index.ts';
import { Http3ErrorCode } from '../semantics/index.ts';
import type { ClaimedStreams } from './claimed-streams.ts';
import type { ControlStream } from './control-stream.ts';
import type { Core } from './core.ts';
import { connectionFault } from './faults.ts';
import { FrameReader } from './frame-reader.ts';
import { isUnidirectional, StreamType } from './frame-types.ts';
import { DecoderStreamReader, EncoderStreamReader } from './qpack/index.ts';

const {
  H3_CLOSED_CRITICAL_STREAM,
  H3_ID_ERROR,
  H3_STREAM_CREATION_ERROR,
  QPACK_DECODER_STREAM_ERROR,
  QPACK_ENCODER_STREAM_ERROR,
} = Http3ErrorCode;

const Kind = { undecided: 0, control: 1, encoder: 2, decoder: 3, ignored: 4 } as const;
type KindOf = (typeof Kind)[keyof typeof Kind];

interface Incoming {
  readonly id: number;
  kind: KindOf;
  /** A type that was cut. */
  cut: number[];
}

/** The peer's streams besides requests. */
export class IncomingStreams {
  readonly #core: Core;
  readonly #claimed: ClaimedStreams;
  readonly #streams: Map<number, Incoming>;
  readonly #control: FrameReader<undefined>;
  readonly #encoderStream: EncoderStreamReader;
  readonly #decoderStream: DecoderStreamReader;
  /** Which of control, encoder and decoder there are, by kind. */
  readonly #there: boolean[];

  constructor(core: Core, control: ControlStream, claimed: ClaimedStreams) {
    this.#core = core;
    this.#claimed = claimed;
    this.#streams = new Map();
    this.#control = new FrameReader<undefined>(undefined, control);
    this.#encoderStream = new EncoderStreamReader();
    this.#decoderStream = new DecoderStreamReader();
    this.#there = [false, false, false, false];
  }

  /** Bytes of a stream. Throws connection faults. */
  received(streamId: number, data: Uint8Array, fin: boolean): void {
    const stream = this.#streams.get(streamId) ?? this.#begin(streamId);
    const start = stream.kind === Kind.undecided ? this.#readType(stream, data) : 0;
    if (this.#claimed.has(streamId)) {
      this.#core.transport.streamConsumed(streamId, start);
      this.#claimed.received(streamId, start === 0 ? data : data.subarray(start), fin);
      return;
    }
    this.#core.transport.streamConsumed(streamId, data.length);
    if (start < data.length) this.#read(stream, start === 0 ? data : data.subarray(start));
    if (fin) this.#ends(stream);
  }

  /** The peer gave a stream up. Throws connection faults. */
  wasReset(streamId: number): void {
    const stream = this.#streams.get(streamId) ?? this.#begin(streamId);
    this.#core.chargeControl(1);
    this.#ends(stream);
  }

  /** The transport has forgotten a stream. */
  over(streamId: number): void {
    this.#streams.delete(streamId);
  }

  #begin(streamId: number): Incoming {
    if (!isUnidirectional(streamId) && !this.#claimed.any) {
      // RFC 9114 section 6.1.
      throw connectionFault(H3_STREAM_CREATION_ERROR, 'a bidirectional stream of a server');
    }
    const stream: Incoming = { id: streamId, kind: Kind.undecided, cut: [] };
    this.#streams.set(streamId, stream);
    return stream;
  }

  /** Answers where the bytes behind the type begin. */
  #readType(stream: Incoming, data: Uint8Array): number {
    const { cut } = stream;
    let at = 0;
    while (at < data.length && (cut.length === 0 || cut.length < varintLengthOf(cut[0] as number))) {
      cut.push(data[at]!);
      at += 1;
    }
    if (cut.length === 0 || cut.length < varintLengthOf(cut[0] as number)) return at;
    this.#decide(stream, readVarint(Uint8Array.from(cut), 0));
    return at;
  }

  #decide(stream: Incoming, type: number): void {
    if (isUnidirectional(stream.id)) {
      switch (type) {
        case StreamType.control:
          this.#takeOnce(stream, Kind.control, 'control');
          return;
        case StreamType.qpackEncoder:
          this.#takeOnce(stream, Kind.encoder, 'QPACK encoder');
          return;
        case StreamType.qpackDecoder:
          this.#takeOnce(stream, Kind.decoder, 'QPACK decoder');
          return;
        case StreamType.push:
          // Sections 6.2.2 and 4.6: MAX_PUSH_ID is never sent.
          if (this.#core.role === 'server')
            throw connectionFault(H3_STREAM_CREATION_ERROR, 'a push stream of a client');
          throw connectionFault(H3_ID_ERROR, 'a push stream where no push is allowed');
        default:
      }
    }
    stream.kind = Kind.ignored;
    if (this.#claimed.lends(type)) {
      this.#streams.delete(stream.id);
      this.#claimed.begin(stream.id, type, !isUnidirectional(stream.id));
    } else if (isUnidirectional(stream.id)) {
      this.#core.chargeControl(1);
      this.#core.transport.stopSending(stream.id, H3_STREAM_CREATION_ERROR);
    } else {
      throw connectionFault(H3_STREAM_CREATION_ERROR, 'a bidirectional stream of a server that nobody knows');
    }
  }

  #takeOnce(stream: Incoming, kind: KindOf, name: string): void {
    if (this.#there[kind] === true) throw connectionFault(H3_STREAM_CREATION_ERROR, `a second ${name} stream`);
    this.#there[kind] = true;
    stream.kind = kind;
  }

  #read(stream: Incoming, data: Uint8Array): void {
    switch (stream.kind) {
      case Kind.control:
        this.#control.read(data, false);
        return;
      case Kind.encoder: {
        const problem = this.#encoderStream.problem(data);
        if (problem !== undefined) throw connectionFault(QPACK_ENCODER_STREAM_ERROR, problem);
        this.#core.chargeControl(data.length);
        return;
      }
      case Kind.decoder: {
        const problem = this.#decoderStream.problem(data);
        if (problem !== undefined) throw connectionFault(QPACK_DECODER_STREAM_ERROR, problem);
        this.#core.chargeControl(data.length);
        return;
      }
      default:
    }
  }

  #ends(stream: Incoming): void {
    if (stream.kind >= Kind.control && stream.kind <= Kind.decoder) {
      throw connectionFault(H3_CLOSED_CRITICAL_STREAM, 'a stream that the connection needs was closed');
    }
    stream.kind = Kind.ignored;
  }
}
