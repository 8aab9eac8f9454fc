/**
 * A listening server and datagrams of those it does not know, or knows no more: what is answered, with what and how
 * often, and what is dropped without a word (RFC 9000 sections 5.2, 6, 8, 10 and 14).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeCryptoProvider } from '../../src/crypto/index.ts';
import { QuicError } from '../../src/protocols/quic/error-codes.ts';
import { readPacketHeader } from '../../src/protocols/quic/packet-header.ts';
import type { PacketKeys } from '../../src/protocols/quic/packet-protection.ts';
import { initialKeys } from '../../src/protocols/quic/packet-protection.ts';
import type { QuicRogue } from '../support/attack/quic-rogue.ts';
import { QuicStage } from '../support/attack/quic-stage.ts';
import { headers } from '../support/http3-frames.ts';
import { request } from '../support/http3-peer.ts';
import { frame, MIN_INITIAL, randomBytes, streamFrame } from '../support/quic/raw-frames.ts';

const PING = frame(0x01);
const RESET_TOKEN = 16;
let stage: QuicStage;

beforeAll(async () => {
  stage = await QuicStage.start();
});

afterAll(async () => {
  await stage.stop();
});

/** The beginning of a long header of any version, filled up with junk. */
function long(version: number, destination: Uint8Array, source: Uint8Array, size: number): Buffer {
  const head = Buffer.alloc(7 + destination.length + source.length);
  head[0] = 0xc0;
  head.writeUInt32BE(version, 1);
  head[5] = destination.length;
  head.set(destination, 6);
  head[6 + destination.length] = source.length;
  head.set(source, 7 + destination.length);
  return Buffer.concat([head, randomBytes(size - head.length)]);
}

/**
 * Nothing is answered to these datagrams: what is behind them in the same queue is, and it alone.
 *
 * @returns the rogue that sent them
 */
async function expectDropped(...datagrams: readonly Uint8Array[]): Promise<QuicRogue> {
  const rogue = await stage.rogue();
  for (const datagram of datagrams) rogue.raw.sendRaw(datagram);
  rogue.raw.sendRaw(long(0x1a2a3a4a, randomBytes(8), rogue.raw.source, MIN_INITIAL));
  await rogue.until(() => rogue.raw.versions !== undefined);
  await stage.expectServed();
  const others = rogue.datagrams.filter((datagram) => readPacketHeader(datagram, 0, 8)?.form !== 'versionNegotiation');
  expect(others).toEqual([]);
  expect(stage.server.connections.size).toBe(1);
  return rogue;
}

describe('versions that are unknown (RFC 9000 sections 5.2.2 and 6.1)', () => {
  it.each([8, 20, 30, 255])(
    'are answered with those that there are, to ids of %i bytes too (RFC 8999)',
    async (length) => {
      const rogue = await stage.rogue();
      const [destination, source] = [randomBytes(length), randomBytes(length)];
      rogue.raw.sendRaw(long(0x1a2a3a4a, destination, source, MIN_INITIAL));
      await rogue.until(() => rogue.raw.versions !== undefined);
      expect(rogue.raw.versions).toContain(1);
      const header = readPacketHeader(rogue.datagrams[0]!, 0, 8);
      expect(Buffer.from(header?.destination ?? '')).toEqual(Buffer.from(source));
      expect(Buffer.from(header?.source ?? '')).toEqual(Buffer.from(destination));
      expect(rogue.datagrams[0]!.length).toBeLessThan(MIN_INITIAL);
      await rogue.leave();
    },
  );

  it('are not in a datagram below 1200 bytes, nor where the version is that of Version Negotiation', async () => {
    const rogue = await expectDropped(
      long(0x1a2a3a4a, randomBytes(8), randomBytes(8), MIN_INITIAL - 1),
      long(0, randomBytes(8), randomBytes(8), MIN_INITIAL),
      Buffer.from('c01a2a3a4a', 'hex'),
    );
    expect(rogue.datagrams.length).toBe(1);
  });
});

