/**
 * The server's receiving side: requests.
 *
 * Theory of operation. A client opens streams in any order; each is watched until its head has come whole. Then the
 * request is refused (too many handlers, behind GOAWAY), answered by the engine itself (431, 408), refused as malformed
 * (RFC 9114 section 4.1.2), or surfaced. Nobody is told of a request that is not surfaced.
 *
 * Owns: which requests are surfaced, and tunnels that wait for their acceptance. How a head is judged and what form it
 * gets is semantics/request-reader.ts and request-form.ts.
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { StreamResetError, TimeoutError } from '../../common/index.ts';
import type { Processed } from '../events.ts';
import { headersReceived, streamResetReceived, streamResetSent } from '../events.ts';
import { dropHeld, hold, tellHeld } from '../held-content.ts';
import type { PendingPriorities, RequestHead } from '../semantics/index.ts';
import { errorResponse, Http3ErrorCode, requestForm, RequestReader } from '../semantics/index.ts';
import type { ClaimedStreams } from './claimed-streams.ts';
import type { Core } from './core.ts';
import { connectionFault, limitFault, toldByPeer } from './faults.ts';
import type { Http3ServerLimits } from './limits.ts';
import { Receiver } from './receiver.ts';
import type { Sender } from './sender.ts';
import type { Stream } from './stream.ts';
import { Closed, Recv, Send, Tunnel } from './stream.ts';

const {
  H3_EXCESSIVE_LOAD,
  H3_FRAME_UNEXPECTED,
  H3_MESSAGE_ERROR,
  H3_NO_ERROR,
  H3_REQUEST_CANCELLED,
  H3_REQUEST_INCOMPLETE,
  H3_REQUEST_REJECTED,
} = Http3ErrorCode;

const NO_TOKENS: readonly string[] = [];

/** Reads a server's input. */
export class ServerReceiver extends Receiver {
  readonly #limits: Http3ServerLimits;
  readonly #sender: Sender;
  readonly #errorHeaders: HeaderList;
  readonly #epochOffset: number;
  readonly #priorities: PendingPriorities;
  readonly #reader: RequestReader;

  constructor(
    core: Core,
    claimed: ClaimedStreams,
    sender: Sender,
    limits: Http3ServerLimits,
    errorHeaders: HeaderList,
    epochOffset: number,
    priorities: PendingPriorities,
  ) {
    super(core, claimed);
    this.#limits = limits;
    this.#sender = sender;
    this.#errorHeaders = errorHeaders;
    this.#epochOffset = epochOffset;
    this.#priorities = priorities;
    this.#reader = new RequestReader();
  }

  /** A tunnel was accepted: what came before is told. */
  openTunnel(stream: Stream): void {
    stream.tunnel = Tunnel.open;
    this.core.stalls.inputRests(stream);
    tellHeld(stream, stream.recv === Recv.ended, this.core.events);
  }

  /** A tunnel was refused: what came for it is dropped. */
  refuseTunnel(stream: Stream): void {
    stream.tunnel = Tunnel.none;
    this.core.consumed(stream, dropHeld(stream));
  }

  /** A head or content did not come in time. */
  inputOverdue(stream: Stream): void {
    const head = stream.recv === Recv.head;
    const timer = head ? 'headTimeout' : 'bodyTimeout';
    this.#answer(stream, 408, new TimeoutError(timer, this.#limits[timer]), H3_REQUEST_CANCELLED);
    if (head) this.core.chargeReset();
  }

  /** The client does not want the response: the request is cancelled (RFC 9114 section 4.1.1). */
  stopReceived(stream: Stream, code: number): void {
    if (stream.closed !== Closed.no) return;
    const message = toldByPeer('the response was given up by the peer', code);
    this.core.wasReset(stream, code, 'maybe', new StreamResetError(message, { errorCode: code, initiator: 'peer' }));
    this.core.chargeReset();
  }

