/**
 * An engine that tells what passes through it: for `-v`, for tests, for debugging.
 *
 * Owns the wrapper and the factory around a factory. It changes nothing: every call goes to the engine inside. What is
 * told are the submits that the engine took and the events that it gave, in the order in which they happened, and of
 * HTTP/2 the frames: those received before what the engine makes of them, those sent when the driver takes them.
 *
 * @module
 */
import type { ErrorCodes, HeaderList, HfaceError, TlsIdentity } from '../common/index.ts';
import type { Capabilities } from './capabilities.ts';
import type { HttpEvent, HttpVersion } from './events.ts';
import type { HttpOverTcpFactory, ProtocolContext } from './factories.ts';
import { FrameScanner } from './frame-trace.ts';
import type { FrameTrace } from './frame-trace.ts';
import type {
  CertificateVerdict,
  ClaimedStreamHandler,
  EndStream,
  HttpOverTcpProtocol,
  SubmitHeadersOptions,
} from './http-protocol.ts';

/** What an application submitted. */
export type SubmitTrace =
  | { readonly type: 'Headers'; readonly streamId: number; readonly headers: HeaderList; readonly endStream: boolean }
  | { readonly type: 'Informational'; readonly streamId: number; readonly headers: HeaderList }
  | { readonly type: 'Data'; readonly streamId: number; readonly length: number; readonly endStream: boolean }
  | { readonly type: 'Trailers'; readonly streamId: number; readonly headers: HeaderList }
  | { readonly type: 'StreamReset'; readonly streamId: number; readonly errorCode: number }
  | { readonly type: 'Shutdown' }
  | { readonly type: 'Close'; readonly errorCode: number; readonly reason: string | undefined };

/** Who is told. What it throws is not caught: it belongs to the program that traces. */
export interface TraceHandler {
  /** The application submitted something, and the engine took it. */
  submitted(trace: SubmitTrace, protocol: HttpOverTcpProtocol): void;
  /** The engine told something. */
  event(event: HttpEvent, protocol: HttpOverTcpProtocol): void;
  /** A frame passed (HTTP/2 only). */
  frame?(direction: 'sent' | 'received', frame: FrameTrace, protocol: HttpOverTcpProtocol): void;
}

/** A factory whose engines tell what passes through them. */
export function tracedFactory(factory: HttpOverTcpFactory, handler: TraceHandler): HttpOverTcpFactory {
  return {
    role: factory.role,
    alpnProtocols: factory.alpnProtocols,
    create: (context: ProtocolContext, now: number) => new TracedProtocol(factory.create(context, now), handler),
  };
}

/** An engine inside another that tells. */
export class TracedProtocol implements HttpOverTcpProtocol {
  readonly #inner: HttpOverTcpProtocol;
  readonly #handler: TraceHandler;
  readonly #receivedFrames: FrameScanner | undefined;
  readonly #sentFrames: FrameScanner | undefined;
  /** What came before the protocol was known. */
  readonly #early: Uint8Array[] | undefined;

  /** @param received - bytes that the engine has had already */
  constructor(inner: HttpOverTcpProtocol, handler: TraceHandler, received: readonly Uint8Array[] = []) {
    this.#inner = inner;
    this.#handler = handler;
    const hasFrames = handler.frame !== undefined && inner.httpVersion === '2';
    this.#receivedFrames = hasFrames ? this.#scanner('received') : undefined;
    this.#sentFrames = hasFrames ? this.#scanner('sent') : undefined;
    this.#early = handler.frame !== undefined && inner.capabilities.size === 0 ? [] : undefined;
    for (const chunk of received) this.#receivedFrames?.scan(chunk);
  }

  get httpVersion(): HttpVersion {
    return this.#inner.httpVersion;
  }
  get role(): 'client' | 'server' {
    return this.#inner.role;
  }
  get multiplexed(): boolean {
    return this.#inner.multiplexed;
  }
  get errorCodes(): ErrorCodes {
    return this.#inner.errorCodes;
  }
  get capabilities(): Capabilities {
    return this.#inner.capabilities;
  }
  get onOutput(): (() => void) | undefined {
    return this.#inner.onOutput;
  }
  set onOutput(callback: (() => void) | undefined) {
    this.#inner.onOutput = callback;
  }
  get wantsInput(): boolean {
    return this.#inner.wantsInput;
  }
  get wantsEof(): boolean {
    return this.#inner.wantsEof;
  }

