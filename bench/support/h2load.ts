/**
 * Load by h2load: HTTP/2 over a few connections with many streams each, from a core of its own.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { canPin, cores } from './contender.ts';

/** What h2load is asked for. */
export interface StreamLoad {
  readonly connections: number;
  /** At once, on each connection. */
  readonly streams: number;
  /** How many in all. By their number and not by time: who connects after the time is over would never end. */
  readonly requests: number;
  /** A file that is sent with each request, or `undefined` for GET. */
  readonly upload?: string | undefined;
}

/** Whether h2load is there. */
export const hasH2load: boolean = spawnSync('h2load', ['--version']).error === undefined;

/** Windows of 1 GiB, so that the server's pace is measured and not the client's. */
const WINDOWS = ['-w30', '-W30'];

/**
 * Loads a server; how many requests it has answered, and how many a second.
 *
 * @throws Error when an answer was wrong or missing
 */
export async function h2load(url: string, load: StreamLoad): Promise<{ requests: number; rate: number }> {
  const upload = load.upload === undefined ? [] : ['-d', load.upload];
  const words = ['h2load', `-c${String(load.connections)}`, `-m${String(load.streams)}`, `-n${String(load.requests)}`];
  words.push(...WINDOWS, ...upload, url);
  const [program = '', ...args] = canPin() ? ['taskset', '-c', cores.load, ...words] : words;
  const output = await run(program, args);
  const requests = Number(/(\d+) succeeded/.exec(output)?.[1]);
  const failed = Number(/(\d+) failed/.exec(output)?.[1]);
  const good = Number(/status codes: (\d+) 2xx/.exec(output)?.[1]);
  const rate = Number(/finished in .*, ([\d.]+) req\/s/.exec(output)?.[1]);
  if (requests !== load.requests || failed > 0 || good !== requests || !(rate > 0))
    throw new Error(`not every request was answered:\n${output}`);
  return { requests, rate };
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', reject);
    child.once('close', () => resolve(output));
  });
}
