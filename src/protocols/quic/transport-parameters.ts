/**
 * Transport parameters.
 *
 * Owns their encoding and the rules of each value (RFC 9000 sections 7.4 and 18, RFC 9221 section 3, RFC 9287 section
 * 3). Unknown ones are passed over. Whether the ids among them are those of the handshake is the connection's.
 *
 * @module
 */
import { ByteReader, ByteWriter, NEED_MORE, VARINT_SATURATED, varintLength } from '../../wire/index.ts';
import { QuicError, QuicFault } from './error-codes.ts';
import { isAbove2To60 } from './frame-parser.ts';
import { MAX_CONNECTION_ID } from './packet-header.ts';

/** A server's preferred address (RFC 9000 section 18.2). */
export interface PreferredAddress {
  /** 4 bytes and a port; `undefined` when it is zeros. */
  readonly ipv4: { readonly address: Uint8Array; readonly port: number } | undefined;
  readonly ipv6: { readonly address: Uint8Array; readonly port: number } | undefined;
  readonly connectionId: Uint8Array;
  readonly statelessResetToken: Uint8Array;
}

/** The parameters of one side; numbers have their defaults when they were not sent. */
export interface TransportParameters {
  readonly originalDestinationConnectionId: Uint8Array | undefined;
  readonly initialSourceConnectionId: Uint8Array | undefined;
  readonly retrySourceConnectionId: Uint8Array | undefined;
  readonly statelessResetToken: Uint8Array | undefined;
  readonly preferredAddress: PreferredAddress | undefined;
  /** Milliseconds, 0 for none. */
  readonly maxIdleTimeout: number;
  readonly maxUdpPayloadSize: number;
  readonly initialMaxData: number;
  readonly initialMaxStreamDataBidiLocal: number;
  readonly initialMaxStreamDataBidiRemote: number;
  readonly initialMaxStreamDataUni: number;
  readonly initialMaxStreamsBidi: number;
  readonly initialMaxStreamsUni: number;
  readonly ackDelayExponent: number;
  /** Milliseconds. */
  readonly maxAckDelay: number;
  readonly disableActiveMigration: boolean;
  readonly activeConnectionIdLimit: number;
  /** 0: no DATAGRAM frames. */
  readonly maxDatagramFrameSize: number;
  readonly greaseQuicBit: boolean;
}

/** What is in force for a parameter that is not sent. */
export const defaultTransportParameters: TransportParameters = {
  originalDestinationConnectionId: undefined,
  initialSourceConnectionId: undefined,
  retrySourceConnectionId: undefined,
  statelessResetToken: undefined,
  preferredAddress: undefined,
  maxIdleTimeout: 0,
  maxUdpPayloadSize: 65_527,
  initialMaxData: 0,
  initialMaxStreamDataBidiLocal: 0,
  initialMaxStreamDataBidiRemote: 0,
  initialMaxStreamDataUni: 0,
  initialMaxStreamsBidi: 0,
  initialMaxStreamsUni: 0,
  ackDelayExponent: 3,
  maxAckDelay: 25,
  disableActiveMigration: false,
  activeConnectionIdLimit: 2,
  maxDatagramFrameSize: 0,
  greaseQuicBit: false,
};

type NumberName = {
  [Name in keyof TransportParameters]: TransportParameters[Name] extends number ? Name : never;
}[keyof TransportParameters];
type BytesName =
  'originalDestinationConnectionId' | 'initialSourceConnectionId' | 'retrySourceConnectionId' | 'statelessResetToken';
type FlagName = 'disableActiveMigration' | 'greaseQuicBit';
type Writable = { -readonly [Name in keyof TransportParameters]: TransportParameters[Name] };

