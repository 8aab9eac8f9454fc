/**
 * The contract of every engine: bytes or datagrams and time in, events out; requests in, bytes or datagrams out.
 *
 * Owns the interfaces between an engine and its driver. An engine holds no socket, timer, clock, randomness, promise
 * or emitter. Directions have one verb each: `…Received` network to engine, `submit…` application to engine,
 * `…ToSend` engine to network, `next…` engine to application, `handleTimeout` clock to engine.
 *
 * Invariants that all engines keep:
 * - For any input whatever `bytesReceived` and `datagramReceived` return: the outcome is events.
 * - A `submit…` throws `LocalProtocolError` for the caller's misuse and leaves the state as it was; `ERR_UNSUPPORTED`
 *   where the capabilities lack the member.
 * - After a stream's reset its submits are ignored and its `sendCapacity` is 0; `dataConsumed` is legal in every state.
 * - After any call the driver pulls `nextEvent()` until `undefined`, then `…ToSend(now)`, then reads `nextTimeout()`.
 *   `…ToSend` is such a call itself: what it makes room for is told by events.
 * - Where the driver cannot send, it tells the time by `handleTimeout(now)` in place of `…ToSend(now)`.
 *
 * @module
 */
import type { ErrorCodes, HeaderList, HfaceError, NetworkPath, TlsIdentity } from '../common/index.ts';
import type { Capabilities } from './capabilities.ts';
import type { HttpEvent, HttpVersion } from './events.ts';

/** What every engine has. */
export interface Engine {
  /** The next event, or `undefined`. To be pulled until `undefined` after every call of another member. */
  nextEvent(): HttpEvent | undefined;
  /** The absolute time of the next timer on the driver's clock, or `undefined`. Valid until the next call. */
  nextTimeout(): number | undefined;
  /** Lets timers that are due at `now` run. Harmless when none is. */
  handleTimeout(now: number): void;
  /** Set by the driver; called by an engine that works asynchronously inside when events or output are ready. */
  onOutput: (() => void) | undefined;
}

/** Whether the stream's sending side ends with what is submitted. */
export interface EndStream {
  readonly endStream: boolean;
}

/** How a head is sent. */
export interface SubmitHeadersOptions extends EndStream {
  /** HTTP/1: the spelling of each name, differing by case only; one entry per pair. Ignored on other versions. */
  readonly rawNames?: readonly string[] | undefined;
  /**
   * HTTP/1: in a request, the tokens to offer in Upgrade, `, ` between; in a response with `:status` 101, the token
   * that was chosen. The stream then carries raw bytes (RFC 9110 section 7.8).
   */
  readonly upgrade?: string | undefined;
}

/** How a certificate was judged. */
export type CertificateVerdict =
  { readonly ok: true } | { readonly ok: false; readonly alert: number; readonly reason: string };

/** The HTTP side of an engine, the same for every version. */
export interface HttpProtocol extends Engine {
  /** The version spoken. */
  readonly httpVersion: HttpVersion;
  /** The side of the connection. */
  readonly role: 'client' | 'server';
  /** Whether several streams share the connection. */
  readonly multiplexed: boolean;
  /** The version's codes by meaning. */
  readonly errorCodes: ErrorCodes;
  /** What this implementation covers. */
  readonly capabilities: Capabilities;

  /** Client: whether a request can be opened now. Server: whether requests are still accepted. */
  isAvailable(): boolean;
  /** Whether the connection will take no further request, ever. */
  hasExpired(): boolean;
  /** Client: the id for the next request. Throws `LocalProtocolError` when `isAvailable()` is false. */
  getAvailableStreamId(): number;

