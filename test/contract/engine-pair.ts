/**
 * Two engines face to face: what one sends the other receives, in memory, at a time that the test sets.
 */
import { expect } from 'vitest';
import type { HeaderList } from '../../src/common/index.ts';
import type { EventOf, HttpEventType } from './event-types.ts';
import type { HttpEvent, HttpOverTcpFactory, HttpOverTcpProtocol, ProtocolContext } from '../../src/protocols/index.ts';

/** How bytes are cut on their way: as they were sent, or in pieces of so many bytes. */
export type Cut = 'whole' | number;

export const context: ProtocolContext = {
  secure: false,
  alpn: undefined,
  epochOffset: 1_700_000_000_000,
  random: { fill: (target) => target.fill(7) },
};

/** Bytes on their way. */
export class Pipe {
  #chunks: Uint8Array[] = [];
  #taken = 0;

  get length(): number {
    return this.#chunks.length - this.#taken;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
  }

  shift(): Uint8Array {
    const chunk = this.#chunks[this.#taken]!;
    this.#taken += 1;
    if (this.#taken === this.#chunks.length) this.clear();
    return chunk;
  }

  clear(): void {
    this.#chunks = [];
    this.#taken = 0;
  }
}

/** One engine, what it told, and the pipe that leads to it. */
export class Side {
  readonly engine: HttpOverTcpProtocol;
  readonly events: HttpEvent[] = [];
  /** Bytes on their way to this side. */
  readonly inbox: Pipe = new Pipe();
  /** The peer has ended its side, or is gone: told once the inbox is empty. */
  arriving: 'bytes' | 'end' | 'loss' | 'nothing' = 'bytes';
  /** Reading is held back by the test. */
  held = false;
  sentBytes = 0;
  ended = false;
  #consumed = 0;

  constructor(engine: HttpOverTcpProtocol) {
    this.engine = engine;
  }

  /** Pulls all events there are. */
  pull(): void {
    for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent()) {
      if (this.terminated) throw new Error(`${event.type} after ConnectionTerminated`);
      this.events.push(event);
    }
  }

  get terminated(): boolean {
    return this.events.at(-1)?.type === 'ConnectionTerminated';
  }

  /** The names of the events, in order. */
  get types(): string[] {
    return this.events.map(({ type }) => type);
  }

  /** All events of one kind. */
  all<Type extends HttpEventType>(type: Type): EventOf<Type>[] {
    return this.events.filter((event): event is EventOf<Type> => event.type === type);
  }

  /** The only event of its kind. */
  only<Type extends HttpEventType>(type: Type): EventOf<Type> {
    const events = this.all(type);
    expect(events, type).toHaveLength(1);
    return events[0]!;
  }

  /** All content of a stream. */
  data(streamId: number): string {
    const pieces = this.all('DataReceived').filter((event) => event.streamId === streamId);
    return text(Buffer.concat(pieces.map((event) => event.data)));
  }

  /** How much content has come since the last `clear`. */
  get received(): number {
    return this.all('DataReceived').reduce((sum, event) => sum + event.data.length, 0);
  }

  /** Gives back all content that has come so far. */
  consumeAll(): void {
    for (; this.#consumed < this.events.length; this.#consumed += 1) {
      const event = this.events[this.#consumed]!;
      if (event.type === 'DataReceived') this.engine.dataConsumed(event.streamId, event.flowControlledLength);
    }
  }

  /** Forgets what was told so far. */
  clear(): void {
    this.events.length = 0;
    this.#consumed = 0;
  }
}

/** A client's and a server's engine. */
export class EnginePair {
  now = 1000;
  readonly client: Side;
  readonly server: Side;
  readonly #cut: Cut;
  /** What was given away, with copies: nobody may write to it again. */
  readonly #given: { readonly chunk: Uint8Array; readonly copy: Uint8Array }[] = [];

  constructor(clientFactory: HttpOverTcpFactory, serverFactory: HttpOverTcpFactory, cut: Cut = 'whole') {
    this.client = new Side(clientFactory.create(context, this.now));
    this.server = new Side(serverFactory.create(context, this.now));
    this.#cut = cut;
  }

  /** Moves bytes until nothing moves any more; answers whether anything did. */
  run(): boolean {
    for (let round = 0; round < 100_000; round += 1) {
      const moved = [
        this.#send(this.client, this.server),
        this.#send(this.server, this.client),
        this.#deliver(this.client),
        this.#deliver(this.server),
      ];
      if (!moved.includes(true)) return round > 0;
    }
    throw new Error('the engines go on for ever');
  }

