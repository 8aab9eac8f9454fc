/**
 * The app that foreign clients talk to: one path for each thing that is to be seen.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import type { AppContext } from '../../../src/index.ts';

/** `count` bytes that can be told from others: a running pattern. */
export function pattern(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let index = 0; index < count; index++) bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}

/** SHA-256 in hexadecimal. */
export function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Answers by path. */
export async function serverApp(request: Request, context: AppContext): Promise<Response> {
  const url = new URL(request.url);
  switch (url.pathname) {
    case '/hello':
      return new Response('Hello\n', { headers: { 'x-version': context.httpVersion, 'x-id': context.requestId } });
    case '/echo':
      return new Response(request.body, { headers: { 'content-type': 'application/octet-stream' } });
    case '/digest': {
      const hash = createHash('sha256');
      for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) hash.update(chunk);
      const trailer = await context.trailers.received;
      return Response.json({ digest: hash.digest('hex'), trailer: trailer.get('x-check') });
    }
    case '/bytes': {
      // Said by hand: the length of a Response's body cannot be seen without reading it, and HEAD reads nothing.
      const body = pattern(Number(url.searchParams.get('count')));
      return new Response(body, { headers: { 'content-length': String(body.length) } });
    }
    case '/stream': {
      const total = Number(url.searchParams.get('count'));
      let sent = 0;
      const body = new ReadableStream({
        pull(controller) {
          const size = Math.min(16_384, total - sent);
          if (size === 0) {
            context.trailers.send({ 'x-sum': String(sent) });
            controller.close();
            return;
          }
          sent += size;
          controller.enqueue(new Uint8Array(size).fill(0x61));
        },
      });
      return new Response(body, { headers: { trailer: 'x-sum' } });
    }
    case '/hints':
      context.sendInformational(103, { link: '</style.css>; rel=preload' });
      return new Response('hinted\n');
    case '/refuse':
      return new Response('too large\n', { status: 413 });
    case '/page':
      return new Response(
        `<!doctype html><title>page</title><script type="module">
          const answer = await fetch('/echo', { method: 'POST', body: 'posted' });
          const navigation = performance.getEntriesByType('navigation')[0];
          document.title = [await answer.text(), navigation.nextHopProtocol, location.protocol].join(' ');
        </script>`,
        { headers: { 'content-type': 'text/html; charset=utf-8' } },
      );
    case '/empty':
      return new Response(null, { status: 204 });
    default:
      return new Response('not found\n', { status: 404 });
  }
}
