/**
 * Every member of an engine's interface, on our HTTP/1.1: two different results of each, from real input; and for each
 * member that HTTP/1.1 does not cover, the refusal that its documentation promises.
 *
 * The table is keyed by the interface itself: a member that is added and not shown here does not compile.
 */
import { describe, expect, it } from 'vitest';
import { LocalProtocolError } from '../../src/common/index.ts';
import { Http1ClientFactory, Http1ServerFactory } from '../../src/protocols/http1/index.ts';
import type { HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import type { Cut } from './engine-pair.ts';
import { bytes, EnginePair, get, post, text } from './engine-pair.ts';
import { messageMembers, playMembers, served, tunnel } from './members.ts';
import type { Refused, Shown } from './members.ts';

/** What a server sends next, as text. */
const output = (pair: EnginePair): string | undefined => {
  const chunks = pair.server.engine.bytesToSend(pair.now);
  return chunks === undefined ? undefined : chunks.map(text).join('');
};

const unsupported = (call: () => unknown): Refused => ({
  refused: () => expect(call).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' })),
});

const sample = new EnginePair(new Http1ClientFactory(), new Http1ServerFactory());
const { engine: anEngine } = sample.client;

const members: { readonly [Member in keyof HttpOverTcpProtocol]-?: Shown | Refused } = {
  // Engine
  nextEvent: {
    one: (pair) => {
      pair.client.engine.submitHeaders(1, get('/shown'), { endStream: true });
      pair.server.engine.bytesReceived(pair.client.engine.bytesToSend(pair.now)![0]!, pair.now);
      return pair.server.engine.nextEvent()?.type;
    },
    other: (pair) => pair.server.engine.nextEvent(),
    results: ['HeadersReceived', undefined],
  },
  nextTimeout: {
    // From connecting to the first byte, then from a request to the next.
    one: (pair) => pair.server.engine.nextTimeout()! - pair.now,
    other: (pair) => {
      pair.exchange();
      return pair.server.engine.nextTimeout()! - pair.now;
    },
    results: [30_000, 75_000],
  },
  handleTimeout: {
    one: (pair) => {
      pair.server.engine.bytesReceived(bytes('GET / HT'), pair.now);
      pair.server.engine.handleTimeout(pair.now + 29_999);
      pair.server.pull();
      return pair.server.types;
    },
    other: (pair) => {
      pair.server.engine.bytesReceived(bytes('GET / HT'), pair.now);
      pair.server.engine.handleTimeout(pair.now + 30_000);
      pair.server.pull();
      return [...pair.server.types, output(pair)?.slice(0, 12)];
    },
    results: [[], ['HTTP/1.1 408']],
  },
  onOutput: {
    // An engine that works synchronously keeps what the driver sets, and never calls it.
    one: (pair) => pair.server.engine.onOutput,
    other: (pair) => {
      let calls = 0;
      pair.server.engine.onOutput = () => (calls += 1);
      pair.exchange();
      return [typeof pair.server.engine.onOutput, calls];
    },
    results: [undefined, ['function', 0]],
  },

  // HttpProtocol: what it is
  httpVersion: {
    // The engine's version is one; that of each message is told with the message.
    one: (pair) => pair.server.engine.httpVersion,
    other: (pair) => {
      pair.server.engine.bytesReceived(bytes('GET / HTTP/1.0\r\n\r\n'), pair.now);
      pair.server.pull();
      return pair.server.only('HeadersReceived').httpVersion;
    },
    results: ['1.1', '1.0'],
  },
  role: {
    one: (pair) => pair.client.engine.role,
    other: (pair) => pair.server.engine.role,
    results: ['client', 'server'],
  },
  multiplexed: {
    // Not multiplexed: while a request runs none can be opened; afterwards one can.
    one: (pair) => {
      const { multiplexed } = pair.client.engine;
      pair.request();
      return [multiplexed, pair.client.engine.isAvailable()];
    },
    other: (pair) => {
      pair.exchange();
      return [pair.client.engine.multiplexed, pair.client.engine.isAvailable()];
    },
    results: [
      [false, false],
      [false, true],
    ],
  },
  errorCodes: {
    one: (pair) => pair.server.engine.errorCodes.name(pair.server.engine.errorCodes.noError),
    other: (pair) => pair.server.engine.errorCodes.name(pair.server.engine.errorCodes.internalError),
    results: [
      anEngine.errorCodes.name(anEngine.errorCodes.noError),
      anEngine.errorCodes.name(anEngine.errorCodes.internalError),
    ],
  },
  capabilities: {
    one: (pair) => pair.server.engine.capabilities.has('trailers'),
    other: (pair) => pair.server.engine.capabilities.has('datagrams'),
    results: [true, false],
  },

  // HttpProtocol: requests
  isAvailable: {
    one: (pair) => pair.client.engine.isAvailable(),
    other: (pair) => {
      pair.request();
      return pair.client.engine.isAvailable();
    },
    results: [true, false],
  },
  hasExpired: {
    one: (pair) => {
      pair.request();
      return pair.client.engine.hasExpired();
    },
    other: (pair) => {
      pair.request();
      pair.server.engine.submitShutdown();
      pair.respond(1);
      return pair.client.engine.hasExpired();
    },
    results: [false, true],
  },
  getAvailableStreamId: {
    one: (pair) => pair.client.engine.getAvailableStreamId(),
    other: (pair) => {
      pair.exchange();
      return pair.client.engine.getAvailableStreamId();
    },
    results: [1, 2],
  },
  ...messageMembers,
  submitResponse: {
    one: (pair) => {
      const taken = pair.server.engine.submitResponse?.(pair.request(), 200, ['x', 'y'], 'one');
      pair.run();
      return [taken, ...pair.client.only('HeadersReceived').headers, pair.client.data(1)];
    },
    // A response without content has a length of its own: it is submitted in its parts.
    other: (pair) => {
      const taken = pair.server.engine.submitResponse?.(pair.request(), 204, ['x', 'y'], '');
      pair.run();
      return [taken, ...pair.client.all('HeadersReceived')];
    },
    results: [[true, ':status', '200', 'x', 'y', 'content-length', '3', 'one'], [false]],
  },
  submitData: {
    one: (pair) => {
      pair.client.engine.submitData(pair.request(post(), false), bytes('one'), { endStream: true });
      pair.run();
      return [pair.server.data(1), pair.server.all('DataReceived').at(-1)?.endStream];
    },
    other: (pair) => {
      pair.client.engine.submitData(pair.request(post(), false), bytes('other'), { endStream: false });
      pair.run();
      return [pair.server.data(1), pair.server.all('DataReceived').at(-1)?.endStream];
    },
    results: [
      ['one', true],
      ['other', false],
    ],
  },
  submitTrailers: {
    one: (pair) => {
      pair.client.engine.submitTrailers(pair.request(post(), false), ['a', 'b']);
      pair.run();
      return pair.server.only('TrailersReceived').headers;
    },
    other: (pair) => {
      pair.client.engine.submitTrailers(pair.request(post(), false), []);
      pair.run();
      return pair.server
        .all('TrailersReceived')
        .map(({ headers }) => headers)
        .concat(
          pair.server
            .all('DataReceived')
            .filter(({ endStream }) => endStream)
            .map(() => ['an end']),
        );
    },
    results: [['a', 'b'], [['an end']]],
  },
  submitStreamReset: {
    one: (pair) => {
      pair.client.engine.submitStreamReset(pair.request(post(), false), 4);
      pair.run();
      return pair.server.types;
    },
    other: (pair) => {
      pair.exchange();
      pair.server.clear();
      // A stream that has ended is not reset.
      pair.client.engine.submitStreamReset(1, 4);
      pair.run();
      return pair.server.types;
    },
    results: [['HeadersReceived', 'StreamResetReceived', 'StreamClosed', 'ConnectionTerminated'], []],
  },
  submitPriority: unsupported(() => anEngine.submitPriority(1, 1, true)),
  submitDatagram: {
    // Documented as false where there are no QUIC datagrams.
    refused: (pair) => expect(pair.client.engine.submitDatagram(tunnel(pair), bytes('x'))).toBe(false),
  },
  submitHandlerEnd: {
    // Sixty-four handlers may run; the next request is read when one has ended (CVE-2023-44487).
    one: (pair) => {
      for (let count = 1; count <= 65; count += 1) {
        pair.client.engine.submitHeaders(count, get(), { endStream: true });
        pair.run();
        if (pair.server.all('HeadersReceived').length < count) break;
        pair.server.engine.submitHeaders(count, [':status', '204'], { endStream: true });
        pair.run();
      }
      return pair.server.all('HeadersReceived').length;
    },
    other: (pair) => {
      for (let count = 1; count <= 65; count += 1) {
        pair.client.engine.submitHeaders(count, get(), { endStream: true });
        pair.run();
        if (pair.server.all('HeadersReceived').length < count) break;
        pair.server.engine.submitHeaders(count, [':status', '204'], { endStream: true });
        pair.server.engine.submitHandlerEnd(count);
        pair.run();
      }
      return pair.server.all('HeadersReceived').length;
    },
    results: [64, 65],
  },
  submitShutdown: {
    one: (pair) => {
      pair.exchange();
      pair.server.engine.submitShutdown();
      pair.run();
      return pair.server.terminated;
    },
    other: (pair) => {
      pair.request();
      pair.server.engine.submitShutdown();
      pair.run();
      return pair.server.terminated;
    },
    results: [true, false],
  },
  submitClose: {
    one: (pair) => {
      pair.server.engine.submitClose(0, 'one');
      pair.server.pull();
      return [pair.server.only('ConnectionTerminated').reason, pair.server.engine.wantsEof];
    },
    other: (pair) => {
      pair.request();
      pair.server.engine.submitClose(2, 'other');
      pair.server.pull();
      return [pair.server.only('ConnectionTerminated').reason, pair.server.engine.wantsEof];
    },
    results: [
      ['one', true],
      ['other', false],
    ],
  },

  // HttpProtocol: room
  sendCapacity: {
    one: (pair) => pair.server.engine.sendCapacity(served(pair)),
    other: (pair) => {
      const streamId = served(pair);
      pair.server.engine.submitData(streamId, new Uint8Array(0x10000), { endStream: false });
      return pair.server.engine.sendCapacity(streamId);
    },
    results: [0x10000, 0],
  },
  dataConsumed: {
    one: (pair) => {
      pair.client.engine.submitData(pair.request(post(), false), new Uint8Array(0x10000), { endStream: false });
      pair.run();
      return pair.server.engine.wantsInput;
    },
    other: (pair) => {
      pair.client.engine.submitData(pair.request(post(), false), new Uint8Array(0x10000), { endStream: false });
      pair.run();
      pair.server.engine.dataConsumed(1, 0x8000);
      return pair.server.engine.wantsInput;
    },
    results: [false, true],
  },

  // QUIC's
  submitCertificateVerdict: unsupported(() => anEngine.submitCertificateVerdict({ ok: true })),
  submitServerIdentity: unsupported(() => anEngine.submitServerIdentity({})),
  submitTicketVerdict: unsupported(() => anEngine.submitTicketVerdict(true)),
  claimStream: unsupported(() =>
    anEngine.claimStream(0x54, { streamDataReceived: () => undefined, streamResetReceived: () => undefined }),
  ),

  // HTTP/1's
  detach: {
    one: (pair) => {
      tunnel(pair);
      return pair.server.engine.detach().map(text);
    },
    other: (pair) => {
      try {
        return pair.server.engine.detach();
      } catch (error) {
        return error instanceof LocalProtocolError;
      }
    },
    results: [[], true],
  },

  // HttpOverTcpProtocol
  bytesReceived: {
    one: (pair) => {
      pair.server.engine.bytesReceived(bytes('GET / HTTP/1.1\r\nHost: a\r\n\r\n'), pair.now);
      pair.server.pull();
      return pair.server.types;
    },
    other: (pair) => {
      pair.server.engine.bytesReceived(bytes('GET / HTTP/1.1\r\n'), pair.now);
      pair.server.pull();
      return pair.server.types;
    },
    results: [['HeadersReceived'], []],
  },
  eofReceived: {
    one: (pair) => {
      pair.exchange();
      pair.server.engine.eofReceived(pair.now);
      pair.server.pull();
      return pair.server.only('ConnectionTerminated').error;
    },
    other: (pair) => {
      // A FIN alone is half-close: the response is still sent.
      pair.request();
      pair.server.engine.eofReceived(pair.now);
      pair.server.pull();
      pair.server.engine.submitHeaders(1, [':status', '204'], { endStream: true });
      return output(pair)?.split('\r\n')[0];
    },
    results: [undefined, 'HTTP/1.1 204 No Content'],
  },
  connectionLost: {
    one: (pair) => {
      pair.request();
      pair.server.engine.connectionLost(pair.now);
      pair.server.pull();
      return pair.server.types;
    },
    other: (pair) => {
      pair.server.engine.connectionLost(pair.now);
      pair.server.pull();
      return pair.server.types;
    },
    results: [
      ['HeadersReceived', 'StreamResetReceived', 'StreamClosed', 'ConnectionTerminated'],
      ['ConnectionTerminated'],
    ],
  },
  bytesToSend: {
    one: (pair) => output(pair),
    other: (pair) => {
      pair.server.engine.submitHeaders(pair.request(), [':status', '204'], { endStream: true });
      return output(pair);
    },
    results: [undefined, 'HTTP/1.1 204 No Content\r\n\r\n'],
  },
  wantsEof: {
    one: (pair) => {
      tunnel(pair);
      return pair.server.engine.wantsEof;
    },
    other: (pair) => {
      pair.server.engine.submitData(tunnel(pair), bytes('bye'), { endStream: true });
      const before = pair.server.engine.wantsEof;
      output(pair);
      return [before, pair.server.engine.wantsEof];
    },
    results: [false, [false, true]],
  },
  wantsInput: {
    one: (pair) => pair.server.engine.wantsInput,
    other: (pair) => {
      // A complete next request is held back until the one before is answered.
      const request = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
      pair.server.engine.bytesReceived(bytes(request + request), pair.now);
      return pair.server.engine.wantsInput;
    },
    results: [true, false],
  },
};

const newPair = (cut: Cut = 'whole'): EnginePair =>
  new EnginePair(new Http1ClientFactory(), new Http1ServerFactory(), cut);

playMembers('HttpOverTcpProtocol on HTTP/1.1', members, newPair);

describe('HttpOverTcpProtocol on HTTP/1.1', () => {
  it('has every member that an engine has', () => {
    const present = Object.keys(members).filter((name) => name in anEngine || name in sample.server.engine);
    expect(present).toEqual(Object.keys(members));
  });
});
