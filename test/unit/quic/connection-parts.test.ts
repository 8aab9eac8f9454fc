import { describe, expect, it } from 'vitest';
import { aes128GcmSha256, cipherSuites, nodeCryptoProvider } from '../../../src/crypto/index.ts';
import { MIN_DATAGRAM } from '../../../src/protocols/quic/connection-config.ts';
import { ControlFrames } from '../../../src/protocols/quic/control-frames.ts';
import { CryptoStream } from '../../../src/protocols/quic/crypto-stream.ts';
import { DatagramPool } from '../../../src/protocols/quic/datagram-pool.ts';
import { engineIdentity } from '../../../src/protocols/quic/engine-identity.ts';
import { QuicError, QuicFault } from '../../../src/protocols/quic/error-codes.ts';
import { FrameWriter } from '../../../src/protocols/quic/frame-writer.ts';
import { IdleTimer } from '../../../src/protocols/quic/idle-timer.ts';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import { LossJudge } from '../../../src/protocols/quic/loss-judge.ts';
import { MtuDiscovery } from '../../../src/protocols/quic/mtu-discovery.ts';
import { OneRttKeys } from '../../../src/protocols/quic/one-rtt-keys.ts';
import { PacketKeys } from '../../../src/protocols/quic/packet-protection.ts';
import { PacketNumberSpace } from '../../../src/protocols/quic/packet-spaces.ts';
import { preferredTarget } from '../../../src/protocols/quic/preferred-address.ts';
import { RttEstimator } from '../../../src/protocols/quic/rtt.ts';
import { SealedHeaders } from '../../../src/protocols/quic/sealed-headers.ts';
import type { SentFrame } from '../../../src/protocols/quic/sent-packets.ts';
import { clientPath, pemIdentity, seeded, serverPath } from './connection-pair.ts';

function codeOf(step: () => void): number | undefined {
  try {
    step();
  } catch (error) {
    if (error instanceof QuicFault) return error.code;
    throw error;
  }
  return undefined;
}

describe('keys of 1-RTT packets', () => {
  const keys = (limit: number): PacketKeys =>
    new PacketKeys(nodeCryptoProvider, { ...aes128GcmSha256, confidentialityLimit: limit }, Buffer.alloc(32, 1));

  it('seal no more than the cipher stands: AEAD_LIMIT_REACHED (RFC 9001 section 6.6)', () => {
    const oneRtt = new OneRttKeys(keys(10), keys(10), Number.POSITIVE_INFINITY);
    for (let number = 0; number < 10; number += 1) {
      expect(oneRtt.isWorn).toBe(number >= 9);
      oneRtt.sealing(number);
    }
    expect(codeOf(() => oneRtt.sealing(10))).toBe(QuicError.aeadLimitReached);
  });

  it('begin anew with an update', () => {
    const oneRtt = new OneRttKeys(keys(10), keys(10), 5);
    for (let number = 0; number < 5; number += 1) oneRtt.sealing(number);
    expect(oneRtt.isWorn).toBe(true);
    oneRtt.acknowledged(4);
    expect(oneRtt.mayInitiate).toBe(true);
    oneRtt.initiate();
    expect(oneRtt.isWorn).toBe(false);
    expect(oneRtt.phase).toBe(true);
    expect(oneRtt.mayInitiate).toBe(false);
  });
});

describe('headers of a flight', () => {
  it.each(cipherSuites)('are masked at once as they are one by one: $name', (suite) => {
    const keys = new PacketKeys(nodeCryptoProvider, suite, Buffer.alloc(suite.hashLength, 7));
    const headers = new SealedHeaders();
    const packet = (number: number): Buffer => {
      const bytes = Buffer.alloc(80 + number * 3, number);
      bytes[0] = (number % 2 === 0 ? 0x40 : 0xc0) | (number % 4);
      return bytes;
    };
    for (const flight of [3, 40, 1]) {
      const together: Buffer[] = [];
      for (let number = 0; number < flight; number += 1) {
        const bytes = packet(number);
        keys.sealPayload(bytes, 20, number);
        headers.add(bytes, 20, (number % 4) + 1);
        together.push(bytes);
      }
      keys.maskHeaders(headers);
      expect(headers.count).toBe(0);
      for (let number = 0; number < flight; number += 1) {
        const alone = packet(number);
        keys.seal(alone, 20, number, (number % 4) + 1);
        expect(together[number]?.equals(alone)).toBe(true);
      }
    }
  });
});

