// What a Fetch-style app can do: streaming, early hints, trailers, work that outlives the response.
//
//   npx hface-ts server examples/fetch-app.js
//   curl -i http://localhost:5080/whoami
const encoder = new TextEncoder();

export default {
  async fetch(request, context) {
    const url = new URL(request.url);
    switch (url.pathname) {
      case '/':
        // 103 lets a browser fetch the style sheet while the page is still being made.
        context.sendInformational(103, { link: '</style.css>; rel=preload; as=style' });
        return new Response('<!doctype html><link rel="stylesheet" href="/style.css"><p>Hello</p>', {
          headers: { 'content-type': 'text/html; charset=utf-8' },
        });
      case '/style.css':
        return new Response('p { font-family: sans-serif }', { headers: { 'content-type': 'text/css' } });
      case '/whoami':
        return Response.json({ client: context.clientAddress, version: context.httpVersion, id: context.requestId });
      case '/count':
        return new Response(count(context), { headers: { 'content-type': 'text/plain', trailer: 'x-lines' } });
      case '/length': {
        let length = 0;
        for await (const chunk of request.body ?? []) length += chunk.length;
        context.waitUntil(Promise.resolve().then(() => console.error(`counted ${length} bytes`)));
        return new Response(`${length}\n`);
      }
      default:
        return new Response('Not found\n', { status: 404 });
    }
  },
};

/** Ten lines, one at a time, and their number in a trailer. */
function count(context) {
  let line = 0;
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      if (line === 10) {
        context.trailers.send({ 'x-lines': String(line) });
        controller.close();
        return;
      }
      line += 1;
      controller.enqueue(encoder.encode(`line ${line}\n`));
    },
  });
}
