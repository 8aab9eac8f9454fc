/**
 * Several endpoints, secure and insecure, opened and closed as one.
 *
 * Owns the all-or-nothing opening: when one endpoint cannot be opened, those that are open are closed again and the
 * first failure is thrown.
 *
 * @module
 */
import { ConfigurationError, formatEndpoint } from '../common/index.ts';
import type { Endpoint, ServerTlsConfig, SocketAddress } from '../common/index.ts';
import type { HttpConnection } from './http-connection.ts';
import type { DrainOptions, HttpListener, HttpListenerHandler, HttpListening } from './http-listener.ts';

/** One endpoint and who listens there. */
export interface MultiListenerEntry {
  readonly listener: HttpListener;
  readonly endpoint: Endpoint;
}

/** Listens at several endpoints at once. */
export class HttpMultiListener {
  readonly #entries: readonly MultiListenerEntry[];

  constructor(entries: readonly MultiListenerEntry[]) {
    this.#entries = entries;
  }

  /** Opens all endpoints, or none. @throws NetworkError, ConfigurationError */
  async listen(handler?: HttpListenerHandler): Promise<HttpListening> {
    const results = await Promise.allSettled(
      this.#entries.map(async (entry) => entry.listener.listen(entry.endpoint, handler)),
    );
    const open = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) {
      await Promise.all(open.map((listening) => listening.close()));
      throw failed.reason;
    }
    return new MultiListening(open);
  }
}

/** Several open endpoints as one. */
export class MultiListening implements HttpListening {
  readonly #parts: readonly HttpListening[];

  constructor(parts: readonly HttpListening[]) {
    this.#parts = parts;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#parts.flatMap((part) => part.endpoints);
  }

  get addresses(): readonly SocketAddress[] {
    return this.#parts.flatMap((part) => part.addresses);
  }

  get connections(): ReadonlySet<HttpConnection> {
    return new Set(this.#parts.flatMap((part) => [...part.connections]));
  }

  updateTls(tls: ServerTlsConfig, endpoint?: Endpoint): void {
    const wanted = endpoint === undefined ? undefined : formatEndpoint(endpoint);
    const parts = this.#parts.filter((part) =>
      part.endpoints.some((one) => one.scheme === 'https' && (wanted === undefined || formatEndpoint(one) === wanted)),
    );
    if (parts.length === 0)
      throw new ConfigurationError(`there is no https endpoint${wanted === undefined ? '' : ` ${wanted}`} to update`);
    for (const part of parts) part.updateTls(tls);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.stop()));
  }

  async drain(options?: DrainOptions): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.drain(options)));
  }

  async close(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<HttpConnection, undefined> {
    return mergeIterators(this.#parts.map((part) => part[Symbol.asyncIterator]()));
  }
}

/** What comes from any of the iterators, as it comes; done when all are. */
function mergeIterators(iterators: readonly AsyncIterator<HttpConnection>[]): AsyncIterator<HttpConnection, undefined> {
  type Step = { readonly index: number; readonly result: IteratorResult<HttpConnection> };
  const pending = new Map<number, Promise<Step>>();
  const ask = (index: number): void => {
    const iterator = iterators[index] as AsyncIterator<HttpConnection>;
    pending.set(
      index,
      iterator.next().then((result) => ({ index, result })),
    );
  };
  iterators.forEach((_, index) => ask(index));
  return {
    async next(): Promise<IteratorResult<HttpConnection, undefined>> {
      while (pending.size > 0) {
        const { index, result } = await Promise.race(pending.values());
        if (result.done === true) {
          pending.delete(index);
          continue;
        }
        ask(index);
        return { done: false, value: result.value };
      }
      return { done: true, value: undefined };
    },
  };
}
