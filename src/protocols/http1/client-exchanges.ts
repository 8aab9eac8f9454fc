/**
 * The requests that a client has opened and whose responses are due, in order.
 *
 * Owns: the row (RFC 9112 section 9.2), each exchange's facts, the closing events of their streams. Does not own
 * reading (client-receiver.ts), writing (client-requester.ts) nor the connection's end (client.ts).
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { LocalProtocolError, StreamResetError } from '../../common/index.ts';
import { RingQueue } from '../../wire/index.ts';
import type { HttpEvent, Processed } from '../events.ts';
import { streamClosed, streamResetReceived, streamResetSent } from '../events.ts';
import { http1ErrorCodes } from '../semantics/index.ts';
import type { SendQueue } from './send-queue.ts';
import { ClientState } from './state.ts';

/** One request and what is due to it. */
export class ClientExchange {
  readonly streamId: number;
  readonly method: string;
  /** What was offered by Upgrade. */
  readonly upgrade: readonly string[];
  /** The position in the output where the request begins. */
  readonly start: number;
  /** The request was submitted whole. */
  requestComplete: boolean;
  /** How many interim responses came. */
  interim: number;

  constructor(streamId: number, method: string, upgrade: readonly string[], start: number, requestComplete: boolean) {
    this.streamId = streamId;
    this.method = method;
    this.upgrade = upgrade;
    this.start = start;
    this.requestComplete = requestComplete;
    this.interim = 0;
  }
}

/** The row of exchanges. */
export class ClientExchanges {
  readonly state: ClientState;
  /** The id of the request opened last; 0 before the first. */
  lastId: number;
  /** No request may follow: the server or this side winds the connection down. */
  last: boolean;
  /** The stream carries raw bytes. */
  tunnel: boolean;
  /** The last exchange has ended: the engine is to finish. */
  connectionOver: boolean;
  /** The server is known to speak HTTP/1.0 only. */
  oldServer: boolean;
  /** Whether a request that was open at the end may have been acted upon. */
  processed: Processed;
  readonly #row: RingQueue<ClientExchange>;
  readonly #events: RingQueue<HttpEvent>;
  readonly #output: SendQueue;
  /** Streams from this id on were reset, and their submits are ignored. */
  #resetFrom: number;

  constructor(events: RingQueue<HttpEvent>, output: SendQueue) {
    this.state = new ClientState();
    this.lastId = 0;
    this.last = false;
    this.tunnel = false;
    this.connectionOver = false;
    this.oldServer = false;
    this.processed = 'no';
    this.#row = new RingQueue<ClientExchange>();
    this.#events = events;
    this.#output = output;
    this.#resetFrom = Infinity;
  }

  /** How many responses are due. */
  get due(): number {
    return this.#row.length;
  }

  /** The exchange whose response is due first. */
  get first(): ClientExchange | undefined {
    return this.#row.peek();
  }

  /** The exchange opened last, if its response is due. */
  get newest(): ClientExchange | undefined {
    return this.#row.peekLast();
  }

  /** A request was submitted. */
  add(exchange: ClientExchange): void {
    this.lastId = exchange.streamId;
    this.#row.push(exchange);
  }

  /** Whether anything of the first due request has reached the driver. */
  firstWasSent(): boolean {
    const { first } = this;
    return first !== undefined && this.#output.taken > first.start;
  }

  /**
   * The open exchange that a submit concerns; `undefined`: it is to be ignored, since the stream was reset.
   *
   * @throws LocalProtocolError when there is no such stream, or it ended in good order
   */
  find(streamId: number): ClientExchange | undefined {
    for (let index = 0; index < this.#row.length; index += 1) {
      const exchange = this.#row.at(index);
      if (exchange?.streamId === streamId) return exchange;
    }
    if (streamId >= this.#resetFrom && streamId <= this.lastId) return undefined;
    if (streamId >= 1 && streamId <= this.lastId) throw new LocalProtocolError(`stream ${String(streamId)} has ended`);
    throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
  }

  /** The response due first is whole. `persists`: the server lets the connection live. */
  responseEnds(persists: boolean): void {
    const exchange = this.#row.shift();
    if (exchange === undefined) return;
    const { streamId, requestComplete } = exchange;
    if (!requestComplete) {
      // As HTTP/2 tells it (RFC 9113 section 8.1): the response stands, the rest of the request is not wanted.
      const { noError } = http1ErrorCodes;
      const reason = 'the response ended before the request';
      const error = new StreamResetError(reason, { errorCode: noError, initiator: 'peer' });
      this.#events.push(streamResetReceived(streamId, noError, 'maybe', error));
      this.#resetFrom = Math.min(this.#resetFrom, streamId);
    }
    this.#events.push(streamClosed(streamId));
    const over = !persists || !requestComplete;
    if (!over) this.state.responseEnds(this.due > 0);
    if (over) {
      // RFC 9112 section 9.5: cease transmitting. What has not left is not to leave: `processed` says so.
      this.#output.clear();
      const error = new StreamResetError('the server closed the connection after an earlier response', {
        errorCode: http1ErrorCodes.cancelled,
        initiator: 'peer',
      });
      this.resetAll(http1ErrorCodes.cancelled, error, 0);
    }
    if (over || (this.last && this.due === 0)) this.endConnection();
  }

  /** A tunnel's both directions have ended. */
  tunnelEnds(): void {
    const { receive, send } = this.state;
    if (receive !== 'complete' || send !== 'complete') return;
    const exchange = this.#row.shift();
    if (exchange !== undefined) this.#events.push(streamClosed(exchange.streamId));
    this.endConnection();
  }

  /** No message passes any more. */
  endConnection(): void {
    this.state.ends();
    this.connectionOver = true;
  }

  /** Resets every open stream; the one whose id is `sentId` by this side, the others as given up by the peer. */
  resetAll(errorCode: number, error: HfaceError, sentId: number): void {
    for (let exchange = this.#row.shift(); exchange !== undefined; exchange = this.#row.shift()) {
      const { streamId } = exchange;
      const processed: Processed = this.#output.taken > exchange.start ? 'maybe' : 'no';
      if (processed === 'maybe') this.processed = 'maybe';
      this.#events.push(
        streamId === sentId
          ? streamResetSent(streamId, errorCode, error)
          : streamResetReceived(streamId, errorCode, processed, error),
      );
      this.#events.push(streamClosed(streamId));
      this.#resetFrom = Math.min(this.#resetFrom, streamId);
    }
    this.state.ends();
  }
}
