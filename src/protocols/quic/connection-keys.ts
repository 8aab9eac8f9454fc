/**
 * The keys of a connection.
 *
 * Owns which level can be sealed and opened at present, and that keys once dropped do not come back (RFC 9001 section
 * 4.9). Updates of 1-RTT keys are one-rtt-keys.ts's.
 *
 * @module
 */
import type { CryptoProvider } from '../../crypto/index.ts';
import type { SecretsReady } from '../../tls/index.ts';
import type { PacketKind } from './frame-types.ts';
import { OneRttKeys } from './one-rtt-keys.ts';
import type { InitialKeys } from './packet-protection.ts';
import { initialKeys, PacketKeys } from './packet-protection.ts';

/** Keys of one level that are not updated. */
interface LevelKeys {
  seal: PacketKeys | undefined;
  open: PacketKeys | undefined;
  dropped: boolean;
}

/** All keys of one side. */
export class ConnectionKeys {
  readonly #crypto: CryptoProvider;
  readonly #role: 'client' | 'server';
  readonly #levels: Readonly<Record<'initial' | 'zeroRtt' | 'handshake', LevelKeys>>;
  readonly #maxPackets: number;
  /** 1-RTT, both directions. */
  oneRtt: OneRttKeys | undefined;

  /** @param maxPackets - see {@link OneRttKeys} */
  constructor(crypto: CryptoProvider, role: 'client' | 'server', maxPackets: number) {
    this.#crypto = crypto;
    this.#role = role;
    this.#levels = { initial: newLevel(), zeroRtt: newLevel(), handshake: newLevel() };
    this.#maxPackets = maxPackets;
    this.oneRtt = undefined;
  }

  /**
   * Makes the keys of Initial packets; again after a Retry.
   *
   * @param known - those keys, where somebody had to make them before
   */
  setInitial(destinationId: Uint8Array, known?: InitialKeys): void {
    const { client, server } = known ?? initialKeys(this.#crypto, destinationId);
    const level = this.#levels.initial;
    level.seal = this.#role === 'client' ? client : server;
    level.open = this.#role === 'client' ? server : client;
  }

  /** Takes secrets that TLS made. */
  install(secrets: SecretsReady): void {
    const make = (secret: Uint8Array | undefined): PacketKeys | undefined =>
      secret === undefined ? undefined : new PacketKeys(this.#crypto, secrets.suite, secret);
    const seal = make(secrets.write);
    const open = make(secrets.read);
    if (secrets.level === 'application') {
      if (seal !== undefined && open !== undefined) this.oneRtt = new OneRttKeys(seal, open, this.#maxPackets);
      return;
    }
    if (secrets.level === 'initial') return;
    const level = this.#levels[secrets.level === 'early' ? 'zeroRtt' : 'handshake'];
    if (level.dropped) return;
    level.seal = seal;
    level.open = open;
  }

  /** What seals packets of a kind, 1-RTT apart. */
  sealing(kind: 'initial' | 'zeroRtt' | 'handshake'): PacketKeys | undefined {
    return this.#levels[kind].seal;
  }

  /** What opens packets of a kind, 1-RTT apart. */
  opening(kind: 'initial' | 'zeroRtt' | 'handshake'): PacketKeys | undefined {
    return this.#levels[kind].open;
  }

  /** Whether packets of a kind can be sent. */
  canSeal(kind: PacketKind): boolean {
    return kind === 'oneRtt' ? this.oneRtt !== undefined : this.#levels[kind].seal !== undefined;
  }

  /** Whether packets of a kind can be opened, 1-RTT apart. */
  canOpen(kind: 'initial' | 'zeroRtt' | 'handshake'): boolean {
    return this.#levels[kind].open !== undefined;
  }

  /** Whether the keys of a level were dropped for good. */
  isDropped(kind: PacketKind): boolean {
    return kind !== 'oneRtt' && this.#levels[kind].dropped;
  }

  /** Drops the keys of a level. False when they were dropped before. */
  drop(kind: 'initial' | 'zeroRtt' | 'handshake'): boolean {
    const level = this.#levels[kind];
    if (level.dropped) return false;
    level.seal = undefined;
    level.open = undefined;
    level.dropped = true;
    return true;
  }
}

function newLevel(): LevelKeys {
  return { seal: undefined, open: undefined, dropped: false };
}
