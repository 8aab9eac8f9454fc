// An ASGI-style app: scope, receive, send. `asgi` says which style it is; nothing is guessed.
//
//   npx hface-ts server examples/asgi-app.js
import { asgi } from 'hface-ts';

const encoder = new TextEncoder();

export default asgi(async (scope, receive, send) => {
  if (scope.type === 'lifespan') {
    for (;;) {
      const message = await receive();
      if (message.type === 'lifespan.startup') await send({ type: 'lifespan.startup.complete' });
      if (message.type === 'lifespan.shutdown') return send({ type: 'lifespan.shutdown.complete' });
    }
  }
  if (scope.type !== 'http') throw new Error(`no ${scope.type} here`);

  let length = 0;
  for (;;) {
    const message = await receive();
    if (message.type !== 'http.request') return;
    length += message.body.length;
    if (!message.more_body) break;
  }

  const text = `${scope.method} ${scope.path}, ${length} bytes\n`;
  await send({ type: 'http.response.start', status: 200, headers: [['content-type', 'text/plain']] });
  await send({ type: 'http.response.body', body: encoder.encode(text), more_body: false });
});
