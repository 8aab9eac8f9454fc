/**
 * What every implementation of every version must do, as cases over a pair of engines.
 *
 * A case names the capabilities that it needs; cases without any are owed by everybody.
 */
import { expect } from 'vitest';
import { HfaceError, LocalProtocolError } from '../../src/common/index.ts';
import { endings, quic, tunnels } from './cases-of-tunnels-and-ends.ts';
import type { ContractCase } from './contract-case.ts';
import { bytes, get, post } from './engine-pair.ts';

const basics: ContractCase[] = [
  {
    name: 'a request without content arrives as one HeadersReceived, pseudo-header fields first (RFC 9110 section 6.2)',
    needs: [],
    *run(pair) {
      const streamId = yield* pair.request(
        get('/a%20b?c', ['accept', '*/*', 'x-empty', '', 'x-twice', '1', 'x-twice', '2']),
      );
      const event = pair.server.only('HeadersReceived');
      expect(event).toMatchObject({ streamId, endStream: true, upgrade: [], early: false });
      const headers = event.headers;
      const pseudo = headers.filter((_, index) => index % 2 === 0 && headers[index]!.startsWith(':'));
      expect(pseudo).toHaveLength(4);
      expect(headers.slice(0, 8).filter((_, index) => index % 2 === 0)).toEqual(pseudo);
      expect(Object.fromEntries([0, 2, 4, 6].map((at) => [headers[at], headers[at + 1]]))).toEqual({
        ':method': 'GET',
        ':scheme': 'http',
        ':authority': 'a.example',
        ':path': '/a%20b?c',
      });
      expect(headers.slice(8)).toEqual(['accept', '*/*', 'x-empty', '', 'x-twice', '1', 'x-twice', '2']);
    },
  },
  {
    name: 'a response without content ends the exchange on both sides',
    needs: [],
    *run(pair) {
      const streamId = yield* pair.request();
      yield* pair.respond(streamId, 204, ['x', 'y']);
      expect(pair.client.only('HeadersReceived')).toMatchObject({ streamId, endStream: true });
      expect(pair.client.only('HeadersReceived').headers).toEqual([':status', '204', 'x', 'y']);
      expect(pair.client.events.at(-1)).toMatchObject({ type: 'StreamClosed', streamId });
      expect(pair.server.events.at(-1)).toMatchObject({ type: 'StreamClosed', streamId });
    },
  },
  {
    name: 'content passes both ways, byte for byte, with its length or without',
    needs: [],
    *run(pair) {
      for (const declared of [true, false]) {
        pair.client.clear();
        pair.server.clear();
        const length = declared ? ['content-length', '11'] : [];
        const streamId = yield* pair.request(post(length), false);
        pair.client.engine.submitData(streamId, bytes('hello '), { endStream: false });
        yield* pair.run();
        pair.client.engine.submitData(streamId, bytes('world'), { endStream: true });
        yield* pair.run();
        expect(pair.server.data(streamId)).toBe('hello world');
        expect(pair.server.all('DataReceived').at(-1)!.endStream).toBe(true);
        expect(pair.server.only('HeadersReceived').headers.includes('content-length')).toBe(declared);
        pair.server.consumeAll();
        pair.server.engine.submitHeaders(streamId, [':status', '200', ...length], { endStream: false });
        yield* pair.run();
        pair.server.engine.submitData(streamId, bytes('hello world'), { endStream: true });
        pair.server.engine.submitHandlerEnd(streamId);
        yield* pair.run();
        expect(pair.client.data(streamId)).toBe('hello world');
        expect(pair.client.all('DataReceived').at(-1)).toMatchObject({ endStream: true, closeDelimited: false });
        pair.client.consumeAll();
        expect(pair.client.events.at(-1)).toMatchObject({ type: 'StreamClosed', streamId });
      }
    },
  },
  {
    name: 'an end that comes alone is a DataReceived with an empty view',
    needs: [],
    *run(pair) {
      const streamId = yield* pair.request(post(), false);
      pair.client.engine.submitData(streamId, bytes('x'), { endStream: false });
      yield* pair.run();
      pair.server.clear();
      pair.client.engine.submitData(streamId, bytes(''), { endStream: true });
      yield* pair.run();
      expect(pair.server.only('DataReceived')).toMatchObject({ endStream: true, flowControlledLength: 0 });
      expect(pair.server.only('DataReceived').data).toHaveLength(0);
    },
  },
  {
    name: 'answers to HEAD, 204 and 304 have no content, whatever length they declare (RFC 9110 section 6.4.1)',
    needs: [],
    *run(pair) {
      const head = [':method', 'HEAD', ...get().slice(2)];
      for (const [request, status, fields] of [
        [head, 200, ['content-length', '1234']],
        [get(), 204, []],
        [get(), 304, ['content-length', '1234']],
      ] as const) {
        pair.client.clear();
        const streamId = yield* pair.request(request);
        yield* pair.respond(streamId, status, fields);
        expect(pair.client.only('HeadersReceived').endStream).toBe(true);
        expect(pair.client.types).not.toContain('DataReceived');
        expect(pair.client.events.at(-1)).toMatchObject({ type: 'StreamClosed', streamId });
      }
    },
  },
  {
    name: 'exchanges follow each other on one connection, with ids that grow',
    needs: [],
    *run(pair) {
      const ids: number[] = [];
      for (let count = 0; count < 5; count += 1) {
        expect(pair.client.engine.isAvailable()).toBe(true);
        expect(pair.server.engine.isAvailable()).toBe(true);
        const streamId = yield* pair.request(get(`/${String(count)}`));
        yield* pair.respond(streamId, 200, [], `answer ${String(count)}`);
        expect(pair.client.data(streamId)).toBe(`answer ${String(count)}`);
        pair.client.consumeAll();
        ids.push(streamId);
      }
      expect(ids).toEqual([...ids].sort((one, other) => one - other));
      expect(new Set(ids).size).toBe(5);
      expect(pair.client.all('StreamClosed').map(({ streamId }) => streamId)).toEqual(ids);
      expect(pair.server.all('StreamClosed').map(({ streamId }) => streamId)).toEqual(ids);
    },
  },
  {
    name: 'a final response may come before the end of the request',
    needs: [],
    *run(pair) {
      const streamId = yield* pair.request(post(['content-length', '100']), false);
      pair.client.engine.submitData(streamId, bytes('part'), { endStream: false });
      yield* pair.run();
      yield* pair.respond(streamId, 413, [], 'too large');
      expect(pair.client.data(streamId)).toBe('too large');
      expect(pair.client.all('DataReceived').at(-1)!.endStream).toBe(true);
      // The rest is not wanted, and may be submitted without harm.
      pair.client.engine.submitData(streamId, bytes('rest'), { endStream: false });
      yield* pair.run();
      expect(pair.client.all('StreamClosed').map((event) => event.streamId)).toEqual([streamId]);
    },
  },
  {
    name: 'a reset by the client is told to the server, once, and ends the stream on both sides',
    needs: [],
    *run(pair) {
      const streamId = yield* pair.request(post(), false);
      pair.client.engine.submitStreamReset(streamId, pair.client.engine.errorCodes.cancelled);
      yield* pair.run();
      const event = pair.server.only('StreamResetReceived');
      expect(event.streamId).toBe(streamId);
      expect(event.error).toBeInstanceOf(HfaceError);
      expect(pair.server.only('StreamClosed').streamId).toBe(streamId);
      expect(pair.client.only('StreamClosed').streamId).toBe(streamId);
      const order = pair.server.types;
      expect(order.indexOf('StreamResetReceived')).toBeLessThan(order.indexOf('StreamClosed'));
    },
  },
  {
    name: 'a reset by the server is told to the client with whether the request was processed',
    needs: [],
    *run(pair) {
      const streamId = yield* pair.request();
      pair.server.engine.submitStreamReset(streamId, pair.server.engine.errorCodes.internalError);
      yield* pair.run();
      expect(pair.client.only('StreamResetReceived')).toMatchObject({ streamId, processed: 'maybe' });
      expect(pair.client.only('StreamClosed').streamId).toBe(streamId);
      expect(pair.server.only('StreamClosed').streamId).toBe(streamId);
    },
  },
  {
    name: 'a request of which nothing was sent is not processed',
    needs: [],
    *run(pair) {
      const streamId = pair.client.engine.getAvailableStreamId();
      pair.client.engine.submitHeaders(streamId, get(), { endStream: true });
      pair.client.engine.connectionLost(pair.now);
      yield* pair.settle();
      expect(pair.client.only('StreamResetReceived')).toMatchObject({ streamId, processed: 'no' });
      expect(pair.client.only('ConnectionTerminated').processed).toBe('no');
    },
  },
  {
    name: 'after a reset submits are ignored, the capacity is 0 and dataConsumed is harmless',
    needs: [],
    *run(pair) {
      const streamId = yield* pair.request(post(), false);
      pair.client.engine.submitData(streamId, bytes('x'), { endStream: false });
      yield* pair.run();
      pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
      pair.server.engine.submitStreamReset(streamId, pair.server.engine.errorCodes.internalError);
      yield* pair.run();
      for (const side of [pair.client, pair.server]) {
        const count = side.events.length;
        expect(side.engine.sendCapacity(streamId)).toBe(0);
        side.engine.submitData(streamId, bytes('late'), { endStream: false });
        side.engine.submitTrailers(streamId, ['late', 'yes']);
        side.engine.submitStreamReset(streamId, side.engine.errorCodes.cancelled);
        side.engine.dataConsumed(streamId, 1);
        side.engine.submitHandlerEnd(streamId);
        yield* pair.run();
        expect(side.events.length).toBe(count);
      }
    },
  },
  {
    name: 'misuse throws LocalProtocolError and changes nothing',
    needs: [],
    *run(pair) {
      const { client, server } = pair;
      const early = client.engine.getAvailableStreamId();
      const wrongHeads = [
        ['accept', '*/*'],
        get('/', ['UPPER', 'x']),
        get('/', ['bad name', 'x']),
        get('/', ['x', 'a\r\nb']),
        get('/', ['x', 'a\0b']),
        get('/', [':late', 'x']),
        get('/', ['connection', 'close']),
        get('/', ['transfer-encoding', 'chunked']),
        [':method', 'G T', ...get().slice(2)],
        [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', 'no slash'],
        [':status', '200'],
      ];
      for (const headers of wrongHeads) {
        expect(() => client.engine.submitHeaders(early, headers, { endStream: true }), headers.join(' ')).toThrow(
          LocalProtocolError,
        );
      }
      expect(() => client.engine.submitData(early, bytes('x'), { endStream: true })).toThrow(LocalProtocolError);
      expect(() => client.engine.submitHeaders(early + 1000, get(), { endStream: true })).toThrow(LocalProtocolError);
      expect(() => server.engine.getAvailableStreamId()).toThrow(LocalProtocolError);
      const streamId = yield* pair.request();
      expect(streamId).toBe(early);
      expect(() => client.engine.submitHeaders(streamId, get(), { endStream: true })).toThrow(LocalProtocolError);
      expect(() => client.engine.submitData(streamId, bytes('x'), { endStream: true })).toThrow(LocalProtocolError);
      expect(() => server.engine.submitData(streamId, bytes('x'), { endStream: true })).toThrow(LocalProtocolError);
      for (const headers of [
        [],
        ['x', 'y'],
        [':status', '99'],
        [':status', '1000'],
        [':status', '200', 'x', 'a\nb'],
        get(),
      ]) {
        expect(() => server.engine.submitHeaders(streamId, headers, { endStream: true }), headers.join(' ')).toThrow(
          LocalProtocolError,
        );
      }
      expect(() => server.engine.submitHeaders(streamId + 1000, [':status', '200'], { endStream: true })).toThrow(
        LocalProtocolError,
      );
      yield* pair.respond(streamId, 200, [], 'fine');
      expect(pair.client.data(streamId)).toBe('fine');
      expect(pair.client.types).not.toContain('ConnectionTerminated');
    },
  },
  {
    name: 'content has to be what content-length says (RFC 9110 section 8.6)',
    needs: [],
    *run(pair) {
      const streamId = yield* pair.request(post(['content-length', '5']), false);
      const { engine } = pair.client;
      expect(() => engine.submitData(streamId, bytes('sixsix'), { endStream: false })).toThrow(LocalProtocolError);
      expect(() => engine.submitData(streamId, bytes('four'), { endStream: true })).toThrow(LocalProtocolError);
      engine.submitData(streamId, bytes('five!'), { endStream: true });
      yield* pair.run();
      expect(pair.server.data(streamId)).toBe('five!');
    },
  },
  {
    name: 'a lost connection ends every stream, then the connection, once',
    needs: [],
    *run(pair) {
      yield* pair.request();
      yield* pair.lose();
      for (const side of [pair.client, pair.server]) {
        expect(side.types.slice(-3)).toEqual(['StreamResetReceived', 'StreamClosed', 'ConnectionTerminated']);
        side.engine.connectionLost(pair.now);
        side.engine.bytesReceived(bytes('late'), pair.now);
        side.engine.eofReceived(pair.now);
        side.engine.handleTimeout(pair.now + 1e9);
        side.engine.submitShutdown();
        side.engine.submitClose(0);
        side.pull();
        expect(side.all('ConnectionTerminated')).toHaveLength(1);
        expect(side.engine.hasExpired()).toBe(true);
        expect(side.engine.isAvailable()).toBe(false);
      }
    },
  },
  {
    name: 'submitClose ends open streams and the connection on both sides, and may be called again',
    needs: [],
    *run(pair) {
      yield* pair.request();
      pair.server.engine.submitClose(pair.server.engine.errorCodes.internalError, 'a reason');
      pair.server.engine.submitClose(pair.server.engine.errorCodes.noError);
      yield* pair.run();
      for (const side of [pair.client, pair.server]) {
        side.only('StreamClosed');
        side.only('ConnectionTerminated');
      }
      expect(pair.server.only('ConnectionTerminated').errorCode).toBe(pair.server.engine.errorCodes.internalError);
    },
  },
  {
    name: 'an idle connection closes in good order when one side wants it',
    needs: [],
    *run(pair) {
      yield* pair.exchange();
      pair.client.engine.submitClose(pair.client.engine.errorCodes.noError);
      yield* pair.run();
      for (const side of [pair.client, pair.server]) {
        expect(side.only('ConnectionTerminated').error).toBeUndefined();
        expect(side.types).not.toContain('StreamResetReceived');
      }
    },
  },
  {
    name: 'the end of a handler may be told late, more than once, and for streams that never were',
    needs: [],
    *run(pair) {
      const streamId = yield* pair.request();
      yield* pair.respond(streamId, 204);
      pair.server.engine.submitHandlerEnd(streamId);
      pair.server.engine.submitHandlerEnd(streamId + 1000);
      yield* pair.exchange();
      yield* pair.lose();
      pair.server.engine.submitHandlerEnd(streamId);
      expect(pair.server.terminated).toBe(true);
    },
  },
  {
    name: 'any bytes whatever end in events, never in a throw',
    needs: [],
    *run(pair) {
      let state = 12_345;
      const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648);
      for (const side of [pair.server, pair.client]) {
        for (let count = 0; count < 50 && !side.terminated; count += 1) {
          const junk = new Uint8Array(1 + (random() % 300)).map(() => random() >> 8);
          side.engine.bytesReceived(junk, pair.now);
          yield* pair.settle();
          side.engine.bytesToSend(pair.now);
          side.pull();
        }
        side.engine.eofReceived(pair.now);
        side.pull();
        side.engine.connectionLost(pair.now);
        yield* pair.settle();
        side.only('ConnectionTerminated');
      }
    },
  },
  {
    name: 'timers: due ones run, others do not, and silence ends the connection at last',
    needs: [],
    *run(pair) {
      yield* pair.exchange();
      const { server } = pair;
      const at = server.engine.nextTimeout();
      expect(at).toBeGreaterThan(pair.now);
      server.engine.handleTimeout(pair.now);
      server.pull();
      expect(server.terminated).toBe(false);
      expect(server.engine.nextTimeout()).toBe(at);
      yield* pair.advance(24 * 3_600_000);
      expect(server.terminated).toBe(true);
      expect(server.engine.nextTimeout()).toBeUndefined();
    },
  },
  {
    name: 'what belongs to QUIC is refused over TCP',
    needs: [],
    overTcpOnly: true,
    *run(pair) {
      const { engine } = pair.client;
      const handler = { streamDataReceived: () => undefined, streamResetReceived: () => undefined };
      for (const refused of [
        () => engine.submitCertificateVerdict({ ok: true }),
        () => engine.submitServerIdentity({}),
        () => engine.submitTicketVerdict(true),
        () => engine.claimStream(0x54, handler),
      ]) {
        expect(refused).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }));
      }
      yield* pair.exchange();
    },
  },
  {
    name: 'heads of many fields and long values arrive whole',
    needs: [],
    *run(pair) {
      const fields = Array.from({ length: 100 }, (_, index) => [`x-field-${String(index)}`, 'v'.repeat(index)]).flat();
      yield* pair.request(get('/', fields));
      expect(pair.server.only('HeadersReceived').headers.slice(8)).toEqual(fields);
      yield* pair.respond(pair.server.only('HeadersReceived').streamId, 204, fields);
      expect(pair.client.only('HeadersReceived').headers.slice(2)).toEqual(fields);
    },
  },
  {
    name: 'values are octets: latin1 passes unchanged (RFC 9110 section 5.5)',
    needs: [],
    *run(pair) {
      yield* pair.request(get('/', ['x', 'caf\u00e9 \u00ff']));
      expect(pair.server.only('HeadersReceived').headers.slice(8)).toEqual(['x', 'caf\u00e9 \u00ff']);
      const streamId = pair.server.only('HeadersReceived').streamId;
      expect(() =>
        pair.server.engine.submitHeaders(streamId, [':status', '200', 'x', '\u20ac'], { endStream: true }),
      ).toThrow(LocalProtocolError);
    },
  },
];

