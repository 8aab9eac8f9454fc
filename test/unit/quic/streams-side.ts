/**
 * One side's streams without packets' protection: frames in, frames out.
 *
 * @module
 */
import type { QuicEvent } from '../../../src/protocols/quic-transport.ts';
import { QuicError, QuicFault } from '../../../src/protocols/quic/error-codes.ts';
import type { FrameHandler } from '../../../src/protocols/quic/frame-handler.ts';
import { parseFrames } from '../../../src/protocols/quic/frame-parser.ts';
import type { PacketKind } from '../../../src/protocols/quic/frame-types.ts';
import { FrameWriter } from '../../../src/protocols/quic/frame-writer.ts';
import { quicLimitValues } from '../../../src/protocols/quic/limits.ts';
import type { SentFrame } from '../../../src/protocols/quic/sent-packets.ts';
import type { QuicStreamLimits } from '../../../src/protocols/quic/streams.ts';
import { QuicStreams } from '../../../src/protocols/quic/streams.ts';
import type { TransportParameters } from '../../../src/protocols/quic/transport-parameters.ts';
import { defaultTransportParameters } from '../../../src/protocols/quic/transport-parameters.ts';
import { recordFrames } from '../protocols/quic/recorder.ts';
import type { RecordedFrame } from '../protocols/quic/recorder.ts';

/** What a packet carried. */
export interface SidePacket {
  readonly payload: Uint8Array;
  readonly frames: readonly SentFrame[];
}

/** A peer that allows much. */
export const generous: TransportParameters = {
  ...defaultTransportParameters,
  initialMaxData: 10_000_000,
  initialMaxStreamDataBidiLocal: 1_000_000,
  initialMaxStreamDataBidiRemote: 1_000_000,
  initialMaxStreamDataUni: 1_000_000,
  initialMaxStreamsBidi: 100,
  initialMaxStreamsUni: 100,
  maxDatagramFrameSize: 65_535,
};

/** Streams, and what they told. */
export class StreamSide {
  readonly streams: QuicStreams;
  readonly events: QuicEvent[];
  now: number;

  /** @param peer - what the peer allows */
  constructor(
    role: 'client' | 'server',
    limits: Partial<QuicStreamLimits> = {},
    peer: Partial<TransportParameters> | 'unknown' = generous,
  ) {
    this.events = [];
    this.now = 0;
    this.streams = new QuicStreams(role, { ...quicLimitValues(), ...limits }, (event) => this.events.push(event));
    this.streams.setPacketRoom(1_150);
    if (peer !== 'unknown') this.streams.applyPeerParameters({ ...generous, ...peer }, false);
  }

  /** The events since the last time. */
  take(): QuicEvent[] {
    return this.events.splice(0);
  }

  /** Their names. */
  names(): string[] {
    return this.take().map(({ type }) => type);
  }

  /** One packet. */
  packet(room = 1_150, kind: PacketKind = 'oneRtt'): SidePacket {
    const bytes = new Uint8Array(room);
    const writer = new FrameWriter(bytes, 0, room);
    const frames: SentFrame[] = [];
    this.streams.write(writer, frames, kind, this.now);
    return { payload: bytes.subarray(0, writer.position), frames };
  }

  /** Packets until there is nothing to send. */
  flush(room = 1_150): SidePacket[] {
    const packets: SidePacket[] = [];
    while (this.streams.hasPending) {
      const packet = this.packet(room);
      if (packet.payload.length === 0) throw new Error('hasPending, but nothing was written');
      packets.push(packet);
      if (packets.length > 100_000) throw new Error('it never ends');
    }
    return packets;
  }

  /** What {@link flush} sends, as it is read. */
  sends(room = 1_150): RecordedFrame[] {
    return this.flush(room).flatMap((packet) => recorded(packet.payload));
  }

  acknowledge(packet: SidePacket): void {
    for (const frame of packet.frames) this.streams.acknowledged(frame);
  }

  lose(packet: SidePacket): void {
    for (const frame of packet.frames) this.streams.lost(frame);
  }

