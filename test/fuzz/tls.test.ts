/**
 * TLS under changed messages, to both sides: nothing is thrown, nothing fails by itself, what came of the bytes does not
 * depend on how they were cut, and nobody takes a handshake for complete of which a byte was changed.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { describe, expect } from 'vitest';
import type { SeededRandom } from '../../src/networking/simulation/index.ts';
import { HandshakeType as T } from '../../src/tls/handshake-types.ts';
import { Alert, TlsClientHandshake, TlsServerHandshake } from '../../src/tls/index.ts';
import type { ClientSession, EncryptionLevel, TlsEvent } from '../../src/tls/index.ts';
import { fuzz } from '../support/fuzz/campaign.ts';
import { readLines } from '../support/fuzz/corpora.ts';
import { cut, mutate, randomBytes } from '../support/fuzz/mutation.ts';
import {
  clientConfig,
  identityOf,
  only,
  pump,
  sealer,
  serverConfig,
  serverParameters,
  shake,
} from '../unit/tls/handshake-pair.ts';
import type { Outcome } from '../unit/tls/handshake-pair.ts';

interface Sent {
  readonly from: 'client' | 'server';
  readonly level: EncryptionLevel;
  readonly data: Uint8Array;
}

const identity = identityOf('ed25519');
const mutual = { clientCertificate: 'require' as const };

/** What two sides say to each other. */
function conversation(
  run: (note: (data: Buffer, level: EncryptionLevel, from: Sent['from']) => Buffer) => Outcome,
): Sent[] {
  const sent: Sent[] = [];
  run((data, level, from) => {
    sent.push({ from, level, data: Uint8Array.from(data) });
    return data;
  });
  return sent;
}

/** A session of an earlier connection. */
function newSession(): ClientSession {
  const outcome = shake(clientConfig(), serverConfig({ tickets: sealer(), earlyData: true }), { identity });
  outcome.serverSide.issueTicket(Buffer.from('settings'));
  pump(outcome);
  return only(outcome.client, 'SessionReceived')[0]?.session as ClientSession;
}

const session = newSession();
const RESUMING = { session, earlyData: true };
const conversations: readonly Sent[][] = [
  conversation((tamper) => shake(clientConfig(), serverConfig(), { identity, tamper })),
  conversation((tamper) => shake(clientConfig({ identity }), serverConfig(mutual), { identity, tamper })),
  conversation((tamper) =>
    shake(clientConfig({ keyShareGroups: [] }), serverConfig({ tickets: sealer() }), { identity, tamper }),
  ),
  conversation((tamper) =>
    shake(clientConfig(RESUMING), serverConfig({ tickets: sealer(), earlyData: true }), { identity, tamper }),
  ),
];
const folder = new URL('../vectors/aioquic-tls/', import.meta.url);
const aioquic = readdirSync(folder)
  .filter((name) => name.endsWith('.bin'))
  .map((name) => Uint8Array.from(readFileSync(new URL(name, folder))));
const framed = (type: number, body: Uint8Array): Uint8Array =>
  Uint8Array.from(Buffer.concat([Buffer.from([type, body.length >> 16, body.length >> 8, body.length]), body]));
const corpus: readonly Uint8Array[] = [
  ...conversations.flat().map(({ data }) => data),
  ...aioquic,
  ...readLines('picotls/client-hello.jsonl')
    .slice(0, 150)
    .map((body) => framed(T.clientHello, body.subarray(0, 4_000))),
  ...readLines('picotls/server-hello.jsonl')
    .slice(0, 100)
    .map((body) => framed(T.serverHello, body.subarray(0, 4_000))),
];
/** Extension types, lengths and lists that stand anywhere. */
const WORDS: readonly Uint8Array[] = [
  ...[0, 5, 10, 13, 16, 27, 41, 42, 43, 44, 45, 48, 51, 57].map((type) => Uint8Array.of(0, type, 0, 0)),
  ...[1, 2, 4, 8, 11, 13, 15, 20, 24, 25].map((type) => Uint8Array.of(type, 0, 0, 0)),
  Uint8Array.of(0xff, 0xff),
  Uint8Array.of(0, 0, 0xff, 0xff),
  Uint8Array.of(3, 4),
  Uint8Array.of(0, 0x1d, 0, 0x20),
];
const LEVELS: readonly EncryptionLevel[] = ['initial', 'handshake', 'application', 'early'];

