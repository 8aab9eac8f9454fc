/**
 * One HTTP/3 engine on a transport without packets, and a peer that may do whatever it likes.
 *
 * @module
 */
import { expect } from 'vitest';
import type { HeaderList } from '../../src/common/index.ts';
import { Http3ClientFactory, Http3ErrorCode, Http3ServerFactory } from '../../src/protocols/http3/index.ts';
import type { Http3ClientOptions, Http3ServerOptions } from '../../src/protocols/http3/index.ts';
import type { HttpEvent, HttpOverQuicProtocol, ProtocolContext, QuicEvent } from '../../src/protocols/index.ts';
import { handshakeCompleted } from '../../src/protocols/index.ts';
import { FakeQuic } from './fake-quic.ts';
import type { Frame } from './http3-frames.ts';
import { concat, fields, parseFrames, settings, Type, varints } from './http3-frames.ts';

type EventType = HttpEvent['type'];
type EventOf<Name extends EventType> = Extract<HttpEvent, { readonly type: Name }>;
type Limits = Readonly<Record<string, number>>;

/** The names of error codes. */
export type CodeName = keyof typeof Http3ErrorCode;

export const context: ProtocolContext = {
  secure: true,
  alpn: 'h3',
  epochOffset: 1_700_000_000_000,
  random: { fill: (target) => target.fill(7) },
};

/** A request's head. */
export function request(method = 'GET', more: HeaderList = []): HeaderList {
  return [':method', method, ':scheme', 'https', ':authority', 'a.example', ':path', '/', ...more];
}

/** Extended CONNECT. */
export function extended(protocol = 'connect-udp'): HeaderList {
  const head = [':method', 'CONNECT', ':scheme', 'https', ':authority', 'a.example', ':path', '/'];
  return [...head, ':protocol', protocol];
}

/** An engine, what it told, and its transport. */
export class Http3Peer {
  readonly engine: HttpOverQuicProtocol;
  readonly quic: FakeQuic;
  readonly events: HttpEvent[] = [];
  now = 1000;
  /** The peer's control stream. */
  readonly control: number;
  readonly encoder: number;
  readonly decoder: number;

  private constructor(quic: FakeQuic, make: () => HttpOverQuicProtocol) {
    this.quic = quic;
    this.engine = make();
    const base = quic.role === 'server' ? 2 : 3;
    this.control = base;
    this.encoder = base + 4;
    this.decoder = base + 8;
  }

  /** A peer of a server engine; greeted unless said otherwise. */
  static ofServer(limits: Limits = {}, greet = true, options: Http3ServerOptions = {}): Http3Peer {
    const quic = new FakeQuic('server');
    const factory = new Http3ServerFactory({ ...options, limits });
    const peer = new Http3Peer(quic, () => factory.create(quic, context, 1000));
    return greet ? peer.greet() : peer.shakeHands();
  }

  /** A peer of a client engine. */
  static ofClient(limits: Limits = {}, greet = true, options: Http3ClientOptions = {}): Http3Peer {
    const quic = new FakeQuic('client');
    const factory = new Http3ClientFactory({ ...options, limits });
    const peer = new Http3Peer(quic, () => factory.create(quic, context, 1000));
    return greet ? peer.greet() : peer.shakeHands();
  }

  /** A peer of a client engine on a transport that the test has prepared. */
  static ofClientOn(quic: FakeQuic): Http3Peer {
    return new Http3Peer(quic, () => new Http3ClientFactory().create(quic, context, 1000));
  }

  /** The handshake is over. */
  shakeHands(): this {
    this.quic.handshakeComplete = true;
    return this.tell(handshakeCompleted('h3', 'TLS_AES_128_GCM_SHA256', undefined, false, 'none')).clear();
  }

  /** The handshake is over, and the control stream has come with SETTINGS. */
  greet(...pairs: readonly (readonly [id: number, value: number])[]): this {
    const extra = this.quic.role === 'client' ? ([[0x08, 1]] as const) : [];
    return this.shakeHands()
      .send(this.control, concat(varints(0), settings([0x33, 1], ...extra, ...pairs)))
      .clear();
  }

