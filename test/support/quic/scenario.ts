/**
 * One run of clients and a server over a bad network, drawn from a seed.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { LimitOptions } from '../../../src/common/index.ts';
import type { quicLimits } from '../../../src/protocols/quic/index.ts';
import { QuicError, quicLimitValues } from '../../../src/protocols/quic/index.ts';
import type { QuicLink } from './network.ts';
import { Chance, QuicNetwork } from './network.ts';
import type { Traffic } from './party.ts';
import { endpointOf, Party } from './party.ts';

const SERVER = '10.0.0.2:443';
/** Nothing may take longer, in virtual milliseconds. */
const HORIZON = 400_000;

/** What a seed stands for. */
export interface ScenarioPlan {
  readonly seed: number;
  readonly link: QuicLink;
  /** From when on longer datagrams than 1200 bytes vanish, `Infinity` for never. */
  readonly narrowAt: number;
  /** When the clients' NAT changes its mind. */
  readonly rebinds: readonly { readonly at: number; readonly sameHost: boolean }[];
  readonly connections: number;
  readonly streams: readonly { readonly bidirectional: boolean; readonly length: number; readonly at: number }[];
  readonly retry: boolean;
  readonly keyUpdates: readonly number[];
  readonly limits: LimitOptions<typeof quicLimits>;
  readonly congestion: 'cubic' | 'newreno';
  readonly lazyReaders: boolean;
  readonly maxDatagramSize: number;
}

/** What became of it. */
export interface ScenarioResult {
  readonly plan: ScenarioPlan;
  readonly faults: readonly string[];
  /** Connections that were established, as their clients see it. */
  readonly established: number;
  readonly completed: number;
  readonly datagrams: number;
  readonly time: number;
  /** How each connection ended, clients first. */
  readonly endings: readonly string[];
  /** Of every datagram and event. */
  readonly digest: string;
}

/** Draws a plan. */
export function planOf(seed: number): ScenarioPlan {
  const chance = new Chance(seed ^ 0x51ab);
  const pick = <Value>(values: readonly Value[]): Value => values[chance.between(0, values.length - 1)] as Value;
  const bad = seed % 10;
  const loss = bad === 0 ? 0 : bad < 7 ? chance.next() * 0.1 : chance.next() * 0.3;
  const large = seed % 25 === 0;
  const initialStreamWindow = pick([2_000, 16_384, 65_536]);
  return {
    seed,
    link: {
      latency: pick([1, 5, 20, 50, 120]),
      jitter: pick([0, 0, 5, 40]),
      loss,
      duplication: pick([0, 0, 0.05, 0.2]),
      corruption: pick([0, 0, 0.02, 0.1]),
      mtu: pick([1_200, 1_350, 1_500]),
      bandwidth: pick([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 1_250, 125]),
      queue: 60_000,
    },
    narrowAt: seed % 7 === 0 ? chance.between(50, 2_000) : Number.POSITIVE_INFINITY,
    rebinds: Array.from({ length: seed % 4 === 0 ? chance.between(1, 3) : 0 }, () => ({
      at: chance.between(100, 3_000),
      sameHost: chance.happens(0.6),
    })),
    connections: chance.between(1, 2),
    streams: Array.from({ length: chance.between(1, 5) }, () => ({
      bidirectional: chance.happens(0.7),
      length: chance.between(0, large ? 120_000 : 9_000),
      at: chance.happens(0.6) ? 0 : chance.between(0, 2_500),
    })),
    retry: seed % 9 === 0,
    keyUpdates: seed % 6 === 0 ? [chance.between(100, 2_000), chance.between(2_000, 4_000)] : [],
    limits: {
      initialStreamWindow,
      maxStreamWindow: Math.max(initialStreamWindow, pick([16_384, 1 << 20])),
      maxStreamsBidi: pick([1, 3, 64]),
      maxStreamsUni: pick([1, 3, 16]),
      sendBufferBytes: pick([1_000, 16_384, 65_536]),
    },
    congestion: pick(['cubic', 'newreno']),
    lazyReaders: chance.happens(0.3),
    maxDatagramSize: pick([1_200, 1_452]),
  };
}

/** Runs a plan to its end. @param watch - is given the network before anything happens */
export function runScenario(plan: ScenarioPlan, watch?: (network: QuicNetwork) => void): ScenarioResult {
  return new Scenario(plan).run(watch);
}

class Scenario {
  readonly #plan: ScenarioPlan;
  readonly #network: QuicNetwork;
  readonly #server: Party;
  readonly #client: Party;
  readonly #digest = createHash('sha256');
  readonly #faults: string[] = [];
  readonly #opened = new Map<Traffic, Set<number>>();
  readonly #finished = new Map<Traffic, number>();
  #completed = 0;

