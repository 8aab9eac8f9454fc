/**
 * SETTINGS, both ways.
 *
 * Owns: the payload that this side sends, the reading and judging of the peer's (RFC 9114 section 7.2.4, RFC 9204
 * section 5, RFC 9220, RFC 9297 section 2.1.1), its values in force, and those that are remembered for 0-RTT (RFC 9114
 * section 7.2.4.2).
 *
 * @module
 */
import type { Random, RemoteProtocolError } from '../../common/index.ts';
import { ByteReader, ByteWriter, VARINT_SATURATED } from '../../wire/index.ts';
import { Http3ErrorCode } from '../semantics/index.ts';
import { connectionFault } from './faults.ts';
import { isForbiddenSetting, reservedNumber, SettingId } from './frame-types.ts';
import type { Http3Limits } from './limits.ts';

const { H3_FRAME_ERROR, H3_SETTINGS_ERROR, QPACK_DECODER_STREAM_ERROR } = Http3ErrorCode;

/** One setting: identifier and value. */
export type Setting = readonly [id: number, value: number];

/** What this side says of itself. A QPACK table capacity of 0 and no blocked streams are the defaults, and not sent. */
export function localSettings(
  role: 'client' | 'server',
  limits: Http3Limits,
  datagrams: boolean,
  more: readonly Setting[],
): Setting[] {
  const settings: Setting[] = [];
  if (limits.maxHeaderBytes !== Infinity) settings.push([SettingId.maxFieldSectionSize, limits.maxHeaderBytes]);
  if (role === 'server') settings.push([SettingId.enableConnectProtocol, 1]);
  if (datagrams) settings.push([SettingId.h3Datagram, 1]);
  return [...settings, ...more];
}

/** The payload of SETTINGS. */
export function encodeSettings(settings: readonly Setting[]): Uint8Array {
  const writer = ByteWriter.brief();
  for (const [id, value] of settings) {
    writer.writeVarint(id);
    writer.writeVarint(value);
  }
  return writer.finish();
}

/** A setting without a meaning, so that peers keep ignoring what they do not know (RFC 9114 section 7.2.4.1). */
export function reservedSetting(random: Random): Setting {
  const octets = new Uint8Array(4);
  random.fill(octets);
  return [reservedNumber((octets[0]! << 8) | octets[1]!), (octets[2]! << 8) | octets[3]!];
}

/** The peer's settings in force. */
export class PeerSettings {
  maxFieldSectionSize: number;
  enableConnectProtocol: boolean;
  h3Datagram: boolean;
  /** What the peer's QPACK decoder would keep; nothing is sent that it had to. */
  qpackMaxTableCapacity: number;
  /** The SETTINGS frame has come. */
  received: boolean;
  /** What is remembered is in force until then (client with 0-RTT). */
  #remembered: boolean;

  constructor() {
    this.maxFieldSectionSize = Infinity;
    this.enableConnectProtocol = false;
    this.h3Datagram = false;
    this.qpackMaxTableCapacity = 0;
    this.received = false;
    this.#remembered = false;
  }

  /** Client: what the server said when the session was made. What cannot be read is as if there were nothing. */
  remember(payload: Uint8Array): void {
    try {
      this.#apply(readSettings(payload, 0, payload.length));
      this.#remembered = true;
    } catch {
      this.forget();
    }
  }

  /** The server did not take 0-RTT: what was remembered does not hold. */
  forget(): void {
    this.#remembered = false;
    if (!this.received) this.#clear();
  }

  /** Reads the frame's payload. Throws the peer's faults. */
  read(bytes: Uint8Array, start: number, end: number): Map<number, number> {
    const settings = readSettings(bytes, start, end);
    const { maxFieldSectionSize, enableConnectProtocol, h3Datagram, qpackMaxTableCapacity } = this;
    this.#clear();
    this.#apply(settings);
    this.received = true;
    if (this.#remembered) {
      // RFC 9114 section 7.2.4.2: what was promised for 0-RTT is not taken back.
      if (this.maxFieldSectionSize < maxFieldSectionSize) throw reduced('MAX_FIELD_SECTION_SIZE');
      if (enableConnectProtocol && !this.enableConnectProtocol) throw reduced('ENABLE_CONNECT_PROTOCOL');
      if (h3Datagram && !this.h3Datagram) throw reduced('H3_DATAGRAM');
      // RFC 9204 section 3.2.3.
      if (qpackMaxTableCapacity !== 0 && this.qpackMaxTableCapacity !== qpackMaxTableCapacity) {
        throw connectionFault(QPACK_DECODER_STREAM_ERROR, 'QPACK_MAX_TABLE_CAPACITY is not what it was before 0-RTT');
      }
      if (maxFieldSectionSize !== Infinity && this.maxFieldSectionSize === Infinity) {
        throw reduced('MAX_FIELD_SECTION_SIZE');
      }
    }
    return settings;
  }

  #clear(): void {
    this.maxFieldSectionSize = Infinity;
    this.enableConnectProtocol = false;
    this.h3Datagram = false;
    this.qpackMaxTableCapacity = 0;
  }

  #apply(settings: ReadonlyMap<number, number>): void {
    for (const [id, value] of settings) {
      switch (id) {
        case SettingId.qpackMaxTableCapacity:
          this.qpackMaxTableCapacity = value;
          break;
        case SettingId.maxFieldSectionSize:
          this.maxFieldSectionSize = value;
          break;
        case SettingId.enableConnectProtocol:
          // RFC 9220 section 3 with RFC 8441 section 3.
          if (value > 1) throw bad('ENABLE_CONNECT_PROTOCOL', value);
          this.enableConnectProtocol = value === 1;
          break;
        case SettingId.h3Datagram:
          if (value > 1) throw bad('H3_DATAGRAM', value);
          this.h3Datagram = value === 1;
          break;
        default:
      }
    }
  }
}

function readSettings(bytes: Uint8Array, start: number, end: number): Map<number, number> {
  const settings = new Map<number, number>();
  const reader = new ByteReader(bytes, start, end);
  while (!reader.atEnd) {
    const id = reader.readVarint();
    const value = id < 0 ? -1 : reader.readVarint();
    if (value < 0) throw connectionFault(H3_FRAME_ERROR, 'SETTINGS that end within a setting');
    if (isForbiddenSetting(id)) throw bad('a setting of HTTP/2,', id);
    // Numbers above 2^53-1 are not told apart, and all unknown.
    if (settings.has(id) && id !== VARINT_SATURATED) throw bad('twice the setting', id);
    settings.set(id, value);
  }
  return settings;
}

function bad(what: string, value: number): RemoteProtocolError {
  return connectionFault(H3_SETTINGS_ERROR, `${what} ${String(value)} in SETTINGS`);
}

function reduced(name: string): RemoteProtocolError {
  return connectionFault(H3_SETTINGS_ERROR, `${name} is less than it was when 0-RTT was allowed`);
}
