/**
 * Field lines between Node's form and ours.
 *
 * Owns: what of a head as Node parsed it stands in the header list and what is HTTP/1's own matter (RFC 9110 section
 * 7.6.1), and the flat array that Node writes. Node has judged the syntax; what it passes and the RFCs do not is refused
 * here. Does not own start-lines (received-heads.ts, submitted-heads.ts).
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LimitError, LocalProtocolError, RemoteProtocolError } from '../../common/index.ts';
import { parseContentLength, quoted, trailersProblem, UNDECLARED } from '../../protocols/semantics/index.ts';

/** What a head says of the connection, and what it carries. */
export interface Fields {
  readonly headers: string[];
  readonly rawNames: string[];
  readonly contentLength: number;
  /** All Transfer-Encoding lines; `undefined` without. */
  readonly transferEncoding: string | undefined;
  readonly close: boolean;
  readonly keepAlive: boolean;
  /** The tokens of Upgrade; empty where Connection does not name it. */
  readonly upgrade: readonly string[];
  readonly host: string | undefined;
  readonly hostName: string;
  /** In lowercase; `undefined` without. */
  readonly expect: string | undefined;
  /** The value of Keep-Alive. */
  readonly keepAliveOptions: string | undefined;
}

/** A fault of the peer's, with the status that tells it. */
export function fault(message: string, status = 400, code?: string, cause?: unknown): RemoteProtocolError {
  return new RemoteProtocolError(message, {
    ...(code === undefined ? {} : { code }),
    scope: 'connection',
    wireCode: 0,
    statusHint: status,
    cause,
  });
}

/** A limit that the peer reached. */
export function limitFault(limit: string, value: number, statusHint: number): LimitError {
  return new LimitError(`${limit} (${String(value)}) was exceeded`, { limit, value, statusHint });
}

/**
 * Reads `rawHeaders` as Node gives them.
 *
 * @throws RemoteProtocolError, LimitError
 */
export function readFields(raw: readonly string[], maxCount: number, request: boolean): Fields {
  if (raw.length / 2 > maxCount) throw limitFault('maxHeaderCount', maxCount, 431);
  const options = connectionOptions(raw);
  const headers: string[] = [];
  const rawNames: string[] = [];
  let contentLength = UNDECLARED;
  let transferEncoding: string | undefined;
  let host: string | undefined;
  let hostName = '';
  let expect: string | undefined;
  let keepAliveOptions: string | undefined;
  const upgrade: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const rawName = raw[index] as string;
    const name = rawName.toLowerCase();
    let value = raw[index + 1] as string;
    switch (name) {
      case 'connection':
      case 'proxy-connection':
        continue;
      case 'keep-alive':
        keepAliveOptions = value;
        continue;
      case 'upgrade':
        upgrade.push(...members(value));
        continue;
      case 'transfer-encoding':
        transferEncoding = transferEncoding === undefined ? value : `${transferEncoding}, ${value}`;
        continue;
      case 'content-length':
        if (contentLength !== UNDECLARED) throw fault('more than one Content-Length');
        contentLength = parseContentLength(value);
        if (contentLength < 0) throw fault(`Content-Length ${quoted(value)} is no decimal number`);
        break;
      case 'host':
        if (!request) break;
        if (host !== undefined) throw fault('more than one Host');
        host = value;
        hostName = rawName;
        continue;
      case 'expect':
        expect = expect === undefined ? value.toLowerCase() : `${expect}, ${value.toLowerCase()}`;
        break;
      case 'te':
        if (!members(value).some((member) => member.toLowerCase() === 'trailers')) continue;
        value = 'trailers';
        break;
      default:
        if (options.has(name)) continue;
    }
    headers.push(name, value);
    rawNames.push(rawName);
  }
  return {
    headers,
    rawNames,
    contentLength,
    transferEncoding,
    close: options.has('close'),
    keepAlive: options.has('keep-alive'),
    upgrade: options.has('upgrade') ? upgrade : [],
    host,
    hostName,
    expect,
    keepAliveOptions,
  };
}

/** Trailers: names and values, and the names as received. @throws RemoteProtocolError for what is no trailer */
export function readTrailers(raw: readonly string[]): { readonly headers: string[]; readonly rawNames: string[] } {
  const headers: string[] = [];
  const rawNames: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const rawName = raw[index] as string;
    headers.push(rawName.toLowerCase(), raw[index + 1] as string);
    rawNames.push(rawName);
  }
  const problem = trailersProblem(headers);
  if (problem !== undefined) throw fault(problem);
  return { headers, rawNames };
}

/** What Connection names (RFC 9110 section 7.6.1). */
function connectionOptions(raw: readonly string[]): ReadonlySet<string> {
  const options = new Set<string>();
  for (let index = 0; index < raw.length; index += 2) {
    if ((raw[index] as string).toLowerCase() !== 'connection') continue;
    for (const member of members(raw[index + 1] as string)) options.add(member.toLowerCase());
  }
  for (const name of ['host', 'content-length', 'transfer-encoding']) {
    if (options.has(name)) throw fault(`Connection names ${name}`);
  }
  return options;
}

/** The members of a comma-separated list without quotes (RFC 9110 section 5.6.1). */
export function members(value: string): string[] {
  return value
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
}

/** A list's fields as the flat array that Node writes; `omit` are left out. */
export function nodeFields(
  headers: HeaderList,
  start: number,
  rawNames: readonly string[] | undefined,
  ...omit: readonly string[]
): string[] {
  const flat: string[] = [];
  for (let index = start; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (omit.includes(name)) continue;
    flat.push(rawNames?.[index / 2] ?? name, headers[index + 1] as string);
  }
  return flat;
}

/** Refuses spellings that are not those of the list. @throws LocalProtocolError */
export function checkRawNames(headers: HeaderList, rawNames: readonly string[] | undefined): void {
  if (rawNames === undefined) return;
  if (rawNames.length * 2 !== headers.length) throw new LocalProtocolError('rawNames needs one entry for each field');
  for (const [index, spelling] of rawNames.entries()) {
    const name = headers[index * 2] as string;
    if (name.startsWith(':')) {
      if (name !== ':authority' || spelling === '' || spelling.toLowerCase() === 'host') continue;
      throw new LocalProtocolError(`${quoted(spelling)} is no spelling of host`);
    }
    if (spelling.toLowerCase() !== name) throw new LocalProtocolError(`${quoted(spelling)} is no spelling of ${name}`);
  }
}
