// Answers with what it was sent, streaming: neither side is held in memory.
//
//   npx hface-ts server examples/echo.js
//   curl --data-binary @package.json http://localhost:5080/
export default {
  fetch(request) {
    const type = request.headers.get('content-type') ?? 'application/octet-stream';
    return new Response(request.body, { headers: { 'content-type': type } });
  },
};
