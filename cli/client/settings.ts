/**
 * What the options of `hface-ts client` ask for, read and checked before anything is sent.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { CommandContext } from '../context.ts';
import type { OptionValues } from '../option-values.ts';
import { CommandError, systemReason, usageError } from '../report.ts';
import { exitCode } from './exit-codes.ts';
import type { FieldChoice } from './fields.ts';
import { readFields } from './fields.ts';
import type { OutputChoice } from './output.ts';
import { chooseOutputs } from './output.ts';
import type { CookieChoice } from './cookie-file.ts';
import { readCookies } from './cookie-file.ts';
import type { ConnectChoice } from './connect-options.ts';
import { readConnectOptions } from './connect-options.ts';
import { dataBody, dataOptions, withQuery } from './data-body.ts';
import type { CommandBody } from './request-body.ts';
import { formBody } from './request-body.ts';
import type { RetrySettings } from './retry.ts';
import { readRetry } from './retry.ts';
import type { Target } from './targets.ts';
import { readTarget } from './targets.ts';
import { readUploads, uploadUrl } from './upload.ts';
import type { WriteOut } from './write-out.ts';
import { parseWriteOut } from './write-out.ts';

/** How each transfer is done. */
export interface TransferSettings {
  /** Of `-X`; `undefined`: as the rest demands. */
  readonly method: string | undefined;
  readonly fields: FieldChoice;
  /** `user:password` of `-u`. */
  readonly user: string | undefined;
  /** Of `-e`; latin1. */
  readonly referer: string | undefined;
  /** Redirects name the URL before. */
  readonly autoReferer: boolean;
  readonly cookies: CookieChoice;
  /** Print no body: `-I`. */
  readonly headOnly: boolean;
  /** Print heads: `-I`, `-i`. */
  readonly include: boolean;
  /** A status of 400 or above is an error; `'with-body'`: whose body is printed all the same. */
  readonly fail: boolean | 'with-body';
  /** How many redirects are followed; `undefined`: they are the answer. */
  readonly maxRedirects: number | undefined;
  readonly compressed: boolean;
  /** Milliseconds, or `undefined`. */
  readonly maxTime: number | undefined;
  readonly retry: RetrySettings | undefined;
  readonly writeOut: WriteOut | undefined;
}

/** What is asked of one URL. */
export interface Task {
  readonly target: Target;
  readonly output: OutputChoice;
  readonly body: CommandBody | undefined;
  /** The method unless `-X` says another. */
  readonly method: string;
  /** Fields that it has unless `-H` says otherwise; `undefined`: Accept for anything, no Content-Type. */
  readonly defaults: { readonly accept: string | undefined; readonly contentType: string | undefined };
}

/** All that is to be done. */
export interface ClientSettings {
  readonly transfer: TransferSettings;
  readonly tasks: readonly Task[];
  readonly connect: ConnectChoice;
  /** Of `-A`; `false`: none is sent. */
  readonly userAgent: string | false | undefined;
  readonly progress: 'line' | 'bar' | undefined;
  /** Whether warnings are printed. */
  readonly warnings: boolean;
  /** Whether errors are printed. */
  readonly errors: boolean;
}

/** Reads the options. @param warn - takes a line. @throws CommandError, ConfigurationError */
export async function readSettings(
  values: OptionValues,
  context: CommandContext,
  warn: (line: string) => void,
): Promise<ClientSettings> {
  const targets = values.words.map(readTarget);
  const headOnly = values.has('head');
  refuseTwoBodies(values, headOnly);
  const fields = await readFields(values.list('header'), context.directory);
  const maxTime = values.number('max-time', 0.001, MAX_SECONDS);
  const format = values.text('write-out');
  const outputs = chooseOutputs(targets, values, context.directory);
  const silent = values.has('silent');
  const settings = {
    connect: readConnectOptions(values, context.directory),
    userAgent: readUserAgent(values, fields),
    progress: silent || values.has('no-progress-meter') ? undefined : values.has('progress-bar') ? 'bar' : 'line',
    warnings: !silent,
    errors: !silent || values.has('show-error'),
    transfer: {
      method: values.text('request'),
      fields,
      user: readUser(values.text('user'), fields),
      ...readReferer(values.text('referer')),
      headOnly,
      include: headOnly || values.has('include'),
      fail: readFail(values),
      maxRedirects: readRedirects(values),
      compressed: values.has('compressed'),
      maxTime: maxTime === undefined ? undefined : maxTime * 1000,
      retry: readRetry(values),
      writeOut: format === undefined ? undefined : parseWriteOut(await formatText(format, context)),
      // Last, since both may read stdin.
      cookies: await readAllCookies(values, context, warn),
    },
  } as const;
  return { ...settings, tasks: await readTasks(targets, outputs, values, context) };
}