  constructor(plan: ScenarioPlan) {
    this.#plan = plan;
    this.#network = new QuicNetwork(plan.seed, () => this.#link());
    const chance = new Chance(plan.seed + 99);
    const common = {
      limits: quicLimitValues(plan.limits),
      congestion: plan.congestion,
      maxDatagramSize: plan.maxDatagramSize,
    };
    const later = plan.lazyReaders
      ? (take: () => void): void => this.#network.schedule(this.#network.now + chance.between(0, 300), take)
      : undefined;
    this.#server = new Party(endpointOf(plan.seed * 2 + 1), {
      accept: common,
      ...(plan.retry ? { decide: ({ addressValidated }) => (addressValidated ? 'accept' : 'retry') } : {}),
      ...(later === undefined ? {} : { later }),
      onEvent: (event, traffic) => {
        this.#note('server', event, traffic);
      },
    });
    this.#client = new Party(endpointOf(plan.seed * 2 + 2, { accepts: false }), {
      ...(later === undefined ? {} : { later }),
      onEvent: (event, traffic) => {
        this.#note('client', event, traffic);
        if (event.type === 'HandshakeCompleted') this.#begin(traffic);
        if (event.type === 'QuicStreamsAvailable') this.#openMore(traffic);
        if (event.type === 'QuicStreamClosed') this.#streamClosed(traffic);
      },
    });
  }

  run(watch: ((network: QuicNetwork) => void) | undefined): ScenarioResult {
    const plan = this.#plan;
    const network = this.#network;
    watch?.(network);
    network.place(SERVER, this.#server);
    network.place('10.0.0.1:5000', this.#client);
    const { limits, congestion, maxDatagramSize } = plan;
    for (let count = 0; count < plan.connections; count += 1) {
      const path = { local: '10.0.0.1:5000', remote: SERVER };
      this.#client.connect(path, 0, { limits: quicLimitValues(limits), congestion, maxDatagramSize });
    }
    plan.rebinds.forEach(({ at, sameHost }, index) => {
      network.schedule(at, () => {
        network.rebind('10.0.0.1:5000', `${sameHost ? '10.0.0.1' : '10.8.0.9'}:${String(7_000 + index)}`);
      });
    });
    for (const at of plan.keyUpdates) {
      network.schedule(at, () => {
        for (const traffic of [...this.#client.all, ...this.#server.all]) traffic.handle.connection.initiateKeyUpdate();
        for (const traffic of [...this.#client.all, ...this.#server.all]) traffic.handle.wake();
      });
    }
    network.run(HORIZON);
    this.#check();
    return {
      plan,
      faults: this.#faults,
      established: this.#client.all.filter(({ established }) => established).length,
      completed: this.#completed,
      endings: [...this.#client.all, ...this.#server.all].map(
        ({ role, ended, established }) =>
          `${role} ${established ? '' : 'not '}established: ${ended?.initiator ?? '-'} ${ended?.reason ?? ''}`,
      ),
      datagrams: network.sent,
      time: network.now,
      digest: this.#digest.update(network.digest).digest('hex'),
    };
  }

  #link(): QuicLink {
    const { link, narrowAt } = this.#plan;
    return this.#network.now < narrowAt ? link : { ...link, mtu: 1_200 };
  }

  #note(side: string, event: { readonly type: string; readonly streamId?: number }, _traffic: Traffic): void {
    this.#digest.update(`${side} ${String(this.#network.now)} ${event.type} ${String(event.streamId)} `);
  }

  #begin(traffic: Traffic): void {
    this.#opened.set(traffic, new Set());
    const start = this.#network.now;
    this.#plan.streams.forEach(({ at }) => {
      this.#network.schedule(start + at, () => {
        this.#openMore(traffic);
      });
    });
    this.#openMore(traffic);
  }

  /** Opens the streams whose time has come, as far as the server allows. */
  #openMore(traffic: Traffic): void {
    const opened = this.#opened.get(traffic);
    if (opened === undefined || traffic.ended !== undefined) return;
    this.#plan.streams.forEach(({ bidirectional, length, at }, index) => {
      if (opened.has(index) || at > this.#network.now) return;
      if (traffic.open(bidirectional, length) !== undefined) opened.add(index);
    });
  }

  #streamClosed(traffic: Traffic): void {
    const finished = (this.#finished.get(traffic) ?? 0) + 1;
    this.#finished.set(traffic, finished);
    this.#openMore(traffic);
    if (finished < this.#plan.streams.length) return;
    this.#completed += 1;
    traffic.handle.connection.close(0, 'done');
  }

  #check(): void {
    const fault = (text: string): number => this.#faults.push(text);
    const plan = this.#plan;
    const cap = quicLimitValues(plan.limits).maxUnconsumedBytes;
    for (const traffic of [...this.#client.all, ...this.#server.all]) {
      this.#faults.push(...traffic.faults.map((text) => `${traffic.role}: ${text}`));
      if (traffic.ended === undefined) fault(`a ${traffic.role} never ended`);
      else if (traffic.ended.initiator === 'engine') fault(`${traffic.role}: ${traffic.ended.reason}`);
      else if (traffic.ended.errorCode === QuicError.invalidToken && plan.retry && plan.rebinds.length > 0) {
        // The address that the Retry proved is not the client's any more.
      } else if (traffic.ended.errorCode !== 0 && traffic.ended.initiator === 'peer') {
        fault(`${traffic.role}: closed with ${String(traffic.ended.errorCode)} ${traffic.ended.reason}`);
      }
      if (traffic.mostUnread > cap) fault(`${traffic.role}: ${String(traffic.mostUnread)} bytes unread`);
    }
    for (const traffic of this.#client.all) this.#checkWhole(traffic);
    for (const [name, { endpoint }] of [
      ['server', this.#server],
      ['client', this.#client],
    ] as const) {
      const left = [endpoint.connectionCount, endpoint.stubCount, endpoint.halfOpenCount];
      if (left.some((count) => count > 0)) fault(`${name} keeps ${left.join(', ')}`);
      if (endpoint.nextTimeout() !== undefined) fault(`${name} has a timer left`);
    }
  }

  /** Everything that was sent came back, when the connection was left by its client in peace. */
  #checkWhole(traffic: Traffic): void {
    if (traffic.ended?.initiator !== 'application') return;
    const sent = this.#plan.streams.filter(({ bidirectional }) => bidirectional);
    const bytes = sent.reduce((sum, { length }) => sum + length, 0);
    if (traffic.received !== bytes)
      this.#faults.push(`${String(traffic.received)} bytes of ${String(bytes)} came back`);
    const open = [...traffic.arriving.values()].filter(({ ended }) => !ended).length;
    if (open > 0) this.#faults.push(`${String(open)} streams have no end`);
  }
}
