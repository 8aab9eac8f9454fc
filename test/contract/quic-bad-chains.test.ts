/**
 * The chains of networking-bad-chains.test.ts over QUIC: the same codes, the alert that belongs to each on the wire, and
 * no byte of a stream and no event of the application in either direction (RFC 9001 section 4.4).
 */
import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { ClientTlsConfig } from '../../src/common/index.ts';
import { nodeCryptoProvider } from '../../src/crypto/index.ts';
import { SystemClock } from '../../src/networking/system-clock.ts';
import { engineIdentity } from '../../src/protocols/quic/engine-identity.ts';
import { ClientChainVerifier, ServerChainVerifier } from '../../src/trust/index.ts';
import type { CertificateVerdict } from '../../src/trust/index.ts';
import { badChains, badPaths, goodChains, trusting } from '../support/chain-cases.ts';
import type { ChainCase } from '../support/chain-cases.ts';
import { makeCertificate, testPki } from '../support/test-certificates.ts';
import { ConnectionPair } from '../unit/quic/connection-pair.ts';
import type { PairOptions, Side } from '../unit/quic/connection-pair.ts';

const clock = new SystemClock();
const HOST = '127.0.0.1';

/** A pair of which each side sends as soon as it has a stream. */
function eagerPair(options: PairOptions): ConnectionPair {
  const began = new Set<Side>();
  return new ConnectionPair({
    ...options,
    onEvent: (pair, side, event) => {
      if (event.type !== 'QuicStreamsAvailable' && event.type !== 'HandshakeCompleted') return;
      const connection = pair.side(side);
      if (began.has(side) || connection.availableStreams(true) === 0) return;
      began.add(side);
      connection.writeStream(connection.openStream(true), Buffer.from(`data of the ${side}`), true);
    },
  });
}

/** What came of a chain of a server. */
async function attempt({ identity, tls }: ChainCase): Promise<{ pair: ConnectionPair; verdict: CertificateVerdict }> {
  const pair = eagerPair({
    client: { serverName: tls.serverName, host: tls.serverName ?? HOST },
    identity,
    certificate: 'silent',
  });
  pair.run(1_000, () => pair.only('client', 'CertificateReceived').length > 0);
  const [question] = pair.only('client', 'CertificateReceived');
  if (question === undefined) throw new Error('no certificate came');
  // However long the answer takes, nothing is let through before it.
  pair.wait(500);
  const verdict = await judge(tls, question.chain, question.serverName);
  pair.client.submitCertificateVerdict(answer(verdict));
  pair.wait(2_000);
  return { pair, verdict };
}

function judge(tls: ClientTlsConfig, chain: readonly Uint8Array[], host: string): Promise<CertificateVerdict> {
  return new ServerChainVerifier(tls, { clock }).verify({ chain, host });
}

function answer(verdict: CertificateVerdict): { ok: true } | { ok: false; alert: number; reason: string } {
  return verdict.accepted ? { ok: true } : { ok: false, alert: verdict.alert, reason: verdict.reason };
}

const TOLD = new Set(['CertificateReceived', 'ClientHelloReceived', 'QuicConnectionClosed']);

/** Nothing of an application came to either side. */
function expectSilence(pair: ConnectionPair): void {
  for (const side of ['client', 'server'] as const) {
    expect(pair.events[side].map(({ type }) => type).filter((type) => !TOLD.has(type))).toEqual([]);
    expect(pair.received[side].size).toBe(0);
    expect(pair.side(side).handshakeComplete).toBe(false);
  }
}

describe('over QUIC a certificate', () => {
  it.each([...badChains, ...badPaths])('$what is refused with $code', async ({ code, ...chain }) => {
    const { pair, verdict } = await attempt(chain);
    expect(verdict).toMatchObject({ accepted: false, code });
    expectSilence(pair);
    // CRYPTO_ERROR with the alert (RFC 9001 section 4.8), as the client says and as the server hears it.
    const errorCode = 0x100 + (verdict.accepted ? 0 : verdict.alert);
    expect(pair.closed('client')).toMatchObject({ application: false, errorCode });
    expect(pair.closed('server')).toMatchObject({ application: false, errorCode, initiator: 'peer' });
  });

  it.each(goodChains)('$what is accepted', async (chain) => {
    const { pair, verdict } = await attempt(chain);
    expect(verdict).toEqual({ accepted: true });
    expect(pair.client.handshakeConfirmed).toBe(true);
    expect(pair.bytes('server', 0).toString()).toBe('data of the client');
    expect(pair.bytes('client', 1).toString()).toBe('data of the server');
  });

  it('that nobody judges lets nothing through, and ends in time', () => {
    const pair = eagerPair({ certificate: 'silent' });
    pair.run(60_000, () => pair.closed('client') !== undefined);
    pair.wait(1_000);
    expectSilence(pair);
  });

  it('is shown to the user’s check whole, leaf first', async () => {
    const { server, ca } = testPki();
    const subjects: string[][] = [];
    const tls: ClientTlsConfig = {
      ...trusting,
      verify: ({ chain }) => void subjects.push(chain.map((der) => new X509Certificate(der).subject)),
    };
    const { verdict } = await attempt({ what: '', identity: server, tls });
    expect(verdict).toEqual({ accepted: true });
    const subject = (pem: string): string => new X509Certificate(pem).subject;
    expect(subjects).toEqual([[subject(server.certPem), subject(ca.certPem)]]);
  });
});

describe('over QUIC the certificate of a client', () => {
  const { ca, client, server } = testPki();
  const other = makeCertificate({ authority: true, commonName: 'another authority' });

  it.each([
    ['of the authority given', client, undefined],
    ['of another authority', makeCertificate({ issuer: other, usage: 'client' }), 'ERR_CERT_AUTHORITY'],
    ['for servers only', server, 'ERR_CERT_PURPOSE'],
    [
      'that has expired',
      makeCertificate({ issuer: ca, usage: 'client', notBefore: new Date(0), notAfter: new Date(86_400_000) }),
      'ERR_CERT_EXPIRED',
    ],
  ])('%s', async (_what, identity, code) => {
    const pair = eagerPair({
      client: { identity: engineIdentity(nodeCryptoProvider, identity) },
      server: { clientCertificate: 'require' },
      identity: server,
      certificate: 'silent',
    });
    pair.run(1_000, () => pair.only('client', 'CertificateReceived').length > 0);
    pair.client.submitCertificateVerdict({ ok: true });
    pair.run(2_000, () => pair.only('server', 'CertificateReceived').length > 0);
    const [question] = pair.only('server', 'CertificateReceived');
    pair.wait(500);
    expect(pair.received.server.size).toBe(0);
    const verdict = await new ClientChainVerifier({ ca: ca.cert }, { clock }).verify({ chain: question?.chain ?? [] });
    pair.side('server').submitCertificateVerdict(answer(verdict));
    pair.wait(2_000);
    if (code === undefined) {
      expect(verdict).toEqual({ accepted: true });
      expect(pair.bytes('server', 0).toString()).toBe('data of the client');
      return;
    }
    expect(verdict).toMatchObject({ accepted: false, code });
    // The client has completed the handshake on its side; the server has not, and takes nothing.
    expect(pair.received.server.size).toBe(0);
    expect(pair.only('server', 'HandshakeCompleted')).toEqual([]);
    const errorCode = 0x100 + (verdict.accepted ? 0 : verdict.alert);
    expect(pair.closed('client')).toMatchObject({ application: false, errorCode, initiator: 'peer' });
  });
});
