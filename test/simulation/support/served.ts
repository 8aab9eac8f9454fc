/**
 * The server's end of a planned exchange: reads, checks and answers as the plan says.
 */
import type { Clock, HeaderList, HfaceError } from '../../../src/common/index.ts';
import type { ServerExchange, ServerExchangeHandler } from '../../../src/connections/index.ts';
import type { Plan } from './plan.ts';
import { isPattern, patternPiece } from './plan.ts';

/** What went wrong, in words; a simulation is to have none. */
export type Complain = (fault: string) => void;

/** One exchange as the server lives it. */
export class Served implements ServerExchangeHandler {
  readonly plan: Plan;
  readonly exchange: ServerExchange;
  received = 0;
  consumed = 0;
  sent = 0;
  requestEnded: boolean;
  trailers: HeaderList | undefined = undefined;
  aborted_: HfaceError | undefined = undefined;
  isClosed = false;
  readonly #clock: Clock;
  readonly #complain: Complain;
  #answering = false;

  constructor(plan: Plan, exchange: ServerExchange, clock: Clock, complain: Complain) {
    this.plan = plan;
    this.exchange = exchange;
    this.#clock = clock;
    this.#complain = complain;
    this.requestEnded = exchange.endStream;
  }

  /** Takes the exchange. */
  begin(): void {
    const { plan, exchange } = this;
    exchange.start(this);
    if (plan.fate === 'server throws') throw new Error('on purpose');
    if (plan.fate === 'server resets') this.#after(plan.fateAfter, () => exchange.reset());
    if (exchange.method !== plan.method) this.#complain(`method ${exchange.method}`);
    if (plan.informational) exchange.sendInformational(103, ['link', `</${String(plan.id)}>`]);
    if (plan.early || this.requestEnded) this.#answer();
  }

  dataReceived(data: Uint8Array, length: number, endStream: boolean): void {
    this.#notClosed('data');
    if (!isPattern(this.plan.id, 'request', this.received, data)) this.#complain('request bytes differ');
    this.received += data.length;
    if (this.plan.serverReader === 'eager') this.#consume(length);
    else if (this.plan.serverReader === 'slow') this.#after(3, () => this.#consume(length));
    if (endStream) this.#requestEnds();
  }

  trailersReceived(headers: HeaderList): void {
    this.#notClosed('trailers');
    this.trailers = headers;
    this.#requestEnds();
  }

  writable(): void {
    this.#notClosed('writable');
    this.#send();
  }

  aborted(error: HfaceError): void {
    this.#notClosed('aborted');
    if (this.aborted_ !== undefined) this.#complain('aborted twice');
    this.aborted_ = error;
    this.exchange.handlerEnded();
  }

  closed(): void {
    this.#notClosed('closed');
    this.isClosed = true;
    this.exchange.handlerEnded();
  }

  #requestEnds(): void {
    if (this.requestEnded) this.#complain('the request ended twice');
    this.requestEnded = true;
    const { requestBody, requestTrailers } = this.plan;
    if (this.received !== (requestBody ?? 0)) this.#complain(`request of ${String(this.received)} bytes`);
    if (requestTrailers !== (this.trailers !== undefined)) this.#complain('request trailers');
    if (!this.plan.early) this.#answer();
  }

  #answer(): void {
    const { plan, exchange } = this;
    const { responseBody: length } = plan;
    const headers = ['x-plan', String(plan.id)];
    if (length !== undefined && plan.responseDeclared) headers.push('content-length', String(length));
    this.#try(() => {
      exchange.sendHeaders(plan.status, headers, length === undefined);
      this.#answering = length !== undefined;
      if (this.#answering) this.#send();
      else exchange.handlerEnded();
    });
  }

  #send(): void {
    const { plan, exchange } = this;
    const length = plan.responseBody ?? 0;
    this.#try(() => {
      while (this.#answering && exchange.abortedWith === undefined) {
        const size = Math.min(plan.piece, length - this.sent);
        const last = this.sent + size === length;
        const piece = patternPiece(plan.id, 'response', this.sent, size);
        this.sent += size;
        const room = exchange.sendData(piece, last && !plan.responseTrailers);
        if (last) {
          this.#answering = false;
          if (plan.responseTrailers) exchange.sendTrailers(['x-sum', String(length)]);
          exchange.handlerEnded();
        }
        if (!room) return;
      }
    });
  }

  #consume(length: number): void {
    this.consumed += length;
    this.exchange.dataConsumed(length);
  }

  #after(milliseconds: number, callback: () => void): void {
    this.#clock.schedule(this.#clock.now() + milliseconds, callback);
  }

  #try(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#complain(`server: ${String(error)}`);
    }
  }

  #notClosed(call: string): void {
    if (this.isClosed) this.#complain(`${call} after closed`);
  }
}
