/**
 * A client's QUIC connection on the move: to another port of this host, or to the address that its server prefers.
 *
 * Owns the sockets of one connection. Each reaches one peer from one port, so that every path of the connection has one
 * of its own: a move opens a socket, names its path to the connection, which tests it and goes there when it works (RFC
 * 9000 sections 9.2 and 9.6), and ends each socket whose path the connection has given up. The old path is kept until
 * then, so that nothing is lost where the new one leads nowhere.
 *
 * A connection moves when it is told to, when the system says that its way is gone, and when its server prefers another
 * address, which may not be one of this host unless the server is here. A refusal that anybody on the way could have
 * sent does not make it move.
 *
 * Not every system tells that an address is gone: Linux goes on sending from an IPv6 address that it no longer has, and
 * nobody's answers find it. So where nothing is heard although it was asked for, a new socket shows from which address the
 * system would call the server now. Where that is another one, the connection moves there; where it is the same, the
 * network is slow or the server is, and another port would not help.
 *
 * Invariants: one move at a time; its promise always resolves, and never rejects; after `end` no socket is opened.
 *
 * @module
 */
import type { Clock, HostPort, NetworkError, NetworkPath } from '../common/index.ts';
import type { UdpClientNetworking, UdpSocket } from '../networking/index.ts';
import type { QuicConnection } from '../protocols/quic/index.ts';
import type { QuicEndpointDriver } from './quic-endpoint-driver.ts';
import { addressFrom } from './quic-facts.ts';

/** What moves are made with. */
export interface QuicMovesParts {
  readonly networking: UdpClientNetworking;
  readonly endpoint: QuicEndpointDriver;
  readonly connection: QuicConnection;
  /** The socket of the handshake. */
  readonly first: UdpSocket;
  readonly receiveBuffer: number | undefined;
  /** Something was submitted to the connection. */
  readonly wake: () => void;
}

/** How long the connection stays where it is before the system's word makes it move again, in milliseconds. */
const PAUSE = 1_000;
/** After so many probes that nobody answered, one behind the other, a client looks whether its address is still its own. */
const SILENT = 2;

/** A move that was begun, once its socket is there. */
interface Underway {
  readonly path: NetworkPath;
  readonly arrived: (moved: boolean) => void;
}

/** Opens the sockets of a connection's paths, and ends them. */
export class QuicMoves {
  readonly #parts: QuicMovesParts;
  readonly #clock: Clock;
  readonly #sockets: Map<NetworkPath, UdpSocket>;
  readonly #ending: AbortController;
  #move: Promise<boolean> | undefined;
  #underway: Underway | undefined;
  /** Who waits for the handshake to be confirmed. */
  #whenConfirmed: (() => void) | undefined;
  #preferred: string | undefined;
  #pausedUntil: number;
  /** How many probes had gone unanswered when it was looked last. */
  #unanswered: number;

  constructor(parts: QuicMovesParts) {
    this.#parts = parts;
    this.#clock = parts.networking.clock;
    this.#sockets = new Map();
    if (parts.first.path !== undefined) this.#sockets.set(parts.first.path, parts.first);
    this.#ending = new AbortController();
    this.#move = undefined;
    this.#underway = undefined;
    this.#whenConfirmed = undefined;
    this.#preferred = undefined;
    this.#pausedUntil = 0;
    this.#unanswered = 0;
  }

  /**
   * Goes on from a new port. Resolves when the connection does so, or never will: the server does not allow it, or is
   * not heard there. While a move is under way it is that one's end.
   */
  move(): Promise<boolean> {
    return this.#begin(this.#parts.connection.currentPath.remote);
  }

