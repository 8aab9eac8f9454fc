/**
 * Opens connections over QUIC.
 *
 * Owns the race between a host's addresses (RFC 8305: a second one is tried 250 ms after the first, the first handshake
 * that is done wins), the timers, and what is remembered of servers. One attempt is in quic-attempt.ts.
 *
 * A certificate that is refused ends the race: another address of the same host would not be asked over TCP either.
 *
 * @module
 */
import { isIP } from 'node:net';
import { bracketHost, ConfigurationError, NetworkError, TimeoutError } from '../common/index.ts';
import type { ClientTlsConfig, HostPort, Origin } from '../common/index.ts';
import { nodeCryptoProvider } from '../crypto/index.ts';
import { Deadline, linkSignals, throwIfAborted } from '../concurrency/index.ts';
import { raceAddresses } from '../networking/index.ts';
import type { ServerChains, UdpClientNetworking } from '../networking/index.ts';
import type { HttpOverQuicClientFactory } from '../protocols/index.ts';
import { engineIdentity, quicLimitValues } from '../protocols/quic/index.ts';
import type { QuicLimitValues } from '../protocols/quic/index.ts';
import { HttpConnection } from './http-connection.ts';
import type { ExpectedUse, HttpOpener, HttpOpenOptions } from './http-opener.ts';
import { addressKey, QuicAttempt } from './quic-attempt.ts';
import type { OpenedQuic, QuicAttemptPlan } from './quic-attempt.ts';
import { QuicSessions } from './quic-sessions.ts';
import type { QuicTraces } from './quic-traces.ts';

/** What a {@link HttpOverQuicOpener} is made of. */
export interface HttpOverQuicOpenerOptions {
  /** Sockets, a simulation, or a way through a proxy. */
  readonly networking: UdpClientNetworking;
  /** Makes the engines; its ALPN list is what TLS offers. */
  readonly factory: HttpOverQuicClientFactory;
  /** Overrides of the limits of QUIC: `idleTimeout`, `maxStreamWindow` … See `quicLimits`. */
  readonly quicLimits?: Readonly<Record<string, number | undefined>> | undefined;
  /** What the system shall hold of datagrams that were not read yet, in bytes. Default 4 MiB. */
  readonly receiveBuffer?: number | undefined;
  /** Sessions and tokens, kept longer than this opener lives. Default: its own. */
  readonly sessions?: QuicSessions | undefined;
  /**
   * Whether requests that are safe to repeat may go out before the handshake is complete, to servers that were met before
   * and allow it: 0-RTT. Somebody on the way can send them to the server again (RFC 8446 section 8, RFC 8470). Default false.
   */
  readonly earlyData?: boolean | undefined;
  /**
   * Whether each server is asked for its versions first, in a version that is reserved for asking (RFC 9000 section 15).
   * It costs a round trip, and shows that servers and what lies before them negotiate versions as they shall. Default false.
   */
  readonly versionProbe?: boolean | undefined;
  /** Logs what happens on each connection. Slow; for debugging. */
  readonly traces?: QuicTraces | undefined;
}

/** How long connecting and a handshake may take each, in milliseconds. */
const DEFAULT_TIMEOUT = 10_000;
/** A client asks for a sign of life well before the idle timeout of either side (RFC 9114 section 5.1). */
const KEEP_ALIVE = 10_000;
/** So that what is kept under no configuration has one place. */
const PLAIN_TLS: ClientTlsConfig = Object.freeze({});

/** {@link HttpOpener} over QUIC. */
export class HttpOverQuicOpener implements HttpOpener {
  readonly #options: HttpOverQuicOpenerOptions;
  readonly #limits: QuicLimitValues;
  readonly #sessions: QuicSessions;
  readonly #chains: WeakMap<ClientTlsConfig, ServerChains>;

  /** @throws ConfigurationError for limits that do not exist */
  constructor(options: HttpOverQuicOpenerOptions) {
    this.#options = options;
    this.#limits = quicLimitValues({ keepAliveInterval: KEEP_ALIVE, ...options.quicLimits });
    this.#sessions = options.sessions ?? new QuicSessions();
    this.#chains = new WeakMap();
  }

  /** HTTP/3 always carries many. */
  expectedUse(): ExpectedUse {
    return 'many';
  }

  /** @throws NetworkError, TimeoutError, ConfigurationError, or the signal's reason */
  async open(options: HttpOpenOptions): Promise<HttpConnection> {
    const { origin, signal, timings } = options;
    checkTarget(options);
    throwIfAborted(signal);
    const { networking } = this.#options;
    const { clock } = networking;
    const target = `${bracketHost(origin.host)}:${String(origin.port)}`;
    const milliseconds = options.connectTimeout ?? DEFAULT_TIMEOUT;
    const connecting = new Deadline(clock, { timer: 'connect', milliseconds, signal });
    const refused = new AbortController();
    try {
      const addresses = await networking.findAddresses({
        target: { host: origin.host, port: origin.port },
        family: options.family,
        signal: connecting.signal,
      });
      if (timings !== undefined) timings.resolved = clock.now();
      return await this.#race(options, target, addresses, connecting, refused);
    } catch (error) {
      if (connecting.error !== undefined && error === connecting.error) {
        const message = `connecting to ${target} over UDP took longer than ${String(milliseconds)} ms`;
        throw new TimeoutError('connect', milliseconds, message);
      }
      throw error;
    } finally {
      connecting[Symbol.dispose]();
    }
  }

