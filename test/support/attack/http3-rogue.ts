/**
 * A client of HTTP/3 that says what it likes: QUIC is right, what is on the streams is the test's.
 *
 * @module
 */
import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { nodeCryptoProvider } from '../../../src/crypto/index.ts';
import type { QuicConnectionClosed, QuicEvent } from '../../../src/protocols/quic-transport.ts';
import { QuicConnection, quicClientConfig } from '../../../src/protocols/quic/index.ts';

const random = { fill: (target: Uint8Array): Uint8Array => globalThis.crypto.getRandomValues(target) };

/** One connection to a port of the loopback. */
export class Http3Rogue {
  readonly transport: QuicConnection;
  /** What the server sent on each stream. */
  readonly received: Map<number, Uint8Array> = new Map();
  readonly resets: Map<number, number> = new Map();
  closed: QuicConnectionClosed | undefined;
  readonly #socket: Socket;
  readonly #port: number;
  readonly #path: { readonly local: string; readonly remote: string };
  #timer: NodeJS.Timeout | undefined;

  private constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.#port = port;
    this.#path = { local: `127.0.0.1:${String(socket.address().port)}`, remote: `127.0.0.1:${String(port)}` };
    const ids = {
      length: 8,
      next: () => ({ id: random.fill(new Uint8Array(8)), resetToken: random.fill(new Uint8Array(16)) }),
    };
    const config = quicClientConfig({
      crypto: nodeCryptoProvider,
      random,
      alpn: ['h3'],
      serverName: 'localhost',
      host: 'localhost',
      connectionIds: ids,
      epoch: Date.now() - performance.now(),
    });
    this.transport = new QuicConnection(config, this.#path, performance.now());
    this.transport.onOutput = () => undefined;
    socket.on('message', (data: Buffer) => {
      this.transport.datagramReceived(new Uint8Array(data), this.#path, performance.now());
      this.flush();
    });
  }

  /** Opens one, and waits for the handshake. */
  static async connect(port: number): Promise<Http3Rogue> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => {
      socket.bind(0, '127.0.0.1', resolve);
    });
    const rogue = new Http3Rogue(socket, port);
    rogue.flush();
    await rogue.until(() => rogue.transport.handshakeComplete && rogue.transport.availableStreams(true) > 0);
    return rogue;
  }

  /** Opens a stream and writes. */
  open(bidirectional: boolean, bytes: Uint8Array, fin = false): number {
    const streamId = this.transport.openStream(bidirectional);
    this.transport.writeStream(streamId, bytes, fin);
    return streamId;
  }

  /** Takes what came, and sends what is to be sent. */
  flush(): void {
    const now = performance.now();
    if ((this.transport.nextTimeout() ?? Infinity) <= now) this.transport.handleTimeout(now);
    this.#take();
    for (;;) {
      const datagrams = this.transport.datagramsToSend(now, 64);
      if (datagrams.length === 0) break;
      for (const { data, segmentSize } of datagrams) {
        for (let at = 0; at < data.length; at += segmentSize) {
          this.#socket.send(data.slice(at, at + segmentSize), this.#port, '127.0.0.1');
        }
      }
    }
    this.#take();
    clearTimeout(this.#timer);
    const next = this.transport.nextTimeout();
    if (next === undefined || this.closed !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.flush();
      },
      Math.max(0, next - performance.now()) + 1,
    );
  }

  /** Waits for something, a long time if need be. */
  async until(done: () => boolean): Promise<void> {
    for (const end = performance.now() + 20_000; !done() && performance.now() < end;) {
      this.flush();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (!done()) throw new Error('what was waited for did not happen');
  }

  /** Leaves without a word. */
  async leave(): Promise<void> {
    clearTimeout(this.#timer);
    await new Promise<void>((resolve) => {
      this.#socket.close(() => {
        resolve();
      });
    });
  }

  #take(): void {
    for (let event = this.transport.nextEvent(); event !== undefined; event = this.transport.nextEvent()) {
      this.#took(event);
    }
  }

  #took(event: QuicEvent): void {
    switch (event.type) {
      case 'CertificateReceived':
        this.transport.submitCertificateVerdict({ ok: true });
        return;
      case 'QuicStreamReceived': {
        const before = this.received.get(event.streamId) ?? new Uint8Array(0);
        this.received.set(event.streamId, new Uint8Array(Buffer.concat([before, event.data])));
        this.transport.streamConsumed(event.streamId, event.data.length);
        return;
      }
      case 'QuicStreamResetReceived':
        this.resets.set(event.streamId, event.errorCode);
        return;
      case 'QuicConnectionClosed':
        this.closed = event;
        return;
      default:
    }
  }
}
