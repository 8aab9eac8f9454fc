/**
 * Load over many connections with one stream each, without h2load, which gives up where the system takes connections in
 * slowly: they are opened a hundred at a time, have some requests each, and only then is measured.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RawFrames } from './raw-frames.ts';

/** Opened at once. */
const BATCH = 100;
/** Requests of each before anything is measured: what connections remember of the first ones makes the next cheaper. */
const WARM = 5;
/** A listener whose queue is full may be asked again so often. */
const TRIES = 5;

/** Connections that stay open from one measurement to the next. */
export class ManyConnections {
  readonly #all: RawFrames[];
  /** Requests of each so far. */
  #asked: number;

  private constructor(all: RawFrames[]) {
    this.#all = all;
    this.#asked = 0;
  }

  /** Opens them and asks a few times over each. */
  static async open(url: string, count: number): Promise<ManyConnections> {
    const all: RawFrames[] = [];
    while (all.length < count) {
      const some = Array.from({ length: Math.min(BATCH, count - all.length) }, () => connect(new URL(url), TRIES));
      all.push(...(await Promise.all(some)));
    }
    const many = new ManyConnections(all);
    await many.ask(WARM);
    return many;
  }

  /** Asks so often over each, one request at a time on each. */
  async ask(times: number): Promise<void> {
    const before = this.#asked;
    this.#asked += times;
    const askAll = async (raw: RawFrames): Promise<void> => {
      for (let number = before; number < before + times; number += 1) {
        raw.get(2 * number + 1, '/');
        await raw.answers(number + 1);
      }
    };
    await Promise.all(this.#all.map(askAll));
  }

  /** Ends them. */
  close(): void {
    for (const { socket } of this.#all) socket.destroy();
  }
}

async function connect(url: URL, tries: number): Promise<RawFrames> {
  try {
    return await RawFrames.connect(url);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EMFILE') throw new Error('too few open files are allowed: see ulimit -n', { cause: error });
    if (tries === 0) throw error;
    await sleep(100);
    return connect(url, tries - 1);
  }
}