  async #race(
    options: HttpOpenOptions,
    target: string,
    addresses: readonly HostPort[],
    connecting: Deadline,
    refused: AbortController,
  ): Promise<HttpConnection> {
    const { clock } = this.#options.networking;
    const { timings, signal } = options;
    const milliseconds = options.handshakeTimeout ?? DEFAULT_TIMEOUT;
    const handshake = new Deadline(clock, { timer: 'handshake', milliseconds, signal });
    // Once somebody has answered only the handshake's time counts.
    let heard = false;
    const linked = linkSignals(connecting.signal, handshake.signal, refused.signal);
    const plan = this.#plan(options, target, () => {
      if (heard) return;
      heard = true;
      if (timings !== undefined) timings.connected = clock.now();
      connecting[Symbol.dispose]();
    });
    try {
      const { driver } = await raceAddresses<OpenedQuic, HostPort>({
        addresses: plan.earlyData ? knownFirst(addresses, plan.memory?.addressOf(plan.memoryKey)) : addresses,
        dial: (address, done) => {
          const attempt = new QuicAttempt(plan, address, (error, opened) => {
            // The server itself has spoken: no other of its addresses will say better.
            if (error?.phase === 'tls') refused.abort(error);
            else done(error, opened);
          });
          attempt.start();
          return () => attempt.cancel();
        },
        clock,
        signal: linked.signal,
        target,
      });
      if (timings !== undefined && !driver.early) timings.secured = clock.now();
      return new HttpConnection(driver);
    } catch (error) {
      if (handshake.error === undefined || error !== handshake.error) throw error;
      const message = `the QUIC handshake with ${target} took longer than ${String(milliseconds)} ms`;
      throw new TimeoutError('handshake', milliseconds, message);
    } finally {
      linked[Symbol.dispose]();
      handshake[Symbol.dispose]();
    }
  }

  #plan(options: HttpOpenOptions, target: string, heard: () => void): QuicAttemptPlan {
    const { networking, factory, receiveBuffer, traces, earlyData = false, versionProbe = false } = this.#options;
    const tls = options.tls ?? PLAIN_TLS;
    const host = tls.serverName ?? options.origin.host;
    const chains = this.#chainsOf(tls);
    const resumes = tls.resumption !== false && chains.allowsResumption;
    return {
      networking,
      factory,
      connect: {
        host,
        serverName: serverNameOf(host),
        alpn: factory.alpnProtocols,
        identity: tls.identity === undefined ? undefined : engineIdentity(nodeCryptoProvider, tls.identity),
        keylog: tls.keylog !== undefined,
        limits: this.#limits,
      },
      tls,
      chains,
      host,
      target,
      memory: resumes ? this.#sessions.of(tls) : undefined,
      memoryKey: `${target} ${host}`,
      earlyData: earlyData && options.early === true && !versionProbe,
      versionProbe,
      receiveBuffer,
      traces,
      heard,
    };
  }

  #chainsOf(tls: ClientTlsConfig): ServerChains {
    let chains = this.#chains.get(tls);
    if (chains === undefined) {
      chains = this.#options.networking.serverChains(tls);
      this.#chains.set(tls, chains);
    }
    return chains;
  }
}

/** The address that has answered before comes first (RFC 8305 section 4): early data is for it alone. */
function knownFirst(addresses: readonly HostPort[], known: string | undefined): readonly HostPort[] {
  const first = addresses.find((address) => addressKey(address) === known);
  return first === undefined ? addresses : [first, ...addresses.filter((address) => address !== first)];
}

function checkTarget(options: HttpOpenOptions): void {
  const { origin, unixPath } = options;
  if (origin.scheme === 'http') {
    throw new NetworkError(`HTTP/3 needs TLS: ${formatted(origin)} is an http URL`, {
      code: 'ERR_UNSUPPORTED',
      phase: 'connect',
    });
  }
  if (unixPath !== undefined) throw new ConfigurationError('HTTP/3 goes through no unix socket');
}

function formatted(origin: Origin): string {
  return `${origin.scheme}://${bracketHost(origin.host)}:${String(origin.port)}`;
}

/** RFC 6066 section 3: literals are not permitted, and the name has no dot at its end. */
function serverNameOf(host: string): string | undefined {
  if (host === '' || isIP(host.split('%', 1)[0] as string) !== 0) return undefined;
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
