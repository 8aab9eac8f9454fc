/**
 * Feeds bytes to an HTTP/2 engine and collects what it told and what it sent: what the vector tests compare.
 *
 * @module
 */
import type { HttpEvent, HttpOverTcpProtocol, ProtocolContext } from '../../../src/protocols/index.ts';
import { Http2ClientFactory, http2ErrorCodes, Http2ServerFactory } from '../../../src/protocols/http2/index.ts';
import { framesOf, FrameTeller, PREFACE } from './http2-frames.ts';

/** When requests are answered: as soon as they are whole, or not before all input has come. */
export type Answers = 'at once' | 'at the end';

/** All that came of some bytes. */
export interface Seen {
  /** What the engine told, content of one stream put together. */
  readonly told: string[];
  /** The frames that it sent, in words. */
  readonly sent: string[];
  /** The code by which the connection ended, or `undefined`. */
  readonly ended: string | undefined;
  /** Why. */
  readonly reason: string | undefined;
}

const context: ProtocolContext = {
  secure: false,
  alpn: undefined,
  epochOffset: 0,
  random: { fill: (target) => target.fill(7) },
};

/** More events than this for one chunk are a loop. */
const MOST_EVENTS = 100_000;

/** A server engine's view of some chunks. */
export function readRequests(chunks: readonly Uint8Array[], answers: Answers = 'at once', end = true): Seen {
  return new Side(new Http2ServerFactory().create(context, 0), answers).run(chunks, end);
}

/** A client engine's view of some chunks, as the answers to a GET, a POST and a HEAD request. */
export function readResponses(chunks: readonly Uint8Array[], end = true): Seen {
  return new Side(new Http2ClientFactory().create(context, 0), 'at once').run(chunks, end);
}

class Side {
  readonly #engine: HttpOverTcpProtocol;
  readonly #answers: Answers;
  readonly #seen: { told: string[]; sent: string[]; ended: string | undefined; reason: string | undefined };
  readonly #teller: FrameTeller;
  readonly #whole: number[];
  readonly #content: Map<number, string>;
  #output: Uint8Array;
  #now: number;

  constructor(engine: HttpOverTcpProtocol, answers: Answers) {
    this.#engine = engine;
    this.#answers = answers;
    this.#seen = { told: [], sent: [], ended: undefined, reason: undefined };
    this.#teller = new FrameTeller();
    this.#whole = [];
    this.#content = new Map();
    this.#output = new Uint8Array(0);
    this.#now = 1;
  }

  run(chunks: readonly Uint8Array[], end: boolean): Seen {
    if (this.#engine.role === 'client') this.#request();
    this.#settle(false);
    for (const chunk of chunks) {
      this.#now += 0.01;
      this.#engine.bytesReceived(Uint8Array.from(chunk), this.#now);
      this.#settle(this.#answers === 'at once');
    }
    this.#settle(true);
    if (end) {
      this.#engine.eofReceived(this.#now);
      this.#settle(true);
    }
    return this.#seen;
  }

  #request(): void {
    for (const method of ['GET', 'POST', 'HEAD']) {
      const streamId = this.#engine.getAvailableStreamId();
      const head = [':method', method, ':scheme', 'https', ':authority', 'example.com', ':path', '/'];
      this.#engine.submitHeaders(streamId, head, { endStream: method !== 'POST' });
      if (method === 'POST') this.#engine.submitData(streamId, new Uint8Array(5), { endStream: true });
    }
  }

  #settle(answer: boolean): void {
    for (let before = -1, count = 0; before !== count;) {
      before = count;
      for (let event = this.#engine.nextEvent(); event !== undefined; event = this.#engine.nextEvent()) {
        this.#take(event);
        count += 1;
        if (count > MOST_EVENTS) throw new Error('events without end');
      }
      if (answer) for (const streamId of this.#whole.splice(0)) this.#answer(streamId);
      this.#flush();
    }
  }

  #answer(streamId: number): void {
    this.#engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
    this.#engine.submitData(streamId, Uint8Array.from(Buffer.from('hello')), { endStream: true });
    this.#engine.submitHandlerEnd(streamId);
  }

  #take(event: HttpEvent): void {
    const { told } = this.#seen;
    switch (event.type) {
      case 'HeadersReceived':
      case 'InformationalReceived':
      case 'TrailersReceived': {
        const end = event.type === 'TrailersReceived' || (event.type === 'HeadersReceived' && event.endStream);
        this.#tellContent(event.streamId);
        told.push(`${event.type} ${String(event.streamId)} ${JSON.stringify(event.headers)}${end ? ' end' : ''}`);
        if (end) this.#complete(event.streamId);
        return;
      }
      case 'DataReceived':
        this.#engine.dataConsumed(event.streamId, event.flowControlledLength);
        this.#content.set(
          event.streamId,
          (this.#content.get(event.streamId) ?? '') + Buffer.from(event.data).toString('latin1'),
        );
        if (event.endStream) {
          this.#tellContent(event.streamId);
          this.#complete(event.streamId);
        }
        return;
      case 'StreamResetReceived':
      case 'StreamResetSent':
        this.#tellContent(event.streamId);
        told.push(`${event.type} ${String(event.streamId)} ${http2ErrorCodes.name(event.errorCode)}`);
        this.#gone(event.streamId);
        return;
      case 'ConnectionTerminated':
        this.#seen.ended = http2ErrorCodes.name(event.errorCode);
        this.#seen.reason = event.reason;
        return;
      default:
    }
  }

  #tellContent(streamId: number): void {
    const content = this.#content.get(streamId);
    if (content === undefined) return;
    this.#content.delete(streamId);
    this.#seen.told.push(`content ${String(streamId)} ${JSON.stringify(content)}`);
  }

  #complete(streamId: number): void {
    if (this.#engine.role === 'server') this.#whole.push(streamId);
  }

  #gone(streamId: number): void {
    const index = this.#whole.indexOf(streamId);
    if (index >= 0) this.#whole.splice(index, 1);
    if (this.#engine.role === 'server') this.#engine.submitHandlerEnd(streamId);
  }

  #flush(): void {
    for (
      let pieces = this.#engine.bytesToSend(this.#now);
      pieces?.length;
      pieces = this.#engine.bytesToSend(this.#now)
    ) {
      this.#output = Uint8Array.from(Buffer.concat([this.#output, ...pieces]));
    }
    if (this.#engine.role === 'client' && this.#output.length >= PREFACE.length && this.#output[0] === PREFACE[0]) {
      this.#output = this.#output.slice(PREFACE.length);
    }
    const frames = framesOf(this.#output);
    let size = 0;
    for (const frame of frames) {
      size += 9 + frame.payload.length;
      this.#seen.sent.push(this.#teller.tell(frame));
    }
    this.#output = this.#output.slice(size);
  }
}
