/**
 * The server's receiving side: requests and tunnel bytes, from octets to events.
 *
 * Owns: what the octets are that come in, by the exchange's state; when a further request may be read; when reading is
 * to pause. Does not own what follows from a fault, which it throws (server.ts).
 *
 * @module
 */
import type { ReceiveBuffer, RingQueue } from '../../wire/index.ts';
import type { HttpEvent } from '../events.ts';
import { dataReceived, goawayReceived, headersReceived, trailersReceived } from '../events.ts';
import type { ProtocolContext } from '../factories.ts';
import { UNDECLARED } from '../semantics/index.ts';
import { BodyReader, BodyStep } from './body-reader.ts';
import { http1ErrorCodes } from '../semantics/index.ts';
import { fault } from './faults.ts';
import { Framing } from './framing.ts';
import { HandlerBudget } from './handler-budget.ts';
import type { KnownRequest } from './known-request.ts';
import { MAX_KNOWN } from './known-request.ts';
import type { Http1ServerLimits } from './limits.ts';
import { RequestParser } from './request-parser.ts';
import { RequestReader } from './request-reader.ts';
import type { SendQueue } from './send-queue.ts';
import type { ServerExchange } from './server-exchange.ts';
import type { PhaseKind, Timers } from './timers.ts';
import { Phase } from './timers.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

/** Reads a server's input. */
export class ServerReceiver {
  /** The request read last. */
  readonly request: RequestParser;
  /** What the application has in hand. */
  readonly budget: HandlerBudget;
  readonly #exchange: ServerExchange;
  readonly #limits: Http1ServerLimits;
  readonly #input: ReceiveBuffer;
  readonly #output: SendQueue;
  readonly #events: RingQueue<HttpEvent>;
  readonly #timers: Timers;
  readonly #reader: RequestReader;
  /** Made for the first content. */
  #body: BodyReader | undefined;
  readonly #known: KnownRequest;
  #secure: boolean;
  /** The chunk at hand, if it may be a whole request. */
  #candidate: Uint8Array | undefined;

  constructor(
    exchange: ServerExchange,
    limits: Http1ServerLimits,
    queues: { readonly input: ReceiveBuffer; readonly output: SendQueue; readonly events: RingQueue<HttpEvent> },
    timers: Timers,
    known: KnownRequest,
  ) {
    this.request = new RequestParser(limits);
    this.budget = new HandlerBudget();
    this.#exchange = exchange;
    this.#limits = limits;
    this.#input = queues.input;
    this.#output = queues.output;
    this.#events = queues.events;
    this.#timers = timers;
    this.#reader = new RequestReader(this.request, limits);
    this.#body = undefined;
    this.#known = known;
    this.#secure = false;
    this.#candidate = undefined;
  }

  /** Goes on with another connection. */
  resume(context: ProtocolContext): void {
    this.request.resume(context.secure, context.alpn !== undefined);
    this.#secure = context.secure;
    this.#candidate = undefined;
    this.#body?.forget();
  }

  /** Whether nothing was received that waits for anything, and the application has nothing in hand. */
  get idle(): boolean {
    return this.#input.size === 0 && this.#reader.idle && this.budget.empty;
  }

  /** Whether reading is to go on. */
  get wantsInput(): boolean {
    switch (this.#exchange.state.receive) {
      case 'idle':
      case 'head':
        return this.#mayBegin();
      case 'body':
      case 'tunnel':
        return this.budget.unconsumed < this.#limits.maxUnconsumedBytes;
      case 'complete':
        return this.#input.size === 0;
      default:
        return true;
    }
  }

  /** Whether a request waits as bytes that may be read now. */
  get hasWork(): boolean {
    return this.#exchange.state.receive === 'idle' && this.#input.size > 0 && this.#mayBegin();
  }

