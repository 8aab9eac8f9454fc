/**
 * ClientHello.
 *
 * Owns its syntax (RFC 8446 section 4.1.2) and that of the extensions that it carries. What a server makes of it is
 * server-handshake.ts's, what a client offers client-handshake.ts's.
 *
 * @module
 */
import { decodeFault, illegalFault } from './alerts.ts';
import type { Extensions } from './extensions.ts';
import { extensionData, ExtensionType, readExtension, readExtensions, writeExtensions } from './extensions.ts';
import { handshakeMessage, HandshakeType } from './handshake-types.ts';
import { VectorReader, writeOpaque, writeUint16s, writeVector } from './vectors.ts';

/** The number of TLS 1.3. */
export const TLS13 = 0x0304;
/** What `legacy_version` says. */
export const LEGACY_VERSION = 0x0303;
/** The length of `random`, in bytes. */
export const RANDOM_LENGTH = 32;

/** One share of key_share. */
export interface KeyShareEntry {
  readonly group: number;
  readonly share: Uint8Array;
}

/** One identity of pre_shared_key. */
export interface PskIdentity {
  readonly identity: Uint8Array;
  readonly obfuscatedAge: number;
}

/** The extension pre_shared_key of a ClientHello (RFC 8446 section 4.2.11). */
export interface OfferedPsks {
  readonly identities: readonly PskIdentity[];
  readonly binders: readonly Uint8Array[];
  /** How many bytes of the message stand before the binders: those that the binders cover. */
  readonly truncatedLength: number;
}

/** A ClientHello as it was received. `undefined` stands for an extension that is missing. */
export interface ClientHello {
  readonly legacyVersion: number;
  readonly random: Uint8Array;
  readonly sessionId: Uint8Array;
  readonly cipherSuites: readonly number[];
  readonly extensions: Extensions;
  readonly supportedVersions: readonly number[] | undefined;
  readonly serverName: string | undefined;
  readonly alpn: readonly string[] | undefined;
  readonly groups: readonly number[] | undefined;
  readonly keyShares: readonly KeyShareEntry[] | undefined;
  readonly signatureSchemes: readonly number[] | undefined;
  readonly pskModes: readonly number[] | undefined;
  readonly psks: OfferedPsks | undefined;
  readonly earlyData: boolean;
  readonly cookie: Uint8Array | undefined;
  readonly transportParameters: Uint8Array | undefined;
}

/**
 * Reads a ClientHello. Views into `body` are kept.
 *
 * @param body - without type and length
 * @throws TlsFault
 */
export function readClientHello(body: Uint8Array): ClientHello {
  const reader = new VectorReader(body, 'ClientHello');
  const legacyVersion = reader.uint16();
  const random = reader.bytes(RANDOM_LENGTH);
  const sessionId = reader.vector(1, 0, 32);
  const cipherSuites = reader.uint16s(2);
  const compression = reader.vector(1, 1);
  // Before TLS 1.3 a ClientHello may have no extensions at all; its version is judged later.
  const extensions: Extensions = reader.atEnd ? new Map() : readExtensions(reader, 'ClientHello');
  reader.end();
  // RFC 8446 section 4.1.2: exactly one byte, set to zero.
  if (compression.length !== 1 || compression[0] !== 0) throw illegalFault('a ClientHello with compression methods');
  const types = [...extensions.keys()];
  const pskAt = types.indexOf(ExtensionType.preSharedKey);
  // RFC 8446 section 4.2.11.
  if (pskAt >= 0 && pskAt !== types.length - 1) throw illegalFault('pre_shared_key is not the last extension');
  const read = <T>(type: number, what: string, parse: (inner: VectorReader) => T): T | undefined =>
    readExtension(extensions, type, what, parse);
  return {
    legacyVersion,
    random,
    sessionId,
    cipherSuites,
    extensions,
    supportedVersions: read(ExtensionType.supportedVersions, 'supported_versions', (inner) => inner.uint16s(1)),
    serverName: read(ExtensionType.serverName, 'server_name', readServerName),
    alpn: read(ExtensionType.applicationLayerProtocolNegotiation, 'ALPN', readProtocolNames),
    groups: read(ExtensionType.supportedGroups, 'supported_groups', (inner) => inner.uint16s(2)),
    keyShares: read(ExtensionType.keyShare, 'key_share', readKeyShares),
    signatureSchemes: read(ExtensionType.signatureAlgorithms, 'signature_algorithms', (inner) => inner.uint16s(2)),
    pskModes: read(ExtensionType.pskKeyExchangeModes, 'psk_key_exchange_modes', (inner) => [...inner.vector(1, 1)]),
    psks: read(ExtensionType.preSharedKey, 'pre_shared_key', (inner) => readPsks(inner, body)),
    earlyData: read(ExtensionType.earlyData, 'early_data', () => true) ?? false,
    cookie: read(ExtensionType.cookie, 'cookie', (inner) => inner.vector(2, 1)),
    transportParameters: extensions.get(ExtensionType.quicTransportParameters),
  };
}

