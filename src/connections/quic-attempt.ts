/**
 * One attempt to open a QUIC connection to one address: a socket, an endpoint for one connection, a handshake.
 *
 * A client's connection has a socket of its own, connected to its server. So the system picks the address from which it
 * leaves, hears nobody else, tells at once when nobody listens, and what comes for one connection takes no room from
 * another. The socket lives as long as the connection.
 *
 * Where that is wanted and a session is at hand that allows it, the connection is done at once: what is asked on it goes
 * out in 0-RTT data, before the server has said a word (RFC 9001 section 4.6). Should it never say one, whoever has the
 * connection is told as one who waited would have been.
 *
 * Invariants: `done` is called once, and never after `cancel`; whatever happens, the socket is closed in the end.
 *
 * @module
 */
import { bracketHost, HfaceError, NetworkError, TimeoutError } from '../common/index.ts';
import type { ClientTlsConfig, HostPort, NetworkPath } from '../common/index.ts';
import { nodeCryptoProvider } from '../crypto/index.ts';
import type { UdpClientNetworking, UdpSocket } from '../networking/index.ts';
import type { HttpOverQuicClientFactory, ProtocolContext } from '../protocols/index.ts';
import { hasOurVersion, QuicEndpoint } from '../protocols/quic/index.ts';
import type { QuicConnectionHandle, QuicConnectOptions } from '../protocols/quic/index.ts';
import type { OverQuicDriver } from './over-quic-driver.ts';
import { QuicClientAnswers } from './quic-client-answers.ts';
import type { ServerChainJudge } from './quic-client-answers.ts';
import { QuicEndpointDriver } from './quic-endpoint-driver.ts';
import { QuicFacts } from './quic-facts.ts';
import { QuicMoves } from './quic-moves.ts';
import type { ServerMemory } from './quic-sessions.ts';
import type { QuicTraces } from './quic-traces.ts';
import { QuicVersionAsker } from './quic-version-asker.ts';

/** What all attempts of one opening have in common. */
export interface QuicAttemptPlan {
  readonly networking: UdpClientNetworking;
  readonly factory: HttpOverQuicClientFactory;
  /** What is offered; session and token are taken by each attempt for itself. */
  readonly connect: Omit<QuicConnectOptions, 'session' | 'token' | 'trace' | 'earlyData'>;
  readonly tls: ClientTlsConfig;
  readonly chains: ServerChainJudge;
  /** The name or literal that the certificate must be for. */
  readonly host: string;
  /** As messages call it: `example.com:443`. */
  readonly target: string;
  /** Sessions and tokens, and under which name; `undefined`: nothing is resumed. */
  readonly memory: ServerMemory | undefined;
  readonly memoryKey: string;
  /** Whether requests may go out in 0-RTT data. */
  readonly earlyData: boolean;
  /** Whether the server is asked for its versions first. */
  readonly versionProbe: boolean;
  readonly receiveBuffer: number | undefined;
  readonly traces: QuicTraces | undefined;
  /** The server has answered something. */
  readonly heard: () => void;
}