const BYTES: ReadonlyMap<number, BytesName> = new Map([
  [0x00, 'originalDestinationConnectionId'],
  [0x02, 'statelessResetToken'],
  [0x0f, 'initialSourceConnectionId'],
  [0x10, 'retrySourceConnectionId'],
]);
const NUMBERS: ReadonlyMap<number, NumberName> = new Map([
  [0x01, 'maxIdleTimeout'],
  [0x03, 'maxUdpPayloadSize'],
  [0x04, 'initialMaxData'],
  [0x05, 'initialMaxStreamDataBidiLocal'],
  [0x06, 'initialMaxStreamDataBidiRemote'],
  [0x07, 'initialMaxStreamDataUni'],
  [0x08, 'initialMaxStreamsBidi'],
  [0x09, 'initialMaxStreamsUni'],
  [0x0a, 'ackDelayExponent'],
  [0x0b, 'maxAckDelay'],
  [0x0e, 'activeConnectionIdLimit'],
  [0x20, 'maxDatagramFrameSize'],
]);
const FLAGS: ReadonlyMap<number, FlagName> = new Map([
  [0x0c, 'disableActiveMigration'],
  [0x2ab2, 'greaseQuicBit'],
]);
const EMPTY = new Uint8Array(0);
const PREFERRED_ADDRESS = 0x0d;
const TOKEN_LENGTH = 16;
/** Parameters that only a server sends (RFC 9000 section 18.2). */
const SERVER_ONLY: ReadonlySet<number> = new Set([0x00, 0x02, PREFERRED_ADDRESS, 0x10]);
/** More known parameters than there are would be duplicates; unknown ones are bounded by this. */
const MAX_PARAMETERS = 128;

/** Bounds of RFC 9000 section 18.2: least and greatest. */
const BOUNDS: Readonly<Partial<Record<NumberName, readonly [number, number]>>> = {
  maxUdpPayloadSize: [1_200, Number.POSITIVE_INFINITY],
  initialMaxStreamsBidi: [0, 2 ** 60],
  initialMaxStreamsUni: [0, 2 ** 60],
  ackDelayExponent: [0, 20],
  maxAckDelay: [0, 2 ** 14 - 1],
  activeConnectionIdLimit: [2, Number.POSITIVE_INFINITY],
};

/**
 * Reads a peer's parameters.
 *
 * @param from - whose they are
 * @throws QuicFault TRANSPORT_PARAMETER_ERROR
 */
export function readTransportParameters(bytes: Uint8Array, from: 'client' | 'server'): TransportParameters {
  const parameters: Writable = { ...defaultTransportParameters };
  const seen = new Set<number>();
  const reader = new ByteReader(bytes);
  let count = 0;
  while (!reader.atEnd) {
    const id = reader.readVarint();
    const length = reader.readVarint();
    const value = id === NEED_MORE || length === NEED_MORE ? undefined : reader.readBytes(length);
    if (value === undefined) throw bad('they are cut short');
    // RFC 9000 section 7.4. Numbers above 2^53-1 are not told apart, and all unknown.
    if (seen.has(id) && id !== VARINT_SATURATED) throw bad(`parameter ${String(id)} stands twice`);
    seen.add(id);
    count += 1;
    if (count > MAX_PARAMETERS) throw bad('there are too many');
    if (from === 'client' && SERVER_ONLY.has(id)) throw bad(`parameter ${String(id)} of a client`);
    take(parameters, id, value);
  }
  return parameters;
}

function take(parameters: Writable, id: number, value: Uint8Array): void {
  const bytes = BYTES.get(id);
  if (bytes !== undefined) {
    const fits = bytes === 'statelessResetToken' ? value.length === TOKEN_LENGTH : value.length <= MAX_CONNECTION_ID;
    if (!fits) throw bad(`${bytes} has a wrong length`);
    parameters[bytes] = value;
    return;
  }
  const number = NUMBERS.get(id);
  if (number !== undefined) {
    parameters[number] = readNumber(number, value);
    return;
  }
  const flag = FLAGS.get(id);
  if (flag !== undefined) {
    if (value.length > 0) throw bad(`${flag} has a value`);
    parameters[flag] = true;
  } else if (id === PREFERRED_ADDRESS) {
    parameters.preferredAddress = readPreferredAddress(value);
  }
}

