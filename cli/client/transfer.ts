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
import { canRepeat, countedBody } from './request-body.ts';
import type { CommandBody } from './request-body.ts';
import { PassingStatus, retryAfter } from './retry.ts';
import type { Retries } from './retry.ts';
import type { Task, TransferSettings } from './settings.ts';
import { TransferRecord } from './transfer-record.ts';
import type { ClientTrust } from './trust.ts';

/** What all transfers share. */
export interface TransferContext {
  readonly session: ClientSession;
  readonly clock: Clock;
  readonly trust: ClientTrust;
  readonly signal: AbortSignal;
  readonly settings: TransferSettings;
  /** What is sent as User-Agent unless `-H` says another; `undefined`: nothing. For the count of octets. */
  readonly userAgent: string | undefined;
}

/** The request as it goes on after redirects. */
interface Step {
  readonly url: URL;
  readonly method: string;
  /** Names and values; lowercase names after a redirect. */
  readonly headers: readonly string[];
  readonly body: CommandBody | undefined;
  /** Latin1; `undefined`: none. */
  readonly referer: string | undefined;
  /** Whether it still goes to the first origin: what `-b` gives as data is for that one. */
  readonly home: boolean;
}

/** One try of one transfer. */
export class Transfer {
  readonly record: TransferRecord;
  readonly #context: TransferContext;
  readonly #task: Task;
  readonly #sink: Sink;
  readonly #retries: Retries | undefined;
  readonly #deadline: number;
  #step: Step;

  /** @param index - the task's place among all */
  constructor(context: TransferContext, task: Task, index: number, sink: Sink, retries: Retries | undefined) {
    const { settings, clock } = context;
    this.#context = context;
    this.#task = task;
    this.#sink = sink;
    this.#retries = retries;
    this.#step = firstStep(task, settings);
    this.#deadline = settings.maxTime === undefined ? Infinity : clock.now() + settings.maxTime;
    this.record = new TransferRecord({ text: task.target.text, index }, clock.now(), () => sink.fileName);
    this.record.retries = retries?.used ?? 0;
  }

  /** Where the transfer is now, for messages. */
  get url(): URL {
    return this.#step.url;
  }

  /** Rejects with what went wrong, or with {@link PassingStatus}; the record is filled either way. */
  async run(): Promise<void> {
    const { settings, clock } = this.#context;
    try {
      const response = await this.#finalResponse();
      const failed = settings.fail !== false && response.status >= 400;
      if (failed && settings.fail !== 'with-body') {
        response.body.cancel();
        throw failureOfStatus(response);
      }
      if (settings.headOnly) response.body.cancel();
      else await this.#receive(response);
      await this.#sink.end();
      if (failed) throw failureOfStatus(response);
    } finally {
      this.record.ended(clock.now());
    }
  }

