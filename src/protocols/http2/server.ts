/**
 * The server's side of an HTTP/2 connection.
 *
 * Decisions that the RFCs leave open:
 * - A final response before the request's end stands; the rest of the request is still delivered while its handler lives.
 *   When the handler has ended it is given up by RST_STREAM with NO_ERROR (RFC 9113 section 8.1).
 * - A request that is malformed is reset with PROTOCOL_ERROR and not answered; one whose fields are too large is answered
 *   by 431, one whose content is, or does not come, by 413 or 408 where no response has begun.
 * - A message without content (an answer to HEAD, 204, 304) ends with its head, whatever is submitted behind it.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError, unsupported } from '../../common/index.ts';
import type { ProtocolContext } from '../factories.ts';
import type { HttpOverTcpProtocol, SubmitHeadersOptions } from '../http-protocol.ts';
import { checkInformational, checkUrgency, planResponse } from '../semantics/index.ts';
import type { ControlFrames } from './control-frames.ts';
import type { Core } from './core.ts';
import { Http2Engine } from './engine.ts';
import type { Http2ServerLimits } from './limits.ts';
import { ServerReceiver } from './server-receiver.ts';
import { Closed, Send, Tunnel } from './stream.ts';

/** The server engine. Made by `Http2ServerFactory`. */
export class Http2Server extends Http2Engine implements HttpOverTcpProtocol {
  readonly role = 'server' as const;
  readonly #receiver: ServerReceiver;

  constructor(limits: Http2ServerLimits, errorHeaders: HeaderList, context: ProtocolContext, now: number) {
    let receiver: ServerReceiver | undefined;
    super('server', limits, context.secure, now, (core: Core, control: ControlFrames) => {
      receiver = new ServerReceiver(core, limits, errorHeaders, context.epochOffset, control.priorities);
      return receiver;
    });
    this.#receiver = receiver as unknown as ServerReceiver;
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
    const plan = planResponse(headers, endStream, connects, stream.headRequest, this.core.sentJudge);
    const { tunnel } = plan;
    if (connects && !tunnel) this.#receiver.refuseTunnel(stream);
    else if (tunnel) stream.tunnel = Tunnel.open;
    this.sender.submitHead(stream, plan.headers, plan.contentLength, endStream, plan.silent);
    if (tunnel) this.#receiver.openTunnel(stream);
    this.advance();
  }

  /** See `HttpProtocol`. */
  submitInformational(streamId: number, headers: HeaderList, _rawNames?: readonly string[]): void {
    const stream = this.core.reach(streamId);
    if (stream === undefined) return;
    if (stream.send !== Send.head) throw new LocalProtocolError('the final response was submitted before');
    checkInformational(headers, this.core.sentJudge);
    this.core.writeHeaders(streamId, headers, false);
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

  /** Sets the urgency that the scheduler uses (RFC 9218 section 8). */
  override submitPriority(streamId: number, urgency: number, incremental: boolean): void {
    const stream = this.core.reach(streamId);
    checkUrgency(urgency);
    if (stream !== undefined) this.sender.prioritise(stream, urgency, incremental);
  }
}
