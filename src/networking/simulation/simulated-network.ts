/**
 * The network of a simulation: who listens where, and how connections are made.
 *
 * Owns ports, names, the conditions of each connection, the troubles that befall it, and the list of what is open.
 * Datagrams are in simulated-udp.ts.
 *
 * @module
 */
import { formatSocketAddress, NetworkError } from '../../common/index.ts';
import type { Clock, IpAddress, SocketAddress } from '../../common/index.ts';
import type { EventDigest } from './event-digest.ts';
import { CALM } from './link-conditions.ts';
import type { LinkConditions } from './link-conditions.ts';
import type { SeededRandom } from './seeded-random.ts';
import { SimulatedFlow } from './simulated-flow.ts';
import { SimulatedStream } from './simulated-stream.ts';
import { SimulatedUdp } from './simulated-udp.ts';
import { CountingClock } from './virtual-clock.ts';

/** Takes connections that arrive at an address. */
export interface ConnectionTarget {
  /** The server's end of a new connection. */
  connected(stream: SimulatedStream): void;
}

/** What a network may be given. */
export interface SimulatedNetworkOptions {
  /**
   * Of every connection and every UDP socket towards a peer, or by each: told its number and a generator of its own.
   * Default {@link CALM}.
   */
  readonly conditions?:
    Partial<LinkConditions> | ((connection: number, random: SeededRandom) => Partial<LinkConditions>) | undefined;
  /** Addresses of names. Names that an address was listened on by are known besides. */
  readonly names?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Addresses at which nobody answers, not even by a refusal. */
  readonly unreachable?: readonly string[] | undefined;
}

/** What a network is made of. */
export interface SimulatedNetworkParts {
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly digest: EventDigest;
}

/** The first port that the network gives out by itself (RFC 6335 section 6). */
const FIRST_PORT = 49_152;

/** All hosts of a simulation. */
export class SimulatedNetwork {
  /** The clock for what travels. */
  readonly clock: CountingClock;
  readonly digest: EventDigest;
  /**
   * Datagrams.
   *
   * @hidden
   */
  readonly udp: SimulatedUdp;
  readonly #random: SeededRandom;
  readonly #options: SimulatedNetworkOptions;
  readonly #targets: Map<string, ConnectionTarget>;
  readonly #names: Map<string, readonly string[]>;
  readonly #streams: Set<SimulatedStream>;
  /** Hosts that have another address than at first. */
  readonly #renumbered: Map<string, string | undefined>;
  #nextPort: number;
  #connections: number;

