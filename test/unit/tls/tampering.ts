/**
 * Handshakes of which one message is changed on its way, and what the receiver makes of it.
 *
 * @module
 */
import type { Extensions } from '../../../src/tls/extensions.ts';
import { writeExtensions } from '../../../src/tls/extensions.ts';
import { handshakeMessage } from '../../../src/tls/handshake-types.ts';
import type { TlsClientConfig, TlsServerConfig } from '../../../src/tls/index.ts';
import { readClientHello, writeClientHello } from '../../../src/tls/client-hello.ts';
import type { ClientHelloInit } from '../../../src/tls/client-hello.ts';
import { readServerHello, writeServerHello } from '../../../src/tls/server-hello.ts';
import type { ServerHelloInit } from '../../../src/tls/server-hello.ts';
import { ByteWriter } from '../../../src/wire/index.ts';
import { clientConfig, failure, only, serverConfig, shake } from './handshake-pair.ts';
import type { Answers, Outcome } from './handshake-pair.ts';

export type Side = 'client' | 'server';

/** Which message is changed, and how. */
export interface Tampering {
  readonly from: Side;
  /** The handshake type. */
  readonly type: number;
  /** Which of that type, counted from 0. Default 0. */
  readonly nth?: number;
  readonly change: (message: Buffer) => Uint8Array | undefined;
  readonly client?: Partial<TlsClientConfig>;
  readonly server?: Partial<TlsServerConfig>;
  readonly answers?: Answers;
}

/** Runs a handshake with the change; it must have met the message. */
export function tamper(tampering: Tampering): Outcome {
  const { from, type, nth = 0, change } = tampering;
  let met = 0;
  const outcome = shake(clientConfig(tampering.client), serverConfig(tampering.server), {
    ...tampering.answers,
    tamper: (data, _level, sender) => {
      if (sender !== from || data[0] !== type) return data;
      met += 1;
      return met - 1 === nth ? change(data) : data;
    },
  });
  if (met <= nth) throw new Error(`no message ${String(type)} of the ${from} came by`);
  return outcome;
}

/** How the receiver of the changed message failed: an alert, `violation`, or `undefined`. */
export function answerTo(tampering: Tampering): number | 'violation' | undefined {
  const outcome = tamper(tampering);
  const receiver = tampering.from === 'client' ? outcome.server : outcome.client;
  if (failure(receiver) !== undefined && only(receiver, 'HandshakeCompleted').length > 0) {
    throw new Error('it was told to be complete');
  }
  return failure(receiver);
}

/** A ClientHello with some parts changed. */
export function changedClientHello(
  message: Uint8Array,
  change: (
    init: { -readonly [Key in keyof ClientHelloInit]: ClientHelloInit[Key] },
    map: Map<number, Uint8Array>,
  ) => void,
): Uint8Array {
  const { random, sessionId, cipherSuites, extensions } = readClientHello(message.subarray(4));
  const map = new Map(extensions);
  const init = { random, sessionId, cipherSuites, extensions: map };
  change(init, map);
  return writeClientHello(init);
}

/** A ServerHello with some parts changed. */
export function changedServerHello(
  message: Uint8Array,
  change: (
    init: { -readonly [Key in keyof ServerHelloInit]: ServerHelloInit[Key] },
    map: Map<number, Uint8Array>,
  ) => void,
): Uint8Array {
  const { random, sessionId, cipherSuite, extensions } = readServerHello(message.subarray(4));
  const map = new Map(extensions);
  const init = { random, sessionId, cipherSuite, extensions: map };
  change(init, map);
  return writeServerHello(init);
}

/** A message of a type with a body. */
export function messageOf(type: number, ...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return handshakeMessage(type, (writer) => {
    for (const part of parts) writer.writeBytes(Uint8Array.from(part));
  });
}

/** A vector behind its length of so many octets. */
export function vector(size: 1 | 2 | 3, ...parts: readonly (Uint8Array | readonly number[])[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Uint8Array.from(part)));
  const length = Buffer.alloc(size);
  length.writeUIntBE(body.length, 0, size);
  return Buffer.concat([length, body]);
}

/** A 16-bit number. */
export const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 0xff]);

/** An extension block. */
export function block(extensions: Extensions | readonly (readonly [number, Uint8Array])[]): Buffer {
  if (!Array.isArray(extensions)) {
    const writer = new ByteWriter();
    writeExtensions(writer, extensions as Extensions);
    return Buffer.from(writer.finish());
  }
  const list = extensions as readonly (readonly [number, Uint8Array])[];
  return vector(2, ...list.map(([type, data]) => Buffer.concat([u16(type), vector(2, data)])));
}
