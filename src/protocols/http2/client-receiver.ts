/**
 * The client's receiving side: responses.
 *
 * Owns: interim and final heads (RFC 9113 sections 8.1 and 8.3.2), which responses have no content (RFC 9110 section
 * 6.4.1), and what an answer to CONNECT makes of its stream (RFC 9113 section 8.5, RFC 8441 section 5). Does not own
 * content and trailers (receiver.ts).
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { TimeoutError } from '../../common/index.ts';
import { headersReceived, informationalReceived } from '../events.ts';
import type { ResponseHead } from '../semantics/index.ts';
import {
  FieldJudge,
  hasNoContent,
  Http2ErrorCode,
  isInformationalStatus,
  isSuccessfulStatus,
  readResponseHead,
} from '../semantics/index.ts';
import type { Core } from './core.ts';
import { connectionFault, limitFault } from './faults.ts';
import { Flag, FrameType } from './frame-types.ts';
import type { Http2ClientLimits } from './limits.ts';
import { Receiver } from './receiver.ts';
import type { Stream } from './stream.ts';
import { Recv, Send, Tunnel } from './stream.ts';

const { CANCEL, ENHANCE_YOUR_CALM, PROTOCOL_ERROR } = Http2ErrorCode;

const NO_TOKENS: readonly string[] = [];

/** Reads a client's input. */
export class ClientReceiver extends Receiver {
  readonly #limits: Http2ClientLimits;
  readonly #judge: FieldJudge;
  /** The list that was judged last, and what it was found to be. */
  #judgedList: HeaderList | undefined;
  #judgedHead: ResponseHead | string;

  constructor(core: Core, limits: Http2ClientLimits) {
    super(core);
    this.#limits = limits;
    this.#judge = new FieldJudge();
    this.#judgedList = undefined;
    this.#judgedHead = '';
  }

  /** See {@link Receiver.forget}. */
  forget(): void {
    this.#judge.forget();
    this.#judgedList = undefined;
    this.#judgedHead = '';
  }

  /** Content did not come in time. */
  contentOverdue(stream: Stream): void {
    this.giveUp(stream, CANCEL, new TimeoutError('bodyTimeout', this.#limits.bodyTimeout));
  }

  protected limitReached(stream: Stream, limit: string, value: number): void {
    this.giveUp(stream, ENHANCE_YOUR_CALM, limitFault(limit, value, 502));
  }

  protected hold(): void {
    // A server cannot answer with content before a head: receiver.ts refuses it.
  }

  protected headReceived(stream: Stream, headers: HeaderList, tooLarge: boolean, endStream: boolean): void {
    if (tooLarge) {
      this.limitReached(stream, 'maxHeaderBytes', this.#limits.maxHeaderBytes);
      return;
    }
    // A block that came before gives the very same list, which was judged then.
    if (headers !== this.#judgedList) {
      this.#judgedHead = this.#judge.problem(headers, 2) ?? readResponseHead(headers, true);
      this.#judgedList = headers;
    }
    const head = this.#judgedHead;
    if (typeof head === 'string') this.fail(stream, PROTOCOL_ERROR, head);
    else if (isInformationalStatus(head.status)) this.#interim(stream, headers, head.status, endStream);
    else this.#final(stream, headers, head, endStream);
  }

  protected sectionWithoutStream(streamId: number): void {
    if (!this.core.used(streamId)) throw connectionFault(PROTOCOL_ERROR, `HEADERS on idle stream ${String(streamId)}`);
    this.lateFrame(streamId);
  }

  #interim(stream: Stream, headers: HeaderList, status: number, endStream: boolean): void {
    stream.interim += 1;
    if (status === 101) {
      // RFC 9113 section 8.6.
      this.fail(stream, PROTOCOL_ERROR, '101 does not exist in HTTP/2');
    } else if (endStream) {
      this.fail(stream, PROTOCOL_ERROR, 'an interim response that ends the stream');
    } else if (stream.interim > this.#limits.maxInformational) {
      this.limitReached(stream, 'maxInformational', this.#limits.maxInformational);
    } else {
      this.core.events.push(informationalReceived(stream.id, headers, undefined));
    }
  }

  #final(stream: Stream, headers: HeaderList, head: ResponseHead, endStream: boolean): void {
    const { core } = this;
    const { status, contentLength } = head;
    const opens = stream.tunnel === Tunnel.asked && isSuccessfulStatus(status);
    stream.noContent = stream.headRequest || hasNoContent(status);
    if (endStream && contentLength > 0 && !stream.noContent && !opens) {
      this.fail(stream, PROTOCOL_ERROR, `less content than its content-length (${String(contentLength)})`);
      return;
    }
    stream.recv = endStream ? Recv.ended : Recv.content;
    if (opens) {
      stream.tunnel = Tunnel.open;
    } else {
      stream.recvDeclared = contentLength;
      if (!endStream) core.stalls.awaitContent(stream, core.now);
    }
    core.events.push(headersReceived(stream.id, headers, undefined, endStream, NO_TOKENS, '2', false));
    if (stream.tunnel === Tunnel.asked) {
      // A refused CONNECT is a message like any other, and its request has no content.
      stream.tunnel = Tunnel.none;
      core.writer.writeHeader(0, FrameType.data, Flag.endStream, stream.id);
      stream.send = Send.ended;
    }
    core.closeIfOver(stream);
  }
}
