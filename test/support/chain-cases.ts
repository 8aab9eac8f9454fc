/**
 * Chains that must be refused, and some that must not, whatever carries TLS.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import type { ClientTlsConfig } from '../../src/common/index.ts';
import { pinOf } from '../../src/trust/index.ts';
import {
  basicConstraints,
  CLIENT_AUTH,
  der,
  derAuthority,
  derServer,
  dnsConstraints,
  extendedKeyUsage,
  extension,
  keyPem,
  keyUsage,
  newKey,
  serverExtensions,
} from './der-certificates.ts';
import type { DerIdentity } from './der-certificates.ts';
import { bytesOf } from './stream-recorder.ts';
import { makeCertificate, testPki } from './test-certificates.ts';
import type { TestIdentity } from './test-certificates.ts';

/** A chain, who judges it, and what comes of it. */
export interface ChainCase {
  readonly what: string;
  /** PEM, leaf first. */
  readonly identity: { readonly cert: string; readonly key: string };
  readonly tls: ClientTlsConfig;
}

/** The same, with the code of its refusal. */
export interface BadChain extends ChainCase {
  readonly code: string;
  /** What OpenSSL says, where it finds several faults and tells the last. */
  readonly codeByOpenSsl?: RegExp;
}

const { ca, server } = testPki();
const day = 86_400_000;
const other = makeCertificate({ authority: true, commonName: 'another authority' });
/** Issued by the authority that all trust. */
export const intermediate: TestIdentity = makeCertificate({ authority: true, commonName: 'intermediate', issuer: ca });
const oldIntermediate = makeCertificate({
  authority: true,
  commonName: 'old intermediate',
  issuer: ca,
  notBefore: new Date(Date.now() - 9 * day),
  notAfter: new Date(Date.now() - day),
});
/** Trusts the authority of tests. */
export const trusting: ClientTlsConfig = { ca: ca.cert };
const pin = (identity: TestIdentity): string => pinOf(new X509Certificate(identity.certPem));

/** Refused over every kind of TLS, also over the one that simulations stand in for. */
export const badChains: readonly BadChain[] = [
  {
    what: 'expired',
    code: 'ERR_CERT_EXPIRED',
    identity: makeCertificate({
      issuer: ca,
      notBefore: new Date(Date.now() - 9 * day),
      notAfter: new Date(Date.now() - day),
    }),
    tls: trusting,
  },
  {
    what: 'not valid yet',
    code: 'ERR_CERT_NOT_YET_VALID',
    identity: makeCertificate({ issuer: ca, notBefore: new Date(Date.now() + day) }),
    tls: trusting,
  },
  {
    what: 'issued by an expired intermediate',
    code: 'ERR_CERT_EXPIRED',
    identity: makeCertificate({ issuer: oldIntermediate }),
    tls: trusting,
  },
  {
    what: 'for another host',
    code: 'ERR_CERT_NAME',
    identity: makeCertificate({ issuer: ca, names: ['other.test', '192.0.2.1'] }),
    tls: trusting,
  },
  {
    what: 'for the host by common name only (RFC 9525 section 2)',
    code: 'ERR_CERT_NAME',
    identity: makeCertificate({ issuer: ca, names: [], commonName: '127.0.0.1' }),
    tls: trusting,
  },
  {
    what: 'for a name that only looks like the address',
    code: 'ERR_CERT_NAME',
    identity: makeCertificate({ issuer: ca, names: ['localhost'] }),
    tls: trusting,
  },
  {
    what: 'of an unknown authority',
    code: 'ERR_CERT_AUTHORITY',
    identity: makeCertificate({ issuer: other }),
    tls: trusting,
  },
  { what: 'of an authority of tests, with Node’s own roots', code: 'ERR_CERT_AUTHORITY', identity: server, tls: {} },
  {
    what: 'without the intermediate that issued it',
    code: 'ERR_CERT_AUTHORITY',
    identity: ((): TestIdentity => {
      const made = makeCertificate({ issuer: intermediate });
      return { ...made, cert: made.certPem };
    })(),
    tls: trusting,
  },
  { what: 'self-signed', code: 'ERR_CERT_SELF_SIGNED', identity: makeCertificate(), tls: trusting },
  {
    what: 'meant for clients only',
    code: 'ERR_CERT_PURPOSE',
    identity: makeCertificate({ issuer: ca, usage: 'client' }),
    tls: trusting,
  },
  { what: 'without a pinned key', code: 'ERR_PIN', identity: server, tls: { ...trusting, pins: [pin(other)] } },
  {
    what: 'without a pinned key, although anything is accepted',
    code: 'ERR_PIN',
    identity: server,
    tls: { insecure: true, pins: [pin(other)] },
  },
  {
    what: 'with a pinned certificate that is only appended',
    code: 'ERR_PIN',
    identity: { ...server, cert: server.cert + other.certPem },
    tls: { ...trusting, pins: [pin(other)] },
  },
  {
    what: 'that the user’s check throws at',
    code: 'ERR_CERT_REFUSED',
    identity: server,
    tls: {
      ...trusting,
      verify: () => {
        throw new Error('not today');
      },
    },
  },
  {
    what: 'that the user’s check rejects later',
    code: 'ERR_CERT_REFUSED',
    identity: server,
    tls: {
      ...trusting,
      verify: async () => {
        await Promise.resolve();
        throw new Error('not today');
      },
    },
  },
];

