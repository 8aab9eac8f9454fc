/**
 * The server's side of an HTTP/3 connection.
 *
 * Decisions that the RFCs leave open:
 * - A final response before the request's end stands; the rest of the request is still delivered while its handler lives.
 *   When the handler has ended the client is asked to stop with H3_NO_ERROR (RFC 9114 section 4.1).
 * - A request that is malformed is reset with H3_MESSAGE_ERROR and not answered; one whose fields are too large is
 *   answered by 431, one whose content is, or does not come, by 413 or 408 where no response has begun.
 * - A message without content (an answer to HEAD, 204, 304) ends with its head, whatever is submitted behind it.
 * - `StreamClosed` tells that the client has acknowledged the response.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError, unsupported } from '../../common/index.ts';
import type { ProtocolContext } from '../factories.ts';
import type { HttpOverQuicProtocol, SubmitHeadersOptions } from '../http-protocol.ts';
import type { QuicTransport } from '../quic-transport.ts';
import { checkInformational, checkUrgency, FieldJudge, planResponse } from '../semantics/index.ts';
import type { EngineOptions } from './engine.ts';
import { Http3Engine } from './engine.ts';
import type { Http3ServerLimits } from './limits.ts';
import { ServerReceiver } from './server-receiver.ts';
import { Closed, Send, Tunnel } from './stream.ts';

/** The server engine. Made by `Http3ServerFactory`. */
export class Http3Server extends Http3Engine implements HttpOverQuicProtocol {
  readonly role = 'server' as const;
  readonly shutdownTimeout: number;
  readonly #receiver: ServerReceiver;
  readonly #judge: FieldJudge;

  constructor(
    limits: Http3ServerLimits,
    options: EngineOptions,
    errorHeaders: HeaderList,
    transport: QuicTransport,
    context: ProtocolContext,
    now: number,
  ) {
    let receiver: ServerReceiver | undefined;
    super('server', limits, options, transport, context, now, (core, claimed, sender, control) => {
      const { epochOffset } = context;
      receiver = new ServerReceiver(core, claimed, sender, limits, errorHeaders, epochOffset, control.priorities);
      return receiver;
    });
    this.#receiver = receiver as unknown as ServerReceiver;
    this.shutdownTimeout = limits.shutdownTimeout;
    this.#judge = new FieldJudge();
  }

  /** Whether further requests are accepted. */
  isAvailable(): boolean {
    return this.running;
  }

  /** Whether no further request will be accepted. */
  hasExpired(): boolean {
    return !this.running;
  }

  /** Servers open no requests. */
  getAvailableStreamId(): number {
    throw new LocalProtocolError('a server opens no requests');
  }

  /** See `HttpProtocol`; a 2xx to CONNECT opens a tunnel. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    const stream = this.core.reach(streamId);
    if (stream === undefined) return;
    if (stream.send !== Send.head) throw new LocalProtocolError('the final response was submitted before');
    if (options.upgrade !== undefined) throw unsupported('upgrade');
    const { endStream } = options;
    const connects = stream.tunnel === Tunnel.asked;
    const plan = planResponse(headers, endStream, connects, stream.headRequest, this.#judge);
    const { tunnel, contentLength, silent } = plan;
    const frame = this.sender.encode(plan.headers);
    if (connects && !tunnel) this.#receiver.refuseTunnel(stream);
    else if (tunnel) stream.tunnel = Tunnel.open;
    this.sender.submitHead(stream, frame, contentLength, endStream, silent);
    if (tunnel) this.#receiver.openTunnel(stream);
    this.advance();
  }

  /** See `HttpProtocol`. */
  submitInformational(streamId: number, headers: HeaderList, _rawNames?: readonly string[]): void {
    const stream = this.core.reach(streamId);
    if (stream === undefined) return;
    if (stream.send !== Send.head) throw new LocalProtocolError('the final response was submitted before');
    checkInformational(headers, this.#judge);
    this.sender.submitFrame(stream, this.sender.encode(headers));
  }

  /** See `HttpProtocol`. Idempotent. */
  submitHandlerEnd(streamId: number): void {
    const stream = this.core.streams.get(streamId);
    if (stream?.handlerLive !== true) return;
    stream.handlerLive = false;
    this.core.handlers -= 1;
    if (stream.closed !== Closed.no) this.core.release(stream);
    else this.core.closeIfOver(stream);
    this.advance();
  }

  /** Sets the urgency that the transport uses (RFC 9218 section 8). */
  override submitPriority(streamId: number, urgency: number, incremental: boolean): void {
    const stream = this.core.reach(streamId);
    checkUrgency(urgency);
    if (stream !== undefined) this.sender.prioritise(stream, urgency, incremental);
  }
}
