/** The verifier of a configuration: order of checks, pins, names, and a user's check with its deadline. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, TimeoutError } from '../../../src/common/index.ts';
import type { ClientTlsConfig } from '../../../src/common/index.ts';
import {
  CERTIFICATE_ALERTS,
  certificateIsFor,
  ConfiguredVerifier,
  defaultRoots,
  pathRefused,
  pinOf,
  readPins,
  systemRoots,
} from '../../../src/trust/index.ts';
import type { CertificateVerdict, PresentedCertificates } from '../../../src/trust/index.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { makeCertificate, testPki } from '../../support/test-certificates.ts';

const { ca, server } = testPki();
const der = (pem: string): Uint8Array => new X509Certificate(pem).raw;
const presented: PresentedCertificates = {
  chain: [der(server.certPem), der(ca.certPem)],
  host: 'localhost',
  pathError: undefined,
  resumed: false,
};

function verdictOf(
  config: ClientTlsConfig,
  over: Partial<PresentedCertificates> = {},
): CertificateVerdict | Promise<CertificateVerdict> {
  return new ConfiguredVerifier(config, { clock: new ManualClock() }).verify({ ...presented, ...over });
}

describe('ConfiguredVerifier', () => {
  it('answers at once where nothing is to be waited for', () => {
    expect(verdictOf({})).toEqual({ accepted: true });
    expect(verdictOf({ verify: () => undefined })).toEqual({ accepted: true });
  });

  it('reports a fault of the path before one of the name', () => {
    const verdict = verdictOf({}, { pathError: 'CERT_HAS_EXPIRED', host: 'other.test' });
    expect(verdict).toMatchObject({ accepted: false, code: 'ERR_CERT_EXPIRED', alert: 45 });
    expect(verdictOf({}, { host: 'other.test' })).toMatchObject({
      accepted: false,
      code: 'ERR_CERT_NAME',
      reason: 'its certificate is for localhost, 127.0.0.1, 0:0:0:0:0:0:0:1, not for other.test',
    });
  });

  it('insecure leaves out path and name, not pins nor the user’s check', async () => {
    const wrong = { pathError: 'DEPTH_ZERO_SELF_SIGNED_CERT', host: 'other.test' };
    expect(verdictOf({ insecure: true }, wrong)).toEqual({ accepted: true });
    const pins = [pinOf(new X509Certificate(makeCertificate().certPem))];
    expect(verdictOf({ insecure: true, pins }, wrong)).toMatchObject({ code: 'ERR_PIN' });
    const verify = (): Promise<void> => Promise.reject(new Error('no'));
    expect(await verdictOf({ insecure: true, verify }, wrong)).toMatchObject({ code: 'ERR_CERT_REFUSED' });
  });

  it('a resumed session is not asked for names and pins again, but for the state of its path', () => {
    const pins = [pinOf(new X509Certificate(makeCertificate().certPem))];
    expect(verdictOf({ pins }, { resumed: true, host: 'other.test' })).toEqual({ accepted: true });
    expect(verdictOf({}, { resumed: true, pathError: 'CERT_REVOKED' })).toMatchObject({ code: 'ERR_CERT_REVOKED' });
  });

  it('refuses a chain that is empty or cannot be read', () => {
    expect(verdictOf({}, { chain: [] })).toMatchObject({ code: 'ERR_CERT_INVALID' });
    expect(verdictOf({}, { chain: [new Uint8Array([0x30, 0x00])] })).toMatchObject({ code: 'ERR_CERT_INVALID' });
    const pins = [pinOf(new X509Certificate(server.certPem))];
    expect(verdictOf({ insecure: true, pins }, { chain: [new Uint8Array(3)] })).toMatchObject({ accepted: false });
    expect(verdictOf({ insecure: true, pins }, { chain: [] })).toMatchObject({ code: 'ERR_PIN' });
  });

  it('what a check throws is the cause, whatever it is', async () => {
    const thrown = new Error('not today');
    const verify = (): void => {
      throw thrown;
    };
    expect(verdictOf({ verify })).toMatchObject({
      accepted: false,
      code: 'ERR_CERT_REFUSED',
      reason: 'the check of its certificate refused it: not today',
      cause: thrown,
      alert: CERTIFICATE_ALERTS.certificateUnknown,
    });
    // A callback of plain JavaScript may reject with anything.
    const nothing: unknown = undefined;
    const odd = (): Promise<void> => Promise.reject(nothing);
    expect(await verdictOf({ verify: odd })).toMatchObject({ accepted: false, code: 'ERR_CERT_REFUSED' });
  });

  it('a check that does not answer is ended by its deadline', async () => {
    const clock = new ManualClock();
    const verifier = new ConfiguredVerifier({ verify: () => new Promise(() => {}) }, { clock, checkTimeout: 500 });
    const verdict = verifier.verify(presented);
    await clock.advance(499);
    await clock.advance(1);
    expect(await verdict).toMatchObject({ accepted: false, code: 'ERR_CERT_CHECK_TIMEOUT' });
    expect(((await verdict) as { cause: unknown }).cause).toBeInstanceOf(TimeoutError);
    expect(clock.scheduled).toBe(0);
  });

  it('a check that answers in time leaves no timer', async () => {
    const clock = new ManualClock();
    const verifier = new ConfiguredVerifier({ verify: () => Promise.resolve() }, { clock });
    expect(await verifier.verify(presented)).toEqual({ accepted: true });
    expect(clock.scheduled).toBe(0);
    expect(verifier.allowsResumption).toBe(false);
  });

  it('knows its authorities: Node’s, those given, or those and more', () => {
    const clock = new ManualClock();
    expect(new ConfiguredVerifier({}, { clock }).authorities).toBeUndefined();
    expect(new ConfiguredVerifier({ ca: ca.cert }, { clock }).authorities).toEqual([ca.cert]);
    const both = new ConfiguredVerifier({ ca: ca.cert, extraCa: server.certPem }, { clock }).authorities;
    expect(both).toEqual([ca.cert, server.certPem]);
    const more = new ConfiguredVerifier({ extraCa: ca.cert }, { clock }).authorities ?? [];
    expect(more.length).toBe(defaultRoots().length + 1);
    expect(more.length).toBeGreaterThan(50);
    expect(() => new ConfiguredVerifier({ extraCa: 'nonsense' }, { clock })).toThrow(ConfigurationError);
  });
});

describe('pins', () => {
  it.each(['', 'abc', 'sha256/abc', 'A'.repeat(44), `${'A'.repeat(43)}B`])('"%s" is none', (pin) => {
    expect(() => readPins([pin])).toThrow(ConfigurationError);
  });

  it('are read with and without their prefix', () => {
    const pin = pinOf(new X509Certificate(server.certPem));
    expect([...readPins([pin, `sha256/${pin}`, `sha256//${pin}`])]).toEqual([pin]);
    // The prefix ends where the pin begins, also for a pin that begins with a slash.
    const slash = `/${Buffer.alloc(32, 255).toString('base64').slice(1)}`;
    expect([...readPins([slash, `sha256/${slash}`, `sha256//${slash}`])]).toEqual([slash]);
  });
});

describe('names (RFC 9525)', () => {
  const certificate = new X509Certificate(
    makeCertificate({ names: ['example.test', '*.wild.test', '192.0.2.7', '2001:db8::7'], commonName: 'cn.test' })
      .certPem,
  );

  it.each([
    'example.test',
    'EXAMPLE.test',
    'example.test.',
    'a.wild.test',
    '192.0.2.7',
    '2001:db8::7',
    '2001:db8::7%eth0',
  ])('%s matches', (host) => {
    expect(certificateIsFor(certificate, host)).toBe(true);
  });

  it.each([
    '',
    '.',
    'cn.test',
    'wild.test',
    'a.b.wild.test',
    '192.0.2.8',
    '2001:db8::8',
    'xexample.test',
    '*.wild.test',
  ])('"%s" does not', (host) => {
    expect(certificateIsFor(certificate, host)).toBe(host === '*.wild.test');
  });
});

describe('what is wrong with a path', () => {
  it.each([
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'ERR_CERT_AUTHORITY', 48],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_CERT_AUTHORITY', 48],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'ERR_CERT_AUTHORITY', 48],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'ERR_CERT_SELF_SIGNED', 48],
    ['CERT_HAS_EXPIRED', 'ERR_CERT_EXPIRED', 45],
    ['CERT_NOT_YET_VALID', 'ERR_CERT_NOT_YET_VALID', 42],
    ['CERT_REVOKED', 'ERR_CERT_REVOKED', 44],
    ['INVALID_PURPOSE', 'ERR_CERT_PURPOSE', 43],
    ['PATH_LENGTH_EXCEEDED', 'ERR_CERT_INVALID', 42],
    ['SOMETHING_NEW', 'ERR_CERT_INVALID', 42],
  ])('%s is %s with alert %i (RFC 8446 section 6.2)', (error, code, alert) => {
    expect(pathRefused(error)).toMatchObject({ accepted: false, code, alert });
  });
});

describe('roots', () => {
  it('of the system are certificates, where the system tells them', () => {
    const roots = systemRoots();
    for (const pem of roots?.slice(0, 2) ?? []) expect(new X509Certificate(pem).subject).not.toBe('');
    expect(defaultRoots().length).toBeGreaterThan(50);
  });
});
