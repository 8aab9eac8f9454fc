/**
 * The same traffic through our HTTP/1 engine and through the one on node:http: what an application is told and what the
 * peer is answered are the same. Where they differ the case is listed, with the reason; the list is exact.
 *
 * Compared are requests and responses as told, answers on the wire (but for Date, Connection and the framing chosen) and
 * whether the connection was refused. Of refused traffic the messages that were whole are compared, and not the words.
 */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeHttpClientFactory, NodeHttpServerFactory } from '../../src/engines/node-http/index.ts';
import { Http1ClientFactory, Http1ServerFactory } from '../../src/protocols/http1/index.ts';
import type { HttpEvent, HttpOverTcpFactory, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { randomCuts } from '../support/chunkings.ts';
import type { Reaction, Seen } from '../support/differential.ts';
import { Driven, readAnswers } from '../support/differential.ts';
import { readCases } from '../vectors/support/llhttp-log.ts';
import { clientDifferences, serverDifferences } from './differential-http1-list.ts';

const ours = new Http1ServerFactory();
const nodes = new NodeHttpServerFactory();
const ourClient = new Http1ClientFactory();
const nodesClient = new NodeHttpClientFactory();

/** An application that echoes: content as content, trailers as trailers, tunnels as they come. */
function echo(): Reaction {
  const bodies = new Map<number, Uint8Array[]>();
  const tunnels = new Set<number>();
  const answer = (engine: HttpOverTcpProtocol, streamId: number, trailers: readonly string[] | undefined): void => {
    const body = Buffer.concat(bodies.get(streamId) ?? []);
    engine.submitHeaders(streamId, [':status', '200', 'x-echo', 'yes'], { endStream: false });
    if (trailers === undefined) engine.submitData(streamId, body, { endStream: true });
    else {
      if (body.length > 0) engine.submitData(streamId, body, { endStream: false });
      engine.submitTrailers(streamId, trailers);
    }
    engine.submitHandlerEnd(streamId);
  };
  return (engine, event) => {
    if (event.type === 'HeadersReceived') {
      const { streamId, headers } = event;
      bodies.set(streamId, []);
      if (headers[1] === 'CONNECT') {
        engine.submitHeaders(streamId, [':status', '200'], { endStream: false });
        tunnels.add(streamId);
      } else if (event.upgrade.length > 0 && headers.includes('/up')) {
        engine.submitHeaders(streamId, [':status', '101'], { endStream: false, upgrade: event.upgrade[0] });
        tunnels.add(streamId);
      } else if (event.endStream) answer(engine, streamId, undefined);
      else if (headers.includes('100-continue')) engine.submitInformational(streamId, [':status', '100']);
    } else if (event.type === 'DataReceived') {
      engine.dataConsumed(event.streamId, event.flowControlledLength);
      if (tunnels.has(event.streamId)) engine.submitData(event.streamId, event.data, { endStream: event.endStream });
      else {
        bodies.get(event.streamId)?.push(event.data);
        if (event.endStream) answer(engine, event.streamId, undefined);
      }
    } else if (event.type === 'TrailersReceived') {
      answer(engine, event.streamId, event.headers);
    }
  };
}

async function serve(factory: HttpOverTcpFactory, chunks: readonly Uint8Array[], ended: boolean): Promise<Seen> {
  const driven = new Driven(factory, echo());
  await driven.receive(chunks, ended, factory === nodes);
  return driven.seen();
}

/** The response to each of some requests, one after the other. */
async function ask(
  factory: HttpOverTcpFactory,
  requests: readonly (readonly string[])[],
  chunks: readonly Uint8Array[],
): Promise<Seen> {
  const left = [...requests];
  const next = (engine: HttpOverTcpProtocol): void => {
    if (!engine.isAvailable()) return;
    const request = left.shift();
    if (request === undefined) return;
    const tunnel = request[1] === 'CONNECT';
    engine.submitHeaders(engine.getAvailableStreamId(), request, { endStream: !tunnel });
  };
  const react = (engine: HttpOverTcpProtocol, event: HttpEvent): void => {
    if (event.type === 'DataReceived') engine.dataConsumed(event.streamId, event.flowControlledLength);
    if (event.type === 'StreamClosed') next(engine);
  };
  const driven = new Driven(factory, react);
  next(driven.engine);
  await driven.receive(chunks, true, factory === nodesClient);
  return driven.seen();
}

/** What is compared of a server. */
function comparable(seen: Seen): unknown {
  const whole = seen.messages.filter(({ end }) => !seen.refused || end !== 'cut');
  const methods = seen.messages.map(({ head }) => head[1] ?? '');
  const answers = readAnswers(seen.output, methods);
  return {
    messages: whole,
    answers: answers.filter(({ status }) => status < 400),
    errors: answers.filter(({ status }) => status >= 400).length,
    refused: seen.refused,
    terminated: seen.terminated,
    properEnd: seen.properEnd,
  };
}

/** What is compared of a client. */
function comparableResponses(seen: Seen): unknown {
  const whole = seen.messages.filter(({ end }) => !seen.refused || end !== 'cut');
  return { messages: whole, refused: seen.refused, terminated: seen.terminated, properEnd: seen.properEnd };
}

const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));

