import { describe, expect, it } from 'vitest';
import { aes256GcmSha384, chacha20Poly1305Sha256, cipherSuites, NamedGroup } from '../../../src/crypto/index.ts';
import { Alert } from '../../../src/tls/index.ts';
import type { ClientSession, TlsEvent } from '../../../src/tls/index.ts';
import { clientConfig, failure, identityOf, only, pump, sealer, serverConfig, shake } from './handshake-pair.ts';

const completed = (events: readonly TlsEvent[]): boolean => only(events, 'HandshakeCompleted').length === 1;

/** Both sides have the same secrets, each for its direction. */
function expectAgreement(client: readonly TlsEvent[], server: readonly TlsEvent[]): void {
  expect([failure(client), failure(server)]).toEqual([undefined, undefined]);
  expect([completed(client), completed(server)]).toEqual([true, true]);
  for (const level of ['handshake', 'application'] as const) {
    const [one] = only(client, 'SecretsReady').filter((event) => event.level === level);
    const [other] = only(server, 'SecretsReady').filter((event) => event.level === level);
    expect(one?.read).toEqual(other?.write);
    expect(one?.write).toEqual(other?.read);
    expect(one?.suite).toBe(other?.suite);
  }
}

describe('a full handshake', () => {
  it.each(cipherSuites)('by $name', ({ id }) => {
    const { client, server } = shake(clientConfig({ cipherSuites: [id] }), serverConfig());
    expectAgreement(client, server);
    expect(only(client, 'HandshakeCompleted')[0]?.suite.id).toBe(id);
  });

  it.each(['p256', 'p384', 'ed25519', 'rsa', 'rsa-pss'])('with a certificate of %s', (name) => {
    const { client, server } = shake(clientConfig(), serverConfig(), { identity: identityOf(name) });
    expectAgreement(client, server);
    expect(only(client, 'CertificateReceived')[0]?.chain.map((der) => Buffer.from(der))).toEqual(
      identityOf(name).chain,
    );
  });

  it.each([NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1])('by group %i at once', (group) => {
    const { client, server } = shake(clientConfig({ keyShareGroups: [group] }), serverConfig());
    expectAgreement(client, server);
    expect(only(server, 'CryptoDataProduced').filter(({ level }) => level === 'initial').length).toBe(1);
  });

  it('in single bytes', () => {
    const { client, server } = shake(clientConfig(), serverConfig(), { bytewise: true });
    expectAgreement(client, server);
  });

  it('replays from its seeds', () => {
    const runs = [0, 1].map(() => shake(clientConfig(), serverConfig(), { identity: identityOf('ed25519') }));
    expect(runs[0]?.client).toEqual(runs[1]?.client);
    expect(runs[0]?.server).toEqual(runs[1]?.server);
  });

  it('tells names, protocols and parameters', () => {
    const { client, server } = shake(clientConfig({ alpn: ['x', 'h3'] }), serverConfig({ alpn: ['h3', 'x'] }));
    expect(only(server, 'ClientHelloReceived')[0]).toMatchObject({ serverName: 'a.example', alpn: ['x', 'h3'] });
    expect(only(client, 'HandshakeCompleted')[0]).toMatchObject({ alpn: 'h3', resumed: false });
    for (const [events, text] of [
      [client, 'server parameters'],
      [server, 'client parameters'],
    ] as const) {
      expect(Buffer.from(only(events, 'TransportParametersReceived')[0]?.data ?? []).toString()).toBe(text);
    }
  });

  it('logs its secrets when asked', () => {
    const { client, server } = shake(clientConfig({ keylog: true }), serverConfig({ keylog: true }));
    const lines = only(client, 'KeyLogged').map(({ line }) => line);
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
      'SERVER_HANDSHAKE_TRAFFIC_SECRET',
      'CLIENT_TRAFFIC_SECRET_0',
      'SERVER_TRAFFIC_SECRET_0',
      'EXPORTER_SECRET',
    ]);
    expect(only(server, 'KeyLogged').map(({ line }) => line)).toEqual(lines);
    expect(only(shake(clientConfig(), serverConfig()).client, 'KeyLogged')).toEqual([]);
  });
});

