/**
 * A contender that is no program of ours: started by its own command, its time read from the system (Linux).
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { canPin, cores } from './contender.ts';

/** What is started. */
export interface ProgramOptions {
  readonly name: string;
  readonly url: string;
  readonly command: readonly [string, ...string[]];
}

/** The clock ticks of /proc, in microseconds. */
const TICK = 10_000;

/** A running program that answers on loopback. */
export class ProgramContender {
  readonly name: string;
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(options: ProgramOptions, child: ChildProcess) {
    this.name = options.name;
    this.url = options.url;
    this.#child = child;
  }

  /** Whether a program is there. */
  static has(program: string): boolean {
    return spawnSync(program, ['--version']).error === undefined;
  }

  /** Starts one and waits until its port answers. */
  static async start(options: ProgramOptions): Promise<ProgramContender> {
    const words = canPin() ? ['taskset', '-c', cores.server, ...options.command] : options.command;
    const [program = '', ...args] = words;
    const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const { port, hostname } = new URL(options.url);
    for (let tries = 0; !(await answers(Number(port), hostname)); tries += 1) {
      if (tries > 100 || child.exitCode !== null) throw new Error(`${options.name} does not listen`);
      await sleep(100);
    }
    return new ProgramContender(options, child);
  }

  /** Microseconds that it has computed since it began. */
  computed(): Promise<number> {
    const stat = readFileSync(`/proc/${String(this.#child.pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Promise.resolve((Number(fields[11]) + Number(fields[12])) * TICK);
  }

  /** Ends it. */
  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await ended;
  }
}

function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, host);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
