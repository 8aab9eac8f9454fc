/**
 * Datagrams in a simulation: what a network does to them on their way.
 *
 * Theory of operation. Each socket that was opened towards a peer has a link of its own with the conditions of its
 * number; sockets that are heard by anybody share one per pair of addresses. A datagram waits for the line (bandwidth,
 * with a queue whose end is dropped), then arrives after latency and jitter, each for itself, so that they overtake one
 * another. Loss, a second copy, delay and flipped bits are drawn for each. What is longer than the link carries is lost
 * without a word, as where ICMP is filtered.
 *
 * Between a connected socket and everybody else stands a translator of addresses (NAT): its peer sees the outer
 * address, and when that is rebound, what still goes to the old one is lost (RFC 9000 section 9.3.3).
 *
 * Invariants: equal seeds give equal fates; nothing is called from inside `send`.
 *
 * @module
 */
import { formatSocketAddress, NetworkError } from '../../common/index.ts';
import type { Clock, IpAddress, NetworkPath, ScheduledCallback } from '../../common/index.ts';
import type { UdpSocket, UdpSocketHandler } from '../networking.ts';
import type { EventDigest } from './event-digest.ts';
import type { LinkConditions } from './link-conditions.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What the datagrams of a simulation are made of. */
export interface SimulatedUdpParts {
  /** The clock for what travels. */
  readonly clock: Clock;
  readonly digest: EventDigest;
  /** The conditions and the randomness of the next link. */
  readonly nextLink: () => {
    readonly number: number;
    readonly conditions: LinkConditions;
    readonly random: SeededRandom;
  };
  readonly freePort: () => number;
  readonly isUnreachable: (host: string) => boolean;
}

/** One direction of a link. */
interface Line {
  readonly random: SeededRandom;
  /** When what was sent so far has departed. */
  free: number;
}

/** What lies between two addresses. */
interface Link {
  readonly number: number;
  readonly conditions: LinkConditions;
  readonly up: Line;
  readonly down: Line;
  /** From then on nothing arrives. */
  readonly silentFrom: number;
}

/** What UDP payloads can be at most (RFC 768 with an IPv4 header). */
const LONGEST_DATAGRAM = 65_507;

/** All UDP sockets of a simulation. */
export class SimulatedUdp {
  readonly #parts: SimulatedUdpParts;
  /** By the address that others see. */
  readonly #sockets: Map<string, SimulatedUdpSocket>;
  readonly #links: Map<string, Link>;
  /** Who is told, behind all that comes at this time. */
  readonly #told: Set<UdpSocketHandler>;

  constructor(parts: SimulatedUdpParts) {
    this.#parts = parts;
    this.#sockets = new Map();
    this.#links = new Map();
    this.#told = new Set();
  }

  /** What is open, one line each. */
  describe(): string[] {
    return [...this.#sockets.values()].map((socket) => `udp ${formatSocketAddress(socket.localAddress)}`);
  }

  /** Whether there is a socket at exactly that address. */
  isTaken(address: IpAddress): boolean {
    return this.#sockets.has(formatSocketAddress(address));
  }

  /**
   * A host has lost its address: what is sent from there fails, or is lost without a word where that is not `told`, and
   * nothing arrives there.
   */
  strand(host: string, told: boolean): void {
    for (const socket of this.#sockets.values()) {
      if (socket.localAddress.host === host) socket.stranded = told ? 'told' : 'silent';
    }
  }

  /** A socket that anybody may send to. */
  bind(address: IpAddress, handler: UdpSocketHandler): SimulatedUdpSocket {
    return this.#open(new SimulatedUdpSocket(this, address, undefined, handler));
  }

  /** A socket towards one peer. */
  connect(address: IpAddress, peer: IpAddress, handler: UdpSocketHandler): SimulatedUdpSocket {
    const socket = this.#open(new SimulatedUdpSocket(this, address, peer, handler));
    socket.link = this.#newLink();
    this.#scheduleRebinding(socket, socket.link);
    return socket;
  }

  /** Sends from a socket to an address. */
  send(from: SimulatedUdpSocket, to: string, data: Uint8Array): void {
    const { clock, digest } = this.#parts;
    const now = clock.now();
    digest.record(`udp ${from.name}`, `send to ${to}`, data);
    if (data.length > LONGEST_DATAGRAM) {
      clock.schedule(now, () => from.failed('ERR_DATAGRAM_TOO_LARGE', 'the datagram is too large for the path'));
      return;
    }
    if (from.stranded !== undefined) {
      digest.record(`udp ${from.name}`, 'stranded');
      if (from.stranded === 'silent') return;
      clock.schedule(now, () => from.failed('ERR_UNREACHABLE', 'the network is unreachable'));
      return;
    }
    const target = this.#sockets.get(to);
    const link = from.link ?? target?.link ?? this.#linkOf(from.name, to);
    const line = from.path === undefined ? link.down : link.up;
    const { conditions } = link;
    const departure = departureOf(line, data.length, conditions, now);
    if (departure === undefined || data.length > conditions.mtu || line.random.chance(conditions.loss)) {
      digest.record(`udp ${from.name}`, 'lost');
      return;
    }
    const seen = from.outer;
    this.#deliver(link, line, departure, seen, to, corrupted(data, line.random, conditions), from);
    if (line.random.chance(conditions.duplicate)) this.#deliver(link, line, departure, seen, to, data.slice(), from);
  }

  /** The socket hears nothing any more. */
  closed(socket: SimulatedUdpSocket): void {
    this.#sockets.delete(socket.outer);
    this.#parts.digest.record(`udp ${socket.name}`, 'close');
  }

  #open(socket: SimulatedUdpSocket): SimulatedUdpSocket {
    this.#sockets.set(socket.outer, socket);
    this.#parts.digest.record(`udp ${socket.name}`, 'open');
    return socket;
  }

