/**
 * What a field line may be, in every HTTP version and in both directions.
 *
 * Owns: names and values (RFC 9110 sections 5.1 and 5.5), the connection-specific fields that are never part of a
 * message's header list (RFC 9110 section 7.6.1, RFC 9113 section 8.2.2) and the fields that a trailer section may not
 * hold (RFC 9110 section 6.5.1). Does not own pseudo-header fields (pseudo-headers.ts) nor any version's wire form.
 *
 * A rule answers with one sentence that says what is wrong, or with `undefined`. Nothing throws: whether the sentence
 * becomes a `LocalProtocolError` or a wire error is the caller's to say.
 *
 * @module
 */
import type { HeaderList } from '../../common/index.ts';
import { hasOuterWhitespace, isFieldValue, isLowercaseToken } from '../../wire/index.ts';

/**
 * What is wrong with a field line of a header list: a name that is no lowercase token, a value with a character that
 * RFC 9110 section 5.5 forbids or with whitespace at an end, a connection-specific field, `te` other than `trailers`.
 */
export function fieldProblem(name: string, value: string): string | undefined {
  if (!isLowercaseToken(name)) return `${quoted(name)} is no field name in lowercase`;
  if (!isFieldValue(value)) return `the value of ${name} holds a control character or one beyond U+00FF`;
  if (hasOuterWhitespace(value)) return `the value of ${name} begins or ends with whitespace`;
  if (isConnectionSpecific(name)) return `${name} belongs to the connection, not to a message`;
  if (name === 'te' && value !== 'trailers') return 'te may only be "trailers"';
  return undefined;
}

/** Whether a field is about one connection and never stands in a header list. `name` is lowercase; `te` is not one. */
export function isConnectionSpecific(name: string): boolean {
  // By length first: most names are told apart without a comparison.
  switch (name.length) {
    case 7:
      return name === 'upgrade';
    case 10:
      return name === 'connection' || name === 'keep-alive';
    case 16:
      return name === 'proxy-connection';
    case 17:
      return name === 'transfer-encoding';
    default:
      return false;
  }
}

/**
 * What is wrong with a trailer section: any pseudo-header field, any field that {@link fieldProblem} refuses, and the
 * fields that {@link isForbiddenTrailer} names.
 */
export function trailersProblem(headers: HeaderList): string | undefined {
  if (headers.length % 2 !== 0) return 'a header list holds names and values in turn';
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.charCodeAt(0) === 0x3a) return `${quoted(name)} may not stand in trailers`;
    const problem = fieldProblem(name, headers[index + 1] as string);
    if (problem !== undefined) return problem;
    if (isForbiddenTrailer(name)) return `${name} may not stand in trailers`;
  }
  return undefined;
}

/**
 * Whether a field may not come behind the content: framing, routing, authentication, request modifiers and content
 * format (RFC 9110 section 6.5.1). `name` is lowercase. All others pass; what they mean there is the application's.
 */
export function isForbiddenTrailer(name: string): boolean {
  return FORBIDDEN_TRAILERS.has(name) || isConnectionSpecific(name);
}

/** A name from the peer or a caller as it stands in a message: bounded and without control characters. */
export function quoted(text: string): string {
  const cut = text.length > 64 ? `${text.slice(0, 64)}\u2026` : text;
  return JSON.stringify(cut);
}

const FORBIDDEN_TRAILERS: ReadonlySet<string> = new Set([
  // Framing and routing.
  'content-length',
  'host',
  'te',
  'trailer',
  'max-forwards',
  // Authentication.
  'authorization',
  'proxy-authorization',
  'proxy-authenticate',
  'www-authenticate',
  'cookie',
  'set-cookie',
  // Request modifiers.
  'cache-control',
  'expect',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'pragma',
  'range',
  // How the content is to be processed.
  'content-encoding',
  'content-range',
  'content-type',
]);
