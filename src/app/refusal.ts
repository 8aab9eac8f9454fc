/**
 * A request that is answered without the app.
 *
 * Owns the smallest handler there is: what the client still sends is dropped, an error page goes out.
 *
 * @module
 */
import type { HfaceError } from '../common/index.ts';
import type { ServerExchange, ServerExchangeHandler } from '../connections/index.ts';
import type { AppHost } from './app-host.ts';
import { RequestQueue } from './request-queue.ts';
import { ResponseWriter } from './response-writer.ts';

/** Answers an exchange with an error page; `error` is shown to developers. */
export function refuseExchange(exchange: ServerExchange, host: AppHost, status: number, error?: unknown): void {
  const queue = new RequestQueue(exchange);
  queue.discard(true);
  const writer = new ResponseWriter(exchange, host, { responseEnded: () => exchange.handlerEnded() });
  const handler: ServerExchangeHandler = {
    dataReceived: (data, flowControlledLength, endStream) => queue.add(data, flowControlledLength, endStream),
    trailersReceived: () => queue.end(),
    writable: () => writer.writable(),
    aborted: (reason: HfaceError) => writer.aborted(reason),
    closed: () => host.exchangeEnded(exchange, writer.status),
  };
  exchange.start(handler);
  writer.sendError(status, error);
}
