/**
 * What an engine tells: one union of events for every HTTP version, the tag equal to the interface's name.
 *
 * Owns the events and their constructor functions, one each, every field always set (one object shape per event).
 * Engines queue them and never change a queued one; drivers pull them with `nextEvent()` until `undefined`.
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../common/index.ts';
import type { HttpOverTcpProtocol } from './http-protocol.ts';

/** The version that a message came in. */
export type HttpVersion = '1.0' | '1.1' | '2' | '3';

/**
 * Whether the peer may have acted on a request: `'no'` only where the protocol says so (REFUSED_STREAM,
 * H3_REQUEST_REJECTED, an id above GOAWAY's, rejected 0-RTT, or no byte of it was ever sent).
 */
export type Processed = 'no' | 'maybe';

/** The head of a request or of a final response. */
export interface HeadersReceived {
  readonly type: 'HeadersReceived';
  readonly streamId: number;
  /** Pseudo-header fields first. */
  readonly headers: HeaderList;
  /** The names as received, one per pair of `headers`; `undefined` except on HTTP/1 (CONTRACTS: empty for pseudo-headers, Host's spelling for `:authority`). */
  readonly rawNames: readonly string[] | undefined;
  /** Nothing follows. */
  readonly endStream: boolean;
  /** The tokens of Upgrade (RFC 9110 section 7.8) as received, empty without. */
  readonly upgrade: readonly string[];
  /** The version of this very message. */
  readonly httpVersion: HttpVersion;
  /** It came in 0-RTT data (RFC 8470). */
  readonly early: boolean;
  /** Server: what the client had said of the request by a frame of its own before it came (RFC 9218 section 7). */
  readonly priority: StreamPriority | undefined;
}

/** How urgent a response is (RFC 9218 section 4). */
export interface StreamPriority {
  /** From 0, the most, to 7. */
  readonly urgency: number;
  /** Whether a part of it is of use already. */
  readonly incremental: boolean;
}

/** @see {@link HeadersReceived} */
export function headersReceived(
  streamId: number,
  headers: HeaderList,
  rawNames: readonly string[] | undefined,
  endStream: boolean,
  upgrade: readonly string[],
  httpVersion: HttpVersion,
  early: boolean,
  priority?: StreamPriority,
): HeadersReceived {
  return { type: 'HeadersReceived', streamId, headers, rawNames, endStream, upgrade, httpVersion, early, priority };
}

/** A 1xx response other than 101 (RFC 9110 section 15.2). */
export interface InformationalReceived {
  readonly type: 'InformationalReceived';
  readonly streamId: number;
  /** `:status` first. */
  readonly headers: HeaderList;
  readonly rawNames: readonly string[] | undefined;
}

/** @see {@link InformationalReceived} */
export function informationalReceived(
  streamId: number,
  headers: HeaderList,
  rawNames: readonly string[] | undefined,
): InformationalReceived {
  return { type: 'InformationalReceived', streamId, headers, rawNames };
}

/** A piece of content, or of a tunnel's bytes. */
export interface DataReceived {
  readonly type: 'DataReceived';
  readonly streamId: number;
  /** The receiver's for good; may be empty when only the end arrives. */
  readonly data: Uint8Array;
  /** What `dataConsumed` gives back for this piece: its length, on HTTP/2 with the padding. */
  readonly flowControlledLength: number;
  readonly endStream: boolean;
  /** With `endStream`: the end was told by the connection's end alone (RFC 9112 section 6.3, rule 8), so a cut cannot be told from an end. */
  readonly closeDelimited: boolean;
}

/** @see {@link DataReceived} */
export function dataReceived(
  streamId: number,
  data: Uint8Array,
  flowControlledLength: number,
  endStream: boolean,
  closeDelimited: boolean,
): DataReceived {
  return { type: 'DataReceived', streamId, data, flowControlledLength, endStream, closeDelimited };
}

/** The trailer section (RFC 9110 section 6.5). It ends the stream's receiving side. */
export interface TrailersReceived {
  readonly type: 'TrailersReceived';
  readonly streamId: number;
  readonly headers: HeaderList;
  readonly rawNames: readonly string[] | undefined;
  /** Always true: nothing follows trailers. */
  readonly endStream: true;
}

/** @see {@link TrailersReceived} */
export function trailersReceived(
  streamId: number,
  headers: HeaderList,
  rawNames: readonly string[] | undefined,
): TrailersReceived {
  return { type: 'TrailersReceived', streamId, headers, rawNames, endStream: true };
}

/** A stream whose `sendCapacity` had reached 0 is half empty again. Comes once per time that 0 was reached. */
export interface StreamWritable {
  readonly type: 'StreamWritable';
  readonly streamId: number;
}

