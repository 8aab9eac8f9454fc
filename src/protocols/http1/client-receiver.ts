/**
 * The client's receiving side: responses and tunnel bytes, from octets to events.
 *
 * Owns: what the octets are that come in, by the state; to which request a response belongs (RFC 9112 section 9.2);
 * when reading is to pause. Does not own what follows from a fault, which it throws (client.ts).
 *
 * @module
 */
import type { ReceiveBuffer, RingQueue } from '../../wire/index.ts';
import { parseDecimal } from '../../wire/index.ts';
import type { HttpEvent } from '../events.ts';
import { dataReceived, goawayReceived, headersReceived, informationalReceived, trailersReceived } from '../events.ts';
import { isInformationalStatus, UNDECLARED } from '../semantics/index.ts';
import { BodyReader, BodyStep } from './body-reader.ts';
import type { ClientExchange, ClientExchanges } from './client-exchanges.ts';
import { memberList } from './connection-options.ts';
import { http1ErrorCodes } from '../semantics/index.ts';
import { closedFault, fault, limitFault, notHttpFault, truncatedFault } from './faults.ts';
import { Framing, responseFraming } from './framing.ts';
import type { Http1ClientLimits } from './limits.ts';
import { ResponseParser } from './response-parser.ts';
import { SectionReader } from './section-reader.ts';
import type { SendQueue } from './send-queue.ts';
import type { PhaseKind, Timers } from './timers.ts';
import { Phase } from './timers.ts';

const EMPTY: Uint8Array = new Uint8Array(0);
const STATUS_LINE_START = 'HTTP/';
const NO_TOKENS: readonly string[] = [];
/** How much earlier than the server an idle connection is given up, in milliseconds, so that the two do not race. */
const KEEP_ALIVE_MARGIN = 1000;

/** Reads a client's input. */
export class ClientReceiver {
  readonly #exchanges: ClientExchanges;
  readonly #limits: Http1ClientLimits;
  readonly #input: ReceiveBuffer;
  readonly #output: SendQueue;
  readonly #events: RingQueue<HttpEvent>;
  readonly #timers: Timers;
  readonly #response: ResponseParser;
  readonly #sections: SectionReader;
  readonly #body: BodyReader;
  /** Whether the server lets the connection live after the response at hand. */
  #persists: boolean;
  #unconsumed: number;
  /** The stream whose content that is. */
  #unconsumedOf: number;
  /** Empty lines that came while no response was due. */
  #emptyLines: number;
  #lineJudged: boolean;

  constructor(
    exchanges: ClientExchanges,
    limits: Http1ClientLimits,
    queues: { readonly input: ReceiveBuffer; readonly output: SendQueue; readonly events: RingQueue<HttpEvent> },
    timers: Timers,
  ) {
    this.#exchanges = exchanges;
    this.#limits = limits;
    this.#input = queues.input;
    this.#output = queues.output;
    this.#events = queues.events;
    this.#timers = timers;
    this.#response = new ResponseParser(limits);
    this.#sections = new SectionReader();
    this.#body = new BodyReader(limits);
    this.#persists = true;
    this.#unconsumed = 0;
    this.#unconsumedOf = 0;
    this.#emptyLines = 0;
    this.#lineJudged = false;
  }

  /** Whether reading is to go on. */
  get wantsInput(): boolean {
    return this.#unconsumed < this.#limits.maxUnconsumedBytes;
  }