describe('a HelloRetryRequest (RFC 8446 section 4.1.4)', () => {
  it.each([chacha20Poly1305Sha256, aes256GcmSha384])('leads to a group that both have, by $name', ({ id }) => {
    const config = clientConfig({ keyShareGroups: [NamedGroup.secp384r1], cipherSuites: [id] });
    const { client, server } = shake(config, serverConfig({ groups: [NamedGroup.x25519] }));
    expectAgreement(client, server);
    expect(only(server, 'CryptoDataProduced').filter(({ level }) => level === 'initial').length).toBe(2);
  });

  it('takes 0-RTT back', () => {
    const session = { ...newSession(true), receivedAt: 1_000_000 };
    const config = clientConfig({ keyShareGroups: [NamedGroup.secp384r1], session, earlyData: true });
    const { client, server } = shake(
      config,
      serverConfig({ groups: [NamedGroup.x25519], tickets: sealer(), earlyData: true }),
    );
    expectAgreement(client, server);
    expect(only(client, 'EarlyDataDecided')).toEqual([{ type: 'EarlyDataDecided', accepted: false }]);
    expect(only(client, 'HandshakeCompleted')[0]?.resumed).toBe(true);
  });
});

/** A session of an earlier connection. */
function newSession(earlyData: boolean, time = 1_000_000): ClientSession {
  const outcome = shake(clientConfig(), serverConfig({ tickets: sealer(), earlyData }), { time });
  outcome.serverSide.issueTicket(Buffer.from('settings'));
  pump(outcome, { time });
  const session = only(outcome.client, 'SessionReceived')[0]?.session;
  if (session === undefined) throw new Error('there is no session');
  return session;
}

