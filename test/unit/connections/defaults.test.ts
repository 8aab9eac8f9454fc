import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/common/index.ts';
import { defaultClientFactory, defaultServerFactory, systemNetworking } from '../../../src/connections/index.ts';
import type { ProtocolChoice } from '../../../src/connections/index.ts';
import { Http1ServerFactory } from '../../../src/protocols/http1/index.ts';
import { protocolRegistry } from '../../../src/protocols/index.ts';
import type { TraceHandler } from '../../../src/protocols/index.ts';

const context = { secure: false, alpn: undefined, epochOffset: 0, random: { fill: (target: Uint8Array) => target } };

describe('defaults', () => {
  it('register our engines', () => {
    expect(protocolRegistry.lookup('http1', 'hface').name).toBe('hface');
    expect(protocolRegistry.lookup('http2', 'hface').name).toBe('hface');
  });

  it('make one networking, when it is asked for', () => {
    expect(systemNetworking()).toBe(systemNetworking());
  });

  it('make factories of either role that speak what was chosen', () => {
    // The best first, in whatever order they were named (RFC 7301 section 3.2).
    for (const protocol of ['all', 'tcp', ['http1', 'http2']] as const) {
      expect(defaultServerFactory({ protocol })).toMatchObject({
        role: 'server',
        alpnProtocols: ['h2', 'http/1.1', 'http/1.0'],
      });
      expect(defaultClientFactory({ protocol })).toMatchObject({ role: 'client', alpnProtocols: ['h2', 'http/1.1'] });
    }
    expect(defaultServerFactory({ protocol: ['http1'] }).alpnProtocols).toEqual(['http/1.1', 'http/1.0']);
    expect(defaultClientFactory({ protocol: ['http2'] }).alpnProtocols).toEqual(['h2']);
    expect(defaultServerFactory().create(context, 0).role).toBe('server');
    expect(defaultClientFactory().create(context, 0).role).toBe('client');
  });

  it('speak by ALPN, without it HTTP/1.1, or HTTP/2 where that is all there is (RFC 9113 section 3.3)', () => {
    const versionOf = (protocol: ProtocolChoice, alpn: string | undefined): string =>
      defaultClientFactory({ protocol }).create({ ...context, alpn }, 0).httpVersion;
    expect(versionOf('all', 'h2')).toBe('2');
    expect(versionOf('all', 'http/1.1')).toBe('1.1');
    expect(versionOf('all', undefined)).toBe('1.1');
    expect(versionOf(['http2'], undefined)).toBe('2');
    // There is no fallback outside the set.
    expect(() => versionOf(['http2'], 'http/1.1')).toThrow(ConfigurationError);
  });

  it('tell a trace what passes', () => {
    const told: string[] = [];
    const trace: TraceHandler = {
      submitted: ({ type }) => told.push(type),
      event: ({ type }) => told.push(type),
      frame: (direction, { type }) => told.push(`${direction} ${type}`),
    };
    const engine = defaultClientFactory({ protocol: ['http2'], trace }).create(context, 0);
    const head = [':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', '/'];
    engine.submitHeaders(engine.getAvailableStreamId(), head, { endStream: true });
    engine.bytesToSend(0);
    expect(told).toEqual(expect.arrayContaining(['Headers', 'sent PREFACE', 'sent SETTINGS', 'sent HEADERS']));
  });

  it('hand settings to the engines', () => {
    const factory = defaultServerFactory({ settings: { http1: { limits: { headTimeout: 5 } } } });
    expect(factory.create(context, 100).nextTimeout()).toBe(105);
    expect(factory.create({ ...context, alpn: 'http/1.1' }, 100).nextTimeout()).toBe(105);
  });

  it('use a factory in place of the registered one', () => {
    const given = new Http1ServerFactory({ limits: { headTimeout: 7 } });
    expect(
      defaultServerFactory({ protocol: ['http1'], factories: { http1: given } })
        .create(context, 0)
        .nextTimeout(),
    ).toBe(7);
    expect(() => defaultClientFactory({ factories: { http1: given } })).toThrow(ConfigurationError);
  });

  it.each([
    ['no version', { protocol: [] }],
    ['a version that is not there', { protocol: ['http3'] }],
    ['an implementation that is not there', { implementations: { http1: 'other' } }],
    ['a limit that does not exist', { settings: { http1: { limits: { headTimeuot: 5 } } } }],
  ] as const)('refuse %s', (_what, options) => {
    expect(() => defaultServerFactory(options)).toThrow(ConfigurationError);
  });
});
