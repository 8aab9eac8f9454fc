/**
 * The server's sending side: responses and tunnel bytes, from submits to output.
 *
 * Owns: what may be submitted in which state, Connection in responses (RFC 9112 section 9.3, 9.6), the room of the send
 * buffer. A submit that throws has changed nothing. Does not own framing (message-writer.ts) nor which heads are legal
 * (response-head.ts).
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import type { RingQueue } from '../../wire/index.ts';
import type { HttpEvent } from '../events.ts';
import { streamWritable } from '../events.ts';
import type { SubmitHeadersOptions } from '../http-protocol.ts';
import { hasNoContent, UNDECLARED } from '../semantics/index.ts';
import type { FieldLines } from './field-lines.ts';
import { statusLine } from './head-writer.ts';
import type { Http1ServerLimits } from './limits.ts';
import { MessageWriter, SendFraming } from './message-writer.ts';
import type { RequestParser } from './request-parser.ts';
import { interimHead, planResponse } from './response-head.ts';
import type { SendQueue } from './send-queue.ts';
import type { ServerExchange } from './server-exchange.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

/** Writes a server's output. */
export class ServerResponder {
  /** No request after this one: the application winds the connection down. */
  shutdown: boolean;
  readonly #exchange: ServerExchange;
  readonly #request: RequestParser;
  readonly #limits: Http1ServerLimits;
  readonly #output: SendQueue;
  readonly #events: RingQueue<HttpEvent>;
  readonly #lines: FieldLines;
  readonly #writer: MessageWriter;
  /** The room had run out, and StreamWritable is owed. */
  #blocked: boolean;
  /** The stream that was told to continue, 0 for none. */
  #continued: number;

  constructor(
    exchange: ServerExchange,
    request: RequestParser,
    limits: Http1ServerLimits,
    output: SendQueue,
    events: RingQueue<HttpEvent>,
    lines: FieldLines,
  ) {
    this.shutdown = false;
    this.#exchange = exchange;
    this.#request = request;
    this.#limits = limits;
    this.#output = output;
    this.#events = events;
    this.#lines = lines;
    this.#writer = new MessageWriter(output);
    this.#blocked = false;
    this.#continued = 0;
  }

  /** Goes on with another connection. */
  resume(): void {
    this.#blocked = false;
    this.#continued = 0;
  }

  /** A final response's head. Answers whether a tunnel opened. */
  submitHeaders(headers: HeaderList, options: SubmitHeadersOptions): boolean {
    const { state, streamId } = this.#exchange;
    if (state.send !== 'head') throw new LocalProtocolError('the final response was submitted before');
    const request = this.#request;
    const plan = planResponse(headers, options, request, state.receive === 'complete', this.#lines);
    this.#blocked = false;
    // RFC 9110 section 7.8: who expects 100 and is switched gets both, in this order.
    if (plan.upgrade !== undefined && request.section.expect !== undefined && this.#continued !== streamId) {
      this.#writer.writeInterim(`${statusLine(100)}\r\n`);
    }
    const dropsData = request.method === 'HEAD';
    const mayChunk = request.httpVersion === '1.1';
    this.#writer.begin(plan.text, plan.encoded, plan.framing, plan.contentLength, mayChunk, dropsData);
    if (plan.tunnel) {
      state.tunnelOpens();
      this.#exchange.tunnel = true;
      this.#exchange.last = true;
      this.#writer.settle(
        UNDECLARED,
        plan.upgrade === undefined ? '' : `connection: upgrade\r\nupgrade: ${plan.upgrade}\r\n`,
      );
      return true;
    }
    state.responseHead();
    if (plan.framing !== SendFraming.held) this.#settle(UNDECLARED);
    if (options.endStream) {
      this.#writer.write(EMPTY, true);
      state.responseEnds();
    }
    return false;
  }

