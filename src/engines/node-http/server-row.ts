/**
 * The requests that Node's parser found, one surfaced after the other.
 *
 * Owns: the row of those that wait, the exchange at hand, its events from the head to the stream's end. The next one is
 * surfaced when Node has written the response before (RFC 9112 section 9.3.2). Does not own what the application submits
 * (server-exchange.ts) nor the connection's end (server.ts).
 *
 * @module
 */
import type { HfaceError } from '../../common/index.ts';
import { LocalProtocolError, StreamResetError, toHfaceError } from '../../common/index.ts';
import type { HttpEvent } from '../../protocols/index.ts';
import {
  dataReceived,
  goawayReceived,
  headersReceived,
  streamClosed,
  streamResetReceived,
  streamResetSent,
  trailersReceived,
} from '../../protocols/index.ts';
import type { EngineSocket } from '../engine-socket.ts';
import { http1ErrorCodes as errorCodes } from '../../protocols/semantics/index.ts';
import { limitFault, readTrailers } from './fields.ts';
import type { HandlerLedger } from './handler-ledger.ts';
import type { NodeHttpServerLimits } from './limits.ts';
import { readRequest } from './received-heads.ts';
import { ServerExchange } from './server-exchange.ts';
import type { Found, ServerIntake } from './server-intake.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

/** The engine, as the row sees it. */
export interface ServerRowHost {
  isOpen(): boolean;
  isTunnel(): boolean;
  /** Whether a further request may be surfaced. */
  mayBegin(): boolean;
  socket(): EngineSocket;
  tell(event: HttpEvent): void;
  announce(): void;
  /** Puts bytes back before all others. */
  unfeed(chunk: Uint8Array): void;
  finish(errorCode: number, reason: string, error: HfaceError | undefined): void;
  refuse(error: HfaceError): void;
}

/** One exchange after the other. */
export class ServerRow {
  exchange: ServerExchange | undefined;
  lastId: number;
  /** Node has written the response before. */
  free: boolean;
  /** No request may follow. */
  shutdown: boolean;
  /** Bytes of a head that is not whole have been fed. */
  headBegun: boolean;
  readonly #host: ServerRowHost;
  readonly #limits: NodeHttpServerLimits;
  readonly #secure: boolean;
  readonly #handlers: HandlerLedger;
  readonly #intake: ServerIntake;
  readonly #row: Found[];
  #resetId: number;

  constructor(
    host: ServerRowHost,
    limits: NodeHttpServerLimits,
    secure: boolean,
    handlers: HandlerLedger,
    intake: ServerIntake,
  ) {
    this.exchange = undefined;
    this.lastId = 0;
    this.free = true;
    this.shutdown = false;
    this.headBegun = false;
    this.#host = host;
    this.#limits = limits;
    this.#secure = secure;
    this.#handlers = handlers;
    this.#intake = intake;
    this.#row = [];
    this.#resetId = -1;
  }

  /** Whether requests wait that were parsed ahead. */
  get waits(): boolean {
    return this.#row.length > 0;
  }

  /** Node's parser found something. */
  found(found: Found): void {
    if (!this.#host.isOpen()) return;
    if (found.kind === 'message') {
      found.message.on('error', ignore);
      found.response.on('error', ignore);
    }
    const exchange = this.exchange;
    // The head of a request whose Upgrade was not taken up, found again.
    if (found.kind === 'message' && exchange?.kind === 'upgrade' && exchange.response === undefined) {
      exchange.response = found.response;
      this.#whenWritten(found.response);
      found.message.resume();
      return;
    }
    if (found.kind === 'connect' || found.kind === 'upgrade') this.#host.unfeed(found.rest);
    this.headBegun = false;
    this.#row.push(found);
    this.advance();
  }

  /** What became possible: the exchange's end, the next request, the connection's end. */
  advance(): void {
    this.#endIfOver();
    while (this.#host.isOpen()) {
      const next = this.#row[0];
      if (next === undefined) return;
      if (this.exchange !== undefined) {
        if (next.kind !== 'fault' || this.exchange.message.complete || this.exchange.requestComplete) return;
      } else if (!this.free || !this.#host.mayBegin()) {
        return;
      }
      this.#row.shift();
      try {
        if (next.kind === 'fault') this.#host.refuse(next.error);
        else this.#surface(next);
      } catch (error) {
        this.#host.refuse(toHfaceError(error, 'engine'));
      }
      this.#endIfOver();
    }
  }

  #surface(found: Exclude<Found, { readonly kind: 'fault' }>): void {
    const { message, kind } = found;
    const original = found.kind === 'message' ? found.original : message;
    const head = readRequest(original, this.#secure, this.#limits.maxHeaderCount);
    const response = found.kind === 'message' ? found.response : undefined;
    const streamId = this.lastId + 1;
    this.lastId = streamId;
    const exchange = new ServerExchange(streamId, kind, head, message, response);
    if (this.shutdown) exchange.last = true;
    this.exchange = exchange;
    this.#handlers.begin(streamId);
    if (response !== undefined) this.#whenWritten(response);
    const ended = !head.hasContent && kind !== 'connect';
    this.#host.tell(
      headersReceived(streamId, head.headers, head.rawNames, ended, head.upgrade, head.httpVersion, false),
    );
    if (head.fields.close) this.#host.tell(goawayReceived(streamId, errorCodes.noError, EMPTY));
    if (head.hasContent) this.#readContent(exchange);
    else message.resume();
  }

