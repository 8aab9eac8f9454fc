/**
 * One attempt to open a QUIC connection to one address: a socket, an endpoint for one connection, a handshake.
 *
 * A client's connection has a socket of its own, connected to its server. So the system picks the address from which it
 * leaves, hears nobody else, tells at once when nobody listens, and what comes for one connection takes no room from
 * another. The socket lives as long as the connection.
 *
 * Invariants: `done` is called once, and never after `cancel`; whatever happens, the socket is closed in the end.
 *
 * @module
 */
import { bracketHost, HfaceError, NetworkError, TimeoutError } from '../common/index.ts';
import type { ClientTlsConfig, HostPort } from '../common/index.ts';
import { nodeCryptoProvider } from '../crypto/index.ts';
import type { UdpClientNetworking, UdpSocket } from '../networking/index.ts';
import type { HttpOverQuicClientFactory, ProtocolContext } from '../protocols/index.ts';
import { QuicEndpoint } from '../protocols/quic/index.ts';
import type { QuicConnectionHandle, QuicConnectOptions } from '../protocols/quic/index.ts';
import type { OverQuicDriver } from './over-quic-driver.ts';
import { QuicClientAnswers } from './quic-client-answers.ts';
import type { ServerChainJudge } from './quic-client-answers.ts';
import { QuicEndpointDriver } from './quic-endpoint-driver.ts';
import { QuicFacts } from './quic-facts.ts';
import type { ServerMemory } from './quic-sessions.ts';
import type { QuicTraces } from './quic-traces.ts';

/** What all attempts of one opening have in common. */
export interface QuicAttemptPlan {
  readonly networking: UdpClientNetworking;
  readonly factory: HttpOverQuicClientFactory;
  /** What is offered; session and token are taken by each attempt for itself. */
  readonly connect: Omit<QuicConnectOptions, 'session' | 'token' | 'trace'>;
  readonly tls: ClientTlsConfig;
  readonly chains: ServerChainJudge;
  /** The name or literal that the certificate must be for. */
  readonly host: string;
  /** As messages call it: `example.com:443`. */
  readonly target: string;
  /** Sessions and tokens, and under which name; `undefined`: nothing is resumed. */
  readonly memory: ServerMemory | undefined;
  readonly memoryKey: string;
  readonly receiveBuffer: number | undefined;
  readonly traces: QuicTraces | undefined;
  /** The server has answered something. */
  readonly heard: () => void;
}

/** A connection whose handshake is done. */
export interface OpenedQuic {
  readonly driver: OverQuicDriver;
}

type Done = (error: NetworkError | undefined, opened: OpenedQuic | undefined) => void;

/** An attempt under way, and afterwards the owner of its connection's socket. */
export class QuicAttempt {
  readonly #plan: QuicAttemptPlan;
  readonly #address: HostPort;
  readonly #done: Done;
  readonly #abort: AbortController;
  readonly #doing: string;
  #endpoint: QuicEndpointDriver | undefined;
  /** What was taken from the memory goes back where no server has seen it. */
  #giveBack: (() => void) | undefined;
  #settled: boolean;

  constructor(plan: QuicAttemptPlan, address: HostPort, done: Done) {
    this.#plan = plan;
    this.#address = address;
    this.#done = done;
    this.#abort = new AbortController();
    this.#doing = `QUIC with ${plan.target} failed`;
    this.#endpoint = undefined;
    this.#giveBack = undefined;
    this.#settled = false;
  }

  /** Begins. */
  start(): void {
    this.#open().catch((error: unknown) => this.#fail(error));
  }

  /** Gives it up. */
  cancel(): void {
    this.#settled = true;
    this.#abort.abort();
    this.#giveBackUnseen();
    void this.#endpoint?.close();
  }

