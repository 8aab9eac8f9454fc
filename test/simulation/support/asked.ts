/**
 * The client's end of a planned exchange: asks, sends, reads and checks as the plan says.
 */
import type { Clock, HeaderList, HfaceError } from '../../../src/common/index.ts';
import type {
  ClientExchange,
  ClientExchangeRequest,
  HttpPool,
  PoolAssignment,
  PoolRequest,
  PoolRequestHandler,
  PoolTarget,
} from '../../../src/connections/index.ts';
import type { Plan } from './plan.ts';
import { isPattern, patternPiece } from './plan.ts';
import type { Complain } from './served.ts';

/** One exchange as the client lives it. */
export class Asked implements PoolRequestHandler {
  readonly plan: Plan;
  received = 0;
  sent = 0;
  consumed = 0;
  status: number | undefined = undefined;
  informational = 0;
  trailers: HeaderList | undefined = undefined;
  responseEnded = false;
  error: HfaceError | undefined = undefined;
  processed: 'no' | 'maybe' | undefined = undefined;
  started_ = 0;
  isClosed = false;
  /** Resolves with the last call. */
  readonly done: Promise<void>;
  readonly #clock: Clock;
  readonly #complain: Complain;
  #resolve: () => void = () => undefined;
  #exchange: ClientExchange | undefined = undefined;
  #sending = false;

  constructor(plan: Plan, clock: Clock, complain: Complain) {
    this.plan = plan;
    this.#clock = clock;
    this.#complain = complain;
    this.done = new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Asks the pool, when the plan says so. */
  begin(pool: HttpPool, target: PoolTarget): void {
    this.#after(this.plan.askAt, () => {
      const request: PoolRequest = pool.request(target, this.#request(target), this, {
        totalTimeout: 3_600_000,
        queueTimeout: Infinity,
      });
      if (this.plan.fate === 'client cancels') this.#after(this.plan.fateAfter, () => request.cancel());
    });
  }

  started(assignment: PoolAssignment): void {
    this.#notClosed('started');
    this.started_ += 1;
    this.#exchange = assignment.exchange;
    this.#sending = this.plan.requestBody !== undefined;
    this.#send();
  }

  informationalReceived(status: number, headers: HeaderList): void {
    this.#notClosed('informational');
    if (status !== 103 || headers[1] !== `</${String(this.plan.id)}>`) this.#complain('another informational');
    if (this.status !== undefined) this.#complain('informational after the head');
    this.informational += 1;
  }

  headersReceived(status: number, headers: HeaderList, _names: unknown, _version: unknown, endStream: boolean): void {
    this.#notClosed('headers');
    if (this.status !== undefined) this.#complain('two heads');
    this.status = status;
    if (status === this.plan.status && headers[1] !== String(this.plan.id)) this.#complain('the answer to another');
    if (endStream) this.#ends();
  }

  dataReceived(data: Uint8Array, length: number, endStream: boolean): void {
    this.#notClosed('data');
    if (!isPattern(this.plan.id, 'response', this.received, data)) this.#complain('response bytes differ');
    this.received += data.length;
    if (this.plan.clientReader === 'eager') this.#consume(length);
    else this.#after(5, () => this.#consume(length));
    if (endStream) this.#ends();
  }

  trailersReceived(headers: HeaderList): void {
    this.#notClosed('trailers');
    this.trailers = headers;
    this.#ends();
  }

  writable(): void {
    this.#notClosed('writable');
    this.#send();
  }

  failed(error: HfaceError, processed: 'no' | 'maybe'): void {
    this.#notClosed('failed');
    if (this.error !== undefined) this.#complain('failed twice');
    if (this.started_ === 0 && processed !== 'no') this.#complain('failed unsent, and yet perhaps processed');
    this.error = error;
    this.processed = processed;
  }

  closed(): void {
    this.#notClosed('closed');
    this.isClosed = true;
    this.#resolve();
  }

  /** Whether the response came whole. */
  get completed(): boolean {
    return this.responseEnded && this.error === undefined;
  }

  #request(target: PoolTarget): ClientExchangeRequest {
    const { plan } = this;
    const { requestBody: length } = plan;
    const headers = [];
    if (length !== undefined && plan.requestDeclared) headers.push('content-length', String(length));
    return {
      method: plan.method,
      scheme: target.origin.scheme,
      authority: target.origin.host,
      path: `/${String(plan.id)}`,
      protocol: undefined,
      upgrade: undefined,
      headers,
      rawNames: undefined,
      endStream: length === undefined,
    };
  }

  #send(): void {
    const { plan } = this;
    const exchange = this.#exchange;
    const length = plan.requestBody ?? 0;
    try {
      while (this.#sending && exchange !== undefined && this.error === undefined) {
        const size = Math.min(plan.piece, length - this.sent);
        const last = this.sent + size === length;
        const piece = patternPiece(plan.id, 'request', this.sent, size);
        this.sent += size;
        const room = exchange.sendData(piece, last && !plan.requestTrailers);
        if (last) {
          this.#sending = false;
          if (plan.requestTrailers) exchange.sendTrailers(['x-sum', String(length)]);
        }
        if (!room) return;
      }
    } catch (error) {
      this.#complain(`client: ${String(error)}`);
    }
  }

  #ends(): void {
    if (this.responseEnded) this.#complain('the response ended twice');
    this.responseEnded = true;
    const { plan } = this;
    if (this.status !== plan.status) return;
    if (this.received !== (plan.responseBody ?? 0)) this.#complain(`response of ${String(this.received)} bytes`);
    if (plan.responseTrailers !== (this.trailers !== undefined)) this.#complain('response trailers');
    if (plan.informational !== (this.informational === 1)) this.#complain('informational responses');
  }

  #consume(length: number): void {
    this.consumed += length;
    this.#exchange?.dataConsumed(length);
  }

  #after(milliseconds: number, callback: () => void): void {
    this.#clock.schedule(this.#clock.now() + milliseconds, callback);
  }

  #notClosed(call: string): void {
    if (this.isClosed) this.#complain(`${call} after closed`);
  }
}
