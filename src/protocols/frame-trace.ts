/**
 * The frames of an HTTP/2 connection as they pass by: for `-v`, for tests, for debugging.
 *
 * Owns the reading of frame headers and of the payloads that people can read (RFC 9113 sections 4.1 and 6, RFC 7838
 * section 4, RFC 8336 section 2, RFC 9218 section 7.1). It looks at bytes, so it works upon any implementation; it
 * judges nothing. What is in header blocks and in DATA is told by the engine's events.
 *
 * Invariant: of a frame's payload at most 512 octets are held, whatever its length says.
 *
 * @module
 */

/** One frame. */
export interface FrameTrace {
  /** The name in RFC 9113, or the number in hexadecimal; `PREFACE` for what a client sends first. */
  readonly type: string;
  /** 0 for the connection. */
  readonly streamId: number;
  /** Octets of the payload. */
  readonly length: number;
  /** The flags that are set, by name. */
  readonly flags: readonly string[];
  /** What the payload says, as far as it is told; empty otherwise. May hold any character that the peer sent. */
  readonly detail: string;
}

/** Reads one direction of a connection. */
export class FrameScanner {
  readonly #tell: (frame: FrameTrace) => void;
  readonly #header: Uint8Array;
  #headerLength: number;
  /** Octets of the preface, or of the payload, that are still to come. */
  #left: number;
  #inPreface: boolean;
  /** The payload of the present frame as far as it is kept. */
  #kept: Uint8Array;
  #keptLength: number;

  /** @param preface - whether the direction begins with the client's preface (RFC 9113 section 3.4) */
  constructor(preface: boolean, tell: (frame: FrameTrace) => void) {
    this.#tell = tell;
    this.#header = new Uint8Array(HEADER_LENGTH);
    this.#headerLength = 0;
    this.#left = preface ? PREFACE_LENGTH : 0;
    this.#inPreface = preface;
    this.#kept = NOTHING;
    this.#keptLength = 0;
  }

  /** The next bytes of the direction. */
  scan(chunk: Uint8Array): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#left > 0) offset = this.#takePayload(chunk, offset);
      else offset = this.#takeHeader(chunk, offset);
    }
  }

  #takeHeader(chunk: Uint8Array, offset: number): number {
    const size = Math.min(HEADER_LENGTH - this.#headerLength, chunk.length - offset);
    this.#header.set(chunk.subarray(offset, offset + size), this.#headerLength);
    this.#headerLength += size;
    if (this.#headerLength === HEADER_LENGTH) {
      const header = this.#header;
      this.#headerLength = 0;
      this.#left = ((header[0] as number) << 16) | ((header[1] as number) << 8) | (header[2] as number);
      const isTold = this.#left > 0 && DETAILS.has(header[3] as number);
      this.#kept = isTold ? new Uint8Array(Math.min(this.#left, KEPT)) : NOTHING;
      this.#keptLength = 0;
      if (!isTold) this.#tellFrame();
    }
    return offset + size;
  }

  #takePayload(chunk: Uint8Array, offset: number): number {
    const size = Math.min(this.#left, chunk.length - offset);
    const wanted = Math.min(size, this.#kept.length - this.#keptLength);
    if (wanted > 0) {
      this.#kept.set(chunk.subarray(offset, offset + wanted), this.#keptLength);
      this.#keptLength += wanted;
      if (this.#keptLength === this.#kept.length) this.#tellFrame();
    }
    this.#left -= size;
    if (this.#left === 0 && this.#inPreface) {
      this.#inPreface = false;
      this.#tell({ type: 'PREFACE', streamId: 0, length: PREFACE_LENGTH, flags: [], detail: '' });
    }
    return offset + size;
  }

  #tellFrame(): void {
    const header = this.#header;
    const type = header[3] as number;
    const payload = this.#kept;
    this.#tell({
      type: TYPES[type] ?? `0x${type.toString(16)}`,
      streamId: numberAt(header, 5) & 0x7fff_ffff,
      length: ((header[0] as number) << 16) | ((header[1] as number) << 8) | (header[2] as number),
      flags: flagsOf(type, header[4] as number),
      detail: payload.length === 0 ? '' : (DETAILS.get(type)?.(payload) ?? ''),
    });
    this.#kept = NOTHING;
  }
}

const HEADER_LENGTH = 9;
const PREFACE_LENGTH = 24;
/** Octets of a payload that are kept for its text. */
const KEPT = 512;
const NOTHING = new Uint8Array(0);

