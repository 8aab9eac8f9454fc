/**
 * The client's side of an HTTP/2 connection.
 *
 * Decisions that the RFCs leave open:
 * - Before the server's SETTINGS have come as many requests are opened as our own limit allows: what is too many comes
 *   back as REFUSED_STREAM, which is not processed.
 * - `endStream` on CONNECT says nothing of the tunnel, as on HTTP/1; an answer that refuses it ends the request.
 * - Nothing is sent into a tunnel before the server has accepted it (RFC 9931).
 * - `processed` is `'no'` where the server said so, and for a request of which the driver took no octet.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import { ByteWriter } from '../../wire/index.ts';
import type { HttpOverTcpProtocol, SubmitHeadersOptions } from '../http-protocol.ts';
import { checkUrgency, formatPriority, planRequest, requestForm } from '../semantics/index.ts';
import type { Core } from './core.ts';
import { Http2Engine } from './engine.ts';
import { ClientReceiver } from './client-receiver.ts';
import { FrameType, LARGEST_STREAM_ID } from './frame-types.ts';
import type { Http2ClientLimits } from './limits.ts';
import { Tunnel } from './stream.ts';

/** The client engine. Made by `Http2ClientFactory`. */
export class Http2Client extends Http2Engine implements HttpOverTcpProtocol {
  readonly role = 'client' as const;

  constructor(limits: Http2ClientLimits, secure: boolean, now: number) {
    super('client', limits, secure, now, (core: Core) => new ClientReceiver(core, limits));
  }

  /** Whether a request can be opened now. */
  isAvailable(): boolean {
    const { open, peer, limits } = this.core;
    return !this.hasExpired() && open < limits.maxConcurrentStreams && open < peer.maxConcurrentStreams;
  }

  /** Whether no further request can ever be opened. */
  hasExpired(): boolean {
    return !this.running || this.core.highestId >= LARGEST_STREAM_ID;
  }

  /** The id for the next request; the same until it was used. */
  getAvailableStreamId(): number {
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    return this.#nextId();
  }

  /** Opens a request; see `HttpProtocol`. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    const { core } = this;
    if (core.used(streamId)) {
      if (core.reach(streamId) === undefined) return;
      throw new LocalProtocolError('the request was submitted before');
    }
    if (core.terminated) return;
    if (streamId !== this.#nextId()) throw new LocalProtocolError('the id is not that of getAvailableStreamId');
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    const head = planRequest(headers, options, core.peer.enableConnectProtocol, core.sentJudge);
    const { headers: list, priority } = requestForm(headers, head, false);
    const connects = head.method === 'CONNECT';
    const stream = core.openStream(streamId);
    core.highestId = streamId;
    stream.position = core.writer.written;
    stream.headRequest = head.method === 'HEAD';
    if (connects) stream.tunnel = Tunnel.asked;
    if (priority !== undefined) this.sender.prioritise(stream, priority.urgency, priority.incremental);
    this.sender.submitHead(stream, list, head.contentLength, options.endStream && !connects, false);
  }

  /** Clients send no responses. */
  submitInformational(_streamId: number, _headers: HeaderList, _rawNames?: readonly string[]): void {
    throw new LocalProtocolError('a client sends no informational responses');
  }

  /** A client has no handlers. */
  submitHandlerEnd(_streamId: number): void {
    // Nothing is owed.
  }

  /** Tells the server by PRIORITY_UPDATE (RFC 9218 section 7.1), and sends the request's own content so. */
  override submitPriority(streamId: number, urgency: number, incremental: boolean): void {
    const stream = this.core.reach(streamId);
    checkUrgency(urgency);
    if (stream === undefined) return;
    this.sender.prioritise(stream, urgency, incremental);
    const payload = new ByteWriter();
    payload.writeUint32(streamId);
    payload.writeLatin1(formatPriority(urgency, incremental));
    this.core.writer.writeBuilt(FrameType.priorityUpdate, 0, payload);
  }

  #nextId(): number {
    const { highestId } = this.core;
    return highestId === 0 ? 1 : highestId + 2;
  }
}
