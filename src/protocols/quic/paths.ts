/**
 * The paths of one connection, and which of them it uses.
 *
 * Owns RFC 9000 section 8.1's bound on what an address that is not proven is sent, path validation (section 8.2) with its
 * frames (sections 19.17 and 19.18), and migration (section 9): the server's reaction to a peer that moved or whose NAT
 * changed its mind, the client's own moves. What another path means for congestion control, and which packets are made,
 * is the connection's; which id a path uses is {@link PeerConnectionIds}'.
 *
 * Order for a 1-RTT packet: {@link PathManager.datagramArrived} with the datagram's size, {@link PathManager.pathOf} once
 * it has proved authentic, its frames, {@link PathManager.packetProcessed}.
 *
 * Invariants: nothing is kept for an address from which no authentic packet came; there are at most `maxPaths` paths, and
 * `maxPathResponses` answers owed on each; a challenge is answered on the path on which it came, and nowhere else.
 *
 * @module
 */
import type { NetworkPath, Random } from '../../common/index.ts';
import { RingQueue, sameBytes } from '../../wire/index.ts';
import { MIN_DATAGRAM } from './connection-config.ts';
import { FrameType } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import { PathChallenges } from './path-challenges.ts';
import type { PeerConnectionIds } from './peer-connection-ids.ts';
import { INITIAL_RTT } from './rtt.ts';

/** RFC 9000 section 8.1. */
const AMPLIFICATION = 3;
/** RFC 9000 section 8.2.4: how many probe timeouts a validation lasts, at least. */
const VALIDATION_TIMEOUTS = 3;
/** Frame type and data. */
const PATH_FRAME_LENGTH = 9;
/** Below this the amplification limit leaves no room for a packet with a frame. */
const LEAST_PROBE = 64;

/** One path. Its fields are for reading. */
export class Path {
  /** Counts up from 0, which is the path of the handshake. It is the path's key in {@link PeerConnectionIds}. */
  readonly id: number;
  readonly network: NetworkPath;
  /** Whether the peer is known to be reachable here: it may be sent more than three times what it sent. */
  validated: boolean;
  /** Bytes in datagrams that came here, junk included. */
  received: number;
  /** Bytes in datagrams that were sent here. */
  sent: number;
  /** Whether the peer is called by the id of another path, since it did not change ours or has but an empty one. */
  readonly sharesId: boolean;
  readonly challenges: PathChallenges;
  /** Data of PATH_CHALLENGE frames that are to be answered here. */
  readonly responses: RingQueue<Uint8Array>;
  /** When it is forgotten unless it is used again; `undefined` while it is in use. */
  expiresAt: number | undefined;

  constructor(id: number, network: NetworkPath, validated: boolean, sharesId: boolean, random: Random) {
    this.id = id;
    this.network = network;
    this.validated = validated;
    this.received = 0;
    this.sent = 0;
    this.sharesId = sharesId;
    this.challenges = new PathChallenges(random);
    this.responses = new RingQueue();
    this.expiresAt = undefined;
  }

  /** How many bytes may be sent now. */
  get allowance(): number {
    return this.validated ? Number.POSITIVE_INFINITY : Math.max(0, AMPLIFICATION * this.received - this.sent);
  }
}

/** The peer is reachable on a path. */
export interface PathValidated {
  readonly type: 'PathValidated';
  readonly path: Path;
}

/** Another path is in use. */
export interface CurrentPathChanged {
  readonly type: 'CurrentPathChanged';
  readonly path: Path;
  readonly before: Path;
  /** Only the peer's port differs: window and round-trip time may be kept (section 9.4). */
  readonly keepsCongestion: boolean;
}

/** A path is gone. */
export interface PathClosed {
  readonly type: 'PathClosed';
  readonly path: Path;
}

/** No path is left on which the peer can be reached: the connection is to be dropped in silence (section 9.3.2). */
export interface NoPathLeft {
  readonly type: 'NoPathLeft';
}

/** What a {@link PathManager} tells. */
export type PathEvent = PathValidated | CurrentPathChanged | PathClosed | NoPathLeft;