async function readTasks(
  targets: readonly Target[],
  outputs: readonly OutputChoice[],
  values: OptionValues,
  context: CommandContext,
): Promise<Task[]> {
  const source = {
    directory: context.directory,
    readInput: () => context.readInput(),
    openInput: () => context.openInput(),
  };
  const files = values.list('upload-file');
  const uploads = await readUploads(files, targets, source);
  const data = dataOptions.some((name) => values.has(name))
    ? await dataBody(values.sequence(dataOptions), source)
    : undefined;
  const common = values.has('form')
    ? await formBody(values.list('form'), source)
    : values.has('get')
      ? undefined
      : data;
  const accept = data?.accept === undefined ? undefined : data;
  return targets.map((target, index) => {
    const upload = uploads[index];
    const url = uploadUrl(
      values.has('get') && data !== undefined ? withQuery(target.url, data) : target.url,
      files[index],
    );
    const body = upload ?? common;
    const method = values.has('head') ? 'HEAD' : upload !== undefined ? 'PUT' : body === undefined ? 'GET' : 'POST';
    const fields = body ?? accept;
    return {
      target: { ...target, url },
      output: outputs[index] as OutputChoice,
      body,
      method,
      defaults: { accept: fields?.accept, contentType: fields?.contentType },
    };
  });
}

/** The options of which one request can have one only. */
function refuseTwoBodies(values: OptionValues, headOnly: boolean): void {
  const data = dataOptions.filter((name) => values.has(name)).slice(0, 1);
  const bodies = [...data, 'form', 'upload-file'].filter((name) => values.has(name)).map((name) => `--${name}`);
  const [body, second] = bodies;
  if (second !== undefined)
    throw usageError(`${String(body)} and ${second} exclude each other`, 'one request for each');
  const behindUrl = values.has('get') && data.length > 0;
  if (body !== undefined && !behindUrl && headOnly) {
    throw usageError(`--head and ${body} exclude each other`, 'one request for each');
  }
  if (values.has('get') && !behindUrl && body !== undefined) {
    throw usageError(`--get and ${body} exclude each other`, '-G is for -d and its kin');
  }
}

/** `-A`, unless `-H` says it. */
function readUserAgent(values: OptionValues, fields: FieldChoice): string | false | undefined {
  if (fields.removed.has('user-agent')) return false;
  const name = values.text('user-agent');
  return name === '' ? false : name;
}

/** `URL`, `URL;auto`, `;auto` */
function readReferer(value: string | undefined): { referer: string | undefined; autoReferer: boolean } {
  if (value === undefined) return { referer: undefined, autoReferer: false };
  const autoReferer = value.endsWith(';auto');
  const url = autoReferer ? value.slice(0, -';auto'.length) : value;
  return { referer: url === '' ? undefined : Buffer.from(url, 'utf8').toString('latin1'), autoReferer };
}

function readFail(values: OptionValues): boolean | 'with-body' {
  if (!values.has('fail-with-body')) return values.has('fail');
  if (values.has('fail')) throw usageError('--fail and --fail-with-body exclude each other', 'one of the two');
  return 'with-body';
}

function readAllCookies(
  values: OptionValues,
  context: CommandContext,
  warn: (line: string) => void,
): Promise<CookieChoice> {
  const source = { directory: context.directory, readInput: () => context.readInput() };
  const options = {
    file: values.text('cookie-jar'),
    junkSession: values.has('junk-session-cookies'),
    now: () => Date.now(),
  };
  return readCookies(values.list('cookie'), options, source, warn);
}

function readRedirects(values: OptionValues): number | undefined {
  const most = values.integer('max-redirs', 0, MAX_REDIRECTS);
  if (values.has('location')) return most ?? DEFAULT_REDIRECTS;
  if (most !== undefined) throw usageError('--max-redirs is for redirects, which are not followed', 'add -L');
  return undefined;
}

function readUser(user: string | undefined, fields: FieldChoice): string | undefined {
  if (user === undefined) return undefined;
  if (!user.includes(':')) throw usageError(`-u needs a user and a password`, `-u ${user}:PASSWORD`);
  if (fields.fields.some(([name]) => name.toLowerCase() === 'authorization')) {
    throw usageError('-u and the field Authorization exclude each other', 'one of the two');
  }
  return user;
}

/** `@FILE` and `@-` read the format from there. */
async function formatText(format: string, context: CommandContext): Promise<string> {
  if (!format.startsWith('@')) return format;
  if (format === '@-') return Buffer.from(await context.readInput()).toString('utf8');
  const file = path.resolve(context.directory, format.slice(1));
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const cause = `cannot read the format of -w: ${systemReason(error)}`;
    throw new CommandError({ cause, place: file, next: 'check the path' }, exitCode.readError, error);
  }
}

const DEFAULT_REDIRECTS = 20;
const MAX_REDIRECTS = 1_000;
/** A day. */
const MAX_SECONDS = 86_400;
