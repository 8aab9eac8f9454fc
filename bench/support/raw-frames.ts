/**
 * A client of nothing but frames, small enough that its own cost does not matter: it opens streams and waits for what the
 * server says.
 *
 * @module
 */
import net from 'node:net';

const HEADER_LENGTH = 9;

/** The types of frames (RFC 9113 section 6). */
export const FrameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;

/** One connection. */
export class RawFrames {
  readonly socket: net.Socket;
  #pending: Buffer;
  #answered: number;
  #told: (() => void) | undefined;
  #failed: ((error: Error) => void) | undefined;
  #wanted: number;

  private constructor(socket: net.Socket) {
    this.socket = socket;
    this.#pending = Buffer.alloc(0);
    this.#answered = 0;
    this.#told = undefined;
    this.#failed = undefined;
    this.#wanted = 0;
    socket.once('close', () => this.#failed?.(new Error('the server has closed the connection')));
  }

  /** Connects and says the preface. */
  static connect(url: URL): Promise<RawFrames> {
    const socket = net.connect({ host: url.hostname, port: Number(url.port), noDelay: true });
    const raw = new RawFrames(socket);
    socket.on('data', (chunk: Buffer) => raw.#take(chunk));
    socket.write(
      Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), http2Frame(FrameType.settings, 0, 0, [])]),
    );
    return new Promise((resolve, reject) => socket.once('error', reject).once('connect', () => resolve(raw)));
  }

  /** A GET without content. The path is short. */
  get(streamId: number, path: string): void {
    // GET and http by index, path, authority and user-agent as literals that no table keeps (RFC 7541 appendix A).
    const block = [0x82, 0x86, 0x04, path.length, ...Buffer.from(path), 0x01, 1, 0x61, 0x0f, 43, 1, 0x61];
    this.socket.write(http2Frame(FrameType.headers, END_STREAM | END_HEADERS, streamId, block));
  }

  /** When so many answers have ended in all. */
  answers(count: number): Promise<void> {
    return this.#until(count);
  }

  /** When the server has read all that was sent. */
  roundTrip(): Promise<void> {
    this.socket.write(http2Frame(FrameType.ping, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]));
    return this.#until(this.#answered + 1);
  }

  #until(count: number): Promise<void> {
    this.#wanted = count;
    return new Promise((resolve, reject) => {
      this.#told = resolve;
      this.#failed = reject;
      this.#look();
    });
  }

  #look(): void {
    if (this.#answered >= this.#wanted) this.#told?.();
  }

  #take(chunk: Buffer): void {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (bytes.length >= HEADER_LENGTH && bytes.length >= HEADER_LENGTH + bytes.readUIntBE(0, 3)) {
      const [type, flags] = [bytes[3] as number, bytes[4] as number];
      if (type === FrameType.settings && (flags & ACK) === 0)
        this.socket.write(http2Frame(FrameType.settings, ACK, 0, []));
      const ended = (type === FrameType.data || type === FrameType.headers) && (flags & END_STREAM) !== 0;
      if (ended || (type === FrameType.ping && (flags & ACK) !== 0)) this.#answered += 1;
      bytes = bytes.subarray(HEADER_LENGTH + bytes.readUIntBE(0, 3));
    }
    this.#pending = bytes;
    this.#look();
  }
}

/** A frame (RFC 9113 section 4.1). */
export function http2Frame(type: number, flags: number, streamId: number, payload: readonly number[]): Buffer {
  const bytes = Buffer.from([0, 0, 0, type, flags, 0, 0, 0, 0, ...payload]);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes.writeUInt32BE(streamId, 5);
  return bytes;
}
