/**
 * A folder of files as a Fetch-style app.
 *
 * Owns the order of decisions for a request: method, path, folder or file, stored variant, conditions, ranges; and the
 * fields of each answer. Paths, tags, conditions, ranges and codings are in files of their own.
 *
 * What is not served, whatever is on the disk: dotfiles, names that some file system reads as more than a name
 * (static-path.ts), and whatever lies outside the folder once links are resolved (static-root.ts). All of it is 404,
 * like files that do not exist.
 *
 * Invariants: a file is open only while its bytes are being sent; no more files than the limit are open at once.
 *
 * @module
 */
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ConfigurationError } from '../../common/index.ts';
import { Semaphore } from '../../concurrency/index.ts';
import type { AppContext, FetchObject } from '../app-types.ts';
import { FetchContext } from '../fetch-context.ts';
import { FileSource, openFile } from '../file-source.ts';
import type { FileFacts, OpenedFile } from '../file-source.ts';
import { chooseCoding } from './accept-encoding.ts';
import { multipartRanges } from './byteranges.ts';
import { contentTypeOf, isCompressible } from './content-type-table.ts';
import { entityTag } from './entity-tag.ts';
import { sourceResponse } from './file-response.ts';
import { formatHttpDate } from './http-date.ts';
import { listingPage } from './listing.ts';
import { judgeConditions, rangeIsCurrent } from './preconditions.ts';
import type { Validators } from './preconditions.ts';
import { contentRange, parseRanges } from './ranges.ts';
import { parseStaticPath } from './static-path.ts';
import { isMatterOfPath, StaticRoot } from './static-root.ts';
import type { StaticEntry } from './static-root.ts';

/** How a folder is served. */
export interface StaticFilesOptions {
  /** What a folder answers with; `false`: nothing. Default `index.html`. */
  readonly index?: string | false | undefined;
  /** Whether a folder without index is shown as a list. Default false. */
  readonly listing?: boolean | undefined;
  /**
   * Whether `file.js.br` and `file.js.gz` beside `file.js` are sent to clients that take them, for types that are
   * worth compressing. A variant older than its file is not. Default true.
   */
  readonly precompressed?: boolean | undefined;
  /** The value of Cache-Control. Default: none. */
  readonly cacheControl?: string | undefined;
  /** Further media types by extension, without the dot, in lowercase. */
  readonly types?: Readonly<Record<string, string>> | undefined;
  /** Files open at once; further requests wait. Default 1,024. */
  readonly maxOpenFiles?: number | undefined;
}

/**
 * Serves the files of a folder: GET and HEAD, with conditions, ranges and stored variants.
 *
 * @param folder - a path, or a `file:` URL
 * @throws ConfigurationError when there is no such folder
 */
export function staticFiles(folder: string | URL, options: StaticFilesOptions = {}): FetchObject {
  const absolute = path.resolve(typeof folder === 'string' ? folder : fileURLToPath(folder));
  requireFolder(absolute);
  const files = new StaticFiles(absolute, options);
  return { fetch: (request, context: AppContext | undefined) => files.answer(request, context) };
}

type FileEntry = Extract<StaticEntry, { kind: 'file' }>;

/** A file, or a stored variant of it, as it will be sent. */
interface Chosen {
  readonly entry: FileEntry;
  readonly headers: Headers;
  readonly contentType: string;
  readonly validators: Validators;
}

class StaticFiles {
  readonly #root: StaticRoot;
  readonly #options: StaticFilesOptions;
  readonly #index: string | undefined;
  readonly #open: Semaphore;

