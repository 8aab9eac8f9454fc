/**
 * Feeds bytes to an HTTP/1 engine and collects the messages it sees: what the vector tests compare.
 *
 * A server engine is answered with an empty 200 as soon as a request is complete, since it shows the next one only
 * then; a client engine is first given the requests that the responses belong to.
 */
import type { HeaderList } from '../../../src/common/index.ts';
import { HfaceError, RemoteProtocolError, withoutPseudoHeaders } from '../../../src/common/index.ts';
import type { HttpEvent, HttpOverTcpProtocol, ProtocolContext } from '../../../src/protocols/index.ts';
import { Http1ClientFactory, Http1ServerFactory } from '../../../src/protocols/http1/index.ts';

/** One message as an engine told it. */
export interface SeenMessage {
  /** The method, or the status. */
  start: string;
  /** `:path`, or for CONNECT `:authority`; empty for responses. */
  target: string;
  authority: string;
  headers: [name: string, value: string][];
  rawNames: string[];
  body: Buffer;
  trailers: [name: string, value: string][];
  complete: boolean;
  upgrade: readonly string[];
}

/** All that came of some bytes. */
export interface Seen {
  messages: SeenMessage[];
  /** The status of the error response that a server engine made, or the error's hint; `undefined` when nothing was refused. */
  refused: number | undefined;
  /** Why the connection ended, or `undefined`. */
  reason: string | undefined;
  /** What the engine sent, as latin1. */
  output: string;
}

const context: ProtocolContext = {
  secure: false,
  alpn: undefined,
  epochOffset: 0,
  random: { fill: (target) => target.fill(7) },
};

/** How the bytes are cut into chunks: the lengths, repeated; undefined for all at once. */
export type Chunking = number | undefined;

/** A server engine's view of `input`, followed by the end of input. */
export function readRequests(
  input: Uint8Array,
  chunking?: Chunking,
  limits?: Readonly<Record<string, number>>,
  end = true,
): Seen {
  const factory = new Http1ServerFactory(limits === undefined ? {} : { limits });
  return drive(factory.create(context, 0), input, chunking, undefined, end);
}

/** A client engine's view of `input` as the answers to requests with these methods, followed by the end of input. */
export function readResponses(
  input: Uint8Array,
  chunking?: Chunking,
  methods: readonly string[] = ['GET'],
  end = true,
): Seen {
  const factory = new Http1ClientFactory({ maxPipelinedRequests: Math.max(1, methods.length) });
  return drive(factory.create(context, 0), input, chunking, methods, end);
}

function drive(
  engine: HttpOverTcpProtocol,
  input: Uint8Array,
  chunking: Chunking,
  methods: readonly string[] | undefined,
  end: boolean,
): Seen {
  const seen: Seen = { messages: [], refused: undefined, reason: undefined, output: '' };
  const open = new Map<number, SeenMessage>();
  let now = 1;

  const waiting = [...(methods ?? [])];
  settle();
  const size = chunking ?? Math.max(1, input.length);
  for (let offset = 0; offset < input.length; offset += size) {
    now += 1;
    engine.bytesReceived(Uint8Array.from(input.subarray(offset, offset + size)), now);
    settle();
  }
  if (end) {
    now += 1;
    engine.eofReceived(now);
    settle();
  }
  return seen;

  /** Opens the requests that the engine takes now: it pipelines only once a response has shown the server's version. */
  function request(): void {
    while (waiting.length > 0 && engine.isAvailable()) {
      const method = waiting.shift() as string;
      engine.submitHeaders(
        engine.getAvailableStreamId(),
        method === 'CONNECT'
          ? [':method', method, ':authority', 'example.com:80']
          : [':method', method, ':scheme', 'http', ':authority', 'example.com', ':path', '/'],
        { endStream: method !== 'CONNECT', upgrade: method === 'UPGRADE' ? 'test' : undefined },
      );
    }
  }

  function settle(): void {
    for (let event = engine.nextEvent(); event !== undefined; event = engine.nextEvent()) take(event);
    request();
    for (const chunk of engine.bytesToSend(now) ?? []) seen.output += Buffer.from(chunk).toString('latin1');
    // The connection may linger behind an error response, so the response itself says that something was refused.
    const status = /^HTTP\/1\.1 ([45]\d\d)/m.exec(seen.output)?.[1];
    if (engine.role === 'server' && status !== undefined) seen.refused ??= Number(status);
    // Answering may have let the next pipelined request through.
    let event = engine.nextEvent();
    if (event === undefined) return;
    for (; event !== undefined; event = engine.nextEvent()) take(event);
    settle();
  }

  function take(event: HttpEvent): void {
    switch (event.type) {
      case 'HeadersReceived':
      case 'InformationalReceived': {
        const message = newMessage(event.headers, event.rawNames);
        message.upgrade = event.type === 'HeadersReceived' ? event.upgrade : [];
        seen.messages.push(message);
        if (event.type === 'InformationalReceived') {
          message.complete = true;
          return;
        }
        open.set(event.streamId, message);
        if (event.endStream) complete(event.streamId, message);
        return;
      }
      case 'DataReceived': {
        const message = open.get(event.streamId);
        engine.dataConsumed(event.streamId, event.flowControlledLength);
        if (message === undefined) return;
        message.body = Buffer.concat([message.body, event.data]);
        if (event.endStream) complete(event.streamId, message);
        return;
      }
      case 'TrailersReceived': {
        const message = open.get(event.streamId);
        if (message === undefined) return;
        message.trailers = pairs(event.headers);
        complete(event.streamId, message);
        return;
      }
      case 'ConnectionTerminated':
        seen.reason = event.reason;
        if (event.error instanceof RemoteProtocolError) seen.refused = event.error.statusHint ?? 0;
        else if (event.error instanceof HfaceError) {
          seen.refused = (event.error as { statusHint?: number }).statusHint ?? 0;
        }
        return;
      default:
        return;
    }
  }

  function complete(streamId: number, message: SeenMessage): void {
    message.complete = true;
    open.delete(streamId);
    if (engine.role !== 'server') return;
    engine.submitHeaders(streamId, [':status', '200', 'content-length', '0'], { endStream: true });
    engine.submitHandlerEnd(streamId);
  }
}

function newMessage(headers: HeaderList, rawNames: readonly string[] | undefined): SeenMessage {
  const value = (name: string): string => {
    const index = headers.indexOf(name);
    return index === -1 ? '' : (headers[index + 1] as string);
  };
  return {
    start: value(':method') || value(':status'),
    target: value(':path') || (value(':method') === 'CONNECT' ? value(':authority') : ''),
    authority: value(':authority'),
    headers: pairs(withoutPseudoHeaders(headers)),
    rawNames: [...(rawNames ?? [])],
    body: Buffer.alloc(0),
    trailers: [],
    complete: false,
    upgrade: [],
  };
}

function pairs(headers: HeaderList): [string, string][] {
  const result: [string, string][] = [];
  for (let index = 0; index < headers.length; index += 2) {
    result.push([headers[index] as string, headers[index + 1] as string]);
  }
  return result;
}
