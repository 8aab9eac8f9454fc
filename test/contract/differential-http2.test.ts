/**
 * The same HTTP/2 traffic through every pairing of clients and servers: what either side's application is told is the
 * same as between our own two engines. Generated exchanges, several at once, with content, trailers, 1xx, resets by
 * either side, tunnels, and bytes cut anyhow.
 *
 * Compared per stream, since how streams take turns is each engine's own affair. Not compared: in how many pieces content
 * comes, and StreamWritable, PriorityUpdated and SettingsReceived, which are about capacity and the connection.
 *
 * One difference is left out: Node closes a stream with a head that ends the message (an answer to HEAD, 204, 304), ours
 * when the application has said its end; so such answers are not reset here.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadHttp2Wrapper } from '../../src/engines/http2-wrapper/index.ts';
import { NodeHttp2ServerFactory } from '../../src/engines/node-http2/index.ts';
import type { HttpEvent, HttpOverTcpFactory } from '../../src/protocols/index.ts';
import { Http2ClientFactory, Http2ServerFactory } from '../../src/protocols/http2/index.ts';
import type { Side } from './engine-pair.ts';
import { bytes, EnginePair } from './engine-pair.ts';
import type { Steps } from './played-pair.ts';
import { play, PlayedPair } from './played-pair.ts';

const wrapper = (await loadHttp2Wrapper()).createClientFactory!();
const ours: readonly [HttpOverTcpFactory, HttpOverTcpFactory] = [new Http2ClientFactory(), new Http2ServerFactory()];
const others: readonly (readonly [name: string, client: HttpOverTcpFactory, server: HttpOverTcpFactory])[] = [
  ['our client, node:http2', ours[0], new NodeHttp2ServerFactory()],
  ['http2-wrapper, our server', wrapper, ours[1]],
  ['http2-wrapper, node:http2', wrapper, new NodeHttp2ServerFactory()],
];

/** One exchange as the applications of both sides play it. */
interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly content: readonly string[] | undefined;
  readonly requestTrailers: boolean;
  readonly status: number;
  readonly interim: number;
  readonly answer: readonly string[];
  readonly answerTrailers: boolean;
  readonly ending: 'whole' | 'client resets' | 'server resets';
}

const field = fc.tuple(fc.stringMatching(/^x-[a-z0-9-]{1,8}$/), fc.stringMatching(/^[!-~\u00a1-\u00ff]{0,10}$/));
const pieces = fc.array(fc.stringMatching(/^[a-z]{1,50}$/), { maxLength: 3 });
const exchange: fc.Arbitrary<Exchange> = fc.record({
  method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'websocket'),
  path: fc.stringMatching(/^\/[a-z0-9?=&]{0,8}$/),
  // Node gathers the lines of one name.
  fields: fc.uniqueArray(field, { maxLength: 4, selector: ([name]) => name }),
  content: fc.option(pieces, { nil: undefined }),
  requestTrailers: fc.boolean(),
  status: fc.constantFrom(200, 204, 304, 404, 500),
  interim: fc.nat({ max: 2 }),
  answer: pieces,
  answerTrailers: fc.boolean(),
  ending: fc.constantFrom('whole', 'whole', 'whole', 'client resets', 'server resets'),
});

function headOf({ method, path, fields }: Exchange): string[] {
  if (method === 'CONNECT') return [':method', 'CONNECT', ':authority', 'b.example:443', ...fields.flat()];
  const protocol = method === 'websocket' ? [':protocol', method] : [];
  const verb = method === 'websocket' ? 'CONNECT' : method;
  return [':method', verb, ':scheme', 'http', ':authority', 'a.example', ':path', path, ...protocol, ...fields.flat()];
}

function send(side: Side, streamId: number, content: readonly string[], trailers: boolean): void {
  for (const piece of content) side.engine.submitData(streamId, bytes(piece), { endStream: false });
  if (trailers) side.engine.submitTrailers(streamId, ['x-sum', '1', 'x-other', '2']);
  else side.engine.submitData(streamId, bytes(''), { endStream: true });
}

