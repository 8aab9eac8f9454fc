/**
 * A server that parses nothing: what comes whole is a request, whose answer stands ready. The name says which answer.
 *
 * @module
 */
import net from 'node:net';
import { serveContender } from '../support/contender.ts';
import { canned } from '../support/canned.ts';

const { answer, lastByte } = canned[process.argv[2] ?? ''] ?? { answer: '', lastByte: 0 };
const bytes = Buffer.from(answer, 'latin1');

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    if (chunk[chunk.length - 1] === lastByte) socket.write(bytes);
  });
});
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as net.AddressInfo;
  serveContender(`http://127.0.0.1:${String(port)}/`);
});
