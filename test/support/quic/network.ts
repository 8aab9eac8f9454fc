/**
 * A network of datagrams under a virtual clock, and endpoints on it.
 *
 * Owns the order of events: arrivals and timers by time, then by when they were made. Everything bad that happens to a
 * datagram is drawn from the seed.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { NetworkPath, Random } from '../../../src/common/index.ts';
import type { Datagram } from '../../../src/protocols/http-protocol.ts';
import type { QuicConnectionHandle, QuicEndpoint } from '../../../src/protocols/quic/index.ts';

/** A source of random bytes that replays (xorshift32). */
export function seeded(seed: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
  return {
    fill(target) {
      for (let index = 0; index < target.length; index += 1) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        target[index] = state >>> 11;
      }
      return target;
    },
  };
}

/** Numbers that replay. */
export class Chance {
  readonly #random: Random;
  readonly #bytes: Uint8Array;

  constructor(seed: number) {
    this.#random = seeded(seed);
    this.#bytes = new Uint8Array(4);
  }

  /** From 0 to 1. */
  next(): number {
    const [one = 0, two = 0, three = 0, four = 0] = this.#random.fill(this.#bytes);
    return (one * 0x1000000 + ((two << 16) | (three << 8) | four)) / 2 ** 32;
  }

  /** Whether something that happens so often happens now. */
  happens(probability: number): boolean {
    return this.next() < probability;
  }

  /** A whole number from `least` to `greatest`. */
  between(least: number, greatest: number): number {
    return least + Math.floor(this.next() * (greatest - least + 1));
  }
}

/** What a way through the network does. */
export interface QuicLink {
  /** Milliseconds one way. */
  readonly latency: number;
  /** Milliseconds that some datagrams take longer, and so come out of order. */
  readonly jitter: number;
  readonly loss: number;
  readonly duplication: number;
  readonly corruption: number;
  /** Longer datagrams vanish. */
  readonly mtu: number;
  /** Bytes each millisecond; `Infinity` for no bottleneck. */
  readonly bandwidth: number;
  /** Bytes that wait before the bottleneck; more are dropped. */
  readonly queue: number;
  /** Ways with the same name share the bottleneck; without one each has its own. */
  readonly bottleneck?: string;
}

/** A network without faults. */
export const CALM_LINK: QuicLink = {
  latency: 10,
  jitter: 0,
  loss: 0,
  duplication: 0,
  corruption: 0,
  mtu: 1_500,
  bandwidth: Number.POSITIVE_INFINITY,
  queue: Number.POSITIVE_INFINITY,
};

/** Somebody on the network. */
export interface QuicNode {
  readonly endpoint: QuicEndpoint;
  /** Takes what waits in the endpoint: incoming connections, and the events of `handle`. */
  serve(handle: QuicConnectionHandle | undefined, now: number): void;
}

/** More happens at no one moment. */
const STANDSTILL = 20_000;

interface Happening {
  readonly at: number;
  readonly order: number;
}

interface Task extends Happening {
  readonly action: () => void;
}

interface Transit extends Happening {
  readonly data: Uint8Array;
  /** As the receiver sees it. */
  readonly path: NetworkPath;
}

/** What a watcher is told of each datagram that is sent. */
export interface SentDatagram {
  readonly at: number;
  readonly data: Uint8Array;
  readonly path: NetworkPath;
}

/** The network and its clock. */
export class QuicNetwork {
  now = 0;
  /** Datagrams sent and delivered. */
  sent = 0;
  delivered = 0;
  /** Told of everything that is sent, before anything happens to it. */
  onSent: ((datagram: SentDatagram) => void) | undefined;
  /** Told of everything that arrives, before it is taken. */
  onDelivered: ((at: number, data: Uint8Array, path: NetworkPath) => void) | undefined;
  readonly #chance: Chance;
  readonly #nodes: Map<string, QuicNode>;
  /** What others see in place of an address: a NAT. */
  readonly #aliases: Map<string, string>;
  readonly #behind: Map<string, string>;
  readonly #link: (from: string, to: string) => QuicLink;
  readonly #busyUntil: Map<string, number>;
  readonly #happenings: (Transit | Task)[];
  readonly #digest = createHash('sha256');
  #order: number;

  /** @param link - the way from one address to another; asked for each datagram */
  constructor(seed: number, link: (from: string, to: string) => QuicLink) {
    this.#chance = new Chance(seed);
    this.#nodes = new Map();
    this.#aliases = new Map();
    this.#behind = new Map();
    this.#link = link;
    this.#busyUntil = new Map();
    this.#happenings = [];
    this.#order = 0;
  }

  /** A figure for everything that was delivered, and when. */
  get digest(): string {
    return this.#digest.copy().digest('hex');
  }

  /** Puts somebody at an address. */
  place(address: string, node: QuicNode): void {
    this.#nodes.set(address, node);
  }

  /** From now on `address` is seen as `alias`; what is sent to earlier aliases is lost. */
  rebind(address: string, alias: string): void {
    const before = this.#aliases.get(address);
    if (before !== undefined) this.#behind.delete(before);
    this.#aliases.set(address, alias);
    this.#behind.set(alias, address);
  }

