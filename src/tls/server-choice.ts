/**
 * What a server takes from a ClientHello.
 *
 * Owns the choice of version, cipher suite, group, protocol and ticket (RFC 8446 sections 4.1.1 and 4.2), and what a
 * second ClientHello may change. Pure: the same hello and configuration choose alike.
 *
 * @module
 */
import { cipherSuiteById, NamedGroup } from '../crypto/index.ts';
import type { CipherSuite } from '../crypto/index.ts';
import { Alert, illegalFault, TlsFault } from './alerts.ts';
import type { ClientHello } from './client-hello.ts';
import { TLS13 } from './client-hello.ts';
import { ExtensionType } from './extensions.ts';
import { tlsLimits } from './limits.ts';
import type { TicketSealer, TicketState } from './session.ts';
import type { TlsServerConfig } from './tls-config.ts';

/** What was chosen. */
export interface ServerChoice {
  readonly suite: CipherSuite;
  readonly group: number;
  /** The client's share of the group; `undefined`: it must be asked for. */
  readonly keyShare: Uint8Array | undefined;
  readonly alpn: string;
}

/** A ticket that may be used. */
export interface OfferedTicket {
  readonly index: number;
  readonly identity: Uint8Array;
  readonly state: TicketState;
  /** Whether its age as told agrees with its age as known (RFC 8446 section 8.3). */
  readonly fresh: boolean;
}

/** psk_dhe_ke (RFC 8446 section 4.2.9). */
const PSK_WITH_DHE = 1;
/** How far the two ages of a ticket may be apart for 0-RTT, in milliseconds. */
const AGE_TOLERANCE = 10_000;

/** Chooses. @throws TlsFault when nothing fits */
export function choose(hello: ClientHello, config: TlsServerConfig): ServerChoice {
  if (hello.supportedVersions?.includes(TLS13) !== true) {
    throw new TlsFault(Alert.protocolVersion, 'the client does not speak TLS 1.3');
  }
  const id = config.cipherSuites.find((candidate) => hello.cipherSuites.includes(candidate));
  const suite = id === undefined ? undefined : cipherSuiteById(id);
  if (suite === undefined) throw new TlsFault(Alert.handshakeFailure, 'no cipher suite in common');
  checkExtensions(hello);
  // Section 4.2.2: a cookie answers a HelloRetryRequest.
  if (hello.cookie !== undefined) throw illegalFault('a cookie that nobody gave');
  const { groups = [], keyShares = [] } = hello;
  // RFC 8446 section 4.2.8: shares are of groups that are supported.
  if (keyShares.some(({ group }) => !groups.includes(group))) throw illegalFault('a key share of an unsupported group');
  const shared = config.groups.find((group) => keyShares.some((entry) => entry.group === group));
  const group = shared ?? config.groups.find((candidate) => mayBeAskedFor(candidate) && groups.includes(candidate));
  if (group === undefined) throw new TlsFault(Alert.handshakeFailure, 'no group in common');
  const keyShare = keyShares.find((entry) => entry.group === group)?.share;
  return { suite, group, keyShare, alpn: chooseProtocol(hello, config) };
}

/** Its shares are large, and who did not send one does without. */
function mayBeAskedFor(group: number): boolean {
  return group !== NamedGroup.x25519MlKem768;
}

/** RFC 8446 section 9.2, RFC 9001 section 8.2. */
function checkExtensions(hello: ClientHello): void {
  if (hello.psks !== undefined && hello.pskModes === undefined) {
    throw new TlsFault(Alert.missingExtension, 'pre_shared_key without psk_key_exchange_modes');
  }
  if (hello.groups === undefined || hello.keyShares === undefined) {
    throw new TlsFault(Alert.missingExtension, 'no supported_groups or no key_share');
  }
  if (hello.signatureSchemes === undefined && hello.psks === undefined)
    throw new TlsFault(Alert.missingExtension, 'no signature_algorithms');
  if (hello.transportParameters === undefined) {
    throw new TlsFault(Alert.missingExtension, 'no QUIC transport parameters');
  }
  // RFC 8446 section 4.2.10: 0-RTT is that of a PSK.
  if (hello.earlyData && hello.psks === undefined) throw illegalFault('early_data without pre_shared_key');
}

