/**
 * The peer's control stream: frames that are about the connection.
 *
 * Owns: SETTINGS (RFC 9114 section 7.2.4), GOAWAY (7.2.6), CANCEL_PUSH and MAX_PUSH_ID (7.2.3, 7.2.7) where no push ever
 * is, PRIORITY_UPDATE (RFC 9218 section 7.2), and which frames may come there and when. Does not own what follows from
 * them for the connection (engine.ts).
 *
 * @module
 */
import { ByteReader, latin1Text, readVarint, varintLengthOf } from '../../wire/index.ts';
import { goawayReceived, priorityUpdated, settingsReceived } from '../events.ts';
import { Http3ErrorCode, parsePriority, PendingPriorities } from '../semantics/index.ts';
import type { Core } from './core.ts';
import { connectionFault, limitFault } from './faults.ts';
import type { FrameSink, TakeKind } from './frame-reader.ts';
import { Take } from './frame-reader.ts';
import { FrameType, isForbiddenFrame } from './frame-types.ts';
import type { Sender } from './sender.ts';
import { Closed } from './stream.ts';

const { H3_FRAME_ERROR, H3_FRAME_UNEXPECTED, H3_ID_ERROR, H3_MISSING_SETTINGS, H3_NO_ERROR } = Http3ErrorCode;

const EMPTY: Uint8Array = new Uint8Array(0);

/** What the engine does about them. */
export interface ControlOwner {
  /** The peer's settings are known. */
  settingsReceived(payload: Uint8Array): void;
  /** The peer winds the connection down: requests from this id on are not processed. */
  goawayReceived(id: number): void;
}

/** Reads the peer's control stream. */
export class ControlStream implements FrameSink<undefined> {
  /** Priorities of requests that have not come yet. */
  readonly priorities: PendingPriorities;
  readonly #core: Core;
  readonly #sender: Sender;
  readonly #owner: ControlOwner;
  /** What the peer's last GOAWAY said. */
  #goaway: number;
  #maxPushId: number;

  constructor(core: Core, sender: Sender, owner: ControlOwner) {
    this.priorities = new PendingPriorities();
    this.#core = core;
    this.#sender = sender;
    this.#owner = owner;
    this.#goaway = Infinity;
    this.#maxPushId = -1;
  }

  lends(): boolean {
    return false;
  }

  rawReceived(): void {
    // No bytes are ever raw here.
  }

  framePiece(): void {
    // No frame is taken in pieces.
  }

  frameBegins(_owner: undefined, type: number, length: number): TakeKind {
    const core = this.#core;
    const settings = type === FrameType.settings;
    // RFC 9114 section 6.2.1.
    if (settings === core.peer.received) {
      if (settings) throw connectionFault(H3_FRAME_UNEXPECTED, 'a second SETTINGS');
      throw connectionFault(H3_MISSING_SETTINGS, 'a control stream that does not begin with SETTINGS');
    }
    if (!settings) core.chargeControl(1);
    if (!this.#isKnown(type)) return Take.skip;
    const { maxControlFrameBytes } = core.limits;
    if (length > maxControlFrameBytes) throw limitFault('maxControlFrameBytes', maxControlFrameBytes);
    return Take.whole;
  }

  frameReceived(_owner: undefined, type: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case FrameType.settings:
        this.#core.events.push(settingsReceived(this.#core.peer.read(bytes, start, end)));
        this.#owner.settingsReceived(bytes.slice(start, end));
        return;
      case FrameType.goaway:
        this.#goawayReceived(onlyNumber(bytes, start, end, 'GOAWAY'), bytes[end - 1]!);
        return;
      case FrameType.maxPushId:
        this.#maxPushIdReceived(onlyNumber(bytes, start, end, 'MAX_PUSH_ID'));
        return;
      case FrameType.cancelPush:
        // Nothing was promised, and nothing may be.
        throw connectionFault(H3_ID_ERROR, `CANCEL_PUSH of ${String(onlyNumber(bytes, start, end, 'CANCEL_PUSH'))}`);
      default:
        this.#priorityUpdate(type, bytes, start, end);
    }
  }

  /** Whether a frame is read. Throws for those that may not come here. */
  #isKnown(type: number): boolean {
    switch (type) {
      case FrameType.settings:
      case FrameType.goaway:
      case FrameType.cancelPush:
        return true;
      case FrameType.maxPushId:
      case FrameType.priorityUpdate:
      case FrameType.priorityUpdatePush:
        if (this.#core.role === 'server') return true;
        throw unexpected(type, 'of a server');
      case FrameType.data:
      case FrameType.headers:
      case FrameType.pushPromise:
        throw unexpected(type, 'on a control stream');
      default:
        if (isForbiddenFrame(type)) throw unexpected(type, 'of HTTP/2');
        return false;
    }
  }

  /** @param lastOctet - holds the two lowest bits, which a large number has lost */
  #goawayReceived(id: number, lastOctet: number): void {
    const core = this.#core;
    if (core.role === 'client' && lastOctet % 4 !== 0) {
      throw connectionFault(H3_ID_ERROR, `GOAWAY of ${String(id)}, which is no request`);
    }
    if (id > this.#goaway) throw connectionFault(H3_ID_ERROR, `GOAWAY of ${String(id)} behind a smaller one`);
    this.#goaway = id;
    // The event names the last stream that may have been processed; -1 for none.
    const last = core.role === 'server' ? id : Math.max(id - 4, -1);
    core.events.push(goawayReceived(last, H3_NO_ERROR, EMPTY));
    this.#owner.goawayReceived(id);
  }

  #maxPushIdReceived(id: number): void {
    if (id < this.#maxPushId) throw connectionFault(H3_ID_ERROR, `MAX_PUSH_ID of ${String(id)} behind a larger one`);
    this.#maxPushId = id;
  }

  /** RFC 9218 section 7.2. */
  #priorityUpdate(type: number, bytes: Uint8Array, start: number, end: number): void {
    const core = this.#core;
    const reader = new ByteReader(bytes, start, end);
    const id = reader.readVarint();
    if (id < 0) throw connectionFault(H3_FRAME_ERROR, 'PRIORITY_UPDATE without its id');
    if (type === FrameType.priorityUpdatePush) throw connectionFault(H3_ID_ERROR, 'PRIORITY_UPDATE of a push');
    if (bytes[reader.position - 1]! % 4 !== 0) {
      throw connectionFault(H3_ID_ERROR, `PRIORITY_UPDATE for stream ${String(id)}, which is no request`);
    }
    const priority = parsePriority(latin1Text(bytes, reader.position, end));
    const stream = core.find(id);
    if (stream?.told === true) {
      this.#sender.prioritise(stream, priority.urgency, priority.incremental);
      core.events.push(priorityUpdated(id, priority.urgency, priority.incremental));
    } else if (core.howClosed(id) === Closed.no) {
      this.priorities.keep(id, priority);
    }
  }
}

/** The number that is all of a frame's payload (RFC 9114 section 7.1). */
function onlyNumber(bytes: Uint8Array, start: number, end: number, name: string): number {
  if (start < end && start + varintLengthOf(bytes[start]!) === end) return readVarint(bytes, start);
  throw connectionFault(H3_FRAME_ERROR, `${name} of ${String(end - start)} octets`);
}

function unexpected(type: number, where: string): Error {
  return connectionFault(H3_FRAME_UNEXPECTED, `frame 0x${type.toString(16)} ${where}`);
}
