/**
 * HTTP datagrams in DATAGRAM frames (RFC 9297 section 2.1).
 *
 * Owns: the quarter stream id, and for which requests a datagram has a meaning: those made by extended CONNECT. Does not
 * own capsules, which travel in a stream's content.
 *
 * @module
 */
import { readVarint, varintLength, varintLengthOf, writeVarint } from '../../wire/index.ts';
import { datagramReceived } from '../events.ts';
import { Http3ErrorCode } from '../semantics/index.ts';
import type { Core } from './core.ts';
import { connectionFault } from './faults.ts';
import type { Receiver } from './receiver.ts';
import type { Stream } from './stream.ts';
import { Recv, Send, Tunnel } from './stream.ts';

const { H3_DATAGRAM_ERROR } = Http3ErrorCode;

/** A quarter of a stream id has 60 bits: what an encoding of it may begin with. */
const HIGHEST_FIRST_OCTET = 0xcf;

/** Takes and sends datagrams. */
export class Datagrams {
  readonly #core: Core;
  readonly #receiver: Receiver;
  /** This side has said that it takes them. */
  readonly #allowed: boolean;

  constructor(core: Core, receiver: Receiver, allowed: boolean) {
    this.#core = core;
    this.#receiver = receiver;
    this.#allowed = allowed;
  }

  /** A DATAGRAM frame came. Throws connection faults. */
  received(data: Uint8Array): void {
    if (data.length === 0 || data.length < varintLengthOf(data[0]!)) {
      throw connectionFault(H3_DATAGRAM_ERROR, 'a datagram without its stream');
    }
    const quarter = readVarint(data, 0);
    if (data[0]! > HIGHEST_FIRST_OCTET) {
      throw connectionFault(H3_DATAGRAM_ERROR, 'a datagram for a stream that cannot be');
    }
    const stream = this.#core.find(quarter * 4);
    // Not yet there, or its receiving side is over.
    if (stream?.told !== true || stream.recv === Recv.ended) {
      this.#core.chargeControl(1);
      return;
    }
    if (!stream.extended || stream.tunnel === Tunnel.none) {
      this.#receiver.fail(stream, H3_DATAGRAM_ERROR, 'a datagram for a request that knows none');
      return;
    }
    this.#core.events.push(datagramReceived(stream.id, data.subarray(varintLengthOf(data[0]!))));
  }

  /** Sends one; false where it cannot be. */
  send(stream: Stream, data: Uint8Array): boolean {
    const { peer, transport } = this.#core;
    if (!this.#allowed || !peer.h3Datagram || !stream.extended || stream.tunnel !== Tunnel.open) return false;
    if (stream.send !== Send.content) return false;
    const quarter = stream.id / 4;
    const start = varintLength(quarter);
    if (start + data.length > transport.maxDatagramLength) return false;
    const frame = new Uint8Array(start + data.length);
    writeVarint(frame, 0, quarter);
    frame.set(data, start);
    return transport.sendDatagram(frame);
  }
}
