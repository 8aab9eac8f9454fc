/** GOAWAY's last stream id never grows (RFC 9113 section 6.8). */
import { expect, it } from 'vitest';
import { Http2ServerFactory } from '../../../../src/protocols/http2/index.ts';
import { drainEvents, takeOutput, testContext } from '../../../support/connection-pair.ts';
import { frameBytes, framesOf, PREFACE } from '../../../vectors/support/http2-frames.ts';
import type { Frame } from '../../../vectors/support/http2-frames.ts';

const SETTINGS = frameBytes(4, 0, 0, new Uint8Array(0));
/** `:method: GET`, `:scheme: https`, `:path: /`, `:authority: a`. */
const GET = Uint8Array.of(0x82, 0x87, 0x84, 0x01, 0x01, 0x61);

it('an error behind a graceful shutdown does not take back what the shutdown said', () => {
  const server = new Http2ServerFactory().create(testContext(), 0);
  const exchange = (...frames: Uint8Array[]): Frame[] => {
    for (const frame of frames) server.bytesReceived(frame.slice(), 1);
    drainEvents(server);
    return framesOf(Uint8Array.from(takeOutput(server, 1)));
  };
  exchange(PREFACE, SETTINGS, frameBytes(1, 5, 1, GET));
  server.submitShutdown();
  const ping = exchange().find(({ type }) => type === 6);
  expect(lastIds(exchange(frameBytes(6, 1, 0, ping?.payload ?? new Uint8Array(8))))).toEqual([1]);
  // A request above it is not processed; then the client breaks a rule.
  expect(lastIds(exchange(frameBytes(1, 5, 3, GET), frameBytes(6, 0, 1, new Uint8Array(8))))).toEqual([1]);
});

function lastIds(frames: readonly Frame[]): number[] {
  return frames.filter(({ type }) => type === 7).map(({ payload }) => Buffer.from(payload).readUInt32BE(0));
}
