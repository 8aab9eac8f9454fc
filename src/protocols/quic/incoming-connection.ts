/**
 * A first packet that waits for the driver's decision.
 *
 * Owns what is kept of it meanwhile, that it is decided on once, and the check that it is authentic before anything is
 * kept (RFC 9001 section 5.2: its keys come from its own Destination Connection ID). What a decision does is the
 * endpoint's.
 *
 * @module
 */
import type { NetworkPath } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import type { CryptoProvider } from '../../crypto/index.ts';
import type { OpenedPacket, QuicInitial } from './connection-config.ts';
import type { QuicAcceptOptions, QuicConnectionHandle, QuicIncoming } from './endpoint-options.ts';
import type { PacketHeader } from './packet-header.ts';
import { decodePacketNumber } from './packet-number.ts';
import { initialKeys } from './packet-protection.ts';

/** What the endpoint does at a decision. */
export interface IncomingDecisions {
  accepted(incoming: IncomingConnection, options: QuicAcceptOptions): QuicConnectionHandle;
  retried(incoming: IncomingConnection): void;
  refused(incoming: IncomingConnection): void;
  ignored(incoming: IncomingConnection): void;
}

/** One client that waits. */
export class IncomingConnection implements QuicIncoming {
  readonly kind: 'incoming';
  readonly path: NetworkPath;
  readonly initial: QuicInitial;
  readonly header: PacketHeader;
  readonly mayRetry: boolean;
  readonly #decisions: IncomingDecisions;
  readonly #maxDatagrams: number;
  #datagrams: Uint8Array[];
  #decided: boolean;

  constructor(
    header: PacketHeader,
    initial: QuicInitial,
    path: NetworkPath,
    mayRetry: boolean,
    maxDatagrams: number,
    decisions: IncomingDecisions,
  ) {
    this.kind = 'incoming';
    this.path = path;
    this.initial = initial;
    this.header = header;
    this.mayRetry = mayRetry;
    this.#decisions = decisions;
    this.#maxDatagrams = maxDatagrams;
    this.#datagrams = [];
    this.#decided = false;
  }

  get addressValidated(): boolean {
    return this.initial.addressValidated;
  }

  /** Keeps a datagram for the connection. False when there are enough, or it came from somewhere else. */
  keep(datagram: Uint8Array, path: NetworkPath): boolean {
    if (this.#datagrams.length >= this.#maxDatagrams || path.remote !== this.path.remote) return false;
    this.#datagrams.push(datagram);
    return true;
  }

  /** Gives what was kept away. */
  take(): Uint8Array[] {
    const datagrams = this.#datagrams;
    this.#datagrams = [];
    return datagrams;
  }

  accept(options: QuicAcceptOptions): QuicConnectionHandle {
    this.#decide();
    return this.#decisions.accepted(this, options);
  }

  retry(): void {
    if (!this.mayRetry) throw new LocalProtocolError('the client cannot be asked for a Retry token here');
    this.#decide();
    this.#decisions.retried(this);
  }

  refuse(): void {
    this.#decide();
    this.#decisions.refused(this);
  }

  ignore(): void {
    this.#decide();
    this.#decisions.ignored(this);
  }

  #decide(): void {
    if (this.#decided) throw new LocalProtocolError('an incoming connection is decided on once');
    this.#decided = true;
  }
}

/** Opens a client's first Initial packet; `undefined` when it is not authentic. The datagram is left as it was. */
export function openInitial(
  crypto: CryptoProvider,
  datagram: Uint8Array,
  header: PacketHeader,
): OpenedPacket | undefined {
  const packet = datagram.subarray(header.start, header.end);
  const both = initialKeys(crypto, header.destination);
  const keys = both.client;
  const numberOffset = header.numberOffset - header.start;
  const numberLength = keys.unmask(packet, numberOffset);
  if (numberLength === 0) return undefined;
  const first = packet[0] as number;
  const headerLength = numberOffset + numberLength;
  let truncated = 0;
  for (let at = numberOffset; at < headerLength; at += 1) truncated = truncated * 0x100 + (packet[at] as number);
  const number = decodePacketNumber(-1, truncated, numberLength);
  const payload = keys.open(packet, headerLength, number);
  keys.remask(packet, numberOffset, numberLength);
  return payload === undefined ? undefined : { keys: both, datagram, first, number, payload };
}