  /**
   * A whole response to a whole request. False: it is another case, and nothing was done.
   *
   * @throws LocalProtocolError
   */
  submitWhole(status: number, headers: HeaderList, body: Uint8Array | string): boolean {
    const exchange = this.#exchange;
    const { state } = exchange;
    const request = this.#request;
    const usual =
      state.send === 'head' &&
      state.receive === 'complete' &&
      status >= 200 &&
      status <= 599 &&
      !hasNoContent(status) &&
      status !== 205 &&
      request.httpVersion === '1.1' &&
      request.method !== 'HEAD' &&
      request.method !== 'CONNECT' &&
      !exchange.continueDue &&
      headers.length % 2 === 0 &&
      this.capacity() > 0;
    if (!usual) return false;
    const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
    const persists = request.persistent && !this.shutdown;
    const head = this.#lines.whole(statusLine(status), headers, length, persists);
    if (head === undefined) return false;
    this.#blocked = false;
    exchange.last = !persists;
    state.responseHead();
    const known = this.#lines.message;
    if (known.is(head, body, length)) this.#output.writeAlone(known.bytes);
    else known.keep(head, body, this.#output.writeMessage(head, body, length));
    state.responseEnds();
    return true;
  }

  /** An interim response (RFC 9110 section 15.2). */
  submitInformational(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    if (this.#exchange.state.send !== 'head') throw new LocalProtocolError('the final response was submitted before');
    const head = interimHead(headers, rawNames, this.#lines);
    if (this.#request.httpVersion === '1.0') return;
    if (headers[1] === '100') {
      this.#exchange.continueDue = false;
      this.#continued = this.#exchange.streamId;
    }
    this.#writer.writeInterim(head);
  }

  /** Content, or a tunnel's bytes. */
  submitData(data: Uint8Array, endStream: boolean): void {
    const { state } = this.#exchange;
    const { send } = state;
    if (send !== 'body' && send !== 'tunnel') throw outOfOrder(send === 'head');
    this.#writer.checkData(data.length, endStream);
    if (data.length > 0 && this.capacity() === 0) throw new LocalProtocolError('the send buffer is full');
    if (data.length === 0 && !endStream) return;
    if (this.#writer.held) this.#settle(endStream ? data.length : UNDECLARED);
    this.#writer.write(data, endStream);
    if (endStream) {
      if (send === 'tunnel') state.tunnelOutputEnds();
      else state.responseEnds();
    } else if (this.capacity() === 0) {
      this.#blocked = true;
    }
  }

  /** Trailers, and the response's end. */
  submitTrailers(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    const { state } = this.#exchange;
    if (state.send !== 'body' && state.send !== 'tunnel') throw outOfOrder(state.send === 'head');
    this.#writer.checkTrailers(headers, rawNames);
    if (this.#writer.held) this.#settle(UNDECLARED);
    this.#writer.writeTrailers(headers, rawNames);
    state.responseEnds();
  }

  /** The room of the open stream's send buffer. */
  capacity(): number {
    const { send } = this.#exchange.state;
    if (send !== 'head' && send !== 'body' && send !== 'tunnel') return 0;
    const waiting = this.#output.written - Math.max(this.#output.taken, this.#exchange.start);
    return Math.max(0, this.#limits.sendBufferBytes - waiting);
  }

  /** Writes a head that was held back. */
  settleHeld(): void {
    if (this.#writer.held) this.#settle(UNDECLARED);
  }

  /** Output was taken: tells whether there is room again. */
  outputTaken(): void {
    if (!this.#blocked || this.capacity() * 2 < this.#limits.sendBufferBytes) return;
    this.#blocked = false;
    if (this.#exchange.open) this.#events.push(streamWritable(this.#exchange.streamId));
  }

  /** Decides whether the connection persists, and writes the head. */
  #settle(size: number): void {
    const exchange = this.#exchange;
    const request = this.#request;
    const persists =
      request.persistent &&
      !this.shutdown &&
      !exchange.continueDue &&
      request.method !== 'CONNECT' &&
      // What is left of the request may never be read, and the client is to know before it uses the connection again.
      exchange.state.receive !== 'body' &&
      this.#writer.settledFraming(size) !== SendFraming.close;
    exchange.last = !persists;
    let connection = '';
    if (!persists) connection = 'connection: close\r\n';
    else if (request.httpVersion === '1.0') connection = 'connection: keep-alive\r\n';
    this.#writer.settle(size, connection);
  }
}

function outOfOrder(early: boolean): LocalProtocolError {
  return new LocalProtocolError(early ? 'the final response has to be submitted first' : 'the response has ended');
}