/** RFC 7301 section 3.2, RFC 9001 section 8.1. */
function chooseProtocol(hello: ClientHello, config: TlsServerConfig): string {
  const alpn = config.alpn.find((name) => hello.alpn?.includes(name));
  if (alpn === undefined) throw new TlsFault(Alert.noApplicationProtocol, 'no application protocol in common');
  return alpn;
}

/** The first ticket that opens and fits, or `undefined`. */
export function usableTicket(
  hello: ClientHello,
  choice: ServerChoice,
  sealer: TicketSealer,
  time: number,
): OfferedTicket | undefined {
  const { psks, pskModes } = hello;
  if (psks === undefined || pskModes?.includes(PSK_WITH_DHE) !== true) return undefined;
  const count = Math.min(psks.identities.length, tlsLimits.maxOfferedTickets.default);
  for (let index = 0; index < count; index += 1) {
    const offered = psks.identities[index];
    if (offered === undefined) break;
    const state = sealer.open(offered.identity);
    if (state === undefined || !fits(state, hello, choice, time)) continue;
    const told = (offered.obfuscatedAge - state.ageAdd + 2 ** 32) % 2 ** 32;
    const fresh = Math.abs(time - state.issuedAt - told) <= AGE_TOLERANCE;
    return { index, identity: offered.identity, state, fresh };
  }
  return undefined;
}

function fits(state: TicketState, hello: ClientHello, choice: ServerChoice, time: number): boolean {
  // RFC 8446 sections 4.2.11 and 4.6.1: the same hash, the same name, not outlived.
  if (cipherSuiteById(state.cipherSuite)?.hash !== choice.suite.hash) return false;
  if (state.serverName !== (hello.serverName ?? '')) return false;
  return time >= state.issuedAt && time - state.issuedAt < state.lifetime * 1_000;
}

/**
 * RFC 8446 section 4.1.2: what a second ClientHello may change. Extensions that are not known here may have rules of
 * their own (Encrypted Client Hello does), and the order of extensions says nothing.
 *
 * @param group - whose share was asked for
 * @throws TlsFault
 */
export function checkSecondHello(first: ClientHello, second: ClientHello, group: number): void {
  const same =
    first.legacyVersion === second.legacyVersion &&
    equal(first.random, second.random) &&
    first.cipherSuites.join() === second.cipherSuites.join();
  if (!same) throw illegalFault('the second ClientHello differs from the first');
  for (const type of Object.values(ExtensionType)) {
    if (MAY_CHANGE.has(type)) continue;
    const [before, after] = [first.extensions.get(type), second.extensions.get(type)];
    if (before === after) continue;
    if (before === undefined || after === undefined || !equal(before, after)) {
      throw illegalFault(`the second ClientHello has another extension ${String(type)} than the first`);
    }
  }
  if (second.earlyData) throw illegalFault('the second ClientHello has early_data');
  if (second.keyShares?.length !== 1 || second.keyShares[0]?.group !== group) {
    throw illegalFault('the second ClientHello has not the one share that was asked for');
  }
  checkSecondPsks(first, second);
}

const MAY_CHANGE: ReadonlySet<number> = new Set([
  ExtensionType.keyShare,
  ExtensionType.earlyData,
  ExtensionType.cookie,
  ExtensionType.preSharedKey,
]);

/** PSKs may be left out, with new ages and binders; none may be added or moved. */
function checkSecondPsks(first: ClientHello, second: ClientHello): void {
  const before = first.psks?.identities ?? [];
  let at = 0;
  for (const { identity } of second.psks?.identities ?? []) {
    while (at < before.length && !equal((before[at] as { identity: Uint8Array }).identity, identity)) at += 1;
    if (at === before.length) throw illegalFault('the second ClientHello has a PSK that the first had not');
    at += 1;
  }
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
