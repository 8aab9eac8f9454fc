/**
 * Events of the transport, handed to the parts that they are about.
 *
 * Owns: whose a stream is: one of this side's critical ones, a request, one that is lent, or another of the peer's. Does
 * not own what any of them means.
 *
 * @module
 */
import { streamsAvailable, streamWritable } from '../events.ts';
import type { QuicConnectionClosed, QuicEvent } from '../quic-transport.ts';
import { Http3ErrorCode } from '../semantics/index.ts';
import type { ClaimedStreams } from './claimed-streams.ts';
import type { Core } from './core.ts';
import type { CriticalStreams } from './critical-streams.ts';
import type { Datagrams } from './datagrams.ts';
import { connectionFault } from './faults.ts';
import { isRequestStream } from './frame-types.ts';
import type { IncomingStreams } from './incoming-streams.ts';
import type { Receiver } from './receiver.ts';
import { Send, Tunnel } from './stream.ts';

const { H3_CLOSED_CRITICAL_STREAM } = Http3ErrorCode;

/** Who acts upon what concerns the connection. */
export interface EventOwner {
  handshakeCompleted(): void;
  /** Client: what was sent early is as if it had never been. */
  earlyDataRejected(): void;
  connectionClosed(event: QuicConnectionClosed): void;
}

/** Takes events. */
export class EventDispatch {
  readonly #core: Core;
  readonly #critical: CriticalStreams;
  readonly #receiver: Receiver;
  readonly #incoming: IncomingStreams;
  readonly #claimed: ClaimedStreams;
  readonly #datagrams: Datagrams;
  readonly #owner: EventOwner;

  constructor(
    core: Core,
    critical: CriticalStreams,
    receiver: Receiver,
    incoming: IncomingStreams,
    claimed: ClaimedStreams,
    datagrams: Datagrams,
    owner: EventOwner,
  ) {
    this.#core = core;
    this.#critical = critical;
    this.#receiver = receiver;
    this.#incoming = incoming;
    this.#claimed = claimed;
    this.#datagrams = datagrams;
    this.#owner = owner;
  }

  /** Takes one. Throws what ends the connection. */
  take(event: QuicEvent): void {
    const core = this.#core;
    switch (event.type) {
      case 'QuicStreamReceived':
        this.#received(event.streamId, event.data, event.fin, event.early);
        return;
      case 'QuicStreamResetReceived':
        this.#wasReset(event.streamId, event.errorCode);
        return;
      case 'QuicStopSendingReceived':
        this.#wasStopped(event.streamId, event.errorCode);
        return;
      case 'QuicStreamWritable':
        this.#writable(event.streamId);
        return;
      case 'QuicStreamClosed':
        this.#over(event.streamId);
        return;
      case 'QuicStreamsAvailable':
        if (!event.bidirectional) this.#critical.open();
        else if (core.role === 'client') core.events.push(streamsAvailable(event.count));
        return;
      case 'QuicDatagramReceived':
        this.#datagrams.received(event.data);
        return;
      case 'QuicEarlyDataRejected':
        this.#owner.earlyDataRejected();
        return;
      case 'QuicConnectionClosed':
        this.#owner.connectionClosed(event);
        return;
      case 'HandshakeCompleted':
        this.#owner.handshakeCompleted();
        core.events.push(event);
        return;
      default:
        core.events.push(event);
    }
  }

  #received(streamId: number, data: Uint8Array, fin: boolean, early: boolean): void {
    if (this.#claimed.has(streamId)) this.#claimed.received(streamId, data, fin);
    else if (isRequestStream(streamId)) this.#receiver.streamReceived(streamId, data, fin, early);
    else this.#incoming.received(streamId, data, fin);
  }

  #wasReset(streamId: number, code: number): void {
    if (this.#claimed.has(streamId)) this.#claimed.wasReset(streamId, code);
    else if (isRequestStream(streamId)) this.#receiver.resetReceived(streamId, code);
    else this.#incoming.wasReset(streamId);
  }

  #wasStopped(streamId: number, code: number): void {
    if (this.#critical.owns(streamId)) {
      throw connectionFault(H3_CLOSED_CRITICAL_STREAM, 'the peer gave up a stream that the connection needs');
    }
    const stream = this.#core.streams.get(streamId);
    if (stream !== undefined) this.#receiver.stopReceived(stream, code);
  }

  #writable(streamId: number): void {
    const stream = this.#core.find(streamId);
    if (stream?.told !== true || stream.send !== Send.content || stream.tunnel === Tunnel.asked) return;
    this.#core.events.push(streamWritable(streamId));
  }

  #over(streamId: number): void {
    const stream = this.#core.streams.get(streamId);
    if (stream !== undefined) this.#core.streamOver(stream);
    this.#claimed.over(streamId);
    this.#incoming.over(streamId);
  }
}
