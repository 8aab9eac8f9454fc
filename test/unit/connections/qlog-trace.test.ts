/** A log of a real connection, read back as a JSON text sequence (RFC 7464). */
import { describe, expect, it } from 'vitest';
import { HttpOverQuicListener, HttpOverQuicOpener, qlogTrace } from '../../../src/connections/index.ts';
import type { QuicTraces } from '../../../src/connections/index.ts';
import { SystemNetworking } from '../../../src/networking/index.ts';
import { Http3ClientFactory, Http3ServerFactory } from '../../../src/protocols/http3/index.ts';
import { testPki } from '../../support/test-certificates.ts';

interface QlogRecord {
  readonly serialization_format?: string;
  readonly time?: number;
  readonly name?: string;
  readonly data?: Record<string, unknown>;
}

function recorder(): QuicTraces & {
  readonly logs: { readonly role: string; readonly records: QlogRecord[] }[];
  ended: number;
} {
  const logs: { readonly role: string; readonly records: QlogRecord[] }[] = [];
  const traces = {
    logs,
    ended: 0,
    begin: (role, path, clock) => {
      const records: QlogRecord[] = [];
      logs.push({ role, records });
      const head = { role, path, started: clock.now(), startedAt: clock.wallTime() };
      const trace = qlogTrace(head, (record) => {
        expect(record.startsWith('\x1e{')).toBe(true);
        records.push(JSON.parse(record.slice(1)) as QlogRecord);
      });
      return { trace, end: () => void (traces.ended += 1) };
    },
  } satisfies QuicTraces & { logs: unknown; ended: number };
  return traces;
}

describe('qlog', () => {
  it('tells a connection from its first packet to its end, on both sides', async () => {
    const networking = new SystemNetworking();
    const pki = testPki();
    const traces = recorder();
    const tls = { cert: pki.server.cert, key: pki.server.key };
    const listener = new HttpOverQuicListener({ networking, factory: new Http3ServerFactory(), tls, traces });
    const endpoint = { scheme: 'https', host: '127.0.0.1', port: 0, unixPath: undefined } as const;
    const listening = await listener.listen(endpoint, { connectionAccepted: () => undefined });
    const opener = new HttpOverQuicOpener({ networking, factory: new Http3ClientFactory(), traces });
    const origin = { scheme: 'https', host: 'localhost', port: listening.endpoints[0]?.port ?? 0 } as const;
    const connection = await opener.open({ origin, tls: { ca: pki.ca.cert }, family: 'ipv4' });
    await connection.close();
    await listening.close();
    expect(traces.logs.map(({ role }) => role).sort()).toEqual(['client', 'server']);
    expect(traces.ended).toBe(2);
    for (const { records } of traces.logs) {
      expect(records[0]).toMatchObject({ serialization_format: 'application/qlog+json-seq' });
      const names = new Set(records.slice(1).map(({ name }) => name));
      for (const name of [
        'quic:packet_sent',
        'quic:packet_received',
        'quic:parameters_set',
        'quic:connection_closed',
      ]) {
        expect(names).toContain(name);
      }
      const times = records.slice(1).map(({ time }) => time ?? -1);
      expect(times.every((time) => time >= -0.001)).toBe(true);
    }
  });
});
