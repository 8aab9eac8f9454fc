/**
 * Two engines back to back in memory, under one virtual clock.
 *
 * What one has to send the other receives, whole, octet by octet, or cut by a function; time passes only when told to.
 * Used by unit, property and contract tests of everything that implements `HttpOverTcpProtocol`.
 *
 * @module
 */
import type { HttpEvent, HttpOverTcpFactory, HttpOverTcpProtocol, ProtocolContext } from '../../src/protocols/index.ts';

/** A context without secrets: cleartext, a fixed date, zeros for random bytes. */
export function testContext(overrides: Partial<ProtocolContext> = {}): ProtocolContext {
  return {
    secure: false,
    alpn: undefined,
    // Sun, 06 Nov 1994 08:49:37 GMT at now = 0.
    epochOffset: 784_111_777_000,
    random: { fill: (target) => target.fill(0) },
    ...overrides,
  };
}

/** All events that wait. */
export function drainEvents(protocol: HttpOverTcpProtocol): HttpEvent[] {
  const events: HttpEvent[] = [];
  for (let event = protocol.nextEvent(); event !== undefined; event = protocol.nextEvent()) events.push(event);
  return events;
}

/** The types of some events, for comparing at a glance. */
export function eventTypes(events: readonly HttpEvent[]): string[] {
  return events.map((event) => event.type);
}

/** All output that waits, joined; what events come of taking it stay queued. */
export function takeOutput(protocol: HttpOverTcpProtocol, now = 0): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (let more = protocol.bytesToSend(now); more !== undefined; more = protocol.bytesToSend(now)) chunks.push(...more);
  return Buffer.concat(chunks);
}

/** All output that waits as latin1 text. */
export function takeText(protocol: HttpOverTcpProtocol, now = 0): string {
  return Buffer.from(takeOutput(protocol, now)).toString('latin1');
}

/** How bytes are cut on their way. */
export type Cutting = 'whole' | 'bytewise' | ((bytes: Uint8Array) => Uint8Array[]);

/** Cuts bytes into chunks that share no memory, as a socket's would not. */
export function cut(bytes: Uint8Array, cutting: Cutting): Uint8Array[] {
  if (cutting === 'whole') return [bytes.slice()];
  if (cutting === 'bytewise') return Array.from(bytes, (octet) => Uint8Array.of(octet));
  return cutting(bytes).map((chunk) => chunk.slice());
}

/** How a {@link ConnectionPair} is set up. */
export interface PairOptions {
  readonly clientContext?: Partial<ProtocolContext>;
  readonly serverContext?: Partial<ProtocolContext>;
  readonly cutting?: Cutting;
}

/** A client and a server, each other's peer. */
export class ConnectionPair {
  client: HttpOverTcpProtocol;
  server: HttpOverTcpProtocol;
  now: number;
  /** Events in the order in which they came, until taken. */
  readonly clientEvents: HttpEvent[];
  readonly serverEvents: HttpEvent[];
  /** Called with each event at once, before anything else happens; may submit. */
  onClientEvent: ((event: HttpEvent) => void) | undefined;
  onServerEvent: ((event: HttpEvent) => void) | undefined;
  readonly #cutting: Cutting;
  #clientEnded: boolean;
  #serverEnded: boolean;

  constructor(clientFactory: HttpOverTcpFactory, serverFactory: HttpOverTcpFactory, options: PairOptions = {}) {
    this.now = 0;
    this.client = clientFactory.create(testContext(options.clientContext), 0);
    this.server = serverFactory.create(testContext(options.serverContext), 0);
    this.clientEvents = [];
    this.serverEvents = [];
    this.onClientEvent = undefined;
    this.onServerEvent = undefined;
    this.#cutting = options.cutting ?? 'whole';
    this.#clientEnded = false;
    this.#serverEnded = false;
  }

  /** Carries bytes, ends and events both ways until nothing moves. A side that does not want input gets none. */
  exchange(): void {
    for (let round = 0; round < 10_000; round += 1) {
      const moved = this.#carry('client') || this.#carry('server');
      this.#pull();
      if (!moved) return;
    }
    throw new Error('the pair does not come to rest');
  }

  /** Lets time pass: each timer runs at its own time. */
  advance(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (let round = 0; round < 10_000; round += 1) {
      const due = Math.min(this.client.nextTimeout() ?? Infinity, this.server.nextTimeout() ?? Infinity);
      if (due > end) {
        this.now = end;
        return;
      }
      this.now = Math.max(this.now, due);
      this.client.handleTimeout(this.now);
      this.server.handleTimeout(this.now);
      this.exchange();
    }
    throw new Error('a timer does not advance');
  }

  /** The client's events so far, taken. */
  takeClientEvents(): HttpEvent[] {
    return this.clientEvents.splice(0);
  }

  /** The server's events so far, taken. */
  takeServerEvents(): HttpEvent[] {
    return this.serverEvents.splice(0);
  }

  #carry(from: 'client' | 'server'): boolean {
    const sender = this[from];
    const receiver = from === 'client' ? this.server : this.client;
    this.#pull();
    if (!receiver.wantsInput) {
      sender.handleTimeout(this.now);
      return false;
    }
    const portion = sender.bytesToSend(this.now);
    if (portion !== undefined) {
      for (const chunk of cut(Buffer.concat(portion), this.#cutting)) {
        (from === 'client' ? this.server : this.client).bytesReceived(chunk, this.now);
        this.#pull();
      }
      return true;
    }
    const ended = from === 'client' ? this.#clientEnded : this.#serverEnded;
    if (!sender.wantsEof || ended) return false;
    if (from === 'client') this.#clientEnded = true;
    else this.#serverEnded = true;
    receiver.eofReceived(this.now);
    return true;
  }

  #pull(): void {
    for (let event = this.server.nextEvent(); event !== undefined; event = this.server.nextEvent()) {
      if (event.type === 'ProtocolReplaced') this.server = event.protocol;
      this.serverEvents.push(event);
      this.onServerEvent?.(event);
    }
    for (let event = this.client.nextEvent(); event !== undefined; event = this.client.nextEvent()) {
      this.clientEvents.push(event);
      this.onClientEvent?.(event);
    }
  }
}
