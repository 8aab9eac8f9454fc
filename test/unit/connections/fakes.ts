import type { HeaderList, HfaceError, SocketAddress, TlsFacts } from '../../../src/common/index.ts';
import { LocalProtocolError, unsupported } from '../../../src/common/index.ts';
import type { ByteStream, ByteStreamHandler } from '../../../src/networking/index.ts';
import { capabilityNames } from '../../../src/protocols/index.ts';
import type {
  Capabilities,
  EndStream,
  HttpEvent,
  HttpOverTcpProtocol,
  SubmitHeadersOptions,
} from '../../../src/protocols/index.ts';

/** What was done to a stream, and what the test lets happen on it. */
export class FakeStream implements ByteStream {
  readonly localAddress: SocketAddress = { family: 'ipv4', host: '127.0.0.1', port: 80 };
  readonly remoteAddress: SocketAddress;
  readonly tls: TlsFacts | undefined = undefined;
  bufferedBytes = 0;
  bytesRead = 0;
  bytesWritten = 0;
  handler: ByteStreamHandler | undefined;
  readonly writes: Uint8Array[][] = [];
  /** `pause`, `resume`, `end`, `abort`, `close`, in their order. */
  readonly calls: string[] = [];
  room = true;
  abortError: HfaceError | undefined;
  isClosed = false;

  constructor(host = '192.0.2.1') {
    this.remoteAddress = { family: host.includes(':') ? 'ipv6' : 'ipv4', host, port: 50_000 };
  }

  start(handler: ByteStreamHandler): void {
    this.handler = handler;
  }

  pause(): void {
    this.calls.push('pause');
  }

  resume(): void {
    this.calls.push('resume');
  }

  write(chunks: Uint8Array | readonly Uint8Array[]): boolean {
    const list = chunks instanceof Uint8Array ? [chunks] : [...chunks];
    this.writes.push(list);
    for (const chunk of list) this.bytesWritten += chunk.length;
    return this.room;
  }

  end(): void {
    this.calls.push('end');
  }

  abort(error?: HfaceError): void {
    this.calls.push('abort');
    this.abortError = error;
    this.gone(error);
  }

  close(): void {
    this.calls.push('close');
    this.gone(undefined);
  }

  get text(): string {
    return this.writes.map((chunks) => chunks.map((chunk) => decode(chunk)).join('')).join('|');
  }

  /** The peer sends. */
  receive(text: string): void {
    this.handler?.dataReceived(encode(text));
  }

  /** It is over, in a later turn as everywhere. */
  gone(error: HfaceError | undefined): void {
    if (this.isClosed) return;
    this.isClosed = true;
    queueMicrotask(() => this.handler?.closed(error));
  }
}

/** An engine that does as the test says and writes down what it was told. */
export class FakeEngine implements HttpOverTcpProtocol {
  readonly httpVersion = '1.1';
  readonly role: 'client' | 'server';
  readonly multiplexed: boolean;
  readonly errorCodes = {
    noError: 0,
    protocolError: 1,
    internalError: 2,
    messageError: 3,
    cancelled: 4,
    requestRejected: 5,
    connectError: 6,
    excessiveLoad: 7,
    versionFallback: 8,
    name: (code: number): string => `code ${code}`,
  };
  readonly capabilities: Capabilities = new Set(capabilityNames);
  onOutput: (() => void) | undefined = undefined;
  wantsEof = false;
  wantsInput = true;
  timeout: number | undefined = undefined;
  available = true;
  expired = false;
  nextStreamId = 1;
  readonly capacity: Map<number, number> = new Map();
  readonly events: HttpEvent[] = [];
  readonly output: Uint8Array[][] = [];
  readonly calls: string[] = [];
  /** What the test hangs in. */
  onBytes: ((text: string, now: number) => void) | undefined = undefined;
  onTake: (() => void) | undefined = undefined;
  onTimeout: ((now: number) => void) | undefined = undefined;
  onClose: ((code: number) => void) | undefined = undefined;
  onShutdown: (() => void) | undefined = undefined;
  onLost: ((error: HfaceError | undefined) => void) | undefined = undefined;
  onReset: ((streamId: number) => void) | undefined = undefined;
  onHeaders: ((streamId: number, headers: HeaderList, options: SubmitHeadersOptions) => void) | undefined = undefined;