  /** Events of the transport, and what the engine makes of them. */
  tell(...events: readonly QuicEvent[]): this {
    this.quic.events.push(...events);
    this.engine.handleTimeout(this.now);
    return this.pull();
  }

  /** Bytes of the peer's. */
  send(streamId: number, bytes: Uint8Array, fin = false, early = false): this {
    return this.tell({ type: 'QuicStreamReceived', streamId, data: bytes.slice(), fin, early });
  }

  /** RESET_STREAM of the peer's. */
  reset(streamId: number, code: CodeName = 'H3_REQUEST_CANCELLED'): this {
    return this.tell({ type: 'QuicStreamResetReceived', streamId, errorCode: Http3ErrorCode[code] });
  }

  /** STOP_SENDING of the peer's: the transport resets the stream. */
  stop(streamId: number, code: CodeName = 'H3_REQUEST_CANCELLED'): this {
    this.quic.resetStream(streamId, Http3ErrorCode[code]);
    return this.tell({ type: 'QuicStopSendingReceived', streamId, errorCode: Http3ErrorCode[code] });
  }

  /** The transport forgets a stream. */
  over(streamId: number): this {
    return this.tell({ type: 'QuicStreamClosed', streamId });
  }

  /** Pulls events. */
  pull(): this {
    for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent()) {
      if (this.terminated) throw new Error(`${event.type} after ConnectionTerminated`);
      this.events.push(event);
    }
    return this;
  }

  /** Lets time pass. */
  advance(milliseconds: number): this {
    const target = this.now + milliseconds;
    for (let round = 0; round < 10_000; round += 1) {
      const next = this.engine.nextTimeout() ?? Infinity;
      if (next > target) break;
      this.now = Math.max(this.now, next);
      this.engine.handleTimeout(this.now);
      this.pull();
    }
    this.now = target;
    this.engine.handleTimeout(target);
    return this.pull();
  }

  /** Forgets what was told. */
  clear(): this {
    this.events.length = 0;
    return this;
  }

  get terminated(): boolean {
    return this.events.at(-1)?.type === 'ConnectionTerminated';
  }

  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  all<Name extends EventType>(type: Name): EventOf<Name>[] {
    return this.events.filter((event): event is EventOf<Name> => event.type === type);
  }

  only<Name extends EventType>(type: Name): EventOf<Name> {
    const events = this.all(type);
    expect(events, type).toHaveLength(1);
    return events[0]!;
  }

  /** The content that was told of a stream. */
  content(streamId: number): string {
    return this.all('DataReceived')
      .filter((event) => event.streamId === streamId)
      .map((event) => Buffer.from(event.data).toString('latin1'))
      .join('');
  }

  /** The frames that the engine sent on a request stream. */
  frames(streamId: number): Frame[] {
    return parseFrames(this.quic.stream(streamId).written);
  }

  /** The fields of the first HEADERS on a stream. */
  head(streamId: number): HeaderList {
    return fields(this.frames(streamId).find(({ type }) => type === Type.HEADERS)!);
  }

  /** The frames of the engine's control stream. */
  controlFrames(): Frame[] {
    const { written } = this.quic.stream(this.quic.role === 'client' ? 2 : 3);
    expect(written[0]).toBe(0);
    return parseFrames(written.subarray(1));
  }

  /** The connection ended by this side with a code. */
  expectConnectionError(code: CodeName): void {
    expect(this.quic.closed?.errorCode, this.quic.closed?.reason).toBe(Http3ErrorCode[code]);
    const event = this.only('ConnectionTerminated');
    expect(event.errorCode).toBe(Http3ErrorCode[code]);
    expect(event.error).toBeDefined();
  }

  /** The stream was reset by this side, in both directions; the connection goes on. */
  expectStreamError(streamId: number, code: CodeName): void {
    expect(this.quic.closed).toBeUndefined();
    expect(this.quic.stream(streamId).reset).toBe(Http3ErrorCode[code]);
  }

  /** The connection still works. */
  expectAlive(): void {
    expect(this.terminated).toBe(false);
    expect(this.quic.closed).toBeUndefined();
  }
}
