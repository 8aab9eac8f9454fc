/**
 * The client of a flow test, from the built package.
 *
 * To the Fetch-style app it speaks by `session.fetch` and web streams, to the ASGI-style app by `session.dispatch` and
 * async iterables. Transfers run until they are over; what becomes of them is asked for.
 *
 * @module
 */
import process from 'node:process';
import { Client } from '../../../dist/src/index.js';
import { pieces, pieceStream, readSlowly, Tally } from './stream-of-bytes.js';
import { serveOperations } from './operations.js';

const tallies = new Map();
let session;

const doors = {
  fetch: {
    async down(url, tally, { rate }) {
      const response = await session.fetch(url);
      await readSlowly(response.body, tally, rate);
      return response.status;
    },
    async up(url, tally, { bytes }) {
      const body = pieceStream(tally, bytes);
      const response = await session.fetch(url, { method: 'PUT', body, duplex: 'half' });
      if ((await response.text()) !== String(bytes)) throw new Error('the app has read another number of bytes');
      return response.status;
    },
  },
  asgi: {
    async down(url, tally, { rate }) {
      const response = await session.dispatch({ url });
      await readSlowly(response.body, tally, rate);
      return response.status;
    },
    async up(url, tally, { bytes }) {
      const response = await session.dispatch({ url, method: 'PUT', body: pieces(tally, bytes) });
      if ((await response.text()) !== String(bytes)) throw new Error('the app has read another number of bytes');
      return response.status;
    },
  },
};

function target(base, { id, direction, bytes, rate }) {
  return direction === 'down'
    ? `${base}/down?id=${id}&bytes=${bytes}`
    : `${base}/up?id=${id}${rate === undefined ? '' : `&rate=${rate}`}`;
}

serveOperations({
  /** Opens the session. */
  open(options) {
    session = new Client(options).session();
  },
  /** Makes a transfer; answers with its tally when it is over. */
  async transfer({ url, transfer }) {
    const tally = new Tally();
    tallies.set(transfer.id, tally);
    const door = doors[transfer.style][transfer.direction];
    const status = await door(target(url, transfer), tally, transfer);
    return { ...tally.state, status };
  },
  /** What became of a transfer so far. */
  tally: ({ id }) => tallies.get(id)?.state,
  /** So many requests for `/hello` over so many connections at once; how many were answered as they should be. */
  async storm({ url, requests, connections }) {
    let left = requests;
    let right = 0;
    const line = async () => {
      while (left > 0) {
        left -= 1;
        const response = await session.dispatch({ url: `${url}/hello` });
        if (response.status === 200 && (await response.text()) === 'Hello, world!\n') right += 1;
      }
    };
    await Promise.all(Array.from({ length: connections }, line));
    return right;
  },
  close: () => session.close(),
  /** Takes no more orders: what keeps the process alive from now on is something left behind. */
  release: () => void setImmediate(() => process.disconnect()),
});
