/**
 * Heads on their way out, as text.
 *
 * Owns: start-lines (RFC 9112 sections 3 and 4) and field lines, spelt as the caller asks. Does not own validation
 * (semantics/ has judged the list) nor the fields that frame the message or concern the connection
 * (message-writer.ts): a head written here has no empty line yet.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { LocalProtocolError } from '../../common/index.ts';
import type { RequestHead } from '../semantics/index.ts';
import { quoted, reasonPhrase } from '../semantics/index.ts';

const STATUS_LINES: (string | undefined)[] = new Array<string | undefined>(600).fill(undefined);

/** `HTTP/1.1 200 OK` with its CRLF; the SP stands even without a phrase (RFC 9112 section 4). */
export function statusLine(status: number): string {
  const cached = STATUS_LINES[status];
  if (cached !== undefined) return cached;
  const line = `HTTP/1.1 ${String(status)} ${reasonPhrase(status)}\r\n`;
  if (status < 600) STATUS_LINES[status] = line;
  return line;
}

/** The request-line and Host, which comes first (RFC 9110 section 7.2). The last one is kept: the same may follow. */
export class RequestStart {
  #method: string;
  #target: string;
  #hostName: string;
  #authority: string;
  #text: string;

  constructor() {
    this.#method = '';
    this.#target = '';
    this.#hostName = '';
    this.#authority = '';
    this.#text = '';
  }

  /** The text; for the same request the same string, so that it is compared by reference. */
  of(head: RequestHead, absoluteForm: boolean, hostName: string): string {
    const { method, authority = '' } = head;
    const target = requestTarget(head, absoluteForm);
    if (
      target !== this.#target ||
      authority !== this.#authority ||
      method !== this.#method ||
      hostName !== this.#hostName
    ) {
      this.#method = method;
      this.#target = target;
      this.#hostName = hostName;
      this.#authority = authority;
      this.#text = `${method} ${target} HTTP/1.1\r\n${hostName}: ${authority}\r\n`;
    }
    return this.#text;
  }
}

/** RFC 9112 section 3.2. */
function requestTarget(head: RequestHead, absoluteForm: boolean): string {
  if (head.path === undefined) return head.authority ?? '';
  if (!absoluteForm) return head.path;
  const path = head.path === '*' ? '' : head.path;
  return `${head.scheme ?? 'http'}://${head.authority ?? ''}${path}`;
}

/**
 * The field lines of a list from `start` on.
 *
 * @param omit - a field that is left out because the engine writes it itself, or something else in its place
 * @param rawNames - checked before by {@link checkRawNames}
 */
export function fieldLines(
  headers: HeaderList,
  start: number,
  rawNames: readonly string[] | undefined,
  omit: string,
  omitToo = '',
): string {
  let lines = '';
  for (let index = start; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name === omit || name === omitToo) continue;
    const spelling = rawNames === undefined ? name : rawNames[index / 2];
    lines += `${spelling as string}: ${headers[index + 1] as string}\r\n`;
  }
  return lines;
}

/**
 * Refuses spellings that are not those of the list. The entries of pseudo-header fields are not looked at, save that
 * of `:authority`, which spells Host.
 *
 * @throws LocalProtocolError
 */
export function checkRawNames(headers: HeaderList, rawNames: readonly string[] | undefined): void {
  if (rawNames === undefined) return;
  if (rawNames.length * 2 !== headers.length) {
    throw new LocalProtocolError('rawNames needs one entry for each field');
  }
  for (let index = 0; index < rawNames.length; index += 1) {
    const name = headers[index * 2] as string;
    const spelling = rawNames[index] as string;
    if (name.charCodeAt(0) === 0x3a) {
      if (name !== ':authority' || spelling === '' || spelling.toLowerCase() === 'host') continue;
      throw new LocalProtocolError(`${quoted(spelling)} is no spelling of host`);
    }
    if (spelling.toLowerCase() !== name) throw new LocalProtocolError(`${quoted(spelling)} is no spelling of ${name}`);
  }
}
