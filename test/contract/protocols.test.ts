/**
 * The contract of engines, over everything in the registry: each client faces each server of its version, with bytes
 * as they were sent and cut into pieces. Which cases are left out is written down here, one by one.
 */
import { describe, expect, it } from 'vitest';
import '../../src/connections/index.ts';
import { register as registerWrapper } from '../../src/engines/http2-wrapper/index.ts';
import { register as registerNodeHttp } from '../../src/engines/node-http/index.ts';
import { register as registerNodeHttp2 } from '../../src/engines/node-http2/index.ts';
import { capabilityNames, protocolRegistry } from '../../src/protocols/index.ts';
import type { ProtocolRegistryEntry, QuicRegistryEntry, RegistryVersion } from '../../src/protocols/index.ts';
import { contractCases } from './cases.ts';
import type { ContractCase } from './contract-case.ts';
import type { Cut } from './engine-pair.ts';
import { EnginePair } from './engine-pair.ts';
import { play, PlayedPair } from './played-pair.ts';
import { QuicEnginePair } from './quic-pair.ts';
import { refusals } from './refusals.ts';

registerNodeHttp();
registerNodeHttp2();
await registerWrapper();

const versions: readonly RegistryVersion[] = ['http1', 'http2'];
const cuts: readonly Cut[] = ['whole', 1, 7];

type Entry = ProtocolRegistryEntry | QuicRegistryEntry;

interface Pairing {
  readonly name: string;
  readonly client: Entry;
  readonly server: Entry;
  readonly overQuic: boolean;
  readonly make: (cut: Cut) => PlayedPair;
}

const label = (entry: Entry): string => `${entry.version}/${entry.name}`;

const named = (client: Entry, server: Entry): string => `${label(client)} client, ${label(server)} server`;

const pairings: Pairing[] = versions.flatMap((version) => {
  const entries = protocolRegistry.entries(version);
  const clients = entries.filter(({ createClientFactory }) => createClientFactory !== undefined);
  const servers = entries.filter(({ createServerFactory }) => createServerFactory !== undefined);
  return clients.flatMap((client) =>
    servers.map((server) => ({
      name: named(client, server),
      client,
      server,
      overQuic: false,
      make: (cut: Cut) =>
        new PlayedPair(
          new EnginePair(client.createClientFactory!(), server.createServerFactory!(), cut),
          client.asynchronous === true || server.asynchronous === true,
        ),
    })),
  );
});

for (const client of protocolRegistry.quicEntries()) {
  for (const server of protocolRegistry.quicEntries()) {
    const make = (): PlayedPair => new PlayedPair(new QuicEnginePair(client, server), false);
    pairings.push({ name: named(client, server), client, server, overQuic: true, make });
  }
}

const covers = ({ client, server }: Pairing, needs: readonly string[]): boolean =>
  needs.every((need) => [client, server].every((entry) => [...entry.capabilities].some((name) => name === need)));

const isRun = (pairing: Pairing, { needs, overTcpOnly }: ContractCase): boolean =>
  covers(pairing, needs) && !(pairing.overQuic && overTcpOnly === true);

/** Every (engine, case) that is not run, and no other. */
const expectedSkips: readonly string[] = [
  ...[
    'http1/hface client, http1/hface server',
    'http1/hface client, http1/node server',
    'http1/node client, http1/hface server',
    'http1/node client, http1/node server',
  ].flatMap((pairing) => [
    `${pairing}: an extended CONNECT carries raw bytes both ways (RFC 8441)`,
    `${pairing}: priorities reach the server (RFC 9218 section 7)`,
    `${pairing}: datagrams pass both ways (RFC 9297 section 2.1)`,
  ]),
  ...[
    'http2/hface client, http2/hface server',
    'http2/hface client, http2/node server',
    'http2/wrapper client, http2/hface server',
    'http2/wrapper client, http2/node server',
  ].flatMap((pairing) => [
    `${pairing}: an accepted Upgrade carries raw bytes both ways, with half-close (RFC 9110 section 7.8)`,
    `${pairing}: an Upgrade that is not taken up is an ordinary exchange`,
    `${pairing}: detach gives back what was not delivered, and ends the engine`,
    ...(pairing === 'http2/hface client, http2/hface server'
      ? []
      : [`${pairing}: priorities reach the server (RFC 9218 section 7)`]),
    `${pairing}: datagrams pass both ways (RFC 9297 section 2.1)`,
  ]),
  ...['http3/hface client, http3/hface server'].flatMap((pairing) => [
    `${pairing}: what belongs to QUIC is refused over TCP`,
    `${pairing}: an accepted Upgrade carries raw bytes both ways, with half-close (RFC 9110 section 7.8)`,
    `${pairing}: an Upgrade that is not taken up is an ordinary exchange`,
    `${pairing}: detach gives back what was not delivered, and ends the engine`,
  ]),
];

describe('the registry', () => {
  it('has the implementations that this release ships', () => {
    expect(protocolRegistry.entries().map(label)).toEqual([
      'http1/hface',
      'http2/hface',
      'http1/node',
      'http2/node',
      'http2/wrapper',
    ]);
    expect(protocolRegistry.quicEntries().map(label)).toEqual(['http3/hface']);
  });

  it('leaves out exactly the cases that are written down', () => {
    const skips = pairings.flatMap((pairing) =>
      contractCases
        .filter((contractCase) => !isRun(pairing, contractCase))
        .map(({ name }) => `${pairing.name}: ${name}`),
    );
    expect(skips).toEqual(expectedSkips);
  });

  it('has no two cases of one name, and a case for every capability that can be shown between two engines', () => {
    const names = contractCases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const shown = new Set(contractCases.flatMap(({ needs }) => needs));
    // Strict parsing is shown with bytes that no engine sends (strict-parsing.test.ts); early data needs TLS.
    expect(capabilityNames.filter((name) => !shown.has(name))).toEqual(['earlyData', 'strictParsing']);
  });
});

describe.each(pairings)('$name', (pairing) => {
  for (const contractCase of contractCases) {
    if (!isRun(pairing, contractCase)) continue;
    // Packets are not cut on their way.
    it.each(pairing.overQuic ? (['whole'] as const) : (contractCase.cuts ?? cuts))(
      `${contractCase.name} (cut: %s)`,
      async (cut) => {
        const pair = pairing.make(cut);
        await play(pair, contractCase.run(pair));
        pair.checkOwnership();
      },
    );
  }

  for (const capability of capabilityNames) {
    if (covers(pairing, [capability])) continue;
    it(`does without ${capability}, says so, and loses nothing`, async () => {
      const pair = pairing.make('whole');
      await play(pair, refusals[capability](pair));
      pair.checkOwnership();
    });
  }

  it('says on both engines what the registry says', () => {
    const pair = pairing.make('whole');
    expect([...pair.client.engine.capabilities]).toEqual([...pairing.client.capabilities]);
    expect([...pair.server.engine.capabilities]).toEqual([...pairing.server.capabilities]);
    expect([pair.client.engine.role, pair.server.engine.role]).toEqual(['client', 'server']);
    expect(pair.client.engine.multiplexed).toBe(pair.server.engine.multiplexed);
  });
});
