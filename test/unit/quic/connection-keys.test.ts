import { describe, expect, it } from 'vitest';
import { QuicError } from '../../../src/protocols/quic/error-codes.ts';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import type { Side } from './connection-pair.ts';
import { ConnectionPair, traceOf } from './connection-pair.ts';
import { frame, Rogue } from './rogue.ts';

const KEYLOG = { client: { keylog: true }, server: { keylog: true } };

function confirmed(over: ConstructorParameters<typeof ConnectionPair>[0] = {}): ConnectionPair {
  return new ConnectionPair({ ...KEYLOG, ...over }).connect().wait(200);
}

/** Bytes both ways, so that both sides send and acknowledge. */
function talk(pair: ConnectionPair, length = 2_000): void {
  const id = pair.client.openStream(true);
  pair.client.writeStream(id, Buffer.alloc(length, 1), true);
  pair.run(pair.now + 20_000, () => pair.finished.server.has(id));
  pair.side('server').writeStream(id, Buffer.alloc(length, 2), true);
  pair.run(pair.now + 20_000, () => pair.finished.client.has(id));
  expect(pair.bytes('client', id).length).toBe(length);
  pair.wait(100);
}

describe('a key update (RFC 9001 section 6)', () => {
  it.each(['client', 'server'] as const)('by the %s is answered, and bytes go on', (side: Side) => {
    const pair = confirmed();
    talk(pair);
    expect(pair.side(side).initiateKeyUpdate()).toBe(true);
    talk(pair);
    expect(pair.closed('client')).toBeUndefined();
    expect(pair.closed('server')).toBeUndefined();
    // Old keys are useless by now: what is sealed with them is dropped.
    pair.wait(2_000);
    const rogue = new Rogue(pair, side);
    expect(rogue.send('oneRtt', frame(0x40, 0x01))).toBeUndefined();
  });

  it('goes on and on, by both sides in turn, over a bad network', () => {
    let state = 99;
    const pair = confirmed();
    pair.options = {
      ...pair.options,
      drop: () => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
        return (state >>> 8) % 100 < 10;
      },
    };
    let updates = 0;
    for (let count = 0; count < 12; count += 1) {
      if (pair.side(count % 2 === 0 ? 'client' : 'server').initiateKeyUpdate()) updates += 1;
      talk(pair, 20_000);
      pair.wait(3_000);
    }
    expect(updates).toBeGreaterThan(6);
    expect(pair.closed('client')).toBeUndefined();
  });

  it('is not begun before the handshake is confirmed (section 6.1)', () => {
    const pair = new ConnectionPair({ drop: ({ from, index }) => from === 'client' && index > 0 });
    pair.run(500);
    expect(pair.client.handshakeComplete).toBe(true);
    expect(pair.client.handshakeConfirmed).toBe(false);
    expect(pair.client.initiateKeyUpdate()).toBe(false);
  });

  it('is not begun again before the one before was acknowledged (section 6.1)', () => {
    const pair = confirmed();
    talk(pair);
    expect(pair.client.initiateKeyUpdate()).toBe(true);
    expect(pair.client.initiateKeyUpdate()).toBe(false);
    talk(pair);
    // Nor before the old keys are gone (section 6.5).
    expect(pair.client.initiateKeyUpdate()).toBe(false);
    pair.wait(1_000);
    talk(pair);
    expect(pair.client.initiateKeyUpdate()).toBe(true);
  });

  it('by both sides at once is one update', () => {
    const pair = confirmed();
    talk(pair);
    expect(pair.client.initiateKeyUpdate()).toBe(true);
    expect(pair.side('server').initiateKeyUpdate()).toBe(true);
    talk(pair);
    expect(pair.closed('client')).toBeUndefined();
    expect(pair.closed('server')).toBeUndefined();
  });

  it('keeps old keys for packets that were overtaken (section 6.5)', () => {
    const pair = confirmed();
    talk(pair);
    const rogue = new Rogue(pair, 'client');
    const id = 4 * 20;
    const old = rogue.packet('oneRtt', frame(0x0a, id, 3, 'old'), { number: 400 });
    const keys = rogue.keys('oneRtt').next();
    expect(rogue.send('oneRtt', frame(0x0a, id + 4, 3, 'new'), { number: 401, keys, phase: true })).toBeUndefined();
    expect(rogue.deliver(old)).toBeUndefined();
    expect(pair.bytes('server', id).toString()).toBe('old');
    expect(pair.bytes('server', id + 4).toString()).toBe('new');
  });

  it('followed by old keys for a later packet: KEY_UPDATE_ERROR (section 6.4)', () => {
    const pair = confirmed();
    talk(pair);
    const rogue = new Rogue(pair, 'client');
    const keys = rogue.keys('oneRtt').next();
    expect(rogue.send('oneRtt', frame(0x01), { number: 400, keys, phase: true })).toBeUndefined();
    expect(rogue.send('oneRtt', frame(0x01), { number: 402 })).toMatchObject({ errorCode: QuicError.keyUpdateError });
  });

  it('behind another that was not answered yet: KEY_UPDATE_ERROR (section 6.2)', () => {
    const pair = confirmed();
    talk(pair);
    const rogue = new Rogue(pair, 'client');
    const once = rogue.keys('oneRtt').next();
    expect(rogue.send('oneRtt', frame(0x01), { number: 400, keys: once, phase: true })).toBeUndefined();
    expect(rogue.send('oneRtt', frame(0x01), { number: 401, keys: once.next() })).toMatchObject({
      errorCode: QuicError.keyUpdateError,
    });
  });

  it('of ours, acknowledged under old keys: KEY_UPDATE_ERROR (section 6.2)', () => {
    let latest = 0;
    const trace = traceOf({ packetSent: (_now, _kind, number) => (latest = number) });
    const pair = confirmed({ client: { keylog: true, trace } });
    talk(pair);
    pair.options = { ...pair.options, drop: () => true };
    expect(pair.client.initiateKeyUpdate()).toBe(true);
    const id = pair.client.openStream(true);
    pair.client.writeStream(id, Buffer.from('x'), false);
    pair.run(pair.now);
    const rogue = new Rogue(pair, 'server');
    expect(rogue.send('oneRtt', frame(0x02, latest, 0, 0, 0))).toMatchObject({ errorCode: QuicError.keyUpdateError });
  });

  it('comes by itself when keys have sealed enough packets (section 6.6)', () => {
    const updates: number[] = [];
    const trace = traceOf({ keyUpdated: (_now, generation) => updates.push(generation) });
    const limits = quicLimitValues({ maxPackets: 50 });
    const pair = new ConnectionPair({ client: { limits, trace } }).connect();
    for (let count = 0; count < 5; count += 1) {
      talk(pair, 200_000);
      pair.wait(500);
    }
    expect(updates.length).toBeGreaterThan(3);
    expect(pair.closed('client')).toBeUndefined();
  });
});

describe('keys that are no more (RFC 9001 section 4.9)', () => {
  it.each(['initial', 'handshake'] as const)('%s packets behind the handshake are dropped', (kind) => {
    const pair = confirmed();
    for (const side of ['client', 'server'] as const) {
      expect(new Rogue(pair, side).send(kind, frame(0x1e))).toBeUndefined();
    }
  });

  it('HANDSHAKE_DONE comes again when it was lost (RFC 9000 section 13.3)', () => {
    const first: ConnectionPair = new ConnectionPair({
      // What the server sends when it has the Finished of the client is lost at first.
      drop: ({ from }) => from === 'server' && first.server?.handshakeConfirmed === true,
    });
    first.run(150);
    expect(first.server?.handshakeConfirmed).toBe(true);
    expect(first.client.handshakeConfirmed).toBe(false);
    first.options = {};
    first.connect();
    expect(first.client.handshakeConfirmed).toBe(true);
  });
});
