/**
 * A message that a version with streams sends: its states, and what may be submitted in which.
 *
 * Owns: the order of a message's parts as they are submitted, and the comparison of its content with its Content-Length.
 *
 * @module
 */
import { LocalProtocolError } from '../../common/index.ts';
import { UNDECLARED } from './content-length.ts';

/** A direction's state, sent. `silent` and `ending` are explained where they are used (stream.ts of each engine). */
export const Send = { head: 0, content: 1, silent: 2, ending: 3, ended: 4 } as const;
/** Whether a stream carries raw bytes: CONNECT makes it `asked`, a 2xx `open`. */
export const Tunnel = { none: 0, asked: 1, open: 2 } as const;
/** How a stream was closed. */
export const Closed = { no: 0, ended: 1, byReset: 2, byPeerReset: 3 } as const;

/** One of {@link Send}. */
export type SendKind = (typeof Send)[keyof typeof Send];
/** One of {@link Tunnel}. */
export type TunnelKind = (typeof Tunnel)[keyof typeof Tunnel];
/** One of {@link Closed}. */
export type ClosedKind = (typeof Closed)[keyof typeof Closed];

/** What of a stream is about its message. */
export interface SentMessage {
  readonly send: SendKind;
  readonly tunnel: TunnelKind;
  /** The declared length, or `UNDECLARED`. */
  readonly sendDeclared: number;
  readonly sendCounted: number;
}

/** Whether content may be submitted. @throws LocalProtocolError */
export function checkOpen(message: SentMessage): void {
  if (message.send === Send.head) throw new LocalProtocolError('the head has to be submitted first');
  if (message.send !== Send.content) throw new LocalProtocolError('the message has ended');
  // RFC 9931: what is sent before the peer has agreed could be read as something else.
  if (message.tunnel === Tunnel.asked) throw new LocalProtocolError('the tunnel has not been accepted yet');
}

/** Whether so much content may be submitted (RFC 9110 section 8.6). @throws LocalProtocolError */
export function checkLedger(message: SentMessage, length: number, endStream: boolean): void {
  const { sendDeclared: declared } = message;
  if (declared === UNDECLARED) return;
  const counted = message.sendCounted + length;
  if (counted > declared) throw new LocalProtocolError(`more content than its content-length (${String(declared)})`);
  if (endStream && counted < declared) {
    throw new LocalProtocolError(`less content than its content-length (${String(declared)})`);
  }
}
