/**
 * Load by wrk: as many requests as there are answers, over a few connections, from a core of its own.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { canPin, cores } from './contender.ts';

/** What wrk is asked for. */
export interface Load {
  readonly connections: number;
  readonly seconds: number;
  /** A Lua script of bench/support that says what is sent, or `undefined` for GET. */
  readonly script?: string | undefined;
}

/** Whether wrk is there. */
export const hasWrk: boolean = spawnSync('wrk', ['-v']).error === undefined;

/**
 * Loads a server; how many requests it has answered, and how many a second.
 *
 * @throws Error when an answer was wrong or missing
 */
export async function wrk(url: string, load: Load): Promise<{ requests: number; rate: number }> {
  const script = load.script === undefined ? [] : ['-s', `bench/support/${load.script}`];
  const words = [
    'wrk',
    '-t1',
    `-c${String(load.connections)}`,
    `-d${String(load.seconds)}s`,
    '--timeout',
    '30s',
    ...script,
    url,
  ];
  const [program = '', ...args] = canPin() ? ['taskset', '-c', cores.load, ...words] : words;
  const output = await run(program, args);
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`not every request was answered:\n${output}`);
  const requests = Number(/(\d+) requests in/.exec(output)?.[1]);
  const rate = Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
  if (!(requests > 0 && rate > 0)) throw new Error(`wrk has measured nothing:\n${output}`);
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
