/**
 * Two QUIC connections face to face over a network of one's own, under a virtual clock.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { NetworkPath, TlsIdentity } from '../../../src/common/index.ts';
import { nodeCryptoProvider } from '../../../src/crypto/index.ts';
import type { QuicEvent } from '../../../src/protocols/quic-transport.ts';
import { QuicConnection } from '../../../src/protocols/quic/connection.ts';
import type {
  ConnectionIdSource,
  QuicClientConfig,
  QuicInitial,
  QuicServerConfig,
} from '../../../src/protocols/quic/connection-config.ts';
import { quicClientConfig, quicServerConfig } from '../../../src/protocols/quic/connection-config.ts';
import type { QuicNotice } from '../../../src/protocols/quic/connection-notices.ts';
import { readPacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { seeded } from '../../support/quic/network.ts';

export { seeded } from '../../support/quic/network.ts';
export { traceOf } from '../../support/quic/quiet-trace.ts';

/** One of the two. */
export type Side = 'client' | 'server';

const fixtures = path.join(import.meta.dirname, '..', 'crypto', 'fixtures');

/** An identity of the fixtures: p256, p384, ed25519, rsa, rsa-pss. */
export function pemIdentity(name: string): TlsIdentity {
  return {
    cert: readFileSync(path.join(fixtures, `${name}.cert.pem`), 'latin1'),
    key: readFileSync(path.join(fixtures, `${name}.key.pem`), 'latin1'),
  };
}

/** Numbers from 0 to 1 that replay. */
export function seededNumbers(seed: number): () => number {
  const random = seeded(seed);
  return () => {
    const [high = 0, middle = 0, low = 0] = random.fill(new Uint8Array(3));
    return (high * 0x10000 + middle * 0x100 + low) / 0x1000000;
  };
}

/** Connection ids of eight bytes, each with a token. */
export function idSource(seed: number, length = 8): ConnectionIdSource {
  const random = seeded(seed);
  return {
    length,
    next: () => ({ id: random.fill(new Uint8Array(length)), resetToken: random.fill(new Uint8Array(16)) }),
  };
}

export const clientPath: NetworkPath = { local: '10.0.0.1:5000', remote: '10.0.0.2:443' };
export const serverPath: NetworkPath = { local: '10.0.0.2:443', remote: '10.0.0.1:5000' };

export function clientSettings(over: Partial<QuicClientConfig> = {}): QuicClientConfig {
  return quicClientConfig({
    crypto: nodeCryptoProvider,
    random: seeded(11),
    keyRandom: seeded(12),
    epoch: 1_700_000_000_000,
    alpn: ['h3'],
    serverName: 'a.example',
    host: 'a.example',
    connectionIds: idSource(13),
    ...over,
  });
}

export function serverSettings(over: Partial<QuicServerConfig> = {}): QuicServerConfig {
  return quicServerConfig({
    crypto: nodeCryptoProvider,
    random: seeded(21),
    keyRandom: seeded(22),
    epoch: 1_700_000_000_000,
    alpn: ['h3'],
    connectionIds: idSource(23),
    ...over,
  });
}

/** What is in a first datagram, for a server. */
export function initialOf(datagram: Uint8Array, over: Partial<QuicInitial> = {}): QuicInitial | undefined {
  const header = readPacketHeader(datagram, 0, 8);
  if (header?.form !== 'initial') return undefined;
  return {
    originalDestinationId: header.destination.slice(),
    destinationId: header.destination.slice(),
    sourceId: header.source.slice(),
    retrySourceId: undefined,
    addressValidated: false,
    ...over,
  };
}

/** A datagram on its way. */
export interface Transit {
  readonly from: Side;
  /** Counts the sender's datagrams from 0. */
  readonly index: number;
  readonly data: Uint8Array;
  readonly at: number;
  /** As the other side sees it. */
  readonly path: NetworkPath;
  /** As the sender names it. */
  readonly to: NetworkPath;
}

