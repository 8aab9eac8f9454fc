/**
 * One stream of a session.
 *
 * Owns: how far both directions are, what may be submitted when (RFC 9110 section 6), the pausing of Node's stream while
 * its reader does not consume. Does not own the events' order in the connection (session-engine.ts).
 *
 * @module
 */
import type { Http2Stream } from 'node:http2';
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import { ContentLedger, trailersProblem, UNDECLARED } from '../../protocols/semantics/index.ts';
import { toNodeHeaders } from './node-headers.ts';

/** A stream and its two directions. */
export class SessionStream {
  readonly id: number;
  readonly method: string;
  /** Node's stream; absent while the request waits to be opened. */
  node: Http2Stream | undefined;
  /** The stream is to carry raw bytes, or does. */
  tunnel: 'no' | 'asked' | 'open';
  /** The final head has been sent: content may follow. */
  headSent: boolean;
  /** This side's direction has ended. */
  sent: boolean;
  /** The last of it is out. */
  flushed: boolean;
  /** The peer's direction has ended. */
  received: boolean;
  /** The final head has come. */
  headReceived: boolean;
  /** StreamWritable is owed. */
  blocked: boolean;
  /** Given up by this side. */
  reset: boolean;
  interim: number;
  contentBytes: number;
  /** What the peer declared. */
  declared: number;
  unconsumed: number;
  /** Content is taken and not sent: the answer to HEAD. */
  dropsData: boolean;
  /** The head ended the message, whatever is submitted behind it. */
  silent: boolean;
  #trailers: HeaderList | undefined;
  readonly #ledger: ContentLedger;

  constructor(id: number, method: string, node: Http2Stream | undefined) {
    this.id = id;
    this.method = method;
    this.node = node;
    this.tunnel = method === 'CONNECT' ? 'asked' : 'no';
    this.headSent = false;
    this.sent = false;
    this.flushed = false;
    this.received = false;
    this.headReceived = false;
    this.blocked = false;
    this.reset = false;
    this.interim = 0;
    this.contentBytes = 0;
    this.declared = UNDECLARED;
    this.unconsumed = 0;
    this.dropsData = false;
    this.silent = false;
    this.#trailers = undefined;
    this.#ledger = new ContentLedger();
  }

  /** The head was sent. `contentLength`: as declared. */
  begin(contentLength: number, endStream: boolean): void {
    this.headSent = true;
    this.#ledger.begin(this.silent ? UNDECLARED : contentLength);
    if (endStream) this.sent = true;
    if (endStream || this.silent) this.flushed = true;
  }

  /** The room of Node's buffer. */
  capacity(sendBufferBytes: number): number {
    if (!this.#maySend()) return 0;
    return Math.max(0, sendBufferBytes - (this.node?.writableLength ?? 0));
  }

  /** Sends content, or a tunnel's bytes. @throws LocalProtocolError */
  send(data: Uint8Array, endStream: boolean, capacity: number): void {
    this.#checkOpen();
    const { remaining, declared } = this.#ledger;
    if (this.silent && data.length > 0 && !this.dropsData) throw new LocalProtocolError('this message has no content');
    if (!this.silent && data.length > remaining) {
      throw new LocalProtocolError(`more content than its content-length (${String(declared)})`);
    }
    if (!this.silent && endStream && declared !== UNDECLARED && data.length < remaining) {
      throw new LocalProtocolError(`less content than its content-length (${String(declared)})`);
    }
    if (data.length > 0 && capacity === 0) throw new LocalProtocolError('the send buffer is full');
    if (!this.silent) this.#ledger.count(data.length);
    if (endStream) this.sent = true;
    if (this.silent) return;
    if (data.length > 0) this.node?.write(data);
    if (endStream) this.node?.end();
  }

  /** Sends trailers. @throws LocalProtocolError */
  sendTrailers(headers: HeaderList): void {
    this.#checkOpen();
    if (this.tunnel === 'open') throw new LocalProtocolError('a tunnel has no trailers');
    const problem = trailersProblem(headers);
    if (problem !== undefined) throw new LocalProtocolError(problem);
    if (!this.silent && !this.#ledger.balanced) {
      throw new LocalProtocolError(`less content than its content-length (${String(this.#ledger.declared)})`);
    }
    this.sent = true;
    this.#trailers = headers;
    if (!this.silent) this.node?.end();
  }

  /** Node asks for the trailers behind the last content; without any it ends the stream. */
  trailersWanted(): void {
    const { node } = this;
    if (node === undefined || node.destroyed || node.closed) return;
    node.sendTrailers(toNodeHeaders(this.#trailers ?? []));
  }

  /** Content came. `limit`: how much may stay unconsumed. */
  gave(length: number, limit: number): void {
    this.contentBytes += length;
    this.unconsumed += length;
    if (this.unconsumed >= limit) this.node?.pause();
  }

  /** Content was consumed. */
  consumed(length: number, limit: number): void {
    this.unconsumed = Math.max(0, this.unconsumed - Math.max(0, length));
    if (this.unconsumed < limit && this.node?.isPaused() === true) this.node.resume();
  }

  #maySend(): boolean {
    return this.headSent && !this.sent && this.tunnel !== 'asked' && !this.reset;
  }

  #checkOpen(): void {
    if (this.sent) throw new LocalProtocolError('the message has ended');
    if (this.tunnel === 'asked') throw new LocalProtocolError('the tunnel has not been accepted yet');
    if (!this.headSent) throw new LocalProtocolError('the final response has to be submitted first');
  }
}
