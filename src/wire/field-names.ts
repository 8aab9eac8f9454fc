/**
 * Shared lowercase strings for common field names.
 *
 * Owns: the mapping from the spellings that peers use (lowercase, Train-Case, capitals) to one lowercase string per
 * name, so that a parsed head keeps no slice of the text it came from for them and comparisons are of pointers. Field
 * names are case-insensitive (RFC 9110 section 5.1). Does not own validation: the name must be a `token`.
 *
 * @module
 */

/**
 * The lowercase form of a field name: the shared string if the name is a common one, a new one otherwise.
 *
 * @param name - a `token` (RFC 9110 section 5.6.2) in any spelling.
 */
export function lowercaseFieldName(name: string): string {
  spellings ??= makeSpellings();
  return spellings.get(name) ?? name.toLowerCase();
}

/** The common names, in the spelling of the IANA registry. */
const COMMON_NAMES: readonly string[] = [
  'Accept',
  'Accept-CH',
  'Accept-Charset',
  'Accept-Encoding',
  'Accept-Language',
  'Accept-Patch',
  'Accept-Post',
  'Accept-Ranges',
  'Access-Control-Allow-Credentials',
  'Access-Control-Allow-Headers',
  'Access-Control-Allow-Methods',
  'Access-Control-Allow-Origin',
  'Access-Control-Expose-Headers',
  'Access-Control-Max-Age',
  'Access-Control-Request-Headers',
  'Access-Control-Request-Method',
  'Age',
  'Allow',
  'Alt-Svc',
  'Alt-Used',
  'Authorization',
  'Cache-Control',
  'Cache-Status',
  'Capsule-Protocol',
  'CDN-Cache-Control',
  'CDN-Loop',
  'Clear-Site-Data',
  'Connection',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Location',
  'Content-Range',
  'Content-Security-Policy',
  'Content-Type',
  'Cookie',
  'Cross-Origin-Embedder-Policy',
  'Cross-Origin-Opener-Policy',
  'Cross-Origin-Resource-Policy',
  'Date',
  'DNT',
  'Early-Data',
  'ETag',
  'Expect',
  'Expires',
  'Forwarded',
  'From',
  'Host',
  'If-Match',
  'If-Modified-Since',
  'If-None-Match',
  'If-Range',
  'If-Unmodified-Since',
  'Keep-Alive',
  'Last-Modified',
  'Link',
  'Location',
  'Max-Forwards',
  'NEL',
  'Origin',
  'Permissions-Policy',
  'Pragma',
  'Priority',
  'Proxy-Authenticate',
  'Proxy-Authentication-Info',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Proxy-Status',
  'Range',
  'Referer',
  'Referrer-Policy',
  'Report-To',
  'Retry-After',
  'Sec-CH-UA',
  'Sec-CH-UA-Mobile',
  'Sec-CH-UA-Platform',
  'Sec-Fetch-Dest',
  'Sec-Fetch-Mode',
  'Sec-Fetch-Site',
  'Sec-Fetch-User',
  'Sec-GPC',
  'Sec-WebSocket-Accept',
  'Sec-WebSocket-Extensions',
  'Sec-WebSocket-Key',
  'Sec-WebSocket-Protocol',
  'Sec-WebSocket-Version',
  'Server',
  'Server-Timing',
  'Set-Cookie',
  'Strict-Transport-Security',
  'TE',
  'Timing-Allow-Origin',
  'Traceparent',
  'Tracestate',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Upgrade-Insecure-Requests',
  'User-Agent',
  'Vary',
  'Via',
  'WWW-Authenticate',
  'X-Content-Type-Options',
  'X-Forwarded-For',
  'X-Forwarded-Host',
  'X-Forwarded-Port',
  'X-Forwarded-Proto',
  'X-Frame-Options',
  'X-Powered-By',
  'X-Real-IP',
  'X-Request-ID',
  'X-Requested-With',
  'X-XSS-Protection',
];

/** Made with the first name: importing this costs nothing. */
let spellings: ReadonlyMap<string, string> | undefined;

function makeSpellings(): Map<string, string> {
  const made = new Map<string, string>();
  for (const name of COMMON_NAMES) {
    const lowercase = name.toLowerCase();
    made.set(lowercase, lowercase);
    made.set(name, lowercase);
    made.set(trainCase(lowercase), lowercase);
    made.set(name.toUpperCase(), lowercase);
  }
  return made;
}

/** `etag` to `Etag`, `www-authenticate` to `Www-Authenticate`: how programs that capitalise by rule spell it. */
function trainCase(lowercase: string): string {
  const words = lowercase.split('-');
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('-');
}
