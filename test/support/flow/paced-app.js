/**
 * An app for `hface-ts server` whose requests take their time: `/down?bytes=N&rate=R` writes N bytes at R bytes a second,
 * `/up?rate=R` reads at R bytes a second and answers with the digest. `/stuck` never ends.
 *
 * @module
 */
import { nextPiece, readSlowly, Pace, Tally } from './stream-of-bytes.js';

function paced(total, rate) {
  const tally = new Tally();
  const pace = new Pace(rate);
  let index = 0;
  return new ReadableStream({
    async pull(controller) {
      await pace.wait(tally.bytes);
      const piece = nextPiece(tally, total, index);
      index += 1;
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const rate = Number(url.searchParams.get('rate') ?? '0');
    switch (url.pathname) {
      case '/down':
        return new Response(paced(Number(url.searchParams.get('bytes')), rate));
      case '/up': {
        const tally = new Tally();
        await readSlowly(request.body, tally, rate);
        return new Response(tally.digest);
      }
      case '/stuck':
        return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }));
      default:
        return new Response('Hello\n');
    }
  },
};