/** Opens all, lets them arrive, answers all. */
function* converse(pair: PlayedPair, exchanges: readonly Exchange[]): Steps {
  const { client, server } = pair;
  const ids: number[] = [];
  yield* pair.run();
  for (const one of exchanges) {
    const streamId = client.engine.getAvailableStreamId();
    const tunnel = one.method === 'CONNECT' || one.method === 'websocket';
    const endStream = !tunnel && (one.content === undefined || one.method === 'GET' || one.method === 'HEAD');
    client.engine.submitHeaders(streamId, headOf(one), { endStream });
    if (!endStream && !tunnel) send(client, streamId, one.content ?? [], one.requestTrailers);
    ids.push(streamId);
  }
  yield* pair.run();
  for (const [index, one] of exchanges.entries()) {
    const streamId = ids[index] as number;
    const tunnel = one.method === 'CONNECT' || one.method === 'websocket';
    for (let count = 0; count < one.interim; count += 1) {
      server.engine.submitInformational(streamId, [':status', '103', 'x-early', String(count)]);
    }
    const status = tunnel ? '200' : String(one.status);
    server.engine.submitHeaders(streamId, [':status', status, ...one.fields.flat()], { endStream: false });
    yield* pair.run();
    const silent = !tunnel && (one.method === 'HEAD' || one.status === 204 || one.status === 304);
    const ending = silent ? 'whole' : one.ending;
    if (ending === 'client resets') client.engine.submitStreamReset(streamId, 8);
    else if (ending === 'server resets') server.engine.submitStreamReset(streamId, 2);
    yield* pair.run();
    if (ending === 'whole' && tunnel) send(client, streamId, one.content ?? [], false);
    if (ending === 'whole' && !silent) send(server, streamId, one.answer, !tunnel && one.answerTrailers);
    else if (ending === 'whole') server.engine.submitData(streamId, bytes(''), { endStream: true });
    yield* pair.run();
    server.engine.submitHandlerEnd(streamId);
    yield* pair.run();
  }
}

/** What an application saw of each stream. */
function seen(events: readonly HttpEvent[]): Record<number, readonly string[]> {
  const streams: Record<number, string[]> = {};
  const content: Record<number, string> = {};
  const line = (streamId: number, text: string): void => void (streams[streamId] ??= []).push(text);
  for (const event of events) {
    switch (event.type) {
      case 'HeadersReceived':
      case 'InformationalReceived':
        line(event.streamId, `${event.type} ${JSON.stringify(event.headers)}`);
        break;
      case 'DataReceived':
        content[event.streamId] = (content[event.streamId] ?? '') + Buffer.from(event.data).toString('latin1');
        if (event.endStream) line(event.streamId, `content ${content[event.streamId] ?? ''}`);
        break;
      case 'TrailersReceived':
        line(event.streamId, `content ${content[event.streamId] ?? ''} and ${JSON.stringify(event.headers)}`);
        break;
      case 'StreamResetReceived':
        line(event.streamId, `reset ${String(event.errorCode)} ${event.processed}`);
        break;
      case 'StreamResetSent':
      case 'StreamClosed':
        line(event.streamId, event.type);
        break;
      default:
    }
  }
  return streams;
}

async function observe(
  [client, server]: readonly [HttpOverTcpFactory, HttpOverTcpFactory],
  asynchronous: boolean,
  exchanges: readonly Exchange[],
  cut: number,
): Promise<unknown> {
  const pair = new PlayedPair(new EnginePair(client, server, cut), asynchronous);
  await play(pair, converse(pair, exchanges));
  return { client: seen(pair.client.events), server: seen(pair.server.events) };
}

describe.each(others)('%s', (_name, client, server) => {
  it('tells what our own two tell each other', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(exchange, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(1, 7, 100, 10_000),
        async (exchanges, cut) => {
          const expected = await observe(ours, false, exchanges, cut);
          expect(await observe([client, server], true, exchanges, cut)).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });
});