  nextEvent(): HttpEvent | undefined {
    const event = this.#inner.nextEvent();
    if (event === undefined) return undefined;
    this.#handler.event(event, this);
    if (event.type !== 'ProtocolReplaced') return event;
    // What takes over is traced as well.
    return { ...event, protocol: new TracedProtocol(event.protocol, this.#handler, this.#early) };
  }
  nextTimeout(): number | undefined {
    return this.#inner.nextTimeout();
  }
  handleTimeout(now: number): void {
    this.#inner.handleTimeout(now);
  }
  bytesReceived(chunk: Uint8Array, now: number): void {
    this.#receivedFrames?.scan(chunk);
    this.#early?.push(chunk);
    this.#inner.bytesReceived(chunk, now);
  }
  eofReceived(now: number): void {
    this.#inner.eofReceived(now);
  }
  connectionLost(now: number, error?: HfaceError): void {
    this.#inner.connectionLost(now, error);
  }
  bytesToSend(now: number): Uint8Array[] | undefined {
    const chunks = this.#inner.bytesToSend(now);
    if (chunks !== undefined) for (const chunk of chunks) this.#sentFrames?.scan(chunk);
    return chunks;
  }

  isAvailable(): boolean {
    return this.#inner.isAvailable();
  }
  hasExpired(): boolean {
    return this.#inner.hasExpired();
  }
  getAvailableStreamId(): number {
    return this.#inner.getAvailableStreamId();
  }
  sendCapacity(streamId: number): number {
    return this.#inner.sendCapacity(streamId);
  }
  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.#inner.dataConsumed(streamId, flowControlledLength);
  }

  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    this.#inner.submitHeaders(streamId, headers, options);
    this.#handler.submitted({ type: 'Headers', streamId, headers, endStream: options.endStream }, this);
  }
  submitInformational(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    this.#inner.submitInformational(streamId, headers, rawNames);
    this.#handler.submitted({ type: 'Informational', streamId, headers }, this);
  }
  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    const length = data.length;
    this.#inner.submitData(streamId, data, options);
    this.#handler.submitted({ type: 'Data', streamId, length, endStream: options.endStream }, this);
  }
  submitTrailers(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    this.#inner.submitTrailers(streamId, headers, rawNames);
    this.#handler.submitted({ type: 'Trailers', streamId, headers }, this);
  }
  submitStreamReset(streamId: number, errorCode: number): void {
    this.#inner.submitStreamReset(streamId, errorCode);
    this.#handler.submitted({ type: 'StreamReset', streamId, errorCode }, this);
  }
  submitShutdown(): void {
    this.#inner.submitShutdown();
    this.#handler.submitted({ type: 'Shutdown' }, this);
  }
  submitClose(errorCode: number, reason?: string): void {
    this.#inner.submitClose(errorCode, reason);
    this.#handler.submitted({ type: 'Close', errorCode, reason }, this);
  }
  submitPriority(streamId: number, urgency: number, incremental: boolean): void {
    this.#inner.submitPriority(streamId, urgency, incremental);
  }
  submitDatagram(streamId: number, data: Uint8Array): boolean {
    return this.#inner.submitDatagram(streamId, data);
  }
  submitHandlerEnd(streamId: number): void {
    this.#inner.submitHandlerEnd(streamId);
  }
  submitCertificateVerdict(verdict: CertificateVerdict): void {
    this.#inner.submitCertificateVerdict(verdict);
  }
  submitServerIdentity(identity: TlsIdentity | number): void {
    this.#inner.submitServerIdentity(identity);
  }
  submitTicketVerdict(accepted: boolean): void {
    this.#inner.submitTicketVerdict(accepted);
  }
  detach(): Uint8Array[] {
    return this.#inner.detach();
  }
  claimStream(type: number, handler: ClaimedStreamHandler): void {
    this.#inner.claimStream(type, handler);
  }

  #scanner(direction: 'sent' | 'received'): FrameScanner {
    const preface = (this.#inner.role === 'client') === (direction === 'sent');
    return new FrameScanner(preface, (frame) => this.#handler.frame?.(direction, frame, this));
  }
}
