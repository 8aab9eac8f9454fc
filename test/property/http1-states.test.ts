import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalProtocolError, NetworkError } from '../../src/common/index.ts';
import type { HttpEvent, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import type { Side } from '../support/http1-sides.ts';
import { clientSide, octets, serverSide } from '../support/http1-sides.ts';

/** What may happen to an engine, from outside and from above. */
type Step =
  | { readonly do: 'bytes'; readonly text: string }
  | { readonly do: 'eof' | 'lost' | 'lostWithError' | 'take' | 'shutdown' | 'detach' }
  | { readonly do: 'time'; readonly milliseconds: number }
  | { readonly do: 'close'; readonly code: number }
  | {
      readonly do: 'headers';
      readonly id: number;
      readonly headers: readonly string[];
      readonly end: boolean;
      readonly upgrade: string | undefined;
    }
  | { readonly do: 'informational' | 'trailers'; readonly id: number; readonly headers: readonly string[] }
  | { readonly do: 'data'; readonly id: number; readonly length: number; readonly end: boolean }
  | { readonly do: 'reset' | 'handlerEnd' | 'consumed' | 'open'; readonly id: number };

const TEXTS = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.0\r\n\r\n',
  'HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n',
  'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  'GET / HTTP/1.1\r\nHo',
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\n',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
  'HTTP/1.1 204 \r\nConnection: close\r\n\r\n',
  'hello',
  '5\r\nhello\r\n',
  '0\r\n\r\n',
  '0\r\nX: y\r\n\r\n',
  '\r\n',
  '\r',
  'zz\r\n',
  '\u0000',
];

const HEADERS = [
  [':status', '200'],
  [':status', '200', 'content-length', '5'],
  [':status', '204'],
  [':status', '101'],
  [':status', '103'],
  [':status', '413', 'content-length', '0'],
  [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'],
  [':method', 'POST', ':scheme', 'http', ':authority', 'a', ':path', '/', 'content-length', '5'],
  [':method', 'PUT', ':scheme', 'http', ':authority', 'a', ':path', '/'],
  [':method', 'CONNECT', ':authority', 'a:1'],
  ['x', 'y'],
  ['bad name', 'y'],
  [],
];

const id = fc.integer({ min: 0, max: 5 });
const headers = fc.constantFrom(...HEADERS);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('bytes' as const), text: fc.constantFrom(...TEXTS) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('eof', 'lost', 'lostWithError', 'shutdown', 'detach') }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('take' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('time' as const),
      milliseconds: fc.constantFrom(0, 1, 2000, 31_000, 400_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), code: fc.integer({ min: 0, max: 3 }) }) },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('headers' as const),
      id,
      headers,
      end: fc.boolean(),
      upgrade: fc.constantFrom(undefined, undefined, 'x'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('informational', 'trailers'), id, headers }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('data' as const),
      id,
      length: fc.constantFrom(0, 1, 5, 100_000),
      end: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('reset', 'handlerEnd', 'consumed', 'open'), id }) },
);

/** Everything of an engine that can be seen without changing it. */
function visible(protocol: HttpOverTcpProtocol): unknown {
  return [
    protocol.wantsEof,
    protocol.wantsInput,
    protocol.isAvailable(),
    protocol.hasExpired(),
    protocol.nextTimeout(),
    [0, 1, 2, 3, 4, 5].map((stream) => protocol.sendCapacity(stream)),
  ];
}

/** Checks what must hold of the events of one engine, whatever happened. */
class Witness {
  readonly #open = new Set<number>();
  readonly #seen = new Set<number>();
  #terminated = false;

