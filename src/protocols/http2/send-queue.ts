/**
 * What a stream has to send: chunks in order, sent in frames of any size.
 *
 * Owns: putting chunks in, and cutting frames out of them without a copy. Most messages are one chunk, so that one has
 * its own field and only more than one makes a queue. A large chunk may be one that is sent to everybody, so the views
 * of its frames are kept as long as it lives. Does not own windows nor limits.
 *
 * @module
 */
import { RingQueue } from '../../wire/index.ts';
import { DEFAULT_MAX_FRAME_SIZE as FRAME } from './frame-types.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { Stream } from './stream.ts';

/** Of chunks of this size on the views are kept: there are some hundred octets for each frame of 16 KiB. */
const LARGE = 262_144;
const viewsOf = new WeakMap<Uint8Array, (Uint8Array | undefined)[]>();

/** Puts a chunk, which is not empty, at the end. */
export function enqueue(stream: Stream, chunk: Uint8Array): void {
  if (stream.first === undefined) stream.first = chunk;
  else (stream.rest ??= new RingQueue<Uint8Array>()).push(chunk);
  stream.queued += chunk.length;
}

/** Writes the payload of a frame: the next `count` octets, which are queued. */
export function dequeue(stream: Stream, count: number, writer: FrameWriter): void {
  stream.queued -= count;
  let left = count;
  while (left > 0) {
    const chunk = stream.first as Uint8Array;
    const rest = chunk.length - stream.firstSent;
    if (rest > left) {
      writer.writePayload(view(chunk, stream.firstSent, left));
      stream.firstSent += left;
      return;
    }
    writer.writePayload(stream.firstSent === 0 ? chunk : chunk.subarray(stream.firstSent));
    left -= rest;
    stream.firstSent = 0;
    stream.first = stream.rest?.shift();
  }
}

/** Drops everything. Answers how much that was. */
export function dropQueue(stream: Stream): number {
  const { queued } = stream;
  stream.first = undefined;
  stream.firstSent = 0;
  stream.rest = undefined;
  stream.queued = 0;
  return queued;
}

/** A view of a part. */
function view(chunk: Uint8Array, from: number, count: number): Uint8Array {
  const end = from + count;
  if (count !== FRAME || chunk.length < LARGE || from % FRAME !== 0) return chunk.subarray(from, end);
  let views = viewsOf.get(chunk);
  if (views === undefined) {
    views = [];
    viewsOf.set(chunk, views);
  }
  return (views[from / FRAME] ??= chunk.subarray(from, end));
}
