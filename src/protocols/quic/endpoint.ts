/**
 * Many connections on one set of sockets.
 *
 * Owns where a datagram goes: to a connection by its connection id, to the stub of one that is over, to a new connection,
 * or into an answer that needs none (RFC 9000 sections 5.2, 6, 8.1, 10). Owns the order in which connections send and
 * their timers are served. Everything inside a connection is its own; sockets, and handing datagrams to other workers,
 * are the driver's.
 *
 * A driver gives datagrams and time to the endpoint only; it pulls {@link QuicEndpoint.nextIncoming} after each datagram,
 * {@link QuicEndpoint.nextReady} after any call, and the events of the connection that {@link QuicEndpoint.datagramReceived}
 * answers with.
 *
 * Invariants: no work grows with the number of connections but the depth of a heap; nothing is allocated for a datagram
 * that leads to nothing; nothing that comes makes a member throw.
 *
 * @module
 */
import type { NetworkPath } from '../../common/index.ts';
import { TicketSealer } from '../../tls/index.ts';
import { latin1Text, RingQueue } from '../../wire/index.ts';
import type { Datagram } from '../http-protocol.ts';
import { AddressTokens } from './address-token.ts';
import { ClosingStub } from './closing-stubs.ts';
import type { OpenedInitial, QuicServerConfig } from './connection-config.ts';
import { MIN_DATAGRAM, quicClientConfig, quicServerConfig } from './connection-config.ts';
import type { ConnectionIdChange } from './connection-ids.ts';
import { CONNECTION_ID_LENGTH, WorkerConnectionIds } from './connection-id-source.ts';
import { QuicConnection } from './connection.ts';
import { DeadlineHeap } from './deadline-heap.ts';
import type { AdmissionPlace } from './endpoint-admission.ts';
import { EndpointAdmission } from './endpoint-admission.ts';
import { EndpointHandle } from './endpoint-handle.ts';
import type { QuicEndpointLimitValues } from './limits.ts';
import { quicEndpointLimitValues } from './limits.ts';
import type {
  QuicAcceptOptions,
  QuicConnectionHandle,
  QuicConnectOptions,
  QuicEndpointCounters,
  QuicEndpointKeys,
  QuicEndpointOptions,
  QuicIncoming,
} from './endpoint-options.ts';
import { QuicError } from './error-codes.ts';
import type { IncomingDecisions } from './incoming-connection.ts';
import { IncomingConnection, openInitial } from './incoming-connection.ts';
import type { PacketHeader } from './packet-header.ts';
import { readPacketHeader } from './packet-header.ts';
import { RouteTable } from './route-table.ts';
import { RESET_TOKEN_LENGTH } from './stateless-reset.ts';
import { StatelessReplies } from './stateless-replies.ts';

const LONG = 0x80;
/** RFC 9000 section 7.2: a client's first Destination Connection ID is at least this long. */
const LEAST_FIRST_ID = 8;
/** How many packets one connection sends before another one is asked. */
const SHARE = 16;
/** RFC 9000 section 10.3: the least that could be a stateless reset; no packet is shorter. */
const LEAST_DATAGRAM = 5 + RESET_TOKEN_LENGTH;

/** The demultiplexer of one set of UDP sockets. */
export class QuicEndpoint {
  /** Set by the driver: something was submitted to a connection outside of the endpoint's calls. */
  onOutput: (() => void) | undefined;
  readonly #options: QuicEndpointOptions;
  readonly #limits: QuicEndpointLimitValues;
  readonly #ids: WorkerConnectionIds;
  readonly #tokens: AddressTokens;
  readonly #tickets: TicketSealer;
  readonly #replies: StatelessReplies;
  readonly #admission: EndpointAdmission;
  /** By connection id. */
  readonly #routes: RouteTable<EndpointHandle | ClosingStub | IncomingConnection>;
  /** By the peer's reset tokens, hashed: how long finding one takes tells nothing of the others (section 10.3.1). */
  readonly #resets: RouteTable<EndpointHandle>;
  readonly #resetHashKey: Uint8Array;
  readonly #incoming: RingQueue<IncomingConnection>;
  readonly #dirty: RingQueue<EndpointHandle>;
  readonly #ready: RingQueue<EndpointHandle>;
  readonly #timers: DeadlineHeap<EndpointHandle | ClosingStub>;
  readonly #counters: { -readonly [Name in keyof QuicEndpointCounters]: number };
  readonly #decisions: IncomingDecisions;
  readonly #configs: WeakMap<QuicAcceptOptions, QuicServerConfig>;
  readonly #wake: (handle: EndpointHandle) => void;
  #hasTokenKey: boolean;
  #connections: number;
  #stubs: number;
  /** Clients that have not been decided on. */
  #waiting: number;
  /** As of the driver's latest call. */
  #now: number;

