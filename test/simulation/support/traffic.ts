/**
 * A server and a client with a pool on one simulated network, exchanging what a seed says.
 */
import {
  defaultClientFactory,
  defaultServerFactory,
  HttpOverTcpListener,
  HttpOverTcpOpener,
  HttpPool,
  serveExchanges,
} from '../../../src/connections/index.ts';
import type { PoolTarget } from '../../../src/connections/index.ts';
import type { HttpOverTcpFactory } from '../../../src/protocols/index.ts';
import type { Simulation } from '../../../src/networking/simulation/index.ts';
import { Asked } from './asked.ts';
import type { Plan } from './plan.ts';
import { drawPlan } from './plan.ts';
import { Served } from './served.ts';

/** What a run of traffic is like. */
export interface TrafficOptions {
  readonly requests: number;
  /** About how many bytes the largest bodies have. */
  readonly scale: number;
  /** Whether connections may break on their way. */
  readonly trouble: boolean;
  /** The engines of both sides. Default: those of HTTP/1.1. */
  readonly factories?: { readonly server: HttpOverTcpFactory; readonly client: HttpOverTcpFactory } | undefined;
  /** At these times, in milliseconds, the server or the client winds down one of its connections. */
  readonly shutdowns?: readonly { readonly at: number; readonly by: 'server' | 'client' }[] | undefined;
}

/** What came of it. */
export interface TrafficResult {
  readonly faults: readonly string[];
  readonly asked: readonly Asked[];
  readonly served: readonly Served[];
  /** The most bytes that one exchange had under way in one direction. */
  readonly peak: number;
}

const PORT = 8080;
const http1 = {
  server: defaultServerFactory({ protocol: ['http1'] }),
  client: defaultClientFactory({ protocol: ['http1'] }),
};

/** Runs the traffic to its end, and closes everything. */
export async function runTraffic(simulation: Simulation, options: TrafficOptions): Promise<TrafficResult> {
  const { clock, random, networking } = simulation;
  const faults: string[] = [];
  const plans = Array.from({ length: options.requests }, (_, id) => drawPlan(id, random, options.scale));
  const served: Served[] = [];

  const listener = new HttpOverTcpListener({ networking, factory: options.factories?.server ?? http1.server });
  const listening = await listener.listen(
    { scheme: 'http', host: '10.0.0.1', port: PORT, unixPath: undefined },
    {
      connectionAccepted: (connection) => {
        serveExchanges(connection, {
          exchangeReceived: (exchange) => {
            const plan = plans[Number(exchange.path.slice(1))] as Plan;
            if (plan.fate === 'nobody takes it') return;
            const one = new Served(plan, exchange, clock, complainOf(`exchange ${exchange.path}`));
            served.push(one);
            one.begin();
          },
        });
      },
    },
  );
  const away = simulation.networkingAt('10.0.0.2');
  const pool = new HttpPool({
    opener: new HttpOverTcpOpener({ networking: away, factory: options.factories?.client ?? http1.client }),
    clock,
    limits: { maxConnectionsPerOrigin: random.integer(1, 6), idleTimeout: random.pick([50, 1_000, 15_000]) },
  });
  const target: PoolTarget = { origin: { scheme: 'http', host: '10.0.0.1', port: PORT } };
  const asked = plans.map((plan) => new Asked(plan, clock, complainOf(`request ${String(plan.id)}`)));
  let peak = 0;
  const measure = (): void => {
    for (const one of served) {
      const other = asked[one.plan.id] as Asked;
      peak = Math.max(peak, one.sent - other.consumed, other.sent - one.consumed);
    }
  };
  for (const one of asked) one.begin(pool, target);
  for (const { at, by } of options.shutdowns ?? []) {
    clock.schedule(clock.now() + at, () => {
      if (by === 'client') pool.closeIdle();
      else for (const connection of [...listening.connections].slice(0, 1)) void connection.shutdown();
    });
  }
  let watching = true;
  const watch = (): void => {
    measure();
    if (watching) clock.schedule(clock.now() + 100, watch);
  };
  watch();
  await Promise.all(asked.map((one) => one.done));
  watching = false;

  await pool.close();
  await listening.drain({ timeout: 30_000 });
  for (const one of served) if (!one.isClosed) faults.push(`exchange ${String(one.plan.id)} was never closed`);
  if (listening.connections.size > 0) faults.push('connections of the server are left');
  const { connections, waiting, origins } = pool.state;
  if (connections + waiting + origins > 0) faults.push('something of the pool is left');
  // The timers of the plans themselves run out.
  await simulation.sleep(5_000);
  return { faults, asked, served, peak };

  function complainOf(subject: string): (fault: string) => void {
    return (fault) => {
      faults.push(`${subject}: ${fault}`);
    };
  }
}
