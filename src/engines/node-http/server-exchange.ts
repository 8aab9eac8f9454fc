/**
 * One request that a server has surfaced, and its response.
 *
 * Owns: what the application submits for it, turned into calls of Node's ServerResponse, and how far both directions
 * are. What Node has no call for (a tunnel's acceptance, 1xx other than a bare 100) is written to the socket as text.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import type { SubmitHeadersOptions } from '../../protocols/index.ts';
import type { EngineSocket } from '../engine-socket.ts';
import { nodeFields } from './fields.ts';
import { OutgoingContent } from './outgoing-content.ts';
import type { ReceivedRequest } from './received-heads.ts';
import type { ResponsePlan } from './submitted-heads.ts';
import { headText, planInterim, planResponse } from './submitted-heads.ts';

/** How Node told of the request: as a message, or with the socket handed over. */
export type RequestKind = 'message' | 'connect' | 'upgrade';

/** A request and its response. */
export class ServerExchange {
  readonly streamId: number;
  readonly kind: RequestKind;
  readonly head: ReceivedRequest;
  readonly message: IncomingMessage;
  /** Where the response goes: Node's object, absent as long as the socket was handed over. */
  response: ServerResponse | undefined;
  /** The client waits for 100. */
  continueDue: boolean;
  /** The request has been surfaced whole. */
  requestComplete: boolean;
  /** The response has been submitted whole. */
  responseComplete: boolean;
  /** The application is done with it. */
  handlerEnded: boolean;
  /** The connection ends with it. */
  last: boolean;
  /** Content that came so far. */
  received: number;
  /** The final head was given to Node and not written yet. */
  headHeld: boolean;
  #content: OutgoingContent | undefined;

  constructor(
    streamId: number,
    kind: RequestKind,
    head: ReceivedRequest,
    message: IncomingMessage,
    response: ServerResponse | undefined,
  ) {
    this.streamId = streamId;
    this.kind = kind;
    this.head = head;
    this.message = message;
    this.response = response;
    this.continueDue = head.expectsContinue;
    this.requestComplete = !head.hasContent;
    this.responseComplete = false;
    this.handlerEnded = false;
    this.last = !head.persistent || kind === 'connect';
    this.received = 0;
    this.headHeld = false;
    this.#content = undefined;
  }

  /** Whether the final head has been submitted. */
  get answered(): boolean {
    return this.#content !== undefined;
  }

  /** Judges a final head; nothing is changed. @throws LocalProtocolError */
  plan(headers: HeaderList, options: SubmitHeadersOptions): ResponsePlan {
    if (this.#content !== undefined) throw new LocalProtocolError('the final response was submitted before');
    return planResponse(headers, options, this.head, this.requestComplete);
  }

  /** Opens the tunnel that the plan accepts. */
  openTunnel(plan: ResponsePlan, socket: EngineSocket): void {
    this.#content = new OutgoingContent('tunnel', -1, false);
    this.last = true;
    this.requestComplete = false;
    socket.write(headText(plan.status, plan.fields), 'latin1');
  }

  /** Gives Node a final head. `shutdown`: no request may follow. */
  answer(plan: ResponsePlan, endStream: boolean, shutdown: boolean): void {
    const response = this.response as ServerResponse;
    this.#content = new OutgoingContent(plan.framing, plan.contentLength, this.head.method === 'HEAD');
    // What is left of the request may never be read, and the client is to know before it uses the connection again.
    if (shutdown || this.continueDue || !this.message.complete) this.last = true;
    if (plan.framing === 'close') this.last = true;
    if (this.last) response.shouldKeepAlive = false;
    response.writeHead(plan.status, [...plan.fields]);
    this.headHeld = true;
    if (endStream) {
      this.#content.wrote(0, true);
      this.#end();
    }
  }

  /** Sends a 1xx response. @throws LocalProtocolError */
  inform(headers: HeaderList, rawNames: readonly string[] | undefined, socket: EngineSocket): void {
    if (this.#content !== undefined) throw new LocalProtocolError('the final response was submitted before');
    const { status, fields } = planInterim(headers, rawNames);
    if (this.head.httpVersion === '1.0') return;
    if (status === 100) this.continueDue = false;
    if (status === 100 && fields.length === 0 && this.response !== undefined) this.response.writeContinue();
    else socket.write(headText(status, fields), 'latin1');
  }

  /** Sends content, or a tunnel's bytes. `capacity`: the room there is. @throws LocalProtocolError */
  send(data: Uint8Array, endStream: boolean, capacity: number, socket: EngineSocket): void {
    const content = this.#content;
    if (content === undefined) throw new LocalProtocolError('the final response has to be submitted first');
    content.data(data.length, endStream);
    if (data.length > 0 && capacity === 0) throw new LocalProtocolError('the send buffer is full');
    content.wrote(data.length, endStream);
    if (content.framing === 'tunnel') {
      if (data.length > 0) socket.write(data);
      if (endStream) socket.end();
      this.responseComplete = endStream;
      return;
    }
    this.headHeld = this.headHeld && data.length === 0;
    if (data.length > 0 && !content.dropsData) this.response?.write(data);
    if (endStream) this.#end();
  }

  /** Sends trailers, where the message has room for them. @throws LocalProtocolError */
  sendTrailers(headers: HeaderList, rawNames: readonly string[] | undefined): void {
    const content = this.#content;
    if (content === undefined) throw new LocalProtocolError('the final response has to be submitted first');
    content.trailers(headers, rawNames);
    if (content.framing === 'chunked') {
      const flat = nodeFields(headers, 0, rawNames);
      const pairs = Array.from({ length: flat.length / 2 }, (_, index) => flat.slice(index * 2, index * 2 + 2));
      this.response?.addTrailers(pairs as [string, string][]);
    }
    this.#end();
  }

  /** Lets Node write a head that nothing has followed yet. */
  flush(): void {
    if (!this.headHeld) return;
    this.headHeld = false;
    this.response?.flushHeaders();
  }

  /** What Node and its socket hold of the response. */
  heldBytes(socket: EngineSocket): number {
    return this.response === undefined ? socket.writableLength : this.response.writableLength;
  }

  #end(): void {
    this.headHeld = false;
    this.responseComplete = true;
    this.response?.end();
  }
}