  /** The server wants to be spoken to there. */
  preferred(remote: string): void {
    const { currentPath } = this.#parts.connection;
    if (leadsHome(remote, currentPath.remote)) return;
    // Whoever is on the move already goes there afterwards.
    this.#preferred = remote;
    if (this.#move === undefined) this.#followPreferred();
  }

  /** The system has refused a datagram. */
  datagramFailed(error: NetworkError, path: NetworkPath | undefined): void {
    const gone = error.code === 'ERR_UNREACHABLE' || error.code === 'ERR_ADDRESS_NOT_AVAILABLE';
    if (!gone || error.phase !== 'write') return;
    const { connection } = this.#parts;
    if (path !== undefined && path !== connection.currentPath) return;
    const now = this.#clock.now();
    if (!connection.handshakeConfirmed || this.#move !== undefined || now < this.#pausedUntil) return;
    this.#pausedUntil = now + PAUSE;
    void this.move();
  }

  /** The connection may have gone somewhere, or given a path up. Cheap while there is one path. */
  look(): void {
    const { connection } = this.#parts;
    if (this.#whenConfirmed !== undefined && connection.handshakeConfirmed) this.#confirmed();
    if (connection.unansweredProbes !== this.#unanswered) this.#probed(connection.unansweredProbes);
    if (this.#sockets.size < 2) return;
    const { currentPath } = connection;
    if (this.#underway?.path === currentPath) this.#arrived(true);
    for (const [path, socket] of this.#sockets) {
      if (path === currentPath || connection.knowsPath(path)) continue;
      if (this.#underway?.path === path) this.#arrived(false);
      this.#sockets.delete(path);
      void socket.close();
    }
  }

  /** The connection is over. Its sockets are the endpoint's to close. */
  end(): void {
    this.#ending.abort();
    this.#confirmed();
    this.#arrived(false);
    this.#sockets.clear();
  }

  /** A probe went unanswered, or an answer came. Once for each, and those come less and less often. */
  #probed(unanswered: number): void {
    this.#unanswered = unanswered;
    const { connection } = this.#parts;
    if (unanswered < SILENT || !connection.handshakeConfirmed || this.#move !== undefined) return;
    const { local, remote } = connection.currentPath;
    void this.#begin(remote, addressFrom(local).host);
  }

  /** @param besides - not from this address */
  #begin(remote: string, besides?: string): Promise<boolean> {
    this.#move ??= this.#go(remote, besides)
      .catch(() => false)
      .then((moved) => {
        this.#move = undefined;
        if (!this.#ending.signal.aborted) this.#followPreferred();
        return moved;
      });
    return this.#move;
  }

  #followPreferred(): void {
    const remote = this.#preferred;
    this.#preferred = undefined;
    if (remote !== undefined) void this.#begin(remote);
  }

  async #go(remote: string, besides: string | undefined): Promise<boolean> {
    const { networking, endpoint, connection, receiveBuffer, wake } = this.#parts;
    const { signal } = this.#ending;
    if (!connection.handshakeConfirmed && !signal.aborted) {
      await new Promise<void>((resolve) => (this.#whenConfirmed = resolve));
    }
    signal.throwIfAborted();
    const { host, port } = addressFrom(remote);
    const target: HostPort = { host, port };
    const socket = await networking.connectUdp({ target, signal, receiveBuffer }, endpoint);
    const { path } = socket;
    // Before the connection may send there.
    endpoint.open([socket]);
    const stays = path === undefined || addressFrom(path.local).host === besides;
    if (signal.aborted || stays || !connection.migrate(path)) {
      await socket.close();
      return false;
    }
    this.#sockets.set(path, socket);
    const arrival = new Promise<boolean>((arrived) => (this.#underway = { path, arrived }));
    wake();
    return arrival;
  }

  #confirmed(): void {
    const waiting = this.#whenConfirmed;
    this.#whenConfirmed = undefined;
    waiting?.();
  }

  #arrived(moved: boolean): void {
    const underway = this.#underway;
    this.#underway = undefined;
    underway?.arrived(moved);
  }
}

/**
 * Whether a server elsewhere sends its client to the client's own host (RFC 9000 section 21.5.6): what listens there
 * often asks nobody who he is.
 */
export function leadsHome(offered: string, present: string): boolean {
  return isLoopback(offered) && !isLoopback(present);
}

function isLoopback(address: string): boolean {
  const { host } = addressFrom(address);
  const bare = host.startsWith('::ffff:') ? host.slice('::ffff:'.length) : host;
  // A mapped address may be written in hexadecimal too.
  return /^(127|0)\./.test(bare) || /^7f[0-9a-f]{2}:/.test(bare) || bare === '::1' || bare === '::';
}
