/** What a simulated network does to datagrams, and that it does the same again from the same seed. */
import { describe, expect, it } from 'vitest';
import type { NetworkPath } from '../../../src/common/index.ts';
import type { UdpSocket, UdpSocketHandler } from '../../../src/networking/index.ts';
import { drawDatagramConditions, runSimulation, SeededRandom } from '../../../src/networking/simulation/index.ts';
import type { LinkConditions, SimulationResult } from '../../../src/networking/simulation/index.ts';

interface Arrival {
  readonly number: number;
  readonly at: number;
  readonly data: Uint8Array;
  readonly path: NetworkPath;
}

const COUNT = 1_000;

/** Sends numbered datagrams to a listening socket, one each millisecond, and tells what came. */
function sent(
  seed: number,
  conditions: Partial<LinkConditions>,
  size = 100,
  spacing = 1,
): Promise<SimulationResult<readonly Arrival[]>> {
  return runSimulation(
    seed,
    async (simulation) => {
      const { networking, clock } = simulation;
      const arrivals: Arrival[] = [];
      const nobody: UdpSocketHandler = {
        datagramReceived: () => undefined,
        turnEnded: () => undefined,
        drained: () => undefined,
        datagramFailed: () => undefined,
        closed: () => undefined,
      };
      const endpoint = { scheme: 'https', host: 'server.test', port: 4433, unixPath: undefined } as const;
      const [server] = await simulation.networkingAt('10.0.0.2').listenUdp(
        { endpoint },
        {
          ...nobody,
          datagramReceived: (data, path) => {
            const number = data.length < 4 ? -1 : new DataView(data.buffer, data.byteOffset).getUint32(0);
            arrivals.push({ number, at: clock.elapsed, data, path });
          },
        },
      );
      const socket = await networking.connectUdp({ target: { host: 'server.test', port: 4433 } }, nobody);
      for (let number = 0; number < COUNT; number += 1) {
        const data = new Uint8Array(size).fill(0x55);
        new DataView(data.buffer).setUint32(0, number);
        socket.send(data, size, socket.path as NetworkPath);
        if (spacing > 0) await simulation.sleep(spacing);
      }
      await simulation.sleep(10_000);
      await Promise.all([socket.close(), (server as UdpSocket).close()]);
      return arrivals;
    },
    { conditions },
  );
}

const numbers = (arrivals: readonly Arrival[]): number[] => arrivals.map(({ number }) => number);

describe('datagrams of a simulation', () => {
  it('arrive all, in order, a latency later, where nothing befalls them', async () => {
    const { value, leftovers } = await sent(1, { latency: 7 });
    expect(numbers(value)).toEqual(Array.from({ length: COUNT }, (_, index) => index));
    expect(value[0]?.at).toBeCloseTo(8, 3);
    expect(leftovers).toEqual([]);
  });

  it('are lost with the probability asked for', async () => {
    const { value } = await sent(2, { loss: 0.3 });
    expect(value.length).toBeGreaterThan(0.63 * COUNT);
    expect(value.length).toBeLessThan(0.77 * COUNT);
  });

  it('overtake one another, and come twice', async () => {
    const { value } = await sent(3, { latency: 20, reorder: 0.1, duplicate: 0.05 });
    const late = value.filter((arrival, index) => arrival.number < (value[index - 1]?.number ?? 0));
    expect(late.length).toBeGreaterThan(20);
    expect(new Set(numbers(value)).size).toBe(COUNT);
    expect(value.length).toBeGreaterThan(1.02 * COUNT);
    expect(value.length).toBeLessThan(1.09 * COUNT);
  });

  it('are corrupted: bits flipped or the end missing', async () => {
    const { value } = await sent(4, { corrupt: 0.2 });
    const intact = value.filter(
      (arrival) => arrival.data.length === 100 && arrival.data.subarray(4).every((byte) => byte === 0x55),
    );
    expect(value).toHaveLength(COUNT);
    expect(intact.length).toBeLessThan(0.9 * COUNT);
    expect(intact.length).toBeGreaterThan(0.7 * COUNT);
    expect(value.some((arrival) => arrival.data.length < 100)).toBe(true);
  });

  it('longer than the link carries are lost without a word', async () => {
    expect((await sent(5, { mtu: 1_200 }, 1_200)).value).toHaveLength(COUNT);
    expect((await sent(5, { mtu: 1_200 }, 1_201)).value).toHaveLength(0);
  });

  it('wait for a narrow line, and are lost where its queue is full', async () => {
    const { value } = await sent(6, { bandwidth: 100_000, queue: 50_000, latency: 10 }, 1_000, 0);
    expect(value).toHaveLength(50);
    expect(value.at(-1)?.at).toBeCloseTo(1 + 10 + 500, 0);
  });

  it('come from another address after a rebinding, and answers to the old one are lost', async () => {
    const { value } = await sent(7, { rebindEvery: 200 });
    expect(value).toHaveLength(COUNT);
    const remotes = [...new Set(value.map(({ path }) => path.remote))];
    expect(remotes.length).toBeGreaterThan(3);
    expect(new Set(value.map(({ path }) => path.local))).toEqual(new Set(['10.0.0.2:4433']));
  });

  it('have the same fate from the same seed', async () => {
    for (const seed of [11, 12, 13]) {
      const conditions = drawDatagramConditions(new SeededRandom(seed));
      const [one, other] = await Promise.all([sent(seed, conditions), sent(seed, conditions)]);
      expect(one.digest).toBe(other.digest);
      expect(one.events).toBeGreaterThan(COUNT);
    }
    expect((await sent(11, { loss: 0.1 })).digest).not.toBe((await sent(12, { loss: 0.1 })).digest);
  });
});
