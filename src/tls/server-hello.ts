/**
 * ServerHello and HelloRetryRequest, which is a ServerHello with a fixed random.
 *
 * Owns their syntax (RFC 8446 sections 4.1.3 and 4.1.4), and the sentinels that tell of a downgrade.
 *
 * @module
 */
import { Alert, illegalFault, TlsFault } from './alerts.ts';
import { LEGACY_VERSION, RANDOM_LENGTH } from './client-hello.ts';
import type { KeyShareEntry } from './client-hello.ts';
import type { Extensions } from './extensions.ts';
import { extensionData, ExtensionType, readExtension, readExtensions, writeExtensions } from './extensions.ts';
import { handshakeMessage, HandshakeType } from './handshake-types.ts';
import { VectorReader, writeOpaque } from './vectors.ts';

/** The random of a HelloRetryRequest: SHA-256 of "HelloRetryRequest". */
export const RETRY_RANDOM: Uint8Array = Uint8Array.from([
  0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
  0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
]);

/** A ServerHello as it was received. */
export interface ServerHello {
  readonly retry: boolean;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuite: number;
  readonly extensions: Extensions;
  readonly legacyVersion: number;
  /** As supported_versions has it: `legacy_version` says nothing then (section 4.2.1). */
  readonly version: number | undefined;
  readonly keyShare: KeyShareEntry | undefined;
  /** HelloRetryRequest: the group that is asked for. */
  readonly retryGroup: number | undefined;
  readonly cookie: Uint8Array | undefined;
  readonly selectedPsk: number | undefined;
}

/** Reads a ServerHello or HelloRetryRequest. @throws TlsFault */
export function readServerHello(body: Uint8Array): ServerHello {
  const reader = new VectorReader(body, 'ServerHello');
  const legacyVersion = reader.uint16();
  const random = reader.bytes(RANDOM_LENGTH);
  const sessionId = reader.vector(1, 0, 32);
  const cipherSuite = reader.uint16();
  const compression = reader.uint8();
  const retry = RETRY_RANDOM.every((byte, index) => byte === random[index]);
  // Before TLS 1.3 a ServerHello may have no extensions at all.
  const extensions: Extensions = reader.atEnd
    ? new Map()
    : readExtensions(reader, retry ? 'HelloRetryRequest' : 'ServerHello');
  reader.end();
  if (compression !== 0) throw illegalFault('a ServerHello with compression');
  const share = extensions.get(ExtensionType.keyShare);
  return {
    retry,
    legacyVersion,
    random,
    sessionId,
    cipherSuite,
    extensions,
    version: readExtension(extensions, ExtensionType.supportedVersions, 'supported_versions', (inner) =>
      inner.uint16(),
    ),
    keyShare: retry || share === undefined ? undefined : readKeyShare(extensions),
    retryGroup: retry
      ? readExtension(extensions, ExtensionType.keyShare, 'key_share', (inner) => inner.uint16())
      : undefined,
    cookie: readExtension(extensions, ExtensionType.cookie, 'cookie', (inner) => inner.vector(2, 1)),
    selectedPsk: readExtension(extensions, ExtensionType.preSharedKey, 'pre_shared_key', (inner) => inner.uint16()),
  };
}

/** The end of the random of a server that knows TLS 1.3 and was made to choose less: "DOWNGRD", and 1 or 0. */
const DOWNGRADE = [0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44];

/** Without supported_versions the server speaks TLS 1.2 at most, or somebody makes it look so (section 4.1.3). */
export function olderVersion({ legacyVersion, random }: ServerHello): TlsFault {
  const end = random.subarray(RANDOM_LENGTH - DOWNGRADE.length - 1);
  if (DOWNGRADE.every((byte, index) => byte === end[index]) && (end[DOWNGRADE.length] as number) <= 1) {
    return illegalFault('somebody took TLS 1.3 out of the ClientHello');
  }
  return new TlsFault(Alert.protocolVersion, `the server does not speak TLS 1.3, but ${legacyVersion.toString(16)}`);
}

function readKeyShare(extensions: Extensions): KeyShareEntry | undefined {
  return readExtension(extensions, ExtensionType.keyShare, 'key_share', (inner) => ({
    group: inner.uint16(),
    share: inner.vector(2, 1),
  }));
}

/** What a ServerHello is made of. */
export interface ServerHelloInit {
  /** {@link RETRY_RANDOM} makes it a HelloRetryRequest. */
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuite: number;
  readonly extensions: Extensions;
}

/** Writes a ServerHello or HelloRetryRequest, header included. */
export function writeServerHello(init: ServerHelloInit): Uint8Array {
  return handshakeMessage(HandshakeType.serverHello, (writer) => {
    writer.writeUint16(LEGACY_VERSION);
    writer.writeBytes(init.random);
    writeOpaque(writer, 1, init.sessionId);
    writer.writeUint16(init.cipherSuite);
    writer.writeUint8(0);
    writeExtensions(writer, init.extensions);
  });
}

/** A server's key_share. */
export function keyShareData(entry: KeyShareEntry): Uint8Array {
  return extensionData((writer) => {
    writer.writeUint16(entry.group);
    writeOpaque(writer, 2, entry.share);
  });
}

/** An extension that is one 16-bit number: a version, a group, an index. */
export function uint16Data(value: number): Uint8Array {
  return extensionData((writer) => writer.writeUint16(value));
}