/** How the network and the drivers behave. */
export interface PairOptions {
  readonly client?: Partial<QuicClientConfig>;
  readonly server?: Partial<QuicServerConfig>;
  /** What the server knows besides what the packet says. */
  readonly initial?: Partial<QuicInitial>;
  /** One way, in milliseconds. Default 10. */
  readonly latency?: number;
  /** Whether a datagram is lost. */
  readonly drop?: (transit: Transit) => boolean;
  /** Changes a datagram's copy on its way. */
  readonly tamper?: (transit: Transit) => Uint8Array;
  /** How much later than the others a datagram arrives, in milliseconds. */
  readonly delay?: (transit: Transit) => number;
  /** Answers to questions; `undefined`: none is given. */
  readonly identity?: TlsIdentity | number | 'silent';
  readonly certificate?: { ok: true } | { ok: false; alert: number; reason: string } | 'silent';
  readonly ticket?: boolean | 'silent';
  /** Called with each event, after it was recorded. */
  readonly onEvent?: (pair: ConnectionPair, side: Side, event: QuicEvent) => void;
}

const defaultIdentity = pemIdentity('ed25519');

/** A client, a server and a network. */
export class ConnectionPair {
  now = 0;
  readonly client: QuicConnection;
  server: QuicConnection | undefined;
  readonly clientConfig: QuicClientConfig;
  readonly serverConfig: QuicServerConfig;
  readonly events: Record<Side, QuicEvent[]> = { client: [], server: [] };
  readonly notices: Record<Side, QuicNotice[]> = { client: [], server: [] };
  /** What came on each stream. */
  readonly received: Record<Side, Map<number, Uint8Array[]>> = { client: new Map(), server: new Map() };
  readonly finished: Record<Side, Set<number>> = { client: new Set(), server: new Set() };
  /** Everything that was sent. */
  readonly sent: Transit[] = [];
  /** Whether readers take what comes. */
  consume = true;
  options: PairOptions;
  /** What the other side sees when one sends: changed to rebind. */
  serverSees: NetworkPath = serverPath;
  readonly #inFlight: Transit[] = [];
  #delivered = 0;
  readonly #counts: Record<Side, number> = { client: 0, server: 0 };

  constructor(options: PairOptions = {}) {
    this.options = options;
    this.clientConfig = clientSettings(options.client);
    this.serverConfig = serverSettings(options.server);
    this.client = new QuicConnection(this.clientConfig, clientPath, 0);
  }

  side(side: Side): QuicConnection {
    const connection = side === 'client' ? this.client : this.server;
    if (connection === undefined) throw new Error('there is no server yet');
    return connection;
  }

  /** Events of a kind. */
  only<Type extends QuicEvent['type']>(side: Side, type: Type): Extract<QuicEvent, { type: Type }>[] {
    return this.events[side].filter((event): event is Extract<QuicEvent, { type: Type }> => event.type === type);
  }

  /** How a side's connection ended: code and whose it was. */
  closed(side: Side): { application: boolean; errorCode: number; initiator: string } | undefined {
    const event = this.only(side, 'QuicConnectionClosed')[0];
    if (event === undefined) return undefined;
    return { application: event.application, errorCode: event.errorCode, initiator: event.initiator };
  }

  /** All bytes that came on a stream. */
  bytes(side: Side, streamId: number): Buffer {
    return Buffer.concat(this.received[side].get(streamId) ?? []);
  }

  /** Runs until nothing is left to do before `until`, in milliseconds, or `done` says so. */
  run(until: number, done: () => boolean = () => false): void {
    let idle = 0;
    for (let steps = 0; steps < 2_000_000; steps += 1) {
      const before = this.sent.length + this.#delivered;
      this.#pump('client');
      if (this.server !== undefined) this.#pump('server');
      if (done()) return;
      const next = this.#nextAt();
      if (next === undefined || next > until) break;
      // A timer that is due and does nothing would keep a driver busy for ever.
      const stuck = next <= this.now;
      this.now = Math.max(this.now, next);
      this.#step();
      idle = stuck && this.sent.length + this.#delivered === before ? idle + 1 : 0;
      if (idle > 20) throw new Error(`a timer at ${String(this.now)} is due again and again`);
    }
    this.now = Math.max(this.now, until);
  }

  /** Runs until both sides have confirmed the handshake. */
  connect(until = 10_000): this {
    this.run(until, () => this.client.handshakeConfirmed && this.server?.handshakeConfirmed === true);
    return this;
  }

  /** Records a side's events without sending anything. */
  drain(side: Side): void {
    this.#take(side);
  }

