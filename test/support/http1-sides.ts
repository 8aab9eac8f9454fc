/**
 * One HTTP/1 engine with the wire in the test's hands: texts in, events and texts out.
 *
 * @module
 */
import type { HfaceError } from '../../src/common/index.ts';
import type { Http1ClientOptions, Http1ServerOptions } from '../../src/protocols/http1/index.ts';
import { Http1ClientFactory, Http1ServerFactory } from '../../src/protocols/http1/index.ts';
import type { HttpEvent, HttpOverTcpProtocol, ProtocolContext } from '../../src/protocols/index.ts';
import { drainEvents, eventTypes, takeText, testContext } from './connection-pair.ts';

/** More follows. */
export const MORE = { endStream: false } as const;
/** Nothing follows. */
export const END = { endStream: true } as const;

/** A text's octets. */
export function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}

/** An engine and shorthands for driving it. */
export class Side {
  readonly protocol: HttpOverTcpProtocol;
  now: number;

  constructor(protocol: HttpOverTcpProtocol) {
    this.protocol = protocol;
    this.now = 0;
  }

  /** Hands in a text and answers the events. */
  receive(text: string): HttpEvent[] {
    this.protocol.bytesReceived(octets(text), this.now);
    return drainEvents(this.protocol);
  }

  /** Ends the input and answers the events. */
  end(): HttpEvent[] {
    this.protocol.eofReceived(this.now);
    return drainEvents(this.protocol);
  }

  /** Loses the connection and answers the events. */
  lose(error?: HfaceError): HttpEvent[] {
    this.protocol.connectionLost(this.now, error);
    return drainEvents(this.protocol);
  }

  /** All output. */
  sent(): string {
    return takeText(this.protocol, this.now);
  }

  /** The events that wait. */
  events(): HttpEvent[] {
    return drainEvents(this.protocol);
  }

  /** The types of the events that wait. */
  types(): string[] {
    return eventTypes(this.events());
  }

  /** Lets time pass and answers the events. */
  advance(milliseconds: number): HttpEvent[] {
    this.now += milliseconds;
    this.protocol.handleTimeout(this.now);
    return drainEvents(this.protocol);
  }

  /** A final response with a content that is there. */
  respond(streamId: number, status = '200', content = ''): void {
    this.protocol.submitHeaders(streamId, [':status', status], content === '' ? END : MORE);
    if (content !== '') this.protocol.submitData(streamId, octets(content), END);
    this.protocol.submitHandlerEnd(streamId);
  }

  /** Opens a request and answers its id. */
  request(
    method = 'GET',
    path = '/',
    fields: readonly string[] = [],
    options: { endStream: boolean; upgrade?: string } = END,
  ): number {
    const id = this.protocol.getAvailableStreamId();
    const target = method === 'CONNECT' ? [] : [':scheme', 'http', ':path', path];
    this.protocol.submitHeaders(
      id,
      [':method', method, ':authority', method === 'CONNECT' ? path : 'a.example', ...target, ...fields],
      options,
    );
    return id;
  }
}

/** A server engine. */
export function serverSide(options: Http1ServerOptions = {}, context: Partial<ProtocolContext> = {}): Side {
  return new Side(new Http1ServerFactory(options).create(testContext(context), 0));
}

/** A client engine. */
export function clientSide(options: Http1ClientOptions = {}, context: Partial<ProtocolContext> = {}): Side {
  return new Side(new Http1ClientFactory(options).create(testContext(context), 0));
}

/** The first event of a type; the test fails without one. */
export function eventOf<Type extends HttpEvent['type']>(
  events: readonly HttpEvent[],
  type: Type,
): Extract<HttpEvent, { type: Type }> {
  for (const event of events) if (event.type === type) return event as Extract<HttpEvent, { type: Type }>;
  throw new Error(`no ${type} among ${events.map((event) => event.type).join(', ')}`);
}

/** All content of DataReceived events as text. */
export function contentOf(events: readonly HttpEvent[]): string {
  let content = '';
  for (const event of events) if (event.type === 'DataReceived') content += Buffer.from(event.data).toString('latin1');
  return content;
}