function readNumber(name: NumberName, value: Uint8Array): number {
  const reader = new ByteReader(value);
  const number = reader.readVarint();
  if (number === NEED_MORE || !reader.atEnd) throw bad(`${name} is no number`);
  const [least, greatest] = BOUNDS[name] ?? [0, Number.POSITIVE_INFINITY];
  const above = number > greatest || (number === VARINT_SATURATED && greatest === 2 ** 60 && isAbove2To60(value, 0));
  if (number < least || above) throw bad(`${name} is ${String(number)}`);
  return number;
}

function readPreferredAddress(value: Uint8Array): PreferredAddress {
  const reader = new ByteReader(value);
  const ipv4 = readEndpoint(reader, 4);
  const ipv6 = readEndpoint(reader, 16);
  const length = reader.readUint8();
  const connectionId = length === NEED_MORE ? undefined : reader.readBytes(length);
  const statelessResetToken = reader.readBytes(TOKEN_LENGTH);
  // RFC 9000 section 18.2: a zero-length connection id is an error here.
  const fits = connectionId !== undefined && connectionId.length > 0 && connectionId.length <= MAX_CONNECTION_ID;
  if (!fits || statelessResetToken === undefined || !reader.atEnd) throw bad('preferred_address is malformed');
  return { ipv4, ipv6, connectionId, statelessResetToken };
}

function readEndpoint(reader: ByteReader, length: number): { address: Uint8Array; port: number } | undefined {
  const address = reader.readBytes(length);
  const port = reader.readUint16();
  if (address === undefined || port === NEED_MORE) throw bad('preferred_address is cut short');
  return port === 0 || address.every((byte) => byte === 0) ? undefined : { address, port };
}

function bad(what: string): QuicFault {
  return new QuicFault(QuicError.transportParameterError, `transport parameters: ${what}`);
}

/**
 * Writes parameters; those that have their defaults are left out.
 *
 * @param grease - a reserved id (31 * N + 27) to send with some bytes, or `undefined` (RFC 9000 section 18.1)
 */
export function writeTransportParameters(
  parameters: Partial<TransportParameters>,
  grease?: { readonly id: number; readonly value: Uint8Array },
): Uint8Array {
  const writer = ByteWriter.brief();
  const put = (id: number, value: Uint8Array): void => {
    writer.writeVarint(id);
    writer.writeVarint(value.length);
    writer.writeBytes(value);
  };
  for (const [id, name] of BYTES) {
    const value = parameters[name];
    if (value !== undefined) put(id, value);
  }
  for (const [id, name] of NUMBERS) {
    const value = parameters[name];
    if (value === undefined || value === defaultTransportParameters[name]) continue;
    writer.writeVarint(id);
    writer.writeVarint(varintLength(value));
    writer.writeVarint(value);
  }
  for (const [id, name] of FLAGS) if (parameters[name] === true) put(id, EMPTY);
  if (parameters.preferredAddress !== undefined)
    put(PREFERRED_ADDRESS, preferredAddressData(parameters.preferredAddress));
  if (grease !== undefined) put(grease.id, grease.value);
  return writer.finish();
}

function preferredAddressData(address: PreferredAddress): Uint8Array {
  const writer = new ByteWriter(64);
  writer.writeBytes(address.ipv4?.address ?? new Uint8Array(4));
  writer.writeUint16(address.ipv4?.port ?? 0);
  writer.writeBytes(address.ipv6?.address ?? new Uint8Array(16));
  writer.writeUint16(address.ipv6?.port ?? 0);
  writer.writeUint8(address.connectionId.length);
  writer.writeBytes(address.connectionId);
  writer.writeBytes(address.statelessResetToken);
  return writer.finish();
}