describe('resumption (RFC 8446 section 2.2)', () => {
  it('needs no certificate', () => {
    const session = newSession(false);
    const { client, server } = shake(clientConfig({ session }), serverConfig({ tickets: sealer() }));
    expectAgreement(client, server);
    expect(only(client, 'HandshakeCompleted')[0]).toMatchObject({ resumed: true, peerCertificate: session.chain[0] });
    expect(only(client, 'CertificateReceived')).toEqual([]);
    expect(only(server, 'TicketOffered')[0]).toMatchObject({ earlyData: false });
    expect(Buffer.from(only(server, 'TicketOffered')[0]?.applicationData ?? []).toString()).toBe('settings');
  });

  it('carries 0-RTT when both want it', () => {
    const session = newSession(true);
    const config = serverConfig({ tickets: sealer(), earlyData: true });
    const { client, server } = shake(clientConfig({ session, earlyData: true }), config);
    expectAgreement(client, server);
    const early = only(client, 'SecretsReady').find(({ level }) => level === 'early');
    expect(early?.write).toBeDefined();
    expect(only(server, 'SecretsReady').find(({ level }) => level === 'early')?.read).toEqual(early?.write);
    expect(only(client, 'EarlyDataDecided')).toEqual([{ type: 'EarlyDataDecided', accepted: true }]);
    expect(only(server, 'EarlyDataDecided')).toEqual([{ type: 'EarlyDataDecided', accepted: true }]);
  });

  it.each([
    ['the application refuses the ticket', { tickets: sealer(), earlyData: true }, { ticket: false }],
    ['the server has no tickets any more', { earlyData: true }, {}],
    ['the ticket is outlived', { tickets: sealer(), earlyData: true }, { time: 1_000_000 + 7_200_001 }],
  ])('falls back to a full handshake when %s', (_why, over, answers) => {
    // A client that is wrong about how long its ticket lives; a right one would not offer it.
    const session = { ...newSession(true), lifetime: 604_800 };
    const config = clientConfig({ session, earlyData: true });
    const { client, server } = shake(config, serverConfig(over), answers);
    expectAgreement(client, server);
    expect(only(client, 'HandshakeCompleted')[0]?.resumed).toBe(false);
    expect(only(client, 'EarlyDataDecided')).toEqual([{ type: 'EarlyDataDecided', accepted: false }]);
  });

  it.each<[string, { serverName?: string; alpn?: string[] }, boolean]>([
    ['the server name is another', { serverName: 'b.example' }, false],
    ['the protocol is another', { alpn: ['h4'] }, true],
  ])('takes no 0-RTT when %s', (_why, over, resumed) => {
    const kept = newSession(true);
    // The client takes the ticket for one that fits.
    const session = { ...kept, serverName: over.serverName ?? kept.serverName, alpn: over.alpn?.[0] ?? kept.alpn };
    const config = clientConfig({ session, earlyData: true, ...over });
    const { client, server } = shake(config, serverConfig({ tickets: sealer(), earlyData: true, alpn: ['h3', 'h4'] }));
    expectAgreement(client, server);
    expect(only(server, 'EarlyDataDecided')).toEqual([{ type: 'EarlyDataDecided', accepted: false }]);
    expect(only(client, 'HandshakeCompleted')[0]?.resumed).toBe(resumed);
  });

  it.each([
    ['section 4.2.11.1: that is outlived', {}, { time: 1_000_000 + 7_200_000 }],
    ['section 4.6.1: of another server', { serverName: 'b.example' }, {}],
    ['of a suite that is not offered', { cipherSuites: [0x1303] }, {}],
  ])('is not asked for with a ticket %s', (_why, over, answers) => {
    const config = clientConfig({ session: newSession(true), earlyData: true, ...over });
    const { client, server } = shake(config, serverConfig({ tickets: sealer(), earlyData: true }), answers);
    expectAgreement(client, server);
    expect(only(server, 'TicketOffered')).toEqual([]);
    expect(only(client, 'EarlyDataDecided')).toEqual([]);
    expect(only(client, 'SecretsReady').map(({ level }) => level)).toEqual(['handshake', 'application']);
  });

  it('takes no 0-RTT from a ticket whose age is told wrong (section 8.3)', () => {
    const session = { ...newSession(true), receivedAt: 1_000_000 - 60_000 };
    const config = serverConfig({ tickets: sealer(), earlyData: true });
    const { client, server } = shake(clientConfig({ session, earlyData: true }), config);
    expectAgreement(client, server);
    expect(only(client, 'EarlyDataDecided')).toEqual([{ type: 'EarlyDataDecided', accepted: false }]);
  });

  it('section 4.2.11.2: a wrong binder is decrypt_error', () => {
    const session = { ...newSession(false), psk: Buffer.alloc(32, 9) };
    const { server } = shake(clientConfig({ session }), serverConfig({ tickets: sealer() }));
    expect(failure(server)).toBe(Alert.decryptError);
  });
});

describe("the client's certificate", () => {
  it.each(['request', 'require'] as const)('is shown on %s', (clientCertificate) => {
    const identity = identityOf('ed25519');
    const { client, server } = shake(clientConfig({ identity }), serverConfig({ clientCertificate }));
    expectAgreement(client, server);
    expect(only(server, 'CertificateReceived')[0]?.chain.map((der) => Buffer.from(der))).toEqual(identity.chain);
    expect(only(server, 'HandshakeCompleted')[0]?.peerCertificate).toBeDefined();
  });

  it('may be missing when it is only asked for', () => {
    const { client, server } = shake(clientConfig(), serverConfig({ clientCertificate: 'request' }));
    expectAgreement(client, server);
    expect(only(server, 'HandshakeCompleted')[0]?.peerCertificate).toBeUndefined();
  });

  it('RFC 8446 section 4.4.2.4: is certificate_required when it must be there', () => {
    const { server } = shake(clientConfig(), serverConfig({ clientCertificate: 'require' }));
    expect(failure(server)).toBe(Alert.certificateRequired);
    expect(completed(server)).toBe(false);
  });

  it('may be refused', () => {
    const { server } = shake(
      clientConfig({ identity: identityOf('rsa') }),
      serverConfig({ clientCertificate: 'require' }),
      {
        clientCertificate: { ok: false, alert: Alert.badCertificate, reason: 'not ours' },
      },
    );
    expect(failure(server)).toBe(Alert.badCertificate);
    expect(completed(server)).toBe(false);
  });
});

