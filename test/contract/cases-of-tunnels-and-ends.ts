/**
 * Cases of tunnels, of winding down, and of what only some versions have.
 */
import { expect } from 'vitest';
import { LocalProtocolError } from '../../src/common/index.ts';
import type { ContractCase } from './contract-case.ts';
import { bytes, connect, get, text } from './engine-pair.ts';
import type { PlayedPair, Steps } from './played-pair.ts';

/** Bytes both ways, then each direction's end. */
function* useTunnel(pair: PlayedPair, streamId: number): Steps {
  pair.client.engine.submitData(streamId, bytes('ping'), { endStream: false });
  pair.server.engine.submitData(streamId, bytes('pong'), { endStream: false });
  yield* pair.run();
  expect([pair.server.data(streamId), pair.client.data(streamId)]).toEqual(['ping', 'pong']);
  pair.client.engine.submitData(streamId, bytes('!'), { endStream: true });
  yield* pair.run();
  expect(pair.server.all('DataReceived').at(-1)!.endStream).toBe(true);
  expect(pair.server.types).not.toContain('StreamClosed');
  // Half-closed: the other direction goes on.
  pair.server.engine.submitData(streamId, bytes('more'), { endStream: false });
  yield* pair.run();
  expect(pair.client.data(streamId)).toBe('pongmore');
  pair.server.engine.submitData(streamId, bytes(''), { endStream: true });
  yield* pair.run();
  expect(pair.client.all('StreamClosed').map((event) => event.streamId)).toEqual([streamId]);
  expect(pair.server.all('StreamClosed').map((event) => event.streamId)).toEqual([streamId]);
}

export const tunnels: ContractCase[] = [
  {
    name: 'an accepted CONNECT carries raw bytes both ways, with half-close (RFC 9110 section 9.3.6)',
    needs: ['connect'],
    *run(pair) {
      const streamId = yield* pair.request(connect(), false);
      const event = pair.server.only('HeadersReceived');
      expect(event).toMatchObject({ streamId, endStream: false });
      expect(event.headers).toEqual(connect());
      // Not a byte before the server has agreed (RFC 9931).
      expect(pair.client.engine.sendCapacity(streamId)).toBe(0);
      pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
      yield* pair.run();
      expect(pair.client.only('HeadersReceived')).toMatchObject({ headers: [':status', '200'], endStream: false });
      yield* useTunnel(pair, streamId);
    },
  },
  {
    name: 'a refused CONNECT is an ordinary response',
    needs: ['connect'],
    *run(pair) {
      const streamId = yield* pair.request(connect(), false);
      yield* pair.respond(streamId, 403, [], 'no');
      expect(pair.client.only('HeadersReceived').headers[1]).toBe('403');
      expect(pair.client.data(streamId)).toBe('no');
      expect(pair.client.only('StreamClosed').streamId).toBe(streamId);
    },
  },
  {
    name: 'bytes that arrive with the acceptance are the tunnel’s: none is lost',
    needs: ['connect'],
    *run(pair) {
      const streamId = yield* pair.request(connect(), false);
      pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
      pair.server.engine.submitData(streamId, bytes('at once'), { endStream: false });
      yield* pair.run();
      expect(pair.client.data(streamId)).toBe('at once');
    },
  },
  {
    name: 'a tunnel is reset by either side',
    needs: ['connect'],
    *run(pair) {
      const streamId = yield* pair.request(connect(), false);
      pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
      yield* pair.run();
      pair.server.engine.submitStreamReset(streamId, pair.server.engine.errorCodes.connectError);
      yield* pair.run();
      expect(pair.client.only('StreamResetReceived').streamId).toBe(streamId);
    },
  },
  {
    name: 'an accepted Upgrade carries raw bytes both ways, with half-close (RFC 9110 section 7.8)',
    needs: ['upgrade'],
    *run(pair) {
      const streamId = yield* pair.request(get('/chat'), true, { upgrade: 'websocket, other/2' });
      expect(pair.server.only('HeadersReceived')).toMatchObject({ upgrade: ['websocket', 'other/2'] });
      expect(pair.server.only('HeadersReceived').headers).not.toContain('connection');
      expect(pair.server.only('HeadersReceived').headers).not.toContain('upgrade');
      const { engine } = pair.server;
      const accept = (upgrade: string | undefined): void =>
        engine.submitHeaders(streamId, [':status', '101', 'x', 'y'], { endStream: false, upgrade });
      expect(() => accept('unknown')).toThrow(LocalProtocolError);
      expect(() => accept(undefined)).toThrow(LocalProtocolError);
      accept('websocket');
      yield* pair.run();
      expect(pair.client.only('HeadersReceived')).toMatchObject({
        headers: [':status', '101', 'x', 'y'],
        upgrade: ['websocket'],
        endStream: false,
      });
      yield* useTunnel(pair, streamId);
    },
  },
  {
    name: 'an Upgrade that is not taken up is an ordinary exchange',
    needs: ['upgrade'],
    *run(pair) {
      const streamId = yield* pair.request(get(), true, { upgrade: 'websocket' });
      yield* pair.respond(streamId, 200, [], 'plain');
      expect(pair.client.data(streamId)).toBe('plain');
      pair.client.consumeAll();
      pair.client.clear();
      yield* pair.exchange();
    },
  },
  {
    name: 'detach gives back what was not delivered, and ends the engine',
    needs: ['detach', 'connect'],
    *run(pair) {
      expect(() => pair.client.engine.detach()).toThrow(LocalProtocolError);
      const streamId = yield* pair.request(connect(), false);
      expect(() => pair.server.engine.detach()).toThrow(LocalProtocolError);
      pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
      yield* pair.run();
      pair.server.engine.submitData(streamId, bytes('pending'), { endStream: false });
      expect(() => pair.server.engine.detach()).toThrow(LocalProtocolError);
      yield* pair.run();
      expect(pair.client.data(streamId)).toBe('pending');
      expect(pair.client.engine.detach().map(text).join('')).toBe('');
      expect(pair.client.engine.isAvailable()).toBe(false);
      expect(pair.client.engine.nextTimeout()).toBeUndefined();
      expect(() => pair.client.engine.detach()).toThrow(LocalProtocolError);
      expect(pair.server.engine.detach().map(text).join('')).toBe('');
    },
  },
  {
    name: 'an extended CONNECT carries raw bytes both ways (RFC 8441)',
    needs: ['extendedConnect'],
    *run(pair) {
      const head = [':method', 'CONNECT', ':scheme', 'https', ':authority', 'a.example', ':path', '/chat'];
      // The server has to say first that it knows them (RFC 8441 section 3).
      yield* pair.run();
      const streamId = yield* pair.request([...head, ':protocol', 'websocket'], false);
      expect(pair.server.only('HeadersReceived').headers).toContain(':protocol');
      pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
      yield* pair.run();
      yield* useTunnel(pair, streamId);
    },
  },
];

