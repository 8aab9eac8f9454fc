/**
 * What our own code computes for the smallest answer over HTTP/1.1, without the system below it: requests as bytes into a
 * stream, answers as bytes out of it, over as many streams in turn as there would be connections.
 *
 * Absolute figures, to be compared between two states of the sources on one machine. HFACE_BENCH_ROUNDS (default 9),
 * HFACE_BENCH_ONLY and HFACE_BENCH_SCENARIOS (one of them: hello or echo) as in http1-server.
 *
 * @module
 */
import { AppServer } from '../src/server/index.ts';
import { defaultServerFactory, HttpOverTcpListener, serveExchanges } from '../src/connections/index.ts';
import { answerConnection, apps, BYTES_TYPE, ECHO, ExchangeAnswers, TEXT } from './support/answers.ts';
import type { Scenario } from './support/answers.ts';
import { median } from './support/rounds.ts';
import { SilentNetworking } from './support/silent-networking.ts';
import type { SilentStream } from './support/silent-networking.ts';

const STREAMS = 32;
const BATCHES = 300;
const scenario = (process.env['HFACE_BENCH_SCENARIOS'] ?? 'hello') as Scenario;
const REQUEST = Buffer.from(
  scenario === 'echo'
    ? `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: ${BYTES_TYPE}\r\nContent-Length: ${String(ECHO.length)}\r\n\r\n${ECHO}`
    : 'GET / HTTP/1.1\r\nHost: 127.0.0.1:40000\r\n\r\n',
);
const rounds = Number(process.env['HFACE_BENCH_ROUNDS'] ?? '9');
const only = process.env['HFACE_BENCH_ONLY']?.split(';');

const endpoint = { scheme: 'http', host: '127.0.0.1', port: 0, unixPath: undefined } as const;

const starts: Readonly<Record<string, (networking: SilentNetworking) => Promise<unknown>>> = {
  HttpConnection: (networking) =>
    new HttpOverTcpListener({ networking, factory: defaultServerFactory() }).listen(endpoint, {
      connectionAccepted: (connection) => answerConnection(connection, scenario),
    }),
  exchanges: (networking) => {
    const handler = new ExchangeAnswers(networking.clock, scenario);
    return new HttpOverTcpListener({ networking, factory: defaultServerFactory() }).listen(endpoint, {
      connectionAccepted: (connection) => void serveExchanges(connection, handler),
    });
  },
  'ASGI-style': (networking) => new AppServer(apps[scenario].asgi, { networking }).listen('http://127.0.0.1:0'),
  'Fetch-style, our Response': (networking) =>
    new AppServer(apps[scenario].fast, { networking }).listen('http://127.0.0.1:0'),
  'Fetch-style, native Response': (networking) =>
    new AppServer(apps[scenario].native, { networking }).listen('http://127.0.0.1:0'),
};

/** Microseconds of computing a request, over all streams in turn. */
async function measure(streams: readonly SilentStream[]): Promise<number> {
  const before = process.cpuUsage();
  for (let batch = 0; batch < BATCHES; batch += 1) {
    for (const stream of streams) stream.receive(Buffer.from(REQUEST));
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (BATCHES * streams.length);
}

for (const [name, start] of Object.entries(starts)) {
  if (only !== undefined && !only.includes(name)) continue;
  const networking = new SilentNetworking();
  await start(networking);
  const streams = Array.from({ length: STREAMS }, () => networking.accept());
  for (let warm = 0; warm < 3; warm += 1) await measure(streams);
  const costs: number[] = [];
  for (let round = 0; round < rounds; round += 1) costs.push(await measure(streams));
  for (const stream of streams) {
    const answered = Buffer.from(stream.last)
      .toString('latin1')
      .endsWith(scenario === 'echo' ? ECHO : `\r\n\r\n${TEXT}`);
    if (!answered || stream.writes !== BATCHES * (rounds + 3)) throw new Error(`${name} has not answered everything`);
  }
  console.log(
    `${name.padEnd(28)} ${median(costs).toFixed(2).padStart(7)} µs/request (least ${Math.min(...costs).toFixed(2)})`,
  );
}
process.exit();
