/**
 * The head of a response as `-i` and `-I` print it.
 *
 * The reason phrase stays empty: no version above HTTP/1 has one, and the layers below do not keep HTTP/1's.
 *
 * @module
 */
import type { HeaderList } from '../../src/common/index.ts';

/** Status line, fields and the empty line, in latin1, with the line ends of HTTP/1. */
export function headText(
  httpVersion: string,
  status: number,
  headers: HeaderList,
  rawNames: readonly string[] | undefined,
): string {
  const lines = [`HTTP/${httpVersion} ${String(status)} `];
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = rawNames?.[index / 2] ?? headers[index];
    lines.push(`${name}: ${headers[index + 1] as string}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
