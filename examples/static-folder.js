// A folder of files, and a path of one's own beside them.
//
//   npx hface-ts server examples/static-folder.js
//   curl -r 0-99 http://localhost:5080/hello.js
import { staticFiles } from 'hface-ts';

// A folder alone needs no program: npx hface-ts server examples --list
const files = staticFiles(new URL('.', import.meta.url), { listing: true, cacheControl: 'no-cache' });

/** @type {import('hface-ts').FetchObject} */
const app = {
  fetch(request, context) {
    const { pathname } = new URL(request.url);
    if (pathname === '/time') return Response.json({ time: new Date().toISOString() });
    return files.fetch(request, context);
  },
};

export default app;
