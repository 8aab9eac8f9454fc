/**
 * Where node:http and our engine differ, case by case.
 */

const METHODS = "Node's parser knows the methods of a list; any token is a method (RFC 9110 section 9.1)";
const PROTOCOLS = "Node's parser takes RTSP and ICE for HTTP (RFC 9112 section 2.3)";
const EMPTY_LINES = "Node's parser passes over empty lines before a response (RFC 9112 section 2.2 lets servers do so)";

/** Requests. */
export const serverDifferences: Readonly<Record<string, string>> = {
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
  'llhttp response/invalid.md:176': "Node's parser takes a bare CR for a line's end (RFC 9112 section 2.2)",
  'llhttp response/sample.md:40': PROTOCOLS,
  'llhttp response/sample.md:60': PROTOCOLS,
  'llhttp response/sample.md:695': EMPTY_LINES,
};
