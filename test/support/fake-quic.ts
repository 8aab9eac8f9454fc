/**
 * A QUIC transport without packets: a test says what the peer did, and reads what the engine sent.
 *
 * @module
 */
import { LocalProtocolError } from '../../src/common/index.ts';
import type { Datagram, QuicEvent, QuicTransport } from '../../src/protocols/index.ts';

/** What the engine did with a stream. */
export interface FakeStream {
  /** Everything that was written. */
  written: Uint8Array;
  fin: boolean;
  /** RESET_STREAM. */
  reset: number | undefined;
  /** STOP_SENDING. */
  stopped: number | undefined;
  consumed: number;
  priority: readonly [urgency: number, incremental: boolean];
  /** What the peer's windows let out: nothing goes beyond. */
  window: number;
  acknowledged: boolean;
}

/** A transport whose peer is the test. */
export class FakeQuic implements QuicTransport {
  readonly role: 'client' | 'server';
  handshakeComplete = false;
  earlyDataAvailable = false;
  rememberedApplicationData: Uint8Array = new Uint8Array(0);
  maxDatagramLength = 1200;
  onOutput: (() => void) | undefined = undefined;
  readonly events: QuicEvent[] = [];
  readonly streams: Map<number, FakeStream> = new Map<number, FakeStream>();
  readonly datagrams: Uint8Array[] = [];
  closed: { readonly errorCode: number; readonly reason: string } | undefined;
  ticketData: Uint8Array | undefined;
  verdicts: unknown[] = [];
  /** How many streams may still be opened. */
  readonly room: { bidirectional: number; unidirectional: number } = { bidirectional: 100, unidirectional: 3 };
  /** The free room of every send buffer. */
  capacity = 65_536;
  /** What is written is acknowledged at once. */
  acknowledges = true;
  timer: number | undefined = undefined;
  fired: number[] = [];
  received: Uint8Array[] = [];
  #nextBidirectional: number;
  #nextUnidirectional: number;

  constructor(role: 'client' | 'server') {
    this.role = role;
    this.#nextBidirectional = role === 'client' ? 0 : 1;
    this.#nextUnidirectional = role === 'client' ? 2 : 3;
  }

  /** A stream, made where it is asked for first. */
  stream(streamId: number): FakeStream {
    let stream = this.streams.get(streamId);
    if (stream === undefined) {
      stream = {
        written: new Uint8Array(0),
        fin: false,
        reset: undefined,
        stopped: undefined,
        consumed: 0,
        priority: [3, false],
        window: Infinity,
        acknowledged: false,
      };
      this.streams.set(streamId, stream);
    }
    return stream;
  }

  /** 0-RTT was rejected: streams begin anew. */
  restart(): void {
    this.streams.clear();
    this.#nextBidirectional = 0;
    this.#nextUnidirectional = 2;
  }

  nextEvent(): QuicEvent | undefined {
    return this.events.shift();
  }

  availableStreams(bidirectional: boolean): number {
    return bidirectional ? this.room.bidirectional : this.room.unidirectional;
  }

  openStream(bidirectional: boolean): number {
    if (this.availableStreams(bidirectional) <= 0) throw new LocalProtocolError('no stream can be opened');
    if (bidirectional) {
      this.room.bidirectional -= 1;
      this.#nextBidirectional += 4;
      this.stream(this.#nextBidirectional - 4);
      return this.#nextBidirectional - 4;
    }
    this.room.unidirectional -= 1;
    this.#nextUnidirectional += 4;
    this.stream(this.#nextUnidirectional - 4);
    return this.#nextUnidirectional - 4;
  }

  sendCapacity(streamId: number): number {
    const { reset, fin } = this.stream(streamId);
    return reset !== undefined || fin ? 0 : this.capacity;
  }

  writeStream(streamId: number, data: Uint8Array, fin: boolean): void {
    const stream = this.stream(streamId);
    if (stream.reset !== undefined) return;
    if (stream.fin) throw new Error(`stream ${String(streamId)} had ended`);
    const written = new Uint8Array(stream.written.length + data.length);
    written.set(stream.written, 0);
    written.set(data, stream.written.length);
    stream.written = written;
    stream.fin = fin;
  }

  hasUnacknowledged(streamId: number): boolean {
    const { reset, acknowledged } = this.stream(streamId);
    return reset === undefined && !acknowledged && !this.acknowledges;
  }

  sentBytes(streamId: number): number {
    const { written, window } = this.stream(streamId);
    return Math.min(written.length, window);
  }

  isBlocked(streamId: number): boolean {
    const { written, window } = this.stream(streamId);
    return written.length > window;
  }

  resetStream(streamId: number, errorCode: number): void {
    this.stream(streamId).reset ??= errorCode;
  }

  stopSending(streamId: number, errorCode: number): void {
    this.stream(streamId).stopped ??= errorCode;
  }

  streamConsumed(streamId: number, length: number): void {
    this.stream(streamId).consumed += length;
  }

  setStreamPriority(streamId: number, urgency: number, incremental: boolean): void {
    this.stream(streamId).priority = [urgency, incremental];
  }

  sendDatagram(data: Uint8Array): boolean {
    this.datagrams.push(data);
    return true;
  }

  setTicketApplicationData(data: Uint8Array): void {
    this.ticketData = data;
  }

  close(errorCode: number, reason: string): void {
    this.closed ??= { errorCode, reason };
  }

  submitCertificateVerdict(verdict: unknown): void {
    this.verdicts.push(verdict);
  }

  submitServerIdentity(identity: unknown): void {
    this.verdicts.push(identity);
  }

  submitTicketVerdict(accepted: unknown): void {
    this.verdicts.push(accepted);
  }

  datagramReceived(data: Uint8Array): void {
    this.received.push(data);
  }

  datagramsToSend(): Datagram[] {
    return [];
  }

  nextTimeout(): number | undefined {
    return this.timer;
  }

  handleTimeout(now: number): void {
    this.fired.push(now);
    this.timer = undefined;
  }
}
