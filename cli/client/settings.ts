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
import type { CommandBody } from './request-body.ts';
import { dataBody, formBody } from './request-body.ts';
import type { Target } from './targets.ts';
import { readTarget } from './targets.ts';
import type { WriteOut } from './write-out.ts';
import { parseWriteOut } from './write-out.ts';

/** How each transfer is done. */
export interface TransferSettings {
  readonly method: string;
  readonly fields: FieldChoice;
  readonly body: CommandBody | undefined;
  /** `user:password` of `-u`. */
  readonly user: string | undefined;
  /** Print no body: `-I`. */
  readonly headOnly: boolean;
  /** Print heads: `-I`, `-i`. */
  readonly include: boolean;
  readonly fail: boolean;
  /** How many redirects are followed; `undefined`: they are the answer. */
  readonly maxRedirects: number | undefined;
  readonly compressed: boolean;
  /** Milliseconds, or `undefined`. */
  readonly maxTime: number | undefined;
  readonly writeOut: WriteOut | undefined;
}

/** All that is to be done. */
export interface ClientSettings {
  readonly transfer: TransferSettings;
  readonly targets: readonly Target[];
  /** One for each target. */
  readonly outputs: readonly OutputChoice[];
  /** Whether warnings are printed. */
  readonly warnings: boolean;
  /** Whether errors are printed. */
  readonly errors: boolean;
}

/** Reads the options. @throws CommandError, ConfigurationError */
export async function readSettings(values: OptionValues, context: CommandContext): Promise<ClientSettings> {
  const targets = values.words.map(readTarget);
  const headOnly = values.has('head');
  refuseTwoBodies(values, headOnly);
  const fields = await readFields(values.list('header'), context.directory);
  const user = readUser(values.text('user'), fields);
  const maxTime = values.number('max-time', 0.001, MAX_SECONDS);
  const format = values.text('write-out');
  const writeOut = format === undefined ? undefined : parseWriteOut(await formatText(format, context));
  const outputs = chooseOutputs(targets, values, context.directory);
  const maxRedirects = readRedirects(values);
  const body = await readBody(values, context);
  return {
    targets,
    outputs,
    warnings: !values.has('silent'),
    errors: !values.has('silent') || values.has('show-error'),
    transfer: {
      method: values.text('request') ?? (headOnly ? 'HEAD' : body === undefined ? 'GET' : 'POST'),
      fields,
      body,
      user,
      headOnly,
      include: headOnly || values.has('include'),
      fail: values.has('fail'),
      maxRedirects,
      compressed: values.has('compressed'),
      maxTime: maxTime === undefined ? undefined : maxTime * 1000,
      writeOut,
    },
  };
}

function refuseTwoBodies(values: OptionValues, headOnly: boolean): void {
  const bodies = ['data', 'form'].filter((name) => values.has(name)).map((name) => `--${name}`);
  if (bodies.length > 1) throw usageError('--data and --form exclude each other', 'one request for each');
  const [body] = bodies;
  if (body !== undefined && headOnly) throw usageError(`--head and ${body} exclude each other`, 'one request for each');
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

async function readBody(values: OptionValues, context: CommandContext): Promise<CommandBody | undefined> {
  const source = { directory: context.directory, readInput: () => context.readInput() };
  if (values.has('data')) return dataBody(values.list('data'), source);
  if (values.has('form')) return formBody(values.list('form'), source);
  return undefined;
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