/** RFC 6066 section 3: one name of the one type there is. */
function readServerName(reader: VectorReader): string {
  const list = reader.structures(2, 1);
  let name: string | undefined;
  while (!list.atEnd) {
    const type = list.uint8();
    const value = list.vector(2, 1);
    if (type !== 0) continue;
    if (name !== undefined) throw illegalFault('two host names in server_name');
    name = asciiText(value, 'server_name');
  }
  if (name === undefined) throw decodeFault('server_name');
  return name;
}

/** RFC 7301 section 3.1. */
export function readProtocolNames(reader: VectorReader): string[] {
  const list = reader.structures(2, 2);
  const names: string[] = [];
  while (!list.atEnd) names.push(latin1Text(list.vector(1, 1)));
  return names;
}

function readKeyShares(reader: VectorReader): KeyShareEntry[] {
  const list = reader.structures(2);
  const entries: KeyShareEntry[] = [];
  while (!list.atEnd) {
    const group = list.uint16();
    const share = list.vector(2, 1);
    // RFC 8446 section 4.2.8.
    if (entries.some((entry) => entry.group === group)) throw illegalFault('two key shares of one group');
    entries.push({ group, share });
  }
  return entries;
}

function readPsks(reader: VectorReader, body: Uint8Array): OfferedPsks {
  const identities: PskIdentity[] = [];
  const list = reader.structures(2, 7);
  while (!list.atEnd) identities.push({ identity: list.vector(2, 1), obfuscatedAge: list.uint32() });
  const identitiesLength = reader.position;
  const binders: Uint8Array[] = [];
  const inner = reader.structures(2, 33);
  while (!inner.atEnd) binders.push(inner.vector(1, 32));
  if (binders.length !== identities.length) throw illegalFault('not one binder for each identity');
  // The binders, with the length before them, end the message.
  return { identities, binders, truncatedLength: body.length - (reader.position - identitiesLength) + HEADER_LENGTH };
}

const HEADER_LENGTH = 4;

function asciiText(bytes: Uint8Array, what: string): string {
  for (const byte of bytes) if (byte <= 0x20 || byte >= 0x7f) throw illegalFault(`${what} is no ASCII name`);
  return latin1Text(bytes);
}

function latin1Text(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** What a ClientHello is made of. */
export interface ClientHelloInit {
  readonly random: Uint8Array;
  /** Empty in QUIC (RFC 9001 section 8.4). */
  readonly sessionId: Uint8Array;
  readonly cipherSuites: readonly number[];
  /** In order; pre_shared_key last. */
  readonly extensions: Extensions;
}

/** Writes a ClientHello, header included. */
export function writeClientHello(init: ClientHelloInit): Uint8Array {
  return handshakeMessage(HandshakeType.clientHello, (writer) => {
    writer.writeUint16(LEGACY_VERSION);
    writer.writeBytes(init.random);
    writeOpaque(writer, 1, init.sessionId);
    writeUint16s(writer, 2, init.cipherSuites);
    writeOpaque(writer, 1, NO_COMPRESSION);
    writeExtensions(writer, init.extensions);
  });
}

const NO_COMPRESSION = new Uint8Array(1);

/** server_name with one host name. */
export function serverNameData(name: string): Uint8Array {
  return extensionData((writer) => {
    writeVector(writer, 2, () => {
      writer.writeUint8(0);
      writeVector(writer, 2, () => writer.writeLatin1(name));
    });
  });
}

/** ALPN's list of names. */
export function protocolNamesData(names: readonly string[]): Uint8Array {
  return extensionData((writer) => {
    writeVector(writer, 2, () => {
      for (const name of names) writeVector(writer, 1, () => writer.writeLatin1(name));
    });
  });
}

/** A client's key_share. */
export function keySharesData(entries: readonly KeyShareEntry[]): Uint8Array {
  return extensionData((writer) => {
    writeVector(writer, 2, () => {
      for (const { group, share } of entries) {
        writer.writeUint16(group);
        writeOpaque(writer, 2, share);
      }
    });
  });
}

/** A client's pre_shared_key, the binders as given. */
export function psksData(identities: readonly PskIdentity[], binders: readonly Uint8Array[]): Uint8Array {
  return extensionData((writer) => {
    writeVector(writer, 2, () => {
      for (const { identity, obfuscatedAge } of identities) {
        writeOpaque(writer, 2, identity);
        writer.writeUint32(obfuscatedAge);
      }
    });
    writeVector(writer, 2, () => {
      for (const binder of binders) writeOpaque(writer, 1, binder);
    });
  });
}
