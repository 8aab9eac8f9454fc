// The smallest app: a function from Request to Response.
//
//   npx hface-ts server examples/hello.js
export default function hello() {
  return new Response('Hello from hface-ts\n', { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}
