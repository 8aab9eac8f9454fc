import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Client, packageVersion } from '../../../src/client/index.ts';
import type { ClientNetworking, ClientOptions } from '../../../src/client/index.ts';
import { SteeredNetworking } from '../../../src/client/steered-networking.ts';
import { defaultUserAgent } from '../../../src/client/version.ts';
import { clientLimits, clientTimeouts } from '../../../src/client/limits.ts';
import { Http1ServerFactory } from '../../../src/protocols/http1/index.ts';
import { ManualClock, countingRandom } from './fake-transport.ts';

describe('a client', () => {
  it.each<[string, ClientOptions, RegExp]>([
    ['an unknown option', { timeout: 1 } as ClientOptions, /no option timeout/],
    ['an unknown timeout', { timeouts: { head: 1 } as object }, /no limit named head/],
    ['a negative timeout', { timeouts: { connect: -1 } }, /connect/],
    ['an unknown limit', { limits: { maxBody: 1 } as object }, /no limit named maxBody/],
    ['an unknown limit of the engine', { http1Limits: { maxHeaders: 1 } }, /no limit named maxHeaders/],
    ['a protocol that there is not', { protocol: ['http4'] as never }, /http4 is not available/],
    ['HTTP/3 over TCP', { protocol: 'tcp', http3: true }, /contradicts/],
    ['HTTP/3 and no HTTP/3', { protocol: ['http3'], http3: false }, /contradicts/],
    ['no protocol', { protocol: [] }, /no protocol/],
    ['an unknown implementation', { implementations: { http1: 'other' } }, /other/],
    ['a factory of servers', { http1Factory: new Http1ServerFactory() }, /for a server/],
    ['a target that is none', { connectTo: { 'a:80': 'b:c:d' } }, /no host and port/],
  ])('refuses %s when it is made', (_name, options, message) => {
    expect(() => new Client(options)).toThrow(message);
    expect(() => new Client(options)).toThrow(expect.objectContaining({ name: 'ConfigurationError' }));
  });

  it('opens nothing before the first request', async () => {
    let connections = 0;
    const refuse = (): Promise<never> => {
      connections += 1;
      return Promise.reject(new Error('not now'));
    };
    const networking: ClientNetworking = {
      clock: new ManualClock(),
      random: countingRandom,
      connectTcp: refuse,
      connectTcpTls: refuse,
    };
    const client = new Client({ networking });
    const session = client.session();
    expect(connections).toBe(0);
    await expect(session.dispatch({ url: 'http://a.example/' })).rejects.toThrow('not now');
    await expect(session.dispatch({ url: 'https://a.example/' })).rejects.toThrow('not now');
    expect(connections).toBe(2);
    await session[Symbol.asyncDispose]();
    expect(session.closed).toBe(true);
  });

  it('knows its version', () => {
    const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(text) as { version: string };
    expect([packageVersion, defaultUserAgent]).toEqual([version, `hface-ts/${version}`]);
  });

  it('documents each limit and timeout', () => {
    for (const [name, { unit, answers }] of [...Object.entries(clientTimeouts), ...Object.entries(clientLimits)]) {
      expect([name, answers.length > 20, unit]).toEqual([name, true, unit]);
    }
    for (const { unit } of Object.values(clientTimeouts)) expect(unit).toBe('milliseconds');
  });
});

describe('steered networking', () => {
  function recording(): { readonly networking: ClientNetworking; readonly seen: unknown[] } {
    const seen: unknown[] = [];
    const note = (options: object): Promise<never> => {
      seen.push(options);
      return Promise.reject(new Error('seen'));
    };
    return {
      seen,
      networking: { clock: new ManualClock(), random: countingRandom, connectTcp: note, connectTcpTls: note },
    };
  }

  it.each([
    ['127.0.0.1:8443', { host: '127.0.0.1', port: 8443 }],
    ['127.0.0.1', { host: '127.0.0.1', port: 443 }],
    ['[::1]:1', { host: '::1', port: 1 }],
    ['[::1]', { host: '::1', port: 443 }],
    ['other.example:80', { host: 'other.example', port: 80 }],
  ])('moves to %s', async (to, target) => {
    const { networking, seen } = recording();
    const steered = new SteeredNetworking(networking, { 'A.example:443': to });
    expect([steered.clock, steered.random]).toEqual([networking.clock, networking.random]);
    await steered.connectTcp({ target: { host: 'a.example', port: 443 } }).catch(() => {});
    await steered.connectTcp({ target: { host: 'b.example', port: 443 } }).catch(() => {});
    expect(seen).toEqual([{ target }, { target: { host: 'b.example', port: 443 } }]);
  });

  it('keeps the name to check, and one configuration for each', async () => {
    const { networking, seen } = recording();
    const steered = new SteeredNetworking(networking, { 'a.example:443': '127.0.0.1', '[::1]:443': '127.0.0.1' });
    const tls = { ca: 'x' };
    const named = { serverName: 'own.example' };
    for (const options of [{ tls }, { tls }, { tls: named }, {}]) {
      await steered.connectTcpTls({ target: { host: 'a.example', port: 443 }, ...options }).catch(() => {});
    }
    await steered.connectTcpTls({ target: { host: '::1', port: 443 } }).catch(() => {});
    await steered.connectTcpTls({ target: { host: 'b.example', port: 443 }, tls }).catch(() => {});
    const used = (seen as { tls: object }[]).map((options) => options.tls);
    expect(used[0]).toEqual({ ca: 'x', serverName: 'a.example' });
    expect(used[1]).toBe(used[0]);
    expect(used[2]).toBe(named);
    expect(used.slice(3)).toEqual([{ serverName: 'a.example' }, { serverName: '::1' }, tls]);
  });
});
