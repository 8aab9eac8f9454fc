/**
 * The message that is being sent: its framing, its content, its end.
 *
 * Theory of operation. A head whose framing is known is written at once. One that declares no length is held back until
 * the first of: its whole content in one piece (then Content-Length frames it), more content, trailers, or the driver's
 * asking for output (then `chunked` frames it, or towards HTTP/1.0 the connection's end). So a small message costs one
 * write and no chunk, and nothing waits for anything.
 *
 *     idle --begin--> held | content | silent | tunnel
 *     held --settle--> content
 *     content, silent, tunnel --end--> idle
 *
 * `silent` is a message that has no content on the wire: the answer to HEAD, 204, 304 and requests that end with their
 * head. Data for an answer to HEAD are dropped; otherwise there may be none.
 *
 * Owns: RFC 9112 sections 6 and 7.1 as a sender, the ledger against Content-Length. Does not own when a message may be
 * sent (state.ts, server and client) nor Connection (whoever calls {@link MessageWriter.settle}).
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import { ContentLedger, trailersProblem, UNDECLARED } from '../semantics/index.ts';
import { checkRawNames, fieldLines } from './head-writer.ts';
import type { SendQueue } from './send-queue.ts';

/** How the content of the message is written. */
export const SendFraming = {
  /** No message. */
  idle: 0,
  /** The head is held back. */
  held: 1,
  length: 2,
  chunked: 3,
  /** To the connection's end. */
  close: 4,
  /** No content on the wire. */
  silent: 5,
  tunnel: 6,
} as const;
/** One of {@link SendFraming}. */
export type SendFramingKind = (typeof SendFraming)[keyof typeof SendFraming];

/** Writes one message after the other. */
export class MessageWriter {
  readonly #output: SendQueue;
  readonly #ledger: ContentLedger;
  #framing: SendFramingKind;
  /** The start-line and the fields of a head that is held back. */
  #head: string;
  /** The head with its empty line, as octets, if at hand. */
  #encoded: Uint8Array | undefined;
  /** Whether the recipient understands chunked. */
  #mayChunk: boolean;
  /** Whether data are dropped rather than refused where there is no content. */
  #dropsData: boolean;

  constructor(output: SendQueue) {
    this.#output = output;
    this.#ledger = new ContentLedger();
    this.#framing = SendFraming.idle;
    this.#head = '';
    this.#encoded = undefined;
    this.#mayChunk = true;
    this.#dropsData = false;
  }

  /** How the message at hand is written. */
  get framing(): SendFramingKind {
    return this.#framing;
  }

  /** Whether a head is held back. */
  get held(): boolean {
    return this.#framing === SendFraming.held;
  }

  /**
   * Begins a message whose head is complete but for its empty line. {@link settle} has to follow, at once unless the
   * framing is `held`.
   *
   * @param encoded - the same with its empty line, as octets, if at hand
   * @param contentLength - what its content is held to, or `UNDECLARED`
   * @param mayChunk - whether the recipient understands chunked
   * @param dropsData - whether data are dropped where there is no content
   */
  begin(
    head: string,
    encoded: Uint8Array | undefined,
    framing: SendFramingKind,
    contentLength: number,
    mayChunk: boolean,
    dropsData: boolean,
  ): void {
    this.#head = head;
    this.#encoded = encoded;
    this.#framing = framing;
    this.#mayChunk = mayChunk;
    this.#dropsData = dropsData;
    this.#ledger.begin(contentLength);
  }

  /** What {@link settle} will make of a held head, when `size` tells the whole content, or is `UNDECLARED`. */
  settledFraming(size: number): SendFramingKind {
    if (this.#framing !== SendFraming.held) return this.#framing;
    if (size !== UNDECLARED) return SendFraming.length;
    return this.#mayChunk ? SendFraming.chunked : SendFraming.close;
  }

  /**
   * Writes the head.
   *
   * @param size - the whole content of a held message, or `UNDECLARED`
   * @param connection - the field lines that concern the connection
   */
  settle(size: number, connection: string): void {
    if (this.#framing === SendFraming.held) {
      this.#framing = this.settledFraming(size);
      this.#encoded = undefined;
      if (this.#framing === SendFraming.length) {
        this.#ledger.begin(size);
        this.#head += `content-length: ${String(size)}\r\n`;
      } else if (this.#framing === SendFraming.chunked) {
        this.#head += 'transfer-encoding: chunked\r\n';
      }
    }
    if (this.#encoded !== undefined && connection === '') {
      // Nothing follows a head without content, so it may pass as it is.
      if (this.#framing === SendFraming.silent) this.#output.writeAlone(this.#encoded);
      else this.#output.writeBytes(this.#encoded);
    } else {
      this.#output.writeText(`${this.#head}${connection}\r\n`);
    }
    this.#head = '';
    this.#encoded = undefined;
  }

  /** Writes an interim head, which is no message of its own. */
  writeInterim(head: string): void {
    this.#output.writeText(head);
  }

  /**
   * Refuses data that may not be sent, before anything is changed.
   *
   * @throws LocalProtocolError
   */
  checkData(length: number, endStream: boolean): void {
    if (this.#framing === SendFraming.silent) {
      if (length > 0 && !this.#dropsData) throw new LocalProtocolError('this message has no content');
      return;
    }
    const { remaining, declared } = this.#ledger;
    if (length > remaining) throw new LocalProtocolError(`more content than its content-length (${String(declared)})`);
    if (endStream && declared !== UNDECLARED && length < remaining) {
      throw new LocalProtocolError(`less content than its content-length (${String(declared)})`);
    }
  }

  /** Writes content that {@link checkData} has passed; the head has been settled. */
  write(data: Uint8Array, endStream: boolean): void {
    const { length } = data;
    if (length > 0) {
      this.#ledger.count(length);
      if (this.#framing === SendFraming.chunked) {
        this.#output.writeText(`${length.toString(16)}\r\n`);
        this.#output.writeBytes(data);
        this.#output.writeText(endStream ? '\r\n0\r\n\r\n' : '\r\n');
      } else if (this.#framing !== SendFraming.silent) {
        this.#output.writeBytes(data);
      }
    }
    if (!endStream) return;
    if (length === 0 && this.#framing === SendFraming.chunked) this.#output.writeText('0\r\n\r\n');
    this.#framing = SendFraming.idle;
  }

  /**
   * Refuses trailers that may not be sent, before anything is changed. Where HTTP/1 has no room for them because the
   * peer speaks HTTP/1.0 or the message has no content, they will be dropped (RFC 9110 section 6.5.1).
   *
   * @throws LocalProtocolError
   */
  checkTrailers(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (this.#framing === SendFraming.tunnel) throw new LocalProtocolError('a tunnel has no trailers');
    const problem = trailersProblem(headers);
    if (problem !== undefined) throw new LocalProtocolError(problem);
    checkRawNames(headers, rawNames);
    if (this.#framing === SendFraming.length) {
      throw new LocalProtocolError('trailers need a message without content-length, or with a trailer field');
    }
    if (this.#framing !== SendFraming.silent && !this.#ledger.balanced) {
      throw new LocalProtocolError(`less content than its content-length (${String(this.#ledger.declared)})`);
    }
  }

  /** Writes the last chunk and the trailers that {@link checkTrailers} has passed. */
  writeTrailers(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (this.#framing === SendFraming.chunked) {
      this.#output.writeText(`0\r\n${fieldLines(headers, 0, rawNames, '')}\r\n`);
    }
    this.#framing = SendFraming.idle;
  }
}