describe('a CRYPTO stream', () => {
  it('puts bytes in order, and is bounded (RFC 9000 section 7.5)', () => {
    const stream = new CryptoStream(100);
    stream.received(5, Buffer.from('world'));
    expect(stream.read()).toBeUndefined();
    expect(stream.hasGap).toBe(true);
    stream.received(0, Buffer.from('hello'));
    expect(Buffer.from(stream.read() ?? []).toString() + Buffer.from(stream.read() ?? []).toString()).toBe(
      'helloworld',
    );
    expect(
      codeOf(() => {
        stream.received(60, Buffer.alloc(51));
      }),
    ).toBe(QuicError.cryptoBufferExceeded);
    // The bound moves with what was read.
    stream.received(60, Buffer.alloc(50));
  });

  it('sends again what was lost, and all of it after a Retry', () => {
    const stream = new CryptoStream(100);
    stream.send(Buffer.from('hello'));
    const sent: SentFrame[] = [];
    const memory = new Uint8Array(100);
    const write = (): number => {
      const writer = new FrameWriter(memory, 0, 100);
      stream.write(writer, sent);
      return writer.position;
    };
    expect(write()).toBe(9);
    expect(sent).toEqual([{ kind: 'crypto', offset: 0, length: 5 }]);
    expect(stream.hasPending).toBe(false);
    stream.lost(0, 5);
    expect(write()).toBe(9);
    stream.acknowledged(0, 5);
    stream.lost(0, 5);
    expect(stream.hasPending).toBe(false);
    stream.send(Buffer.from('again'));
    stream.restart();
    expect(stream.hasPending).toBe(true);
  });

  it('is not filled by an offset that no stream has', () => {
    const stream = new CryptoStream(100);
    expect(
      codeOf(() => {
        stream.received(2 ** 53, Buffer.alloc(1));
      }),
    ).toBe(QuicError.cryptoBufferExceeded);
  });
});

describe('a packet number space', () => {
  it('skips numbers, and catches who acknowledges them (RFC 9000 section 21.4)', () => {
    const space = new PacketNumberSpace('application', seeded(3));
    const used = new Set<number>();
    for (let count = 0; count < 2_000; count += 1) {
      used.add(space.nextNumber);
      space.took(10);
    }
    const last = space.nextNumber - 1;
    const skipped = Array.from({ length: last }, (_, number) => number).filter((number) => !used.has(number));
    expect(skipped.length).toBeGreaterThan(10);
    const latest = skipped.at(-1) ?? 0;
    expect(
      codeOf(() => {
        space.checkAcknowledged([latest, latest]);
      }),
    ).toBe(QuicError.protocolViolation);
    expect(
      codeOf(() => {
        space.checkAcknowledged([last, latest + 1]);
      }),
    ).toBeUndefined();
    expect(
      codeOf(() => {
        space.checkAcknowledged([last + 1, last]);
      }),
    ).toBe(QuicError.protocolViolation);
  });

  it('skips less often when the window is larger', () => {
    const skips = (window: number): number => {
      const space = new PacketNumberSpace('application', seeded(3));
      for (let count = 0; count < 10_000; count += 1) space.took(window);
      return space.nextNumber - 10_000;
    };
    expect(skips(5_000)).toBeLessThan(skips(10) / 5);
  });

  it('of the handshake skips none', () => {
    const space = new PacketNumberSpace('initial', undefined);
    for (let count = 0; count < 500; count += 1) space.took(10);
    expect(space.nextNumber).toBe(500);
  });
});

