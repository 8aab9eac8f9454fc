/**
 * The four forms of a request-target and the target URI's parts that follow from them.
 *
 * Owns: RFC 9112 sections 3.2 and 3.3. Each form only where it belongs: authority-form with CONNECT, asterisk-form with
 * OPTIONS. No userinfo, no fragment. Does not own Host's rules (request-parser.ts).
 *
 * @module
 */
import { isAuthority, isHostAndPort, isScheme, quoted } from '../semantics/index.ts';
import { fault } from './faults.ts';

/** What a request-target says; fields that a form lacks are `undefined`. */
export interface RequestTarget {
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly path: string | undefined;
}

/**
 * Reads a target that is not in origin-form. Its characters are known to be visible ASCII.
 *
 * @throws RemoteProtocolError
 */
export function readSpecialTarget(method: string, target: string): RequestTarget {
  if (method === 'CONNECT') {
    if (!isHostAndPort(target)) throw fault(`the target of CONNECT, ${quoted(target)}, is not host:port`);
    return { scheme: undefined, authority: target, path: undefined };
  }
  if (target === '*') {
    if (method !== 'OPTIONS') throw fault('the target "*" belongs to OPTIONS');
    return { scheme: undefined, authority: undefined, path: '*' };
  }
  return readAbsoluteForm(method, target);
}

/** `scheme "://" authority path [ "?" query ]` */
function readAbsoluteForm(method: string, target: string): RequestTarget {
  const colon = target.indexOf(':');
  if (colon <= 0 || !target.startsWith('//', colon + 1) || !isScheme(target.slice(0, colon))) {
    throw fault(`the request-target ${quoted(target)} has none of the four forms`);
  }
  const scheme = target.slice(0, colon).toLowerCase();
  const start = colon + 3;
  let end = start;
  for (; end < target.length; end += 1) {
    const code = target.charCodeAt(end);
    if (code === 0x2f || code === 0x3f) break;
  }
  const authority = target.slice(start, end);
  // RFC 9110 section 4.2: an http or https URI has a host, and userinfo in it is to be treated as an error.
  if (authority === '' || !isAuthority(authority)) throw fault(`${quoted(authority)} is no host with an optional port`);
  const rest = target.slice(end);
  if (rest === '') return { scheme, authority, path: method === 'OPTIONS' ? '*' : '/' };
  return { scheme, authority, path: rest.charCodeAt(0) === 0x3f ? `/${rest}` : rest };
}
