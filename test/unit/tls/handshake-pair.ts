/**
 * Two handshakes face to face, without QUIC between them.
 *
 * @module
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Random } from '../../../src/common/index.ts';
import { cipherSuites, NamedGroup, nodeCryptoProvider } from '../../../src/crypto/index.ts';
import {
  defaultKeyShareGroups,
  defaultSignatureSchemes,
  TicketSealer,
  TlsClientHandshake,
  TlsServerHandshake,
} from '../../../src/tls/index.ts';
import type {
  EncryptionLevel,
  EngineIdentity,
  TicketKey,
  TlsClientConfig,
  TlsEvent,
  TlsServerConfig,
} from '../../../src/tls/index.ts';

const fixtures = path.join(import.meta.dirname, '..', 'crypto', 'fixtures');

/** An identity of the fixtures: p256, p384, ed25519, rsa, rsa-pss. */
export function identityOf(name: string): EngineIdentity {
  const chain = [new X509Certificate(readFileSync(path.join(fixtures, `${name}.cert.pem`))).raw];
  return { chain, key: nodeCryptoProvider.importSigningKey(readFileSync(path.join(fixtures, `${name}.key.pem`))) };
}

/** A source of random bytes that replays. */
export function seeded(seed: number): Random {
  let state = seed;
  return {
    fill(target) {
      for (let index = 0; index < target.length; index += 1) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
        target[index] = state >> 16;
      }
      return target;
    },
  };
}

const common = {
  crypto: nodeCryptoProvider,
  alpn: ['h3'],
  cipherSuites: cipherSuites.map(({ id }) => id),
  groups: [NamedGroup.x25519, NamedGroup.secp256r1, NamedGroup.secp384r1],
  signatureSchemes: defaultSignatureSchemes,
  keylog: false,
};

export function clientConfig(over: Partial<TlsClientConfig> = {}): TlsClientConfig {
  return {
    ...common,
    random: seeded(1),
    keyRandom: seeded(2),
    transportParameters: Buffer.from('client parameters'),
    serverName: 'a.example',
    keyShareGroups: defaultKeyShareGroups,
    identity: undefined,
    session: undefined,
    earlyData: false,
    ...over,
  };
}

/** Keys for tickets. */
export const ticketKeys: TicketKey[] = [{ name: Buffer.alloc(16, 1), key: Buffer.alloc(32, 2) }];

export function sealer(): TicketSealer {
  return new TicketSealer(nodeCryptoProvider, seeded(5), ticketKeys);
}

/** The transport parameters of servers. */
export const serverParameters: Uint8Array = Buffer.from('server parameters');

export function serverConfig(over: Partial<TlsServerConfig> = {}): TlsServerConfig {
  return {
    ...common,
    random: seeded(3),
    keyRandom: seeded(4),
    clientCertificate: 'none',
    tickets: undefined,
    ticketLifetime: 7_200,
    earlyData: false,
    ...over,
  };
}

/** What the two sides are asked, and what they answer; the defaults agree to everything. */
export interface Answers {
  readonly identity?: EngineIdentity | number;
  readonly ticket?: boolean;
  readonly serverCertificate?: { ok: true } | { ok: false; alert: number; reason: string };
  readonly clientCertificate?: { ok: true } | { ok: false; alert: number; reason: string };
  /** Changes what a side sends on its way: the message's copy, its level and its sender. */
  readonly tamper?: (data: Buffer, level: EncryptionLevel, from: 'client' | 'server') => Uint8Array | undefined;
  /** Hands over one byte at a time. */
  readonly bytewise?: boolean;
  readonly time?: number;
}

/** Both sides' events, in order. */
export interface Outcome {
  readonly client: TlsEvent[];
  readonly server: TlsEvent[];
  readonly clientSide: TlsClientHandshake;
  readonly serverSide: TlsServerHandshake;
}

const defaultIdentity = identityOf('p256');

/** Runs a handshake until both sides are silent. */
export function shake(client: TlsClientConfig, server: TlsServerConfig, answers: Answers = {}): Outcome {
  const clientSide = new TlsClientHandshake(client);
  const serverSide = new TlsServerHandshake(server, serverParameters);
  const outcome: Outcome = { client: [], server: [], clientSide, serverSide };
  clientSide.start(answers.time ?? 1_000_000);
  pump(outcome, answers);
  return outcome;
}

/** Carries what is pending. */
export function pump(outcome: Outcome, answers: Answers = {}): void {
  const { clientSide, serverSide } = outcome;
  const time = answers.time ?? 1_000_000;
  const deliver = (from: 'client' | 'server', level: EncryptionLevel, data: Uint8Array): void => {
    const changed = answers.tamper === undefined ? data : answers.tamper(Buffer.from(data), level, from);
    if (changed === undefined) return;
    const to = from === 'client' ? serverSide : clientSide;
    const step = answers.bytewise === true ? 1 : Math.max(changed.length, 1);
    for (let at = 0; at < changed.length; at += step) to.cryptoReceived(level, changed.subarray(at, at + step), time);
  };
  for (let quiet = false; !quiet;) {
    quiet = true;
    for (let event = clientSide.nextEvent(); event !== undefined; event = clientSide.nextEvent()) {
      quiet = false;
      outcome.client.push(event);
      if (event.type === 'CryptoDataProduced') deliver('client', event.level, event.data);
      if (event.type === 'CertificateReceived') {
        clientSide.submitCertificateVerdict(answers.serverCertificate ?? { ok: true });
      }
    }
    for (let event = serverSide.nextEvent(); event !== undefined; event = serverSide.nextEvent()) {
      quiet = false;
      outcome.server.push(event);
      if (event.type === 'CryptoDataProduced') deliver('server', event.level, event.data);
      if (event.type === 'ClientHelloReceived') serverSide.submitServerIdentity(answers.identity ?? defaultIdentity);
      if (event.type === 'TicketOffered') serverSide.submitTicketVerdict(answers.ticket ?? true);
      if (event.type === 'CertificateReceived') {
        serverSide.submitCertificateVerdict(answers.clientCertificate ?? { ok: true });
      }
    }
  }
}

/** The events of a kind. */
export function only<Type extends TlsEvent['type']>(
  events: readonly TlsEvent[],
  type: Type,
): Extract<TlsEvent, { type: Type }>[] {
  return events.filter((event): event is Extract<TlsEvent, { type: Type }> => event.type === type);
}

/** How a side failed: its alert, `violation` for PROTOCOL_VIOLATION, `undefined` when it did not. */
export function failure(events: readonly TlsEvent[]): number | 'violation' | undefined {
  const failed = only(events, 'HandshakeFailed')[0];
  return failed === undefined ? undefined : (failed.alert ?? 'violation');
}
