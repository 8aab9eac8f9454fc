/**
 * What is asked and answered in each scenario, and our apps that answer it.
 *
 * @module
 */
import { asgi } from '../../src/app/index.ts';
import type { App } from '../../src/app/index.ts';
import type { Clock } from '../../src/common/index.ts';
import type {
  HttpConnection,
  HttpDriverHandler,
  ServerExchange,
  ServerExchangeHandler,
  ServerExchangesHandler,
} from '../../src/connections/index.ts';
import { Response as FastResponse } from '../../src/fetch/index.ts';
import type { HttpEvent } from '../../src/protocols/index.ts';

/** hello: fourteen bytes down. echo: 4 KiB up and down again. download: 1 MiB down. */
export type Scenario = 'hello' | 'echo' | 'download';

/** The content of hello. */
export const TEXT = 'Hello, world!\n';
/** Its Content-Type. */
export const TYPE = 'text/plain';
/** The Content-Type of the others. */
export const BYTES_TYPE = 'application/octet-stream';
/** What is sent up and comes back. */
export const ECHO: string = 'e'.repeat(4096);
/** What is sent down. */
export const DOWNLOAD: Buffer = Buffer.alloc(1 << 20, 'd');

const BYTES = Buffer.from(TEXT);

/** Our apps for a scenario. */
export interface Apps {
  readonly asgi: App;
  readonly fast: App;
  readonly native: App;
}

/** The apps of each scenario. */
export const apps: Readonly<Record<Scenario, Apps>> = {
  hello: {
    asgi: asgi(async (scope, _receive, send) => {
      if (scope.type !== 'http') return;
      const headers = [
        ['content-type', TYPE],
        ['content-length', String(BYTES.length)],
      ] as const;
      await send({ type: 'http.response.start', status: 200, headers });
      await send({ type: 'http.response.body', body: BYTES });
    }),
    fast: () => new FastResponse(TEXT, { headers: { 'content-type': TYPE } }),
    native: () => new Response(TEXT, { headers: { 'content-type': TYPE } }),
  },
  echo: {
    asgi: asgi(async (scope, receive, send) => {
      if (scope.type !== 'http') return;
      const pieces: Uint8Array[] = [];
      for (let more = true; more;) {
        const event = await receive();
        if (event.type !== 'http.request') return;
        pieces.push(event.body);
        more = event.more_body;
      }
      const body = pieces.length === 1 ? (pieces[0] as Uint8Array) : Buffer.concat(pieces);
      const headers = [
        ['content-type', BYTES_TYPE],
        ['content-length', String(body.length)],
      ] as const;
      await send({ type: 'http.response.start', status: 200, headers });
      await send({ type: 'http.response.body', body });
    }),
    fast: async (request) => new FastResponse(await request.text(), { headers: { 'content-type': BYTES_TYPE } }),
    native: async (request) => new Response(await request.text(), { headers: { 'content-type': BYTES_TYPE } }),
  },
  download: {
    asgi: asgi(async (scope, _receive, send) => {
      if (scope.type !== 'http') return;
      const headers = [
        ['content-type', BYTES_TYPE],
        ['content-length', String(DOWNLOAD.length)],
      ] as const;
      await send({ type: 'http.response.start', status: 200, headers });
      await send({ type: 'http.response.body', body: DOWNLOAD });
    }),
    fast: () => new FastResponse(DOWNLOAD, { headers: { 'content-type': BYTES_TYPE } }),
    native: () => new Response(DOWNLOAD, { headers: { 'content-type': BYTES_TYPE } }),
  },
};

/** The echo by bytes rather than by text. */
export const bytesEcho: App = async (request) =>
  new FastResponse(await request.arrayBuffer(), { headers: { 'content-type': BYTES_TYPE } });

/** The fields of a response with a Date, made anew once a second as the facades do it. */
class Fields {
  readonly #clock: Clock;
  readonly #first: readonly string[];
  #second: number;
  #fields: readonly string[];

