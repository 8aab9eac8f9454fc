/**
 * Node's client on a socket without a network: one request after the other on it.
 *
 * Owns: the agent that always gives the same socket, and the second look at the answer to a refused CONNECT: Node takes
 * every answer to CONNECT for a tunnel, so the head of one that is none is given to a fresh parser as the answer to a
 * GET, and with it everything behind.
 *
 * @module
 */
import { Agent, ClientRequest, STATUS_CODES } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import type { EngineSocket } from '../engine-socket.ts';

/** An agent with one socket, which it gives to whoever asks. */
class OneSocketAgent extends Agent {
  readonly #socket: EngineSocket;

  constructor(socket: EngineSocket) {
    super({ keepAlive: true, maxSockets: 1 });
    this.#socket = socket;
  }

  /** Called by Node's ClientRequest. */
  addRequest(request: ClientRequest): void {
    request.onSocket(this.#socket as unknown as Parameters<ClientRequest['onSocket']>[0]);
  }
}

/** Opens a request on a socket. `fields`: names and values in turn. */
export function openRequest(
  socket: EngineSocket,
  method: string,
  target: string,
  fields: readonly string[],
  maxHeaderBytes: number,
): ClientRequest {
  const options: RequestOptions = {
    agent: new OneSocketAgent(socket),
    method,
    path: target,
    headers: [...fields],
    setHost: false,
    maxHeaderSize: maxHeaderBytes,
  };
  const request = new ClientRequest(options);
  request.maxHeadersCount = 0;
  return request;
}

/** Gives a response's head, and what follows, to the parser behind a socket. */
export function readAgain(socket: EngineSocket, message: IncomingMessage, rest: Uint8Array): void {
  const status = message.statusCode ?? 0;
  let text = `HTTP/${message.httpVersion} ${String(status)} ${STATUS_CODES[status] ?? ''}\r\n`;
  const { rawHeaders } = message;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    text += `${rawHeaders[index] as string}: ${rawHeaders[index + 1] as string}\r\n`;
  }
  socket.push(Buffer.from(`${text}\r\n`, 'latin1'));
  if (rest.length > 0) socket.push(rest);
}
