/**
 * The server's receiving side: requests.
 *
 * Theory of operation. A client opens streams with ids that grow (RFC 9113 section 5.1.1). Each field section that opens
 * one was decoded before; now it is refused (too many streams, or handlers), answered by the engine itself (431),
 * refused as malformed (section 8.1.1), or surfaced. Nobody is told of a request that is not surfaced.
 *
 * Owns: which requests are surfaced, and tunnels that wait for their acceptance. How a head is judged and what form it
 * gets is semantics/request-reader.ts and request-form.ts.
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { TimeoutError } from '../../common/index.ts';
import { headersReceived } from '../events.ts';
import { dropHeld, hold, tellHeld } from '../held-content.ts';
import type { PendingPriorities } from '../semantics/index.ts';
import { errorResponse, Http2ErrorCode, requestForm, RequestReader } from '../semantics/index.ts';
import type { Core } from './core.ts';
import { connectionFault, limitFault } from './faults.ts';
import type { Http2ServerLimits } from './limits.ts';
import { Receiver } from './receiver.ts';
import type { Stream } from './stream.ts';
import { Closed, Recv, Send, Tunnel } from './stream.ts';

const { CANCEL, ENHANCE_YOUR_CALM, NO_ERROR, PROTOCOL_ERROR, REFUSED_STREAM } = Http2ErrorCode;

const NO_TOKENS: readonly string[] = [];

/** Reads a server's input. */
export class ServerReceiver extends Receiver {
  readonly #limits: Http2ServerLimits;
  readonly #errorHeaders: HeaderList;
  readonly #epochOffset: number;
  readonly #priorities: PendingPriorities;
  readonly #reader: RequestReader;

  constructor(
    core: Core,
    limits: Http2ServerLimits,
    errorHeaders: HeaderList,
    epochOffset: number,
    priorities: PendingPriorities,
  ) {
    super(core);
    this.#limits = limits;
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

  /** See {@link Receiver.forget}. */
  forget(): void {
    this.#reader.forget();
  }

  /** Content did not come in time. */
  contentOverdue(stream: Stream): void {
    this.#answer(stream, 408, new TimeoutError('bodyTimeout', this.#limits.bodyTimeout), CANCEL);
  }

  protected limitReached(stream: Stream, limit: string, value: number, status: number): void {
    this.#answer(stream, status, limitFault(limit, value, status), ENHANCE_YOUR_CALM);
    this.core.chargeReset();
  }

  protected hold(stream: Stream, piece: Uint8Array): void {
    hold(stream, piece);
  }

  protected headReceived(stream: Stream): void {
    // An open stream of a server has had its head.
    this.fail(stream, PROTOCOL_ERROR, 'a second head');
  }

  protected sectionWithoutStream(
    streamId: number,
    headers: HeaderList,
    tooLarge: boolean,
    endStream: boolean,
    selfDependent: boolean,
  ): void {
    const { core } = this;
    if (streamId <= core.highestId) {
      // Section 5.1.1: an id that was passed over is no longer idle.
      if (core.howClosed(streamId) === Closed.no) {
        throw connectionFault(PROTOCOL_ERROR, `HEADERS on stream ${String(streamId)} behind a higher one`);
      }
      this.lateFrame(streamId);
      return;
    }
    core.highestId = streamId;
    if (streamId > core.acceptedId) {
      // The client was told by GOAWAY that it is not processed (section 6.8).
      core.closedStreams.add(streamId, Closed.byReset);
    } else if (core.open >= this.#limits.maxConcurrentStreams || core.handlers >= this.#limits.maxLiveHandlers) {
      this.#refuse(streamId, REFUSED_STREAM);
    } else if (tooLarge) {
      this.#answerUnopened(streamId, 431, endStream);
    } else if (selfDependent) {
      this.#refuse(streamId, PROTOCOL_ERROR);
    } else {
      this.#request(streamId, headers, endStream);
    }
  }

  #request(streamId: number, headers: HeaderList, endStream: boolean): void {
    const head = this.#reader.read(headers, endStream);
    if (typeof head === 'string') {
      this.#refuse(streamId, PROTOCOL_ERROR);
      return;
    }
    const { core } = this;
    const stream = core.openStream(streamId);
    stream.handlerLive = true;
    core.handlers += 1;
    stream.recv = endStream ? Recv.ended : Recv.content;
    stream.recvDeclared = head.contentLength;
    stream.headRequest = head.method === 'HEAD';
    if (head.method === 'CONNECT') stream.tunnel = Tunnel.asked;
    else if (!endStream) core.stalls.awaitContent(stream, core.now);
    const told = this.#priorities.take(stream.id);
    const { headers: list, priority } = requestForm(headers, head, true);
    // What came by PRIORITY_UPDATE is newer than the field (RFC 9218 section 7).
    const kept = told ?? priority;
    if (kept !== undefined) {
      stream.urgency = kept.urgency;
      stream.incremental = kept.incremental;
    }
    // The end of what a tunnel would carry is told when it was accepted.
    const ended = endStream && head.method !== 'CONNECT';
    core.events.push(headersReceived(streamId, list, undefined, ended, NO_TOKENS, '2', false, told));
  }

  #refuse(streamId: number, code: number): void {
    this.core.refuse(streamId, code);
    this.core.chargeReset();
  }

  /** Answers a request that nobody was told of, and gives its rest up. */
  #answerUnopened(streamId: number, status: number, endStream: boolean): void {
    const { core } = this;
    core.writeHeaders(streamId, this.#response(status), true);
    if (endStream) core.closedStreams.add(streamId, Closed.ended);
    else core.refuse(streamId, NO_ERROR);
    core.chargeReset();
  }

  /** Answers an open request where that is still possible, and gives it up (RFC 9113 section 8.1). */
  #answer(stream: Stream, status: number, error: HfaceError, code: number): void {
    if (stream.send === Send.head) {
      this.core.writeHeaders(stream.id, this.#response(status), true);
      this.core.reset(stream, NO_ERROR, error);
    } else {
      this.core.reset(stream, code, error);
    }
  }

  #response(status: number): HeaderList {
    return errorResponse(status, this.core.now + this.#epochOffset, this.#errorHeaders);
  }
}
