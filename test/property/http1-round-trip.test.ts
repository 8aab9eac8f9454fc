import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Http1ClientFactory, Http1ServerFactory } from '../../src/protocols/http1/index.ts';
import type { HttpEvent } from '../../src/protocols/index.ts';
import { randomCuts } from '../support/chunkings.ts';
import { ConnectionPair } from '../support/connection-pair.ts';

interface Message {
  readonly fields: readonly string[];
  /** Content in the pieces in which it is submitted; none: the head ends the message. */
  readonly pieces: readonly Uint8Array[] | undefined;
  readonly length: 'declared' | 'chunked';
  readonly trailers: readonly string[] | undefined;
}

interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly request: Message;
  readonly interim: readonly string[];
  readonly status: string;
  readonly response: Message;
}

const name = fc.stringMatching(/^x-[a-z0-9!#$%&'*+.^_`|~-]{1,12}$/);
// Octets as latin1; no whitespace at the ends.
const value = fc
  .array(
    fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f),
    { maxLength: 20 },
  )
  .map((codes) => String.fromCharCode(...codes).replace(/^[ \t]+|[ \t]+$/g, ''));
const fields = fc.array(fc.tuple(name, value), { maxLength: 5 }).map((pairs) => pairs.flat());
const pieces = fc.option(fc.array(fc.uint8Array({ minLength: 1, maxLength: 6000 }), { maxLength: 4 }), {
  nil: undefined,
});
const message: fc.Arbitrary<Message> = fc.record({
  fields,
  pieces,
  length: fc.constantFrom('declared', 'chunked'),
  trailers: fc.option(fields, { nil: undefined }),
});
const path = fc
  .array(
    fc.integer({ min: 0x21, max: 0x7e }).filter((code) => code !== 0x23),
    { maxLength: 20 },
  )
  .map((codes) => `/${String.fromCharCode(...codes)}`);
const exchange: fc.Arbitrary<Exchange> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'M-SEARCH', 'HEAD'),
  path,
  request: message,
  interim: fc.array(fc.constantFrom('100', '102', '103', '199'), { maxLength: 2 }),
  status: fc.constantFrom('200', '201', '404', '500', '299'),
  response: message,
});

function lengthOf(message: Message): number {
  return (message.pieces ?? []).reduce((sum, piece) => sum + piece.length, 0);
}

/** The fields with their content-length, where the message declares it. */
function headOf(message: Message): string[] {
  if (message.pieces === undefined || message.length === 'chunked') return [...message.fields];
  const extra = message.trailers === undefined ? [] : ['trailer', 'x'];
  return [...message.fields, ...extra, 'content-length', String(lengthOf(message))];
}

/** Submits a message, waiting for nothing: its pieces fit the buffer, each overshoot included. */
function submit(
  pair: ConnectionPair,
  side: 'client' | 'server',
  id: number,
  head: readonly string[],
  message: Message,
): void {
  const protocol = pair[side];
  const { pieces, trailers } = message;
  protocol.submitHeaders(id, [...head, ...headOf(message)], { endStream: pieces === undefined });
  if (pieces === undefined) return;
  pieces.forEach((piece, index) => {
    const last = index === pieces.length - 1 && trailers === undefined;
    protocol.submitData(id, piece.slice(), { endStream: last });
  });
  if (trailers !== undefined) protocol.submitTrailers(id, trailers);
  else if (pieces.length === 0) protocol.submitData(id, new Uint8Array(0), { endStream: true });
}

interface Arrived {
  headers: readonly string[];
  content: Buffer;
  trailers: readonly string[] | undefined;
  interim: string[];
  ended: boolean;
}

function arrived(events: readonly HttpEvent[]): Arrived {
  const result: Arrived = { headers: [], content: Buffer.alloc(0), trailers: undefined, interim: [], ended: false };
  for (const event of events) {
    if (event.type === 'HeadersReceived') {
      result.headers = event.headers;
      result.ended = event.endStream;
    } else if (event.type === 'DataReceived') {
      result.content = Buffer.concat([result.content, event.data]);
      result.ended = event.endStream;
    } else if (event.type === 'TrailersReceived') {
      result.trailers = event.headers;
      result.ended = true;
    } else if (event.type === 'InformationalReceived') {
      result.interim.push(event.headers[1] as string);
    }
  }
  return result;
}

function withoutFraming(headers: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === 'content-length' || headers[index] === 'trailer') continue;
    kept.push(headers[index] as string, headers[index + 1] as string);
  }
  return kept;
}

function check(message: Message, got: Arrived, silent: boolean): void {
  expect(got.ended).toBe(true);
  if (silent) {
    expect(got.content.length).toBe(0);
    expect(got.trailers).toBeUndefined();
    return;
  }
  expect(got.content.equals(Buffer.concat(message.pieces ?? []))).toBe(true);
  const sent = message.pieces === undefined ? undefined : message.trailers;
  // An empty trailer section is no event on the wire.
  expect(got.trailers ?? []).toEqual(sent ?? []);
}

describe('what one side submits the other receives', () => {
  it('any exchanges, one after the other, however the wire cuts them', () => {
    fc.assert(
      fc.property(
        fc.array(exchange, { minLength: 1, maxLength: 4 }),
        fc.integer({ min: 0, max: 100 }),
        (exchanges, seed) => {
          const pair = new ConnectionPair(new Http1ClientFactory(), new Http1ServerFactory(), {
            cutting: seed === 0 ? 'whole' : (bytes) => randomCuts(bytes, seed),
          });
          pair.onServerEvent = (event) => {
            if (event.type === 'DataReceived') pair.server.dataConsumed(event.streamId, event.flowControlledLength);
          };
          pair.onClientEvent = (event) => {
            if (event.type === 'DataReceived') pair.client.dataConsumed(event.streamId, event.flowControlledLength);
          };
          exchanges.forEach((one, index) => {
            const id = pair.client.getAvailableStreamId();
            expect(id).toBe(index + 1);
            const target = [':method', one.method, ':scheme', 'http', ':authority', 'a.example', ':path', one.path];
            submit(pair, 'client', id, target, one.request);
            pair.exchange();
            const request = arrived(pair.takeServerEvents());
            expect(withoutFraming(request.headers)).toEqual([...target, ...one.request.fields]);
            check(one.request, request, false);
            for (const status of one.interim) pair.server.submitInformational(id, [':status', status]);
            submit(pair, 'server', id, [':status', one.status], one.response);
            pair.server.submitHandlerEnd(id);
            pair.exchange();
            const response = arrived(pair.takeClientEvents());
            expect(withoutFraming(response.headers)).toEqual([':status', one.status, ...one.response.fields]);
            expect(response.interim).toEqual(one.interim);
            check(one.response, response, one.method === 'HEAD');
          });
          expect(pair.client.isAvailable()).toBe(true);
          pair.client.submitShutdown();
          pair.exchange();
          expect(pair.takeServerEvents().at(-1)).toMatchObject({ type: 'ConnectionTerminated', error: undefined });
          expect(pair.takeClientEvents().at(-1)).toMatchObject({ type: 'ConnectionTerminated', error: undefined });
        },
      ),
      { numRuns: 500 },
    );
  });
});
