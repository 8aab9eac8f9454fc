/**
 * The client's sending side: requests and tunnel bytes, from submits to output.
 *
 * Owns: what may be submitted in which state and the room of the send buffer. A submit that throws has changed nothing.
 * Does not own framing (message-writer.ts) nor which heads are legal (request-head.ts).
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import type { RingQueue } from '../../wire/index.ts';
import type { HttpEvent } from '../events.ts';
import { streamWritable } from '../events.ts';
import type { SubmitHeadersOptions } from '../http-protocol.ts';
import { UNDECLARED } from '../semantics/index.ts';
import type { ClientExchanges } from './client-exchanges.ts';
import { ClientExchange } from './client-exchanges.ts';
import type { FieldLines } from './field-lines.ts';
import type { Http1ClientLimits } from './limits.ts';
import { MessageWriter, SendFraming } from './message-writer.ts';
import { planRequest } from './request-head.ts';
import type { SendQueue } from './send-queue.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

/** Writes a client's output. */
export class ClientRequester {
  readonly #exchanges: ClientExchanges;
  readonly #limits: Http1ClientLimits;
  readonly #absoluteForm: boolean;
  readonly #output: SendQueue;
  readonly #events: RingQueue<HttpEvent>;
  readonly #lines: FieldLines;
  readonly #writer: MessageWriter;
  /** What concerns the connection in a head that is held back. */
  #connection: string;
  /** The room had run out, and StreamWritable is owed. */
  #blocked: boolean;

  constructor(
    exchanges: ClientExchanges,
    limits: Http1ClientLimits,
    absoluteForm: boolean,
    output: SendQueue,
    events: RingQueue<HttpEvent>,
    lines: FieldLines,
  ) {
    this.#exchanges = exchanges;
    this.#limits = limits;
    this.#absoluteForm = absoluteForm;
    this.#output = output;
    this.#events = events;
    this.#lines = lines;
    this.#writer = new MessageWriter(output);
    this.#connection = '';
    this.#blocked = false;
  }

  /** A request's head. Its id was checked. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    const exchanges = this.#exchanges;
    const plan = planRequest(headers, options, this.#absoluteForm, !exchanges.oldServer, this.#lines);
    const complete = plan.next !== 'body';
    exchanges.add(new ClientExchange(streamId, plan.method, plan.upgrade, this.#output.written, complete));
    exchanges.state.requestHead(plan.next);
    this.#blocked = false;
    this.#writer.begin(plan.text, plan.encoded, plan.framing, plan.contentLength, true, false);
    this.#connection = plan.connection;
    if (plan.framing !== SendFraming.held) this.#settle(UNDECLARED);
    if (complete) this.#writer.write(EMPTY, true);
  }

  /** Content, or a tunnel's bytes. */
  submitData(exchange: ClientExchange, data: Uint8Array, endStream: boolean): void {
    const { state } = this.#exchanges;
    const { send } = state;
    const current = exchange === this.#exchanges.newest;
    if (!current || (send !== 'body' && send !== 'tunnel')) throw outOfOrder(current && send === 'waiting');
    // The tunnel that the server accepted begins here.
    if (send === 'tunnel' && this.#writer.framing === SendFraming.idle) {
      this.#writer.begin('', undefined, SendFraming.tunnel, UNDECLARED, true, false);
    }
    this.#writer.checkData(data.length, endStream);
    if (data.length > 0 && this.capacity(exchange) === 0) throw new LocalProtocolError('the send buffer is full');
    if (data.length === 0 && !endStream) return;
    if (this.#writer.held) this.#settle(endStream ? data.length : UNDECLARED);
    this.#writer.write(data, endStream);
    if (endStream) this.#sendingEnds(exchange);
    else if (this.capacity(exchange) === 0) this.#blocked = true;
  }

  /** Trailers, and the request's end. */
  submitTrailers(exchange: ClientExchange, headers: HeaderList, rawNames: readonly string[] | undefined): void {
    const { send } = this.#exchanges.state;
    const current = exchange === this.#exchanges.newest;
    if (!current || (send !== 'body' && send !== 'tunnel')) throw outOfOrder(current && send === 'waiting');
    if (send === 'tunnel') throw new LocalProtocolError('a tunnel has no trailers');
    this.#writer.checkTrailers(headers, rawNames);
    if (this.#writer.held) this.#settle(UNDECLARED);
    this.#writer.writeTrailers(headers, rawNames);
    this.#sendingEnds(exchange);
  }

  /** The room of an open stream's send buffer. */
  capacity(exchange: ClientExchange): number {
    const { send } = this.#exchanges.state;
    if (exchange !== this.#exchanges.newest || (send !== 'body' && send !== 'tunnel')) return 0;
    const waiting = this.#output.written - Math.max(this.#output.taken, exchange.start);
    return Math.max(0, this.#limits.sendBufferBytes - waiting);
  }

  /** Writes a head that was held back. */
  settleHeld(): void {
    if (this.#writer.held && this.#exchanges.state.send === 'body') this.#settle(UNDECLARED);
  }

  /** Output was taken: tells whether there is room again. */
  outputTaken(): void {
    if (!this.#blocked) return;
    const { newest } = this.#exchanges;
    if (newest === undefined || this.capacity(newest) * 2 < this.#limits.sendBufferBytes) return;
    this.#blocked = false;
    this.#events.push(streamWritable(newest.streamId));
  }

  #settle(size: number): void {
    this.#writer.settle(size, this.#connection);
    this.#connection = '';
  }

  #sendingEnds(exchange: ClientExchange): void {
    const { state } = this.#exchanges;
    exchange.requestComplete = true;
    if (state.send === 'tunnel') {
      state.tunnelOutputEnds();
      this.#exchanges.tunnelEnds();
    } else {
      state.requestEnds();
    }
  }
}

function outOfOrder(waiting: boolean): LocalProtocolError {
  // RFC 9931: what is sent before the server has agreed could be read as a request.
  return new LocalProtocolError(waiting ? 'the tunnel has not been accepted yet' : 'the request has ended');
}
