/**
 * {@link UdpSocket} by `node:dgram`.
 *
 * Owns what is between a bound Node socket and its handler: paths, segments, the bound on what waits to be sent, the
 * budget of a turn, and errors that concern one datagram only.
 *
 * Invariants:
 * - After `close` was called the handler gets `closed` and nothing else, and no handle is left when the promise resolves.
 * - Nothing that a handler throws reaches the event loop.
 *
 * @module
 */
import type { RemoteInfo, Socket } from 'node:dgram';
import { bracketHost, formatSocketAddress } from '../common/index.ts';
import type { IpAddress, NetworkPath } from '../common/index.ts';
import type { UdpSocket, UdpSocketHandler } from './networking.ts';
import { systemError } from './system-errors.ts';
import type { DatagramTurn } from './udp-turn.ts';

/** How many bytes may wait in the process for the system to take them. Above that a sender shall wait. */
export const SEND_QUEUE_BYTES = 0x40000;

/**
 * How many datagrams of one call share a notice of what became of them, which costs a turn of Node's queue: what befalls
 * one of a group befalls its neighbours, or is a loss like any other.
 */
const TOLD_EVERY = 8;

/** A UDP socket of the system. */
export class SystemUdpSocket implements UdpSocket {
  readonly localAddress: IpAddress;
  readonly path: NetworkPath | undefined;
  readonly #socket: Socket;
  readonly #handler: UdpSocketHandler;
  readonly #turn: DatagramTurn;
  readonly #local: string;
  readonly #sent: (error: Error | null) => void;
  /** Where the last datagram came from: mostly the next one does, too. */
  #lastPath: NetworkPath | undefined;
  #lastHost: string;
  #lastPort: number;
  /** Where the last one went to. */
  #target: NetworkPath | undefined;
  #targetHost: string;
  #targetPort: number;
  #dropped: number;
  #full: boolean;
  #closing: Promise<void> | undefined;

  /**
   * @param socket - bound, with no listener of its own
   * @param remoteAddress - the peer of a connected socket
   */
  constructor(
    socket: Socket,
    localAddress: IpAddress,
    remoteAddress: IpAddress | undefined,
    handler: UdpSocketHandler,
    turn: DatagramTurn,
  ) {
    this.localAddress = localAddress;
    this.#socket = socket;
    this.#handler = handler;
    this.#turn = turn;
    this.#local = formatSocketAddress(localAddress);
    this.path =
      remoteAddress === undefined ? undefined : { local: this.#local, remote: formatSocketAddress(remoteAddress) };
    this.#sent = (error) => this.#datagramSent(error);
    this.#lastPath = undefined;
    this.#lastHost = '';
    this.#lastPort = 0;
    this.#target = undefined;
    this.#targetHost = '';
    this.#targetPort = 0;
    this.#dropped = 0;
    this.#full = false;
    this.#closing = undefined;
    socket.on('message', (data, from) => this.#received(data, from));
    socket.on('error', (error) => this.#failed(error, 'read'));
  }

  get dropped(): number {
    return this.#dropped;
  }

  send(data: Uint8Array, segmentSize: number, path: NetworkPath): boolean {
    if (this.#closing !== undefined) return false;
    for (let at = 0, count = 1; at < data.length; at += segmentSize, count += 1) {
      const end = at + segmentSize;
      const isLast = end >= data.length;
      const datagram = at === 0 && isLast ? data : data.subarray(at, end);
      this.#sendOne(datagram, path, isLast || count % TOLD_EVERY === 0);
    }
    if (this.#socket.getSendQueueSize() <= SEND_QUEUE_BYTES) return true;
    this.#full = true;
    return false;
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#socket.close(() => {
        this.#tell(() => this.#handler.closed(this, undefined));
        resolve();
      });
    });
    return this.#closing;
  }

  #sendOne(datagram: Uint8Array, path: NetworkPath, told: boolean): void {
    const sent = told ? this.#sent : undefined;
    try {
      if (this.path !== undefined) {
        this.#socket.send(datagram, sent);
        return;
      }
      if (path !== this.#target) this.#aim(path);
      this.#socket.send(datagram, this.#targetPort, this.#targetHost, sent);
    } catch (error) {
      // A path that no socket could have told, such as port 0.
      this.#failed(error, 'write');
    }
  }

  #aim(path: NetworkPath): void {
    const { remote } = path;
    const colon = remote.lastIndexOf(':');
    const host = remote.slice(0, colon);
    this.#target = path;
    this.#targetHost = host.startsWith('[') ? host.slice(1, -1) : host;
    this.#targetPort = Number(remote.slice(colon + 1));
  }

  #datagramSent(error: Error | null): void {
    if (this.#closing !== undefined) return;
    if (error !== null) this.#failed(error, 'write');
    if (!this.#full || this.#socket.getSendQueueSize() > SEND_QUEUE_BYTES / 2) return;
    this.#full = false;
    this.#tell(() => this.#handler.drained(this));
  }

  #received(data: Uint8Array, from: RemoteInfo): void {
    if (this.#closing !== undefined) return;
    if (!this.#turn.take(this.#handler)) {
      this.#dropped += 1;
      return;
    }
    try {
      // One kind of array for all that read it: views of a Buffer are made by a function of Node's, ten times as dear.
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.length);
      this.#handler.datagramReceived(bytes, this.path ?? this.#pathFrom(from));
    } catch {
      // It has been told.
    }
  }

  #pathFrom(from: RemoteInfo): NetworkPath {
    const last = this.#lastPath;
    if (last !== undefined && this.#lastPort === from.port && this.#lastHost === from.address) return last;
    const path = { local: this.#local, remote: `${bracketHost(from.address)}:${String(from.port)}` };
    this.#lastPath = path;
    this.#lastHost = from.address;
    this.#lastPort = from.port;
    return path;
  }

  #failed(error: unknown, phase: 'read' | 'write'): void {
    if (this.#closing !== undefined) return;
    const doing = `a datagram ${phase === 'write' ? 'could not be sent' : 'did not arrive'}`;
    this.#tell(() => this.#handler.datagramFailed(systemError(phase, doing, error), this.path));
  }

  #tell(notice: () => void): void {
    try {
      notice();
    } catch {
      // It has been told.
    }
  }
}
