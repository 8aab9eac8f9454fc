/**
 * What an implementation does about a capability that it does not declare: it says so at once, and nothing is lost.
 */
import { expect } from 'vitest';
import { LocalProtocolError } from '../../src/common/index.ts';
import type { Capability, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { bytes, connect, get, post } from './engine-pair.ts';
import type { PlayedPair, Steps } from './played-pair.ts';

const unsupported: unknown = expect.objectContaining({ code: 'ERR_UNSUPPORTED' });

/** A request that goes on as if nothing had been asked. */
function* finish(pair: PlayedPair, streamId: number): Steps {
  yield* pair.respond(streamId, 200, [], 'all the same');
  expect(pair.client.data(streamId)).toBe('all the same');
  expect(pair.client.events.at(-1)).toMatchObject({ type: 'StreamClosed', streamId });
}

/** Of the two sides, those that do not declare a capability: each refuses for itself. */
const lacking = (pair: PlayedPair, capability: Capability): HttpOverTcpProtocol[] =>
  [pair.client.engine, pair.server.engine].filter(({ capabilities }) => !capabilities.has(capability));

/** Whether it is the client that lacks it: then the caller is told at once. */
const clientLacks = (pair: PlayedPair, capability: Capability): boolean =>
  !pair.client.engine.capabilities.has(capability);

/** The refusal of each capability. */
export const refusals: Readonly<Record<Capability, (pair: PlayedPair) => Steps>> = {
  *trailers(pair) {
    const streamId = yield* pair.request(post(), false);
    expect(() => pair.client.engine.submitTrailers(streamId, ['a', 'b'])).toThrow(unsupported);
    pair.client.engine.submitData(streamId, bytes('x'), { endStream: true });
    yield* pair.run();
    yield* finish(pair, streamId);
  },
  *informational(pair) {
    const streamId = yield* pair.request();
    expect(() => pair.server.engine.submitInformational(streamId, [':status', '103'])).toThrow(unsupported);
    yield* finish(pair, streamId);
  },
  *connect(pair) {
    const streamId = pair.client.engine.getAvailableStreamId();
    expect(() => pair.client.engine.submitHeaders(streamId, connect(), { endStream: false })).toThrow(unsupported);
    yield* finish(pair, yield* pair.request());
  },
  *upgrade(pair) {
    const streamId = pair.client.engine.getAvailableStreamId();
    const options = { endStream: true, upgrade: 'websocket' };
    expect(() => pair.client.engine.submitHeaders(streamId, get(), options)).toThrow(unsupported);
    yield* finish(pair, yield* pair.request());
  },
  *extendedConnect(pair) {
    const streamId = pair.client.engine.getAvailableStreamId();
    const head = [':method', 'CONNECT', ':scheme', 'http', ':authority', 'a.example', ':path', '/'];
    expect(() =>
      pair.client.engine.submitHeaders(streamId, [...head, ':protocol', 'websocket'], { endStream: false }),
    ).toThrow(unsupported);
    yield* finish(pair, yield* pair.request());
  },
  *datagrams(pair) {
    const streamId = yield* pair.request();
    for (const engine of lacking(pair, 'datagrams')) expect(engine.submitDatagram(streamId, bytes('x'))).toBe(false);
    yield* finish(pair, streamId);
    expect(pair.server.types).not.toContain('DatagramReceived');
  },
  *priorities(pair) {
    const streamId = yield* pair.request();
    for (const engine of lacking(pair, 'priorities')) {
      expect(() => engine.submitPriority(streamId, 1, true)).toThrow(unsupported);
    }
    // What one side says and the other does not know is passed over.
    if (!clientLacks(pair, 'priorities')) pair.client.engine.submitPriority(streamId, 1, true);
    yield* pair.run();
    yield* finish(pair, streamId);
  },
  *flowControl(pair) {
    // Nothing is asked: what cannot be held back is still delivered whole.
    const streamId = yield* pair.request(post(), false);
    pair.client.engine.submitData(streamId, new Uint8Array(100_000), { endStream: true });
    yield* pair.run();
    expect(pair.server.data(streamId)).toHaveLength(100_000);
    yield* finish(pair, streamId);
  },
  *gracefulShutdown(pair) {
    expect(() => pair.server.engine.submitShutdown()).toThrow(unsupported);
    yield* finish(pair, yield* pair.request());
  },
  *earlyData(pair) {
    const streamId = yield* pair.request();
    expect(pair.server.only('HeadersReceived').early).toBe(false);
    yield* finish(pair, streamId);
  },
  *strictParsing(pair) {
    yield* finish(pair, yield* pair.request());
  },
  *detach(pair) {
    expect(() => pair.client.engine.detach()).toThrow(LocalProtocolError);
    yield* finish(pair, yield* pair.request());
  },
};
