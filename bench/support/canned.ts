/**
 * The exchanges of the client's benchmark: what is asked, and the answer, octet for octet.
 *
 * @module
 */

/** One kind of exchange. */
export interface Canned {
  /** What is sent with each request. */
  readonly body: string | undefined;
  /** Head and content of the answer, latin1. */
  readonly answer: string;
  /** What every request ends with, and no part of one that may come by itself. */
  readonly lastByte: number;
  readonly content: string;
}

const TYPE = 'text/plain';

function answerWith(content: string): string {
  return (
    `HTTP/1.1 200 OK\r\ncontent-type: ${TYPE}\r\ncontent-length: ${String(content.length)}\r\n` +
    `date: Sat, 21 Nov 2026 08:00:00 GMT\r\nconnection: keep-alive\r\n\r\n${content}`
  );
}

const HELLO = 'Hello, world!\n';
const PAGE = 'sixteen bytes.. '.repeat(1024);

/** By name. */
export const canned: Readonly<Record<string, Canned>> = {
  hello: { body: undefined, answer: answerWith(HELLO), lastByte: 0x0a, content: HELLO },
  '16 KiB': { body: undefined, answer: answerWith(PAGE), lastByte: 0x0a, content: PAGE },
  post: { body: '{"greeting":"Hello, world!"}', answer: answerWith(HELLO), lastByte: 0x7d, content: HELLO },
};

/** What every client has to have been told. */
export function expectedAnswer(content: string): { status: number; type: string; body: string } {
  return { status: 200, type: TYPE, body: content };
}
