/**
 * Frames that the connection itself owes: HANDSHAKE_DONE, NEW_TOKEN, PING.
 *
 * Owns that each is sent, and the first two sent again until they arrive (RFC 9000 sections 13.3, 19.2, 19.7, 19.20).
 *
 * @module
 */
import type { FrameSource } from './frame-source.ts';
import type { PacketKind } from './frame-types.ts';
import { FrameType } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { SentFrame } from './sent-packets.ts';

/** What the connection owes. */
export class ControlFrames implements FrameSource {
  #handshakeDone: boolean;
  #token: Uint8Array | undefined;
  #ping: boolean;

  constructor() {
    this.#handshakeDone = false;
    this.#token = undefined;
    this.#ping = false;
  }

  get hasPending(): boolean {
    return this.#handshakeDone || this.#ping || this.#token !== undefined;
  }

  /** Server: the handshake is confirmed. */
  sendHandshakeDone(): void {
    this.#handshakeDone = true;
  }

  /** Server: gives the client a token for later. */
  sendToken(token: Uint8Array): void {
    this.#token = token;
  }

  /** Asks for a sign of life. */
  sendPing(): void {
    this.#ping = true;
  }

  write(writer: FrameWriter, sent: SentFrame[], kind: PacketKind): void {
    if (this.#ping && writer.tryNumbers(FrameType.ping)) this.#ping = false;
    if (kind !== 'oneRtt') return;
    if (this.#handshakeDone && writer.tryNumbers(FrameType.handshakeDone)) {
      this.#handshakeDone = false;
      sent.push({ kind: 'handshakeDone' });
    }
    const token = this.#token;
    if (token !== undefined && writer.tryBytes(token, FrameType.newToken, token.length)) {
      this.#token = undefined;
      sent.push({ kind: 'newToken', token });
    }
  }

  acknowledged(): void {
    // Nothing waits for it.
  }

  lost(frame: SentFrame): void {
    if (frame.kind === 'handshakeDone') this.#handshakeDone = true;
    else if (frame.kind === 'newToken') this.#token = frame.token;
  }
}