  /**
   * Made by the simulation.
   *
   * @hidden
   */
  constructor(parts: SimulatedNetworkParts, options: SimulatedNetworkOptions = {}) {
    this.clock = new CountingClock(parts.clock);
    this.digest = parts.digest;
    this.#random = parts.random;
    this.#options = options;
    this.#targets = new Map();
    this.#names = new Map(Object.entries(options.names ?? {}));
    this.#streams = new Set();
    this.#renumbered = new Map();
    this.#nextPort = FIRST_PORT;
    this.#connections = 0;
    this.udp = new SimulatedUdp({
      clock: this.clock,
      digest: parts.digest,
      nextLink: () => {
        this.#connections += 1;
        const number = this.#connections;
        const random = this.#random.fork(`connection ${String(number)}`);
        return { number, random, conditions: this.#conditionsOf(number, random.fork('conditions')) };
      },
      freePort: () => this.freePort(),
      isUnreachable: (host) => this.#options.unreachable?.includes(host) === true,
    });
  }

  /** What is open, one line each. */
  describe(): string[] {
    const lines = [...this.#targets.keys()].map((address) => `listener ${address}`);
    for (const stream of this.#streams) lines.push(`stream ${stream.name}`);
    lines.push(...this.udp.describe());
    return lines;
  }

  /** How many things are on their way. */
  get travelling(): number {
    return this.clock.pending;
  }

  /** A port that nobody uses. */
  freePort(): number {
    this.#nextPort += 1;
    return this.#nextPort - 1;
  }

  /** Whether somebody listens at exactly that address. */
  isTaken(address: SocketAddress): boolean {
    return this.#targets.has(formatSocketAddress(address));
  }

  /**
   * From now on connections to the address go to the target.
   *
   * @hidden
   */
  bind(address: SocketAddress, target: ConnectionTarget): void {
    this.#targets.set(formatSocketAddress(address), target);
    this.digest.record(formatSocketAddress(address), 'listen');
  }

  /** Connections to the address are refused again. */
  unbind(address: SocketAddress): void {
    if (this.#targets.delete(formatSocketAddress(address))) {
      this.digest.record(formatSocketAddress(address), 'close listener');
    }
  }

  /** Makes a name known. */
  name(name: string, hosts: readonly string[]): void {
    this.#names.set(name.toLowerCase(), hosts);
  }

  /** The hosts of a name, if it is known. */
  hostsOf(name: string): readonly string[] | undefined {
    return this.#names.get(name.toLowerCase());
  }

  /**
   * A host gets another address, as when it goes from one network to the next; `undefined`: none. Its UDP sockets are left
   * behind. Streams over TCP go on: nothing here moves them.
   *
   * @param told - whether sending from the old address fails. Otherwise it vanishes, as from an IPv6 address on Linux.
   */
  renumber(host: string, to: string | undefined, told: boolean): void {
    const before = this.addressOf(host);
    this.#renumbered.set(host, to);
    this.digest.record(host, `is now ${to ?? 'nowhere'}`);
    if (before === undefined) return;
    this.udp.strand(before, told);
    this.udp.strand(ipv6Of(before), told);
  }

  /** The address that a host has now. */
  addressOf(host: string): string | undefined {
    return this.#renumbered.has(host) ? this.#renumbered.get(host) : host;
  }

  /**
   * Connects; `done` is called a round trip later, or never when nobody answers.
   *
   * @returns what gives the attempt up
   * @hidden
   */
  connect(
    from: string,
    to: SocketAddress,
    done: (error: NetworkError | undefined, stream: SimulatedStream | undefined) => void,
  ): () => void {
    this.#connections += 1;
    const number = this.#connections;
    const random = this.#random.fork(`connection ${String(number)}`);
    const conditions = this.#conditionsOf(number, random.fork('conditions'));
    const where = formatSocketAddress(to);
    this.digest.record(`connection ${String(number)}`, `connect ${where}`);
    if (to.family !== 'unix' && this.#options.unreachable?.includes(to.host) === true) return nothing;
    const answer = this.clock.schedule(this.clock.now() + 2 * conditions.latency, () => {
      const target = this.#targetOf(to);
      if (target === undefined || random.chance(conditions.refuseChance)) {
        this.digest.record(`connection ${String(number)}`, 'refused');
        const missing = to.family === 'unix' && target === undefined;
        const words = missing ? 'no such file or folder' : 'connection refused';
        const code = missing ? 'ERR_NO_SUCH_PATH' : 'ERR_CONNECTION_REFUSED';
        done(new NetworkError(`cannot connect to ${where}: ${words}`, { code, phase: 'connect' }), undefined);
        return;
      }
      const [client, server] = this.#pair(number, from, to, conditions, random);
      done(undefined, client);
      target.connected(server);
    });
    return () => answer.cancel();
  }

  #conditionsOf(number: number, random: SeededRandom): LinkConditions {
    const { conditions } = this.#options;
    return { ...CALM, ...(typeof conditions === 'function' ? conditions(number, random) : conditions) };
  }

  #targetOf(to: SocketAddress): ConnectionTarget | undefined {
    const exact = this.#targets.get(formatSocketAddress(to));
    if (exact !== undefined || to.family === 'unix') return exact;
    const port = String(to.port);
    const own = to.family === 'ipv4' ? this.#targets.get(`0.0.0.0:${port}`) : undefined;
    return own ?? this.#targets.get(`[::]:${port}`);
  }

  #pair(
    number: number,
    from: string,
    to: SocketAddress,
    conditions: LinkConditions,
    random: SeededRandom,
  ): [client: SimulatedStream, server: SimulatedStream] {
    const near: SocketAddress =
      to.family === 'unix' ? { family: 'unix', path: '' } : clientAddress(from, to, this.freePort());
    const make = (side: string, localAddress: SocketAddress, remoteAddress: SocketAddress): SimulatedStream => {
      const stream = new SimulatedStream({
        name: `connection ${String(number)} ${side}`,
        clock: this.clock,
        random: random.fork(side),
        digest: this.digest,
        localAddress,
        remoteAddress,
        onOver: (over) => {
          this.#streams.delete(over);
          if (![client, server].some((end) => this.#streams.has(end))) trouble?.cancel();
        },
      });
      this.#streams.add(stream);
      return stream;
    };
    const client = make('client', near, to);
    const server = make('server', to, near);
    const up = new SimulatedFlow(this.clock, conditions, random.fork('up'), client, server);
    const down = new SimulatedFlow(this.clock, conditions, random.fork('down'), server, client);
    client.attach(up, down);
    server.attach(down, up);
    const kind = troubleOf(conditions, random);
    const trouble =
      kind === undefined
        ? undefined
        : this.clock.schedule(this.clock.now() + conditions.troubleWithin * random.fraction(), () => {
            this.digest.record(`connection ${String(number)}`, kind);
            if (kind === 'reset on the way') {
              client.cut();
              server.cut();
            } else {
              up.silence();
              down.silence();
            }
          });
    return [client, server];
  }
}

function troubleOf(conditions: LinkConditions, random: SeededRandom): 'reset on the way' | 'silence' | undefined {
  if (random.chance(conditions.resetChance)) return 'reset on the way';
  return random.chance(conditions.silenceChance) ? 'silence' : undefined;
}

/** The client's end has the family of the address that it connects to. */
export function clientAddress(from: string, to: IpAddress, port: number): IpAddress {
  if (to.host === '127.0.0.1' || to.host === '::1') return { family: to.family, host: to.host, port };
  return to.family === 'ipv4' ? { family: 'ipv4', host: from, port } : { family: 'ipv6', host: ipv6Of(from), port };
}

function ipv6Of(host: string): string {
  return `2001:db8::${host}`;
}

function nothing(): void {}
