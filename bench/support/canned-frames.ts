/**
 * An HTTP/2 server that checks nothing: it looks at frame headers alone, counts what ends a request, and answers with
 * frames that stand ready. No HPACK, no windows of the peer, no errors: the bound of what a server on this platform can do.
 *
 * @module
 */
import type { Duplex } from 'node:stream';

const PREFACE_LENGTH = 24;
const HEADER_LENGTH = 9;
const FRAME_SIZE = 16_384;
const Type = { data: 0, headers: 1, settings: 4, ping: 6 } as const;
const END_STREAM = 1;
const ACK = 1;

/** Makes the handler of connections. */
export function cannedFrames(body: Buffer, type: string): (socket: Duplex) => void {
  const answer = answerFrames(body, type);
  return (socket) => {
    socket.on('error', () => socket.destroy());
    // Windows as wide as they go, once: of the streams by SETTINGS, of the connection by WINDOW_UPDATE.
    const update = Buffer.from([0, 0, 4, 8, 0, 0, 0, 0, 0, 0x7f, 0xfe, 0xff, 0xff]);
    socket.write(Buffer.concat([Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0x7f, 0xff, 0xff, 0xff]), update]));
    let pending: Buffer = Buffer.alloc(0);
    let skip = PREFACE_LENGTH;
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      let bytes = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      const outputs: Buffer[] = [];
      for (;;) {
        const skipped = Math.min(skip, bytes.length);
        skip -= skipped;
        bytes = bytes.subarray(skipped);
        if (bytes.length < HEADER_LENGTH) break;
        const length = bytes.readUIntBE(0, 3);
        const kind = bytes[3] as number;
        const flags = bytes[4] as number;
        if (kind === Type.settings && (flags & ACK) === 0) outputs.push(Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]));
        const ends = (kind === Type.headers || kind === Type.data) && (flags & END_STREAM) !== 0;
        if (ends) outputs.push(...answer(bytes.readUInt32BE(5)));
        if (kind === Type.data) received += length;
        skip = HEADER_LENGTH + length;
      }
      pending = bytes;
      if (received > 1 << 30) {
        const reopen = Buffer.from(update);
        reopen.writeUInt32BE(received, HEADER_LENGTH);
        received = 0;
        outputs.push(reopen);
      }
      if (outputs.length === 0) return;
      socket.cork();
      for (const output of outputs) socket.write(output);
      socket.uncork();
    });
  };
}

/** The frames of an answer, ready but for the stream's id. */
function answerFrames(body: Buffer, type: string): (streamId: number) => Buffer[] {
  const literal = (index: number, value: string): Buffer =>
    Buffer.concat([Buffer.from([0x0f, index - 15, value.length]), Buffer.from(value)]);
  // :status 200 by index; content-type 31, content-length 28 and date 33 by name (RFC 7541 appendix A).
  const fields = Buffer.concat([
    Buffer.from([0x88]),
    literal(31, type),
    literal(28, String(body.length)),
    literal(33, new Date().toUTCString()),
  ]);
  const head = frame(1, 4, fields);
  const frames: Buffer[] = [];
  for (let at = 0; at < body.length; at += FRAME_SIZE) {
    const end = Math.min(at + FRAME_SIZE, body.length);
    frames.push(frame(0, end === body.length ? END_STREAM : 0, body.subarray(at, end)));
  }
  if (frames.length === 1) {
    const whole = Buffer.concat([head, frames[0] as Buffer]);
    return (streamId) => {
      const copy = Buffer.from(whole);
      copy.writeUInt32BE(streamId, 5);
      copy.writeUInt32BE(streamId, head.length + 5);
      return [copy];
    };
  }
  return (streamId) => {
    const outputs: Buffer[] = [];
    for (const each of [head, ...frames]) {
      const header = Buffer.from(each.subarray(0, HEADER_LENGTH));
      header.writeUInt32BE(streamId, 5);
      outputs.push(header, each.subarray(HEADER_LENGTH));
    }
    return outputs;
  };
}

function frame(type: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.writeUIntBE(payload.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  return Buffer.concat([header, payload]);
}
