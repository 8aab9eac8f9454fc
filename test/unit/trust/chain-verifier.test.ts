/**
 * Chains checked here, as QUIC needs it: every way in which one can fail, with its code, its alert and its sentence.
 */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../../src/common/index.ts';
import type { ClientTlsConfig, ServerTlsConfig } from '../../../src/common/index.ts';
import { ClientChainVerifier, defaultRoots, pinOf, ServerChainVerifier } from '../../../src/trust/index.ts';
import type { CertificateVerdict, ChainVerifierOptions } from '../../../src/trust/index.ts';
import {
  alternativeNames,
  basicConstraints,
  CLIENT_AUTH,
  der,
  derAuthority,
  derCertificate,
  derServer,
  dnsConstraints,
  extendedKeyUsage,
  extension,
  keyUsage,
  newKey,
  SERVER_AUTH,
  serverExtensions,
} from '../../support/der-certificates.ts';
import type { DerCertificateOptions, DerIdentity } from '../../support/der-certificates.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** The wall time of this clock is that of the tests' certificates. */
class TodaysClock extends ManualClock {
  readonly #wall: number;

  constructor(wall: number = Date.now()) {
    super();
    this.#wall = wall;
  }

  override wallTime(): number {
    return this.#wall;
  }
}

type ServerAuthorities = Pick<ServerTlsConfig, 'ca'>;
const root = derAuthority({ subject: 'root' });
const intermediate = derAuthority({ subject: 'intermediate', issuer: root });
const trusting: ClientTlsConfig = { ca: root.pem };
const DAY = 86_400_000;

function verdictOf(
  chain: readonly (DerIdentity | Uint8Array)[],
  config: ClientTlsConfig = trusting,
  options: Partial<ChainVerifierOptions> & { readonly host?: string; readonly signal?: AbortSignal } = {},
): Promise<CertificateVerdict> {
  const { host = 'localhost', signal, ...rest } = options;
  const verifier = new ServerChainVerifier(config, { clock: new TodaysClock(), ...rest });
  return verifier.verify({ chain: chain.map((one) => (one instanceof Uint8Array ? one : one.der)), host, signal });
}

/** The leaf's extensions, with some of them replaced by others. */
const leafWith = (...extensions: Buffer[]): DerIdentity => derServer(root, { extensions });

const accepted = { accepted: true };

describe('a chain is accepted', () => {
  it.each<[string, DerIdentity[]]>([
    ['straight from an authority', [derServer(root)]],
    ['through an intermediate', [derServer(intermediate), intermediate]],
    ['with the authority at its end', [derServer(intermediate), intermediate, root]],
    ['out of order', [derServer(intermediate), root, intermediate]],
    ['with a certificate that has no part in it', [derServer(intermediate), derAuthority(), intermediate]],
    ['with a certificate twice', [derServer(intermediate), intermediate, intermediate]],
    ['without extendedKeyUsage (RFC 5280 section 4.2.1.12)', [leafWith(alternativeNames('localhost'))]],
    ['of Ed25519', [derServer(root, { key: newKey('ed25519') })]],
    ['of RSA', [derServer(root, { key: newKey('rsa2048') })]],
  ])('%s', async (_what, chain) => {
    expect(await verdictOf(chain)).toEqual(accepted);
  });

  it('by an authority with a key of Ed25519', async () => {
    const other = derAuthority({ key: newKey('ed25519') });
    expect(await verdictOf([derServer(other)], { ca: other.pem })).toEqual(accepted);
  });

  it('where another path ends at nobody, or at one who has expired', async () => {
    const key = newKey();
    const own = derAuthority({ subject: 'crossed', key });
    const lost = derAuthority({ subject: 'crossed', key, issuer: derAuthority({ subject: 'gone' }) });
    const old = derAuthority({ subject: 'crossed', key, issuer: root, notAfter: new Date(Date.now() - 1_000) });
    const leaf = derServer(own);
    expect(await verdictOf([leaf, lost, old], { ca: [root.pem, own.pem] })).toEqual(accepted);
  });

  it('by an extra authority besides those of Node', async () => {
    expect(await verdictOf([derServer(root)], { extraCa: root.pem })).toEqual(accepted);
  });

  it('when the leaf is the authority itself, if it says that it is one', async () => {
    const both = derCertificate({ extensions: [basicConstraints(true), alternativeNames('localhost')] });
    expect(await verdictOf([both], { ca: both.pem })).toEqual(accepted);
    expect(await verdictOf([both, intermediate], { ca: both.pem })).toEqual(accepted);
  });

  it('to which Node’s own authorities lead', async () => {
    const verifier = new ServerChainVerifier({}, { clock: new TodaysClock() });
    const roots = defaultRoots().map((pem) => new X509Certificate(pem));
    const some = roots.find(({ ca, validTo }) => ca && Date.parse(validTo) > Date.now());
    const verdict = await verifier.verify({ chain: [some?.raw ?? new Uint8Array(0)], host: 'a.example' });
    // An authority has no name of a host: it got as far as that.
    expect(verdict).toMatchObject({ accepted: false, code: expect.stringMatching(/^ERR_CERT_(NAME|PURPOSE)$/) });
  });
});