/** What a {@link PathManager} is told. */
export interface PathOptions {
  readonly role: 'client' | 'server';
  readonly random: Random;
  readonly ids: PeerConnectionIds;
  /** The path of the handshake. */
  readonly first: NetworkPath;
  /** Whether a token has proved the peer's address; a client's server needs no proof (section 8.1). */
  readonly validated: boolean;
  /** Whether we have said disable_active_migration: from another host nothing is taken at the first path's address (section 9.1). */
  readonly refuseMigration: boolean;
  readonly maxPaths: number;
  readonly maxPathResponses: number;
  /** The probe timeout on the current path, in milliseconds. */
  readonly probeTimeout: () => number;
}

/** Validates paths, and chooses the current one. */
export class PathManager {
  readonly #options: PathOptions;
  readonly #paths: Map<string, Path>;
  readonly #events: RingQueue<PathEvent>;
  #current: Path;
  /** Server: the greatest number of a packet that was more than a probe (section 9.3). */
  #largest: number;
  #confirmed: boolean;
  #nextId: number;
  /** The id of ours that the peer used last on the current path. */
  #destination: Uint8Array | undefined;
  /** Client: where to go once it is validated. */
  #target: Path | undefined;

  constructor(options: PathOptions) {
    this.#options = options;
    this.#paths = new Map();
    this.#events = new RingQueue();
    this.#largest = -1;
    this.#confirmed = false;
    this.#nextId = 1;
    this.#destination = undefined;
    this.#target = undefined;
    const validated = options.role === 'client' || options.validated;
    this.#current = new Path(0, options.first, validated, false, options.random);
    this.#paths.set(keyOf(options.first), this.#current);
  }

  get current(): Path {
    return this.#current;
  }

  /** Whether there is such a path. */
  has(network: NetworkPath): boolean {
    return this.#exact(network) !== undefined;
  }

  /** Counts a datagram, authentic or not (section 8.1). The path, when there is one; nothing is made for others. */
  datagramArrived(network: NetworkPath, length: number): Path | undefined {
    const path = this.#find(network);
    if (path !== undefined) path.received += length;
    return path;
  }

  /** Counts a datagram that is about to be sent. */
  datagramSent(path: Path, length: number): void {
    path.sent += length;
  }

  /** The peer's address is proven by other means: a Handshake packet came, or 1-RTT keys are confirmed (section 8.1). */
  addressValidated(): void {
    this.#current.validated = true;
  }

  /** The handshake is confirmed: paths may change from now on (section 9). */
  handshakeConfirmed(): void {
    this.#confirmed = true;
    this.#current.validated = true;
  }