describe('the idle timer (RFC 9000 section 10.1)', () => {
  it('takes the lesser of both sides, and three probe timeouts at least', () => {
    const timer = new IdleTimer(30_000, 0, 100);
    expect(timer.expiresAt(50)).toBe(30_100);
    timer.peerTimeout(10_000);
    expect(timer.expiresAt(50)).toBe(10_100);
    timer.peerTimeout(0);
    expect(timer.expiresAt(50)).toBe(30_100);
    timer.peerTimeout(10);
    expect(timer.expiresAt(50)).toBe(250);
  });

  it('begins anew with what came, and with the first that was sent since', () => {
    const timer = new IdleTimer(1_000, 300, 0);
    timer.elicitingSent(200);
    timer.elicitingSent(400);
    expect(timer.expiresAt(0)).toBe(1_200);
    expect(timer.keepAliveAt).toBe(700);
    timer.packetReceived(500);
    expect(timer.expiresAt(0)).toBe(1_500);
    timer.keptAlive(900);
    expect(timer.keepAliveAt).toBe(1_200);
    expect(new IdleTimer(0, 0, 0).expiresAt(10)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the judgement of losses', () => {
  /** An estimator whose shortest round trip is 50 ms and whose present one is another. */
  const trip = (milliseconds: number): RttEstimator => {
    const rtt = new RttEstimator();
    rtt.update(50, 0, 1);
    for (let count = 0; count < 60; count += 1) rtt.update(milliseconds, 0, 2);
    return rtt;
  };
  const judge = (tolerated: number, lossEvery: number, rtt: RttEstimator, count = 1): boolean => {
    const judge = new LossJudge(tolerated);
    for (let packets = 0; packets < 1_500; packets += lossEvery) {
      judge.acknowledged(lossEvery - 1);
      if (packets + lossEvery < 1_500) judge.isCongestion(1, rtt);
    }
    return judge.isCongestion(count, rtt);
  };

  it('puts few of them down to chance while no queue shows', () => {
    expect(judge(0.02, 100, trip(51))).toBe(false);
  });

  it.each([
    ['a queue shows', () => judge(0.02, 100, trip(60))],
    ['many are lost', () => judge(0.02, 20, trip(51))],
    ['many are lost at once', () => judge(0.02, 100, trip(51), 30)],
    ['none are tolerated (RFC 9002 appendix B)', () => judge(0, 100, trip(51))],
    ['nothing is known of the path', () => judge(0.02, 100, new RttEstimator())],
  ])('takes them for congestion when %s', (_name, congested) => {
    expect(congested()).toBe(true);
  });
});

describe('path MTU discovery (RFC 8899)', () => {
  /** Searches on a path of a size, and answers what was found and in how many probes. */
  function search(mtu: number, wanted: number): { size: number; probes: number } {
    const discovery = new MtuDiscovery(MIN_DATAGRAM, wanted);
    let probes = 0;
    for (let size = discovery.probeSize(0); size > 0; size = discovery.probeSize(0)) {
      discovery.probeSent(size);
      expect(discovery.probeSize(0)).toBe(0);
      if (size <= mtu) discovery.probeAcknowledged(size, 0);
      else discovery.probeLost(size, 0);
      probes += 1;
      if (probes > 100) throw new Error('no end');
    }
    return { size: discovery.size, probes };
  }

  it('finds what a path carries', () => {
    expect(search(1_500, 1_452)).toEqual({ size: 1_452, probes: 1 });
    for (const mtu of [1_200, 1_210, 1_300, 1_399, 1_440, 1_451]) {
      const { size, probes } = search(mtu, 1_452);
      expect(size).toBeLessThanOrEqual(mtu);
      expect(size).toBeGreaterThan(mtu - 17);
      expect(probes).toBeLessThan(20);
    }
    expect(search(1_500, 1_200)).toEqual({ size: 1_200, probes: 0 });
  });

  it('falls back when large datagrams vanish, and searches again much later', () => {
    const discovery = new MtuDiscovery(MIN_DATAGRAM, 1_452);
    discovery.probeSent(1_452);
    discovery.probeAcknowledged(1_452, 0);
    for (let count = 0; count < 3; count += 1) expect(discovery.lost(1_452, 10)).toBe(false);
    expect(discovery.lost(1_452, 10)).toBe(true);
    expect(discovery.size).toBe(1_200);
    expect(discovery.probeSize(1_000)).toBe(0);
    expect(discovery.probeSize(700_000)).toBe(1_452);
  });

  it('forgets losses when a large datagram arrives; small ones say nothing', () => {
    const discovery = new MtuDiscovery(1_400, 1_400);
    for (let count = 0; count < 20; count += 1) {
      expect(discovery.lost(1_400, 10)).toBe(false);
      expect(discovery.lost(1_200, 10)).toBe(false);
      discovery.acknowledged(1_400);
    }
    for (let count = 0; count < 3; count += 1) discovery.lost(1_400, 10);
    discovery.acknowledged(100);
    expect(discovery.lost(1_400, 10)).toBe(true);
  });

  it("keeps to the peer's max_udp_payload_size (RFC 9000 section 18.2)", () => {
    const discovery = new MtuDiscovery(1_300, 1_452);
    discovery.peerMaximum(1_250);
    expect(discovery.size).toBe(1_250);
    expect(discovery.probeSize(0)).toBe(0);
  });
});

describe('frames that the connection owes', () => {
  it('are sent again until they arrive', () => {
    const control = new ControlFrames();
    const write = (): SentFrame[] => {
      const sent: SentFrame[] = [];
      control.write(new FrameWriter(new Uint8Array(100), 0, 100), sent, 'oneRtt');
      return sent;
    };
    control.sendHandshakeDone();
    control.sendToken(Buffer.from('token'));
    control.sendPing();
    const sent = write();
    expect(sent.map(({ kind }) => kind)).toEqual(['handshakeDone', 'newToken']);
    expect(control.hasPending).toBe(false);
    for (const frame of sent) control.lost(frame);
    expect(write()).toEqual(sent);
  });
});

describe('the memory of datagrams', () => {
  it('groups those of one size and path, a shorter one last', () => {
    const pool = new DatagramPool();
    const put = (length: number, path = clientPath): void => {
      pool.reserve(1_200, 10);
      pool.bytes.fill(length & 0xff, pool.position, pool.position + length);
      pool.take(length, path);
    };
    for (const length of [1_200, 1_200, 700, 1_200, 30, 40]) put(length);
    put(40, serverPath);
    const groups = pool.flush();
    expect(groups.map(({ data, segmentSize, path }) => [data.length, segmentSize, path.local])).toEqual([
      [3_100, 1_200, clientPath.local],
      [1_230, 1_200, clientPath.local],
      [40, 40, clientPath.local],
      [40, 40, serverPath.local],
    ]);
    expect(pool.flush()).toEqual([]);
  });

  it('is never written to again once it was given away', () => {
    const pool = new DatagramPool();
    const given: { data: Uint8Array; copy: Buffer }[] = [];
    for (let count = 0; count < 200; count += 1) {
      pool.reserve(1_200, 10);
      const length = 100 + ((count * 37) % 1_100);
      pool.bytes.fill(count & 0xff, pool.position, pool.position + length);
      pool.take(length, clientPath);
      if (count % 3 === 0) for (const { data } of pool.flush()) given.push({ data, copy: Buffer.from(data) });
    }
    for (const { data, copy } of given) expect(Buffer.from(data).equals(copy)).toBe(true);
  });
});

describe('an identity in PEM', () => {
  it('is read once', () => {
    const identity = pemIdentity('p256');
    const first = engineIdentity(nodeCryptoProvider, identity);
    expect(first.chain.length).toBe(1);
    expect(engineIdentity(nodeCryptoProvider, identity)).toBe(first);
    const bytes = { cert: Buffer.from(String(identity.cert)), key: Buffer.from(String(identity.key)) };
    expect(engineIdentity(nodeCryptoProvider, bytes).chain).toEqual(first.chain);
  });

  it('that is none is refused in words', () => {
    const { cert, key } = pemIdentity('p256');
    expect(() => engineIdentity(nodeCryptoProvider, { cert: String(cert) })).toThrow('certificate and a key');
    expect(() => engineIdentity(nodeCryptoProvider, { cert: 'x', key: String(key) })).toThrow('no certificate');
    expect(() => engineIdentity(nodeCryptoProvider, { cert: String(cert), key: 'x' })).toThrow('cannot be read');
  });
});

describe('the preferred address', () => {
  it('is written as a socket knows it (RFC 5952)', () => {
    const address = (groups: readonly number[]): Buffer => {
      const bytes = Buffer.alloc(16);
      groups.forEach((group, index) => bytes.writeUInt16BE(group, index * 2));
      return bytes;
    };
    const preferred = (groups: readonly number[]): Parameters<typeof preferredTarget>[0] => ({
      ipv4: { address: Buffer.from([192, 0, 2, 1]), port: 443 },
      ipv6: { address: address(groups), port: 444 },
      connectionId: Buffer.alloc(8),
      statelessResetToken: Buffer.alloc(16),
    });
    expect(preferredTarget(preferred([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]), true)).toBe('[2001:db8::1]:444');
    expect(preferredTarget(preferred([0, 0, 0, 0, 0, 0, 0, 1]), true)).toBe('[::1]:444');
    expect(preferredTarget(preferred([1, 2, 3, 4, 5, 6, 7, 8]), true)).toBe('[1:2:3:4:5:6:7:8]:444');
    expect(preferredTarget(preferred([0x2001, 0, 3, 0, 0, 6, 0, 0]), true)).toBe('[2001:0:3::6:0:0]:444');
    expect(preferredTarget(preferred([1, 2, 3, 4, 5, 6, 7, 8]), false)).toBe('192.0.2.1:443');
  });
});

describe('limits of QUIC', () => {
  it('that do not fit together are refused with figures that would', () => {
    expect(() => quicLimitValues({ maxStreamsBidi: 1_000 })).toThrow(/maxUnconsumedBytes/);
    expect(quicLimitValues({ maxStreamsBidi: 1_000, initialStreamWindow: 1_000 }).maxStreamsBidi).toBe(1_000);
  });
});
