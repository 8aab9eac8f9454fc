/**
 * The URLs of `hface-ts client`, as users write them.
 *
 * Owns what is added (a scheme), what is taken out (credentials, the fragment) and what is refused, with curl's exit
 * codes for it.
 *
 * @module
 */
import { CommandError } from '../report.ts';
import { exitCode } from './exit-codes.ts';

/** What is asked for. */
export interface Target {
  /** As it was written. */
  readonly text: string;
  /** http or https, without credentials and fragment. */
  readonly url: URL;
  /** From `http://user:password@host/`; `undefined` without. */
  readonly credentials: string | undefined;
}

/** Reads a URL; without a scheme it gets `http://`. @throws CommandError with exit code 3 or 1 */
export function readTarget(text: string): Target {
  const written = text.trim();
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(written)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw new CommandError(
      {
        cause: `there is no protocol ${scheme} here, only http and https`,
        place: withoutPassword(text),
        next: undefined,
      },
      exitCode.unsupportedProtocol,
    );
  }
  let url: URL;
  try {
    url = new URL(scheme === undefined ? `http://${written}` : written);
  } catch (error) {
    throw new CommandError(
      {
        cause: `"${withoutPassword(text)}" is no URL`,
        place: undefined,
        next: 'hface-ts client https://localhost:5443/path',
      },
      exitCode.badUrl,
      error,
    );
  }
  const credentials = credentialsOf(url);
  url.username = '';
  url.password = '';
  url.hash = '';
  return { text, url, credentials };
}

/** `user:password`, percent-decoded. */
function credentialsOf(url: URL): string | undefined {
  if (url.username === '' && url.password === '') return undefined;
  return `${decoded(url.username)}:${decoded(url.password)}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A percent sign that begins no octet stands for itself.
    return text;
  }
}

/** Whether a host can only be this machine: names below localhost (RFC 6761 section 6.3) and loopback addresses. */
export function isLoopback(url: URL): boolean {
  const host = url.hostname.replace(/\.$/, '');
  if (host === 'localhost' || host.endsWith('.localhost') || host === '[::1]') return true;
  return /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** What is no URL may hold a password all the same, and errors get into logs. */
function withoutPassword(text: string): string {
  return text.replace(/^([^/]*:\/\/|)[^/]*@/, '$1[redacted]@');
}