const day = (days: number): Date => new Date(Date.now() + days * DAY);
const AUTHORITY = ['ERR_CERT_AUTHORITY', 48] as const;
const INVALID = ['ERR_CERT_INVALID', 42] as const;
const PURPOSE = ['ERR_CERT_PURPOSE', 43] as const;
const UNKNOWN_EXTENSION = extension('1.2.3.4.5', der(0x05), true);

describe('a chain is refused', () => {
  const under = (above: DerIdentity, ...chain: DerIdentity[]): DerIdentity[] => [derServer(above), ...chain];
  const authority = (options: DerCertificateOptions & { pathLength?: number }): DerIdentity =>
    derAuthority({ issuer: root, ...options });

  const expired = authority({ notAfter: day(-0.5) });
  const noCa = authority({ extensions: [basicConstraints(false)] });
  const noBasic = authority({ extensions: [keyUsage(0x04)] });
  const noSigning = authority({ extensions: [basicConstraints(true), keyUsage(0x80)] });
  const short = authority({ pathLength: 0 });
  const critical = authority({ extensions: [basicConstraints(true), UNKNOWN_EXTENSION] });
  const oldVersion = authority({ version: 0, extensions: undefined as never });
  const weak = authority({ key: newKey('rsa1024') });
  const strange = authority({ key: newKey('secp256k1') });
  const clientsOnly = authority({ extensions: [basicConstraints(true), extendedKeyUsage(CLIENT_AUTH)] });
  const permitted = authority({ extensions: [basicConstraints(true), dnsConstraints({ permitted: ['a.example'] })] });
  const excluded = authority({ extensions: [basicConstraints(true), dnsConstraints({ excluded: ['localhost'] })] });
  const emptied = authority({ extensions: [basicConstraints(true), extension('2.5.29.30', der(0x30), true)] });
  const otherKey = { ...intermediate, key: newKey() };

  it.each<[string, readonly (DerIdentity | Uint8Array)[], readonly [code: string, alert: number], string]>([
    ['it is empty', [], INVALID, 'it showed no certificate'],
    ['it is no certificate', [Buffer.from('hello')], INVALID, 'cannot be read'],
    ['something stands behind it', [Buffer.concat([derServer(root).der, Buffer.alloc(1)])], INVALID, 'cannot be read'],
    ['its issuer is missing', under(intermediate), AUTHORITY, 'not trusted here'],
    ['its authority is unknown', under(derAuthority()), AUTHORITY, 'not trusted here'],
    [
      'it signed itself',
      [derCertificate({ extensions: serverExtensions() })],
      ['ERR_CERT_SELF_SIGNED', 48],
      'self-sig',
    ],
    ['it has expired', [derServer(root, { notAfter: day(-0.5) })], ['ERR_CERT_EXPIRED', 45], 'has expired'],
    [
      'it is not valid yet',
      [derServer(root, { notBefore: day(0.5) })],
      ['ERR_CERT_NOT_YET_VALID', 42],
      'not valid yet',
    ],
    ['its intermediate has expired', under(expired, expired), ['ERR_CERT_EXPIRED', 45], 'has expired'],
    [
      'it is signed by another key',
      under(otherKey, intermediate),
      INVALID,
      'the signature on its certificate is wrong',
    ],
    ['its intermediate is no authority', under(noCa, noCa), INVALID, 'is no authority'],
    ['its intermediate does not say what it is', under(noBasic, noBasic), INVALID, 'is no authority'],
    ['its intermediate may not sign certificates', under(noSigning, noSigning), INVALID, 'is no authority'],
    ['an authority is of version 1', under(oldVersion, oldVersion), INVALID, 'authority'],
    ['an authority has a weak key', under(weak, weak), INVALID, 'weak'],
    ['an authority has a key of an odd curve', under(strange, strange), INVALID, 'weak'],
    ['an authority is for clients only', under(clientsOnly, clientsOnly), PURPOSE, 'not meant for this use'],
    ['an authority may not issue for it', under(permitted, permitted), INVALID, 'may not issue for that name'],
    ['an authority must not issue for it', under(excluded, excluded), INVALID, 'must not issue for that name'],
    ['constraints are empty', under(emptied, emptied), INVALID, 'malformed or out of place'],
    ['an authority has an unknown critical extension', under(critical, critical), ['ERR_CERT_INVALID', 43], 'critical'],
    [
      'it has one',
      [leafWith(...serverExtensions(), UNKNOWN_EXTENSION)],
      ['ERR_CERT_INVALID', 43],
      'critical extension',
    ],
    [
      'it has an extension twice',
      [leafWith(...serverExtensions(), keyUsage(0x80))],
      INVALID,
      'malformed or out of place',
    ],
    [
      'its key usage is malformed',
      [leafWith(alternativeNames('localhost'), extension('2.5.29.15', der(0x02, [0x80])))],
      INVALID,
      'malformed or out of place',
    ],
    ['it does not sign', [leafWith(alternativeNames('localhost'), keyUsage(0x20))], PURPOSE, 'not meant for this use'],
    [
      'it signs certificates, and is no authority',
      [leafWith(alternativeNames('localhost'), keyUsage(0x84))],
      PURPOSE,
      'not meant',
    ],
    [
      'it is an authority that signs no certificates',
      [leafWith(alternativeNames('localhost'), basicConstraints(true), keyUsage(0x80))],
      PURPOSE,
      'not meant',
    ],
    [
      'it is for clients only',
      [leafWith(alternativeNames('localhost'), extendedKeyUsage(CLIENT_AUTH))],
      PURPOSE,
      'not meant for this use',
    ],
    [
      'it is for any purpose, which is none',
      [leafWith(alternativeNames('localhost'), extendedKeyUsage('2.5.29.37.0'))],
      PURPOSE,
      'not meant for this use',
    ],
    [
      'its key is weak',
      [derServer(root, { key: newKey('rsa1024') })],
      INVALID,
      'the key of its certificate is too weak',
    ],
    ['its signature is by SHA-1', [derServer(root, { hash: 'sha1' })], INVALID, 'weak or unknown algorithm'],
    [
      'it has no subject, and its names are not critical',
      [derServer(root, { subject: '' })],
      INVALID,
      'malformed or out of place',
    ],
    ['it names no issuer', [derServer(root, { issuerName: '' })], AUTHORITY, 'not trusted here'],
    [
      'it has name constraints',
      [leafWith(...serverExtensions(), dnsConstraints({ permitted: ['localhost'] }))],
      INVALID,
      'malformed or out of place',
    ],
    [
      'it is for another host',
      [leafWith(...serverExtensions('b.example'))],
      ['ERR_CERT_NAME', 42],
      'its certificate is for b.example, not for localhost',
    ],
    [
      'it is for the host by common name only (RFC 9525 section 2)',
      [derServer(root, { subject: 'localhost', extensions: [extendedKeyUsage(SERVER_AUTH)] })],
      ['ERR_CERT_NAME', 42],
      'its certificate is for no name at all',
    ],
  ])('when %s', async (_what, chain, [code, alert], sentence) => {
    const verdict = await verdictOf(chain);
    expect(verdict).toMatchObject({ accepted: false, code, alert, reason: expect.stringContaining(sentence) });
  });

  it('when a path is longer than an authority allows', async () => {
    const below = derAuthority({ issuer: short });
    expect(await verdictOf([derServer(below), below, short])).toMatchObject({
      code: 'ERR_CERT_INVALID',
      reason: 'its chain is longer than one of its authorities may have it',
    });
    expect(await verdictOf([derServer(short), short])).toEqual(accepted);
  });

  it('when constraints of several authorities leave nothing', async () => {
    const wide = derAuthority({
      issuer: permitted,
      extensions: [basicConstraints(true), dnsConstraints({ permitted: ['localhost'] })],
    });
    // The library adds both up; each holds by itself (RFC 5280 section 6.1.4 (g)).
    expect(await verdictOf([derServer(wide), wide, permitted])).toMatchObject({ code: 'ERR_CERT_INVALID' });
  });

  it('when the authority that is trusted constrains names', async () => {
    const anchor = derAuthority({ extensions: [basicConstraints(true), dnsConstraints({ permitted: ['b.example'] })] });
    expect(await verdictOf([derServer(anchor)], { ca: anchor.pem })).toMatchObject({ code: 'ERR_CERT_INVALID' });
  });

  it('when the one who is trusted was issued by another', async () => {
    expect(await verdictOf([derServer(intermediate)], { ca: intermediate.pem })).toMatchObject({
      code: 'ERR_CERT_AUTHORITY',
    });
  });

  it('when it ends at a copy of an authority with another signature', async () => {
    const forged = derAuthority({ subject: 'root' });
    expect(await verdictOf([derServer(forged), forged])).toMatchObject({ accepted: false });
  });
});