  /** Takes a chunk that is a known request, whole and alone; false for any other, which was not touched. */
  receiveKnown(chunk: Uint8Array): boolean {
    const known = this.#known;
    const exchange = this.#exchange;
    if (exchange.state.receive !== 'idle' || this.#input.size > 0) {
      this.#candidate = undefined;
      return false;
    }
    if (!known.is(chunk, this.#secure) || !this.#mayBegin()) {
      this.#candidate = chunk.length <= MAX_KNOWN ? chunk : undefined;
      return false;
    }
    exchange.state.requestBegins();
    this.#reader.passed();
    this.request.recall(known);
    const streamId = exchange.begin(false, false, this.#output.written);
    this.budget.begin(streamId);
    this.#timers.beginMessage();
    this.#events.push(
      headersReceived(streamId, known.headers, known.rawNames, true, this.request.upgrade, '1.1', false),
    );
    return true;
  }

  /** Reads as far as it goes. Throws the peer's faults. */
  receive(): void {
    let more = true;
    while (more) {
      switch (this.#exchange.state.receive) {
        case 'idle':
        case 'head':
          more = this.#receiveHead();
          break;
        case 'body':
        case 'tunnel':
          more = this.#receiveBody();
          break;
        default:
          more = false;
      }
    }
  }

  /** The peer has ended its side and everything before that was read. Throws when that cuts a message. */
  inputEnds(): void {
    const { state, streamId } = this.#exchange;
    switch (state.receive) {
      case 'idle':
        // A lone CR is left over from an empty line; requests may wait for their turn.
        if (this.#input.size === 0 || (this.#input.size === 1 && this.#input.byteAt(0) === 0x0d)) {
          this.#exchange.endConnection();
        }
        return;
      case 'head':
        throw fault('the connection ended inside a head');
      case 'body':
        throw fault('the connection ended inside the content');
      case 'tunnel':
        this.#events.push(dataReceived(streamId, EMPTY, 0, true, false));
        state.tunnelInputEnds();
        this.#exchange.endIfOver();
        return;
      default:
    }
  }

  /** What the connection waits for. */
  phase(): PhaseKind {
    const { state, streamId } = this.#exchange;
    switch (state.receive) {
      case 'idle':
        if (this.#output.pending > 0 || !this.#mayBegin()) return Phase.none;
        return streamId === 0 ? Phase.first : Phase.idle;
      case 'head':
        return Phase.head;
      case 'body':
        // Behind the end of the response a reader who does not read holds up nothing but the connection.
        return this.wantsInput || state.send === 'complete' ? Phase.body : Phase.none;
      default:
        return Phase.none;
    }
  }

  /** Begins to read raw bytes. */
  openTunnel(): void {
    this.#bodyReader().begin(Framing.tunnel, UNDECLARED);
  }

  #bodyReader(): BodyReader {
    return (this.#body ??= new BodyReader(this.#limits));
  }

  #mayBegin(): boolean {
    return this.budget.handlers < this.#limits.maxLiveHandlers && this.#output.pending <= this.#limits.maxUnsentBytes;
  }

  #receiveHead(): boolean {
    const { state } = this.#exchange;
    if (this.#input.size === 0 || !this.#mayBegin()) return false;
    const complete = this.#reader.read(this.#input);
    if (state.receive === 'idle' && (complete || this.#reader.begun)) state.requestBegins();
    if (!complete) return false;
    this.#surface();
    return true;
  }

  #surface(): void {
    const { request } = this;
    const { section } = request;
    const hasBody = request.framing !== Framing.none;
    if (hasBody) this.#bodyReader().begin(request.framing, section.contentLength);
    const streamId = this.#exchange.begin(hasBody, request.expectsContinue, this.#output.written);
    this.budget.begin(streamId);
    this.#timers.beginMessage();
    const ended = !hasBody && request.method !== 'CONNECT';
    if (this.#candidate !== undefined) {
      if (this.#input.size === 0) this.#known.keep(this.#candidate, this.#secure, request);
      this.#candidate = undefined;
    }
    this.#events.push(
      headersReceived(streamId, section.headers, section.rawNames, ended, request.upgrade, request.httpVersion, false),
    );
    if (section.connection.close) this.#events.push(goawayReceived(streamId, http1ErrorCodes.noError, EMPTY));
  }

  #receiveBody(): boolean {
    const body = this.#bodyReader();
    const { streamId } = this.#exchange;
    switch (body.read(this.#input)) {
      case BodyStep.needMore:
        return false;
      case BodyStep.data: {
        const { piece, ended } = body;
        this.#exchange.continueDue = false;
        this.budget.give(streamId, piece.length);
        this.#events.push(dataReceived(streamId, piece, piece.length, ended, false));
        if (!ended) return true;
        break;
      }
      case BodyStep.end:
        this.#events.push(dataReceived(streamId, EMPTY, 0, true, false));
        break;
      case BodyStep.trailers:
        this.#events.push(trailersReceived(streamId, body.section.headers, body.section.rawNames));
        break;
    }
    this.#exchange.state.requestEnds();
    this.#exchange.endIfOver();
    return true;
  }
}