export const endings: ContractCase[] = [
  {
    name: 'a server winds down: the request that runs is finished, the client learns it, nothing fails',
    needs: ['gracefulShutdown'],
    *run(pair) {
      const streamId = yield* pair.request();
      pair.server.engine.submitShutdown();
      pair.server.engine.submitShutdown();
      yield* pair.run();
      expect(pair.server.engine.isAvailable()).toBe(false);
      expect(pair.server.terminated).toBe(false);
      yield* pair.respond(streamId, 200, [], 'last');
      expect(pair.client.data(streamId)).toBe('last');
      expect(pair.client.types).toContain('GoawayReceived');
      expect(pair.client.engine.hasExpired()).toBe(true);
      for (const side of [pair.client, pair.server]) {
        expect(side.only('ConnectionTerminated').error).toBeUndefined();
        expect(side.types).not.toContain('StreamResetReceived');
        expect(side.types).not.toContain('StreamResetSent');
      }
    },
  },
  {
    name: 'a client winds down: the request that runs is finished, no other is opened',
    needs: ['gracefulShutdown'],
    *run(pair) {
      const streamId = yield* pair.request();
      pair.client.engine.submitShutdown();
      expect(pair.client.engine.isAvailable()).toBe(false);
      expect(() => pair.client.engine.getAvailableStreamId()).toThrow(LocalProtocolError);
      yield* pair.run();
      yield* pair.respond(streamId, 200, [], 'last');
      expect(pair.client.data(streamId)).toBe('last');
      for (const side of [pair.client, pair.server]) expect(side.only('ConnectionTerminated').error).toBeUndefined();
    },
  },
  {
    name: 'an idle connection winds down at once',
    needs: ['gracefulShutdown'],
    *run(pair) {
      yield* pair.exchange();
      pair.server.engine.submitShutdown();
      yield* pair.run();
      for (const side of [pair.client, pair.server]) expect(side.only('ConnectionTerminated').error).toBeUndefined();
    },
  },
];

export const quic: ContractCase[] = [
  {
    name: 'priorities reach the server (RFC 9218 section 7)',
    needs: ['priorities'],
    *run(pair) {
      const streamId = yield* pair.request();
      pair.client.engine.submitPriority(streamId, 1, true);
      yield* pair.run();
      expect(pair.server.only('PriorityUpdated')).toMatchObject({ streamId, urgency: 1, incremental: true });
    },
  },
  {
    name: 'datagrams pass both ways (RFC 9297 section 2.1)',
    needs: ['datagrams', 'extendedConnect'],
    *run(pair) {
      const head = [':method', 'CONNECT', ':scheme', 'https', ':authority', 'a.example', ':path', '/x'];
      yield* pair.run();
      const streamId = yield* pair.request([...head, ':protocol', 'connect-udp'], false);
      pair.server.engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
      yield* pair.run();
      expect(pair.client.engine.submitDatagram(streamId, bytes('one'))).toBe(true);
      expect(pair.server.engine.submitDatagram(streamId, bytes('two'))).toBe(true);
      yield* pair.run();
      expect(text(pair.server.only('DatagramReceived').data)).toBe('one');
      expect(text(pair.client.only('DatagramReceived').data)).toBe('two');
    },
  },
];