/** Accepted over every kind. */
export const goodChains: readonly ChainCase[] = [
  { what: 'of the authority given', identity: server, tls: trusting },
  { what: 'of an extra authority, given as bytes', identity: server, tls: { extraCa: [bytesOf(ca.cert)] } },
  { what: 'with its intermediate', identity: makeCertificate({ issuer: intermediate }), tls: trusting },
  { what: 'with a pinned key', identity: server, tls: { ...trusting, pins: [pin(other), `sha256//${pin(server)}`] } },
  {
    what: 'whose intermediate is pinned',
    identity: makeCertificate({ issuer: intermediate }),
    tls: { ...trusting, pins: [pin(intermediate)] },
  },
  {
    what: 'whose root is pinned, though the server does not send it',
    identity: makeCertificate({ issuer: intermediate }),
    tls: { ...trusting, pins: [pin(ca)] },
  },
  {
    what: 'self-signed, when anything is accepted',
    identity: makeCertificate({ names: [] }),
    tls: { insecure: true },
  },
  {
    what: 'for the name given in place of the host',
    identity: makeCertificate({ issuer: ca, names: ['a.test'] }),
    tls: { ...trusting, serverName: 'a.test' },
  },
];

const root = derAuthority({ subject: 'root of octets' });
const trustingRoot: ClientTlsConfig = { ca: root.pem };

/** A chain made octet by octet. */
function path(
  what: string,
  code: string,
  chain: readonly DerIdentity[],
  tls: ClientTlsConfig = trustingRoot,
): BadChain {
  const cert = chain.map(({ pem }) => pem).join('');
  return { what, code, identity: { cert, key: keyPem(chain[0] as DerIdentity) }, tls };
}

function authority(...extensions: readonly Uint8Array[]): DerIdentity {
  return derAuthority({ issuer: root, extensions });
}

const UNKNOWN = extension('1.2.3.4.5', der(0x05), true);
const noAuthority = authority(basicConstraints(false));
const mayNotSign = authority(basicConstraints(true), keyUsage(0x80));
const unknowable = authority(basicConstraints(true), UNKNOWN);
const short = derAuthority({ issuer: root, pathLength: 0 });
const below = derAuthority({ issuer: short });
const middle = derAuthority({ issuer: root });
const elsewhere = authority(basicConstraints(true), dnsConstraints({ permitted: ['a.example'] }));
const notHere = authority(basicConstraints(true), dnsConstraints({ excluded: ['localhost'] }));
const clientsOnly = authority(basicConstraints(true), extendedKeyUsage(CLIENT_AUTH));
const forged = { ...derAuthority({ issuer: root, subject: 'forged' }), key: newKey() };

/** Refused wherever a path is judged in earnest. */
export const badPaths: readonly BadChain[] = [
  path('with an unknown critical extension', 'ERR_CERT_INVALID', [
    derServer(root, { extensions: [...serverExtensions(), UNKNOWN] }),
  ]),
  path('under an unknown critical extension', 'ERR_CERT_INVALID', [derServer(unknowable), unknowable]),
  {
    ...path('issued by one that is no authority', 'ERR_CERT_INVALID', [derServer(noAuthority), noAuthority]),
    codeByOpenSsl: /^ERR_CERT_(?:INVALID|PURPOSE)$/,
  },
  path('issued by one that may not sign certificates', 'ERR_CERT_INVALID', [derServer(mayNotSign), mayNotSign]),
  path('too far below an authority', 'ERR_CERT_INVALID', [derServer(below), below, short]),
  path('for a name that its authority may not issue for', 'ERR_CERT_INVALID', [derServer(elsewhere), elsewhere]),
  path('for a name that its authority must not issue for', 'ERR_CERT_INVALID', [derServer(notHere), notHere]),
  path('of an authority for clients', 'ERR_CERT_PURPOSE', [derServer(clientsOnly), clientsOnly]),
  path('signed by another key', 'ERR_CERT_INVALID', [derServer(forged), forged]),
  path('of an intermediate that is trusted by itself', 'ERR_CERT_AUTHORITY', [derServer(short)], { ca: short.pem }),
  path('behind its own authority, which nobody trusts', 'ERR_CERT_AUTHORITY', [derServer(middle), middle, root], {
    ca: derAuthority().pem,
  }),
];
