/**
 * Tunnels, asked for and accepted by one code over every version: CONNECT (RFC 9110 section 9.3.6), Upgrade (section
 * 7.8), extended CONNECT (RFC 8441).
 */
import { describe, expect, it } from 'vitest';
import {
  acceptTunnel,
  defaultClientFactory,
  defaultServerFactory,
  HttpOverTcpListener,
  HttpOverTcpOpener,
  offeredTunnel,
  openExchanges,
  openTunnel,
  serveExchanges,
  tunnelAccepted,
  tunnelRequest,
} from '../../../src/connections/index.ts';
import type {
  ClientExchange,
  ClientExchangeHandler,
  ClientExchanges,
  ServerExchange,
  TunnelRequest,
} from '../../../src/connections/index.ts';
import { runSimulation } from '../../../src/networking/simulation/index.ts';
import type { Simulation } from '../../../src/networking/simulation/index.ts';
import type { RegistryVersion } from '../../../src/protocols/index.ts';

const ORIGIN = { scheme: 'http', host: '10.0.0.1', port: 8080 } as const;

/** Echoes within a tunnel, until the client half-closes; says who offered nothing. */
function echo(exchange: ServerExchange): void {
  exchange.start({
    dataReceived(data, length, endStream) {
      exchange.dataConsumed(length);
      exchange.sendData(data, endStream);
    },
    trailersReceived: () => undefined,
    writable: () => undefined,
    aborted: () => undefined,
    closed: () => exchange.handlerEnded(),
  });
  const plain = exchange.method === 'CONNECT' && exchange.protocol === undefined;
  if (plain) acceptTunnel(exchange, undefined);
  else if (offeredTunnel(exchange, 'echo') !== undefined) acceptTunnel(exchange, 'echo', ['x-echo', 'yes']);
  else exchange.respond(501, [], undefined);
}

/** One tunnel from the client's end. */
class Tunnel implements ClientExchangeHandler {
  status = 0;
  received = '';
  ended = false;
  error: unknown = undefined;
  exchange: ClientExchange | undefined = undefined;
  readonly closed_: Promise<void>;
  readonly opened: Promise<void>;
  #close: () => void = () => undefined;
  #open: () => void = () => undefined;

  constructor() {
    this.closed_ = new Promise((resolve) => (this.#close = resolve));
    this.opened = new Promise((resolve) => (this.#open = resolve));
  }

  informationalReceived(): void {}
  headersReceived(status: number): void {
    this.status = status;
    this.#open();
  }
  dataReceived(data: Uint8Array, length: number, endStream: boolean): void {
    this.received += Buffer.from(data).toString('latin1');
    this.exchange?.dataConsumed(length);
    this.ended ||= endStream;
  }
  trailersReceived(): void {}
  writable(): void {}
  failed(error: unknown): void {
    this.error = error;
    this.#open();
  }
  closed(): void {
    this.#close();
  }
}

async function within(
  simulation: Simulation,
  version: RegistryVersion,
  work: (exchanges: ClientExchanges) => Promise<void>,
): Promise<void> {
  const listener = new HttpOverTcpListener({ networking: simulation.networking, factory: defaultServerFactory() });
  const listening = await listener.listen(
    { ...ORIGIN, unixPath: undefined },
    { connectionAccepted: (connection) => void serveExchanges(connection, { exchangeReceived: echo }) },
  );
  const networking = simulation.networkingAt('10.0.0.2');
  const opener = new HttpOverTcpOpener({ networking, factory: defaultClientFactory({ protocol: [version] }) });
  const connection = await opener.open({ origin: ORIGIN });
  let settled: () => void = () => undefined;
  const settings = new Promise<void>((resolve) => (settled = resolve));
  const exchanges = openExchanges(connection, {
    eventReceived: ({ type }) => {
      if (type === 'SettingsReceived') settled();
    },
  });
  if (version === 'http2') {
    expect(exchanges.extendedConnect).toBeUndefined();
    await settings;
    expect(exchanges.extendedConnect).toBe(true);
  }
  await work(exchanges);
  await connection.close();
  await listening.close();
}

const base: TunnelRequest = { protocol: 'echo', scheme: 'http', authority: 'a.example:80', path: '/', headers: [] };

describe.each(['http1', 'http2'] as const)('a tunnel over %s', (version) => {
  it.each([
    ['for a protocol', base],
    ['by plain CONNECT', { ...base, protocol: undefined }],
  ])('%s carries raw bytes both ways and is half-closed from each side', async (_what, request) => {
    const result = await runSimulation(1, (simulation) =>
      within(simulation, version, async (exchanges) => {
        const tunnel = new Tunnel();
        tunnel.exchange = openTunnel(exchanges, request, tunnel);
        await tunnel.opened;
        expect(tunnelAccepted(tunnelRequest(exchanges.connection.protocol, request), tunnel.status)).toBe(true);
        tunnel.exchange.sendData(new TextEncoder().encode('GET / '), false);
        tunnel.exchange.sendData(new TextEncoder().encode('HTTP/1.1'), true);
        await tunnel.closed_;
        expect([tunnel.received, tunnel.ended, tunnel.error]).toEqual(['GET / HTTP/1.1', true, undefined]);
      }),
    );
    expect(result.leftovers).toEqual([]);
  });

  it('that is not offered is answered as any request', async () => {
    const result = await runSimulation(2, (simulation) =>
      within(simulation, version, async (exchanges) => {
        const tunnel = new Tunnel();
        const request = { ...base, protocol: 'other' };
        tunnel.exchange = openTunnel(exchanges, request, tunnel);
        await tunnel.opened;
        expect(tunnel.status).toBe(501);
        expect(tunnelAccepted(tunnelRequest(exchanges.connection.protocol, request), tunnel.status)).toBe(false);
      }),
    );
    expect(result.leftovers).toEqual([]);
  });
});
