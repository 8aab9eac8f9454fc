/**
 * The seam between HTTP/3 and QUIC: one connection's streams, datagrams and end.
 *
 * Owns the interface and its events. HTTP/3 knows nothing of packets, QUIC nothing of HTTP: what is here is all that
 * they tell each other. `QuicConnection` implements it; tests plug in a pair without packets.
 *
 * Invariants, as those of engines:
 * - Calls of the application's side throw `LocalProtocolError` for the caller's misuse and leave the state as it was;
 *   whatever a peer sends becomes events.
 * - Events are pulled until `undefined` after any other call.
 * - Each stream's last event is `QuicStreamClosed`; the connection's last one is `QuicConnectionClosed`, before which
 *   streams get no events of their own.
 *
 * @module
 */
import type { HfaceError, NetworkPath, TlsIdentity } from '../common/index.ts';
import type { CertificateReceived, ClientHelloReceived, HandshakeCompleted, TicketOffered } from './events.ts';
import type { CertificateVerdict, Datagram } from './http-protocol.ts';

/** Bytes of a stream came, in order. */
export interface QuicStreamReceived {
  readonly type: 'QuicStreamReceived';
  readonly streamId: number;
  /** The receiver's for good; empty when only the end arrives. */
  readonly data: Uint8Array;
  /** The stream's receiving side is over. */
  readonly fin: boolean;
  /** All of it came in 0-RTT packets, before the handshake was complete. */
  readonly early: boolean;
}

/** The peer gave its sending side up (RESET_STREAM). */
export interface QuicStreamResetReceived {
  readonly type: 'QuicStreamResetReceived';
  readonly streamId: number;
  readonly errorCode: number;
}

/** The peer will read no more (STOP_SENDING). This side's sending was reset with the same code. */
export interface QuicStopSendingReceived {
  readonly type: 'QuicStopSendingReceived';
  readonly streamId: number;
  readonly errorCode: number;
}

/** A stream whose `sendCapacity` had reached 0 is half empty again. */
export interface QuicStreamWritable {
  readonly type: 'QuicStreamWritable';
  readonly streamId: number;
}

/** Both directions are over and acknowledged: the stream is forgotten. Its last event. */
export interface QuicStreamClosed {
  readonly type: 'QuicStreamClosed';
  readonly streamId: number;
}

/** The peer allows more streams; `count` more than before. */
export interface QuicStreamsAvailable {
  readonly type: 'QuicStreamsAvailable';
  readonly bidirectional: boolean;
  readonly count: number;
}

/** A DATAGRAM frame came (RFC 9221). */
export interface QuicDatagramReceived {
  readonly type: 'QuicDatagramReceived';
  readonly data: Uint8Array;
}

/** The server did not take the 0-RTT data: streams that were opened are gone without an event, and may be opened anew. */
export interface QuicEarlyDataRejected {
  readonly type: 'QuicEarlyDataRejected';
}

/** The connection is over: its last event. Packets may still have to be sent. */
export interface QuicConnectionClosed {
  readonly type: 'QuicConnectionClosed';
  /** Whether `errorCode` is the application's (RFC 9000 section 20.2) or QUIC's own (section 20.1). */
  readonly application: boolean;
  readonly errorCode: number;
  /** Whose doing it was; `network` for an idle timeout, a stateless reset, or a path that is gone. */
  readonly initiator: 'application' | 'engine' | 'peer' | 'network';
  /** One sentence for logs. */
  readonly reason: string;
  /** `undefined` for a graceful end, and where the peer's application ended it: what its code means is not QUIC's to say. */
  readonly error: HfaceError | undefined;
}

/** Everything that a QUIC connection tells the protocol above. */
export type QuicEvent =
  | QuicStreamReceived
  | QuicStreamResetReceived
  | QuicStopSendingReceived
  | QuicStreamWritable
  | QuicStreamClosed
  | QuicStreamsAvailable
  | QuicDatagramReceived
  | QuicEarlyDataRejected
  | HandshakeCompleted
  | CertificateReceived
  | ClientHelloReceived
  | TicketOffered
  | QuicConnectionClosed;

/** A QUIC connection, as the protocol above it sees it. */
export interface QuicTransport {
  readonly role: 'client' | 'server';
  /** Whether the handshake is complete: `HandshakeCompleted` has been queued. */
  readonly handshakeComplete: boolean;
  /** Whether a client may send 0-RTT data now. */
  readonly earlyDataAvailable: boolean;
  /** Client with `earlyDataAvailable`: what it gave to `setTicketApplicationData` when it got the ticket, empty without. */
  readonly rememberedApplicationData: Uint8Array;