/** A connection whose handshake is done, or that takes requests before. */
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
  /** The address, as it is written. */
  readonly #where: string;
  readonly #doing: string;
  #endpoint: QuicEndpointDriver | undefined;
  #moves: QuicMoves | undefined;
  /** What was taken from the memory goes back where no server has seen it. */
  #giveBack: (() => void) | undefined;
  #settled: boolean;

  constructor(plan: QuicAttemptPlan, address: HostPort, done: Done) {
    this.#plan = plan;
    this.#address = address;
    this.#done = done;
    this.#abort = new AbortController();
    this.#where = addressKey(address);
    this.#doing = `QUIC with ${plan.target} failed`;
    this.#endpoint = undefined;
    this.#moves = undefined;
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
      datagramFailed: (error, path) => this.#datagramFailed(error, path),
      socketLost: (error) => this.#socketLost(error),
      heard: () => this.#plan.heard(),
    });
    this.#endpoint = endpoint;
    const { signal } = this.#abort;
    const asker = this.#plan.versionProbe ? new QuicVersionAsker(endpoint, () => this.#plan.heard()) : undefined;
    const socket = await networking.connectUdp({ target: this.#address, signal, receiveBuffer }, asker ?? endpoint);
    // From here on it closes with the endpoint.
    endpoint.open([socket]);
    if (!this.#settled && asker !== undefined) await this.#askVersions(asker, socket);
    if (this.#settled) await socket.close();
    else this.#connect(endpoint, socket);
  }

  /** @throws NetworkError when the server has another version only */
  async #askVersions(asker: QuicVersionAsker, socket: UdpSocket): Promise<void> {
    const { clock, random } = this.#plan.networking;
    if (socket.path === undefined) return;
    const versions = await asker.ask(socket, socket.path, clock, random, this.#abort.signal);
    if (hasOurVersion(versions)) return;
    const listed = versions.map((version) => `0x${version.toString(16)}`).join(', ');
    const reason = `the server does not speak QUIC version 1, but ${listed}`;
    throw new NetworkError(`${this.#doing}: ${reason}`, { code: 'ERR_QUIC_VERSION', phase: 'connect' });
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
      {
        ...connect,
        session,
        token: token ?? EMPTY,
        trace: trace?.trace,
        // Nothing is sent early to an address that may not answer.
        earlyData: this.#plan.earlyData && memory?.addressOf(memoryKey) === this.#where,
        socketPerPath: true,
      },
      path,
      now,
    );
    const { connection } = handle;
    const alpn = factory.alpnProtocols[0];
    const context: ProtocolContext = { secure: true, alpn, epochOffset: clock.wallTime() - clock.now(), random };
    const answers = new QuicClientAnswers(connect.serverName, host, tls.insecure === true, chains, this.#abort.signal);
    const driver = endpoint.add(handle, {
      protocol: factory.create(connection, context, now),
      facts: new QuicFacts('3', alpn ?? 'h3', () => connection.currentPath),
      answers,
      settled: (driver, error) => {
        if (error === undefined) {
          memory?.answeredAt(memoryKey, this.#where);
          this.#succeed(driver);
        } else this.#fail(answers.refusal(this.#doing) ?? error);
      },
      explain: (error) =>
        error.initiator === 'application' ? error : asNetworkError(answers.refusal(this.#doing) ?? error, this.#doing),
      notices: () => {
        this.#drainNotices(handle);
        moves.look();
      },
      migrate: () => moves.move(),
      released: () => {
        moves.end();
        trace?.end();
        void endpoint.close();
      },
    });
    const moves = new QuicMoves({
      networking,
      endpoint,
      connection,
      first: socket,
      receiveBuffer: this.#plan.receiveBuffer,
      wake: () => driver.wake(),
    });
    this.#moves = moves;
    if (connection.earlyDataAvailable) {
      // Whatever becomes of it: early data is not sent twice under one ticket (RFC 8446 section 8).
      this.#giveBack = undefined;
      this.#succeed(driver);
    }
  }

  #drainNotices(handle: QuicConnectionHandle): void {
    const { memory, memoryKey, tls } = this.#plan;
    const { connection } = handle;
    for (let notice = connection.nextNotice(); notice !== undefined; notice = connection.nextNotice()) {
      if (notice.type === 'SessionReceived') memory?.addSession(memoryKey, notice.session);
      else if (notice.type === 'TokenReceived') memory?.addToken(memoryKey, notice.token);
      else if (notice.type === 'PreferredAddressOffered') this.#moves?.preferred(notice.remote);
      else tellLine(tls.keylog, notice.line);
    }
  }

  /** Anybody on the way may say that a datagram did not arrive; that counts only while the server has said nothing. */
  #datagramFailed(error: NetworkError, path: NetworkPath | undefined): void {
    this.#moves?.datagramFailed(error, path);
    if ((this.#endpoint?.received ?? 0) > 0 || error.code === 'ERR_DATAGRAM_TOO_LARGE') return;
    const words = WORDS.get(error.code) ?? error.message;
    const failure = new NetworkError(`cannot connect to ${this.#where} over UDP: ${words}`, {
      code: error.code,
      phase: 'connect',
      cause: error,
    });
    // Nobody is there to be told: the connection ends without a word.
    this.#endpoint?.lost(failure);
    this.#fail(failure);
    void this.#endpoint?.close(failure);
  }

  /** There may be another one; until then what is sent is lost, as on a bad network. */
  #socketLost(error: NetworkError): boolean {
    const moves = this.#moves;
    if (moves === undefined || !this.#settled) return false;
    void moves.move().then((moved) => {
      if (!moved) this.#endpoint?.lost(error);
    });
    return true;
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

/** How {@link ServerMemory} calls an address. */
export function addressKey({ host, port }: HostPort): string {
  return `${bracketHost(host)}:${String(port)}`;
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
