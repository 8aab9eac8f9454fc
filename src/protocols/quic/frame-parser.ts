/**
 * Reading the frames of a packet.
 *
 * Owns their syntax (RFC 9000 section 19, RFC 9221 section 4) and what follows from it alone: a frame that is cut
 * short, of an unknown type or in a packet where it may not stand, a type that is not encoded in its shortest form,
 * numbers out of range. What a frame means is its handler's.
 *
 * @module
 */
import { ByteReader, NEED_MORE, VARINT_SATURATED, varintLength } from '../../wire/index.ts';
import { QuicError, QuicFault, violation } from './error-codes.ts';
import type { FrameHandler } from './frame-handler.ts';
import type { PacketKind } from './frame-types.ts';
import { FrameType as T, mayCarry, StreamBits } from './frame-types.ts';
import { MAX_CONNECTION_ID } from './packet-header.ts';

/** How many ranges of one ACK frame are looked at; more is an attack on whoever looks them up. */
const MAX_ACK_RANGES = 512;
const RESET_TOKEN_LENGTH = 16;
const PATH_DATA_LENGTH = 8;

/**
 * Reads all frames of a payload.
 *
 * @throws QuicFault for the first that is wrong, those before it taken
 */
export function parseFrames(payload: Uint8Array, kind: PacketKind, handler: FrameHandler): void {
  // RFC 9000 section 12.4: a packet has at least one frame.
  if (payload.length === 0) throw violation('a packet without frames');
  const frames = new FrameParser(payload, handler);
  while (!frames.atEnd) frames.next(kind);
}

class FrameParser {
  readonly #reader: ByteReader;
  readonly #handler: FrameHandler;
  readonly #payload: Uint8Array;
  #type: number;

  constructor(payload: Uint8Array, handler: FrameHandler) {
    this.#reader = new ByteReader(payload);
    this.#handler = handler;
    this.#payload = payload;
    this.#type = 0;
  }

  get atEnd(): boolean {
    return this.#reader.atEnd;
  }

  next(kind: PacketKind): void {
    const start = this.#reader.position;
    const type = this.#reader.readVarint();
    this.#type = type;
    if (type === NEED_MORE) throw this.#malformed();
    // RFC 9000 section 12.4: the shortest possible encoding.
    if (this.#reader.position - start !== varintLength(type)) throw violation('a frame type in a long encoding', type);
    const known =
      (type >= T.padding && type <= T.handshakeDone) || type === T.datagram || type === T.datagramWithLength;
    if (!known) throw new QuicFault(QuicError.frameEncodingError, `frame type ${String(type)} is unknown`, type);
    if (!mayCarry(kind, type)) throw violation(`frame type ${String(type)} in a packet of kind ${kind}`, type);
    if (type === T.padding) {
      this.#padding();
      return;
    }
    this.#handler.frameReceived(type);
    if ((type & ~7) === T.stream) this.#stream(type);
    else if (type <= T.newToken) this.#early(type);
    else if (type <= T.streamsBlockedUni) this.#limit(type);
    else this.#late(type);
  }

  #padding(): void {
    const { position } = this.#reader;
    let end = position;
    while (end < this.#payload.length && this.#payload[end] === 0) end += 1;
    this.#reader.skip(end - position);
    this.#handler.frameReceived(T.padding);
  }

  #early(type: number): void {
    switch (type) {
      case T.ping:
        return;
      case T.ack:
      case T.ackEcn:
        this.#ack(type === T.ackEcn);
        return;
      case T.resetStream:
        this.#handler.resetStreamReceived(this.#number(), this.#number(), this.#number());
        return;
      case T.stopSending:
        this.#handler.stopSendingReceived(this.#number(), this.#number());
        return;
      case T.crypto:
        this.#handler.cryptoReceived(this.#number(), this.#bytes(this.#number()));
        return;
      default: {
        const token = this.#bytes(this.#number());
        // RFC 9000 section 19.7.
        if (token.length === 0) throw this.#malformed();
        this.#handler.newTokenReceived(token);
      }
    }
  }

