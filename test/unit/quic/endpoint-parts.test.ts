import { describe, expect, it } from 'vitest';
import { nodeCryptoProvider } from '../../../src/crypto/index.ts';
import { AddressTokens } from '../../../src/protocols/quic/address-token.ts';
import { ClosingStub } from '../../../src/protocols/quic/closing-stubs.ts';
import {
  CONNECTION_ID_LENGTH,
  MAX_WORKERS,
  WorkerConnectionIds,
  WorkerRouter,
} from '../../../src/protocols/quic/connection-id-source.ts';
import { DeadlineHeap } from '../../../src/protocols/quic/deadline-heap.ts';
import { EndpointAdmission } from '../../../src/protocols/quic/endpoint-admission.ts';
import { quicEndpointLimitValues } from '../../../src/protocols/quic/limits.ts';
import { statelessReset, statelessResetToken } from '../../../src/protocols/quic/stateless-reset.ts';
import { TokenBucket } from '../../../src/wire/index.ts';
import { seeded } from './connection-pair.ts';

const key = (value: number) => ({ name: new Uint8Array(16).fill(value), key: new Uint8Array(32).fill(value) });
const client = '198.51.100.1:5000';
const original = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
const retryId = new Uint8Array(10).fill(7);

describe('address tokens', () => {
  const tokens = (over: object = {}): AddressTokens =>
    new AddressTokens({
      crypto: nodeCryptoProvider,
      random: seeded(1),
      keys: [key(1)],
      retryLifetime: 1_000,
      newLifetime: 100_000,
      maxRemembered: 8,
      ...over,
    });
  const of = (token: Uint8Array | undefined): Uint8Array => {
    expect(token).toBeDefined();
    return token ?? new Uint8Array(0);
  };

  it('proves that a Retry reached the client, and tells its first id (RFC 9000 section 8.1.2)', () => {
    const sealer = tokens();
    const token = of(sealer.forRetry(client, original, retryId, 5_000));
    const verdict = sealer.open(token, client, retryId, 6_000);
    expect(verdict.kind === 'retry' && [...verdict.originalDestinationId]).toEqual([...original]);
  });

  it.each([
    ['another address', '198.51.100.2:5000', retryId, 5_000],
    ['another port', '198.51.100.1:5001', retryId, 5_000],
    ['another connection id', client, original, 5_000],
    ['another time', client, retryId, 6_001],
  ])('is of no use for %s: INVALID_TOKEN (section 8.1.4)', (_what, remote, destination, now) => {
    const sealer = tokens();
    const token = of(sealer.forRetry(client, original, retryId, 5_000));
    expect(sealer.open(token, remote, destination, now)).toEqual({ kind: 'invalidRetry' });
  });

  it('lets no byte be changed', () => {
    const sealer = tokens();
    const token = of(sealer.forRetry(client, original, retryId, 5_000));
    for (let at = 0; at < token.length; at += 1) {
      const changed = token.slice();
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(['none', 'invalidRetry']).toContain(sealer.open(changed, client, retryId, 5_000).kind);
    }
    for (let length = 0; length < token.length; length += 1) {
      expect(['none', 'invalidRetry']).toContain(sealer.open(token.subarray(0, length), client, retryId, 5_000).kind);
    }
  });

  it('takes a token of NEW_TOKEN from any port of the host, once (sections 8.1.3, 8.1.4)', () => {
    const sealer = tokens();
    const token = of(sealer.forLater(client, 5_000));
    const verdict = sealer.open(token, '198.51.100.1:7777', original, 50_000);
    expect(verdict.kind).toBe('new');
    if (verdict.kind !== 'new') return;
    expect(sealer.claim(verdict, 50_000)).toBe(true);
    expect(sealer.claim(verdict, 50_000)).toBe(false);
    expect(sealer.open(token, client, original, 50_000)).toEqual({ kind: 'none' });
    expect(sealer.open(of(sealer.forLater(client, 5_000)), '198.51.100.2:5000', original, 50_000).kind).toBe('none');
    expect(sealer.open(of(sealer.forLater(client, 5_000)), client, original, 105_001).kind).toBe('none');
  });

  it('takes no token twice although few are remembered', () => {
    const sealer = tokens();
    const used: Uint8Array[] = [];
    let taken = 0;
    for (let now = 0; now < 100; now += 1) {
      const token = of(sealer.forLater(client, now));
      const verdict = sealer.open(token, client, original, now);
      if (verdict.kind === 'new' && sealer.claim(verdict, now)) taken += 1;
      used.push(token);
    }
    expect(taken).toBe(100);
    for (const token of used) expect(sealer.open(token, client, original, 100)).toEqual({ kind: 'none' });
  });

  it('seals with the first key and opens with all; without one there are no tokens', () => {
    const sealer = tokens();
    const old = of(sealer.forRetry(client, original, retryId, 0));
    sealer.rotate([key(2), key(1)]);
    expect(sealer.open(old, client, retryId, 0).kind).toBe('retry');
    const fresh = of(sealer.forRetry(client, original, retryId, 0));
    sealer.rotate([key(3), key(2)]);
    expect([old, fresh].map((token) => sealer.open(token, client, retryId, 0).kind)).toEqual(['invalidRetry', 'retry']);
    sealer.rotate([]);
    expect([sealer.forRetry(client, original, retryId, 0), sealer.forLater(client, 0)]).toEqual([undefined, undefined]);
  });

  it('is understood by another worker with the same keys, and not by one with others', () => {
    const token = of(tokens().forRetry(client, original, retryId, 0));
    expect(tokens({ random: seeded(9) }).open(token, client, retryId, 0).kind).toBe('retry');
    expect(tokens({ keys: [key(4)] }).open(token, client, retryId, 0).kind).toBe('invalidRetry');
  });
});

