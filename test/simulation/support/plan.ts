/**
 * What one exchange of a simulation shall be like, drawn from a seed. Both ends know the plan by the request's path.
 */
import type { SeededRandom } from '../../../src/networking/simulation/index.ts';

/** How a side takes content: at once, a while later, or never. */
export type Reader = 'eager' | 'slow' | 'never';

/** What becomes of an exchange on purpose. */
export type Fate = 'complete' | 'client cancels' | 'server resets' | 'server throws' | 'nobody takes it';

/** One exchange. */
export interface Plan {
  readonly id: number;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  /** Bytes; `undefined`: the request ends with its head. */
  readonly requestBody: number | undefined;
  readonly requestDeclared: boolean;
  readonly requestTrailers: boolean;
  readonly status: number;
  readonly informational: boolean;
  /** Bytes; `undefined`: the response ends with its head. */
  readonly responseBody: number | undefined;
  readonly responseDeclared: boolean;
  readonly responseTrailers: boolean;
  /** Whether the server answers before it has read the request. */
  readonly early: boolean;
  readonly clientReader: Reader;
  readonly serverReader: Reader;
  /** The longest piece that is sent at once. */
  readonly piece: number;
  readonly fate: Fate;
  /** When the client asks, and how long after it fate strikes, in milliseconds. */
  readonly askAt: number;
  readonly fateAfter: number;
}

/** Draws a plan. `scale`: about how many bytes the largest bodies have. */
export function drawPlan(id: number, random: SeededRandom, scale: number): Plan {
  const method = random.pick<Plan['method']>(['GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT']);
  const size = (): number => random.pick([0, 1, 100, Math.floor(scale / 10), random.integer(0, scale), scale]);
  const hasBody = method === 'POST' || method === 'PUT';
  const requestBody = hasBody && random.chance(0.9) ? size() : undefined;
  const status = random.pick([200, 200, 200, 404, 204, 304]);
  const bodiless = status === 204 || status === 304 || method === 'HEAD';
  const responseBody = bodiless || random.chance(0.1) ? undefined : size();
  const requestTrailers = requestBody !== undefined && random.chance(0.2);
  const responseTrailers = responseBody !== undefined && random.chance(0.2);
  const fate: Fate = random.chance(0.75)
    ? 'complete'
    : random.pick(['client cancels', 'server resets', 'server throws', 'nobody takes it']);
  const early = random.chance(0.2);
  return {
    id,
    method,
    requestBody,
    requestDeclared: !requestTrailers && random.chance(0.5),
    requestTrailers,
    status,
    informational: random.chance(0.2),
    responseBody,
    responseDeclared: !responseTrailers && random.chance(0.5),
    responseTrailers,
    early,
    clientReader: random.pick(['eager', 'eager', 'slow']),
    serverReader: early ? random.pick(['eager', 'slow', 'never']) : random.pick(['eager', 'slow']),
    // Bodies are sent in some hundred pieces at most.
    piece: Math.max(Math.min(scale, random.pick([1, 100, 5_000, 70_000, 300_000])), Math.ceil(scale / 300), 1),
    fate,
    askAt: random.integer(0, 2_000),
    fateAfter: random.integer(0, 500),
  };
}

/** Bytes of a body from an offset on, different for each exchange and direction. */
export function patternPiece(
  id: number,
  direction: 'request' | 'response',
  offset: number,
  length: number,
): Uint8Array {
  const piece = new Uint8Array(length);
  const base = id * 31 + (direction === 'request' ? 0 : 101);
  for (let index = 0; index < length; index += 1) {
    const at = offset + index;
    piece[index] = at * 7 + (at >>> 8) * 13 + base;
  }
  return piece;
}

/** Whether a piece stands at that place of the body. */
export function isPattern(id: number, direction: 'request' | 'response', offset: number, piece: Uint8Array): boolean {
  return Buffer.compare(piece, patternPiece(id, direction, offset, piece.length)) === 0;
}
