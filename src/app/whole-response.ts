/**
 * The short way out: a response that is all at hand and says nothing unusual.
 *
 * Owns the question whether a response is such a one; whatever is not goes through response-writer.ts, which thinks of
 * everything.
 *
 * @module
 */
import type { HeaderList } from '../common/index.ts';
import type { ServerExchange } from '../connections/index.ts';
import type { AppHost } from './app-host.ts';
import { isConnectionSpecific } from './field-list.ts';

/**
 * Sends a whole response. False where there is more to think of: then nothing was done.
 *
 * @param fields - regular fields in lowercase
 * @throws LocalProtocolError for fields that cannot be sent: then nothing was sent
 */
export function respondWhole(
  exchange: ServerExchange,
  host: AppHost,
  status: number,
  fields: HeaderList,
  content: string | Uint8Array | undefined,
): boolean {
  if (exchange.method === 'HEAD' || status === 204 || status === 205 || status === 304) return false;
  const all = withHostFields(fields, host.responseFields(), content);
  if (all === undefined) return false;
  exchange.respond(status, all, content);
  return true;
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