  constructor(role: 'client' | 'server' = 'server', multiplexed = false) {
    this.role = role;
    this.multiplexed = multiplexed;
  }

  nextEvent(): HttpEvent | undefined {
    return this.events.shift();
  }

  nextTimeout(): number | undefined {
    return this.timeout;
  }

  handleTimeout(now: number): void {
    this.calls.push(`timeout ${now}`);
    this.onTimeout?.(now);
  }

  bytesReceived(chunk: Uint8Array, now: number): void {
    this.calls.push(`bytes ${decode(chunk)}`);
    this.onBytes?.(decode(chunk), now);
  }

  eofReceived(): void {
    this.calls.push('eof');
  }

  connectionLost(_now: number, error?: HfaceError): void {
    this.calls.push('lost');
    this.onLost?.(error);
  }

  bytesToSend(): Uint8Array[] | undefined {
    const chunks = this.output.shift();
    if (chunks !== undefined) this.onTake?.();
    return chunks;
  }

  isAvailable(): boolean {
    return this.available;
  }

  hasExpired(): boolean {
    return this.expired;
  }

  getAvailableStreamId(): number {
    if (!this.available) throw new LocalProtocolError('none');
    const id = this.nextStreamId;
    this.nextStreamId += 1;
    return id;
  }

  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    if (headers.includes('bad')) throw new LocalProtocolError('bad head');
    this.capacity.set(streamId, 100);
    this.calls.push(`headers ${streamId} ${headers.join(' ')}${options.endStream ? ' END' : ''}`);
    this.onHeaders?.(streamId, headers, options);
  }

  submitInformational(streamId: number, headers: HeaderList): void {
    this.calls.push(`informational ${streamId} ${headers.join(' ')}`);
  }

  submitData(streamId: number, data: Uint8Array, options: EndStream): void {
    const room = this.sendCapacity(streamId);
    if (room === 0 && data.length > 0) throw new LocalProtocolError('no room');
    this.capacity.set(streamId, Math.max(0, room - data.length));
    this.calls.push(`data ${streamId} ${decode(data)}${options.endStream ? ' END' : ''}`);
  }

  submitTrailers(streamId: number, headers: HeaderList): void {
    this.calls.push(`trailers ${streamId} ${headers.join(' ')}`);
  }

  submitStreamReset(streamId: number, errorCode: number): void {
    this.calls.push(`reset ${streamId} ${errorCode}`);
    this.onReset?.(streamId);
  }

  submitPriority(streamId: number, urgency: number, incremental: boolean): void {
    this.calls.push(`priority ${streamId} ${urgency} ${incremental}`);
  }

  submitDatagram(): boolean {
    return false;
  }

  submitHandlerEnd(streamId: number): void {
    this.calls.push(`handlerEnd ${streamId}`);
  }

  submitShutdown(): void {
    this.calls.push('shutdown');
    this.onShutdown?.();
  }

  submitClose(errorCode: number, reason?: string): void {
    this.calls.push(`close ${errorCode}${reason === undefined ? '' : ` ${reason}`}`);
    this.onClose?.(errorCode);
  }

  sendCapacity(streamId: number): number {
    return this.capacity.get(streamId) ?? 0;
  }

  dataConsumed(streamId: number, flowControlledLength: number): void {
    this.calls.push(`consumed ${streamId} ${flowControlledLength}`);
  }

  submitCertificateVerdict(): void {
    throw unsupported('submitCertificateVerdict');
  }

  submitServerIdentity(): void {
    throw unsupported('submitServerIdentity');
  }

  submitTicketVerdict(): void {
    throw unsupported('submitTicketVerdict');
  }

  detach(): Uint8Array[] {
    this.calls.push('detach');
    return [encode('unread')];
  }

  claimStream(): void {
    throw unsupported('claimStream');
  }
}

export function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Lets all microtasks run. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
