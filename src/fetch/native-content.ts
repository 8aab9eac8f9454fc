/**
 * The content of the platform's `Response` where it is at hand: the text or the bytes that it was made of.
 *
 * Up to Node 22 the platform keeps them beside the stream that it makes of them, under a symbol of its own. Reading the
 * stream costs several promises and a copy, which is more than all the rest of an answer. From Node 24 on its state is
 * private, and the stream is all there is.
 *
 * Owns the knowledge of that state. It is believed only where a response made for trying it has it in every detail,
 * and only for a response as the platform makes them: another class may override what is looked at here.
 *
 * @module
 */
import { ReadableStream as WebReadableStream } from 'node:stream/web';
import { isDisturbed, natives } from './platform.ts';

/** What the platform notes of a body. */
interface NativeBody {
  stream: unknown;
  readonly source: unknown;
}

interface Access {
  readonly prototype: object;
  readonly state: symbol;
  /** A stream that was read: it takes the place of the one that need not be. */
  readonly spent: WebReadableStream;
}

let access: Access | null | undefined;

/**
 * What a response was made of, where that is text or bytes and nobody has touched its stream. It counts as read from then
 * on. The bytes are the caller's.
 */
export function takeNativeContent(response: object): string | Uint8Array | undefined {
  if (access === undefined) access = findAccess() ?? null;
  if (access === null || Object.getPrototypeOf(response) !== access.prototype) return undefined;
  const body = bodyOf(response, access.state);
  if (body === undefined) return undefined;
  const { source, stream } = body;
  if (typeof source !== 'string' && !(source instanceof Uint8Array)) return undefined;
  if (!(stream instanceof WebReadableStream) || stream.locked || isDisturbed(stream)) return undefined;
  body.stream = access.spent;
  return source;
}

function bodyOf(response: object, symbol: symbol): NativeBody | undefined {
  const state: unknown = Reflect.get(response, symbol);
  const body: unknown = isObject(state) && 'body' in state ? state.body : undefined;
  return isObject(body) && 'source' in body && 'stream' in body ? body : undefined;
}

/** Finds the state, and tries that it means what it is taken for. */
function findAccess(): Access | undefined {
  const { Response: Native } = natives();
  const spent = new WebReadableStream();
  void spent.cancel();
  for (const symbol of Object.getOwnPropertySymbols(new Native('probe'))) {
    const [text, bytes] = [new Native('probe'), new Native(Buffer.from('probe'))];
    const [textBody, bytesBody] = [bodyOf(text, symbol), bodyOf(bytes, symbol)];
    if (textBody?.source !== 'probe' || textBody.stream !== text.body) continue;
    const source = bytesBody?.source;
    if (!(source instanceof Uint8Array) || Buffer.from(source).toString() !== 'probe') continue;
    textBody.stream = spent;
    if (text.bodyUsed && text.body === spent) return { prototype: Native.prototype, state: symbol, spent };
  }
  return undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