  /** Runs until `done`, or until nothing is left to do before `until`. */
  run(until: number, done: () => boolean = () => false): void {
    this.#flushAll();
    let since = this.now;
    let steps = 0;
    while (!done()) {
      // Time that does not pass means a timer that does nothing and does not go away.
      steps = this.now > since ? 0 : steps + 1;
      since = this.now;
      if (steps > STANDSTILL) throw new Error(`time stands still at ${String(this.now)}`);
      const next = this.#happenings[0];
      let at = next?.at ?? Number.POSITIVE_INFINITY;
      for (const node of new Set(this.#nodes.values())) at = Math.min(at, node.endpoint.nextTimeout() ?? at);
      if (at > until) {
        this.now = until;
        return;
      }
      this.now = Math.max(this.now, at);
      if (next !== undefined && next.at <= this.now) this.#happen(this.#takeFirst());
      for (const node of new Set(this.#nodes.values())) {
        if ((node.endpoint.nextTimeout() ?? Number.POSITIVE_INFINITY) > this.now) continue;
        node.endpoint.handleTimeout(this.now);
        this.#flush(node);
      }
    }
  }

  /** Does something later, and sends what comes of it. */
  schedule(at: number, action: () => void): void {
    this.#put({ at, order: this.#nextOrder(), action });
  }

  /** Sends what a node has to say now. */
  flush(node: QuicNode): void {
    this.#flush(node);
  }

  /** Puts a datagram on its way. */
  send(data: Uint8Array, path: NetworkPath): void {
    const link = this.#link(path.local, path.remote);
    this.sent += 1;
    this.onSent?.({ at: this.now, data, path });
    if (data.length > link.mtu) return;
    const chance = this.#chance;
    const departure = this.#through(link.bottleneck ?? `${path.local} ${path.remote}`, link, data.length);
    if (departure === undefined || chance.happens(link.loss)) return;
    const copies = chance.happens(link.duplication) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const late = link.jitter > 0 && chance.happens(0.3) ? chance.next() * link.jitter : 0;
      const bytes = new Uint8Array(data);
      if (chance.happens(link.corruption)) {
        const where = chance.between(0, bytes.length - 1);
        bytes[where] = (bytes[where] ?? 0) ^ (1 << chance.between(0, 7));
      }
      const seen = { local: path.remote, remote: this.#aliases.get(path.local) ?? path.local };
      this.#put({ at: departure + link.latency + late, order: this.#nextOrder(), data: bytes, path: seen });
    }
  }

  /** When a datagram is through the bottleneck; `undefined` when the queue before it is full. */
  #through(way: string, link: QuicLink, length: number): number | undefined {
    if (link.bandwidth === Number.POSITIVE_INFINITY) return this.now;
    const free = Math.max(this.now, this.#busyUntil.get(way) ?? 0);
    if ((free - this.now) * link.bandwidth + length > link.queue) return undefined;
    const departure = free + length / link.bandwidth;
    this.#busyUntil.set(way, departure);
    return departure;
  }

  #nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }

  #happen(happening: Transit | Task): void {
    if ('data' in happening) {
      this.#deliver(happening);
      return;
    }
    happening.action();
    this.#flushAll();
  }

  #deliver(transit: Transit): void {
    const { path, data } = transit;
    const address = this.#behind.get(path.local) ?? path.local;
    // What is sent to an address behind a NAT by its own name does not arrive.
    if (this.#aliases.has(path.local)) return;
    const node = this.#nodes.get(address);
    if (node === undefined) return;
    this.delivered += 1;
    this.onDelivered?.(this.now, data, path);
    this.#digest.update(`${String(this.now)} ${path.local} ${path.remote} `);
    this.#digest.update(data);
    const handle = node.endpoint.datagramReceived(data, { local: address, remote: path.remote }, this.now);
    node.serve(handle, this.now);
    this.#flush(node);
  }

  #flushAll(): void {
    for (const node of new Set(this.#nodes.values())) this.#flush(node);
  }

  #flush(node: QuicNode): void {
    node.serve(undefined, this.now);
    for (;;) {
      const datagrams = node.endpoint.datagramsToSend(this.now, 64);
      for (const datagram of datagrams) this.#segments(datagram);
      node.serve(undefined, this.now);
      if (datagrams.length === 0) return;
    }
  }

  #segments({ data, path, segmentSize }: Datagram): void {
    for (let at = 0; at < data.length; at += segmentSize) this.send(data.subarray(at, at + segmentSize), path);
  }

  #put(happening: Transit | Task): void {
    const heap = this.#happenings;
    let index = heap.length;
    heap.push(happening);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Transit | Task;
      if (isBefore(parent, happening)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = happening;
  }

  #takeFirst(): Transit | Task {
    const heap = this.#happenings;
    const first = heap[0] as Transit | Task;
    const last = heap.pop() as Transit | Task;
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Happening, heap[child] as Happening)) child += 1;
      if (isBefore(last, heap[child] as Happening)) break;
      heap[index] = heap[child] as Transit | Task;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(one: Happening, other: Happening): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
