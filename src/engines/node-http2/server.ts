/**
 * A server's engine on a session of node:http2.
 *
 * Owns: requests as Node tells them, and responses as Node takes them. The connection is session-engine.ts's.
 *
 * @module
 */
import { performServerHandshake } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';
import type { HeaderList } from '../../common/index.ts';
import { LimitError, LocalProtocolError, StreamResetError } from '../../common/index.ts';
import type { HttpOverTcpProtocol, Processed, SubmitHeadersOptions } from '../../protocols/index.ts';
import { headersReceived } from '../../protocols/index.ts';
import { http2ErrorCodes as errorCodes } from '../../protocols/semantics/index.ts';
import type { NodeHttp2Limits } from '../http2-sessions/limits.ts';
import { fromNodeHeaders, toNodeHeaders } from '../http2-sessions/node-headers.ts';
import { SessionEngine } from '../http2-sessions/session-engine.ts';
import { SessionStream } from '../http2-sessions/session-stream.ts';
import { judgeInformational, judgeResponse } from '../http2-sessions/submitted-heads.ts';

/** END_STREAM (RFC 9113 section 6.2). */
const END_STREAM = 0x1;

/** The server engine. Made by `NodeHttp2ServerFactory`. */
export class NodeHttp2Server extends SessionEngine implements HttpOverTcpProtocol {
  readonly role = 'server' as const;
  readonly #handlers: Set<number>;

  constructor(limits: NodeHttp2Limits, now: number) {
    super(limits, limits.headTimeout, now);
    this.#handlers = new Set();
    const session = performServerHandshake(this.socket, {
      maxHeaderListPairs: limits.maxHeaderCount,
      settings: {
        enableConnectProtocol: true,
        initialWindowSize: limits.initialStreamWindow,
        maxConcurrentStreams: limits.maxConcurrentStreams,
        maxHeaderListSize: limits.maxHeaderBytes,
      },
    });
    session.on('stream', (node, _headers, flags, raw?: readonly string[]) => {
      this.#requested(node, flags, fromNodeHeaders(raw ?? []));
    });
    this.watch(session);
  }

  /** Whether further requests are accepted. */
  isAvailable(): boolean {
    return !this.terminated && !this.windingDown;
  }

  /** Whether no further request will be accepted. */
  hasExpired(): boolean {
    return !this.isAvailable();
  }

  /** Servers open no requests. */
  getAvailableStreamId(): number {
    throw new LocalProtocolError('a server opens no requests');
  }

  /** See `HttpProtocol`; a 2xx to CONNECT opens a tunnel. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    const stream = this.reached(streamId);
    if (stream === undefined) return;
    if (stream.headSent) throw new LocalProtocolError('the final response was submitted before');
    const { contentLength, tunnel, silent } = judgeResponse(headers, options, stream.method);
    const node = stream.node as ServerHttp2Stream;
    const endStream = options.endStream || silent;
    this.#write(() => {
      node.respond(toNodeHeaders(headers), { endStream, waitForTrailers: !endStream, sendDate: false } as object);
    });
    if (tunnel) stream.tunnel = 'open';
    else if (stream.tunnel === 'asked') stream.tunnel = 'no';
    stream.silent = silent;
    stream.dropsData = stream.method === 'HEAD';
    stream.begin(contentLength, options.endStream);
    if (stream.method === 'CONNECT') this.#readTunnel(stream, node, tunnel);
    this.advanced(stream);
  }

  /** See `HttpProtocol`. */
  submitInformational(streamId: number, headers: HeaderList, _rawNames?: readonly string[]): void {
    const stream = this.reached(streamId);
    if (stream === undefined) return;
    if (stream.headSent) throw new LocalProtocolError('the final response was submitted before');
    judgeInformational(headers);
    this.#write(() => (stream.node as ServerHttp2Stream).additionalHeaders(toNodeHeaders(headers)));
  }

  /** See `HttpProtocol`. */
  submitHandlerEnd(streamId: number): void {
    if (!this.#handlers.delete(streamId)) return;
    const stream = this.streams.get(streamId);
    if (stream !== undefined) this.advanced(stream);
  }

  protected advanced(stream: SessionStream): void {
    // The response is whole and nobody reads the rest of the request (RFC 9113 section 8.1).
    if (!stream.sent || !stream.flushed || stream.received || stream.tunnel === 'open') return;
    if (this.#handlers.has(stream.id) || this.streams.get(stream.id) !== stream) return;
    const reason = 'the response ended before the request';
    const { noError } = errorCodes;
    this.giveUp(stream, noError, new StreamResetError(reason, { errorCode: noError, initiator: 'application' }));
  }

  protected tooLarge(stream: SessionStream): void {
    const { maxBodyBytes } = this.limits;
    const message = `maxBodyBytes (${String(maxBodyBytes)}) was exceeded`;
    this.giveUp(stream, errorCodes.cancelled, new LimitError(message, { limit: 'maxBodyBytes', value: maxBodyBytes }));
  }

  protected streamForgotten(): void {
    // Clients know by themselves that a stream is free.
  }

  protected processedBy(): Processed {
    return 'maybe';
  }

  protected processed(): Processed {
    return 'maybe';
  }

  #requested(node: ServerHttp2Stream, flags: number, headers: readonly string[]): void {
    const id = node.id ?? 0;
    this.lastId = Math.max(this.lastId, id);
    if (this.terminated || this.#handlers.size >= this.limits.maxLiveHandlers) {
      node.on('error', () => undefined);
      node.close(errorCodes.requestRejected);
      return;
    }
    const method = headers[headers.indexOf(':method') + 1] ?? '';
    const stream = new SessionStream(id, method, node);
    this.streams.set(id, stream);
    this.#handlers.add(id);
    this.watchStream(stream, node);
    const connects = method === 'CONNECT';
    const ended = (flags & END_STREAM) !== 0 && !connects;
    stream.received = ended;
    this.tell(headersReceived(id, headers, undefined, ended, [], '2', false));
    if (ended) node.resume();
    else if (!connects) this.readContent(stream, node);
  }

  /** After the answer to CONNECT: a tunnel's bytes are read, those of one that was refused are not wanted. */
  #readTunnel(stream: SessionStream, node: ServerHttp2Stream, accepted: boolean): void {
    if (accepted) {
      this.readContent(stream, node);
      return;
    }
    stream.received = true;
    node.resume();
    node.once('finish', () => {
      if (!node.destroyed) node.close(errorCodes.noError);
    });
  }

  /** Node's refusals are the caller's mistakes: a field that may stand once only. */
  #write(call: () => void): void {
    try {
      call();
    } catch (error) {
      throw new LocalProtocolError('node:http2 refuses the head', undefined, error);
    }
  }
}
