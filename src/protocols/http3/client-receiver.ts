/**
 * The client's receiving side: responses.
 *
 * Owns: interim and final heads (RFC 9114 sections 4.1 and 4.3.2), which responses have no content (RFC 9110 section
 * 6.4.1), what an answer to CONNECT makes of its stream (RFC 9114 section 4.4, RFC 9220), and what a server's resets
 * mean for a request. Does not own content and trailers (receiver.ts).
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../../common/index.ts';
import { StreamResetError, TimeoutError } from '../../common/index.ts';
import type { Processed } from '../events.ts';
import { headersReceived, informationalReceived } from '../events.ts';
import type { ResponseHead } from '../semantics/index.ts';
import {
  FieldJudge,
  hasNoContent,
  Http3ErrorCode,
  isInformationalStatus,
  isSuccessfulStatus,
  readResponseHead,
} from '../semantics/index.ts';
import type { ClaimedStreams } from './claimed-streams.ts';
import type { Core } from './core.ts';
import { connectionFault, limitFault, toldByPeer } from './faults.ts';
import type { Http3ClientLimits } from './limits.ts';
import { Receiver } from './receiver.ts';
import type { Sender } from './sender.ts';
import type { Stream } from './stream.ts';
import { Closed, Recv, Send, Tunnel } from './stream.ts';

const { H3_EXCESSIVE_LOAD, H3_FRAME_ERROR, H3_ID_ERROR, H3_MESSAGE_ERROR, H3_REQUEST_CANCELLED } = Http3ErrorCode;

const NO_TOKENS: readonly string[] = [];

/** Reads a client's input. */
export class ClientReceiver extends Receiver {
  readonly #limits: Http3ClientLimits;
  readonly #sender: Sender;
  readonly #judge: FieldJudge;

  constructor(core: Core, claimed: ClaimedStreams, sender: Sender, limits: Http3ClientLimits) {
    super(core, claimed);
    this.#limits = limits;
    this.#sender = sender;
    this.#judge = new FieldJudge();
  }

  /** Content did not come in time. */
  inputOverdue(stream: Stream): void {
    this.giveUp(stream, H3_REQUEST_CANCELLED, new TimeoutError('bodyTimeout', this.#limits.bodyTimeout));
  }

  /** The server reads no more of the request; its response stands (RFC 9114 section 4.1). */
  stopReceived(stream: Stream, code: number): void {
    if (stream.closed !== Closed.no) return;
    stream.stopped = true;
    stream.send = Send.ended;
    // A refused CONNECT may be stopped before its refusal is read.
    if (stream.tunnel !== Tunnel.open) {
      this.core.closeIfOver(stream);
      return;
    }
    const message = toldByPeer('the tunnel was given up by the peer', code);
    this.core.wasReset(stream, code, 'maybe', new StreamResetError(message, { errorCode: code, initiator: 'peer' }));
  }

  protected streamOpened(): undefined {
    // A client knows its requests: what is not in the table any more is of no interest.
    return undefined;
  }

  protected limitReached(stream: Stream, limit: string, value: number): void {
    this.giveUp(stream, H3_EXCESSIVE_LOAD, limitFault(limit, value, 502));
  }

  protected hold(): void {
    // A server cannot answer with content before a head: receiver.ts refuses it.
  }

  protected pushPromised(length: number): void {
    if (length === 0) throw connectionFault(H3_FRAME_ERROR, 'PUSH_PROMISE without its id');
    throw connectionFault(H3_ID_ERROR, 'PUSH_PROMISE where no push is allowed');
  }

  protected headMissing(stream: Stream): void {
    this.fail(stream, H3_MESSAGE_ERROR, 'the stream ended before its final response');
  }

  protected inputReset(stream: Stream, code: number, processed: Processed, error: HfaceError): void {
    this.core.wasReset(stream, code, processed, error);
  }

  protected headReceived(stream: Stream, headers: HeaderList, ends: boolean): void {
    const head = this.#judge.problem(headers, 2) ?? readResponseHead(headers, true);
    if (typeof head === 'string') this.fail(stream, H3_MESSAGE_ERROR, head);
    else if (isInformationalStatus(head.status)) this.#interim(stream, headers, head.status, ends);
    else this.#final(stream, headers, head, ends);
  }

  #interim(stream: Stream, headers: HeaderList, status: number, ends: boolean): void {
    stream.interim += 1;
    if (status === 101) {
      // RFC 9114 section 4.5.
      this.fail(stream, H3_MESSAGE_ERROR, '101 does not exist in HTTP/3');
    } else if (ends) {
      this.fail(stream, H3_MESSAGE_ERROR, 'an interim response that ends the stream');
    } else if (stream.interim > this.#limits.maxInformational) {
      this.limitReached(stream, 'maxInformational', this.#limits.maxInformational);
    } else {
      this.core.events.push(informationalReceived(stream.id, headers, undefined));
    }
  }

  #final(stream: Stream, headers: HeaderList, head: ResponseHead, ends: boolean): void {
    const { core } = this;
    const { status, contentLength } = head;
    const opens = stream.tunnel === Tunnel.asked && isSuccessfulStatus(status);
    stream.noContent = stream.headRequest || hasNoContent(status);
    if (ends && contentLength > 0 && !stream.noContent && !opens) {
      this.fail(stream, H3_MESSAGE_ERROR, `less content than its content-length (${String(contentLength)})`);
      return;
    }
    stream.recv = Recv.content;
    if (opens) {
      stream.tunnel = Tunnel.open;
    } else {
      stream.recvDeclared = contentLength;
      if (!ends) core.stalls.awaitContent(stream, core.now);
    }
    core.events.push(headersReceived(stream.id, headers, undefined, ends, NO_TOKENS, '3', false));
    if (stream.tunnel === Tunnel.asked) {
      // A refused CONNECT is a message like any other, and its request has no content.
      stream.tunnel = Tunnel.none;
      this.#sender.submitEnd(stream);
    }
    if (ends) core.endInput(stream);
    core.closeIfOver(stream);
  }
}