describe('first packets', () => {
  it('are dropped in datagrams below 1200 bytes (section 14.1)', async () => {
    const { raw } = await stage.rogue();
    expect(raw.packet('initial', PING, { size: MIN_INITIAL - 1 }).length).toBe(MIN_INITIAL - 1);
    await expectDropped(
      raw.packet('initial', PING, { size: MIN_INITIAL - 1 }),
      raw.packet('initial', PING, { size: 300 }),
    );
  });

  it('are dropped with a Destination Connection ID below eight bytes (section 7.2)', async () => {
    for (const length of [0, 1, 7]) {
      const { raw } = await stage.rogue({ destination: randomBytes(length) });
      await expectDropped(raw.packet('initial', PING));
    }
  });

  it('are dropped with ids above 20 bytes (section 17.2)', async () => {
    const { raw } = await stage.rogue({ destination: randomBytes(21) });
    await expectDropped(
      raw.packet('initial', PING),
      (await stage.rogue()).raw.packet('initial', PING, { source: randomBytes(21) }),
    );
  });

  it('are dropped when they are not authentic, lengths and tokens that overrun among them (section 5.2.2)', async () => {
    const { raw } = await stage.rogue();
    const forged = raw.packet('initial', PING);
    forged[forged.length - 1] = (forged[forged.length - 1] ?? 0) ^ 1;
    const overrun = raw.packet('initial', PING);
    overrun.writeUInt16BE(0x7fff, 24);
    await expectDropped(
      forged,
      overrun,
      forged.subarray(0, MIN_INITIAL),
      long(1, randomBytes(8), randomBytes(8), 1_300),
    );
  });

  it('are dropped of other kinds: 0-RTT, Handshake, Retry (section 5.2.2)', async () => {
    const kinds = [0xd0, 0xe0, 0xf0].map((first) => {
      const datagram = long(1, randomBytes(8), randomBytes(8), MIN_INITIAL);
      datagram[0] = first;
      return datagram;
    });
    await expectDropped(...kinds);
  });

  it('get no more than three times what they brought, whatever comes of them (section 8.1)', async () => {
    const rogue = await stage.rogue({ acknowledges: false, finishes: false });
    rogue.raw.start();
    await rogue.until(() => rogue.raw.complete);
    for (let round = 0; round < 20; round += 1) {
      await stage.expectServed();
      const received = rogue.datagrams.reduce((sum, { length }) => sum + length, 0);
      expect(received).toBeLessThanOrEqual(3 * rogue.sentBytes);
    }
    rogue.raw.send('handshake', frame(0x1c, 0, 0, 0));
    await stage.expectAlone();
  });

  it('are told apart from packets with another id behind them in their datagram (section 12.2)', async () => {
    const rogue = await stage.rogue();
    rogue.outgoing = (datagram) => {
      rogue.outgoing = undefined;
      const other = rogue.raw.packet('initial', frame(0x1e), { destination: randomBytes(8), size: 0 });
      const junk = Buffer.concat([Buffer.from([0xc0, 0, 0, 0, 1]), randomBytes(40)]);
      return Buffer.concat([datagram, other, junk]);
    };
    rogue.raw.start();
    await rogue.until(() => rogue.raw.handshakeDone || rogue.raw.closed !== undefined);
    expect(rogue.raw.closed).toBeUndefined();
    rogue.raw.send('oneRtt', frame(0x1d, 0x100, 0));
    await stage.expectAlone();
  });
});