describe('whose chain it is', () => {
  const honest = derServer(intermediate, { extensions: serverExtensions('honest.example') });

  it.each<[string, (evil: DerIdentity) => (DerIdentity | Uint8Array)[]]>([
    ['behind it', (evil) => [evil, honest, intermediate]],
    ['with itself before it', (evil) => [evil, evil, intermediate, honest]],
    ['as the last one, itself twice', (evil) => [evil, intermediate, evil, honest]],
  ])('a foreign leaf %s proves nothing', async (_where, chainOf) => {
    const evil = derCertificate({ extensions: serverExtensions('honest.example') });
    expect(await verdictOf(chainOf(evil), trusting, { host: 'honest.example' })).toMatchObject({ accepted: false });
    expect(await verdictOf([honest, intermediate], trusting, { host: 'honest.example' })).toEqual(accepted);
  });

  it('is not decided by a twin of the leaf with another signature', async () => {
    const twin = Buffer.from(honest.der);
    twin[twin.length - 1] = (twin[twin.length - 1] as number) ^ 1;
    for (const chain of [
      [twin, intermediate],
      [twin, intermediate, honest],
      [twin, honest, intermediate],
    ]) {
      expect(await verdictOf(chain, trusting, { host: 'honest.example' })).toMatchObject({ accepted: false });
    }
  });
});

