/**
 * An engine over a byte stream that tells what passes through it.
 *
 * Owns the wrapper's side towards the network and the factory around a factory. Besides what every {@link TracedEngine}
 * tells, of HTTP/2 the frames are told: those received before what the engine makes of them, those sent when the driver
 * takes them.
 *
 * @module
 */
import type { HfaceError } from '../common/index.ts';
import type { HttpEvent } from './events.ts';
import type { HttpOverTcpFactory, ProtocolContext } from './factories.ts';
import { FrameScanner } from './frame-trace.ts';
import type { HttpOverTcpProtocol } from './http-protocol.ts';
import { TracedEngine } from './traced-engine.ts';
import type { TraceHandler } from './traced-engine.ts';

/** A factory whose engines tell what passes through them. */
export function tracedFactory(factory: HttpOverTcpFactory, handler: TraceHandler): HttpOverTcpFactory {
  return {
    role: factory.role,
    alpnProtocols: factory.alpnProtocols,
    create: (context: ProtocolContext, now: number) => new TracedProtocol(factory.create(context, now), handler),
  };
}

/** An engine over a byte stream inside another that tells. */
export class TracedProtocol extends TracedEngine<HttpOverTcpProtocol> implements HttpOverTcpProtocol {
  readonly #receivedFrames: FrameScanner | undefined;
  readonly #sentFrames: FrameScanner | undefined;
  /** What came before the protocol was known. */
  readonly #early: Uint8Array[] | undefined;

  /** @param received - bytes that the engine has had already */
  constructor(inner: HttpOverTcpProtocol, handler: TraceHandler, received: readonly Uint8Array[] = []) {
    super(inner, handler);
    const hasFrames = handler.frame !== undefined && inner.httpVersion === '2';
    this.#receivedFrames = hasFrames ? this.#scanner('received') : undefined;
    this.#sentFrames = hasFrames ? this.#scanner('sent') : undefined;
    this.#early = handler.frame !== undefined && inner.capabilities.size === 0 ? [] : undefined;
    for (const chunk of received) this.#receivedFrames?.scan(chunk);
  }

  get wantsInput(): boolean {
    return this.inner.wantsInput;
  }
  get wantsEof(): boolean {
    return this.inner.wantsEof;
  }

  override nextEvent(): HttpEvent | undefined {
    const event = super.nextEvent();
    if (event?.type !== 'ProtocolReplaced') return event;
    // What takes over is traced as well.
    return { ...event, protocol: new TracedProtocol(event.protocol, this.handler, this.#early) };
  }
  bytesReceived(chunk: Uint8Array, now: number): void {
    this.#receivedFrames?.scan(chunk);
    this.#early?.push(chunk);
    this.inner.bytesReceived(chunk, now);
  }
  eofReceived(now: number): void {
    this.inner.eofReceived(now);
  }
  connectionLost(now: number, error?: HfaceError): void {
    this.inner.connectionLost(now, error);
  }
  bytesToSend(now: number): Uint8Array[] | undefined {
    const chunks = this.inner.bytesToSend(now);
    if (chunks !== undefined) for (const chunk of chunks) this.#sentFrames?.scan(chunk);
    return chunks;
  }

  #scanner(direction: 'sent' | 'received'): FrameScanner {
    const preface = (this.inner.role === 'client') === (direction === 'sent');
    return new FrameScanner(preface, (frame) => this.handler.frame?.(direction, frame, this));
  }
}