describe('stateless resets (RFC 9000 section 10.3)', () => {
  const token = statelessResetToken(nodeCryptoProvider, new Uint8Array(32).fill(3), original);

  it('makes the same token for the same id and key only', () => {
    const again = (value: number, id: Uint8Array): Uint8Array =>
      statelessResetToken(nodeCryptoProvider, new Uint8Array(32).fill(value), id);
    expect(token).toHaveLength(16);
    expect(again(3, original)).toEqual(token);
    expect(again(4, original)).not.toEqual(token);
    expect(again(3, retryId)).not.toEqual(token);
  });

  it('is shorter than what it answers, by one byte up to 43, and answers nothing below 22 (sections 10.3, 10.3.3)', () => {
    const random = seeded(4);
    expect(statelessReset(random, 21, token)).toBeUndefined();
    for (let trigger = 22; trigger <= 43; trigger += 1) {
      expect(statelessReset(random, trigger, token)?.length).toBe(trigger - 1);
    }
    const lengths = new Set<number>();
    for (let trigger = 43; trigger < 1_500; trigger += 1) {
      const reset = statelessReset(random, trigger, token);
      expect(reset?.length).toBeLessThan(trigger);
      expect(reset?.length).toBeGreaterThanOrEqual(42);
      expect((reset?.[0] ?? 0) & 0xc0).toBe(0x40);
      expect(reset?.subarray(-16).join()).toBe(token.join());
      lengths.add(reset?.length ?? 0);
    }
    expect(lengths.size).toBeGreaterThan(10);
  });
});