function newSide(kind: number): TlsClientHandshake | TlsServerHandshake {
  switch (kind % 6) {
    case 0:
      return new TlsServerHandshake(serverConfig(), serverParameters);
    case 1:
      return new TlsServerHandshake(serverConfig({ ...mutual, tickets: sealer(), earlyData: true }), serverParameters);
    case 2:
      return new TlsServerHandshake(
        serverConfig({ tickets: sealer(), earlyData: true, keylog: true }),
        serverParameters,
      );
    case 3:
      return new TlsClientHandshake(clientConfig({ identity }));
    case 4:
      return new TlsClientHandshake(clientConfig({ ...RESUMING, keylog: true }));
    default:
      return new TlsClientHandshake(clientConfig({ keyShareGroups: [] }));
  }
}

/** Takes what a side tells, answers what it asks, and says it in short. */
function drain(side: TlsClientHandshake | TlsServerHandshake, told: string[]): void {
  for (let event = side.nextEvent(); event !== undefined; event = side.nextEvent()) {
    if (event.type === 'HandshakeFailed') {
      if (event.alert === Alert.internalError) throw new Error(event.reason);
      told.push(`failed ${String(event.alert)}`);
      continue;
    }
    told.push(event.type);
    if (told.length > 200) throw new Error('it does not stop telling');
    answer(side, event);
  }
}

function answer(side: TlsClientHandshake | TlsServerHandshake, event: TlsEvent): void {
  if (event.type === 'CertificateReceived') side.submitCertificateVerdict({ ok: true });
  if (side instanceof TlsClientHandshake) return;
  if (event.type === 'ClientHelloReceived') side.submitServerIdentity(identity);
  if (event.type === 'TicketOffered') side.submitTicketVerdict(true);
}

/** What a side makes of inputs, whole or in pieces. */
function play(kind: number, inputs: readonly Sent[], random: SeededRandom | undefined): string[] {
  const side = newSide(kind);
  const told: string[] = [];
  if (side instanceof TlsClientHandshake) side.start(1_000_000);
  drain(side, told);
  for (const { level, data } of inputs) {
    const pieces = random === undefined ? [data] : cut(random, data);
    for (const piece of pieces) {
      side.cryptoReceived(level, piece, 1_000_000);
      drain(side, told);
    }
  }
  if (side instanceof TlsServerHandshake) side.issueTicket(Buffer.alloc(8));
  drain(side, told);
  return told;
}

describe('TLS', () => {
  fuzz('TLS, messages to either side', 600, (random) => {
    const kind = random.integer(0, 5);
    const inputs = Array.from({ length: random.integer(1, 4) }, (): Sent => {
      const data = random.chance(0.03) ? randomBytes(random, 400) : mutate(random, corpus, WORDS);
      const level = random.chance(0.8)
        ? levelOf(data[0])
        : random.pick(LEVELS as [EncryptionLevel, ...EncryptionLevel[]]);
      return { from: 'client', level, data };
    });
    const whole = play(kind, inputs, undefined);
    const pieces = play(kind, inputs, random);
    // What stands behind the last message of a level is met with that message, or when it comes by itself.
    if (whole.at(-1) === 'failed undefined') expect(pieces.at(-1)).toMatch(/^failed/);
    else expect(pieces).toEqual(whole);
    const end = whole.findIndex((line) => line.startsWith('failed'));
    if (end >= 0) expect(end).toBe(whole.length - 1);
  });

  fuzz('TLS, one message of a handshake', 500, (random) => {
    const which = random.integer(0, conversations.length - 1);
    const messages = conversations[which] as Sent[];
    const at = random.integer(0, messages.length - 1);
    const original = messages[at] as Sent;
    const others = random.chance(0.2) ? corpus : [original.data];
    const changed = mutate(random, others, WORDS);
    let index = -1;
    const configs = [
      [clientConfig(), serverConfig()],
      [clientConfig({ identity }), serverConfig(mutual)],
      [clientConfig({ keyShareGroups: [] }), serverConfig({ tickets: sealer() })],
      [clientConfig(RESUMING), serverConfig({ tickets: sealer(), earlyData: true })],
    ] as const;
    const [client, server] = configs[which] as (typeof configs)[0];
    const outcome = shake(client, server, {
      identity,
      tamper: (data) => {
        index += 1;
        return index === at ? changed : data;
      },
    });
    const failures = [...only(outcome.client, 'HandshakeFailed'), ...only(outcome.server, 'HandshakeFailed')];
    for (const { alert, reason } of failures) if (alert === Alert.internalError) throw new Error(reason);
    if (Buffer.compare(changed, original.data) === 0) return;
    const receiver = original.from === 'client' ? outcome.server : outcome.client;
    if (only(receiver, 'HandshakeCompleted').length > 0)
      throw new Error(`${Buffer.from(changed).toString('hex')} passed`);
  });
});

/** Where a message of that type comes. */
function levelOf(type: number | undefined): EncryptionLevel {
  if (type === T.clientHello || type === T.serverHello) return 'initial';
  return type === T.newSessionTicket || type === T.keyUpdate ? 'application' : 'handshake';
}
