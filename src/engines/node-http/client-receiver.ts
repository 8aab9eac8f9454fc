/**
 * What a client receives: the events of the exchange at hand, from what Node tells of it.
 *
 * Owns: the exchange, its heads, content and end; the second look at a refused CONNECT. A stream is closed when Node has
 * let go of the socket, so that the next request finds it free. Does not own what the application submits
 * (client-exchange.ts) nor the connection's end (client.ts).
 *
 * @module
 */
import type { IncomingMessage } from 'node:http';
import type { HfaceError } from '../../common/index.ts';
import { LocalProtocolError, StreamResetError, toHfaceError } from '../../common/index.ts';
import type { HttpEvent, Processed } from '../../protocols/index.ts';
import {
  dataReceived,
  goawayReceived,
  headersReceived,
  informationalReceived,
  streamClosed,
  streamResetReceived,
  streamResetSent,
  trailersReceived,
} from '../../protocols/index.ts';
import { EngineSocket } from '../engine-socket.ts';
import type { ClientExchange } from './client-exchange.ts';
import { openRequest, readAgain } from './client-intake.ts';
import { http1ErrorCodes as errorCodes } from '../../protocols/semantics/index.ts';
import { fault, limitFault, members, readFields, readTrailers } from './fields.ts';
import type { NodeHttpClientLimits } from './limits.ts';
import type { ReceivedResponse } from './received-heads.ts';
import { readResponse } from './received-heads.ts';

const EMPTY: Uint8Array = new Uint8Array(0);
/** How much earlier than the server says a connection is given up, in milliseconds. */
const KEEP_ALIVE_MARGIN = 1000;

/** The engine, as the receiving side sees it. */
export interface ClientReceiverHost {
  isOpen(): boolean;
  /** The server has ended its side. */
  isEnded(): boolean;
  isTunnel(): boolean;
  /** From here on bytes go past Node. */
  becomeTunnel(): void;
  socket(): EngineSocket;
  tell(event: HttpEvent): void;
  /** Puts bytes back before all others. */
  unfeed(chunk: Uint8Array): void;
  feed(): void;
  dropOutput(): void;
  finish(errorCode: number, reason: string, error: HfaceError | undefined): void;
  refuse(error: HfaceError): void;
}

/** The exchange at hand and what comes for it. */
export class ClientReceiver {
  exchange: ClientExchange | undefined;
  lastId: number;
  /** No request may follow. */
  last: boolean;
  /** The server is known to speak HTTP/1.0 only. */
  oldServer: boolean;
  keepAliveTimeout: number;
  /** Content that was delivered and not consumed. */
  unconsumed: number;
  /** Whether a request that was open at the end may have been acted upon. */
  processed: Processed;
  /** Where the rest of a refused CONNECT's answer is read. */
  again: EngineSocket | undefined;
  readonly #host: ClientReceiverHost;
  readonly #limits: NodeHttpClientLimits;
  #resetFrom: number;
  /** What came behind a response that is still being told. */
  #unasked: HfaceError | undefined;

  constructor(host: ClientReceiverHost, limits: NodeHttpClientLimits) {
    this.exchange = undefined;
    this.lastId = 0;
    this.last = false;
    this.oldServer = false;
    this.keepAliveTimeout = limits.keepAliveTimeout;
    this.unconsumed = 0;
    this.processed = 'no';
    this.again = undefined;
    this.#host = host;
    this.#limits = limits;
    this.#resetFrom = Infinity;
    this.#unasked = undefined;
  }

