/**
 * An HTTP/2 client that checks nothing: it looks at frame headers alone, and its requests are frames that stand ready but
 * for the stream's id. No HPACK, no windows of the peer, no errors: the bound of what a client on this platform can do.
 *
 * @module
 */
import type { Duplex } from 'node:stream';
import { answerOf } from './asking.ts';
import type { Answer } from './client-contender.ts';

const HEADER_LENGTH = 9;
const Type = { data: 0, headers: 1, settings: 4 } as const;
const END_STREAM = 1;
const END_HEADERS = 4;
const ACK = 1;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

/** Asks on one socket. */
export class CannedFramesClient {
  readonly #socket: Duplex;
  readonly #request: Buffer;
  readonly #waiting: Map<number, { pieces: Buffer[]; done: (answer: Answer) => void }>;
  #nextId: number;
  #pending: Buffer;
  #output: Buffer[];
  #received: number;

  constructor(socket: Duplex, authority: string, scheme: string) {
    this.#socket = socket;
    // GET, scheme and / by index, the authority as a literal (RFC 7541 appendix A).
    const block = Buffer.concat([
      Buffer.from([0x82, scheme === 'https' ? 0x87 : 0x86, 0x84, 0x01, authority.length]),
      Buffer.from(authority),
    ]);
    this.#request = Buffer.concat([Buffer.from([0, 0, block.length, 1, END_STREAM | END_HEADERS, 0, 0, 0, 0]), block]);
    this.#waiting = new Map();
    this.#nextId = 1;
    this.#pending = Buffer.alloc(0);
    this.#received = 0;
    // Windows as wide as they go, and no push.
    const settings = [0, 0, 12, 4, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff];
    this.#output = [Buffer.from(PREFACE), Buffer.from(settings), windowUpdate(0x7fff_0000)];
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#flushSoon();
  }

  ask(done: (answer: Answer) => void): void {
    const frame = Buffer.from(this.#request);
    frame.writeUInt32BE(this.#nextId, 5);
    this.#waiting.set(this.#nextId, { pieces: [], done });
    this.#nextId += 2;
    if (this.#output.length === 0) this.#flushSoon();
    this.#output.push(frame);
  }

  close(): void {
    this.#socket.destroy();
  }

  #flushSoon(): void {
    queueMicrotask(() => {
      const output = this.#output;
      this.#output = [];
      this.#socket.write(output.length === 1 ? output[0] : Buffer.concat(output));
    });
  }

  #take(chunk: Buffer): void {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (bytes.length >= HEADER_LENGTH) {
      const end = HEADER_LENGTH + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      this.#frame(bytes[3] as number, bytes[4] as number, bytes.readUInt32BE(5), bytes.subarray(HEADER_LENGTH, end));
      bytes = bytes.subarray(end);
    }
    this.#pending = bytes;
    if (this.#received < 1 << 30) return;
    this.#send(windowUpdate(this.#received));
    this.#received = 0;
  }

  #frame(type: number, flags: number, streamId: number, payload: Buffer): void {
    if (type === Type.settings && (flags & ACK) === 0) this.#send(Buffer.from([0, 0, 0, 4, ACK, 0, 0, 0, 0]));
    if (type !== Type.data) return;
    this.#received += payload.length;
    const waiting = this.#waiting.get(streamId);
    waiting?.pieces.push(payload);
    if (waiting === undefined || (flags & END_STREAM) === 0) return;
    this.#waiting.delete(streamId);
    const whole = waiting.pieces.length === 1 ? payload : Buffer.concat(waiting.pieces);
    waiting.done(answerOf(200, 'text/plain', whole.toString('latin1')));
  }

  #send(frame: Buffer): void {
    if (this.#output.length === 0) this.#flushSoon();
    this.#output.push(frame);
  }
}

function windowUpdate(increment: number): Buffer {
  const frame = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  frame.writeUInt32BE(increment, HEADER_LENGTH);
  return frame;
}
