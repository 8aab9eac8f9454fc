/**
 * Two HTTP/2 engines face to face: many messages at once, any content, any chunking, any windows, any pace of reading.
 * What is submitted arrives, in order and once; what is over leaves nothing behind.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Http2ClientFactory, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import type { HttpEvent, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { concat } from '../support/http2-frames.ts';
import { context, request } from '../support/http2-peer.ts';

interface Message {
  readonly pieces: readonly number[];
  readonly trailers: boolean;
}

interface Plan {
  readonly request: Message;
  readonly response: Message;
  readonly urgency: number;
  readonly incremental: boolean;
  /** How the exchange ends early, if it does: by whose reset, after how many rounds. */
  readonly reset: { readonly by: 'client' | 'server'; readonly after: number } | undefined;
}

const message: fc.Arbitrary<Message> = fc.record({
  pieces: fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 3 }),
  trailers: fc.boolean(),
});
const plan: fc.Arbitrary<Plan> = fc.record({
  request: message,
  response: message,
  urgency: fc.integer({ min: 0, max: 7 }),
  incremental: fc.boolean(),
  reset: fc.option(fc.record({ by: fc.constantFrom('client', 'server'), after: fc.integer({ min: 0, max: 20 }) }), {
    nil: undefined,
    freq: 5,
  }),
});

/** Octets that tell their place and their stream. */
function content(seed: number, length: number): Uint8Array {
  return new Uint8Array(length).map((_, index) => (index * 31 + seed * 7) & 0xff);
}

/** One side: its engine, and what it has got. */
class Side {
  readonly engine: HttpOverTcpProtocol;
  readonly got = new Map<
    number,
    { pieces: Uint8Array[]; ended: boolean; trailers: boolean; closed: boolean; reset: boolean }
  >();
  readonly unread: HttpEvent[] = [];
  /** Submits that wait for room. */
  readonly waiting = new Map<number, (() => boolean)[]>();
  terminated = false;

  constructor(engine: HttpOverTcpProtocol) {
    this.engine = engine;
  }

  pull(requested?: (streamId: number) => void): void {
    for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent()) {
      if (this.terminated) throw new Error('an event behind the last');
      if (event.type === 'ConnectionTerminated') this.terminated = true;
      if (!('streamId' in event)) continue;
      const { streamId } = event;
      const got = this.got.get(streamId) ?? { pieces: [], ended: false, trailers: false, closed: false, reset: false };
      this.got.set(streamId, got);
      if (got.closed) throw new Error(`${event.type} behind StreamClosed`);
      if (got.ended && event.type === 'DataReceived') throw new Error('content behind the end');
      if (event.type === 'DataReceived') {
        got.pieces.push(event.data);
        this.unread.push(event);
      }
      if ('endStream' in event && event.endStream) got.ended = true;
      if (event.type === 'TrailersReceived') got.trailers = true;
      if (event.type === 'StreamClosed') got.closed = true;
      if (event.type === 'StreamResetReceived' || event.type === 'StreamResetSent') got.reset = true;
      if (event.type === 'HeadersReceived') requested?.(streamId);
    }
  }

  /** Submits a message's content and end as far as there is room. */
  send(streamId: number, seed: number, { pieces, trailers }: Message): void {
    const steps = pieces.map((length, index) => () => {
      if (this.engine.sendCapacity(streamId) === 0) return this.got.get(streamId)?.reset === true;
      const last = index === pieces.length - 1 && !trailers;
      this.engine.submitData(streamId, content(seed + index, length), { endStream: last });
      return true;
    });
    if (trailers) steps.push(() => (this.engine.submitTrailers(streamId, ['x', 'y']), true));
    this.waiting.set(streamId, steps);
  }

  step(): void {
    for (const [streamId, steps] of this.waiting) {
      while (steps.length > 0 && steps[0]!()) steps.shift();
      if (steps.length === 0) this.waiting.delete(streamId);
    }
  }

  /** Reads some of what has come. */
  read(count: number): void {
    for (const event of this.unread.splice(0, count)) {
      if (event.type === 'DataReceived') this.engine.dataConsumed(event.streamId, event.flowControlledLength);
    }
  }
}

