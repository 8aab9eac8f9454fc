/**
 * The frame around handshake messages: type and length.
 *
 * Owns the numbers of RFC 8446 section 4 and the cutting of a byte stream into messages. Memory is bounded by the
 * greatest message that is accepted; nothing is allocated from a length.
 *
 * @module
 */
import { ByteWriter } from '../wire/index.ts';
import { decodeFault, illegalFault } from './alerts.ts';
import { tlsLimits } from './limits.ts';

/** Handshake message types. */
export const HandshakeType = {
  clientHello: 1,
  serverHello: 2,
  newSessionTicket: 4,
  endOfEarlyData: 5,
  encryptedExtensions: 8,
  certificate: 11,
  certificateRequest: 13,
  certificateVerify: 15,
  finished: 20,
  keyUpdate: 24,
  compressedCertificate: 25,
  messageHash: 254,
} as const;

/** One message: its type, its body, and both with the header, as the transcript wants it. */
export interface HandshakeMessage {
  readonly type: number;
  readonly body: Uint8Array;
  readonly whole: Uint8Array;
}

const HEADER_LENGTH = 4;

/** Cuts the CRYPTO stream of one encryption level into messages. */
export class HandshakeStream {
  /** What waits stands in it from `#start` to `#end`. */
  #buffer: Uint8Array;
  #start: number;
  #end: number;
  /** Whether the buffer was handed in, so that nothing is added to it. */
  #borrowed: boolean;

  constructor() {
    this.#buffer = EMPTY;
    this.#start = 0;
    this.#end = 0;
    this.#borrowed = true;
  }

  /** The type of the message that waits, whole or in part; `undefined` when nothing does. */
  get waitingType(): number | undefined {
    return this.#end > this.#start ? this.#byte(this.#start) : undefined;
  }

  /** Adds what came, in order. @throws TlsFault when more waits than two messages can need */
  push(data: Uint8Array): void {
    const waiting = this.#end - this.#start;
    if (waiting + data.length > 2 * tlsLimits.maxMessageBytes.default) throw illegalFault('too much handshake data');
    if (waiting === 0) {
      this.#buffer = data;
      this.#start = 0;
      this.#end = data.length;
      this.#borrowed = true;
      return;
    }
    this.#makeRoom(data.length);
    this.#buffer.set(data, this.#end);
    this.#end += data.length;
  }

  /**
   * The next whole message, or `undefined`.
   *
   * @param most - the greatest body that is accepted
   * @throws TlsFault when it announces more
   */
  next(most: number = tlsLimits.maxMessageBytes.default): HandshakeMessage | undefined {
    const at = this.#start;
    const waiting = this.#end - at;
    if (waiting < HEADER_LENGTH) return undefined;
    const length = (this.#byte(at + 1) << 16) | (this.#byte(at + 2) << 8) | this.#byte(at + 3);
    if (length > most) throw illegalFault(`a handshake message of ${String(length)} bytes`);
    if (waiting < HEADER_LENGTH + length) return undefined;
    const end = at + HEADER_LENGTH + length;
    this.#start = end;
    // A buffer of one's own is written to again.
    const whole = this.#borrowed ? this.#buffer.subarray(at, end) : this.#buffer.slice(at, end);
    return { type: whole[0] as number, body: whole.subarray(HEADER_LENGTH), whole };
  }

  #byte(at: number): number {
    return this.#buffer[at] as number;
  }

  /** Doubles what there is, so that a message that comes byte by byte is copied a few times only. */
  #makeRoom(length: number): void {
    const waiting = this.#end - this.#start;
    if (!this.#borrowed && this.#end + length <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(LEAST_BUFFER, 2 * (waiting + length)));
    grown.set(this.#buffer.subarray(this.#start, this.#end));
    this.#buffer = grown;
    this.#start = 0;
    this.#end = waiting;
    this.#borrowed = false;
  }
}

const EMPTY = new Uint8Array(0);
const LEAST_BUFFER = 512;

/** A message, written by `write`. */
export function handshakeMessage(type: number, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = ByteWriter.brief();
  writer.writeUint8(type);
  writer.writeUint24(0);
  write(writer);
  const length = writer.length - HEADER_LENGTH;
  if (length > 0xffffff) throw decodeFault('message: too long');
  writer.setUint24(1, length);
  return writer.finish();
}
