/**
 * A client's engine on http2-wrapper, over node:http2's sessions.
 *
 * Theory of operation. Each request is opened by the wrapper's `request` on our session; the stream that it opens is
 * what this engine reads and writes, since the wrapper itself has neither trailers nor reset codes, and of 1xx tells only
 * the status. An extended CONNECT waits until the server's SETTINGS have allowed it (RFC 8441 section 3), and what is
 * opened behind it waits with it, so that the ids stay in order.
 *
 * @module
 */
import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, Http2Stream } from 'node:http2';
import type { HeaderList } from '../../common/index.ts';
import { LimitError, LocalProtocolError } from '../../common/index.ts';
import type { HttpOverTcpProtocol, Processed, SubmitHeadersOptions } from '../../protocols/index.ts';
import { headersReceived, informationalReceived, settingsReceived } from '../../protocols/index.ts';
import type { RequestHead } from '../../protocols/semantics/index.ts';
import { isSuccessfulStatus, readResponseHead, UNDECLARED } from '../../protocols/semantics/index.ts';
import { http2ErrorCodes as errorCodes } from '../../protocols/semantics/index.ts';
import type { NodeHttp2Limits } from '../http2-sessions/limits.ts';
import { fromNodeHeaders, toNodeHeaders } from '../http2-sessions/node-headers.ts';
import { SessionEngine } from '../http2-sessions/session-engine.ts';
import { SessionStream } from '../http2-sessions/session-stream.ts';
import { judgeRequest } from '../http2-sessions/submitted-heads.ts';
import type { Http2Wrapper } from './wrapper.ts';
import { openStream } from './wrapper.ts';

/** END_STREAM (RFC 9113 section 6.2). */
const END_STREAM = 0x1;
/** The ids of settings (RFC 9113 section 6.5.2, RFC 8441) by Node's names. */
const SETTINGS: readonly (readonly [name: string, id: number])[] = [
  ['headerTableSize', 1],
  ['enablePush', 2],
  ['maxConcurrentStreams', 3],
  ['initialWindowSize', 4],
  ['maxFrameSize', 5],
  ['maxHeaderListSize', 6],
  ['enableConnectProtocol', 8],
];

/** The client engine. Made by the wrapper's client factory. */
export class Http2WrapperClient extends SessionEngine implements HttpOverTcpProtocol {
  readonly role = 'client' as const;
  readonly #wrapper: Http2Wrapper;
  readonly #session: ClientHttp2Session;
  readonly #openedAt: WeakMap<SessionStream, number>;
  /** Requests that wait for the server's SETTINGS. */
  #held: (() => void)[];
  #settled: boolean;
  #processed: Processed;