  /** The other side's packet came. */
  receive(payload: Uint8Array, kind: PacketKind = 'oneRtt'): void {
    if (payload.length > 0) parseFrames(payload, kind, this.#handler(kind));
  }

  /** What goes wrong: the name of its code and the type of the frame. */
  fault(act: (streams: QuicStreams) => void): string | undefined {
    try {
      act(this.streams);
      return undefined;
    } catch (error) {
      if (!(error instanceof QuicFault)) throw error;
      const name = Object.entries(QuicError).find(([, code]) => code === error.code)?.[0];
      return `${String(name)} 0x${error.frameType.toString(16)}`;
    }
  }

  #handler(kind: PacketKind): FrameHandler {
    const { streams } = this;
    let type = 0;
    const refuse = (): never => {
      throw new Error('a frame that is none of streams');
    };
    return {
      frameReceived: (next) => (type = next),
      streamReceived: (id, offset, data, fin) =>
        streams.streamReceived(id, offset, data, fin, kind === 'zeroRtt', type),
      resetStreamReceived: (id, code, size) => streams.resetStreamReceived(id, code, size),
      stopSendingReceived: (id, code) => streams.stopSendingReceived(id, code),
      maxDataReceived: (maximum) => streams.maxDataReceived(maximum),
      maxStreamDataReceived: (id, maximum) => streams.maxStreamDataReceived(id, maximum),
      maxStreamsReceived: (bidi, maximum) => streams.maxStreamsReceived(bidi, maximum),
      dataBlockedReceived: (limit) => streams.dataBlockedReceived(limit),
      streamDataBlockedReceived: (id, limit) => streams.streamDataBlockedReceived(id, limit),
      streamsBlockedReceived: (bidi, limit) => streams.streamsBlockedReceived(bidi, limit),
      datagramReceived: (data) => streams.datagramReceived(data),
      ackReceived: refuse,
      cryptoReceived: refuse,
      newTokenReceived: refuse,
      newConnectionIdReceived: refuse,
      retireConnectionIdReceived: refuse,
      pathChallengeReceived: refuse,
      pathResponseReceived: refuse,
      connectionCloseReceived: refuse,
      handshakeDoneReceived: refuse,
    };
  }
}

/** Two sides that know each other's limits. */
export function sidePair(
  client: Partial<QuicStreamLimits> = {},
  server: Partial<QuicStreamLimits> = client,
): [StreamSide, StreamSide] {
  const one = new StreamSide('client', client, 'unknown');
  const other = new StreamSide('server', server, 'unknown');
  one.streams.applyPeerParameters({ ...defaultTransportParameters, ...other.streams.localParameters }, false);
  other.streams.applyPeerParameters({ ...defaultTransportParameters, ...one.streams.localParameters }, false);
  return [one, other];
}

/** Takes everything across, both ways, until nobody has anything to send. */
export function exchange(one: StreamSide, other: StreamSide): void {
  for (let rounds = 0; one.streams.hasPending || other.streams.hasPending; rounds += 1) {
    if (rounds > 10_000) throw new Error('it never ends');
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      for (const packet of from.flush()) {
        to.receive(packet.payload);
        from.acknowledge(packet);
      }
    }
  }
}

/** The frames of a packet. */
export function recorded(payload: Uint8Array): RecordedFrame[] {
  const { handler, frames } = recordFrames();
  if (payload.length > 0) parseFrames(payload, 'oneRtt', handler);
  return frames;
}

/** Bytes that tell their offset. */
export function bytesFrom(offset: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => ((offset + index) * 31 + ((offset + index) >> 8)) & 0xff);
}

/** All that a stream's events gave, in order. */
export function contentOf(events: readonly QuicEvent[], streamId: number): Buffer {
  const pieces: Uint8Array[] = [];
  for (const event of events) {
    if (event.type === 'QuicStreamReceived' && event.streamId === streamId) pieces.push(event.data);
  }
  return Buffer.concat(pieces);
}