  #stream(type: number): void {
    const streamId = this.#number();
    const offset = (type & StreamBits.offset) === 0 ? 0 : this.#number();
    const data = (type & StreamBits.length) === 0 ? this.#reader.readRest() : this.#bytes(this.#number());
    this.#handler.streamReceived(streamId, offset, data, (type & StreamBits.fin) !== 0);
  }

  #limit(type: number): void {
    switch (type) {
      case T.maxData:
        this.#handler.maxDataReceived(this.#number());
        return;
      case T.maxStreamData:
        this.#handler.maxStreamDataReceived(this.#number(), this.#number());
        return;
      case T.maxStreamsBidi:
      case T.maxStreamsUni:
        this.#handler.maxStreamsReceived(type === T.maxStreamsBidi, this.#streamCount());
        return;
      case T.dataBlocked:
        this.#handler.dataBlockedReceived(this.#number());
        return;
      case T.streamDataBlocked:
        this.#handler.streamDataBlockedReceived(this.#number(), this.#number());
        return;
      default:
        this.#handler.streamsBlockedReceived(type === T.streamsBlockedBidi, this.#streamCount());
    }
  }

  #late(type: number): void {
    switch (type) {
      case T.newConnectionId:
        this.#newConnectionId();
        return;
      case T.retireConnectionId:
        this.#handler.retireConnectionIdReceived(this.#number());
        return;
      case T.pathChallenge:
        this.#handler.pathChallengeReceived(this.#bytes(PATH_DATA_LENGTH));
        return;
      case T.pathResponse:
        this.#handler.pathResponseReceived(this.#bytes(PATH_DATA_LENGTH));
        return;
      case T.connectionClose:
        this.#handler.connectionCloseReceived(this.#number(), this.#number(), this.#bytes(this.#number()));
        return;
      case T.applicationClose:
        this.#handler.connectionCloseReceived(this.#number(), undefined, this.#bytes(this.#number()));
        return;
      case T.handshakeDone:
        this.#handler.handshakeDoneReceived();
        return;
      default: {
        const whole = type === T.datagram;
        this.#handler.datagramReceived(whole ? this.#reader.readRest() : this.#bytes(this.#number()));
      }
    }
  }

  #ack(hasEcn: boolean): void {
    let greatest = this.#number();
    const delay = this.#number();
    const count = this.#number();
    let least = greatest - this.#number();
    const ranges = [greatest, least];
    // RFC 9000 section 19.3.1: a computed number below 0 is an error.
    for (let index = 0; index < count; index += 1) {
      greatest = least - this.#number() - 2;
      if (least < 0 || greatest < 0) throw this.#malformed();
      least = greatest - this.#number();
      if (ranges.length < 2 * MAX_ACK_RANGES) ranges.push(greatest, least);
    }
    if (least < 0) throw this.#malformed();
    const ecn = hasEcn ? { ect0: this.#number(), ect1: this.#number(), ce: this.#number() } : undefined;
    this.#handler.ackReceived(ranges, delay, ecn);
  }

  #newConnectionId(): void {
    const sequence = this.#number();
    const retirePriorTo = this.#number();
    const length = this.#reader.readUint8();
    // RFC 9000 section 19.15.
    if (length < 1 || length > MAX_CONNECTION_ID || retirePriorTo > sequence) throw this.#malformed();
    const id = this.#bytes(length);
    this.#handler.newConnectionIdReceived(sequence, retirePriorTo, id, this.#bytes(RESET_TOKEN_LENGTH));
  }

  /** RFC 9000 sections 19.11 and 19.14: at most 2^60, since stream ids have to be encodable. */
  #streamCount(): number {
    const start = this.#reader.position;
    const count = this.#number();
    if (count === VARINT_SATURATED && isAbove2To60(this.#payload, start)) throw this.#malformed();
    return count;
  }

  #number(): number {
    const value = this.#reader.readVarint();
    if (value === NEED_MORE) throw this.#malformed();
    return value;
  }

  #bytes(length: number): Uint8Array {
    const bytes = this.#reader.readBytes(length);
    if (bytes === undefined) throw this.#malformed();
    return bytes;
  }

  #malformed(): QuicFault {
    return new QuicFault(QuicError.frameEncodingError, `a malformed frame of type ${String(this.#type)}`, this.#type);
  }
}

/** Whether the eight-byte varint there is above 2^60, which a number does not tell exactly. */
export function isAbove2To60(bytes: Uint8Array, at: number): boolean {
  const first = (bytes[at] as number) & 0x3f;
  if (first !== 0x10) return first > 0x10;
  for (let index = 1; index < 8; index += 1) if (bytes[at + index] !== 0) return true;
  return false;
}