  #giveBackUnseen(): void {
    if ((this.#endpoint?.received ?? 0) === 0) this.#giveBack?.();
    this.#giveBack = undefined;
  }

  async #open(): Promise<void> {
    const { networking, receiveBuffer } = this.#plan;
    const { clock, random, keyRandom } = networking;
    const endpoint = new QuicEndpointDriver({
      endpoint: new QuicEndpoint(
        {
          crypto: nodeCryptoProvider,
          random,
          keyRandom,
          keys: {
            connectionIds: random.fill(new Uint8Array(16)),
            reset: random.fill(new Uint8Array(32)),
            tokens: [],
            tickets: [],
          },
          accepts: false,
          epoch: clock.wallTime() - clock.now(),
        },
        clock.now(),
      ),
      clock,
      datagramFailed: (error) => this.#datagramFailed(error),
      heard: () => this.#plan.heard(),
    });
    this.#endpoint = endpoint;
    const { signal } = this.#abort;
    const socket = await networking.connectUdp({ target: this.#address, signal, receiveBuffer }, endpoint);
    if (this.#settled) {
      await socket.close();
      return;
    }
    endpoint.open([socket]);
    this.#connect(endpoint, socket);
  }

  #connect(endpoint: QuicEndpointDriver, socket: UdpSocket): void {
    const { networking, factory, connect, tls, chains, host, memory, memoryKey, traces } = this.#plan;
    const { clock, random } = networking;
    const path = socket.path;
    if (path === undefined) throw new NetworkError(`${this.#doing}: the socket has no peer`, { phase: 'connect' });
    const now = clock.now();
    const trace = traces?.begin('client', path, clock);
    const session = memory?.takeSession(memoryKey);
    const token = memory?.takeToken(memoryKey);
    this.#giveBack = () => {
      if (session !== undefined) memory?.addSession(memoryKey, session);
      if (token !== undefined) memory?.addToken(memoryKey, token);
    };
    const handle = endpoint.endpoint.connect(
      { ...connect, session, token: token ?? EMPTY, trace: trace?.trace },
      path,
      now,
    );
    const { connection } = handle;
    const alpn = factory.alpnProtocols[0];
    const context: ProtocolContext = { secure: true, alpn, epochOffset: clock.wallTime() - clock.now(), random };
    const answers = new QuicClientAnswers(connect.serverName, host, tls.insecure === true, chains, this.#abort.signal);
    endpoint.add(handle, {
      protocol: factory.create(connection, context, now),
      facts: new QuicFacts('3', alpn ?? 'h3', () => connection.currentPath),
      answers,
      settled: (driver, error) => {
        if (error === undefined) this.#succeed(driver);
        else this.#fail(answers.refusal(this.#doing) ?? error);
      },
      notices: () => this.#drainNotices(handle),
      released: () => {
        trace?.end();
        void endpoint.close();
      },
    });
  }

  #drainNotices(handle: QuicConnectionHandle): void {
    const { memory, memoryKey, tls } = this.#plan;
    const { connection } = handle;
    for (let notice = connection.nextNotice(); notice !== undefined; notice = connection.nextNotice()) {
      if (notice.type === 'SessionReceived') memory?.addSession(memoryKey, notice.session);
      else if (notice.type === 'TokenReceived') memory?.addToken(memoryKey, notice.token);
      else tellLine(tls.keylog, notice.line);
    }
  }

  /** Anybody on the way may say that a datagram did not arrive; that counts only while the server has said nothing. */
  #datagramFailed(error: NetworkError): void {
    if (this.#settled || (this.#endpoint?.received ?? 0) > 0 || error.code === 'ERR_DATAGRAM_TOO_LARGE') return;
    const { host, port } = this.#address;
    const where = `${bracketHost(host)}:${String(port)}`;
    const words = WORDS.get(error.code) ?? error.message;
    const failure = new NetworkError(`cannot connect to ${where} over UDP: ${words}`, {
      code: error.code,
      phase: 'connect',
      cause: error,
    });
    this.#fail(failure);
    void this.#endpoint?.close(failure);
  }

  #succeed(driver: OverQuicDriver): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#done(undefined, { driver });
  }

  #fail(error: unknown): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#giveBackUnseen();
    void this.#endpoint?.close();
    this.#done(asNetworkError(error, this.#doing), undefined);
  }
}

const EMPTY = new Uint8Array(0);

const WORDS: ReadonlyMap<string, string> = new Map([
  ['ERR_CONNECTION_REFUSED', 'nobody listens there'],
  ['ERR_UNREACHABLE', 'no route to the host'],
]);

/** TLS alerts for which there is a code of their own (RFC 8446 section 6.2), as over TCP. */
const ALERT_CODES: ReadonlyMap<number, string> = new Map([
  [112, 'ERR_TLS_NAME_UNKNOWN'],
  [116, 'ERR_TLS_CLIENT_CERTIFICATE'],
  [120, 'ERR_TLS_NO_ALPN'],
]);
/** RFC 9000 section 20.1: CRYPTO_ERROR. */
const CRYPTO_ERROR = 0x100;

function asNetworkError(error: unknown, doing: string): NetworkError {
  if (error instanceof NetworkError) return error;
  if (error instanceof TimeoutError) {
    return new NetworkError(`${doing}: the server does not answer`, {
      code: 'ERR_CONNECTION_TIMED_OUT',
      phase: 'connect',
      cause: error,
    });
  }
  const message = error instanceof Error ? error.message : String(error);
  const own = error instanceof HfaceError ? error.code : 'ERR_NETWORK';
  const wireCode = error instanceof HfaceError && 'wireCode' in error ? Number(error.wireCode) : 0;
  const code = (wireCode & ~0xff) === CRYPTO_ERROR ? (ALERT_CODES.get(wireCode & 0xff) ?? 'ERR_TLS') : own;
  return new NetworkError(`${doing}: ${message}`, { code, phase: 'tls', cause: error });
}

function tellLine(keylog: ((line: string) => void) | undefined, line: string): void {
  try {
    keylog?.(line);
  } catch {
    // It has been told.
  }
}