const flow: ContractCase[] = [
  {
    name: 'sendCapacity bounds what is buffered; StreamWritable says once that there is room again',
    needs: ['flowControl'],
    cuts: ['whole', 1000],
    *run(pair) {
      const streamId = yield* pair.request(post(), false);
      const { engine } = pair.client;
      pair.server.held = true;
      let sent = 0;
      while (engine.sendCapacity(streamId) > 0) {
        engine.submitData(streamId, new Uint8Array(10_000).fill(sent), { endStream: false });
        sent += 10_000;
      }
      expect(sent).toBeLessThan(1_000_000);
      expect(() => engine.submitData(streamId, bytes('x'), { endStream: false })).toThrow(LocalProtocolError);
      pair.client.clear();
      pair.server.held = false;
      for (let round = 0; round < 1_000 && pair.server.received < sent; round += 1) {
        yield* pair.run();
        pair.server.consumeAll();
      }
      expect(pair.server.received).toBe(sent);
      expect(pair.client.all('StreamWritable')).toEqual([{ type: 'StreamWritable', streamId }]);
      expect(engine.sendCapacity(streamId)).toBeGreaterThan(0);
    },
  },
  {
    name: 'a chunk larger than the room is taken whole when there is any room',
    needs: ['flowControl'],
    cuts: ['whole', 1000],
    *run(pair) {
      const streamId = yield* pair.request(post(), false);
      const big = new Uint8Array(300_000).fill(5);
      pair.client.engine.submitData(streamId, big, { endStream: true });
      let received = 0;
      for (let round = 0; round < 10_000 && received < big.length; round += 1) {
        pair.server.clear();
        yield* pair.run();
        received += pair.server.received;
        pair.server.consumeAll();
      }
      expect(received).toBe(big.length);
    },
  },
  {
    name: 'a reader that does not consume holds up its sender, within a bound, and lets it go on by consuming',
    needs: ['flowControl'],
    cuts: ['whole', 1000],
    *run(pair) {
      const streamId = yield* pair.request();
      const { engine } = pair.server;
      engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
      let sent = 0;
      // What cannot be delivered stands in the pipe or in the engine; between real sockets both are bounded.
      const held = (): boolean => pair.client.inbox.length > 0 || engine.sendCapacity(streamId) === 0;
      while (!held() && sent < 20_000_000) {
        engine.submitData(streamId, new Uint8Array(10_000), { endStream: false });
        sent += 10_000;
        yield* pair.run();
      }
      expect(held()).toBe(true);
      for (let round = 0; round < 1_000 && pair.client.received < sent; round += 1) {
        pair.client.consumeAll();
        yield* pair.run();
      }
      expect(pair.client.received).toBe(sent);
      engine.submitData(streamId, bytes('end'), { endStream: true });
      pair.client.consumeAll();
      yield* pair.run();
      expect(pair.client.received).toBe(sent + 3);
    },
  },
  {
    name: 'requests run at once where connections are multiplexed, answered in any order; one at a time elsewhere',
    needs: [],
    *run(pair) {
      yield* pair.run();
      const ids: number[] = [];
      while (pair.client.engine.isAvailable() && ids.length < 5) ids.push(yield* pair.request());
      expect(ids).toHaveLength(pair.client.engine.multiplexed ? 5 : 1);
      for (const streamId of [...ids].reverse()) {
        yield* pair.respond(streamId, 200, [], `answer ${String(streamId)}`);
        expect(pair.client.data(streamId)).toBe(`answer ${String(streamId)}`);
        pair.client.consumeAll();
      }
      expect(pair.client.all('StreamClosed').map(({ streamId }) => streamId)).toEqual([...ids].reverse());
    },
  },
  {
    name: 'a stream that nobody reads, or that was reset, holds up no other',
    needs: ['flowControl'],
    cuts: ['whole', 1000],
    *run(pair) {
      yield* pair.run();
      const { engine } = pair.server;
      const stuck = yield* pair.request();
      engine.submitHeaders(stuck, [':status', '200'], { endStream: false });
      engine.submitData(stuck, new Uint8Array(200_000), { endStream: true });
      if (!pair.client.engine.multiplexed) {
        // There is no other.
        expect(pair.client.engine.isAvailable()).toBe(false);
        return;
      }
      yield* pair.run();
      const reset = yield* pair.request(post(), false);
      engine.submitStreamReset(reset, engine.errorCodes.cancelled);
      yield* pair.run();
      const moving = yield* pair.request();
      pair.client.clear();
      engine.submitHeaders(moving, [':status', '200'], { endStream: false });
      engine.submitData(moving, new Uint8Array(400_000), { endStream: true });
      const closed = (): boolean => pair.client.all('StreamClosed').some(({ streamId }) => streamId === moving);
      for (let round = 0; round < 1_000 && !closed(); round += 1) {
        yield* pair.run();
        pair.client.consumeAll();
      }
      expect(closed()).toBe(true);
    },
  },
];

