/**
 * Extensions of handshake messages.
 *
 * Owns their numbers, the table of which message may carry which (RFC 8446 section 4.2), and reading and writing a
 * block of them. What stands in each is read by the message that carries it.
 *
 * @module
 */
import { ByteWriter } from '../wire/index.ts';
import { Alert, illegalFault, TlsFault } from './alerts.ts';
import { VectorReader, writeOpaque, writeVector } from './vectors.ts';

/** Extension types by name. */
export const ExtensionType = {
  serverName: 0,
  statusRequest: 5,
  supportedGroups: 10,
  signatureAlgorithms: 13,
  applicationLayerProtocolNegotiation: 16,
  signedCertificateTimestamp: 18,
  compressCertificate: 27,
  preSharedKey: 41,
  earlyData: 42,
  supportedVersions: 43,
  cookie: 44,
  pskKeyExchangeModes: 45,
  certificateAuthorities: 47,
  oidFilters: 48,
  postHandshakeAuth: 49,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
  quicTransportParameters: 57,
} as const;

/** Which message a block of extensions stands in. */
export type ExtensionContext =
  | 'ClientHello'
  | 'ServerHello'
  | 'HelloRetryRequest'
  | 'EncryptedExtensions'
  | 'CertificateRequest'
  | 'Certificate'
  | 'NewSessionTicket';

const T = ExtensionType;
/** RFC 8446 section 4.2, RFC 8879 section 3, RFC 9001 section 8.2: known extensions that may stand there. */
const ALLOWED: Readonly<Record<ExtensionContext, ReadonlySet<number>>> = {
  // Section 4.2.5: oid_filters stands in CertificateRequest only.
  ClientHello: new Set(Object.values(T).filter((type) => type !== T.oidFilters)),
  ServerHello: new Set([T.preSharedKey, T.supportedVersions, T.keyShare]),
  HelloRetryRequest: new Set([T.supportedVersions, T.cookie, T.keyShare]),
  EncryptedExtensions: new Set([
    T.serverName,
    T.supportedGroups,
    T.applicationLayerProtocolNegotiation,
    T.earlyData,
    T.quicTransportParameters,
  ]),
  CertificateRequest: new Set([
    T.statusRequest,
    T.signatureAlgorithms,
    T.signedCertificateTimestamp,
    T.compressCertificate,
    T.certificateAuthorities,
    T.oidFilters,
    T.signatureAlgorithmsCert,
  ]),
  Certificate: new Set([T.statusRequest, T.signedCertificateTimestamp]),
  NewSessionTicket: new Set([T.earlyData]),
};
const KNOWN: ReadonlySet<number> = new Set(Object.values(ExtensionType));

/** The extensions of one message by type, in order. */
export type Extensions = ReadonlyMap<number, Uint8Array>;

/**
 * Reads a block.
 *
 * Unknown extensions are kept: what they mean to the message is its own. A known one where it may not stand is
 * `illegal_parameter`, as is a second one of a type.
 */
export function readExtensions(reader: VectorReader, context: ExtensionContext): Extensions {
  const extensions = new Map<number, Uint8Array>();
  const allowed = ALLOWED[context];
  const inner = reader.structures(2);
  while (!inner.atEnd) {
    const type = inner.uint16();
    const data = inner.vector(2);
    if (extensions.has(type)) throw illegalFault(`extension ${String(type)} stands twice in ${context}`);
    if (KNOWN.has(type) && !allowed.has(type)) {
      throw illegalFault(`extension ${String(type)} may not stand in ${context}`);
    }
    extensions.set(type, data);
  }
  return extensions;
}

/**
 * A response may only answer extensions that were offered (RFC 8446 section 4.2).
 *
 * @param offered - the types that the request held
 */
export function checkAnswers(extensions: Extensions, offered: ReadonlySet<number>, context: string): void {
  for (const type of extensions.keys()) {
    if (!offered.has(type)) {
      throw new TlsFault(
        Alert.unsupportedExtension,
        `${context} answers extension ${String(type)}, which was not offered`,
      );
    }
  }
}

/** Writes a block. */
export function writeExtensions(writer: ByteWriter, extensions: Extensions): void {
  writeVector(writer, 2, () => {
    for (const [type, data] of extensions) {
      writer.writeUint16(type);
      writeOpaque(writer, 2, data);
    }
  });
}

/** Reads one extension whole; `undefined` when it is not there. */
export function readExtension<T>(
  extensions: Extensions,
  type: number,
  what: string,
  parse: (inner: VectorReader) => T,
): T | undefined {
  const data = extensions.get(type);
  if (data === undefined) return undefined;
  const inner = new VectorReader(data, what);
  const value = parse(inner);
  inner.end();
  return value;
}

/** The content of an extension, written by `write`. */
export function extensionData(write: (writer: ByteWriter) => void): Uint8Array {
  const writer = ByteWriter.brief();
  write(writer);
  return writer.finish();
}
