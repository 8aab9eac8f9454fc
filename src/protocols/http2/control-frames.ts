/**
 * Frames that are about the connection, or about a stream's existence and windows.
 *
 * Owns: SETTINGS and its acknowledgement (RFC 9113 section 6.5), PING (6.7), GOAWAY (6.8), WINDOW_UPDATE (6.9),
 * RST_STREAM (6.4), and the extensions that are understood: ALTSVC (RFC 7838 section 4), ORIGIN (RFC 8336) by clients,
 * PRIORITY_UPDATE (RFC 9218 section 7.1) by servers. Does not own sizes and stream ids (frame-dispatch.ts).
 *
 * @module
 */
import { StreamResetError } from '../../common/index.ts';
import {
  altSvcReceived,
  goawayReceived,
  originReceived,
  pingAcknowledged,
  priorityUpdated,
  settingsReceived,
  streamsAvailable,
} from '../events.ts';
import { Http2ErrorCode, parsePriority, PendingPriorities } from '../semantics/index.ts';
import type { Core } from './core.ts';
import { connectionFault, toldByPeer } from './faults.ts';
import { FrameType, LARGEST_WINDOW } from './frame-types.ts';
import { PingKind } from './pings.ts';
import type { Pings } from './pings.ts';
import type { Receiver } from './receiver.ts';
import type { Sender } from './sender.ts';
import { Closed } from './stream.ts';

const { FLOW_CONTROL_ERROR, PROTOCOL_ERROR, REFUSED_STREAM, FRAME_SIZE_ERROR } = Http2ErrorCode;

/** What the engine does about them. */
export interface ControlOwner {
  /** The peer acknowledged our SETTINGS. */
  settingsAcknowledged(): void;
  /** The PING between the two GOAWAYs of a shutdown was answered. */
  shutdownRoundTrip(): void;
  /** The peer winds the connection down. */
  goawayReceived(lastStreamId: number, errorCode: number): void;
}

/** Reads control frames. */
export class ControlFrames {
  /** Priorities of requests that have not come yet. */
  readonly priorities: PendingPriorities;
  readonly #core: Core;
  readonly #sender: Sender;
  readonly #pings: Pings;
  readonly #owner: ControlOwner;
  #receiver: Receiver | undefined;
  /** Our SETTINGS that were not acknowledged. */
  #settingsPending: number;

  constructor(core: Core, sender: Sender, pings: Pings, owner: ControlOwner) {
    this.priorities = new PendingPriorities();
    this.#core = core;
    this.#sender = sender;
    this.#pings = pings;
    this.#owner = owner;
    this.#receiver = undefined;
    this.#settingsPending = 1;
  }

  /** Names who resets streams. */
  connect(receiver: Receiver): void {
    this.#receiver = receiver;
  }

  /** SETTINGS of the peer. */
  settings(bytes: Uint8Array, start: number, end: number): void {
    const core = this.#core;
    const { peer } = core;
    const streamsBefore = peer.maxConcurrentStreams;
    const windowBefore = peer.initialWindowSize;
    const tableBefore = peer.headerTableSize;
    const settings = peer.read(bytes, start, end);
    if (peer.headerTableSize !== tableBefore) core.encoder.setMaxTableSize(peer.headerTableSize);
    if (peer.initialWindowSize !== windowBefore) this.#shiftWindows(peer.initialWindowSize - windowBefore);
    core.writer.writeHeader(0, FrameType.settings, 0x1, 0);
    core.events.push(settingsReceived(settings));
    if (core.role !== 'client') return;
    const more = peer.maxConcurrentStreams - streamsBefore;
    const limit = core.limits.maxConcurrentStreams;
    if (more > 0 && streamsBefore < limit) {
      core.events.push(streamsAvailable(Math.min(peer.maxConcurrentStreams, limit) - streamsBefore));
    }
  }