const TYPES: Readonly<Record<number, string>> = {
  0x0: 'DATA',
  0x1: 'HEADERS',
  0x2: 'PRIORITY',
  0x3: 'RST_STREAM',
  0x4: 'SETTINGS',
  0x5: 'PUSH_PROMISE',
  0x6: 'PING',
  0x7: 'GOAWAY',
  0x8: 'WINDOW_UPDATE',
  0x9: 'CONTINUATION',
  0xa: 'ALTSVC',
  0xc: 'ORIGIN',
  0x10: 'PRIORITY_UPDATE',
};

const FLAGS: Readonly<Record<number, readonly (readonly [number, string])[]>> = {
  0x0: [
    [0x1, 'END_STREAM'],
    [0x8, 'PADDED'],
  ],
  0x1: [
    [0x1, 'END_STREAM'],
    [0x4, 'END_HEADERS'],
    [0x8, 'PADDED'],
    [0x20, 'PRIORITY'],
  ],
  0x4: [[0x1, 'ACK']],
  0x5: [
    [0x4, 'END_HEADERS'],
    [0x8, 'PADDED'],
  ],
  0x6: [[0x1, 'ACK']],
  0x9: [[0x4, 'END_HEADERS']],
};

const SETTINGS: Readonly<Record<number, string>> = {
  0x1: 'HEADER_TABLE_SIZE',
  0x2: 'ENABLE_PUSH',
  0x3: 'MAX_CONCURRENT_STREAMS',
  0x4: 'INITIAL_WINDOW_SIZE',
  0x5: 'MAX_FRAME_SIZE',
  0x6: 'MAX_HEADER_LIST_SIZE',
  0x8: 'ENABLE_CONNECT_PROTOCOL',
  0x9: 'NO_RFC7540_PRIORITIES',
};

const ERRORS: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
];

/** What is told of payloads, by the frame's type. A payload that is too short gives what it has. */
const DETAILS: ReadonlyMap<number, (payload: Uint8Array) => string> = new Map([
  [0x2, priorityText],
  [0x3, (payload: Uint8Array): string => errorText(payload, 0)],
  [0x4, settingsText],
  [0x6, (payload: Uint8Array): string => hexadecimal(payload)],
  [0x7, goawayText],
  [0x8, (payload: Uint8Array): string => `+${String(streamIdAt(payload, 0))}`],
  [0xa, altSvcText],
  [0xc, originText],
  [0x10, (payload: Uint8Array): string => `stream ${String(streamIdAt(payload, 0))}: ${text(payload, 4)}`],
]);

function flagsOf(type: number, flags: number): string[] {
  const names: string[] = [];
  for (const [bit, name] of FLAGS[type] ?? []) if ((flags & bit) !== 0) names.push(name);
  return names;
}

function priorityText(payload: Uint8Array): string {
  return `depends on ${String(streamIdAt(payload, 0))}, weight ${String((payload[4] ?? 0) + 1)}`;
}

function settingsText(payload: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    const identifier = ((payload[at] as number) << 8) | (payload[at + 1] as number);
    const name = SETTINGS[identifier] ?? `0x${identifier.toString(16)}`;
    parts.push(`${name}=${String(numberAt(payload, at + 2))}`);
  }
  return parts.join(', ');
}

function goawayText(payload: Uint8Array): string {
  const debug = text(payload, 8);
  const reason = debug === '' ? '' : `, "${debug}"`;
  return `last stream ${String(streamIdAt(payload, 0))}, ${errorText(payload, 4)}${reason}`;
}

function altSvcText(payload: Uint8Array): string {
  const end = 2 + lengthAt(payload, 0);
  const origin = text(payload, 2, end);
  return `${origin === '' ? '' : `${origin}: `}${text(payload, end)}`;
}

function originText(payload: Uint8Array): string {
  const origins: string[] = [];
  for (let at = 0; at + 2 <= payload.length;) {
    const end = at + 2 + lengthAt(payload, at);
    origins.push(text(payload, at + 2, end));
    at = end;
  }
  return origins.join(' ');
}

function errorText(payload: Uint8Array, offset: number): string {
  const code = numberAt(payload, offset);
  return ERRORS[code] ?? `0x${code.toString(16)}`;
}

function numberAt(bytes: Uint8Array, offset: number): number {
  let value = 0;
  for (let index = offset; index < offset + 4; index += 1) value = value * 256 + (bytes[index] ?? 0);
  return value;
}

function streamIdAt(bytes: Uint8Array, offset: number): number {
  return numberAt(bytes, offset) & 0x7fff_ffff;
}

function lengthAt(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

function text(bytes: Uint8Array, from: number, to: number = bytes.length): string {
  let characters = '';
  for (let index = from; index < Math.min(to, bytes.length); index += 1) {
    characters += String.fromCharCode(bytes[index] as number);
  }
  return characters;
}

function hexadecimal(bytes: Uint8Array): string {
  let digits = '';
  for (const byte of bytes) digits += byte.toString(16).padStart(2, '0');
  return digits;
}
