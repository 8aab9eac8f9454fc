/**
 * The CRYPTO stream of one encryption level.
 *
 * Owns putting handshake bytes in order, sending them and sending them again (RFC 9000 sections 7.5 and 19.6). How much
 * may wait is bounded: what is out of order and what TLS does not take while somebody is asked.
 *
 * @module
 */
import { QuicError, QuicFault } from './error-codes.ts';
import type { FrameWriter } from './frame-writer.ts';
import { ReceiveStream } from './receive-stream.ts';
import { SendStream } from './send-stream.ts';
import type { SentFrame } from './sent-packets.ts';

/** One CRYPTO stream, both ways. */
export class CryptoStream {
  readonly #send: SendStream;
  readonly #receive: ReceiveStream;
  readonly #maxBytes: number;

  /** @param maxBytes - how many bytes may wait */
  constructor(maxBytes: number) {
    this.#send = new SendStream();
    this.#receive = new ReceiveStream();
    this.#maxBytes = maxBytes;
  }

  /** Whether there is something to send, for the first time or again. */
  get hasPending(): boolean {
    return this.#send.hasPending;
  }

  /** Whether bytes were received behind a gap, or wait to be read. */
  get hasGap(): boolean {
    return this.#receive.highest > this.#receive.consumed;
  }

  /** Takes a CRYPTO frame. @throws QuicFault CRYPTO_BUFFER_EXCEEDED */
  received(offset: number, data: Uint8Array): void {
    if (offset + data.length - this.#receive.consumed > this.#maxBytes) throw bufferExceeded();
    try {
      this.#receive.receive(offset, data, false);
    } catch (error) {
      // Too many pieces: the memory of a piece is no less than that of its bytes.
      if (error instanceof QuicFault) throw bufferExceeded();
      throw error;
    }
  }

  /** The next bytes in order, or `undefined`. */
  read(): Uint8Array | undefined {
    return this.#receive.read();
  }

  /** Adds handshake bytes to send. */
  send(data: Uint8Array): void {
    this.#send.write(data, false);
  }

  /** Puts in CRYPTO frames as far as there is room. */
  write(writer: FrameWriter, sent: SentFrame[]): void {
    for (let piece = this.#next(writer); piece !== undefined; piece = this.#next(writer)) {
      const length = writer.crypto(piece.offset, piece.data);
      if (length === 0) return;
      this.#send.took({ offset: piece.offset, data: piece.data.subarray(0, length), fin: false });
      sent.push({ kind: 'crypto', offset: piece.offset, length });
    }
  }

  #next(writer: FrameWriter): { readonly offset: number; readonly data: Uint8Array } | undefined {
    return this.#send.next(writer.room, Number.POSITIVE_INFINITY);
  }

  acknowledged(offset: number, length: number): void {
    this.#send.acknowledged(offset, length, false);
  }

  lost(offset: number, length: number): void {
    this.#send.lost(offset, length, false);
  }

  /** Everything is to be sent again, as after a Retry. */
  restart(): void {
    this.#send.restart();
  }

  /** The level is over. */
  discard(): void {
    this.#send.discard();
  }
}

function bufferExceeded(): QuicFault {
  return new QuicFault(QuicError.cryptoBufferExceeded, 'more handshake data than is kept', 0x06);
}
