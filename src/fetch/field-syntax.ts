/**
 * Names and values of fields as the Fetch standard checks them.
 *
 * Owns the checks and their memory: what a name looks like in lowercase, and the value that it had last, so that a
 * response with the same few fields as all others costs a look-up for each. The memory is bounded.
 *
 * @module
 */

interface KnownName {
  readonly name: string;
  /** The value last found good. */
  value: string;
}

const MAX_NAMES = 256;
const MAX_LENGTH = 128;
const known = new Map<string, KnownName>();

/** Adds a pair to a flat list. @throws TypeError for what is no field */
export function pushField(list: string[], name: unknown, value: unknown): void {
  const spelt = typeof name === 'string' ? name : String(name);
  const entry = known.get(spelt) ?? judgeName(spelt);
  list.push(entry.name, entry.value === value ? value : judgeValue(entry, value));
}

/** A name in lowercase. @throws TypeError for what is no token */
export function fieldName(name: unknown): string {
  const spelt = typeof name === 'string' ? name : String(name);
  return (known.get(spelt) ?? judgeName(spelt)).name;
}

/** A value without whitespace around it. @throws TypeError for what no field can hold */
export function fieldValue(value: unknown): string {
  const text = typeof value === 'string' ? value : String(value);
  const normal = trimmed(text);
  if (FORBIDDEN.test(normal)) throw new TypeError(`${quoted(text)} is an invalid header value`);
  return normal;
}

function judgeName(text: string): KnownName {
  if (!TOKEN.test(text)) throw new TypeError(`${quoted(text)} is an invalid header name`);
  const entry: KnownName = { name: text.toLowerCase(), value: '' };
  if (known.size < MAX_NAMES && text.length <= MAX_LENGTH) known.set(text, entry);
  return entry;
}

function judgeValue(entry: KnownName, value: unknown): string {
  const normal = fieldValue(value);
  if (normal === value && normal.length <= MAX_LENGTH) entry.value = normal;
  return normal;
}

/** Fetch standard, "normalize a byte sequence". */
function trimmed(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return end - start === text.length ? text : text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}\u2026` : text);
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** NUL, CR, LF, and whatever is no octet. */
const FORBIDDEN = /[\0\r\n]|[^\0-\xff]/;
