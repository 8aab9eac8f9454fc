/**
 * Packets put into a datagram.
 *
 * Owns the layout of one datagram: headers, payloads behind each other, padding in the last packet, sealing in place,
 * and the record of what was sent (RFC 9000 sections 12.2 and 14.1, RFC 9001 section 5). What goes in is
 * datagram-writer.ts's to decide. Nothing is copied but what frames are made of.
 *
 * Use: {@link PacketAssembler.begin}, then for each packet {@link PacketAssembler.open}, frames into
 * {@link PacketAssembler.writer}, {@link PacketAssembler.close}; at last {@link PacketAssembler.finish}.
 *
 * @module
 */
import { TAG_LENGTH } from '../../crypto/index.ts';
import type { ConnectionState } from './connection-state.ts';
import type { PacketKind } from './frame-types.ts';
import { FrameWriter } from './frame-writer.ts';
import { longHeaderLength, writeLongHeader, writeShortHeader } from './packet-header.ts';
import { packetNumberLength } from './packet-number.ts';
import type { PacketKeys } from './packet-protection.ts';
import { spaceOf } from './packet-spaces.ts';
import { SealedHeaders } from './sealed-headers.ts';
import type { SentFrame } from './sent-packets.ts';

/** Packet number and payload together: what header protection takes its sample behind (RFC 9001 section 5.4.2). */
const MIN_PROTECTED = 4;
/** A packet with less room than this is not begun. */
const MIN_ROOM = 32;
const FIXED = 0x40;

/** A packet before it is sealed. */
class Draft {
  kind: PacketKind;
  start: number;
  headerLength: number;
  numberLength: number;
  /** Where its payload ends. */
  end: number;
  eliciting: boolean;
  padded: boolean;
  frames: SentFrame[];

  constructor() {
    this.kind = 'initial';
    this.start = 0;
    this.headerLength = 0;
    this.numberLength = 0;
    this.end = 0;
    this.eliciting = false;
    this.padded = false;
    this.frames = [];
  }
}

/** Fills datagrams, one at a time. */
export class PacketAssembler {
  /** Takes the frames of the packet that is open. */
  writer: FrameWriter;
  /** Takes the records of those that ask for an acknowledgement. */
  frames: SentFrame[];
  readonly #state: ConnectionState;
  readonly #drafts: readonly Draft[];
  #count: number;
  #bytes: Uint8Array;
  #start: number;
  #end: number;
  #limit: number;
  #destination: Uint8Array;
  #recorded: boolean;
  /** 1-RTT packets of this flush, and keys that have their header protection. */
  readonly #bare: SealedHeaders;
  #bareKeys: PacketKeys | undefined;
  #noise: number;

  constructor(state: ConnectionState) {
    this.writer = new FrameWriter(state.sourceId, 0, 0);
    this.frames = [];
    this.#state = state;
    this.#drafts = [new Draft(), new Draft(), new Draft()];
    this.#count = 0;
    this.#bytes = state.sourceId;
    this.#start = 0;
    this.#end = 0;
    this.#limit = 0;
    this.#destination = state.sourceId;
    this.#recorded = true;
    this.#bare = new SealedHeaders();
    this.#bareKeys = undefined;
    const seed = state.config.random.fill(new Uint8Array(4));
    this.#noise = new DataView(seed.buffer, seed.byteOffset, 4).getUint32(0) | 1;
  }

  /** How many packets there are. */
  get count(): number {
    return this.#count;
  }

  /** How much is free behind the packets so far. */
  get room(): number {
    return this.#limit - this.#end;
  }

