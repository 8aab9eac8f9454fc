/**
 * What a server says to a ClientHello that breaks a rule, and both sides to messages out of place.
 */
import { describe, expect, it } from 'vitest';
import { readClientHello, writeClientHello } from '../../../src/tls/client-hello.ts';
import { ExtensionType as Type } from '../../../src/tls/extensions.ts';
import { handshakeMessage, HandshakeType } from '../../../src/tls/handshake-types.ts';
import { Alert } from '../../../src/tls/index.ts';
import type { EncryptionLevel } from '../../../src/tls/index.ts';
import { clientConfig, failure, only, serverConfig, shake } from './handshake-pair.ts';

/** The server's end when a ClientHello's extensions, or its session id, are changed on the way. */
function refusal(change: (extensions: Map<number, Uint8Array>) => void, sessionId = new Uint8Array(0)): unknown {
  const { server } = shake(clientConfig(), serverConfig(), {
    tamper: (data, level, from) => {
      if (level !== 'initial' || from !== 'client') return data;
      const { random, cipherSuites, extensions } = readClientHello(data.subarray(4));
      const changed = new Map(extensions);
      change(changed);
      return writeClientHello({ random, sessionId, cipherSuites, extensions: changed });
    },
  });
  expect(only(server, 'HandshakeCompleted')).toEqual([]);
  return failure(server);
}

describe('a ClientHello', () => {
  it.each([
    ['RFC 8446 section 9.2: without key_share', Type.keyShare, Alert.missingExtension],
    ['RFC 8446 section 9.2: without supported_groups', Type.supportedGroups, Alert.missingExtension],
    ['RFC 8446 section 9.2: without signature_algorithms', Type.signatureAlgorithms, Alert.missingExtension],
    ['RFC 8446 section 4.2.1: without TLS 1.3', Type.supportedVersions, Alert.protocolVersion],
    ['RFC 9001 section 8.2: without transport parameters', Type.quicTransportParameters, Alert.missingExtension],
    ['RFC 9001 section 8.1: without ALPN', Type.applicationLayerProtocolNegotiation, Alert.noApplicationProtocol],
  ])('%s', (_rule, type, alert) => {
    expect(refusal((extensions) => extensions.delete(type))).toBe(alert);
  });

  it('RFC 8446 section 4.2.10: with early_data and no PSK', () => {
    expect(refusal((extensions) => extensions.set(Type.earlyData, new Uint8Array(0)))).toBe(Alert.illegalParameter);
  });

  it('RFC 9001 section 8.4: with a session id is a PROTOCOL_VIOLATION', () => {
    expect(refusal(() => undefined, new Uint8Array(32))).toBe('violation');
  });
});

describe('messages out of place', () => {
  it.each([
    ['RFC 9001 section 6: KeyUpdate', HandshakeType.keyUpdate],
    ['RFC 9001 section 8.3: EndOfEarlyData', HandshakeType.endOfEarlyData],
  ])('%s behind the handshake', (_rule, type) => {
    const { clientSide, serverSide } = shake(clientConfig(), serverConfig());
    for (const side of [clientSide, serverSide]) {
      side.cryptoReceived(
        'application',
        handshakeMessage(type, (writer) => writer.writeUint8(0)),
        0,
      );
      expect(side.nextEvent()).toMatchObject({ type: 'HandshakeFailed', alert: Alert.unexpectedMessage });
    }
  });

  it('RFC 9001 section 4.1.3: data at a level that was left', () => {
    const { clientSide } = shake(clientConfig(), serverConfig());
    clientSide.cryptoReceived('initial' satisfies EncryptionLevel, new Uint8Array(1), 0);
    // PROTOCOL_VIOLATION, which is no alert.
    expect(clientSide.nextEvent()).toMatchObject({ type: 'HandshakeFailed', alert: undefined });
  });
});