  /** Opens a request, or answers one with a final response. Pseudo-header fields first. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void;
  /** Sends a 1xx response; 101 is refused (it is a tunnel's acceptance: `submitHeaders`). */
  submitInformational(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void;
  /**
   * Sends content or tunnel bytes. `data` belongs to the engine from here on. With a `sendCapacity` above 0 the whole
   * of it is taken; at 0 (and data not empty) it throws `LocalProtocolError`.
   */
  submitData(streamId: number, data: Uint8Array, options: EndStream): void;
  /**
   * Server, optional: a whole response that is at hand. As `submitHeaders` and `submitData` with its end, in one call:
   * `headers` holds regular fields, text is sent as UTF-8, and the engine tells the length. False: this response needs
   * more thought than that, nothing was done, and the caller submits it in its parts.
   */
  submitResponse?(streamId: number, status: number, headers: HeaderList, body: Uint8Array | string): boolean;
  /** Sends the trailer section, which ends the stream's sending side. */
  submitTrailers(streamId: number, headers: HeaderList, rawNames?: readonly string[]): void;
  /** Gives the stream up in both directions. On HTTP/1 that ends the connection. */
  submitStreamReset(streamId: number, errorCode: number): void;
  /** Client: re-prioritises (RFC 9218). Server: sets the priority that the scheduler uses. */
  submitPriority(streamId: number, urgency: number, incremental: boolean): void;
  /** True when the datagram was taken for sending in a QUIC DATAGRAM frame; false where there is none. */
  submitDatagram(streamId: number, data: Uint8Array): boolean;
  /**
   * Server: the application is done with the stream, whatever became of it. Owed once for each `HeadersReceived`;
   * budgets that count work are given back here and nowhere else (CVE-2023-44487, CVE-2025-8671).
   */
  submitHandlerEnd(streamId: number): void;
  /** Winds down: no further requests; what runs is finished (GOAWAY; `Connection: close`). Idempotent. */
  submitShutdown(): void;
  /** Ends the connection now with an error code; open streams get their reset events. Idempotent. */
  submitClose(errorCode: number, reason?: string): void;

  /** The free room of the stream's send buffer in bytes; independent of the peer's windows. 0 for unknown streams. */
  sendCapacity(streamId: number): number;
  /** The reader took `flowControlledLength` bytes: gives the window back, or lets reading go on. */
  dataConsumed(streamId: number, flowControlledLength: number): void;

  /** QUIC client: answers `CertificateReceived`. */
  submitCertificateVerdict(verdict: CertificateVerdict): void;
  /** QUIC server: answers `ClientHelloReceived` with an identity, or with an alert's number. */
  submitServerIdentity(identity: TlsIdentity | number): void;
  /** QUIC server: answers `TicketOffered`. */
  submitTicketVerdict(accepted: boolean): void;
  /** HTTP/1 in tunnel state, all output taken: ends the engine and returns the bytes that were not yet delivered. */
  detach(): Uint8Array[];
  /** HTTP/3: lends streams of a type or signal value to a handler (WebTransport). */
  claimStream(type: number, handler: ClaimedStreamHandler): void;
}

/** Who takes over claimed HTTP/3 streams. */
export interface ClaimedStreamHandler {
  /** A stream with the claimed type came, or more bytes of it. */
  streamDataReceived(streamId: number, data: Uint8Array, endStream: boolean): void;
  /** The peer reset it. */
  streamResetReceived(streamId: number, errorCode: number): void;
}

/** An engine over a byte stream. */
export interface HttpOverTcpProtocol extends HttpProtocol {
  /** Takes what the network delivered. `chunk` belongs to the engine from here on. Never throws. */
  bytesReceived(chunk: Uint8Array, now: number): void;
  /** The peer has ended its sending side (FIN or close_notify). */
  eofReceived(now: number): void;
  /** The connection is gone, both ways; `error` as the network told it. Nothing can be sent any more. */
  connectionLost(now: number, error?: HfaceError): void;
  /**
   * What is to be written now, in order, for one vectored write; `undefined` when there is nothing. To be called when
   * the socket can take it: what is not asked for counts as pending for the write-progress timer. The arrays are given
   * away: the engine never writes to that memory again.
   */
  bytesToSend(now: number): Uint8Array[] | undefined;
  /**
   * Whether all that was to be sent has been taken and the sending side shall end: the driver half-closes. Behind
   * `ConnectionTerminated`, when pending output has been taken: true to close in good order, false to reset, since
   * something was cut off that a proper end would make look whole.
   */
  readonly wantsEof: boolean;
  /** False: the driver pauses reading in the same turn. */
  readonly wantsInput: boolean;
}

/** A group of UDP payloads to one path, all of `segmentSize` bytes but the last. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly path: NetworkPath;
  readonly segmentSize: number;
  /** The ECN code point, 0 where the system cannot set it. */
  readonly ecn: 0 | 1 | 2 | 3;
}

/**
 * An engine over QUIC.
 *
 * Where an endpoint drives the QUIC connections, the two members here are not called: the driver tells the time by
 * `handleTimeout(now)` whenever the endpoint had something for the connection, then pulls `nextEvent()` until
 * `undefined`, then reads `nextTimeout()`.
 */
export interface HttpOverQuicProtocol extends HttpProtocol {
  /** Takes one UDP payload. Never throws. */
  datagramReceived(data: Uint8Array, path: NetworkPath, now: number): void;
  /** At most `max` packets to send now. */
  datagramsToSend(now: number, max: number): Datagram[];
}
