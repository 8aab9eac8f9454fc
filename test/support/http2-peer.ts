/**
 * One HTTP/2 engine, and a peer that may send whatever it likes: frames in, frames out.
 *
 * @module
 */
import { expect } from 'vitest';
import type { HeaderList } from '../../src/common/index.ts';
import type { HttpEvent, HttpOverTcpProtocol, ProtocolContext } from '../../src/protocols/index.ts';
import { HpackDecoder, HpackEncoder } from '../../src/protocols/http2/hpack/index.ts';
import { Http2ClientFactory, Http2ErrorCode, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import { ByteWriter } from '../../src/wire/index.ts';
import type { Frame } from './http2-frames.ts';
import {
  concat,
  END_HEADERS,
  END_STREAM,
  frame,
  number32,
  parseFrames,
  preface,
  settings,
  settingsAck,
  Type,
} from './http2-frames.ts';

type EventType = HttpEvent['type'];
type EventOf<Name extends EventType> = Extract<HttpEvent, { readonly type: Name }>;

/** The names of error codes. */
export type CodeName = keyof typeof Http2ErrorCode;

export const context: ProtocolContext = {
  secure: false,
  alpn: 'h2',
  epochOffset: 1_700_000_000_000,
  random: { fill: (target) => target.fill(7) },
};

/** A request's head. */
export function request(method = 'GET', more: HeaderList = []): HeaderList {
  return [':method', method, ':scheme', 'http', ':authority', 'a.example', ':path', '/', ...more];
}

/** An engine, what it told, and what it sent. */
export class Http2Peer {
  readonly engine: HttpOverTcpProtocol;
  readonly events: HttpEvent[] = [];
  /** Frames that the engine has sent since the last `clear`. */
  frames: Frame[] = [];
  now = 1000;
  readonly encoder: HpackEncoder = new HpackEncoder();
  readonly decoder: HpackDecoder = new HpackDecoder({ maxTableSize: 4096, maxListSize: 1 << 20, maxFields: 1000 });
  #prefaceDue: boolean;

  private constructor(engine: HttpOverTcpProtocol) {
    this.engine = engine;
    this.#prefaceDue = engine.role === 'client';
  }

  /** A peer of a server engine; greeted unless said otherwise. */
  static ofServer(limits: Readonly<Record<string, number>> = {}, greet = true): Http2Peer {
    const peer = new Http2Peer(new Http2ServerFactory({ limits }).create(context, 1000));
    if (greet) peer.greet();
    return peer;
  }

  /** A peer of a client engine. */
  static ofClient(limits: Readonly<Record<string, number>> = {}, greet = true): Http2Peer {
    const peer = new Http2Peer(new Http2ClientFactory({ limits }).create(context, 1000));
    if (greet) peer.greet();
    return peer;
  }

  /** Preface and settings, both ways. */
  greet(...pairs: readonly (readonly [id: number, value: number])[]): void {
    if (this.engine.role === 'server') this.send(preface);
    this.send(settings(...pairs), settingsAck);
    this.clear();
  }

  /** Hands frames over in one chunk, then collects what comes. */
  send(...frames: readonly Uint8Array[]): this {
    this.engine.bytesReceived(concat(...frames), this.now);
    return this.collect();
  }

  /** Pulls events and output until there are none. */
  collect(): this {
    for (;;) {
      this.pull();
      const chunks = this.engine.bytesToSend(this.now);
      this.pull();
      if (chunks === undefined) return this;
      this.#read(concat(...chunks));
    }
  }

  /** Pulls events. */
  pull(): void {
    for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent()) {
      if (this.terminated) throw new Error(`${event.type} after ConnectionTerminated`);
      this.events.push(event);
    }
  }

  /** Lets time pass. */
  advance(milliseconds: number): this {
    const target = this.now + milliseconds;
    for (let round = 0; round < 10_000; round += 1) {
      const next = this.engine.nextTimeout() ?? Infinity;
      if (next > target) break;
      this.now = Math.max(this.now, next);
      this.engine.handleTimeout(this.now);
      this.collect();
    }
    this.now = target;
    return this;
  }

  /** Forgets what was told and sent. */
  clear(): this {
    this.events.length = 0;
    this.frames = [];
    return this;
  }

  /** A header block. */
  block(headers: HeaderList): Uint8Array {
    const writer = new ByteWriter();
    this.encoder.encode(headers, writer);
    return writer.finish();
  }

  /** HEADERS in one frame. */
  headers(streamId: number, headers: HeaderList, flags: number = END_STREAM): Uint8Array {
    return frame(Type.HEADERS, flags | END_HEADERS, streamId, this.block(headers));
  }

  /** The fields of a HEADERS frame. To be called in the order of the frames. */
  fields(headersFrame: Frame): HeaderList {
    const result = this.decoder.decode(headersFrame.payload);
    expect(result.error).toBeUndefined();
    return result.headers;
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

  /** Frames of a type that the engine has sent. */
  sent(type: number): Frame[] {
    return this.frames.filter((one) => one.type === type);
  }

  /** All content that the engine has sent on a stream. */
  content(streamId: number): Uint8Array {
    const frames = this.sent(Type.DATA).filter((one) => one.streamId === streamId);
    return concat(...frames.map(({ payload }) => payload));
  }

  /** The connection ended with GOAWAY of this code, and only so (RFC 9113 section 5.4.1). */
  expectConnectionError(code: CodeName): void {
    expect(this.sent(Type.GOAWAY).map(({ payload }) => nameOf(number32(payload, 4)))).toEqual([code]);
    expect(this.only('ConnectionTerminated').errorCode).toBe(Http2ErrorCode[code]);
    expect(this.only('ConnectionTerminated').error).toBeDefined();
    expect(this.engine.wantsEof).toBe(true);
    expect(this.engine.wantsInput).toBe(false);
  }

  /** The stream, and no more, was reset by the engine with this code (RFC 9113 section 5.4.2). */
  expectStreamError(streamId: number, code: CodeName): void {
    const resets = this.sent(Type.RST_STREAM);
    expect(resets.map((one) => [one.streamId, nameOf(number32(one.payload))])).toEqual([[streamId, code]]);
    this.expectAlive();
  }

  /** The connection goes on. */
  expectAlive(): void {
    expect(this.types).not.toContain('ConnectionTerminated');
    expect(this.sent(Type.GOAWAY)).toEqual([]);
    this.frames = [];
    this.send(frame(Type.PING, 0, 0, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
    expect(this.sent(Type.PING).map(({ flags }) => flags)).toEqual([1]);
  }

  #read(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#prefaceDue) {
      expect(rest.slice(0, preface.length)).toEqual(preface);
      rest = rest.slice(preface.length);
      this.#prefaceDue = false;
    }
    this.frames.push(...parseFrames(rest));
  }
}

/** A code's name. */
export function nameOf(code: number): string {
  return Object.entries(Http2ErrorCode).find(([, value]) => value === code)?.[0] ?? String(code);
}
