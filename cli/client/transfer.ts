/**
 * One transfer: a request, the redirects that follow it, and its response into a sink.
 *
 * Owns the order of what happens, and the facts that `-w` prints. Redirect rules are the client's.
 *
 * @module
 */
import type { ClientRequest, ClientResponse, ClientSession } from '../../src/client/index.ts';
import { acceptEncoding, isRedirectStatus, redirectStep } from '../../src/client/index.ts';
import { HfaceError } from '../../src/common/index.ts';
import type { Clock } from '../../src/common/index.ts';
import { CommandError } from '../report.ts';
import { exitCode } from './exit-codes.ts';
import { basicCredentials } from './fields.ts';
import { headText } from './head-text.ts';
import type { Sink } from './output.ts';
import type { CommandBody } from './request-body.ts';
import type { TransferSettings } from './settings.ts';
import type { Target } from './targets.ts';
import { TransferRecord } from './transfer-record.ts';
import type { ClientTrust } from './trust.ts';

/** What all transfers share. */
export interface TransferContext {
  readonly session: ClientSession;
  readonly clock: Clock;
  readonly trust: ClientTrust;
  readonly signal: AbortSignal;
  readonly settings: TransferSettings;
}

/** The request as it goes on after redirects. */
interface Step {
  readonly url: URL;
  readonly method: string;
  /** Names and values; lowercase names after a redirect. */
  readonly headers: readonly string[];
  readonly body: CommandBody | undefined;
}

/** One transfer. */
export class Transfer {
  readonly record: TransferRecord;
  readonly #context: TransferContext;
  readonly #sink: Sink;
  readonly #deadline: number;
  #step: Step;

  constructor(context: TransferContext, target: Target, sink: Sink) {
    const { settings, clock } = context;
    this.#context = context;
    this.#sink = sink;
    this.#step = firstStep(target, settings);
    this.#deadline = settings.maxTime === undefined ? Infinity : clock.now() + settings.maxTime;
    this.record = new TransferRecord(target.text, clock.now(), sink.fileName);
  }

  /** Where the transfer is now, for messages. */
  get url(): URL {
    return this.#step.url;
  }

  /** Rejects with what went wrong; the record is filled either way. */
  async run(): Promise<void> {
    const { settings, clock } = this.#context;
    try {
      const response = await this.#finalResponse();
      if (settings.fail && response.status >= 400) {
        response.body.cancel();
        const cause = `the server answered ${String(response.status)}`;
        throw new CommandError({ cause, place: undefined, next: undefined }, exitCode.httpError);
      }
      if (settings.headOnly) response.body.cancel();
      else await this.#receive(response);
      await this.#sink.end();
    } finally {
      this.record.ended(clock.now());
    }
  }

  /** The response that no redirect leads on from. */
  async #finalResponse(): Promise<ClientResponse> {
    const { settings } = this.#context;
    for (;;) {
      const response = await this.#context.session.dispatch(await this.#request());
      try {
        this.record.responded(response, this.#step.method, this.#step.body?.length ?? 0);
        if (settings.include) await this.#writeHeads(response);
        const next = this.#redirected(response);
        if (next === undefined) return response;
        await discard(response, this.#context.clock);
        this.#step = next;
      } catch (error) {
        response.body.cancel();
        throw error;
      }
    }
  }

  async #request(): Promise<ClientRequest> {
    const { settings, clock, trust, signal } = this.#context;
    const { url, method, body } = this.#step;
    const headers = [...this.#step.headers];
    const names = new Set(headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
    const add = (name: string, value: string): void => {
      if (!names.has(name) && !settings.fields.removed.has(name)) headers.push(name, value);
    };
    add('accept', '*/*');
    if (settings.compressed) add('accept-encoding', acceptEncoding(url.protocol === 'https:'));
    if (body !== undefined) add('content-type', body.contentType);
    return {
      url,
      method,
      headers,
      signal,
      tls: await trust.configFor(url),
      body: body?.body,
      ...(this.#deadline === Infinity ? {} : { timeouts: { total: Math.max(1, this.#deadline - clock.now()) } }),
    };
  }

  async #writeHeads(response: ClientResponse): Promise<void> {
    const { httpVersion, status, headers, rawNames, informational } = response;
    for (const interim of informational) {
      await this.#sink.writeHead(headText(httpVersion, interim.status, interim.headers, interim.rawNames));
    }
    await this.#sink.writeHead(headText(httpVersion, status, headers, rawNames));
  }

  /** The step that the response leads to, or `undefined` when it is the answer. */
  #redirected(response: ClientResponse): Step | undefined {
    const { maxRedirects } = this.#context.settings;
    if (!isRedirectStatus(response.status)) return undefined;
    const step = this.#step;
    const headers = step.headers.map((entry, index) => (index % 2 === 0 ? entry.toLowerCase() : entry));
    const request = { url: step.url, method: step.method, headers, hasBody: step.body !== undefined, replayable: true };
    if (maxRedirects === undefined) {
      this.record.redirectUrl = locationOf(response, step.url);
      return undefined;
    }
    let next;
    try {
      next = redirectStep(response.status, response.headers, request);
    } catch (error) {
      throw redirectFailure(error, response, step.url);
    }
    if (next === undefined) return undefined;
    if (this.record.redirects >= maxRedirects) {
      const cause = `there are more than ${String(maxRedirects)} redirects`;
      throw new CommandError({ cause, place: undefined, next: '--max-redirs COUNT' }, exitCode.tooManyRedirects);
    }
    this.record.redirects += 1;
    return { url: next.url, method: next.method, headers: next.headers, body: next.keepsBody ? step.body : undefined };
  }

  async #receive(response: ClientResponse): Promise<void> {
    const pieces = this.#context.settings.compressed ? response.decoded() : response.body;
    for await (const piece of pieces) {
      this.record.bytesDownloaded += piece.byteLength;
      await this.#sink.writeBody(piece);
    }
  }
}

function firstStep(target: Target, settings: TransferSettings): Step {
  const headers = settings.fields.fields.flat();
  const credentials = settings.user ?? target.credentials;
  const hasOwn = settings.fields.fields.some(([name]) => name.toLowerCase() === 'authorization');
  if (credentials !== undefined && !hasOwn) headers.push('authorization', basicCredentials(credentials));
  return { url: target.url, method: settings.method, headers, body: settings.body };
}

/** Where a redirect leads, for `%{redirect_url}`. */
function locationOf(response: ClientResponse, base: URL): string {
  const location = response.header('location');
  return location !== undefined && URL.canParse(location, base.href) ? new URL(location, base).href : '';
}

/** curl tells a scheme that it does not have from a location that is no URL. */
function redirectFailure(error: unknown, response: ClientResponse, base: URL): unknown {
  if (!(error instanceof HfaceError)) return error;
  const location = locationOf(response, base);
  const code = location === '' || /^https?:/.test(location) ? exitCode.badUrl : exitCode.unsupportedProtocol;
  return new CommandError({ cause: error.message, place: undefined, next: undefined }, code, error);
}

/** Reads a redirect's body to keep the connection, within bounds of size and time. */
async function discard(response: ClientResponse, clock: Clock): Promise<void> {
  if (response.body.empty) return;
  const patience = clock.schedule(clock.now() + DISCARD_TIME, () => response.body.cancel(), { background: true });
  await response.body.discard();
  patience.cancel();
}

/** Milliseconds. */
const DISCARD_TIME = 1_000;
