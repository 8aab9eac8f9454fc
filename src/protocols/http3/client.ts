/**
 * The client's side of an HTTP/3 connection.
 *
 * Decisions that the RFCs leave open:
 * - Requests are sent before the server's SETTINGS have come (RFC 9114 section 7.2.4.2), extended CONNECT is not.
 * - `endStream` on CONNECT says nothing of the tunnel, as on HTTP/1; an answer that refuses it ends the request.
 * - Nothing is sent into a tunnel before the server has accepted it (RFC 9931).
 * - A request that the server stops reading goes on as far as its response is concerned.
 * - `processed` is `'no'` where the server said so, for early data that it did not take, and for a request of which
 *   nothing was sent.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import type { ProtocolContext } from '../factories.ts';
import type { HttpOverQuicProtocol, SubmitHeadersOptions } from '../http-protocol.ts';
import type { QuicTransport } from '../quic-transport.ts';
import { checkUrgency, FieldJudge, formatPriority, planRequest, requestForm } from '../semantics/index.ts';
import { ClientReceiver } from './client-receiver.ts';
import type { EngineOptions } from './engine.ts';
import { Http3Engine } from './engine.ts';
import type { Http3ClientLimits } from './limits.ts';
import type { Receiver } from './receiver.ts';
import { Tunnel } from './stream.ts';

/** Ids are exact numbers; far below, a connection is replaced. */
const LARGEST_STREAM_ID = 2 ** 52;

/** The client engine. Made by `Http3ClientFactory`. */
export class Http3Client extends Http3Engine implements HttpOverQuicProtocol {
  readonly role = 'client' as const;
  /** A client closes behind its last response. */
  readonly shutdownTimeout: number = 0;
  readonly #transport: QuicTransport;
  readonly #receiver: Receiver;
  readonly #judge: FieldJudge;

  constructor(
    limits: Http3ClientLimits,
    options: EngineOptions,
    transport: QuicTransport,
    context: ProtocolContext,
    now: number,
  ) {
    let receiver: ClientReceiver | undefined;
    super('client', limits, options, transport, context, now, (core, claimed, sender) => {
      receiver = new ClientReceiver(core, claimed, sender, limits);
      return receiver;
    });
    this.#transport = transport;
    this.#receiver = receiver as unknown as ClientReceiver;
    this.#judge = new FieldJudge();
  }

  /** Whether a request can be opened now. */
  isAvailable(): boolean {
    const { open, limits } = this.core;
    const { maxConcurrentStreams } = limits as Http3ClientLimits;
    return !this.hasExpired() && open < maxConcurrentStreams && this.#transport.availableStreams(true) > 0;
  }

  /** Whether no further request can ever be opened. */
  hasExpired(): boolean {
    return !this.running || this.core.nextId >= LARGEST_STREAM_ID;
  }

  /** The id for the next request; the same until it was used. */
  getAvailableStreamId(): number {
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    return this.core.nextId;
  }

  /** Opens a request; see `HttpProtocol`. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    const { core } = this;
    if (core.used(streamId)) {
      if (core.reach(streamId) === undefined) return;
      throw new LocalProtocolError('the request was submitted before');
    }
    if (core.terminated) return;
    if (streamId !== core.nextId) throw new LocalProtocolError('the id is not that of getAvailableStreamId');
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    const head = planRequest(headers, options, core.peer.enableConnectProtocol, this.#judge);
    const { headers: list, priority } = requestForm(headers, head, false);
    const frame = this.sender.encode(list);
    if (this.#transport.openStream(true) !== streamId) throw new Error('the transport counts its streams otherwise');
    const connects = head.method === 'CONNECT';
    const stream = core.openStream(streamId, this.#receiver);
    stream.told = true;
    stream.early = !this.#transport.handshakeComplete && this.#transport.earlyDataAvailable;
    stream.headRequest = head.method === 'HEAD';
    stream.extended = head.protocol !== undefined;
    if (connects) stream.tunnel = Tunnel.asked;
    if (priority !== undefined) this.sender.prioritise(stream, priority.urgency, priority.incremental);
    this.sender.submitHead(stream, frame, head.contentLength, options.endStream && !connects, false);
  }

  /** Clients send no responses. */
  submitInformational(_streamId: number, _headers: HeaderList, _rawNames?: readonly string[]): void {
    throw new LocalProtocolError('a client sends no informational responses');
  }

  /** A client has no handlers. */
  submitHandlerEnd(_streamId: number): void {
    // Nothing is owed.
  }

  /** Tells the server by PRIORITY_UPDATE (RFC 9218 section 7.2), and sends the request's own content so. */
  override submitPriority(streamId: number, urgency: number, incremental: boolean): void {
    const stream = this.core.reach(streamId);
    checkUrgency(urgency);
    if (stream === undefined) return;
    this.sender.prioritise(stream, urgency, incremental);
    this.critical.writePriorityUpdate(streamId, formatPriority(urgency, incremental));
  }
}
