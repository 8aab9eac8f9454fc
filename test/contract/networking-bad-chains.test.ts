/**
 * Chains that must be refused: each fails the handshake with its own code, and no byte of data passes in either
 * direction.
 */
import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../src/common/index.ts';
import type { CertificateCheck, ClientTlsConfig } from '../../src/common/index.ts';
import { SystemNetworking } from '../../src/networking/index.ts';
import type { ClientNetworking, ServerNetworking } from '../../src/networking/index.ts';
import { runSimulation } from '../../src/networking/simulation/index.ts';
import { pinOf } from '../../src/trust/index.ts';
import { X509Certificate } from 'node:crypto';
import { ListenerRecorder, loopback, portOf } from '../support/networking-environment.ts';
import { bytesOf, StreamRecorder } from '../support/stream-recorder.ts';
import { makeCertificate, testPki } from '../support/test-certificates.ts';
import type { TestIdentity } from '../support/test-certificates.ts';

const { ca, server } = testPki();
const day = 86_400_000;
const other = makeCertificate({ authority: true, commonName: 'another authority' });
const intermediate = makeCertificate({ authority: true, commonName: 'intermediate', issuer: ca });
const oldIntermediate = makeCertificate({
  authority: true,
  commonName: 'old intermediate',
  issuer: ca,
  notBefore: new Date(Date.now() - 9 * day),
  notAfter: new Date(Date.now() - day),
});
const trusting: ClientTlsConfig = { ca: ca.cert };
const pin = (identity: TestIdentity): string => pinOf(new X509Certificate(identity.certPem));

/** Networking that has TLS, or its stand-in. */
interface SecureKind {
  readonly name: string;
  run<Value>(body: (networking: ServerNetworking & ClientNetworking) => Promise<Value>): Promise<Value>;
}

const kinds: readonly SecureKind[] = [
  { name: 'system TLS', run: (body) => body(new SystemNetworking()) },
  {
    name: 'simulated TLS',
    run: async (body) =>
      (await runSimulation(3, (simulation) => body(simulation.networking), { wallStart: Date.now() })).value,
  },
];

/** What came of an attempt to connect. */
interface Outcome {
  readonly error: unknown;
  readonly bytesToServer: number;
  readonly serverName: string | undefined;
}

/** Connects to a server that sends at once; tells what came of it. */
async function attempt(
  networking: ServerNetworking & ClientNetworking,
  identity: { readonly cert: string; readonly key: string },
  tls: ClientTlsConfig,
): Promise<Outcome> {
  const accepted = new ListenerRecorder();
  const listener = await networking.listenTcp(
    { endpoint: loopback('https'), tls: { cert: identity.cert, key: identity.key } },
    accepted,
  );
  const servers: StreamRecorder[] = [];
  const listed = accepted.streamAccepted.bind(accepted);
  accepted.streamAccepted = (stream) => {
    const recorder = StreamRecorder.start(stream);
    servers.push(recorder);
    stream.write(bytesOf('data of the server'));
    listed(stream);
  };
  const target = { host: '127.0.0.1', port: portOf(listener) };
  const outcome = await networking.connectTcpTls({ target, tls }).then(
    (stream) => ({ error: undefined, stream }),
    (error: unknown) => ({ error, stream: undefined }),
  );
  await accepted.outcomes(1);
  // A refused connection is over on the server's side as well.
  if (outcome.stream === undefined) for (const recorder of servers) await recorder.closing();
  await listener.close();
  for (const stream of accepted.streams) stream.abort();
  outcome.stream?.abort();
  return {
    error: outcome.error,
    bytesToServer: servers.reduce((sum, recorder) => sum + recorder.byteCount, 0),
    serverName: outcome.stream?.tls?.serverName,
  };
}

const bad: readonly {
  readonly what: string;
  readonly code: string;
  readonly identity: TestIdentity;
  readonly tls: ClientTlsConfig;
}[] = [
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

describe.each(kinds)('over $name a certificate', (kind) => {
  it.each(bad)('$what is refused with $code', async ({ code, identity, tls }) => {
    const { error, bytesToServer } = await kind.run((networking) => attempt(networking, identity, tls));
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({ code, phase: 'tls', initiator: 'network' });
    expect((error as NetworkError).message).toMatch(/^TLS with 127\.0\.0\.1:\d+ failed: /);
    expect(bytesToServer).toBe(0);
  });

  const good: readonly { readonly what: string; readonly identity: TestIdentity; readonly tls: ClientTlsConfig }[] = [
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

  it.each(good)('$what is accepted', async ({ identity, tls }) => {
    const { error, serverName } = await kind.run((networking) => attempt(networking, identity, tls));
    expect(error).toBeUndefined();
    expect(serverName).toBe(tls.serverName);
  });

  it('is shown to the user’s check whole, leaf first, while nothing is read or sent', async () => {
    const checks: CertificateCheck[] = [];
    const identity = makeCertificate({ issuer: intermediate });
    const { error, bytesToServer } = await kind.run((networking) =>
      attempt(networking, identity, {
        ...trusting,
        verify: async (check) => {
          checks.push(check);
          await Promise.resolve();
        },
      }),
    );
    expect(error).toBeUndefined();
    expect(bytesToServer).toBe(0);
    expect(checks).toHaveLength(1);
    expect(checks[0]?.host).toBe('127.0.0.1');
    const subjects = checks[0]?.chain.map((der) => new X509Certificate(der).subject) ?? [];
    expect(subjects.slice(1)).toEqual(['CN=intermediate', 'CN=test authority']);
  });
});
