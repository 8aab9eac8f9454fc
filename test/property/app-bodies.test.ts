import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mountAsgiApp } from '../../src/app/asgi-app.ts';
import { mountFetchApp } from '../../src/app/fetch-exchange.ts';
import type { AsgiSendEvent } from '../../src/app/index.ts';
import { FakeExchange, FakeHost, settle } from '../unit/app/fake-exchange.ts';

const pieces = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
const runs = { numRuns: 200 };

/** Takes what is sent, a turn at a time, until the exchange is over. */
async function finish(exchange: FakeExchange): Promise<void> {
  // The test's own time limit ends what never ends.
  while (!exchange.responseEnded && exchange.abortedWith === undefined) {
    exchange.drain();
    await settle(1);
  }
}

describe('a request body', () => {
  it('reaches the app whole, however it is cut and read, and every byte is given back', async () => {
    await fc.assert(
      fc.asyncProperty(
        pieces,
        fc.constantFrom('text', 'reader', 'byob'),
        fc.integer({ min: 1, max: 64 }),
        fc.array(fc.boolean(), { maxLength: 12 }),
        async (body, way, size, pauses) => {
          const received: Uint8Array[] = [];
          const exchange = new FakeExchange({ method: 'POST', endStream: false });
          const app = async (request: Request): Promise<Response> => {
            if (way === 'text') {
              received.push(new Uint8Array(await request.arrayBuffer()));
            } else if (way === 'reader') {
              for await (const chunk of request.body as ReadableStream<Uint8Array>) received.push(chunk);
            } else {
              const reader = (request.body as ReadableStream<Uint8Array>).getReader({ mode: 'byob' });
              for (;;) {
                const { done, value } = await reader.read(new Uint8Array(size));
                if (done) break;
                received.push(value);
              }
            }
            return new Response('ok');
          };
          mountFetchApp(app, new FakeHost()).answer(exchange);
          // Every piece is a view of one buffer that others share.
          const shared = new Uint8Array(Buffer.concat([...body, Buffer.from('tail')]));
          let at = 0;
          for (const [index, piece] of body.entries()) {
            exchange.receive(shared.subarray(at, at + piece.length));
            at += piece.length;
            if (pauses[index] === true) await settle(1);
          }
          exchange.receive(new Uint8Array(0), true);
          await finish(exchange);
          expect(exchange.text).toBe('ok');
          expect(Buffer.concat(received).equals(Buffer.concat(body))).toBe(true);
          expect(exchange.consumed).toBe(at);
          expect(Buffer.from(shared.subarray(at)).toString()).toBe('tail');
        },
      ),
      runs,
    );
  });
});

describe('a response body', () => {
  it('leaves whole, within the room there is, and with one head', async () => {
    await fc.assert(
      fc.asyncProperty(
        pieces,
        fc.integer({ min: 1, max: 100 }),
        fc.array(fc.boolean(), { maxLength: 12 }),
        fc.boolean(),
        fc.boolean(),
        async (body, room, pauses, declared, trailers) => {
          const whole = Buffer.concat(body);
          const exchange = new FakeExchange({ room });
          const host = new FakeHost();
          const headers: Record<string, string> = declared ? { 'content-length': String(whole.length) } : {};
          let index = 0;
          const stream = new ReadableStream<Uint8Array>(
            {
              async pull(controller) {
                const piece = body[index];
                if (pauses[index] === true) await settle(1);
                index += 1;
                if (piece === undefined) controller.close();
                else controller.enqueue(piece);
              },
            },
            { highWaterMark: 0 },
          );
          mountFetchApp((_request, context) => {
            if (trailers) context.trailers.send({ 'x-end': '1' });
            return new Response(stream, { headers });
          }, host).answer(exchange);
          await settle();
          await finish(exchange);
          expect(host.reports).toEqual([]);
          expect(exchange.responseEnded).toBe(true);
          expect(exchange.body.equals(whole)).toBe(true);
          expect(exchange.peak).toBeLessThan(room + 40);
          expect(exchange.sentTrailers).toEqual(trailers ? ['x-end', '1'] : undefined);
          const length = exchange.field('content-length');
          if (length !== undefined) expect(length).toBe(String(whole.length));
          expect(exchange.handlersEnded).toBe(1);
        },
      ),
      runs,
    );
  });
});

describe('an ASGI-style app that sends anything in any order', () => {
  const event: fc.Arbitrary<AsgiSendEvent> = fc.oneof(
    fc.record({
      type: fc.constant('http.response.start' as const),
      status: fc.constantFrom(200, 204, 304, 99, 404),
      trailers: fc.boolean(),
    }),
    fc.record({
      type: fc.constant('http.response.body' as const),
      body: fc.uint8Array({ maxLength: 20 }),
      more_body: fc.boolean(),
    }),
    fc.record({ type: fc.constant('http.response.trailers' as const), more_trailers: fc.boolean() }),
    fc.record({ type: fc.constant('http.response.early_hint' as const), links: fc.constant(['</a>']) }),
    fc.record({ type: fc.constant('http.response.pathsend' as const), path: fc.constant('/nothing/there') }),
    fc.record({ type: fc.constantFrom('lifespan.startup.complete' as const, 'lifespan.shutdown.failed' as const) }),
  );

  it('gets one response or a reset, and its handler ends once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 8 }),
        fc.boolean(),
        fc.constantFrom('GET', 'HEAD'),
        fc.integer({ min: 1, max: 50 }),
        fc.option(fc.nat(8), { nil: undefined }),
        async (events, awaits, method, room, leavesAt) => {
          const exchange = new FakeExchange({ method, room });
          const app = async (
            _scope: unknown,
            _receive: unknown,
            send: (given: AsgiSendEvent) => Promise<void>,
          ): Promise<void> => {
            for (const [index, given] of events.entries()) {
              if (index === leavesAt) exchange.leave();
              const sent = send(given).catch(() => undefined);
              if (awaits) await sent;
            }
          };
          mountAsgiApp(app, new FakeHost()).answer(exchange);
          await settle();
          await finish(exchange);
          await settle();
          const heads = exchange.log.filter((line) => /^(?:headers|respond)/.test(line));
          expect(heads.length).toBeLessThanOrEqual(1);
          expect(exchange.responseEnded || exchange.abortedWith !== undefined).toBe(true);
          expect(exchange.handlersEnded).toBe(1);
        },
      ),
      { numRuns: 500 },
    );
  });
});