/** Heads of HTTP/1.1 without Host get one: most vectors lack it. */
function withHost(text: string): string {
  return text.replaceAll(
    /(^|\r\n|[^\r\n])([A-Z-]+ [^\r\n]+ HTTP\/1\.1\r\n)((?:[^\r\n]+\r\n)*)/g,
    (whole, before: string, line: string, fields: string) =>
      /^host[ \t]*:/im.test(fields) ? whole : `${before}${line}Host: a\r\n${fields}`,
  );
}

const gunicorn = new URL('../vectors/gunicorn-requests/', import.meta.url);
const expectations = JSON.parse(readFileSync(new URL('expectations.json', gunicorn), 'utf8')) as Readonly<
  Record<'valid' | 'invalid', readonly { readonly file: string }[]>
>;

const requestVectors: (readonly [name: string, input: string])[] = [
  ...[...expectations.valid, ...expectations.invalid].map(
    ({ file }) => [`gunicorn ${file}`, readFileSync(new URL(file, gunicorn), 'latin1')] as const,
  ),
  ...readCases()
    .filter(({ type }) => type === 'request')
    .map(
      (one) =>
        [`llhttp ${one.file}:${String(one.line)}`, Buffer.from(one.input_base64, 'base64').toString('latin1')] as const,
    ),
];

const responseVectors = readCases()
  .filter(({ type }) => type === 'response')
  .map(
    (one) =>
      [`llhttp ${one.file}:${String(one.line)}`, Buffer.from(one.input_base64, 'base64').toString('latin1')] as const,
  );

const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

describe('requests of the vectors, through both servers', () => {
  it.each(requestVectors)('%s', async (name, input) => {
    const bytes = octets(withHost(input));
    const reason = serverDifferences[name];
    let differs = false;
    for (const chunks of [[bytes], randomCuts(bytes, 7)]) {
      const [one, other] = [await serve(ours, chunks, true), await serve(nodes, chunks, true)];
      if (reason === undefined) expect(comparable(other)).toEqual(comparable(one));
      differs ||= !same(comparable(other), comparable(one));
    }
    expect(differs, `listed: ${String(reason)}`).toBe(reason !== undefined);
  });
});

describe('responses of the vectors, through both clients', () => {
  const requests = Array.from({ length: 4 }, (_, index) => [
    ...[':method', 'GET', ':scheme', 'http', ':authority', 'a', ':path', `/${String(index)}`],
  ]);
  it.each(responseVectors)('%s', async (name, input) => {
    const bytes = octets(input);
    const reason = clientDifferences[name];
    let differs = false;
    for (const chunks of [[bytes], randomCuts(bytes, 7)]) {
      const [one, other] = [await ask(ourClient, requests, chunks), await ask(nodesClient, requests, chunks)];
      if (reason === undefined) expect(comparableResponses(other)).toEqual(comparableResponses(one));
      differs ||= !same(comparableResponses(other), comparableResponses(one));
    }
    expect(differs, `listed: ${String(reason)}`).toBe(reason !== undefined);
  });
});

describe('the lists of differences', () => {
  it('name only cases that there are, each with its reason', () => {
    const requests = new Set(requestVectors.map(([name]) => name));
    const responses = new Set(responseVectors.map(([name]) => name));
    for (const name of Object.keys(serverDifferences)) expect(requests).toContain(name);
    for (const name of Object.keys(clientDifferences)) expect(responses).toContain(name);
    for (const reason of Object.values({ ...serverDifferences, ...clientDifferences })) {
      expect(reason).toMatch(/RFC \d+ section|in one read/);
    }
  });
});

const token = fc.stringMatching(/^[a-z]{1,8}$/);
const field = fc.tuple(fc.stringMatching(/^[Xx]-[A-Za-z0-9-]{1,10}$/), fc.stringMatching(/^[!-~\u00a1-\u00ff]{0,12}$/));
const content = fc.string({ maxLength: 40 }).map((text) => Buffer.from(text).toString('latin1'));

