/**
 * Sessions: what a client keeps of a connection, and what a server seals into a ticket.
 *
 * Owns the shapes and the sealing of tickets under rotating keys (RFC 8446 section 4.6.1, RFC 5077 section 4 for the
 * construction). A server keeps nothing per session. Times are milliseconds since 1970.
 *
 * @module
 */
import type { CryptoProvider } from '../crypto/index.ts';
import { NONCE_LENGTH, TAG_LENGTH } from '../crypto/index.ts';
import type { Random } from '../common/index.ts';
import { ByteWriter } from '../wire/index.ts';
import { TlsFault } from './alerts.ts';
import { VectorReader, writeOpaque, writeVector } from './vectors.ts';

/** What a client keeps for resumption. */
export interface ClientSession {
  readonly serverName: string | undefined;
  readonly cipherSuite: number;
  readonly psk: Uint8Array;
  readonly ticket: Uint8Array;
  readonly ageAdd: number;
  /** Seconds. */
  readonly lifetime: number;
  readonly receivedAt: number;
  readonly alpn: string;
  /** Whether the server takes 0-RTT with it. */
  readonly earlyData: boolean;
  /** The server's transport parameters, of which 0-RTT remembers some (RFC 9000 section 7.4.1). */
  readonly transportParameters: Uint8Array;
  /** The chain that was verified, leaf first, in DER. */
  readonly chain: readonly Uint8Array[];
}

/** What a ticket holds. */
export interface TicketState {
  readonly cipherSuite: number;
  readonly psk: Uint8Array;
  readonly issuedAt: number;
  readonly ageAdd: number;
  readonly lifetime: number;
  readonly alpn: string;
  readonly serverName: string;
  readonly earlyData: boolean;
  /** What the application above wants to find again, such as its settings. */
  readonly applicationData: Uint8Array;
}

/** A key for tickets. */
export interface TicketKey {
  /** 16 bytes that tell keys apart. */
  readonly name: Uint8Array;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

const NAME_LENGTH = 16;
const FORMAT = 1;

/** Seals and opens tickets; the first key seals, all of them open. */
export class TicketSealer {
  readonly #crypto: CryptoProvider;
  readonly #random: Random;
  #keys: readonly TicketKey[];

  constructor(crypto: CryptoProvider, random: Random, keys: readonly TicketKey[]) {
    this.#crypto = crypto;
    this.#random = random;
    this.#keys = keys;
  }

  /** Replaces the keys: a new one in front, old ones behind for as long as their tickets live. */
  rotate(keys: readonly TicketKey[]): void {
    this.#keys = keys;
  }

  /** A ticket; `undefined` when there is no key. */
  seal(state: TicketState): Uint8Array | undefined {
    const key = this.#keys[0];
    if (key === undefined) return undefined;
    const plaintext = encodeState(state);
    const head = NAME_LENGTH + NONCE_LENGTH;
    const ticket = new Uint8Array(head + plaintext.length + TAG_LENGTH);
    ticket.set(key.name.subarray(0, NAME_LENGTH));
    const nonce = this.#random.fill(ticket.subarray(NAME_LENGTH, head));
    this.#crypto.createAead('aes-256-gcm', key.key).seal(nonce, key.name, plaintext, ticket, head);
    return ticket;
  }

  /** What a ticket holds; `undefined` for one that is not ours, or under a key that is gone. */
  open(ticket: Uint8Array): TicketState | undefined {
    const head = NAME_LENGTH + NONCE_LENGTH;
    if (ticket.length < head + TAG_LENGTH) return undefined;
    const key = this.#keys.find(({ name }) => this.#crypto.equal(name, ticket.subarray(0, NAME_LENGTH)));
    if (key === undefined) return undefined;
    const nonce = ticket.subarray(NAME_LENGTH, head);
    const plaintext = this.#crypto.createAead('aes-256-gcm', key.key).open(nonce, key.name, ticket.subarray(head));
    return plaintext === undefined ? undefined : decodeState(plaintext);
  }
}

function encodeState(state: TicketState): Uint8Array {
  const writer = ByteWriter.brief();
  writer.writeUint8(FORMAT);
  writer.writeUint16(state.cipherSuite);
  writeOpaque(writer, 1, state.psk);
  writer.writeUint32(Math.floor(state.issuedAt / 2 ** 32));
  writer.writeUint32(state.issuedAt % 2 ** 32);
  writer.writeUint32(state.ageAdd);
  writer.writeUint32(state.lifetime);
  writer.writeUint8(state.earlyData ? 1 : 0);
  writeVector(writer, 1, () => writer.writeLatin1(state.alpn));
  writeVector(writer, 2, () => writer.writeLatin1(state.serverName));
  writeOpaque(writer, 2, state.applicationData);
  return writer.finish();
}

/** It was authenticated, but another version of this code may have written it. */
function decodeState(bytes: Uint8Array): TicketState | undefined {
  try {
    const reader = new VectorReader(bytes, 'ticket');
    if (reader.uint8() !== FORMAT) return undefined;
    const state = {
      cipherSuite: reader.uint16(),
      psk: reader.vector(1),
      issuedAt: reader.uint32() * 2 ** 32 + reader.uint32(),
      ageAdd: reader.uint32(),
      lifetime: reader.uint32(),
      earlyData: reader.uint8() === 1,
      alpn: String.fromCharCode(...reader.vector(1)),
      serverName: String.fromCharCode(...reader.vector(2)),
      applicationData: reader.vector(2),
    };
    reader.end();
    return state;
  } catch (error) {
    if (error instanceof TlsFault) return undefined;
    throw error;
  }
}
