/**
 * The states of an HTTP/1 connection, and every transition between them.
 *
 * Theory of operation. Two rules: all of the connection's protocol state is here, and nobody else assigns it. Each side
 * has two coupled machines, what the bytes are that come in (`receive`) and what may be sent (`send`). An input moves
 * both; which inputs are legal is asked first, with the predicates; an illegal one is a defect of the engine.
 *
 * Server. One exchange at a time, since the next request is read only when the one before is over:
 *
 *     receive: idle -> head -> body -> complete -> idle ...          send: idle -> head -> body -> complete -> idle ...
 *                         \_____________/^                                    (1xx stay in head)  \______/^
 *                               complete ----accepted----> tunnel <----accepted---- head
 *
 *     requestBegins   receive idle -> head
 *     requestHead     receive head -> body | complete     send idle -> head
 *     requestEnds     receive body -> complete
 *     responseHead    send head -> body
 *     responseEnds    send body -> complete
 *     exchangeEnds    receive complete -> idle            send complete -> idle
 *     tunnelOpens     receive complete -> tunnel          send head -> tunnel
 *
 * Client. Requests may wait in a row, so its sending machine is about the last request and its receiving machine about
 * the first response that is due:
 *
 *     send: idle -> body -> idle ...                                 receive: idle -> head -> body -> idle | head ...
 *           idle -> waiting (CONNECT, Upgrade: nothing may follow) -> tunnel | idle
 *
 *     requestHead     send idle -> body | idle | waiting  receive idle -> head
 *     requestEnds     send body -> idle
 *     responseHead    receive head -> body
 *     responseEnds    receive head | body -> head | idle  send waiting -> idle
 *     tunnelOpens     receive head -> tunnel              send waiting -> tunnel
 *
 * Both. A tunnel's directions end one by one: receive tunnel -> complete, send tunnel -> complete. `ends` is legal
 * always and leads to `over`, from where nothing leads on.
 *
 * @module
 */

/** What the bytes are that come in. */
export type ReceiveState = 'idle' | 'head' | 'body' | 'complete' | 'tunnel' | 'over';
/** What may be sent. */
export type SendState = 'idle' | 'head' | 'body' | 'waiting' | 'complete' | 'tunnel' | 'over';

/** The part that both sides share: the two fields, tunnels and the end. */
class ConnectionState {
  #receive: ReceiveState;
  #send: SendState;

  constructor() {
    this.#receive = 'idle';
    this.#send = 'idle';
  }

  /** What the bytes are that come in. */
  get receive(): ReceiveState {
    return this.#receive;
  }

  /** What may be sent. */
  get send(): SendState {
    return this.#send;
  }

  /** The peer ended its direction of a tunnel. */
  tunnelInputEnds(): void {
    this.moveReceive('tunnel', 'complete');
  }

  /** This side ended its direction of a tunnel. */
  tunnelOutputEnds(): void {
    this.moveSend('tunnel', 'complete');
  }

  /** No message passes any more. */
  ends(): void {
    this.#receive = 'over';
    this.#send = 'over';
  }

  protected moveReceive(from: ReceiveState, to: ReceiveState): void {
    if (this.#receive !== from) throw new Error(`HTTP/1 engine: receive is ${this.#receive}, not ${from}`);
    this.#receive = to;
  }

  protected moveSend(from: SendState, to: SendState): void {
    if (this.#send !== from) throw new Error(`HTTP/1 engine: send is ${this.#send}, not ${from}`);
    this.#send = to;
  }
}

/** The server's machines. */
export class ServerState extends ConnectionState {
  /** The first octet of a head is there. */
  requestBegins(): void {
    this.moveReceive('idle', 'head');
  }

  /** A head was read. */
  requestHead(hasBody: boolean): void {
    this.moveReceive('head', hasBody ? 'body' : 'complete');
    this.moveSend('idle', 'head');
  }

  /** The last octet of a request was read. */
  requestEnds(): void {
    this.moveReceive('body', 'complete');
  }

  /** A final head was submitted. */
  responseHead(): void {
    this.moveSend('head', 'body');
  }

  /** The response was submitted whole. */
  responseEnds(): void {
    this.moveSend('body', 'complete');
  }

  /** Whether request and response are both whole. */
  get exchangeOver(): boolean {
    return this.receive === 'complete' && this.send === 'complete';
  }

  /** The next request may come. */
  exchangeEnds(): void {
    this.moveReceive('complete', 'idle');
    this.moveSend('complete', 'idle');
  }

  /** A CONNECT or Upgrade was accepted. */
  tunnelOpens(): void {
    this.moveReceive('complete', 'tunnel');
    this.moveSend('head', 'tunnel');
  }
}

/** What follows a request's head in the client's sending direction. */
export type AfterRequestHead = 'body' | 'idle' | 'waiting';

/** The client's machines. */
export class ClientState extends ConnectionState {
  /** A request's head was submitted. */
  requestHead(next: AfterRequestHead): void {
    this.moveSend('idle', next);
    if (this.receive === 'idle') this.moveReceive('idle', 'head');
  }

  /** A request was submitted whole. */
  requestEnds(): void {
    this.moveSend('body', 'idle');
  }

  /** A final head was read, and content follows. */
  responseHead(): void {
    this.moveReceive('head', 'body');
  }

  /** A response was read whole; `more`: another is due. */
  responseEnds(more: boolean): void {
    this.moveReceive(this.receive === 'head' ? 'head' : 'body', more ? 'head' : 'idle');
    if (this.send === 'waiting') this.moveSend('waiting', 'idle');
  }

  /** A CONNECT or Upgrade was accepted. */
  tunnelOpens(): void {
    this.moveReceive('head', 'tunnel');
    this.moveSend('waiting', 'tunnel');
  }
}