  #deliver(
    link: Link,
    line: Line,
    departure: number,
    seen: string,
    to: string,
    data: Uint8Array,
    from: SimulatedUdpSocket,
  ): void {
    const { clock, digest, isUnreachable } = this.#parts;
    const { latency, jitter, reorder } = link.conditions;
    const late = line.random.chance(reorder) ? (2 * latency + 1) * line.random.fraction() : 0;
    const arrival = departure + latency + jitter * line.random.fraction() + late;
    clock.schedule(arrival, () => {
      if (clock.now() >= link.silentFrom) return;
      const target = this.#sockets.get(to);
      if (target?.stranded !== undefined) return;
      if (target?.hears(seen) === true) {
        digest.record(`udp ${target.name}`, `from ${seen}`, data);
        target.deliver(data, seen);
        this.#endTurn(target.handler);
        return;
      }
      digest.record(`udp ${from.name}`, `nobody at ${to}`);
      if (target !== undefined || isUnreachable(hostOf(to))) return;
      clock.schedule(arrival + latency, () => from.failed('ERR_CONNECTION_REFUSED', 'connection refused'));
    });
  }

  /** What comes at one time is one turn. */
  #endTurn(handler: UdpSocketHandler): void {
    if (this.#told.has(handler)) return;
    this.#told.add(handler);
    const { clock } = this.#parts;
    clock.schedule(clock.now(), () => {
      this.#told.delete(handler);
      try {
        handler.turnEnded();
      } catch {
        // It has been told.
      }
    });
  }

  #newLink(): Link {
    const { number, conditions, random } = this.#parts.nextLink();
    const now = this.#parts.clock.now();
    const silent = random.chance(conditions.silenceChance);
    return {
      number,
      conditions,
      up: { random: random.fork('up'), free: now },
      down: { random: random.fork('down'), free: now },
      silentFrom: silent ? now + conditions.troubleWithin * random.fraction() : Infinity,
    };
  }

  #linkOf(one: string, other: string): Link {
    const key = one < other ? `${one} ${other}` : `${other} ${one}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      link = this.#newLink();
      this.#links.set(key, link);
    }
    return link;
  }

  /** Lets the translator forget the socket's outer address from time to time. */
  #scheduleRebinding(socket: SimulatedUdpSocket, link: Link): void {
    const { rebindEvery } = link.conditions;
    if (rebindEvery === Infinity) return;
    const { clock, freePort, digest } = this.#parts;
    const random = link.up.random.fork('rebinding');
    const arm = (): ScheduledCallback =>
      clock.schedule(clock.now() + rebindEvery * (0.5 + random.fraction()), () => {
        const colon = socket.outer.lastIndexOf(':');
        const host = random.chance(0.25) ? otherHost(socket.localAddress, random) : socket.outer.slice(0, colon);
        this.#sockets.delete(socket.outer);
        socket.outer = `${host}:${String(freePort())}`;
        this.#sockets.set(socket.outer, socket);
        digest.record(`udp ${socket.name}`, `rebound to ${socket.outer}`);
        socket.rebinding = arm();
      });
    socket.rebinding = arm();
  }
}

/** A UDP socket of a simulated network. */
export class SimulatedUdpSocket implements UdpSocket {
  readonly localAddress: IpAddress;
  readonly path: NetworkPath | undefined;
  readonly dropped: number;
  /** For the digest: the address that it was opened with. */
  readonly name: string;
  /**
   * The address that others see.
   *
   * @internal
   */
  outer: string;
  /**
   * Its own; `undefined` for sockets that anybody may send to.
   *
   * @internal
   */
  link: Link | undefined;
  /** @internal */
  rebinding: ScheduledCallback | undefined;
  /**
   * Its host has lost the address: whether it is told so.
   *
   * @internal
   */
  stranded: 'told' | 'silent' | undefined;
  /** @internal */
  readonly handler: UdpSocketHandler;
  readonly #network: SimulatedUdp;
  #closed: boolean;

  constructor(network: SimulatedUdp, address: IpAddress, peer: IpAddress | undefined, handler: UdpSocketHandler) {
    this.localAddress = address;
    this.name = formatSocketAddress(address);
    this.path = peer === undefined ? undefined : { local: this.name, remote: formatSocketAddress(peer) };
    this.dropped = 0;
    this.outer = this.name;
    this.link = undefined;
    this.rebinding = undefined;
    this.stranded = undefined;
    this.#network = network;
    this.handler = handler;
    this.#closed = false;
  }

  send(data: Uint8Array, segmentSize: number, path: NetworkPath): boolean {
    if (this.#closed) return false;
    for (let at = 0; at < data.length; at += segmentSize) {
      // A copy, as the system makes one.
      this.#network.send(this, this.path?.remote ?? path.remote, data.slice(at, at + segmentSize));
    }
    return true;
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    this.#closed = true;
    this.rebinding?.cancel();
    this.#network.closed(this);
    return Promise.resolve().then(() => this.#tell(() => this.handler.closed(this, undefined)));
  }

  /** Whether datagrams from that address are given to it. */
  hears(from: string): boolean {
    return !this.#closed && (this.path === undefined || this.path.remote === from);
  }

  /** Hands a datagram over. */
  deliver(data: Uint8Array, from: string): void {
    this.#tell(() => this.handler.datagramReceived(data, this.path ?? { local: this.name, remote: from }));
  }

  /** One datagram failed. Only a connected socket is told that nobody listens. */
  failed(code: string, words: string): void {
    if (this.#closed || (code === 'ERR_CONNECTION_REFUSED' && this.path === undefined)) return;
    const phase = code === 'ERR_CONNECTION_REFUSED' ? 'read' : 'write';
    const error = new NetworkError(
      `a datagram ${phase === 'write' ? 'could not be sent' : 'did not arrive'}: ${words}`,
      {
        code,
        phase,
      },
    );
    this.#tell(() => this.handler.datagramFailed(error, this.path));
  }

  #tell(notice: () => void): void {
    try {
      notice();
    } catch {
      // It has been told.
    }
  }
}

/** When the datagram has departed; `undefined` when the queue before the line is full. */
function departureOf(line: Line, size: number, conditions: LinkConditions, now: number): number | undefined {
  const { bandwidth, queue } = conditions;
  const start = Math.max(line.free, now);
  const waiting = bandwidth === Infinity ? 0 : ((start - now) / 1_000) * bandwidth;
  if (waiting + size > queue) return undefined;
  line.free = start + (size / bandwidth) * 1_000;
  return line.free;
}

function corrupted(data: Uint8Array, random: SeededRandom, conditions: LinkConditions): Uint8Array {
  if (data.length === 0 || !random.chance(conditions.corrupt)) return data;
  const kind = random.integer(0, 9);
  if (kind === 0) return data.slice(0, random.integer(0, data.length - 1));
  const copy = data.slice();
  for (let flips = random.integer(1, 3); flips > 0; flips -= 1) {
    const at = random.integer(0, copy.length - 1);
    copy[at] = (copy[at] as number) ^ (1 << random.integer(0, 7));
  }
  return copy;
}

function otherHost(address: IpAddress, random: SeededRandom): string {
  const last = String(random.integer(2, 250));
  return address.family === 'ipv4' ? `192.0.2.${last}` : `[2001:db8:0:ffff::${last}]`;
}

function hostOf(address: string): string {
  const host = address.slice(0, address.lastIndexOf(':'));
  return host.startsWith('[') ? host.slice(1, -1) : host;
}