  /** The response that no redirect leads on from. */
  async #finalResponse(): Promise<ClientResponse> {
    const { settings, clock, session } = this.#context;
    for (;;) {
      const response = await session.dispatch(await this.#request());
      try {
        settings.cookies.jar?.receive(response.headerValues('set-cookie'), this.#step.url);
        const text = headsText(response);
        this.record.responded(response, text);
        const next = this.#redirected(response);
        if (next === undefined) {
          await this.#tryAgain(response);
          this.#sink.begin(response.header('content-disposition'));
        }
        if (settings.include) await this.#sink.writeHead(text);
        if (next === undefined) return response;
        await discard(response, clock);
        this.#step = next;
      } catch (error) {
        response.body.cancel();
        throw error;
      }
    }
  }

  /** @throws PassingStatus for a response that is worth another try, when nothing of this one is printed yet */
  async #tryAgain(response: ClientResponse): Promise<void> {
    const { clock } = this.#context;
    if (this.#retries === undefined || !canRepeat(this.#task.body) || !(await this.#sink.reset())) return;
    const said = retryAfter(response, clock.wallTime());
    const delay = this.#retries.afterResponse(response.status, said, clock.now());
    if (delay !== undefined) throw new PassingStatus(response.status, delay);
  }

  async #request(): Promise<ClientRequest> {
    const { settings, clock, trust, signal, userAgent } = this.#context;
    const { url, method, body, referer } = this.#step;
    const headers = [...this.#step.headers];
    const names = new Set(headers.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
    const add = (name: string, value: string | undefined): void => {
      if (value !== undefined && !names.has(name) && !settings.fields.removed.has(name)) headers.push(name, value);
    };
    const { accept, contentType } = body === this.#task.body ? this.#task.defaults : NO_DEFAULTS;
    add('accept', accept ?? '*/*');
    if (settings.compressed) add('accept-encoding', acceptEncoding(url.protocol === 'https:'));
    add('content-type', contentType);
    add('referer', referer);
    add('cookie', this.#cookies());
    const own = [...headers];
    if (!names.has('user-agent') && userAgent !== undefined) own.push('user-agent', userAgent);
    if (!names.has('content-length') && body?.length !== undefined) own.push('content-length', String(body.length));
    this.record.requested(url, method, own, clock.now());
    return {
      url,
      method,
      headers,
      signal,
      tls: await trust.configFor(url),
      body: body === undefined ? undefined : countedBody(body, this.record),
      // A large body waits until the server wants it.
      expectContinue:
        body !== undefined &&
        (body.length ?? Infinity) > EXPECT_ABOVE &&
        !names.has('expect') &&
        !settings.fields.removed.has('expect'),
      ...(this.#deadline === Infinity ? {} : { timeouts: { total: Math.max(1, this.#deadline - clock.now()) } }),
    };
  }

  /** The value of Cookie: those of the jar, then what `-b` says. */
  #cookies(): string | undefined {
    const { jar, data } = this.#context.settings.cookies;
    const parts = [jar?.fieldFor(this.#step.url), this.#step.home ? data : undefined];
    const field = parts.filter((part) => part !== undefined).join('; ');
    return field === '' ? undefined : field;
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
    if (next.keepsBody && !canRepeat(step.body)) {
      const cause = 'the redirect asks for the body again, which can be read only once';
      throw new CommandError({ cause, place: undefined, next: '-T FILE, of the disk' }, exitCode.sendRewind);
    }
    this.record.redirects += 1;
    const { autoReferer } = this.#context.settings;
    return {
      url: next.url,
      method: next.method,
      headers: next.headers,
      body: next.keepsBody ? step.body : undefined,
      referer: autoReferer ? step.url.href : step.referer,
      home: step.home && !next.crossOrigin,
    };
  }

  async #receive(response: ClientResponse): Promise<void> {
    const length = Number(response.header('content-length') ?? NaN);
    this.record.downloadLength = Number.isNaN(length) ? undefined : length;
    // Counted as it comes, before a coding is undone.
    const count = (bytes: number): void => {
      this.record.bytesDownloaded += bytes;
    };
    if (this.#context.settings.compressed) {
      for await (const piece of response.decoded(count)) await this.#sink.writeBody(piece);
      return;
    }
    for await (const piece of response.body) {
      count(piece.byteLength);
      await this.#sink.writeBody(piece);
    }
  }
}

function firstStep({ target, body, method }: Task, settings: TransferSettings): Step {
  const headers = settings.fields.fields.flat();
  const credentials = settings.user ?? target.credentials;
  const hasOwn = settings.fields.fields.some(([name]) => name.toLowerCase() === 'authorization');
  if (credentials !== undefined && !hasOwn) headers.push('authorization', basicCredentials(credentials));
  const { referer } = settings;
  return { url: target.url, method: settings.method ?? method, headers, body, referer, home: true };
}

/** The heads of a response, interim ones first, as `-i` prints them. */
function headsText({ httpVersion, status, headers, rawNames, informational }: ClientResponse): string {
  const interim = informational.map((head) => headText(httpVersion, head.status, head.headers, head.rawNames));
  return [...interim, headText(httpVersion, status, headers, rawNames)].join('');
}

function failureOfStatus({ status }: ClientResponse): CommandError {
  const cause = `the server answered ${String(status)}`;
  return new CommandError({ cause, place: undefined, next: undefined }, exitCode.httpError);
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

const NO_DEFAULTS: Task['defaults'] = { accept: undefined, contentType: undefined };
/** Milliseconds. */
const DISCARD_TIME = 1_000;
/** Octets, as curl has it. */
const EXPECT_ABOVE = 1_048_576;