  constructor(folder: string, options: StaticFilesOptions) {
    this.#root = new StaticRoot(folder);
    this.#options = options;
    this.#index = options.index === false ? undefined : (options.index ?? 'index.html');
    this.#open = new Semaphore({
      permits: options.maxOpenFiles ?? MAX_OPEN_FILES,
      maxWaiting: MAX_WAITING,
      limit: 'maxOpenFiles',
    });
  }

  async answer(request: Request, context: AppContext | undefined): Promise<Response> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return otherMethod(request.method);
    const url = new URL(request.url);
    const wanted = parseStaticPath(url.pathname);
    if (wanted === undefined) return notFound();
    try {
      const entry = await this.#root.find(wanted.names);
      if (entry === undefined) return notFound();
      if (entry.kind === 'file')
        return wanted.folder ? notFound() : await this.#file(request, wanted.names, entry, context);
      if (!wanted.folder) return redirectToFolder(wanted.names, url.search);
      return await this.#folder(request, wanted.names, entry.realPath, context);
    } catch (error) {
      if (isMatterOfPath(error)) return notFound();
      if (isOutOfHandles(error)) return unavailable();
      throw error;
    }
  }

  async #folder(
    request: Request,
    names: readonly string[],
    realPath: string,
    context: AppContext | undefined,
  ): Promise<Response> {
    if (this.#index !== undefined) {
      const indexNames = [...names, this.#index];
      const index = await this.#root.find(indexNames);
      if (index?.kind === 'file') return this.#file(request, indexNames, index, context);
    }
    if (this.#options.listing !== true) return notFound();
    const page = await listingPage(this.#root, names, realPath);
    return new Response(page, { headers: LISTING_HEADERS });
  }

  async #file(
    request: Request,
    names: readonly string[],
    entry: FileEntry,
    context: AppContext | undefined,
  ): Promise<Response> {
    const chosen = await this.#choose(request, names, entry, context);
    const { headers, validators } = chosen;
    const verdict = judgeConditions(request.headers, validators);
    if (verdict === 304) return new Response(null, { status: 304, headers: withoutContentFields(headers) });
    if (verdict === 412) return plain(412, 'Precondition Failed');
    const { size } = chosen.entry.facts;
    headers.set('accept-ranges', 'bytes');
    if (request.method === 'GET' && rangeIsCurrent(request.headers, validators)) {
      const ranges = parseRanges(request.headers.get('range'), size);
      if (ranges === 'unsatisfiable') return unsatisfiable(size);
      if (ranges !== 'whole') return this.#ranges(chosen, ranges);
    }
    headers.set('content-length', String(size));
    if (request.method === 'HEAD' || size === 0) return new Response(null, { headers });
    return sourceResponse(new FileSource(this.#opener(chosen.entry), chosen.entry.facts), { status: 200, headers });
  }

  /** The file, or the stored variant that the client likes best. */
  async #choose(
    request: Request,
    names: readonly string[],
    entry: FileEntry,
    context: AppContext | undefined,
  ): Promise<Chosen> {
    const contentType = contentTypeOf(names[names.length - 1] ?? '', this.#options.types);
    const headers = new Headers({ 'content-type': contentType, 'x-content-type-options': 'nosniff' });
    if (this.#options.cacheControl !== undefined) headers.set('cache-control', this.#options.cacheControl);
    let sent = entry;
    if (this.#options.precompressed !== false && isCompressible(contentType)) {
      const variants = await this.#variants(names, entry.facts);
      const offered = CODINGS.filter((coding) => variants.has(coding));
      if (offered.length > 0) headers.set('vary', 'accept-encoding');
      const coding = chooseCoding(request.headers.get('accept-encoding'), offered);
      if (coding !== undefined) {
        sent = variants.get(coding) as FileEntry;
        headers.set('content-encoding', coding);
      }
    }
    const validators = { tag: entityTag(sent.facts), modified: lastModified(sent.facts, context) };
    headers.set('etag', validators.tag);
    headers.set('last-modified', formatHttpDate(validators.modified));
    return { entry: sent, headers, contentType, validators };
  }

  async #variants(names: readonly string[], facts: FileFacts): Promise<ReadonlyMap<Coding, FileEntry>> {
    const before = names.slice(0, -1);
    const last = names[names.length - 1] ?? '';
    const found = await Promise.all(CODINGS.map((coding) => this.#root.find([...before, last + EXTENSIONS[coding]])));
    const variants = new Map<Coding, FileEntry>();
    CODINGS.forEach((coding, index) => {
      const entry = found[index];
      if (entry?.kind === 'file' && entry.facts.modified >= facts.modified) variants.set(coding, entry);
    });
    return variants;
  }

  #ranges(chosen: Chosen, ranges: readonly { readonly start: number; readonly length: number }[]): Response {
    const { entry, headers, contentType, validators } = chosen;
    const { size } = entry.facts;
    const [first, second] = ranges;
    let source: FileSource;
    if (first !== undefined && second === undefined) {
      headers.set('content-range', contentRange(first, size));
      source = new FileSource(this.#opener(entry), entry.facts, [first]);
    } else {
      const multipart = multipartRanges(ranges, { size, tag: validators.tag, contentType });
      headers.set('content-type', multipart.contentType);
      source = new FileSource(this.#opener(entry), entry.facts, multipart.parts);
    }
    headers.set('content-length', String(source.length));
    return sourceResponse(source, { status: 206, headers });
  }

  /** Opens a file when its bytes are wanted, within the bound on open files. */
  #opener(entry: FileEntry): () => Promise<OpenedFile | undefined> {
    return async () => {
      const permit = await this.#open.acquire();
      try {
        const file = await openFile(entry.realPath);
        if (file !== undefined)
          return { handle: file.handle, facts: file.facts, close: () => file.close().finally(() => permit.release()) };
      } catch (error) {
        permit.release();
        throw error;
      }
      permit.release();
      return undefined;
    };
  }
}

function requireFolder(folder: string): void {
  const stats = statSync(folder, { throwIfNoEntry: false });
  if (stats?.isDirectory() === true) return;
  throw new ConfigurationError(stats === undefined ? `there is no folder ${folder}` : `${folder} is no folder`, {
    code: 'ERR_STATIC_FOLDER',
  });
}

/**
 * The time of modification in whole seconds; never later than now, where the server's clock is known (RFC 9110 section
 * 8.8.2.1).
 */
function lastModified(facts: FileFacts, context: AppContext | undefined): number {
  const modified = Math.max(0, Number(facts.modified / NANOSECONDS));
  const clock = FetchContext.clockOf(context);
  return clock === undefined ? modified : Math.min(modified, Math.floor(clock.wallTime() / 1000));
}

/** What 304 carries of the fields of 200 (RFC 9110 section 15.4.5). */
function withoutContentFields(headers: Headers): Headers {
  for (const name of ['content-type', 'content-encoding', 'x-content-type-options']) headers.delete(name);
  return headers;
}

/** A relative reference: a Host that somebody made up does not get into it. */
function redirectToFolder(names: readonly string[], search: string): Response {
  const location = `${encodeURIComponent(names[names.length - 1] ?? '')}/${search}`;
  return new Response(null, { status: 301, headers: { location } });
}

function otherMethod(method: string): Response {
  if (method === 'OPTIONS') return new Response(null, { status: 204, headers: { allow: ALLOW } });
  return plain(405, 'Method Not Allowed', { allow: ALLOW });
}

function notFound(): Response {
  return plain(404, 'Not Found');
}

function unavailable(): Response {
  return plain(503, 'Service Unavailable', { 'retry-after': '1' });
}

function unsatisfiable(size: number): Response {
  return plain(416, 'Range Not Satisfiable', { 'content-range': `bytes */${String(size)}` });
}

function plain(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(`${String(status)} ${reason}\n`, {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', ...headers },
  });
}

function isOutOfHandles(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | undefined)?.code;
  return code === 'EMFILE' || code === 'ENFILE';
}

type Coding = 'br' | 'gzip';

/** In the order of our preference. */
const CODINGS: readonly Coding[] = ['br', 'gzip'];
const EXTENSIONS: Readonly<Record<Coding, string>> = { br: '.br', gzip: '.gz' };
const ALLOW = 'GET, HEAD, OPTIONS';
const LISTING_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-cache',
};
const NANOSECONDS = 1_000_000_000n;
const MAX_OPEN_FILES = 1024;
/** Requests that wait for a file to be closed; more fail. */
const MAX_WAITING = 10_000;