/** @see {@link StreamWritable} */
export function streamWritable(streamId: number): StreamWritable {
  return { type: 'StreamWritable', streamId };
}

/** The peer gave the stream up, wholly or one direction of it. */
export interface StreamResetReceived {
  readonly type: 'StreamResetReceived';
  readonly streamId: number;
  readonly errorCode: number;
  readonly processed: Processed;
  /** What to report; never thrown by the engine. */
  readonly error: HfaceError;
}

/** @see {@link StreamResetReceived} */
export function streamResetReceived(
  streamId: number,
  errorCode: number,
  processed: Processed,
  error: HfaceError,
): StreamResetReceived {
  return { type: 'StreamResetReceived', streamId, errorCode, processed, error };
}

/** The engine itself gave the stream up, since the peer broke a rule on it or a limit was reached. */
export interface StreamResetSent {
  readonly type: 'StreamResetSent';
  readonly streamId: number;
  readonly errorCode: number;
  readonly error: HfaceError;
}

/** @see {@link StreamResetSent} */
export function streamResetSent(streamId: number, errorCode: number, error: HfaceError): StreamResetSent {
  return { type: 'StreamResetSent', streamId, errorCode, error };
}

/** Both directions are done and the engine has forgotten the stream: its last event. */
export interface StreamClosed {
  readonly type: 'StreamClosed';
  readonly streamId: number;
}

/** @see {@link StreamClosed} */
export function streamClosed(streamId: number): StreamClosed {
  return { type: 'StreamClosed', streamId };
}

/** More requests may be opened: `count` more than before. */
export interface StreamsAvailable {
  readonly type: 'StreamsAvailable';
  readonly count: number;
}

/** @see {@link StreamsAvailable} */
export function streamsAvailable(count: number): StreamsAvailable {
  return { type: 'StreamsAvailable', count };
}

/** The peer re-prioritised a stream (RFC 9218 section 7). */
export interface PriorityUpdated {
  readonly type: 'PriorityUpdated';
  readonly streamId: number;
  /** 0 (first) to 7. */
  readonly urgency: number;
  readonly incremental: boolean;
}

/** @see {@link PriorityUpdated} */
export function priorityUpdated(streamId: number, urgency: number, incremental: boolean): PriorityUpdated {
  return { type: 'PriorityUpdated', streamId, urgency, incremental };
}

/** An HTTP datagram in a QUIC DATAGRAM frame (RFC 9297 section 2.1). Datagrams in capsules come as data. */
export interface DatagramReceived {
  readonly type: 'DatagramReceived';
  readonly streamId: number;
  readonly data: Uint8Array;
}

/** @see {@link DatagramReceived} */
export function datagramReceived(streamId: number, data: Uint8Array): DatagramReceived {
  return { type: 'DatagramReceived', streamId, data };
}

/** The peer's settings, or their change. */
export interface SettingsReceived {
  readonly type: 'SettingsReceived';
  /** Identifier and value as on the wire; repeated identifiers are the engine's to refuse. */
  readonly settings: ReadonlyMap<number, number>;
}

/** @see {@link SettingsReceived} */
export function settingsReceived(settings: ReadonlyMap<number, number>): SettingsReceived {
  return { type: 'SettingsReceived', settings };
}

/** The peer winds the connection down (GOAWAY; on HTTP/1 a message with `Connection: close`). */
export interface GoawayReceived {
  readonly type: 'GoawayReceived';
  /** Streams of this side above it were not processed. On HTTP/1 the stream of the message that said so. */
  readonly lastStreamId: number;
  readonly errorCode: number;
  readonly debugData: Uint8Array;
}

/** @see {@link GoawayReceived} */
export function goawayReceived(lastStreamId: number, errorCode: number, debugData: Uint8Array): GoawayReceived {
  return { type: 'GoawayReceived', lastStreamId, errorCode, debugData };
}

/** The QUIC handshake is complete. Over TCP the stream itself carries these facts. */
export interface HandshakeCompleted {
  readonly type: 'HandshakeCompleted';
  readonly alpn: string;
  readonly cipher: string;
  /** DER, or `undefined`. */
  readonly peerCertificate: Uint8Array | undefined;
  readonly resumed: boolean;
  readonly earlyData: 'none' | 'accepted' | 'rejected';
}

/** @see {@link HandshakeCompleted} */
export function handshakeCompleted(
  alpn: string,
  cipher: string,
  peerCertificate: Uint8Array | undefined,
  resumed: boolean,
  earlyData: 'none' | 'accepted' | 'rejected',
): HandshakeCompleted {
  return { type: 'HandshakeCompleted', alpn, cipher, peerCertificate, resumed, earlyData };
}

