/**
 * Walks DER that OpenSSL has read already: the members of a SEQUENCE, the extensions of a certificate.
 *
 * Owns no meaning and accepts no new input: its callers hand it the `raw` of an `X509Certificate` or what node:crypto
 * has exported. ITU-T X.690 sections 8.1 and 10.1, RFC 5280 section 4.1.
 *
 * @module
 */

/** One value. */
export interface DerValue {
  readonly tag: number;
  /** Tag, length and content. */
  readonly raw: Uint8Array;
  readonly content: Uint8Array;
}

/** The values that follow one another in `bytes`, until one that does not fit. */
export function derValues(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = [];
  let position = 0;
  for (;;) {
    const value = derValue(bytes.subarray(position));
    if (value === undefined) return values;
    values.push(value);
    position += value.raw.length;
  }
}

/** The members of a SEQUENCE or of an explicit tag, given with its header. */
export function derMembers(bytes: Uint8Array): DerValue[] {
  return derValues(derValue(bytes)?.content ?? new Uint8Array(0));
}

/** Whether a certificate has exactly this extension: identifier, criticality and value. */
export function hasExtension(certificate: Uint8Array, extension: Uint8Array): boolean {
  const tbs = derMembers(certificate)[0];
  const tagged = tbs === undefined ? undefined : derValues(tbs.content).find((member) => member.tag === EXTENSIONS_TAG);
  const list = tagged === undefined ? undefined : derValue(tagged.content);
  return list !== undefined && derValues(list.content).some(({ raw }) => Buffer.compare(raw, extension) === 0);
}

function derValue(bytes: Uint8Array): DerValue | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (lengthBytes > 4) return undefined;
  let length = lengthBytes === 0 ? first : 0;
  for (let i = 0; i < lengthBytes; i += 1) length = length * 256 + (bytes[2 + i] ?? 0);
  const start = 2 + lengthBytes;
  if (start + length > bytes.length) return undefined;
  return { tag, raw: bytes.subarray(0, start + length), content: bytes.subarray(start, start + length) };
}

/** `[3]`, constructed: the extensions of a TBSCertificate. */
const EXTENSIONS_TAG = 0xa3;
