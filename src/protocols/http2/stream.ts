/**
 * One stream: its state in both directions, its windows, its queue.
 *
 * Theory of operation. RFC 9113 section 5.1's states are the pairs of two directions:
 *
 *     recv: head -> content -> ended          send: head -> content | silent -> ending -> ended
 *
 * `idle` and `closed` are not kept here: an id without a stream is one of them (closed-streams.ts). `open` is neither
 * ended, half-closed (remote) is recv ended, half-closed (local) is send ended. `silent` is a message without content
 * whose END_STREAM has gone with its head while the application has not ended it yet (HEAD, 204, 304); `ending` is one
 * that was submitted whole and waits for windows. A reset ends both, and `closed` says how.
 *
 * Owns: the fields and their first values. Who changes what is said at each field. Every field is set here, so that all
 * streams have one shape.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import type { RingQueue } from '../../wire/index.ts';
import { DEFAULT_URGENCY } from '../send-order.ts';
import type { ClosedKind, SendKind, TunnelKind } from '../semantics/index.ts';
import { Closed, Send, Tunnel, UNDECLARED } from '../semantics/index.ts';
import type { Watch } from '../stall-list.ts';

export { Closed, Send, Tunnel };
export type { ClosedKind };

/** A direction's state, received. */
export const Recv = { head: 0, content: 1, ended: 2 } as const;
/** One of {@link Recv}. */
export type RecvKind = (typeof Recv)[keyof typeof Recv];
/** A stream of either side. */
export class Stream {
  readonly id: number;
  recv: RecvKind;
  send: SendKind;
  closed: ClosedKind;
  tunnel: TunnelKind;
  /** The request's method is HEAD. */
  headRequest: boolean;
  /** Client: the response that comes has no content, whatever its fields say. */
  noContent: boolean;
  /** Server: `submitHandlerEnd` is due. */
  handlerLive: boolean;
  /** Client: how many interim responses came. */
  interim: number;
  /** Client: the position in the output at which the request begins. */
  position: number;

  // Content-Length against content, each way (semantics/content-length.ts has the rule).
  recvDeclared: number;
  recvCounted: number;
  sendDeclared: number;
  sendCounted: number;

  // Receive window (receive-windows.ts).
  recvWindow: number;
  /** How large the window is to be. */
  recvTarget: number;
  /** Consumed and not given back yet. */
  recvDue: number;
  unconsumed: number;
  smallPieces: number;
  /** Server: what came for a tunnel that was not accepted yet. */
  held: RingQueue<Uint8Array> | undefined;
  /** In the list of windows to be given back. */
  recvListed: boolean;

  // Send window and queue (send-queue.ts, ../send-order.ts).
  sendWindow: number;
  first: Uint8Array | undefined;
  /** How much of `first` was sent. */
  firstSent: number;
  rest: RingQueue<Uint8Array> | undefined;
  queued: number;
  trailers: HeaderList | undefined;
  /** The room had run out, and StreamWritable is owed. */
  blocked: boolean;
  urgency: number;
  incremental: boolean;
  // The scheduler's.
  heapIndex: number;
  next: Stream | undefined;
  previous: Stream | undefined;

  /** What is waited for (stall-watch.ts). */
  watch: Watch<Stream> | undefined;

  constructor(id: number, recvWindow: number, recvTarget: number, sendWindow: number) {
    this.id = id;
    this.recv = Recv.head;
    this.send = Send.head;
    this.closed = Closed.no;
    this.tunnel = Tunnel.none;
    this.headRequest = false;
    this.noContent = false;
    this.handlerLive = false;
    this.interim = 0;
    this.position = 0;
    this.recvDeclared = UNDECLARED;
    this.recvCounted = 0;
    this.sendDeclared = UNDECLARED;
    this.sendCounted = 0;
    this.recvWindow = recvWindow;
    this.recvTarget = recvTarget;
    this.recvDue = 0;
    this.unconsumed = 0;
    this.smallPieces = 0;
    this.held = undefined;
    this.recvListed = false;
    this.sendWindow = sendWindow;
    this.first = undefined;
    this.firstSent = 0;
    this.rest = undefined;
    this.queued = 0;
    this.trailers = undefined;
    this.blocked = false;
    this.urgency = DEFAULT_URGENCY;
    this.incremental = false;
    this.heapIndex = -1;
    this.next = undefined;
    this.previous = undefined;
    this.watch = undefined;
  }
}
