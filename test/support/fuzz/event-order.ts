/**
 * Watches the events of an engine that has streams, and says where they break the contract of events.ts: heads before
 * content before ends, nothing behind a stream's `StreamClosed` nor behind `ConnectionTerminated`.
 *
 * @module
 */
import type { HttpEvent } from '../../../src/protocols/index.ts';

interface Told {
  head: boolean;
  ended: boolean;
  reset: boolean;
  closed: boolean;
  tunnel: boolean;
}

/** One engine's events. */
export class EventOrder {
  readonly #role: 'client' | 'server';
  readonly #streams: Map<number, Told>;
  #terminated: boolean;

  constructor(role: 'client' | 'server') {
    this.#role = role;
    this.#streams = new Map();
    this.#terminated = false;
  }

  /** Whether the connection has ended. */
  get terminated(): boolean {
    return this.#terminated;
  }

  /** The streams that were told of and not closed. */
  get open(): number[] {
    return [...this.#streams].filter(([, told]) => !told.closed).map(([streamId]) => streamId);
  }

  /** A client opened a stream. */
  opened(streamId: number): void {
    this.#streams.set(streamId, { head: false, ended: false, reset: false, closed: false, tunnel: false });
  }

  /** Throws where the event should not have come. */
  take(event: HttpEvent): void {
    if (this.#terminated) throw new Error(`${event.type} behind ConnectionTerminated`);
    if (event.type === 'ConnectionTerminated') {
      this.#terminated = true;
      return;
    }
    if (event.type === 'HeadersReceived' && this.#role === 'server' && !this.#streams.has(event.streamId)) {
      this.opened(event.streamId);
    }
    if (!('streamId' in event) || (event.type === 'AltSvcReceived' && event.streamId === 0)) return;
    const told = this.#streams.get(event.streamId);
    if (told === undefined) {
      if (event.type === 'PriorityUpdated' || event.type === 'AltSvcReceived') return;
      throw new Error(`${event.type} for stream ${String(event.streamId)}, which nobody opened`);
    }
    if (told.closed) throw new Error(`${event.type} behind StreamClosed`);
    this.#takeOn(event, told);
  }

  #takeOn(event: HttpEvent, told: Told): void {
    switch (event.type) {
      case 'InformationalReceived':
        if (told.head || told.reset) throw new Error('InformationalReceived behind the head');
        return;
      case 'HeadersReceived':
        if (told.head || told.reset) throw new Error('a second head');
        told.head = true;
        told.ended = event.endStream;
        // What is sent for a tunnel that is refused is dropped, its end too.
        told.tunnel = event.headers[1] === 'CONNECT';
        return;
      case 'DataReceived':
      case 'TrailersReceived':
        if (!told.head || told.ended || told.reset) throw new Error(`${event.type} out of order`);
        told.ended = event.endStream;
        return;
      case 'StreamResetReceived':
      case 'StreamResetSent':
        if (told.reset) throw new Error('a second reset');
        told.reset = true;
        return;
      case 'StreamWritable':
        if (told.reset) throw new Error('StreamWritable behind a reset');
        return;
      case 'StreamClosed':
        if (!told.ended && !told.reset && !told.tunnel) throw new Error('StreamClosed without an end');
        told.closed = true;
        return;
      default:
    }
  }
}