/** A QUIC handshake waits for `submitCertificateVerdict`. */
export interface CertificateReceived {
  readonly type: 'CertificateReceived';
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly serverName: string;
  /** The stapled OCSP response, or `undefined`. */
  readonly ocsp: Uint8Array | undefined;
}

/** @see {@link CertificateReceived} */
export function certificateReceived(
  chain: readonly Uint8Array[],
  serverName: string,
  ocsp: Uint8Array | undefined,
): CertificateReceived {
  return { type: 'CertificateReceived', chain, serverName, ocsp };
}

/** A QUIC server's handshake waits for `submitServerIdentity`. */
export interface ClientHelloReceived {
  readonly type: 'ClientHelloReceived';
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
  /** Code points of RFC 8446 section 4.2.3. */
  readonly signatureSchemes: readonly number[];
}

/** @see {@link ClientHelloReceived} */
export function clientHelloReceived(
  serverName: string | undefined,
  alpn: readonly string[],
  signatureSchemes: readonly number[],
): ClientHelloReceived {
  return { type: 'ClientHelloReceived', serverName, alpn, signatureSchemes };
}

/** A QUIC server's handshake waits for `submitTicketVerdict`. */
export interface TicketOffered {
  readonly type: 'TicketOffered';
  readonly ticket: Uint8Array;
  readonly earlyData: boolean;
}

/** @see {@link TicketOffered} */
export function ticketOffered(ticket: Uint8Array, earlyData: boolean): TicketOffered {
  return { type: 'TicketOffered', ticket, earlyData };
}

/** The server named alternative services in a frame (RFC 7838 section 4). In a header field they stay in the headers. */
export interface AltSvcReceived {
  readonly type: 'AltSvcReceived';
  /** The origin it is for; empty: that of the stream. */
  readonly origin: string;
  readonly streamId: number;
  readonly value: string;
}

/** @see {@link AltSvcReceived} */
export function altSvcReceived(origin: string, streamId: number, value: string): AltSvcReceived {
  return { type: 'AltSvcReceived', origin, streamId, value };
}

/** The origins that the connection may serve (RFC 8336). */
export interface OriginReceived {
  readonly type: 'OriginReceived';
  readonly origins: readonly string[];
}

/** @see {@link OriginReceived} */
export function originReceived(origins: readonly string[]): OriginReceived {
  return { type: 'OriginReceived', origins };
}

/** An answer to a PING came. */
export interface PingAcknowledged {
  readonly type: 'PingAcknowledged';
  /** Milliseconds. */
  readonly roundTripTime: number;
}

/** @see {@link PingAcknowledged} */
export function pingAcknowledged(roundTripTime: number): PingAcknowledged {
  return { type: 'PingAcknowledged', roundTripTime };
}

/** The protocol on the wire became known; the driver goes on with `protocol`, which holds all bytes received so far. */
export interface ProtocolReplaced {
  readonly type: 'ProtocolReplaced';
  readonly protocol: HttpOverTcpProtocol;
}

/** @see {@link ProtocolReplaced} */
export function protocolReplaced(protocol: HttpOverTcpProtocol): ProtocolReplaced {
  return { type: 'ProtocolReplaced', protocol };
}

/**
 * The connection is over: the engine's last event. Pending output is still to be sent; then the driver closes.
 * Every open stream has had its `StreamResetReceived` or `StreamResetSent` and its `StreamClosed` before.
 */
export interface ConnectionTerminated {
  readonly type: 'ConnectionTerminated';
  readonly errorCode: number;
  /** One sentence for logs. */
  readonly reason: string;
  /** For requests that were open. */
  readonly processed: Processed;
  /** `undefined` for a graceful end. */
  readonly error: HfaceError | undefined;
}

/** @see {@link ConnectionTerminated} */
export function connectionTerminated(
  errorCode: number,
  reason: string,
  processed: Processed,
  error: HfaceError | undefined,
): ConnectionTerminated {
  return { type: 'ConnectionTerminated', errorCode, reason, processed, error };
}

/** Everything that an engine tells. */
export type HttpEvent =
  | HeadersReceived
  | InformationalReceived
  | DataReceived
  | TrailersReceived
  | StreamWritable
  | StreamResetReceived
  | StreamResetSent
  | StreamClosed
  | StreamsAvailable
  | PriorityUpdated
  | DatagramReceived
  | SettingsReceived
  | GoawayReceived
  | HandshakeCompleted
  | CertificateReceived
  | ClientHelloReceived
  | TicketOffered
  | AltSvcReceived
  | OriginReceived
  | PingAcknowledged
  | ProtocolReplaced
  | ConnectionTerminated;
