/**
 * Asking a server which versions of QUIC it has.
 *
 * Owns a client's packet in a reserved version, which no server speaks, and the reading of the Version Negotiation
 * packet with which every server answers (RFC 9000 sections 6 and 15, RFC 8999 section 6). When it is sent, and how
 * often, is the driver's. Nothing of it belongs to a connection: one that is opened afterwards begins anew, with ids of
 * its own, so that what an answer says is never more than a reason to give up.
 *
 * @module
 */
import type { Random } from '../../common/index.ts';
import { sameBytes } from '../../wire/index.ts';
import { MIN_DATAGRAM } from './connection-config.ts';
import { listedVersions, QUIC_V1, readPacketHeader } from './packet-header.ts';

const LONG = 0x80;
const FIXED = 0x40;
/** As long as the ids of a first packet have to be at least (section 7.2). */
const ID_LENGTH = 8;

/** A version of the form 0x?a?a?a?a (section 15). */
export function reservedVersion(random: Random): number {
  let version = 0;
  for (const byte of random.fill(new Uint8Array(4))) version = version * 0x100 + ((byte & 0xf0) | 0x0a);
  return version;
}

/** One question. */
export class VersionProbe {
  readonly #version: number;
  readonly #destination: Uint8Array;
  readonly #source: Uint8Array;
  readonly #filling: Uint8Array;

  constructor(random: Random) {
    this.#version = reservedVersion(random);
    this.#destination = random.fill(new Uint8Array(ID_LENGTH));
    this.#source = random.fill(new Uint8Array(ID_LENGTH));
    // What is behind the ids is any version's own: to one that has none it is noise.
    this.#filling = random.fill(new Uint8Array(MIN_DATAGRAM));
  }

  /**
   * What is to be sent, the same each time: 1200 bytes, since less is not answered (section 6.1). It looks like an Initial
   * packet of version 1 without a token: some servers look for one before they look at the version (RFC 8999 section 5.1
   * leaves all of that to versions), as quiche's example and what grew out of it.
   */
  datagram(): Uint8Array {
    const packet = this.#filling.slice();
    packet[0] = LONG | FIXED | ((packet[0] as number) & 0x0f);
    new DataView(packet.buffer).setUint32(1, this.#version);
    packet[5] = ID_LENGTH;
    packet.set(this.#destination, 6);
    packet[6 + ID_LENGTH] = ID_LENGTH;
    packet.set(this.#source, 7 + ID_LENGTH);
    const rest = 7 + 2 * ID_LENGTH;
    packet[rest] = 0;
    new DataView(packet.buffer).setUint16(rest + 1, 0x4000 | (packet.length - rest - 3));
    return packet;
  }

  /** The versions that the server has, reserved ones among them; `undefined` for what is no answer to this question. */
  answer(datagram: Uint8Array): readonly number[] | undefined {
    const header = readPacketHeader(datagram, 0, ID_LENGTH);
    // Section 6.2: it has both ids of the packet that it answers; RFC 8999 section 6 lets nobody list what was asked in.
    if (header?.form !== 'versionNegotiation') return undefined;
    if (!sameBytes(header.destination, this.#source) || !sameBytes(header.source, this.#destination)) return undefined;
    const versions = listedVersions(datagram, header);
    return versions.includes(this.#version) ? undefined : versions;
  }
}

/** Whether a connection can be opened to who has these versions. */
export function hasOurVersion(versions: readonly number[]): boolean {
  return versions.includes(QUIC_V1);
}