  /** Runs for so many milliseconds. */
  wait(milliseconds: number): this {
    this.run(this.now + milliseconds);
    return this;
  }

  /** Puts a datagram on its way as if a side had sent it. */
  inject(from: Side, data: Uint8Array, networkPath?: NetworkPath): void {
    const known = from === 'client' ? this.serverSees : clientPath;
    const path = networkPath ?? known;
    this.#inFlight.push({ from, index: -1, data, at: this.now, path, to: path });
  }

  #nextAt(): number | undefined {
    let next = this.#inFlight[0]?.at;
    for (const { at } of this.#inFlight) next = Math.min(next ?? at, at);
    for (const connection of [this.client, this.server]) {
      const at = connection?.nextTimeout();
      if (at !== undefined) next = Math.min(next ?? at, at);
    }
    return next;
  }

  #step(): void {
    for (const connection of [this.client, this.server]) {
      const at = connection?.nextTimeout();
      if (at !== undefined && at <= this.now) connection?.handleTimeout(this.now);
    }
    const due = this.#inFlight.filter(({ at }) => at <= this.now);
    for (const transit of due) this.#inFlight.splice(this.#inFlight.indexOf(transit), 1);
    for (const transit of due) this.#deliver(transit);
  }

  #deliver(transit: Transit): void {
    this.#delivered += 1;
    const data = this.options.tamper === undefined ? transit.data : this.options.tamper(transit);
    if (transit.from === 'server') {
      this.client.datagramReceived(data.slice(), transit.path, this.now);
      return;
    }
    if (this.server === undefined) {
      const initial = initialOf(data, this.options.initial);
      if (initial === undefined) return;
      this.server = new QuicConnection(this.serverConfig, transit.path, this.now, initial);
    }
    this.server.datagramReceived(data.slice(), transit.path, this.now);
  }

  #pump(side: Side): void {
    const connection = this.side(side);
    this.#take(side);
    for (let rounds = 0; rounds < 1_000; rounds += 1) {
      const datagrams = connection.datagramsToSend(this.now, 64);
      this.#take(side);
      if (datagrams.length === 0) return;
      for (const { data, segmentSize, path: to } of datagrams) {
        for (let at = 0; at < data.length; at += segmentSize) {
          this.#send(side, data.slice(at, at + segmentSize), to);
        }
      }
    }
  }

  #send(from: Side, data: Uint8Array, to: NetworkPath): void {
    const index = this.#counts[from];
    this.#counts[from] += 1;
    const seen = from === 'client' ? this.#seenFrom(to) : clientPath;
    const transit = { from, index, data, at: this.now + (this.options.latency ?? 10), path: seen, to };
    this.sent.push(transit);
    if (this.options.drop?.(transit) === true) return;
    const later = this.options.delay?.(transit) ?? 0;
    this.#inFlight.push({ ...transit, at: transit.at + later });
  }

  #seenFrom(to: NetworkPath): NetworkPath {
    return to === clientPath ? this.serverSees : { local: to.remote, remote: to.local };
  }

  #take(side: Side): void {
    const connection = this.side(side);
    for (let event = connection.nextEvent(); event !== undefined; event = connection.nextEvent()) {
      this.events[side].push(event);
      this.#answer(side, event);
      this.options.onEvent?.(this, side, event);
    }
    for (let notice = connection.nextNotice(); notice !== undefined; notice = connection.nextNotice()) {
      this.notices[side].push(notice);
    }
  }

  #answer(side: Side, event: QuicEvent): void {
    const { identity = defaultIdentity, certificate = { ok: true }, ticket = true } = this.options;
    const connection = this.side(side);
    if (event.type === 'ClientHelloReceived' && identity !== 'silent') connection.submitServerIdentity(identity);
    if (event.type === 'CertificateReceived' && certificate !== 'silent') {
      connection.submitCertificateVerdict(certificate);
    }
    if (event.type === 'TicketOffered' && ticket !== 'silent') connection.submitTicketVerdict(ticket);
    if (event.type !== 'QuicStreamReceived') return;
    const chunks = this.received[side].get(event.streamId) ?? [];
    chunks.push(event.data.slice());
    this.received[side].set(event.streamId, chunks);
    if (event.fin) this.finished[side].add(event.streamId);
    if (this.consume) connection.streamConsumed(event.streamId, event.data.length);
  }
}