describe('connection ids of workers', () => {
  const keys = { connectionIds: new Uint8Array(16).fill(8), reset: new Uint8Array(32).fill(9) };
  const free = (): boolean => false;
  const ids = (worker: number, seed = 1): WorkerConnectionIds =>
    new WorkerConnectionIds(nodeCryptoProvider, seeded(seed), keys, worker, free);
  const short = (id: Uint8Array): Uint8Array => Uint8Array.of(0x40, ...id, ...new Uint8Array(30));
  const long = (id: Uint8Array): Uint8Array =>
    Uint8Array.of(0xc0, 0, 0, 0, 1, id.length, ...id, 0, ...new Uint8Array(30));

  it.each([1, 2, 7, 300, MAX_WORKERS])('leads back to the worker that made them, of %i', (workers) => {
    const router = new WorkerRouter(nodeCryptoProvider, keys, workers);
    for (const worker of new Set([0, 1, 6, 255, 299, MAX_WORKERS - 1].filter((index) => index < workers))) {
      for (let count = 0; count < 20; count += 1) {
        const { id } = ids(worker, count + 2).next();
        expect(id).toHaveLength(CONNECTION_ID_LENGTH);
        expect(router.workerOf(short(id))).toBe(worker);
        expect(router.workerOf(long(id))).toBe(worker);
      }
    }
  });

  it('shares out the ids of clients, always alike', () => {
    const router = new WorkerRouter(nodeCryptoProvider, keys, 4);
    const counts = [0, 0, 0, 0];
    const random = seeded(77);
    for (let count = 0; count < 2_000; count += 1) {
      const id = random.fill(new Uint8Array(8 + (count % 13)));
      const worker = router.workerOf(long(id));
      expect(router.workerOf(long(id))).toBe(worker);
      counts[worker] = (counts[worker] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(350);
  });

  it('does not tell the index without the key', () => {
    const seen = new Set<number>();
    const source = ids(5);
    for (let count = 0; count < 200; count += 1) {
      const { id } = source.next();
      seen.add(((id[8] ?? 0) << 8) | (id[9] ?? 0));
    }
    expect(seen.size).toBeGreaterThan(190);
  });

  it('answers for what is no packet', () => {
    const router = new WorkerRouter(nodeCryptoProvider, keys, 4);
    for (const bytes of [[], [0x40], [0xc0, 0, 0, 0, 1], [0xc0, 0, 0, 0, 1, 20, 1]]) {
      expect(router.workerOf(Uint8Array.from(bytes))).toBe(0);
    }
  });

  it('gives no id that is in use', () => {
    const taken = new Set<string>();
    let asked = 0;
    const source = new WorkerConnectionIds(nodeCryptoProvider, seeded(1), keys, 0, (id) => {
      asked += 1;
      return asked === 1 || taken.has(id.join());
    });
    const [one, other] = [source.next(), source.next()];
    expect(one.id).not.toEqual(other.id);
    expect(asked).toBe(3);
    expect(one.resetToken).toEqual(source.resetToken(one.id));
  });
});

describe('deadlines', () => {
  it('come in their order, however they were set, moved and taken out', () => {
    const heap = new DeadlineHeap<{ deadline: number; heapIndex: number }>();
    const entries = Array.from({ length: 300 }, () => ({ deadline: 0, heapIndex: -1 }));
    const expected = new Map<object, number>();
    const [random] = [seeded(6)];
    for (let step = 0; step < 5_000; step += 1) {
      const [which = 0, high = 0, low = 0, kind = 0] = random.fill(new Uint8Array(4));
      const entry = entries[(which * 2) % entries.length];
      if (entry === undefined) continue;
      const deadline = kind < 40 ? undefined : high * 256 + low;
      heap.set(entry, deadline);
      if (deadline === undefined) expected.delete(entry);
      else expected.set(entry, deadline);
      expect(heap.size).toBe(expected.size);
      expect(heap.first?.deadline).toBe(expected.size === 0 ? undefined : Math.min(...expected.values()));
    }
    heap.set(entries[0] as never, Number.POSITIVE_INFINITY);
    expect(entries[0]?.heapIndex).toBe(-1);
    const order = heap.takeDue(70_000).map(({ deadline }) => deadline);
    expect(order).toEqual([...order].sort((one, other) => one - other));
    expect(heap.size).toBe(0);
  });
});

describe('stubs of connections that are over (RFC 9000 section 10.2.1)', () => {
  const path = { local: 'here:1', remote: client };

  it('repeat the close less and less often, to where the connection was', () => {
    const datagram = new Uint8Array(60).fill(1);
    const stub = new ClosingStub({ datagram, path, until: 9 }, 'id');
    const answered: number[] = [];
    for (let count = 1; count <= 64; count += 1) {
      if (stub.datagramReceived(client, 50) !== undefined) answered.push(count);
      expect(stub.datagramReceived('203.0.113.1:1', 50)).toBeUndefined();
    }
    expect(answered).toEqual([1, 2, 4, 8, 16, 32, 64]);
    // By the batch, and never earlier.
    expect(stub.deadline).toBe(64);
    expect(new ClosingStub({ datagram, path, until: 128 }, 'id').deadline).toBe(128);
  });

  it('say nothing when draining, nor what is long', () => {
    for (const datagram of [undefined, new Uint8Array(513)]) {
      expect(new ClosingStub({ datagram, path, until: 9 }, 'id').datagramReceived(client, 1_200)).toBeUndefined();
    }
  });

  it('repeat a close with its reason at each level of a handshake, and never more than three times what came', () => {
    const close = new Uint8Array(300);
    const stub = new ClosingStub({ datagram: close, path, until: 9 }, 'id');
    expect(stub.datagramReceived(client, 1_200)).toEqual(close);
    const small = new ClosingStub({ datagram: close, path, until: 9 }, 'id');
    let sent = 0;
    for (let count = 1; count <= 100; count += 1) {
      sent += small.datagramReceived(client, 40)?.length ?? 0;
      expect(sent).toBeLessThanOrEqual(3 * 40 * count);
    }
    expect(sent).toBeGreaterThan(300);
  });
});

describe('admission', () => {
  const admission = (over: object): EndpointAdmission => new EndpointAdmission(quicEndpointLimitValues(over));

  it('has an address prove itself while many handshakes are under way', () => {
    const places = admission({ retryAboveHalfOpen: 2 });
    expect(places.judge(client, 0, false)).toBe('offer');
    expect(places.judge(client, 2, false)).toBe('retry');
    const one = places.take('192.0.2.1:1');
    places.take('192.0.2.2:1');
    expect([places.judge(client, 0, false), places.judge(client, 0, true)]).toEqual(['retry', 'offer']);
    places.opened(one);
    places.opened(one);
    expect([places.judge(client, 0, false), places.halfOpen, places.total]).toEqual(['offer', 1, 2]);
  });

  it('refuses above its bounds', () => {
    const total = admission({ maxConnections: 1 });
    const place = total.take('192.0.2.1:1');
    total.opened(place);
    expect(total.judge(client, 0, true)).toBe('refuse');
    total.release(place);
    expect([total.judge(client, 0, true), total.total, total.halfOpen]).toEqual(['offer', 0, 0]);
    const half = admission({ maxHalfOpen: 1 });
    half.take('192.0.2.1:1');
    expect(half.judge(client, 0, true)).toBe('refuse');
  });

  it('counts by address, and IPv6 by /64; without proof nobody is shut out by another', () => {
    const places = admission({ maxConnectionsPerAddress: 1, maxHalfOpenPerAddress: 5 });
    const place = places.take('[2001:db8:1:2::1]:443');
    expect(places.judge('[2001:db8:1:2:ffff::9]:1', 0, true)).toBe('refuse');
    expect(places.judge('[2001:db8:1:2:ffff::9]:1', 0, false)).toBe('retry');
    expect(places.judge('[2001:db8:1:3::1]:443', 0, true)).toBe('offer');
    places.release(place);
    expect(places.judge('[2001:db8:1:2:ffff::9]:1', 0, true)).toBe('offer');
    const half = admission({ maxHalfOpenPerAddress: 1 });
    half.take('192.0.2.1:1');
    expect([half.judge('192.0.2.1:2', 0, true), half.judge('192.0.2.2:2', 0, true)]).toEqual(['refuse', 'offer']);
  });
});

describe('a budget', () => {
  it('is not overdrawn by take, and is by spend', () => {
    const bucket = new TokenBucket(2, 1_000, 0);
    expect([bucket.take(2, 0), bucket.take(1, 0), bucket.take(1, 1)]).toEqual([true, false, true]);
    expect([bucket.spend(2, 1), bucket.take(1, 2), bucket.take(1, 4)]).toEqual([false, false, true]);
  });
});