const trailers: ContractCase[] = [
  {
    name: 'trailers pass both ways and end the message (RFC 9110 section 6.5)',
    needs: ['trailers'],
    *run(pair) {
      const streamId = yield* pair.request(post(['trailer', 'checksum']), false);
      pair.client.engine.submitData(streamId, bytes('content'), { endStream: false });
      pair.client.engine.submitTrailers(streamId, ['checksum', 'abc']);
      yield* pair.run();
      expect(pair.server.only('TrailersReceived')).toMatchObject({ headers: ['checksum', 'abc'], endStream: true });
      expect(pair.server.all('DataReceived').some((event) => event.endStream)).toBe(false);
      pair.server.consumeAll();
      pair.server.engine.submitHeaders(streamId, [':status', '200', 'trailer', 'x'], { endStream: false });
      pair.server.engine.submitData(streamId, bytes('answer'), { endStream: false });
      pair.server.engine.submitTrailers(streamId, ['x', 'one', 'x', 'two']);
      pair.server.engine.submitHandlerEnd(streamId);
      yield* pair.run();
      expect(pair.client.only('TrailersReceived').headers).toEqual(['x', 'one', 'x', 'two']);
      expect(pair.client.data(streamId)).toBe('answer');
      expect(pair.client.events.at(-1)!.type).toBe('StreamClosed');
    },
  },
  {
    name: 'trailers that are no trailers are refused (RFC 9110 section 6.5.1)',
    needs: ['trailers'],
    *run(pair) {
      const streamId = yield* pair.request(post(), false);
      const { engine } = pair.client;
      for (const headers of [
        [':path', '/'],
        ['Upper', 'x'],
        ['content-length', '3'],
        ['transfer-encoding', 'chunked'],
        ['x', 'a\r\nb'],
      ]) {
        expect(() => engine.submitTrailers(streamId, headers), headers.join(' ')).toThrow(LocalProtocolError);
      }
      engine.submitTrailers(streamId, ['fine', 'yes']);
      yield* pair.run();
      expect(pair.server.only('TrailersReceived').headers).toEqual(['fine', 'yes']);
    },
  },
];

