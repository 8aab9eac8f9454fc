/**
 * A raw QUIC client on a socket of the loopback.
 *
 * @module
 */
import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import type { RawOptions } from '../quic/raw-client.ts';
import { RawClient } from '../quic/raw-client.ts';

/** How long nothing may happen before the latest datagrams are sent once more: the loopback drops when it is full. */
const REPEAT = 1_000;
/** How many are. */
const LATEST = 4;
const PATIENCE = 25_000;

/** One connection to a port of the loopback. */
export class QuicRogue {
  readonly raw: RawClient;
  /** Every datagram that came. */
  readonly datagrams: Buffer[];
  /** How much was sent. */
  sentBytes: number;
  sentDatagrams: number;
  /** Changes what is sent. */
  outgoing: ((datagram: Buffer) => Buffer) | undefined;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #latest: Buffer[];
  #open: boolean;

  private constructor(socket: Socket, port: number, options: RawOptions) {
    this.#socket = socket;
    this.#port = port;
    this.#latest = [];
    this.#open = true;
    this.datagrams = [];
    this.sentBytes = 0;
    this.sentDatagrams = 0;
    this.outgoing = undefined;
    this.raw = new RawClient((datagram) => {
      const changed = this.outgoing?.(datagram) ?? datagram;
      this.#latest.push(changed);
      if (this.#latest.length > LATEST) this.#latest.shift();
      this.#put(changed);
    }, options);
    socket.on('message', (datagram) => {
      this.datagrams.push(datagram);
      this.raw.received(datagram);
    });
    // A port that nobody listens on any more.
    socket.on('error', () => undefined);
  }

  /** A socket; nothing is sent yet. */
  static async open(port: number, options: RawOptions = {}): Promise<QuicRogue> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => {
      socket.bind(0, '127.0.0.1', resolve);
    });
    return new QuicRogue(socket, port, options);
  }

  /** A connection whose handshake the server has confirmed. */
  static async connect(port: number, options: RawOptions = {}): Promise<QuicRogue> {
    const rogue = await QuicRogue.open(port, options);
    rogue.raw.start();
    await rogue.until(() => rogue.raw.handshakeDone || rogue.raw.closed !== undefined);
    if (!rogue.raw.handshakeDone) throw new Error(`the handshake failed: ${String(rogue.raw.closed?.reason)}`);
    return rogue;
  }

  /** The local port. */
  get port(): number {
    return this.#socket.address().port;
  }

  /** Waits for something, a long time if need be. */
  async until(done: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE;
    let repeatAt = performance.now() + REPEAT;
    while (!done()) {
      const now = performance.now();
      if (now > end) throw new Error('what was waited for did not happen');
      if (now > repeatAt) {
        repeatAt = now + REPEAT;
        for (const datagram of this.#latest) this.#put(datagram);
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Waits for the server to close. */
  async untilClosed(): Promise<void> {
    await this.until(() => this.raw.closed !== undefined);
  }

  /** Leaves without a word. */
  async leave(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await new Promise<void>((resolve) => {
      this.#socket.close(() => {
        resolve();
      });
    });
  }

  #put(datagram: Buffer): void {
    if (!this.#open) return;
    this.sentBytes += datagram.length;
    this.sentDatagrams += 1;
    this.#socket.send(datagram, this.#port, '127.0.0.1');
  }
}
