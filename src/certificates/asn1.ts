/**
 * DER by node-forge, loaded when the first certificate is written.
 *
 * Owns the few ASN.1 shapes that certificates and PKCS#12 need, as functions over bytes. Writing only: nothing that
 * comes from outside is parsed here, and node-forge checks no signature and no chain for us. ITU-T X.690.
 *
 * @module
 */
import type * as nodeForge from 'node-forge';

/** One node of the tree that becomes DER. */
export type Asn1 = nodeForge.asn1.Asn1;

/** What makes ASN.1 nodes and their DER. */
export interface DerWriter {
  /** SEQUENCE. */
  sequence(...items: readonly Asn1[]): Asn1;
  /** SET. */
  set(...items: readonly Asn1[]): Asn1;
  /** OBJECT IDENTIFIER from its dotted form. */
  oid(dotted: string): Asn1;
  /** BOOLEAN true; DER leaves out a false that is the default. */
  true(): Asn1;
  /** NULL. */
  null(): Asn1;
  /** INTEGER of a small number. */
  integer(value: number): Asn1;
  /** INTEGER of big-endian bytes, the sign bit included. */
  bigInteger(bytes: Uint8Array): Asn1;
  /** OCTET STRING of bytes, or of another node's DER. */
  octetString(content: Uint8Array | Asn1): Asn1;
  /** BIT STRING; `unusedBits` at the end of the last byte. */
  bitString(content: Uint8Array, unusedBits?: number): Asn1;
  /** UTF8String. */
  utf8String(text: string): Asn1;
  /** BMPString. */
  bmpString(text: string): Asn1;
  /** UTCTime until 2049, GeneralizedTime from 2050 on (RFC 5280 section 4.1.2.5); milliseconds are cut off. */
  time(wallTime: number): Asn1;
  /** `[tag]` around other nodes: explicit tags, and implicit ones of constructed types. */
  tagged(tag: number, ...items: readonly Asn1[]): Asn1;
  /** `[tag] IMPLICIT` over bytes. */
  taggedBytes(tag: number, content: Uint8Array): Asn1;
  /** A node from DER that node:crypto has written. */
  fromDer(der: Uint8Array): Asn1;
  /** The DER of a node. */
  encode(node: Asn1): Uint8Array;
}

/** Loads node-forge, once. */
export async function loadDerWriter(): Promise<DerWriter> {
  const { default: forge } = await import('node-forge');
  return derWriter(forge);
}

function derWriter(forge: typeof nodeForge): DerWriter {
  const { Class, Type, oidToDer, integerToDer, toDer, fromDer } = forge.asn1;
  // Its type wants universal tags; those of a context are plain numbers.
  const create: (tagClass: number, tag: number, constructed: boolean, value: string | Asn1[]) => Asn1 =
    forge.asn1.create;
  const universal = (type: nodeForge.asn1.Type, bytes: string): Asn1 => create(Class.UNIVERSAL, type, false, bytes);
  const constructed = (type: nodeForge.asn1.Type, items: readonly Asn1[]): Asn1 =>
    create(Class.UNIVERSAL, type, true, [...items]);
  const encode = (node: Asn1): Uint8Array => fromBinary(toDer(node).getBytes());
  return {
    encode,
    sequence: (...items) => constructed(Type.SEQUENCE, items),
    set: (...items) => constructed(Type.SET, items),
    oid: (dotted) => universal(Type.OID, oidToDer(dotted).getBytes()),
    true: () => universal(Type.BOOLEAN, '\xff'),
    null: () => universal(Type.NULL, ''),
    integer: (value) => universal(Type.INTEGER, integerToDer(value).getBytes()),
    bigInteger: (bytes) => universal(Type.INTEGER, toBinary(bytes)),
    octetString: (content) =>
      universal(Type.OCTETSTRING, toBinary(content instanceof Uint8Array ? content : encode(content))),
    bitString: (content, unusedBits = 0) =>
      universal(Type.BITSTRING, String.fromCharCode(unusedBits) + toBinary(content)),
    utf8String: (text) => universal(Type.UTF8, toBinary(Buffer.from(text, 'utf8'))),
    // Of all types this one takes text: node-forge writes its UTF-16 code units itself.
    bmpString: (text) => universal(Type.BMPSTRING, text),
    time: (wallTime) => {
      const text = digits(wallTime);
      return isUtcTime(wallTime) ? universal(Type.UTCTIME, text.slice(2)) : universal(Type.GENERALIZEDTIME, text);
    },
    tagged: (tag, ...items) => create(Class.CONTEXT_SPECIFIC, tag, true, [...items]),
    taggedBytes: (tag, content) => create(Class.CONTEXT_SPECIFIC, tag, false, toBinary(content)),
    fromDer: (der) => fromDer(toBinary(der)),
  };
}

/** node-forge keeps bytes as characters 0 to 255. */
function toBinary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function fromBinary(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

function isUtcTime(wallTime: number): boolean {
  const year = new Date(wallTime).getUTCFullYear();
  return year >= 1950 && year < 2050;
}

/** `YYYYMMDDHHMMSSZ` */
function digits(wallTime: number): string {
  return `${new Date(wallTime).toISOString().slice(0, 19).replace(/[-T:]/g, '')}Z`;
}
