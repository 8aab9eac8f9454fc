/**
 * Streams that are lent to an extension, such as WebTransport.
 *
 * Theory of operation. An extension claims a type of unidirectional streams, or the number that begins a bidirectional
 * one. From then on such streams are its own: HTTP reads no further. Types that may be claimed later are known from the
 * beginning; their streams wait in a bounded place until somebody claims them. What waits keeps its window closed.
 *
 * Owns: whose a stream is, and the waiting. Credit of what was given is the handler's to give back (`dataConsumed`).
 *
 * @module
 */
import type { ClaimedStreamHandler } from '../http-protocol.ts';
import { Http3ErrorCode } from '../semantics/index.ts';
import type { Core } from './core.ts';

const { H3_REQUEST_REJECTED } = Http3ErrorCode;
const EMPTY: Uint8Array = new Uint8Array(0);

interface Lent {
  readonly type: number;
  readonly bidirectional: boolean;
  handler: ClaimedStreamHandler | undefined;
  /** What came before it was claimed. */
  waiting: Uint8Array[];
  ended: boolean;
  /** The transport has forgotten it. */
  over: boolean;
}

/** Streams of extensions. */
export class ClaimedStreams {
  readonly #core: Core;
  readonly #claimable: ReadonlySet<number>;
  readonly #handlers: Map<number, ClaimedStreamHandler>;
  readonly #lent: Map<number, Lent>;
  #waitingStreams: number;
  #waitingBytes: number;

  constructor(core: Core, claimable: readonly number[]) {
    this.#core = core;
    this.#claimable = new Set(claimable);
    this.#handlers = new Map();
    this.#lent = new Map();
    this.#waitingStreams = 0;
    this.#waitingBytes = 0;
  }

  /** Whether any stream may be lent at all. */
  get any(): boolean {
    return this.#claimable.size > 0 || this.#handlers.size > 0;
  }

  /** Whether streams of a type are lent. */
  lends(type: number): boolean {
    return this.#claimable.has(type) || this.#handlers.has(type);
  }

  /** Whether a stream is lent. */
  has(streamId: number): boolean {
    return this.#lent.has(streamId);
  }

  /** Lends streams of a type to a handler from now on, and those that wait. */
  claim(type: number, handler: ClaimedStreamHandler): void {
    this.#handlers.set(type, handler);
    for (const [streamId, lent] of this.#lent) {
      if (lent.type !== type || lent.handler !== undefined) continue;
      lent.handler = handler;
      this.#waitingStreams -= 1;
      for (const piece of lent.waiting) {
        this.#waitingBytes -= piece.length;
        handler.streamDataReceived(streamId, piece, false);
      }
      lent.waiting = [];
      if (lent.ended) handler.streamDataReceived(streamId, EMPTY, true);
      if (lent.over) this.#lent.delete(streamId);
    }
  }

  /** A stream of a type that is lent begins. */
  begin(streamId: number, type: number, bidirectional: boolean): void {
    const handler = this.#handlers.get(type);
    this.#lent.set(streamId, { type, bidirectional, handler, waiting: [], ended: false, over: false });
    if (handler !== undefined) return;
    this.#waitingStreams += 1;
    if (this.#waitingStreams > this.#core.limits.maxWaitingStreams) this.#refuse(streamId);
  }

  /** Bytes of a stream that is lent, behind its type. */
  received(streamId: number, data: Uint8Array, fin: boolean): void {
    const lent = this.#lent.get(streamId);
    if (lent === undefined) {
      this.#core.transport.streamConsumed(streamId, data.length);
    } else if (lent.handler !== undefined) {
      lent.handler.streamDataReceived(streamId, data, fin);
    } else {
      lent.ended = fin;
      if (data.length > 0) lent.waiting.push(data);
      this.#waitingBytes += data.length;
      if (this.#waitingBytes > this.#core.limits.maxWaitingBytes) this.#refuse(streamId);
    }
  }

  /** The stream's receiving side is over. Harmless for streams that are not lent. */
  ended(streamId: number): void {
    if (this.#lent.has(streamId)) this.received(streamId, EMPTY, true);
  }

  /** The peer gave its sending side up. */
  wasReset(streamId: number, code: number): void {
    const lent = this.#lent.get(streamId);
    if (lent?.handler !== undefined) lent.handler.streamResetReceived(streamId, code);
    else if (lent !== undefined) this.#drop(streamId, lent);
  }

  /** The transport has forgotten a stream. */
  over(streamId: number): void {
    const lent = this.#lent.get(streamId);
    if (lent === undefined) return;
    lent.over = true;
    // One that ended before anybody claimed it still waits.
    if (lent.handler !== undefined || !lent.ended) this.#drop(streamId, lent);
  }

  /** Nothing is lent any more. */
  clear(): void {
    this.#lent.clear();
    this.#waitingStreams = 0;
    this.#waitingBytes = 0;
  }

  #refuse(streamId: number): void {
    const lent = this.#lent.get(streamId) as Lent;
    const { transport } = this.#core;
    transport.stopSending(streamId, H3_REQUEST_REJECTED);
    if (lent.bidirectional) transport.resetStream(streamId, H3_REQUEST_REJECTED);
    this.#drop(streamId, lent);
    this.#core.chargeReset();
  }

  #drop(streamId: number, lent: Lent): void {
    this.#lent.delete(streamId);
    if (lent.handler !== undefined) return;
    this.#waitingStreams -= 1;
    for (const piece of lent.waiting) {
      this.#waitingBytes -= piece.length;
      this.#core.transport.streamConsumed(streamId, piece.length);
    }
  }
}
