/**
 * Chains that must be refused: each fails the handshake with its own code, and no byte of data passes in either
 * direction. The same chains over QUIC: quic-bad-chains.test.ts.
 */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../src/common/index.ts';
import type { CertificateCheck, ClientTlsConfig } from '../../src/common/index.ts';
import { SystemNetworking } from '../../src/networking/index.ts';
import type { ClientNetworking, ServerNetworking } from '../../src/networking/index.ts';
import { runSimulation } from '../../src/networking/simulation/index.ts';
import { badChains, badPaths, goodChains, intermediate, trusting } from '../support/chain-cases.ts';
import { ListenerRecorder, loopback, portOf } from '../support/networking-environment.ts';
import { bytesOf, StreamRecorder } from '../support/stream-recorder.ts';
import { makeCertificate } from '../support/test-certificates.ts';

/** Networking that has TLS, or its stand-in. */
interface SecureKind {
  readonly name: string;
  /** Paths are judged by all the rules, not only by who issued what. */
  readonly judgesPaths: boolean;
  run<Value>(body: (networking: ServerNetworking & ClientNetworking) => Promise<Value>): Promise<Value>;
}

const kinds: readonly SecureKind[] = [
  { name: 'system TLS', judgesPaths: true, run: (body) => body(new SystemNetworking()) },
  {
    name: 'simulated TLS',
    judgesPaths: false,
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

describe.each(kinds)('over $name a certificate', (kind) => {
  it.each([...badChains, ...(kind.judgesPaths ? badPaths : [])])(
    '$what is refused with $code',
    async ({ code, codeByOpenSsl, identity, tls }) => {
      const { error, bytesToServer } = await kind.run((networking) => attempt(networking, identity, tls));
      expect(error).toBeInstanceOf(NetworkError);
      expect(error).toMatchObject({
        code: codeByOpenSsl === undefined ? code : expect.stringMatching(codeByOpenSsl),
        phase: 'tls',
        initiator: 'network',
      });
      expect((error as NetworkError).message).toMatch(/^TLS with 127\.0\.0\.1:\d+ failed: /);
      expect(bytesToServer).toBe(0);
    },
  );

  it.each(goodChains)('$what is accepted', async ({ identity, tls }) => {
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