  /** The peer has read our SETTINGS. One that nobody waits for is a frame that moves nothing. */
  settingsAcknowledged(): void {
    this.#core.chargeControl(1);
    if (this.#settingsPending === 0) return;
    this.#settingsPending -= 1;
    this.#owner.settingsAcknowledged();
  }

  /** PING, or its answer. */
  ping(ack: boolean, bytes: Uint8Array, at: number): void {
    const core = this.#core;
    core.chargeControl(1);
    if (!ack) {
      core.writer.writePing(true, bytes, at);
      return;
    }
    const kind = this.#pings.answered(bytes, at);
    if (kind === PingKind.none) return;
    core.events.push(pingAcknowledged(core.now - this.#pings.sentAt(kind)));
    if (kind === PingKind.shutdown) this.#owner.shutdownRoundTrip();
  }

  /** GOAWAY. */
  goaway(lastStreamId: number, errorCode: number, debugData: Uint8Array): void {
    this.#core.chargeControl(1);
    this.#core.events.push(goawayReceived(lastStreamId, errorCode, debugData));
    this.#owner.goawayReceived(lastStreamId, errorCode);
  }

  /** RST_STREAM. */
  rstStream(streamId: number, code: number): void {
    const core = this.#core;
    const stream = core.find(streamId);
    if (stream === undefined) {
      if (!core.used(streamId)) throw connectionFault(PROTOCOL_ERROR, 'RST_STREAM on an idle stream');
      core.chargeControl(1);
      return;
    }
    const processed = code === REFUSED_STREAM ? 'no' : 'maybe';
    const message = toldByPeer('the stream was reset by the peer', code);
    core.wasReset(
      stream,
      code,
      processed,
      new StreamResetError(message, { errorCode: code, initiator: 'peer', processed }),
    );
    if (core.role === 'server') core.chargeReset();
  }

  /** WINDOW_UPDATE. */
  windowUpdate(streamId: number, increment: number): void {
    const core = this.#core;
    core.chargeControl(1);
    if (streamId === 0) {
      if (increment === 0) throw connectionFault(PROTOCOL_ERROR, 'WINDOW_UPDATE of 0');
      core.sendWindow += increment;
      if (core.sendWindow > LARGEST_WINDOW) throw connectionFault(FLOW_CONTROL_ERROR, 'a window above 2^31-1');
      return;
    }
    const stream = core.find(streamId);
    if (stream === undefined) {
      // Behind an end or a reset it may still be on its way (section 5.1).
      if (!core.used(streamId)) throw connectionFault(PROTOCOL_ERROR, 'WINDOW_UPDATE on an idle stream');
      return;
    }
    if (increment === 0) {
      this.#receiver?.fail(stream, PROTOCOL_ERROR, 'WINDOW_UPDATE of 0');
    } else if (stream.sendWindow + increment > LARGEST_WINDOW) {
      this.#receiver?.fail(stream, FLOW_CONTROL_ERROR, 'a window above 2^31-1');
    } else {
      stream.sendWindow += increment;
      this.#sender.windowChanged(stream);
    }
  }

  /** A frame of any other type, charged already; unknown ones are ignored (section 4.1). */
  extension(type: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const client = this.#core.role === 'client';
    if (type === FrameType.priorityUpdate) this.#priorityUpdate(streamId, bytes, start, end);
    else if (type === FrameType.altSvc && client) this.#altSvc(streamId, bytes, start, end);
    else if (type === FrameType.origin && client && streamId === 0) this.#origin(bytes, start, end);
  }

  /** RFC 9218 section 7.1. */
  #priorityUpdate(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const core = this.#core;
    if (core.role === 'client') throw connectionFault(PROTOCOL_ERROR, 'PRIORITY_UPDATE from a server');
    if (streamId !== 0) throw connectionFault(PROTOCOL_ERROR, `PRIORITY_UPDATE on stream ${String(streamId)}`);
    if (end - start < 4) throw connectionFault(FRAME_SIZE_ERROR, `PRIORITY_UPDATE of ${String(end - start)} octets`);
    const id =
      ((bytes[start]! & 0x7f) << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!;
    // Streams of requests are odd; there are no pushed ones.
    if (id === 0 || id % 2 === 0) throw connectionFault(PROTOCOL_ERROR, `PRIORITY_UPDATE for stream ${String(id)}`);
    const priority = parsePriority(latin1(bytes, start + 4, end));
    const stream = core.find(id);
    if (stream === undefined) {
      if (!core.used(id)) this.priorities.keep(id, priority);
      return;
    }
    this.#sender.prioritise(stream, priority.urgency, priority.incremental);
    core.events.push(priorityUpdated(id, priority.urgency, priority.incremental));
  }

  /** RFC 7838 section 4: on stream 0 with an origin, on another without; anything else is ignored. */
  #altSvc(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    if (end - start < 2) return;
    const length = (bytes[start]! << 8) | bytes[start + 1]!;
    const from = start + 2 + length;
    if (from > end || (streamId === 0) === (length === 0)) return;
    if (streamId !== 0 && this.#core.find(streamId) === undefined) return;
    const origin = latin1(bytes, start + 2, from);
    this.#core.events.push(altSvcReceived(origin, streamId, latin1(bytes, from, end)));
  }

  /** RFC 8336 section 2.1. */
  #origin(bytes: Uint8Array, start: number, end: number): void {
    const origins: string[] = [];
    let at = start;
    while (at + 2 <= end) {
      const length = (bytes[at]! << 8) | bytes[at + 1]!;
      const next = at + 2 + length;
      if (next > end) return;
      origins.push(latin1(bytes, at + 2, next));
      at = next;
    }
    if (at === end) this.#core.events.push(originReceived(origins));
  }

  /** INITIAL_WINDOW_SIZE changed: all streams' windows move by as much, below zero too (section 6.9.2). */
  #shiftWindows(delta: number): void {
    for (const stream of this.#core.streams.values()) {
      if (stream.closed !== Closed.no) continue;
      stream.sendWindow += delta;
      if (stream.sendWindow > LARGEST_WINDOW) {
        throw connectionFault(FLOW_CONTROL_ERROR, `INITIAL_WINDOW_SIZE makes a window above 2^31-1`);
      }
      if (stream.queued > 0) this.#sender.windowChanged(stream);
    }
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += 1) text += String.fromCharCode(bytes[at]!);
  return text;
}