  constructor(clock: Clock, first: readonly string[]) {
    this.#clock = clock;
    this.#first = first;
    this.#second = 0;
    this.#fields = [];
  }

  current(): readonly string[] {
    const second = Math.floor(this.#clock.wallTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#fields = [...this.#first, 'date', new Date(second * 1000).toUTCString()];
    }
    return this.#fields;
  }
}

/** Answers by exchanges alone. */
export class ExchangeAnswers implements ServerExchangesHandler {
  readonly #fields: Fields;
  readonly #scenario: Scenario;

  constructor(clock: Clock, scenario: Scenario) {
    this.#fields = new Fields(clock, ['content-type', scenario === 'hello' ? TYPE : BYTES_TYPE]);
    this.#scenario = scenario;
  }

  exchangeReceived(exchange: ServerExchange): void {
    if (this.#scenario === 'echo') {
      exchange.start(new ExchangeEcho(exchange, this.#fields));
      return;
    }
    exchange.start(NOBODY);
    exchange.respond(200, this.#fields.current(), this.#scenario === 'hello' ? BYTES : DOWNLOAD);
    exchange.handlerEnded();
  }
}

class ExchangeEcho implements ServerExchangeHandler {
  readonly #exchange: ServerExchange;
  readonly #fields: Fields;
  readonly #pieces: Uint8Array[] = [];

  constructor(exchange: ServerExchange, fields: Fields) {
    this.#exchange = exchange;
    this.#fields = fields;
  }

  dataReceived(data: Uint8Array, length: number, endStream: boolean): void {
    this.#pieces.push(data);
    this.#exchange.dataConsumed(length);
    if (!endStream) return;
    const body = this.#pieces.length === 1 ? this.#pieces[0] : Buffer.concat(this.#pieces);
    this.#exchange.respond(200, this.#fields.current(), body);
    this.#exchange.handlerEnded();
  }

  trailersReceived(): void {}
  writable(): void {}
  aborted(): void {}
  closed(): void {}
}

const NOBODY: ServerExchangeHandler = {
  dataReceived: () => undefined,
  trailersReceived: () => undefined,
  writable: () => undefined,
  aborted: () => undefined,
  closed: () => undefined,
};

/** Answers on connections themselves: events in, submits out. What they answer with is shared by all. */
export function connectionAnswers(clock: Clock, scenario: Scenario): (connection: HttpConnection) => void {
  const fields = new Fields(clock, ['content-type', scenario === 'hello' ? TYPE : BYTES_TYPE]);
  return (connection) => connection.attach(new ConnectionAnswers(connection, fields, scenario));
}

/** See {@link connectionAnswers}. */
export function answerConnection(connection: HttpConnection, scenario: Scenario): void {
  connectionAnswers(connection.clock, scenario)(connection);
}

class ConnectionAnswers implements HttpDriverHandler {
  readonly #connection: HttpConnection;
  readonly #fields: Fields;
  readonly #scenario: Scenario;
  #pieces: Uint8Array[] | undefined;

  constructor(connection: HttpConnection, fields: Fields, scenario: Scenario) {
    this.#connection = connection;
    this.#fields = fields;
    this.#scenario = scenario;
    this.#pieces = undefined;
  }

  eventReceived(event: HttpEvent): void {
    if (event.type === 'HeadersReceived' && this.#scenario !== 'echo') {
      this.#answer(event.streamId, this.#scenario === 'hello' ? BYTES : DOWNLOAD);
    } else if (event.type === 'DataReceived') {
      this.#connection.dataConsumed(event.streamId, event.flowControlledLength);
      if (!event.endStream) {
        this.#pieces ??= [];
        this.#pieces.push(event.data);
        return;
      }
      const body = this.#pieces === undefined ? event.data : Buffer.concat([...this.#pieces, event.data]);
      this.#pieces = undefined;
      this.#answer(event.streamId, body);
    }
  }

  ended(): void {}

  #answer(streamId: number, body: Uint8Array): void {
    this.#connection.sendResponse(streamId, 200, this.#fields.current(), body);
    this.#connection.handlerEnded(streamId);
  }
}