  /** Whether there is an Initial packet, and whether one that asks for an acknowledgement. */
  get initial(): 'none' | 'quiet' | 'eliciting' {
    const first = this.#drafts[0] as Draft;
    if (this.#count === 0 || first.kind !== 'initial') return 'none';
    return first.eliciting ? 'eliciting' : 'quiet';
  }

  /** Whether there is a Handshake packet. */
  get hasHandshake(): boolean {
    for (let index = 0; index < this.#count; index += 1) {
      if ((this.#drafts[index] as Draft).kind === 'handshake') return true;
    }
    return false;
  }

  /**
   * Begins a datagram at `start` of `bytes`, of at most `limit` bytes.
   *
   * @param recorded - false for a path that is not the current one: what is lost there says nothing of this one
   */
  begin(bytes: Uint8Array, start: number, limit: number, destination: Uint8Array, recorded: boolean): void {
    this.#recorded = recorded;
    this.#count = 0;
    this.#bytes = bytes;
    this.#start = start;
    this.#end = start;
    this.#limit = start + limit;
    this.#destination = destination;
  }

  /** Begins a packet. False when there is no room for it. */
  open(kind: PacketKind): boolean {
    const draft = this.#drafts[this.#count];
    if (draft === undefined) return false;
    const state = this.#state;
    const space = spaceOf(kind);
    const { nextNumber } = state.spaces[space];
    const numberLength = packetNumberLength(nextNumber, state.recovery.largestAcked(space));
    const headerLength =
      kind === 'oneRtt'
        ? 1 + this.#destination.length + numberLength
        : longHeaderLength(kind, this.#destination, state.sourceId, state.token, numberLength);
    if (this.#end + headerLength + MIN_ROOM + TAG_LENGTH > this.#limit) return false;
    draft.kind = kind;
    draft.start = this.#end;
    draft.headerLength = headerLength;
    draft.numberLength = numberLength;
    draft.eliciting = false;
    draft.padded = false;
    draft.frames = [];
    this.frames = draft.frames;
    this.writer = new FrameWriter(this.#bytes, draft.start + headerLength, this.#limit - TAG_LENGTH);
    return true;
  }

  /** The open packet asks for an acknowledgement. */
  markEliciting(): void {
    (this.#drafts[this.#count] as Draft).eliciting = true;
  }

  /** Whether the open packet asks for an acknowledgement. */
  get isEliciting(): boolean {
    return (this.#drafts[this.#count] as Draft).eliciting;
  }

  /** Ends the open packet, which is left out when nothing was put in. */
  close(): boolean {
    const draft = this.#drafts[this.#count] as Draft;
    const begin = draft.start + draft.headerLength;
    if (this.writer.position === begin) return false;
    const missing = MIN_PROTECTED - draft.numberLength - (this.writer.position - begin);
    if (missing > 0) this.writer.padding(missing);
    draft.end = this.writer.position;
    this.#end = draft.end + TAG_LENGTH;
    this.#count += 1;
    return true;
  }

  /**
   * Pads the last packet so that the datagram has at least `least` bytes, seals all of them and takes note.
   *
   * @param limited - whether more would have been sent if it might
   * @returns the length of the datagram
   * @throws QuicFault AEAD_LIMIT_REACHED
   */
  finish(least: number, limited: boolean, mtuProbe: boolean): number {
    const last = this.#drafts[this.#count - 1];
    if (last === undefined) return 0;
    const missing = Math.min(least - (this.#end - this.#start), this.#limit - this.#end);
    if (missing > 0) {
      this.#bytes.fill(0, last.end, last.end + missing);
      last.end += missing;
      last.padded = true;
      this.#end += missing;
    }
    for (let index = 0; index < this.#count; index += 1) {
      this.#seal(this.#drafts[index] as Draft, limited, mtuProbe);
    }
    return this.#end - this.#start;
  }

  /** Protects the headers of everything since the last call; to be called before any of it leaves. */
  protect(): void {
    this.#bareKeys?.maskHeaders(this.#bare);
  }

  #seal(draft: Draft, limited: boolean, mtuProbe: boolean): void {
    const state = this.#state;
    const { kind, start, headerLength, numberLength, frames } = draft;
    const name = spaceOf(kind);
    const space = state.spaces[name];
    const number = space.nextNumber;
    const size = draft.end + TAG_LENGTH - start;
    const keys = this.#header(draft, number, size);
    // RFC 9287: the bit means nothing to those who say so.
    if (state.peer.greaseQuicBit && state.config.grease && this.#coin()) {
      this.#bytes[start] = (this.#bytes[start] as number) & ~FIXED;
    }
    state.trace?.packetSent(state.now, kind, number, size, frames);
    const packet = this.#bytes.subarray(start, start + size);
    if (kind === 'oneRtt') {
      keys.sealPayload(packet, headerLength, number);
      this.#bare.add(packet, headerLength, numberLength);
      this.#bareKeys = keys;
    } else {
      keys.seal(packet, headerLength, number, numberLength);
    }
    const { recovery, mtu, now } = state;
    const inFlight = this.#recorded && (draft.eliciting || draft.padded);
    // Nothing answers what does not ask, so a record of it would never go.
    if (inFlight) {
      recovery.sent(name, {
        number,
        sentAt: now,
        size,
        ackEliciting: draft.eliciting,
        inFlight,
        limited,
        frames,
        path: recovery.path,
        mtuProbe,
      });
      state.pacer.sent(size);
    }
    space.took(recovery.controller.window / mtu.size);
    if (draft.eliciting) state.idle.elicitingSent(now);
  }

  #header(draft: Draft, number: number, size: number): PacketKeys {
    const { kind, start, headerLength, numberLength } = draft;
    const { keys, sourceId, token } = this.#state;
    if (kind === 'oneRtt') {
      const { oneRtt } = keys;
      if (oneRtt === undefined) throw new TypeError('no keys for a packet that was begun');
      const sealing = oneRtt.sealing(number);
      writeShortHeader(this.#bytes, start, this.#destination, oneRtt.phase, false, number, numberLength);
      return sealing;
    }
    const sealing = keys.sealing(kind);
    if (sealing === undefined) throw new TypeError('no keys for a packet that was begun');
    const rest = size - headerLength;
    writeLongHeader(this.#bytes, start, kind, this.#destination, sourceId, token, number, numberLength, rest);
    return sealing;
  }

  /** A bit of noise, which needs to be no secret. */
  #coin(): boolean {
    let noise = this.#noise;
    noise ^= noise << 13;
    noise ^= noise >>> 17;
    noise ^= noise << 5;
    this.#noise = noise;
    return (noise & 0x100) !== 0;
  }
}
