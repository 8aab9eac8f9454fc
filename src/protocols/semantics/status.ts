/**
 * Status codes: their classes, their phrases and which responses have no content.
 *
 * Owns: RFC 9110 section 15 and the registry's phrases. The engine's own refusals are HTTP/1's business.
 *
 * @module
 */
import { parseDecimal } from '../../wire/index.ts';

/** Three digits from 100 to 999 as a number; -1 for anything else (RFC 9110 section 15). */
export function parseStatus(text: string): number {
  if (text.length !== 3) return -1;
  const status = parseDecimal(text);
  return status >= 100 ? status : -1;
}

/** Whether a response is interim: 1xx (RFC 9110 section 15.2). */
export function isInformationalStatus(status: number): boolean {
  return status >= 100 && status < 200;
}

/** Whether a status opens a tunnel when it answers CONNECT (RFC 9110 section 9.3.6). */
export function isSuccessfulStatus(status: number): boolean {
  return status >= 200 && status < 300;
}

/** Whether a response with this status never has content, whatever its fields say: 1xx, 204, 304 (RFC 9110 6.4.1). */
export function hasNoContent(status: number): boolean {
  return status === 204 || status === 304 || (status >= 100 && status < 200);
}

/** The registered phrase, empty where there is none. */
export function reasonPhrase(status: number): string {
  return PHRASES.get(status) ?? '';
}

const PHRASES: ReadonlyMap<number, string> = new Map([
  [100, 'Continue'],
  [101, 'Switching Protocols'],
  [102, 'Processing'],
  [103, 'Early Hints'],
  [104, 'Upload Resumption Supported'],
  [200, 'OK'],
  [201, 'Created'],
  [202, 'Accepted'],
  [203, 'Non-Authoritative Information'],
  [204, 'No Content'],
  [205, 'Reset Content'],
  [206, 'Partial Content'],
  [207, 'Multi-Status'],
  [208, 'Already Reported'],
  [226, 'IM Used'],
  [300, 'Multiple Choices'],
  [301, 'Moved Permanently'],
  [302, 'Found'],
  [303, 'See Other'],
  [304, 'Not Modified'],
  [305, 'Use Proxy'],
  [307, 'Temporary Redirect'],
  [308, 'Permanent Redirect'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [402, 'Payment Required'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Timeout'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [411, 'Length Required'],
  [412, 'Precondition Failed'],
  [413, 'Content Too Large'],
  [414, 'URI Too Long'],
  [415, 'Unsupported Media Type'],
  [416, 'Range Not Satisfiable'],
  [417, 'Expectation Failed'],
  [418, "I'm a teapot"],
  [421, 'Misdirected Request'],
  [422, 'Unprocessable Content'],
  [423, 'Locked'],
  [424, 'Failed Dependency'],
  [425, 'Too Early'],
  [426, 'Upgrade Required'],
  [428, 'Precondition Required'],
  [429, 'Too Many Requests'],
  [431, 'Request Header Fields Too Large'],
  [451, 'Unavailable For Legal Reasons'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
  [505, 'HTTP Version Not Supported'],
  [506, 'Variant Also Negotiates'],
  [507, 'Insufficient Storage'],
  [508, 'Loop Detected'],
  [511, 'Network Authentication Required'],
]);
