/**
 * What our own client computes for a small exchange over HTTP/1.1, without the system below it: requests as bytes into a
 * stream, answers as bytes out of it, over as many streams in turn as there would be connections.
 *
 * Absolute figures, to be compared between two states of the sources on one machine. HFACE_BENCH_ROUNDS (default 9) and
 * HFACE_BENCH_ONLY as in http1-client.
 *
 * @module
 */
import { Client } from '../src/client/index.ts';
import type { ClientRequestHandle, ClientRequestHandler, ClientSession } from '../src/client/index.ts';
import { canned } from './support/canned.ts';
import { median } from './support/rounds.ts';
import { SilentClientNetworking } from './support/silent-networking.ts';

const STREAMS = 32;
const BATCHES = 300;
const URL = 'http://127.0.0.1:40000/';
const ANSWER = Buffer.from(canned['hello']?.answer ?? '', 'latin1');
const BODY = canned['post']?.body ?? '';
const LENGTH = canned['hello']?.content.length ?? 0;
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '9');
const only = process.env['HFACE_BENCH_ONLY']?.split(',');

class Taker implements ClientRequestHandler {
  readonly #done: (length: number) => void;
  handle: ClientRequestHandle | undefined;
  #length: number;

  constructor(done: (length: number) => void) {
    this.#done = done;
    this.handle = undefined;
    this.#length = 0;
  }

  informationalReceived(): void {}
  headersReceived(): void {}
  dataReceived(data: Uint8Array, length: number): void {
    this.#length += data.length;
    this.handle?.dataConsumed(length);
  }
  trailersReceived(): void {}
  failed(error: Error): void {
    throw error;
  }
  closed(): void {
    this.#done(this.#length);
  }
}

/** One request; `done` is given the length of its content. */
const ways: Readonly<Record<string, (session: ClientSession, done: (length: number) => void) => void>> = {
  'callback core': (session, done) => {
    const taker = new Taker(done);
    taker.handle = session.request({ url: URL }, taker);
  },
  'session.dispatch': (session, done) => {
    void session
      .dispatch({ url: URL })
      .then((response) => response.text())
      .then((text) => done(text.length));
  },
  'dispatch POST': (session, done) => {
    void session
      .dispatch({ url: URL, method: 'POST', body: BODY, headers: { 'content-type': 'application/json' } })
      .then((response) => response.text())
      .then((text) => done(text.length));
  },
  'fetch POST': (session, done) => {
    void session
      .fetch(URL, { method: 'POST', body: BODY, headers: { 'content-type': 'application/json' } })
      .then((response) => response.text())
      .then((text) => done(text.length));
  },
  'session.fetch': (session, done) => {
    void session
      .fetch(URL)
      .then((response) => response.text())
      .then((text) => done(text.length));
  },
};

for (const [name, ask] of Object.entries(ways)) {
  if (only !== undefined && !only.includes(name)) continue;
  const networking = new SilentClientNetworking();
  const session = new Client({ networking, pool: { maxConnectionsPerOrigin: STREAMS } }).session();
  let answered = 0;
  const done = (length: number): void => {
    if (length !== LENGTH) throw new Error(`${name} was given ${String(length)} octets`);
    answered += 1;
  };
  /** Microseconds of computing a request. */
  const measure = async (): Promise<number> => {
    const before = process.cpuUsage();
    for (let batch = 0; batch < BATCHES; batch += 1) {
      for (let stream = 0; stream < STREAMS; stream += 1) ask(session, done);
      await turn();
      for (const stream of networking.streams) stream.receive(Buffer.from(ANSWER));
      await turn();
    }
    const { user, system } = process.cpuUsage(before);
    return (user + system) / (BATCHES * STREAMS);
  };
  for (let warm = 0; warm < 3; warm += 1) await measure();
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) costs.push(await measure());
  if (answered !== BATCHES * STREAMS * (rounds + 3)) throw new Error(`${name} was not answered ${String(answered)}`);
  if (networking.streams.length !== STREAMS) throw new Error(`${name} has opened other connections`);
  console.log(
    `${name.padEnd(16)} ${median(costs).toFixed(2).padStart(7)} µs/request (least ${Math.min(...costs).toFixed(2)})`,
  );
}
process.exit();

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
