/**
 * One engine at a time under the same traffic, and what is to be the same of two: requests or responses as they were
 * told, and the answers on the wire without what is an engine's own affair (Date, Connection, the framing chosen).
 *
 * Engines that work asynchronously inside are waited for.
 *
 * @module
 */
import type { HttpEvent, HttpOverTcpFactory, HttpOverTcpProtocol } from '../../src/protocols/index.ts';
import { testContext } from './connection-pair.ts';

/** A message as an application saw it. */
export interface SeenMessage {
  readonly streamId: number;
  /** Names and values, pseudo-header fields first. */
  readonly head: readonly string[];
  readonly rawNames: readonly string[] | undefined;
  readonly upgrade: readonly string[];
  readonly informational: readonly (readonly string[])[];
  readonly body: string;
  /** How it ended: `end`, `close` (with the connection), trailers, or `cut`. */
  readonly end: string;
}

/** What one engine made of the traffic. */
export interface Seen {
  readonly messages: readonly SeenMessage[];
  /** What the engine sent. */
  readonly output: string;
  /** It ended the connection with an error. */
  readonly refused: boolean;
  readonly reason: string | undefined;
  readonly terminated: boolean;
  /** It asked for a proper end. */
  readonly properEnd: boolean;
}

interface Building {
  streamId: number;
  head: readonly string[];
  rawNames: readonly string[] | undefined;
  upgrade: readonly string[];
  informational: (readonly string[])[];
  body: string;
  end: string;
}

/** What a message is answered with, or what is done when an event comes. */
export type Reaction = (engine: HttpOverTcpProtocol, event: HttpEvent) => void;

/** Drives one engine. */
export class Driven {
  readonly engine: HttpOverTcpProtocol;
  output: string;
  readonly #react: Reaction;
  readonly #messages: Map<number, Building>;
  readonly #pendingInterim: Map<number, (readonly string[])[]>;
  #terminated: boolean;
  #reason: string | undefined;
  #refused: boolean;

  constructor(factory: HttpOverTcpFactory, react: Reaction) {
    this.engine = factory.create(testContext(), 0);
    this.output = '';
    this.#react = react;
    this.#messages = new Map();
    this.#pendingInterim = new Map();
    this.#terminated = false;
    this.#reason = undefined;
    this.#refused = false;
  }

  /** Lets the engine come to rest. */
  async settle(asynchronous: boolean): Promise<void> {
    const heard = { announced: false };
    this.engine.onOutput = () => (heard.announced = true);
    this.#move();
    for (let quiet = 0; asynchronous && quiet < 3; quiet += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!heard.announced) continue;
      heard.announced = false;
      this.#move();
      quiet = -1;
    }
  }

  /** Hands in chunks as long as the engine wants them, then the end. */
  async receive(chunks: readonly Uint8Array[], ended: boolean, asynchronous: boolean): Promise<void> {
    await this.settle(asynchronous);
    for (const chunk of chunks) {
      if (!this.engine.wantsInput) await this.settle(asynchronous);
      if (!this.engine.wantsInput) break;
      this.engine.bytesReceived(chunk.slice(), 0);
      this.#move();
    }
    await this.settle(asynchronous);
    if (ended) this.engine.eofReceived(0);
    await this.settle(asynchronous);
  }

  /** What came of it. */
  seen(): Seen {
    return {
      messages: [...this.#messages.values()],
      output: this.output,
      refused: this.#refused,
      reason: this.#reason,
      terminated: this.#terminated,
      properEnd: this.engine.wantsEof,
    };
  }

  #move(): void {
    for (let moved = true; moved;) {
      moved = false;
      for (let event = this.engine.nextEvent(); event !== undefined; event = this.engine.nextEvent()) {
        this.#note(event);
        this.#react(this.engine, event);
        moved = true;
      }
      for (const chunk of this.engine.bytesToSend(0) ?? []) {
        this.output += Buffer.from(chunk).toString('latin1');
        moved = true;
      }
    }
  }

  #note(event: HttpEvent): void {
    if (event.type === 'ConnectionTerminated') {
      this.#terminated = true;
      this.#refused = event.error !== undefined;
      this.#reason = event.error?.message;
      return;
    }
    if (event.type === 'InformationalReceived') {
      const before = this.#pendingInterim.get(event.streamId) ?? [];
      this.#pendingInterim.set(event.streamId, [...before, event.headers]);
      return;
    }
    if (event.type === 'HeadersReceived') {
      const { streamId, headers, rawNames, upgrade } = event;
      const informational = this.#pendingInterim.get(streamId) ?? [];
      const end = event.endStream ? 'end' : 'cut';
      this.#messages.set(streamId, { streamId, head: headers, rawNames, upgrade, informational, body: '', end });
      return;
    }
    if (event.type !== 'DataReceived' && event.type !== 'TrailersReceived') return;
    const message = this.#messages.get(event.streamId);
    if (message === undefined) throw new Error(`${event.type} before a head`);
    if (event.type === 'TrailersReceived') {
      message.end = `trailers ${JSON.stringify(event.headers)} ${JSON.stringify(event.rawNames)}`;
      return;
    }
    message.body += Buffer.from(event.data).toString('latin1');
    if (event.endStream) message.end = event.closeDelimited ? 'close' : 'end';
  }
}

/** A response on the wire. */
export interface Answer {
  readonly status: number;
  /** Field lines in order, without those that are the engine's own affair. */
  readonly fields: readonly string[];
  readonly body: string;
}

const OWN = /^(?:date|connection|keep-alive|content-length|transfer-encoding|trailer):/i;

/** Reads the responses that a server sent; `methods` of the requests that they answer, in order. */
export function readAnswers(output: string, methods: readonly string[]): Answer[] {
  const answers: Answer[] = [];
  let rest = output;
  let answered = 0;
  while (rest.startsWith('HTTP/1.1 ')) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const [line = '', ...lines] = rest.slice(0, end).split('\r\n');
    rest = rest.slice(end + 4);
    const status = Number(line.slice(9, 12));
    const final = status >= 200 || status === 101;
    const fields = lines.filter((field) => !OWN.test(field));
    if (!final) {
      answers.push({ status, fields, body: '' });
      continue;
    }
    const method = methods[answered] ?? 'GET';
    answered += 1;
    const raw = status === 101 || (method === 'CONNECT' && status < 300);
    const empty = method === 'HEAD' || status === 204 || status === 304;
    const length = lines.map((field) => /^content-length: (\d+)$/i.exec(field)?.[1]).find((value) => value);
    let body = '';
    if (lines.some((field) => /^transfer-encoding: chunked$/i.test(field)) && !empty) {
      const [content, trailers, left] = unchunk(rest);
      body = content + trailers;
      rest = left;
    } else if (!empty) {
      const size = raw || length === undefined ? rest.length : Number(length);
      body = rest.slice(0, size);
      rest = rest.slice(size);
    }
    answers.push({ status, fields, body });
  }
  return answers;
}

function unchunk(text: string): [content: string, trailers: string, rest: string] {
  let content = '';
  let at = 0;
  for (;;) {
    const end = text.indexOf('\r\n', at);
    if (end < 0) return [content, '(cut)', ''];
    const size = Number.parseInt(text.slice(at, end), 16);
    at = end + 2;
    if (size === 0) break;
    content += text.slice(at, at + size);
    at += size + 2;
  }
  if (text.startsWith('\r\n', at)) return [content, '', text.slice(at + 2)];
  const end = text.indexOf('\r\n\r\n', at);
  return [content, `|${text.slice(at, end)}`, text.slice(end + 4)];
}
