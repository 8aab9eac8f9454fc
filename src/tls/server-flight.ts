/**
 * The messages behind ServerHello: EncryptedExtensions, CertificateRequest, Certificate, CertificateVerify, Finished,
 * NewSessionTicket.
 *
 * Owns their syntax (RFC 8446 sections 4.3, 4.4 and 4.6.1). Does not own signatures, chains or keys.
 *
 * @module
 */
import { Alert, decodeFault, illegalFault, TlsFault } from './alerts.ts';
import { readProtocolNames } from './client-hello.ts';
import type { Extensions } from './extensions.ts';
import { checkAnswers, ExtensionType, readExtension, readExtensions, writeExtensions } from './extensions.ts';
import { handshakeMessage, HandshakeType } from './handshake-types.ts';
import { tlsLimits } from './limits.ts';
import { VectorReader, writeOpaque, writeVector } from './vectors.ts';

/** EncryptedExtensions as it was received. */
export interface EncryptedExtensions {
  readonly extensions: Extensions;
  readonly alpn: string | undefined;
  readonly earlyData: boolean;
  readonly transportParameters: Uint8Array | undefined;
}

/** Reads EncryptedExtensions. @throws TlsFault */
export function readEncryptedExtensions(body: Uint8Array): EncryptedExtensions {
  const reader = new VectorReader(body, 'EncryptedExtensions');
  const extensions = readExtensions(reader, 'EncryptedExtensions');
  reader.end();
  const names = readExtension(extensions, ExtensionType.applicationLayerProtocolNegotiation, 'ALPN', readProtocolNames);
  // RFC 6066 section 3: the answer to server_name is empty.
  readExtension(extensions, ExtensionType.serverName, 'server_name', () => true);
  // RFC 7301 section 3.1: exactly one.
  if (names !== undefined && names.length !== 1) throw decodeFault('ALPN');
  return {
    extensions,
    alpn: names?.[0],
    earlyData: readExtension(extensions, ExtensionType.earlyData, 'early_data', () => true) ?? false,
    transportParameters: extensions.get(ExtensionType.quicTransportParameters),
  };
}

/** Writes EncryptedExtensions, header included. */
export function writeEncryptedExtensions(extensions: Extensions): Uint8Array {
  return handshakeMessage(HandshakeType.encryptedExtensions, (writer) => writeExtensions(writer, extensions));
}

/** CertificateRequest as it was received. */
export interface CertificateRequest {
  readonly context: Uint8Array;
  readonly signatureSchemes: readonly number[];
}

/** Reads CertificateRequest. @throws TlsFault */
export function readCertificateRequest(body: Uint8Array): CertificateRequest {
  const reader = new VectorReader(body, 'CertificateRequest');
  const context = reader.vector(1);
  const extensions = readExtensions(reader, 'CertificateRequest');
  reader.end();
  const signatureSchemes = readExtension(
    extensions,
    ExtensionType.signatureAlgorithms,
    'signature_algorithms',
    (inner) => inner.uint16s(2),
  );
  // RFC 8446 sections 4.3.2 and 6.2: signature_algorithms must be there.
  if (signatureSchemes === undefined) {
    throw new TlsFault(Alert.missingExtension, 'a CertificateRequest without signature_algorithms');
  }
  return { context, signatureSchemes };
}

/** Writes CertificateRequest, header included. */
export function writeCertificateRequest(context: Uint8Array, extensions: Extensions): Uint8Array {
  return handshakeMessage(HandshakeType.certificateRequest, (writer) => {
    writeOpaque(writer, 1, context);
    writeExtensions(writer, extensions);
  });
}

/** Certificate as it was received. */
export interface CertificateMessage {
  readonly context: Uint8Array;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** The stapled OCSP response of the leaf, or `undefined`. */
  readonly ocsp: Uint8Array | undefined;
}

/**
 * Reads Certificate.
 *
 * @param offered - the extensions of the message that it answers: its own may only answer those (section 4.4.2)
 * @throws TlsFault
 */