  /** The next event, or `undefined`. */
  nextEvent(): QuicEvent | undefined;

  /** How many streams may be opened now. */
  availableStreams(bidirectional: boolean): number;
  /** Opens a stream: its id. @throws LocalProtocolError when none is available */
  openStream(bidirectional: boolean): number;
  /** The free room of a stream's send buffer in bytes, whatever the peer's windows; 0 for streams that send no more. */
  sendCapacity(streamId: number): number;
  /**
   * Sends; the bytes belong to the connection from here on. Always taken whole: to write no content while
   * `sendCapacity` is 0 is the caller's duty, who may still end a message that it began (a frame's payload behind its
   * header, trailers, the end). Ignored after a reset.
   */
  writeStream(streamId: number, data: Uint8Array, fin: boolean): void;
  /** Bytes and ends that the peer has not acknowledged. */
  hasUnacknowledged(streamId: number): boolean;
  /** How many bytes of the stream were ever sent, each counted once, also behind the connection's end; 0 for unknown streams. */
  sentBytes(streamId: number): number;
  /** Whether bytes wait that nothing but the peer's windows, the stream's or the connection's, keeps from being sent. */
  isBlocked(streamId: number): boolean;
  /**
   * Gives the sending side up (RESET_STREAM). Idempotent; nothing is sent when there is nothing left to give up.
   *
   * A bidirectional stream of the peer counts against the limit that the peer was given until this side has ended its
   * sending side, by an end written or by this call, also behind `QuicStopSendingReceived` and `QuicStreamClosed`: so
   * streams that are opened and reset gain the peer no more of them than the application has done with.
   */
  resetStream(streamId: number, errorCode: number): void;
  /** Asks the peer to stop (STOP_SENDING), and drops what still comes. Idempotent. */
  stopSending(streamId: number, errorCode: number): void;
  /**
   * The reader took so many bytes: gives window back. Legal in every state. Bytes that are neither consumed nor given up
   * by `stopSending` are counted for as long as the connection lives, also behind `QuicStreamClosed`. Behind
   * `QuicStreamResetReceived` they are given back as soon as this side's sending is over too.
   */
  streamConsumed(streamId: number, length: number): void;
  /** Which streams are sent first: 0 (first) to 7; incremental ones of the same urgency share (RFC 9218). Default 3, false. */
  setStreamPriority(streamId: number, urgency: number, incremental: boolean): void;

  /** The greatest payload of a DATAGRAM frame at present; 0 where the peer takes none. */
  readonly maxDatagramLength: number;
  /** Queues a DATAGRAM frame; false when it is too long or there is none. At most 32 wait; the oldest is dropped. */
  sendDatagram(data: Uint8Array): boolean;

  /**
   * What the application above is to find again when the session is resumed. Server: what tickets shall hold, such as
   * its settings; 0-RTT is refused when they have changed since (RFC 9114 section 7.2.4.2). Client: what is kept beside
   * the ticket, such as the settings that the server sent.
   */
  setTicketApplicationData(data: Uint8Array): void;
  /** Ends the connection with an application's error code. Idempotent. */
  close(errorCode: number, reason: string): void;

  /** Client: answers `CertificateReceived`; server: for a client's certificate. */
  submitCertificateVerdict(verdict: CertificateVerdict): void;
  /** Server: answers `ClientHelloReceived` with an identity, or with an alert's number. */
  submitServerIdentity(identity: TlsIdentity | number): void;
  /** Server: answers `TicketOffered`. */
  submitTicketVerdict(accepted: boolean): void;

  /** Takes one UDP payload. Never throws. An endpoint calls it where there is one. */
  datagramReceived(data: Uint8Array, path: NetworkPath, now: number): void;
  /** At most `max` packets to send now. */
  datagramsToSend(now: number, max: number): Datagram[];
  /** The absolute time of the next timer, or `undefined`. Valid until the next call. */
  nextTimeout(): number | undefined;
  /** Does what is due. */
  handleTimeout(now: number): void;
  /** Set by whoever drives the connection: something was submitted outside of a call of the driver's. */
  onOutput: (() => void) | undefined;
}
