/**
 * The way out of one exchange: short for a response that is all at hand and says nothing unusual.
 *
 * Owns the question whether a response is such a one, and the writer (response-writer.ts), which thinks of everything
 * and is made for all others.
 *
 * @module
 */
import type { HeaderList, HfaceError } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';
import type { AppHost } from './app-host.ts';
import { isConnectionSpecific } from './field-list.ts';
import { ResponseWriter } from './response-writer.ts';
import type { ResponseOwner } from './response-writer.ts';

/** Where the response of one exchange leaves. */
export class ResponseOutlet {
  readonly #exchange: ServerExchange;
  readonly #host: AppHost;
  readonly #owner: ResponseOwner;
  #writer: ResponseWriter | undefined;
  /** Of a response that left whole; 0 for none. */
  #wholeStatus: number;

  constructor(exchange: ServerExchange, host: AppHost, owner: ResponseOwner) {
    this.#exchange = exchange;
    this.#host = host;
    this.#owner = owner;
    this.#writer = undefined;
    this.#wholeStatus = 0;
  }

  /** Whether nothing more will be sent. */
  get over(): boolean {
    return this.#wholeStatus !== 0 || this.#writer?.ended === true;
  }

  /** Whether a response was begun. */
  get begun(): boolean {
    return this.#wholeStatus !== 0 || this.#writer?.begun === true;
  }

  /** Whether a response left whole. */
  get sentWhole(): boolean {
    return this.#wholeStatus !== 0;
  }

  /** Of the final head; 0 before there is one. */
  get status(): number {
    return this.#wholeStatus === 0 ? (this.#writer?.status ?? 0) : this.#wholeStatus;
  }

  /** The long way, for a response that did not leave whole. */
  get writer(): ResponseWriter {
    return (this.#writer ??= new ResponseWriter(this.#exchange, this.#host, this.#owner));
  }

  /**
   * Sends a whole response. False where there is more to think of: then nothing was done. The owner is not told.
   *
   * @param fields - regular fields in lowercase
   * @throws LocalProtocolError for fields that cannot be sent: then nothing was sent
   */
  sendWhole(status: number, fields: HeaderList, content: string | Uint8Array | undefined): boolean {
    if (this.#writer !== undefined || this.#exchange.method === 'HEAD') return false;
    if (!Number.isInteger(status) || status < 200 || status > 599) return false;
    if (status === 204 || status === 205 || status === 304) return false;
    const all = withHostFields(fields, this.#host.responseFields(this.#exchange), content);
    if (all === undefined) return false;
    // An exchange may tell its end from inside.
    this.#wholeStatus = status;
    try {
      this.#exchange.respond(status, all, content);
    } catch (error) {
      this.#wholeStatus = 0;
      throw error;
    }
    return true;
  }

  /** There is room again. */
  writable(): void {
    this.#writer?.writable();
  }

  /** Nobody waits for the response any more. */
  aborted(error: HfaceError): void {
    if (this.#wholeStatus === 0) this.writer.aborted(error);
  }
}

/** With what the server adds; `undefined` where an app names a field of the connection or of the server, or lies about a length. */
function withHostFields(
  list: HeaderList,
  added: HeaderList,
  content: string | Uint8Array | undefined,
): HeaderList | undefined {
  if (list.length === 0) return added;
  const all: string[] = [];
  for (let index = 0; index < list.length; index += 2) {
    const name = list[index] as string;
    const value = list[index + 1] as string;
    if (name.length === 14 && name === 'content-length') {
      // It is told anyway.
      if (value !== String(lengthOf(content))) return undefined;
      continue;
    }
    if (isConnectionSpecific(name)) return undefined;
    for (let other = 0; other < added.length; other += 2) if (added[other] === name) return undefined;
    all.push(name, value);
  }
  for (const text of added) all.push(text);
  return all;
}

function lengthOf(content: string | Uint8Array | undefined): number {
  if (content === undefined) return 0;
  return typeof content === 'string' ? Buffer.byteLength(content) : content.length;
}