describe('tokens (RFC 9000 section 8.1)', () => {
  it.each([1, 16, 64, 600])('of %i bytes of anything are as good as none (8.1.3)', async (length) => {
    const rogue = await stage.connected({ token: randomBytes(length) });
    expect(rogue.raw.closed).toBeUndefined();
    rogue.raw.send('oneRtt', frame(0x1d, 0x100, 0));
    await stage.expectAlone();
    await rogue.leave();
  });

  describe('where everybody is asked for one', () => {
    let strict: QuicStage;

    beforeAll(async () => {
      strict = await QuicStage.start({ quic: { retry: true } });
    });

    afterAll(async () => {
      await strict.stop();
    });

    /** Somebody who was answered by Retry. */
    async function retried(): Promise<QuicRogue> {
      const rogue = await strict.rogue();
      rogue.raw.start();
      await rogue.until(() => rogue.raw.retry !== undefined);
      expect(strict.server.connections.size).toBe(1);
      return rogue;
    }

    it('that of Retry proves the address (8.1.2)', async () => {
      const rogue = await retried();
      rogue.raw.followRetry();
      await rogue.until(() => rogue.raw.handshakeDone || rogue.raw.closed !== undefined);
      expect(rogue.raw.closed).toBeUndefined();
      const [told, used] = [rogue.raw.parameters?.retrySourceConnectionId, rogue.raw.retry?.source];
      expect(Buffer.from(told ?? [])).toEqual(Buffer.from(used ?? 'none'));
      rogue.raw.send('oneRtt', frame(0x1d, 0x100, 0));
      await strict.expectAlone();
    });

    it('one that was changed: INVALID_TOKEN, and nothing is kept (8.1.2)', async () => {
      const rogue = await retried();
      const token = Buffer.from(rogue.raw.retry?.token ?? '');
      token[token.length - 1] = (token[token.length - 1] ?? 0) ^ 1;
      rogue.raw.followRetry(token);
      await strict.expectSentAway(rogue, { errorCode: QuicError.invalidToken });
    });

    it('that of another port: INVALID_TOKEN (8.1.4)', async () => {
      const other = await retried();
      const rogue = await retried();
      rogue.raw.followRetry(other.raw.retry?.token);
      await strict.expectSentAway(rogue, { errorCode: QuicError.invalidToken });
    });

    it('that of another connection to the same port: INVALID_TOKEN (8.1.4)', async () => {
      const rogue = await retried();
      const token = rogue.raw.retry?.token ?? new Uint8Array(0);
      rogue.raw.followRetry(token);
      await rogue.until(() => rogue.raw.handshakeDone);
      // The id of the Retry is bound into its token.
      const destination = randomBytes(8);
      const keys = initialKeys(nodeCryptoProvider, destination);
      rogue.raw.sendRaw(rogue.raw.packet('initial', PING, { destination, token, keys: keys.client }));
      await rogue.until(() => rogue.raw.strange.length > 0);
      expect(closeIn(rogue.raw.strange[0]!, keys.server)).toBe(QuicError.invalidToken);
      await strict.expectServed();
      expect(strict.server.connections.size).toBe(2);
      rogue.raw.send('oneRtt', frame(0x1d, 0x100, 0));
      await strict.expectAlone();
    });
  });
});

/** The code of a CONNECTION_CLOSE that is alone in its Initial packet. */
function closeIn(datagram: Buffer, keys: PacketKeys): number | undefined {
  const header = readPacketHeader(datagram, 0, 8)!;
  const length = keys.unmask(datagram, header.numberOffset);
  const payload = keys.open(datagram, header.numberOffset + length, 0);
  return payload?.[0] === 0x1c ? payload[1] : undefined;
}

describe('short packets of no connection (RFC 9000 section 10.3)', () => {
  const short = (size: number): Buffer => {
    const datagram = Buffer.from(randomBytes(size));
    datagram[0] = 0x40 | ((datagram[0] ?? 0) & 0x3f);
    return datagram;
  };

  it.each([22, 43, 100, 1_200])('of %i bytes are answered by less that looks like one (10.3.3)', async (size) => {
    const rogue = await stage.rogue();
    rogue.raw.sendRaw(short(size));
    await rogue.until(() => rogue.datagrams.length > 0);
    const reset = rogue.datagrams[0]!;
    expect(reset.length).toBeLessThan(size);
    expect(reset.length).toBeGreaterThanOrEqual(21);
    expect((reset[0] ?? 0) & 0xc0).toBe(0x40);
    await rogue.leave();
  });

  it('of 21 bytes and less are not: nothing smaller could be told from junk', async () => {
    await expectDropped(...[0, 1, 5, 9, 20, 21].map(short));
  });
});