  /** Listens to what Node tells of a request. */
  listen(exchange: ClientExchange): void {
    const { request } = exchange;
    const current = (): boolean => this.#host.isOpen() && this.exchange === exchange;
    const guarded = (work: () => void): void => {
      if (!current()) return;
      try {
        work();
      } catch (error) {
        this.#host.refuse(toHfaceError(error, 'engine'));
      }
    };
    request.on('information', (info) => {
      guarded(() => this.#interim(exchange, info.rawHeaders, info.statusCode));
    });
    request.on('response', (message) => {
      guarded(() => this.#final(exchange, message));
    });
    request.on('connect', (message, _socket, rest) => {
      guarded(() => this.#connected(exchange, message, rest));
    });
    request.on('upgrade', (message, _socket, rest) => {
      guarded(() => this.#switched(exchange, message, rest));
    });
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (current() && !this.#host.isTunnel()) this.failed(this.#requestFailed(exchange, error), error.code);
    });
    this.#host.socket().once('free', () => {
      if (current()) this.#endIfOver();
    });
  }

  #interim(exchange: ClientExchange, raw: readonly string[], status: number): void {
    exchange.interim += 1;
    exchange.partial = false;
    const { maxInformational, maxHeaderCount } = this.#limits;
    if (exchange.interim > maxInformational) throw limitFault('maxInformational', maxInformational, 502);
    const { headers, rawNames } = readFields(raw, maxHeaderCount, false);
    this.#host.tell(
      informationalReceived(exchange.streamId, [':status', String(status), ...headers], ['', ...rawNames]),
    );
  }

  #final(exchange: ClientExchange, message: IncomingMessage): void {
    const head = readResponse(message, exchange.plan.method, this.#limits.maxHeaderCount);
    this.#headCame(exchange, head, false);
    const { streamId } = exchange;
    const current = (): boolean => this.#host.isOpen() && this.exchange === exchange;
    message.on('error', (error) => {
      if (current()) this.#host.refuse(fault('the connection ended inside the content', 502, 'ERR_TRUNCATED', error));
    });
    message.on('data', (chunk: Buffer) => {
      if (!current()) return;
      exchange.received += chunk.length;
      const { maxBodyBytes } = this.#limits;
      if (exchange.received > maxBodyBytes) {
        this.#host.refuse(limitFault('maxBodyBytes', maxBodyBytes, 502));
        return;
      }
      this.unconsumed += chunk.length;
      this.#host.tell(dataReceived(streamId, chunk, chunk.length, false, false));
    });
    exchange.message = message;
    message.on('end', () => {
      if (!current()) return;
      try {
        if (head.framing !== 'none') this.#contentEnds(exchange, message, head.framing === 'close');
      } catch (error) {
        this.#host.refuse(toHfaceError(error, 'engine'));
        return;
      }
      exchange.responseComplete = true;
      // Node lets go of the socket when the request is out as well; where it is not, nobody waits for that.
      if (!exchange.requestComplete || this.last || this.#unasked !== undefined) this.#endIfOver();
    });
  }

  #contentEnds(exchange: ClientExchange, message: IncomingMessage, closes: boolean): void {
    const { headers, rawNames } = readTrailers(message.rawTrailers);
    if (headers.length > 0) this.#host.tell(trailersReceived(exchange.streamId, headers, rawNames));
    else this.#host.tell(dataReceived(exchange.streamId, EMPTY, 0, true, closes));
  }

  /**
   * Node gave the socket up. What it had understood before is told first: behind a whole response comes what nobody has
   * asked for, which is dropped when the server had said that it closes (RFC 9112 sections 9.2 and 9.6).
   */
  failed(error: HfaceError, code?: string): void {
    if (this.exchange?.message?.complete !== true || this.exchange.responseComplete) {
      this.#host.refuse(error);
      return;
    }
    if (code === 'HPE_CLOSED_CONNECTION') this.last = true;
    if (!this.last) this.#unasked ??= fault('data without a request', 502, undefined, error);
  }

  #connected(exchange: ClientExchange, message: IncomingMessage, rest: Uint8Array): void {
    const head = readResponse(message, 'CONNECT', this.#limits.maxHeaderCount);
    if (head.framing === 'tunnel') {
      this.#openTunnel(exchange, head, rest);
      return;
    }
    const socket = new EngineSocket({
      socketWrote: () => undefined,
      socketEnded: () => undefined,
      socketClosed: () => undefined,
    });
    const again = openRequest(socket, 'GET', '/', ['host', 'again'], this.#limits.maxHeaderBytes);
    again.on('response', (response) => {
      if (this.exchange === exchange) this.#final(exchange, response);
    });
    again.on('error', (error) => {
      if (this.exchange === exchange) this.#host.refuse(this.#requestFailed(exchange, error));
    });
    again.end();
    this.last = true;
    this.again = socket;
    readAgain(socket, message, rest);
  }

  #switched(exchange: ClientExchange, message: IncomingMessage, rest: Uint8Array): void {
    const head = readResponse(message, exchange.plan.method, this.#limits.maxHeaderCount);
    const offered = exchange.plan.upgrade.map((token) => token.toLowerCase());
    const { upgrade } = head.fields;
    if (offered.length === 0) throw fault('101 without Upgrade in the request', 502);
    if (upgrade.length === 0) throw fault('101 without Upgrade', 502);
    if (upgrade.some((token) => !offered.includes(token.toLowerCase()))) {
      throw fault('101 to a protocol that was not offered', 502);
    }
    if (head.fields.transferEncoding !== undefined || head.fields.contentLength > 0)
      throw fault('101 with content', 502);
    this.#openTunnel(exchange, head, rest);
  }

  #openTunnel(exchange: ClientExchange, head: ReceivedResponse, rest: Uint8Array): void {
    this.#headCame(exchange, head, true);
    this.#host.becomeTunnel();
    this.last = true;
    exchange.openTunnel();
    this.#host.unfeed(rest);
    this.#host.feed();
  }

  #headCame(exchange: ClientExchange, head: ReceivedResponse, tunnel: boolean): void {
    const { streamId } = exchange;
    const ended = head.framing === 'none' && !tunnel;
    const { upgrade } = head.fields;
    exchange.response = head;
    this.oldServer = head.httpVersion === '1.0';
    if (!head.persistent || !exchange.requestComplete) this.last = true;
    for (const option of members(head.fields.keepAliveOptions ?? '')) {
      const seconds = /^timeout=(\d{1,8})$/i.exec(option)?.[1];
      if (seconds === undefined) continue;
      const timeout = Math.max(0, Number(seconds) * 1000 - KEEP_ALIVE_MARGIN);
      this.keepAliveTimeout = Math.min(this.#limits.keepAliveTimeout, timeout);
    }
    this.#host.tell(headersReceived(streamId, head.headers, head.rawNames, ended, upgrade, head.httpVersion, false));
    if (head.fields.close) this.#host.tell(goawayReceived(streamId, errorCodes.noError, EMPTY));
  }

  /** Node has let go of the socket, or is not waited for. */
  #endIfOver(): void {
    const exchange = this.exchange;
    if (exchange?.responseComplete !== true || this.#host.isTunnel()) return;
    const { streamId, requestComplete } = exchange;
    this.exchange = undefined;
    if (!requestComplete) {
      const { noError } = errorCodes;
      const reason = 'the response ended before the request';
      const error = new StreamResetError(reason, { errorCode: noError, initiator: 'peer' });
      this.#host.tell(streamResetReceived(streamId, noError, 'maybe', error));
      this.#resetFrom = streamId;
    }
    this.#host.tell(streamClosed(streamId));
    if (this.#unasked !== undefined) this.#host.refuse(this.#unasked);
    if (!this.last) return;
    if (!requestComplete) this.#host.dropOutput();
    this.#host.finish(errorCodes.noError, 'the last exchange has ended', undefined);
  }

  /** Ends a tunnel whose directions have both ended. */
  tunnelEnds(): void {
    const exchange = this.exchange;
    if (exchange?.responseComplete !== true || !exchange.requestComplete) return;
    this.exchange = undefined;
    this.#host.tell(streamClosed(exchange.streamId));
    this.#host.finish(errorCodes.noError, 'the last exchange has ended', undefined);
  }

  /** Node's word for what is wrong, as one of ours. */
  #requestFailed(exchange: ClientExchange, error: NodeJS.ErrnoException): HfaceError {
    if (error.code === 'HPE_HEADER_OVERFLOW') return limitFault('maxHeaderBytes', this.#limits.maxHeaderBytes, 502);
    if (error.code?.startsWith('HPE_') === true && !this.#host.isEnded()) {
      return fault(error.message, 502, error.code === 'HPE_INVALID_CONSTANT' ? 'ERR_NOT_HTTP' : undefined, error);
    }
    if (exchange.response !== undefined) {
      return fault('the connection ended inside the content', 502, 'ERR_TRUNCATED', error);
    }
    if (exchange.partial) return fault('the connection ended inside a head', 502, 'ERR_TRUNCATED', error);
    return fault('the connection ended before the response', 502, 'ERR_CONNECTION_CLOSED', error);
  }

  /** The exchange that a submit concerns; `undefined`: it was reset. @throws LocalProtocolError */
  reached(streamId: number): ClientExchange | undefined {
    if (this.exchange?.streamId === streamId) return this.exchange;
    if (streamId >= this.#resetFrom && streamId <= this.lastId) return undefined;
    const was = streamId >= 1 && streamId <= this.lastId;
    throw new LocalProtocolError(
      was ? `stream ${String(streamId)} has ended` : `there is no stream ${String(streamId)}`,
    );
  }

  /** Ends the open stream, if there is one. `byPeer`: the peer gave it up, not this side. */
  reset(errorCode: number, error: HfaceError, byPeer: boolean): void {
    const exchange = this.exchange;
    if (exchange === undefined) return;
    const { streamId } = exchange;
    const processed: Processed = exchange.sent ? 'maybe' : 'no';
    this.processed = processed;
    this.exchange = undefined;
    this.#resetFrom = streamId;
    if (byPeer) this.#host.tell(streamResetReceived(streamId, errorCode, processed, error));
    else this.#host.tell(streamResetSent(streamId, errorCode, error));
    this.#host.tell(streamClosed(streamId));
    exchange.request.destroy();
  }
}
