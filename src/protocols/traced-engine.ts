/**
 * What all tracing engines share, whatever they run over: for `-v`, for tests, for debugging.
 *
 * Owns what is told and to whom, and the HTTP side of the wrapper. It changes nothing: every call goes to the engine
 * inside. What is told are the submits that the engine took and the events that it gave, in the order in which they
 * happened. The sides towards the network are in traced-protocol.ts and traced-quic-protocol.ts.
 *
 * @module
 */
import type { ErrorCodes, HeaderList, TlsIdentity } from '../common/index.ts';
import type { Capabilities } from './capabilities.ts';
import type { HttpEvent, HttpVersion } from './events.ts';
import type { FrameTrace } from './frame-trace.ts';
import type {
  CertificateVerdict,
  ClaimedStreamHandler,
  EndStream,
  HttpProtocol,
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
  submitted(trace: SubmitTrace, protocol: HttpProtocol): void;
  /** The engine told something. */
  event(event: HttpEvent, protocol: HttpProtocol): void;
  /** A frame passed (HTTP/2 only). */
  frame?(direction: 'sent' | 'received', frame: FrameTrace, protocol: HttpProtocol): void;
}

/** The HTTP side of an engine inside another that tells. */
export abstract class TracedEngine<Inner extends HttpProtocol> implements HttpProtocol {
  /** The engine inside. */
  protected readonly inner: Inner;
  /** Who is told. */
  protected readonly handler: TraceHandler;

  constructor(inner: Inner, handler: TraceHandler) {
    this.inner = inner;
    this.handler = handler;
  }

  get httpVersion(): HttpVersion {
    return this.inner.httpVersion;
  }
  get role(): 'client' | 'server' {
    return this.inner.role;
  }
  get multiplexed(): boolean {
    return this.inner.multiplexed;
  }
  get errorCodes(): ErrorCodes {
    return this.inner.errorCodes;
  }
  get capabilities(): Capabilities {
    return this.inner.capabilities;
  }
  get onOutput(): (() => void) | undefined {
    return this.inner.onOutput;
  }
  set onOutput(callback: (() => void) | undefined) {
    this.inner.onOutput = callback;
  }

  nextEvent(): HttpEvent | undefined {
    const event = this.inner.nextEvent();
    if (event !== undefined) this.handler.event(event, this);
    return event;
  }
  nextTimeout(): number | undefined {
    return this.inner.nextTimeout();
  }
  handleTimeout(now: number): void {
    this.inner.handleTimeout(now);
  }

  isAvailable(): boolean {
    return this.inner.isAvailable();
  }
  hasExpired(): boolean {
    return this.inner.hasExpired();
  }
  getAvailableStreamId(): number {
    return this.inner.getAvailableStreamId();
  }
  sendCapacity(streamId: number): number {
    return this.inner.sendCapacity(streamId);
  }
  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.inner.dataConsumed(streamId, flowControlledLength);
  }

  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    this.inner.submitHeaders(streamId, headers, options);
    this.handler.submitted({ type: 'Headers', streamId, headers, endStream: options.endStream }, this);
  }
  submitInformational(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    this.inner.submitInformational(streamId, headers, rawNames);
    this.handler.submitted({ type: 'Informational', streamId, headers }, this);
  }
  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    const length = data.length;
    this.inner.submitData(streamId, data, options);
    this.handler.submitted({ type: 'Data', streamId, length, endStream: options.endStream }, this);
  }
  submitTrailers(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void {
    this.inner.submitTrailers(streamId, headers, rawNames);
    this.handler.submitted({ type: 'Trailers', streamId, headers }, this);
  }
  submitStreamReset(streamId: number, errorCode: number): void {
    this.inner.submitStreamReset(streamId, errorCode);
    this.handler.submitted({ type: 'StreamReset', streamId, errorCode }, this);
  }
  submitShutdown(): void {
    this.inner.submitShutdown();
    this.handler.submitted({ type: 'Shutdown' }, this);
  }
  submitClose(errorCode: number, reason?: string): void {
    this.inner.submitClose(errorCode, reason);
    this.handler.submitted({ type: 'Close', errorCode, reason }, this);
  }
  submitPriority(streamId: number, urgency: number, incremental: boolean): void {
    this.inner.submitPriority(streamId, urgency, incremental);
  }
  submitDatagram(streamId: number, data: Uint8Array): boolean {
    return this.inner.submitDatagram(streamId, data);
  }
  submitHandlerEnd(streamId: number): void {
    this.inner.submitHandlerEnd(streamId);
  }
  submitCertificateVerdict(verdict: CertificateVerdict): void {
    this.inner.submitCertificateVerdict(verdict);
  }
  submitServerIdentity(identity: TlsIdentity | number): void {
    this.inner.submitServerIdentity(identity);
  }
  submitTicketVerdict(accepted: boolean): void {
    this.inner.submitTicketVerdict(accepted);
  }
  detach(): Uint8Array[] {
    return this.inner.detach();
  }
  claimStream(type: number, handler: ClaimedStreamHandler): void {
    this.inner.claimStream(type, handler);
  }
}