describe('what comes behind the end (RFC 9000 section 10.2)', () => {
  it('is answered by the same close less and less often, then by a stateless reset', async () => {
    const rogue = await stage.connected();
    const { raw } = rogue;
    const token = Buffer.from(raw.parameters?.statelessResetToken ?? '');
    raw.send('oneRtt', frame(0x1e));
    await rogue.untilClosed();
    expect(token.length).toBe(RESET_TOKEN);
    for (let count = 0; count < 30; count += 1) raw.send('oneRtt', PING, { size: 60 });
    const isReset = (datagram: Buffer): boolean => datagram.subarray(-RESET_TOKEN).equals(token);
    await rogue.until(() => {
      if (raw.strange.some(isReset)) return true;
      raw.send('oneRtt', PING, { size: 60 });
      return false;
    });
    // The first, then after 1, 2, 4, 8 … packets, as long as it lasts.
    expect(raw.closes).toBeLessThanOrEqual(2 + Math.log2(rogue.sentDatagrams));
    expect(raw.closed?.errorCode).toBe(QuicError.protocolViolation);
    await stage.expectServed();
  });

  it('of a handshake that failed is answered by the close with its reason, to who has not heard it (10.2.1)', async () => {
    const rogue = await stage.rogue({ parameters: { initialSourceConnectionId: undefined } });
    const first: Buffer[] = [];
    rogue.outgoing = (datagram) => {
      if (first.length === 0) first.push(datagram);
      return datagram;
    };
    rogue.raw.start();
    await rogue.untilClosed();
    const close = rogue.datagrams.at(-1) as Buffer;
    const before = rogue.datagrams.length;
    rogue.raw.sendRaw(first[0] as Buffer);
    await rogue.until(() => rogue.datagrams.length > before);
    expect(rogue.datagrams.at(-1)).toEqual(close);
    expect(rogue.raw.closed?.reason).toContain('initial_source_connection_id');
    await stage.expectAlone();
    await rogue.leave();
  });

  it('of the client is not answered at all by a close (10.2.2)', async () => {
    const rogue = await stage.connected();
    rogue.raw.send('oneRtt', frame(0x1c, 0, 0, 0));
    for (let count = 0; count < 20; count += 1) rogue.raw.send('oneRtt', PING);
    await stage.expectAlone();
    await stage.expectServed();
    expect(rogue.raw.closes).toBe(0);
    await rogue.leave();
  });

  it('comes to a port that is not there any more: others are served', async () => {
    const rogue = await stage.connected();
    const list = [...request().slice(0, 7), '/large'];
    rogue.raw.send('oneRtt', streamFrame(0, headers(list), true));
    await rogue.until(() => rogue.raw.streams.has(0));
    await rogue.leave();
    for (let round = 0; round < 10; round += 1) await stage.expectServed();
    expect(stage.server.connections.size).toBeLessThanOrEqual(2);
  });
});

describe('PATH_CHALLENGE (RFC 9000 section 8.2.2)', () => {
  it('is answered by its bytes, once, in a datagram of 1200 bytes', async () => {
    const rogue = await stage.connected();
    const before = rogue.datagrams.length;
    rogue.raw.send('oneRtt', frame(0x1a, '01234567'), { size: MIN_INITIAL });
    await rogue.until(() => rogue.raw.pathResponses.length > 0);
    expect(rogue.raw.pathResponses).toEqual([Buffer.from('01234567')]);
    expect(rogue.datagrams.slice(before).some(({ length }) => length >= MIN_INITIAL)).toBe(true);
    await rogue.leave();
  });
});