  constructor(wrapper: Http2Wrapper, limits: NodeHttp2Limits, now: number) {
    super(limits, limits.keepAliveTimeout, now);
    this.#wrapper = wrapper;
    this.#openedAt = new WeakMap();
    this.#held = [];
    this.#settled = false;
    this.#processed = 'no';
    this.#session = connect('http://localhost', {
      createConnection: () => this.socket,
      maxHeaderListPairs: limits.maxHeaderCount,
      settings: {
        enablePush: false,
        initialWindowSize: limits.initialStreamWindow,
        maxHeaderListSize: limits.maxHeaderBytes,
      },
    });
    this.#session.on('remoteSettings', (settings) => {
      this.#settled = true;
      const known = SETTINGS.flatMap(([name, id]) => {
        const value = (settings as Readonly<Record<string, number | boolean | undefined>>)[name];
        return value === undefined ? [] : [[id, Number(value)] as const];
      });
      if (!this.terminated) this.tell(settingsReceived(new Map(known)));
      const held = this.#held;
      this.#held = [];
      for (const open of held) open();
    });
    this.watch(this.#session);
  }

  /** Whether a request can be opened now. */
  isAvailable(): boolean {
    if (this.hasExpired()) return false;
    const peers = this.#settled ? (this.#session.remoteSettings.maxConcurrentStreams ?? Infinity) : Infinity;
    return this.streams.size < Math.min(this.limits.maxConcurrentStreams, peers);
  }

  /** Whether no further request can ever be opened. */
  hasExpired(): boolean {
    return this.terminated || this.windingDown || this.lastId >= 0x7fff_fffd;
  }

  /** The id for the next request. */
  getAvailableStreamId(): number {
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    return this.#nextId();
  }

  /** Opens a request; see `HttpProtocol`. */
  submitHeaders(streamId: number, headers: HeaderList, options: SubmitHeadersOptions): void {
    if (this.used(streamId)) {
      if (this.reached(streamId) === undefined) return;
      throw new LocalProtocolError('the request was submitted before');
    }
    if (streamId !== this.#nextId()) throw new LocalProtocolError('the id is not that of getAvailableStreamId');
    if (!this.isAvailable()) throw new LocalProtocolError('no request can be opened on this connection now');
    const head = judgeRequest(headers, options);
    const stream = new SessionStream(streamId, head.method, undefined);
    const waits = this.#held.length > 0 || (head.protocol !== undefined && !this.#settled);
    if (head.protocol !== undefined && this.#settled && this.#session.remoteSettings.enableConnectProtocol !== true) {
      throw new LocalProtocolError('the server does not allow extended CONNECT', 'ERR_UNSUPPORTED');
    }
    const endStream = options.endStream && head.method !== 'CONNECT';
    if (waits) this.#held.push(() => this.#open(stream, headers, head, endStream));
    else this.#open(stream, headers, head, endStream);
    this.lastId = streamId;
    this.streams.set(streamId, stream);
    this.#openedAt.set(stream, this.takes);
    stream.begin(head.contentLength, endStream);
  }

  /** Clients send no responses. */
  submitInformational(_streamId: number, _headers: HeaderList, _rawNames?: readonly string[]): void {
    throw new LocalProtocolError('a client sends no informational responses');
  }

  /** A client has no handlers. */
  submitHandlerEnd(_streamId: number): void {
    // Nothing is owed.
  }

  /** A server that has answered may give up the rest of the request by NO_ERROR (RFC 9113 section 8.1). */
  protected override endedWell(stream: SessionStream, node: Http2Stream): boolean {
    if (node.rstCode) return false;
    return stream.declared === UNDECLARED || stream.declared === stream.contentBytes;
  }

  protected advanced(_stream: SessionStream): void {
    // Node closes streams whose directions have ended.
  }

  protected tooLarge(stream: SessionStream): void {
    const { maxBodyBytes } = this.limits;
    const message = `maxBodyBytes (${String(maxBodyBytes)}) was exceeded`;
    this.giveUp(stream, errorCodes.cancelled, new LimitError(message, { limit: 'maxBodyBytes', value: maxBodyBytes }));
  }

  protected streamForgotten(): void {
    this.announce();
  }

  protected processedBy(stream: SessionStream, code: number): Processed {
    const sent = this.takes > (this.#openedAt.get(stream) ?? 0);
    const processed: Processed = code === errorCodes.requestRejected || !sent ? 'no' : 'maybe';
    if (processed === 'maybe') this.#processed = 'maybe';
    return processed;
  }

  protected processed(): Processed {
    return this.#processed;
  }

  #nextId(): number {
    return this.lastId === 0 ? 1 : this.lastId + 2;
  }

  #open(stream: SessionStream, headers: HeaderList, head: RequestHead, endStream: boolean): void {
    if (stream.reset) return;
    let node: ClientHttp2Stream;
    try {
      const options = { endStream, waitForTrailers: !endStream };
      node = openStream(this.#wrapper, this.#session, head, toNodeHeaders(headers), options);
    } catch (error) {
      throw new LocalProtocolError('node:http2 refuses the request', undefined, error);
    }
    this.watchStream(stream, node);
    node.on('headers', (_headers: unknown, _flags: unknown, raw?: readonly string[]) => {
      if (this.streams.get(stream.id) !== stream) return;
      stream.interim += 1;
      const { maxInformational } = this.limits;
      if (stream.interim > maxInformational) {
        const message = `maxInformational (${String(maxInformational)}) was exceeded`;
        const error = new LimitError(message, { limit: 'maxInformational', value: maxInformational });
        this.giveUp(stream, errorCodes.excessiveLoad, error);
      } else {
        this.tell(informationalReceived(stream.id, fromNodeHeaders(raw ?? []), undefined));
      }
    });
    node.on('response', (_headers: unknown, flags: number, raw?: readonly string[]) => {
      this.#answered(stream, node, flags, fromNodeHeaders(raw ?? []));
    });
  }

  #answered(stream: SessionStream, node: ClientHttp2Stream, flags: number, headers: readonly string[]): void {
    if (this.streams.get(stream.id) !== stream) return;
    const ended = (flags & END_STREAM) !== 0;
    const accepted = stream.tunnel === 'asked' && isSuccessfulStatus(Number(headers[1]));
    stream.headReceived = true;
    const read = readResponseHead(headers);
    if (typeof read !== 'string') stream.declared = read.contentLength;
    stream.received = ended;
    if (accepted) stream.tunnel = 'open';
    else if (stream.tunnel === 'asked') {
      // A refused CONNECT has nothing to send.
      stream.tunnel = 'no';
      stream.sent = true;
      node.end();
    }
    this.tell(headersReceived(stream.id, headers, undefined, ended, [], '2', false));
    if (ended) node.resume();
    else this.readContent(stream, node);
  }
}
