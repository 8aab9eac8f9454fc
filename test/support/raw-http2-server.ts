/**
 * The other end of HTTP/2 connections, frame by frame: a server that does exactly what a test says and nothing else.
 *
 * @module
 */
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** A frame (RFC 9113 section 4.1). */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** Frame types. */
export const T = { data: 0, headers: 1, rstStream: 3, settings: 4, ping: 6, goaway: 7, windowUpdate: 8 } as const;

/** A frame in octets. */
export function rawFrame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(streamId, 5);
  return Buffer.concat([header, payload]);
}

/** Numbers of 32 bits in a row. */
export function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value, index * 4));
  return bytes;
}

/** One connection of a {@link RawPeer}. */
export class RawConnection {
  readonly index: number;
  readonly socket: Socket;
  readonly frames: RawFrame[] = [];
  #buffer: Buffer = Buffer.alloc(0);
  #preface = true;

  constructor(index: number, socket: Socket) {
    this.index = index;
    this.socket = socket;
  }

  /** The streams that were opened, in order. */
  get streams(): number[] {
    return this.frames.filter(({ type }) => type === T.headers).map(({ streamId }) => streamId);
  }

  /** Sends octets. */
  send(...frames: readonly Uint8Array[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  /** A response of status 200; the static table has it (RFC 7541 Appendix A). */
  respond(streamId: number, text: string): void {
    this.send(
      rawFrame(T.headers, 0x4, streamId, Buffer.from([0x88])),
      rawFrame(T.data, 1, streamId, Buffer.from(text)),
    );
  }

  /** GOAWAY. */
  goaway(lastStreamId: number, code = 0): void {
    this.send(rawFrame(T.goaway, 0, 0, numbers(lastStreamId, code)));
  }

  /** RST_STREAM. */
  reset(streamId: number, code: number): void {
    this.send(rawFrame(T.rstStream, 0, streamId, numbers(code)));
  }

  /** What came; whole frames are returned. */
  receive(chunk: Buffer): RawFrame[] {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    if (this.#preface && this.#buffer.length >= 24) {
      this.#preface = false;
      this.#buffer = this.#buffer.subarray(24);
    }
    const frames: RawFrame[] = [];
    while (!this.#preface && this.#buffer.length >= 9) {
      const length = this.#buffer.readUIntBE(0, 3);
      if (this.#buffer.length < 9 + length) break;
      frames.push({
        type: this.#buffer.readUInt8(3),
        flags: this.#buffer.readUInt8(4),
        streamId: this.#buffer.readUInt32BE(5) & 0x7fff_ffff,
        payload: this.#buffer.subarray(9, 9 + length),
      });
      this.#buffer = this.#buffer.subarray(9 + length);
    }
    this.frames.push(...frames);
    return frames;
  }
}

/** Listens on loopback and hands every frame to the test; SETTINGS and PING are answered. */
export class RawPeer {
  readonly connections: RawConnection[] = [];
  readonly #server: Server;

  private constructor(settings: Uint8Array, onFrame: (frame: RawFrame, connection: RawConnection) => void) {
    this.#server = createServer({ allowHalfOpen: false }, (socket) => {
      const connection = new RawConnection(this.connections.length, socket);
      this.connections.push(connection);
      socket.on('error', () => undefined);
      connection.send(rawFrame(T.settings, 0, 0, settings));
      socket.on('data', (chunk) => {
        for (const frame of connection.receive(chunk)) {
          if (frame.type === T.settings && (frame.flags & 1) === 0) connection.send(rawFrame(T.settings, 1, 0));
          if (frame.type === T.ping && (frame.flags & 1) === 0) connection.send(rawFrame(T.ping, 1, 0, frame.payload));
          onFrame(frame, connection);
        }
      });
    });
  }

  /** @param settings - the payload of its SETTINGS frame */
  static async start(
    onFrame: (frame: RawFrame, connection: RawConnection) => void,
    settings: Uint8Array = Buffer.alloc(0),
  ): Promise<RawPeer> {
    const peer = new RawPeer(settings, onFrame);
    await new Promise<void>((resolve) => peer.#server.listen(0, '127.0.0.1', resolve));
    return peer;
  }

  /** `http://127.0.0.1:port` */
  get url(): string {
    return `http://127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`;
  }

  /** Ends every connection. */
  async stop(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