  /** @throws ConfigurationError for limits that do not exist */
  constructor(options: QuicEndpointOptions, now: number) {
    const { crypto, random, keys } = options;
    const limits = quicEndpointLimitValues(options.limits);
    this.onOutput = undefined;
    this.#options = options;
    this.#limits = limits;
    this.#routes = new RouteTable();
    this.#resets = new RouteTable();
    this.#resetHashKey = random.fill(new Uint8Array(32));
    this.#ids = new WorkerConnectionIds(crypto, random, keys, options.worker ?? 0, (id) => this.#routes.has(keyOf(id)));
    this.#tokens = new AddressTokens({
      crypto,
      random,
      keys: keys.tokens,
      retryLifetime: limits.retryTokenLifetime,
      newLifetime: limits.newTokenLifetime,
      maxRemembered: limits.maxUsedTokens,
    });
    this.#tickets = new TicketSealer(crypto, random, keys.tickets);
    const epoch = options.epoch ?? 0;
    this.#replies = new StatelessReplies({ crypto, random, limits, ids: this.#ids, tokens: this.#tokens, epoch }, now);
    this.#admission = new EndpointAdmission(limits);
    this.#incoming = new RingQueue();
    this.#dirty = new RingQueue();
    this.#ready = new RingQueue();
    this.#timers = new DeadlineHeap();
    this.#counters = { accepted: 0, retried: 0, refused: 0, versionsNegotiated: 0, resets: 0, dropped: 0 };
    this.#decisions = {
      accepted: (incoming, accept) => this.#accepted(incoming, accept),
      retried: (incoming) => {
        this.#decided(incoming);
        this.#retry(incoming.header, incoming.path);
      },
      refused: (incoming) => {
        this.#decided(incoming);
        this.#refuse(incoming.header, incoming.path, QuicError.connectionRefused);
      },
      ignored: (incoming) => {
        this.#decided(incoming);
      },
    };
    this.#configs = new WeakMap();
    this.#wake = (handle) => {
      this.#markDirty(handle);
      this.onOutput?.();
    };
    this.#hasTokenKey = keys.tokens.length > 0;
    this.#connections = 0;
    this.#stubs = 0;
    this.#waiting = 0;
    this.#now = now;
  }

  /** Connections that are alive. */
  get connectionCount(): number {
    return this.#connections;
  }

  /** Handshakes of clients under way. */
  get halfOpenCount(): number {
    return this.#admission.halfOpen;
  }

  /** Connections that are over and still answer. */
  get stubCount(): number {
    return this.#stubs;
  }

  /** What became of datagrams without a connection, so far. */
  get counters(): QuicEndpointCounters {
    return { ...this.#counters };
  }

  /** Replaces the keys of tokens and tickets: a new one in front, old ones behind for as long as what they sealed lives. */
  rotateKeys(keys: Pick<QuicEndpointKeys, 'tokens' | 'tickets'>): void {
    this.#hasTokenKey = keys.tokens.length > 0;
    this.#tokens.rotate(keys.tokens);
    this.#tickets.rotate(keys.tickets);
  }

  /**
   * Takes one UDP payload. Never throws.
   *
   * @returns the connection that took it, whose events are to be pulled
   */
  datagramReceived(data: Uint8Array, path: NetworkPath, now: number): QuicConnectionHandle | undefined {
    this.#now = now;
    const first = data[0] ?? 0;
    const isLong = (first & LONG) !== 0;
    // RFC 8999 section 5: version, then the id behind its length; or the id whose length we know.
    const at = isLong ? 6 : 1;
    const end = at + (isLong ? (data[5] ?? 0) : CONNECTION_ID_LENGTH);
    if (data.length < end || data.length < LEAST_DATAGRAM) return this.#dropped();
    const key = latin1Text(data, at, end);
    const target = this.#routes.get(key);
    if (target === undefined) return isLong ? this.#firstReceived(data, path) : this.#strayReceived(data, path);
    if (target.kind === 'connection') {
      target.lastRoute = key;
      return this.#deliver(target, data, path);
    }
    if (target.kind === 'incoming') {
      if (!target.keep(data, path)) this.#dropped();
      return undefined;
    }
    const close = target.datagramReceived(path.remote, data.length);
    if (close !== undefined) this.#replies.repeatClose(close, target.path, now);
    return undefined;
  }

  /** The next client that wants a connection; one of its four members is to be called at once. */
  nextIncoming(): QuicIncoming | undefined {
    return this.#incoming.shift();
  }

  /** Connections that may have events although no datagram came: pulled after any call until `undefined`. */
  nextReady(): QuicConnectionHandle | undefined {
    const handle = this.#ready.shift();
    if (handle !== undefined) handle.ready = false;
    return handle;
  }

  /** Opens a connection. @throws ConfigurationError for options that do not fit together */
  connect(options: QuicConnectOptions, path: NetworkPath, now: number): QuicConnectionHandle {
    this.#now = now;
    const { crypto, random, keyRandom, epoch = 0 } = this.#options;
    const own = { crypto, random, keyRandom, epoch, connectionIds: this.#ids };
    return this.#add(new QuicConnection(quicClientConfig({ ...options, ...own }), path, now), undefined);
  }

  /** At most `max` packets to send now: answers without a connection first, then each connection in its turn. */
  datagramsToSend(now: number, max: number): Datagram[] {
    this.#now = now;
    const datagrams: Datagram[] = [];
    let room = max;
    while (room > 0) {
      const reply = this.#replies.shift();
      if (reply === undefined) break;
      datagrams.push(reply);
      room -= 1;
    }
    while (room > 0) {
      const handle = this.#dirty.shift();
      if (handle === undefined) break;
      handle.dirty = false;
      if (handle.closed) continue;
      const share = Math.min(room, SHARE);
      let packets = 0;
      for (const datagram of handle.connection.datagramsToSend(now, share)) {
        datagrams.push(datagram);
        packets += Math.ceil(datagram.data.length / datagram.segmentSize);
      }
      room -= packets;
      this.#note(handle);
      this.#release(handle);
      this.#markReady(handle);
      this.#retime(handle);
      if (packets >= share) this.#markDirty(handle);
    }
    return datagrams;
  }

  /** When {@link QuicEndpoint.handleTimeout} is to be called; valid until the next call. */
  nextTimeout(): number | undefined {
    return this.#timers.first?.deadline;
  }

  /** Serves the timers that are due. */
  handleTimeout(now: number): void {
    this.#now = now;
    for (const entry of this.#timers.takeDue(now)) {
      if (entry.kind === 'stub') {
        this.#routes.delete(entry.route);
        this.#stubs -= 1;
        continue;
      }
      entry.connection.handleTimeout(now);
      this.#note(entry);
      this.#release(entry);
      this.#markDirty(entry);
      this.#markReady(entry);
      this.#retime(entry);
    }
  }

  #deliver(handle: EndpointHandle, data: Uint8Array, path: NetworkPath): QuicConnectionHandle {
    handle.connection.datagramReceived(data, path, this.#now);
    this.#note(handle);
    this.#release(handle);
    this.#markDirty(handle);
    return handle;
  }

  /** A short header whose id means nothing: the peer's stateless reset, or a packet that is answered by one. */
  #strayReceived(data: Uint8Array, path: NetworkPath): QuicConnectionHandle | undefined {
    if (this.#resets.size > 0) {
      const handle = this.#resets.get(this.#resetKey(data.subarray(data.length - RESET_TOKEN_LENGTH)));
      if (handle !== undefined) return this.#deliver(handle, data, path);
    }
    const id = data.subarray(1, 1 + CONNECTION_ID_LENGTH);
    if (!this.#replies.reset(id, data.length, path, this.#now)) return this.#dropped();
    this.#counters.resets += 1;
    return undefined;
  }

  /** A long header whose id means nothing. */
  #firstReceived(data: Uint8Array, path: NetworkPath): QuicConnectionHandle | undefined {
    // Section 14.1: a first packet comes in a datagram of 1200 bytes; nothing else is answered (sections 6.1, 8.1).
    if (!this.#options.accepts || data.length < MIN_DATAGRAM) return this.#dropped();
    const header = readPacketHeader(data, 0, CONNECTION_ID_LENGTH);
    if (header?.form === 'unknown') {
      if (!this.#replies.negotiateVersion(header, path, this.#now)) return this.#dropped();
      this.#counters.versionsNegotiated += 1;
      return undefined;
    }
    if (header?.form !== 'initial' || header.destination.length < LEAST_FIRST_ID) return this.#dropped();
    // RFC 9287 section 3.1: only who has a token can know that the bit means nothing to us.
    if (!header.fixedBit && header.token.length === 0) return this.#dropped();
    return this.#initialReceived(data, header, path);
  }

  #initialReceived(data: Uint8Array, header: PacketHeader, path: NetworkPath): QuicConnectionHandle | undefined {
    const { crypto, epoch = 0 } = this.#options;
    const wall = epoch + this.#now;
    const token = this.#tokens.open(header.token, path.remote, header.destination, wall);
    if (token.kind === 'invalidRetry') {
      // Section 8.1.2: it will take no other Retry, so that it had better begin anew.
      if (openInitial(crypto, data, header) === undefined) return this.#dropped();
      return this.#refuse(header, path, QuicError.invalidToken);
    }
    const proven = token.kind !== 'none';
    const admission = this.#admission.judge(path.remote, this.#waiting, proven);
    if (admission === 'retry' && this.#hasTokenKey) return this.#retry(header, path);
    if (admission !== 'offer') return this.#refuse(header, path, QuicError.connectionRefused);
    if (this.#waiting >= this.#limits.maxIncoming) return this.#dropped();
    const opened = openInitial(crypto, data, header);
    if (opened === undefined) return this.#dropped();
    const isRetried = token.kind === 'retry';
    // Copies: what a connection keeps is not to hold its first datagram.
    const destinationId = new Uint8Array(header.destination);
    const initial: OpenedInitial = {
      opened,
      originalDestinationId: isRetried ? new Uint8Array(token.originalDestinationId) : destinationId,
      destinationId,
      sourceId: new Uint8Array(header.source),
      retrySourceId: isRetried ? destinationId : undefined,
      addressValidated: isRetried || (token.kind === 'new' && this.#tokens.claim(token, wall)),
    };
    const mayRetry = this.#hasTokenKey && !isRetried;
    const { maxIncomingDatagrams } = this.#limits;
    const incoming = new IncomingConnection(header, initial, path, mayRetry, maxIncomingDatagrams, this.#decisions);
    incoming.keep(data, path);
    this.#waiting += 1;
    this.#routes.set(keyOf(header.destination), incoming);
    this.#incoming.push(incoming);
    return undefined;
  }

  #accepted(incoming: IncomingConnection, options: QuicAcceptOptions): QuicConnectionHandle {
    this.#decided(incoming);
    const { path, initial } = incoming;
    const connection = new QuicConnection(this.#configOf(options), path, this.#now, initial);
    const handle = this.#add(connection, this.#admission.take(path.remote));
    handle.lastRoute = keyOf(initial.destinationId);
    this.#counters.accepted += 1;
    for (const datagram of incoming.take()) connection.datagramReceived(datagram, path, this.#now);
    this.#note(handle);
    this.#markReady(handle);
    return handle;
  }

  /** What is accepted under one set of options has one configuration. */
  #configOf(options: QuicAcceptOptions): QuicServerConfig {
    const known = this.#configs.get(options);
    if (known !== undefined) return known;
    const { crypto, random, keyRandom, epoch = 0, keys } = this.#options;
    const { resumption = true, sendToken = true, ...settings } = options;
    const config = quicServerConfig({
      ...settings,
      crypto,
      random,
      keyRandom,
      epoch,
      connectionIds: this.#ids,
      tickets: resumption && keys.tickets.length > 0 ? this.#tickets : undefined,
      newToken: sendToken ? (remote, now) => this.#tokens.forLater(remote, epoch + now) : undefined,
    });
    this.#configs.set(options, config);
    return config;
  }

  #decided(incoming: IncomingConnection): void {
    this.#waiting -= 1;
    const key = keyOf(incoming.initial.destinationId);
    if (this.#routes.get(key) === incoming) this.#routes.delete(key);
  }

  #retry(header: PacketHeader, path: NetworkPath): QuicConnectionHandle | undefined {
    if (!this.#replies.retry(header, path, this.#now)) return this.#dropped();
    this.#counters.retried += 1;
    return undefined;
  }

  #refuse(header: PacketHeader, path: NetworkPath, errorCode: number): QuicConnectionHandle | undefined {
    if (!this.#replies.refuse(header, path, errorCode, this.#now)) return this.#dropped();
    this.#counters.refused += 1;
    return undefined;
  }

  #add(connection: QuicConnection, place: AdmissionPlace | undefined): EndpointHandle {
    const handle = new EndpointHandle(connection, place, this.#wake);
    // Not assigned where it is written: V8 would put it, and so the connection, into the old generation.
    const wake = (): void => this.#wake(handle);
    connection.onOutput = wake;
    this.#connections += 1;
    this.#note(handle);
    this.#markDirty(handle);
    this.#retime(handle);
    return handle;
  }

  /** Learns what has changed about how a connection is found, and whether its handshake is done. */
  #note(handle: EndpointHandle): void {
    const { connection, place } = handle;
    for (let change = connection.nextIdChange(); change !== undefined; change = connection.nextIdChange()) {
      this.#idChanged(handle, change);
    }
    if (place?.halfOpen === true && connection.handshakeComplete) this.#admission.opened(place);
  }

  #idChanged(handle: EndpointHandle, change: ConnectionIdChange): void {
    switch (change.type) {
      case 'ConnectionIdIssued': {
        const key = keyOf(change.id);
        this.#routes.set(key, handle);
        handle.routes.add(key);
        return;
      }
      case 'ConnectionIdRetired': {
        const key = keyOf(change.id);
        if (handle.routes.delete(key)) this.#routes.delete(key);
        return;
      }
      case 'ResetTokenExpected': {
        const key = this.#resetKey(change.token);
        this.#resets.set(key, handle);
        handle.resets.add(key);
        return;
      }
      default: {
        const key = this.#resetKey(change.token);
        if (handle.resets.delete(key) && this.#resets.get(key) === handle) this.#resets.delete(key);
      }
    }
  }

  /** Lets a connection go that is over: it has sent its close, or has none to send. */
  #release(handle: EndpointHandle): void {
    if (handle.closed) return;
    const { connection, place } = handle;
    const { remains } = connection;
    if (!connection.isTerminated && remains === undefined) return;
    handle.closed = true;
    for (const key of handle.routes) this.#routes.delete(key);
    for (const key of handle.resets) if (this.#resets.get(key) === handle) this.#resets.delete(key);
    handle.routes.clear();
    handle.resets.clear();
    this.#timers.set(handle, undefined);
    this.#connections -= 1;
    if (place !== undefined) this.#admission.release(place);
    this.#markReady(handle);
    if (remains === undefined || this.#stubs >= this.#limits.maxStubs) return;
    const stub = new ClosingStub(remains, handle.lastRoute);
    this.#routes.set(stub.route, stub);
    this.#timers.set(stub, stub.deadline);
    this.#stubs += 1;
  }

  #markDirty(handle: EndpointHandle): void {
    if (handle.dirty || handle.closed) return;
    handle.dirty = true;
    this.#dirty.push(handle);
  }

  #markReady(handle: EndpointHandle): void {
    if (handle.ready) return;
    handle.ready = true;
    this.#ready.push(handle);
  }

  #retime(handle: EndpointHandle): void {
    this.#timers.set(handle, handle.closed ? undefined : handle.connection.nextTimeout());
  }

  #resetKey(token: Uint8Array): string {
    return keyOf(this.#options.crypto.hmac('sha256', this.#resetHashKey, token));
  }

  #dropped(): QuicConnectionHandle | undefined {
    this.#counters.dropped += 1;
    return undefined;
  }
}

function keyOf(id: Uint8Array): string {
  return latin1Text(id, 0, id.length);
}