const informational: ContractCase[] = [
  {
    name: '1xx responses come before the final one, as many as there are (RFC 9110 section 15.2)',
    needs: ['informational'],
    *run(pair) {
      const streamId = yield* pair.request(post(['expect', '100-continue', 'content-length', '2']), false);
      pair.server.engine.submitInformational(streamId, [':status', '100']);
      pair.server.engine.submitInformational(streamId, [':status', '103', 'link', '</a>; rel=preload']);
      yield* pair.run();
      expect(pair.client.all('InformationalReceived').map(({ headers }) => headers)).toEqual([
        [':status', '100'],
        [':status', '103', 'link', '</a>; rel=preload'],
      ]);
      pair.client.engine.submitData(streamId, bytes('hi'), { endStream: true });
      yield* pair.run();
      expect(pair.server.data(streamId)).toBe('hi');
      yield* pair.respond(streamId, 200, [], 'done');
      expect(pair.client.data(streamId)).toBe('done');
    },
  },
  {
    name: '101, final statuses and 1xx after the final head are refused as informational',
    needs: ['informational'],
    *run(pair) {
      const streamId = yield* pair.request();
      const { engine } = pair.server;
      for (const status of ['101', '200', '404']) {
        expect(() => engine.submitInformational(streamId, [':status', status]), status).toThrow(LocalProtocolError);
      }
      expect(() => engine.submitHeaders(streamId, [':status', '103'], { endStream: true })).toThrow(LocalProtocolError);
      engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
      expect(() => engine.submitInformational(streamId, [':status', '103'])).toThrow(LocalProtocolError);
      expect(() => pair.client.engine.submitInformational(streamId, [':status', '103'])).toThrow(LocalProtocolError);
      engine.submitData(streamId, bytes('ok'), { endStream: true });
      yield* pair.run();
      expect(pair.client.data(streamId)).toBe('ok');
    },
  },
];

/** All cases. */
export const contractCases: readonly ContractCase[] = [
  ...basics,
  ...flow,
  ...trailers,
  ...informational,
  ...tunnels,
  ...endings,
  ...quic,
];