  /**
   * The path of an authentic packet, which is made when it is new.
   *
   * @param length - of its datagram, which counts for a path that is new
   * @param destination - the Destination Connection ID of the packet
   * @returns `undefined`: the packet is to be dropped
   */
  pathOf(network: NetworkPath, length: number, destination: Uint8Array): Path | undefined {
    const known = this.#find(network);
    if (known !== undefined) {
      if (known === this.#current) this.#destination = destination;
      return known;
    }
    // Section 9: a client takes packets from addresses only that it sent to; nobody moves before the handshake is done.
    if (this.#options.role === 'client' || !this.#confirmed) return undefined;
    const { network: before } = this.#current;
    const { refuseMigration, first } = this.#options;
    // Section 18.2: what is refused is moving while our address stays; not what comes to the preferred one.
    const stays = network.local === first.local;
    if (refuseMigration && stays && hostOf(before.remote) !== hostOf(network.remote)) return undefined;
    // Section 9.5: a peer that moves by its own will takes another id, and is then called by another one as well.
    const rebound = this.#destination !== undefined && sameBytes(this.#destination, destination);
    const path = this.#make(network, (rebound && before.local === network.local) || this.#options.ids.isEmpty);
    if (path !== undefined) path.received = length;
    return path;
  }

  /**
   * The frames of a 1-RTT packet have been taken.
   *
   * @param probing - it has probing frames only (section 9.1)
   */
  packetProcessed(path: Path, number: number, probing: boolean, destination: Uint8Array, now: number): void {
    const latest = number > this.#largest;
    if (latest) this.#largest = number;
    if (probing || !latest || path === this.#current || this.#options.role === 'client') return;
    this.#destination = destination;
    this.#switchTo(path, now);
  }

  /**
   * PATH_CHALLENGE (section 19.17): it is answered on the path on which it came. Above the limit it is not.
   *
   * Whoever asks from another address may come there soon: a server asks back in the same datagram (section 8.2), so that
   * the address is proven by then.
   */
  pathChallengeReceived(path: Path, data: Uint8Array, now: number): void {
    if (path.responses.length < this.#options.maxPathResponses) path.responses.push(data);
    const stranger = this.#options.role === 'server' && !path.validated && path !== this.#current;
    if (stranger && path.challenges.failsAt === undefined) this.#challenge(path, now);
  }

  /** PATH_RESPONSE (section 19.18), on whichever path. One that matches nothing comes late, and means nothing. */
  pathResponseReceived(data: Uint8Array, now: number): void {
    for (const path of this.#paths.values()) {
      const answered = path.challenges.answered(data);
      if (answered === 'no') continue;
      if (!path.validated) {
        path.validated = true;
        this.#events.push({ type: 'PathValidated', path });
      }
      // Section 8.2.1: whether the path carries datagrams of 1200 bytes is still to be seen.
      if (answered === 'small') this.#challenge(path, now);
      if (path === this.#target) this.#arrive(path, now);
      return;
    }
  }

  /** Client: tests a path, and goes there once it works when `follow` is set. `undefined`: there is no id for it. */
  probe(network: NetworkPath, follow: boolean, now: number): Path | undefined {
    if (!this.#confirmed || this.#options.role === 'server') return undefined;
    const path = this.#exact(network) ?? this.#make(network, false);
    if (path === undefined || path === this.#current) return undefined;
    path.validated = true;
    path.expiresAt = undefined;
    if (follow) this.#target = path;
    this.#challenge(path, now);
    return path;
  }

  /** Client: goes to another path at once, and comes back when it does not work (section 9.2). */
  migrate(network: NetworkPath, now: number): boolean {
    const path = this.probe(network, false, now);
    if (path === undefined) return false;
    this.#switchTo(path, now);
    return true;
  }

  /** The next path on which PATH_CHALLENGE or PATH_RESPONSE is due and allowed; `undefined` when there is none. */
  nextProbe(now: number): Path | undefined {
    for (const path of this.#paths.values()) {
      if (path.responses.length === 0 && !path.challenges.isDue(now)) continue;
      if (this.#canProbe(path)) return path;
    }
    return undefined;
  }

  /**
   * How large the datagram of {@link nextProbe} shall be: 1200 bytes, or what the amplification limit leaves (sections
   * 8.2.1 and 8.2.2).
   */
  probeSize(path: Path): number {
    return Math.min(MIN_DATAGRAM, path.allowance);
  }

  /** Puts in what is due on a path. Neither frame is recorded: challenges are renewed by time, answers never. */
  writeProbe(path: Path, writer: FrameWriter, now: number): void {
    for (let data = path.responses.peek(); data !== undefined; data = path.responses.peek()) {
      if (!writer.tryBytes(data, FrameType.pathResponse)) return;
      path.responses.shift();
    }
    if (!path.challenges.isDue(now) || writer.room < PATH_FRAME_LENGTH) return;
    const data = path.challenges.next(now, this.#options.probeTimeout(), this.probeSize(path) >= MIN_DATAGRAM);
    writer.tryBytes(data, FrameType.pathChallenge);
  }

  /** The next event. */
  nextEvent(): PathEvent | undefined {
    return this.#events.shift();
  }

  /** When a challenge is due again, a validation fails or a path is forgotten. */
  nextTimeout(): number | undefined {
    let earliest: number | undefined;
    for (const path of this.#paths.values()) {
      const challenge = this.#canProbe(path) ? path.challenges.nextTimeout() : path.challenges.failsAt;
      const at = Math.min(challenge ?? Number.POSITIVE_INFINITY, path.expiresAt ?? Number.POSITIVE_INFINITY);
      if (at < (earliest ?? Number.POSITIVE_INFINITY)) earliest = at;
    }
    return earliest;
  }

  handleTimeout(now: number): void {
    for (const path of [...this.#paths.values()]) {
      const failed = path.challenges.failsAt !== undefined && path.challenges.failsAt <= now;
      if (failed) this.#failed(path);
      else if (path.expiresAt !== undefined && path.expiresAt <= now) this.#close(path);
    }
  }

  #canProbe(path: Path): boolean {
    return path.allowance >= LEAST_PROBE && this.#options.ids.destination(path.id) !== undefined;
  }

  #find(network: NetworkPath): Path | undefined {
    const exact = this.#exact(network);
    if (exact !== undefined || this.#options.role === 'server') return exact;
    // A client's own address may change under it, and its socket tell another name for it.
    if (this.#current.network.remote === network.remote) return this.#current;
    return undefined;
  }

  #exact(network: NetworkPath): Path | undefined {
    const { current } = this;
    const { network: known } = current;
    if (known === network || (known.remote === network.remote && known.local === network.local)) return current;
    return this.#paths.size === 1 ? undefined : this.#paths.get(keyOf(network));
  }

  #make(network: NetworkPath, sharesId: boolean): Path | undefined {
    if (this.#paths.size >= this.#options.maxPaths && !this.#evict()) return undefined;
    const id = this.#nextId;
    const { ids } = this.#options;
    if (!(sharesId ? ids.share(id, this.#current.id) : ids.assign(id))) return undefined;
    this.#nextId += 1;
    const path = new Path(id, network, false, sharesId, this.#options.random);
    this.#paths.set(keyOf(network), path);
    return path;
  }

  /** Makes room: the oldest path that is not needed goes. */
  #evict(): boolean {
    const fallback = this.#fallback();
    for (const path of this.#paths.values()) {
      if (path === this.#current || path === this.#target || path === fallback) continue;
      this.#close(path);
      return true;
    }
    return false;
  }

  #switchTo(path: Path, now: number): void {
    const before = this.#current;
    this.#current = path;
    path.expiresAt = undefined;
    const timeout = this.#options.probeTimeout();
    const keepsCongestion =
      before.network.local === path.network.local && hostOf(before.network.remote) === hostOf(path.network.remote);
    this.#events.push({ type: 'CurrentPathChanged', path, before, keepsCongestion });
    if (!path.validated) this.#challenge(path, now);
    // Section 9.3.3: was it the peer that moved, or somebody on its way? The old path is asked as well.
    if (before.validated && this.#options.role === 'server') this.#challenge(before, now);
    // It outlives the validation of the new one, so that there is a way back.
    before.expiresAt = now + (VALIDATION_TIMEOUTS + 1) * Math.max(timeout, VALIDATION_TIMEOUTS * INITIAL_RTT);
  }

  /** Client: the path that was to be tested first works. */
  #arrive(path: Path, now: number): void {
    this.#target = undefined;
    if (path !== this.#current) this.#switchTo(path, now);
  }

  #challenge(path: Path, now: number): void {
    // Section 8.2.4: three times the greater of this path's probe timeout and that of a path without samples.
    const timeout = Math.max(this.#options.probeTimeout(), VALIDATION_TIMEOUTS * INITIAL_RTT);
    path.challenges.start(now, now + VALIDATION_TIMEOUTS * timeout);
  }

  #failed(path: Path): void {
    path.challenges.stop();
    if (path === this.#target) this.#target = undefined;
    if (path !== this.#current) {
      this.#close(path);
      return;
    }
    // Section 9.3.2: back to the last address that was validated; without one the connection is over.
    const fallback = this.#fallback();
    if (fallback === undefined) {
      // One that has only failed to show that it carries 1200 bytes is the last that was validated. Whoever is behind it
      // may have moved on meanwhile: its next packet tells where to, or the idle timeout ends the connection.
      if (!path.validated) this.#events.push({ type: 'NoPathLeft' });
      return;
    }
    fallback.expiresAt = undefined;
    this.#current = fallback;
    this.#events.push({ type: 'CurrentPathChanged', path: fallback, before: path, keepsCongestion: false });
    this.#close(path);
  }

  /** The path that was in use last among those that are validated. */
  #fallback(): Path | undefined {
    let latest: Path | undefined;
    for (const path of this.#paths.values()) {
      if (path === this.#current || !path.validated || path.expiresAt === undefined) continue;
      if (latest?.expiresAt === undefined || path.expiresAt > latest.expiresAt) latest = path;
    }
    return latest;
  }

  #close(path: Path): void {
    if (path === this.#current) return;
    this.#paths.delete(keyOf(path.network));
    this.#options.ids.release(path.id);
    this.#events.push({ type: 'PathClosed', path });
  }
}

function keyOf(network: NetworkPath): string {
  return `${network.local} ${network.remote}`;
}

/** What precedes the port of an address. */
export function hostOf(address: string): string {
  const colon = address.lastIndexOf(':');
  return colon < 0 ? address : address.slice(0, colon);
}
