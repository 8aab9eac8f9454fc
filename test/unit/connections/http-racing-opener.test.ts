/** The race of QUIC and TCP, with openers that the test plays (RFC 9114 section 3.1, RFC 8305). */
import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../../src/common/index.ts';
import type { HttpConnection, HttpOpener, HttpOpenOptions } from '../../../src/connections/index.ts';
import { HttpRacingOpener } from '../../../src/connections/index.ts';
import type { ExpectedUse } from '../../../src/connections/http-opener.ts';
import { ManualClock } from '../concurrency/manual-clock.ts';

/** An opener whose attempts end when the test says so. */
class PlayedOpener implements HttpOpener {
  readonly attempts: PlayedAttempt[] = [];
  readonly #use: ExpectedUse;

  constructor(use: ExpectedUse) {
    this.#use = use;
  }

  expectedUse(): ExpectedUse {
    return this.#use;
  }

  open(options: HttpOpenOptions): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      this.attempts.push(new PlayedAttempt(options, resolve, reject));
    });
  }

  get last(): PlayedAttempt {
    const attempt = this.attempts.at(-1);
    if (attempt === undefined) throw new Error('nothing was opened');
    return attempt;
  }
}

class PlayedAttempt {
  readonly options: HttpOpenOptions;
  readonly fail: (error: unknown) => void;
  readonly #resolve: (connection: HttpConnection) => void;

  constructor(options: HttpOpenOptions, resolve: (connection: HttpConnection) => void, fail: (error: unknown) => void) {
    this.options = options;
    this.fail = fail;
    this.#resolve = resolve;
  }

  get givenUp(): boolean {
    return this.options.signal?.aborted === true;
  }

  /** A connection, of which nothing is asked but to be closed. */
  succeed(): { readonly connection: HttpConnection; readonly closed: () => number } {
    let closes = 0;
    const connection = {
      close: () => {
        closes += 1;
        return Promise.resolve();
      },
    } as unknown as HttpConnection;
    this.#resolve(connection);
    return { connection, closed: () => closes };
  }
}

const origin = { scheme: 'https', host: 'h.test', port: 443 } as const;

function play(options: Partial<HttpOpenOptions> = {}) {
  const clock = new ManualClock();
  const quic = new PlayedOpener('many');
  const tcp = new PlayedOpener('unknown');
  const racing = new HttpRacingOpener(quic, tcp, clock);
  const outcome: { connection?: HttpConnection; error?: unknown } = {};
  const done = racing.open({ origin, ...options }).then(
    (connection) => void (outcome.connection = connection),
    (error: unknown) => void (outcome.error = error),
  );
  return { clock, quic, tcp, outcome, done };
}

