/**
 * Node's server on a socket without a network: what its parser found, in order.
 *
 * Owns: the http.Server, the row of requests that Node parsed ahead, and the second look at a request whose Upgrade was
 * not taken up: Node hands the socket over before the application has decided, so the head is given to a fresh parser
 * that knows of no upgrades, and with it everything behind.
 *
 * @module
 */
import { createServer, ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { HfaceError } from '../../common/index.ts';
import { EngineSocket } from '../engine-socket.ts';
import { fault, limitFault, members } from './fields.ts';

/** What Node's parser found. */
export type Found =
  | {
      readonly kind: 'message';
      readonly message: IncomingMessage;
      readonly response: ServerResponse;
      /** The message with the head as it came. */
      readonly original: IncomingMessage;
    }
  | { readonly kind: 'connect' | 'upgrade'; readonly message: IncomingMessage; readonly rest: Uint8Array }
  | { readonly kind: 'fault'; readonly error: HfaceError };

/** Properties of http.Server that its types lack. */
interface HalfOpenServer {
  httpAllowHalfOpen: boolean;
}

/** What ServerResponse remembers of Expect. */
interface ExpectingResponse {
  _expect_continue: boolean;
}

/** Runs Node's parser. */
export class ServerIntake {
  readonly #server: Server;
  /** The message whose head is being read again. */
  #original: IncomingMessage | undefined;

  /** `found` is called from within pushes. */
  constructor(maxHeaderBytes: number, found: (found: Found) => void) {
    this.#original = undefined;
    const server = createServer({
      maxHeaderSize: maxHeaderBytes,
      // Judged here, with a status of ours.
      requireHostHeader: false,
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
    });
    (server as unknown as HalfOpenServer).httpAllowHalfOpen = true;
    server.maxHeadersCount = 0;
    const message = (request: IncomingMessage, response: ServerResponse): void => {
      response.sendDate = false;
      // Whether the connection persists without 100 is decided by the engine.
      (response as unknown as ExpectingResponse)._expect_continue = false;
      found({ kind: 'message', message: request, response, original: this.#original ?? request });
    };
    server.on('request', message);
    server.on('checkContinue', message);
    server.on('checkExpectation', message);
    server.on('connect', (request, _socket, rest) => {
      found({ kind: 'connect', message: request, rest });
    });
    server.on('upgrade', (request, socket, rest) => {
      if (!carriesContent(request)) found({ kind: 'upgrade', message: request, rest });
      // Node 26 reads the content itself and hands over another stream: what is behind cannot be had back.
      else if (socket instanceof EngineSocket) this.#again(request, rest);
      else found({ kind: 'fault', error: fault('Upgrade in a request with content', 501) });
    });
    server.on('clientError', (error: NodeJS.ErrnoException) => {
      found({ kind: 'fault', error: parserFault(error, maxHeaderBytes) });
    });
    this.#server = server;
    this.socket = undefined;
  }

  /** The socket that Node reads. */
  socket: EngineSocket | undefined;
  /** Makes the next socket. Set by the engine. */
  renew: (() => EngineSocket) | undefined;

  /** Lets Node read a socket. */
  attach(socket: EngineSocket): void {
    this.socket = socket;
    this.#server.emit('connection', socket);
    // From here on what is pushed is parsed before push returns.
    socket.read(0);
  }

  /** Reads a request's head again, without Upgrade; what follows it is read behind it. */
  #again(message: IncomingMessage, rest: Uint8Array): void {
    this.decline(message);
    if (rest.length > 0) this.socket?.push(rest);
  }

  /** Gives the head to a fresh parser, which finds a message this time. */
  decline(message: IncomingMessage): void {
    const socket = this.renew?.();
    if (socket === undefined) return;
    this.#original = message;
    this.attach(socket);
    socket.push(Buffer.from(headWithoutUpgrade(message), 'latin1'));
    this.#original = undefined;
  }

  /** Node's response to a request whose socket was handed over and is not taken. */
  responseTo(message: IncomingMessage, socket: EngineSocket): ServerResponse {
    const response = new ServerResponse(message);
    response.sendDate = false;
    response.assignSocket(socket as unknown as Parameters<ServerResponse['assignSocket']>[0]);
    return response;
  }

  /** Stops listening to what Node finds. */
  close(): void {
    this.#server.removeAllListeners();
    this.#server.on('clientError', () => undefined);
  }
}

function carriesContent(message: IncomingMessage): boolean {
  const { headers } = message;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Behind a head with Upgrade Node's parser drops what is no request: so it is left out. */
function headWithoutUpgrade(message: IncomingMessage): string {
  let text = `${message.method ?? ''} ${message.url ?? ''} HTTP/${message.httpVersion}\r\n`;
  const { rawHeaders } = message;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    let value = rawHeaders[index + 1] as string;
    if (name.toLowerCase() === 'upgrade') continue;
    if (name.toLowerCase() === 'connection') {
      value = members(value)
        .filter((member) => member.toLowerCase() !== 'upgrade')
        .join(', ');
      if (value === '') continue;
    }
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}

/** Node's word for what is wrong, as one of ours. */
function parserFault(error: NodeJS.ErrnoException, maxHeaderBytes: number): HfaceError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return limitFault('maxHeaderBytes', maxHeaderBytes, 431);
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return fault('too many chunk extensions', 413, undefined, error);
    case 'HPE_INVALID_METHOD':
      return fault('malformed method', 400, undefined, error);
    default:
      return fault(error.message, 400, undefined, error);
  }
}
