// Upload and download as streams, with progress: neither side holds the content in memory.
//
//   npx hface-ts server examples/streaming.js
//   curl -T package.json http://localhost:5080/upload
//   curl -o /dev/null 'http://localhost:5080/download?bytes=1000000000'
//   node examples/streaming.js                  (both directions, server and client in one process)
import { fileURLToPath } from 'node:url';
import { AppServer, Client } from 'hface-ts';

const CHUNK = 64 * 1024;

/** @type {import('hface-ts').FetchObject} */
const app = {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === '/upload') {
      let bytes = 0;
      // The client is read only as fast as this loop goes.
      for await (const chunk of request.body ?? []) bytes += chunk.length;
      return new Response(`${bytes} bytes\n`);
    }
    if (pathname === '/download') {
      const bytes = Number(searchParams.get('bytes') ?? 1_000_000);
      return new Response(zeros(bytes), { headers: { 'content-length': String(bytes) } });
    }
    return new Response('PUT /upload or GET /download?bytes=N\n', { status: 404 });
  },
};

export default app;

/** So many bytes, made when they are asked for. */
function zeros(bytes) {
  let left = bytes;
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const size = Math.min(CHUNK, left);
      left -= size;
      if (size > 0) controller.enqueue(new Uint8Array(size));
      if (left === 0) controller.close();
    },
  });
}

/** Passes a stream on and tells how far it is. */
async function* withProgress(name, total, chunks) {
  let bytes = 0;
  let told = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes - told >= total / 4 || bytes === total) {
      told = bytes;
      console.log(`${name} ${Math.round((100 * bytes) / total)} %`);
    }
    yield chunk;
  }
}

/** Both directions once. */
async function demonstrate(total) {
  const server = await new AppServer(app).listen('http://localhost:0');
  await new Client().withSession(async (session) => {
    const upload = withProgress('upload', total, zeros(total));
    const answer = await session.dispatch({ method: 'PUT', url: `${server.url}/upload`, body: upload });
    console.log(await answer.text());

    const response = await session.dispatch({ url: `${server.url}/download?bytes=${total}` });
    let received = 0;
    for await (const chunk of withProgress('download', total, response.body)) received += chunk.length;
    console.log(`${received} bytes`);
  });
  await server.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await demonstrate(32 * 1024 * 1024);
