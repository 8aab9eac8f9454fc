/**
 * Opens connections over QUIC where that works, over TCP otherwise.
 *
 * Owns the race (RFC 9114 section 3.1 and its note on falling back): QUIC begins, TCP follows after 250 ms or as soon
 * as QUIC has failed, the first connection that is ready is used and the other one is given up. Connections race,
 * requests never do. Without TLS there is TCP alone, so is there for a request that needs Upgrade.
 *
 * @module
 */
import { NetworkError } from '../common/index.ts';
import type { Clock, Origin, ScheduledCallback } from '../common/index.ts';
import { CancelledError, linkSignals } from '../concurrency/index.ts';
import type { HttpConnection } from './http-connection.ts';
import type { ExpectedUse, HttpOpener, HttpOpenOptions } from './http-opener.ts';

/** RFC 8305 section 8: the Connection Attempt Delay, in milliseconds. */
const ATTEMPT_DELAY = 250;

/** {@link HttpOpener} over QUIC and TCP. */
export class HttpRacingOpener implements HttpOpener {
  readonly #quic: HttpOpener;
  readonly #tcp: HttpOpener;
  readonly #clock: Clock;

  constructor(quic: HttpOpener, tcp: HttpOpener, clock: Clock) {
    this.#quic = quic;
    this.#tcp = tcp;
    this.#clock = clock;
  }

  /** What TCP carries, where it may come to that. */
  expectedUse(scheme: Origin['scheme']): ExpectedUse {
    const use = this.#tcp.expectedUse?.(scheme) ?? 'one';
    return scheme === 'https' && use === 'one' ? 'unknown' : use;
  }

  /** @throws as the openers do; where both fail, what TCP says, with what QUIC says */
  open(options: HttpOpenOptions): Promise<HttpConnection> {
    if (options.origin.scheme === 'http' || options.unixPath !== undefined || options.upgradable === true) {
      return this.#tcp.open(options);
    }
    return new Promise((resolve, reject) => {
      new Race(this.#quic, this.#tcp, this.#clock, options, resolve, reject).start();
    });
  }
}

/** A race under way. */
class Race {
  readonly #quic: HttpOpener;
  readonly #tcp: HttpOpener;
  readonly #clock: Clock;
  readonly #options: HttpOpenOptions;
  readonly #resolve: (connection: HttpConnection) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #givenUp: AbortController;
  #timer: ScheduledCallback | undefined;
  #running: number;
  #quicError: unknown;
  #tcpError: unknown;
  #tcpStarted: boolean;
  #won: boolean;

  constructor(
    quic: HttpOpener,
    tcp: HttpOpener,
    clock: Clock,
    options: HttpOpenOptions,
    resolve: (connection: HttpConnection) => void,
    reject: (reason: unknown) => void,
  ) {
    this.#quic = quic;
    this.#tcp = tcp;
    this.#clock = clock;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#givenUp = new AbortController();
    this.#timer = undefined;
    this.#running = 0;
    this.#quicError = undefined;
    this.#tcpError = undefined;
    this.#tcpStarted = false;
    this.#won = false;
  }

  start(): void {
    this.#timer = this.#clock.schedule(this.#clock.now() + ATTEMPT_DELAY, () => this.#startTcp());
    this.#begin(this.#quic);
  }

  #startTcp(): void {
    this.#timer?.cancel();
    if (this.#tcpStarted || this.#won) return;
    this.#tcpStarted = true;
    this.#begin(this.#tcp);
  }

  #begin(opener: HttpOpener): void {
    this.#running += 1;
    const { signal } = this.#options;
    const linked = linkSignals(signal, this.#givenUp.signal);
    opener
      .open({ ...this.#options, signal: linked.signal })
      .then(
        (connection) => this.#opened(connection),
        (error: unknown) => this.#failed(opener, error),
      )
      .finally(() => linked[Symbol.dispose]());
  }

  #opened(connection: HttpConnection): void {
    if (this.#won) {
      void connection.close();
      return;
    }
    this.#won = true;
    this.#timer?.cancel();
    this.#resolve(connection);
    this.#givenUp.abort(new CancelledError('another connection was first'));
  }

  #failed(opener: HttpOpener, error: unknown): void {
    this.#running -= 1;
    if (this.#won) return;
    if (opener === this.#quic) this.#quicError = error;
    else this.#tcpError = error;
    if (this.#options.signal?.aborted === true) {
      this.#timer?.cancel();
      this.#won = true;
      this.#reject(error);
      return;
    }
    if (!this.#tcpStarted) this.#startTcp();
    else if (this.#running === 0) this.#reject(bothFailed(this.#quicError, this.#tcpError));
  }
}

function bothFailed(quic: unknown, tcp: unknown): unknown {
  if (!(tcp instanceof NetworkError)) return tcp;
  const other = quic instanceof Error ? quic.message : String(quic);
  return new NetworkError(`${tcp.message} (and ${other})`, { code: tcp.code, phase: tcp.phase, cause: tcp.cause });
}
