/**
 * Headers of QUIC packets as they stand on the wire, protected or not.
 *
 * Owns the invariants of RFC 8999, the long and short headers of version 1 (RFC 9000 section 17) and the cutting of a
 * datagram into packets. Nothing here needs keys: the packet number and the low bits of the first byte are still
 * protected. Nothing throws: what is no packet is `undefined`.
 *
 * @module
 */
import { ByteReader, NEED_MORE, VARINT_SATURATED, varintLength, writeVarint } from '../../wire/index.ts';

/** QUIC version 1. */
export const QUIC_V1 = 0x00000001;
/** The longest connection id of version 1, in bytes. */
export const MAX_CONNECTION_ID = 20;

/** Types of long header packets. */
export const LongType = { initial: 0, zeroRtt: 1, handshake: 2, retry: 3 } as const;

/** What a header says. */
export interface PacketHeader {
  /** `short` is 1-RTT; `unknown` is a long header of another version, of which only the ids are known. */
  readonly form: 'initial' | 'zeroRtt' | 'handshake' | 'retry' | 'versionNegotiation' | 'short' | 'unknown';
  /** 0 for a short header. */
  readonly version: number;
  readonly destination: Uint8Array;
  /** Empty for a short header. */
  readonly source: Uint8Array;
  /** Initial: the token. Retry: its token. Otherwise empty. */
  readonly token: Uint8Array;
  /** Where the packet begins in the datagram. */
  readonly start: number;
  /** Where the protected packet number begins. Version Negotiation: where its versions begin. */
  readonly numberOffset: number;
  /** Where the packet ends in the datagram. */
  readonly end: number;
  /** The bit that version 1 fixes at 1 (RFC 9000 section 17, RFC 9287). */
  readonly fixedBit: boolean;
}

const EMPTY = new Uint8Array(0);
const LONG = 0x80;
const FIXED = 0x40;
const FORMS = ['initial', 'zeroRtt', 'handshake', 'retry'] as const;
const RETRY_TAG = 16;

/**
 * Reads the header of the packet that begins at `start`.
 *
 * @param shortLength - how long the connection ids are that this endpoint issues
 * @returns `undefined` for bytes that are no packet; the rest of the datagram is then to be dropped
 */
export function readPacketHeader(datagram: Uint8Array, start: number, shortLength: number): PacketHeader | undefined {
  const reader = new ByteReader(datagram, start);
  const first = reader.readUint8();
  if (first === NEED_MORE) return undefined;
  const fixedBit = (first & FIXED) !== 0;
  if ((first & LONG) === 0) {
    const destination = reader.readBytes(shortLength);
    if (destination === undefined) return undefined;
    const end = datagram.length;
    return header('short', 0, destination, EMPTY, EMPTY, start, reader.position, end, fixedBit);
  }
  const version = reader.readUint32();
  const destination = connectionId(reader);
  const source = connectionId(reader);
  if (version === NEED_MORE || destination === undefined || source === undefined) return undefined;
  const at = reader.position;
  if (version === 0) {
    const whole = (datagram.length - at) % 4 === 0 && datagram.length > at;
    if (!whole) return undefined;
    return header('versionNegotiation', 0, destination, source, EMPTY, start, at, datagram.length, fixedBit);
  }
  if (version !== QUIC_V1) {
    return header('unknown', version, destination, source, EMPTY, start, at, datagram.length, fixedBit);
  }
  // RFC 9000 section 17.2: longer ids make it no packet of version 1.
  if (destination.length > MAX_CONNECTION_ID || source.length > MAX_CONNECTION_ID) return undefined;
  const form = FORMS[(first >> 4) & 3] as 'initial' | 'zeroRtt' | 'handshake' | 'retry';
  if (form === 'retry') {
    const token = reader.readBytes(reader.remaining - RETRY_TAG);
    // RFC 9000 section 17.2.5.2: an empty token is to be discarded.
    if (token === undefined || token.length === 0 || reader.remaining !== RETRY_TAG) return undefined;
    return header(form, version, destination, source, token, start, at, datagram.length, fixedBit);
  }
  let token: Uint8Array | undefined = EMPTY;
  if (form === 'initial') {
    const length = reader.readVarint();
    token = length === NEED_MORE ? undefined : reader.readBytes(length);
  }
  const length = reader.readVarint();
  if (token === undefined || length === NEED_MORE || length >= VARINT_SATURATED) return undefined;
  const end = reader.position + length;
  if (end > datagram.length) return undefined;
  return header(form, version, destination, source, token, start, reader.position, end, fixedBit);
}

function connectionId(reader: ByteReader): Uint8Array | undefined {
  const length = reader.readUint8();
  return length === NEED_MORE ? undefined : reader.readBytes(length);
}

