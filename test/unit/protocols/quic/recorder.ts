/**
 * Writes down what a packet's frames say.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { FrameHandler } from '../../../../src/protocols/quic/frame-handler.ts';

/** One frame: its member and its arguments, bytes in hexadecimal. */
export type RecordedFrame = readonly [string, ...unknown[]];

/** Takes every frame. */
export function recordFrames(): { handler: FrameHandler; frames: RecordedFrame[]; types: number[] } {
  const frames: RecordedFrame[] = [];
  const types: number[] = [];
  const plain = (value: unknown): unknown => (value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value);
  const handler = new Proxy({} as FrameHandler, {
    get:
      (_target, name) =>
      (...values: unknown[]): void => {
        if (name === 'frameReceived') types.push(values[0] as number);
        else frames.push([String(name), ...values.map(plain)]);
      },
  });
  return { handler, frames, types };
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
