/**
 * What a QUIC handshake asks of the outside.
 *
 * Owns the interface. Clients answer for certificates (quic-client-answers.ts), servers with identities and for tickets
 * (quic-server-answers.ts). An answer may come later: the handshake waits, within the engine's bounds.
 *
 * @module
 */
import type {
  CertificateReceived,
  ClientHelloReceived,
  HttpOverQuicProtocol,
  TicketOffered,
} from '../protocols/index.ts';
import type { HandshakeVerdict } from './quic-facts.ts';

/** Who waits for the answers. */
export interface HandshakeAsker {
  readonly protocol: HttpOverQuicProtocol;
  /** Whether nobody waits any more. */
  readonly isOver: boolean;
  /** An answer was submitted. */
  wake(): void;
}

/** Answers a handshake's questions. No member throws. */
export interface QuicHandshakeAnswers extends HandshakeVerdict {
  certificateReceived(event: CertificateReceived, asker: HandshakeAsker): void;
  clientHelloReceived(event: ClientHelloReceived, asker: HandshakeAsker): void;
  ticketOffered(event: TicketOffered, asker: HandshakeAsker): void;
}
