/**
 * The inputs that fuzzing begins with: those of test/vectors.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

const vectors = new URL('../../vectors/', import.meta.url);

interface Line {
  readonly hex?: string;
  readonly base64?: string;
}

/** A file of JSON lines, each with its octets in `hex` or `base64`. */
export function readLines(file: string): Uint8Array[] {
  const lines = readFileSync(new URL(file, vectors), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => octetsOf(JSON.parse(line) as Line));
}

/** The inputs of llhttp's cases of one kind: requests or responses. */
export function readLlhttp(kind: 'request' | 'response'): Uint8Array[] {
  const text = readFileSync(new URL('llhttp/cases.json', vectors), 'utf8');
  const cases = JSON.parse(text) as { type: string; input_base64: string }[];
  return cases
    .filter(({ type }) => type.startsWith(kind))
    .map((each) => Uint8Array.from(Buffer.from(each.input_base64, 'base64')));
}

/** gunicorn's requests, valid and not: text with escapes, whose line ends mean nothing. */
export function readGunicorn(): Uint8Array[] {
  return ['valid', 'invalid'].flatMap((folder) => {
    const place = new URL(`gunicorn-requests/${folder}/`, vectors);
    const files = readdirSync(place).filter((file) => file.endsWith('.http'));
    return files.map((file) => unescaped(readFileSync(new URL(file, place), 'latin1')));
  });
}

function unescaped(text: string): Uint8Array {
  const plain = text
    .replaceAll(/\r?\n/g, '')
    .replaceAll(/\\(?:x([\dA-Fa-f]{2})|([rnt0]))/g, (_whole, hex: string | undefined, letter: string) =>
      hex === undefined ? (ESCAPES[letter] as string) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
  return Uint8Array.from(Buffer.from(plain, 'latin1'));
}

const ESCAPES: Readonly<Record<string, string>> = { r: '\r', n: '\n', t: '\t', 0: '\0' };

function octetsOf(line: Line): Uint8Array {
  const { hex, base64 } = line;
  return Uint8Array.from(hex === undefined ? Buffer.from(base64 ?? '', 'base64') : Buffer.from(hex, 'hex'));
}