function header(
  form: PacketHeader['form'],
  version: number,
  destination: Uint8Array,
  source: Uint8Array,
  token: Uint8Array,
  start: number,
  numberOffset: number,
  end: number,
  fixedBit: boolean,
): PacketHeader {
  return { form, version, destination, source, token, start, numberOffset, end, fixedBit };
}

/** The versions that a Version Negotiation packet lists. */
export function listedVersions(datagram: Uint8Array, packet: PacketHeader): number[] {
  const reader = new ByteReader(datagram, packet.numberOffset, packet.end);
  const versions: number[] = [];
  while (!reader.atEnd) versions.push(reader.readUint32());
  return versions;
}

/** The length field of a long header takes two bytes, so that it can be filled in when the packet is done. */
const LENGTH_FIELD = 2;

/** How long the header of a long packet is, packet number included. */
export function longHeaderLength(
  form: 'initial' | 'zeroRtt' | 'handshake',
  destination: Uint8Array,
  source: Uint8Array,
  token: Uint8Array,
  numberLength: number,
): number {
  const tokens = form === 'initial' ? varintLength(token.length) + token.length : 0;
  return 1 + 4 + 1 + destination.length + 1 + source.length + tokens + LENGTH_FIELD + numberLength;
}

/**
 * Writes the header of a long packet, unprotected.
 *
 * @param length - how many bytes follow the header: payload and tag
 * @returns where the header ends
 */
export function writeLongHeader(
  out: Uint8Array,
  offset: number,
  form: 'initial' | 'zeroRtt' | 'handshake',
  destination: Uint8Array,
  source: Uint8Array,
  token: Uint8Array,
  number: number,
  numberLength: number,
  length: number,
): number {
  let at = offset;
  out[at++] = LONG | FIXED | (LongType[form] << 4) | (numberLength - 1);
  at = writeUint(out, at, QUIC_V1, 4);
  out[at++] = destination.length;
  out.set(destination, at);
  at += destination.length;
  out[at++] = source.length;
  out.set(source, at);
  at += source.length;
  if (form === 'initial') {
    const size = varintLength(token.length);
    writeVarint(out, at, token.length, size);
    out.set(token, at + size);
    at += size + token.length;
  }
  writeVarint(out, at, length + numberLength, LENGTH_FIELD);
  return writeUint(out, at + LENGTH_FIELD, number, numberLength);
}

/** Writes the header of a 1-RTT packet, unprotected. Returns where it ends. */
export function writeShortHeader(
  out: Uint8Array,
  offset: number,
  destination: Uint8Array,
  keyPhase: boolean,
  spin: boolean,
  number: number,
  numberLength: number,
): number {
  out[offset] = FIXED | (spin ? 0x20 : 0) | (keyPhase ? 0x04 : 0) | (numberLength - 1);
  out.set(destination, offset + 1);
  return writeUint(out, offset + 1 + destination.length, number, numberLength);
}

/** Writes the low bytes of a number. Returns where they end. */
function writeUint(out: Uint8Array, offset: number, value: number, length: number): number {
  let rest = value;
  for (let at = offset + length - 1; at >= offset; at -= 1) {
    out[at] = rest % 0x100;
    rest = Math.floor(rest / 0x100);
  }
  return offset + length;
}

/**
 * A Version Negotiation packet (RFC 9000 section 17.2.1).
 *
 * @param unused - seven random bits for the first byte
 */
export function versionNegotiation(
  destination: Uint8Array,
  source: Uint8Array,
  versions: readonly number[],
  unused: number,
): Uint8Array {
  const packet = new Uint8Array(7 + destination.length + source.length + 4 * versions.length);
  // The bit that version 1 fixes is set, so that those who multiplex protocols know it for QUIC.
  packet[0] = LONG | FIXED | (unused & 0x3f);
  packet[5] = destination.length;
  packet.set(destination, 6);
  packet[6 + destination.length] = source.length;
  packet.set(source, 7 + destination.length);
  let at = 7 + destination.length + source.length;
  for (const version of versions) at = writeUint(packet, at, version, 4);
  return packet;
}

/** A Retry packet up to its integrity tag (RFC 9000 section 17.2.5). */
export function retryWithoutTag(destination: Uint8Array, source: Uint8Array, token: Uint8Array): Uint8Array {
  const packet = new Uint8Array(7 + destination.length + source.length + token.length);
  packet[0] = LONG | FIXED | (LongType.retry << 4);
  writeUint(packet, 1, QUIC_V1, 4);
  packet[5] = destination.length;
  packet.set(destination, 6);
  packet[6 + destination.length] = source.length;
  packet.set(source, 7 + destination.length);
  packet.set(token, 7 + destination.length + source.length);
  return packet;
}
