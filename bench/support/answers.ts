/**
 * The smallest answer in each of our ways, the same bytes in all.
 *
 * @module
 */
import { asgi } from '../../src/app/index.ts';
import type { App } from '../../src/app/index.ts';
import type { Clock } from '../../src/common/index.ts';
import type { ServerExchange, ServerExchangeHandler, ServerExchangesHandler } from '../../src/connections/index.ts';

/** The content. */
export const TEXT = 'Hello, world!\n';
/** Its Content-Type. */
export const TYPE = 'text/plain';

const BYTES = Buffer.from(TEXT);

/** Answered in ASGI's way. */
export const asgiHello: App = asgi(async (scope, _receive, send) => {
  if (scope.type !== 'http') return;
  const headers = [
    ['content-type', TYPE],
    ['content-length', String(BYTES.length)],
  ] as const;
  await send({ type: 'http.response.start', status: 200, headers });
  await send({ type: 'http.response.body', body: BYTES });
});

/** Answered in the web's way, with the platform's Response. */
export const fetchHello: App = () => new Response(TEXT, { headers: { 'content-type': TYPE } });

/** Answered by exchanges alone, with a Date as the facades send it. */
export class ExchangeHello implements ServerExchangesHandler {
  readonly #clock: Clock;
  #second: number;
  #fields: readonly string[];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#second = 0;
    this.#fields = [];
  }

  exchangeReceived(exchange: ServerExchange): void {
    exchange.start(NOBODY);
    exchange.respond(200, this.#current(), BYTES);
    exchange.handlerEnded();
  }

  #current(): readonly string[] {
    const second = Math.floor(this.#clock.wallTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#fields = ['content-type', TYPE, 'date', new Date(second * 1000).toUTCString()];
    }
    return this.#fields;
  }
}

const NOBODY: ServerExchangeHandler = {
  dataReceived: () => undefined,
  trailersReceived: () => undefined,
  writable: () => undefined,
  aborted: () => undefined,
  closed: () => undefined,
};