  /** The reader took content. Only what the response at hand has brought holds up reading. */
  consume(streamId: number, bytes: number): void {
    if (bytes > 0 && streamId === this.#unconsumedOf) this.#unconsumed = Math.max(0, this.#unconsumed - bytes);
  }

  /** Reads as far as it goes. Throws the peer's faults. */
  receive(): void {
    let more = true;
    while (more) {
      switch (this.#exchanges.state.receive) {
        case 'idle':
          this.#receiveUnasked();
          return;
        case 'head':
          more = this.#input.size > 0 && this.#receiveHead();
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
    const { state, first } = this.#exchanges;
    switch (state.receive) {
      case 'idle':
        this.#exchanges.endConnection();
        return;
      case 'head':
        if (this.#input.size > 0) throw truncatedFault('the connection ended inside a head');
        throw closedFault('the connection ended before the response');
      case 'body':
        if (this.#body.framing !== Framing.close) throw truncatedFault('the connection ended inside the content');
        this.#events.push(dataReceived(first?.streamId ?? 0, EMPTY, 0, true, true));
        this.#exchanges.responseEnds(false);
        return;
      case 'tunnel':
        this.#events.push(dataReceived(first?.streamId ?? 0, EMPTY, 0, true, false));
        state.tunnelInputEnds();
        this.#exchanges.tunnelEnds();
        return;
      default:
    }
  }

  /** What the connection waits for. */
  phase(): PhaseKind {
    const { state, first, lastId } = this.#exchanges;
    switch (state.receive) {
      case 'idle':
        return lastId === 0 ? Phase.first : Phase.idle;
      case 'head':
        // While the request is on its way, the server owes nothing.
        return first?.requestComplete === true && this.#output.pending === 0 ? Phase.head : Phase.none;
      case 'body':
        return this.wantsInput ? Phase.body : Phase.none;
      default:
        return Phase.none;
    }
  }

  /** RFC 9112 section 9.2: nothing but empty lines may come while no response is due. */
  #receiveUnasked(): void {
    while (this.#input.byteAt(0) === 0x0d && this.#input.byteAt(1) === 0x0a) {
      this.#input.skip(2);
      this.#emptyLines += 1;
      const { maxEmptyLines } = this.#limits;
      if (this.#emptyLines > maxEmptyLines) throw limitFault('maxEmptyLines', maxEmptyLines, 502);
    }
    if (this.#input.size > 1 || (this.#input.size === 1 && this.#input.byteAt(0) !== 0x0d)) {
      throw fault('data without a request');
    }
  }

  /** True: a head was read. */
  #receiveHead(): boolean {
    const exchange = this.#exchanges.first;
    if (exchange === undefined || !this.#exchanges.firstWasSent()) throw fault('a response before its request');
    const { maxStatusLineBytes, maxHeaderBytes } = this.#limits;
    const limit = maxStatusLineBytes + maxHeaderBytes;
    if (!this.#looksLikeHttp()) throw notHttpFault();
    const text = this.#sections.read(this.#input, limit);
    if (text === undefined) {
      this.#judgeIncomplete();
      if (this.#sections.overrun(this.#input, limit)) throw limitFault('maxHeaderBytes', maxHeaderBytes, 502);
      return false;
    }
    this.#emptyLines = 0;
    this.#lineJudged = false;
    this.#response.parse(text);
    const { status } = this.#response;
    if (status !== 101 && isInformationalStatus(status)) this.#interim(exchange);
    else this.#final(exchange, status);
    return true;
  }

  /** A status-line that is wrong, or has no end, need not be waited behind. */
  #judgeIncomplete(): void {
    if (this.#lineJudged) return;
    const { maxStatusLineBytes } = this.#limits;
    const end = this.#input.findCrlf(maxStatusLineBytes + 2);
    if (end >= 0) {
      this.#response.parseStatusLine(this.#input.latin1(0, end + 2));
      this.#lineJudged = true;
    } else if (this.#input.size >= maxStatusLineBytes + 2) {
      throw limitFault('maxStatusLineBytes', maxStatusLineBytes, 502);
    }
  }

  /** Told by the first octets: a server of another protocol may send a greeting and then wait for ever. */
  #looksLikeHttp(): boolean {
    const size = Math.min(this.#input.size, STATUS_LINE_START.length);
    for (let index = 0; index < size; index += 1) {
      if (this.#input.byteAt(index) !== STATUS_LINE_START.charCodeAt(index)) return false;
    }
    return true;
  }

  #interim(exchange: ClientExchange): void {
    const { section } = this.#response;
    const { maxInformational } = this.#limits;
    exchange.interim += 1;
    if (exchange.interim > maxInformational) throw limitFault('maxInformational', maxInformational, 502);
    responseFraming(section, this.#response.httpVersion, this.#response.status, exchange.method);
    this.#events.push(informationalReceived(exchange.streamId, section.headers, section.rawNames));
  }

  #final(exchange: ClientExchange, status: number): void {
    const response = this.#response;
    const { section } = response;
    const { state } = this.#exchanges;
    const framing =
      status === 101
        ? this.#switched(exchange)
        : responseFraming(section, response.httpVersion, status, exchange.method);
    const ended = framing === Framing.none;
    if (framing === Framing.tunnel && state.send !== 'waiting') throw fault('a tunnel while a request is being sent');
    this.#body.begin(framing, section.contentLength);
    this.#timers.beginMessage();
    this.#unconsumed = 0;
    this.#unconsumedOf = exchange.streamId;
    // What a message without content declares may be followed by it all the same; do not find out.
    const suspicious = exchange.method !== 'HEAD' && status !== 304 && ended && declaresContent(section);
    // Whoever answers early may not read the rest of the request, and the next one would stand behind it.
    const early = !exchange.requestComplete;
    this.#persists = response.persistent && framing !== Framing.close && !suspicious && !early;
    this.#exchanges.oldServer = response.httpVersion === '1.0';
    if (!this.#persists) this.#exchanges.last = true;
    if (section.keepAlive !== undefined) this.#obeyKeepAlive(section.keepAlive);
    const upgrade = section.connection.upgrade ? section.upgrade : NO_TOKENS;
    this.#events.push(
      headersReceived(
        exchange.streamId,
        section.headers,
        section.rawNames,
        ended,
        upgrade,
        response.httpVersion,
        false,
      ),
    );
    if (section.connection.close) {
      this.#events.push(goawayReceived(exchange.streamId, http1ErrorCodes.noError, EMPTY));
    }
    if (framing === Framing.tunnel) {
      this.#exchanges.last = true;
      this.#exchanges.tunnel = true;
      state.tunnelOpens();
    } else if (ended) {
      this.#responseEnds();
    } else {
      state.responseHead();
    }
  }

  /** RFC 9110 section 15.2.2: only to what was offered. */
  #switched(exchange: ClientExchange): typeof Framing.tunnel {
    const { section } = this.#response;
    if (exchange.upgrade.length === 0) throw fault('101 without Upgrade in the request');
    if (!section.connection.upgrade || section.upgrade.length === 0) throw fault('101 without Upgrade');
    const offered = exchange.upgrade.map((token) => token.toLowerCase());
    for (const token of section.upgrade) {
      if (!offered.includes(token.toLowerCase())) throw fault('101 to a protocol that was not offered');
    }
    if (section.transferEncoding !== undefined || section.contentLength > 0) throw fault('101 with content');
    return Framing.tunnel;
  }

  #obeyKeepAlive(value: string): void {
    for (const member of memberList(value)) {
      const lower = member.toLowerCase();
      if (!lower.startsWith('timeout=')) continue;
      const seconds = parseDecimal(lower, 8);
      if (seconds < 0) continue;
      const timeout = Math.max(0, seconds * 1000 - KEEP_ALIVE_MARGIN);
      this.#timers.keepAliveTimeout = Math.min(this.#limits.keepAliveTimeout, timeout);
    }
  }

  #receiveBody(): boolean {
    const body = this.#body;
    const streamId = this.#exchanges.first?.streamId ?? 0;
    switch (body.read(this.#input)) {
      case BodyStep.needMore:
        return false;
      case BodyStep.data: {
        const { piece, ended } = body;
        this.#unconsumed += piece.length;
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
    this.#responseEnds();
    return true;
  }

  #responseEnds(): void {
    this.#exchanges.responseEnds(this.#persists);
    this.#timers.beginMessage();
  }
}

function declaresContent(section: {
  readonly transferEncoding: string | undefined;
  readonly contentLength: number;
}): boolean {
  return section.transferEncoding !== undefined || (section.contentLength !== UNDECLARED && section.contentLength > 0);
}
