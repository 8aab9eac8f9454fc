/**
 * FormData as multipart/form-data (RFC 7578), as the HTML standard encodes it.
 *
 * Owns the encoding of a request's form; files are read while they are sent, so their size costs no memory. Parsing
 * such bodies is no work of the client.
 *
 * @module
 */
import type { Random } from '../common/index.ts';
import type { BodySource } from './body-content.ts';

/** A form as a request body: its length is known and it can be sent again. */
export function multipartSource(form: FormData, random: Random): BodySource {
  const boundary = `hface-ts-${hex(random.fill(new Uint8Array(16)))}`;
  const parts = encodeParts(form, boundary);
  let length = 0;
  for (const part of parts) length += part instanceof Blob ? part.size : part.byteLength;
  return {
    length,
    contentType: `multipart/form-data; boundary=${boundary}`,
    replayable: true,
    bytes: parts.every((part) => !(part instanceof Blob)) ? joined(parts as Uint8Array[], length) : undefined,
    open: () => readParts(parts),
  };
}

/** The pieces of the body in order; a file stands as itself. */
function encodeParts(form: FormData, boundary: string): (Uint8Array | Blob)[] {
  const encoder = new TextEncoder();
  const parts: (Uint8Array | Blob)[] = [];
  for (const [name, value] of form) {
    const disposition = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(withCrlf(name))}"`;
    if (typeof value === 'string') {
      parts.push(encoder.encode(`${disposition}\r\n\r\n${withCrlf(value)}\r\n`));
    } else {
      const type = value.type === '' ? 'application/octet-stream' : value.type;
      const head = `${disposition}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`;
      parts.push(encoder.encode(head), value, encoder.encode('\r\n'));
    }
  }
  parts.push(encoder.encode(`--${boundary}--\r\n`));
  return parts;
}

async function* readParts(parts: readonly (Uint8Array | Blob)[]): AsyncGenerator<Uint8Array, void> {
  for (const part of parts) {
    if (part instanceof Blob) yield* part.stream() as ReadableStream<Uint8Array>;
    else yield part;
  }
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** Every line end as CRLF. */
function withCrlf(text: string): string {
  return text.replace(/\r\n|\r|\n/g, '\r\n');
}

/** What would end the quoted string or the line, percent-encoded. */
function escapeName(text: string): string {
  return text.replace(/\r/g, '%0D').replace(/\n/g, '%0A').replace(/"/g, '%22');
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