describe('HTTP/2, both sides', () => {
  it('carries many messages at once', { timeout: 120_000 }, () => {
    fc.assert(
      fc.property(
        fc.array(plan, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 100, max: 40_000 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(1000, 16_384, 65_536),
        (plans, cut, pace, window) => {
          const limits = { initialStreamWindow: window, maxUnconsumedBytes: 65_536 * 128 };
          const client = new Side(new Http2ClientFactory({ limits }).create(context, 0));
          const server = new Side(new Http2ServerFactory({ limits }).create(context, 0));
          const ids = plans.map((one, index) => {
            const id = client.engine.getAvailableStreamId();
            const { pieces, trailers } = one.request;
            const endStream = pieces.length === 0 && !trailers;
            const priority = `u=${String(one.urgency)}${one.incremental ? ', i' : ''}`;
            client.engine.submitHeaders(id, request('POST', ['priority', priority]), { endStream });
            client.send(id, index, one.request);
            return id;
          });
          const answer = (id: number): void => {
            const { pieces, trailers } = plans[ids.indexOf(id)]!.response;
            const endStream = pieces.length === 0 && !trailers;
            server.engine.submitHeaders(id, [':status', '200'], { endStream });
            server.send(id, id, plans[ids.indexOf(id)]!.response);
          };
          let idle = 0;
          for (let round = 0; idle < 3; round += 1) {
            if (round > 20_000) throw new Error('nothing ends');
            let moved = false;
            for (const [from, to] of [
              [client, server],
              [server, client],
            ] as const) {
              from.step();
              const bytes = concat(...(from.engine.bytesToSend(round) ?? []));
              from.pull(from === server ? answer : undefined);
              for (let at = 0; at < bytes.length; at += cut) {
                to.engine.bytesReceived(bytes.slice(at, at + cut), round);
                to.pull(to === server ? answer : undefined);
                moved = true;
              }
              from.read(pace);
              moved ||= from.unread.length > 0;
            }
            plans.forEach(({ reset }, index) => {
              if (reset?.after !== round) return;
              const side = reset.by === 'client' ? client : server;
              if (side.got.get(ids[index]!)?.closed === true) return;
              // A server knows a request only when it has come.
              if (reset.by === 'server' && !server.got.has(ids[index]!)) return;
              side.engine.submitStreamReset(ids[index]!, 8);
              side.pull();
              moved = true;
            });
            idle = moved ? 0 : idle + 1;
          }
          plans.forEach((one, index) => {
            const id = ids[index]!;
            const [asked, answered] = [server.got.get(id), client.got.get(id)];
            if (one.reset !== undefined && (asked?.reset === true || answered?.reset === true)) {
              expect(client.got.get(id)?.closed).toBe(true);
              return;
            }
            const expected = (message: Message, seed: number): Uint8Array =>
              concat(...message.pieces.map((length, at) => content(seed + at, length)));
            expect(asked, `request ${String(id)}`).toMatchObject({
              ended: true,
              closed: true,
              trailers: one.request.trailers,
            });
            expect(answered).toMatchObject({ ended: true, closed: true, trailers: one.response.trailers });
            expect(Buffer.compare(concat(...asked!.pieces), expected(one.request, index))).toBe(0);
            expect(Buffer.compare(concat(...answered!.pieces), expected(one.response, id))).toBe(0);
          });
          for (const id of ids) server.engine.submitHandlerEnd(id);
          client.engine.submitShutdown();
          client.pull();
          for (const chunk of client.engine.bytesToSend(20_000) ?? []) server.engine.bytesReceived(chunk, 20_000);
          server.engine.eofReceived(20_000);
          server.pull();
          expect([client.terminated, server.terminated]).toEqual([true, true]);
        },
      ),
      { numRuns: 40 },
    );
  });
});