  add(event: HttpEvent): void {
    expect(this.#terminated, `${event.type} behind ConnectionTerminated`).toBe(false);
    // A failure of the engine itself would show as one of its own doing.
    if ('error' in event) expect(event.error?.initiator, event.error?.message).not.toBe('engine');
    if (event.type === 'ConnectionTerminated') {
      this.#terminated = true;
      return;
    }
    if (!('streamId' in event)) return;
    if (!this.#seen.has(event.streamId)) {
      this.#seen.add(event.streamId);
      this.#open.add(event.streamId);
    }
    expect(this.#open.has(event.streamId), `${event.type} behind StreamClosed`).toBe(true);
    if (event.type === 'StreamClosed') this.#open.delete(event.streamId);
  }

  get terminated(): boolean {
    return this.#terminated;
  }

  get openStreams(): number {
    return this.#open.size;
  }
}

/** Applies one step. Receivers must not throw; of submits only LocalProtocolError may come, with nothing changed. */
function apply(side: Side, input: Step, witness: Witness): void {
  const { protocol } = side;
  const submit = (call: () => void): void => {
    const before = visible(protocol);
    try {
      call();
    } catch (error) {
      expect(error).toBeInstanceOf(LocalProtocolError);
      expect(visible(protocol)).toEqual(before);
      expect(protocol.nextEvent()).toBeUndefined();
    }
  };
  switch (input.do) {
    case 'bytes':
      protocol.bytesReceived(octets(input.text), side.now);
      break;
    case 'eof':
      protocol.eofReceived(side.now);
      break;
    case 'lost':
      protocol.connectionLost(side.now);
      break;
    case 'lostWithError':
      protocol.connectionLost(side.now, new NetworkError('reset', { phase: 'read' }));
      break;
    case 'take':
      protocol.bytesToSend(side.now);
      break;
    case 'time':
      side.now += input.milliseconds;
      protocol.handleTimeout(side.now);
      break;
    case 'shutdown':
      protocol.submitShutdown();
      break;
    case 'close':
      protocol.submitClose(input.code);
      break;
    case 'detach':
      submit(() => protocol.detach());
      break;
    case 'headers':
      submit(() => protocol.submitHeaders(input.id, input.headers, { endStream: input.end, upgrade: input.upgrade }));
      break;
    case 'informational':
      submit(() => protocol.submitInformational(input.id, input.headers));
      break;
    case 'trailers':
      submit(() => protocol.submitTrailers(input.id, input.headers));
      break;
    case 'data':
      submit(() => protocol.submitData(input.id, new Uint8Array(input.length), { endStream: input.end }));
      break;
    case 'reset':
      submit(() => protocol.submitStreamReset(input.id, 4));
      break;
    case 'handlerEnd':
      protocol.submitHandlerEnd(input.id);
      break;
    case 'consumed':
      protocol.dataConsumed(input.id, 5);
      break;
    case 'open':
      submit(() => {
        const stream = protocol.getAvailableStreamId();
        protocol.submitHeaders(stream, [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'], {
          endStream: true,
        });
      });
      break;
  }
  for (let event = protocol.nextEvent(); event !== undefined; event = protocol.nextEvent()) witness.add(event);
  const due = protocol.nextTimeout();
  expect(due === undefined || Number.isFinite(due)).toBe(true);
}

function survives(make: () => Side): void {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const side = make();
      const witness = new Witness();
      let detached = false;
      for (const input of steps) {
        apply(side, input, witness);
        detached ||= input.do === 'detach' && !side.protocol.isAvailable() && side.protocol.nextTimeout() === undefined;
      }
      side.protocol.connectionLost(side.now);
      for (let event = side.protocol.nextEvent(); event !== undefined; event = side.protocol.nextEvent())
        witness.add(event);
      // A detached engine tells nothing any more; any other has told its end, and that of every stream before it.
      expect(witness.terminated || detached).toBe(true);
      if (witness.terminated) expect(witness.openStreams).toBe(0);
      expect(side.protocol.nextTimeout()).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
}

describe('every state meets every input', () => {
  it('server', () => {
    survives(() => serverSide({ limits: { maxLiveHandlers: 3, maxUnconsumedBytes: 20, sendBufferBytes: 1000 } }));
  });

  it('client', () => {
    survives(() => clientSide({ maxPipelinedRequests: 3, limits: { maxUnconsumedBytes: 20, sendBufferBytes: 1000 } }));
  });

  it('client with a request on its way', () => {
    survives(() => {
      const side = clientSide({ maxPipelinedRequests: 3 });
      side.request('GET', '/', [], { endStream: true, upgrade: 'x' });
      side.sent();
      return side;
    });
  });
});