  protected streamOpened(streamId: number): Stream {
    const { core } = this;
    const stream = core.openStream(streamId, this);
    stream.early = true;
    if (streamId >= core.acceptedBelow) {
      // The client was told by GOAWAY that it is not processed (section 5.2).
      core.refuse(stream, H3_REQUEST_REJECTED);
    } else {
      core.stalls.awaitHead(stream, core.now);
    }
    return stream;
  }

  protected limitReached(stream: Stream, limit: string, value: number, status: number): void {
    this.#answer(stream, status, limitFault(limit, value, status), H3_EXCESSIVE_LOAD);
    this.core.chargeReset();
  }

  protected hold(stream: Stream, piece: Uint8Array): void {
    hold(stream, piece);
  }

  protected pushPromised(): void {
    throw connectionFault(H3_FRAME_UNEXPECTED, 'PUSH_PROMISE of a client');
  }

  protected headMissing(stream: Stream): void {
    this.fail(stream, H3_REQUEST_INCOMPLETE, 'the stream ended before its request');
  }

  /** A response that was submitted whole stands (section 4.1); otherwise the request is cancelled. */
  protected inputReset(stream: Stream, code: number, processed: Processed, error: HfaceError): void {
    const { core } = this;
    if (stream.send !== Send.ended) {
      core.wasReset(stream, code, processed, error);
      return;
    }
    core.events.push(streamResetReceived(stream.id, code, processed, error));
    stream.resetTold = true;
    stream.stopped = true;
    core.endInput(stream);
    core.closeIfOver(stream);
  }

  protected headReceived(stream: Stream, headers: HeaderList, ends: boolean): void {
    const { core } = this;
    if (core.handlers >= this.#limits.maxLiveHandlers) {
      core.refuse(stream, H3_REQUEST_REJECTED);
      core.chargeReset();
      return;
    }
    const head = this.#reader.read(headers, ends);
    if (typeof head === 'string') this.fail(stream, H3_MESSAGE_ERROR, head);
    else this.#surface(stream, headers, head, ends);
  }

  #surface(stream: Stream, headers: HeaderList, head: RequestHead, ends: boolean): void {
    const { core } = this;
    const connects = head.method === 'CONNECT';
    stream.told = true;
    stream.handlerLive = true;
    core.handlers += 1;
    stream.recv = Recv.content;
    // What a tunnel carries is no content.
    if (!connects) stream.recvDeclared = head.contentLength;
    stream.headRequest = head.method === 'HEAD';
    stream.extended = head.protocol !== undefined;
    if (connects) stream.tunnel = Tunnel.asked;
    if (ends) core.endInput(stream);
    else if (connects) core.stalls.inputRests(stream);
    else core.stalls.awaitContent(stream, core.now);
    const told = this.#priorities.take(stream.id);
    const { headers: list, priority } = requestForm(headers, head, true);
    // What came by PRIORITY_UPDATE is newer than the field (RFC 9218 section 7).
    const kept = told ?? priority;
    if (kept !== undefined) this.#sender.prioritise(stream, kept.urgency, kept.incremental);
    // The end of what a tunnel would carry is told when it was accepted.
    core.events.push(
      headersReceived(stream.id, list, undefined, ends && !connects, NO_TOKENS, '3', stream.early, told),
    );
  }

  /** Answers a request where that is still possible, and reads no more of it (RFC 9114 section 4.1). */
  #answer(stream: Stream, status: number, error: HfaceError, code: number): void {
    const { core } = this;
    if (stream.send !== Send.head) {
      core.reset(stream, code, error);
      return;
    }
    const response = errorResponse(status, core.now + this.#epochOffset, this.#errorHeaders);
    core.transport.writeStream(stream.id, this.#sender.encode(response, true), true);
    if (stream.told) core.events.push(streamResetSent(stream.id, H3_NO_ERROR, error));
    core.answered(stream);
  }
}
