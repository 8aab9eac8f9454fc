/**
 * What lies between an engine and a {@link HttpConnection}: the network's side of a connection.
 *
 * Owns the interface. Over TCP it is over-tcp-driver.ts; a QUIC endpoint brings another. A driver calls its handler
 * synchronously, once per event; it makes no promise.
 *
 * @module
 */
import type { Clock, HfaceError } from '../common/index.ts';
import type { ByteStream } from '../networking/index.ts';
import type { HttpEvent, HttpProtocol } from '../protocols/index.ts';
import type { ConnectionFacts } from './exchange.ts';

/** Who is told what an engine tells. */
export interface HttpDriverHandler {
  /** An event. `ConnectionTerminated` is the last one and always comes; `ProtocolReplaced` is the driver's own matter. */
  eventReceived(event: HttpEvent): void;
  /** The transport is gone: the last call. `error` as the network told it, or what ended the connection. */
  ended(error: HfaceError | undefined): void;
}

/** A stream taken out of its connection. */
export interface DetachedStream {
  /** Paused: name who reads on with `start`, then `resume`. */
  readonly stream: ByteStream;
  /** What was received and not delivered: to be read before the stream. */
  readonly unread: readonly Uint8Array[];
  /** The peer has ended its side already: the stream will not tell it again. */
  readonly ended: boolean;
}

/** Runs an engine on a transport. */
export interface HttpDriver {
  /** The engine; another one after the protocol on the wire became known. */
  readonly protocol: HttpProtocol;
  readonly facts: ConnectionFacts;
  readonly clock: Clock;
  /** See `HttpConnection.early`; without this member it never is. */
  readonly early?: boolean;

  /** The time of the batch at hand; outside of one, the clock's. A handler's calls of one batch need not ask for it anew. */
  time(): number;
  /** Names the handler and lets events come, never from inside this call. A later call replaces the handler. */
  start(handler: HttpDriverHandler): void;
  /** Something was submitted or consumed: events, output and timers are seen to at the end of the turn. Cheap. */
  wake(): void;
  /** True: nobody takes events at present, so reading stops; false: it goes on. */
  holdInput(hold: boolean): void;
  /** Ends the transport at once. */
  abort(error?: HfaceError): void;
  /** QUIC, client: goes on from another local port; see `HttpConnection.migrate`. Never rejects. */
  migrate?(): Promise<boolean>;
  /** HTTP/1 in tunnel state: gives the stream away. @throws LocalProtocolError */
  detach(): DetachedStream;
}