export function readCertificate(body: Uint8Array, offered: ReadonlySet<number>): CertificateMessage {
  const reader = new VectorReader(body, 'Certificate');
  const context = reader.vector(1);
  const list = reader.structures(3);
  reader.end();
  const chain: Uint8Array[] = [];
  let ocsp: Uint8Array | undefined;
  while (!list.atEnd) {
    const certificate = list.vector(3, 1);
    const extensions = readExtensions(list, 'Certificate');
    checkAnswers(extensions, offered, 'Certificate');
    if (chain.length === 0) {
      ocsp = readExtension(extensions, ExtensionType.statusRequest, 'status_request', (inner) => {
        if (inner.uint8() !== 1) throw decodeFault('status_request');
        return inner.vector(3, 1);
      });
    }
    chain.push(certificate);
    const most = tlsLimits.maxCertificates.default;
    if (chain.length > most) throw illegalFault(`more than ${String(most)} certificates`);
  }
  return { context, chain, ocsp };
}

/** Writes Certificate, header included. */
export function writeCertificate(context: Uint8Array, chain: readonly Uint8Array[]): Uint8Array {
  return handshakeMessage(HandshakeType.certificate, (writer) => {
    writeOpaque(writer, 1, context);
    writeVector(writer, 3, () => {
      for (const certificate of chain) {
        writeOpaque(writer, 3, certificate);
        writer.writeUint16(0);
      }
    });
  });
}

/** CompressedCertificate as it was received (RFC 8879 section 4). */
export interface CompressedCertificate {
  readonly algorithm: number;
  readonly uncompressedLength: number;
  readonly compressed: Uint8Array;
}

/** Reads CompressedCertificate. @throws TlsFault */
export function readCompressedCertificate(body: Uint8Array): CompressedCertificate {
  const reader = new VectorReader(body, 'CompressedCertificate');
  const message = { algorithm: reader.uint16(), uncompressedLength: reader.uint24(), compressed: reader.vector(3, 1) };
  reader.end();
  return message;
}

/** CertificateVerify as it was received. */
export interface CertificateVerify {
  readonly scheme: number;
  readonly signature: Uint8Array;
}

/** Reads CertificateVerify. @throws TlsFault */
export function readCertificateVerify(body: Uint8Array): CertificateVerify {
  const reader = new VectorReader(body, 'CertificateVerify');
  const message = { scheme: reader.uint16(), signature: reader.vector(2) };
  reader.end();
  return message;
}

/** Writes CertificateVerify, header included. */
export function writeCertificateVerify(message: CertificateVerify): Uint8Array {
  return handshakeMessage(HandshakeType.certificateVerify, (writer) => {
    writer.writeUint16(message.scheme);
    writeOpaque(writer, 2, message.signature);
  });
}

/** Writes Finished, header included. */
export function writeFinished(verifyData: Uint8Array): Uint8Array {
  return handshakeMessage(HandshakeType.finished, (writer) => writer.writeBytes(verifyData));
}

/** NewSessionTicket as it was received. */
export interface NewSessionTicket {
  /** Seconds, at most seven days. */
  readonly lifetime: number;
  readonly ageAdd: number;
  readonly nonce: Uint8Array;
  readonly ticket: Uint8Array;
  /** What early_data announces: in QUIC 2^32-1 (RFC 9001 section 4.6.1); `undefined` without it. */
  readonly maxEarlyData: number | undefined;
}

/** Seven days, in seconds (RFC 8446 section 4.6.1). */
const MAX_LIFETIME = 604_800;

/** Reads NewSessionTicket. @throws TlsFault */
export function readNewSessionTicket(body: Uint8Array): NewSessionTicket {
  const reader = new VectorReader(body, 'NewSessionTicket');
  const lifetime = reader.uint32();
  const ageAdd = reader.uint32();
  const nonce = reader.vector(1);
  const ticket = reader.vector(2, 1);
  const extensions = readExtensions(reader, 'NewSessionTicket');
  reader.end();
  const maxEarlyData = readExtension(extensions, ExtensionType.earlyData, 'early_data', (inner) => inner.uint32());
  return { lifetime: Math.min(lifetime, MAX_LIFETIME), ageAdd, nonce, ticket, maxEarlyData };
}

/** Writes NewSessionTicket, header included. */
export function writeNewSessionTicket(message: NewSessionTicket): Uint8Array {
  return handshakeMessage(HandshakeType.newSessionTicket, (writer) => {
    writer.writeUint32(message.lifetime);
    writer.writeUint32(message.ageAdd);
    writeOpaque(writer, 1, message.nonce);
    writeOpaque(writer, 2, message.ticket);
    writeVector(writer, 2, () => {
      if (message.maxEarlyData === undefined) return;
      writer.writeUint16(ExtensionType.earlyData);
      writer.writeUint16(4);
      writer.writeUint32(message.maxEarlyData);
    });
  });
}
