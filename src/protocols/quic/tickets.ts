/**
 * What QUIC and the application above keep with a session ticket.
 *
 * Owns its form, the server's check that nothing it promised then has become less (RFC 9000 section 7.4.1, RFC 9114
 * section 7.2.4.2), and the hand-out of sessions to a client's driver.
 *
 * @module
 */
import type { ClientSession } from '../../tls/index.ts';
import { ByteReader, ByteWriter, NEED_MORE, sameBytes } from '../../wire/index.ts';
import type { ConnectionState } from './connection-state.ts';
import type { TransportParameters } from './transport-parameters.ts';

/** What a client with 0-RTT goes by (RFC 9000 section 7.4.1, RFC 9221 section 3). */
const REMEMBERED = [
  'activeConnectionIdLimit',
  'initialMaxData',
  'initialMaxStreamDataBidiLocal',
  'initialMaxStreamDataBidiRemote',
  'initialMaxStreamDataUni',
  'initialMaxStreamsBidi',
  'initialMaxStreamsUni',
  'maxDatagramFrameSize',
] as const;
const EMPTY = new Uint8Array(0);

/** Tickets of one connection. */
export class QuicTickets {
  readonly #state: ConnectionState;
  readonly #own: Partial<TransportParameters>;
  #applicationData: Uint8Array;
  /** Client: the session that came last, told again when what is kept beside it comes later. */
  #session: ClientSession | undefined;

  /** @param own - what this side announces */
  constructor(state: ConnectionState, own: Partial<TransportParameters>) {
    this.#state = state;
    this.#own = own;
    this.#applicationData = EMPTY;
    this.#session = undefined;
  }

  setApplicationData(data: Uint8Array): void {
    this.#applicationData = data;
    if (this.#session !== undefined) this.sessionReceived(this.#session);
  }

  /** Client: a ticket came. */
  sessionReceived(session: ClientSession): void {
    this.#session = session;
    this.#state.notice({ type: 'SessionReceived', session: { tls: session, applicationData: this.#applicationData } });
  }

  /** Server: what a ticket holds. */
  applicationData(): Uint8Array {
    const writer = ByteWriter.brief();
    for (const name of REMEMBERED) writer.writeVarint(this.#own[name] ?? 0);
    writer.writeBytes(this.#applicationData);
    return writer.finish();
  }

  /** Server: whether a ticket is of use. One without 0-RTT always is. */
  fits(data: Uint8Array, earlyData: boolean): boolean {
    if (!earlyData) return true;
    const reader = new ByteReader(data);
    for (const name of REMEMBERED) {
      const promised = reader.readVarint();
      if (promised === NEED_MORE || promised > (this.#own[name] ?? 0)) return false;
    }
    return sameBytes(reader.readRest(), this.#applicationData);
  }
}