describe('what is refused', () => {
  it.each([
    ['no protocol in common (RFC 9001 section 8.1)', { alpn: ['h4'] }, {}, Alert.noApplicationProtocol],
    ['no cipher suite in common', { cipherSuites: [0x1303] }, { cipherSuites: [0x1301] }, Alert.handshakeFailure],
    ['no group in common', {}, { groups: [0x0019] }, Alert.handshakeFailure],
    ['no signature in common', { signatureSchemes: [0x0807] }, {}, Alert.handshakeFailure],
  ])('%s', (_what, clientOver, serverOver, alert) => {
    const { client, server } = shake(clientConfig(clientOver), serverConfig(serverOver));
    expect(failure(server)).toBe(alert);
    expect([...only(client, 'HandshakeCompleted'), ...only(server, 'HandshakeCompleted')]).toEqual([]);
  });

  it('a name without an identity', () => {
    const { server } = shake(clientConfig(), serverConfig(), { identity: Alert.unrecognizedName });
    expect(failure(server)).toBe(Alert.unrecognizedName);
  });

  it('a chain that is not trusted: no Finished, no secret of 1-RTT, nothing else', () => {
    const { client } = shake(clientConfig(), serverConfig(), {
      serverCertificate: { ok: false, alert: Alert.unknownCa, reason: 'unknown' },
    });
    expect(failure(client)).toBe(Alert.unknownCa);
    expect(only(client, 'CryptoDataProduced').length).toBe(1);
    expect(only(client, 'SecretsReady').map(({ level }) => level)).toEqual(['handshake']);
  });

  it('every byte of the flights counts: a changed one ends it, or is part of what may differ', () => {
    const lengths = { client: 0, server: 0 };
    shake(clientConfig(), serverConfig(), {
      identity: identityOf('ed25519'),
      tamper: (data, level, from) => {
        if (level === 'handshake') lengths[from] += data.length;
        return data;
      },
    });
    for (const side of ['server', 'client'] as const) {
      for (let at = 0; at < lengths[side]; at += 1) {
        let seen = 0;
        const outcome = shake(clientConfig(), serverConfig(), {
          identity: identityOf('ed25519'),
          tamper: (data, level, from) => {
            if (level !== 'handshake' || from !== side) return data;
            const index = at - seen;
            seen += data.length;
            if (index >= 0 && index < data.length) data[index] = (data[index] as number) ^ 1;
            return data;
          },
        });
        const receiver = side === 'server' ? outcome.client : outcome.server;
        expect(completed(receiver), `byte ${String(at)} of the ${side}`).toBe(false);
      }
    }
  });

  it('RFC 8446 section 4.1.3: every byte of the hellos is covered by Finished', () => {
    for (const side of ['client', 'server'] as const) {
      let length = 0;
      shake(clientConfig(), serverConfig(), {
        tamper: (data, level, from) => {
          if (level === 'initial' && from === side) length = data.length;
          return data;
        },
      });
      for (let at = 0; at < length; at += 1) {
        const { client, server } = shake(clientConfig(), serverConfig(), {
          tamper: (data, level, from) => {
            if (level === 'initial' && from === side) data[at] = (data[at] as number) ^ 1;
            return data;
          },
        });
        expect(completed(client) || completed(server), `byte ${String(at)} of the ${side}`).toBe(false);
      }
    }
  });
});
