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
/** No message of a handshake comes near it but a chain of certificates. */
export const MAX_HANDSHAKE_MESSAGE = 0x20000;

/** Cuts the CRYPTO stream of one encryption level into messages. */
export class HandshakeStream {
  #pending: Uint8Array;

  constructor() {
    this.#pending = new Uint8Array(0);
  }

  /** Whether part of a message waits for the rest. */
  get hasPartial(): boolean {
    return this.#pending.length > 0;
  }

  /** Adds what came, in order. @throws TlsFault when more waits than one message can need */
  push(data: Uint8Array): void {
    if (this.#pending.length + data.length > 2 * MAX_HANDSHAKE_MESSAGE) throw illegalFault('too much handshake data');
    if (this.#pending.length === 0) {
      this.#pending = data;
      return;
    }
    const joined = new Uint8Array(this.#pending.length + data.length);
    joined.set(this.#pending);
    joined.set(data, this.#pending.length);
    this.#pending = joined;
  }

  /** The next whole message, or `undefined`. @throws TlsFault when it announces more than is accepted */
  next(): HandshakeMessage | undefined {
    const pending = this.#pending;
    if (pending.length < HEADER_LENGTH) return undefined;
    const length = ((pending[1] as number) << 16) | ((pending[2] as number) << 8) | (pending[3] as number);
    if (length > MAX_HANDSHAKE_MESSAGE) throw illegalFault(`a handshake message of ${String(length)} bytes`);
    const end = HEADER_LENGTH + length;
    if (pending.length < end) return undefined;
    this.#pending = pending.subarray(end);
    return { type: pending[0] as number, body: pending.subarray(HEADER_LENGTH, end), whole: pending.subarray(0, end) };
  }
}

/** A message, written by `write`. */
export function handshakeMessage(type: number, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(512);
  writer.writeUint8(type);
  writer.writeUint24(0);
  write(writer);
  const length = writer.length - HEADER_LENGTH;
  if (length > 0xffffff) throw decodeFault('message: too long');
  writer.setUint24(1, length);
  return writer.finish();
}
