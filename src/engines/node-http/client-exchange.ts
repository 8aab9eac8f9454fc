/**
 * One request that a client has opened.
 *
 * Owns: what the application submits for it, turned into calls of Node's ClientRequest, and how far both directions are.
 *
 * @module
 */
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import type { EngineSocket } from '../engine-socket.ts';
import { nodeFields } from './fields.ts';
import { OutgoingContent } from './outgoing-content.ts';
import type { ReceivedResponse } from './received-heads.ts';
import type { RequestPlan } from './submitted-heads.ts';

/** A request and what is known of its response. */
export class ClientExchange {
  readonly streamId: number;
  readonly plan: RequestPlan;
  readonly request: ClientRequest;
  /** Something of it has reached the driver. */
  sent: boolean;
  /** The request was submitted whole. */
  requestComplete: boolean;
  /** The final head. */
  response: ReceivedResponse | undefined;
  /** Node's object for the response. */
  message: IncomingMessage | undefined;
  /** The response has been surfaced whole. */
  responseComplete: boolean;
  /** Bytes came that no event has told. */
  partial: boolean;
  /** How many interim responses came. */
  interim: number;
  /** Content that came so far. */
  received: number;
  #content: OutgoingContent | undefined;
  #headHeld: boolean;

  constructor(streamId: number, plan: RequestPlan, request: ClientRequest) {
    this.streamId = streamId;
    this.plan = plan;
    this.request = request;
    this.sent = false;
    this.requestComplete = plan.framing === 'none';
    this.response = undefined;
    this.message = undefined;
    this.responseComplete = false;
    this.partial = false;
    this.interim = 0;
    this.received = 0;
    this.#content = plan.framing === 'none' ? undefined : new OutgoingContent(plan.framing, plan.contentLength, false);
    this.#headHeld = !this.requestComplete;
  }

  /** Whether content, or a tunnel's bytes, may be sent. */
  get sendsContent(): boolean {
    return this.#content?.open === true;
  }

  /** Lets Node write the head, when it may. */
  begin(): void {
    if (this.requestComplete) this.request.end();
  }

  /** Lets Node write a head that nothing has followed yet. */
  flush(): void {
    if (!this.#headHeld) return;
    this.#headHeld = false;
    this.request.flushHeaders();
  }

  /** The server has accepted the tunnel. */
  openTunnel(): void {
    this.#content = new OutgoingContent('tunnel', -1, false);
    this.requestComplete = false;
  }

  /** Sends content, or a tunnel's bytes. `capacity`: the room there is. @throws LocalProtocolError */
  send(data: Uint8Array, endStream: boolean, capacity: number, socket: EngineSocket): void {
    const content = this.#open();
    content.data(data.length, endStream);
    if (data.length > 0 && capacity === 0) throw new LocalProtocolError('the send buffer is full');
    content.wrote(data.length, endStream);
    this.requestComplete = endStream;
    if (content.framing === 'tunnel') {
      if (data.length > 0) socket.write(data);
      if (endStream) socket.end();
      return;
    }
    if (data.length > 0) {
      this.#headHeld = false;
      this.request.write(data);
    }
    if (endStream) this.#end();
  }

  /** Sends trailers. @throws LocalProtocolError */
  sendTrailers(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    this.#open().trailers(headers, rawNames);
    const flat = nodeFields(headers, 0, rawNames);
    const pairs = Array.from({ length: flat.length / 2 }, (_, index) => flat.slice(index * 2, index * 2 + 2));
    this.request.addTrailers(pairs as [string, string][]);
    this.requestComplete = true;
    this.#end();
  }

  /** What Node and its socket hold of the request. */
  heldBytes(socket: EngineSocket): number {
    return this.#content?.framing === 'tunnel' ? socket.writableLength : this.request.writableLength;
  }

  #end(): void {
    this.#headHeld = false;
    this.request.end();
  }

  #open(): OutgoingContent {
    const content = this.#content;
    if (content !== undefined) return content;
    // RFC 9931: what is sent before the server has agreed could be read as a request.
    const waiting = this.plan.method === 'CONNECT' || this.plan.upgrade.length > 0;
    throw new LocalProtocolError(waiting ? 'the tunnel has not been accepted yet' : 'the request has ended');
  }
}