/** All that waits in promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe('the race of QUIC and TCP', () => {
  it('is QUIC alone for 250 ms, and over when that is ready', async () => {
    const { clock, quic, tcp, outcome, done } = play();
    clock.advance(249);
    expect(tcp.attempts).toEqual([]);
    const { connection, closed } = quic.last.succeed();
    await done;
    expect(outcome).toEqual({ connection });
    clock.advance(1_000);
    expect([tcp.attempts.length, clock.pending, closed()]).toEqual([0, 0, 0]);
  });

  it('has TCP in it from then on; whichever is first is used, the other one is given up', async () => {
    const { clock, quic, tcp, outcome, done } = play();
    clock.advance(250);
    expect(tcp.attempts.length).toBe(1);
    const { connection } = tcp.last.succeed();
    await done;
    expect(outcome).toEqual({ connection });
    expect(quic.last.givenUp).toBe(true);
    quic.last.fail(quic.last.options.signal?.reason);
    await settle();
    expect(clock.pending).toBe(0);
  });

  it('closes the connection that is ready second', async () => {
    const { clock, quic, tcp, outcome, done } = play();
    clock.advance(250);
    const { connection } = quic.last.succeed();
    const late = tcp.last.succeed();
    await done;
    await settle();
    expect(outcome).toEqual({ connection });
    expect(late.closed()).toBe(1);
  });

  it('has TCP in it at once when QUIC has failed', async () => {
    const { clock, quic, tcp, outcome, done } = play();
    quic.last.fail(new NetworkError('no UDP here', { code: 'ERR_UNREACHABLE', phase: 'connect' }));
    await settle();
    expect([tcp.attempts.length, clock.pending]).toEqual([1, 0]);
    const { connection } = tcp.last.succeed();
    await done;
    expect(outcome).toEqual({ connection });
  });

  it('goes on with QUIC when TCP has failed', async () => {
    const { clock, quic, tcp, outcome, done } = play();
    clock.advance(250);
    tcp.last.fail(new NetworkError('refused', { code: 'ERR_CONNECTION_REFUSED', phase: 'connect' }));
    await settle();
    expect(outcome).toEqual({});
    const { connection } = quic.last.succeed();
    await done;
    expect(outcome).toEqual({ connection });
  });

  it('fails with what TCP says, and names what QUIC said', async () => {
    for (const first of ['quic', 'tcp'] as const) {
      const { clock, quic, tcp, outcome, done } = play();
      clock.advance(250);
      const ofQuic = new NetworkError('no UDP here', { code: 'ERR_UNREACHABLE', phase: 'connect' });
      const ofTcp = new NetworkError('refused', { code: 'ERR_CONNECTION_REFUSED', phase: 'connect' });
      if (first === 'quic') quic.last.fail(ofQuic);
      tcp.last.fail(ofTcp);
      await settle();
      if (first === 'tcp') quic.last.fail(ofQuic);
      await done;
      expect(outcome.error).toMatchObject({
        code: 'ERR_CONNECTION_REFUSED',
        phase: 'connect',
        message: 'refused (and no UDP here)',
      });
    }
  });

  it('fails with what TCP threw where that is no failure of the network', async () => {
    const { clock, quic, tcp, outcome, done } = play();
    clock.advance(250);
    const misuse = new Error('misuse');
    tcp.last.fail(misuse);
    quic.last.fail('nothing to say');
    await done;
    expect(outcome.error).toBe(misuse);
  });

  it('ends with the signal, and begins nothing afterwards', async () => {
    const controller = new AbortController();
    const { clock, quic, tcp, outcome, done } = play({ signal: controller.signal });
    const reason = new Error('enough');
    controller.abort(reason);
    expect(quic.last.givenUp).toBe(true);
    quic.last.fail(quic.last.options.signal?.reason);
    await done;
    clock.advance(1_000);
    expect(outcome.error).toBe(reason);
    expect([tcp.attempts.length, clock.pending]).toEqual([0, 0]);
  });

  it('is none where QUIC cannot be: without TLS, on a unix socket, for an Upgrade', () => {
    for (const options of [
      { origin: { scheme: 'http', host: 'h.test', port: 80 } as const },
      { unixPath: '/run/h.sock' },
      { upgradable: true },
    ]) {
      const { clock, quic, tcp } = play(options);
      expect([quic.attempts.length, tcp.attempts.length, clock.pending]).toEqual([0, 1, 0]);
    }
  });

  it('expects what TCP does, but where that carries one request at a time QUIC may carry many', () => {
    const clock = new ManualClock();
    const silent: HttpOpener = { open: () => Promise.reject(new Error('never opened')) };
    const expected = (use: ExpectedUse | undefined, scheme: 'http' | 'https'): ExpectedUse => {
      const tcp = use === undefined ? silent : new PlayedOpener(use);
      return new HttpRacingOpener(new PlayedOpener('many'), tcp, clock).expectedUse(scheme);
    };
    expect([expected('one', 'https'), expected('one', 'http')]).toEqual(['unknown', 'one']);
    expect([expected('many', 'https'), expected('unknown', 'https')]).toEqual(['many', 'unknown']);
    expect([expected(undefined, 'https'), expected(undefined, 'http')]).toEqual(['unknown', 'one']);
  });

  it('passes on what the connection is for', () => {
    const timings = { started: 0, resolved: undefined, connected: undefined, secured: undefined };
    const options = { family: 'ipv4', connectTimeout: 5, handshakeTimeout: 6, early: true, timings } as const;
    const { clock, quic, tcp } = play(options);
    clock.advance(250);
    expect(quic.last.options).toMatchObject({ origin, ...options });
    expect(tcp.last.options).toMatchObject({ origin, ...options });
  });
});
