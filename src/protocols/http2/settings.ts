/**
 * SETTINGS, both ways.
 *
 * Owns: the frame that this side sends, the reading and judging of the peer's (RFC 9113 section 6.5, RFC 8441 section 3,
 * RFC 9218 section 2.1) and its values in force. What a change does to windows and tables is the connection's to do.
 *
 * @module
 */
import type { RemoteProtocolError } from '../../common/index.ts';
import { Http2ErrorCode } from '../semantics/index.ts';
import { connectionFault } from './faults.ts';
import {
  DEFAULT_MAX_FRAME_SIZE,
  DEFAULT_WINDOW,
  LARGEST_MAX_FRAME_SIZE,
  LARGEST_WINDOW,
  SettingId,
} from './frame-types.ts';
import type { Http2Limits } from './limits.ts';

/** RFC 9113 section 6.5.2. */
const DEFAULT_TABLE_SIZE = 4096;

/** What this side sends first: identifiers and values in turn. */
export function localSettings(role: 'client' | 'server', limits: Http2Limits): readonly number[] {
  const settings: number[] = [];
  if (limits.headerTableSize !== DEFAULT_TABLE_SIZE) settings.push(SettingId.headerTableSize, limits.headerTableSize);
  if (role === 'client') settings.push(SettingId.enablePush, 0);
  else settings.push(SettingId.maxConcurrentStreams, limits.maxConcurrentStreams);
  if (limits.initialStreamWindow !== DEFAULT_WINDOW) {
    settings.push(SettingId.initialWindowSize, limits.initialStreamWindow);
  }
  settings.push(SettingId.maxHeaderListSize, Math.min(limits.maxHeaderBytes, 0xffff_ffff));
  if (role === 'server') settings.push(SettingId.enableConnectProtocol, 1);
  settings.push(SettingId.noRfc7540Priorities, 1);
  return settings;
}

/** The peer's settings in force. */
export class PeerSettings {
  readonly #role: 'client' | 'server';
  headerTableSize: number;
  /** As the server told it; `Infinity` while it told nothing. */
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
  maxHeaderListSize: number;
  enableConnectProtocol: boolean;
  noRfc7540Priorities: boolean;
  /** The first SETTINGS frame has come. */
  received: boolean;

  /** @param role - this side's */
  constructor(role: 'client' | 'server') {
    this.#role = role;
    this.headerTableSize = DEFAULT_TABLE_SIZE;
    this.maxConcurrentStreams = Infinity;
    this.initialWindowSize = DEFAULT_WINDOW;
    this.maxFrameSize = DEFAULT_MAX_FRAME_SIZE;
    this.maxHeaderListSize = Infinity;
    this.enableConnectProtocol = false;
    this.noRfc7540Priorities = false;
    this.received = false;
  }

  /** Reads a frame's payload, whose length is a multiple of six. Throws the peer's faults. */
  read(bytes: Uint8Array, start: number, end: number): Map<number, number> {
    const settings = new Map<number, number>();
    for (let at = start; at < end; at += 6) {
      const id = (bytes[at]! << 8) | bytes[at + 1]!;
      const value = bytes[at + 2]! * 0x1000000 + ((bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!);
      this.#apply(id, value);
      settings.set(id, value);
    }
    this.received = true;
    return settings;
  }

  #apply(id: number, value: number): void {
    switch (id) {
      case SettingId.headerTableSize:
        this.headerTableSize = value;
        return;
      case SettingId.enablePush:
        // A server never sends 1 (RFC 9113 section 6.5.2).
        if (value > 1 || (value === 1 && this.#role === 'client')) throw bad('ENABLE_PUSH', value);
        return;
      case SettingId.maxConcurrentStreams:
        this.maxConcurrentStreams = value;
        return;
      case SettingId.initialWindowSize:
        if (value > LARGEST_WINDOW) {
          throw connectionFault(Http2ErrorCode.FLOW_CONTROL_ERROR, `INITIAL_WINDOW_SIZE ${String(value)}`);
        }
        this.initialWindowSize = value;
        return;
      case SettingId.maxFrameSize:
        if (value < DEFAULT_MAX_FRAME_SIZE || value > LARGEST_MAX_FRAME_SIZE) throw bad('MAX_FRAME_SIZE', value);
        this.maxFrameSize = value;
        return;
      case SettingId.maxHeaderListSize:
        this.maxHeaderListSize = value;
        return;
      case SettingId.enableConnectProtocol:
        // RFC 8441 section 3: 0 or 1, and never 0 behind a 1.
        if (value > 1 || (value === 0 && this.enableConnectProtocol)) throw bad('ENABLE_CONNECT_PROTOCOL', value);
        this.enableConnectProtocol = value === 1;
        return;
      case SettingId.noRfc7540Priorities:
        // RFC 9218 section 2.1: 0 or 1, and as it was in the first frame.
        if (value > 1 || (this.received && (value === 1) !== this.noRfc7540Priorities)) {
          throw bad('NO_RFC7540_PRIORITIES', value);
        }
        this.noRfc7540Priorities = value === 1;
        return;
      default:
    }
  }
}

function bad(name: string, value: number): RemoteProtocolError {
  return connectionFault(Http2ErrorCode.PROTOCOL_ERROR, `${name} ${String(value)} in SETTINGS`);
}
