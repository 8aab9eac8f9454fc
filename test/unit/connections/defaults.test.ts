import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/common/index.ts';
import { defaultClientFactory, defaultServerFactory, systemNetworking } from '../../../src/connections/index.ts';
import { Http1ServerFactory } from '../../../src/protocols/http1/index.ts';
import { protocolRegistry } from '../../../src/protocols/index.ts';

const context = { secure: false, alpn: undefined, epochOffset: 0, random: { fill: (target: Uint8Array) => target } };

describe('defaults', () => {
  it('register our engines', () => {
    expect(protocolRegistry.lookup('http1', 'hface').name).toBe('hface');
  });

  it('make one networking, when it is asked for', () => {
    expect(systemNetworking()).toBe(systemNetworking());
  });

  it('make factories of either role that speak what was chosen', () => {
    for (const protocol of ['all', 'tcp', ['http1']] as const) {
      expect(defaultServerFactory({ protocol })).toMatchObject({
        role: 'server',
        alpnProtocols: ['http/1.1', 'http/1.0'],
      });
      expect(defaultClientFactory({ protocol })).toMatchObject({ role: 'client', alpnProtocols: ['http/1.1'] });
    }
    expect(defaultServerFactory().create(context, 0).role).toBe('server');
    expect(defaultClientFactory().create(context, 0).role).toBe('client');
  });

  it('hand settings to the engines', () => {
    const factory = defaultServerFactory({ settings: { http1: { limits: { headTimeout: 5 } } } });
    expect(factory.create(context, 100).nextTimeout()).toBe(105);
  });

  it('use a factory in place of the registered one', () => {
    const given = new Http1ServerFactory({ limits: { headTimeout: 7 } });
    expect(
      defaultServerFactory({ factories: { http1: given } })
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