describe('besides the path', () => {
  const leaf = derServer(intermediate);
  const pin = (identity: DerIdentity): string => pinOf(new X509Certificate(identity.der));

  it('a pin may be of any certificate of the path, also of an authority that was not sent', async () => {
    for (const one of [leaf, intermediate, root]) {
      expect(await verdictOf([leaf, intermediate], { ...trusting, pins: [pin(one)] })).toEqual(accepted);
    }
    const stranger = derAuthority();
    expect(await verdictOf([leaf, intermediate, stranger], { ...trusting, pins: [pin(stranger)] })).toMatchObject({
      code: 'ERR_PIN',
      alert: 42,
    });
  });

  it('insecure leaves out path and host, not pins nor the user’s check', async () => {
    const self = derCertificate();
    expect(await verdictOf([self], { insecure: true })).toEqual(accepted);
    expect(await verdictOf([self], { insecure: true, pins: [pin(leaf)] })).toMatchObject({ code: 'ERR_PIN' });
    const verify = (): Promise<void> => Promise.reject(new Error('no'));
    expect(await verdictOf([self], { insecure: true, verify })).toMatchObject({ code: 'ERR_CERT_REFUSED' });
  });

  it('the user’s check is shown the path, and is last', async () => {
    const shown: string[][] = [];
    const verify = ({ chain }: { readonly chain: readonly Uint8Array[] }): void => {
      shown.push(chain.map((one) => new X509Certificate(one).subject));
    };
    expect(await verdictOf([leaf, derAuthority(), intermediate], { ...trusting, verify })).toEqual(accepted);
    expect(await verdictOf([derServer(derAuthority())], { ...trusting, verify })).toMatchObject({ accepted: false });
    expect(shown).toEqual([[`CN=${leaf.subject}`, 'CN=intermediate', 'CN=root']]);
    expect(new ServerChainVerifier({ verify }, { clock: new TodaysClock() }).allowsResumption).toBe(false);
  });

  it('time is the clock’s', async () => {
    const later = new TodaysClock(Date.now() + 3 * DAY);
    expect(await verdictOf([leaf, intermediate], trusting, { clock: later })).toMatchObject({
      code: 'ERR_CERT_EXPIRED',
    });
  });

  it('what was found good once is good for as long as all of it is valid', async () => {
    let now = Date.now();
    class MovedClock extends ManualClock {
      override wallTime(): number {
        return now;
      }
    }
    const short = derAuthority({ issuer: root, notAfter: new Date(now + 1_000), notBefore: new Date(now - 1_000) });
    const verifier = new ServerChainVerifier(trusting, { clock: new MovedClock() });
    const judge = (host: string): Promise<CertificateVerdict> =>
      verifier.verify({ chain: [below.der, short.der], host });
    const below = derServer(short);
    expect(await judge('localhost')).toEqual(accepted);
    expect(await judge('localhost')).toEqual(accepted);
    // The host is asked for each time.
    expect(await judge('b.example')).toMatchObject({ code: 'ERR_CERT_NAME' });
    now += 3_000;
    expect(await judge('localhost')).toMatchObject({ code: 'ERR_CERT_EXPIRED' });
    now -= 6_000;
    expect(await judge('localhost')).toMatchObject({ code: 'ERR_CERT_NOT_YET_VALID' });
    now += 3_000;
    expect(await judge('localhost')).toEqual(accepted);
    // What differs in one octet is another chain.
    const twin = Buffer.from(below.der);
    twin[twin.length - 1] = (twin[twin.length - 1] as number) ^ 1;
    expect(await verifier.verify({ chain: [twin, short.der], host: 'localhost' })).toMatchObject({ accepted: false });
  });

  it('an abort gives up at once, and accepts nothing', async () => {
    const controller = new AbortController();
    const verify = (): Promise<void> => new Promise(() => undefined);
    const verdict = verdictOf([leaf, intermediate], { ...trusting, verify }, { signal: controller.signal });
    controller.abort(new Error('enough'));
    expect(await verdict).toMatchObject({ accepted: false, code: 'ERR_CANCELLED', cause: new Error('enough') });
    const late = verdictOf([leaf, intermediate], trusting, { signal: AbortSignal.abort() });
    expect(await late).toMatchObject({ accepted: false, code: 'ERR_CANCELLED' });
  });

  it('authorities and limits are checked when they are given', () => {
    const options = { clock: new TodaysClock() };
    expect(() => new ServerChainVerifier({ ca: 'none' }, options)).toThrow(ConfigurationError);
    expect(() => new ClientChainVerifier({ ca: 'none' }, options)).toThrow(ConfigurationError);
    expect(() => new ServerChainVerifier({}, { ...options, limits: { maxCertificates: -1 } })).toThrow(
      ConfigurationError,
    );
  });
});

describe('a client’s chain', () => {
  const verify = (chain: readonly DerIdentity[], config: ServerAuthorities = trusted): Promise<CertificateVerdict> =>
    new ClientChainVerifier(config, { clock: new TodaysClock() }).verify({ chain: chain.map((one) => one.der) });
  const trusted: ServerAuthorities = { ca: root.pem };
  const client = derCertificate({ issuer: root, extensions: [extendedKeyUsage(CLIENT_AUTH)] });

  it('needs clientAuth and no name', async () => {
    expect(await verify([client])).toEqual(accepted);
    expect(await verify([derServer(root)])).toMatchObject({ code: 'ERR_CERT_PURPOSE', alert: 43 });
  });

  it('is refused when it is empty, or of another authority', async () => {
    expect(await verify([])).toMatchObject({ code: 'ERR_CERT_INVALID', reason: 'it showed no certificate' });
    expect(await verify([client], { ca: derAuthority().pem })).toMatchObject({ code: 'ERR_CERT_AUTHORITY', alert: 48 });
    expect(await verify([client], {})).toMatchObject({ code: 'ERR_CERT_AUTHORITY' });
  });
});