  /** Lets time pass: timers that are due run, in order. */
  advance(milliseconds: number): void {
    const target = this.now + milliseconds;
    for (let round = 0; round < 10_000; round += 1) {
      const sides = [this.client, this.server];
      const times = sides.map(({ engine }) => engine.nextTimeout() ?? Infinity);
      const next = Math.min(...times);
      if (next > target) break;
      this.now = Math.max(this.now, next);
      for (const [index, side] of sides.entries()) {
        if ((times[index] ?? Infinity) > this.now) continue;
        side.engine.handleTimeout(this.now);
        side.pull();
      }
      this.run();
    }
    this.now = target;
  }

  /** The connection breaks. */
  lose(): void {
    for (const side of [this.client, this.server]) {
      side.inbox.clear();
      side.arriving = 'nothing';
      side.engine.connectionLost(this.now);
      side.pull();
    }
  }

  /** What was given away by either engine is as it was. */
  checkOwnership(): void {
    for (const { chunk, copy } of this.#given) expect(chunk).toEqual(copy);
  }

  /** Takes one side's output. */
  #send(from: Side, to: Side): boolean {
    from.pull();
    let moved = false;
    const chunks = from.ended ? undefined : from.engine.bytesToSend(this.now);
    from.pull();
    for (const chunk of chunks ?? []) {
      this.#given.push({ chunk, copy: chunk.slice() });
      from.sentBytes += chunk.length;
      if (this.#cut === 'whole') to.inbox.push(chunk.slice());
      else for (let at = 0; at < chunk.length; at += this.#cut) to.inbox.push(chunk.slice(at, at + this.#cut));
      moved = true;
    }
    if (!moved && !from.ended && (from.engine.wantsEof || from.terminated)) {
      from.ended = true;
      if (to.arriving === 'bytes') to.arriving = from.engine.wantsEof ? 'end' : 'loss';
      moved = true;
    }
    return moved;
  }

  #deliver(side: Side): boolean {
    if (side.held) return false;
    let moved = false;
    while (side.inbox.length > 0 && side.engine.wantsInput) {
      side.engine.bytesReceived(side.inbox.shift(), this.now);
      side.pull();
      moved = true;
    }
    if (side.terminated) side.inbox.clear();
    if (side.inbox.length > 0 || side.arriving === 'bytes' || side.arriving === 'nothing') return moved;
    const lost = side.arriving === 'loss';
    side.arriving = 'nothing';
    if (lost) side.engine.connectionLost(this.now);
    else side.engine.eofReceived(this.now);
    side.pull();
    return true;
  }

  // What most cases do.

  /** Opens a request and lets it arrive; answers its id. */
  request(headers: HeaderList = get(), endStream = true, options: { readonly upgrade?: string } = {}): number {
    const streamId = this.client.engine.getAvailableStreamId();
    this.client.engine.submitHeaders(streamId, headers, { endStream, ...options });
    this.run();
    return streamId;
  }

  /** Answers a request and lets the answer arrive. */
  respond(streamId: number, status = 200, headers: HeaderList = [], body?: string): void {
    const { engine } = this.server;
    const endStream = body === undefined;
    engine.submitHeaders(streamId, [':status', String(status), ...headers], { endStream });
    if (body !== undefined) engine.submitData(streamId, bytes(body), { endStream: true });
    engine.submitHandlerEnd(streamId);
    this.run();
  }

  /** A whole exchange without content, to show that the connection still works. */
  exchange(): void {
    const streamId = this.request();
    this.respond(streamId, 204);
    expect(this.client.events.at(-1)).toMatchObject({ type: 'StreamClosed', streamId });
  }
}

/** A request without content. */
export function get(path = '/', more: HeaderList = []): HeaderList {
  return [':method', 'GET', ':scheme', 'http', ':authority', 'a.example', ':path', path, ...more];
}

/** A request with content. */
export function post(more: HeaderList = [], path = '/'): HeaderList {
  return [':method', 'POST', ':scheme', 'http', ':authority', 'a.example', ':path', path, ...more];
}

/** A plain CONNECT. */
export function connect(): HeaderList {
  return [':method', 'CONNECT', ':authority', 'db.example:5432'];
}

export function bytes(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function text(value: Uint8Array): string {
  return new TextDecoder().decode(value);
}
