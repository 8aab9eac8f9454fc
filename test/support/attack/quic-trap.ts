/**
 * A raw QUIC server on a socket of the loopback: a trap for clients.
 *
 * @module
 */
import type { RemoteInfo, Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { readPacketHeader } from '../../../src/protocols/quic/packet-header.ts';
import { MIN_INITIAL } from '../quic/raw-frames.ts';
import type { RawServerOptions } from '../quic/raw-server.ts';
import { RawServer } from '../quic/raw-server.ts';

const PATIENCE = 25_000;

/** What a trap does with whoever comes. */
export interface TrapPlan extends RawServerOptions {
  /** The handshake is complete. */
  readonly play?: (raw: RawServer) => void;
}

/** A port at which every client gets a server without manners. */
export class QuicTrap {
  /** Those who came, in order. */
  readonly caught: RawServer[];
  readonly #socket: Socket;
  readonly #plan: TrapPlan;
  readonly #clients: Map<string, { readonly raw: RawServer; played: boolean }>;

  private constructor(socket: Socket, plan: TrapPlan) {
    this.caught = [];
    this.#socket = socket;
    this.#plan = plan;
    this.#clients = new Map();
    socket.on('message', (datagram, from) => {
      this.#received(datagram, from);
    });
    // A port that nobody listens on any more.
    socket.on('error', () => undefined);
  }

  static async open(plan: TrapPlan): Promise<QuicTrap> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => {
      socket.bind(0, '127.0.0.1', resolve);
    });
    return new QuicTrap(socket, plan);
  }

  get url(): string {
    return `https://127.0.0.1:${String(this.#socket.address().port)}/`;
  }

  /** Waits for something of the first who came, a long time if need be. */
  async until(done: (raw: RawServer) => boolean): Promise<RawServer> {
    for (const end = performance.now() + PATIENCE; performance.now() < end;) {
      const [first] = this.caught;
      if (first !== undefined && done(first)) return first;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error('what was waited for did not happen');
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#socket.close(() => {
        resolve();
      });
    });
  }

  #received(datagram: Buffer, from: RemoteInfo): void {
    const header = readPacketHeader(datagram, 0, 8);
    if (header === undefined) return;
    const key = `${from.address}:${String(from.port)}`;
    let client = this.#clients.get(key);
    if (client === undefined) {
      if (header.form !== 'initial' || datagram.length < MIN_INITIAL) return;
      const raw = new RawServer(
        header,
        (answer) => {
          this.#socket.send(answer, from.port, from.address);
        },
        this.#plan,
      );
      client = { raw, played: false };
      this.#clients.set(key, client);
      this.caught.push(raw);
    }
    client.raw.received(datagram);
    if (client.played || !client.raw.complete) return;
    client.played = true;
    this.#plan.play?.(client.raw);
  }
}
