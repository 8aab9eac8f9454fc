/**
 * One request stream: its state in both directions.
 *
 * Theory of operation. Each direction goes on its own:
 *
 *     recv: head -> content -> trailed -> ended          send: head -> content | silent -> ended
 *
 * `trailed` is a message whose trailers have come while its end has not; `silent` one without content whose end has gone
 * with its head while the application has not ended it yet (HEAD, 204, 304). Bytes, windows and acknowledgements are the
 * transport's. A reset ends both directions, and `closed` says how the stream was closed for HTTP; `over` says that the
 * transport has forgotten it.
 *
 * Owns: the fields and their first values. Every field is set here, so that all streams have one shape.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import type { RingQueue } from '../../wire/index.ts';
import { DEFAULT_URGENCY } from '../send-order.ts';
import type { ClosedKind, SendKind, TunnelKind } from '../semantics/index.ts';
import { Closed, Send, Tunnel, UNDECLARED } from '../semantics/index.ts';
import type { Watch } from '../stall-list.ts';
import type { FrameSink } from './frame-reader.ts';
import { FrameReader } from './frame-reader.ts';

export { Closed, Send, Tunnel };
export type { ClosedKind };

/** A direction's state, received. */
export const Recv = { head: 0, content: 1, trailed: 2, ended: 3 } as const;
/** One of {@link Recv}. */
export type RecvKind = (typeof Recv)[keyof typeof Recv];
/** A request stream of either side. */
export class Stream {
  readonly id: number;
  readonly reader: FrameReader<Stream>;
  recv: RecvKind;
  send: SendKind;
  closed: ClosedKind;
  tunnel: TunnelKind;
  /** The transport will tell nothing more of it. */
  over: boolean;
  /** All that came so far came in 0-RTT data. Client: the request was opened so. */
  early: boolean;
  /** The request's method is HEAD. */
  headRequest: boolean;
  /** The request is an extended CONNECT: datagrams have a meaning (RFC 9297 section 2). */
  extended: boolean;
  /** Client: the response that comes has no content, whatever its fields say. */
  noContent: boolean;
  /** The peer asked to send no more. */
  stopped: boolean;
  /** Server: `submitHandlerEnd` is due. */
  handlerLive: boolean;
  /** The application knows of it: server, since its `HeadersReceived`. Events are told of such streams only. */
  told: boolean;
  /** The application was told that the request was given up, and the stream goes on until its response has arrived. */
  resetTold: boolean;
  /** Client: how many interim responses came. */
  interim: number;

  // Content-Length against content, each way (semantics/content-length.ts has the rule).
  recvDeclared: number;
  recvCounted: number;
  sendDeclared: number;
  sendCounted: number;

  unconsumed: number;
  smallPieces: number;
  /** Server: what came for a tunnel that was not accepted yet. */
  held: RingQueue<Uint8Array> | undefined;
  /** Trailers whose end has not come. */
  trailers: HeaderList | undefined;
  /** How much of a header block is kept: what counts for all streams together. */
  partial: number;

  urgency: number;
  incremental: boolean;
  /** What is waited for (stall-watch.ts). */
  watch: Watch<Stream> | undefined;

  constructor(id: number, sink: FrameSink<Stream>) {
    this.id = id;
    this.reader = new FrameReader<Stream>(this, sink);
    this.recv = Recv.head;
    this.send = Send.head;
    this.closed = Closed.no;
    this.tunnel = Tunnel.none;
    this.over = false;
    this.early = false;
    this.headRequest = false;
    this.extended = false;
    this.noContent = false;
    this.stopped = false;
    this.handlerLive = false;
    this.told = false;
    this.resetTold = false;
    this.interim = 0;
    this.recvDeclared = UNDECLARED;
    this.recvCounted = 0;
    this.sendDeclared = UNDECLARED;
    this.sendCounted = 0;
    this.unconsumed = 0;
    this.smallPieces = 0;
    this.held = undefined;
    this.trailers = undefined;
    this.partial = 0;
    this.urgency = DEFAULT_URGENCY;
    this.incremental = false;
    this.watch = undefined;
  }
}