/** The content of a message on the wire: by length, or in chunks with extensions and trailers. */
const framed = fc.oneof(
  content.map((body) => [`Content-Length: ${String(body.length)}`, body] as const),
  fc
    .record({
      pieces: fc.array(content.filter((piece) => piece !== '')),
      extension: fc.constantFrom('', ';a', ';a=b', ';a="b c"'),
      trailers: fc.array(field, { maxLength: 2 }),
    })
    .map(({ pieces, extension, trailers }) => {
      const chunks = pieces.map((piece) => `${piece.length.toString(16)}${extension}\r\n${piece}\r\n`).join('');
      const section = trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      return ['Transfer-Encoding: chunked', `${chunks}0\r\n${section}\r\n`] as const;
    }),
);

const requestText = fc
  .record({
    method: fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'DELETE', 'POST', 'PUT', 'PATCH', 'QUERY'),
    path: fc.stringMatching(/^\/[a-z0-9%?&=._~-]{0,10}$/),
    version: fc.constantFrom('1.1', '1.1', '1.1', '1.0'),
    fields: fc.array(field, { maxLength: 4 }),
    close: fc.constantFrom(false, false, false, true),
    body: fc.option(framed, { nil: undefined }),
    expect: fc.boolean(),
  })
  .map(({ method, path, version, fields, close, body, expect: expects }) => {
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const chunkedOld = version === '1.0' && body?.[0].startsWith('Transfer') === true;
    const used = chunkedOld || method === 'HEAD' ? undefined : body;
    const more =
      (used === undefined ? '' : `${used[0]}\r\n${expects ? 'Expect: 100-continue\r\n' : ''}`) +
      (close ? 'Connection: close\r\n' : '');
    return `${method} ${path} HTTP/${version}\r\nHost: a.example\r\n${lines}${more}\r\n${used?.[1] ?? ''}`;
  });

const tunnelText = fc
  .tuple(fc.constantFrom('CONNECT', 'up', 'declined'), content)
  .map(([kind, raw]) =>
    kind === 'CONNECT'
      ? `CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n${raw}`
      : `GET /${kind} HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: one, two/2\r\n\r\n${kind === 'up' ? raw : ''}`,
  );

describe('generated traffic', () => {
  it('is served alike, pipelined, with content, trailers, 100, tunnels, cut anyhow', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(requestText, { minLength: 1, maxLength: 4 }),
        fc.option(tunnelText, { nil: '' }),
        fc.nat(),
        fc.boolean(),
        async (requests, tunnel, seed, ended) => {
          const bytes = octets(requests.join('') + tunnel);
          const chunks = randomCuts(bytes, seed);
          const [one, other] = [await serve(ours, chunks, ended), await serve(nodes, chunks, ended)];
          expect(comparable(other)).toEqual(comparable(one));
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is understood alike by clients: interim responses, content, trailers, HEAD, closed connections', async () => {
    const response = fc
      .record({
        interim: fc.array(fc.constantFrom('100 Continue', '103 Early Hints', '102 Processing'), { maxLength: 2 }),
        status: fc.constantFrom('200 OK', '204 No Content', '304 Not Modified', '404 Not Found', '500 '),
        fields: fc.array(field, { maxLength: 3 }),
        body: framed,
        toClose: fc.constantFrom(false, false, true),
      })
      .map(({ interim, status, fields, body, toClose }) => {
        const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
        const before = interim.map((line) => `HTTP/1.1 ${line}\r\nX-Early: 1\r\n\r\n`).join('');
        const without = status.startsWith('204') || status.startsWith('304');
        const framing = without ? '' : toClose ? 'Connection: close\r\n' : `${body[0]}\r\n`;
        return `${before}HTTP/1.1 ${status}\r\n${lines}${framing}\r\n${without ? '' : toClose ? 'all' : body[1]}`;
      });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('GET', 'POST', 'DELETE'), token), { minLength: 1, maxLength: 3 }),
        response,
        fc.nat(),
        async (requests, answer, seed) => {
          const heads = requests.map(([method, path]) => [
            ...[':method', method, ':scheme', 'http', ':authority', 'a', ':path', `/${path}`],
          ]);
          // Only one: what a client has not asked for it must not be told.
          const chunks = randomCuts(octets(answer), seed);
          const [one, other] = [await ask(ourClient, heads, chunks), await ask(nodesClient, heads, chunks)];
          expect(comparableResponses(other)).toEqual(comparableResponses(one));
        },
      ),
      { numRuns: 150 },
    );
  });
});