  #readContent(exchange: ServerExchange): void {
    const { message, streamId } = exchange;
    const current = (): boolean => this.#host.isOpen() && this.exchange === exchange;
    message.on('data', (chunk: Buffer) => {
      if (!current()) return;
      exchange.continueDue = false;
      exchange.received += chunk.length;
      const { maxBodyBytes } = this.#limits;
      if (exchange.received > maxBodyBytes) {
        this.#host.refuse(limitFault('maxBodyBytes', maxBodyBytes, 413));
        return;
      }
      this.#handlers.give(streamId, chunk.length);
      this.#host.tell(dataReceived(streamId, chunk, chunk.length, false, false));
    });
    message.on('end', () => {
      if (!current()) return;
      try {
        const { headers, rawNames } = readTrailers(message.rawTrailers);
        exchange.requestComplete = true;
        if (headers.length > 0) this.#host.tell(trailersReceived(streamId, headers, rawNames));
        else this.#host.tell(dataReceived(streamId, EMPTY, 0, true, false));
      } catch (error) {
        this.#host.refuse(toHfaceError(error, 'engine'));
      }
      this.advance();
    });
  }

  /** A response that Node has to a handed-over socket, or to a head that it reads again. */
  giveResponse(exchange: ServerExchange): void {
    if (exchange.response !== undefined) return;
    if (exchange.kind === 'upgrade') {
      this.#intake.decline(exchange.message);
      return;
    }
    const response = this.#intake.responseTo(exchange.message, this.#host.socket());
    response.on('error', ignore);
    exchange.response = response;
    this.#whenWritten(response);
  }

  #whenWritten(response: { on(event: 'finish', listener: () => void): unknown }): void {
    this.free = false;
    response.on('finish', () => {
      this.free = true;
      if (!this.#host.isOpen()) this.#host.socket().end();
      else this.advance();
      this.#host.announce();
    });
  }

  #endIfOver(): void {
    const exchange = this.exchange;
    if (exchange === undefined || !this.#host.isOpen() || !exchange.responseComplete) return;
    if (exchange.requestComplete) {
      this.exchange = undefined;
      this.#host.tell(streamClosed(exchange.streamId));
      if (exchange.last) this.#host.finish(errorCodes.noError, 'the last exchange has ended', undefined);
    } else if (!this.#host.isTunnel() && (exchange.continueDue || exchange.handlerEnded)) {
      // The response is whole and nobody reads the rest of the request.
      const reason = 'the response ended before the request';
      const { noError } = errorCodes;
      this.reset(noError, new StreamResetError(reason, { errorCode: noError, initiator: 'application' }), false);
      this.#host.finish(noError, 'the last exchange has ended', undefined);
    }
  }

  /** The exchange that a submit concerns; `undefined`: it was reset. @throws LocalProtocolError */
  reached(streamId: number): ServerExchange | undefined {
    if (this.exchange?.streamId === streamId) return this.exchange;
    if (streamId === this.#resetId) return undefined;
    const was = streamId >= 1 && streamId <= this.lastId;
    throw new LocalProtocolError(
      was ? `stream ${String(streamId)} has ended` : `there is no stream ${String(streamId)}`,
    );
  }

  /** Ends the open stream, if there is one. `byPeer`: the peer gave it up, not this side. */
  reset(errorCode: number, error: HfaceError, byPeer: boolean): void {
    const exchange = this.exchange;
    this.#row.length = 0;
    if (exchange === undefined) return;
    const { streamId } = exchange;
    this.exchange = undefined;
    this.#resetId = streamId;
    if (byPeer) this.#host.tell(streamResetReceived(streamId, errorCode, 'maybe', error));
    else this.#host.tell(streamResetSent(streamId, errorCode, error));
    this.#host.tell(streamClosed(streamId));
  }
}

function ignore(): void {
  // What it says is told by other means.
}
