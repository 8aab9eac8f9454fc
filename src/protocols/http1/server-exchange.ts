/**
 * The exchange that a server has at hand: its stream, its state, and what the connection does after it.
 *
 * Owns: the stream's facts and its closing events. Does not own reading (server-receiver.ts), writing
 * (server-responder.ts) nor the connection's end (server.ts), which looks at {@link ServerExchange.connectionOver} after
 * each step.
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import type { RingQueue } from '../../wire/index.ts';
import type { HttpEvent } from '../events.ts';
import { streamClosed, streamResetReceived, streamResetSent } from '../events.ts';
import { ServerState } from './state.ts';

/** One exchange after the other. */
export class ServerExchange {
  readonly state: ServerState;
  /** The id of the request surfaced last; 0 before the first. */
  streamId: number;
  /** Whether that stream has not had its StreamClosed. */
  open: boolean;
  /** The position in the output where its response begins. */
  start: number;
  /** The client waits for 100 before it sends content. */
  continueDue: boolean;
  /** The application is done with it. */
  handlerEnded: boolean;
  /** The stream carries raw bytes. */
  tunnel: boolean;
  /** The connection ends with this exchange. */
  last: boolean;
  /** The last exchange has ended: the engine is to finish. */
  connectionOver: boolean;
  readonly #events: RingQueue<HttpEvent>;
  /** The stream that was reset, -1 for none: its submits are ignored. */
  #resetId: number;

  constructor(events: RingQueue<HttpEvent>) {
    this.state = new ServerState();
    this.streamId = 0;
    this.open = false;
    this.start = 0;
    this.continueDue = false;
    this.handlerEnded = false;
    this.tunnel = false;
    this.last = false;
    this.connectionOver = false;
    this.#events = events;
    this.#resetId = -1;
  }

  /**
   * Goes on with a connection that waits for its next request.
   *
   * @param streamId - of its last request, 0 for none
   */
  resume(streamId: number): void {
    this.streamId = streamId;
    this.open = false;
    this.start = 0;
    this.continueDue = false;
    this.handlerEnded = false;
  }

  /** A request was read; answers its stream's id. */
  begin(hasBody: boolean, continueDue: boolean, outputPosition: number): number {
    this.state.requestHead(hasBody);
    this.streamId += 1;
    this.open = true;
    this.start = outputPosition;
    this.continueDue = continueDue;
    this.handlerEnded = false;
    return this.streamId;
  }

  /**
   * Whether a submit concerns the open stream. False: it is to be ignored, since the stream was reset.
   *
   * @throws LocalProtocolError when there is no such stream, or it ended in good order
   */
  reaches(streamId: number): boolean {
    if (streamId === this.streamId && this.open) return true;
    if (streamId === this.#resetId) return false;
    if (streamId >= 1 && streamId <= this.streamId)
      throw new LocalProtocolError(`stream ${String(streamId)} has ended`);
    throw new LocalProtocolError(`there is no stream ${String(streamId)}`);
  }

  /** Closes the stream and makes way for the next when both directions are done. */
  endIfOver(): void {
    if (!this.state.exchangeOver) return;
    this.open = false;
    this.#events.push(streamClosed(this.streamId));
    if (this.last) this.endConnection();
    else this.state.exchangeEnds();
  }

  /** Whether nothing is under way and the connection goes on. */
  get idle(): boolean {
    const { receive, send } = this.state;
    return receive === 'idle' && send === 'idle' && !this.last && !this.connectionOver && !this.tunnel;
  }

  /** No message passes any more. */
  endConnection(): void {
    this.state.ends();
    this.connectionOver = true;
  }

  /** Resets the open stream, if there is one. `byPeer`: the peer gave it up, not this side. */
  reset(errorCode: number, error: HfaceError, byPeer: boolean): void {
    if (this.open) {
      const id = this.streamId;
      this.#events.push(
        byPeer ? streamResetReceived(id, errorCode, 'maybe', error) : streamResetSent(id, errorCode, error),
      );
      this.#events.push(streamClosed(id));
      this.open = false;
      this.#resetId = id;
    }
    this.state.ends();
  }
}
