/**
 * Where node:http and our engine differ, case by case.
 */

const major = Number(process.versions.node.split('.')[0]);
const CONTENT = 'Node 26 keeps what is behind content and Upgrade to itself: refused by 501 (RFC 9110 section 7.8)';
const METHODS = "Node's parser knows the methods of a list; any token is a method (RFC 9110 section 9.1)";
const PROTOCOLS = "Node's parser takes RTSP and ICE for HTTP (RFC 9112 section 2.3)";
const EMPTY_LINES = "Node's parser passes over empty lines before a response (RFC 9112 section 2.2 lets servers do so)";

/** Requests. */
export const serverDifferences: Readonly<Record<string, string>> = {
  ...(major < 26 ? {} : { 'llhttp request/connection.md:713': CONTENT, 'llhttp request/connection.md:812': CONTENT }),
  'llhttp request/invalid.md:66': METHODS,
  'llhttp request/invalid.md:356': METHODS,
  'llhttp request/method.md:372': PROTOCOLS,
  'llhttp request/method.md:400': PROTOCOLS,
  'llhttp request/method.md:430': PROTOCOLS,
};

/** Responses. */
export const clientDifferences: Readonly<Record<string, string>> = {
  'llhttp response/connection.md:492':
    'two responses in one read: ours takes the second for the request that the first one’s end let out',
  'llhttp response/connection.md:586': EMPTY_LINES,
  ...(major < 22
    ? { 'llhttp response/invalid.md:176': "Node 20's parser takes a bare CR for a line's end (RFC 9112 section 2.2)" }
    : {}),
  'llhttp response/sample.md:40': PROTOCOLS,
  'llhttp response/sample.md:60': PROTOCOLS,
  'llhttp response/sample.md:695': EMPTY_LINES,
};
